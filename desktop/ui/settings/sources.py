"""What the settings page may ask for beside the preferences; the wiring fills it from the session's verbs."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import SignalInstance

from desktop.core.domain import Conversation, Device, LoginEntry, ModuleDefinition, TransferRules
from desktop.platform.autostart import Autostart
from desktop.platform.hotkeys.port import Outcome
from desktop.platform.policy import NO_POLICY, Policy
from desktop.ui.updates import UpdateVerbs


async def _none() -> tuple[()]:
    return ()


class TransferRuleVerbs(Protocol):
    """The user's rules for transfers, and what the server's policy allows."""

    def rules(self) -> TransferRules: ...
    async def set_rules(self, rules: TransferRules) -> None: ...
    async def direct_limit(self) -> int: ...


@dataclass(frozen=True, slots=True)
class SettingsSources:
    """Verbs of the signed-in account. Sizes in bytes; `fingerprint` is the pinned certificate key's SHA-256 in hex."""

    server: str
    login: str
    data_dir: Path
    version: Callable[[], str]
    fingerprint: Callable[[], Awaitable[str]]
    devices: Callable[[], Awaitable[Sequence[Device]]]
    sign_out_device: Callable[[str], Awaitable[None]]
    login_log: Callable[[], Awaitable[Sequence[LoginEntry]]]
    cache_size: Callable[[], Awaitable[int]]
    clear_cache: Callable[[], Awaitable[int]]
    sign_out: Callable[[bool], None]
    conversations: Callable[[], Awaitable[Sequence[Conversation]]] = _none
    modules: Callable[[], Awaitable[Sequence[ModuleDefinition]]] = _none
    hotkey_outcomes: Callable[[], Mapping[str, Outcome]] = dict
    hotkeys_changed: SignalInstance | None = None
    autostart: Autostart | None = None
    policy: Policy = NO_POLICY
    play: Callable[[str], object] = lambda _name: None
    use_proxy: Callable[[str | None], Awaitable[None]] | None = None
    transfers: TransferRuleVerbs | None = None
    updates: "UpdateVerbs | None" = None
    diagnose: Callable[[], None] | None = None
