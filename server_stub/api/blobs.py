"""Simple upload, ranged download, thumbnails. Access follows the objects that refer to a blob; names never reach the log."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from server_stub.accounts.refusals import Refused
from server_stub.api.allowance import Allowance
from server_stub.api.auth import answers_refusals
from server_stub.api.door import Door, admit
from server_stub.api.ranges import Span, Unsatisfiable, choose_span, content_disposition, etag_matches, safe_type
from server_stub.errors import RequestError, RequestErrorType
from server_stub.records.actor import READ_SCOPE, WRITE_SCOPE, Actor
from server_stub.storage.blobs import READ_SIZE, Blob, BlobStore, clean_type, is_blob_id
from server_stub.storage.database import Database
from server_stub.storage.quota import Room
from server_stub.storage.thumbnails import EDGES, NotAPicture, load_thumbnail

log = logging.getLogger("tongban.blobs")

MAX_CONCURRENT_UPLOADS: Final = 4
PIECE: Final = 256 * 1024
_MAX_WAITING_THUMBNAILS: Final = 32
_DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, immutable, max-age=31536000",
    "Accept-Ranges": "bytes",
}


class BlobApi:
    """The endpoints with what they share: the store, the cache of thumbnails, who uploads how much at once."""

    def __init__(
        self,
        door: Door,
        database: Database,
        blobs: BlobStore,
        *,
        thumbnails: Path,
        max_upload: int,
        allowance: Allowance | None = None,
    ) -> None:
        self._door = door
        self._allowance = allowance or Allowance()
        self._database = database
        self._blobs = blobs
        self._thumbnails = thumbnails
        self._max_upload = max_upload
        self._uploading: Counter[str] = Counter()
        self._decoders = ThreadPoolExecutor(2, "thumbnail")
        self._decoding = 0

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [
            Route("/jmap/upload/{account}/", answers_refusals(self.upload), methods=["POST"]),
            Route("/jmap/download/{account}/{blob}/{name:path}", answers_refusals(self.download), methods=["GET"]),
            Route("/jmap/thumbnail/{account}/{blob}/{edge}", answers_refusals(self.thumbnail), methods=["GET"]),
        ]

    def close(self) -> None:
        """Let the running decoders end."""
        self._decoders.shutdown(wait=False, cancel_futures=True)

    # ------------------------------------------------------------ upload

    async def upload(self, request: Request) -> Response:
        """RFC 8620 §6.1."""
        actor = await self._enter(request, WRITE_SCOPE)
        announced = request.headers.get("content-length", "0")
        if (
            not announced.isascii()
            or not announced.isdigit()
            or len(announced) > 18
            or int(announced) > self._max_upload
        ):
            raise Refused("tooLarge", f"a simple upload has at most {self._max_upload} bytes; use tus for more")
        if self._uploading[actor.person_id] >= MAX_CONCURRENT_UPLOADS:
            problem = RequestError(
                RequestErrorType.LIMIT, "too many uploads at once", limit="maxConcurrentUpload", status=429
            ).to_problem()
            return Response(msgspec.json.encode(problem), 429, media_type="application/problem+json")
        self._allowance.charge_one(actor.person_id)
        self._uploading[actor.person_id] += 1
        try:
            async with self._allowance.room(actor.person_id, int(announced)) as room:
                blob = await self._receive(request, actor, room)
        finally:
            self._uploading[actor.person_id] -= 1
            if not self._uploading[actor.person_id]:
                del self._uploading[actor.person_id]
        body = {"accountId": actor.person_id, "blobId": blob.id, "type": blob.type, "size": blob.size}
        return Response(msgspec.json.encode(body), 201, media_type="application/json")

    async def _receive(self, request: Request, actor: Actor, room: Room | None) -> Blob:
        type_ = clean_type(request.headers.get("content-type"))
        temporary = self._blobs.new_temporary()
        digest = hashlib.sha256()
        size = 0
        pending = bytearray()
        try:
            with await asyncio.to_thread(temporary.open, "xb") as out:
                async for chunk in request.stream():
                    size += len(chunk)
                    if size > self._max_upload:
                        raise Refused("tooLarge", f"a simple upload has at most {self._max_upload} bytes")
                    pending += chunk
                    if len(pending) >= READ_SIZE:
                        await asyncio.to_thread(_write, out, digest, bytes(pending))
                        pending.clear()
                await asyncio.to_thread(_write, out, digest, bytes(pending))
            if room is not None:
                await room.grow(size)  # it was not announced, or it was a lie
            return await self._blobs.put_file(
                temporary, type_=type_, uploader=actor.person_id, blob_id=digest.hexdigest()
            )
        except OSError as error:
            raise disk_refusal(error) from error
        finally:
            temporary.unlink(missing_ok=True)

    # ------------------------------------------------------------ download

    async def download(self, request: Request) -> Response:
        """RFC 8620 §6.2 with ranges."""
        blob, path = await self.find(request)
        etag = f'"{blob.id}"'
        headers = SAFE | {"ETag": etag}
        if etag_matches(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        try:
            span = choose_span(request.headers.get("range"), request.headers.get("if-range"), etag, blob.size)
        except Unsatisfiable:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{blob.size}"})
        headers["Content-Disposition"] = content_disposition(request.path_params["name"])
        whole = Span(0, blob.size)
        if span is not None:
            headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{blob.size}"
        headers["Content-Length"] = str((span or whole).length)
        type_ = safe_type(request.query_params.get("type"), blob.type)
        status = 200 if span is None else 206
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers, media_type=type_)
        source = await asyncio.to_thread(_open_at, path, (span or whole).start)
        return StreamingResponse(_read(source, (span or whole).length), status, headers, media_type=type_)

    async def thumbnail(self, request: Request) -> Response:
        """A picture's thumbnail; see docs/protocol.md §2."""
        edge = request.path_params["edge"]
        if edge not in {str(one) for one in EDGES}:
            raise Refused("notFound", "no such size")
        blob, path = await self.find(request)
        webp = "image/webp" in request.headers.get("accept", "")
        kind = "webp" if webp else "plain"
        etag = f'"{blob.id}-{edge}-{kind}"'
        headers = SAFE | {"ETag": etag, "Vary": "Accept"}
        if etag_matches(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        if self._decoding >= _MAX_WAITING_THUMBNAILS:
            raise Refused("busy", "too many thumbnails at once", retry_after=1)
        self._decoding += 1
        try:
            data, type_ = await asyncio.get_running_loop().run_in_executor(
                self._decoders, lambda: load_thumbnail(path, self._thumbnails, int(edge), webp=webp)
            )
        except NotAPicture as error:
            raise Refused("badRequest", str(error)) from None
        finally:
            self._decoding -= 1
        return Response(b"" if request.method == "HEAD" else data, 200, headers, type_)

    async def find(self, request: Request) -> tuple[Blob, Path]:
        """The blob a request names, with its file, for whoever may read it; raises Refused."""
        actor = await self._enter(request, READ_SCOPE)
        blob_id = request.path_params["blob"]
        if not is_blob_id(blob_id):
            raise Refused("notFound", "no such blob")
        blob = await self._database.read(lambda conn: self._blobs.access_blob(conn, actor, blob_id))
        if blob is None:
            raise Refused("notFound", "no such blob")
        path = self._blobs.path(blob_id)
        if not path.exists():
            log.error("the file of a blob is missing", extra={"blob": blob_id})
            raise Refused("notFound", "no such blob")
        return blob, path

    async def _enter(self, request: Request, scope: str) -> Actor:
        actor = (await admit(self._door, request, request.method)).actor
        if not actor.may(scope):
            raise Refused("forbidden", f"the token lacks the scope {scope}")
        if request.path_params["account"] != actor.person_id:
            raise Refused("notFound", "no such account")
        return actor


def disk_refusal(error: OSError) -> Refused:
    """The refusal that tells a client what the disk said."""
    log.error("a blob could not be written", extra={"errno": error.errno})
    if error.errno in _DISK_FULL:
        return Refused("diskFull", "the server has no room left")
    return Refused("busy", "the server cannot write files now", retry_after=30)


def _write(out: IO[bytes], digest: hashlib._Hash, data: bytes) -> None:
    out.write(data)
    digest.update(data)


def _open_at(path: Path, start: int) -> IO[bytes]:
    source = path.open("rb", buffering=0)
    source.seek(start)
    return source


async def _read(source: IO[bytes], length: int) -> AsyncIterator[bytes]:
    """A file from where it stands; the next chunk is read from the disk while one is on its way."""
    loop = asyncio.get_running_loop()
    with source:
        ahead = loop.run_in_executor(None, source.read, min(READ_SIZE, length))
        try:
            while length > 0:
                chunk = await ahead
                if not chunk:
                    raise OSError("the file of a blob is shorter than its row says")
                length -= len(chunk)
                if length:
                    ahead = loop.run_in_executor(None, source.read, min(READ_SIZE, length))
                # In pieces, so that a slow reader is seen to go on (see patience.py).
                for start in range(0, len(chunk), PIECE):
                    yield chunk[start : start + PIECE]
        finally:
            await asyncio.wait([ahead])  # the file is not closed under the thread that reads it
