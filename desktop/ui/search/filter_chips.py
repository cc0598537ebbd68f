"""What narrows the search, as chips behind the words; a press takes one off."""

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop.models.search_filters import Filters
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Button, conversation_name, on_click
from desktop.ui.layouts import empty_layout


class FilterChips(QWidget):
    """`taken_off` carries the filters that are left."""

    taken_off = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._filters = Filters()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(6)
        self.hide()

    def show_filters(self, filters: Filters) -> None:
        """The filters as they are now."""
        self._filters = filters
        texts = _texts(filters)
        empty_layout(self._row)
        self.setVisible(bool(texts))
        for name, text in texts:
            chip = Button(text, kind="secondary", small=True, icon="x")
            chip.setObjectName(f"search.chip.{name}")
            chip.setAccessibleName(tr("search.chip_off", name=text))
            on_click(chip, partial(self._take_off, name))
            self._row.addWidget(chip)

    def take_off_last(self) -> None:
        """Backspace in the empty box."""
        texts = _texts(self._filters)
        if texts:
            self._take_off(texts[-1][0])

    def _take_off(self, name: str) -> None:
        held = self._filters
        left = Filters(
            None if name == "person" else held.person,
            None if name == "conversation" else held.conversation,
            None if name == "facet" else held.facet,
            *(("any", None, None) if name == "span" else (held.span, held.since, held.until)),
        )
        self.taken_off.emit(left)


def _texts(filters: Filters) -> list[tuple[str, str]]:
    found = []
    if filters.person is not None:
        found.append(("person", tr("search.chip.person", name=filters.person.name)))
    if filters.conversation is not None:
        found.append(("conversation", tr("search.chip.conversation", name=conversation_name(filters.conversation))))
    if filters.facet is not None:
        found.append(("facet", tr(f"search.facet.{filters.facet.value}")))
    if filters.span not in ("any", ""):
        found.append(("span", tr(f"search.span.{filters.span}")))
    elif filters.since is not None or filters.until is not None:
        ends = [when.date(one) if one is not None else "" for one in (filters.since, filters.until)]
        found.append(("span", tr("search.chip.dates", since=ends[0], until=ends[1])))
    return found
