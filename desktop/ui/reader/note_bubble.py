"""A note beside its place on the page: written, or read and taken away by who wrote it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from desktop.ui import i18n, theme
from desktop.ui.kit import Button, Label, on_click

WIDTH, HEIGHT = 260, 96
MAX_TEXT = 2_000


class NoteBubble(QFrame):
    """One bubble over the pages, for one note at a time. What was typed stays until it is sent or given up."""

    written = Signal(str)
    erased = Signal()
    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("readerNote")
        self.setProperty("surface", "card")
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(8)
        self._who = Label(role="secondary", tone="ink3")
        self._text = Label(wrap=True, tone="ink")
        self.box = QPlainTextEdit()
        self.box.setObjectName("readerNoteBox")
        self.box.setTabChangesFocus(True)
        i18n.bind(self.box.setPlaceholderText, "reader.mark.note_hint")
        i18n.bind(self.box.setAccessibleName, "reader.mark.note")
        self._send = Button(key="reader.mark.save", kind="primary", small=True)
        self._send.setObjectName("readerNoteSave")
        self._erase = Button(key="reader.mark.erase", kind="danger", small=True)
        self._erase.setObjectName("readerNoteErase")
        self._close = Button(key="reader.mark.close", small=True)
        line = QHBoxLayout()
        line.addStretch(1)
        for button in (self._erase, self._close, self._send):
            line.addWidget(button)
        for part in (self._who, self._text, self.box):
            column.addWidget(part)
        column.addLayout(line)
        on_click(self._send, self._on_send)
        on_click(self._erase, self.erased.emit)
        on_click(self._close, self.leave)
        self.hide()

    def write(self, spot: QPoint) -> None:
        """Asks for a text at a spot of the parent."""
        self._who.hide()
        self._text.hide()
        self._erase.hide()
        self.box.show()
        self._send.show()
        self._open(spot)
        self.box.setFocus()

    def read(self, spot: QPoint, who: str, text: str, *, mine: bool) -> None:
        """Shows a note at a spot of the parent."""
        self._who.setText(who)
        self._text.setText(text)
        self._who.setVisible(bool(who))
        self._text.show()
        self.box.hide()
        self._send.hide()
        self._erase.setVisible(mine)
        self._open(spot)
        self._close.setFocus()

    def leave(self) -> None:
        """Closes it; what was typed is kept for the next note."""
        self.hide()
        self.left.emit()

    def _open(self, spot: QPoint) -> None:
        self.setFixedWidth(theme.scaled(WIDTH))
        self.box.setFixedHeight(theme.scaled(HEIGHT))
        self.adjustSize()
        host = self.parentWidget()
        room = host.rect() if host is not None else self.rect()
        x = max(4, min(spot.x(), room.width() - self.width() - 4))
        y = max(4, min(spot.y(), room.height() - self.height() - 4))
        self.move(x, y)
        self.show()
        self.raise_()

    def _on_send(self) -> None:
        text = self.box.toPlainText().strip()[:MAX_TEXT]
        if text:
            self.box.clear()
            self.written.emit(text)
            self.leave()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        elif (
            event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            and event.modifiers() & Qt.KeyboardModifier.ControlModifier
        ):
            self._on_send()
        else:
            super().keyPressEvent(event)
