"""What is known of one document: facts, versions, keeping it on this device and until when, opening and a new version."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from desktop.core.domain import Document
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Button, CheckBox, Divider, Label, Scroll, on_click, row
from desktop.ui.layouts import discard
from desktop.ui.office.attachments import FileSheet

LABEL_WIDTH = 72


class DocumentDetails(Scroll):
    """The right pane of the library."""

    open_asked = Signal(str)
    keep_asked = Signal(str, bool)
    version_asked = Signal(str)

    def __init__(self, now_ms: Callable[[], int], parent: QWidget | None = None) -> None:
        super().__init__(surface="surface", parent=parent)
        self.setObjectName("documentDetails")
        self._now_ms = now_ms
        self._document: Document | None = None
        self._place, self._may_edit = "", False
        self._name_of: Callable[[str | None], str] = lambda _key: ""
        self.open = Button(key="office.read", kind="primary", icon="book-open")
        self.open.setObjectName("documentOpen")
        self.keep = CheckBox(key="office.keep_offline")
        self.keep.setObjectName("documentKeep")
        self.lease = Label(role="secondary", tone="ink3", wrap=True)
        self.lease.setObjectName("documentLease")
        self.version = Button(key="office.new_version", icon="upload-simple")
        self.version.setObjectName("documentNewVersion")
        self._facts = QWidget()
        self.inner.setContentsMargins(20, 20, 20, 20)
        self.inner.setSpacing(10)
        self.inner.addWidget(self._facts)
        self.inner.addLayout(row(self.open, self.version, None))
        self.inner.addWidget(self.keep)
        self.inner.addWidget(self.lease)
        self.inner.addStretch(1)
        on_click(self.open, self._ask_open)
        on_click(self.version, self._ask_version)
        self.keep.clicked.connect(self._ask_keep)
        i18n.changed.connect(self._refresh)
        theme.changed.connect(self._refresh)

    @property
    def document_id(self) -> str:
        """Whose details they are; empty for none."""
        return self._document.id if self._document else ""

    def show_document(
        self, document: Document, place: str, name_of: Callable[[str | None], str], *, may_edit: bool
    ) -> None:
        """Shows a document; `place` is the path of its folder."""
        self._document, self._place, self._name_of, self._may_edit = document, place, name_of, may_edit
        self._refresh()

    def _refresh(self) -> None:
        document = self._document
        if document is None:
            return
        self.version.setVisible(self._may_edit)
        keepable = document.offline.policy != "none"
        always = document.offline.policy == "always"
        self.keep.setEnabled(keepable and not always)
        self.keep.setChecked(document.kept or always)
        self.lease.setText(self._lease_text(document))
        fresh = QWidget()
        column = QVBoxLayout(fresh)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        title = Label(document.title, role="header", strong=True, wrap=True)
        top = row(FileSheet(document.name), title, spacing=10)
        top.setStretch(1, 1)
        column.addLayout(top)
        column.addLayout(self._fact_grid(document))
        column.addWidget(Divider())
        column.addLayout(self._version_list(document))
        self.inner.replaceWidget(self._facts, fresh)
        discard(self._facts)
        self._facts = fresh

    def _lease_text(self, document: Document) -> str:
        days = document.offline.lease_days
        if document.offline.policy == "none":
            return tr("office.keep_forbidden")
        if not document.kept:
            return tr("office.keep_hint", n=days)
        if document.lease_until is None:
            return tr("office.kept_no_lease")
        day = when.date_time(document.lease_until)
        return tr("office.lease_over" if document.lease_until <= self._now_ms() else "office.lease_until", time=day)

    def _fact_grid(self, document: Document) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        rows = [
            (tr("office.column.number"), document.number or ""),
            (tr("office.fact.folder"), self._place),
            (tr("office.fact.file"), document.name),
            (tr("office.column.size"), when.size(document.size)),
            (tr("office.fact.owner"), self._name_of(document.owner_id)),
            (tr("office.column.updated"), when.date_time(document.updated_at) if document.updated_at else ""),
        ]
        for number, (name, value) in enumerate((n, v) for n, v in rows if v):
            label = Label(name, role="secondary", tone="ink3")
            label.setMinimumWidth(theme.scaled(LABEL_WIDTH))
            grid.addWidget(label, number, 0)
            grid.addWidget(Label(value, role="secondary", wrap=True), number, 1)
        return grid

    def _version_list(self, document: Document) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(4)
        versions = sorted(document.versions, key=lambda v: -v.at)
        column.addWidget(Label(tr("office.versions", n=max(1, len(versions))), strong=True))
        for number, version in enumerate(versions):
            mark = tr("office.version_now") if number == 0 else ""
            parts = [when.date_time(version.at), self._name_of(version.author_id), when.size(version.size), mark]
            column.addWidget(Label(" · ".join(p for p in parts if p), role="secondary", tone="ink2", wrap=True))
        return column

    # ---- what the user does
    def _ask_open(self) -> None:
        self.open_asked.emit(self.document_id)

    def _ask_version(self) -> None:
        self.version_asked.emit(self.document_id)

    def _ask_keep(self, checked: bool) -> None:
        self.keep_asked.emit(self.document_id, checked)
