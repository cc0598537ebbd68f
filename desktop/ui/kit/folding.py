"""Bars that fold: what stands in one line gets smaller, piece by piece, while the line is too narrow for it, and comes back with the room."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QWidget

from desktop.ui import i18n, theme

Step = Callable[[bool], object]
"""Makes one piece smaller (True) or whole again (False); may be asked the same twice."""
NARROWEST = 60


class Folding(QObject):
    """Takes the steps in their order until the line fits into the bar. The bar must let itself be narrower than the line (see HeaderBar)."""

    def __init__(self, bar: QWidget, line: QLayout, *steps: Step) -> None:
        super().__init__(bar)
        self._bar, self._line, self.steps = bar, line, list(steps)
        self.taken = 0
        self._needed = self._room = -1
        bar.installEventFilter(self)
        theme.changed.connect(self.fit)
        i18n.changed.connect(self.fit)

    def fit(self) -> None:
        """Takes as many steps as it needs from the beginning."""
        self._room = self._bar.contentsRect().width()
        for taken in range(len(self.steps) + 1):
            for number, step in enumerate(self.steps):
                step(number < taken)
            self.taken = taken
            self._needed = self._measure()
            if self._needed <= self._room:
                return

    def _measure(self) -> int:
        self._line.invalidate()
        around = self._bar.layout()
        margins = around.contentsMargins() if around is not None and around is not self._line else None
        return self._line.minimumSize().width() + (margins.left() + margins.right() if margins is not None else 0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            if self._bar.contentsRect().width() != self._room:
                self.fit()
        elif event.type() == QEvent.Type.LayoutRequest and self._measure() != self._needed:  # not by our own steps
            self.fit()
        return False


class HeaderBar(QFrame):
    """The bar over a page, one line high; `line` takes the parts. As narrow as its page, whatever stands in it: `fold` says how."""

    def __init__(
        self, parent: QWidget | None = None, *, margins: tuple[int, int] = (12, 18), spacing: int = 10
    ) -> None:
        super().__init__(parent)
        self.setProperty("surface", "header")
        self.line = QHBoxLayout(self)
        self.line.setContentsMargins(margins[0], 0, margins[1], 0)
        self.line.setSpacing(spacing)
        self._fit_height()
        theme.changed.connect(self._fit_height)

    def fold(self, *steps: Step) -> None:
        """How it gets smaller, the least important first."""
        self.folding = Folding(self, self.line, *steps)

    def _fit_height(self) -> None:
        self.setFixedHeight(theme.scaled(theme.values.HEADER_HEIGHT))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.scaled(NARROWEST), super().minimumSizeHint().height())
