"""A tab that is a form for new records: sent, it is empty again for the next one."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core.domain.definition import View
from desktop.ui.office.record.detail import RecordDetail
from desktop.ui.office.views.base import RecordView, ViewContext, register


@register("form")
class FormView(RecordView):
    """The pane of a record, always with a new one."""

    def __init__(self, context: ViewContext, view: View, parent: QWidget | None = None) -> None:
        super().__init__(context, view, parent)
        self.detail = RecordDetail(context, self)
        self.detail.closed.connect(self._begin)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.detail)
        self._begin()

    def _begin(self) -> None:
        self.detail.new(self.view.type, {})

    def set_text(self, text: str) -> None:
        """Nothing to search in."""

    def set_filter(self, condition: dict[str, Any] | None) -> None:
        """Nothing to narrow."""

    def reload(self) -> None:
        """What is being written stays."""

    def show_record(self, record_id: str) -> None:
        """A record that stands beside it is another."""

    def watched_types(self) -> frozenset[str]:
        return frozenset()
