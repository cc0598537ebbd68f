"""A record in the feed: who, when, its name, its text, its pictures, and the other fields of the view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.domain import Attachment
from desktop.core.domain.definition import Field, FieldKind
from desktop.core.domain.records import Record
from desktop.core.domain.titles import title_fields
from desktop.ui import theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Avatar, Card, Chip, IconLabel, Label
from desktop.ui.office.views.base import STATE, ViewContext
from desktop.ui.office.views.cells import plain_text
from desktop.ui.office.views.feed_pictures import PictureRow, picture_of

MOST_TEXT: Final = 280
TEXTS: Final = (FieldKind.RICH_TEXT, FieldKind.LONG_TEXT)


class FeedCard(Card):
    """Signals: opened (the record's id), stepped (-1 or 1: the keyboard goes to another card), file_asked (an Attachment)."""

    opened = Signal(str)
    stepped = Signal(int)
    file_asked = Signal(object)

    def __init__(
        self,
        context: ViewContext,
        columns: tuple[str, ...],
        label_of: Callable[[Field], str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(padding=14, parent=parent)
        self.context, self.columns, self._label_of = context, columns, label_of
        self.record: Record | None = None
        self.marked = False
        self.setObjectName("feedCard")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.avatar = Avatar(32)
        self.who = Label(role="base", strong=True)
        self.time = Label(role="secondary", tone="ink3")
        self.mark = IconLabel("clock", tone="ink3", size=15)
        self.state = Chip()
        self.title = Label(role="emphasis", strong=True, wrap=True)
        self.text = Label(role="base", tone="ink2", wrap=True)
        self.pictures = PictureRow(context.session)
        self.facts = Label(role="secondary", tone="ink3", wrap=True)
        self.pictures.pressed.connect(self.file_asked)
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addWidget(self.who)
        names.addWidget(self.time)
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self.avatar)
        head.addLayout(names, 1)
        head.addWidget(self.mark)
        head.addWidget(self.state)
        self.body.addLayout(head)
        for part in (self.title, self.text, self.pictures, self.facts):
            self.body.addWidget(part)

    def show_record(self, record: Record) -> None:
        """Shows a record, or how it is now."""
        self.record = record
        context = self.context
        who = context.name_of(record.author_id) or tr("office_record.the_office")
        self.avatar.set_subject(who, record.author_id or record.id)
        self.who.setText(who)
        self.time.setText(when.short(record.created_at, context.now_ms()))
        self.time.setToolTip(when.date_time(record.created_at) if record.created_at else "")
        definition = context.type_of(record.type)
        state = definition.state(record.data.get(STATE)) if definition is not None else None
        self.state.setVisible(state is not None)
        if state is not None:
            self.state.setText(context.label(state.label))
            self.state.set_tone(state.color)
        self.mark.setVisible(record.pending or record.refusal is not None)
        self.mark.set_icon("warning-circle-fill" if record.refusal else "clock", "red" if record.refusal else "ink3")
        self.title.setText(context.title(record))
        self._show_text(record)
        self._show_facts(record)
        self.pictures.show_pictures(self._pictures(record))
        self.setAccessibleName(", ".join(part for part in (self.title.text(), who, self.time.text()) if part))
        self.setAccessibleDescription(self.text.text())

    def _fields(self, record: Record) -> list[Field]:
        definition = self.context.type_of(record.type)
        return list(definition.fields) if definition is not None else []

    def _show_text(self, record: Record) -> None:
        """The first long text that is filled."""
        words = ""
        for field in self._fields(record):
            value = record.data.get(field.name)
            if field.kind in TEXTS and isinstance(value, str) and value:
                words = plain_text(value) if field.kind is FieldKind.RICH_TEXT else value.strip()
                break
        self.text.setText(words if len(words) <= MOST_TEXT else words[: MOST_TEXT - 1].rstrip() + "…")
        self.text.setVisible(bool(words))

    def _show_facts(self, record: Record) -> None:
        definition = self.context.type_of(record.type)
        skipped = {*title_fields(definition), STATE, "createdAt", "authorId"} if definition is not None else set()
        parts = []
        for name in self.columns:
            field = self.context.field_of(record.type, name)
            if field is None or name in skipped or field.kind in (*TEXTS, FieldKind.FILES):
                continue
            words = self.context.text(record, name)
            if words:
                parts.append(f"{self._label_of(field)} {words}")
        self.facts.setText("   ".join(parts))
        self.facts.setVisible(bool(parts))

    def _pictures(self, record: Record) -> list[Attachment]:
        found = []
        for field in self._fields(record):
            held = record.data.get(field.name)
            if field.kind is FieldKind.FILES and isinstance(held, list):
                found += [one for item in held if (one := picture_of(item)) is not None]
            elif field.kind is FieldKind.BLOB and isinstance(held, str) and held:
                found.append(Attachment(held, self.context.label(field.label), "image/*", 0))
        return found

    def set_marked(self, marked: bool) -> None:
        """It is the one shown beside the feed."""
        if marked != self.marked:
            self.marked = marked
            self.update()

    # ---- Qt overrides
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.marked or self.hasFocus():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(theme.tokens().accent, 2 if self.hasFocus() else 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        inside = self.rect().contains(event.position().toPoint())
        if self.record is not None and inside and event.button() is Qt.MouseButton.LeftButton:
            self.opened.emit(self.record.id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.record is not None:
            self.opened.emit(self.record.id)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.stepped.emit(-1 if key == Qt.Key.Key_Up else 1)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()
