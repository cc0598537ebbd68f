"""What a restored backup may not do: bring in forged blobs, give change ids out again that clients have seen, let anybody in again."""

import asyncio
import hashlib
import io
import json
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from server_stub.accounts.directory import do_create_person, do_disable_person
from server_stub.accounts.integration import do_grant, do_revoke_token
from server_stub.accounts.logins import do_set_password
from server_stub.accounts.passwords import Passwords
from server_stub.accounts.refusals import Refused
from server_stub.accounts.service import Accounts
from server_stub.accounts.sessions import DeviceInfo, Tokens, do_revoke_devices
from server_stub.app.backup import BackupFailed, make_backup, restore_backup
from server_stub.app.layout import DataLayout
from server_stub.audit.chain import verify
from server_stub.clock import FixedClock
from server_stub.errors import CannotCalculateChanges
from server_stub.records import visibility
from server_stub.records.store import do_create_record
from server_stub.storage.database import Database, Tx
from tests.helpers.device_key import DeviceKey
from tests.helpers.server_parts import PASSWORD, START_MS

CLOCK = FixedClock(START_MS)
TOKEN_URL = "https://h/auth/token"
URL = "https://h/jmap/api"


def fill(path: Path, count: int, prefix: str) -> str:
    """Some records a person sees; the state after them."""
    database = Database.open(path, clock=CLOCK)

    def one(tx: Tx, number: int) -> None:
        visibility.do_enroll(tx, "p")
        do_create_record(tx, "Notice", f"{prefix}{number}", {}, scopes=[visibility.scope_id(tx, *visibility.EVERYONE)])

    for number in range(count):
        database.write_now(lambda tx, number=number: one(tx, number))  # type: ignore[misc]
    state = database.read_now(visibility.current_state)
    database.close_now()
    return state


def backup_of(folder: Path) -> Path:
    """A data folder with three records, and its backup beside it."""
    layout = DataLayout(folder / "data")
    layout.root.mkdir()
    fill(layout.database, 3, "a")
    make_backup(layout, folder / "backup.tar", CLOCK)
    return folder / "backup.tar"


def test_states_from_after_the_backup_are_never_taken_for_later_ones(tmp_path: Path) -> None:
    archive = backup_of(tmp_path)
    seen_by_a_client = fill(tmp_path / "data" / "tongban.db", 4, "lost")
    restored = tmp_path / "restored"
    restore_backup(archive, restored)
    fill(restored / "tongban.db", 9, "b")

    database = Database.open(restored / "tongban.db", clock=CLOCK)
    try:
        with pytest.raises(CannotCalculateChanges):
            database.read_now(lambda conn: visibility.changes(conn, "p", "Notice", seen_by_a_client, 100))
        state = database.read_now(visibility.current_state)
        page = database.read_now(lambda conn: visibility.changes(conn, "p", "Notice", state, 100))
        assert (page.created, page.has_more) == ([], False)
        assert len(database.read_now(lambda conn: visibility.visible_ids(conn, "p", "Notice", None))) == 12
    finally:
        database.close_now()


