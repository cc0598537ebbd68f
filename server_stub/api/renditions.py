"""Office documents as PDF: `GET /jmap/rendition/{accountId}/{blobId}/{suffix}`. Whoever may read the blob may read its pages."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from server_stub.accounts.refusals import Refused
from server_stub.api.auth import answers_refusals
from server_stub.api.blobs import SAFE, BlobApi
from server_stub.api.ranges import etag_matches
from server_stub.storage.renditions import SUFFIXES, NoRendition, Renditions, RenditionsBusy

RENDITION_URL: Final = "/jmap/rendition/{accountId}/{blobId}/{suffix}"


class RenditionApi:
    """The endpoint; it is mounted only where an office program is installed."""

    def __init__(self, blobs: BlobApi, renditions: Renditions) -> None:
        self._blobs, self._renditions = blobs, renditions

    def routes(self) -> list[Route]:
        """The route of this file."""
        return [
            Route(
                "/jmap/rendition/{account}/{blob}/{suffix}", answers_refusals(self.rendition), methods=["GET", "HEAD"]
            )
        ]

    async def rendition(self, request: Request) -> Response:
        """A document's PDF; see docs/protocol.md §2."""
        blob, path = await self._blobs.find(request)
        suffix = request.path_params["suffix"].lower()
        if suffix not in SUFFIXES:
            raise Refused("notFound", "no pages are made of such files")
        etag = f'"{blob.id}-{suffix}-pdf"'
        headers = SAFE | {"ETag": etag}
        if etag_matches(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        try:
            made = await self._renditions.load(blob.id, path, suffix)
        except NoRendition as error:
            raise Refused("badRequest", str(error)) from None
        except RenditionsBusy:
            raise Refused("busy", "too many documents wait to be made into pages", retry_after=10) from None
        return FileResponse(made, headers=headers, media_type="application/pdf")

    async def close(self) -> None:
        """End what runs."""
        await self._renditions.close()
