"""Lock-out after wrong passwords, by login and by address, with a wait that doubles. Kept in the database.

An attempt is charged before the password is looked at and given back when it was right, so that attempts sent at the
same time cannot slip past the limit.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from server_stub.accounts.tables import login_guard
from server_stub.storage.database import Tx

FORGET_AFTER_MS: Final = 24 * 3600 * 1000
NOTE_EVERY_MS: Final = 60_000
_MAX_DOUBLINGS: Final = 30


@dataclass(frozen=True, slots=True)
class LockPolicy:
    """Failures that are free, the first wait and the longest, in seconds."""

    free: int
    base_s: int
    max_s: int

    def wait_ms(self, failures: int) -> int:
        """How long a key with this many failures is locked."""
        if failures < self.free:
            return 0
        return 1000 * min(self.max_s, self.base_s << min(failures - self.free, _MAX_DOUBLINGS))


@dataclass(frozen=True, slots=True)
class Charge:
    """A charged key and the policy that was applied to it, to be given back."""

    key: str
    policy: LockPolicy


def guard_key(kind: str, value: str) -> str:
    """The key of a login or an address: a hash, so that the table never holds what people typed by mistake."""
    return hashlib.sha256(f"{kind}\n{value}".encode("utf-8", "surrogatepass")).hexdigest()


def address_key(address: str) -> str:
    """The key of an address; all of one IPv6 /64 count as one, since a single machine may use any of them."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return guard_key("address", address)
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False).network_address
    return guard_key("address", str(found))


def locked_for_ms(conn: sa.Connection, charges: list[Charge], now_ms: int) -> int:
    """Milliseconds until none of the keys is locked any more; 0 when none is."""
    rows = conn.execute(sa.select(login_guard.c.locked_until).where(login_guard.c.key.in_([c.key for c in charges])))
    return max((row.locked_until - now_ms for row in rows), default=0) if charges else 0


def do_charge(tx: Tx, charges: list[Charge]) -> int:
    """Count one attempt for each key. Gives ms to wait (and counts nothing) when one of them is locked, else 0."""
    wait = locked_for_ms(tx.conn, charges, tx.now)
    if wait > 0:
        return wait
    for charge in charges:
        row = tx.raw.execute("SELECT failures, last_at FROM login_guard WHERE key = ?", (charge.key,)).fetchone()
        failures = 1 if row is None or tx.now - row[1] > FORGET_AFTER_MS else row[0] + 1
        _save(tx, charge, failures)
    return 0


def do_give_back(tx: Tx, charge: Charge, *, clear: bool) -> None:
    """Take one attempt back, or with `clear` forget all failures of the key."""
    if clear:
        tx.raw.execute("DELETE FROM login_guard WHERE key = ?", (charge.key,))
        return
    row = tx.raw.execute("SELECT failures FROM login_guard WHERE key = ?", (charge.key,)).fetchone()
    if row is not None:
        _save(tx, charge, max(0, row[0] - 1))


def do_note_locked(tx: Tx, charge: Charge) -> bool:
    """True when a locked attempt should go to the login log: at most once a minute and key, or a flood fills the disk."""
    changed = tx.raw.execute(
        "UPDATE login_guard SET noted_at = ? WHERE key = ? AND noted_at <= ?",
        (tx.now, charge.key, tx.now - NOTE_EVERY_MS),
    )
    return changed.rowcount > 0


def do_forget_old(tx: Tx) -> None:
    """Drop keys that are neither locked nor recent."""
    tx.raw.execute("DELETE FROM login_guard WHERE locked_until < ? AND last_at < ?", (tx.now, tx.now - FORGET_AFTER_MS))


def _save(tx: Tx, charge: Charge, failures: int) -> None:
    wait = charge.policy.wait_ms(failures)
    tx.raw.execute(
        "INSERT INTO login_guard(key, failures, locked_until, last_at, noted_at) VALUES (?, ?, ?, ?, 0)"
        " ON CONFLICT (key) DO UPDATE SET failures = excluded.failures, locked_until = excluded.locked_until,"
        " last_at = excluded.last_at",
        (charge.key, failures, tx.now + wait if wait else 0, tx.now),
    )