def test_a_blob_is_what_its_name_says(tmp_path: Path) -> None:
    source = backup_of(tmp_path)
    name = hashlib.sha256(b"the contract").hexdigest()
    path = f"blobs/{name[:2]}/{name[2:4]}/{name}"
    forged = tmp_path / "forged.tar"
    with tarfile.open(source) as old, tarfile.open(forged, "w") as new:
        kept = {member.name: old.extractfile(member).read() for member in old}  # type: ignore[union-attr]
        manifest = json.loads(kept.pop("manifest.json"))
        kept[path] = b"another contract"
        manifest["files"].append({"path": path, "size": 16, "sha256": hashlib.sha256(kept[path]).hexdigest()})
        for entry, data in {"manifest.json": json.dumps(manifest).encode(), **kept}.items():
            member = tarfile.TarInfo(entry)
            member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    with pytest.raises(BackupFailed, match="do not belong"):
        restore_backup(forged, tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


# ---------------------------------------------------------------- who may come in


async def refusal_of(attempt: Awaitable[object]) -> str:
    """ "ok", or the code of the refusal."""
    try:
        await attempt
    except Refused as refused:
        return refused.code
    return "ok"


class Office:
    """A data folder with one person on two devices, two integration tokens, and a backup of all that."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FixedClock(START_MS)
        self.keys = [DeviceKey(), DeviceKey()]
        self.layout = DataLayout(folder / "data")
        self.layout.root.mkdir()
        self.archive = folder / "backup.tar"
        self.restored = DataLayout(folder / "restored")
        self.people: list[str] = []
        self.tokens: list[Tokens] = []
        self.programs: list[tuple[str, str]] = []  # id, secret
        self.inside(self.layout, self._fill)
        make_backup(self.layout, self.archive, self.clock)

    def inside(self, layout: DataLayout, work: Callable[[Accounts, Database], Awaitable[None]]) -> None:
        """Do something with the accounts of a data folder."""

        async def main() -> None:
            database = Database.open(layout.database, clock=self.clock)
            passwords = Passwords(memory_kib=64, rounds=1)
            accounts = Accounts(database, self.clock, passwords)
            try:
                async with asyncio.timeout(60):
                    await work(accounts, database)
            finally:
                await accounts.close()
                await database.close()

        asyncio.run(main())

    async def _fill(self, accounts: Accounts, database: Database) -> None:
        passwords = Passwords(memory_kib=64, rounds=1)
        hashed = passwords.hash(PASSWORD)
        passwords.close()
        for login in ("li", "wang"):
            person_id = await database.write(
                lambda tx, login=login: do_create_person(tx, name=login, login=login, password_hash=hashed)  # type: ignore[misc]
            )
            self.people.append(person_id)
        self.tokens = [await self.sign_in(accounts, key) for key in self.keys]
        for name in ("one", "two"):
            token, secret = await database.write(
                lambda tx, name=name: do_grant(  # type: ignore[misc]
                    tx,
                    name=name,
                    person_id=self.people[0],
                    scopes=("read",),
                    addresses=(),
                    expires_at=1 << 50,
                    actor="x",
                )
            )
            self.programs.append((token.id, secret))

    def proof(self, key: DeviceKey, method: str, url: str, token: str | None = None) -> str:
        return key.proof(method, url, token, iat=self.clock.now // 1000)

    async def sign_in(self, accounts: Accounts, key: DeviceKey, login: str = "li", password: str = PASSWORD) -> Tokens:
        device = DeviceInfo("d", "linux")
        proof = self.proof(key, "POST", TOKEN_URL)
        return await accounts.sign_in(login, password, device, proof=proof, url=TOKEN_URL, address="10.0.0.1")

    async def enter(self, accounts: Accounts, number: int) -> str:
        """ "ok", or why the device with this number is not let in by the tokens of the backup, access or refresh."""
        key, tokens = self.keys[number], self.tokens[number]
        headers = {"authorization": f"DPoP {tokens.access}", "dpop": self.proof(key, "GET", URL, tokens.access)}
        by_access = await refusal_of(accounts.admit(headers, "GET", URL, "10.0.0.1"))
        if by_access == "ok":
            return "ok"
        proof = self.proof(key, "POST", TOKEN_URL)
        by_refresh = await refusal_of(accounts.refresh(tokens.refresh, proof=proof, url=TOKEN_URL, address="10.0.0.1"))
        return by_refresh if by_access == "tokenExpired" else by_access

    async def program(self, accounts: Accounts, number: int) -> str:
        """The same for an integration token."""
        headers = {"authorization": f"Bearer {self.programs[number][1]}"}
        return await refusal_of(accounts.admit(headers, "GET", URL, "10.0.0.1"))


def test_nobody_comes_in_by_what_a_backup_holds(tmp_path: Path) -> None:
    office = Office(tmp_path)

    async def before(accounts: Accounts, database: Database) -> None:
        assert [await office.enter(accounts, number) for number in (0, 1)] == ["ok", "ok"]
        assert await office.program(accounts, 0) == "ok"

    async def after(accounts: Accounts, database: Database) -> None:
        assert [await office.enter(accounts, number) for number in (0, 1)] == ["invalidGrant", "invalidGrant"]
        assert [await office.program(accounts, number) for number in (0, 1)] == ["tokenExpired", "tokenExpired"]
        office.tokens[0] = await office.sign_in(accounts, office.keys[0])
        assert await office.enter(accounts, 0) == "ok"
        acts = await database.read(lambda conn: conn.exec_driver_sql("SELECT act FROM audit_entry").scalars().all())
        assert [acts.count(one) for one in ("restore", "token.revoke")] == [1, 2]
        assert (await database.read(verify)).broken_at is None

    office.inside(office.layout, before)
    done = restore_backup(office.archive, office.restored.root, clock=office.clock)
    assert (done.ended.sessions, done.ended.tokens, done.ended.devices) == (2, 2, 0)
    office.inside(office.restored, after)
    assert not [path.name for path in office.restored.root.iterdir() if "-wal" in path.name or "-shm" in path.name]


def test_what_was_ended_since_the_backup_stays_so_where_the_live_data_can_be_asked(tmp_path: Path) -> None:
    office = Office(tmp_path)
    new_password = "another horse"

    async def meanwhile(accounts: Accounts, database: Database) -> None:
        hasher = Passwords(memory_kib=64, rounds=1)
        hashed = hasher.hash(new_password)
        hasher.close()
        await database.write(lambda tx: do_revoke_devices(tx, [office.tokens[1].device_id]))
        await database.write(lambda tx: do_revoke_token(tx, office.programs[1][0], "x"))
        await database.write(lambda tx: do_set_password(tx, office.people[0], hashed, "x"))
        await database.write(lambda tx: do_disable_person(tx, office.people[1]))

    async def after(accounts: Accounts, database: Database) -> None:
        assert [await office.enter(accounts, number) for number in (0, 1)] == ["invalidGrant", "deviceRevoked"]
        assert [await office.program(accounts, number) for number in (0, 1)] == ["ok", "tokenExpired"]
        shown = await database.read(lambda conn: visibility.visible_ids(conn, office.people[0], "Device", None))
        assert shown == [office.tokens[0].device_id]
        with pytest.raises(Refused, match="invalidCredentials"):
            await office.sign_in(accounts, office.keys[0])
        assert await office.sign_in(accounts, office.keys[0], password=new_password)
        with pytest.raises(Refused, match="accountDisabled"):
            await office.sign_in(accounts, office.keys[1], login="wang")

    office.inside(office.layout, meanwhile)
    before = hashlib.sha256(office.layout.database.read_bytes()).hexdigest()
    done = restore_backup(office.archive, office.restored.root, clock=office.clock, live=office.layout)
    assert (done.ended.sessions, done.ended.tokens, done.ended.devices, done.ended.logins) == (2, 1, 1, 2)
    assert hashlib.sha256(office.layout.database.read_bytes()).hexdigest() == before
    office.inside(office.restored, after)


def test_live_data_that_cannot_be_read_stops_the_restore(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.layout.database.write_bytes(b"no database at all" * 1000)
    with pytest.raises(BackupFailed, match="cannot be restored"):
        restore_backup(office.archive, office.restored.root, clock=office.clock, live=office.layout)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar", "data"]
