"""Shows safe HTML as tall as it is, inside a scrolling page. Loads nothing from anywhere; links open only after a question."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QResizeEvent, QTextOption, QWheelEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser, QWidget

from desktop.platform import opening
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import confirm
from desktop.ui.office.safe_html import may_open, safe_html
from desktop.ui.tasks import TaskOwner, alive
from desktop.ui.theme.stylesheet import css


class HtmlView(QTextBrowser):
    """The body of a record."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTabChangesFocus(True)
        self.setObjectName("htmlView")
        self.setProperty("look", "bare")
        self.tasks = TaskOwner(self)
        self._body = ""
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setUndoRedoEnabled(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizePolicy(policy)
        i18n.bind(self.setAccessibleName, "office.body")
        self.anchorClicked.connect(self._on_link)
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self.updateGeometry())
        theme.changed.connect(self._render)

    def show_body(self, body: str) -> None:
        """Shows another body; it is cleaned here."""
        self._body = safe_html(body)
        self._render()

    def _render(self) -> None:
        colors, size = theme.tokens(), theme.scaled(14)
        self.document().setDefaultStyleSheet(
            f"p,li,td,th{{line-height:165%}} p{{margin-top:0;margin-bottom:{size // 2}px}} a{{color:{css(colors.link)}}} td,th{{padding:4px 8px}}"
            f"h1{{font-size:{size + 6}px}} h2{{font-size:{size + 4}px}} h3,h4{{font-size:{size + 2}px}}"
            f"blockquote{{color:{css(colors.ink2)}}}"
        )
        font = theme.font("emphasis")
        self.document().setDefaultFont(font)
        self.document().setDocumentMargin(0)
        self.setHtml(self._body)

    def _on_link(self, url: QUrl) -> None:
        address = url.toString(QUrl.ComponentFormattingOption.FullyEncoded)
        if may_open(address):
            self.tasks.start(self._open(address), name="link", exclusive=True)

    async def _open(self, address: str) -> None:
        text = tr("office.open_link_text", address=address)
        if await confirm(self, "office.open_link", text, accept_key="office.open_in_browser") and alive(self):
            opening.open_web_link(address)

    # ---- Qt overrides
    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """Nothing is ever loaded: not from the network, not from the disk."""
        return None

    def sizeHint(self) -> QSize:
        return QSize(320, max(24, round(self.document().size().height()) + 2))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.updateGeometry()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the page around scrolls
