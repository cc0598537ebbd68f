"""The feed view: records as cards, newest first. What comes in while the user reads further down waits behind a button; nothing moves under the eyes."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core.domain.definition import View
from desktop.core.domain.records import Record, RecordQuery
from desktop.core.errors import AppError
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Scroll, on_click
from desktop.ui.layouts import discard
from desktop.ui.office.views.base import RecordView, ViewContext, register
from desktop.ui.office.views.feed_card import FeedCard
from desktop.ui.office.views.state_stack import StateStack
from desktop.ui.tasks import alive

PAGE: Final = 10
"""More than a screen: each card takes its time to be made."""
ROOM: Final = 40
"""New records that are looked for above the ones shown."""
NEAR: Final = 600
"""Pixels before the end at which more is read."""
WIDEST: Final = 760
NEWEST: Final = ("-createdAt",)
CLOCK_MS: Final = 60_000


@register("feed")
class FeedView(RecordView):
    """Cards of one type."""

    def __init__(self, context: ViewContext, view: View, parent: QWidget | None = None) -> None:
        super().__init__(context, view, parent)
        self.cards: dict[str, FeedCard] = {}
        self.total = 0
        self.fresh = 0
        self._marked = ""
        self.area = Scroll(surface="bg")
        self.area.content.setObjectName("feedCards")
        self.area.inner.setContentsMargins(16, 12, 16, 16)
        self.area.inner.setSpacing(10)
        self.area.inner.addStretch(1)
        i18n.bind(self.area.setAccessibleName, "office_views.feed")
        self.stack = StateStack(self.area)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.stack)
        self.more = Button(kind="primary", small=True, parent=self)
        self.more.setObjectName("feedFresh")
        self.more.hide()
        on_click(self.more, self.show_fresh)
        self.area.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.area.verticalScrollBar().rangeChanged.connect(lambda _low, _high: self._on_scrolled())
        self.stack.retry.connect(self.reload)
        context.definition_changed.connect(self._rebuild)
        self._clock = QTimer(self, interval=CLOCK_MS)
        self._clock.timeout.connect(self.on_names)
        self._clock.start()

    # ---- reading
    @property
    def at_top(self) -> bool:
        """Whether the user looks at the newest ones."""
        return self.area.verticalScrollBar().value() <= theme.scaled(40)

    def set_text(self, text: str) -> None:
        if text != self.needle:
            self._from_top()
            super().set_text(text)

    def set_filter(self, condition: dict[str, object] | None) -> None:
        if condition != self.narrowed:
            self._from_top()
            super().set_filter(condition)

    def _from_top(self) -> None:
        self.area.verticalScrollBar().setValue(0)

    def _rebuild(self) -> None:
        self._drop(list(self.cards))
        self.reload()

    def reload(self) -> None:
        self.tasks.start(self._reload(), name="reload", exclusive=True)

    def _query(self, offset: int, limit: int) -> RecordQuery:
        return RecordQuery(self.view.type, self.wanted(), self.needle, self.view.sort or NEWEST, offset, limit)

    async def _reload(self) -> None:
        try:
            page = await self.context.records.page(self._query(0, max(PAGE, len(self.cards)) + ROOM))
        except AppError as error:
            if alive(self) and not self.stack.showing:
                self.stack.show_failed(error)
                return
            raise
        if not alive(self):
            return
        self.total = page.total
        if self.at_top or not self.cards:
            self._show_all(list(page.records)[: max(PAGE, len(self.cards))])
        else:
            self._show_below(list(page.records))
        if not page.total:
            self.stack.show_empty(narrowed=bool(self.needle or self.narrowed))
        else:
            self.stack.show_content()

    def _show_all(self, records: list[Record]) -> None:
        """Exactly these, in this order."""
        wanted = [record.id for record in records]
        self._drop([key for key in self.cards if key not in wanted])
        for place, record in enumerate(records):
            card = self.cards.get(record.id) or self._add(record.id)
            if self.area.inner.indexOf(card) != place:
                self.area.inner.removeWidget(card)
                self.area.inner.insertWidget(place, card)
            self._fill(card, record)
        self.cards = {key: self.cards[key] for key in wanted}
        self._set_fresh(0)

    def _show_below(self, records: list[Record]) -> None:
        """The user reads further down: cards are filled anew where they are, new ones above wait."""
        by = {record.id: record for record in records}
        order = [record.id for record in records]
        last = max((order.index(key) for key in self.cards if key in by), default=-1)
        fresh = [key for key in order[: last + 1] if key not in self.cards]
        gone = [key for key in self.cards if key not in by]
        if len(order) >= self.total or len(fresh) < ROOM:  # else they may only have been pushed out of what was read
            self._drop(gone)
        for key, card in self.cards.items():
            if key in by:
                self._fill(card, by[key])
        self._set_fresh(len(fresh))

    def _set_fresh(self, count: int) -> None:
        self.fresh = count
        self.more.setText(tr("office_views.fresh", n=count))
        self.more.setVisible(count > 0)
        self.more.adjustSize()
        self.more.move((self.width() - self.more.width()) // 2, 10)
        self.more.raise_()

    def show_fresh(self) -> None:
        """Goes to the top and shows what came in."""
        self._from_top()
        self.reload()

    def _on_scrolled(self, _value: int = 0) -> None:
        bar = self.area.verticalScrollBar()
        near = bar.maximum() - bar.value() < theme.scaled(NEAR)
        if near and self.cards and len(self.cards) < self.total and not self.tasks.running("more"):
            self.tasks.start(self._read_more(), name="more")
        if self.fresh and self.at_top:
            self.reload()

    async def _read_more(self) -> None:
        page = await self.context.records.page(self._query(len(self.cards) + self.fresh, PAGE))
        if not alive(self):
            return
        self.total = page.total
        for record in page.records:
            if record.id not in self.cards:
                card = self._add(record.id)
                self.area.inner.insertWidget(len(self.cards) - 1, card)
                self._fill(card, record)

    # ---- cards
    def _add(self, key: str) -> FeedCard:
        card = FeedCard(self.context, self.view.columns, self.label_of)
        card.setMaximumWidth(theme.scaled(WIDEST))
        card.opened.connect(self._on_opened)
        card.stepped.connect(lambda step, key=key: self._on_step(key, step))
        card.file_asked.connect(self.file_asked)
        card.set_marked(key == self._marked)
        self.cards[key] = card
        return card

    @staticmethod
    def _fill(card: FeedCard, record: Record) -> None:
        if card.record != record:
            card.show_record(record)

    def _drop(self, keys: list[str]) -> None:
        for key in keys:
            card = self.cards.pop(key)
            self.area.inner.removeWidget(card)
            discard(card)

    def _on_opened(self, record_id: str) -> None:
        self.selection_changed.emit([record_id])
        self.opened.emit(record_id)

    def _on_step(self, key: str, step: int) -> None:
        keys = list(self.cards)
        place = keys.index(key) + step
        if 0 <= place < len(keys):
            self.cards[keys[place]].setFocus()
            self.area.ensureWidgetVisible(self.cards[keys[place]], 0, 20)
            self.selection_changed.emit([keys[place]])

    # ---- for the page
    def show_record(self, record_id: str) -> None:
        self._marked = record_id
        for key, card in self.cards.items():
            card.set_marked(key == record_id)

    def on_names(self) -> None:
        for card in self.cards.values():
            if card.record is not None:
                card.show_record(card.record)
        self._set_fresh(self.fresh)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]  # Qt hands a QResizeEvent
        self._set_fresh(self.fresh)
