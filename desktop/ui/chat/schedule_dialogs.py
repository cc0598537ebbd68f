"""Sending later: when, and what waits already."""

from datetime import datetime, timedelta
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from desktop.core.domain import ScheduledMessage, ScheduledState
from desktop.ui import theme
from desktop.ui.chat.text import one_line
from desktop.ui.chat.time_field import TimeField
from desktop.ui.i18n import has, tr, when
from desktop.ui.kit import Button, Dialog, Label, Scroll, on_click, row
from desktop.ui.layouts import empty_layout

LEAST_AHEAD_MS = 60_000


def usual_times(now_ms: int) -> list[tuple[str, int]]:
    """Moments one often means, as (key, ms): this evening while it is ahead, tomorrow at nine, Monday at nine."""
    now = datetime.fromtimestamp(now_ms / 1000).astimezone()

    def at(days: int, hour: int) -> int:
        day = (now + timedelta(days=days)).replace(hour=hour, minute=0, second=0, microsecond=0)
        return round(day.timestamp() * 1000)

    found = [("evening", at(0, 18)), ("tomorrow", at(1, 9)), ("monday", at(7 - now.weekday(), 9))]
    return [(f"chat_talk.later.{name}", moment) for name, moment in found if moment > now_ms + LEAST_AHEAD_MS]


class LaterDialog(Dialog):
    """Asks when a text is to be sent. `at` in ms since 1970."""

    def __init__(self, parent: QWidget, text: str, *, at: int = 0) -> None:
        super().__init__(parent, "chat_talk.later.title", width=420)
        now = when.now()
        self.field = TimeField("chat_talk.later.title", at or now + 60 * 60_000)
        self.problem = Label(role="secondary", tone="red_text", wrap=True)
        self.body.addWidget(Label(key="chat_talk.later.title", role="header", strong=True))
        self.body.addWidget(Label(one_line(text, 120), role="secondary", tone="ink2", wrap=True))
        choices = []
        for key, moment in usual_times(now):
            button = Button(key=key, small=True)
            on_click(button, partial(self._choose, moment))
            choices.append(button)
        self.body.addLayout(row(*choices, None))
        self.body.addWidget(self.field)
        self.body.addWidget(self.problem)
        self.add_button("common.cancel", accept=False)
        self.ok = self.add_button("chat_talk.later.do", kind="primary", accept=True)
        self.field.dateTimeChanged.connect(lambda _moment: self._show_state())
        self._show_state()

    @property
    def at(self) -> int:
        """When."""
        return self.field.at

    def _choose(self, moment: int) -> None:
        self.field.set_at(moment)

    def _show_state(self) -> None:
        late = self.at <= when.now()
        self.problem.setText(tr("chat_talk.later.past") if late else "")
        self.ok.setEnabled(not late)


class ScheduledList(Dialog):
    """What waits to be sent in a conversation; each can be moved, changed back into a draft, or given up."""

    moved = Signal(str)  # the id: ask for another time
    edited = Signal(str)  # the id: back into the composer
    dropped = Signal(str)  # the id

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "chat_talk.later.list", width=460)
        self.items: list[ScheduledMessage] = []
        self.body.addWidget(Label(key="chat_talk.later.list", role="header", strong=True))
        self._scroll = Scroll(surface="surface")
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the buttons inside take the keyboard and come into sight
        self._scroll.inner.setContentsMargins(0, 0, 0, 0)
        self._scroll.inner.setSpacing(8)
        self._scroll.setMinimumHeight(theme.scaled(260))
        self.body.addWidget(self._scroll, 1)
        self.add_button("common.close", accept=False)

    def show_items(self, items: list[ScheduledMessage]) -> None:
        """The list as it is now, soonest first; what is sent is left out."""
        self.items = sorted((one for one in items if one.state is not ScheduledState.SENT), key=lambda one: one.send_at)
        empty_layout(self._scroll.inner)
        if not self.items:
            nothing = Label(key="chat_talk.later.none", tone="ink3", wrap=True)
            nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self._scroll.inner.addWidget(nothing)
        for item in self.items:
            self._scroll.inner.addWidget(self._card(item))
        self._scroll.inner.addStretch(1)

    def _card(self, item: ScheduledMessage) -> QWidget:
        card = QFrame()
        card.setProperty("surface", "card")
        failed = item.state is ScheduledState.FAILED
        head = Label(when.date_time(item.send_at), role="secondary", tone="red_text" if failed else "link")
        if failed:
            key = f"chat.refused.{item.reason}"
            head.setText(f"{when.date_time(item.send_at)} ・ {tr(key) if has(key) else tr('chat_talk.later.failed')}")
        text = Label(one_line(item.text, 300), wrap=True)
        buttons = []
        for name, signal in (("move", self.moved), ("edit", self.edited), ("drop", self.dropped)):
            button = Button(key=f"chat_talk.later.{name}", kind="link", small=True)
            button.setObjectName(f"chat.later.{name}")
            on_click(button, partial(signal.emit, item.id))
            buttons.append(button)
        column = QVBoxLayout(card)
        column.setContentsMargins(12, 8, 12, 6)
        column.setSpacing(4)
        column.addWidget(head)
        column.addWidget(text)
        column.addLayout(row(*buttons, None, spacing=2))
        return card
