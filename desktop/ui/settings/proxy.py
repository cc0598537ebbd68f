"""The way to the server: as the system, straight, or through an HTTP or SOCKS5 proxy; what is applied is tried at once, and told."""

from collections.abc import Awaitable, Callable
from typing import Final

from PySide6.QtGui import QIntValidator

from desktop.core.errors import AppError
from desktop.platform.preferences import Preferences
from desktop.platform.system_proxy import READS_SCRIPTS
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, PasswordField, TextField, on_click
from desktop.ui.settings.controls import Choice, SettingGroup, SettingRow
from desktop.ui.settings.rows import Rows
from desktop.ui.tasks import TaskOwner, alive

KINDS: Final = ("system", "none", "http", "socks5")
NAMED: Final = ("http", "socks5")
MOST_PORT: Final = 65535
FIELD_WIDTH: Final = 220


class ProxyGroup(SettingGroup):
    """The card. `apply` takes the preferences as they are then and a password (None: the kept one); it raises AppError when the way is closed."""

    def __init__(self, rows: Rows, apply: Callable[[str | None], Awaitable[None]]) -> None:
        self._preferences: Preferences = rows.preferences
        self._apply = apply
        self.kind = Choice("settings.proxy", [(kind, f"settings.proxy.{kind}") for kind in KINDS])
        self.host = self._field("settings.proxy_host")
        self.port = self._field("settings.proxy_port")
        self.port.setValidator(QIntValidator(1, MOST_PORT, self.port))
        self.login = self._field("settings.proxy_login")
        self.password = PasswordField(key="settings.proxy_password")
        self.password.setObjectName("settings.proxy_password")
        self.password.setFixedWidth(theme.scaled(FIELD_WIDTH))
        self.button = Button(key="settings.proxy_apply.button", small=True)
        self.button.setObjectName("proxyApply")
        self._result = SettingRow("settings.proxy_apply", self.button)
        self._result.hint.setWordWrap(True)
        fields = (self.host, self.port, self.login, self.password)
        self._detail = [SettingRow(field.objectName(), field) for field in fields]
        self._way = SettingRow("settings.proxy", self.kind, hint=True)
        self._way.hint.setWordWrap(True)
        super().__init__("settings.group.proxy", [self._way, *self._detail, self._result])
        self.tasks = TaskOwner(self)
        self.kind.on_chosen(lambda _kind: self._show_fields())
        on_click(self.button, self._on_apply)
        for field in fields:
            field.returnPressed.connect(self.button.click)
        rows.syncs.append(self.show_kept)

    def _field(self, key: str) -> TextField:
        field = TextField(key=key)
        field.setObjectName(key)
        field.setFixedWidth(theme.scaled(FIELD_WIDTH))
        return field

    def show_kept(self) -> None:
        """What is kept now; what is being typed stays."""
        if self.isAncestorOf(self.focusWidget() or self) and self.focusWidget() in (self.host, self.port, self.login):
            return
        choices = self._preferences.now
        self.kind.choose(choices.proxy)
        self.host.setText(choices.proxy_host)
        self.port.setText(str(choices.proxy_port) if choices.proxy_port else "")
        self.login.setText(choices.proxy_login)
        self._show_fields()

    def filter(self, wanted: str) -> bool:
        """As every group; the fields of a proxy only where one is named."""
        shown = super().filter(wanted)
        self._show_fields()
        return shown

    def _show_fields(self) -> None:
        named = self.kind.currentData() in NAMED
        for one in self._detail:
            one.setVisible(named)
        silent = self.kind.currentData() == "system" and not READS_SCRIPTS
        i18n.bind(self._way.hint.setText, "settings.proxy.no_scripts" if silent else "settings.proxy.hint")
        for line, part in zip(self._lines, self.rows[1:], strict=True):
            line.setVisible(not part.isHidden())

    def _on_apply(self) -> None:
        kind = str(self.kind.currentData() or "system")
        host, port = self.host.text().strip(), self.port.text().strip()
        if kind in NAMED and not (host and port.isdigit() and 0 < int(port) <= MOST_PORT):
            self._say(tr("settings.proxy.incomplete"), good=False)
            (self.port if host else self.host).setFocus()
            return
        password = self.password.text() or None
        number = int(port) if port.isdigit() else 0
        self._preferences.set(proxy=kind, proxy_host=host, proxy_port=number, proxy_login=self.login.text().strip())
        self._say(tr("settings.proxy.trying"), good=True)
        self.tasks.start(self._try(password), name="proxy", exclusive=True)

    async def _try(self, password: str | None) -> None:
        try:
            await self._apply(password)
        except AppError as error:
            if alive(self):
                self._say(i18n.error_text(error), good=False)
            return
        if alive(self):
            self.password.clear()
            self._say(tr("settings.proxy.works"), good=True)

    def _say(self, text: str, *, good: bool) -> None:
        self._result.set_hint(text)
        self._result.hint.set_tone("ink2" if good else "red_text")
