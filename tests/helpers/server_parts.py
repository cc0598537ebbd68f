"""Parts of the server for unit tests: a real database in a temporary folder, cheap password hashes, a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from server_stub.accounts import handlers  # importing it declares the tables  # noqa: F401
from server_stub.accounts.directory import Identity, do_create_department, do_create_person
from server_stub.accounts.passwords import Passwords
from server_stub.accounts.service import DEFAULT_POLICY, Accounts, Policy
from server_stub.clock import FixedClock
from server_stub.records.actor import Actor
from server_stub.storage.blobs import BlobStore
from server_stub.storage.database import Database

START_MS = 1_790_000_000_000
PASSWORD = "correct horse battery"


@dataclass
class Parts:
    """An open database with what stands on it."""

    database: Database
    clock: FixedClock
    passwords: Passwords
    accounts: Accounts
    blobs: BlobStore
    folder: Path

    def add_person(self, name: str, *departments: str, roles: tuple[str, ...] = (), login: bool = True) -> str:
        """A person whose login is the name."""
        identities = [Identity(one, "clerk", position == 0) for position, one in enumerate(departments)]
        return self.database.write_now(
            lambda tx: do_create_person(
                tx,
                name=name,
                login=name if login else None,
                password_hash=self.passwords.hash(PASSWORD) if login else None,
                identities=identities,
                roles=roles,
            )
        )

    def add_department(self, name: str, parent: str | None = None) -> str:
        """A department below another."""
        return self.database.write_now(lambda tx: do_create_department(tx, name=name, parent_id=parent))


@contextmanager
def open_parts(folder: Path, policy: Policy = DEFAULT_POLICY) -> Iterator[Parts]:
    """Everything opened over a folder, and closed at the end."""
    clock = FixedClock(START_MS)
    database = Database.open(folder / "test.db", clock=clock)
    passwords = Passwords(memory_kib=64, rounds=1)
    try:
        accounts = Accounts(database, clock, passwords, policy)
        yield Parts(database, clock, passwords, accounts, BlobStore(folder / "blobs", database), folder)
    finally:
        passwords.close()
        database.close_now()


def actor_of(person_id: str, *, roles: tuple[str, ...] = (), departments: tuple[str, ...] = ()) -> Actor:
    """An actor as authentication would make it."""
    return Actor(person_id, frozenset(roles), departments)
