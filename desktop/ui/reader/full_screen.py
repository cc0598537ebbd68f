"""A document alone on the whole screen: page by page with the keyboard, back with Esc."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.ui import i18n
from desktop.ui.reader.page_source import PageSource
from desktop.ui.reader.pages_view import PagesView
from desktop.ui.reader.zoom import Fit

_NEXT = (Qt.Key.Key_Right, Qt.Key.Key_PageDown, Qt.Key.Key_Space, Qt.Key.Key_Down)
_BACK = (Qt.Key.Key_Left, Qt.Key.Key_PageUp, Qt.Key.Key_Backspace, Qt.Key.Key_Up)


class FullScreen(QWidget):
    """The window; it is kept and used again."""

    left = Signal(int)  # the page one was at

    def __init__(self) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self.setObjectName("readerFullScreen")
        self.setProperty("surface", "rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        i18n.bind(self.setWindowTitle, "reader.full_screen")
        self.pages = PagesView()
        self.pages.installEventFilter(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pages)

    def show_source(self, source: PageSource, like: PagesView, near: QWidget) -> None:
        """Shows a source of its own, from the page, arrangement and rights of another view, on that window's screen."""
        self.pages.may_copy, self.pages.watermark = like.may_copy, like.watermark
        self.setScreen(near.screen())
        self.move(near.screen().geometry().topLeft())
        self.showFullScreen()
        self.pages.show_source(source)
        self.pages.take_place({**like.place(), "fit": Fit.PAGE.value, "top": 0.0})
        self.pages.setFocus()
        self.activateWindow()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys turn pages here, where the view alone would scroll."""
        if event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._on_key(Qt.Key(event.key()))
        return super().eventFilter(watched, event)

    def _on_key(self, key: Qt.Key) -> bool:
        step = self.pages.columns
        if key in (Qt.Key.Key_Escape, Qt.Key.Key_F11):
            self.close()
        elif key in _NEXT:
            self.pages.go_to(self.pages.page + step)
        elif key in _BACK:
            self.pages.go_to(self.pages.page - step)
        else:
            return False
        return True

    def closeEvent(self, event: QCloseEvent) -> None:
        page = self.pages.page
        self.pages.clear()
        super().closeEvent(event)
        self.left.emit(page)
