"""Files in messages: what a client may say of one, by the kind of message."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from server_stub.chat.conversations import DECEIVING
from server_stub.chat.policy import MAX_STICKER_SIZE, ChatPolicy
from server_stub.errors import SetError, SetErrorType, invalid_properties

_MAX_NAME: Final = 255
_MAX_WAVEFORM: Final = 100
_MAX_VIDEO_MS: Final = 24 * 3_600_000


class Attachment(msgspec.Struct, rename="camel", omit_defaults=True):
    """A blob in a message. Sizes in bytes and pixels; the waveform is loudness from 0 to 100 along the time."""

    blob_id: str
    name: str
    type: str = "application/octet-stream"
    size: int = 0
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    waveform: list[int] | None = None


DIRECT: Final = "direct"
"""Member of an attachment: its content went from device to device, the server has none (direct_files.py)."""
EXPIRED: Final = "expired"
"""Member of an attachment: the server keeps its content for this message no more (file_expiry.py)."""


def is_elsewhere(attachment: Mapping[str, Any]) -> bool:
    """Whether the message does not give its readers the blob: then nothing that is copied from it may either."""
    return DIRECT in attachment or EXPIRED in attachment


Refer = Callable[[Attachment], tuple[int, str]]
"""Notes that the message refers to the blob; returns its true size and type. Raises SetError blobNotFound."""


def check_attachment(given: Attachment, kind: str, refer: Refer, policy: ChatPolicy) -> dict[str, Any]:
    """The attachment as the message carries it, with the blob's true size and type. Raises SetError."""
    if not 0 < len(given.name) <= _MAX_NAME or any(ord(char) < 32 or char in "/\\\x7f" for char in given.name):
        raise invalid_properties("a file has a name without folders", "attachment")
    if any(edge is not None and not 0 < edge <= 100_000 for edge in (given.width, given.height)):
        raise invalid_properties("pixels are positive", "attachment")
    _check_length(given, kind, policy)
    size, type_ = refer(given)
    if kind == "sticker":
        check_sticker(size, type_)
    result: dict[str, Any] = msgspec.to_builtins(given)
    result["size"], result["type"] = size, type_
    result["name"] = DECEIVING.sub("_", given.name)  # replaced, not refused: the sender never saw them either
    return result


def check_sticker(size: int, type_: str) -> None:
    """A sticker is a small picture. Raises SetError tooLarge, invalidProperties."""
    if size > MAX_STICKER_SIZE:
        raise SetError(SetErrorType.TOO_LARGE, f"a sticker has at most {MAX_STICKER_SIZE} bytes")
    if not type_.startswith("image/"):
        raise invalid_properties("a sticker is a picture", "attachment")


def _check_length(given: Attachment, kind: str, policy: ChatPolicy) -> None:
    longest = {"voice": policy.max_voice_ms, "video": _MAX_VIDEO_MS}.get(kind, 0)
    if given.duration_ms is None:
        if kind == "voice":
            raise invalid_properties("a voice message says how long it is", "attachment")
    elif not 0 < given.duration_ms <= longest:
        raise invalid_properties(f"durationMs is 1 to {longest} here", "attachment")
    if given.waveform is not None and (
        kind != "voice" or len(given.waveform) > _MAX_WAVEFORM or not all(0 <= one <= 100 for one in given.waveform)
    ):
        raise invalid_properties(f"a voice has at most {_MAX_WAVEFORM} levels from 0 to 100", "attachment")
