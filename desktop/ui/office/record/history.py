"""What became of a record: each change with its fields, old and new, who and when. Read from the server; the last one seen is there offline."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from desktop.core.domain.definition import TypeDefinition
from desktop.core.domain.records import Record, RecordChange
from desktop.core.errors import AppError, Offline
from desktop.ui import i18n
from desktop.ui.i18n import error_text, tr, when
from desktop.ui.kit import Button, IconLabel, Label, on_click, row
from desktop.ui.layouts import empty_layout
from desktop.ui.office.views.base import ViewContext, field_of
from desktop.ui.tasks import TaskOwner, alive

SHOWN = 200


class HistoryPane(QWidget):
    """The history of one record, newest first."""

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("historyPane")
        self.context = context
        self.tasks = TaskOwner(self)
        self._record: Record | None = None
        self._changes: Sequence[RecordChange] = ()
        self.note = Label(tone="ink3", wrap=True)
        self.note.setObjectName("historyNote")
        self.retry = Button(key="office_record.retry", small=True)
        self.retry.hide()
        self._column = QVBoxLayout()
        self._column.setSpacing(12)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.note)
        column.addLayout(row(self.retry, None))
        column.addLayout(self._column)
        on_click(self.retry, self.reload)
        context.names_changed.connect(self._draw)
        i18n.changed.connect(self._draw)

    def show_record(self, record: Record) -> None:
        """Shows another record's history, or the same one's again after a change."""
        if self._record is None or self._record.id != record.id:
            self._changes = ()
            self._draw()
            self.note.setText(tr("office_record.loading"))
            self.note.show()
        self._record = record
        self.reload()

    def reload(self) -> None:
        """Asks the server."""
        if self._record is not None:
            self.tasks.start(self._reload(self._record), name="reload", exclusive=True)

    async def _reload(self, record: Record) -> None:
        try:
            found = await self.context.records.history(record)
        except AppError as error:
            if alive(self):
                offline = isinstance(error, Offline)
                self.note.setText(tr("office_record.history_offline") if offline else error_text(error))
                self.note.show()
                self.retry.show()
            return
        if not alive(self) or self._record is None or self._record.id != record.id:
            return
        self.retry.hide()
        self._changes = sorted(found, key=lambda one: one.at, reverse=True)
        self.note.setText("" if found else tr("office_record.no_history"))
        self.note.setVisible(not found)
        self._draw()

    def _draw(self) -> None:
        empty_layout(self._column)
        definition = self.context.type_of(self._record.type) if self._record is not None else None
        if definition is None:
            return
        for change in self._changes[:SHOWN]:
            self._column.addWidget(self._entry(definition, change))

    def _entry(self, definition: TypeDefinition, change: RecordChange) -> QWidget:
        holder = QWidget()
        holder.setObjectName("historyEntry")
        who = self.context.name_of(change.person_id) or tr("office_record.the_office")
        dot = IconLabel("circle-fill", tone="accent", size=10)
        at = Label(when.date_time(change.at), role="secondary", tone="ink3")
        grid = QGridLayout()
        grid.setContentsMargins(18, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        for number, one in enumerate(change.changes):
            field = field_of(definition, one.field)
            name = self.context.label(field.label) if field is not None else one.field
            old = self.context.cell_text(field, one.old) if field is not None else str(one.old or "")
            new = self.context.cell_text(field, one.new) if field is not None else str(one.new or "")
            head = Label(name, role="secondary", tone="ink3")
            nothing = tr("office_record.nothing")
            text = new or nothing if one.old is None else f"{old or nothing} → {new or nothing}"
            grid.addWidget(head, number, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(Label(text, wrap=True), number, 1)
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row(dot, Label(who, strong=True), at, None))
        column.addLayout(grid)
        return holder
