"""What strangers may fill up, and what may change while somebody is being let in."""

import asyncio
from pathlib import Path

import pytest

from server_stub.accounts import service
from server_stub.accounts.directory import Rights
from server_stub.accounts.dpop import ReplayMemory
from server_stub.accounts.refusals import Refused
from server_stub.accounts.service import Accounts
from server_stub.accounts.sessions import DeviceInfo, Tokens, do_revoke_devices
from tests.helpers.device_key import DeviceKey
from tests.helpers.server_parts import PASSWORD, Parts, open_parts

TOKEN_URL = "https://h/auth/token"
URL = "https://h/jmap/ws"


class Device:
    """Signs in and enters."""

    def __init__(self, parts: Parts) -> None:
        self.parts, self.key = parts, DeviceKey()

    def proof(self, method: str, url: str, token: str | None = None) -> str:
        return self.key.proof(method, url, token, iat=self.parts.clock.now // 1000)

    async def sign_in(self, password: str = PASSWORD) -> Tokens:
        proof = self.proof("POST", TOKEN_URL)
        device = DeviceInfo("d", "linux")
        return await self.parts.accounts.sign_in("li", password, device, proof=proof, url=TOKEN_URL, address="10.0.0.1")

    async def admit(self, token: str) -> service.Admission:
        headers = {"authorization": f"DPoP {token}", "dpop": self.proof("GET", URL, token)}
        return await self.parts.accounts.admit(headers, "GET", URL, "10.0.0.1")


def test_a_memory_that_forgets_drops_the_oldest_only() -> None:
    memory = ReplayMemory(2, forgets_oldest=True)
    assert all(memory.check_and_remember("k", jti, 0) for jti in "abc")
    assert not memory.check_and_remember("k", "c", 0)
    assert not memory.check_and_remember("k", "b", 0)
    assert memory.check_and_remember("k", "a", 0)


def test_strangers_proofs_never_fill_the_memory_of_those_who_are_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReplayMemory.__init__, "__defaults__", (3,))
    monkeypatch.setattr(service, "MAX_TOKEN_PROOFS", 3, raising=False)

    async def test(parts: Parts) -> None:
        device = Device(parts)
        tokens = await device.sign_in()
        for _ in range(10):  # each with a proof that holds: anybody can make a key
            stranger = Device(parts).proof("POST", TOKEN_URL)
            with pytest.raises(Refused, match="invalidGrant"):
                await parts.accounts.refresh("no such token", proof=stranger, url=TOKEN_URL, address="10.0.0.2")
        assert (await device.admit(tokens.access)).actor.person_id == tokens.person_id
        assert (await device.sign_in()).person_id == tokens.person_id

    with open_parts(tmp_path) as parts:
        parts.add_person("li")
        asyncio.run(asyncio.wait_for(test(parts), 60))


def test_proofs_of_foreign_keys_beside_a_token_are_not_even_remembered(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        device, stranger = Device(parts), Device(parts)
        tokens = await device.sign_in()
        held = len(parts.accounts._replays._entries)
        for _ in range(5):  # anybody can make keys; a stolen token must not let him fill the memory with them
            headers = {"authorization": f"DPoP {tokens.access}", "dpop": stranger.proof("GET", URL, tokens.access)}
            with pytest.raises(Refused, match="another key"):
                await parts.accounts.admit(headers, "GET", URL, "10.0.0.3")
        assert len(parts.accounts._replays._entries) == held
        assert (await device.admit(tokens.access)).actor.person_id == tokens.person_id

    with open_parts(tmp_path) as parts:
        parts.add_person("li")
        asyncio.run(asyncio.wait_for(test(parts), 60))


def test_one_device_that_sends_too_many_proofs_is_told_and_the_other_goes_on(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        greedy, modest = Device(parts), Device(parts)
        first, second = await greedy.sign_in(), await modest.sign_in()
        parts.accounts._replays = ReplayMemory(100, of_one_key=5)
        for _ in range(5):
            await greedy.admit(first.access)
        with pytest.raises(Refused, match="busy"):
            await greedy.admit(first.access)
        assert (await modest.admit(second.access)).actor.device_id == second.device_id
        parts.clock.advance(600_000)
        with pytest.raises(Refused, match="tokenExpired"):  # heard again, and out of time by now
            await greedy.admit(first.access)

    with open_parts(tmp_path) as parts:
        parts.add_person("li")
        asyncio.run(asyncio.wait_for(test(parts), 60))


def test_a_device_signed_out_while_it_is_let_in_stays_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(parts: Parts) -> None:
        device = Device(parts)
        tokens = await device.sign_in()
        held = Accounts._get_rights

        async def late(self: Accounts, person_id: str) -> Rights:
            found = await held(self, person_id)
            await parts.database.write(lambda tx: do_revoke_devices(tx, [tokens.device_id]))
            return found

        monkeypatch.setattr(Accounts, "_get_rights", late)
        with pytest.raises(Refused, match="tokenExpired"):
            await device.admit(tokens.access)

    with open_parts(tmp_path) as parts:
        parts.add_person("li")
        asyncio.run(asyncio.wait_for(test(parts), 60))
