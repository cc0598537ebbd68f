"""Shows text with form: Markdown, Word, slides. Nothing is ever fetched; pictures are those that came with the file."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import QMimeData, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QFont,
    QImage,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextOption,
    QTextTable,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from desktop.platform import opening
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.kit import confirm
from desktop.ui.reader.formats.rich_text import RichText
from desktop.ui.reader.picture_view import decode_picture
from desktop.ui.reader.search_run import Hit
from desktop.ui.reader.text_marks import TextMarks
from desktop.ui.reader.text_search import Span
from desktop.ui.reader.watermark import paint_watermark
from desktop.ui.reader.zoom import clamp, step
from desktop.ui.tasks import TaskOwner, alive
from desktop.ui.theme.stylesheet import css
from desktop.ui.theme.tokens import FONT_SIZES

REFIT_MS = 150
WIDEST_PICTURE = 900
MOST_PIXELS = 48_000_000
"""Of all pictures of a text together: about 190 MiB."""


def decode_pictures(rich: RichText) -> dict[str, QImage]:
    """The pictures, none wider than the text. For the background. Those beyond the limit are left out."""
    found: dict[str, QImage] = {}
    pixels = 0
    for name, data in rich.pictures.items():
        image = decode_picture(data)
        if image is None:
            continue
        if image.width() > WIDEST_PICTURE:
            image = image.scaledToWidth(WIDEST_PICTURE, Qt.TransformationMode.SmoothTransformation)
        pixels += image.width() * image.height()
        if pixels > MOST_PIXELS:
            break
        found[name] = image
    return found


class RichView(QTextBrowser):
    """The text on the page's surface."""

    zoom_changed = Signal()
    copy_refused = Signal()
    zooms = searches = copies = prints = True

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("readerRich")
        self.setProperty("look", "bare")
        self.tasks = TaskOwner(self)
        self.may_copy, self.watermark, self.factor = True, "", 1.0
        self._rich, self._pictures = RichText(""), dict[str, QImage]()
        self._marks = TextMarks(self)
        self._refit = QTimer(self, interval=REFIT_MS, singleShot=True)
        self._refit.timeout.connect(self._fit_pictures)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setUndoRedoEnabled(False)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.anchorClicked.connect(self._on_link)
        theme.changed.connect(self._render)

    def show_rich(self, rich: RichText, pictures: dict[str, QImage]) -> None:
        """Shows another text from its beginning."""
        self._rich, self._pictures = rich, pictures
        self._render()
        self._marks.set_text(self.document().toPlainText())
        self.verticalScrollBar().setValue(0)

    def clear(self) -> None:
        self.show_rich(RichText(""), {})

    def _render(self) -> None:
        document = self.document()
        document.setDefaultStyleSheet(self._sheet())
        self._apply_font()
        if self._rich.markdown:
            document.setMarkdown(
                self._rich.text,
                QTextDocument.MarkdownFeature(
                    QTextDocument.MarkdownFeature.MarkdownDialectGitHub.value
                    | QTextDocument.MarkdownFeature.MarkdownNoHTML.value
                ),
            )
            self._dress_markdown()
        else:
            document.setHtml(self._rich.text)

    def _dress_markdown(self) -> None:
        """Qt's Markdown comes without room between paragraphs, and its code without a ground."""
        document, colors, gap = self.document(), theme.tokens(), theme.scaled(7)
        block = document.begin()
        while block.isValid():
            cursor = QTextCursor(block)
            look = QTextBlockFormat()
            table = cast("QTextTable | None", cursor.currentTable())
            look.setTopMargin(0 if table is not None else gap if block.blockFormat().headingLevel() else 0)
            if table is not None:
                look.setBottomMargin(0)
                if table.cellAt(cursor).row() == 0:
                    cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
                    bold = QTextCharFormat()
                    bold.setFontWeight(QFont.Weight.Bold)
                    cursor.mergeCharFormat(bold)
                    cursor = QTextCursor(block)
            elif block.blockFormat().hasProperty(QTextFormat.Property.BlockCodeFence):
                look.setBackground(colors.field)
            else:
                look.setLineHeight(150, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
                look.setBottomMargin(0 if block.textList() is not None else gap)
            if block.blockFormat().hasProperty(QTextFormat.Property.BlockQuoteLevel):
                quiet = QTextCharFormat()
                quiet.setForeground(colors.ink2)
                cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
                cursor.mergeCharFormat(quiet)
                cursor = QTextCursor(block)
            cursor.mergeBlockFormat(look)
            block = block.next()
        for frame in document.rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                first = frame.cellAt(0, 0)
                if first.firstCursorPosition().block() != first.lastCursorPosition().block():
                    first.firstCursorPosition().deleteChar()  # the reader of Markdown leaves an empty line in the first cell
                form = frame.format()
                form.setBorderBrush(colors.line_strong)
                form.setBottomMargin(gap)
                frame.setFormat(form)

    @staticmethod
    def _sheet() -> str:
        colors, gap = theme.tokens(), theme.scaled(7)
        line = css(colors.line)
        return (
            f"p,li,td,th{{line-height:150%}} p{{margin-top:0;margin-bottom:{gap}px}} a{{color:{css(colors.link)}}}"
            f"table{{border-collapse:collapse;border:1px solid {line};margin-bottom:{gap}px}}"
            f"td,th{{border:1px solid {line};padding:4px 8px}} td p,th p{{margin-bottom:0}}"
            f"blockquote{{color:{css(colors.ink2)}}}"
        )

    def _apply_font(self) -> None:
        font = theme.font("emphasis")
        font.setPixelSize(max(6, round(theme.scaled(FONT_SIZES["emphasis"]) * self.factor)))
        self.document().setDefaultFont(font)
        self.document().setDocumentMargin(theme.scaled(32))

    # ---- search
    @property
    def parts(self) -> int:
        return len(self._marks.pieces)

    def find_in(self, part: int, needle: str) -> list[Span]:
        return self._marks.find_in(part, needle)

    def set_marks(self, hits: list[Hit], current: Hit | None) -> None:
        self._marks.mark(hits, current)

    # ---- size
    def set_factor(self, factor: float) -> None:
        self.factor = clamp(factor)
        self._apply_font()
        self.zoom_changed.emit()

    def zoom_step(self, direction: int) -> None:
        self.set_factor(step(self.factor, direction))

    # ---- leaving
    def copy_selected(self) -> bool:
        if not self.textCursor().hasSelection():
            return False
        if not self.may_copy:
            self.copy_refused.emit()
            return False
        self.copy()
        return True

    def printed(self) -> QTextDocument | None:
        return self.document()

    def _on_link(self, url: QUrl) -> None:
        address = url.toString(QUrl.ComponentFormattingOption.FullyEncoded)
        if address.startswith("#"):
            self.scrollToAnchor(address[1:])
        elif url.scheme().lower() in ("http", "https") and url.host():
            self.tasks.start(self._open(address), name="link", exclusive=True)

    async def _open(self, address: str) -> None:
        text = tr("office.open_link_text", address=address)
        if await confirm(self, "office.open_link", text, accept_key="office.open_in_browser") and alive(self):
            opening.open_web_link(address)

    # ---- Qt overrides
    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """Only what came inside the file: nothing from the network, nothing from the disk."""
        picture = self._pictures.get(name.toString() if isinstance(name, QUrl) else name)
        if picture is None:
            return QImage()
        room = max(120, self.viewport().width() - 2 * theme.scaled(32) - theme.scaled(16))  # a scroll bar may come yet
        return picture if picture.width() <= room else picture.scaledToWidth(room)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._pictures and event.size().width() != event.oldSize().width():
            self._refit.start()

    def _fit_pictures(self) -> None:
        """The pictures are asked for anew, at the new width; what is read stays in view."""
        bar = self.verticalScrollBar()
        share = bar.value() / bar.maximum() if bar.maximum() else 0.0
        self._render()
        bar.setValue(round(share * bar.maximum()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_selected()
        else:
            super().keyPressEvent(event)

    def createMimeDataFromSelection(self) -> QMimeData:
        if self.may_copy:
            return super().createMimeDataFromSelection()
        self.copy_refused.emit()
        return QMimeData()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if event.angleDelta().y():
                self.set_factor(self.factor * 1.0015 ** event.angleDelta().y())
            event.accept()
            return
        super().wheelEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.watermark:
            painter = QPainter(self.viewport())
            paint_watermark(painter, self.viewport().rect().toRectF(), self.watermark, on_paper=False)
