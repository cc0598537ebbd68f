"""The field a message is written in: plain text that grows with its lines; pictures and files that are pasted or dropped come out as items."""

from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData, Qt, QUrl, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QImage,
    QImageWriter,
    QInputMethodEvent,
    QKeyEvent,
    QResizeEvent,
    QTextOption,
)
from PySide6.QtWidgets import QTextEdit, QWidget

from desktop.ui import i18n, theme
from desktop.ui.chat.outgoing import Item, item_of
from desktop.ui.i18n import tr, when
from desktop.ui.theme.values_chat import COMPOSER_MAX, COMPOSER_MIN


class KeyTaker(Protocol):
    """Who gets the keys first."""

    enter_sends: bool

    def take_key(self, event: QKeyEvent) -> bool: ...
    def take_tab(self) -> bool: ...


class MessageEdit(QTextEdit):
    """Plain text that grows with its lines. Keys with a meaning go to the composer first."""

    send_pressed = Signal()
    items_given = Signal(object)
    refused = Signal()
    resized = Signal()

    def __init__(self, composer: KeyTaker, parent: QWidget) -> None:
        super().__init__(parent)
        self._composer = composer
        self.composing = False
        self.setAcceptRichText(False)
        self.setProperty("look", "bare")
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.document().setDocumentMargin(0)
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self.fit())
        i18n.bind(self.setAccessibleName, "chat.compose.name")

    def fit(self) -> None:
        """Takes the height of the text, within its bounds."""
        wanted = round(self.document().size().height()) + 4
        height = min(max(wanted, theme.scaled(COMPOSER_MIN)), theme.scaled(COMPOSER_MAX))
        if self.height() != height or self.minimumHeight() != height:
            self.setFixedHeight(height)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        self.composing = bool(event.preeditString())
        super().inputMethodEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and self.composing:
            event.accept()
            return
        if self._composer.take_key(event):
            return
        if enter:
            control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            if not shift and control != self._composer.enter_sends:
                self.send_pressed.emit()
            else:
                self.insertPlainText("\n")
                self.ensureCursorVisible()
            return
        super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        return self._composer.take_tab() or super().focusNextPrevChild(forward)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasUrls() or source.hasImage() or source.hasText()

    def insertFromMimeData(self, source: QMimeData) -> None:
        if source.hasUrls() and any(url.isLocalFile() for url in source.urls()):
            self._take_urls(source.urls())
        elif source.hasImage() and not source.text().strip():
            self._take_image(source)
        else:
            self.insertPlainText(source.text())

    def _take_urls(self, urls: list[QUrl]) -> None:
        found = [item_of(Path(url.toLocalFile())) for url in urls if url.isLocalFile()]
        items = tuple(item for item in found if item is not None)
        if items:
            self.items_given.emit(items)
        if len(items) < len(urls):
            self.refused.emit()

    def _take_image(self, source: QMimeData) -> None:
        image = QImage(source.imageData())
        if image.isNull():
            return
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        QImageWriter(buffer, QByteArray(b"PNG")).write(image)
        data = bytes(buffer.data().data())
        name = tr("chat.compose.pasted", time=when.clock(when.now()).replace(":", "."))
        self.items_given.emit((Item(name, data, True, len(data)),))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.canInsertFromMimeData(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if event.mimeData().hasUrls():
            self._take_urls(event.mimeData().urls())
            event.acceptProposedAction()
            return
        super().dropEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()
