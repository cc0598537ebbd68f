"""The editor of attached files: from the disk, from the library, dropped or pasted. They go up at once, or with the form once there is a connection."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from desktop.core.domain import Attachment, ConnectionState, Direction, Document, TransferState
from desktop.core.domain.definition import Field
from desktop.core.errors import AppError, BadFile
from desktop.core.events import Event, TransferProgress
from desktop.ui import i18n, theme
from desktop.ui.i18n import error_text, tr, when
from desktop.ui.kit import Button, ElidedLabel, IconButton, Label, finished, on_click
from desktop.ui.kit.hit_list import Hit
from desktop.ui.layouts import discard
from desktop.ui.office.attachments import FileSheet
from desktop.ui.office.record.editor import FieldEditor
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.record.pick_line import PickLine
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive

PASTED = "tongban-pasted-"


@dataclass
class Entry:
    """One file: here with its blob, or still a path of this machine. `problem` says why it did not go up."""

    name: str
    attachment: Attachment | None = None
    path: Path | None = None
    problem: str = ""
    pasted: bool = False


def attachment_value(attachment: Attachment) -> dict[str, Any]:
    """A file on the wire."""
    return {
        "blobId": attachment.blob_id,
        "name": attachment.name,
        "type": attachment.type,
        "size": attachment.size,
    }


def attachment_of(value: Any) -> Attachment | None:
    """The file of a wire value; None for anything else."""
    if not isinstance(value, dict) or not value.get("blobId"):
        return None
    size = value.get("size")
    return Attachment(
        str(value["blobId"]),
        str(value.get("name") or ""),
        str(value.get("type") or "application/octet-stream"),
        size if isinstance(size, int) else 0,
    )


class EntryRow(QWidget):
    """A file's line: sheet, name, how far it is, and a button to take it away."""

    removed = Signal()
    retried = Signal()

    def __init__(self, entry: Entry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entry = entry
        self.lock = asyncio.Lock()
        self.state = Label(role="secondary", tone="ink3")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.retry = Button(key="office_record.file.retry", kind="link", small=True)
        self.drop = IconButton("x", "office_record.file.remove", tone="ink3", size=14, box=26)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(ElidedLabel(entry.name))
        words.addWidget(self.state)
        words.addWidget(self.bar)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(FileSheet(entry.name))
        line.addLayout(words, 1)
        line.addWidget(self.retry)
        line.addWidget(self.drop)
        self.setAccessibleName(entry.name)
        on_click(self.drop, self.removed.emit)
        on_click(self.retry, self.retried.emit)
        self.refresh(moving=False)

    def refresh(self, *, moving: bool) -> None:
        """Shows where the file stands."""
        entry = self.entry
        self.bar.setVisible(moving)
        self.retry.setVisible(bool(entry.problem))
        self.state.set_tone("red_text" if entry.problem else "ink3")
        if entry.problem:
            self.state.setText(entry.problem)
        elif entry.attachment is not None:
            self.state.setText(when.size(entry.attachment.size) if entry.attachment.size else "")
        else:
            self.state.setText(tr("office_record.file.sending" if moving else "office_record.file.waiting"))

    def show_progress(self, moved: int, size: int) -> None:
        """An upload moved on."""
        self.bar.setRange(0, max(1, size // 1024))
        self.bar.setValue(moved // 1024)
        self.state.setText(f"{when.size(moved)} / {when.size(size)}")


class FilesEditor(FieldEditor):
    """Any number of files, or one where the field is a blob."""

    wide = True

    def __init__(self, context: ViewContext, field: Field, *, parent: QWidget | None = None) -> None:
        super().__init__(context, field, parent=parent)
        self.tasks = TaskOwner(self)
        self._single = str(field.kind) == "blob"
        self._rows: list[EntryRow] = []
        self.setAcceptDrops(True)
        self._box = QFrame()
        self._column = QVBoxLayout(self._box)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self.add = Button(key="office_record.file.add", icon="paperclip", small=True)
        self.add.setObjectName("filesAdd")
        self.library = Button(key="office_record.file.from_library", icon="books", small=True)
        self.paste = Button(key="office_record.file.paste", icon="clipboard-text", small=True)
        self.documents = PickLine(self._find_documents)
        i18n.bind(self.documents.setPlaceholderText, "office_record.file.find_document")
        i18n.bind(self.documents.setAccessibleName, "office_record.file.find_document")
        self.documents.hide()
        self.hint = Label(key="office_record.file.hint", role="secondary", tone="ink3", wrap=True)
        self.setFocusProxy(self.add)
        self.column.addWidget(self._box)
        ways = Flow(spacing=6)
        for button in (self.add, self.library, self.paste):
            ways.add(button)
        self.column.addWidget(ways)
        self.column.addWidget(self.documents)
        self.column.addWidget(self.hint)
        on_click(self.add, self.ask_files)
        on_click(self.library, self.open_library)
        on_click(self.paste, self.paste_clipboard)
        self.documents.picked.connect(self._on_document)
        self._found: dict[str, Document] = {}
        self._listening = ExitStack()  # kept: a connection holds a bound method weakly
        self._listening.enter_context(context.session.events.subscribe(self._on_event))
        self.destroyed.connect(self._listening.close)

    # ---- the value
    @property
    def entries(self) -> list[Entry]:
        """The files, those still on their way too."""
        return [line.entry for line in self._rows]

    def value(self) -> Any:
        held = [entry.attachment for entry in self.entries if entry.attachment is not None]
        if self._single:
            return held[0].blob_id if held else None
        return [attachment_value(one) for one in held] or None

    def show_value(self, value: Any) -> None:
        if value == self.value() and not self._waiting():
            return
        self._clear()
        if self._single:
            held = [Attachment(value, tr("office_record.file.one"))] if isinstance(value, str) and value else []
        else:
            items = value if isinstance(value, list) else []
            held = [one for item in items if (one := attachment_of(item)) is not None]
        for attachment in held:
            self._append(Entry(attachment.name, attachment))

    def raw(self) -> str | None:
        """Paths of files that are not up yet, one a line."""
        return "\n".join(str(entry.path) for entry in self._waiting()) or None

    def set_raw(self, text: str) -> None:
        self.attach([Path(line) for line in text.splitlines() if line and Path(line).is_file()])

    def _waiting(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.attachment is None]

    async def settle(self) -> None:
        for line in [line for line in self._rows if line.entry.attachment is None]:
            await self._upload(line)
            if line.entry.attachment is None:
                raise BadFile(reason=line.entry.problem)

    # ---- adding
    def ask_files(self) -> None:
        """Asks for files of this machine."""
        self.tasks.start(self._ask_files(), name="ask", exclusive=True)

    async def _ask_files(self) -> None:
        dialog = QFileDialog(self, tr("office_record.file.add"))
        mode = QFileDialog.FileMode.ExistingFile if self._single else QFileDialog.FileMode.ExistingFiles
        dialog.setFileMode(mode)
        if await finished(dialog) and alive(self):
            self.attach([Path(name) for name in dialog.selectedFiles()])

    def attach(self, paths: Sequence[Path], *, pasted: bool = False) -> None:
        """Adds files of this machine, each once; they go up at once while there is a connection."""
        known = {entry.path for entry in self.entries}
        for path in paths:
            if path not in known and path.is_file():
                self._make_room()
                line = self._append(Entry(path.name, path=path, pasted=pasted))
                if self.context.session.status.state is ConnectionState.LIVE:
                    self.tasks.start(self._upload(line), name=f"upload {path}")
        self.told()

    def add_attachment(self, attachment: Attachment) -> None:
        """Adds a file that the server has already."""
        if all(entry.attachment is None or entry.attachment.blob_id != attachment.blob_id for entry in self.entries):
            self._make_room()
            self._append(Entry(attachment.name, attachment))
            self.told()

    def _make_room(self) -> None:
        if self._single:
            self._clear()

    def paste_clipboard(self) -> None:
        """Adds the files or the picture of the clipboard; nothing happens where it has neither."""
        self.take_mime(QGuiApplication.clipboard().mimeData())

    def take_mime(self, mime: QMimeData) -> bool:
        """Adds what was dropped or pasted; False where it is no file and no picture."""
        paths = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
        if paths:
            self.attach(paths)
            return True
        image = mime.imageData() if mime.hasImage() else None
        if isinstance(image, QImage) and not image.isNull():
            # An upload reads a path; the file leaves with the upload or when it is taken away.
            folder = Path(tempfile.mkdtemp(prefix=PASTED))
            path = folder / tr("office_record.file.picture_name")
            if image.save(str(path)):  # PNG, by its suffix
                self.attach([path], pasted=True)
                return True
        return False

    # ---- the library
    def open_library(self) -> None:
        """Shows the line that finds documents of the library."""
        self.documents.setVisible(True)
        self.documents.setFocus(Qt.FocusReason.OtherFocusReason)
        self.documents.search()

    async def _find_documents(self, text: str) -> list[Hit]:
        needle = text.casefold()
        documents = await self.context.session.office.documents()
        fits = [d for d in documents if needle in f"{d.title} {d.number or ''} {d.name}".casefold()]
        self._found = {d.id: d for d in fits}
        return [Hit(d.id, d.title, " ".join(filter(None, (d.number, when.size(d.size))))) for d in fits]

    def _on_document(self, hit: Hit) -> None:
        document = self._found[hit.id]
        self.documents.clear()
        self.documents.hide()
        self.add_attachment(Attachment(document.blob_id, document.name, document.type, document.size))
        self.library.setFocus(Qt.FocusReason.OtherFocusReason)

    # ---- going up
    async def _upload(self, line: EntryRow) -> None:
        async with line.lock:  # the form may want it while it is on its way by itself
            await self._send(line)

    async def _send(self, line: EntryRow) -> None:
        entry = line.entry
        if entry.path is None or entry.attachment is not None:
            return
        entry.problem = ""
        line.refresh(moving=True)
        try:
            attachment = await self.context.session.files.upload_file(entry.path)
        except AppError as error:
            if alive(line):
                entry.problem = error_text(error)
                line.refresh(moving=False)
                self.told()
            return
        entry.attachment = attachment
        _forget(entry)
        if alive(line):
            line.refresh(moving=False)
            self.told()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, TransferProgress) and event.transfer.direction is Direction.UP:
            transfer = event.transfer
            for line in self._rows:
                here = line.entry.path is not None and str(line.entry.path) == transfer.path
                if here and line.entry.attachment is None and transfer.state is TransferState.RUNNING:
                    line.show_progress(transfer.moved, transfer.size)

    # ---- rows
    def _append(self, entry: Entry) -> EntryRow:
        line = EntryRow(entry)
        line.removed.connect(partial(self._remove, line))
        line.retried.connect(lambda: self.tasks.start(self._upload(line), name="retry"))
        self._rows.append(line)
        self._column.addWidget(line)
        return line

    def _remove(self, line: EntryRow) -> None:
        if line.entry.path is not None:
            self.tasks.cancel(f"upload {line.entry.path}")
        _forget(line.entry)
        self._rows.remove(line)
        self._column.removeWidget(line)
        discard(line)
        self.add.setFocus(Qt.FocusReason.OtherFocusReason)
        self.told()

    def _clear(self) -> None:
        for line in self._rows:
            self._column.removeWidget(line)
            discard(line)
        self._rows = []

    def set_invalid(self, invalid: bool) -> None:
        """It has no edge; the reason below says it."""

    # ---- Qt overrides
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        mime = event.mimeData()
        if mime.hasImage() or any(url.isLocalFile() for url in mime.urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if self.take_mime(event.mimeData()):
            event.acceptProposedAction()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Paste):
            self.paste_clipboard()
            return
        super().keyPressEvent(event)

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.scaled(160), super().minimumSizeHint().height())


def _forget(entry: Entry) -> None:
    """A pasted picture's file is ours to take away once it is up or not wanted."""
    if entry.pasted and entry.path is not None:
        entry.path.unlink(missing_ok=True)
        try:
            entry.path.parent.rmdir()
        except OSError:
            return  # something else lies there: not ours
