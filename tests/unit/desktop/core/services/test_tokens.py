"""Tokens: renewed once for all who ask, saved before use, never lost to somebody's impatience."""

import asyncio

import pytest

from desktop.core.clock import SystemClock
from desktop.core.errors import AuthExpired
from desktop.core.protocol.answers import TokenAnswer
from desktop.core.services.tokens import Tokens
from tests.helpers.backend_model import BackendModel
from tests.helpers.fake_transport import FakeNetwork, FakeTransport


class SlowTransport(FakeTransport):
    """Answers a refresh only when told to."""

    def __init__(self, network: FakeNetwork) -> None:
        super().__init__(network, "anna")
        self.may_answer = asyncio.Event()
        self.asked = 0

    async def refresh(self, refresh_token: str) -> TokenAnswer:
        self.asked += 1
        answer = await super().refresh(refresh_token)
        await self.may_answer.wait()
        return answer


def tokens_of(transport: FakeTransport, saved: list[str]) -> Tokens:
    async def save(token: str) -> None:
        saved.append(token)

    return Tokens(transport, SystemClock(), save, login="anna", device_name="d", platform="other")


def test_a_cancelled_wait_does_not_lose_the_rotated_token() -> None:
    async def scenario() -> None:
        network, saved = FakeNetwork(BackendModel()), list[str]()
        transport = SlowTransport(network)
        tokens = tokens_of(transport, saved)
        tokens.begin(network.grant("anna").refresh_token, None)
        impatient = asyncio.create_task(tokens.ensure())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        waiting = [asyncio.create_task(tokens.ensure()) for _ in range(3)]
        transport.may_answer.set()
        await asyncio.gather(*waiting)
        assert (transport.asked, saved) == (1, ["refresh-1"])
        tokens.spoil()
        await tokens.ensure()
        assert saved == ["refresh-1", "refresh-2"]
        await tokens.close()

    asyncio.run(scenario())


def test_a_used_up_grant_falls_back_to_the_password_while_it_is_known() -> None:
    async def scenario() -> None:
        network, saved = FakeNetwork(BackendModel()), list[str]()
        network.passwords["anna"] = "pw"
        tokens = tokens_of(FakeTransport(network, "anna"), saved)
        tokens.begin("no such token", "pw")
        await tokens.ensure()
        assert tokens.access_token == "access-1"
        without = tokens_of(FakeTransport(network, "anna"), saved)
        without.begin("no such token", None)
        with pytest.raises(AuthExpired):
            await without.ensure()
        without.begin(None, None)
        with pytest.raises(AuthExpired):
            await without.ensure()

    asyncio.run(scenario())
