"""The real transport: httpx for requests and files, websockets for the push socket, DPoP proofs on everything (RFC 9449).

httpx and websockets are loaded with the first connection: they cost a start a tenth of a second, and the screen comes first.
"""

import base64
import hashlib
import logging
import os
import re
import ssl
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import msgspec

from desktop.core.clock import Clock
from desktop.core.crypto.device_key import DeviceKey
from desktop.core.crypto.encoding import base64url
from desktop.core.errors import BadFile, Offline, Rejected, Unreachable, UntrustedServer
from desktop.core.net.problems import error_of
from desktop.core.net.proxy import Door
from desktop.core.net.transport import BadUpload, Claim, DirectPolicy, Download, Moved, Piece, Prove, ReadAt, Socket
from desktop.core.net.trust import TrustStore, is_certificate_failure, origin
from desktop.core.protocol.answers import AnyAnswer, ClaimAnswer, DirectState, SessionAnswer, TokenAnswer, decode_answer
from desktop.core.protocol.capabilities import UPLOAD, USING
from desktop.core.protocol.frames import MAX_FRAME, MethodCall, Response, decode_response, request_body
from desktop.core.protocol.problems import ProtocolError

if TYPE_CHECKING:
    import httpx

    from desktop.core.net.websocket import WebSocket

TUS: Final = {"Tus-Resumable": "1.0.0"}
FIRST_CHUNK: Final = 2 * 1024 * 1024
LEAST_CHUNK: Final = 256 * 1024
MOST_CHUNK: Final = 16 * 1024 * 1024
"""Bytes of an upload in one request. On a slow line they stay small (a chunk that is cut is sent again whole), on a fast one they grow (each costs a write)."""
FAST_S: Final = 0.25
SLOW_S: Final = 2.0
DOWNLOAD_CHUNK: Final = 256 * 1024
# These libraries log addresses (with file names) and whole frames below WARNING; our logs never hold such things.
for _name in ("httpx", "httpcore", "websockets"):
    logging.getLogger(_name).setLevel(logging.WARNING)

_TIMEOUT: Final = 30.0
_CONNECT_TIMEOUT: Final = 10.0
_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})\Z", re.ASCII)
_MAX_THUMBNAIL: Final = 8 * 1024 * 1024
_MAX_RENDITION: Final = 200 * 1024 * 1024


