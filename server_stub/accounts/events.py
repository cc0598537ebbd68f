"""What accounts tell the rest of the server after a commit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AccessEnded:
    """Sessions ended before their time: open sockets of these devices must be closed (1008)."""

    device_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TokenRevoked:
    """An integration token was revoked: open sockets that came in by it must be closed."""

    token_id: str


@dataclass(frozen=True, slots=True)
class RightsChanged:
    """Roles, departments or the active state of these people changed: whoever caches them asks again."""

    person_ids: tuple[str, ...]
