"""What the types of this module are called, and how the files it makes are."""

from typing import Final

INCOMING: Final = "IncomingDocument"
OUTGOING: Final = "OutgoingDocument"
PACKAGE: Final = "ExchangePackage"
_FORBIDDEN: Final = frozenset('\\/:*?"<>|')


def file_name(number: str, title: str, suffix: str) -> str:
    """`云水防〔2026〕1号 关于….pdf`: what every system takes as a file's name."""
    words = "".join("_" if one in _FORBIDDEN or one < " " else one for one in f"{number} {title}".strip())
    return f"{words[:100]}{suffix}"