class HttpsTransport:
    """One server over TLS 1.3. `load_key` is asked for the device key once, with the first request."""

    def __init__(
        self,
        server: str,
        load_key: Callable[[], Awaitable[DeviceKey]],
        trust: TrustStore,
        clock: Clock,
        *,
        door: Door | None = None,
    ) -> None:
        self._origin = origin(server)
        self._load_key = load_key
        self._key: DeviceKey | None = None
        self._trust = trust
        self._clock = clock
        self._door = door or Door()
        self._sockets: weakref.WeakSet[WebSocket] = weakref.WeakSet()
        self._token: str | None = None
        self._http: httpx.AsyncClient | None = None
        self._context: ssl.SSLContext | None = None
        self._session: SessionAnswer | None = None

    def use_token(self, access_token: str | None) -> None:
        self._token = access_token

    # ------------------------------------------------------------ authentication
    async def sign_in(self, login: str, password: str, device_name: str, platform: str) -> TokenAnswer:
        device = {"name": device_name, "platform": platform}
        return await self._grant({"grantType": "password", "login": login, "password": password, "device": device})

    async def refresh(self, refresh_token: str) -> TokenAnswer:
        return await self._grant({"grantType": "refresh_token", "refreshToken": refresh_token})

    async def _grant(self, body: Mapping[str, object]) -> TokenAnswer:
        data = await self._send("POST", "/auth/token", json=body, token=False)
        return _decoded(data.content, TokenAnswer)

    async def revoke(self, scope: str) -> None:
        await self._send("POST", "/auth/revoke", json={"scope": scope})

    # ------------------------------------------------------------ JMAP
    async def fetch_session(self) -> SessionAnswer:
        answer = await self._send("GET", "/.well-known/jmap")
        self._session = _decoded(answer.content, SessionAnswer)
        return self._session

    async def open_socket(self, url: str) -> Socket:
        from desktop.core.net.websocket import open_websocket

        parts = urlsplit(urljoin(self._origin + "/", url))
        secure = "wss" if parts.scheme in ("https", "wss") else parts.scheme
        address = urlunsplit((secure, parts.netloc, parts.path, parts.query, ""))
        if not self._own(address):
            raise Rejected(type="foreignUrl")
        proof_url = urlunsplit(("https", parts.netloc, parts.path, "", ""))
        _, context = await self._connection()
        headers = await self._headers("GET", proof_url, token=True)
        try:
            socket = await open_websocket(address, context, headers, self._door)
        except ssl.SSLCertVerificationError as error:
            await self._distrust(error)
            raise Unreachable(server=self._origin) from error
        self._sockets.add(socket)
        return socket

    async def call(self, calls: list[MethodCall]) -> Response:
        answer = await self._send("POST", await self._url("api_url"), json=request_body(calls, USING))
        try:
            return decode_response(answer.content)
        except ProtocolError as error:
            raise Offline(reason="protocolError") from error

    # ------------------------------------------------------------ files
    async def create_upload(self, size: int, name: str, content_type: str) -> str:
        metadata = ",".join(
            f"{key} {base64.b64encode(value.encode('utf-8', 'replace')).decode()}"
            for key, value in (("filename", name), ("filetype", content_type))
        )
        headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": metadata}
        session = self._session or await self.fetch_session()
        target = str(session.capabilities.get(UPLOAD, {}).get("tusUrl", "/files"))
        answer = await self._send("POST", target, headers=headers)
        location: str | None = answer.headers.get("Location")
        if answer.status_code != 201 or not location:
            raise Rejected(type="tus", status=answer.status_code)
        return urljoin(str(answer.url), location)

    async def claim(self, blob_id: str, size: int, content_type: str, prove: Prove) -> bool:
        session = self._session or await self.fetch_session()
        offered = session.capabilities.get(UPLOAD, {})
        url, least = offered.get("claimUrl"), offered.get("claimFrom", 0)
        if not isinstance(url, str) or not isinstance(least, int) or size < least:
            return False
        try:
            asked = await self._send("POST", url, json={"blobId": blob_id, "size": size, "type": content_type})
            answer = _decoded(asked.content, ClaimAnswer)
            proof = await prove(Claim(_claim_key(answer.key), _claim_ranges(answer.ranges, size)))
            await self._send("POST", f"{url}/{quote(answer.id, safe='')}", json={"proof": proof})
        except (Rejected, Offline):  # it is not there, or we are not believed: then it is sent, which tells more
            return False
        return True

    async def upload(self, url: str, size: int, read_at: ReadAt, moved: Moved) -> str:
        head = await self._tus("HEAD", url)
        offset = _offset(head, size)
        blob: str | None = head.headers.get("Tongban-Blob-Id")
        moved(offset)
        most = FIRST_CHUNK
        while blob is None:
            chunk = await read_at(offset, min(most, size - offset))
            if not chunk and size > offset:
                raise BadFile(reason="changed")
            headers = {
                "Upload-Offset": str(offset),
                "Content-Type": "application/offset+octet-stream",
                "Upload-Checksum": "sha256 " + base64.b64encode(hashlib.sha256(chunk).digest()).decode(),
            }
            begun = self._clock.monotonic()
            answer = await self._tus("PATCH", url, headers=headers, content=chunk)
            most = _next_chunk(most, self._clock.monotonic() - begun)
            fresh = _offset(answer, size)
            blob = answer.headers.get("Tongban-Blob-Id")
            if blob is None and fresh <= offset:
                raise Rejected(type="tus", status=answer.status_code)
            offset = fresh
            moved(offset)
        return blob

    async def _tus(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> "httpx.Response":
        try:
            return await self._send(method, url, headers={**TUS, **(headers or {})}, content=content)
        except Rejected as error:
            # 404/410: gone; 409: another offset (a chunk whose answer got lost): a new HEAD will tell.
            if error.data.get("status") in (404, 410, 409):
                raise BadUpload(str(error.data.get("status"))) from error
            raise

    async def download(self, blob_id: str, name: str, offset: int) -> Download:
        url = await self._download_url(blob_id, name)
        headers = {"Range": f"bytes={offset}-", "If-Range": f'"{blob_id}"'} if offset else {}
        response = await self._send("GET", url, headers=headers, stream=True)
        start = offset if response.status_code == 206 else 0
        size = start + int(response.headers.get("Content-Length") or 0)
        return Download(start, size, self._parts(response))

    async def open_update(self, path: str, offset: int) -> Download:
        """A file below /updates, which is open to everybody: no token. See net/updates.py."""
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={offset}-"} if offset else {})}
        response = await self._send("GET", path, headers=headers, token=False, stream=True)
        start = offset if response.status_code == 206 else 0
        size = start + int(response.headers.get("Content-Length") or 0)
        return Download(start, size, self._parts(response))

    async def _download_url(self, blob_id: str, name: str) -> str:
        template = await self._url("download_url")
        values = {"blobId": blob_id, "name": name or "file", "type": "application/octet-stream"}
        return _expand(template, {**values, "accountId": await self._account()})

    async def fetch_piece(self, blob_id: str, name: str, offset: int, length: int) -> Piece | None:
        wanted = {"Range": f"bytes={offset}-{offset + length - 1}", "If-Range": f'"{blob_id}"'}
        url = await self._download_url(blob_id, name)
        response = await self._send("GET", url, headers={**wanted, "Accept-Encoding": "identity"}, stream=True)
        if response.status_code != 206:  # the whole file, or another one than before: not what this is for
            await response.aclose()
            return None
        size = _told_size(response.headers.get("Content-Range", ""), offset, length)
        expected = min(length, size - offset)
        data = bytearray()
        parts = self._parts(response)
        try:
            async for part in parts:
                data += part
                if len(data) > expected:
                    raise BadFile(reason="range")
        finally:
            await parts.aclose()
            await response.aclose()
        if len(data) < expected:
            raise Offline(reason="cut")
        return Piece(bytes(data), size)

    async def _parts(self, response: "httpx.Response") -> AsyncGenerator[bytes, None]:
        import httpx

        try:
            async for part in response.aiter_bytes(DOWNLOAD_CHUNK):
                yield part
        except httpx.HTTPError as error:
            raise Offline(reason=type(error).__name__) from error
        finally:
            await response.aclose()

    async def thumbnail(self, blob_id: str, edge: int) -> bytes:
        session = self._session or await self.fetch_session()
        template = str(session.capabilities.get(UPLOAD, {}).get("thumbnailUrl", ""))
        if not template:
            template = "/jmap/thumbnail/{accountId}/{blobId}/{edge}"
        values = {"accountId": await self._account(), "blobId": blob_id, "edge": str(edge)}
        answer = await self._send("GET", _expand(template, values))
        if len(answer.content) > _MAX_THUMBNAIL:
            raise Rejected(type="tooLarge")
        return answer.content

    async def rendition(self, blob_id: str, suffix: str) -> bytes | None:
        session = self._session or await self.fetch_session()
        template = str(session.capabilities.get(UPLOAD, {}).get("renditionUrl", ""))
        if not template:
            return None
        values = {"accountId": await self._account(), "blobId": blob_id, "suffix": suffix}
        response = await self._send("GET", _expand(template, values), stream=True)
        found = bytearray()
        async with aclosing(self._parts(response)) as parts:
            async for part in parts:
                found += part
                if len(found) > _MAX_RENDITION:
                    raise Rejected(type="tooLarge")
        return bytes(found)

    async def _direct_url(self) -> str:
        session = self._session or await self.fetch_session()
        offered = session.capabilities.get(UPLOAD, {}).get("direct")
        url = offered.get("url") if isinstance(offered, dict) else None
        if not isinstance(url, str):
            raise Rejected(type="notFound")
        return url

    async def direct_policy(self) -> DirectPolicy | None:
        session = self._session or await self.fetch_session()
        offered = session.capabilities.get(UPLOAD, {}).get("direct")
        if not isinstance(offered, dict) or not isinstance(offered.get("url"), str):
            return None
        most, keeps = offered.get("maxSize"), offered.get("keepCopy")
        if not isinstance(most, int) or most <= 0:
            return None
        parts = urlsplit(self._origin)
        return DirectPolicy(most, keeps is not False, parts.hostname or "", parts.port or 443)

    async def direct_post(self, path: str, body: Mapping[str, object]) -> bytes:
        url = await self._direct_url()
        answer = await self._send("POST", f"{url}/{path}" if path else url, json=body)
        return answer.content

    async def direct_state(self, transfer_id: str) -> str:
        answer = await self._send("GET", f"{await self._direct_url()}/{quote(transfer_id, safe='')}")
        return _decoded(answer.content, DirectState).state

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def reroute(self) -> None:
        """Leaves all connections: the next ones take the way that is wanted now."""
        await self.close()
        for socket in list(self._sockets):
            await socket.close()

    # ------------------------------------------------------------ one request
    async def _send(
        self,
        method: str,
        url: str,
        *,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        token: bool = True,
        stream: bool = False,
    ) -> "httpx.Response":
        import httpx

        address = urljoin(self._origin + "/", url)
        if not self._own(address):  # a proof and a token belong to this server alone
            raise Rejected(type="foreignUrl")
        http, _ = await self._connection()
        all_headers = {**await self._headers(method, address, token=token), **(headers or {})}
        if json is not None:
            content = msgspec.json.encode(json)
            all_headers["Content-Type"] = "application/json"
        request = http.build_request(method, address, content=content, headers=all_headers)
        try:
            response = await http.send(request, stream=True)
            if response.is_success and stream:
                return response
            await _read_limited(response)
        except httpx.HTTPError as error:
            if is_certificate_failure(error):
                await self._distrust(error)
            raise Unreachable(server=self._origin) from error
        if not response.is_success:
            raise error_of(response.status_code, response.content, response.headers.get("Retry-After"))
        return response

    async def _headers(self, method: str, url: str, *, token: bool) -> dict[str, str]:
        self._key = self._key or await self._load_key()
        access = self._token if token else None
        proof = self._key.proof(
            method, url, now_ms=self._clock.now_ms(), jti=base64url(os.urandom(16)), access_token=access
        )
        headers = {"DPoP": proof}
        if access is not None:
            headers["Authorization"] = f"DPoP {access}"
        return headers

    async def _connection(self) -> "tuple[httpx.AsyncClient, ssl.SSLContext]":
        import httpx

        if self._context is None:
            self._context = await self._trust.context(self._origin)
        if self._http is None:
            timeout = httpx.Timeout(_TIMEOUT, connect=_CONNECT_TIMEOUT)
            self._http = httpx.AsyncClient(
                transport=_through(self._door, self._context), timeout=timeout, trust_env=False
            )
        return self._http, self._context

    async def _distrust(self, cause: BaseException) -> None:
        """The pinned certificate failed: ask, or raise UntrustedServer with both fingerprints."""
        await self.close()
        self._context = None
        try:
            self._context = await self._trust.renew(self._origin)
        except UntrustedServer as error:
            raise error from cause

    def _own(self, address: str) -> bool:
        parts = urlsplit(address)
        return f"https://{parts.netloc}".lower() == self._origin and parts.scheme in ("https", "wss")

    async def _url(self, field: str) -> str:
        session = self._session or await self.fetch_session()
        return str(getattr(session, field))

    async def _account(self) -> str:
        session = self._session or await self.fetch_session()
        return next(iter(session.accounts), "")


def _through(door: Door, context: ssl.SSLContext) -> "httpx.AsyncHTTPTransport":
    """httpx's own transport over connections that the door opens; httpx has no public place for them."""
    import httpcore
    import httpx

    transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False)
    usual = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=5.0)
    transport._pool = httpcore.AsyncConnectionPool(
        ssl_context=context,
        max_connections=usual.max_connections,
        max_keepalive_connections=usual.max_keepalive_connections,
        keepalive_expiry=usual.keepalive_expiry,
        network_backend=door.backend(),
    )
    return transport


