"""Where a message is written: text, emoji, @names, pictures and files. Says what is to be sent; the chat pane sends it.

Enter never sends while an input method composes. What is pasted or dropped waits in a strip until the user sends it.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFontMetrics,
    QKeyEvent,
    QResizeEvent,
    QTextCursor,
)
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QMenu, QSizePolicy, QVBoxLayout, QWidget

from desktop.core.domain import Conversation, ConversationKind
from desktop.models.people import People
from desktop.ui import i18n, theme
from desktop.ui.chat import text as words
from desktop.ui.chat.composer_menus import capture_menu, extra_menu, options_menu
from desktop.ui.chat.item_strip import ItemStrip
from desktop.ui.chat.mentions import Candidate, MentionPopup
from desktop.ui.chat.message_edit import MessageEdit
from desktop.ui.chat.outgoing import PICTURES, Outgoing, SendOptions, item_of
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Button, ElidedLabel, IconButton, IconLabel, Label, on_click
from desktop.ui.shell.ui_state import UiState

if TYPE_CHECKING:
    from desktop.ui.chat.emoji import EmojiPicker
    from desktop.ui.chat.sticker_panel import StickerPanel

MAX_TEXT = 10_000
DRAFT_MS = 800
TYPING_MS = 3000
CLOSE_FROM = 1.5
"""With text this large the tools stand close together."""
_MENTION = re.compile(r"(?:^|[^0-9A-Za-z_.])@([^\s@]{0,12})$")


class Composer(QFrame):
    """The lower part of the chat pane. Signals say what the user wants; `restore` gives back what could not be sent."""

    submitted = Signal(object)
    edited = Signal(str, str, object)  # message id, its new text, who is mentioned
    edit_last_wanted = Signal()  # Up in an empty field
    extra_wanted = Signal(str)  # poll, chain, code, card, shake, favorites
    later_wanted = Signal()
    sticker_wanted = Signal(str)  # the sticker's id
    built_in_wanted = Signal(str)  # the name of a built-in one
    capture_wanted = Signal(bool)  # a screenshot; whether this program's windows are put away for it
    voice_wanted = Signal()
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
        self._editing: tuple[str, str] | None = None  # the message, and what was written before it
        self.options = SendOptions()
        self._saved_draft = ""
        self._loading = False
        self._last_typed = 0
        self.edit = MessageEdit(self, self)
        self.strip = ItemStrip(self)
        self._state = state
        self._picker: EmojiPicker | None = None
        self.make_stickers: Callable[[], StickerPanel] | None = None  # set where there are stickers to send
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
        self.capture_button = IconButton("scissors", "capture.take")
        self.voice_button = IconButton("microphone", "voice.record")
        self.mention_button = IconButton("at", "chat.compose.mention")
        self.later_button = IconButton("clock", "chat_talk.compose.later")
        self.extra_button = IconButton("plus-circle", "chat_talk.compose.extra")
        tools = QHBoxLayout()
        self._tools = tools
        tools.setContentsMargins(0, 0, 0, 0)
        for button in (
            self.emoji_button,
            self.picture_button,
            self.file_button,
            self.capture_button,
            self.voice_button,
            self.mention_button,
            self.later_button,
            self.extra_button,
        ):
            tools.addWidget(button)
        tools.addStretch(1)
        self.reply_line = QFrame()
        self.reply_text = ElidedLabel(role="secondary", tone="ink2")
        self.reply_close = IconButton("x", "chat.cancel_reply", size=14, box=22)
        reply = QHBoxLayout(self.reply_line)
        reply.setContentsMargins(0, 0, 0, 0)
        self._reply_icon = IconLabel("arrow-bend-up-left", size=14)
        reply.addWidget(self._reply_icon)
        reply.addWidget(self.reply_text, 1)
        reply.addWidget(self.reply_close)
        self.reply_line.hide()
        self.count = Label(role="secondary", tone="red_text")
        self.hint = Label(role="secondary", tone="ink3")
        self.options_label = Label(role="secondary", tone="amber")
        self.send_button = Button(key="chat.compose.send", kind="primary")
        self.options_button = IconButton("caret-down", "chat_talk.compose.options", size=14, box=24)
        foot = QHBoxLayout()
        foot.setSpacing(10)
        foot.addWidget(self.count)
        foot.addWidget(self.options_label)
        foot.addStretch(1)
        foot.addWidget(self.hint)
        foot.addWidget(self.send_button)
        foot.addWidget(self.options_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 6, 18, 12)
        layout.setSpacing(2)
        layout.addLayout(tools)
        inset = self._inset = QVBoxLayout()
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
        on_click(self.capture_button, lambda: self._drop(capture_menu(self), self.capture_button))
        on_click(self.voice_button, self.voice_wanted.emit)
        on_click(self.mention_button, self._on_mention_button)
        on_click(self.send_button, self.submit)
        on_click(self.reply_close, self._close_line)
        on_click(self.later_button, self.later_wanted.emit)
        on_click(self.extra_button, lambda: self._drop(extra_menu(self), self.extra_button))
        on_click(self.options_button, lambda: self._drop(options_menu(self), self.options_button))
        self.popup.chosen.connect(self._on_mention)
        self.edit.send_pressed.connect(self.submit)
        self.edit.items_given.connect(self.strip.add)
        self.edit.refused.connect(lambda: self.complained.emit(tr("chat.compose.bad_drop")))
        self.edit.textChanged.connect(self._on_text)
        self.edit.cursorPositionChanged.connect(self._offer_mentions)
        self.strip.changed.connect(self._show_state)
        self._draft_timer.timeout.connect(self.flush_draft)
        theme.changed.connect(self._fit)
        self._tools.setSpacing(0 if theme.text_scale() > CLOSE_FROM else 6)
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
        self._reply = self._editing = None
        self.reply_line.hide()
        self.strip.clear()
        self.popup.hide()
        self.set_options(SendOptions())
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

    def set_reply(self, message_id: str, text: str, *, focus: bool = True) -> None:
        """The next message answers that one."""
        self.leave_edit()
        self._reply = (message_id, text)
        self._show_line("arrow-bend-up-left", text, "chat.cancel_reply")
        if focus:
            self.edit.setFocus()
            self.flush_draft()

    @property
    def reply_to(self) -> str | None:
        """The message that the next one answers."""
        return self._reply[0] if self._reply is not None else None

    def take_draft(self, text: str) -> None:
        """Another device wrote on: what is here was not touched since it was saved."""
        if self._editing is None and self.edit.toPlainText() == self._saved_draft and text != self._saved_draft:
            self._saved_draft = text
            self._put(text)

    def _show_line(self, icon: str, text: str, close_key: str) -> None:
        self._reply_icon.set_icon(icon, "ink3")
        self.reply_text.setText(text)
        self.reply_close.set_icon("x", close_key)
        self.reply_line.show()

    def _put(self, text: str) -> None:
        """Another text, which is nobody's typing."""
        self._loading = True
        self.edit.setPlainText(text)
        self.edit.moveCursor(QTextCursor.MoveOperation.End)
        self._loading = False
        self._show_state()

    # ---- changing a message that was sent
    @property
    def editing(self) -> str:
        """The message that is being changed, empty when a new one is written."""
        return self._editing[0] if self._editing is not None else ""

    def start_edit(self, message_id: str, text: str, mentioned: dict[str, str]) -> None:
        """The text of a sent message comes into the field; what was there waits until that is over. `mentioned`: name to id."""
        self.leave_edit()
        self.flush_draft()
        self._editing = (message_id, self.edit.toPlainText())
        self._reply = None
        self._mentioned = dict(mentioned)
        self._show_line("pencil-simple", tr("chat_talk.editing"), "chat_talk.edit_cancel")
        self._put(text)
        self.edit.setFocus()

    def leave_edit(self) -> None:
        """Back to the message that was being written."""
        if self._editing is None:
            return
        _, before = self._editing
        self._editing = None
        self._mentioned = {}
        self.reply_line.hide()
        self._put(before)

    def write_again(self, text: str) -> None:
        """A text that was taken back, to be sent anew; what is written already stays below."""
        since = self.edit.toPlainText()
        self.edit.setPlainText(text if not since else f"{text}\n{since}")
        self.edit.moveCursor(QTextCursor.MoveOperation.End)
        self.edit.setFocus()

    # ---- how it is sent
    def set_options(self, options: SendOptions) -> None:
        """How the next message is sent; said beside the button while it is out of the ordinary."""
        self.options = options
        names = [name for name in ("must_confirm", "silent", "markdown") if getattr(options, name)]
        said = [tr(f"chat_talk.option.{name}") for name in names]
        self.options_label.setText(" ・ ".join(said))
        self.options_label.setVisible(bool(said))

    def toggle_option(self, name: str) -> None:
        """Turns one of the options on or off."""
        self.set_options(replace(self.options, **{name: not getattr(self.options, name)}))

    @property
    def is_direct(self) -> bool:
        """Whether a single colleague reads it."""
        return self._conversation is not None and self._conversation.kind is ConversationKind.DIRECT

    @property
    def widget(self) -> QWidget:
        """Over which menus stand."""
        return self

    def want_extra(self, name: str) -> None:
        """Something of the menu is to be sent; a folder stands with the files first."""
        if name == "folder":
            self._pick_folder()
        else:
            self.extra_wanted.emit(name)

    def put_over_edit(self, bar: QWidget) -> None:
        """A bar that stands where the text is written, while `show_edit` is off."""
        self._inset.addWidget(bar)

    def show_edit(self, shown: bool) -> None:
        """Whether a text can be written, or the bar in its place is used."""
        self.edit.setVisible(shown)
        for part in (self.send_button, self.options_button):
            part.setVisible(shown)
        if shown:
            self.edit.setFocus()

    def want_capture(self, hide_windows: bool) -> None:
        """A screenshot is to be taken."""
        self.capture_wanted.emit(hide_windows)

    def want_later(self) -> None:
        """What is written is to be sent later."""
        self.later_wanted.emit()

    @staticmethod
    def _drop(menu: QMenu, button: QWidget) -> None:
        height = menu.sizeHint().height()
        menu.popup(button.mapToGlobal(QPoint(0, -height)))

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
        if self._editing is not None:
            return
        if self._conversation is not None and text != self._saved_draft:
            self._saved_draft = text
            self.draft_changed.emit(self._conversation.id, text)

    @property
    def picker(self) -> "EmojiPicker":
        """The emoji picker, made when it is first wanted."""
        if self._picker is None:
            from desktop.ui.chat.emoji import EmojiPicker

            stickers = self.make_stickers() if self.make_stickers is not None else None
            self._picker = EmojiPicker(self._state, self, stickers)
            self._picker.picked.connect(self._on_emoji)
            self._picker.sticker_picked.connect(self.sticker_wanted)
            self._picker.built_in_picked.connect(self.built_in_wanted)
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
        mentions = self.mentions_in(text)
        if self._editing is not None:
            if text:
                message_id = self._editing[0]
                self.leave_edit()
                self.edited.emit(message_id, text, mentions)
            return
        outgoing = Outgoing(text, mentions, self.reply_to, tuple(self.strip.items), self.options)
        self.clear()
        self.strip.clear()
        self.set_options(SendOptions())
        self.submitted.emit(outgoing)
        self.edit.setFocus()

    def mentions_in(self, text: str) -> tuple[str, ...]:
        """Who of those picked by @ still stands in the text."""
        return tuple(dict.fromkeys(who for name, who in self._mentioned.items() if f"@{name}" in text))

    def clear(self) -> None:
        """The text is on its way: the field, its draft and what it answers are empty again."""
        self._mentioned = {}
        self._reply = None
        self.reply_line.hide()
        self._put("")
        self.flush_draft()

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
        if key == Qt.Key.Key_Escape and (self._reply is not None or self._editing is not None):
            self._close_line()
            return True
        if key == Qt.Key.Key_Up and not event.modifiers() and not self.edit.toPlainText() and not self.strip.items:
            self.edit_last_wanted.emit()
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
        if self._loading or self._conversation is None or self._editing is not None:
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

    def _close_line(self) -> None:
        """The cross of the line above the field: the edit or the answer is given up."""
        if self._editing is not None:
            self.leave_edit()
        else:
            self._cancel_reply()

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

    def _pick_folder(self) -> None:
        dialog = QFileDialog(self, tr("chat.compose.pick_folder"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.filesSelected.connect(self._on_files)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _on_files(self, paths: list[str]) -> None:
        found = [item_of(Path(path)) for path in paths]
        self.strip.add(tuple(item for item in found if item is not None))
        self.edit.setFocus()

    def _fit(self) -> None:
        self.edit.fit()
        self._tools.setSpacing(0 if theme.text_scale() > CLOSE_FROM else 6)
        self._show_state()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_state()

    def sizeHint(self) -> QSize:
        return QSize(theme.scaled(320), super().sizeHint().height())
