"""Office records of any type as the screens see them, and what belongs to them: comments, history, to-dos, dues, conflicts. Times in ms since 1970."""

from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct

from desktop.core.clock import utc_date
from desktop.core.domain.chat_parts import Attachment
from desktop.core.domain.definition import Due, Filter


class Record(Struct, frozen=True, omit_defaults=True):
    """One record of any office type.

    Attributes:
        data: the fields of its type in wire values, without the envelope; absent means empty.
        version: the server's count of changes, which an update names; 0: it has none yet.
        pending: edits of the outbox are laid over it.
        refusal: the code of an edit of it that the server refused; what is shown is the server's version, or the refused new record itself.
    """

    id: str
    type: str
    data: dict[str, Any] = {}
    author_id: str | None = None
    created_at: int = 0
    updated_at: int = 0
    version: int = 0
    pending: bool = False
    refusal: str | None = None

    def get(self, field: str) -> Any:
        """A field's value, the envelope's included (times in ms); None where it is empty."""
        match field:
            case "id":
                return self.id
            case "authorId":
                return self.author_id
            case "createdAt":
                return self.created_at
            case "updatedAt":
                return self.updated_at
            case "version":
                return self.version
            case _:
                return self.data.get(field)


def wire_of(record: Record) -> dict[str, Any]:
    """The record as it stands on the wire, the envelope included: what filters ask."""
    found: dict[str, Any] = {"id": record.id}
    if record.created_at:
        found["createdAt"] = utc_date(record.created_at)
    if record.updated_at:
        found["updatedAt"] = utc_date(record.updated_at)
    if record.author_id is not None:
        found["authorId"] = record.author_id
    return {**found, "version": record.version, **record.data}


class During(Struct, frozen=True):
    """A time [start, end) in ms that a field's span or instant touches. What conditions cannot say: they know the start of a span only."""

    field: str
    start: int
    end: int


class RecordQuery(Struct, frozen=True):
    """Which records of a type, in which order. `filter` as in conditions.py, `text` quick search, `sort` fields with `-` for descending (empties last).

    limit: how many at most; None: all.
    """

    type_name: str
    filter: Filter | None = None
    text: str = ""
    sort: tuple[str, ...] = ()
    offset: int = 0
    limit: int | None = 200
    during: During | None = None


class RecordPage(Struct, frozen=True):
    """A part of the records that match; `total` counts all of them."""

    records: tuple[Record, ...]
    total: int


class Placed(Struct, frozen=True, gc=False):
    """Where a record stands among those that match: its id, and the value of one field (a list as a tuple of texts; None: empty)."""

    id: str
    value: str | int | float | bool | tuple[str, ...] | None


class Figure(Struct, frozen=True):
    """A field's numbers over some records: how many hold one, their exact sum, the least and the greatest."""

    count: int = 0
    total: Decimal = Decimal(0)
    low: Decimal | None = None
    high: Decimal | None = None


class FigureGroup(Struct, frozen=True):
    """Records that share the values of some fields. `keys` as `Placed.value`; of a time the local day, month or year ("2026-10-22", "2026-10", "2026")."""

    keys: tuple[str | int | float | bool | tuple[str, ...] | None, ...]
    count: int
    figures: dict[str, Figure] = {}


class GroupSummary(Struct, frozen=True):
    """Records that share a value of a field: how many, and sums by field (numbers; money as exact text)."""

    value: Any
    count: int
    sums: dict[str, str] = {}


class Comment(Struct, frozen=True, rename="camel"):
    """What somebody said of a record. `pending`: on its way; `refusal`: why the server would not have it."""

    id: str
    record_id: str
    record_type: str = ""
    text: str = ""
    mentions: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    author_id: str | None = None
    created_at: int = 0
    updated_at: int = 0
    pending: bool = False
    refusal: str | None = None


class Follow(Struct, frozen=True, rename="camel"):
    """That this user follows a record."""

    id: str
    record_id: str
    record_type: str = ""
    person_id: str = ""


class FieldChange(Struct, frozen=True):
    """One field of one change; wire values, None: empty."""

    field: str
    old: Any = None
    new: Any = None


class RecordChange(Struct, frozen=True, rename="camel"):
    """One entry of a record's history. `person_id` None: the office itself."""

    id: str
    record_id: str
    record_type: str = ""
    at: int = 0
    person_id: str | None = None
    changes: tuple[FieldChange, ...] = ()


class TodoKind(StrEnum):
    """todo: something to be done; toRead: something to be read."""

    TODO = "todo"
    TO_READ = "toRead"

    @classmethod
    def _missing_(cls, value: object) -> "TodoKind":
        del value
        return cls.TODO


class Todo(Struct, frozen=True, rename="camel"):
    """Something that waits for this user. `due_at` in ms; where the date has no time, the end of that day here. state: open or done."""

    id: str
    record_id: str
    record_type: str = ""
    module: str = ""
    rule: str = ""
    kind: TodoKind = TodoKind.TODO
    person_id: str = ""
    title: str = ""
    due_at: int | None = None
    state: str = "open"
    created_at: int = 0
    done_at: int | None = None


class Light(StrEnum):
    """How near a date is: green far, amber soon, red over."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class DueItem(Struct, frozen=True):
    """A record with a date by which something must be done. `due` says which (label, field); `at_ms`: when it is over (a date: the end of that day)."""

    record: Record
    due: Due
    at_ms: int
    light: Light
    title: str = ""
    module: str = ""


class AgendaItem(Struct, frozen=True):
    """A record that takes time of a day. Times in ms; `all_day` where the record names a date only."""

    record: Record
    title: str
    start: int
    end: int
    module: str = ""
    all_day: bool = False


class Conflict(Struct, frozen=True):
    """An edit the server refused because somebody was faster.

    Attributes:
        mine: what the user wrote, by field. theirs: the record as it is now (None: gone). fields: where both changed.
        code: conflict or overlap; with overlap `holds` tells who has the resource then and `free` which ones are free.
    """

    edit_id: str
    type: str
    id: str
    mine: dict[str, Any]
    theirs: Record | None
    fields: tuple[str, ...]
    code: str = "conflict"
    holds: tuple["Hold", ...] = ()
    free: tuple[str, ...] = ()


class Hold(Struct, frozen=True, rename="camel"):
    """A record that holds a resource for a span (wire value {"start", "end"})."""

    type: str = ""
    id: str = ""
    title: str = ""
    span: dict[str, str] = {}
    author_id: str | None = None


class RowError(Struct, frozen=True):
    """What is wrong with one row of an import."""

    properties: tuple[str, ...]
    code: str
    text: str = ""


class ImportResult(Struct, frozen=True):
    """What an import did, or a dry run would do: errors by row index, how many records were made (0 while there are errors, and in a dry run)."""

    errors: dict[int, tuple[RowError, ...]] = msgspec.field(default_factory=dict)
    created: int = 0
