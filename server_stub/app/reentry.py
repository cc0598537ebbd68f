"""Who may come in after a restore: nobody by what a backup holds, unless the data that ran last says that it still counts.

A backup revives every session, token and password of its day, also those that were ended since because they were stolen. So all
sessions end and everybody signs in anew. Integration tokens are revoked as well, unless the live data folder can be asked; then
what was revoked, disabled or changed since the backup stays so.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server_stub.accounts import directory
from server_stub.accounts.integration import active_token_ids, do_revoke_token
from server_stub.accounts.logins import credential_of, do_set_password
from server_stub.accounts.sessions import DeviceKey, do_end_all_sessions, do_revoke_keys
from server_stub.audit.chain import SYSTEM, do_record
from server_stub.storage.database import Database, Tx


@dataclass(frozen=True, slots=True)
class LiveLogin:
    """How a person signs in by the data that ran last."""

    person_id: str
    password_hash: str
    disabled: bool


@dataclass(frozen=True, slots=True)
class LiveFacts:
    """What the data that ran last knows: revoked device keys, integration tokens that still count, logins."""

    revoked: Sequence[DeviceKey]
    token_ids: frozenset[str]
    logins: Sequence[LiveLogin]


@dataclass(frozen=True, slots=True)
class Reentry:
    """What a restore ended: numbers of sessions, devices, integration tokens, and logins that are as the live data has them."""

    sessions: int
    devices: int
    tokens: int
    logins: int


def load_live_facts(database: Path) -> LiveFacts:
    """Ask the database of the data that ran last; reads only, also while a server runs. Raises sqlite3.Error."""
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as live:
        revoked = live.execute("SELECT person_id, jkt FROM device WHERE revoked_at IS NOT NULL")
        tokens = live.execute("SELECT id FROM integration_token WHERE revoked_at IS NULL")
        logins = live.execute("SELECT person_id, password_hash, disabled_at IS NOT NULL FROM credential")
        return LiveFacts(
            [DeviceKey(*row) for row in revoked],
            frozenset(row[0] for row in tokens),
            [LiveLogin(row[0], row[1], bool(row[2])) for row in logins],
        )


def end_what_was_open(database: Database, live: LiveFacts | None) -> Reentry:
    """End what a restored database would let in. Blocking."""

    def act(tx: Tx) -> Reentry:
        still: frozenset[str] = frozenset() if live is None else live.token_ids
        ended_tokens = [one for one in active_token_ids(tx.conn) if one not in still]
        for token_id in ended_tokens:
            do_revoke_token(tx, token_id, SYSTEM)
        done = Reentry(
            sessions=do_end_all_sessions(tx, "restored"),
            devices=0 if live is None else do_revoke_keys(tx, live.revoked),
            tokens=len(ended_tokens),
            logins=0 if live is None else sum(_do_take_over(tx, one) for one in live.logins),
        )
        details: dict[str, Any] = {"sessions": done.sessions, "tokens": done.tokens, "live": live is not None}
        do_record(tx, SYSTEM, "restore", "", details)
        return done

    return database.write_now(act)


def _do_take_over(tx: Tx, login: LiveLogin) -> bool:
    held = credential_of(tx.conn, login.person_id)
    if held is None:
        return False
    if held.password_hash != login.password_hash:
        do_set_password(tx, login.person_id, login.password_hash, SYSTEM)
    if held.disabled != login.disabled:
        change = directory.do_disable_person if login.disabled else directory.do_enable_person
        change(tx, login.person_id)
    return held.password_hash != login.password_hash or held.disabled != login.disabled
