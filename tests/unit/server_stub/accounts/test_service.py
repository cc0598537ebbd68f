"""The door: sign-in, refresh, revocation and authentication over a real database and a clock that tests move."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from server_stub.accounts import sessions
from server_stub.accounts.directory import do_disable_person, do_set_roles
from server_stub.accounts.integration import do_grant, do_revoke_token
from server_stub.accounts.lockout import LockPolicy
from server_stub.accounts.logins import do_set_password
from server_stub.accounts.passwords import Passwords
from server_stub.accounts.refusals import Refused
from server_stub.accounts.service import DEFAULT_POLICY, Accounts, Policy
from server_stub.accounts.sessions import DeviceInfo, TokenLives, Tokens
from server_stub.audit import chain
from server_stub.records.actor import Actor
from server_stub.storage.database import Tx
from tests.helpers.device_key import DeviceKey
from tests.helpers.server_parts import PASSWORD, Parts, open_parts

T = TypeVar("T")
TOKEN_URL = "https://h/auth/token"
URL = "https://h/jmap/api"
HERE = "10.1.2.3"
DEVICE = DeviceInfo("desk", "linux")


class Client:
    """A device of a test."""

    def __init__(self, parts: Parts, key: DeviceKey | None = None) -> None:
        self.parts = parts
        self.key = key or DeviceKey()

    def proof(self, method: str, url: str, token: str | None = None) -> str:
        return self.key.proof(method, url, token, iat=self.parts.clock.now // 1000)

    async def sign_in(self, login: str = "li", password: str = PASSWORD, address: str = HERE) -> Tokens:
        proof = self.proof("POST", TOKEN_URL)
        return await self.parts.accounts.sign_in(login, password, DEVICE, proof=proof, url=TOKEN_URL, address=address)

    async def refresh(self, token: str) -> Tokens:
        proof = self.proof("POST", TOKEN_URL)
        return await self.parts.accounts.refresh(token, proof=proof, url=TOKEN_URL, address=HERE)

    async def enter(self, token: str, method: str = "POST", url: str = URL) -> Actor:
        headers = {"authorization": f"DPoP {token}", "dpop": self.proof(method, url, token)}
        return await self.parts.accounts.authenticate(headers, method, url, HERE)


def run(folder: Path, test: Callable[[Parts], Awaitable[T]], policy: Policy = DEFAULT_POLICY) -> T:
    with open_parts(folder, policy) as parts:
        parts.add_person("li", roles=("publisher",))

        async def body() -> T:
            return await asyncio.wait_for(test(parts), 60)

        return asyncio.run(body())


async def refused(awaited: Awaitable[object]) -> Refused:
    with pytest.raises(Refused) as caught:
        await awaited
    return caught.value


async def code(awaited: Awaitable[object]) -> str:
    return (await refused(awaited)).code


def test_sign_in_then_act(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        client = Client(parts)
        tokens = await client.sign_in(" LI ")  # blanks, case and width of a login do not count
        actor = await client.enter(tokens.access)
        assert (actor.person_id, actor.device_id) == (tokens.person_id, tokens.device_id)
        assert actor.roles == {"publisher"}
        assert actor.scopes is None
        assert tokens.access not in repr(tokens)

    run(tmp_path, test)


def test_unknown_login_and_wrong_password_are_one_answer(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        client = Client(parts)
        wrong = await refused(client.sign_in(password="nope"))
        unknown = await refused(client.sign_in("nobody"))
        odd = await refused(client.sign_in("\ud800\x00", "\udfff" * 2000))
        assert {(one.code, one.detail, one.retry_after) for one in (wrong, unknown, odd)} == {
            ("invalidCredentials", "", None)
        }

    run(tmp_path, test)


def test_an_unknown_login_costs_a_hash_as_well(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        checked: list[str | None] = []

        class Watched(Passwords):
            async def verify(self, stored: str | None, password: str) -> bool:
                checked.append(stored)
                return await super().verify(stored, password)

        watched = Watched(memory_kib=64, rounds=1)
        parts.accounts = Accounts(parts.database, parts.clock, watched)
        await code(Client(parts).sign_in("nobody"))
        assert checked == [None]
        watched.close()

    run(tmp_path, test)


def test_many_guesses_at_the_same_time_do_not_slip_past_the_limit(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        answers = await asyncio.gather(*(code(Client(parts).sign_in(password=f"guess{n}")) for n in range(30)))
        assert answers.count("invalidCredentials") <= 5
        assert answers.count("locked") == 30 - answers.count("invalidCredentials")
        locked = await refused(Client(parts).sign_in())
        assert locked.code == "locked"
        assert locked.retry_after == 30
        parts.clock.advance(30_000)
        assert await Client(parts).sign_in()

    run(tmp_path, test)


def test_an_address_that_tries_many_logins_is_locked(tmp_path: Path) -> None:
    policy = Policy(lives=DEFAULT_POLICY.lives, by_login=DEFAULT_POLICY.by_login, by_address=LockPolicy(4, 30, 60))

    async def test(parts: Parts) -> None:
        for n in range(4):
            assert await code(Client(parts).sign_in(f"user{n}", "x")) == "invalidCredentials"
        assert await code(Client(parts).sign_in()) == "locked"
        assert await Client(parts).sign_in(address="10.9.9.9")

    run(tmp_path, test, policy)


def test_right_passwords_never_lock_their_address(tmp_path: Path) -> None:
    policy = Policy(lives=DEFAULT_POLICY.lives, by_login=DEFAULT_POLICY.by_login, by_address=LockPolicy(3, 30, 60))

    async def test(parts: Parts) -> None:
        client = Client(parts)
        for _ in range(10):
            await client.sign_in()

    run(tmp_path, test, policy)


def test_an_access_token_ends_by_the_clock(tmp_path: Path) -> None:
    policy = Policy(
        lives=TokenLives(60_000, 3_600_000), by_login=DEFAULT_POLICY.by_login, by_address=DEFAULT_POLICY.by_address
    )

    async def test(parts: Parts) -> None:
        client = Client(parts)
        tokens = await client.sign_in()
        parts.clock.advance(59_999)
        assert await client.enter(tokens.access)
        parts.clock.advance(1)
        assert await code(client.enter(tokens.access)) == "tokenExpired"
        fresh = await client.refresh(tokens.refresh)
        assert await client.enter(fresh.access)
        parts.clock.advance(3_600_000)
        assert await code(client.refresh(fresh.refresh)) == "invalidGrant"

    run(tmp_path, test, policy)


def test_tokens_outlive_the_process_but_not_their_session(tmp_path: Path) -> None:
    async def first(parts: Parts) -> tuple[DeviceKey, Tokens]:
        client = Client(parts)
        return client.key, await client.sign_in()

    key, tokens = run(tmp_path, first)
    with open_parts(tmp_path) as parts:
        client = Client(parts, key)

        async def second() -> None:
            actor = await client.enter(tokens.access)
            await parts.accounts.revoke(actor, "device")
            assert await code(client.enter(tokens.access)) == "tokenExpired"
            assert await code(client.refresh(tokens.refresh)) == "deviceRevoked"

        asyncio.run(second())


def test_reuse_of_a_refresh_token_ends_the_session_even_for_the_newest(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        client = Client(parts)
        tokens = await client.sign_in()
        used = await client.refresh(tokens.refresh)
        fresh = await client.refresh(used.refresh)
        assert await code(client.refresh(tokens.refresh)) == "invalidGrant"
        assert await code(client.refresh(fresh.refresh)) == "invalidGrant"
        assert await code(client.enter(fresh.access)) == "tokenExpired"
        assert await code(client.refresh("never-given-out")) == "invalidGrant"
        results = await parts.database.read(
            lambda conn: [row[0] for row in conn.exec_driver_sql("SELECT result FROM login_entry ORDER BY at, id")]
        )
        assert sorted(results) == ["ok", "refreshTokenReused"]

    run(tmp_path, test)


def test_a_refresh_whose_answer_was_lost_may_be_asked_again(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        client = Client(parts)
        tokens = await client.sign_in()
        lost = await client.refresh(tokens.refresh)
        fresh = await client.refresh(tokens.refresh)
        assert await code(client.refresh(lost.refresh)) == "invalidGrant"
        await client.enter(fresh.access)
        await client.refresh(fresh.refresh)

    run(tmp_path, test)


def test_of_refreshes_at_once_the_last_one_stays_good(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        client = Client(parts)
        tokens = await client.sign_in()
        results = await asyncio.gather(*(client.refresh(tokens.refresh) for _ in range(4)))
        good = await parts.database.read(
            lambda conn: conn.exec_driver_sql("SELECT count(*) FROM refresh_token WHERE used_at IS NULL").scalar()
        )
        assert good == 1
        assert len({one.refresh for one in results}) == 4

    run(tmp_path, test)


def test_disabling_ends_everything_at_once(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        client = Client(parts)
        tokens = await client.sign_in()
        await client.enter(tokens.access)
        await parts.database.write(lambda tx: do_disable_person(tx, tokens.person_id))
        assert await code(client.enter(tokens.access)) == "tokenExpired"
        assert await code(client.refresh(tokens.refresh)) == "accountDisabled"
        assert await code(client.sign_in()) == "accountDisabled"
        assert await code(client.sign_in(password="wrong")) == "invalidCredentials"  # says nothing to a stranger

    run(tmp_path, test)


def test_a_new_password_signs_all_devices_out(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        one, other = Client(parts), Client(parts)
        tokens = [await one.sign_in(), await other.sign_in()]
        hashed = parts.passwords.hash("another password")
        await parts.database.write(lambda tx: do_set_password(tx, tokens[0].person_id, hashed, "system"))
        assert await code(one.enter(tokens[0].access)) == "tokenExpired"
        assert await code(other.refresh(tokens[1].refresh)) == "invalidGrant"
        assert await one.sign_in(password="another password")

    run(tmp_path, test)


def test_changed_roles_hold_for_the_next_request(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        client = Client(parts)
        tokens = await client.sign_in()
        assert (await client.enter(tokens.access)).roles == {"publisher"}
        await parts.database.write(lambda tx: do_set_roles(tx, tokens.person_id, ["admin"]))
        assert (await client.enter(tokens.access)).roles == {"admin"}

    run(tmp_path, test)


def test_renew_goes_on_only_with_a_token_of_the_same_device(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        client, other = Client(parts), Client(parts)
        tokens = await client.sign_in()
        headers = {"authorization": f"DPoP {tokens.access}", "dpop": client.proof("GET", URL, tokens.access)}
        admission = await parts.accounts.admit(headers, "GET", URL, HERE)
        assert admission.expires_at == parts.clock.now + 300_000
        fresh = await client.refresh(tokens.refresh)
        parts.clock.advance(1000)
        renewed = await parts.accounts.renew(admission, fresh.access)
        assert renewed.actor == admission.actor
        strange = await other.sign_in()
        assert await code(parts.accounts.renew(admission, strange.access)) == "invalidProof"
        assert await code(parts.accounts.renew(admission, "rubbish")) == "tokenExpired"

    run(tmp_path, test)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "DPoP"},
        {"authorization": "DPoP  "},
        {"authorization": "Basic abc"},
        {"authorization": "DPoP rubbish", "dpop": "x"},
        {"authorization": "Bearer rubbish"},
        {"authorization": "Bearer tbi_rubbish"},
        {"authorization": "Bearer \ud800"},
    ],
)
def test_hostile_headers(tmp_path: Path, headers: dict[str, str]) -> None:
    async def test(parts: Parts) -> None:
        assert await code(parts.accounts.admit(headers, "GET", URL, HERE)) == "tokenExpired"

    run(tmp_path, test)


def test_a_device_token_without_or_with_two_proofs(tmp_path: Path) -> None:
    class Doubled(dict[str, str]):
        def getlist(self, key: str) -> list[str]:
            return [self[key]] * (2 if key == "dpop" else 1)

    async def test(parts: Parts) -> None:
        client = Client(parts)
        tokens = await client.sign_in()
        plain = {"authorization": f"DPoP {tokens.access}"}
        assert await code(parts.accounts.admit(plain, "POST", URL, HERE)) == "invalidProof"
        twice = Doubled(plain | {"dpop": client.proof("POST", URL, tokens.access)})
        assert await code(parts.accounts.admit(twice, "POST", URL, HERE)) == "invalidProof"
        as_bearer = {"authorization": f"Bearer {tokens.access}"}
        assert await code(parts.accounts.admit(as_bearer, "POST", URL, HERE)) == "tokenExpired"

    run(tmp_path, test)


def test_integration_token_acts_within_scope_range_and_time(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        person = (await Client(parts).sign_in()).person_id

        def grant(tx: Tx) -> tuple[str, str]:
            token, secret = do_grant(
                tx,
                name="job",
                person_id=person,
                scopes=["read"],
                addresses=["10.0.0.0/8", "2001:db8::/32"],
                expires_at=tx.now + 1000,
                actor="system",
            )
            return token.id, secret

        token_id, secret = await parts.database.write(grant)

        async def enter(address: str) -> Actor:
            return await parts.accounts.authenticate(
                {"authorization": f"Bearer {secret}"}, "GET", "https://h/files/1", address
            )

        actor = await enter("10.1.1.1")
        assert actor.may("read")
        assert not actor.may("write")
        assert await enter("::ffff:10.2.2.2")
        assert await enter("2001:db8::5")
        for address in ["192.0.2.1", "::1", "unknown", ""]:
            assert await code(enter(address)) == "forbidden"
        assert await code(parts.accounts.revoke(actor, "all")) == "forbidden"
        parts.clock.advance(1000)
        assert await code(enter("10.1.1.1")) == "tokenExpired"
        await parts.accounts.flush_uses()
        await parts.accounts.flush_uses()
        rows = await parts.database.read(
            lambda conn: conn.exec_driver_sql(
                "SELECT result, sum(count), min(what) FROM integration_use GROUP BY 1"
            ).fetchall()
        )
        assert [tuple(row) for row in rows] == [
            ("address", 4, "GET /files"),
            ("expired", 1, "GET /files"),
            ("ok", 3, "GET /files"),
        ]
        assert await parts.database.write(lambda tx: do_revoke_token(tx, token_id, "system"))
        parts.clock.advance(-1000)
        assert await code(enter("10.1.1.1")) == "tokenExpired"

    run(tmp_path, test)


def test_every_use_is_counted_however_many_at_once(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        person = (await Client(parts).sign_in()).person_id
        _, secret = await parts.database.write(
            lambda tx: do_grant(
                tx, name="x", person_id=person, scopes=["read"], addresses=[], expires_at=tx.now + 9999, actor="system"
            )
        )

        async def use() -> None:
            await parts.accounts.authenticate({"authorization": f"Bearer {secret}"}, "GET", URL, HERE)

        for _ in range(5):
            await asyncio.gather(*(use() for _ in range(20)), parts.accounts.flush_uses())
        await parts.accounts.flush_uses()
        total = await parts.database.read(
            lambda conn: conn.exec_driver_sql("SELECT sum(count) FROM integration_use").scalar()
        )
        assert total == 100

    run(tmp_path, test)


def test_the_audit_chain_holds_every_administrative_act(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        client = Client(parts)
        tokens = await client.sign_in()
        await parts.accounts.revoke(await client.enter(tokens.access), "all")
        acts = await parts.database.read(
            lambda conn: [row[0] for row in conn.exec_driver_sql("SELECT act FROM audit_entry ORDER BY seq")]
        )
        assert acts == ["user.create", "sign-in", "device.revoke"]
        assert (await parts.database.read(chain.verify)).broken_at is None

    run(tmp_path, test)


def test_one_device_too_many_signs_the_longest_unseen_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_DEVICES", 3)

    async def test(parts: Parts) -> None:
        clients = [Client(parts) for _ in range(4)]
        tokens = []
        for client in clients:
            parts.clock.advance(1000)
            tokens.append(await client.sign_in())
        assert await code(clients[0].enter(tokens[0].access)) == "tokenExpired"
        assert await code(clients[0].refresh(tokens[0].refresh)) == "deviceRevoked"
        for client, held in list(zip(clients, tokens, strict=True))[1:]:
            assert await client.enter(held.access)

    run(tmp_path, test)


def test_clean_up_drops_only_what_has_run_out(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        client, other = Client(parts), Client(parts)
        old = await client.sign_in()
        parts.clock.advance(31 * 24 * 3_600_000)
        live = await other.sign_in()
        await parts.accounts.clean_up()
        assert await other.enter(live.access)
        assert await code(client.refresh(old.refresh)) == "invalidGrant"
        parts.clock.advance(500 * 24 * 3_600_000)
        await parts.accounts.clean_up()
        counts = await parts.database.read(
            lambda conn: [
                conn.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
                for table in ("access_token", "refresh_token", "session", "login_entry")
            ]
        )
        assert counts[0] == 0
        assert counts[3] == 0
        parts.clock.advance(91 * 24 * 3_600_000)
        await parts.accounts.clean_up()
        left = await parts.database.read(lambda conn: conn.exec_driver_sql("SELECT count(*) FROM session").scalar())
        assert left == 0
        devices = await parts.database.read(lambda conn: conn.exec_driver_sql("SELECT count(*) FROM device").scalar())
        assert devices == 2  # they were never revoked: the person may come back with the password

    run(tmp_path, test)


def test_costs_that_grew_are_applied_at_the_next_sign_in(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        stronger = Passwords(memory_kib=128, rounds=2)
        parts.accounts = Accounts(parts.database, parts.clock, stronger)
        await Client(parts).sign_in()
        stored = await parts.database.read(
            lambda conn: conn.exec_driver_sql("SELECT password_hash FROM credential").scalar()
        )
        assert "m=128,t=2" in str(stored)
        await Client(parts).sign_in()
        stronger.close()

    run(tmp_path, test)
