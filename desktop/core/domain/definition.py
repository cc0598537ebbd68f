"""What a module, its types, fields, states, actions, views and reports are: the synced ModuleDefinition (docs/protocol.md §4, docs/modules.md).

The grammar is the server's; this side is tolerant: unknown keys are ignored, a kind this version does not know is drawn as text, an
unknown view as a table. Keys on the wire are camelCase; resources/protocol/module.schema.json holds both sides to one shape.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct

Filter = dict[str, Any]
"""A FilterCondition or FilterOperator of office records; what it means: conditions.py."""

ENVELOPE: Final = ("id", "createdAt", "updatedAt", "authorId", "version")
"""Fields every record has besides those of its type."""


class Label(Struct, frozen=True):
    """Words for people, in both languages."""

    zh: str = ""
    en: str = ""

    def text(self, language: str) -> str:
        """The words in `language` ("zh…", else English), or in the other one where it has none."""
        return (self.zh or self.en) if language.startswith("zh") else (self.en or self.zh)


BOTH: Final = "｜"
"""Between the Chinese and the English of a text that holds both (Field.in_both)."""


def own_words(value: str, language: str) -> str:
    """The part in `language` of a text in both; all of one that was written in one language only."""
    zh, both, en = value.partition(BOTH)
    return Label(zh, en).text(language) if both else value


class _Table(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A table of the definition: unknown keys are ignored, defaults are not written."""


class FieldKind(StrEnum):
    """What a field holds; forms and cells are drawn by it."""

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

    @classmethod
    def _missing_(cls, value: object) -> "FieldKind":
        del value
        return cls.TEXT


class ViewKind(StrEnum):
    """How records are shown; one this version does not know is a table."""

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

    @classmethod
    def _missing_(cls, value: object) -> "ViewKind":
        del value
        return cls.TABLE


class Choice(_Table, frozen=True, kw_only=True):
    """One value of a choice field. color: neutral, accent, green, amber or red."""

    value: str
    label: Label
    color: str = "neutral"


