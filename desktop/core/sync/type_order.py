"""In which order types are asked for: the start-up path first, then those that modules bring, then what hangs on others."""

import re
from collections.abc import Iterable
from typing import Final

from desktop.core.protocol.objects import NOT_SYNCED

START_ORDER: Final = (
    "Conversation",
    "Person",
    "Message",
    "Department",
    "Alert",
    "Todo",
    "WorkItem",
    "ModuleDefinition",
    "Case",
    "Notice",
    "Folder",
    "Document",
    "ReadMark",
    "Follow",
    "Process",
    "Delegation",
    "ScheduledMessage",
    "Favorite",
    "Sticker",
)
"""Types in the order of the start-up path: what the first screen shows comes first; then the types of modules."""
LAST: Final = ("CaseEvent", "Comment", "Member", "Receipt", "Announcement", "JoinRequest")
STATIC: Final = frozenset((*START_ORDER, *LAST))
MAX_TYPES: Final = 1000
_TYPE_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]{1,59}")


def in_order(static: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """Types in the order in which they are asked for; what is no name of a type, or asked for on demand, is left out."""
    known = frozenset(static)
    dynamic = [n for n in others if n not in STATIC and n not in NOT_SYNCED and _TYPE_NAME.fullmatch(n)]
    return (*(n for n in START_ORDER if n in known), *dynamic[:MAX_TYPES], *(n for n in LAST if n in known))
