"""The window of a merged message: what was said, by whom, when; pictures, files and merged messages inside open from here."""

from collections.abc import Awaitable, Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.core.domain import Attachment, Merged, MergedItem, MessageKind
from desktop.ui import theme
from desktop.ui.chat import sticker_set
from desktop.ui.chat.pictures import Thumbnails, shown_size
from desktop.ui.chat.small_cards import item_words
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Avatar, Button, ElidedLabel, Label, PaneHeader, Scroll, on_click
from desktop.ui.shell.navigator import FileOpener
from desktop.ui.tasks import TaskOwner, alive

FACE = 32


class MergedWindow(QWidget):
    """One window for one merged message; the ones inside open windows of their own. `load` reads one by its places, from the outside in."""

    def __init__(
        self,
        merged: Merged,
        files: FileOpener,
        thumbnails: Thumbnails,
        load: Callable[[Sequence[int]], Awaitable[Merged]],
        path: tuple[int, ...] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("surface", "bg")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._path, self._files, self._thumbnails, self._load = path, files, thumbnails, load
        self.tasks = TaskOwner(self)
        self.setWindowTitle(merged.title or tr("chat_talk.merged"))
        header = PaneHeader()
        header.title.setText(merged.title or tr("chat_talk.merged"))
        header.detail.setText(tr("chat_talk.merged.count", n=len(merged.items)))
        self.talk = Scroll()
        self.talk.setAccessibleName(merged.title or tr("chat_talk.merged"))
        self.talk.inner.setSpacing(14)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(header)
        column.addWidget(self.talk, 1)
        for number, item in enumerate(merged.items):
            self.talk.inner.addWidget(self._line(number, item))
        self.talk.inner.addStretch(1)
        self.resize(theme.scaled(460), theme.scaled(560))

    def _line(self, number: int, item: MergedItem) -> QWidget:
        line = QWidget()
        layout = QHBoxLayout(line)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        face = Avatar(FACE)
        face.set_subject(item.name, item.sender_id or item.name)
        layout.addWidget(face, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(3)
        head = QHBoxLayout()
        name = ElidedLabel(item.name, role="secondary", tone="ink3")
        head.addWidget(name, 1)
        head.addWidget(Label(when.separator(item.sent_at, when.now()), role="secondary", tone="ink3"))
        column.addLayout(head)
        column.addWidget(self._content(number, item), 0, Qt.AlignmentFlag.AlignLeft)
        layout.addLayout(column, 1)
        return line

    def _content(self, number: int, item: MergedItem) -> QWidget:
        if item.attachment is not None and item.kind in (MessageKind.PICTURE, MessageKind.STICKER):
            return self._picture(item)
        if item.sticker is not None and sticker_set.knows(item.sticker):
            face = QLabel()
            face.setPixmap(sticker_set.pixmap(item.sticker, theme.scaled(sticker_set.SIDE), self.devicePixelRatioF()))
            face.setAccessibleName(item_words(item))
            return face
        if item.attachment is not None:
            attachment = item.attachment
            button = Button(f"{attachment.name}  {when.size(attachment.size)}", icon="file")
            on_click(button, lambda: self._files.open_file(attachment))
            return button
        if item.merged is not None:
            inner = item.merged
            button = Button(f"{inner.title}  {tr('chat_talk.merged.count', n=inner.count)}", icon="chat-centered-text")
            on_click(button, lambda: self.tasks.start(self._open(number), name="merged", exclusive=True))
            return button
        return self._words(item.text or item_words(item))

    @staticmethod
    def _words(text: str) -> QWidget:
        bubble = QFrame()
        bubble.setProperty("surface", "card")
        body = Label(text, wrap=True)
        body.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        layout = QVBoxLayout(bubble)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.addWidget(body)
        return bubble

    def _picture(self, item: MergedItem) -> QWidget:
        attachment = item.attachment
        assert attachment is not None
        button = _PictureButton(attachment, self._thumbnails)
        on_click(button, lambda: self._files.view_picture(attachment))
        return button

    async def _open(self, number: int) -> None:
        path = (*self._path, number)
        merged = await self._load(path)
        if alive(self):
            MergedWindow(merged, self._files, self._thumbnails, self._load, path, self).show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)


class _PictureButton(QAbstractButton):
    """A picture that opens large when it is pressed."""

    def __init__(self, attachment: Attachment, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._attachment, self._thumbnails = attachment, thumbnails
        self.setFixedSize(shown_size(attachment))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(f"{tr('chat.kind.picture')} {attachment.name}")
        thumbnails.arrived.connect(self._on_arrived)

    def _on_arrived(self, blob_id: str) -> None:
        if blob_id == self._attachment.blob_id:
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        pixmap = self._thumbnails.get(self._attachment.blob_id, self.size())
        if pixmap is not None:
            painter.drawPixmap(0, 0, pixmap)
        else:
            painter.fillRect(self.rect(), theme.tokens().field)
        if self.hasFocus():
            painter.setPen(theme.tokens().accent)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
