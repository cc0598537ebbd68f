"""The list of notices: painted rows of three lines, unread ones bold, pinned ones tinted, chips for level and what is to do."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

from desktop.core.domain import Notice
from desktop.models.records import NoticeListModel, NoticeRole
from desktop.ui import theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import ListPane, RowDelegate, draw_elided, paint_chip
from desktop.ui.office.levels import chip_of
from desktop.ui.theme import icons

Index = QModelIndex | QPersistentModelIndex


class NoticeDelegate(RowDelegate):
    """Title; unit and author; chips and date."""

    height = 82
    padding = 14

    def __init__(self, now_ms: Callable[[], int], parent: QWidget) -> None:
        super().__init__(parent)
        self._now_ms = now_ms

    def background(self, option: QStyleOptionViewItem, index: Index) -> QColor | None:
        fill = super().background(option, index)
        notice: Notice = index.data(NoticeRole.NOTICE)
        return theme.tokens().pinned if fill is None and notice.pinned else fill

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        colors = theme.tokens()
        notice: Notice = index.data(NoticeRole.NOTICE)
        unread = bool(index.data(NoticeRole.UNREAD))
        gone = notice.state == "withdrawn"
        top, line = rect.top() + theme.scaled(9), theme.scaled(21)
        width = rect.width()
        painter.fillRect(QRect(rect.left() - theme.scaled(14), rect.bottom(), 10_000, 1), colors.line)
        title = QRect(rect.left(), top, width, line)
        if notice.pinned:
            side = theme.scaled(14)
            icons.paint(painter, QRectF(rect.right() - side, top + 3, side, side), "push-pin-fill", colors.ink3)
            title.setWidth(width - side - theme.scaled(6))
        draw_elided(painter, title, notice.title, theme.font("base", bold=unread), colors.ink3 if gone else colors.ink)
        second = QRect(rect.left(), top + line, width, line)
        draw_elided(painter, second, str(index.data(NoticeRole.AUTHOR)), theme.font("secondary"), colors.ink3)
        third = QRect(rect.left(), top + 2 * line, width, line)
        stamp = when.short(notice.published_at or notice.created_at, self._now_ms())
        taken = draw_elided(
            painter, third, stamp, theme.font("secondary"), colors.ink3, align=Qt.AlignmentFlag.AlignRight
        )
        self._paint_chips(painter, third.adjusted(0, 0, -taken - theme.scaled(8), 0), notice, index)

    @staticmethod
    def _paint_chips(painter: QPainter, rect: QRect, notice: Notice, index: Index) -> None:
        text, tone = chip_of(notice)
        pill = paint_chip(painter, rect.left(), rect.center().y() + 0.5, text, tone)
        state = ""
        if index.data(NoticeRole.TO_CONFIRM):
            state = tr("office.to_confirm")
        elif notice.my_confirmed_at:
            state = tr("office.confirmed")
        elif index.data(NoticeRole.UNREAD):
            state = tr("office.unread")
        if notice.has_vote:
            state = f"{state} · {tr('office_notice.with_vote')}" if state else tr("office_notice.with_vote")
        if notice.attachments:
            count = tr("office.attachment_count", n=len(notice.attachments))
            state = f"{state} · {count}" if state else count
        beside = rect.adjusted(round(pill.width()) + theme.scaled(8), 0, 0, 0)
        draw_elided(painter, beside, state, theme.font("secondary"), theme.tokens().ink2)


class NoticeList(ListPane):
    """The list; `picked` as the user goes through it."""

    picked = Signal(str)

    def __init__(self, model: NoticeListModel, now_ms: Callable[[], int], parent: QWidget | None = None) -> None:
        super().__init__("office.notices", parent=parent)
        self.setObjectName("noticeList")
        self._model = model
        self.setItemDelegate(NoticeDelegate(now_ms, self))
        self.setModel(model)
        self.selectionModel().currentChanged.connect(self._on_current)

    def select(self, notice_id: str) -> bool:
        """Goes to a notice of the list; False when it is not in it."""
        row = self._model.position(notice_id)
        if row >= 0:
            self.setCurrentIndex(self._model.index(row))
            self.scrollTo(self._model.index(row))
        return row >= 0

    def _on_current(self, index: QModelIndex) -> None:
        notice = index.data(NoticeRole.NOTICE)
        if isinstance(notice, Notice):
            self.picked.emit(notice.id)
