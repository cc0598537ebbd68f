"""Where a message is written: text, emoji, @names, pictures and files. Says what is to be sent; the chat pane sends it.

Enter never sends while an input method composes. What is pasted or dropped waits in a strip until the user sends it.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData, QPoint, QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QFontMetrics,
    QImage,
    QImageWriter,
    QInputMethodEvent,
    QKeyEvent,
    QResizeEvent,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QSizePolicy, QTextEdit, QVBoxLayout, QWidget

from desktop.core.domain import Conversation, ConversationKind
from desktop.models.people import People
from desktop.ui import i18n, theme
from desktop.ui.chat import text as words
from desktop.ui.chat.mentions import Candidate, MentionPopup
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Button, ElidedLabel, IconButton, IconLabel, Label, file_suffix, on_click
from desktop.ui.shell.ui_state import UiState
from desktop.ui.theme.values_chat import COMPOSER_MAX, COMPOSER_MIN

if TYPE_CHECKING:
    from desktop.ui.chat.emoji import EmojiPicker

MAX_TEXT = 10_000
DRAFT_MS = 800
TYPING_MS = 3000
PICTURES = frozenset({"png", "jpg", "jpeg", "gif", "webp", "bmp"})
_MENTION = re.compile(r"(?:^|[^0-9A-Za-z_.])@([^\s@]{0,12})$")


@dataclass(frozen=True, slots=True)
class Item:
    """A picture or file waiting in the strip: bytes for what was pasted, a path for the rest."""

    name: str
    source: Path | bytes
    is_picture: bool
    size: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What the user wants sent, in this order: the items, then the text."""

    text: str
    mentions: tuple[str, ...]
    reply_to: str | None
    items: tuple[Item, ...]


def item_of(path: Path) -> Item | None:
    """A file to send; None for folders and what can't be read."""
    try:
        if not path.is_file():
            return None
        size = path.stat().st_size
    except OSError:
        return None
    return Item(path.name, path, file_suffix(path.name) in PICTURES, size)


class _Edit(QTextEdit):
    """Plain text that grows with its lines. Keys with a meaning go to the composer first."""

    send_pressed = Signal()
    items_given = Signal(object)
    refused = Signal()
    resized = Signal()

    def __init__(self, composer: "Composer") -> None:
        super().__init__(composer)
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


class _Strip(QFrame):
    """What waits to be sent with the next press of Send: each with its name, size and a way out."""

    changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.items: list[Item] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 4)
        self._layout.setSpacing(4)
        self.hide()

    def add(self, items: tuple[Item, ...]) -> None:
        """Puts more into it."""
        self.items.extend(items)
        self._show()

    def clear(self) -> None:
        """Empties it."""
        self.items = []
        self._show()

    def _remove(self, item: Item) -> None:
        self.items.remove(item)
        self._show()

    def _show(self) -> None:
        while (old := self._layout.takeAt(0)) is not None:
            widget = old.widget()
            if widget is not None:
                widget.deleteLater()
        for item in self.items:
            self._layout.addWidget(self._line(item))
        self.setVisible(bool(self.items))
        self.changed.emit()

    def _line(self, item: Item) -> QWidget:
        line = QFrame()
        line.setProperty("surface", "card")
        layout = QHBoxLayout(line)
        layout.setContentsMargins(8, 3, 4, 3)
        layout.setSpacing(8)
        layout.addWidget(IconLabel("image" if item.is_picture else "file", size=16))
        layout.addWidget(ElidedLabel(item.name), 1)
        layout.addWidget(Label(when.size(item.size), role="secondary", tone="ink3"))
        remove = IconButton("x", "chat.compose.strip_remove", size=14, box=22)
        on_click(remove, lambda: self._remove(item))
        layout.addWidget(remove)
        return line


