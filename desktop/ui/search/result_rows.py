"""How a hit is painted and read out: face or icon, the line that hit, where it is from, when."""

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem, QWidget

from desktop.core.domain import ConversationKind, MessageKind
from desktop.core.domain.search import Excerpt, Found, FoundKind
from desktop.models.search import Row, SearchModel, SearchRole
from desktop.ui import theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import (
    RowDelegate,
    conversation_icon,
    conversation_name,
    draw_elided,
    paint_avatar,
    paint_file_sheet,
)
from desktop.ui.kit.panes import Index
from desktop.ui.search.marked_text import led, paint_excerpt
from desktop.ui.theme import icons

HEIGHT, HEADING = 54, 30
SIDE, ICON_SIDE = 34, 18
_KIND_ICONS = {
    FoundKind.NOTICE: "megaphone",
    FoundKind.DOCUMENT: "file-text",
    FoundKind.RECORD: "clipboard-text",
}


def module_icon(name: str, otherwise: str) -> str:
    """The glyph of a module ("ph.car"), where the family has it."""
    bare = name.rpartition(".")[2]
    return bare if bare and icons.exists(bare) else otherwise


def title_of(found: Found, *, inside: bool = False) -> Excerpt:
    """The first line: of a message its conversation, its sender and its words; `inside` its conversation the words alone."""
    if found.message is None or inside:
        return found.title
    conversation = found.conversation
    group = conversation is not None and conversation.kind is not ConversationKind.DIRECT
    where = conversation_name(conversation) if conversation is not None and group else ""
    lead = tr("search.says", name=found.who) if found.who else ""
    lead = f"{where} ・ {lead}" if where else lead
    return led(lead, found.title)


def detail_of(found: Found, *, inside: bool = False) -> Excerpt:
    """The second line."""
    match found.kind:
        case FoundKind.MESSAGE | FoundKind.FILE:
            said = when.separator(found.at, when.now()) if found.at else ""
            said = f"{found.who} ・ {said}" if inside and found.who else said
            return Excerpt(f"{said} ・ {tr('search.from_server')}" if found.remote else said)
        case FoundKind.CONVERSATION:
            people = tr("search.people", n=found.count)
            return led(f"{people} ・ ", found.detail) if found.detail.text else Excerpt(people)
        case FoundKind.PERSON if found.type == "Department":
            people = f"{tr('search.department')} ・ {tr('search.people', n=found.count)}"
            return led(f"{people} ・ ", found.detail) if found.detail.text else Excerpt(people)
    return found.detail


def spoken(row: Row) -> str:
    """What a screen reader says of a row."""
    if row.found is not None:
        return ", ".join(part for part in (title_of(row.found).text, detail_of(row.found).text) if part)
    if row.command is not None:
        return ", ".join(part for part in (row.command.title.text, row.command.detail) if part)
    return tr(f"search.kind.{row.section}")


class SpokenResults(SearchModel):
    """The hits with the words a screen reader needs."""

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.AccessibleTextRole:
            row = self.row(index.row()) if index.isValid() else None
            return None if row is None else spoken(row)
        return super().data(index, role)


