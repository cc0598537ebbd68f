"""The pop-up of what had gathered: how many alerts wait, of which kinds, and the way to them."""

from collections import Counter

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from desktop.models.alerts import BacklogItem
from desktop.ui import theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Avatar, Button, Chip, Divider, IconButton, Label, on_click, row
from desktop.ui.toasts.toast import Toast, alert_heading

KINDS = 3
"""So many kinds are told apart; the rest is in the number."""


class BacklogToast(Toast):
    """Stays while something urgent is among it."""

    snoozed = Signal(str)

    def __init__(self, item: BacklogItem) -> None:
        super().__init__(item.key, stays=item.urgent)
        self._item = item
        self._build_ui()
        self._fill()

    def renew(self, item: BacklogItem) -> None:
        """More came, or some were dealt with elsewhere."""
        self._item, self.stays = item, item.urgent
        self._fill()
        self.adjustSize()
        self._restart()

    def _build_ui(self) -> None:
        self._close = IconButton("x", "common.close", size=12, box=22)
        on_click(self._close, self.dismiss)
        self._avatar = Avatar(theme.values.AVATAR_LIST)
        self._title = Label(strong=True, wrap=True)
        self._chip = Chip(tone="red", key="toasts.urgent")
        self._kinds = Label(role="secondary", tone="ink3", wrap=True)
        self.open = Button(key="toasts.backlog.open", kind="primary", small=True)
        self.open.setObjectName("toastOpen")
        self.snooze = Button(key="toasts.snooze", kind="secondary", small=True)
        self.snooze.setObjectName("toastSnooze")
        on_click(self.open, lambda: self.opened.emit(self.key))
        on_click(self.snooze, lambda: self.snoozed.emit(self.key))
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addWidget(self._title)
        words.addWidget(self._kinds)
        words.addSpacing(6)
        words.addLayout(row(self.open, self.snooze, None))
        body = QHBoxLayout()
        body.setContentsMargins(12, 10, 14, 12)
        body.setSpacing(10)
        body.addWidget(self._avatar, 0, Qt.AlignmentFlag.AlignTop)
        body.addLayout(words, 1)
        program = Label(key="app.name", role="secondary", strong=True)
        self._outer.addLayout(row(program, None, self._chip, self._close, margins=(14, 6, 10, 6)))
        self._outer.addWidget(Divider())
        self._outer.addLayout(body)

    def _fill(self) -> None:
        alerts = self._item.alerts
        self._title.setText(tr("toasts.backlog", n=len(alerts)))
        self._avatar.set_subject(self._title.text(), "backlog", icon="bell-ringing")
        counts = Counter(alert_heading(alert) for alert in alerts).most_common(KINDS)
        parts = [tr("toasts.backlog.kind", kind=kind, n=count) for kind, count in counts]
        self._kinds.setText(when.list_join(parts))
        self._chip.setVisible(self._item.urgent)
        self.setAccessibleName(f"{self._title.text()}: {self._kinds.text()}")
