"""The settings page: a searchable list of sections, their cards, each change at once and kept on this device."""

from collections.abc import Awaitable, Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QUrl
from PySide6.QtGui import QDesktopServices, QPainter, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from desktop.core.errors import AppError
from desktop.platform.autostart import AutostartFailed
from desktop.platform.preferences import Preferences
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Button, Divider, Label, RowDelegate, Scroll, SearchBox, confirm, draw_elided, on_click, row
from desktop.ui.settings.account_rows import LoadedRows, device_row, login_row
from desktop.ui.settings.controls import SettingGroup, SettingRow, Switch
from desktop.ui.settings.notifications import notification_groups
from desktop.ui.settings.proxy import ProxyGroup
from desktop.ui.settings.rows import Rows
from desktop.ui.settings.rule_rows import rule_rows
from desktop.ui.settings.shortcuts import shortcut_groups
from desktop.ui.settings.sources import SettingsSources
from desktop.ui.settings.transfer_rows import TransferGroup
from desktop.ui.settings.update_rows import UpdateGroup
from desktop.ui.tasks import TaskOwner, alive

Index = QModelIndex | QPersistentModelIndex

SECTIONS = ("general", "notifications", "appearance", "shortcuts", "files", "network", "security", "about")
LIST_WIDTH = 170
COLUMN_WIDTH = 860
GIB = 1024**3
CACHE_LIMITS = (1, 2, 5, 10, 20)
TEXT_SIZES = (100, 110, 125, 150, 175, 200)


class SectionDelegate(RowDelegate):
    """A section's name."""

    height = 38
    padding = 18

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        state: QStyle.StateFlag = option.state
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        color = theme.tokens().link if chosen else theme.tokens().ink
        draw_elided(painter, rect, str(index.data() or ""), theme.font("base", bold=chosen), color)


