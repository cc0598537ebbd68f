"""Credentials and the login log: who has which login, whether it is disabled, who tried when from where."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from server_stub.accounts.events import RightsChanged
from server_stub.accounts.sessions import device_ids_of, do_end_sessions
from server_stub.accounts.tables import credential
from server_stub.audit.chain import do_record
from server_stub.ids import uuid7
from server_stub.records.visibility import do_bury, do_share, scope_id
from server_stub.storage.database import Tx

LOGIN_ENTRY_TYPE: Final = "LoginEntry"
MAX_LOGIN_LENGTH: Final = 64


class LoginRefused(ValueError):
    """The login cannot be given: malformed or taken."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A login with its password hash; `disabled` ones cannot come in."""

    person_id: str
    login: str
    password_hash: str
    disabled: bool

    def __repr__(self) -> str:
        return f"Credential(person_id={self.person_id!r}, disabled={self.disabled})"


def login_key(login: str) -> str:
    """The form logins are compared in: width, case and blanks around do not count."""
    return unicodedata.normalize("NFKC", login).casefold().strip()


def find_credential(conn: sa.Connection, login: str) -> Credential | None:
    """The credential of a login; None when there is none."""
    key = login_key(login)
    if not key or len(key) > MAX_LOGIN_LENGTH or not key.isprintable():
        return None
    return _credential(conn, credential.c.login_key == key)


def credential_of(conn: sa.Connection, person_id: str) -> Credential | None:
    """The credential of a person; None when the person has no login."""
    return _credential(conn, credential.c.person_id == person_id)


def do_give_login(tx: Tx, person_id: str, login: str, password_hash: str) -> None:
    """Give a new person a login. Raises LoginRefused."""
    key = login_key(login)
    if not key or len(key) > MAX_LOGIN_LENGTH or not key.isprintable() or any(char.isspace() for char in key):
        raise LoginRefused(f"a login has 1 to {MAX_LOGIN_LENGTH} visible characters without blanks")
    if tx.raw.execute("SELECT 1 FROM credential WHERE login_key = ?", (key,)).fetchone():
        raise LoginRefused(f"the login {login!r} is taken")
    tx.raw.execute(
        "INSERT INTO credential(person_id, login, login_key, password_hash, changed_at) VALUES (?, ?, ?, ?, ?)",
        (person_id, login.strip(), key, password_hash, tx.now),
    )


def do_set_password(tx: Tx, person_id: str, password_hash: str, actor: str) -> None:
    """Replace the password; every session of the person ends."""
    tx.raw.execute(
        "UPDATE credential SET password_hash = ?, changed_at = ? WHERE person_id = ?",
        (password_hash, tx.now, person_id),
    )
    do_end_sessions(tx, device_ids_of(tx.conn, person_id), "password")
    do_record(tx, actor, "user.password", person_id)


def do_rehash_password(tx: Tx, person_id: str, old_hash: str, new_hash: str) -> None:
    """Keep the same password under today's costs, unless it was changed meanwhile."""
    tx.raw.execute(
        "UPDATE credential SET password_hash = ? WHERE person_id = ? AND password_hash = ?",
        (new_hash, person_id, old_hash),
    )


def do_disable_login(tx: Tx, person_id: str, actor: str) -> None:
    """Nobody comes in by this login any more; its sessions end."""
    tx.raw.execute("UPDATE credential SET disabled_at = ? WHERE person_id = ?", (tx.now, person_id))
    do_end_sessions(tx, device_ids_of(tx.conn, person_id), "disabled")
    tx.publish(RightsChanged((person_id,)))
    do_record(tx, actor, "user.disable", person_id)


def do_enable_login(tx: Tx, person_id: str, actor: str) -> None:
    """The login may come in again."""
    tx.raw.execute("UPDATE credential SET disabled_at = NULL WHERE person_id = ?", (person_id,))
    tx.publish(RightsChanged((person_id,)))
    do_record(tx, actor, "user.enable", person_id)


def do_log_login(
    tx: Tx, *, login: str, person_id: str | None, address: str, device_id: str | None, result: str
) -> None:
    """One line of the login log; a known person sees it as a LoginEntry. Unknown logins are not kept as typed."""
    entry_id = uuid7(tx.now)
    # People type passwords into the login field: what is no login of ours is not written down.
    shown = login[:MAX_LOGIN_LENGTH] if person_id is not None else ""
    tx.raw.execute(
        "INSERT INTO login_entry(id, at, person_id, login, address, device_id, result) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (entry_id, tx.now, person_id, shown, address, device_id, result),
    )
    if person_id is not None:
        do_share(tx, entry_id, LOGIN_ENTRY_TYPE, scope_id(tx, "person", person_id))


def do_forget_old_logins(tx: Tx, keep_ms: int, limit: int = 1000) -> int:
    """Drop up to `limit` lines older than `keep_ms`; gives how many."""
    rows = tx.raw.execute(
        "SELECT id FROM login_entry WHERE at < ? ORDER BY at LIMIT ?", (tx.now - keep_ms, limit)
    ).fetchall()
    for (entry_id,) in rows:
        do_bury(tx, entry_id)
        tx.raw.execute("DELETE FROM login_entry WHERE id = ?", (entry_id,))
    return len(rows)


def _credential(conn: sa.Connection, condition: sa.ColumnElement[bool]) -> Credential | None:
    row = conn.execute(sa.select(credential).where(condition)).first()
    return None if row is None else Credential(row.person_id, row.login, row.password_hash, row.disabled_at is not None)
