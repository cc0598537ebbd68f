"""The sheet of all keys (F1): one card for each part of the program, the one that is being used first."""

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShowEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Card, Dialog, Label, Scroll
from desktop.ui.shell.keys import TABLE

WIDTH: Final = 560
HEIGHT: Final = 520
PLACES: Final = {"messages": "messages", "documents": "flows", "workbench": "office"}
"""Pages of the main window and the part of the table that is theirs; every other one is the office's."""


def shown(keys: tuple[str, ...]) -> str:
    """Ways to do one thing as the system writes them."""
    return tr("keys.or").join(
        QKeySequence.fromString(one).toString(QKeySequence.SequenceFormat.NativeText) for one in keys
    )


class KeysSheet(Dialog):
    """Opened and forgotten: it belongs to its window and is closed with Escape."""

    def __init__(self, parent: QWidget | None, page: str = "") -> None:
        super().__init__(parent, "keys.title", width=WIDTH)
        self.setObjectName("keysSheet")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, True)
        self._scroll = Scroll(surface="bg")
        self._scroll.setObjectName("keysSheetList")
        self._scroll.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # the arrow keys move it
        self._scroll.setAccessibleName(tr("keys.title"))
        self._scroll.setMinimumHeight(theme.scaled(HEIGHT))
        self._scroll.inner.setSpacing(10)
        first = PLACES.get(page, "")
        for place in sorted(TABLE, key=lambda place: place != first):
            self._scroll.inner.addWidget(Label(tr(f"keys.{place}"), strong=True))
            self._scroll.inner.addWidget(self._card(place))
        self._scroll.inner.addStretch(1)
        self.body.addWidget(self._scroll)
        self.close_button = self.add_button("common.close", accept=True)

    def _card(self, place: str) -> Card:
        card = Card(padding=14)
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(0, 1)
        for number, row in enumerate(TABLE[place]):
            what = Label(tr(f"keys.{place}.{row.name}"), wrap=True)
            what.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
            grid.addWidget(what, number, 0)
            keys = Label(
                "–".join([shown(row.keys[:1]), shown(row.keys[1:])]) if row.name == "page" else shown(row.keys)
            )
            keys.set_tone("ink2")
            grid.addWidget(keys, number, 1, Qt.AlignmentFlag.AlignRight)
        card.body.addLayout(grid)
        return card

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._scroll.setFocus(Qt.FocusReason.OtherFocusReason)
