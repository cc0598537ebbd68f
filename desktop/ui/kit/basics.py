"""Small controls: labels, chips, buttons, fields, avatars, badges, cards. Each has a name for screen readers and takes the keyboard."""

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop.core.domain import Presence
from desktop.ui import i18n, theme
from desktop.ui.kit import group_faces
from desktop.ui.kit.buttons import IconButton
from desktop.ui.kit.painting import badge_text, badge_width, paint_avatar, paint_badge, paint_presence
from desktop.ui.kit.spoken import speak_as
from desktop.ui.theme import icons


def restyle(widget: QWidget) -> None:
    """Makes the stylesheet look again after a dynamic property changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


class Label(QLabel):
    """Plain text in one of the roles and tones; never read as HTML. `key` binds it to a translated text."""

    def __init__(
        self,
        text: str = "",
        *,
        key: str = "",
        role: str = "base",
        tone: str = "ink",
        strong: bool = False,
        wrap: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setProperty("tone", tone)
        self.setProperty("strong", "true" if strong else "false")
        self.setWordWrap(wrap)
        if key:
            i18n.bind(self.setText, key)

    def set_tone(self, tone: str) -> None:
        """Another color."""
        if self.property("tone") != tone:
            self.setProperty("tone", tone)
            restyle(self)


class ElidedLabel(Label):
    """One line that shortens itself with an ellipsis; the whole text is its tooltip while shortened. `whole`: it does not yet give way."""

    def __init__(
        self,
        text: str = "",
        *,
        key: str = "",
        role: str = "base",
        tone: str = "ink",
        strong: bool = False,
        whole: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, key=key, role=role, tone=tone, strong=strong, parent=parent)
        self._whole = whole

    def set_whole(self, whole: bool) -> None:
        """Whether it keeps the room for all its text."""
        if self._whole != whole:
            self._whole = whole
            self.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        least = super().minimumSizeHint()
        return least if self._whole else QSize(theme.scaled(24), least.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.setFont(self.font())
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.contentsRect().width())
        self.setToolTip(self.text() if text != self.text() else "")
        painter.drawText(self.contentsRect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), text)


class Chip(QLabel):
    """A small pill with a state's name: tone is red, amber, green, accent or neutral."""

    def __init__(self, text: str = "", tone: str = "neutral", *, key: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("chip", tone)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
        self._words, self._room = text, 0
        if key:
            i18n.bind(self.setText, key)

    def text(self) -> str:
        """All its words, also those there is no room for."""
        return self._words

    def setText(self, text: str) -> None:
        """Other words."""
        self._words = text
        self._show_words()

    def set_room(self, pixels: int) -> None:
        """Shortens the words to that width, the whole in the tooltip; 0: as wide as it likes."""
        if self._room != pixels:
            self._room = pixels
            self._show_words()

    def _show_words(self) -> None:
        shown = self._words
        if self._room:
            shown = self.fontMetrics().elidedText(shown, Qt.TextElideMode.ElideRight, self._room)
        super().setText(shown)
        self.setToolTip(self._words if shown != self._words else "")
        self.setAccessibleName(self._words if shown != self._words else "")

    def set_tone(self, tone: str) -> None:
        """Another color."""
        self.setProperty("chip", tone)
        restyle(self)


StatusTag = Chip


class CheckBox(QCheckBox):
    """A check box whose mark is painted from the tokens."""

    def __init__(self, text: str = "", *, key: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        if key:
            i18n.bind(self.setText, key)

    def sizeHint(self) -> QSize:
        side = theme.scaled(16)
        width = side + theme.scaled(7) + self.fontMetrics().horizontalAdvance(self.text()) + 4
        return QSize(width, max(side, self.fontMetrics().height()) + 6)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, pos: object) -> bool:  # noqa: N802  # Qt's name
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = theme.scaled(16)
        box = QRectF(1.5, (self.height() - side) / 2 + 0.5, side - 1, side - 1)
        on = self.checkState() is not Qt.CheckState.Unchecked
        edge = colors.accent if on or self.hasFocus() else colors.line_strong
        painter.setPen(QPen(edge if self.isEnabled() else colors.line, 2 if self.hasFocus() else 1))
        painter.setBrush(colors.accent if on and self.isEnabled() else colors.surface)
        painter.drawRoundedRect(box, 3, 3)
        if on:
            icons.paint(
                painter,
                box.adjusted(2, 2, -2, -2),
                "check-bold",
                colors.on_accent if self.isEnabled() else colors.faint,
            )
        if self.hasFocus():
            painter.setPen(QPen(colors.accent, 1, Qt.PenStyle.DotLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.setPen(colors.ink if self.isEnabled() else colors.faint)
        painter.setFont(self.font())
        text = QRectF(box.right() + theme.scaled(7), 0, self.width(), self.height())
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())


class ComboBox(QComboBox):
    """A choice list with our arrow."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        side = theme.scaled(14)
        place = QRectF(self.width() - side - theme.scaled(10), (self.height() - side) / 2, side, side)
        icons.paint(painter, place, "caret-down", theme.tokens().ink3)


class TextField(QLineEdit):
    """One line of text with a placeholder; `key` binds the placeholder and the name."""

    def __init__(self, *, key: str = "", large: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("large", "true" if large else "false")
        if key:
            i18n.bind(self.setPlaceholderText, key)
            i18n.bind(self.setAccessibleName, key)

    def set_invalid(self, invalid: bool) -> None:
        """A red edge, with the reason shown elsewhere."""
        self.setProperty("invalid", "true" if invalid else "false")
        restyle(self)


class SearchBox(QLineEdit):
    """A search field: an icon before, a clear button after, Escape clears. `searched` comes a moment after the last key."""

    searched = Signal(str)

    def __init__(self, key: str = "common.search", *, shortcut: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shortcut = shortcut
        self.setProperty("look", "search")
        i18n.bind(self.setPlaceholderText, key)
        i18n.bind(self.setAccessibleName, key)
        self.textChanged.connect(self._on_text)
        self._fit()
        theme.changed.connect(self._fit)

    def _fit(self) -> None:
        self.setTextMargins(theme.scaled(20), 0, theme.scaled(20), 0)
        self.update()

    def _on_text(self, text: str) -> None:
        self.searched.emit(text.strip())
        self.update()

    def _has_room(self) -> bool:
        """For the placeholder and the keys beside it."""
        words = self.fontMetrics().horizontalAdvance(self.placeholderText() + self._shortcut)
        return words + theme.scaled(20) + 36 <= self.width()

    def _clear_place(self) -> QRectF:
        side = theme.scaled(16)
        return QRectF(self.width() - side - 8, (self.height() - side) / 2, side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        colors = theme.tokens()
        painter = QPainter(self)
        side = theme.scaled(14)
        icons.paint(painter, QRectF(9, (self.height() - side) / 2, side, side), "magnifying-glass", colors.ink3)
        if self.text():
            icons.paint(painter, self._clear_place(), "x-circle-fill", colors.faint)
        elif self._shortcut and not self.hasFocus() and self._has_room():
            painter.setPen(colors.ink3)
            painter.setFont(theme.font("secondary"))
            place = self.rect().adjusted(0, 0, -10, 0)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._shortcut)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.text() and self._clear_place().adjusted(-4, -4, 4, 4).contains(event.position()):
            self.clear()
            return
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            return
        super().keyPressEvent(event)


class PasswordField(TextField):
    """A password with an eye to show it."""

    def __init__(self, *, key: str, large: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(key=key, large=large, parent=parent)
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.eye = IconButton("eye", "common.show_password", tone="ink3", size=16, box=26, checkable=True, parent=self)
        self.eye.toggled.connect(self._on_eye)
        theme.changed.connect(self._place)

    def _on_eye(self, shown: bool) -> None:
        self.setEchoMode(QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password)
        self.eye.set_icon("eye-slash" if shown else "eye", "common.hide_password" if shown else "common.show_password")

    def _place(self) -> None:
        self.setTextMargins(0, 0, self.eye.width(), 0)
        self.eye.move(self.width() - self.eye.width() - 6, (self.height() - self.eye.height()) // 2)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]  # Qt hands a QResizeEvent
        self._place()


class Avatar(QWidget):
    """A person's or a group's picture. `set_subject` changes whom it shows."""

    clicked = Signal()

    def __init__(
        self, side: int = theme.values.AVATAR, *, surface: str = "surface", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._side, self._surface = side, surface
        self._name, self._key, self._icon = "", "", ""
        self._presence: Presence | None = None
        self._clickable = False
        self._fit()
        theme.changed.connect(self._fit)
        group_faces.changed.connect(self._on_face)

    def _on_face(self, key: str) -> None:
        if key == self._key:
            self.update()

    def set_subject(self, name: str, key: str, *, presence: Presence | None = None, icon: str = "") -> None:
        """Whom to show: the name gives the initial, the key the hue."""
        self._name, self._key, self._presence, self._icon = name, key, presence, icon
        state = f", {i18n.tr(f'presence.{presence.value}')}" if presence else ""
        self.setAccessibleName(name + state)
        self.update()

    def set_presence(self, presence: Presence | None) -> None:
        """Another dot."""
        self.set_subject(self._name, self._key, presence=presence, icon=self._icon)

    def set_clickable(self, clickable: bool) -> None:
        """Lets it be pressed, by mouse and by keyboard."""
        self._clickable = clickable
        speak_as(self, QAccessible.Role.Button if clickable else QAccessible.Role.Graphic)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if clickable else Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor if clickable else Qt.CursorShape.ArrowCursor)

    def _fit(self) -> None:
        side = theme.scaled(self._side) + 4
        self.setFixedSize(side, side)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        place = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        ring = theme.tokens().named(self._surface)
        paint_avatar(painter, place, self._name, self._key, icon=self._icon)
        if self._presence is not None:
            paint_presence(painter, place, self._presence, ring)
        if self.hasFocus():
            painter.setPen(QPen(theme.tokens().accent, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QRectF(self.rect()).adjusted(1, 1, -1, -1))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._clickable and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._clickable and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
            return
        super().keyPressEvent(event)


class Badge(QWidget):
    """A count in a red pill; hidden at zero."""

    def __init__(self, *, quiet: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._count, self._quiet = 0, quiet
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.set_count(0)
        theme.changed.connect(self._fit)

    @property
    def count(self) -> int:
        """What it shows."""
        return self._count

    def set_count(self, count: int) -> None:
        """Another count."""
        self._count = count
        self.setVisible(count > 0)
        self.setAccessibleName(badge_text(count))
        self._fit()

    def _fit(self) -> None:
        self.setFixedSize(round(badge_width(self._count)) + 1, theme.scaled(16) + 1)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_badge(painter, self.width() - 0.5, self.height() / 2, self._count, quiet=self._quiet)


class Card(QFrame):
    """A white box with a thin edge; `body` is its layout."""

    def __init__(self, *, padding: int = 16, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(padding, padding, padding, padding)
        self.body.setSpacing(8)


class Divider(QFrame):
    """A thin line, level or upright."""

    def __init__(self, *, vertical: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "rule-v" if vertical else "rule")


class IconLabel(QWidget):
    """An icon that only shows something; decorative unless it is given a name."""

    def __init__(
        self, icon: str, *, tone: str | QColor = "ink3", size: int = 16, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._icon, self._tone, self._side = icon, tone, size
        self._fit()
        theme.changed.connect(self._fit)

    def set_icon(self, icon: str, tone: str | QColor) -> None:
        """Another icon."""
        self._icon, self._tone = icon, tone
        self.update()

    def _fit(self) -> None:
        self.setFixedSize(theme.scaled(self._side), theme.scaled(self._side))

    def paintEvent(self, event: QPaintEvent) -> None:
        tint = theme.tokens().named(self._tone) if isinstance(self._tone, str) else self._tone
        icons.paint(QPainter(self), QRectF(self.rect()), self._icon, tint)


class Scroll(QScrollArea):
    """A scrolling column: `inner` takes the widgets; sideways it scrolls only where they cannot be narrower."""

    def __init__(self, *, surface: str = "bg", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        speak_as(self, QAccessible.Role.Pane)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.content = QWidget()
        self.content.setProperty("surface", surface)
        self.inner = QVBoxLayout(self.content)
        self.inner.setContentsMargins(20, 20, 20, 20)
        self.setWidget(self.content)
        self.verticalScrollBar().setSingleStep(24)
        i18n.bind(self.setAccessibleName, "common.scroll_area")


def row(
    *parts: QWidget | int | None, spacing: int = 8, margins: tuple[int, int, int, int] = (0, 0, 0, 0)
) -> QHBoxLayout:
    """A row of widgets; None stretches, a number is a space."""
    layout = QHBoxLayout()
    layout.setContentsMargins(*margins)
    layout.setSpacing(spacing)
    for part in parts:
        if part is None:
            layout.addStretch(1)
        elif isinstance(part, int):
            layout.addSpacing(part)
        else:
            layout.addWidget(part)
    return layout
