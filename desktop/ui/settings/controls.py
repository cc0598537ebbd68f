"""The parts of a settings card: a switch, and a row of title, hint and control."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Card, ComboBox, Divider, Folding, Label

OFF_DUTY = 0.5  # opacity of a switch that somebody else has set


class Switch(QAbstractButton):
    """On or off; Space and Enter toggle it. A check mark stands in the knob when on: color alone says nothing."""

    def __init__(self, key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setObjectName(key)
        i18n.bind(self.setAccessibleName, key)
        theme.changed.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        self.setFixedSize(self.sizeHint())

    def sizeHint(self) -> QSize:
        return QSize(theme.scaled(38), theme.scaled(22))

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(1.0 if self.isEnabled() else OFF_DUTY)
        height = theme.scaled(18)
        width = theme.scaled(34)
        track = QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.accent if self.isChecked() else palette.offline)
        painter.drawRoundedRect(track, height / 2, height / 2)
        side = height - 4
        left = track.right() - side - 2 if self.isChecked() else track.left() + 2
        knob = QRectF(left, track.top() + 2, side, side)
        painter.setBrush(palette.rail_ink_active)
        painter.drawEllipse(knob)
        if self.isChecked():
            painter.setPen(QPen(palette.accent, max(1.2, side / 9), Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            center = knob.center()
            painter.drawPolyline(
                [
                    center + QPointF(-1, 0.1) * (0.22 * side),
                    center + QPointF(-0.25, 0.85) * (0.22 * side),
                    center + QPointF(1, -0.8) * (0.22 * side),
                ]
            )
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(palette.link, 1.5))
            painter.drawRoundedRect(track.adjusted(-2, -2, 2, 2), height / 2 + 2, height / 2 + 2)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


class SettingRow(QWidget):
    """Title and hint at the left, a control at the right; below each other where there is no room. `words` is what the search looks through."""

    def __init__(self, key: str, control: QWidget | None, *, hint: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key = key
        self._hint_key = f"{key}.hint" if hint else ""
        self._title, self._control = Label(key=key), control
        self.hint = Label(key=self._hint_key, role="secondary", tone="ink3")
        layout = self._layout = QHBoxLayout(self)
        layout.setContentsMargins(18, 10, 18, 10)
        layout.setSpacing(8)
        layout.addWidget(self._title)
        layout.addWidget(self.hint, 1)
        if control is not None:
            layout.addWidget(control)
            self._title.setBuddy(control)
        layout.addStrut(theme.scaled(20))
        Folding(self, layout, self._stand)

    def _stand(self, narrow: bool) -> None:
        """Below each other (`narrow`), with lines that break, or in one line."""
        down, across = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        self._layout.setDirection(down if narrow else across)
        self._title.setWordWrap(narrow)
        self.hint.setWordWrap(narrow)
        self.hint.setVisible(not narrow or bool(self.hint.text()))
        if self._control is not None:
            self._layout.setAlignment(self._control, Qt.AlignmentFlag.AlignLeft if narrow else Qt.AlignmentFlag(0))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.scaled(60), super().minimumSizeHint().height())

    @property
    def words(self) -> str:
        """Both texts, for the search."""
        return " ".join([tr(self.key), self.hint.text()])

    def set_hint(self, text: str) -> None:
        """A hint that is no fixed text: a figure, a time."""
        self.hint.setText(text)


class SettingGroup(QWidget):
    """A heading and a card of rows."""

    def __init__(self, key: str, rows: Sequence[QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key = key
        self.rows = list(rows)
        self._card = Card(padding=0)
        self._card.body.setSpacing(0)
        self._lines: list[QWidget] = []
        for number, part in enumerate(rows):
            if number:
                line = QWidget()
                inset = QHBoxLayout(line)
                inset.setContentsMargins(18, 0, 18, 0)
                inset.addWidget(Divider())
                self._card.body.addWidget(line)
                self._lines.append(line)
            self._card.body.addWidget(part)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 16)
        layout.setSpacing(8)
        layout.addWidget(Label(key=key, strong=True))
        layout.addWidget(self._card)

    def filter(self, wanted: str) -> bool:
        """Shows the rows that contain a text; hides itself when none does. True when something is shown."""
        title_hit = wanted.lower() in tr(self.key).lower()
        any_shown = False
        for part in self.rows:
            words = str(getattr(part, "words", ""))
            hit = not wanted or title_hit or wanted.lower() in words.lower()
            part.setVisible(hit)
            any_shown = any_shown or hit
        for line, part in zip(self._lines, self.rows[1:], strict=True):
            line.setVisible(not part.isHidden())
        self.setVisible(any_shown)
        return any_shown


class Choice(ComboBox):
    """A list of named values."""

    def __init__(self, key: str, values: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(key)
        self._values = list(values)
        i18n.bind(self.setAccessibleName, key)
        for value, text_key in self._values:
            self.addItem(tr(text_key), value)
        self.setMinimumWidth(theme.scaled(150))
        i18n.changed.connect(self._retranslate)

    def _retranslate(self) -> None:
        for number, (_value, text_key) in enumerate(self._values):
            self.setItemText(number, tr(text_key))

    def choose(self, value: str) -> None:
        """Selects a value; an unknown one selects nothing."""
        self.setCurrentIndex(self.findData(value))

    def on_chosen(self, then: Callable[[str], object]) -> None:
        """Calls `then` with the value a user picks."""
        self.activated.connect(lambda number: then(str(self.itemData(number))))
