"""A small editor for the body of a notice: bold, italic, underline, headings, lists, links. It writes the HTML our allow-list knows.

Qt's own toHtml() says bold by styles, which cleaning takes away; so the document is walked and written in plain tags.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import cast

from PySide6.QtCore import QMimeData, Signal
from PySide6.QtGui import (
    QFont,
    QKeySequence,
    QTextBlock,
    QTextBlockFormat,
    QTextCursor,
    QTextDocument,
    QTextList,
    QTextListFormat,
)
from PySide6.QtWidgets import QFrame, QTextEdit, QVBoxLayout, QWidget

from desktop.ui import i18n, theme
from desktop.ui.kit import IconButton, on_click, row
from desktop.ui.office.safe_html import may_open, safe_html

HEADING_LEVEL = 3


def document_html(document: QTextDocument) -> str:
    """The document in the tags of safe_html: p, h3, ul, ol, li, strong, em, u, a, br."""
    parts: list[str] = []
    open_list = ""
    block = document.begin()
    while block.isValid():
        wanted = _list_tag(block)
        if wanted != open_list:
            parts.append((f"</{open_list}>" if open_list else "") + (f"<{wanted}>" if wanted else ""))
            open_list = wanted
        text = "".join(_runs(block))
        tag = "li" if wanted else f"h{HEADING_LEVEL}" if block.blockFormat().headingLevel() else "p"
        if text or tag != "p":
            parts.append(f"<{tag}>{text}</{tag}>")
        block = block.next()
    parts.append(f"</{open_list}>" if open_list else "")
    return "".join(parts)


def _list_tag(block: QTextBlock) -> str:
    found = cast("QTextList | None", block.textList())  # the stubs forget that most lines are in no list
    if found is None:
        return ""
    return "ol" if found.format().style() is QTextListFormat.Style.ListDecimal else "ul"


def _runs(block: QTextBlock) -> Iterator[str]:
    heading = bool(block.blockFormat().headingLevel())
    iterator = block.begin()
    while not iterator.atEnd():
        fragment = iterator.fragment()
        look = fragment.charFormat()
        text = escape(fragment.text(), quote=False).replace("\u2028", "<br>")
        if look.fontWeight() >= QFont.Weight.DemiBold and not heading:
            text = f"<strong>{text}</strong>"
        if look.fontItalic():
            text = f"<em>{text}</em>"
        if look.isAnchor() and may_open(look.anchorHref()):
            text = f'<a href="{escape(look.anchorHref())}">{text}</a>'
        elif look.fontUnderline():
            text = f"<u>{text}</u>"
        yield text
        iterator += 1


class _Edit(QTextEdit):
    """What is pasted is cleaned first: an office program's clipboard brings pages of styles and remote pictures."""

    def insertFromMimeData(self, source: QMimeData) -> None:
        if source.hasHtml():
            self.insertHtml(safe_html(source.html()))
        elif source.hasText():
            self.insertPlainText(source.text())

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasHtml() or source.hasText()

    def loadResource(self, kind: int, name: object) -> object:
        """Nothing is ever loaded."""
        return None


class RichTextEditor(QFrame):
    """The editor with its row of buttons."""

    changed = Signal()

    def __init__(self, key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.edit = _Edit()
        self.edit.setObjectName("richTextEdit")
        self.edit.setTabChangesFocus(True)
        self.edit.setAcceptRichText(True)
        i18n.bind(self.edit.setAccessibleName, key)
        i18n.bind(self.edit.setPlaceholderText, key)
        buttons = {
            name: IconButton(icon, f"office.edit.{name}", size=16, box=28, checkable=checkable, active="accent")
            for name, icon, checkable in (
                ("bold", "text-bolder", True),
                ("italic", "text-italic", True),
                ("underline", "text-underline", True),
                ("heading", "text-h", True),
                ("bullets", "list-bullets", False),
                ("numbers", "list-numbers", False),
            )
        }
        self._buttons = buttons
        on_click(buttons["bold"], self.toggle_bold)
        on_click(buttons["italic"], lambda: self.edit.setFontItalic(not self.edit.fontItalic()))
        on_click(buttons["underline"], lambda: self.edit.setFontUnderline(not self.edit.fontUnderline()))
        on_click(buttons["heading"], self.toggle_heading)
        on_click(buttons["bullets"], lambda: self._toggle_list(QTextListFormat.Style.ListDisc))
        on_click(buttons["numbers"], lambda: self._toggle_list(QTextListFormat.Style.ListDecimal))
        buttons["bold"].setShortcut(QKeySequence(QKeySequence.StandardKey.Bold))
        buttons["italic"].setShortcut(QKeySequence(QKeySequence.StandardKey.Italic))
        buttons["underline"].setShortcut(QKeySequence(QKeySequence.StandardKey.Underline))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row(*buttons.values(), None, spacing=2))
        column.addWidget(self.edit, 1)
        self.edit.textChanged.connect(self.changed)
        self.edit.cursorPositionChanged.connect(self._refresh)
        self.edit.currentCharFormatChanged.connect(lambda _look: self._refresh())
        self._fit()
        theme.changed.connect(self._fit)

    def _fit(self) -> None:
        self.edit.document().setDefaultFont(theme.font("base"))
        self.edit.document().setDocumentMargin(8)

    def html(self) -> str:
        """What was written, in allowed tags."""
        return document_html(self.edit.document())

    def set_html(self, body: str) -> None:
        """Replaces what is there."""
        self.edit.setHtml(safe_html(body))

    def is_empty(self) -> bool:
        """Whether there is no text."""
        return not self.edit.toPlainText().strip()

    # ---- what the user does
    def toggle_bold(self) -> None:
        """Bold on or off for the selection, or for what is typed next."""
        bold = self.edit.fontWeight() >= QFont.Weight.DemiBold
        self.edit.setFontWeight(QFont.Weight.Normal if bold else QFont.Weight.Bold)

    def toggle_heading(self) -> None:
        """Makes the line a heading, or an ordinary line again."""
        cursor = self.edit.textCursor()
        heading = not cursor.blockFormat().headingLevel()
        cursor.beginEditBlock()
        look = QTextBlockFormat(cursor.blockFormat())
        look.setHeadingLevel(HEADING_LEVEL if heading else 0)
        cursor.setBlockFormat(look)
        cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
        letters = cursor.charFormat()
        letters.setFontWeight(QFont.Weight.Bold if heading else QFont.Weight.Normal)
        cursor.mergeCharFormat(letters)
        cursor.endEditBlock()
        self._refresh()

    def _toggle_list(self, style: QTextListFormat.Style) -> None:
        cursor = self.edit.textCursor()
        found = cursor.currentList()
        if found is not None and found.format().style() is style:
            look = QTextBlockFormat()
            cursor.beginEditBlock()
            found.remove(cursor.block())
            cursor.setBlockFormat(look)
            cursor.endEditBlock()
            return
        cursor.createList(style)

    def _refresh(self) -> None:
        self._buttons["bold"].setChecked(self.edit.fontWeight() >= QFont.Weight.DemiBold)
        self._buttons["italic"].setChecked(self.edit.fontItalic())
        self._buttons["underline"].setChecked(self.edit.fontUnderline())
        self._buttons["heading"].setChecked(bool(self.edit.textCursor().blockFormat().headingLevel()))
