"""Devices, sessions and their tokens: short access tokens and refresh tokens that work once.

Tokens are random and opaque; only their SHA-256 is kept. All functions run inside a transaction of the caller.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from server_stub.accounts.events import AccessEnded
from server_stub.accounts.refusals import Refused
from server_stub.accounts.tables import access_token, credential, device, refresh_token, session
from server_stub.ids import uuid7
from server_stub.records.visibility import do_bury, do_share, do_touch, scope_id
from server_stub.storage.database import Tx

DEVICE_TYPE: Final = "Device"
PLATFORMS: Final = frozenset({"linux", "windows", "macos", "other"})
MAX_DEVICE_NAME: Final = 100
MAX_DEVICES: Final = 50
SEEN_EVERY_MS: Final = 15 * 60 * 1000


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What a client says about the machine it runs on."""

    name: str
    platform: str


@dataclass(frozen=True, slots=True)
class TokenLives:
    """How long tokens live, in milliseconds."""

    access_ms: int
    refresh_ms: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """A fresh pair, in plain text: this is the only time it exists."""

    access: str
    refresh: str
    expires_in_s: int
    device_id: str
    person_id: str

    def __repr__(self) -> str:
        return f"Tokens(device_id={self.device_id!r}, person_id={self.person_id!r})"


class TokenReused(Refused):
    """A refresh token was used a second time: whoever has it is not alone."""

    def __init__(self, person_id: str, device_id: str) -> None:
        super().__init__("invalidGrant", "this refresh token was used before; the session is ended")
        self.person_id = person_id
        self.device_id = device_id


@dataclass(frozen=True, slots=True)
class Access:
    """What an access token stands for; `expires_at` in ms. The token is bound to the key with thumbprint `jkt`."""

    person_id: str
    device_id: str
    session_id: str
    jkt: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """A device as it is known across databases: its person, and its key's thumbprint."""

    person_id: str
    jkt: str


