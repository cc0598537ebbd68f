"""Annotation: a highlight, a note or a drawing on a page of a record's document, in a layer of its own: the document is never changed.

Private ones are their author's alone; shared ones are seen by whoever sees the record. Made and destroyed, never changed (docs/protocol.md §4).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from server_stub.clock import format_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.alerts import OFFICE
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.follows import access_target
from server_stub.modules.engine.scopes import do_share_many, person_scope_ids
from server_stub.modules.engine.tables import annotation
from server_stub.records.actor import Actor
from server_stub.records.creation import object_id
from server_stub.records.handler import RecordHandler
from server_stub.records.types import GetResult, JsonObject
from server_stub.records.visibility import do_accompany, do_bury, visible_ids
from server_stub.storage.database import Tx

ANNOTATION: Final = "Annotation"
MAX_PAGE: Final = 100_000
MAX_RECTANGLES: Final = 500
MAX_STROKES: Final = 200
MAX_POINTS: Final = 20_000
MAX_TEXT: Final = 2_000
COLORS: Final = frozenset({"yellow", "green", "blue", "red"})
_CHUNK: Final = 500
_ASKED: Final = frozenset({"recordType", "recordId", "blobId", "page", "kind", "mark", "shared"})


def do_drop_annotations(tx: Tx, record_id: str) -> None:
    """The record is gone; what was written on its documents goes along, private marks too."""
    for (one,) in tx.raw.execute("SELECT id FROM annotation WHERE record_id = ?", (record_id,)).fetchall():
        do_bury(tx, one)
    tx.raw.execute("DELETE FROM annotation WHERE record_id = ?", (record_id,))


class AnnotationHandler(RecordHandler):
    """The Annotation type: whoever reads a record may mark its documents."""

    properties = frozenset((*_ASKED, "id", "authorId", "createdAt", "updatedAt"))

    def __init__(self, context: OfficeContext) -> None:
        super().__init__(ANNOTATION, OFFICE)
        self._context = context

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult:
        wanted = list(dict.fromkeys(visible_ids(conn, actor.person_id, self.name, ids)))
        found = _load(conn, wanted)
        missing = [] if ids is None else [one for one in dict.fromkeys(ids) if one not in found]
        return GetResult([found[one] for one in wanted if one in found], missing)

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
        _do_insert(tx, made, (record.id, record.type, blob_id, page, obj["kind"], mark, int(shared), actor.person_id))
        if shared:
            do_accompany(tx, made, ANNOTATION, record.id)
        else:
            do_share_many(tx, ANNOTATION, [(made, person_scope_ids(tx, [actor.person_id])[actor.person_id])])
        shown = _load(tx.conn, [made])[made]
        return {"id": made, **{key: value for key, value in shown.items() if obj.get(key, ...) != value}}

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        raise SetError(SetErrorType.FORBIDDEN, "an annotation is not changed, only destroyed")

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        held = _load(tx.conn, visible_ids(tx.conn, actor.person_id, self.name, [id_])).get(id_)
        if held is None:
            raise SetError(SetErrorType.NOT_FOUND)
        if held["authorId"] != actor.person_id:
            raise SetError(SetErrorType.FORBIDDEN, "only its author takes an annotation away")
        do_bury(tx, id_)
        tx.raw.execute("DELETE FROM annotation WHERE id = ?", (id_,))


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


def _do_insert(tx: Tx, made: str, values: tuple[Any, ...]) -> None:
    if tx.raw.execute("SELECT 1 FROM record_scope WHERE object_id = ? LIMIT 1", (made,)).fetchone() is not None:
        raise invalid_properties("this id is taken", "id")
    tx.raw.execute(
        "INSERT INTO annotation(id, record_id, record_type, blob_id, page, kind, mark, shared, author_id, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (made, *values, tx.now),
    )


def _load(conn: sa.Connection, ids: Sequence[str]) -> dict[str, JsonObject]:
    found: dict[str, JsonObject] = {}
    for start in range(0, len(ids), _CHUNK):
        for row in conn.execute(sa.select(annotation).where(annotation.c.id.in_(ids[start : start + _CHUNK]))):
            at = format_utc(row.created_at)
            found[row.id] = {
                "id": row.id,
                "recordType": row.record_type,
                "recordId": row.record_id,
                "blobId": row.blob_id,
                "page": row.page,
                "kind": row.kind,
                "mark": msgspec.json.decode(row.mark),
                "shared": bool(row.shared),
                "authorId": row.author_id,
                "createdAt": at,
                "updatedAt": at,
            }
    return found
