"""What a user wants sent: the text, whom it mentions, what it answers, pictures and files, and how."""

from dataclasses import dataclass
from pathlib import Path

from desktop.ui.kit import file_suffix

PICTURES = frozenset({"png", "jpg", "jpeg", "gif", "webp", "bmp"})


@dataclass(frozen=True, slots=True)
class Item:
    """A picture or file waiting in the strip: bytes for what was pasted, a path for the rest."""

    name: str
    source: Path | bytes
    is_picture: bool
    size: int


@dataclass(frozen=True, slots=True)
class SendOptions:
    """How it is sent: to be confirmed by everyone, without a sound, read as Markdown."""

    must_confirm: bool = False
    silent: bool = False
    markdown: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What the user wants sent, in this order: the items, then the text."""

    text: str
    mentions: tuple[str, ...]
    reply_to: str | None
    items: tuple[Item, ...]
    options: SendOptions = SendOptions()


def item_of(path: Path) -> Item | None:
    """A file to send, or a folder (its name ends in a slash, its size is told when it is read); None for what can't be read."""
    try:
        if path.is_dir():
            return Item(path.name + "/", path, False, 0)
        if not path.is_file():
            return None
        size = path.stat().st_size
    except OSError:
        return None
    return Item(path.name, path, file_suffix(path.name) in PICTURES, size)
