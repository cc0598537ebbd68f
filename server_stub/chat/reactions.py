"""Reactions: an emoji by a person on a message; each person sets and takes back only their own."""

import unicodedata
from typing import Final

from server_stub.chat.message_changes import do_keep
from server_stub.chat.message_rows import MessageRow
from server_stub.chat.places import Place
from server_stub.chat.policy import MAX_REACTIONS
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.storage.database import Tx

PREFIX: Final = "reactions/"
MAX_CHARACTERS: Final = 16
MAX_BYTES: Final = 64


def do_react(tx: Tx, place: Place, row: MessageRow, wanted: dict[str, bool]) -> bool:
    """Set (True) or take back (False) the actor's own reactions, by emoji. False when nothing changes.

    Raises:
        SetError: forbidden: recalled, a line of the system, a dissolved group; invalidProperties: no emoji, too many.
    """
    place.check_alive()
    if row.is_recalled or row.kind == "system":
        raise SetError(SetErrorType.FORBIDDEN, "nobody reacts to this message")
    me = place.mine.person_id
    held: dict[str, list[str]] = {emoji: list(people) for emoji, people in row.extra.get("reactions", {}).items()}
    changed = False
    for emoji, on in wanted.items():
        people = held.setdefault(check_emoji(emoji), [])
        if on != (me in people):
            changed = True
            if on:
                people.append(me)
            else:
                people.remove(me)
    held = {emoji: people for emoji, people in held.items() if people}
    if len(held) > MAX_REACTIONS:
        raise invalid_properties(f"at most {MAX_REACTIONS} different reactions", "reactions")
    if changed:
        row.extra.pop("reactions", None)
        if held:
            row.extra["reactions"] = held
        do_keep(tx, place, row, small=True)
    return changed


def check_emoji(text: str) -> str:
    """Raises SetError invalidProperties for what is too long or cannot be seen."""
    fits = 0 < len(text) <= MAX_CHARACTERS and len(text.encode()) <= MAX_BYTES
    if not fits or any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp", "Zs") for char in text):
        raise invalid_properties(f"a reaction is an emoji of at most {MAX_CHARACTERS} characters", "reactions")
    return text
