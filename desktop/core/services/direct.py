"""Files from device to device: agreed on through the server, offered and taken where policy and user allow it, given up without a word where it does not go."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from desktop.core.domain import Attachment, TransferRules
from desktop.core.errors import AppError, BadFile, Offline, Rejected
from desktop.core.net.direct import DirectSource, Identity, connect_direct, make_identity, near_addresses
from desktop.core.net.transport import DirectPolicy, Download, Moved, ReadAt
from desktop.core.protocol.answers import DirectState, DirectTaken, decode_answer
from desktop.core.protocol.problems import ProtocolError
from desktop.core.services.context import Context

LEAST: Final = 1024 * 1024
"""Bytes: a smaller file is at the server before two devices have found each other."""
AT_ONCE: Final = 3
TAKEN_S: Final = 2.5
"""How long the sender waits for a device of the other one to take it."""
FOUND_S: Final = 8.0
"""How long for it to come, once it has taken it."""
BACK_S: Final = 30.0
"""How long for it to come back when it fell silent in the middle."""
REACH_S: Final = 1.5
"""How long the receiver tries an address at which nobody answers."""
TRIES: Final = 3
AGAIN_S: Final = (0.2, 1.0, 2.0)
KEPT_EARLY: Final = 16


class Receiving(Protocol):
    """What a taken file needs of the list of transfers."""

    def rules(self) -> TransferRules:
        """The user's wishes."""
        ...

    def has(self, blob_id: str) -> bool:
        """Whether the blob is on this device."""
        ...

    async def has_room(self, size: int) -> bool:
        """Whether the disk takes so many bytes more."""
        ...

    async def receive_direct(self, attachment: Attachment) -> None:
        """A file is coming: it gets its row."""
        ...

    async def withdraw_direct(self, blob_id: str) -> None:
        """It does not come after all."""
        ...


@dataclass(slots=True)
class _Passing:
    """A file this device offers: the news of it, as they come."""

    taken: "asyncio.Future[dict[str, Any]]"
    ended: "asyncio.Future[str]"


@dataclass(frozen=True, slots=True)
class _Coming:
    """A file this device has taken."""

    told: DirectTaken
    identity: Identity
    peer: bytes
    token: bytes


@dataclass(frozen=True, slots=True)
class Passed:
    """How an attempt went: `id` of the direct transfer that brought it; `tried`: somebody was there to take it."""

    id: str | None = None
    tried: bool = False


@dataclass(slots=True)
class _News:
    """What was told of a transfer before this device knew its id: the answer and the news come by two connections."""

    told: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def keep(self, id_: str, told: dict[str, Any]) -> None:
        if id_ not in self.told and len(self.told) >= KEPT_EARLY:
            del self.told[next(iter(self.told))]
        self.told.setdefault(id_, [])[3:] = []
        self.told[id_].append(told)


