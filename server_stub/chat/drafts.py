"""What a client may send as a message: checked shape, nothing written. Pure but for what blobs and records are asked for."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from server_stub.chat import sticker_set
from server_stub.chat.attachments import Attachment, Refer, check_attachment
from server_stub.chat.contents import Chain, Poll, check_chain, check_poll, clean_formatted
from server_stub.chat.messages import MAX_MENTIONS, MAX_TEXT, Draft
from server_stub.chat.policy import DEFAULT_POLICY, ChatPolicy
from server_stub.errors import SetError, SetErrorType, invalid_properties

SET_BY_SERVER: Final = frozenset(
    "id seq senderId sentAt editedAt edits recalledAt recalledById reactions pinned confirmedIds merged results choice"
    " entries event".split()
)
_NEEDS_TEXT: Final = frozenset({"text", "emoji"})
_NEEDS_ATTACHMENT: Final = frozenset({"picture", "file", "voice", "video"})
_KINDS: Final = _NEEDS_TEXT | _NEEDS_ATTACHMENT | {"sticker", "shake", "merged", "poll", "chain"}
_MAY_NEED_CONFIRMING: Final = frozenset({"text", "picture", "file"})
_MORE: Final = frozenset(
    "mustConfirm silent code language markdown formatted forwardedFrom poll chain mergedIds sticker".split()
)
_MADE: Final = frozenset({"poll", "chain", "merged"})
_MAX_LANGUAGE: Final = 40


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
    must_confirm: bool = False
    silent: bool = False
    code: bool = False
    language: str | None = None
    markdown: bool = False
    formatted: str | None = None
    forwarded_from: bool = False
    poll: Poll | None = None
    chain: Chain | None = None
    merged_ids: list[str] | None = None
    sticker: str | None = None


TitleOf = Callable[[str, str], str | None]
"""(type, id) → what the record is called; None: the sender does not see it."""

Merge = Callable[[list[str]], dict[str, Any]]
"""Ids of messages → `merged` as the message carries it. Raises SetError."""


def _merge_nothing(ids: list[str]) -> dict[str, Any]:
    raise invalid_properties("nothing to forward", "mergedIds")


def check_draft(
    obj: dict[str, Any],
    refer: Refer,
    title_of: TitleOf = lambda type_name, id_: None,
    merge: Merge = _merge_nothing,
    policy: ChatPolicy = DEFAULT_POLICY,
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
    rare = not _MORE.isdisjoint(obj)
    _check_kind(given, text)
    if rare or given.kind in _MADE:
        _check_made(given)
    mentions = check_mentions(given.mentions) if given.mentions else ()
    more = _more(given, merge) if rare else None  # most messages have none of these
    attachment = None
    if given.attachment is not None:
        attachment = check_attachment(given.attachment, given.kind, refer, policy)
    card = _check_card(given.card, title_of) if given.card is not None else None
    if given.sticker is not None:  # searched and listed by what it says
        text = sticker_set.words()[given.sticker]
    return given.conversation_id, Draft(given.kind, text, mentions, given.reply_to_id, attachment, card, more)


def check_mentions(given: list[str]) -> list[str]:
    """Whom a message mentions, each once. Raises SetError invalidProperties."""
    if len(given) > MAX_MENTIONS or any(not 0 < len(one) <= 100 for one in given):
        raise invalid_properties(f"at most {MAX_MENTIONS} ids of people", "mentions")
    return list(dict.fromkeys(given))


def _check_kind(given: _Message, text: str) -> None:
    """The properties that belong to each kind, and to no other."""
    kind = given.kind
    if kind not in _KINDS:
        raise invalid_properties(f"kind is one of {', '.join(sorted(_KINDS))}", "kind")
    if kind in _NEEDS_TEXT:
        if not text.strip() and given.card is None:
            raise invalid_properties("a message says something", "text")
        if given.attachment is not None:
            raise invalid_properties("a text has no attachment", "attachment")
    elif kind in _NEEDS_ATTACHMENT:
        if given.attachment is None:
            raise invalid_properties("this kind has an attachment", "attachment")
    elif kind == "sticker":
        if (given.sticker is None) == (given.attachment is None) or given.card is not None:
            raise invalid_properties("a sticker is a picture or one of the built-in set", "attachment", "sticker")
    elif text or given.attachment is not None or given.card is not None:
        raise invalid_properties(f"a {kind} has neither text nor attachment", "kind")


def _check_made(given: _Message) -> None:
    """The same of what is rarer."""
    kind = given.kind
    for name, value, of in (
        ("poll", given.poll, "poll"),
        ("chain", given.chain, "chain"),
        ("mergedIds", given.merged_ids, "merged"),
    ):
        if (value is not None) != (kind == of):
            raise invalid_properties(f"{name} and the kind belong together", name)
    if given.sticker is not None and (kind != "sticker" or given.sticker not in sticker_set.words()):
        raise invalid_properties("the name of a built-in sticker", "sticker")
    if given.must_confirm and kind not in _MAY_NEED_CONFIRMING:
        raise invalid_properties("only a text, picture or file is confirmed", "mustConfirm")
    if kind != "text" and (given.code or given.markdown or given.formatted is not None):
        raise invalid_properties("only a text is formatted", "kind")


def _more(given: _Message, merge: Merge) -> dict[str, Any]:
    """The members of the object beyond those every message may have."""
    more: dict[str, Any] = {}
    for name, value in (
        ("mustConfirm", given.must_confirm),
        ("silent", given.silent),
        ("code", given.code),
        ("markdown", given.markdown),
        ("forwardedFrom", given.forwarded_from),
    ):
        if value:
            more[name] = True
    if given.language is not None:
        if not given.code or not 0 < len(given.language) <= _MAX_LANGUAGE or not given.language.isprintable():
            raise invalid_properties("the language of code, in a word", "language")
        more["language"] = given.language
    if given.formatted is not None:
        more["formatted"] = clean_formatted(given.formatted)
    if given.poll is not None:
        more["poll"], more["results"] = check_poll(given.poll)
    if given.chain is not None:
        more["chain"], more["entries"] = check_chain(given.chain), []
    if given.sticker is not None:
        more["sticker"] = given.sticker
    if given.merged_ids is not None:
        more["merged"] = merge(given.merged_ids)
    return more


def _check_card(given: Card, title_of: TitleOf) -> dict[str, Any]:
    title = title_of(given.type, given.id)
    if title is None:
        raise invalid_properties("there is no such record", "card")
    return {"type": given.type, "id": given.id, "title": title}
