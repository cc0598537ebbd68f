"""The door: signs people in, trades tokens, and turns the headers of a request into an Actor.

The async shell around the `do_` functions of this package. Every answer about a wrong login takes the same way and time as
one about a wrong password.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar, runtime_checkable

import sqlalchemy as sa

from server_stub.accounts.directory import Rights, load_rights
from server_stub.accounts.dpop import Proof, ReplayMemory, check_proof
from server_stub.accounts.events import AccessEnded, RightsChanged, TokenRevoked
from server_stub.accounts.integration import (
    TOKEN_PREFIX,
    IntegrationToken,
    UseCounter,
    do_log_uses,
    find_token,
    kind_of_request,
)
from server_stub.accounts.lockout import (
    Charge,
    LockPolicy,
    address_key,
    do_charge,
    do_forget_old,
    do_give_back,
    do_note_locked,
    guard_key,
    locked_for_ms,
)
from server_stub.accounts.logins import (
    Credential,
    credential_of,
    do_forget_old_logins,
    do_log_login,
    do_rehash_password,
    find_credential,
    login_key,
)
from server_stub.accounts.passwords import Passwords
from server_stub.accounts.refusals import Refused
from server_stub.accounts.sessions import (
    Access,
    DeviceInfo,
    TokenLives,
    TokenReused,
    Tokens,
    device_ids_of,
    do_forget_old_tokens,
    do_open_session,
    do_register_device,
    do_revoke_devices,
    do_rotate,
    hash_token,
    load_access,
)
from server_stub.audit.chain import do_record
from server_stub.clock import Clock
from server_stub.records.actor import Actor
from server_stub.storage.database import Database, Tx

log = logging.getLogger("tongban.accounts")

T = TypeVar("T")

NEVER: Final = 1 << 62
_DAY_MS: Final = 24 * 3600 * 1000
KEEP_LOGINS_MS: Final = 400 * _DAY_MS
KEEP_ENDED_SESSIONS_MS: Final = 90 * _DAY_MS
_MAX_CACHED: Final = 20_000
MAX_TOKEN_PROOFS: Final = 100_000


@runtime_checkable
class MultiHeaders(Protocol):
    """Headers that can tell how often one stands there (Starlette's do)."""

    def getlist(self, key: str) -> list[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How strict the door is."""

    lives: TokenLives
    by_login: LockPolicy
    by_address: LockPolicy


DEFAULT_POLICY: Final = Policy(
    lives=TokenLives(access_ms=300_000, refresh_ms=30 * _DAY_MS),
    by_login=LockPolicy(free=5, base_s=30, max_s=3600),
    by_address=LockPolicy(free=50, base_s=30, max_s=3600),
)


@dataclass(frozen=True, slots=True)
class Admission:
    """Who came in, until when (ms), and by what: the key of a device or an integration token."""

    actor: Actor
    expires_at: int
    jkt: str | None = None
    token_id: str | None = None


class Accounts:
    """Sign-in, tokens and authentication of one server. Belongs to the event loop."""

    def __init__(self, database: Database, clock: Clock, passwords: Passwords, policy: Policy = DEFAULT_POLICY) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._policy = policy
        self._replays = ReplayMemory()
        # Anybody can make proofs for /auth/token: they must not fill the memory of those who are signed in, and not shut the door.
        self._token_replays = ReplayMemory(MAX_TOKEN_PROOFS, forgets_oldest=True)
        self._uses = UseCounter()
        self._generation = 0
        self._access: dict[str, Access] = {}
        self._tokens: dict[str, IntegrationToken] = {}
        self._rights: dict[str, Rights] = {}
        database.subscribe(self._on_commit)

    # ------------------------------------------------------------ tokens

    async def sign_in(
        self, login: str, password: str, device: DeviceInfo, *, proof: str | None, url: str, address: str
    ) -> Tokens:
        """Password for tokens; registers the device of the proof's key.

        Raises:
            Refused: invalidProof, invalidCredentials, locked, accountDisabled, forbidden (too many devices), busy.
        """
        key = self._check_token_proof(proof, url)
        charges = self._charges(login, address)
        await self._refuse_locked(login, charges, address)
        stored, wait = await self._database.write(lambda tx: (find_credential(tx.conn, login), do_charge(tx, charges)))
        if wait:
            raise _locked(wait)
        try:
            good = await self._passwords.verify(stored.password_hash if stored else None, password)
        except Refused:  # busy: that was not the caller's failure
            await self._database.write(lambda tx: _do_give_all_back(tx, charges))
            raise
        if stored is None or not good:
            await self._database.write(lambda tx: _do_log(tx, login, stored, address, "invalidCredentials"))
            log.info("sign-in refused", extra={"result": "invalidCredentials", "address": address})
            raise Refused("invalidCredentials")
        if self._passwords.needs_rehash(stored.password_hash):
            stored = await self._rehash(stored, password)
        outcome = await self._database.write(lambda tx: self._do_enter(tx, stored, charges, key, device, address))
        if isinstance(outcome, Refused):
            raise outcome
        log.info("signed in", extra={"person": outcome.person_id, "device": outcome.device_id, "address": address})
        return outcome

    async def refresh(self, refresh_token: str, *, proof: str | None, url: str, address: str) -> Tokens:
        """A refresh token for the next pair. Raises Refused: invalidProof, invalidGrant, accountDisabled, deviceRevoked."""
        key = self._check_token_proof(proof, url)
        outcome = await self._database.write(lambda tx: self._do_refresh(tx, refresh_token, key, address))
        if isinstance(outcome, Refused):
            log.info("refresh refused", extra={"result": outcome.code, "address": address})
            raise outcome
        return outcome

    async def revoke(self, actor: Actor, scope: str) -> None:
        """End sessions of the actor: `device` this one, `all` every one, or a device id. Raises Refused notFound, forbidden."""
        if actor.scopes is not None or actor.device_id is None:
            raise Refused("forbidden", "only a signed-in person may sign devices out")

        def act(tx: Tx) -> bool:
            held = device_ids_of(tx.conn, actor.person_id)
            chosen = held if scope == "all" else [actor.device_id] if scope == "device" else [scope]
            if not set(chosen) <= set(held):
                return False
            do_revoke_devices(tx, [one for one in chosen if one is not None])
            do_record(tx, actor.person_id, "device.revoke", actor.person_id, {"devices": chosen})
            return True

        if not await self._database.write(act):
            raise Refused("notFound", "no such device")

    # ------------------------------------------------------------ requests

    async def authenticate(self, headers: Mapping[str, str], method: str, url: str, address: str) -> Actor:
        """The actor behind a request. Raises Refused."""
        return (await self.admit(headers, method, url, address)).actor

    async def admit(self, headers: Mapping[str, str], method: str, url: str, address: str) -> Admission:
        """The same with its end, for connections that outlive a request.

        Args:
            headers: names in lower case (or a case-insensitive mapping).
            url: the absolute URL the client asked for.
            address: the peer's IP address.

        Raises:
            Refused: invalidProof, tokenExpired, accountDisabled, forbidden (integration token from elsewhere).
        """
        scheme, _, token = _single(headers, "authorization", "tokenExpired").partition(" ")
        token = token.strip()
        if scheme.lower() == "bearer" and token:
            return await self._admit_program(token, method, url, address)
        if scheme.lower() != "dpop" or not token:
            raise Refused("tokenExpired", "an access token is needed")
        generation = self._generation
        access = await self._get_live_access(token)
        check_proof(
            _single(headers, "dpop", "invalidProof"),
            method=method,
            url=url,
            now_ms=self._clock.now_ms(),
            access_token=token,
            replays=self._replays,
            bound_to=access.jkt,
        )
        admission = await self._admission(access)
        while generation != self._generation:
            # Sessions or rights changed while we looked: whoever opens a socket now would never be told.
            generation = self._generation
            admission = await self._admission(await self._get_live_access(token))
        return admission

    async def renew(self, admission: Admission, access_token: str) -> Admission:
        """Go on with a newer access token of the same device on an open connection. Raises Refused tokenExpired, invalidProof."""
        access = await self._get_live_access(access_token)
        if access.jkt != admission.jkt or access.person_id != admission.actor.person_id:
            raise Refused("invalidProof", "the token belongs to another device")
        return await self._admission(access)

    def note_use(self, admission: Admission, address: str, what: str) -> None:
        """Count a request an integration token made on an open socket: there `admit` saw only the handshake."""
        if admission.token_id is not None:
            self._uses.count(admission.token_id, self._clock.now_ms(), address, what, "ok")

    # ------------------------------------------------------------ keeping

    async def flush_uses(self) -> None:
        """Write the counted uses of integration tokens; called every second and at the stop."""
        counts = self._uses.take()
        if not counts:
            return
        try:
            await self._database.write(lambda tx: do_log_uses(tx, counts))
        except BaseException:
            self._uses.give_back(counts)
            raise

    async def clean_up(self) -> None:
        """Drop what has run out: tokens, lock-outs, old login lines."""
        await self._database.write(lambda tx: do_forget_old_tokens(tx, KEEP_ENDED_SESSIONS_MS))
        await self._database.write(do_forget_old)
        while await self._database.write(lambda tx: do_forget_old_logins(tx, KEEP_LOGINS_MS)):
            pass

    async def close(self) -> None:
        """Write what is counted; let running password checks end."""
        await self.flush_uses()
        self._passwords.close()

    # ------------------------------------------------------------ inside

    def _check_token_proof(self, proof: str | None, url: str) -> Proof:
        if not proof:
            raise Refused("invalidProof", "a DPoP proof is needed")
        now = self._clock.now_ms()
        return check_proof(proof, method="POST", url=url, now_ms=now, access_token=None, replays=self._token_replays)

    def _charges(self, login: str, address: str) -> list[Charge]:
        by_login = Charge(guard_key("login", login_key(login)), self._policy.by_login)
        return [by_login, Charge(address_key(address), self._policy.by_address)]

    async def _refuse_locked(self, login: str, charges: list[Charge], address: str) -> None:
        # Asked by a reader first: a flood against a locked login must not keep the writer busy.
        now = self._clock.now_ms()
        wait = await self._database.read(lambda conn: locked_for_ms(conn, charges, now))
        if wait <= 0:
            return

        def note(tx: Tx) -> None:
            if any([do_note_locked(tx, charge) for charge in charges]):
                _do_log(tx, login, find_credential(tx.conn, login), address, "locked")

        await self._database.write(note)
        raise _locked(wait)

    def _do_enter(
        self, tx: Tx, stored: Credential, charges: Sequence[Charge], key: Proof, device: DeviceInfo, address: str
    ) -> Tokens | Refused:
        by_login, by_address = charges
        do_give_back(tx, by_login, clear=True)
        do_give_back(tx, by_address, clear=False)
        now = credential_of(tx.conn, stored.person_id)
        if now is None or now.password_hash != stored.password_hash:
            return Refused("invalidCredentials", "the password was changed a moment ago")
        if now.disabled:
            _do_log(tx, stored.login, stored, address, "accountDisabled")
            return Refused("accountDisabled")
        device_id = do_register_device(tx, stored.person_id, key.thumbprint, device, address)
        tokens = do_open_session(tx, stored.person_id, device_id, self._policy.lives)
        do_log_login(
            tx, login=stored.login, person_id=stored.person_id, address=address, device_id=device_id, result="ok"
        )
        do_record(tx, stored.person_id, "sign-in", device_id, {"address": address})
        return tokens

    def _do_refresh(self, tx: Tx, refresh_token: str, key: Proof, address: str) -> Tokens | Refused:
        outcome = do_rotate(tx, refresh_token, key.thumbprint, address, self._policy.lives)
        if isinstance(outcome, TokenReused):
            person_id, device_id = outcome.person_id, outcome.device_id
            stored = credential_of(tx.conn, person_id)
            login = stored.login if stored is not None else ""
            do_log_login(
                tx, login=login, person_id=person_id, address=address, device_id=device_id, result="refreshTokenReused"
            )
            do_record(tx, person_id, "session.reuse", device_id, {"address": address})
        return outcome

    async def _rehash(self, stored: Credential, password: str) -> Credential:
        fresh = await self._passwords.rehash(password)
        await self._database.write(lambda tx: do_rehash_password(tx, stored.person_id, stored.password_hash, fresh))
        return Credential(stored.person_id, stored.login, fresh, stored.disabled)

    async def _admit_program(self, token: str, method: str, url: str, address: str) -> Admission:
        found = await self._get_integration(token) if token.startswith(TOKEN_PREFIX) else None
        if found is None:
            raise Refused("tokenExpired", "unknown integration token")
        now = self._clock.now_ms()
        refusal = found.refusal(address, now)
        rights = await self._get_rights(found.person_id)
        if refusal is None and not rights.active:
            refusal = "disabled"
        self._uses.count(found.id, now, address, kind_of_request(method, url), refusal or "ok")
        if refusal == "address":
            raise Refused("forbidden", "this token may not be used from this address")
        if refusal == "disabled":
            raise Refused("accountDisabled")
        if refusal is not None:
            raise Refused("tokenExpired", f"the integration token is {refusal}")
        actor = Actor(found.person_id, rights.roles, rights.department_ids, None, found.scopes)
        return Admission(actor, found.expires_at, None, found.id)

    async def _admission(self, access: Access) -> Admission:
        rights = await self._get_rights(access.person_id)
        if not rights.active:
            raise Refused("accountDisabled")
        actor = Actor(access.person_id, rights.roles, rights.department_ids, access.device_id, None)
        return Admission(actor, access.expires_at, access.jkt)

    async def _get_live_access(self, token: str) -> Access:
        access = await self._get_access(token)
        if access is None or access.expires_at <= self._clock.now_ms():
            raise Refused("tokenExpired", "the access token is unknown or has expired")
        return access

    async def _get_access(self, token: str) -> Access | None:
        hashed = hash_token(token)
        known = self._access.get(hashed)
        if known is not None:
            return known
        generation = self._generation
        found = await self._database.read(lambda conn: load_access(conn, hashed))
        if found is not None and generation == self._generation:
            _remember(self._access, hashed, found)
        return found

    async def _get_integration(self, token: str) -> IntegrationToken | None:
        hashed = hash_token(token)
        known = self._tokens.get(hashed)
        if known is not None:
            return known
        generation = self._generation
        found = await self._database.read(lambda conn: find_token(conn, token))
        if found is not None and generation == self._generation:
            _remember(self._tokens, hashed, found)
        return found

    async def _get_rights(self, person_id: str) -> Rights:
        known = self._rights.get(person_id)
        if known is not None:
            return known
        generation = self._generation
        found = await self._database.read(lambda conn: _load_rights(conn, person_id))
        if generation == self._generation:
            _remember(self._rights, person_id, found)
        return found

    def _on_commit(self, events: list[object]) -> None:
        for event in events:
            match event:
                case AccessEnded(device_ids=ended):
                    gone = set(ended)
                    self._access = {key: one for key, one in self._access.items() if one.device_id not in gone}
                case TokenRevoked(token_id=token_id):
                    self._tokens = {key: one for key, one in self._tokens.items() if one.id != token_id}
                case RightsChanged(person_ids=changed):
                    for person_id in changed:
                        self._rights.pop(person_id, None)
                case _:
                    continue
            # A reader that began before this commit must not put back what was just dropped.
            self._generation += 1


def _remember(cache: dict[str, T], key: str, value: T) -> None:
    if len(cache) >= _MAX_CACHED:
        cache.clear()
    cache[key] = value


def _load_rights(conn: sa.Connection, person_id: str) -> Rights:
    rights = load_rights(conn, person_id)
    stored = credential_of(conn, person_id)
    if stored is not None and stored.disabled:
        return Rights(rights.roles, rights.department_ids, active=False)
    return rights


def _do_give_all_back(tx: Tx, charges: Sequence[Charge]) -> None:
    for charge in charges:
        do_give_back(tx, charge, clear=False)


def _do_log(tx: Tx, login: str, stored: Credential | None, address: str, result: str) -> None:
    person_id = stored.person_id if stored is not None else None
    do_log_login(tx, login=login, person_id=person_id, address=address, device_id=None, result=result)


def _locked(wait_ms: int) -> Refused:
    return Refused("locked", "too many wrong passwords", retry_after=math.ceil(wait_ms / 1000))


def _single(headers: Mapping[str, str], name: str, code: str) -> str:
    values = headers.getlist(name) if isinstance(headers, MultiHeaders) else [headers[name]] if name in headers else []
    if len(values) != 1:
        raise Refused(code, f"exactly one {name} header is needed")
    return values[0]
