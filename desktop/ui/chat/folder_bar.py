"""Which folder of conversations the list shows: one button with a menu of all, each with how many wait in it. There while there are folders."""

from collections.abc import Iterable
from functools import partial

from PySide6.QtCore import QPoint, QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QWidget

from desktop.core.domain import Conversation
from desktop.models.conversations import unread_of
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Folding, Menu, on_click


class FolderBar(QFrame):
    """`chosen` carries a folder's name, empty for all conversations."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folders: dict[str, int] = {}
        self.current = ""
        self.button = Button(kind="ghost", icon="folder-simple", small=True)
        self.button.setObjectName("chat.folders")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.button)
        line.addStretch(1)
        Folding(self, line, lambda cut: self.button.set_room(self.width() if cut else 0))
        on_click(self.button, lambda: self.menu().popup(self.button.mapToGlobal(QPoint(0, self.button.height()))))
        i18n.changed.connect(self._show)
        self.hide()

    def show_folders(self, names: Iterable[str], conversations: Iterable[Conversation]) -> None:
        """What folders there are, and what waits in each."""
        self._folders = dict.fromkeys(names, 0)
        for one in conversations:
            if one.folder in self._folders and not one.muted:
                self._folders[one.folder] += unread_of(one)
        if self.current and self.current not in self._folders:
            self.choose("")
        self._show()
        self.setVisible(bool(self._folders))

    def choose(self, folder: str) -> None:
        """The user wants one folder, or all."""
        self.current = folder
        self._show()
        self.chosen.emit(folder)

    def _show(self) -> None:
        self.button.setText(self.current or tr("chat_talk.folder.all"))
        self.button.setAccessibleName(tr("chat_talk.folder.shown", name=self.button.text()))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.scaled(24), super().minimumSizeHint().height())

    def menu(self) -> QMenu:
        """All folders."""
        menu = Menu(self, leaves=True)
        for name in ("", *self._folders):
            waiting = self._folders.get(name, 0)
            words = name or tr("chat_talk.folder.all")
            action = menu.addAction(f"{words}  {waiting}" if waiting else words)
            action.setCheckable(True)
            action.setChecked(name == self.current)
            action.triggered.connect(partial(self._on_chosen, name))
        return menu

    def _on_chosen(self, name: str, _checked: bool = False) -> None:
        self.choose(name)