class ResultDelegate(RowDelegate):
    """Rows of the search, headings among them."""

    height = HEIGHT
    padding = 16

    def __init__(self, parent: QWidget, *, inside: bool = False) -> None:
        super().__init__(parent)
        self._inside = inside  # of one conversation: rows tell who, not where

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        row: Row | None = index.data(SearchRole.ROW)
        return QSize(theme.scaled(120), theme.scaled(HEADING if row is None or row.heading else HEIGHT))

    def background(self, option: QStyleOptionViewItem, index: Index) -> QColor | None:
        row: Row | None = index.data(SearchRole.ROW)
        return None if row is None or row.heading else super().background(option, index)

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        row: Row = index.data(SearchRole.ROW)
        if row.heading:
            below = rect.adjusted(0, theme.scaled(6), 0, 0)
            draw_elided(painter, below, tr(f"search.kind.{row.section}"), theme.font("secondary"), theme.tokens().ink3)
            return
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        side = theme.scaled(SIDE)
        self._face(painter, QRectF(rect.left(), rect.center().y() - side / 2 + 0.5, side, side), row)
        text = rect.adjusted(side + theme.scaled(12), theme.scaled(7), 0, -theme.scaled(7))
        text.setRight(text.right() - self._foot(painter, text, row, chosen))
        title, detail = self._lines(row)
        if not detail.text:
            paint_excerpt(painter, text, title, theme.font("base"), theme.tokens().ink)
            return
        half = text.height() // 2
        upper = QRect(text.left(), text.top(), text.width(), half)
        lower = QRect(text.left(), text.top() + half, text.width(), text.height() - half)
        paint_excerpt(painter, upper, title, theme.font("base"), theme.tokens().ink)
        paint_excerpt(painter, lower, detail, theme.font("secondary"), theme.tokens().ink3)

    def _lines(self, row: Row) -> tuple[Excerpt, Excerpt]:
        if row.found is not None:
            return title_of(row.found, inside=self._inside), detail_of(row.found, inside=self._inside)
        assert row.command is not None
        return row.command.title, Excerpt(row.command.detail)

    def _foot(self, painter: QPainter, rect: QRect, row: Row, chosen: bool) -> int:
        """What stands at the right end; answers the room it takes."""
        said = self._right(row, chosen)
        if not said:
            return 0
        font = theme.font("secondary")
        width = QFontMetrics(font).horizontalAdvance(said)
        draw_elided(
            painter, QRect(rect.right() - width, rect.top(), width + 1, rect.height()), said, font, theme.tokens().ink3
        )
        return width + theme.scaled(12)

    def _right(self, row: Row, chosen: bool) -> str:
        if chosen and not self._inside and row.section in (FoundKind.MESSAGE, FoundKind.FILE):
            return tr("search.locate")
        if row.found is not None and row.found.kept:
            return tr("search.kept")
        if row.found is not None and row.found.at and row.found.message is None:
            return when.short(row.found.at, when.now())
        return ""

    def _face(self, painter: QPainter, place: QRectF, row: Row) -> None:
        found = row.found
        if found is None:
            assert row.command is not None
            self._icon(painter, place, row.command.icon)
        elif found.message is not None and found.message.attachment is not None and found.kind is FoundKind.FILE:
            if found.message.kind is MessageKind.FILE:
                inset = place.width() * 0.12
                paint_file_sheet(painter, place.adjusted(inset, 0, -inset, 0), found.message.attachment.name)
            else:
                self._icon(painter, place, "image")
        elif self._inside and found.message is not None:
            paint_avatar(painter, place, found.who, found.message.sender_id or "")
        elif found.conversation is not None:
            talk = found.conversation
            key = talk.peer_id if talk.kind is ConversationKind.DIRECT and talk.peer_id else talk.id
            paint_avatar(painter, place, conversation_name(talk), key, icon=conversation_icon(talk))
        elif found.type == "Department":
            paint_avatar(painter, place, found.title.text, found.id, icon="tree-structure")
        elif found.kind is FoundKind.PERSON:
            paint_avatar(painter, place, found.title.text, found.id)
        else:
            self._icon(painter, place, module_icon(found.icon, _KIND_ICONS.get(found.kind, "chat-circle-dots")))

    @staticmethod
    def _icon(painter: QPainter, place: QRectF, name: str) -> None:
        colors = theme.tokens()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colors.field)
        painter.drawRoundedRect(place, 8, 8)
        edge = theme.scaled(ICON_SIDE)
        spot = QRectF(place.center().x() - edge / 2, place.center().y() - edge / 2, edge, edge)
        icons.paint(painter, spot, name, colors.ink2)
