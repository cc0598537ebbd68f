"""The grammar of a module.toml: what a module, its types, fields, states, actions, views and reports say. Frozen values, one struct for each table.

The same grammar is the synced ModuleDefinition object (docs/protocol.md §4): keys are equal in the file and on the wire. The JSON schema of it is
resources/protocol/module.schema.json, made from these structs; server and client each have theirs and a contract test holds both to that file.
Knows shapes only: files are read in loader.py, what must fit together is checked in soundness.py, what a value may be in fields.py.
"""

from collections.abc import Sequence
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from server_stub.modules.engine.saying import after

Text = Annotated[str, Meta(min_length=1, max_length=500, description="1 to 500 characters", extra={"code": "aText"})]
ModuleId = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_]{1,39}$",
        description="2 to 40 lower-case letters, digits and _",
        extra={"code": "aModuleId"},
    ),
]
TypeName = Annotated[
    str,
    Meta(pattern=r"^[A-Z][A-Za-z0-9]{1,59}$", description="a type's name in PascalCase", extra={"code": "aTypeName"}),
]
FieldName = Annotated[
    str,
    Meta(pattern=r"^[a-z][A-Za-z0-9]{0,59}$", description="a field's name in camelCase", extra={"code": "aFieldName"}),
]
FieldPath = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][A-Za-z0-9]{0,59}(\.[a-z][A-Za-z0-9]{0,59})?$",
        description="a field, or lines.field",
        extra={"code": "aFieldPath"},
    ),
]
Word = Annotated[
    str,
    Meta(pattern=r"^[a-z][A-Za-z0-9-]{0,59}$", description="a word such as inUse or in-use", extra={"code": "aWord"}),
]
Role = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9-]{0,39}$", description="a role such as fleet-manager", extra={"code": "aRole"})
]
ProcessId = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z_][\w.-]{0,99}$",
        description="the id of a process, as in its BPMN file",
        extra={"code": "aProcessId"},
    ),
]
Icon = Annotated[
    str,
    Meta(
        pattern=r"^ph\.[a-z][a-z0-9-]*$", description="a Phosphor icon such as ph.megaphone", extra={"code": "anIcon"}
    ),
]
Principal = Annotated[
    str,
    Meta(
        pattern=r"^(everyone|author|superior|audience|department|handler|participant|role:[a-z][a-z0-9-]{0,39}"
        r"|(field|head|superior):[a-z][A-Za-z0-9]{0,59}(\.[a-z][A-Za-z0-9]{0,59})?)(@[a-z][A-Za-z0-9|-]*)?$",
        description="everyone, author, superior, audience, department, handler, participant, role:<r>, field:<f>, head:<f>, superior:<f>,"
        " perhaps with @<state>|<state>",
        extra={"code": "aPrincipal"},
    ),
]
"""Somebody, seen from a record. `field:driverId` the people in that field; `field:vehicleId.driverId` those in a field of the record referred to;
`head:departmentId` the heads of those departments; `superior` the author's superior, `superior:ownerId` those of the people in that field.
Of a record with a case: `handler` who has it now, `participant` who started it, ever had it or was shown it (and the handlers).
`@draft|returned` at the end: only while the record is in one of these states."""

Filter = dict[str, Any]
"""A FilterCondition or FilterOperator (RFC 8620 §5.5) of office records: `field: value` equal, or contained where the record holds a list; `field: [a, b]`
one of them; `field: null` empty; `<field>Before`, `<field>After` (>=); `text` quick search; `operator` AND, OR, NOT with `conditions`.
Values may be placeholders: @me, @myDepartments, @today, @now, @today+30d, @today-1m (d, w, m, y)."""

Color = Literal["neutral", "accent", "green", "amber", "red"]
HANDLERS: Final = "handlerIds"
PARTICIPANTS: Final = "participantIds"
RESERVED: Final = frozenset(
    {"id", "createdAt", "updatedAt", "authorId", "version", "text", "operator", "conditions", HANDLERS, PARTICIPANTS}
)
"""Names that no field of a file has: the envelope, what means something else in a filter, what the process writes."""
LANGUAGES: Final = ("zh", "en")
NOBODY: Final = "role:nobody"
"""Alone in a field's `see`: an administrator hid the field (overlays.py). It stays stored and is not on the wire."""


BOTH: Final = "｜"
"""Between the Chinese and the English of a text that holds both (Field.in_both)."""


class DefinitionError(Exception):
    """A module folder that cannot be used. `problems`: one sentence each, with the place it is about."""

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        super().__init__(f"{source}: " + "; ".join(problems))
        self.source = source
        self.problems = tuple(problems)

    def sentences(self) -> list[str]:
        """The problems, each with the file it is in."""
        return [one if "/" in one.partition(":")[0] else after(f"{self.source}: ", one) for one in self.problems]


