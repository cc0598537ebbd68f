"""What emoji are called and found by, in Chinese and English: resources/emoji/keywords.json, cut from Unicode's CLDR annotations."""

import json
from functools import cache

from desktop.ui import i18n

FOUND = 96


@cache
def categories() -> dict[str, tuple[str, ...]]:
    """Emoji by category, out of resources/emoji."""
    path = i18n.folder().parent / "emoji" / "emoji.json"
    loaded: dict[str, str] = json.loads(path.read_text("utf-8"))
    return {name: tuple(line.split()) for name, line in loaded.items()}


@cache
def _words() -> dict[str, dict[str, list[str]]]:
    path = i18n.folder().parent / "emoji" / "keywords.json"
    loaded: dict[str, dict[str, list[str]]] = json.loads(path.read_text("utf-8"))
    return loaded


def emoji_name(emoji: str) -> str:
    """What an emoji is called in the language in use; empty for one we do not know."""
    entry = _words().get(emoji)
    return entry[i18n.language()][0] if entry else ""


def find_emoji(text: str) -> tuple[str, ...]:
    """Emoji whose name or keyword in either language fits: whole words first, then beginnings, then parts, each in the picker's order."""
    needle = text.strip().lower()
    if not needle:
        return ()
    ranked: list[tuple[int, int, str]] = []
    for number, (emoji, entry) in enumerate(_words().items()):
        rank = min((_rank(needle, word.lower()) for words in entry.values() for word in words), default=3)
        if rank < 3 or emoji == needle:
            ranked.append((rank, number, emoji))
    return tuple(emoji for _, _, emoji in sorted(ranked)[:FOUND])


def _rank(needle: str, word: str) -> int:
    if word == needle:
        return 0
    if word.startswith(needle):
        return 1
    return 2 if needle in word and (len(needle) > 2 or not needle.isascii()) else 3
