"""Help → Diagnose, the part below the screen: the way to the server, sign-in, the push socket, the store. One check at a time, each a method.

Works before anybody is signed in and with the cable out; changes nothing. What it finds names no secret (docs/diagnosis.md).
"""

import asyncio
import shutil
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from desktop.core.clock import Clock, utc_date
from desktop.core.domain.diagnosis import Finding, FindingState
from desktop.core.errors import (
    ProxyFailed,
    StorageUnavailable,
    StoreDamaged,
    StoreTooNew,
    Unreachable,
    UntrustedServer,
    WrongStoreKey,
)
from desktop.core.net import inspection
from desktop.core.net.proxy import Door
from desktop.core.net.trust import TrustStore
from desktop.core.services.session_checks import SessionChecks

CORE_CHECKS: Final = ("network", "proxy", "tls", "clock", "sign_in", "socket", "store", "keychain")
OK, ATTENTION, FAILED, UNCHECKED = FindingState.OK, FindingState.ATTENTION, FindingState.FAILED, FindingState.UNCHECKED
CLOCK_RED_MS: Final = 120_000
CLOCK_AMBER_MS: Final = 30_000
DAY_MS: Final = 86_400_000
SOON_DAYS: Final = 21
DISK_RED: Final = 200 << 20
DISK_AMBER: Final = 1 << 30
HALF_SECOND_MS: Final = 500
_EXPIRED, _NOT_YET, _WRONG_NAMES = 10, 9, (62, 64)  # X509_V_ERR_* of OpenSSL


