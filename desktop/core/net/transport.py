"""The network as the services see it: one interface, two adapters (HTTPS/WebSocket here, a simulated one with faults in the tests).

Every method raises AppError kinds only: Offline/Unreachable (no answer), Rejected kinds (the server said no), AuthExpired, UntrustedServer.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from desktop.core.protocol.answers import SessionAnswer, TokenAnswer
from desktop.core.protocol.frames import MethodCall, Response


class SocketClosed(Exception):
    """The socket ended; `code` as RFC 6455 §7.4 (1006: without a word)."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Socket(Protocol):
    """One open WebSocket."""

    async def send(self, text: str) -> None:
        """Sends a frame. Raises SocketClosed."""
        ...

    async def receive(self) -> str | bytes:
        """The next frame. Raises SocketClosed."""
        ...

    async def close(self) -> None:
        """Ends it; never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Download:
    """A running download: where it starts (0 when the server would not resume) and the whole size."""

    offset: int
    size: int
    parts: AsyncGenerator[bytes, None]


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes from the middle of a file, and how large the server says the whole is."""

    data: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What the server asks of who says he holds a file: an HMAC under `key` over the blob's id and the bytes of `ranges` (offset, length)."""

    key: bytes
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class DirectPolicy:
    """What the server lets clients pass each other: bytes at most, and whether the sender uploads it afterwards as well.

    `host`, `port`: where the server is, for finding the addresses by which this machine reaches it.
    """

    max_size: int
    keep_copy: bool
    host: str
    port: int


ReadAt = Callable[[int, int], Awaitable[bytes]]
"""Bytes of the file being sent: offset, length; fewer where a speed limit says so, none only when the file has become shorter."""
Prove = Callable[[Claim], Awaitable[str]]
"""The answer to a claim, hex."""
Moved = Callable[[int], None]
"""Told how many bytes are through."""


class Transport(Protocol):
    """One server, one device key, one access token at a time."""

    def use_token(self, access_token: str | None) -> None:
        """The token of all further requests."""
        ...

    async def sign_in(self, login: str, password: str, device_name: str, platform: str) -> TokenAnswer:
        """Password grant."""
        ...

    async def refresh(self, refresh_token: str) -> TokenAnswer:
        """Refresh grant; the refresh token is used up."""
        ...

    async def revoke(self, scope: str) -> None:
        """Ends this device's session (`device`), all (`all`), or one by id."""
        ...

    async def fetch_session(self) -> SessionAnswer:
        """The JMAP Session object."""
        ...

    async def open_socket(self, url: str) -> Socket:
        """The push socket."""
        ...

    async def call(self, calls: list[MethodCall]) -> Response:
        """A JMAP request over HTTP."""
        ...

    async def create_upload(self, size: int, name: str, content_type: str) -> str:
        """A new tus upload; its URL."""
        ...

    async def claim(self, blob_id: str, size: int, content_type: str, prove: Prove) -> bool:
        """Whether the server has this file already and believes that we do: then it need not be sent. Never fails for want of an answer."""
        ...

    async def upload(self, url: str, size: int, read_at: ReadAt, moved: Moved) -> str:
        """Sends what the server has not yet; the blob id. Raises BadUpload when the server does not know the URL any more."""
        ...

    async def download(self, blob_id: str, name: str, offset: int) -> Download:
        """The blob from `offset` on."""
        ...

    async def fetch_piece(self, blob_id: str, name: str, offset: int, length: int) -> Piece | None:
        """So many bytes of the blob, fewer only at its end; None: this server sends files whole.

        Raises:
            BadFile: it answered with something else than what was asked for.
        """
        ...

    async def thumbnail(self, blob_id: str, edge: int) -> bytes:
        """A small picture."""
        ...

    async def rendition(self, blob_id: str, suffix: str) -> bytes | None:
        """An office document as PDF; None: this server makes none. Raises Rejected for one it cannot make."""
        ...

    async def direct_policy(self) -> DirectPolicy | None:
        """How files may go from client to client; None: not at all."""
        ...

    async def direct_post(self, path: str, body: Mapping[str, object]) -> bytes:
        """One step of a direct transfer (docs/protocol.md): `path` below the policy's URL; the answer's body."""
        ...

    async def direct_state(self, transfer_id: str) -> str:
        """How a direct transfer stands with the server: `offered`, `taken`, `done`, `failed`, `withdrawn`."""
        ...

    async def close(self) -> None:
        """Ends all connections."""
        ...


class BadUpload(Exception):
    """The server forgot the upload (expired, restarted): begin a new one."""
