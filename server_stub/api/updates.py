"""Serves the clients' updates: signed metadata, archives and patches (ranges, ETag), and the office's plan. Open to everybody.

The files are what `dev.py package update-repo` made and an administrator imported. Clients believe their signatures, not us:
no token is asked for, so that a device whose sign-in a new version mends can get that version.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from server_stub.api.ranges import Span, Unsatisfiable, choose_span, etag_matches

METADATA: Final = "metadata"
TARGETS: Final = "targets"
PLAN: Final = "plan.json"
CHUNK: Final = 256 * 1024
_METADATA_NAME: Final = re.compile(r"(?:\d{1,9}\.)?(?:root|targets|snapshot|timestamp)\.json\Z", re.ASCII)
_TARGET_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,199}(?:\.tar\.gz|\.patch)\Z", re.ASCII)
_SAFE: Final = {"X-Content-Type-Options": "nosniff", "Accept-Ranges": "bytes"}


class UpdatePlan(msgspec.Struct, frozen=True):
    """What the office says about updates.

    Attributes:
        channel: of devices whose machine's policy names none: stable or early; off: nobody updates.
        held: versions nobody is to take now.
        percent: of a hundred devices, a lower share than the signed one, by version.
    """

    channel: str = "stable"
    held: tuple[str, ...] = ()
    percent: dict[str, int] = {}


def load_plan(folder: Path) -> UpdatePlan:
    """The plan of a folder; the usual one where there is none. Raises ValueError for a damaged one."""
    try:
        return msgspec.json.decode((folder / PLAN).read_bytes(), type=UpdatePlan)
    except FileNotFoundError:
        return UpdatePlan()
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error


class UpdatesApi:
    """The routes below /updates. `folder` need not be there yet: then there are no updates."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def routes(self) -> list[Route]:
        """To mount."""
        return [
            Route("/updates/plan", self.plan, methods=["GET"]),
            Route("/updates/metadata/{name}", self.metadata, methods=["GET"]),
            Route("/updates/targets/{name}", self.target, methods=["GET"]),
        ]

    async def plan(self, _request: Request) -> Response:
        """The plan as JSON. A damaged one holds everything back: 503."""
        try:
            plan = await asyncio.to_thread(load_plan, self._folder)
        except ValueError:
            return Response(status_code=503, headers={"Retry-After": "3600"})
        return Response(msgspec.json.encode(plan), headers={"Cache-Control": "no-cache"}, media_type="application/json")

    async def metadata(self, request: Request) -> Response:
        """One metadata file; never from a cache on the way."""
        return await self._serve(request, METADATA, _METADATA_NAME, {"Cache-Control": "no-cache"})

    async def target(self, request: Request) -> Response:
        """An archive or a patch, or a part of it. A published file never changes."""
        return await self._serve(request, TARGETS, _TARGET_NAME, {"Cache-Control": "max-age=86400"})

    async def _serve(self, request: Request, below: str, names: re.Pattern[str], headers: dict[str, str]) -> Response:
        name = request.path_params["name"]
        if not names.match(name):
            return Response(status_code=404)
        opened = await asyncio.to_thread(_open, self._folder / below / name)
        if opened is None:
            return Response(status_code=404)
        file, size, etag = opened
        headers = _SAFE | headers | {"ETag": etag}
        try:
            if etag_matches(request.headers.get("if-none-match"), etag):
                file.close()
                return Response(status_code=304, headers=headers)
            span = choose_span(request.headers.get("range"), request.headers.get("if-range"), etag, size)
        except Unsatisfiable:
            file.close()
            return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
        sent = span or Span(0, size)
        headers["Content-Length"] = str(sent.length)
        if span is not None:
            headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
        type_ = "application/json" if below == METADATA else "application/octet-stream"
        return StreamingResponse(_read(file, sent), 200 if span is None else 206, headers, media_type=type_)


def _open(path: Path) -> tuple[BinaryIO, int, str] | None:
    try:
        file = path.open("rb")
    except OSError:
        return None
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        file.close()
        return None
    return file, status.st_size, f'"{status.st_size:x}-{status.st_mtime_ns:x}"'


async def _read(file: BinaryIO, span: Span) -> AsyncIterator[bytes]:
    try:
        await asyncio.to_thread(file.seek, span.start)
        left = span.length
        while left:
            piece = await asyncio.to_thread(file.read, min(CHUNK, left))
            if not piece:
                return
            left -= len(piece)
            yield piece
    finally:
        file.close()
