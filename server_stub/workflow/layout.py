"""Places for a drawing that has none: columns from left to right, rows where there is room, right-angled lines, ways back over the top. Deterministic."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from server_stub.workflow.drawing_xml import Box, Point

GAP_X: Final = 50.0
GAP_Y: Final = 40.0
MARGIN: Final = 30.0
BACK_STEP: Final = 16.0
PORT: Final = 18.0


class Item(Struct, frozen=True, kw_only=True):
    """A node to place. `is_gateway`: lines to other rows leave and enter it above and below."""

    id: str
    w: float
    h: float
    is_gateway: bool = False


class Line(Struct, frozen=True, kw_only=True):
    """A flow to draw."""

    id: str
    source: str
    target: str


class Placed(Struct, frozen=True, kw_only=True):
    """The result, its top left corner at 0, 0."""

    width: float
    height: float
    boxes: dict[str, Box]
    lines: dict[str, tuple[Point, ...]]


class _Grid:
    """Columns and rows: what stands where. A line over several columns holds a cell in each, so that nothing is drawn on it."""

    def __init__(self) -> None:
        self.row_of: dict[str, int] = {}
        self.columns: list[list[str]] = []

    def place(self, column: int, wishes: Sequence[tuple[float, str]]) -> None:
        """Give each of a column the free row next to its wish."""
        while len(self.columns) <= column:
            self.columns.append([])
        taken: set[int] = set()
        for wish, name in wishes:
            row = next(one for one in _outward(int(wish)) if one not in taken)
            taken.add(row)
            self.row_of[name] = row
            self.columns[column].append(name)


def _outward(start: int) -> Sequence[int]:
    return [start, *(start + sign * step for step in range(1, 400) for sign in (1, -1))]


def place(
    items: Sequence[Item], lines: Sequence[Line], first: Sequence[str], attached: Mapping[str, str] | None = None
) -> Placed:
    """Boxes and lines. `first`: ids to begin with, in order; `attached`: boundary events, by id the id of what they hang on."""
    attached = attached or {}
    by_id = {one.id: one for one in items}
    ends = {one.id: (attached.get(one.source, one.source), attached.get(one.target, one.target)) for one in lines}
    free = [one.id for one in items if one.id not in attached]
    forward, back = _split(free, lines, ends, first)
    columns = _columns(free, forward, ends)
    grid = _Grid()
    ways = _fill(grid, free, columns, forward, ends)
    top = MARGIN + BACK_STEP * len(back) + (GAP_Y / 2 if back else 0)
    boxes, centers, left = _boxes(grid, by_id, top)
    for name, host in attached.items():
        boxes[name] = _on_border(
            boxes[host], by_id[name], [one for one in attached if attached[one] == host].index(name)
        )
    drawn: dict[str, tuple[Point, ...]] = {}
    for line in forward:
        source, target = ends[line.id]
        cells = [(left[columns[source] + 1 + at], centers[grid.row_of[one]]) for at, one in enumerate(ways[line.id])]
        end = (left[columns[target]], _middle(boxes[line.target])[1])
        drawn[line.id] = _forward(by_id, boxes, line, [*cells, end], line.source in attached)
    for number, line in enumerate(back):
        drawn[line.id] = _over(boxes[line.source], boxes[line.target], MARGIN + BACK_STEP * number)
    width = max((box.x + box.w for box in boxes.values()), default=0) + MARGIN
    height = max((box.y + box.h for box in boxes.values()), default=0) + MARGIN
    height = max([height, *(y + MARGIN for points in drawn.values() for _x, y in points)])
    return Placed(width=width, height=height, boxes=boxes, lines=drawn)


def _split(
    free: Sequence[str], lines: Sequence[Line], ends: Mapping[str, tuple[str, str]], first: Sequence[str]
) -> tuple[list[Line], list[Line]]:
    """The lines that lead on and those that lead back, seen from the first nodes in depth."""
    leaving: dict[str, list[Line]] = {}
    for line in lines:
        leaving.setdefault(ends[line.id][0], []).append(line)
    state: dict[str, int] = {}
    back: set[str] = set()
    for root in (*first, *free):
        if root in state:
            continue
        state[root] = 1
        path = [(root, iter(leaving.get(root, ())))]
        while path:
            name, ways = path[-1]
            way = next(ways, None)
            if way is None:
                state[name] = 2
                path.pop()
                continue
            target = ends[way.id][1]
            if state.get(target) == 1:
                back.add(way.id)
            elif target not in state:
                state[target] = 1
                path.append((target, iter(leaving.get(target, ()))))
    return [one for one in lines if one.id not in back], [one for one in lines if one.id in back]


def _columns(free: Sequence[str], forward: Sequence[Line], ends: Mapping[str, tuple[str, str]]) -> dict[str, int]:
    """The longest way to each node."""
    entering = dict.fromkeys(free, 0)
    leaving: dict[str, list[str]] = {}
    for line in forward:
        source, target = ends[line.id]
        entering[target] += 1
        leaving.setdefault(source, []).append(target)
    ready = [one for one in free if entering[one] == 0]
    columns = dict.fromkeys(free, 0)
    for name in ready:
        for target in leaving.get(name, ()):
            columns[target] = max(columns[target], columns[name] + 1)
            entering[target] -= 1
            if entering[target] == 0:
                ready.append(target)
    return columns


def _fill(
    grid: _Grid,
    free: Sequence[str],
    columns: Mapping[str, int],
    forward: Sequence[Line],
    ends: Mapping[str, tuple[str, str]],
) -> dict[str, list[str]]:
    """Rows column by column, each near what leads to it; the cells that each line passes on its way."""
    ways: dict[str, list[str]] = {one.id: [] for one in forward}
    for column in range(max(columns.values(), default=-1) + 1):
        wishes: list[tuple[float, int, int, str]] = []
        for order, name in enumerate(free):
            if columns[name] == column:
                rows = [grid.row_of[_before(ways, ends, one)] for one in forward if ends[one.id][1] == name]
                wishes.append((sum(rows) / len(rows) if rows else 0.0, 0, order, name))
        for order, line in enumerate(forward):
            source, target = ends[line.id]
            if columns[source] < column < columns[target]:
                wishes.append((float(grid.row_of[_before(ways, ends, line)]), 1, order, f"{line.id}|{column}"))
        wishes.sort()
        grid.place(column, [(wish, name) for wish, _kind, _order, name in wishes])
        for _wish, kind, order, name in wishes:
            if kind == 1:
                ways[forward[order].id].append(name)
    return ways


def _before(ways: Mapping[str, list[str]], ends: Mapping[str, tuple[str, str]], line: Line) -> str:
    return ways[line.id][-1] if ways[line.id] else ends[line.id][0]


def _boxes(grid: _Grid, by_id: Mapping[str, Item], top: float) -> tuple[dict[str, Box], dict[int, float], list[float]]:
    """Boxes in the middle of their cells; the middle of each row and the left edge of each column."""
    heights: dict[int, float] = {}
    for name, row in grid.row_of.items():
        heights[row] = max(heights.get(row, 0.0), by_id[name].h if name in by_id else 10.0)
    centers: dict[int, float] = {}
    y = top
    for row in sorted(heights):
        centers[row] = y + heights[row] / 2
        y += heights[row] + GAP_Y
    boxes: dict[str, Box] = {}
    left: list[float] = []
    x = MARGIN
    for column in grid.columns:
        left.append(x)
        width = max((by_id[one].w for one in column if one in by_id), default=0.0)
        for name in column:
            if name in by_id:
                item = by_id[name]
                boxes[name] = Box(x + (width - item.w) / 2, centers[grid.row_of[name]] - item.h / 2, item.w, item.h)
        x += width + GAP_X
    return boxes, centers, left


def _on_border(host: Box, item: Item, number: int) -> Box:
    return Box(host.x + host.w - item.w - 8 - number * (item.w + 8), host.y + host.h - item.h / 2, item.w, item.h)


def _middle(box: Box) -> Point:
    return box.x + box.w / 2, box.y + box.h / 2


def _forward(
    by_id: Mapping[str, Item], boxes: Mapping[str, Box], line: Line, cells: Sequence[Point], is_attached: bool
) -> tuple[Point, ...]:
    """Along the cells it passes (left edge of the column, middle of the row), the target's last; turns lie in the gaps, above and below gateways."""
    a, b = boxes[line.source], boxes[line.target]
    (ax, ay), (bx, by) = _middle(a), _middle(b)
    _x, y = cells[0]
    into_gateway = by_id[line.target].is_gateway and _is_free(boxes, line, bx, by, cells[-2][1] if cells[1:] else ay)
    if is_attached or (by_id[line.source].is_gateway and y != ay and _is_free(boxes, line, ax, ay, y)):
        points = [(ax, a.y + a.h if y > ay else a.y), (ax, y)]
    elif y == ay or (len(cells) == 1 and into_gateway):
        y = ay
        points = [(a.x + a.w, ay)]
    else:
        turn = cells[0][0] - GAP_X + PORT
        points = [(a.x + a.w, ay), (turn, ay), (turn, y)]
    for x, row in cells[1:-1]:
        if row != y:
            points += [(x - GAP_X + PORT, y), (x - GAP_X + PORT, row)]
            y = row
    if y == by:
        points.append((b.x, by))
    elif into_gateway:
        points += [(bx, y), (bx, b.y + b.h if y > by else b.y)]
    else:
        turn = cells[-1][0] - GAP_X + PORT
        points += [(turn, y), (turn, by), (b.x, by)]
    return _straight(points)


def _is_free(boxes: Mapping[str, Box], line: Line, x: float, start: float, end: float) -> bool:
    """Whether an upright line meets no box but the line's own ends."""
    low, high = min(start, end), max(start, end)
    return not any(
        one.x <= x <= one.x + one.w and one.y <= high and one.y + one.h >= low
        for name, one in boxes.items()
        if name not in {line.source, line.target}
    )


def _over(a: Box, b: Box, y: float) -> tuple[Point, ...]:
    """From the top of one to the top of the other, above everything."""
    (ax, _), (bx, _) = _middle(a), _middle(b)
    if ax == bx:
        ax, bx = ax + 10, bx - 10
    return (ax, a.y), (ax, y), (bx, y), (bx, b.y)


def _straight(points: Sequence[Point]) -> tuple[Point, ...]:
    """Without corners that are none."""
    kept: list[Point] = []
    for point in points:
        if kept and kept[-1] == point:
            continue
        if len(kept) >= 2 and (kept[-2][0] == kept[-1][0] == point[0] or kept[-2][1] == kept[-1][1] == point[1]):
            kept[-1] = point
        else:
            kept.append(point)
    return tuple(kept)
