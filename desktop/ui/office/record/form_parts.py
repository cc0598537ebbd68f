"""What stands in a form besides its fields: the free resources to choose instead, and the question when it is left."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from desktop.core.domain.definition import Field
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Label, on_click
from desktop.ui.layouts import empty_layout
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.views.base import ViewContext

FREE_SHOWN = 12


class FreeBox(QFrame):
    """Who holds a resource at the time wanted, and the free ones as chips to press."""

    taken = Signal(str)

    def __init__(self, context: ViewContext, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("freeBox")
        self.setProperty("surface", "card")
        self._context, self._field = context, field
        self._free: Sequence[str] = ()
        self.title = Label(role="secondary", tone="ink3", wrap=True)
        self.flow = Flow(spacing=4)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(4)
        column.addWidget(self.title)
        column.addWidget(self.flow)
        context.names_changed.connect(self._show)
        self.hide()

    def show_free(self, free: Sequence[str]) -> None:
        """Offers these."""
        self._free = tuple(free)[:FREE_SHOWN]
        self._show()
        self.show()

    def _show(self) -> None:
        empty_layout(self.flow.flow)
        name = self._context.label(self._field.label)
        self.title.setText(tr("office_record.free" if self._free else "office_record.none_free", name=name))
        for key in self._free:
            chip = Button(self._context.title_of(self._field.target or "", key) or "…", kind="link", small=True)
            on_click(chip, partial(self.taken.emit, key))
            self.flow.add(chip)
        self.flow.setVisible(bool(self._free))


class LeaveBar(QFrame):
    """Asks in place what becomes of what was written: nothing is thrown away without a press."""

    stayed = Signal()
    kept = Signal()
    thrown = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("leaveBar")
        self.setProperty("banner", "amber")
        self.stay = Button(key="office_record.leave.stay", kind="primary", small=True)
        keep = Button(key="office_record.leave.keep", small=True)
        throw = Button(key="office_record.leave.throw", kind="danger", small=True)
        keep.setObjectName("leaveKeep")
        throw.setObjectName("leaveThrow")
        on_click(self.stay, self.stayed.emit)
        on_click(keep, self.kept.emit)
        on_click(throw, self.thrown.emit)
        flow = Flow(spacing=8)
        for button in (self.stay, keep, throw):
            flow.add(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 10, 18, 10)
        column.addWidget(Label(key="office_record.leave.question", wrap=True))
        column.addWidget(flow)
        self.hide()