class Field(_Table, frozen=True, kw_only=True):
    """One field of a type.

    Attributes:
        read_only: clients may not write it; actions and rules do.
        computed: never stored; the server adds it when the record is shown.
        formula: [operation, operand…]: formulas.py.
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

    name: str
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
    decimals: int | None = None
    unit: Label | None = None
    plain: bool = False
    in_both: bool = False
    indexed: bool = False
    pattern: str | None = None
    after: str | None = None
    choices: tuple[Choice, ...] = ()
    color: str | None = None
    target: str | None = None
    only: Filter | None = None
    fields: tuple["Field", ...] = ()
    when: Filter | None = None
    see: tuple[str, ...] = ()
    edit: tuple[str, ...] = ()


class Access(_Table, frozen=True, kw_only=True):
    """Who may do what with the records of a type (principals: access.py); an empty list means nobody."""

    read: tuple[str, ...]
    create: tuple[str, ...]
    update: tuple[str, ...]
    destroy: tuple[str, ...]


class State(_Table, frozen=True, kw_only=True):
    """A value of the field `state`. final: nothing is due or waits any more."""

    value: str
    label: Label
    color: str = "neutral"
    final: bool = False


class Action(_Table, frozen=True, kw_only=True):
    """Something people do with a record in some states; the only way in which `state` changes.

    Attributes:
        to: the next state; None: it stays.
        who: who may, whatever `access.update` says.
        requires, asks: fields the person fills in on the way; `requires` must not be empty afterwards.
        sets: what the server writes: values or placeholders.
        when: only for records that match.
    """

    name: str
    label: Label
    from_: tuple[str, ...] = msgspec.field(name="from")
    to: str | None = None
    who: tuple[str, ...]
    requires: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    sets: dict[str, Any] = {}
    when: Filter | None = None
    primary: bool = False
    destructive: bool = False
    icon: str | None = None


class Numbering(_Table, frozen=True, kw_only=True):
    """A number the server gives once, without gaps in a period."""

    field: str
    pattern: str
    period: str
    state: str | None = None


class Booking(_Table, frozen=True, kw_only=True):
    """The record holds a resource for a span while it is in one of `states` (empty: always)."""

    resource: str
    span: str
    states: tuple[str, ...] = ()


class Due(_Table, frozen=True, kw_only=True):
    """A date by which something must be done. amber_days: from then on amber, after the date red. remind_days: alerts so many days before."""

    field: str
    label: Label
    to: tuple[str, ...]
    unless: Filter | None = None
    amber_days: int = 3
    remind_days: tuple[int, ...] = ()


class TodoRule(_Table, frozen=True, kw_only=True):
    """While a record matches `when`, each of `to` has a Todo about it."""

    id: str
    kind: str = "todo"
    label: Label
    to: tuple[str, ...]
    when: Filter
    due: str | None = None


class Section(_Table, frozen=True, kw_only=True):
    """A part of the form. Fields that no section names follow in a last one."""

    label: Label
    fields: tuple[str, ...]


class Link(_Table, frozen=True, kw_only=True):
    """Records of another type whose reference `field` points here: shown with the record."""

    type: str
    field: str
    label: Label


class Paper(_Table, frozen=True, kw_only=True):
    """The printed sheet: a title, rows of fields side by side, then the lines of a `lines` field, then a note. orientation: portrait or landscape."""

    title: Label
    orientation: str = "portrait"
    rows: tuple[tuple[str, ...], ...]
    lines: str | None = None
    note: Label | None = None


class TypeDefinition(_Table, frozen=True, kw_only=True):
    """One record type of a module.

    Attributes:
        title: the fields that name a record in lists, cards and links (titles.py).
        states: values of the field `state`, which the type has when there are any; the first one is that of a new record.
        tracked: its author finds it under "started by me".
        marks: people leave read marks. comments: people may comment.
        unique: sets of fields that no two records share.
        process: id of the process its records go through (cases.py); None: they have none.
    """

    name: str
    label: Label
    help: Label | None = None
    title: tuple[str, ...] = ()
    fields: tuple[Field, ...]
    access: Access
    states: tuple[State, ...] = ()
    actions: tuple[Action, ...] = ()
    numbering: Numbering | None = None
    booking: Booking | None = None
    unique: tuple[tuple[str, ...], ...] = ()
    due: tuple[Due, ...] = ()
    todos: tuple[TodoRule, ...] = ()
    sections: tuple[Section, ...] = ()
    links: tuple[Link, ...] = ()
    paper: Paper | None = None
    tracked: bool = False
    marks: bool = False
    comments: bool = True
    process: str | None = None

    def field(self, name: str) -> Field | None:
        """The field of this name; of `lines.amount` the line's field."""
        head, _, rest = name.partition(".")
        found = next((field for field in self.fields if field.name == head), None)
        if found is None or not rest:
            return found
        return next((field for field in found.fields if field.name == rest), None)

    def state(self, value: object) -> State | None:
        """The state of this value."""
        return next((state for state in self.states if state.value == value), None)

    def action(self, name: str) -> Action | None:
        """The action of this name."""
        return next((action for action in self.actions if action.name == name), None)

    @property
    def final_states(self) -> frozenset[str]:
        """States in which nothing is due any more."""
        return frozenset(state.value for state in self.states if state.final)


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

    id: str
    type: str
    kind: ViewKind
    label: Label
    filter: Filter | None = None
    sort: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    totals: tuple[str, ...] = ()
    labels: dict[str, Label] = {}
    group: str | None = None
    time: str | None = None
    resource: str | None = None
    parent: str | None = None
    register: str | None = None
    reports: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


class Measure(_Table, frozen=True, kw_only=True):
    """A figure of a report: `op` (count, sum, average, min, max) over `field`; `per`: divided by the sum of that field."""

    label: Label
    op: str
    field: str | None = None
    per: str | None = None


class Report(_Table, frozen=True, kw_only=True):
    """Records in groups with figures. group: fields, `month:field`, `year:field`, `week:field`, `day:field`; chart: bar, line, pie or none."""

    id: str
    type: str
    label: Label
    group: tuple[str, ...]
    measures: tuple[Measure, ...]
    filter: Filter | None = None
    chart: str = "bar"


class ModuleDefinition(_Table, frozen=True, kw_only=True):
    """One office module as the client knows it. group: official, personal or extended; `icon` names a glyph of the icon family."""

    id: str
    group: str
    label: Label
    help: Label | None = None
    icon: str
    order: int
    needs: tuple[str, ...] = ()
    types: tuple[TypeDefinition, ...]
    views: tuple[View, ...] = ()
    reports: tuple[Report, ...] = ()

    def type(self, name: str) -> TypeDefinition | None:
        """The type of this name."""
        return next((one for one in self.types if one.name == name), None)

    def view(self, view_id: str) -> View | None:
        """The view of this id."""
        return next((one for one in self.views if one.id == view_id), None)

    def report(self, report_id: str) -> Report | None:
        """The report of this id."""
        return next((one for one in self.reports if one.id == report_id), None)

    def views_for(self, roles: frozenset[str]) -> Iterator[View]:
        """The tabs of somebody with these roles."""
        return (view for view in self.views if not view.roles or roles.intersection(view.roles))
