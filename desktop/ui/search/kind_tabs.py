"""The tabs of the search: everything, then each kind that has hits with how many. Tab and Shift+Tab in the box change them."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QWidget

from desktop.models.search import ALL
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, on_click, restyle


class KindTabs(QScrollArea):
    """A row that scrolls where large text does not fit; the chosen tab is always in sight. `chosen` carries a kind or ALL."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._buttons: dict[str, Button] = {}
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        strip = QWidget()
        strip.setProperty("surface", "surface")
        self._row = QHBoxLayout(strip)
        self._row.setContentsMargins(16, 8, 16, 4)
        self._row.setSpacing(6)
        self._row.addStretch(1)
        self.setWidget(strip)

    def show_totals(self, totals: Mapping[str, tuple[int, bool]], current: str) -> None:
        """Hits by kind in their order, and whether there are more than were counted; without any there are no tabs."""
        whole = (sum(n for n, _ in totals.values()), any(more for _, more in totals.values()))
        counts = {ALL: whole, **totals}
        for place, (tab, (total, more)) in enumerate(counts.items()):
            button = self._buttons.get(tab) or self._add(tab)
            self._row.removeWidget(button)
            self._row.insertWidget(place, button)
            name = tr("search.all") if tab == ALL else tr(f"search.kind.{tab}")
            button.setText(f"{name} {total}{'+' if more else ''}")
            kind = "primary" if tab == current else "secondary"
            if button.property("kind") != kind:
                button.setProperty("kind", kind)
                restyle(button)
        for tab, button in self._buttons.items():
            button.setVisible(tab in counts and bool(totals))
        self.setVisible(bool(totals))
        if totals:
            self.ensureWidgetVisible(self._buttons[current])

    def _add(self, tab: str) -> Button:
        button = Button(kind="secondary", small=True, parent=self)
        button.setObjectName(f"search.tab.{tab}")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Tab changes them from the box
        button.setProperty("keysElsewhere", "Tab")
        on_click(button, lambda: self.chosen.emit(tab))
        self._buttons[tab] = button
        return button
