"""The way to the server before anybody is signed in: the card of the settings, in a window of its own over the login window."""

from collections.abc import Awaitable, Callable

from PySide6.QtWidgets import QWidget

from desktop.platform.preferences import Preferences
from desktop.ui import theme
from desktop.ui.kit import Dialog, Label, Scroll
from desktop.ui.settings.proxy import ProxyGroup
from desktop.ui.settings.rows import Rows

HEIGHT = 390


class NetworkDialog(Dialog):
    """Everything in it counts once it is applied; `apply` as for ProxyGroup."""

    def __init__(
        self, parent: QWidget, preferences: Preferences, apply: Callable[[str | None], Awaitable[None]]
    ) -> None:
        super().__init__(parent, "login.network", width=460)
        rows = Rows(preferences)
        self.group = ProxyGroup(rows, apply)
        self.body.addWidget(Label(key="login.network", role="header", strong=True))
        self.body.addWidget(Label(key="login.network.hint", role="secondary", tone="ink2", wrap=True))
        scroll = Scroll()
        scroll.inner.setContentsMargins(0, 0, 0, 0)
        scroll.inner.addWidget(self.group)
        scroll.inner.addStretch(1)
        scroll.setMinimumHeight(theme.scaled(HEIGHT))
        self.body.addWidget(scroll, 1)
        self.add_button("common.close", accept=False)
        rows.sync()
