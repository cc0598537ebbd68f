"""The short way for the messages of which there are many: those with nothing but what every message has, decoded in one go.

Whatever is otherwise in any respect takes the long way of objects.py, which also says what is wrong with it.
"""

from datetime import datetime
from typing import Annotated, Final

import msgspec

from desktop.core.domain import Message, MessageKind
from desktop.core.protocol.chat_objects import MAX_SEQ

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class _Plain(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    id: _Id
    conversation_id: str
    seq: Annotated[int, msgspec.Meta(gt=0, le=MAX_SEQ)]
    sender_id: str | None
    kind: MessageKind
    text: str
    mentions: tuple[str, ...]
    sent_at: Annotated[datetime, msgspec.Meta(tz=True)]


_decode: Final = msgspec.json.Decoder(_Plain).decode


def plain_message(raw: bytes | msgspec.Raw) -> Message | None:
    """The message in `raw`; None: it has more than that, or is broken."""
    try:
        one = _decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    at = round(one.sent_at.timestamp() * 1000)
    return Message(one.id, one.conversation_id, one.kind, one.text, one.seq, one.sender_id, at, one.mentions)