async def _read_limited(response: "httpx.Response") -> None:
    declared = response.headers.get("Content-Length", "0")
    if declared.isdigit() and int(declared) > MAX_FRAME and response.request.method != "HEAD":
        await response.aclose()
        raise Rejected(type="tooLarge")
    await response.aread()


def _decoded(data: bytes, kind: type[AnyAnswer]) -> AnyAnswer:
    try:
        return decode_answer(data, kind)
    except ProtocolError as error:
        raise Offline(reason="protocolError") from error


def _next_chunk(size: int, took: float) -> int:
    if took < FAST_S:
        return min(2 * size, MOST_CHUNK)
    return max(size // 2, LEAST_CHUNK) if took > SLOW_S else size


def _claim_key(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise Rejected(type="claim") from error


def _claim_ranges(ranges: list[tuple[int, int]], size: int) -> tuple[tuple[int, int], ...]:
    """The ranges, if they lie in the file and ask for no more than it has. Raises Rejected."""
    inside = all(offset >= 0 and 0 < length <= size - offset for offset, length in ranges)
    if not ranges or not inside or sum(length for _, length in ranges) > size:
        raise Rejected(type="claim")
    return tuple(ranges)


def _offset(response: "httpx.Response", size: int) -> int:
    text = response.headers.get("Upload-Offset", "")
    if not (text.isascii() and text.isdigit()) or int(text[:18]) > size:
        raise Rejected(type="tus", status=response.status_code)
    return int(text)


def _told_size(header: str, offset: int, length: int) -> int:
    """The whole size a Content-Range tells (RFC 9110 §14.4). Raises BadFile when the range is not the one asked for."""
    found = _CONTENT_RANGE.match(header)
    if found is None:
        raise BadFile(reason="range")
    first, last, size = (int(one) for one in found.groups())
    if first != offset or size <= offset or last + 1 != min(offset + length, size):
        raise BadFile(reason="range")
    return size


def _expand(template: str, values: Mapping[str, str]) -> str:
    """RFC 6570 level 1, as RFC 8620 §2 uses it."""
    for key, value in values.items():
        template = template.replace("{" + key + "}", quote(value, safe=""))
    return template