def hash_token(token: str) -> str:
    """How a token is kept."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def do_register_device(tx: Tx, person_id: str, jkt: str, info: DeviceInfo, address: str) -> str:
    """The device with this key, made on first use; signing in again brings a revoked one back."""
    row = tx.raw.execute(
        "SELECT id, revoked_at FROM device WHERE person_id = ? AND jkt = ?", (person_id, jkt)
    ).fetchone()
    if row is not None:
        tx.raw.execute(
            "UPDATE device SET name = ?, platform = ?, last_seen_at = ?, last_address = ?, revoked_at = NULL WHERE id = ?",
            (info.name, info.platform, tx.now, address, row[0]),
        )
        if row[1] is not None:
            do_share(tx, row[0], DEVICE_TYPE, scope_id(tx, "person", person_id))
        else:
            do_touch(tx, row[0])
        return str(row[0])
    _do_make_room(tx, person_id)
    device_id = uuid7(tx.now)
    tx.raw.execute(
        "INSERT INTO device(id, person_id, jkt, name, platform, created_at, last_seen_at, last_address)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (device_id, person_id, jkt, info.name, info.platform, tx.now, tx.now, address),
    )
    do_share(tx, device_id, DEVICE_TYPE, scope_id(tx, "person", person_id))
    return device_id


def do_open_session(tx: Tx, person_id: str, device_id: str, lives: TokenLives) -> Tokens:
    """A new session of a device; an older one of the same device ends."""
    do_end_sessions(tx, [device_id], "replaced")
    session_id = uuid7(tx.now)
    tx.raw.execute(
        "INSERT INTO session(id, device_id, person_id, started_at) VALUES (?, ?, ?, ?)",
        (session_id, device_id, person_id, tx.now),
    )
    return _do_issue(tx, session_id, device_id, person_id, lives)


def do_rotate(tx: Tx, refresh: str, jkt: str, address: str, lives: TokenLives) -> Tokens | Refused:
    """Trade a refresh token for the next pair.

    A used token is good again as long as its successor was never used: the answer that carried the successor was lost on the way. The
    unused successor then ends.

    A refusal is *returned*, so that what it does (a token used twice ends the session) is committed all the same.
    """
    hashed = hash_token(refresh)
    row = tx.conn.execute(
        sa.select(
            refresh_token.c.used_at,
            refresh_token.c.successor,
            refresh_token.c.expires_at,
            session.c.id,
            session.c.ended_at,
            session.c.person_id,
            session.c.device_id,
            device.c.jkt,
            device.c.revoked_at,
            device.c.last_seen_at,
            device.c.last_address,
            credential.c.disabled_at,
        )
        .join(session, session.c.id == refresh_token.c.session_id)
        .join(device, device.c.id == session.c.device_id)
        .outerjoin(credential, credential.c.person_id == session.c.person_id)
        .where(refresh_token.c.hash == hashed)
    ).first()
    if row is None:
        return Refused("invalidGrant", "unknown refresh token")
    if row.jkt != jkt:  # before anything else: who only found the token may not even end the session
        return Refused("invalidProof", "the proof is made with another key")
    if row.disabled_at is not None:
        return Refused("accountDisabled")
    if row.revoked_at is not None:
        return Refused("deviceRevoked")
    if row.ended_at is not None:
        return Refused("invalidGrant", "the session has ended")
    if row.used_at is not None and not _do_withdraw_unused(tx, row.successor):
        do_end_sessions(tx, [row.device_id], "reuse")
        return TokenReused(row.person_id, row.device_id)
    if row.expires_at <= tx.now:
        return Refused("invalidGrant", "the refresh token has expired")
    if tx.now - row.last_seen_at >= SEEN_EVERY_MS or row.last_address != address:
        tx.raw.execute(
            "UPDATE device SET last_seen_at = ?, last_address = ? WHERE id = ?", (tx.now, address, row.device_id)
        )
        do_touch(tx, row.device_id)
    tokens = _do_issue(tx, row.id, row.device_id, row.person_id, lives)
    tx.raw.execute(
        "UPDATE refresh_token SET used_at = ?, successor = ? WHERE hash = ?",
        (tx.now, hash_token(tokens.refresh), hashed),
    )
    return tokens


def _do_withdraw_unused(tx: Tx, refresh_hash: str | None) -> bool:
    """Ends a refresh token that was never used; False when it was, or is not there."""
    gone = tx.raw.execute("DELETE FROM refresh_token WHERE hash = ? AND used_at IS NULL", (refresh_hash,))
    return gone.rowcount == 1


def do_end_sessions(tx: Tx, device_ids: Iterable[str], reason: str) -> None:
    """End the open sessions of these devices: their tokens stop at once. `reason`: replaced, reuse, revoked, password, disabled, restored."""
    ended = []
    for device_id in device_ids:
        changed = tx.raw.execute(
            "UPDATE session SET ended_at = ?, end_reason = ? WHERE device_id = ? AND ended_at IS NULL",
            (tx.now, reason, device_id),
        )
        tx.raw.execute(
            "DELETE FROM access_token WHERE session_id IN (SELECT id FROM session WHERE device_id = ?)", (device_id,)
        )
        if changed.rowcount:
            ended.append(device_id)
    if ended:
        tx.publish(AccessEnded(tuple(ended)))


def do_end_all_sessions(tx: Tx, reason: str) -> int:
    """End every open session of everybody; gives how many."""
    rows = tx.raw.execute("SELECT device_id FROM session WHERE ended_at IS NULL").fetchall()
    do_end_sessions(tx, dict.fromkeys(row[0] for row in rows), reason)
    tx.raw.execute("DELETE FROM access_token")
    return len(rows)


def do_revoke_keys(tx: Tx, keys: Iterable[DeviceKey]) -> int:
    """Sign out the devices with these keys that are not revoked here; gives how many."""
    found: list[str] = []
    for key in keys:
        row = tx.raw.execute(
            "SELECT id FROM device WHERE person_id = ? AND jkt = ? AND revoked_at IS NULL", (key.person_id, key.jkt)
        ).fetchone()
        found += [row[0]] if row is not None else []
    do_revoke_devices(tx, found)
    return len(found)


def do_revoke_devices(tx: Tx, device_ids: Iterable[str]) -> None:
    """Sign devices out: sessions end, the devices leave the list; their next token answers deviceRevoked."""
    listed = list(device_ids)
    do_end_sessions(tx, listed, "revoked")
    for device_id in listed:
        tx.raw.execute("UPDATE device SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (tx.now, device_id))
        do_bury(tx, device_id)


def device_ids_of(conn: sa.Connection, person_id: str) -> list[str]:
    """The devices of a person that are not revoked."""
    rows = conn.scalars(sa.select(device.c.id).where(device.c.person_id == person_id, device.c.revoked_at.is_(None)))
    return list(rows)


def load_access(conn: sa.Connection, hashed: str) -> Access | None:
    """What the token with this hash stands for; None when there is none or its session has ended. May be expired."""
    row = conn.execute(
        sa.select(access_token.c.expires_at, session.c.id, session.c.person_id, session.c.device_id, device.c.jkt)
        .join(session, session.c.id == access_token.c.session_id)
        .join(device, device.c.id == session.c.device_id)
        .where(access_token.c.hash == hashed, session.c.ended_at.is_(None))
    ).first()
    return None if row is None else Access(row.person_id, row.device_id, row.id, row.jkt, row.expires_at)


def do_forget_old_tokens(tx: Tx, keep_ended_ms: int) -> None:
    """Drop expired access tokens, and sessions that ended or whose refresh tokens all ran out longer ago than `keep_ended_ms`."""
    limit = tx.now - keep_ended_ms
    tx.raw.execute("DELETE FROM access_token WHERE expires_at < ?", (tx.now,))
    tx.raw.execute(
        "UPDATE session SET ended_at = ?, end_reason = 'expired' WHERE ended_at IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM refresh_token WHERE session_id = session.id AND expires_at >= ?)",
        (tx.now, tx.now),
    )
    for table in ("access_token", "refresh_token"):
        tx.raw.execute(f"DELETE FROM {table} WHERE session_id IN (SELECT id FROM session WHERE ended_at < ?)", (limit,))
    tx.raw.execute("DELETE FROM session WHERE ended_at < ?", (limit,))
    tx.raw.execute("DELETE FROM device WHERE revoked_at < ? AND id NOT IN (SELECT device_id FROM session)", (limit,))


def _do_make_room(tx: Tx, person_id: str) -> None:
    """Sign the devices out that were not seen for longest, so that one more stays within MAX_DEVICES."""
    rows = tx.raw.execute(
        "SELECT id FROM device WHERE person_id = ? AND revoked_at IS NULL ORDER BY last_seen_at DESC, id DESC",
        (person_id,),
    ).fetchall()
    do_revoke_devices(tx, [row[0] for row in rows[MAX_DEVICES - 1 :]])


def _do_issue(tx: Tx, session_id: str, device_id: str, person_id: str, lives: TokenLives) -> Tokens:
    access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    tx.raw.execute(
        "INSERT INTO access_token(hash, session_id, expires_at) VALUES (?, ?, ?)",
        (hash_token(access), session_id, tx.now + lives.access_ms),
    )
    tx.raw.execute(
        "INSERT INTO refresh_token(hash, session_id, expires_at) VALUES (?, ?, ?)",
        (hash_token(refresh), session_id, tx.now + lives.refresh_ms),
    )
    return Tokens(access, refresh, lives.access_ms // 1000, device_id, person_id)
