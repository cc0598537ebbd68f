"""Checks of what keeps and speaks: the encrypted store, the keychain, TLS, a whole sign-in and sync against the built-in loopback backend."""

import asyncio
import importlib
import os
import ssl
import sys
import threading
from pathlib import Path

from desktop.app.self_test import Check, CheckFailed
from desktop.core.clock import SystemClock, local_minutes
from desktop.core.crypto.keychain import Keychain, MemoryKeychain, PassphraseKeychain, system_keychain
from desktop.core.crypto.keys import KEY_BYTES
from desktop.core.domain import ConnectionState
from desktop.core.errors import StorageUnavailable, UntrustedServer, WrongStoreKey
from desktop.core.events import Event

SERVICE = "tongban-self-test"
SECRET_NAME = "probe"  # noqa: S105 - the name of an entry, no secret
KEYCHAIN_LIMIT_S = 5.0
SYNC_LIMIT_S = 15.0
FIRST_DAY_MS, LAST_DAY_MS = 1_767_225_600_000, 4_102_444_800_000  # the years 2026 to 2099
LATE_IMPORTS = ("openpyxl", "mammoth", "lxml.etree", "PIL.Image", "qasync", "keyring", "tarfile", "gzip", "lzma", "bz2")


def check_store(folder: Path) -> str:
    """What is written comes back, not with another key, and never lies on the disk in clear."""
    from desktop.core.store.sqlite import SqliteStore
    from desktop.core.sync.port import PutLocal

    path, key, text = folder / "store.db", os.urandom(KEY_BYTES), "通办自检 plain text".encode()  # not a text
    store = SqliteStore.open(path, key, "self-test")
    store.apply([PutLocal("self_test", "text", text)], durable=True)
    store.close()
    again = SqliteStore.open(path, key, "self-test")
    kept = again.load_local("self_test").get("text")
    again.close()
    if kept != text:
        raise CheckFailed("what was written did not come back")
    if any(text in file.read_bytes() for file in folder.iterdir()):
        raise CheckFailed("the file is not encrypted")
    try:
        SqliteStore.open(path, os.urandom(KEY_BYTES), "self-test").close()
    except WrongStoreKey:
        return "written, read again, refused with a wrong key"
    raise CheckFailed("a wrong key opened the store")


def check_keychain(folder: Path) -> str:
    """The system's keychain keeps a secret; without one, the file under a passphrase does."""
    found: list[Keychain | StorageUnavailable | None] = []

    def look() -> None:
        try:
            keychain = system_keychain(SERVICE)
            if keychain is not None:
                _keep_and_forget(keychain)
            found.append(keychain)
        except StorageUnavailable as error:
            found.append(error)

    thread = threading.Thread(target=look, name="self-test keychain", daemon=True)  # a keychain may wait for a prompt
    thread.start()
    thread.join(KEYCHAIN_LIMIT_S)
    if found and found[0] is not None and not isinstance(found[0], StorageUnavailable):
        return f"{type(found[0]).__name__}: a secret kept, read, forgotten"
    why = "does not answer" if not found else "none" if found[0] is None else "locked"
    _keep_and_forget(PassphraseKeychain(folder / "keychain.sealed", "self-test passphrase"))
    return f"of the system: {why}; the file under a passphrase works"


def _keep_and_forget(keychain: Keychain) -> None:
    secret = os.urandom(16)
    keychain.save(SECRET_NAME, secret)
    kept = keychain.load(SECRET_NAME)
    keychain.delete(SECRET_NAME)
    if kept != secret or keychain.load(SECRET_NAME) is not None:
        raise CheckFailed(f"{type(keychain).__name__} does not keep what it is given")


def check_sync(folder: Path) -> str:
    """Signs in over TLS 1.3, takes the first snapshot, follows a pushed change; and refuses the server when its key is not trusted."""
    return asyncio.run(_sync(folder))


async def _sync(folder: Path) -> str:
    from desktop.core.net.loopback import AFTER, BEFORE, COLLEAGUE, LOGIN, LoopbackOffice, serving
    from desktop.core.services.client import Client

    clock = SystemClock()
    async with serving(LoopbackOffice(), clock) as office, asyncio.timeout(SYNC_LIMIT_S):
        async with await Client.open(
            folder / "refused", keychain=MemoryKeychain(), clock=clock, trust=_nobody
        ) as doubter:
            try:
                await doubter.sign_in(office.url, LOGIN, office.password, remember=False)
            except UntrustedServer:
                pass
            else:
                raise CheckFailed("a server that nobody trusts was let in")
        async with await Client.open(folder / "trusted", keychain=MemoryKeychain(), clock=clock) as client:
            session = await client.sign_in(office.url, LOGIN, office.password, remember=True)
            await session.wait_until(ConnectionState.LIVE, synced=True)
            before = await session.directory.person(COLLEAGUE)
            changed = asyncio.Event()
            with session.events.subscribe(lambda event: _note(event, changed)):
                await office.rename_colleague()
                while (after := await session.directory.person(COLLEAGUE)) is not None and after.name != AFTER:
                    await changed.wait()
                    changed.clear()
    if before is None or before.name != BEFORE or after is None:
        raise CheckFailed("the snapshot is not what the backend has")
    return "TLS 1.3 pinned, snapshot and a pushed change taken in, an untrusted key refused"


async def _nobody(server: str, fingerprint: str, known: str | None) -> bool:
    del server, fingerprint, known
    return False


def _note(event: Event, changed: asyncio.Event) -> None:
    del event
    changed.set()


def check_certificates(_: Path) -> str:
    """Public certificate authorities of this system; an office's own server is known by its pinned key without them."""
    context = ssl.create_default_context()
    count = context.cert_store_stats()["x509_ca"]
    places = ssl.get_default_verify_paths()
    if not count and places.capath and Path(places.capath).is_dir():
        count = sum(1 for _one in Path(places.capath).iterdir())
    return f"{ssl.OPENSSL_VERSION}, " + (
        f"{count} authorities" if count else "no public authorities here: pinned keys only"
    )


def check_time(_: Path) -> str:
    """The clock is not years off, and the system knows its time zone."""
    now = SystemClock().now_ms()
    if not FIRST_DAY_MS < now < LAST_DAY_MS:
        raise CheckFailed("the clock of this machine is wrong by years: certificates and tokens will be refused")
    minutes = local_minutes(now)
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def check_libraries(_: Path) -> str:
    """What is imported only when it is wanted, and the system's notifications."""
    for name in LATE_IMPORTS:
        importlib.import_module(name)
    import nh3
    import pypinyin
    from desktop_notifier import DesktopNotifier

    if nh3.clean("<b onclick='x'>a</b>") != "<b>a</b>":
        raise CheckFailed("HTML is not cleaned")
    if pypinyin.lazy_pinyin("通办") != ["tong", "ban"]:  # not a text
        raise CheckFailed("no pinyin")
    backend = type(DesktopNotifier(app_name=SERVICE)._backend).__name__
    if "Dummy" in backend:
        raise CheckFailed("the part that talks to the system's notifications is missing")
    return f"documents, tables, pinyin, HTML, {backend}; Python {sys.version.split()[0]}"


CHECKS: dict[str, Check] = {
    "store": check_store,
    "keychain": check_keychain,
    "sync": check_sync,
    "certificates": check_certificates,
    "time": check_time,
    "libraries": check_libraries,
}
