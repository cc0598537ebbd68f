"""Names of files from elsewhere, made harmless for this disk."""

from typing import Final

MAX_SAME_NAME: Final = 10_000


def safe_name(name: str) -> str:
    """The last part of a name from elsewhere, without what a path or Windows reads as something else."""
    last = name.replace("\\", "/").rpartition("/")[2]
    safe = "".join("_" if character in '<>:"|?*' or ord(character) < 32 else character for character in last)
    return safe.strip(". ")[-120:] or "file"