class DirectFiles:
    """Of one session. Belongs to the loop."""

    def __init__(self, context: Context, receiving: Receiving) -> None:
        self._context = context
        self._receiving = receiving
        self._passing: dict[str, _Passing] = {}
        self._coming: dict[str, _Coming] = {}
        self._early = _News()

    # ------------------------------------------------------------ sending
    async def pass_on(
        self,
        conversation_id: str,
        attachment: Attachment,
        read_at: ReadAt,
        moved: Moved,
        begun: Callable[[], Awaitable[None]],
    ) -> Passed:
        """Tries to give a file to the other one of a talk of two; `begun` is called when his device has taken it.

        Never fails: a file that does not go so goes as it always went.
        """
        policy = await self._policy(attachment.size)
        if policy is None:
            return Passed()
        source = DirectSource(read_at, attachment.size, moved)
        try:
            try:
                where = source.open(await near_addresses(policy.host, policy.port))
            except OSError:
                return Passed()
            return await self._pass(conversation_id, attachment, source, where, begun) if where else Passed()
        except (
            Rejected,
            Offline,
            ProtocolError,
        ):  # nobody there, not now, not with this server: it goes as it always went
            return Passed()
        finally:
            await source.close()

    async def _policy(self, size: int) -> DirectPolicy | None:
        if size < LEAST or not self._receiving.rules().direct:
            return None
        with suppress(Rejected, Offline):
            policy = await self._context.transport.direct_policy()
            return policy if policy is not None and size <= policy.max_size else None
        return None

    async def _pass(
        self,
        conversation_id: str,
        attachment: Attachment,
        source: DirectSource,
        where: list[tuple[str, int]],
        begun: Callable[[], Awaitable[None]],
    ) -> Passed:
        identity = await self._context.workers.cpu(make_identity)
        offer = {
            "conversationId": conversation_id,
            "blobId": attachment.blob_id,
            "size": attachment.size,
            "name": attachment.name[:255],
            "type": attachment.type,
            "addresses": where,
            "certificate": base64.b64encode(identity.certificate).decode(),
        }
        id_ = decode_answer(await self._post("", offer), DirectState).id
        loop = asyncio.get_running_loop()
        passing = self._passing[id_] = _Passing(loop.create_future(), loop.create_future())
        said = "withdrawn"
        try:
            for told in self._early.told.pop(id_, ()):
                self.on_told(told)
            await asyncio.wait({passing.taken}, timeout=TAKEN_S)
            if not passing.taken.done():
                return Passed()
            said = "failed"
            try:
                peer, token = _secrets(passing.taken.result())
                await source.serve(identity, peer, token)
            except (BadFile, OSError):
                return Passed()
            await begun()
            said = await self._watch(id_, passing, source) or "failed"
            return Passed(id_ if said == "done" else None, tried=True)
        except asyncio.CancelledError:
            said = "withdrawn"
            raise
        finally:
            del self._passing[id_]
            if said != "done" and not passing.ended.done() and not self._context.tasks.closed:
                self._context.start(self._say_end(id_, said, "sender"), f"direct.{id_}")

    async def _watch(self, id_: str, passing: _Passing, source: DirectSource) -> str | None:
        """How it ended; None: nobody says, and nothing moves any more."""
        loop = asyncio.get_running_loop()
        while not passing.ended.done():
            left = (BACK_S if source.heard.is_set() else FOUND_S) - (loop.time() - source.last_heard)
            if left <= 0:
                return await self._ended(id_)
            await asyncio.wait({passing.ended}, timeout=left)
        return passing.ended.result()

    async def _ended(self, id_: str) -> str | None:
        """The last word may have been lost with the socket: the server knows."""
        with suppress(Rejected, Offline):
            state = await self._context.transport.direct_state(id_)
            return state if state == "done" else None
        return None

    async def keep(self, id_: str) -> None:
        """The file is at the server now, too: its message may show it to others. Raises Offline."""
        with suppress(Rejected):  # recalled meanwhile, or forgotten there: the message stays as it is
            await self._post(f"{id_}/keep", {})

    async def keeps_copies(self) -> bool:
        """Whether what was passed directly is to be uploaded as well."""
        with suppress(Rejected, Offline):
            policy = await self._context.transport.direct_policy()
            return policy is not None and policy.keep_copy
        return False

    # ------------------------------------------------------------ the news
    def on_told(self, told: dict[str, Any]) -> None:
        """The server says something of a direct transfer."""
        id_, event = told.get("id"), told.get("event")
        if not isinstance(id_, str):
            return
        if event == "offered":
            self._context.start(self._take(id_, told), f"direct.{id_}")
        elif id_ in self._passing:
            passing = self._passing[id_]
            if event == "taken" and not passing.taken.done():
                passing.taken.set_result(told)
            elif event == "ended" and not passing.ended.done():
                passing.ended.set_result(str(told.get("result")))
        elif event == "ended":
            blob_id = next((blob for blob, one in self._coming.items() if one.told.id == id_), None)
            if blob_id is not None:
                del self._coming[blob_id]
                if told.get("result") == "withdrawn":
                    self._context.start(self._receiving.withdraw_direct(blob_id), f"direct.{id_}")
            else:
                self._early.keep(id_, told)
        elif event == "taken":
            self._early.keep(id_, told)

    # ------------------------------------------------------------ receiving
    def is_coming(self, blob_id: str) -> bool:
        """Whether somebody holds it ready for this device."""
        return blob_id in self._coming

    async def _take(self, id_: str, told: dict[str, Any]) -> None:
        blob_id, size = told.get("blobId"), told.get("size")
        if not isinstance(blob_id, str) or not isinstance(size, int) or not await self._wants(blob_id, size):
            return
        identity = await self._context.workers.cpu(make_identity)
        shown = base64.b64encode(identity.certificate).decode()
        try:
            taken = decode_answer(await self._post(f"{id_}/take", {"certificate": shown}), DirectTaken)
            coming = _Coming(taken, identity, _der(taken.certificate), bytes.fromhex(taken.token))
        except (
            Rejected,
            Offline,
            ProtocolError,
            BadFile,
            ValueError,
        ):  # another device was faster, or it is nothing we know
            return
        if (taken.blob_id, taken.size) != (blob_id, size):
            await self._say_end(id_, "failed", "receiver")
            return
        self._coming[blob_id] = coming
        attachment = Attachment(blob_id, taken.name, taken.type or "application/octet-stream", taken.size)
        try:
            await self._receiving.receive_direct(attachment)
        except AppError:  # an id that is none
            await self.failed(blob_id, "receiver")

    async def _wants(self, blob_id: str, size: int) -> bool:
        here = self._receiving
        if len(self._coming) >= AT_ONCE or blob_id in self._coming or here.has(blob_id) or not here.rules().direct:
            return False
        return await self._policy(size) is not None and await here.has_room(size)

    def open(self, blob_id: str, offset: int) -> Download:
        """The file from an offset on; the line is opened again when it is cut. Raises (while it comes) Offline: given up."""
        coming = self._coming[blob_id]
        return Download(offset, coming.told.size, self._parts(coming, offset))

    async def _parts(self, coming: _Coming, offset: int) -> AsyncGenerator[bytes, None]:
        at, size, tries, reached = offset, coming.told.size, 0, False
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while at < size:
            try:
                line = await connect_direct(coming.told.addresses, coming.identity, coming.peer, coming.token)
                reached = True
                try:
                    async for part in line.parts(at, size):
                        at, tries = at + len(part), 0
                        yield part
                finally:
                    line.close()
            except Offline:
                tries += 1
                unreachable = (
                    not reached and loop.time() - begun > REACH_S
                )  # a firewall, another subnet: it will not be better
                if tries > TRIES or unreachable or self._coming.get(coming.told.blob_id) is not coming:
                    raise
                await asyncio.sleep(AGAIN_S[tries - 1])

    async def done(self, blob_id: str) -> None:
        """It is here, and it is what its name says."""
        await self._end(blob_id, "done", "")

    async def failed(self, blob_id: str, reason: str) -> None:
        """It will not come this way; the sender uploads it."""
        await self._end(blob_id, "failed", reason)

    async def _end(self, blob_id: str, result: str, reason: str) -> None:
        coming = self._coming.pop(blob_id, None)
        if coming is not None:
            await self._say_end(coming.told.id, result, reason)

    async def _say_end(self, id_: str, result: str, reason: str) -> None:
        with suppress(Rejected, Offline):  # the other side sees by itself that nothing moves
            await self._post(f"{id_}/end", {"result": result, "reason": reason})

    async def _post(self, path: str, body: dict[str, Any]) -> bytes:
        await self._context.tokens.ensure()
        return await self._context.transport.direct_post(path, body)


def _der(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise BadFile(reason="certificate") from error


def _secrets(told: dict[str, Any]) -> tuple[bytes, bytes]:
    try:
        return _der(str(told.get("certificate"))), bytes.fromhex(str(told.get("token")))
    except ValueError as error:
        raise BadFile(reason="certificate") from error
