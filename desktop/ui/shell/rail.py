"""The navigation rail: the user's face with presence on top, one button a page, search and settings at the foot."""

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFocusEvent, QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QFrame, QMenu, QVBoxLayout, QWidget

from desktop.core.domain import Person, Presence
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Avatar, Menu, badge_text, paint_badge, presence_color
from desktop.ui.theme import icons

CHOICES = (Presence.ONLINE, Presence.AWAY, Presence.BUSY, Presence.DND)


class RailButton(QAbstractButton):
    """An icon over a word; lit while its page is shown, with a count at its corner."""

    approached = Signal(str)  # key: the mouse or the keyboard came onto it

    def __init__(self, key: str, icon: str, label_key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key, self._icon = key, icon
        self._count = 0
        self.setObjectName(f"rail.{key}")
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        i18n.bind(self.setText, label_key)
        i18n.changed.connect(self._describe)
        theme.changed.connect(self._fit)
        self._fit()
        self._describe()

    @property
    def count(self) -> int:
        """What the badge shows."""
        return self._count

    def set_count(self, count: int) -> None:
        """Another count; zero hides the badge."""
        self._count = count
        self._describe()
        self.update()

    def _describe(self) -> None:
        room = self.sizeHint().width()
        shortened = QFontMetrics(self._font()).horizontalAdvance(self.text()) > room
        self.setToolTip(self.text() if shortened else "")
        self.setAccessibleName(tr("shell.rail_unread", name=self.text(), n=self._count) if self._count else self.text())

    def _font(self) -> QFont:
        return theme.font("small" if i18n.language() == "zh" else "tiny")

    def _fit(self) -> None:
        self.setFixedSize(self.sizeHint())
        self._describe()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.scaled(52), theme.scaled(46))

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(2, 1, -2, -1)
        lit = self.isChecked()
        if lit or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colors.rail_active)
            painter.setOpacity(1.0 if lit else 0.5)
            painter.drawRoundedRect(box, 8, 8)
            painter.setOpacity(1.0)
        if self.hasFocus():
            painter.setPen(QPen(colors.accent, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 8, 8)
        ink = colors.rail_ink_active if lit else colors.rail_ink
        side = theme.scaled(20)
        name = f"{self._icon}-fill" if lit and icons.exists(f"{self._icon}-fill") else self._icon
        icons.paint(painter, QRectF((self.width() - side) / 2, theme.scaled(5), side, side), name, ink)
        painter.setFont(self._font())
        painter.setPen(ink)
        place = QRectF(0, theme.scaled(26), self.width(), theme.scaled(16))
        text = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
        if self._count:
            paint_badge(painter, self.width() - 1, theme.scaled(9), self._count)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.approached.emit(self.key)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.approached.emit(self.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
            return
        super().keyPressEvent(event)


class Rail(QFrame):
    """The column of buttons. `wanted` names the page, `approached` one that may be wanted next, `presence_chosen` what the user picked."""

    wanted = Signal(str)
    approached = Signal(str)
    presence_chosen = Signal(object)
    status_text_asked = Signal()
    absence_asked = Signal()
    sign_out_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "rail")
        self._buttons: dict[str, RailButton] = {}
        self._me: Person | None = None
        self.avatar = Avatar(38, surface="rail")
        self.avatar.set_clickable(True)
        self.avatar.setObjectName("rail.me")
        self.avatar.clicked.connect(self._show_menu)
        self._pages = QVBoxLayout()
        self._pages.setSpacing(6)
        self._foot = QVBoxLayout()
        self._foot.setSpacing(6)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 0, 14)
        column.setSpacing(0)
        column.addWidget(self.avatar, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(14)
        column.addLayout(self._pages)
        column.addStretch(1)
        column.addLayout(self._foot)
        theme.changed.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        self.setFixedWidth(theme.scaled(theme.values.RAIL_WIDTH))

    def set_me(self, me: Person, presence: Presence) -> None:
        """Who is signed in, and how colleagues see that person."""
        self._me = me
        self.avatar.set_subject(me.name, me.id, presence=presence)
        self.avatar.setToolTip(f"{me.name} ・ {tr(f'presence.{presence.value}')}")

    def add(self, key: str, icon: str, label_key: str, *, foot: bool) -> RailButton:
        """Adds a button."""
        button = RailButton(key, icon, label_key)
        button.approached.connect(self.approached)
        button.clicked.connect(lambda _checked=False: self.wanted.emit(key))
        self._buttons[key] = button
        (self._foot if foot else self._pages).addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        return button

    def set_current(self, key: str) -> None:
        """Lights the button of the page that is shown; a page without a button lights none."""
        for name, button in self._buttons.items():
            button.setChecked(name == key)

    def set_badge(self, key: str, count: int) -> None:
        """A count on a button; unknown keys have none."""
        if key in self._buttons:
            self._buttons[key].set_count(count)

    def badge(self, key: str) -> str:
        """What a button's badge says, empty without one."""
        count = self._buttons[key].count if key in self._buttons else 0
        return badge_text(count) if count else ""

    def menu(self) -> QMenu:
        """Status and sign-out."""
        menu = Menu(self, leaves=True)
        for presence in CHOICES:
            action = menu.addAction(
                icons.icon("circle-fill", presence_color(presence), 14), tr(f"presence.{presence.value}")
            )
            action.triggered.connect(lambda _checked=False, chosen=presence: self.presence_chosen.emit(chosen))
        menu.addSeparator()
        for key, icon, signal in (
            ("presence_text.menu", "chat-centered-text", self.status_text_asked),
            ("presence_text.absence.menu", "airplane-takeoff", self.absence_asked),
        ):
            action = menu.addAction(icons.icon(icon, "ink2", 16), tr(key))
            action.triggered.connect(lambda _checked=False, signal=signal: signal.emit())
        menu.addSeparator()
        leave = menu.addAction(icons.icon("sign-out", "ink2", 16), tr("shell.sign_out"))
        leave.triggered.connect(lambda _checked=False: self.sign_out_asked.emit())
        return menu

    def _show_menu(self) -> None:
        self.menu().popup(self.avatar.mapToGlobal(self.avatar.rect().topRight()))
