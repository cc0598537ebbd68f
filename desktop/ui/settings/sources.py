"""What the settings page may ask for beside the preferences; the wiring fills it from the session's verbs."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.core.domain import Device, LoginEntry


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
