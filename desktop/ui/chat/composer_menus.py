"""The menus of the composer: what else can be sent, and how the next message is."""

from typing import Protocol

from PySide6.QtWidgets import QMenu, QWidget

from desktop.ui.chat.outgoing import SendOptions
from desktop.ui.i18n import tr
from desktop.ui.kit import Menu
from desktop.ui.theme import icons


class ComposerHands(Protocol):
    """What the entries do."""

    options: SendOptions

    @property
    def widget(self) -> QWidget: ...
    @property
    def is_direct(self) -> bool: ...
    def toggle_option(self, name: str) -> None: ...
    def want_extra(self, name: str) -> None: ...
    def want_later(self) -> None: ...
    def want_capture(self, hide_windows: bool) -> None: ...


def extra_menu(composer: ComposerHands) -> QMenu:
    """What else can be sent: a folder, a poll, a chain, code, a contact card, a favorite, a shake."""
    menu = Menu(composer.widget, leaves=True)
    entries = [
        ("folder", "folder-simple"),
        ("poll", "chart-bar-horizontal"),
        ("chain", "list-numbers"),
        ("code", "code"),
        ("card", "identification-card"),
        ("favorites", "star"),
    ]
    if composer.is_direct:
        entries.append(("shake", "vibrate"))
    for name, icon in entries:
        action = menu.addAction(icons.icon(icon, "ink2", 16), tr(f"chat_talk.extra.{name}"))
        action.triggered.connect(lambda _checked=False, name=name: composer.want_extra(name))
    return menu


def capture_menu(composer: ComposerHands) -> QMenu:
    """A screenshot, with this program's windows or without."""
    menu = Menu(composer.widget, leaves=True)
    for key, hide in (("capture.take", False), ("capture.take_hidden", True)):
        action = menu.addAction(icons.icon("eye-slash" if hide else "scissors", "ink2", 16), tr(key))
        action.triggered.connect(lambda _checked=False, hide=hide: composer.want_capture(hide))
    return menu


def options_menu(composer: ComposerHands) -> QMenu:
    """How the next message is sent."""
    menu = Menu(composer.widget, leaves=True)
    for name in ("must_confirm", "silent", "markdown"):
        action = menu.addAction(tr(f"chat_talk.option.{name}"))
        action.setCheckable(True)
        action.setChecked(bool(getattr(composer.options, name)))
        action.triggered.connect(lambda _checked=False, name=name: composer.toggle_option(name))
    menu.addSeparator()
    later = menu.addAction(icons.icon("clock", "ink2", 16), tr("chat_talk.compose.later"))
    later.triggered.connect(lambda _checked=False: composer.want_later())
    return menu
