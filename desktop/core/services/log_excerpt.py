"""What of a log may leave this machine: times, topics, our own sentences without names, where in the program something broke.

It is a list of what is allowed, not of what is forbidden: what is not recognised is left out. Messages of exceptions are (they quote what
they were given), lines of other libraries are, source lines are; of an exception its type and its frames stay.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

MOST_LINES: Final = 300
_TAIL_BYTES: Final = 256 * 1024
_HEAD: Final = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [DIWEC]) (tongban(?:\.[a-z_]+)*) (.*)", re.ASCII)
_FRAME: Final = re.compile(r'\s*File "([^"]*)", line (\d+)(?:,)? in ([\w<>.]+)')
_ERROR: Final = re.compile(
    r"([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Warning|Failed|Closed)|[a-z_.]+\.[A-Z]\w+)(?::.*)?$"
)
_FATAL: Final = re.compile(
    r"(Fatal Python error: [A-Za-z ]{1,60}|Windows fatal exception: [A-Za-z0-9 ]{1,60}"
    r"|(?:Current thread|Thread) 0x[0-9a-f]+(?: \[[\w-]{1,20}\])? \(most recent call first\):|Traceback \(most recent call last\):)"
)
_WORD: Final = re.compile(r"[A-Za-z]{1,24}[,.:;]?|-|\d{1,9}(?:\.\d{1,6})?%?[,.:;]?|[0-9a-f]{8}[,.:;]?")
LEFT_OUT: Final = "[…]"


def load_excerpt(path: Path, most: int = MOST_LINES) -> list[str]:
    """The last lines of a log file that may be shown; none when it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return list(excerpt(text.splitlines()))[-most:]


def excerpt(lines: Iterable[str]) -> Iterator[str]:
    """The lines that may be shown, as they may be shown."""
    for line in lines:
        head = _HEAD.match(line)
        if head is not None:
            yield f"{head[1]} {head[2]} {plain(head[3])}"
        elif (frame := _FRAME.match(line)) is not None:
            yield f"  {where(frame[1])}:{frame[2]} {frame[3]}"
        elif (fatal := _FATAL.match(line)) is not None:
            yield fatal[1]
        elif (error := _ERROR.match(line)) is not None:
            yield error[1]


def plain(message: str) -> str:
    """The beginning of a sentence of ours, up to the first thing put into it that is no plain word or figure: what follows may belong to it."""
    kept: list[str] = []
    for word in message.split():
        if not _WORD.fullmatch(word):
            return " ".join([*kept, LEFT_OUT])
        kept.append(word)
    return " ".join(kept)


def where(path: str) -> str:
    """A file of the program by its place in it; a file of a library by its bare name."""
    parts = path.replace("\\", "/").split("/")
    if "desktop" in parts:
        return "/".join(parts[len(parts) - 1 - parts[::-1].index("desktop") :])
    return parts[-1] if parts[-1].endswith(".py") or parts[-1].startswith("<") else LEFT_OUT