class Label(Struct, frozen=True, forbid_unknown_fields=True):
    """Words for people, in both languages."""

    zh: Text
    en: Text


class _Table(Struct, frozen=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """A table of the file: unknown keys are mistakes, defaults are not written."""


class FieldKind(StrEnum):
    """What a field holds; forms and cells are drawn by it. Wire shapes: docs/modules.md."""

    TEXT = "text"
    LONG_TEXT = "longText"
    RICH_TEXT = "richText"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    DATETIME = "datetime"
    SPAN = "span"
    BOOL = "bool"
    CHOICE = "choice"
    MULTI_CHOICE = "multiChoice"
    PERSON = "person"
    PERSONS = "persons"
    DEPARTMENT = "department"
    DEPARTMENTS = "departments"
    AUDIENCE = "audience"
    REFERENCE = "reference"
    REFERENCES = "references"
    FILES = "files"
    BLOB = "blob"
    OBJECT = "object"
    LINES = "lines"


CHOICE_KINDS: Final = frozenset({FieldKind.CHOICE, FieldKind.MULTI_CHOICE})
NESTED_KINDS: Final = frozenset({FieldKind.OBJECT, FieldKind.LINES})
REFERENCE_KINDS: Final = frozenset({FieldKind.REFERENCE, FieldKind.REFERENCES})


class Choice(_Table, frozen=True, kw_only=True):
    """One value of a choice field."""

    value: Word
    label: Label
    color: Color = "neutral"


class Field(_Table, frozen=True, kw_only=True):
    """One field of a type.

    Attributes:
        read_only: clients may not write it; actions and rules do.
        computed: never stored; rules add it when the record is shown.
        formula: the server computes and stores it: [operation, operand…], operands are fields, `lines.field`, or numbers (formulas.py).
        immutable: only set at creation. unique: no two records of the type have the same value.
        default: a value or a placeholder.
        min, max: of a number's or money's value, of a text's characters, of a list's entries.
        decimals, unit: of a number; money has two decimals.
        pattern: a text must match it whole. after: a date, datetime or span that must not come before that field's.
        color: of a bool, the tone of yes: green where it is good, amber or red where it is not.
        target: type of a reference; only: which of its records may be chosen.
        fields: of an object or of each line.
        plain: of a number: it is shown as it is, without a separator of thousands (years).
        in_both: of a text: it holds the words in Chinese and in English, apart by ｜; each reader is shown his own.
        indexed: rules find records by it; inside lines too.
        when: shown, asked and stored only while the record matches.
        see, edit: who is shown it, who may change it; empty: every reader, whoever may update the record.
    """

    name: FieldName
    kind: FieldKind
    label: Label
    help: Label | None = None
    required: bool = False
    read_only: bool = False
    computed: bool = False
    formula: tuple[str | int | float, ...] = ()
    immutable: bool = False
    unique: bool = False
    default: Any = None
    min: int | float | None = None
    max: int | float | None = None
    decimals: Annotated[int, Meta(ge=0, le=6)] | None = None
    unit: Label | None = None
    plain: bool = False
    in_both: bool = False
    indexed: bool = False
    pattern: str | None = None
    after: FieldName | None = None
    choices: tuple[Choice, ...] = ()
    color: Color | None = None
    target: TypeName | None = None
    only: Filter | None = None
    fields: tuple["Field", ...] = ()
    when: Filter | None = None
    see: tuple[Principal, ...] = ()
    edit: tuple[Principal, ...] = ()


class Access(_Table, frozen=True, kw_only=True):
    """Who may do what with the records of a type; an empty list means nobody."""

    read: tuple[Principal, ...]
    create: tuple[Principal, ...]
    update: tuple[Principal, ...]
    destroy: tuple[Principal, ...]


class State(_Table, frozen=True, kw_only=True):
    """A value of the field `state`. final: nothing is due or waits any more."""

    value: Word
    label: Label
    color: Color = "neutral"
    final: bool = False


class Action(_Table, frozen=True, kw_only=True):
    """Something people do with a record in some states; the only way in which `state` changes. On the wire an ordinary update.

    Attributes:
        to: the next state; None: it stays.
        who: who may, whatever `access.update` says; empty: nobody, a step of the module's own rules.
        requires, asks: fields the person fills in on the way; `requires` must not be empty afterwards.
        sets: what the server writes: values or placeholders.
        when: only for records that match.
    """

    name: Word
    label: Label
    from_: tuple[Word, ...] = msgspec.field(name="from")
    to: Word | None = None
    who: tuple[Principal, ...]
    requires: tuple[FieldName, ...] = ()
    asks: tuple[FieldName, ...] = ()
    sets: dict[str, Any] = {}
    when: Filter | None = None
    primary: bool = False
    destructive: bool = False
    icon: Icon | None = None


class Numbering(_Table, frozen=True, kw_only=True):
    """A number given once, without gaps in a period: {yyyy} {yy} {MM} {dd} {n} or {n:03}. state: given when that is reached; None: at creation."""

    field: FieldName
    pattern: Text
    period: Literal["day", "month", "year", "never"]
    state: Word | None = None


class Booking(_Table, frozen=True, kw_only=True):
    """The record holds a resource for a span while it is in one of `states` (empty: always).

    Holds of one resource never overlap, whatever their types; touching is fine.
    """

    resource: FieldName
    span: FieldName
    states: tuple[Word, ...] = ()


class Due(_Table, frozen=True, kw_only=True):
    """A date by which something must be done. amber_days: from then on amber, after the date red. remind_days: alerts so many days before."""

    field: FieldName
    label: Label
    to: tuple[Principal, ...]
    unless: Filter | None = None
    amber_days: int = 3
    remind_days: tuple[int, ...] = ()


class TodoRule(_Table, frozen=True, kw_only=True):
    """While a record matches `when`, each of `to` has a Todo about it; it is done when the record matches no more. due: a date field."""

    id: Word
    kind: Literal["todo", "toRead"] = "todo"
    label: Label
    to: tuple[Principal, ...]
    when: Filter
    due: FieldName | None = None


class Section(_Table, frozen=True, kw_only=True):
    """A part of the form. Fields that no section names follow in a last one."""

    label: Label
    fields: tuple[FieldName, ...]


class Link(_Table, frozen=True, kw_only=True):
    """Records of another type whose reference `field` points here: shown with the record."""

    type: TypeName
    field: FieldName
    label: Label


class Paper(_Table, frozen=True, kw_only=True):
    """The printed sheet: a title, rows of fields side by side, then the lines of a `lines` field, then a note."""

    title: Label
    orientation: Literal["portrait", "landscape"] = "portrait"
    rows: tuple[tuple[FieldName, ...], ...]
    lines: FieldName | None = None
    note: Label | None = None


class TypeDefinition(_Table, frozen=True, kw_only=True, dict=True):
    """One record type of a module.

    Attributes:
        title: the fields that name a record in lists, cards and links, joined by " · "; empty: the first text.
        states: values of the field `state`, which the type has when there are any; the first one is that of a new record.
        tracked: its author finds it under "started by me".
        marks: people leave read marks. comments: people may comment.
        unique: sets of fields that no two records share.
        process: the id of the process its records pass through: a *.bpmn of the module's folder, or one an administrator publishes. Such a type has
            the fields `handlerIds` and `participantIds`, which the process keeps.
        rules: the name of the class in rules.py (not on the wire).
    """

    name: TypeName
    label: Label
    help: Label | None = None
    title: tuple[FieldName, ...] = ()
    fields: tuple[Field, ...]
    access: Access
    states: tuple[State, ...] = ()
    actions: tuple[Action, ...] = ()
    numbering: Numbering | None = None
    booking: Booking | None = None
    unique: tuple[tuple[FieldName, ...], ...] = ()
    due: tuple[Due, ...] = ()
    todos: tuple[TodoRule, ...] = ()
    sections: tuple[Section, ...] = ()
    links: tuple[Link, ...] = ()
    paper: Paper | None = None
    tracked: bool = False
    marks: bool = False
    comments: bool = True
    process: ProcessId | None = None
    rules: str | None = None

    @cached_property
    def every_field(self) -> tuple[Field, ...]:
        """The fields of a stored record: those of the file, before them `state` where there are states, after them what a process keeps."""
        fields = (state_field(self.states), *self.fields) if self.states else self.fields
        return fields if self.process is None else (*fields, *PROCESS_FIELDS)

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {one.name: one for one in self.every_field}

    def field(self, name: str) -> Field | None:
        """The field of this name (`state` too), None when there is none."""
        return self._by_name.get(name)

    def state(self, value: str | None) -> State | None:
        """The state of this value, None when there is none."""
        return next((one for one in self.states if one.value == value), None)


def state_field(states: tuple[State, ...]) -> Field:
    """The field `state` of a type with these states. Not read-only: actions write it through ordinary updates."""
    choices = tuple(Choice(value=one.value, label=one.label, color=one.color) for one in states)
    return Field(
        name="state",
        kind=FieldKind.CHOICE,
        label=Label(zh="状态", en="State"),
        required=True,
        default=states[0].value,
        choices=choices,
    )


PROCESS_FIELDS: Final = (
    Field(name=HANDLERS, kind=FieldKind.PERSONS, label=Label(zh="当前办理人", en="Handled by"), read_only=True),
    Field(name=PARTICIPANTS, kind=FieldKind.PERSONS, label=Label(zh="经办人", en="Taken part"), read_only=True),
)
"""Of every type with a process: who has an open piece of work now, and everybody who started it, ever had it, or was shown it."""


class ViewKind(StrEnum):
    """How records are shown."""

    TABLE = "table"
    CALENDAR = "calendar"
    TIMELINE = "timeline"
    BOARD = "board"
    TREE = "tree"
    FEED = "feed"
    READER = "reader"
    CHART = "chart"
    FORM = "form"
    DESK = "desk"


class View(_Table, frozen=True, kw_only=True):
    """A tab of the module's page.

    Attributes:
        sort: fields, the first one counts first; `-field` descending.
        columns: of a table, feed or tree row, of a board's card; totals: summed columns.
        labels: what fields are called in this view where their own name does not fit, `authorId` too.
        group: a table's or board's field.
        time: the field that places a record on a calendar or timeline (date, datetime or span).
        resource: a timeline's reference field: one row for each record of its target.
        parent: a tree's reference field to its own type.
        register: of a table: it is a register, and printed by the year of this date.
        reports: ids, of a chart.
        types: of a desk: all types whose cases stand on it; empty: `type` alone. Its `columns` are the second line of a row, `group` its chip.
        roles: who has this tab; empty: everyone.
    """

    id: Word
    type: TypeName
    kind: ViewKind
    label: Label
    filter: Filter | None = None
    sort: tuple[str, ...] = ()
    columns: tuple[FieldName, ...] = ()
    totals: tuple[FieldName, ...] = ()
    labels: dict[FieldName, Label] = {}
    group: FieldName | None = None
    time: FieldName | None = None
    resource: FieldName | None = None
    parent: FieldName | None = None
    register: FieldName | None = None
    reports: tuple[Word, ...] = ()
    types: tuple[TypeName, ...] = ()
    roles: tuple[Role, ...] = ()


class Measure(_Table, frozen=True, kw_only=True):
    """A figure of a report: `op` over `field`; `per`: divided by the sum of that field."""

    label: Label
    op: Literal["count", "sum", "average", "min", "max"]
    field: FieldName | None = None
    per: FieldName | None = None


class Report(_Table, frozen=True, kw_only=True):
    """Records in groups with figures. group: fields, `month:field`, `year:field`, `week:field`, `day:field`; span: over how long by default."""

    id: Word
    type: TypeName
    label: Label
    group: tuple[Annotated[str, Meta(pattern=r"^((day|week|month|year):)?[a-z][A-Za-z0-9]{0,59}$")], ...]
    measures: tuple[Measure, ...]
    filter: Filter | None = None
    chart: Literal["bar", "line", "pie", "none"] = "bar"


class Migration(_Table, frozen=True, kw_only=True):
    """What becomes of stored data when the definition changes (not on the wire). Exactly one of rename, drop, values, fill is given.

    Attributes:
        type: of the records; one that is gone, for `drop` without a field, which destroys its records.
        field: as it was called before; `state` too; `lines.x` a field of lines or of an object.
        rename: its name now. drop: its values go. values: old choice or state → the one now.
        fill: the value for records that have none, or one that does not fit any more.
    """

    type: TypeName
    field: FieldPath | None = None
    rename: FieldName | None = None
    drop: bool = False
    values: dict[str, str] = {}
    fill: Any = None


class ModuleDefinition(_Table, frozen=True, kw_only=True):
    """One office module.

    Attributes:
        kind_rules: the class in rules.py of types with a process that an administrator makes in this module (not on the wire).
        kind_choices: `Type.field` of choice fields that get a choice for each such type, called as it is (not on the wire).
    """

    id: ModuleId
    group: Literal["official", "personal", "extended"]
    label: Label
    help: Label | None = None
    icon: Icon
    order: int
    needs: tuple[ModuleId, ...] = ()
    types: Annotated[tuple[TypeDefinition, ...], Meta(min_length=1)]
    views: tuple[View, ...] = ()
    reports: tuple[Report, ...] = ()
    migrations: tuple[Migration, ...] = ()
    kind_rules: str | None = None
    kind_choices: tuple[str, ...] = ()

    def type(self, name: str) -> TypeDefinition | None:
        """The type of this name, None when the module has none."""
        return next((one for one in self.types if one.name == name), None)

    def to_object(self) -> dict[str, Any]:
        """The ModuleDefinition of the wire, without its id: everything but the names of rules and the migrations."""
        types = tuple(
            msgspec.structs.replace(
                one, rules=None, fields=tuple(field for field in one.fields if field.see != (NOBODY,))
            )
            for one in self.types
        )
        shown = msgspec.structs.replace(self, types=types, migrations=(), kind_rules=None, kind_choices=())
        made: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(shown))
        del made["id"]
        return made
