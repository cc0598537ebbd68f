"""The selected messages as HTML for the clipboard: bold, italic, code, links and line breaks live on where they are pasted."""

from html import escape
from itertools import pairwise

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QFont, QTextCharFormat, QTextLayout
from PySide6.QtWidgets import QTextEdit

from desktop.ui.chat import text as words
from desktop.ui.chat.row import Row


def row_html(row: Row, start: int, end: int) -> str:
    """A stretch of a row (places in UTF-16 units) as HTML; what is no text as its plain words."""
    if row.layout is None:
        return plain_html(row.copied(start, end))
    if row.body == "code":
        return f"<pre><code>{escape(row.copied(start, end))}</code></pre>"
    formats: list[QTextLayout.FormatRange] = list(row.layout.formats())
    edges = {start, end}
    for made in formats:
        edges |= {place for place in (made.start, made.start + made.length) if start < place < end}
    for span in row.spans:
        edges |= {place for place in (span.start, span.start + span.length) if start < place < end}
    cuts = sorted(edges)
    return "".join(_piece(row, formats, left, right) for left, right in pairwise(cuts))


def plain_html(text: str) -> str:
    """Words without formats as HTML."""
    return escape(text).replace("\n", "<br>").replace("  ", " &nbsp;")


def _piece(row: Row, formats: list[QTextLayout.FormatRange], start: int, end: int) -> str:
    html = plain_html(words.cut(row.text, start, end))
    for made in formats:
        if made.start <= start and end <= made.start + made.length:
            html = _dress(html, made.format)
    address = next(
        (s.data for s in row.spans if s.kind == "link" and s.start <= start and end <= s.start + s.length), ""
    )
    return f'<a href="{escape(address)}">{html}</a>' if address else html


def _dress(html: str, made: QTextCharFormat) -> str:
    if made.fontWeight() >= QFont.Weight.DemiBold.value:
        html = f"<b>{html}</b>"
    if made.fontItalic():
        html = f"<i>{html}</i>"
    if made.fontStrikeOut():
        html = f"<s>{html}</s>"
    families = made.fontFamilies()
    if isinstance(families, list) and any("Mono" in str(family) for family in families):
        html = f"<code>{html}</code>"
    return html


class _Copier(QTextEdit):
    """Makes the clipboard's data. Qt's own object, not one of Python's: the clipboard may outlive the interpreter, and would take it down."""

    def data(self, text: str, html: str) -> QMimeData:
        """Both forms of what is copied."""
        self.setHtml(html)
        self.selectAll()
        made = self.createMimeDataFromSelection()
        made.html()  # it is filled when first asked, and would replace what is set before
        made.setHtml(html)  # without the colors of this program's theme
        made.setText(text)
        return made


def clipboard_data(text: str, html: str) -> QMimeData:
    """Both forms: programs take the one they understand."""
    return _Copier().data(text, html)
