"""The core's front door: accounts of this device, signing in, starting offline. See docs/core.md for the ten-line script."""

import asyncio
import os
import platform
import shutil
import socket
import uuid
import weakref
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

import msgspec

from desktop.core.clock import Clock, SystemClock
from desktop.core.crypto.device_key import DeviceKey
from desktop.core.crypto.keychain import Keychain, open_sealed, seal, write_private
from desktop.core.crypto.keys import KEY_BYTES, subkey
from desktop.core.domain import KnownAccount
from desktop.core.errors import AppError, InvalidCredentials, Offline, StorageUnavailable, WrongStoreKey
from desktop.core.net.https import HttpsTransport
from desktop.core.net.proxy import DIRECT, Door, Proxy, SystemProxy, read_settings
from desktop.core.net.transport import Transport
from desktop.core.net.trust import TrustDecision, TrustStore, origin
from desktop.core.protocol.answers import TokenAnswer
from desktop.core.services.session import Session
from desktop.core.services.session_checks import STORE_LIMIT_S
from desktop.core.services.tokens import Tokens
from desktop.core.services.workers import Workers, within
from desktop.core.store.sqlite import SqliteStore
from desktop.core.sync.port import PutLocal, Store

if TYPE_CHECKING:
    from desktop.core.services.diagnosis import Diagnosis

KEYCHAIN_LIMIT: Final = 20.0
KEYCHAIN_ASK: Final = 8.0  # below the limit of a check of the diagnosis
_PLATFORMS: Final = {"Linux": "linux", "Windows": "windows", "Darwin": "macos"}
_AUTH: Final = "auth"


class _Book(msgspec.Struct, frozen=True):
    """On disk: which accounts signed in here. `install` keeps two data folders apart in one keychain."""

    install: str
    accounts: tuple[KnownAccount, ...] = ()


