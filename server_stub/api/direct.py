"""`/direct`: two clients of one conversation agree on a way past the server for one file (docs/protocol.md, direct transfers).

The server carries addresses, certificates and a token between the two, writes down how it ended, and never sees the content. Offers live
in memory and minutes: one that is lost costs nothing, the sender uploads as always. Mounted only where the policy allows it.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server_stub.accounts.refusals import Refused
from server_stub.api.allowance import Allowance
from server_stub.api.auth import answers_refusals, read_json
from server_stub.api.door import Door, admit
from server_stub.chat.direct_files import do_audit_direct, do_keep_direct, do_note_direct, find_peer
from server_stub.clock import Clock
from server_stub.errors import SetError
from server_stub.ids import uuid7
from server_stub.push.frames import Frame, signal
from server_stub.records.actor import WRITE_SCOPE, Actor
from server_stub.storage.blobs import BlobStore, clean_type
from server_stub.storage.database import Database, Tx

log = logging.getLogger("tongban.direct")

DIRECT_PATH: Final = "/direct"
UNTAKEN_MS: Final = 30_000
TAKEN_MS: Final = 24 * 3_600_000
ENDED_MS: Final = 600_000
MAX_OPEN: Final = 16  # of one person
PROGRAM: Final = "program"  # the taker that is no device
_NO_STORE: Final = {"Cache-Control": "no-store"}
_Hash = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
_Certificate = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9+/]{64,2800}={0,2}$")]

TellPerson = Callable[[str, Frame], int]
"""Send a signal to all devices of a person that are there; how many heard it."""


class _Offer(msgspec.Struct, rename="camel"):
    conversation_id: _Id
    blob_id: _Hash
    size: Annotated[int, msgspec.Meta(ge=1, le=1 << 62)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    addresses: Annotated[list[tuple[str, int]], msgspec.Meta(min_length=1, max_length=4)]
    certificate: _Certificate
    type: Annotated[str, msgspec.Meta(max_length=255)] = ""


class _Take(msgspec.Struct):
    certificate: _Certificate


class _End(msgspec.Struct):
    result: Literal["done", "failed", "withdrawn"]
    reason: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z]{0,32}$")] = ""


@dataclass(slots=True)
class _Open:
    """One offer; `taker`: the device that took it; `result`: how it ended, kept for a sender who did not hear it."""

    id: str
    sender: str
    receiver: str
    given: _Offer
    expires_at: int
    taker: str | None = None
    token: str = ""
    result: str = ""


class DirectApi:
    """The offers that are open, and the routes that move them on. Belongs to the event loop."""

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
        self._open: dict[str, _Open] = {}
        self.tell: TellPerson = lambda _person, _frame: 0

    def routes(self) -> list[Route]:
        """The routes of this file."""
        one = DIRECT_PATH + "/{id}"
        return [
            Route(DIRECT_PATH, answers_refusals(self.offer), methods=["POST"]),
            Route(one, answers_refusals(self.look), methods=["GET"]),
            Route(one + "/take", answers_refusals(self.take), methods=["POST"]),
            Route(one + "/end", answers_refusals(self.end), methods=["POST"]),
            Route(one + "/keep", answers_refusals(self.keep), methods=["POST"]),
        ]

    async def offer(self, request: Request) -> Response:
        """The sender waits at these addresses: told to the other one's devices. 404: nobody of them is there."""
        actor = await self._enter(request)
        given = await read_json(request, _Offer)
        if given.size > self._max_size:
            raise Refused("tooLarge", f"directly pass files of at most {self._max_size} bytes")
        _check_addresses(given.addresses, request.client.host if request.client is not None else "")
        self._forget_expired()
        if sum(one.sender == actor.person_id and not one.result for one in self._open.values()) >= MAX_OPEN:
            raise Refused("busy", "too many direct transfers at once", retry_after=30)
        self._allowance.charge_one(actor.person_id)
        peer = await self._database.read(lambda conn: find_peer(conn, given.conversation_id, actor.person_id))
        if peer is None:
            raise Refused("notFound", "no conversation of two")
        now = self._clock.now_ms()
        made = _Open(uuid7(now), actor.person_id, peer, given, now + UNTAKEN_MS)
        self._open[made.id] = made
        heard = self._tell(
            peer, made, "offered", personId=actor.person_id, **{name: getattr(given, field) for name, field in _TOLD}
        )
        if not heard:
            del self._open[made.id]
            raise Refused("notFound", "the other one is not there")
        return _answer({"id": made.id, "expiresIn": UNTAKEN_MS // 1000}, 201)

    async def take(self, request: Request) -> Response:
        """The first device of the receiver that asks is told where and with what; the others hear 404."""
        actor = await self._enter(request)
        asked = await read_json(request, _Take)
        made = self._find(request)
        if made.receiver != actor.person_id or made.taker is not None or made.result:
            raise Refused("notFound", "no such offer")
        made.taker, made.token = actor.device_id or PROGRAM, secrets.token_hex(32)
        made.expires_at = self._clock.now_ms() + TAKEN_MS
        given = made.given
        self._tell(made.sender, made, "taken", certificate=asked.certificate, token=made.token)
        told = {name: getattr(given, field) for name, field in _TOLD}
        more = {"certificate": given.certificate, "addresses": given.addresses, "token": made.token}
        return _answer({"id": made.id, **told, **more}, 200)

    async def look(self, request: Request) -> Response:
        """How it stands, for both: `offered`, `taken`, for some minutes how it ended, then 404."""
        actor = await self._enter(request)
        made = self._find(request)
        if actor.person_id not in (made.sender, made.receiver):
            raise Refused("notFound", "no such offer")
        state = made.result or ("offered" if made.taker is None else "taken")
        return _answer({"id": made.id, "state": state}, 200)

    async def end(self, request: Request) -> Response:
        """The device that took it says how it went; the sender may give up. What began leaves a line in the audit log."""
        actor = await self._enter(request)
        said = await read_json(request, _End)
        made = self._find(request)
        takes = (
            made.receiver == actor.person_id and made.taker is not None and made.taker == (actor.device_id or PROGRAM)
        )
        if not takes and made.sender != actor.person_id:
            raise Refused("notFound", "no such offer")
        if said.result == "done" and not takes:
            raise Refused("forbidden", "the receiver says that it has arrived")
        if made.result:
            raise Refused("notFound", "it has ended")
        made.result, made.expires_at = said.result, self._clock.now_ms() + ENDED_MS
        if made.taker is not None:
            await self._database.write(lambda tx: _do_end(tx, made, said))
        self._tell(made.receiver if made.sender == actor.person_id else made.sender, made, "ended", result=said.result)
        return _answer({"id": made.id, "state": said.result}, 200)

    async def keep(self, request: Request) -> Response:
        """The sender has uploaded it as well: the message refers to the blob from now on."""
        actor, id_ = await self._enter(request), request.path_params["id"]
        try:
            known = await self._database.write(lambda tx: do_keep_direct(tx, self._blobs, actor, id_))
        except SetError as error:
            raise Refused("notFound", "no such blob") from error
        if not known:
            raise Refused("notFound", "no such transfer")
        return Response(status_code=204)

    def _find(self, request: Request) -> _Open:
        self._forget_expired()
        made = self._open.get(request.path_params["id"])
        if made is None:
            raise Refused("notFound", "no such offer")
        return made

    def _forget_expired(self) -> None:
        now = self._clock.now_ms()
        for made in [one for one in self._open.values() if one.expires_at <= now]:
            del self._open[made.id]

    def _tell(self, person_id: str, made: _Open, event: str, **more: Any) -> int:
        return self.tell(person_id, signal("direct", direct={"id": made.id, "event": event, **more}))

    async def _enter(self, request: Request) -> Actor:
        actor = (await admit(self._door, request, request.method)).actor
        if not actor.may(WRITE_SCOPE):
            raise Refused("forbidden", f"the token lacks the scope {WRITE_SCOPE}")
        return actor


_TOLD: Final = (
    ("conversationId", "conversation_id"),
    ("blobId", "blob_id"),
    ("size", "size"),
    ("name", "name"),
    ("type", "type"),
)


def _do_end(tx: Tx, made: _Open, said: _End) -> None:
    given = made.given
    if said.result == "done":
        do_note_direct(
            tx, made.id, given.conversation_id, made.sender, made.receiver, given.blob_id, given.size,
            clean_type(given.type),
        )  # fmt: skip
    details: dict[str, Any] = {
        "to": made.receiver,
        "device": made.taker,
        "conversation": given.conversation_id,
        "name": hashlib.sha256(given.name.encode()).hexdigest(),
        "size": given.size,
        "sha256": given.blob_id,
        "result": said.result,
    }
    do_audit_direct(tx, made.id, made.sender, {**details, **({"reason": said.reason} if said.reason else {})})


def _check_addresses(addresses: list[tuple[str, int]], asker: str) -> None:
    """Addresses of one machine that a colleague's client may try. Raises Refused badRequest."""
    for host, port in addresses:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            raise Refused("badRequest", "an address is an IP address") from None
        if address.is_loopback and not _is_loopback(asker):
            raise Refused("badRequest", "nobody else reaches a loopback address")
        if address.is_multicast or address.is_unspecified or not 1024 <= port <= 65535:
            raise Refused("badRequest", "no address that could be reached")


def _is_loopback(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


def _answer(body: dict[str, Any], status: int) -> Response:
    return Response(msgspec.json.encode(body), status, _NO_STORE, "application/json")