class Composer(QFrame):
    """The lower part of the chat pane. Signals say what the user wants; `restore` gives back what could not be sent."""

    submitted = Signal(object)
    draft_changed = Signal(str, str)  # conversation id, text
    typed = Signal(str)
    complained = Signal(str)
    reply_cancelled = Signal()

    def __init__(self, people: People, state: UiState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "footer")
        self._people = people
        self.enter_sends = True
        self._conversation: Conversation | None = None
        self._member_ids: list[str] = []
        self._mentioned: dict[str, str] = {}
        self._reply: tuple[str, str] | None = None
        self._saved_draft = ""
        self._loading = False
        self._last_typed = 0
        self.edit = _Edit(self)
        self.strip = _Strip(self)
        self._state = state
        self._picker: EmojiPicker | None = None
        self.popup = MentionPopup(people, parent or self)
        self._draft_timer = QTimer(self)
        self._draft_timer.setSingleShot(True)
        self._draft_timer.setInterval(DRAFT_MS)
        self._build()
        self._bind()

    def _build(self) -> None:
        self.emoji_button = IconButton("smiley", "chat.compose.emoji")
        self.picture_button = IconButton("image", "chat.compose.picture")
        self.file_button = IconButton("paperclip", "chat.compose.file")
        self.mention_button = IconButton("at", "chat.compose.mention")
        tools = QHBoxLayout()
        tools.setSpacing(6)
        tools.setContentsMargins(0, 0, 0, 0)
        for button in (self.emoji_button, self.picture_button, self.file_button, self.mention_button):
            tools.addWidget(button)
        tools.addStretch(1)
        self.reply_line = QFrame()
        self.reply_text = ElidedLabel(role="secondary", tone="ink2")
        self.reply_close = IconButton("x", "chat.cancel_reply", size=14, box=22)
        reply = QHBoxLayout(self.reply_line)
        reply.setContentsMargins(0, 0, 0, 0)
        reply.addWidget(IconLabel("arrow-bend-up-left", size=14))
        reply.addWidget(self.reply_text, 1)
        reply.addWidget(self.reply_close)
        self.reply_line.hide()
        self.count = Label(role="secondary", tone="red_text")
        self.hint = Label(role="secondary", tone="ink3")
        self.send_button = Button(key="chat.compose.send", kind="primary")
        foot = QHBoxLayout()
        foot.setSpacing(10)
        foot.addWidget(self.count)
        foot.addStretch(1)
        foot.addWidget(self.hint)
        foot.addWidget(self.send_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 6, 18, 12)
        layout.setSpacing(2)
        layout.addLayout(tools)
        inset = QVBoxLayout()
        inset.setContentsMargins(4, 0, 0, 0)
        inset.setSpacing(2)
        inset.addWidget(self.reply_line)
        inset.addWidget(self.strip)
        inset.addWidget(self.edit)
        layout.addLayout(inset)
        layout.addLayout(foot)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.set_enter_sends(True)

    def _bind(self) -> None:
        on_click(self.emoji_button, lambda: self.picker.open_above(self.emoji_button))
        on_click(self.picture_button, lambda: self._pick(pictures=True))
        on_click(self.file_button, lambda: self._pick(pictures=False))
        on_click(self.mention_button, self._on_mention_button)
        on_click(self.send_button, self.submit)
        on_click(self.reply_close, self._cancel_reply)
        self.popup.chosen.connect(self._on_mention)
        self.edit.send_pressed.connect(self.submit)
        self.edit.items_given.connect(self.strip.add)
        self.edit.refused.connect(lambda: self.complained.emit(tr("chat.compose.bad_drop")))
        self.edit.textChanged.connect(self._on_text)
        self.edit.cursorPositionChanged.connect(self._offer_mentions)
        self.strip.changed.connect(self._show_state)
        self._draft_timer.timeout.connect(self.flush_draft)
        theme.changed.connect(self._fit)
        i18n.changed.connect(self._show_state)

    # ---- what the pane asks
    def set_enter_sends(self, sends: bool) -> None:
        """Whether Enter sends and Ctrl+Enter makes a line, or the other way round."""
        self.enter_sends = sends
        i18n.bind(self.hint.setText, "chat.compose.hint_enter" if sends else "chat.compose.hint_ctrl")

    def show_conversation(self, conversation: Conversation, draft: str) -> None:
        """Turns to another conversation; the old one's draft is handed out first."""
        self.flush_draft()
        self._conversation = conversation
        self._member_ids = []
        self._mentioned = {}
        self._reply = None
        self.reply_line.hide()
        self.strip.clear()
        self.popup.hide()
        self._saved_draft = draft
        self._loading = True
        self.edit.setPlainText(draft)
        self.edit.moveCursor(QTextCursor.MoveOperation.End)
        self._loading = False
        self.mention_button.setVisible(conversation.kind is ConversationKind.GROUP)
        self._show_state()

    def set_members(self, member_ids: list[str]) -> None:
        """Who can be mentioned."""
        self._member_ids = member_ids

    def set_reply(self, message_id: str, text: str) -> None:
        """The next message answers that one."""
        self._reply = (message_id, text)
        self.reply_text.setText(text)
        self.reply_line.show()
        self.edit.setFocus()

    def restore(self, outgoing: Outgoing) -> None:
        """Gives back what could not be handed over, before what was typed since."""
        if outgoing.items:
            self.strip.items[:0] = outgoing.items
            self.strip.add(())
        if outgoing.text:
            since = self.edit.toPlainText()
            self.edit.setPlainText(outgoing.text if not since else f"{outgoing.text}\n{since}")
            self.edit.moveCursor(QTextCursor.MoveOperation.End)

    def flush_draft(self) -> None:
        """Hands out the draft when it changed."""
        self._draft_timer.stop()
        text = self.edit.toPlainText()
        if self._conversation is not None and text != self._saved_draft:
            self._saved_draft = text
            self.draft_changed.emit(self._conversation.id, text)

    @property
    def picker(self) -> "EmojiPicker":
        """The emoji picker, made when it is first wanted."""
        if self._picker is None:
            from desktop.ui.chat.emoji import EmojiPicker

            self._picker = EmojiPicker(self._state, self)
            self._picker.picked.connect(self._on_emoji)
        return self._picker

    @property
    def text(self) -> str:
        """What is written now."""
        return self.edit.toPlainText()

    def submit(self) -> None:
        """Sends what is there; a text over the limit stays and is complained about."""
        text = self.edit.toPlainText().strip()
        if len(text) > MAX_TEXT:
            self.complained.emit(tr("chat.compose.too_long", n=len(text)))
            return
        if not text and not self.strip.items:
            return
        mentions = tuple(dict.fromkeys(who for name, who in self._mentioned.items() if f"@{name}" in text))
        outgoing = Outgoing(text, mentions, self._reply[0] if self._reply else None, tuple(self.strip.items))
        self._loading = True
        self.edit.clear()
        self._loading = False
        self.strip.clear()
        self._mentioned = {}
        self._reply = None
        self.reply_line.hide()
        self._show_state()
        self.flush_draft()
        self.submitted.emit(outgoing)
        self.edit.setFocus()

    # ---- keys and text
    def take_key(self, event: QKeyEvent) -> bool:
        """Handles keys that belong to the open list of names, and Escape; True when it took the key."""
        key = event.key()
        if self.popup.isVisible():
            if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self.popup.move_by(1 if key == Qt.Key.Key_Down else -1)
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.popup.accept()
                return True
            if key == Qt.Key.Key_Escape:
                self.popup.hide()
                return True
        if key == Qt.Key.Key_Escape and self._reply is not None:
            self._cancel_reply()
            return True
        return False

    def take_tab(self) -> bool:
        """Tab takes the name that is chosen in the open list; True when it did."""
        if not self.popup.isVisible():
            return False
        self.popup.accept()
        return True

    def _on_text(self) -> None:
        self._show_state()
        if self._loading or self._conversation is None:
            return
        self._draft_timer.start()
        now = when.now()
        if self.edit.toPlainText() and abs(now - self._last_typed) >= TYPING_MS:
            self._last_typed = now
            self.typed.emit(self._conversation.id)

    def _show_state(self) -> None:
        length = len(self.edit.toPlainText().strip())
        self.send_button.setEnabled(bool(length or self.strip.items))
        self.count.setText(f"{length:,} / {MAX_TEXT:,}" if length > MAX_TEXT * 0.9 else "")
        self.count.set_tone("red_text" if length > MAX_TEXT else "ink3")
        self.hint.setVisible(
            self.width() > QFontMetrics(self.hint.font()).horizontalAdvance(self.hint.text()) + theme.scaled(200)
        )

    def _cancel_reply(self) -> None:
        self._reply = None
        self.reply_line.hide()
        self.reply_cancelled.emit()

    def _on_emoji(self, emoji: str) -> None:
        self.edit.insertPlainText(emoji)
        self.edit.setFocus()

    # ---- mentions
    def _typed_mention(self) -> str | None:
        cursor = self.edit.textCursor()
        before = words.cut(cursor.block().text(), 0, cursor.positionInBlock())
        match = _MENTION.search(before)
        return match.group(1) if match else None

    def _offer_mentions(self) -> None:
        group = self._conversation is not None and self._conversation.kind is ConversationKind.GROUP
        needle = self._typed_mention() if group and not self._loading and not self.edit.composing else None
        if needle is None:
            self.popup.hide()
            return
        host = self.popup.parentWidget()
        caret = self.edit.viewport().mapTo(host, self.edit.cursorRect().topLeft()) if host else QPoint()
        self.popup.offer(self._member_ids, needle, caret)

    def _on_mention_button(self) -> None:
        self.edit.setFocus()
        self.edit.insertPlainText("@")

    def _on_mention(self, candidate: Candidate) -> None:
        cursor = self.edit.textCursor()
        needle = self._typed_mention() or ""
        self._mentioned[candidate.name] = candidate.id
        cursor.setPosition(cursor.position() - words.units(needle), QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(f"{candidate.name} ")
        self.popup.hide()
        self.edit.setFocus()

    # ---- files
    def _pick(self, *, pictures: bool) -> None:
        dialog = QFileDialog(self, tr("chat.compose.pick_picture" if pictures else "chat.compose.pick_file"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        if pictures:
            patterns = " ".join(f"*.{suffix}" for suffix in sorted(PICTURES))
            dialog.setNameFilter(f"{tr('chat.compose.pictures')} ({patterns})")
        dialog.filesSelected.connect(self._on_files)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _on_files(self, paths: list[str]) -> None:
        found = [item_of(Path(path)) for path in paths]
        self.strip.add(tuple(item for item in found if item is not None))
        self.edit.setFocus()

    def _fit(self) -> None:
        self.edit.fit()
        self._show_state()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_state()

    def sizeHint(self) -> QSize:
        return QSize(theme.scaled(320), super().sizeHint().height())