class Diagnosis:
    """One look around. `server` may be empty, `session` None: then what needs them stays unchecked.

    Args:
        open_store: opens, checks and closes the account's store while nobody is signed in; None: there is none, or it needs a password.
        ask_keychain: looks whether the keychain answers and holds this device's key.
        free_bytes: of the disk with the data.
    """

    def __init__(
        self,
        server: str,
        *,
        door: Door,
        trust: TrustStore,
        clock: Clock,
        store_file: Path | None,
        data_dir: Path,
        ask_keychain: Callable[[], Awaitable[bool]],
        session: SessionChecks | None = None,
        open_store: Callable[[], Awaitable[bool | None]] | None = None,
        free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
    ) -> None:
        self._server, self._door, self._trust, self._clock = server, door, trust, clock
        self._store_file, self._data_dir, self._session = store_file, data_dir, session
        self._ask_keychain, self._open_store, self._free_bytes = ask_keychain, open_store, free_bytes

    async def check(self, name: str) -> Finding:
        """Looks at one part of CORE_CHECKS. Raises nothing but bugs and cancellation."""
        look: Callable[[], Awaitable[Finding]] = getattr(self, f"_check_{name}")
        return await look()

    def _target(self) -> tuple[str, int] | None:
        try:
            return inspection.target(self._server) if self._server else None
        except Unreachable:
            return None

    # ------------------------------------------------------------ the way
    async def _check_network(self) -> Finding:
        cards = [name for _, name in socket.if_nameindex() if name != "lo" and "oopback" not in name]
        if not cards:
            return Finding("network", FAILED, "no_card")
        target = self._target()
        if target is None:
            return Finding("network", UNCHECKED, "no_server", {"cards": len(cards)})
        host, port = target
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            behind = await self._proxy_shown(host, port)
            if behind:  # a proxy looks names up itself
                return Finding("network", OK, "by_proxy", {"host": host, "proxy": behind})
            return Finding("network", FAILED, "no_name", {"host": host}, "proxy")
        address = str(found[0][4][0])
        return Finding("network", OK, "ok", {"host": host, "address": address, "cards": len(cards)})

    async def _proxy_shown(self, host: str, port: int) -> str:
        try:
            proxy = await self._door.way(host, port)
        except ProxyFailed:
            return ""
        return proxy.shown if proxy is not None else ""

    async def _check_proxy(self) -> Finding:
        target = self._target()
        if target is None:
            return Finding("proxy", UNCHECKED, "no_server")
        host, port = target
        data: dict[str, str | int | float] = {"host": host, "port": port}
        try:
            proxy = await self._door.way(host, port)
            if proxy is not None:
                data["proxy"] = proxy.shown
                took = await inspection.go_through(self._door, host, port)
                return Finding("proxy", OK, "through", {**data, "ms": _whole(took)})
        except ProxyFailed as error:
            shown = str(error.data.get("proxy", ""))
            return Finding("proxy", FAILED, str(error.data.get("type", "protocol")), {**data, "proxy": shown}, "proxy")
        return await self._straight(host, port, data)

    async def _straight(self, host: str, port: int, data: dict[str, str | int | float]) -> Finding:
        try:
            took = await inspection.reach(host, port)
        except ConnectionRefusedError:
            return Finding("proxy", FAILED, "straight_refused", data, "proxy")
        except (socket.gaierror, UnicodeError):
            return Finding("proxy", UNCHECKED, "no_name", data)
        except (OSError, TimeoutError):
            return Finding("proxy", FAILED, "straight_silent", data, "proxy")
        return Finding("proxy", OK, "straight", {**data, "ms": _whole(took)})

    async def _check_tls(self) -> Finding:
        if self._target() is None:
            return Finding("tls", UNCHECKED, "no_server")
        try:
            shown = (await inspection.look_at(self._server, self._door)).certificate
            return await self._judge(shown)
        except ssl.SSLError:
            return Finding("tls", FAILED, "no_tls")
        except UntrustedServer:
            return Finding("tls", FAILED, "unreadable")
        except Unreachable:
            return Finding("tls", UNCHECKED, "offline")

    async def _judge(self, shown: inspection.ShownCertificate) -> Finding:
        """What the check that counts says; dates and names are ours to tell where it stops at an unknown issuer."""
        pin, host = self._trust.pin(self._server), inspection.target(self._server)[0]
        now = self._clock.now_ms()
        data: dict[str, str | int | float] = {
            "host": host,
            "issuer": shown.issuer[:80],
            "names": ", ".join(shown.names)[:120],
            "until": utc_date(shown.ends_at)[:10],
            "since": utc_date(shown.starts_at)[:10],
            "days": max(0, (shown.ends_at - now) // DAY_MS),
            "print": shown.anchor[:16],
        }
        try:
            await self._trust.prove(self._server)
        except ssl.SSLCertVerificationError as error:
            return Finding("tls", FAILED, self._why(shown, error.verify_code, now, host), data)
        if now > shown.ends_at - SOON_DAYS * DAY_MS:
            return Finding("tls", ATTENTION, "ends_soon", data)
        return Finding("tls", OK, "system" if pin is None or pin.anchor is None else "pinned", data)

    def _why(self, shown: inspection.ShownCertificate, code: int, now: int, host: str) -> str:
        pin = self._trust.pin(self._server)
        if code == _EXPIRED or now > shown.ends_at:
            return "expired"
        if code == _NOT_YET or now < shown.starts_at:
            return "not_yet"
        if pin is not None and pin.anchor is not None and pin.fingerprint != shown.anchor:
            return "changed"
        if code in _WRONG_NAMES or not inspection.is_named(host, shown.names):
            return "wrong_name"
        return "unknown"

    async def _check_clock(self) -> Finding:
        if self._target() is None:
            return Finding("clock", UNCHECKED, "no_server")
        try:
            look = await inspection.look_at(self._server, self._door)
        except (Unreachable, UntrustedServer, ssl.SSLError):
            return Finding("clock", UNCHECKED, "offline")
        if look.date is None:
            return Finding("clock", UNCHECKED, "no_date")
        # Asked in the middle of the wait; the header has whole seconds, half of one is what it leaves out on average.
        off = round(self._clock.now_ms() - look.waited_ms / 2 - look.date - HALF_SECOND_MS)
        data: dict[str, str | int | float] = {"seconds": round(abs(off) / 1000), "minutes": round(abs(off) / 60_000)}
        if abs(off) > CLOCK_RED_MS:
            return Finding("clock", FAILED, "fast" if off > 0 else "behind", data)
        return Finding("clock", ATTENTION if abs(off) > CLOCK_AMBER_MS else OK, _clock_word(off), data)

    # ------------------------------------------------------------ the account
    async def _check_sign_in(self) -> Finding:
        return Finding("sign_in", UNCHECKED, "nobody") if self._session is None else await self._session.sign_in()

    async def _check_socket(self) -> Finding:
        return Finding("socket", UNCHECKED, "nobody") if self._session is None else await self._session.socket()

    async def _check_store(self) -> Finding:
        try:
            free = await asyncio.to_thread(self._free_bytes, self._data_dir)
            size = self._store_size()
        except OSError:
            return Finding("store", FAILED, "no_folder")
        data: dict[str, str | int | float] = {"size": size, "free": free}
        if free < DISK_RED:
            return Finding("store", FAILED, "disk_full", data, self._room())
        try:
            whole = await self._look_into_store()
        except StorageUnavailable as error:
            return Finding("store", FAILED, _store_reason(error), data)
        if whole is None:
            return Finding("store", UNCHECKED, "none" if not size else "locked", data)
        if free < DISK_AMBER:
            return Finding("store", ATTENTION, "disk_low", data, self._room())
        return Finding("store", OK, "ok" if whole else "partly", data)

    def _room(self) -> str:
        return "" if self._session is None else "clear_cache"

    def _store_size(self) -> int:
        """Bytes of the store's files; 0 when there is none. Raises OSError."""
        path = self._store_file
        if path is None:
            return 0
        files = (path, path.with_name(f"{path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    async def _look_into_store(self) -> bool | None:
        """True: sound; False: as far as was looked; None: nobody can look. Raises StorageUnavailable."""
        if self._session is not None:
            return await self._session.check_store()
        return None if self._open_store is None else await self._open_store()

    async def _check_keychain(self) -> Finding:
        try:
            known = await self._ask_keychain()
        except WrongStoreKey:
            return Finding("keychain", FAILED, "passphrase")
        except StorageUnavailable as error:
            silent = error.data.get("reason") == "keychainTimeout"
            return Finding("keychain", FAILED, "silent" if silent else "failed")
        return Finding("keychain", OK, "ok" if known else "new")


def _clock_word(off: int) -> str:
    if abs(off) <= CLOCK_AMBER_MS:
        return "ok"
    return "little_fast" if off > 0 else "little_behind"


def _store_reason(error: StorageUnavailable) -> str:
    match error:
        case StoreDamaged():
            return "damaged"
        case WrongStoreKey():
            return "wrong_key"
        case StoreTooNew():
            return "too_new"
        case _:
            return {"diskFull": "disk_full", "inUse": "in_use"}.get(str(error.data.get("reason")), "unreadable")


def _whole(value: float) -> int:
    return max(1, round(value))
