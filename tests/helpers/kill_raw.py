"""Clients that share no line with ours: WebSocket connections with an integration token that send messages under UUIDv7 creation ids, and send
again whatever was not answered when the connection broke. Keeps what was acknowledged, so that the test can hold the server to it.
"""

import asyncio
import contextlib
import json
import random
import ssl
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.typing import Subprotocol

from desktop.core.ids import uuid7
from tests.helpers.kill_journal import Ledger

USING: Final = ["urn:ietf:params:jmap:core", "urn:tongban:chat"]
IN_FLIGHT: Final = 4
"""Requests on the way at once; the server allows 8."""
MAX_BATCH: Final = 6
AGAIN_PAUSE: Final = 0.02


@dataclass
class RawSender:
    """One connection: an account's messages into one conversation, some in one request, some requests in flight."""

    url: str
    tls: ssl.SSLContext
    token: str
    account: str
    login: str
    room: str
    count: int
    dice: random.Random
    ledger: Ledger = field(default_factory=Ledger)
    answered: dict[str, int] = field(default_factory=dict)
    """Acknowledged id to the seq it was told."""
    connections: int = 0
    resent: int = 0
    """Messages that went out again because nobody knew what had become of them."""
    repeated: int = 0
    """Acknowledged ones sent once more on purpose."""
    contradicted: int = 0
    """Second answers that told another seq than the first."""
    disordered: int = 0
    """Requests whose new messages were not written in the order in which they stand."""

    def __post_init__(self) -> None:
        self._left = deque(range(1, self.count + 1))
        self._unknown: list[dict[str, dict[str, Any]]] = []
        self._flying: dict[str, dict[str, dict[str, Any]]] = {}
        self._requests = 0

    async def run(self) -> None:
        """Until every message is acknowledged; a broken connection is opened again, as often as needed."""
        while len(self.answered) < self.count:
            with contextlib.suppress(OSError, WebSocketException, InvalidHandshake, EOFError):
                async with connect(
                    self.url,
                    ssl=self.tls,
                    additional_headers={"Authorization": f"Bearer {self.token}"},
                    subprotocols=[Subprotocol("jmap")],
                    compression=None,
                    proxy=None,
                    open_timeout=5,
                    close_timeout=1,
                ) as socket:
                    self.connections += 1
                    await self._talk(socket)
            self._unknown += self._flying.values()
            self._flying.clear()
            await asyncio.sleep(AGAIN_PAUSE)

    async def _talk(self, socket: ClientConnection) -> None:
        while True:
            while len(self._flying) < IN_FLIGHT and (batch := self._next_batch()):
                self._requests += 1
                self._flying[str(self._requests)] = batch
                call = ["Message/set", {"accountId": self.account, "create": batch}, "0"]
                request = {"@type": "Request", "id": str(self._requests), "using": USING, "methodCalls": [call]}
                await socket.send(json.dumps(request))
            if not self._flying:
                return
            answer = json.loads(await socket.recv())
            assert answer["@type"] == "Response", answer
            name, verdict, _ = answer["methodResponses"][0]
            batch = self._flying.pop(answer["requestId"])
            assert name == "Message/set", answer
            assert verdict["created"].keys() == batch.keys(), verdict
            self._acknowledge([(message_id, verdict["created"][message_id]["seq"]) for message_id in batch])

    def _acknowledge(self, told: list[tuple[str, int]]) -> None:
        fresh = [seq for message_id, seq in told if message_id not in self.answered]
        self.disordered += fresh != sorted(fresh)
        for message_id, seq in told:
            self.contradicted += self.answered.setdefault(message_id, seq) != seq
            self.ledger.acknowledged[message_id] = None

    def _next_batch(self) -> dict[str, dict[str, Any]]:
        if self._unknown:
            self.resent += len(self._unknown[0])
            return self._unknown.pop(0)
        batch: dict[str, dict[str, Any]] = {}
        for _ in range(min(len(self._left), self.dice.randint(1, MAX_BATCH))):
            number = self._left.popleft()
            message_id = uuid7(time.time_ns() // 1_000_000, self.dice.randbytes(10))
            batch[message_id] = {"conversationId": self.room, "kind": "text", "text": f"{self.login} {number}"}
            # From here on it is promised: it must be there once, however often it has to be sent.
            self.ledger.accepted[message_id] = (self.room, number)
            self.ledger.intended[self.room] = number
        if batch and self.answered and self.dice.random() < 0.1:
            batch |= self._one_again()
        return batch

    def _one_again(self) -> dict[str, dict[str, Any]]:
        """An acknowledged message as it was sent: the second answer must be the first one."""
        message_id = self.dice.choice(list(self.answered))
        room, number = self.ledger.accepted[message_id]
        self.repeated += 1
        return {message_id: {"conversationId": room, "kind": "text", "text": f"{self.login} {number}"}}