class SettingsPage(QWidget):
    """The page of the main window."""

    def __init__(
        self,
        preferences: Preferences,
        sources: SettingsSources,
        *,
        now_ms: Callable[[], int],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("settingsPage")
        self._preferences = preferences
        self._sources = sources
        self._now_ms = now_ms
        self.tasks = TaskOwner(self)
        self._rows = Rows(preferences)
        self._groups: dict[str, list[SettingGroup]] = {}
        self._build_ui()
        preferences.changed.connect(lambda _name: self._sync())
        i18n.changed.connect(self._retranslate)
        self._choose("general")

    # ------------------------------------------------------------ frame
    def _build_ui(self) -> None:
        side = QWidget()
        side.setProperty("surface", "pane")
        side.setFixedWidth(theme.scaled(LIST_WIDTH))
        self._search = SearchBox("settings.search")
        self._search.searched.connect(self._on_search)
        self._list = QListWidget()
        self._list.setObjectName("settingsSections")
        self._list.setProperty("look", "pane")
        self._list.setAccessibleName(tr("settings.title"))
        self._list.setItemDelegate(SectionDelegate(self._list))
        for section in SECTIONS:
            self._list.addItem(QListWidgetItem(tr(f"settings.section.{section}")))
        self._list.currentRowChanged.connect(self._on_section)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 12, 0, 12)
        column.setSpacing(10)
        column.addLayout(row(self._search, margins=(12, 0, 12, 0)))
        column.addWidget(self._list, 1)
        self._scroll = Scroll(surface="surface")
        self._scroll.inner.setContentsMargins(40, 28, 40, 28)
        self._scroll.inner.setSpacing(4)
        builders = (
            self._general,
            self._notifications,
            self._appearance,
            self._shortcuts,
            self._files,
            self._network,
            self._security,
            self._about,
        )
        self._builders = dict(zip(SECTIONS, builders, strict=True))
        self._nothing = Label(key="settings.nothing", tone="ink3")
        self._nothing.hide()
        self._scroll.inner.addWidget(self._nothing)
        self._scroll.inner.addStretch(1)
        frame = QHBoxLayout(self)
        frame.setContentsMargins(0, 0, 0, 0)
        frame.setSpacing(0)
        frame.addWidget(side)
        frame.addWidget(Divider(vertical=True))
        frame.addWidget(self._scroll, 1)
        self.setFocusProxy(self._search)

    def _made(self, section: str) -> list[SettingGroup]:
        """The groups of a section, built when it is first shown or searched: no page waits for the other six."""
        if section not in self._groups:
            known = len(self._rows.syncs)
            place = sum(len(self._groups.get(earlier, ())) for earlier in SECTIONS[: SECTIONS.index(section)])
            self._groups[section] = self._builders[section]()
            for offset, group in enumerate(self._groups[section]):
                group.setMaximumWidth(theme.scaled(COLUMN_WIDTH))
                self._scroll.inner.insertWidget(place + offset, group)
            for sync in self._rows.syncs[known:]:
                sync()
        return self._groups[section]

    def open_section(self, section: str) -> None:
        """Shows one section."""
        self._search.clear()
        self._choose(section)

    def _choose(self, section: str) -> None:
        self._list.setCurrentRow(SECTIONS.index(section))

    def _on_section(self, number: int) -> None:
        if number < 0 or self._search.text().strip():
            return
        self._made(SECTIONS[number])
        for section, groups in self._groups.items():
            for group in groups:
                group.filter("")
                group.setVisible(section == SECTIONS[number])
        self._nothing.hide()
        self._scroll.verticalScrollBar().setValue(0)
        self._load_section(SECTIONS[number])

    def _on_search(self, text: str) -> None:
        if not text:
            self._on_section(self._list.currentRow())
            return
        shown = [group.filter(text) for section in SECTIONS for group in self._made(section)]
        self._nothing.setVisible(not any(shown))

    def _retranslate(self) -> None:
        for number, section in enumerate(SECTIONS):
            self._list.item(number).setText(tr(f"settings.section.{section}"))
        self._list.setAccessibleName(tr("settings.title"))
        self._sync()
        self._load_section(SECTIONS[max(0, self._list.currentRow())])

    def _sync(self) -> None:
        self._rows.sync()

    # ------------------------------------------------------------ parts
    def _general(self) -> list[SettingGroup]:
        enter = self._rows.choice(
            "enter_sends",
            [("enter", "settings.enter_sends.enter"), ("ctrl", "settings.enter_sends.ctrl")],
            get=lambda: "enter" if self._preferences.now.enter_sends else "ctrl",
            put=lambda value: self._preferences.set(enter_sends=value == "enter"),
        )
        closing = self._rows.choice(
            "close_hides",
            [("hide", "settings.close_hides.hide"), ("minimize", "settings.close_hides.minimize")],
            get=lambda: "hide" if self._preferences.now.close_hides else "minimize",
            put=lambda value: self._preferences.set(close_hides=value == "hide"),
            hint=True,
        )
        window = [enter, closing] if self._sources.autostart is None else [self._autostart(), enter, closing]
        return [
            SettingGroup("settings.group.language", [self._rows.plain_choice("language", ["", "zh", "en"])]),
            SettingGroup("settings.group.window", window),
        ]

    def _autostart(self) -> SettingRow:
        """The system keeps it, not our file: it shows what the system says."""
        autostart = self._sources.autostart
        assert autostart is not None
        switch = Switch("settings.autostart")
        row_ = SettingRow("settings.autostart", switch, hint=True)

        def turn(on: bool = False) -> None:
            try:
                autostart.set_on(on)
            except AutostartFailed as error:
                row_.set_hint(tr("settings.autostart.failed", why=str(error)))
            switch.setChecked(autostart.is_on())

        switch.clicked.connect(turn)
        self._rows.syncs.append(lambda: switch.setChecked(autostart.is_on()))
        if self._sources.policy.autostart is not None:
            switch.setEnabled(False)
            self._tell(row_, lambda: tr("policy.by_admin"))
        return row_

    def _tell(self, row_: SettingRow, text: Callable[[], str]) -> None:
        """A hint that is made anew with every change of language."""
        self._rows.syncs.append(lambda: row_.set_hint(text()))

    def _notifications(self) -> list[SettingGroup]:
        self._rules = LoadedRows()
        groups = notification_groups(self._rows, now_ms=self._now_ms, play=self._sources.play)
        return [*groups, SettingGroup("settings.group.rules", [self._rules])]

    def _shortcuts(self) -> list[SettingGroup]:
        return shortcut_groups(self._rows, self._sources)

    def _appearance(self) -> list[SettingGroup]:
        size = self._rows.choice(
            "text_percent",
            [(str(value), f"settings.text_percent.{value}") for value in TEXT_SIZES],
            get=lambda: str(min(TEXT_SIZES, key=lambda known: abs(known - self._preferences.now.text_percent))),
            put=lambda value: self._preferences.set(text_percent=int(value)),
            hint=True,
        )
        return [
            SettingGroup(
                "settings.group.appearance",
                [
                    self._rows.plain_choice("theme", ["system", "light", "dark"]),
                    size,
                    self._rows.switch("reduce_motion", hint=True),
                ],
            )
        ]

    def _files(self) -> list[SettingGroup]:
        self._clear = Button(key="settings.cache.clear", small=True)
        on_click(self._clear, lambda: self.tasks.start(self._clear_cache(), name="clear", exclusive=True))
        self._cache = SettingRow("settings.cache", self._clear)
        limit = self._rows.choice(
            "cache_limit",
            [(str(value), f"settings.cache_limit.{value}") for value in CACHE_LIMITS],
            get=lambda: str(min(CACHE_LIMITS, key=lambda known: abs(known - self._preferences.now.cache_limit / GIB))),
            put=lambda value: self._preferences.set(cache_limit=int(value) * GIB),
            hint=True,
        )
        rows = [self._cache, limit]
        days = self._sources.policy.retention_days
        if days is not None:
            rows.append(SettingRow("policy.retention", None))
            self._tell(rows[-1], lambda: tr("policy.retention.days", days=days))
        transfers = self._sources.transfers
        self._transfers = TransferGroup(self._rows, transfers) if transfers is not None else None
        first: list[SettingGroup] = [self._transfers] if self._transfers is not None else []
        return [*first, SettingGroup("settings.group.cache", rows)]

    def _network(self) -> list[SettingGroup]:
        server = SettingRow("settings.server", None)
        server.set_hint(self._sources.server)
        if self._sources.policy.server is not None:
            self._tell(server, lambda: tr("policy.set", what=self._sources.server))
        self._print = SettingRow("settings.fingerprint", None)
        self._print.hint.setFont(theme.mono_font("secondary"))
        self._print.hint.setWordWrap(True)
        groups = [SettingGroup("settings.group.server", [server, self._print])]
        if self._sources.use_proxy is not None:
            groups.append(ProxyGroup(self._rows, self._sources.use_proxy))
        return groups

    def _security(self) -> list[SettingGroup]:
        self._devices, self._logins = LoadedRows(), LoadedRows()
        here = Button(key="settings.sign_out.button", kind="secondary", small=True)
        here.setObjectName("signOut")
        everywhere = Button(key="settings.sign_out_all.button", kind="danger", small=True)
        on_click(here, lambda: self._sources.sign_out(False))
        on_click(everywhere, lambda: self.tasks.start(self._sign_out_all(), name="sign-out"))
        account = SettingRow("settings.sign_out", here)
        account.set_hint(self._sources.login)
        return [
            SettingGroup("settings.group.devices", [self._devices]),
            SettingGroup("settings.group.logins", [self._logins]),
            SettingGroup(
                "settings.group.account", [account, SettingRow("settings.sign_out_all", everywhere, hint=True)]
            ),
        ]

    def _about(self) -> list[SettingGroup]:
        version = SettingRow("settings.version", None)
        version.set_hint(self._sources.version())
        folder = Button(key="settings.data_dir.open", small=True)
        url = QUrl.fromLocalFile(str(self._sources.data_dir))
        on_click(folder, lambda: QDesktopServices.openUrl(url))
        data = SettingRow("settings.data_dir", folder)
        data.set_hint(str(self._sources.data_dir))
        rows = [version, data]
        diagnose = self._sources.diagnose
        if diagnose is not None:
            start = Button(key="diagnosis.settings.button", small=True)
            start.setObjectName("diagnose")
            on_click(start, diagnose)
            rows.append(SettingRow("diagnosis.settings", start, hint=True))
        channel = self._sources.policy.update_channel
        if channel is not None:
            rows.append(SettingRow("policy.channel", None))
            self._tell(rows[-1], lambda: tr("policy.channel.off" if channel == "off" else "policy.set", what=channel))
        groups: list[SettingGroup] = [SettingGroup("settings.group.about", rows)]
        if self._sources.updates is not None:
            groups.append(UpdateGroup(self._sources.updates))
        return groups

    # ------------------------------------------------------------ what comes from the core
    def _load_section(self, section: str) -> None:
        if not self.isVisible():
            return
        match section:
            case "notifications":
                self._start(self._load_rules, "rules", self._rules.say)
            case "files":
                self._start(self._load_cache, "cache", self._cache.set_hint)
                if self._transfers is not None:
                    self.tasks.start(self._transfers.load(), name="transfer-policy", exclusive=True)
            case "network":
                self._start(self._load_fingerprint, "fingerprint", self._print.set_hint)
            case "security":
                self._start(self._load_devices, "devices", self._devices.say)
                self._start(self._load_logins, "logins", self._logins.say)
            case _:
                pass

    def _start(self, work: Callable[[], Awaitable[None]], name: str, say: Callable[[str], object]) -> None:
        """Runs a load; an expected failure is told where the rows would stand, not in a box over everything."""

        async def guarded() -> None:
            try:
                await work()
            except AppError as error:
                if alive(self):
                    say(i18n.error_text(error))

        self.tasks.start(guarded(), name=name, exclusive=True)

    async def _load_rules(self) -> None:
        conversations, modules = await self._sources.conversations(), await self._sources.modules()
        if alive(self):
            self._rules.fill(rule_rows(self._preferences, conversations, modules))
            if not conversations and not modules:
                self._rules.say(tr("settings.rules.none"))

    async def _load_cache(self) -> None:
        size = await self._sources.cache_size()
        if alive(self):
            self._cache.set_hint(tr("settings.cache.used", size=when.size(size)))

    async def _clear_cache(self) -> None:
        freed = await self._sources.clear_cache()
        if alive(self):
            self._cache.set_hint(tr("settings.cache.freed", size=when.size(freed)))

    async def _load_fingerprint(self) -> None:
        text = await self._sources.fingerprint()
        if alive(self):
            pairs = [text[at : at + 4] for at in range(0, len(text), 4)]
            self._print.set_hint(" ".join(pairs) or tr("settings.fingerprint.none"))

    async def _load_devices(self) -> None:
        devices = sorted(await self._sources.devices(), key=lambda d: (not d.current, -d.last_seen_at))
        if alive(self):
            self._devices.fill([device_row(d, self._now_ms(), self._ask_sign_out_device) for d in devices])
            if not devices:
                self._devices.say(tr("settings.devices.none"))

    async def _load_logins(self) -> None:
        entries = sorted(await self._sources.login_log(), key=lambda entry: -entry.at)[:20]
        if alive(self):
            self._logins.fill([login_row(entry) for entry in entries])
            if not entries:
                self._logins.say(tr("settings.logins.none"))

    def _ask_sign_out_device(self, device_id: str) -> None:
        self.tasks.start(self._sign_out_device(device_id), name="device", exclusive=True)

    async def _sign_out_device(self, device_id: str) -> None:
        if await confirm(
            self,
            "settings.device.sign_out",
            tr("settings.device.sign_out_warning"),
            accept_key="settings.device.sign_out",
            kind="danger",
        ):
            await self._sources.sign_out_device(device_id)
            await self._load_devices()

    async def _sign_out_all(self) -> None:
        if await confirm(
            self,
            "settings.sign_out_all",
            tr("settings.sign_out_all.warning"),
            accept_key="settings.sign_out_all.button",
            kind="danger",
        ):
            self._sources.sign_out(True)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._load_section(SECTIONS[max(0, self._list.currentRow())])
