"""Rich text in a cell: plain paragraphs as plain lines, anything richer as its source, so that nothing is lost on the way back."""

from __future__ import annotations

import html
import re
from typing import Final

_PARAGRAPH: Final = re.compile(r"<p>(.*?)</p>", re.S)


def written_rich(source: str) -> str:
    """What is written into a cell."""
    found = _PARAGRAPH.findall(source)
    text = "\n".join(html.unescape(inner) for inner in found)
    return text if found and read_rich(text) == source else source


def read_rich(text: str) -> str:
    """What a cell means: its source where it looks like one, else a paragraph for each line."""
    if text.lstrip().startswith("<"):
        return text
    return "".join(f"<p>{html.escape(line, quote=False)}</p>" for line in text.split("\n"))
