"""The form that publishes a notice. What is written is kept as a draft on this device until it is published or thrown away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QDateTime, QTimer, Signal
from PySide6.QtWidgets import QDateTimeEdit, QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.domain import Audience, ConnectionState, Notice, NoticeLevel
from desktop.core.errors import AppError, Offline
from desktop.ui import theme
from desktop.ui.i18n import error_text, tr, when
from desktop.ui.kit import (
    Banner,
    Button,
    CheckBox,
    ComboBox,
    Dialog,
    IconButton,
    Label,
    Scroll,
    TextField,
    finished,
    on_click,
    row,
)
from desktop.ui.layouts import empty_layout
from desktop.ui.office.audience_picker import AudiencePicker
from desktop.ui.office.levels import level_text
from desktop.ui.office.office_records import OfficeData
from desktop.ui.office.rich_text import RichTextEditor
from desktop.ui.tasks import TaskOwner, alive

DRAFT_KEY = "office.notice_draft"
DRAFT_MS = 500
LONGEST_TITLE = 120
DAY_MS = 86_400_000
DEFAULT_DAYS = 30


class NoticeForm(Dialog):
    """A new notice. `published` carries its id."""

    published = Signal(str)

    def __init__(self, data: OfficeData, now_ms: int, parent: QWidget | None) -> None:
        super().__init__(parent, "office.publish", width=620)
        self.setObjectName("noticeForm")
        self.tasks = TaskOwner(self)
        self._data, self._now_ms = data, now_ms
        self._files: list[str] = []
        self.heading = TextField(key="office.form.title")
        self.heading.setObjectName("noticeFormTitle")
        self.heading.setMaxLength(LONGEST_TITLE)
        self.level = ComboBox()
        for level in NoticeLevel:
            self.level.addItem(level_text(level), level.value)
        self.pinned = CheckBox(key="office.form.pinned")
        self.expires = CheckBox(key="office.form.expires")
        self.until = QDateTimeEdit(QDateTime.fromMSecsSinceEpoch(now_ms + DEFAULT_DAYS * DAY_MS))
        self.until.setCalendarPopup(True)
        self.until.setDisplayFormat("yyyy-MM-dd HH:mm")
        self.until.setMinimumDateTime(QDateTime.fromMSecsSinceEpoch(now_ms))
        self.until.setEnabled(False)
        self.audience = AudiencePicker(data.organization)
        self.text = RichTextEditor("office.form.body")
        self.text.setMinimumHeight(theme.scaled(190))
        self._file_column = QVBoxLayout()
        self.problem = Banner()
        self._build_ui()
        self._keeping = QTimer(self, interval=DRAFT_MS, singleShot=True)
        self._keeping.timeout.connect(self._keep_draft)
        for signal in (self.heading.textChanged, self.text.changed, self.audience.changed, self.until.dateTimeChanged):
            signal.connect(self._on_edited)
        for box in (self.pinned, self.expires):
            box.toggled.connect(self._on_edited)
        self.level.currentIndexChanged.connect(self._on_edited)
        self.expires.toggled.connect(self.until.setEnabled)
        self.tasks.start(self._load_draft(), name="draft")

    def _build_ui(self) -> None:
        scroll = Scroll(surface="surface")
        form = scroll.inner
        form.setContentsMargins(20, 16, 20, 16)
        form.setSpacing(8)
        form.addWidget(_caption("office.form.title"))
        form.addWidget(self.heading)
        form.addWidget(_caption("office.form.level"))
        form.addLayout(row(self.level, self.pinned, None, spacing=16))
        form.addWidget(_caption("office.form.audience"))
        form.addWidget(self.audience)
        form.addWidget(_caption("office.form.body"))
        form.addWidget(self.text)
        add = Button(key="office.form.add_file", icon="paperclip", small=True)
        on_click(add, self.add_files)
        form.addLayout(row(_caption("office.form.files"), None, add))
        form.addLayout(self._file_column)
        form.addLayout(row(self.expires, self.until, None, spacing=12))
        form.addStretch(1)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(0)
        self.body.addWidget(self.problem)
        self.body.addWidget(scroll, 1)
        discard = Button(key="office.form.discard", kind="ghost")
        on_click(discard, self.discard)
        self.buttons.insertWidget(0, discard)
        keep = self.add_button("office.form.keep_draft")
        on_click(keep, self.close_kept)
        self._publish = self.add_button("office.form.publish", kind="primary")
        self._publish.setObjectName("noticeFormPublish")
        on_click(self._publish, self.publish)
        self.resize(theme.scaled(680), theme.scaled(720))
        self.heading.setFocus()

    # ---- the notice
    def notice(self) -> Notice:
        """What the form says."""
        me = self._data.session.me
        identity = me.primary
        return Notice(
            id="",
            title=self.heading.text().strip(),
            body=self.text.html(),
            level=NoticeLevel(self.level.currentData()),
            state="published",
            audience=self.audience.audience(),
            pinned=self.pinned.isChecked(),
            author_id=me.id,
            department_id=identity.department_id if identity else None,
            expires_at=self.until.dateTime().toMSecsSinceEpoch() if self.expires.isChecked() else None,
        )

    def problem_text(self) -> str:
        """What is still missing; empty when it can be published."""
        if not self.heading.text().strip():
            return tr("office.form.no_title")
        if self.text.is_empty() and not self._files:
            return tr("office.form.no_body")
        if self.audience.is_empty():
            return tr("office.form.no_audience")
        missing = [path for path in self._files if not Path(path).is_file()]
        return tr("office.form.file_gone", name=Path(missing[0]).name) if missing else ""

    def publish(self) -> None:
        """Publishes, or says what is missing."""
        problem = self.problem_text()
        self.heading.set_invalid(not self.heading.text().strip())
        if problem:
            self.problem.show_text(problem, tone="red", icon="warning-circle")
            return
        self.problem.hide()
        self._publish.setEnabled(False)
        self.tasks.start(self._do_publish(), name="publish", exclusive=True)

    async def _do_publish(self) -> None:
        try:
            made = await self._send()
        except AppError as error:
            if alive(self):
                text = tr("office.form.offline") if isinstance(error, Offline) else error_text(error)
                self.problem.show_text(text, tone="red", icon="warning-circle")
            return
        finally:
            if alive(self):
                self._publish.setEnabled(True)
        await self._data.session.settings.set(DRAFT_KEY, None)
        if alive(self):
            self._keeping.stop()
            self.published.emit(made)
            self.accept()

    async def _send(self) -> str:
        notice, session = self.notice(), self._data.session
        if session.status.state is not ConnectionState.LIVE:
            raise Offline
        attachments = [await session.files.upload_file(Path(path)) for path in self._files]
        return await session.office.publish(
            notice.title,
            notice.body,
            level=notice.level,
            audience=notice.audience,
            attachments=attachments,
            pinned=notice.pinned,
            expires_at=notice.expires_at,
        )

    # ---- files
    def add_files(self) -> None:
        """Asks for files to attach."""
        self.tasks.start(self._add_files(), name="files", exclusive=True)

    async def _add_files(self) -> None:
        dialog = QFileDialog(self, tr("office.form.add_file"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        if await finished(dialog) and alive(self):
            self.attach(dialog.selectedFiles())

    def attach(self, paths: list[str]) -> None:
        """Adds files, each once."""
        self._files = list(dict.fromkeys([*self._files, *paths]))
        self._show_files()
        self._on_edited()

    def _drop_file(self, path: str) -> None:
        self._files.remove(path)
        self._show_files()
        self._on_edited()

    def _show_files(self) -> None:
        empty_layout(self._file_column)
        for path in self._files:
            file = Path(path)
            holder = QWidget()
            size = when.size(file.stat().st_size) if file.is_file() else tr("office.form.gone")
            drop = IconButton("x", "office.form.remove_file", size=14, box=24)
            drop.clicked.connect(lambda _=False, p=path: self._drop_file(p))
            line = QHBoxLayout(holder)
            line.setContentsMargins(0, 0, 0, 0)
            line.addWidget(Label(file.name), 1)
            line.addWidget(Label(size, role="secondary", tone="ink3"))
            line.addWidget(drop)
            self._file_column.addWidget(holder)

    # ---- the draft
    def _on_edited(self) -> None:
        self._keeping.start()

    def draft(self) -> dict[str, Any]:
        """The form as plain values."""
        return {**msgspec.to_builtins(self.notice()), "files": list(self._files)}

    def _keep_draft(self) -> None:
        # Not the form's own task: it is closed, and its tasks with it, before the draft would be written.
        self._data.tasks.start(self._data.session.settings.set(DRAFT_KEY, self.draft()), name="keep", exclusive=True)

    async def _load_draft(self) -> None:
        kept = await self._data.session.settings.get(DRAFT_KEY)
        if not alive(self) or not isinstance(kept, dict) or self.heading.text():
            return
        try:
            notice = msgspec.convert({k: v for k, v in kept.items() if k != "files"}, Notice)
            files = msgspec.convert(kept.get("files", []), list[str])
        except msgspec.ValidationError:
            return  # written by another version: an old draft is no reason to fail
        self._fill(notice, files)
        self.problem.show_text(tr("office.form.draft_found"), tone="accent", icon="note-pencil", dismissible=True)

    def _fill(self, notice: Notice, files: list[str]) -> None:
        self.heading.setText(notice.title)
        self.level.setCurrentIndex(self.level.findData(notice.level.value))
        self.pinned.setChecked(notice.pinned)
        self.expires.setChecked(notice.expires_at is not None)
        if notice.expires_at:
            self.until.setDateTime(QDateTime.fromMSecsSinceEpoch(max(notice.expires_at, self._now_ms)))
        self.audience.set_audience(notice.audience)
        self.text.set_html(notice.body)
        self._files = files
        self._show_files()

    def close_kept(self) -> None:
        """Closes; the draft is there next time."""
        self._keeping.start()
        self.reject()

    def reject(self) -> None:
        """Closed by whatever way, Escape too: what is not yet kept is kept now."""
        if self._keeping.isActive():
            self._keeping.stop()
            self._keep_draft()
        super().reject()

    def discard(self) -> None:
        """Throws the draft away and closes."""
        self._keeping.stop()
        self._fill(Notice("", "", audience=Audience()), [])
        self._keeping.stop()
        self._data.tasks.start(self._data.session.settings.set(DRAFT_KEY, None), name="keep", exclusive=True)
        self.reject()


def _caption(key: str) -> Label:
    return Label(key=key, role="secondary", tone="ink3")
