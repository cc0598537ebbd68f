"""System lines in the user's language: who came, left, was renamed, pinned… The server's own text is for clients that can't word events."""

from collections.abc import Iterable

from desktop.core.domain import SystemEvent
from desktop.models.people import People
from desktop.ui.i18n import has, tr, when

SHOWN_NAMES = 6


def person_words(person_id: str | None, people: People) -> str:
    """A name as a line has it: this user is "you"."""
    if person_id == people.me.id:
        return tr("chat_talk.you")
    return people.name(person_id) or tr("common.unknown_person")


def names_words(person_ids: Iterable[str], people: People) -> str:
    """Names joined, shortened after some."""
    ids = list(person_ids)
    joined = when.list_join([person_words(one, people) for one in ids[:SHOWN_NAMES]])
    return tr("chat_talk.and_more", names=joined, n=len(ids)) if len(ids) > SHOWN_NAMES else joined


def event_words(event: SystemEvent, people: People) -> str:
    """The line of an event; empty for one that this client has no words for."""
    key = f"chat_talk.event.{_form(event)}"
    if not has(key):
        key = f"chat_talk.event.{event.type}"
    if not has(key):
        return ""
    said = tr(
        key,
        by=person_words(event.by_id, people) if event.by_id else "",
        who=names_words(event.person_ids, people),
        value=_value(event),
    )
    return said[:1].upper() + said[1:]  # "you" begins the line in English


def _form(event: SystemEvent) -> str:
    """The finer key: who came by themselves, whose role became what, a mute of everybody."""
    alone = not event.by_id or tuple(event.person_ids) == (event.by_id,)
    if event.type in ("joined", "left") and alone:
        return f"{event.type}.alone"
    if event.type == "roleChanged":
        return f"roleChanged.{event.value}"
    if event.type in ("muted", "unmuted") and not event.person_ids:
        return f"{event.type}.all"
    if event.type == "announced" and not event.value:
        return "announced.empty"
    return event.type


def _value(event: SystemEvent) -> str:
    value = event.value
    if event.type == "muted" and isinstance(value, int | float):
        return when.date_time(int(value))
    return str(value) if isinstance(value, str | int | float) else ""


def recalled_words(sender_id: str | None, by_id: str | None, people: People | None) -> str:
    """The trace of a message that was taken back; by an admin it says so."""
    if people is None:
        return tr("chat_talk.recalled")
    if by_id and by_id != sender_id:
        return tr("chat_talk.recalled.by_other", by=person_words(by_id, people), who=person_words(sender_id, people))
    if sender_id == people.me.id:
        return tr("chat_talk.recalled.mine")
    return tr("chat_talk.recalled.by", who=people.name(sender_id) or tr("common.unknown_person"))
