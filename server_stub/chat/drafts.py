"""What a client may send as a message: checked shape, nothing written. Pure but for the attachment, which the blob store knows."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from server_stub.chat.conversations import DECEIVING
from server_stub.chat.messages import MAX_MENTIONS, MAX_TEXT, Draft
from server_stub.errors import SetError, SetErrorType, invalid_properties

SET_BY_SERVER: Final = frozenset({"id", "seq", "senderId", "sentAt"})
_NEEDS_TEXT: Final = frozenset({"text", "emoji"})
_NEEDS_ATTACHMENT: Final = frozenset({"picture", "file"})
_MAX_NAME: Final = 255


class Attachment(msgspec.Struct, rename="camel", omit_defaults=True):
    """A blob in a message. Sizes in bytes and pixels."""

    blob_id: str
    name: str
    type: str = "application/octet-stream"
    size: int = 0
    width: int | None = None
    height: int | None = None


class Card(msgspec.Struct, rename="camel"):
    """An office record in a message. Its title is the server's, whatever the client says."""

    type: str
    id: str
    title: str = ""


class _Message(msgspec.Struct, rename="camel"):
    conversation_id: str
    kind: str = "text"
    text: str | None = None
    mentions: list[str] | None = None
    reply_to_id: str | None = None
    attachment: Attachment | None = None
    card: Card | None = None


Refer = Callable[[Attachment], tuple[int, str]]
"""Notes that the message refers to the blob; returns its true size and type. Raises SetError blobNotFound."""


TitleOf = Callable[[str, str], str | None]
"""(type, id) → what the record is called; None: the sender does not see it."""


def check_draft(
    obj: dict[str, Any], refer: Refer, title_of: TitleOf = lambda type_name, id_: None
) -> tuple[str, Draft]:
    """The conversation's id and the message, from a create entry.

    Raises:
        SetError: invalidProperties, tooLarge, blobNotFound.
    """
    forbidden = sorted(SET_BY_SERVER & obj.keys())
    if forbidden:
        raise invalid_properties("set by the server", *forbidden)
    try:
        given = msgspec.convert(obj, _Message)
    except msgspec.ValidationError as problem:
        path = str(problem).rpartition("`$.")[2].partition("`")[0].partition("[")[0].partition(".")[0]
        raise invalid_properties(str(problem), *([path] if path in obj else [])) from problem
    text = given.text or ""
    if len(text) > MAX_TEXT:
        raise SetError(SetErrorType.TOO_LARGE, f"at most {MAX_TEXT} characters")
    if given.kind in _NEEDS_TEXT:
        if not text.strip() and given.card is None:
            raise invalid_properties("a message says something", "text")
        if given.attachment is not None:
            raise invalid_properties("a text has no attachment", "attachment")
    elif given.kind in _NEEDS_ATTACHMENT:
        if given.attachment is None:
            raise invalid_properties("a picture or a file has an attachment", "attachment")
    else:
        raise invalid_properties("kind is text, emoji, picture or file", "kind")
    mentions = list(dict.fromkeys(given.mentions or ()))
    if len(mentions) > MAX_MENTIONS or any(not 0 < len(one) <= 100 for one in mentions):
        raise invalid_properties(f"at most {MAX_MENTIONS} ids of people", "mentions")
    attachment = _check_attachment(given.attachment, refer) if given.attachment is not None else None
    card = _check_card(given.card, title_of) if given.card is not None else None
    return given.conversation_id, Draft(given.kind, text, mentions, given.reply_to_id, attachment, card)


def _check_card(given: Card, title_of: TitleOf) -> dict[str, Any]:
    title = title_of(given.type, given.id)
    if title is None:
        raise invalid_properties("there is no such record", "card")
    return {"type": given.type, "id": given.id, "title": title}


def _check_attachment(given: Attachment, refer: Refer) -> dict[str, Any]:
    if not 0 < len(given.name) <= _MAX_NAME or any(ord(char) < 32 or char in "/\\\x7f" for char in given.name):
        raise invalid_properties("a file has a name without folders", "attachment")
    if any(edge is not None and not 0 < edge <= 100_000 for edge in (given.width, given.height)):
        raise invalid_properties("pixels are positive", "attachment")
    size, type_ = refer(given)
    result: dict[str, Any] = msgspec.to_builtins(given)
    result["size"], result["type"] = size, type_
    result["name"] = DECEIVING.sub("_", given.name)  # replaced, not refused: the sender never saw them either
    return result
