"""Comment: what people say about a record (docs/protocol.md §4). Seen by whoever sees the record; written once, destroyed by its author."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from server_stub.errors import invalid_properties
from server_stub.modules.engine.alerts import AlertText, do_alert
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import Field, FieldKind, Label
from server_stub.modules.engine.follows import access_target, followers_of
from server_stub.modules.engine.left_by_people import LeftHandler
from server_stub.modules.engine.markup import one_line
from server_stub.modules.engine.scopes import readers_among
from server_stub.modules.engine.tables import comment
from server_stub.modules.engine.titles import title_of
from server_stub.modules.engine.values import Check, WrongValue, check_value
from server_stub.records.actor import Actor
from server_stub.records.creation import object_id
from server_stub.records.store import Record
from server_stub.records.types import JsonObject
from server_stub.records.visibility import companions_of, do_accompany
from server_stub.storage.blobs import do_unrefer
from server_stub.storage.database import Tx

COMMENT: Final = "Comment"
MAX_LENGTH: Final = 5000
MAX_MENTIONS: Final = 50
PREVIEW: Final = 120
_LABEL: Final = Label(zh="评论", en="Comment")
_FIELDS: Final = (
    Field(name="text", kind=FieldKind.LONG_TEXT, label=_LABEL, required=True, max=MAX_LENGTH),
    Field(name="mentions", kind=FieldKind.PERSONS, label=_LABEL, max=MAX_MENTIONS),
    Field(name="attachments", kind=FieldKind.FILES, label=_LABEL, max=20),
)


def do_drop_comments(tx: Tx, record_id: str) -> None:
    """The record is gone; the comments leave their readers with it (they are its companions)."""
    for comment_id, type_name in companions_of(tx.conn, record_id).items():
        if type_name == COMMENT:
            do_unrefer(tx, comment_id, COMMENT)
    tx.raw.execute("DELETE FROM comment WHERE record_id = ?", (record_id,))


class CommentHandler(LeftHandler):
    """The Comment type: whoever reads a record comments on it; nobody changes what was said."""

    properties = frozenset(
        ("id", "recordType", "recordId", "text", "mentions", "attachments", "authorId", "createdAt", "updatedAt")
    )

    def __init__(self, context: OfficeContext) -> None:
        super().__init__(COMMENT, comment, context)

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        record = access_target(
            tx, self._context, actor, obj, {"recordType", "recordId", "text", "mentions", "attachments"}
        )
        if not self._context.types[record.type].comments:
            raise invalid_properties("records of this type are not commented", "recordType")
        said = self._check(tx, obj)
        made = object_id(tx, creation_id)
        for entry in said.get("attachments", ()):
            blob = self._context.blobs.do_refer(tx, entry["blobId"], made, COMMENT, actor)
            entry["size"], entry["type"] = blob.size, blob.type
        extra = msgspec.json.encode({key: value for key, value in said.items() if key != "text"}).decode()
        values = {"id": made, "record_id": record.id, "record_type": record.type, "author_id": actor.person_id}
        self.do_insert(tx, {**values, "text": said["text"], "extra": extra})
        do_accompany(tx, made, COMMENT, record.id)
        self._do_tell(tx, record, actor.person_id, said)
        return self.created(tx, made, obj)

    def says(self, row: Any) -> JsonObject:
        return {"text": row.text, "mentions": [], "attachments": [], **msgspec.json.decode(row.extra)}

    def do_let_go(self, tx: Tx, id_: str) -> None:
        do_unrefer(tx, id_, COMMENT)

    def _check(self, tx: Tx, obj: Mapping[str, Any]) -> dict[str, Any]:
        check = Check(tx.conn, None, self._context.standpoint(tx.now), self._context.types)
        said: dict[str, Any] = {}
        for field in _FIELDS:
            value = obj.get(field.name)
            if value is None and not field.required:
                continue
            try:
                said[field.name] = check_value(check, field, value)
            except WrongValue as problem:
                raise invalid_properties(str(problem), field.name) from None
        return said

    def _do_tell(self, tx: Tx, record: Record, by: str, said: Mapping[str, Any]) -> None:
        """Who is mentioned is told so; the author of the record and its followers hear of a comment."""
        title = title_of(tx.conn, self._context.types, self._context.types[record.type], record.data)
        text = one_line(said["text"], PREVIEW)
        mentioned = readers_among(tx, record.id, said.get("mentions", ())) - {by}
        others = readers_among(tx, record.id, followers_of(tx, record.id) | {record.author_id or ""})
        do_alert(tx, mentioned, AlertText("mention", title, text, False, record.type, record.id))
        do_alert(tx, others - mentioned - {by}, AlertText("comment", title, text, False, record.type, record.id))
