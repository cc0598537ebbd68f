"""Draws a transfer's row with its actions, and says which action lies under the mouse."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.core.domain import Transfer, TransferState
from desktop.models.transfers import TransferRole
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.theme import icons
from desktop.ui.transfers.words import ICONS, Action, actions, detail, fraction, title, tone

Index = QModelIndex | QPersistentModelIndex

PADDING = 16
LINE = 22
BAR = 4
ICON = 16
BUTTON = 26


class TransferDelegate(QStyledItemDelegate):
    """One row: name and actions, a bar, what is going on."""

    def height(self) -> int:
        """A row's height in logical pixels."""
        return theme.scaled(2 * LINE + BAR + 32)

    def buttons(self, row: QRect, transfer: Transfer) -> list[tuple[Action, QRect]]:
        """The actions' places, from the right; the main action stands leftmost."""
        side = theme.scaled(BUTTON)
        right = row.right() - theme.scaled(PADDING) + 6
        top = row.top() + theme.scaled(8)
        places: list[tuple[Action, QRect]] = []
        for action in reversed(actions(transfer)):
            width = side
            if action is Action.OPEN:
                width = QFontMetrics(theme.font("secondary")).horizontalAdvance(
                    tr("transfers.action.open")
                ) + theme.scaled(12)
            places.append((action, QRect(right - width, top, width, side)))
            right -= width
        return places

    def action_at(self, row: QRect, transfer: Transfer, at: QPoint) -> Action | None:
        """The action under a point of the row."""
        return next((action for action, place in self.buttons(row, transfer) if place.contains(at)), None)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        transfer = index.data(TransferRole.TRANSFER)
        if not isinstance(transfer, Transfer):
            return
        row: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, row, state)
        places = self.buttons(row, transfer)
        self._paint_words(painter, row, transfer, right=min((place.left() for _, place in places), default=row.right()))
        for action, place in places:
            self._paint_action(painter, action, place)
        painter.restore()

    def _paint_ground(self, painter: QPainter, row: QRect, state: QStyle.StateFlag) -> None:
        palette = theme.tokens()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(row, palette.selected)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(row, palette.hover)
        inset = theme.scaled(PADDING)
        painter.setPen(palette.line)
        painter.drawLine(row.left() + inset, row.bottom(), row.right() - inset, row.bottom())

    def _paint_words(self, painter: QPainter, row: QRect, transfer: Transfer, *, right: int) -> None:
        palette = theme.tokens()
        left, inset = row.left() + theme.scaled(PADDING), theme.scaled(PADDING)
        top = row.top() + theme.scaled(10)
        painter.setFont(theme.font("base"))
        painter.setPen(palette.ink)
        name = QRect(left, top, right - left - 8, theme.scaled(LINE))
        elided = painter.fontMetrics().elidedText(title(transfer), Qt.TextElideMode.ElideMiddle, name.width())
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, elided)
        bar = QRectF(left, name.bottom() + theme.scaled(5), row.width() - 2 * inset, theme.scaled(BAR))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.line)
        painter.drawRoundedRect(bar, bar.height() / 2, bar.height() / 2)
        done = QRectF(bar)
        done.setWidth(max(bar.height() if transfer.moved else 0.0, bar.width() * fraction(transfer)))
        painter.setBrush(palette.named(tone(transfer)))
        painter.drawRoundedRect(done, bar.height() / 2, bar.height() / 2)
        painter.setFont(theme.font("secondary"))
        painter.setPen(palette.red_text if transfer.state is TransferState.FAILED else palette.ink3)
        words = QRect(left, round(bar.bottom()) + theme.scaled(3), row.width() - 2 * inset, theme.scaled(LINE))
        elided = painter.fontMetrics().elidedText(detail(transfer), Qt.TextElideMode.ElideRight, words.width())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, elided)

    def _paint_action(self, painter: QPainter, action: Action, place: QRect) -> None:
        palette = theme.tokens()
        if action is Action.OPEN:
            painter.setFont(theme.font("secondary"))
            painter.setPen(palette.link)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, tr("transfers.action.open"))
            return
        side = theme.scaled(ICON)
        box = QRectF(0, 0, side, side)
        box.moveCenter(QRectF(place).center())
        plain = action in (Action.CANCEL, Action.REMOVE, Action.FOLDER, Action.SAVE)
        icons.paint(painter, box, ICONS[action], palette.ink3 if plain else palette.link)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme.scaled(240), self.height())
