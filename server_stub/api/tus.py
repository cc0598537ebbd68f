"""Resumable uploads: tus 1.0 with creation, creation-with-upload, checksum, termination, expiration.

The protocol stands here, the files in storage.uploads. One request at a time may write to an upload; one that has gone silent
(a pulled cable the server has not noticed) gives way to the client that came back.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Final, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from server_stub.accounts.refusals import Refused
from server_stub.api.allowance import Allowance
from server_stub.api.auth import answers_refusals
from server_stub.api.blobs import disk_refusal
from server_stub.api.bodies import BODY_EXTENSION, Body, BodyState
from server_stub.api.door import Door, admit
from server_stub.clock import Clock
from server_stub.ids import uuid7
from server_stub.records.actor import READ_SCOPE, WRITE_SCOPE, Actor
from server_stub.storage.blobs import READ_SIZE, BlobStore, clean_type
from server_stub.storage.uploads import Checksum, PartWriter, Upload, UploadNotFound, UploadStore

log = logging.getLogger("tongban.tus")

T = TypeVar("T")
VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,creation-with-upload,checksum,termination,expiration"
BLOB_HEADER: Final = "Tongban-Blob-Id"
BODY_TYPE: Final = "application/offset+octet-stream"
MAX_METADATA: Final = 4096
MAX_OPEN_UPLOADS: Final = 200
SILENT_S: Final = 3.0  # after this long without a byte a writer gives way to the next one
IDLE_S: Final = 60.0  # after this long it ends by itself
_GIVE_WAY_S: Final = 5.0
_KEEP_FREE: Final = 64 * 1024 * 1024


class _TusError(Exception):
    """An answer the tus specification names by its status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(slots=True)
