"""Verbs of settings: values of this device, the account's devices and its login log."""

from typing import Any

import msgspec

from desktop.core.clock import parse_utc_date
from desktop.core.domain import Device, LoginEntry
from desktop.core.errors import Offline
from desktop.core.protocol.answers import GetAnswer
from desktop.core.services.context import Context

_SPACE = "settings"
_DATES = ("createdAt", "lastSeenAt", "at")


class SettingsService:
    """Settings of one account on this device."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def get(self, key: str) -> Any:
        """A value (JSON kinds), or None."""
        return (await self._context.load_local(_SPACE, object)).get(key)

    async def all(self) -> dict[str, Any]:
        """All values."""
        return dict(await self._context.load_local(_SPACE, object))

    async def set(self, key: str, value: Any) -> None:
        """Keeps a value; None forgets it."""
        await self._context.put_local(_SPACE, key, value)

    async def devices(self) -> list[Device]:
        """Devices that are signed in to this account. Raises Offline, Rejected."""
        return [self._convert(raw, Device) for raw in await self._fetch("Device")]

    async def sign_out_device(self, device_id: str) -> None:
        """Ends another device's session. Raises Offline, Rejected."""
        await self._context.call_set("Device", destroy=[device_id])

    async def login_log(self) -> list[LoginEntry]:
        """Sign-ins of this account, the newest first. Raises Offline, Rejected."""
        entries = [self._convert(raw, LoginEntry) for raw in await self._fetch("LoginEntry")]
        return sorted(entries, key=lambda entry: -entry.at)

    async def _fetch(self, type_name: str) -> list[msgspec.Raw]:
        return (await self._context.call(f"{type_name}/get", {"ids": None}, GetAnswer)).objects

    def _convert(self, raw: msgspec.Raw, kind: type[Any]) -> Any:
        try:
            data = {key: value for key, value in msgspec.json.decode(raw).items() if value is not None}
            for field in _DATES:
                if field in data:
                    data[field] = parse_utc_date(data[field])
            return msgspec.convert(data, kind)
        except (ValueError, TypeError, AttributeError) as error:
            raise Offline(reason="protocolError") from error
