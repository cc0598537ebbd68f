"""Tables in a draft's plain text: lines between bars, `| 名称 | 数量 |`; a second line of dashes makes the first one the head, colons in it set the sides."""

import re
from collections.abc import Sequence
from typing import Any, Final

MAX_COLUMNS: Final = 12
MAX_ROWS: Final = 500
_ROW: Final = re.compile(r"\|.*\|\Z")
_RULE: Final = re.compile(r":?-+:?\Z")
_CELLS: Final = re.compile(r"(?<!\\)\|")
_FIGURE: Final = re.compile(r"[-+−]?[\d,，]+(\.\d+)?\s*[%％‰]?\Z")
LEAST, MOST = 3.0, 24.0
"""Width of a column in characters, whatever stands in it."""


def is_row(line: str) -> bool:
    """Whether a line is one of a table."""
    return len(line) > 2 and _ROW.match(line) is not None


def read_table(lines: Sequence[str]) -> dict[str, Any]:
    """Lines of one table as {kind, head: cells or [], rows, widths: parts of the whole, sides: left | center | right}; short rows are filled up.

    Figures stand at the right unless the rule says otherwise. More columns or rows than may be are left to the caller to refuse (`too_large`).
    """
    rows = [_cells(line) for line in lines]
    rule = rows[1] if len(rows) > 1 and all(_RULE.match(cell) for cell in rows[1]) else None
    body = rows[:1] + rows[2:] if rule is not None else rows
    columns = max(len(row) for row in body)
    body = [row + [""] * (columns - len(row)) for row in body]
    head, rest = (body[0], body[1:]) if rule is not None else ([], body)
    return {
        "kind": "table",
        "head": head,
        "rows": rest,
        "widths": [_width([row[at] for row in body]) for at in range(columns)],
        "sides": [_side(rule, at, [row[at] for row in rest]) for at in range(columns)],
    }


def too_large(table: dict[str, Any]) -> bool:
    """Whether a table is more than a page can hold side by side, or than is read on paper."""
    return len(table["widths"]) > MAX_COLUMNS or len(table["rows"]) > MAX_ROWS


def _cells(line: str) -> list[str]:
    return [cell.strip(" \u3000").replace("\\|", "|") for cell in _CELLS.split(line[1:-1])]


def _width(cells: Sequence[str]) -> float:
    """Characters of the widest cell, a Latin one is half."""
    widest = max(sum(0.55 if one < "\u2e80" else 1.0 for one in cell) for cell in cells)
    return min(max(widest + 1.0, LEAST), MOST)


def _side(rule: Sequence[str] | None, at: int, cells: Sequence[str]) -> str:
    mark = rule[at] if rule is not None and at < len(rule) else ""
    if mark.startswith(":") or mark.endswith(":"):
        return "center" if mark.startswith(":") and mark.endswith(":") else "right" if mark.endswith(":") else "left"
    written = [cell for cell in cells if cell]
    return "right" if written and all(_FIGURE.match(cell) for cell in written) else "left"
