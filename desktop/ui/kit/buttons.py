"""Buttons: with words, or an icon alone. One that has no room for its words shows its icon, or fewer of them, and still says them all."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon, QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QPushButton, QToolButton, QWidget

from desktop.ui import i18n, theme
from desktop.ui.theme import icons


class Button(QPushButton):
    """A push button: kind is primary, secondary, ghost, danger, link or tab."""

    def __init__(
        self,
        text: str = "",
        *,
        key: str = "",
        kind: str = "secondary",
        icon: str = "",
        folded_icon: str = "",
        small: bool = False,
        large: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self._words, self._compact, self._room = text, False, 0
        self._lent = ""  # the words where its tooltip and name are ours, because it shows fewer
        self._icon_name, self._folded_icon = icon, folded_icon
        self.setProperty("kind", kind)
        self.setProperty("small", "true" if small else "false")
        self.setProperty("large", "true" if large else "false")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)
        if key:
            i18n.bind(self.setText, key)
        if icon or folded_icon:
            self._tint()
            theme.changed.connect(self._tint)

    # ---- words and room
    def text(self) -> str:
        """All its words, also those there is no room for."""
        return self._words

    def setText(self, text: str) -> None:
        """Other words."""
        self._words = text
        self._show_words()

    def set_compact(self, compact: bool) -> None:
        """The icon alone (`folded_icon` where it has none beside its words); the words are its tooltip and its name. Without any nothing changes."""
        if (self._icon_name or self._folded_icon) and self._compact != compact:
            self._compact = compact
            self._tint()
            self._show_words()

    def set_room(self, pixels: int) -> None:
        """Shortens the words until the button is that wide; 0: as wide as it likes."""
        if self._room != pixels:
            self._room = pixels
            self._show_words()

    def whole_width(self) -> int:
        """How wide it is with all its words."""
        shown = super().text()
        width = self.sizeHint().width()
        return width + (self._advance(self._words) - self._advance(shown) if shown != self._words else 0)

    def _advance(self, words: str) -> int:
        self.ensurePolished()
        return self.fontMetrics().size(Qt.TextFlag.TextShowMnemonic, words).width()

    def _show_words(self) -> None:
        shown = "" if self._compact else self._words
        if self._room and shown and (over := self.whole_width() - self._room) > 0:
            room = max(0, self._advance(shown) - over)
            shown = self.fontMetrics().elidedText(shown, Qt.TextElideMode.ElideRight, room)
        super().setText(shown)
        lent = self._words if shown != self._words else ""
        if self.toolTip() == self._lent:
            self.setToolTip(lent)
        if self.accessibleName() == self._lent:
            self.setAccessibleName(lent)
        self._lent = lent

    def _tint(self) -> None:
        tone = {"primary": "on_accent", "danger": "red_text", "link": "link"}.get(str(self.property("kind")), "ink2")
        name = self._icon_name or (self._folded_icon if self._compact else "")
        self.setIcon(icons.icon(name, tone, 16) if name else QIcon())
        self.setIconSize(icons.icon_size(16))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.isAutoRepeat():
            self.click()
            return
        super().keyPressEvent(event)


class IconButton(QToolButton):
    """A button that is an icon alone; its name is its tooltip and what a screen reader says."""

    def __init__(
        self,
        icon: str,
        key: str,
        *,
        tone: str = "ink2",
        active: str | None = None,
        size: int = 20,
        box: int = 32,
        checkable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._icon_name, self._tone, self._active, self._icon_side, self._box = icon, tone, active, size, box
        self.setCheckable(checkable)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        i18n.bind(self.setToolTip, key)
        i18n.bind(self.setAccessibleName, key)
        self._tint()
        theme.changed.connect(self._tint)

    def set_icon(self, icon: str, key: str = "", *, tone: str = "") -> None:
        """Another icon, with another name where `key` is given."""
        self._icon_name = icon
        self._tone = tone or self._tone
        if key:
            i18n.bind(self.setToolTip, key)
            i18n.bind(self.setAccessibleName, key)
        self._tint()

    def _tint(self) -> None:
        self.setIcon(icons.icon(self._icon_name, self._tone, self._icon_side, active=self._active))
        self.setIconSize(icons.icon_size(self._icon_side))
        self.setFixedSize(theme.scaled(self._box), theme.scaled(self._box))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.isAutoRepeat():
            self.click()
            return
        super().keyPressEvent(event)


def on_click(button: QAbstractButton, action: Callable[[], object]) -> None:
    """Connects a press to an action that takes no arguments."""
    button.clicked.connect(lambda _checked=False: action())