class Client:
    """Accounts of one data folder."""

    def __init__(self, data_dir: Path, keychain: Keychain, clock: Clock, trust: TrustStore, door: Door) -> None:
        self._dir = data_dir
        self._keychain = keychain
        self._clock = clock
        self._trust = trust
        self._door = door
        self._transports: weakref.WeakSet[HttpsTransport] = weakref.WeakSet()
        self._book = self._load_book()
        self._sessions: list[Session] = []
        self._key_lock = asyncio.Lock()

    @classmethod
    async def open(
        cls,
        data_dir: Path,
        *,
        keychain: Keychain,
        clock: Clock | None = None,
        trust: TrustDecision | None = None,
        proxy: Proxy = DIRECT,
        system_proxy: SystemProxy = read_settings,
    ) -> "Client":
        """Opens (or makes) a data folder. `trust` is asked about servers; without it the first key seen is pinned and a changed one refused.

        Raises:
            StorageUnavailable: the folder or its files cannot be used.
        """
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageUnavailable(reason="disk") from error
        door = Door(proxy, system_proxy)
        return cls(data_dir, keychain, clock or SystemClock(), TrustStore(_pins(data_dir), trust, door), door)

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends all sessions."""
        for session in self._sessions:
            await session.close()
        self._sessions.clear()

    async def use_proxy(self, proxy: Proxy) -> None:
        """Takes another way to all servers, at once: what is open is left, sessions connect again.

        A password that comes with it is kept in the keychain; a login without one has the kept one.
        """
        proxy = await self._with_password(proxy)
        if proxy == self._door.proxy:
            return
        self._door.proxy = proxy
        for transport in list(self._transports):
            await transport.reroute()
        for session in self._sessions:
            session.network_changed()

    async def try_way(self, server: str) -> None:
        """Goes to a server by the way that is wanted now, and comes back. Raises Unreachable, ProxyFailed."""
        await self._trust.knock(server)

    async def _with_password(self, proxy: Proxy) -> Proxy:
        if not proxy.login:
            return proxy
        name = self._secret(f"proxy/{proxy.shown}/{proxy.login}")
        if proxy.password:
            await within(KEYCHAIN_LIMIT, self._keychain.save, name, proxy.password.encode())
            return proxy
        kept = await within(KEYCHAIN_LIMIT, self._keychain.load, name)
        return msgspec.structs.replace(proxy, password=kept.decode()) if kept is not None else proxy

    def accounts(self) -> list[KnownAccount]:
        """Accounts that signed in here, the last used first."""
        return sorted(self._book.accounts, key=lambda account: -account.last_used)

    def fingerprint(self, server: str) -> str:
        """SHA-256 in hex of the key pinned for a server; empty when there is none. Raises Unreachable for what is no address."""
        return self._trust.fingerprint(server)

    def diagnosis(self, server: str, session: Session | None = None) -> "Diagnosis":
        """A look around on the way to a server, with what the session (or else the account last used there) has on this device."""
        from desktop.core.services.diagnosis import Diagnosis  # no start has a use for it

        account = next((one for one in self.accounts() if one.server == server), None)
        owner = session.account_id if session is not None else account.id if account is not None else None
        return Diagnosis(
            server,
            door=self._door,
            trust=self._trust,
            clock=self._clock,
            store_file=None if owner is None else self._folder(owner) / "store.db",
            data_dir=self._dir,
            ask_keychain=self._ask_keychain,
            session=None if session is None else session.checks,
            open_store=None if session is not None or account is None else lambda: self._check_store(account),
        )

    async def _ask_keychain(self) -> bool:
        return await within(KEYCHAIN_ASK, self._keychain.load, self._secret("device")) is not None

    async def _check_store(self, account: KnownAccount) -> bool | None:
        """Opens an account's store, looks and closes it. None without a key that can be had unasked. Raises StorageUnavailable."""
        path = self._folder(account.id) / "store.db"
        if not path.exists() or any(one.account_id == account.id for one in self._sessions):
            return None
        try:
            key = subkey(await self._known_key(account, None), "store")
        except InvalidCredentials:
            return None

        def look() -> bool:
            store = SqliteStore.open(path, key, account.id)
            try:
                return store.check(STORE_LIMIT_S)
            finally:
                store.close()

        return await asyncio.to_thread(look)

    # ------------------------------------------------------------ signing in
    async def sign_in(self, server: str, login: str, password: str, *, remember: bool) -> Session:
        """Signs in at the server and opens the local store.

        Raises:
            InvalidCredentials, Locked, AccountDisabled, DeviceRevoked, Unreachable, UntrustedServer,
            WrongStoreKey, StoreDamaged, StoreTooNew, StorageUnavailable. Never wipes: see `forget`.
        """
        address = origin(server)
        transport = self._transport(address)
        try:
            answer = await transport.sign_in(login, password, *_device())
            account = KnownAccount(answer.account_id, address, login, self._name_of(answer.account_id, login))
            key = await self._account_key(account.id, password, remember=remember)
            session = await self._open(account, key, transport, answer=answer, password=None, remember=remember)
            await session.keep_password_check(password)
        except BaseException:
            await transport.close()
            raise
        self._note(msgspec.structs.replace(account, last_used=self._clock.now_ms(), remembered=remember))
        return session

    async def resume(
        self, account: KnownAccount, password: str | None = None, *, may_connect: asyncio.Event | None = None
    ) -> Session:
        """Opens an account's local store and connects behind; works with the cable out. `may_connect`: not before it is set.

        Raises:
            InvalidCredentials: not remembered, and the password is missing or does not open the store (a password changed on
            another device: use sign_in). WrongStoreKey, StoreDamaged, StoreTooNew, StorageUnavailable.
        """
        key = await self._known_key(account, password)
        transport = self._transport(account.server)
        try:
            session = await self._open(
                account,
                key,
                transport,
                answer=None,
                password=password,
                remember=account.remembered,
                may_connect=may_connect,
            )
        except BaseException:
            await transport.close()
            raise
        self._note(msgspec.structs.replace(account, last_used=self._clock.now_ms()))
        return session

    async def _sign_out(self, session: Session, everywhere: bool, forget: bool) -> None:
        try:
            await session.revoke(everywhere=everywhere)
        except Offline:
            if everywhere:
                raise
        await session.drop_grant()
        await session.close()
        if session in self._sessions:
            self._sessions.remove(session)
        account = next((a for a in self._book.accounts if a.id == session.account_id), None)
        if account is not None:
            self._note(msgspec.structs.replace(account, remembered=False))
        if forget:
            await self.forget(session.account_id)

    async def forget(self, account_id: str) -> None:
        """Deletes an account's data on this device, for good. The caller has asked the user."""
        for session in [s for s in self._sessions if s.account_id == account_id]:
            await session.close()
            self._sessions.remove(session)
        await within(KEYCHAIN_LIMIT, self._keychain.delete, self._secret(f"account/{account_id}"))
        shutil.rmtree(self._folder(account_id), ignore_errors=True)
        self._save_book(tuple(a for a in self._book.accounts if a.id != account_id))

    # ------------------------------------------------------------ parts
    async def _open(
        self,
        account: KnownAccount,
        key: bytes,
        transport: Transport,
        *,
        answer: TokenAnswer | None,
        password: str | None,
        remember: bool,
        may_connect: asyncio.Event | None = None,
    ) -> Session:
        workers = Workers()
        folder = self._folder(account.id)
        try:
            store = await workers.db(SqliteStore.open, folder / "store.db", subkey(key, "store"), account.id)
        except BaseException:
            workers.close()
            raise
        device_name, kind = _device()

        async def save(refresh_token: str) -> None:
            if remember:
                operation = PutLocal(_AUTH, "refresh", refresh_token.encode())
                await workers.db(lambda: store.apply([operation], durable=True))

        tokens = Tokens(transport, self._clock, save, login=account.login, device_name=device_name, platform=kind)
        await self._begin(tokens, store, workers, answer, password, remember=remember)
        session = Session(
            me=account.id,
            login=account.login,
            store=store,
            blob_folder=folder / "blobs",
            account_key=key,
            transport=transport,
            tokens=tokens,
            clock=self._clock,
            workers=workers,
            sign_out=self._sign_out,
            may_connect=may_connect,
            check_store=lambda limit: workers.db(store.check, limit),
        )
        await session.start()
        self._sessions.append(session)
        return session

    async def _begin(
        self,
        tokens: Tokens,
        store: Store,
        workers: Workers,
        answer: TokenAnswer | None,
        password: str | None,
        *,
        remember: bool,
    ) -> None:
        if answer is not None:
            tokens.begin(None, password)
            await tokens.take(answer)
            if not remember:
                await workers.db(lambda: store.apply([PutLocal(_AUTH, "refresh", None)]))
            return
        saved = (await workers.db(store.load_local, _AUTH)).get("refresh")
        tokens.begin(saved.decode() if saved is not None else None, password)

    def _transport(self, server: str) -> HttpsTransport:
        made = HttpsTransport(server, self._device_key, self._trust, self._clock, door=self._door)
        self._transports.add(made)
        return made

    async def _device_key(self) -> DeviceKey:
        name = self._secret("device")
        async with self._key_lock:  # two at once must not make two devices
            saved = await within(KEYCHAIN_LIMIT, self._keychain.load, name)
            if saved is not None:
                try:
                    return DeviceKey.from_der(saved)
                except ValueError:
                    pass  # a broken key only means a new device to the server
            key = DeviceKey.generate()
            await within(KEYCHAIN_LIMIT, self._keychain.save, name, key.to_der())
            return key

    async def _account_key(self, account_id: str, password: str, *, remember: bool) -> bytes:
        """The key of the local store: from the keychain, from under the password, or a new one where there is no store yet."""
        name, sealed = self._secret(f"account/{account_id}"), self._folder(account_id) / "key.sealed"
        key = await within(KEYCHAIN_LIMIT, self._keychain.load, name)
        if key is None and sealed.exists():
            key = await within(KEYCHAIN_LIMIT, open_sealed, sealed.read_bytes(), password.encode())
        if key is None:
            if (self._folder(account_id) / "store.db").exists():
                raise WrongStoreKey(reason="noKey")
            key = os.urandom(KEY_BYTES)
        if remember:
            await within(KEYCHAIN_LIMIT, self._keychain.save, name, key)
            sealed.unlink(missing_ok=True)
        else:
            box = await within(KEYCHAIN_LIMIT, seal, key, password.encode())
            write_private(sealed, box)
            await within(KEYCHAIN_LIMIT, self._keychain.delete, name)
        return key

    async def _known_key(self, account: KnownAccount, password: str | None) -> bytes:
        key = await within(KEYCHAIN_LIMIT, self._keychain.load, self._secret(f"account/{account.id}"))
        if key is not None and account.remembered:
            return key
        sealed = self._folder(account.id) / "key.sealed"
        if password is None or not sealed.exists():
            raise InvalidCredentials(type="passwordNeeded")
        try:
            return await within(KEYCHAIN_LIMIT, open_sealed, sealed.read_bytes(), password.encode())
        except WrongStoreKey as error:
            raise InvalidCredentials(type="invalidCredentials") from error

    def _folder(self, account_id: str) -> Path:
        return self._dir / "accounts" / uuid.uuid5(uuid.NAMESPACE_OID, account_id).hex

    def _secret(self, name: str) -> str:
        return f"{self._book.install}/{name}"

    def _name_of(self, account_id: str, login: str) -> str:
        return next((a.name for a in self._book.accounts if a.id == account_id), login)

    def remember_name(self, account_id: str, name: str) -> None:
        """The person's name for the login window, once the directory is here."""
        for account in self._book.accounts:
            if account.id == account_id and account.name != name:
                self._note(msgspec.structs.replace(account, name=name))

    def _note(self, account: KnownAccount) -> None:
        others = tuple(a for a in self._book.accounts if a.id != account.id)
        self._save_book((*others, account))

    def _load_book(self) -> _Book:
        try:
            return msgspec.json.decode((self._dir / "accounts.json").read_bytes(), type=_Book)
        except FileNotFoundError:
            book = _Book(uuid.uuid4().hex)
            self._write_book(book)
            return book
        except (OSError, msgspec.MsgspecError) as error:
            raise StorageUnavailable(reason="accounts") from error

    def _save_book(self, accounts: tuple[KnownAccount, ...]) -> None:
        self._book = _Book(self._book.install, accounts)
        self._write_book(self._book)

    def _write_book(self, book: _Book) -> None:
        try:
            write_private(self._dir / "accounts.json", msgspec.json.encode(book))
        except OSError as error:
            raise StorageUnavailable(reason="disk") from error


def pinned_fingerprint(data_dir: Path, server: str) -> str:
    """Like `Client.fingerprint`, for a data folder that need not be open; empty too when its pins cannot be read."""
    try:
        return TrustStore(_pins(data_dir)).fingerprint(server)
    except AppError:
        return ""


def _pins(data_dir: Path) -> Path:
    return data_dir / "trust.json"


def _device() -> tuple[str, str]:
    return socket.gethostname()[:64] or "device", _PLATFORMS.get(platform.system(), "other")
