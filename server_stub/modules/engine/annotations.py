"""Annotation: a highlight, a note or a drawing on a page of a record's document, in a layer of its own: the document is never changed.

Private ones are their author's alone; shared ones are seen by whoever sees the record. Made and destroyed, never changed (docs/protocol.md §4).
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from server_stub.errors import invalid_properties
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.follows import access_target
from server_stub.modules.engine.left_by_people import LeftHandler
from server_stub.modules.engine.scopes import do_share_many, person_scope_ids
from server_stub.modules.engine.tables import annotation
from server_stub.records.actor import Actor
from server_stub.records.creation import object_id
from server_stub.records.types import JsonObject
from server_stub.records.visibility import do_accompany, do_bury
from server_stub.storage.database import Tx

ANNOTATION: Final = "Annotation"
MAX_PAGE: Final = 100_000
MAX_RECTANGLES: Final = 500
MAX_STROKES: Final = 200
MAX_POINTS: Final = 20_000
MAX_TEXT: Final = 2_000
COLORS: Final = frozenset({"yellow", "green", "blue", "red"})
_ASKED: Final = frozenset({"recordType", "recordId", "blobId", "page", "kind", "mark", "shared"})


def do_drop_annotations(tx: Tx, record_id: str) -> None:
    """The record is gone; what was written on its documents goes along, private marks too."""
    for (one,) in tx.raw.execute("SELECT id FROM annotation WHERE record_id = ?", (record_id,)).fetchall():
        do_bury(tx, one)
    tx.raw.execute("DELETE FROM annotation WHERE record_id = ?", (record_id,))


class AnnotationHandler(LeftHandler):
    """The Annotation type: whoever reads a record may mark its documents."""

    properties = frozenset((*_ASKED, "id", "authorId", "createdAt", "updatedAt"))

    def __init__(self, context: OfficeContext) -> None:
        super().__init__(ANNOTATION, annotation, context)

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        record = access_target(tx, self._context, actor, obj, set(_ASKED))
        blob_id, page = obj.get("blobId"), obj.get("page")
        if not isinstance(blob_id, str) or not 0 < len(blob_id) <= 200:
            raise invalid_properties("must be a blob's id", "blobId")
        if isinstance(page, bool) or not isinstance(page, int) or not 0 <= page < MAX_PAGE:
            raise invalid_properties("must be a page from 0", "page")
        shared = obj.get("shared", False)
        if not isinstance(shared, bool):
            raise invalid_properties("must be true or false", "shared")
        mark = _checked_mark(obj.get("kind"), obj.get("mark"))
        made = object_id(tx, creation_id)
        values = {"record_id": record.id, "record_type": record.type, "blob_id": blob_id, "page": page}
        values |= {"kind": obj["kind"], "mark": mark, "shared": int(shared), "author_id": actor.person_id}
        self.do_insert(tx, {"id": made, **values})
        if shared:
            do_accompany(tx, made, ANNOTATION, record.id)
        else:
            do_share_many(tx, ANNOTATION, [(made, person_scope_ids(tx, [actor.person_id])[actor.person_id])])
        return self.created(tx, made, obj)

    def says(self, row: Any) -> JsonObject:
        said = {"blobId": row.blob_id, "page": row.page, "kind": row.kind, "shared": bool(row.shared)}
        return {**said, "mark": msgspec.json.decode(row.mark)}


# ---------------------------------------------------------------- what a mark may be


def _checked_mark(kind: Any, mark: Any) -> str:
    """The mark as JSON of known shape: highlight {rects, color, text?}, note {x, y, color, text}, pen {strokes, color, width}; points of the page.

    Raises:
        SetError: invalidProperties.
    """
    if not isinstance(mark, Mapping):
        raise invalid_properties("must be an object", "mark")
    color = mark.get("color", "yellow")
    if not isinstance(color, str) or color not in COLORS:
        raise invalid_properties(f"its color is one of {', '.join(sorted(COLORS))}", "mark")
    kept: dict[str, Any] = {"color": color}
    match kind:
        case "highlight":
            kept["rects"] = _rows(mark.get("rects"), MAX_RECTANGLES, {4})
            if mark.get("text") is not None:
                kept["text"] = _text(mark["text"])
        case "note":
            kept["x"], kept["y"] = _rows([[mark.get("x"), mark.get("y")]], 1, {2})[0]
            kept["text"] = _text(mark.get("text"))
        case "pen":
            strokes = mark.get("strokes")
            if not isinstance(strokes, list) or not 0 < len(strokes) <= MAX_STROKES:
                raise invalid_properties(f"has 1 to {MAX_STROKES} strokes", "mark")
            kept["strokes"] = [_rows(one, MAX_POINTS, {2, 3}) for one in strokes]
            if sum(map(len, kept["strokes"])) > MAX_POINTS:
                raise invalid_properties(f"has at most {MAX_POINTS} points", "mark")
            kept["width"] = min(20.0, max(0.2, _rows([[mark.get("width", 1.5)]], 1, {1})[0][0]))
        case _:
            raise invalid_properties("is one of highlight, note, pen", "kind")
    return msgspec.json.encode(kept).decode()


def _rows(value: Any, most: int, lengths: set[int]) -> list[list[float]]:
    """Rows of finite numbers that a page can hold, to a hundredth of a point."""
    if not isinstance(value, list) or not 0 < len(value) <= most:
        raise invalid_properties(f"has 1 to {most} entries", "mark")
    rows: list[list[float]] = []
    for row in value:
        if not isinstance(row, list) or len(row) not in lengths:
            raise invalid_properties("has rows of numbers", "mark")
        for one in row:
            if (
                isinstance(one, bool)
                or not isinstance(one, int | float)
                or not math.isfinite(one)
                or abs(one) > 100_000
            ):
                raise invalid_properties("has numbers a page can hold", "mark")
        rows.append([round(float(one), 2) for one in row])
    return rows


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= MAX_TEXT:
        raise invalid_properties(f"has a text of 1 to {MAX_TEXT} characters", "mark")
    return value.strip()
