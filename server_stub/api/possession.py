"""`/blobs/claim`: a person who holds a file the server has already proves it instead of sending it again (storage/possession.py).

Asking never tells whether a blob is there: everybody gets a challenge, and a wrong answer looks like an answer to nothing.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from base64 import urlsafe_b64encode
from typing import Annotated, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server_stub.accounts.refusals import Refused
from server_stub.api.allowance import Allowance
from server_stub.api.auth import answers_refusals, read_json
from server_stub.api.door import Door, admit
from server_stub.audit.chain import do_record
from server_stub.clock import Clock
from server_stub.records.actor import WRITE_SCOPE, Actor
from server_stub.storage.blobs import BlobStore, clean_type
from server_stub.storage.database import Database
from server_stub.storage.possession import LIVES_MS, Challenge, Challenges, TooManyChallenges, prove

log = logging.getLogger("tongban.possession")

CLAIM_FROM: Final = 256 * 1024
"""Bytes. Below it a file is as quickly sent, and its content could be guessed: nobody is to learn here that a guess was right."""
CLAIM_PATH: Final = "/blobs/claim"
_NO_STORE: Final = {"Cache-Control": "no-store"}
_Hash = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class _Claim(msgspec.Struct, rename="camel"):
    blob_id: _Hash
    size: Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]
    type: Annotated[str, msgspec.Meta(max_length=255)] = ""


class _Answer(msgspec.Struct):
    proof: _Hash


class PossessionApi:
    """The two steps: ask for a challenge, answer it."""

    def __init__(
        self,
        door: Door,
        database: Database,
        blobs: BlobStore,
        clock: Clock,
        *,
        max_size: int,
        allowance: Allowance | None = None,
    ) -> None:
        self._door = door
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._max_size = max_size
        self._allowance = allowance or Allowance()
        self._challenges = Challenges()

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [
            Route(CLAIM_PATH, answers_refusals(self.begin), methods=["POST"]),
            Route(CLAIM_PATH + "/{id}", answers_refusals(self.answer), methods=["POST"]),
        ]

    async def begin(self, request: Request) -> Response:
        """`{blobId, size, type?}` → `{id, key, ranges, expiresIn}`."""
        actor = await self._enter(request)
        asked = await read_json(request, _Claim)
        if not CLAIM_FROM <= asked.size <= self._max_size:
            raise Refused("badRequest", f"a file to be claimed has {CLAIM_FROM} to {self._max_size} bytes")
        self._allowance.charge_one(actor.person_id)
        now = self._clock.now_ms()
        try:
            made = self._challenges.begin(actor.person_id, asked.blob_id, asked.size, clean_type(asked.type), now)
        except TooManyChallenges:
            raise Refused("busy", "too many open claims", retry_after=30) from None
        body = {
            "id": made.id,
            "key": urlsafe_b64encode(made.key).rstrip(b"=").decode(),
            "ranges": made.ranges,
            "expiresIn": LIVES_MS // 1000,
        }
        return Response(msgspec.json.encode(body), 200, _NO_STORE, "application/json")

    async def answer(self, request: Request) -> Response:
        """`{proof}` → `{blobId, size, type}` (201); 404 for a wrong proof as for a blob that is not here."""
        actor = await self._enter(request)
        given = await read_json(request, _Answer)
        challenge = self._challenges.take(request.path_params["id"], actor.person_id, self._clock.now_ms())
        if challenge is None:
            raise Refused("notFound", "no such claim")
        right = await asyncio.to_thread(prove, self._blobs.path(challenge.blob_id), challenge)
        if right is None:
            raise Refused("notFound", "no such blob")
        if not hmac.compare_digest(right, given.proof):
            log.warning("a proof of possession failed", extra={"person": actor.person_id, "blob": challenge.blob_id})
            await self._audit(actor, challenge)
            raise Refused("notFound", "no such blob")
        return await self._register(actor, challenge)

    async def _audit(self, actor: Actor, challenge: Challenge) -> None:
        """Somebody knows the hash of a file that is here and not its bytes: worth a line. A file that is not here is nothing."""
        details = {"size": challenge.size, "device": actor.device_id}
        await self._database.write(
            lambda tx: do_record(tx, actor.person_id, "blob.claimFailed", challenge.blob_id, details)
        )

    async def _register(self, actor: Actor, challenge: Challenge) -> Response:
        async with self._allowance.room(actor.person_id, challenge.size):
            found = await self._blobs.register_known(challenge.blob_id, type_=challenge.type, uploader=actor.person_id)
        if found is None:  # dropped as an orphan since we looked
            raise Refused("notFound", "no such blob")
        body = {"blobId": found.id, "size": found.size, "type": found.type}
        return Response(msgspec.json.encode(body), 201, _NO_STORE, "application/json")

    async def _enter(self, request: Request) -> Actor:
        actor = (await admit(self._door, request, request.method)).actor
        if not actor.may(WRITE_SCOPE):
            raise Refused("forbidden", f"the token lacks the scope {WRITE_SCOPE}")
        return actor