class _Writing:
    """Who writes to an upload now."""

    last_byte_at: float
    give_way: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class TusApi:
    """The `/files` endpoints."""

    def __init__(
        self,
        door: Door,
        blobs: BlobStore,
        uploads: UploadStore,
        clock: Clock,
        *,
        max_size: int,
        expires_ms: int,
        free_bytes: Callable[[], int] | None = None,
        allowance: Allowance | None = None,
    ) -> None:
        self._door = door
        self._allowance = allowance or Allowance()
        self._blobs = blobs
        self._uploads = uploads
        self._clock = clock
        self._max_size = max_size
        self._expires_ms = expires_ms
        self._free_bytes = free_bytes or (lambda: shutil.disk_usage(uploads.folder).free)
        self._writing: dict[str, _Writing] = {}

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [
            Route("/files", self._speaks_tus(self.collection), methods=["POST", "OPTIONS"]),
            Route("/files/", self._speaks_tus(self.collection), methods=["POST", "OPTIONS"]),
            Route("/files/{id}", self._speaks_tus(self.one), methods=["HEAD", "PATCH", "DELETE", "OPTIONS", "POST"]),
        ]

    async def drop_expired(self) -> int:
        """Remove uploads without progress for too long; gives how many."""
        limit = self._clock.now_ms() - self._expires_ms
        removed = await asyncio.to_thread(self._uploads.remove_untouched_since, limit, frozenset(self._writing))
        return len(removed)

    # ------------------------------------------------------------ endpoints

    async def collection(self, request: Request, method: str) -> Response:
        """OPTIONS and creation."""
        if method == "OPTIONS":
            return self._capabilities()
        actor = await self._enter(request, WRITE_SCOPE)
        length = self._length(request)
        metadata = request.headers.get("upload-metadata", "")
        described = _parse_metadata(metadata)
        type_ = clean_type(described.get("filetype") or described.get("type"))
        self._refuse_too_many(actor)
        self._allowance.charge_one(actor.person_id)
        if self._free_bytes() < length + _KEEP_FREE:
            raise Refused("diskFull", "the server has no room for this file")
        now = self._clock.now_ms()
        upload = Upload(uuid7(now), actor.person_id, length, 0, type_, metadata, now, now)
        async with self._hold(upload.id) as writing:
            async with self._allowance.room(actor.person_id, length):  # then the store counts it as begun
                await _on_disk(lambda: self._uploads.create(upload))
            headers = {"Location": f"/files/{upload.id}"}
            if request.headers.get("content-type", "").strip().lower() == BODY_TYPE:
                upload = await self._receive(request, upload, writing)
            if upload.offset == upload.length:
                upload = await self._complete(upload)
        return Response(status_code=201, headers=headers | self._state_headers(upload))

    async def one(self, request: Request, method: str) -> Response:
        """HEAD, PATCH and DELETE of one upload."""
        if method == "OPTIONS":
            return self._capabilities()
        if method == "POST":
            raise _TusError(405, "POST creates; this is an upload")
        actor = await self._enter(request, *((READ_SCOPE, WRITE_SCOPE) if method == "HEAD" else (WRITE_SCOPE,)))
        upload = await self._access_upload(request, actor)
        if method == "HEAD":
            return await self._head(upload)
        if method == "DELETE":
            async with self._hold(upload.id):
                await asyncio.to_thread(self._uploads.remove, upload.id)
            return Response(status_code=204)
        return await self._patch(request, actor)

    async def _head(self, upload: Upload) -> Response:
        if upload.offset == upload.length and upload.blob_id is None and upload.id not in self._writing:
            async with self._hold(upload.id):  # the server ended between the last byte and the blob
                upload = await self._complete(await self._load(upload.id))
        headers = self._state_headers(upload) | {"Upload-Length": str(upload.length), "Cache-Control": "no-store"}
        if upload.metadata:
            headers["Upload-Metadata"] = upload.metadata
        return Response(status_code=200, headers=headers)

    async def _patch(self, request: Request, actor: Actor) -> Response:
        if request.headers.get("content-type", "").strip().lower() != BODY_TYPE:
            raise _TusError(415, f"the body must be {BODY_TYPE}")
        offset = _number(request.headers.get("upload-offset"))
        if offset is None:
            raise _TusError(400, "Upload-Offset is needed")
        async with self._hold(request.path_params["id"]) as writing:
            upload = await self._access_upload(request, actor)  # again: another request may have written meanwhile
            if offset != upload.offset:
                raise _TusError(409, "the upload goes on at another offset")
            if upload.blob_id is None:
                upload = await self._receive(request, upload, writing)
                if upload.offset == upload.length:
                    upload = await self._complete(upload)
        return Response(status_code=204, headers=self._state_headers(upload))

    # ------------------------------------------------------------ bytes

    async def _receive(self, request: Request, upload: Upload, writing: _Writing) -> Upload:
        """Append the body. What came before a lost connection is kept, unless a checksum was announced."""
        checksum = _checksum(request)
        room = upload.length - upload.offset
        announced = _number(request.headers.get("content-length"))
        if announced is not None and announced > room:
            raise Refused("tooLarge", "the body goes past the end of the upload")
        writer = await _on_disk(lambda: self._uploads.append(upload))
        whole, end = False, writer.position
        loop = asyncio.get_running_loop()
        written: asyncio.Future[None] | None = None  # the disk is a chunk behind the network
        synced: asyncio.Future[None] | None = None  # what is durable, some chunks behind the disk
        try:
            async for parts in self._chunks(request, writing):
                end += sum(map(len, parts))
                if end > upload.length:
                    raise Refused("tooLarge", "the body goes past the end of the upload")
                if written is not None:
                    await written
                if synced is not None and synced.done():
                    await synced
                    synced = None
                if synced is None and writer.is_due:
                    synced = loop.run_in_executor(None, writer.sync, self._clock.now_ms())
                written = loop.run_in_executor(None, _write, writer, checksum, parts)
            if written is not None:
                await written
            if synced is not None:
                await synced
            whole = True
        except ClientDisconnect:
            pass
        except OSError as error:
            raise disk_refusal(error) from error
        finally:
            under_way = [one for one in (written, synced) if one is not None]
            if under_way:
                await asyncio.shield(asyncio.gather(*under_way, return_exceptions=True))
            if not whole and checksum is not None:
                upload = await asyncio.shield(asyncio.to_thread(writer.discard))
            elif not whole or checksum is None or checksum.fits():
                upload = await asyncio.shield(_on_disk(lambda: writer.keep(self._clock.now_ms())))
        if not whole:
            raise ClientDisconnect
        if checksum is not None and not checksum.fits():
            await asyncio.to_thread(writer.discard)
            raise _TusError(460, "checksum mismatch")
        return upload

    def _chunks(self, request: Request, writing: _Writing) -> AsyncIterator[list[bytes]]:
        """The body, about 1 MiB at a time. Raises ClientDisconnect when it breaks off, stalls or has to give way."""
        body = request.scope.get("extensions", {}).get(BODY_EXTENSION)
        return _plain_chunks(request, writing) if body is None else _quick_chunks(body, writing)

    async def _complete(self, upload: Upload) -> Upload:
        """Make the blob of an upload that is all there. Every step can be repeated after a crash."""
        if upload.blob_id is not None:
            return upload
        if upload.sealed_id is None:
            content = await _on_disk(lambda: self._uploads.content_hash(upload))
            upload = await _on_disk(lambda: self._uploads.seal(upload, content))
        sealed = upload.sealed_id
        assert sealed is not None  # just set
        part = self._uploads.part_path(upload)
        if part.exists():
            try:
                blob = await self._blobs.put_file(part, type_=upload.type, uploader=upload.person_id, blob_id=sealed)
            except OSError as error:
                raise disk_refusal(error) from error
        else:
            found = await self._blobs.register_known(sealed, type_=upload.type, uploader=upload.person_id)
            if found is None:
                await asyncio.to_thread(self._uploads.remove, upload.id)
                raise _TusError(410, "the upload is lost; start again")
            blob = found
        return await _on_disk(lambda: self._uploads.finish(upload, blob.id))

    # ------------------------------------------------------------ guards

    @asynccontextmanager
    async def _hold(self, upload_id: str) -> AsyncIterator[_Writing]:
        """Be the only one who writes to this upload; one that is silent gives way. Raises 423."""
        loop = asyncio.get_running_loop()
        other = self._writing.get(upload_id)
        if other is not None and loop.time() - other.last_byte_at >= SILENT_S:
            other.give_way = True
            try:
                async with asyncio.timeout(_GIVE_WAY_S):
                    await other.ended.wait()
            except TimeoutError:
                pass
        if upload_id in self._writing:
            raise _TusError(423, "another request writes to this upload")
        writing = self._writing[upload_id] = _Writing(loop.time())
        try:
            yield writing
        finally:
            del self._writing[upload_id]
            writing.ended.set()

    async def _enter(self, request: Request, *scopes: str) -> Actor:
        actor = (await admit(self._door, request, request.method)).actor
        if not any(actor.may(scope) for scope in scopes):
            raise Refused("forbidden", f"the token lacks the scope {scopes[-1]}")
        return actor

    async def _access_upload(self, request: Request, actor: Actor) -> Upload:
        upload = await self._load(request.path_params["id"])
        expired = upload.blob_id is None and upload.touched_at + self._expires_ms <= self._clock.now_ms()
        if upload.person_id != actor.person_id or expired:
            raise _TusError(404, "no such upload")
        return upload

    async def _load(self, upload_id: str) -> Upload:
        try:
            return await asyncio.to_thread(self._uploads.load, upload_id)
        except UploadNotFound:
            raise _TusError(404, "no such upload") from None

    def _refuse_too_many(self, actor: Actor) -> None:
        if self._uploads.count_open(actor.person_id) >= MAX_OPEN_UPLOADS:
            raise Refused("busy", "too many unfinished uploads", retry_after=60)

    def _length(self, request: Request) -> int:
        if "upload-defer-length" in request.headers:
            raise _TusError(400, "Upload-Defer-Length is not offered here")
        length = _number(request.headers.get("upload-length"))
        if length is None:
            raise _TusError(400, "Upload-Length is needed")
        if length > self._max_size:
            raise Refused("tooLarge", f"an upload has at most {self._max_size} bytes")
        return length

    # ------------------------------------------------------------ answers

    def _speaks_tus(
        self, endpoint: Callable[[Request, str], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        @answers_refusals
        async def inner(request: Request) -> Response:
            method = request.headers.get("x-http-method-override", request.method).upper()
            if method != "OPTIONS" and request.headers.get("tus-resumable") != VERSION:
                return Response(status_code=412, headers={"Tus-Version": VERSION})
            if method not in {"HEAD", "PATCH", "DELETE", "OPTIONS", "POST"}:
                return Response(status_code=405)
            return await endpoint(request, method)

        async def answer(request: Request) -> Response:
            try:
                response = await inner(request)
            except _TusError as error:
                response = Response(str(error), error.status, {"Cache-Control": "no-store"}, "text/plain")
            response.headers["Tus-Resumable"] = VERSION
            return response

        return answer

    def _capabilities(self) -> Response:
        headers = {
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(self._max_size),
            "Tus-Checksum-Algorithm": "sha256,sha1",
        }
        return Response(status_code=204, headers=headers)

    def _state_headers(self, upload: Upload) -> dict[str, str]:
        headers = {"Upload-Offset": str(upload.offset)}
        if upload.blob_id is not None:
            return headers | {BLOB_HEADER: upload.blob_id}
        return headers | {"Upload-Expires": formatdate((upload.touched_at + self._expires_ms) / 1000, usegmt=True)}


async def _plain_chunks(request: Request, writing: _Writing) -> AsyncIterator[list[bytes]]:
    """By ASGI's own way, under any server."""
    loop = asyncio.get_running_loop()
    pending = bytearray()
    more = True
    while more:
        try:
            async with asyncio.timeout(1.0):
                message = await request.receive()
        except TimeoutError:
            if pending:
                yield [bytes(pending)]
                pending.clear()
            if writing.give_way or loop.time() - writing.last_byte_at > IDLE_S:
                raise ClientDisconnect from None
            continue
        if message["type"] == "http.disconnect":
            if pending:
                yield [bytes(pending)]
            raise ClientDisconnect
        writing.last_byte_at = loop.time()
        pending += message.get("body", b"")
        more = message.get("more_body", False)
        if len(pending) >= READ_SIZE or (not more and pending):
            yield [bytes(pending)]
            pending.clear()


async def _quick_chunks(body: Body, writing: _Writing) -> AsyncIterator[list[bytes]]:
    """By our own server's way: fewer copies, fewer wakings."""
    loop = asyncio.get_running_loop()
    body.begin()
    while True:
        parts, state = await body.take(1.0)
        if parts:
            writing.last_byte_at = loop.time()
            yield parts
        if state is BodyState.ENDED:
            return
        idle = not parts and (writing.give_way or loop.time() - writing.last_byte_at > IDLE_S)
        if idle or state is BodyState.BROKEN:
            raise ClientDisconnect


def _write(writer: PartWriter, checksum: Checksum | None, parts: list[bytes]) -> None:
    for data in parts:
        if checksum is not None:
            checksum.update(data)
        writer.write(data)


async def _on_disk(action: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(action)
    except OSError as error:
        raise disk_refusal(error) from error


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= 18 else None


def _checksum(request: Request) -> Checksum | None:
    header = request.headers.get("upload-checksum")
    if header is None:
        return None
    try:
        return Checksum(header)
    except ValueError as error:
        raise _TusError(400, str(error)) from None


def _parse_metadata(header: str) -> dict[str, str]:
    """`key base64,key base64`; a key may stand alone. Raises 400."""
    if len(header) > MAX_METADATA:
        raise _TusError(400, "Upload-Metadata is too long")
    found: dict[str, str] = {}
    for pair in header.split(",") if header.strip() else ():
        key, _, value = pair.strip().partition(" ")
        if not key or not key.isascii() or not key.isprintable() or key in found:
            raise _TusError(400, "Upload-Metadata is malformed")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode("utf-8", "replace")
        except binascii.Error:
            raise _TusError(400, "Upload-Metadata is malformed") from None
    return found
