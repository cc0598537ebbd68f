"""Accounts on this device, the connection's state, presence, devices, login log."""

from enum import StrEnum

import msgspec


class KnownAccount(msgspec.Struct, frozen=True):
    """An account that signed in on this device before. `last_used` in ms."""

    id: str
    server: str
    login: str
    name: str
    last_used: int = 0
    remembered: bool = False


class ConnectionState(StrEnum):
    """The one observable state of the sync."""

    IDLE = "idle"
    CONNECTING = "connecting"
    LIVE = "live"
    OFFLINE = "offline"
    FAILED = "failed"


class ConnectionStatus(msgspec.Struct, frozen=True):
    """State, why (an error code), since when (ms), when the next try is due (ms), and whether history is still being filled."""

    state: ConnectionState
    detail: str | None = None
    since: int = 0
    retry_at: int | None = None
    syncing: bool = False


class Presence(StrEnum):
    """What colleagues see of a person."""

    ONLINE = "online"
    AWAY = "away"
    BUSY = "busy"
    DND = "dnd"
    OFFLINE = "offline"


class Device(msgspec.Struct, frozen=True, rename="camel"):
    """A device that signed in to the account. Times in ms."""

    id: str
    name: str
    platform: str
    created_at: int = 0
    last_seen_at: int = 0
    last_address: str = ""
    current: bool = False


class LoginEntry(msgspec.Struct, frozen=True, rename="camel"):
    """One line of the login log. `result` is ok or an error code."""

    id: str
    at: int
    address: str
    login: str
    result: str
    device_id: str | None = None
