"""How many connections may be open, in all and from one address. Belongs to the event loop; knows no protocol."""

from __future__ import annotations

import ipaddress
import logging
import time
from collections import Counter
from enum import Enum, auto
from typing import Final

log = logging.getLogger("tongban.api")

MAX_LATE: Final = 100  # connections that are being told that there is no room; one more is not told either
_IPV6_NETWORK: Final = 64
_LOG_EVERY_S: Final = 60.0


class Entry(Enum):
    """What becomes of a new connection."""

    IN = auto()
    LATE = auto()  # no room: it gets a clear answer and is closed
    OUT = auto()  # no room for an answer either


class Crowd:
    """The open connections of a server. Every address is by itself; those of an IPv6 /64 are one."""

    def __init__(self, *, most: int, most_of_address: int) -> None:
        self._most = most
        self._most_of_address = most_of_address
        self._inside: dict[object, str] = {}
        self._of_address: Counter[str] = Counter()
        self._late: set[object] = set()
        self._logged_at = -_LOG_EVERY_S

    def enter(self, connection: object, address: str) -> Entry:
        """A connection was made. A connection that is in already stays in."""
        if connection in self._inside:
            return Entry.IN
        key = _network(address)
        if len(self._inside) < self._most and self._of_address[key] < self._most_of_address:
            self._inside[connection] = key
            self._of_address[key] += 1
            return Entry.IN
        self._log(address)
        if len(self._late) >= MAX_LATE:
            return Entry.OUT
        self._late.add(connection)
        return Entry.LATE

    def leave(self, connection: object) -> None:
        """A connection is gone; safe to call twice."""
        self._late.discard(connection)
        key = self._inside.pop(connection, None)
        if key is not None:
            self._of_address[key] -= 1
            if not self._of_address[key]:
                del self._of_address[key]

    def _log(self, address: str) -> None:
        now = time.monotonic()
        if now - self._logged_at >= _LOG_EVERY_S:
            self._logged_at = now
            log.warning("too many connections", extra={"address": address, "open": len(self._inside)})


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 6 and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, _IPV6_NETWORK), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)
