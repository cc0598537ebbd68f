"""The file routes alone, over a real database and folder: who asks is said by a header. For tests only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette

from server_stub.accounts.refusals import Refused
from server_stub.accounts.service import Admission
from server_stub.api.blobs import BlobApi
from server_stub.api.possession import PossessionApi
from server_stub.api.tus import TusApi
from server_stub.records.actor import Actor
from server_stub.storage.uploads import UploadStore
from tests.helpers.server_parts import Parts, open_parts


class HeaderDoor:
    """Believes the header `x-person`; `x-scopes` makes it a program."""

    async def admit(self, headers: Mapping[str, str], method: str, url: str, address: str) -> Admission:
        if "x-person" not in headers:
            raise Refused("tokenExpired")
        scopes = frozenset(headers["x-scopes"].split()) if "x-scopes" in headers else None
        return Admission(Actor(headers["x-person"], scopes=scopes), 1 << 60)

    async def renew(self, admission: Admission, access_token: str) -> Admission:
        raise Refused("tokenExpired")

    def note_use(self, admission: Admission, address: str, what: str) -> None:
        """Nothing is logged here."""


@dataclass
class FileServer:
    """The application with its parts; `free` is what the disk seems to have left."""

    parts: Parts
    app: Starlette
    uploads: UploadStore
    tus: TusApi
    free: list[int]
    blobs: BlobApi


@contextmanager
def open_files(folder: Path, *, max_upload: int = 1_000_000, max_size: int = 20_000_000) -> Iterator[FileServer]:
    """Open it over a folder; opening again over the same folder is a restart."""
    with open_parts(folder) as parts:
        door = HeaderDoor()
        uploads = UploadStore(folder / "uploads")
        free = [1 << 40]
        blobs = BlobApi(door, parts.database, parts.blobs, thumbnails=folder / "thumbnails", max_upload=max_upload)
        tus = TusApi(
            door, parts.blobs, uploads, parts.clock, max_size=max_size, expires_ms=3_600_000, free_bytes=lambda: free[0]
        )
        try:
            claims = PossessionApi(door, parts.database, parts.blobs, parts.clock, max_size=max_size)
            routes = [*blobs.routes(), *tus.routes(), *claims.routes()]
            yield FileServer(parts, Starlette(routes=routes), uploads, tus, free, blobs)
        finally:
            blobs.close()
