"""Where somebody stopped reading: page, size and arrangement of a document, kept per user and found again by its content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Protocol

from desktop.core.errors import AppError


class ViewStates(Protocol):
    """As much of the record verbs as this needs."""

    async def view_state(self, view_key: str) -> dict[str, Any]:
        """What was kept under a key, empty when nothing was."""
        ...

    async def set_view_state(self, view_key: str, state: dict[str, Any]) -> None:
        """Keep something under a key."""
        ...


class ReadingPlaces:
    """Keeps places under the digest of what is read: a new version of a document begins at its first page."""

    def __init__(self, states: ViewStates) -> None:
        self._states = states

    async def load(self, data: bytes) -> Mapping[str, Any]:
        """The place in this document; empty when it was never read, or nothing can be found out now."""
        try:
            return await self._states.view_state(_key(data))
        except AppError:
            return {}

    async def keep(self, data: bytes, place: Mapping[str, Any]) -> None:
        """Note the place. Failing to is no reason to disturb the reader."""
        try:
            await self._states.set_view_state(_key(data), dict(place))
        except AppError:
            return


def _key(data: bytes) -> str:
    return f"read:{hashlib.sha256(data).hexdigest()[:32]}"
