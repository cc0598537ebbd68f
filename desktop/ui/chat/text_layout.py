"""Text laid out in lines for one width: plain with links and names tinted, Markdown and safe HTML with their formats, code in fixed width.

Whatever it was written in, a message becomes one QTextLayout over one string: selecting, copying and reading aloud work alike on all.
Nothing is ever loaded: a picture in Markdown is its description.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QSizeF, QUrl
from PySide6.QtGui import (
    QFont,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextDocument,
    QTextFormat,
    QTextLayout,
    QTextOption,
    QTextTable,
)

from desktop.ui import theme
from desktop.ui.chat import text as words

LINE_SPACING = 1.15
HEADINGS = ("title", "header", "emphasis")
MOST_TEXT = 20_000
_BOXES = {QTextBlockFormat.MarkerType.Checked: "☑ ", QTextBlockFormat.MarkerType.Unchecked: "☐ "}
_WRAP = QTextOption()
_WRAP.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)


@dataclass(slots=True)
class RichText:
    """A text with its formats and the links in it; places in UTF-16 units."""

    text: str
    formats: list[QTextLayout.FormatRange] = field(default_factory=list)
    spans: list[words.Span] = field(default_factory=list)


def lay_out(
    text: str, font: QFont, width: float, formats: Sequence[QTextLayout.FormatRange] = ()
) -> tuple[QTextLayout, QSizeF]:
    """Lines for a width, and how much room they take."""
    layout = QTextLayout(words.shown(text), font)
    layout.setTextOption(_WRAP)
    layout.setCacheEnabled(True)
    if formats:
        layout.setFormats(list(formats))  # before the lines: it drops them
    layout.beginLayout()
    y = widest = 0.0
    while True:
        line = layout.createLine()
        if not line.isValid():
            break
        line.setLineWidth(width)
        line.setPosition(QPointF(0, y))
        y += line.height() * LINE_SPACING
        widest = max(widest, line.naturalTextWidth())
    layout.endLayout()
    return layout, QSizeF(widest, y)


def format_range(start: int, length: int, made: QTextCharFormat) -> QTextLayout.FormatRange:
    """A format for a stretch."""
    stretch = QTextLayout.FormatRange()
    stretch.start, stretch.length, stretch.format = start, length, made
    return stretch


def tint(span: words.Span) -> QTextLayout.FormatRange:
    """How a link or a name stands out."""
    made = QTextCharFormat()
    made.setForeground(theme.tokens().link)
    made.setFontUnderline(span.kind == "link")
    return format_range(span.start, span.length, made)


class _Sealed(QTextDocument):
    """A document that loads nothing: neither from the network nor from this computer."""

    def loadResource(self, type: int, name: QUrl | str) -> object:
        return None


def from_markdown(text: str) -> RichText:
    """Read-only Markdown (GitHub's) as one text; HTML in it stays as it was written."""
    document = _Sealed()
    features = QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML
    document.setMarkdown(text[:MOST_TEXT], features)
    return _Walker(document).read()


def from_html(html: str) -> RichText:
    """The safe HTML of a formatted message (bold, italic, lists, links) as one text."""
    document = _Sealed()
    document.setHtml(html[:MOST_TEXT])
    return _Walker(document).read()


class _Walker:
    """Reads a document block by block into one text with formats."""

    def __init__(self, document: QTextDocument) -> None:
        self._document = document
        self._parts: list[str] = []
        self._at = 0
        self._made = RichText("")

    def read(self) -> RichText:
        """The whole document."""
        block = self._document.begin()
        cell: tuple[int, int] | None = None
        while block.isValid():
            here = self._cell(block)
            if self._parts:
                same_row = here is not None and cell is not None and here[0] == cell[0] and here[1] != cell[1]
                self._put(" │ " if same_row else "\n")
            cell = here
            self._block(block)
            block = block.next()
        self._made.text = "".join(self._parts)
        return self._made

    def _cell(self, block: QTextBlock) -> tuple[int, int] | None:
        table = self._document.frameAt(block.position())
        if not isinstance(table, QTextTable):
            return None
        cell = table.cellAt(block.position())
        return cell.row(), cell.column()

    def _put(self, text: str, made: QTextCharFormat | None = None) -> None:
        length = words.units(text)
        if made is not None and length:
            self._made.formats.append(format_range(self._at, length, made))
        self._parts.append(text)
        self._at += length

    def _block(self, block: QTextBlock) -> None:
        style = block.blockFormat()
        quiet = QTextCharFormat()
        quiet.setForeground(theme.tokens().ink3)
        if style.hasProperty(QTextFormat.Property.BlockTrailingHorizontalRulerWidth.value):
            self._put("────────", quiet)
            return
        if style.hasProperty(QTextFormat.Property.BlockQuoteLevel.value):
            self._put("▎" * max(1, style.intProperty(QTextFormat.Property.BlockQuoteLevel.value)) + " ", quiet)
        self._put(self._bullet(block, style))
        code = style.hasProperty(QTextFormat.Property.BlockCodeLanguage.value) or style.hasProperty(
            QTextFormat.Property.BlockCodeFence.value
        )
        iterator = block.begin()
        while not iterator.atEnd():
            fragment = iterator.fragment()
            self._fragment(fragment.text(), fragment.charFormat(), style.headingLevel(), code=code)
            iterator += 1

    def _bullet(self, block: QTextBlock, style: QTextBlockFormat) -> str:
        made = block.textList()
        if made is None:
            return ""  # type: ignore[unreachable]  # PySide's stub leaves out that there may be no list
        indent = "    " * max(0, made.format().indent() - 1)
        box = _BOXES.get(style.marker())
        if box is not None:
            return indent + box
        return f"{indent}{made.itemText(block)} " if _numbered(made.format().style()) else f"{indent}• "

    def _fragment(self, text: str, style: QTextCharFormat, heading: int, *, code: bool) -> None:
        if style.isImageFormat():
            self._put(f"[{style.property(QTextFormat.Property.ImageAltText.value) or '…'}]")
            return
        made = QTextCharFormat()
        address = style.anchorHref()
        safe = address.lower().startswith(("http://", "https://"))
        if heading:
            made.setFontWeight(QFont.Weight.DemiBold)
            size = theme.font(HEADINGS[min(heading, len(HEADINGS)) - 1]).pixelSize()
            made.setProperty(QTextFormat.Property.FontPixelSize.value, size)
        elif style.fontWeight() >= QFont.Weight.DemiBold.value:
            made.setFontWeight(QFont.Weight.DemiBold)
        if style.fontItalic():
            made.setFontItalic(True)
        if style.fontStrikeOut():
            made.setFontStrikeOut(True)
        if code or style.fontFixedPitch():
            made.setFontFamilies(theme.mono_font().families())
            made.setBackground(theme.tokens().field)
        if safe:
            self._made.spans.append(words.Span(self._at, words.units(text), "link", address))
            made.setForeground(theme.tokens().link)
            made.setFontUnderline(True)
        self._put(text.replace(words.LINE_SEPARATOR, "\n").replace("\u2029", "\n"), made)


def _numbered(style: object) -> bool:
    """Decimal, letters, Roman: what is counted has negative styles below those of bullets."""
    value = getattr(style, "value", style)
    return isinstance(value, int) and value <= -4
