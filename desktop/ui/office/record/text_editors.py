"""Editors of words and numbers: a line, a text that grows with what is written, rich text, numbers and money."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent, QResizeEvent, QTextOption
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QWidget

from desktop.core.domain.definition import Field
from desktop.models import record_values as values
from desktop.ui import theme
from desktop.ui.kit import Label, TextField, row
from desktop.ui.office.record.editor import FieldEditor
from desktop.ui.office.rich_text import RichTextEditor
from desktop.ui.office.views.base import ViewContext

GROW_LINES = (3, 14)
"""Lines of a long text: at least, at most; then it scrolls."""


class TextEditor(FieldEditor):
    """One line."""

    def __init__(
        self, context: ViewContext, field: Field, *, compact: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(context, field, compact=compact, parent=parent)
        self.line = TextField()
        self.setFocusProxy(self.line)
        self.column.addWidget(self.line)
        self.line.textChanged.connect(lambda _text: self.told())

    def value(self) -> Any:
        return self.line.text().strip() or None

    def show_value(self, value: Any) -> None:
        text = "" if value is None else str(value)
        if text != self.line.text():
            self.line.setText(text)
            self.line.setCursorPosition(0)


class GrowingText(QPlainTextEdit):
    """Plain text as tall as what is in it, between some lines and many. Tab goes on to the next field."""

    def __init__(self, lines: tuple[int, int] = GROW_LINES, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines = lines
        self.setProperty("look", "field")
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDocumentMargin(6)
        self.textChanged.connect(self._fit)
        theme.changed.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        used = 0
        block = self.document().begin()
        layout = self.document().documentLayout()
        while block.isValid():
            layout.blockBoundingRect(block)  # lays the block out, which counts its lines
            used += max(1, block.layout().lineCount())
            block = block.next()
        lines = min(max(used, self._lines[0]), self._lines[1])
        wanted = lines * self.fontMetrics().lineSpacing() + 2 * 6 + 4
        if wanted != self.height() or self.minimumHeight() != wanted:
            self.setFixedHeight(wanted)
        over = used > self._lines[1]
        policy = Qt.ScrollBarPolicy.ScrollBarAsNeeded if over else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(policy)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()


class LongTextEditor(FieldEditor):
    """Several lines."""

    wide = True

    def __init__(self, context: ViewContext, field: Field, *, parent: QWidget | None = None) -> None:
        super().__init__(context, field, parent=parent)
        self.text = GrowingText()
        self.setFocusProxy(self.text)
        self.column.addWidget(self.text)
        self.text.textChanged.connect(self.told)

    def value(self) -> Any:
        return self.text.toPlainText().strip() or None

    def show_value(self, value: Any) -> None:
        text = "" if value is None else str(value)
        if text != self.text.toPlainText():
            self.text.setPlainText(text)


class RichEditor(FieldEditor):
    """Text with headings, lists and links."""

    wide = True

    def __init__(self, context: ViewContext, field: Field, *, parent: QWidget | None = None) -> None:
        super().__init__(context, field, parent=parent)
        self.rich = RichTextEditor("office_record.rich_text")
        self.rich.setMinimumHeight(theme.scaled(190))
        self.rich.edit.setProperty("look", "field")
        self.setFocusProxy(self.rich.edit)
        self.column.addWidget(self.rich)
        self.rich.changed.connect(self.told)

    def value(self) -> Any:
        return None if self.rich.is_empty() else self.rich.html()

    def show_value(self, value: Any) -> None:
        self.rich.set_html(value if isinstance(value, str) else "")


class _AmountLine(TextField):
    """A number: with thousands while it is looked at, plain while it is edited."""

    def __init__(self, parse: Callable[[str], object], shown: Callable[[object], str]) -> None:
        super().__init__()
        self._parse, self._shown = parse, shown
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def tidy(self) -> None:
        """Writes it with thousands, where it can be read."""
        try:
            shown = self._shown(self._parse(self.text()))
        except values.Unreadable:
            return
        self.blockSignals(True)
        self.setText(shown)
        self.blockSignals(False)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        plain = self.text().replace(",", "")
        if plain != self.text():
            self.blockSignals(True)
            self.setText(plain)
            self.blockSignals(False)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.selectAll()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.tidy()
        super().focusOutEvent(event)


class AmountEditor(FieldEditor):
    """A number or an amount of money, with its unit behind."""

    def __init__(
        self, context: ViewContext, field: Field, *, compact: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(context, field, compact=compact, parent=parent)
        self._money = str(field.kind) == "money"
        self._value: Any = None
        self.line = _AmountLine(self._parse, self._shown)
        self.setFocusProxy(self.line)
        unit = Label(context.label(field.unit) if field.unit else "", tone="ink3", parent=self)
        unit.setVisible(bool(field.unit) and not compact)
        self.column.addLayout(row(self.line, unit))
        self.line.textChanged.connect(self._on_text)

    def _parse(self, text: str) -> object:
        return values.parse_money(text) if self._money else values.parse_number(text, self.field.decimals)

    def _shown(self, value: object) -> str:
        if self._money:
            return values.format_money(value)
        text = values.format_number(value, self.field.decimals)
        return text.replace(",", "") if self.field.plain else text

    def _on_text(self, text: str) -> None:
        if not text.strip():
            self._value = None
        elif self.raw() is None:
            self._value = self._parse(text)
        self.told()

    def value(self) -> Any:
        return self._value

    def raw(self) -> str | None:
        text = self.line.text()
        if not text.strip():
            return None
        try:
            self._parse(text)
        except values.Unreadable:
            return text
        return None

    def set_raw(self, text: str) -> None:
        self.line.setText(text)

    def show_value(self, value: Any) -> None:
        if self.line.hasFocus() and value == self._value:
            return  # being typed: "12." must not become "12"
        self.line.setText(self._shown(value))
        self._value = value
