"""Integration tokens: how programs that cannot prove a device key come in. Scopes, expiry, address ranges; every use is counted.

Granted and revoked by an administrator only (command line); they act as one person, within what that person may.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import sqlalchemy as sa

from server_stub.accounts.events import TokenRevoked
from server_stub.accounts.sessions import hash_token
from server_stub.accounts.tables import integration_token, integration_use
from server_stub.audit.chain import do_record
from server_stub.ids import uuid7
from server_stub.records.actor import READ_SCOPE, WRITE_SCOPE
from server_stub.storage.database import Tx

TOKEN_PREFIX: Final = "tbi_"  # lets secret scanners recognize one that leaked
KNOWN_SCOPES: Final = frozenset({READ_SCOPE, WRITE_SCOPE})
MINUTE_MS: Final = 60_000
_KNOWN_PATHS: Final = (
    "/jmap/api",
    "/jmap/ws",
    "/jmap/events",
    "/jmap/upload",
    "/jmap/download",
    "/jmap/thumbnail",
    "/.well-known/jmap",
    "/files",
    "/auth/token",
    "/auth/revoke",
    "/healthz",
    "/admin/commands",
)


class GrantRefused(ValueError):
    """The token cannot be granted as asked; the text says why."""


@dataclass(frozen=True, slots=True)
class IntegrationToken:
    """A granted token without its secret. Times in ms; `addresses` are networks, empty = from anywhere."""

    id: str
    name: str
    person_id: str
    scopes: frozenset[str]
    addresses: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
    created_at: int
    expires_at: int
    revoked_at: int | None

    def refusal(self, address: str, now_ms: int) -> str | None:
        """Why it may not be used now from there: revoked, expired, address; None when it may."""
        if self.revoked_at is not None:
            return "revoked"
        if now_ms >= self.expires_at:
            return "expired"
        if self.addresses and not any(_lies_in(address, network) for network in self.addresses):
            return "address"
        return None


@dataclass(frozen=True, slots=True)
class TokenUse:
    """How often one token was used: in all, and when last (minute, ms)."""

    count: int
    last_minute: int | None


def do_grant(
    tx: Tx, *, name: str, person_id: str, scopes: Sequence[str], addresses: Sequence[str], expires_at: int, actor: str
) -> tuple[IntegrationToken, str]:
    """Grant a token. Gives it and its secret, which is not kept. Raises GrantRefused."""
    wanted = frozenset(scopes)
    if not wanted or not wanted <= KNOWN_SCOPES:
        raise GrantRefused(f"scopes are {', '.join(sorted(KNOWN_SCOPES))}; at least one")
    if not name or len(name) > 100:
        raise GrantRefused("a token needs a name of at most 100 characters")
    if expires_at <= tx.now:
        raise GrantRefused("the token would have expired already")
    networks = tuple(_network(text) for text in addresses)
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = IntegrationToken(uuid7(tx.now), name, person_id, wanted, networks, tx.now, expires_at, None)
    tx.conn.execute(
        sa.insert(integration_token).values(
            id=token.id,
            hash=hash_token(secret),
            name=name,
            person_id=person_id,
            scopes=" ".join(sorted(wanted)),
            addresses=" ".join(str(network) for network in networks),
            created_at=tx.now,
            expires_at=expires_at,
        )
    )
    details = {"person": person_id, "scopes": sorted(wanted), "addresses": [str(n) for n in networks]}
    do_record(tx, actor, "token.grant", token.id, details | {"expiresAt": expires_at})
    return token, secret


def do_revoke_token(tx: Tx, token_id: str, actor: str) -> bool:
    """Revoke; False when there is no such token or it was revoked before."""
    changed = tx.raw.execute(
        "UPDATE integration_token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (tx.now, token_id)
    )
    if not changed.rowcount:
        return False
    do_record(tx, actor, "token.revoke", token_id)
    tx.publish(TokenRevoked(token_id))
    return True


def find_token(conn: sa.Connection, secret: str) -> IntegrationToken | None:
    """The token with this secret, whatever its state."""
    row = conn.execute(sa.select(integration_token).where(integration_token.c.hash == hash_token(secret))).first()
    return None if row is None else _from_row(row)


def all_tokens(conn: sa.Connection) -> list[tuple[IntegrationToken, TokenUse]]:
    """Every token ever granted, oldest first, with its uses."""
    uses = {
        row.token_id: TokenUse(row.total, row.last)
        for row in conn.execute(
            sa.select(
                integration_use.c.token_id,
                sa.func.sum(integration_use.c.count).label("total"),
                sa.func.max(integration_use.c.minute).label("last"),
            ).group_by(integration_use.c.token_id)
        )
    }
    rows = conn.execute(sa.select(integration_token).order_by(integration_token.c.created_at, integration_token.c.id))
    return [(_from_row(row), uses.get(row.id, TokenUse(0, None))) for row in rows]


def active_token_ids(conn: sa.Connection) -> list[str]:
    """The tokens that were not revoked, expired ones included."""
    return list(conn.scalars(sa.select(integration_token.c.id).where(integration_token.c.revoked_at.is_(None))))


def kind_of_request(method: str, url: str) -> str:
    """Method and route for the use log: never an id or a file name."""
    path = urlsplit(url).path
    known = next((one for one in _KNOWN_PATHS if path == one or path.startswith(one + "/")), "other")
    return f"{method if method.isascii() and len(method) <= 7 else '?'} {known}"


UseKey = tuple[str, int, str, str, str]


class UseCounter:
    """Counts uses in memory between two writes; `take` hands them over exactly once."""

    def __init__(self) -> None:
        self._counts: Counter[UseKey] = Counter()

    def count(self, token_id: str, now_ms: int, address: str, what: str, result: str) -> None:
        """One use."""
        self._counts[token_id, now_ms - now_ms % MINUTE_MS, address, what, result] += 1

    def take(self) -> dict[UseKey, int]:
        """What was counted since the last call."""
        taken, self._counts = dict(self._counts), Counter()
        return taken

    def give_back(self, counts: dict[UseKey, int]) -> None:
        """They could not be written: keep them for the next time."""
        self._counts.update(counts)


def do_log_uses(tx: Tx, counts: dict[UseKey, int]) -> None:
    """Add counted uses to the log."""
    tx.raw.executemany(
        "INSERT INTO integration_use(token_id, minute, address, what, result, count) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (token_id, minute, address, what, result) DO UPDATE SET count = count + excluded.count",
        [(*key, count) for key, count in counts.items()],
    )


def _from_row(row: sa.Row[tuple[object, ...]]) -> IntegrationToken:
    values = row._mapping
    return IntegrationToken(
        id=values["id"],
        name=values["name"],
        person_id=values["person_id"],
        scopes=frozenset(values["scopes"].split()),
        addresses=tuple(ipaddress.ip_network(text) for text in values["addresses"].split()),
        created_at=values["created_at"],
        expires_at=values["expires_at"],
        revoked_at=values["revoked_at"],
    )


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise GrantRefused(f"{text[:64]!r} is no address or range such as 10.0.0.0/8") from None


def _lies_in(address: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found in network
