"""What people said of a record, oldest first, and the line to say something: with mentions of its readers and with files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.core.domain.definition import Field, FieldKind
from desktop.core.domain.definition import Label as Words
from desktop.core.domain.records import Comment, Record
from desktop.core.errors import AppError
from desktop.models.record_readers import readers_of
from desktop.ui import i18n, theme
from desktop.ui.i18n import error_text, tr, when
from desktop.ui.kit import Avatar, Button, Chip, IconButton, Label, on_click, row
from desktop.ui.layouts import discard
from desktop.ui.office.attachments import AttachmentCards
from desktop.ui.office.record.draft import DraftKeeper
from desktop.ui.office.record.files_editor import FilesEditor, attachment_of
from desktop.ui.office.record.mention_edit import MentionEdit
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive
from desktop.ui.theme.stylesheet import css

AVATAR_SIDE = 28


class CommentRow(QWidget):
    """One comment."""

    removed = Signal()

    def __init__(self, context: ViewContext, comment: Comment, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.comment = comment
        self.setObjectName("commentRow")
        name = context.name_of(comment.author_id) or tr("office_record.somebody")
        face = Avatar(AVATAR_SIDE)
        face.set_subject(name, comment.author_id or "")
        self.at = Label(when.separator(comment.created_at, context.now_ms()), role="secondary", tone="ink3")
        self.state = Chip(parent=self)  # a parentless widget that is set visible is a window for a moment
        self.state.setVisible(comment.pending or comment.refusal is not None)
        if comment.refusal is not None:
            self.state.setText(tr("office_record.comment_refused"))
            self.state.set_tone("red")
        else:
            self.state.setText(tr("office_record.waiting_to_send"))
            self.state.set_tone("amber")
        drop = IconButton("trash", "office_record.comment_delete", tone="ink3", size=14, box=24, parent=self)
        drop.setVisible(comment.author_id == context.me.id)
        on_click(drop, self.removed.emit)
        text = QLabel(_marked(context, comment))
        text.setTextFormat(Qt.TextFormat.RichText)
        text.setWordWrap(True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addLayout(row(Label(name, strong=True), self.at, self.state, None, drop))
        words.addWidget(text)
        self.files = AttachmentCards(self)
        if comment.attachments:
            self.files.show_attachments(comment.attachments, (), context.session.files.has)
            words.addWidget(self.files)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(face, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(words, 1)
        self.setAccessibleName(f"{name}: {comment.text}")


def _marked(context: ViewContext, comment: Comment) -> str:
    """The text as HTML of ours: escaped, mentions in the color of links."""
    text = escape(comment.text).replace("\n", "<br>")
    color = css(theme.tokens().link)
    for key in comment.mentions:
        name = escape(context.name_of(key))
        if name:
            text = text.replace(f"@{name}", f'<span style="color:{color}">@{name}</span>')
    return text


class CommentsPane(QWidget):
    """The comments of one record.

    Signals:
        counted: how many there are.
        file_opened, file_saved: an Attachment.
    """

    counted = Signal(int)
    file_opened = Signal(object)
    file_saved = Signal(object)

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("commentsPane")
        self.context = context
        self.tasks = TaskOwner(self)
        self._record: Record | None = None
        self._keeper: DraftKeeper | None = None
        self._rows: list[CommentRow] = []
        self._shown: tuple[object, ...] = ()
        self.empty = Label(key="office_record.no_comments", tone="ink3", wrap=True)
        self._column = QVBoxLayout()
        self._column.setSpacing(12)
        self.edit = MentionEdit()
        self.edit.setObjectName("commentEdit")
        i18n.bind(self.edit.setPlaceholderText, "office_record.comment_hint")
        i18n.bind(self.edit.setAccessibleName, "office_record.comment_hint")
        words = Words(zh=tr("office_record.file.add"), en=tr("office_record.file.add"))
        self.files = FilesEditor(context, Field(name="attachments", kind=FieldKind.FILES, label=words))
        self.files.hide()
        self.attach = IconButton("paperclip", "office_record.file.add", size=18, box=30)
        self.send = Button(key="office_record.comment_send", kind="primary", small=True)
        self.send.setObjectName("commentSend")
        self.problem = Label(role="secondary", tone="red_text", wrap=True)
        self.problem.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.empty)
        column.addLayout(self._column)
        column.addWidget(self.edit)
        column.addWidget(self.files)
        column.addWidget(self.problem)
        column.addLayout(row(self.attach, None, self.send))
        on_click(self.send, self.say)
        on_click(self.attach, self._attach)
        self.edit.sent.connect(self.say)
        self.edit.textChanged.connect(self._keep)
        context.names_changed.connect(self.reload)
        i18n.changed.connect(self._redraw)
        theme.changed.connect(self._redraw)

    def show_record(self, record: Record) -> None:
        """Shows another record's comments, or again the same one's."""
        if self._record is None or self._record.id != record.id:
            if self._keeper is not None:
                self._keeper.flush()
            self._record, self._keeper = record, None  # emptying the line is no change of the draft
            self._show([])
            self.edit.clear()
            self.files.set_value(None)
            self.files.hide()
            self._keeper = DraftKeeper(self.context, f"comment/{record.type}/{record.id}", self)
            self.tasks.start(self._load_draft(self._keeper), name="draft", exclusive=True)
        self._record = record
        definition = self.context.type_of(record.type)
        if definition is not None:
            self.edit.set_people(readers_of(definition, record, self.context.organization))
        self.reload()

    def reload(self) -> None:
        """Reads the comments again."""
        if self._record is not None:
            self.tasks.start(self._reload(self._record), name="reload", exclusive=True)

    async def _reload(self, record: Record) -> None:
        try:
            found = await self.context.records.comments(record.id)
        except AppError as error:
            if alive(self):
                self._say_problem(error_text(error))
            return
        if alive(self) and self._record is not None and self._record.id == record.id:
            self._show(found)

    def _redraw(self) -> None:
        self._shown = ()
        self.reload()

    def _show(self, comments: Sequence[Comment]) -> None:
        fresh = (tuple(comments), tuple(self.context.name_of(one.author_id) for one in comments))
        self.empty.setVisible(not comments)
        self.counted.emit(len(comments))
        if fresh == self._shown:
            return
        self._shown = fresh
        for line in self._rows:
            self._column.removeWidget(line)
            discard(line)
        self._rows = []
        for comment in comments:
            line = CommentRow(self.context, comment)
            line.removed.connect(partial(self._remove, comment.id))
            line.files.opened.connect(self.file_opened)
            line.files.saved.connect(self.file_saved)
            self._rows.append(line)
            self._column.addWidget(line)

    # ---- saying something
    def _attach(self) -> None:
        self.files.show()
        self.files.ask_files()

    def say(self) -> None:
        """Sends what is written."""
        if self._record is not None and (self.edit.toPlainText().strip() or self.files.entries):
            self.tasks.start(self._say(self._record), name="say", exclusive=True)

    async def _say(self, record: Record) -> None:
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)  # the button that is off would give the keyboard away
        self.send.setEnabled(False)
        self.problem.hide()
        try:
            await self.files.settle()
            attachments = [one for item in self.files.value() or () if (one := attachment_of(item)) is not None]
            text = self.edit.toPlainText().strip()
            await self.context.records.comment(record, text, self.edit.mentions(), attachments)
        except AppError as error:
            if alive(self):
                self._say_problem(error_text(error))
            return
        finally:
            if alive(self):
                self.send.setEnabled(True)
        if not alive(self):
            return
        self.files.set_value(None)
        self.files.hide()
        self.edit.clear()
        self.reload()
        if self._keeper is not None:
            await self._keeper.drop()

    def _say_problem(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.show()

    def _remove(self, comment_id: str) -> None:
        self.tasks.start(self._delete(comment_id), name="delete")

    async def _delete(self, comment_id: str) -> None:
        await self.context.records.delete_comment(comment_id)
        if alive(self):
            self.reload()

    # ---- the draft
    def _keep(self) -> None:
        if self._keeper is not None:
            text = self.edit.toPlainText()
            self._keeper.keep({"text": text} if text.strip() else None)

    async def _load_draft(self, keeper: DraftKeeper) -> None:
        kept = await keeper.load()
        if alive(self) and keeper is self._keeper and kept and not self.edit.toPlainText():
            self.edit.setPlainText(str(kept.get("text") or ""))
