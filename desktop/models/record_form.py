"""What a form knows of a record being written: values, which fields stand in it now, formulas, what is wrong, what is sent, what a draft keeps.

No Qt and no words: a Problem is a code with figures, the form says it. The server checks everything again and decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from desktop.core.clock import utc_date
from desktop.core.domain.conditions import BadFilter, Facts, is_empty, matches, resolve, today
from desktop.core.domain.definition import Field, FieldKind, Label, TypeDefinition
from desktop.core.domain.formulas import with_formulas
from desktop.core.domain.records import Record
from desktop.models.record_values import moment_of, span_of

TEXTS: Final = frozenset({FieldKind.TEXT, FieldKind.LONG_TEXT})
NUMBERS: Final = frozenset({FieldKind.NUMBER, FieldKind.MONEY})
LISTS: Final = frozenset(
    {
        FieldKind.MULTI_CHOICE,
        FieldKind.PERSONS,
        FieldKind.DEPARTMENTS,
        FieldKind.REFERENCES,
        FieldKind.FILES,
        FieldKind.LINES,
    }
)
TIMES: Final = frozenset({FieldKind.DATE, FieldKind.DATETIME, FieldKind.SPAN})
"""Kinds by what `min`, `max` and `after` mean for them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a field: a code (office_record.problem.<code>), its figures; for lines also the row (from 0) and the line's field."""

    code: str
    figures: dict[str, Any] = field(default_factory=dict)
    row: int | None = None
    inner: Field | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the form; label None for the fields that no section names."""

    label: Label | None
    fields: tuple[Field, ...]


def zone_minutes(ms: int) -> int:
    """Minutes the machine's local time is ahead of UTC at a moment."""
    offset = datetime.fromtimestamp(ms / 1000).astimezone().utcoffset()
    return 0 if offset is None else round(offset.total_seconds() / 60)


def parts_of(definition: TypeDefinition) -> tuple[Part, ...]:
    """The sections with their fields, then the fields that no section names."""
    named = {name for section in definition.sections for name in section.fields}
    found = [
        Part(section.label, tuple(one for name in section.fields if (one := definition.field(name)) is not None))
        for section in definition.sections
    ]
    rest = tuple(one for one in definition.fields if one.name not in named)
    return tuple([*found, *([Part(None, rest)] if rest else [])])


def is_written(one: Field) -> bool:
    """Whether people fill the field in at all."""
    return not (one.read_only or one.computed or one.formula)


class FormState:
    """One record being written. `editable` says which fields this user may change; the rest is shown as it is.

    Args:
        record: the record that is changed; None for a new one.
        prefill: values a new record starts with, before the defaults.
        only: for an action's small form: these fields and no others, also those whose `when` is only met by what the action does.
        heeds_when: of `only` those whose `when` is met.
    """

    def __init__(
        self,
        definition: TypeDefinition,
        facts: Facts,
        *,
        record: Record | None = None,
        prefill: Mapping[str, Any] | None = None,
        editable: Callable[[Field], bool] = lambda _field: True,
        only: Sequence[str] | None = None,
        required: Sequence[str] = (),
        heeds_when: bool = False,
    ) -> None:
        self.definition, self.record = definition, record
        self._facts, self._editable = facts, editable
        self._only, self._required, self._heeds_when = only, frozenset(required), heeds_when
        self.start = dict(record.data) if record is not None else self._first_values(prefill or {})
        if prefill and record is not None:
            self.values = {**self.start, **prefill}
        else:
            self.values = dict(self.start)
        self._compute()
        if record is None:
            self.start = dict(self.values)

    def _first_values(self, prefill: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.definition.states:
            found["state"] = self.definition.states[0].value
        for one in self.definition.fields:
            value = prefill.get(one.name, self.resolved(one, one.default))
            if value is not None:
                found[one.name] = value
        return found

    def resolved(self, one: Field, value: Any) -> Any:
        """A default with its placeholder put in; None where that can't be."""
        if isinstance(value, list):
            return self._resolved_list(one, value)
        if not isinstance(value, str) or not value.startswith("@"):
            return value
        match value:
            case "@me":
                return [self._facts.me] if one.kind is FieldKind.PERSONS else self._facts.me
            case "@myDepartments":
                first = next(iter(self._facts.departments), None)
                return list(self._facts.departments) if one.kind is FieldKind.DEPARTMENTS else first
            case "@now":
                return utc_date(self._facts.now_ms)
        try:
            day = today(self._facts, value)
        except BadFilter:
            return None
        return day if one.kind is FieldKind.DATE else utc_date(moment_of(day) or self._facts.now_ms)

    def _resolved_list(self, one: Field, values: list[Any]) -> list[Any] | None:
        """["@me"] is this user; a placeholder that stands for several puts in all of them."""
        found = [self.resolved(one, value) for value in values]
        flat = [part for value in found for part in (value if isinstance(value, list) else [value])]
        return [part for number, part in enumerate(flat) if part is not None and part not in flat[:number]] or None

    # ---- values
    def set(self, name: str, value: Any) -> frozenset[str]:
        """Takes a value. Answers the other fields whose values changed with it: formulas."""
        if is_empty(value):
            self.values.pop(name, None)
        else:
            self.values[name] = value
        before = {one.name: self.values.get(one.name) for one in self._computed()}
        self._compute()
        return frozenset(key for key, old in before.items() if self.values.get(key) != old)

    def _computed(self) -> Iterator[Field]:
        return (one for one in self.definition.fields if one.formula or one.kind is FieldKind.LINES)

    def _compute(self) -> None:
        self.values = with_formulas(self.definition.fields, self.values)

    # ---- which fields
    def stands(self, one: Field) -> bool:
        """Whether the field is in the form now: its `when` is met, and there is something to write or to see."""
        if self._only is not None:
            asked = not self._heeds_when or self.fits(one)
            return one.name in self._only and asked
        if not self.fits(one):
            return False
        if is_written(one):
            return self.writable(one) or not is_empty(self.values.get(one.name))
        return bool(one.formula) or not is_empty(self.values.get(one.name))

    def fits(self, one: Field) -> bool:
        """Whether the field's `when` is met by what is written so far."""
        if one.when is None:
            return True
        try:
            return matches(resolve(one.when, self._facts), self.values)
        except BadFilter:
            return True  # a condition of a newer version: better asked than lost

    def writable(self, one: Field) -> bool:
        """Whether this user may change the field here."""
        if self._only is not None:
            return one.name in self._only
        if not is_written(one) or (one.immutable and self.record is not None):
            return False
        return self._editable(one)

    def parts(self) -> tuple[Part, ...]:
        """The sections with the fields that stand in the form now."""
        if self._only is not None:
            return (Part(None, tuple(f for name in self._only if (f := self.definition.field(name)) is not None)),)
        found = (Part(p.label, tuple(f for f in p.fields if self.stands(f))) for p in parts_of(self.definition))
        return tuple(part for part in found if part.fields)

    def is_required(self, one: Field) -> bool:
        """Whether it must not be empty."""
        return one.required or one.name in self._required

    # ---- what is wrong
    def problems(self, raws: Mapping[str, str] | None = None) -> dict[str, Problem]:
        """Field → what is wrong. `raws`: texts that are no values."""
        unread = raws or {}
        found: dict[str, Problem] = {}
        for part in self.parts():
            for one in part.fields:
                if not self.writable(one) or not self.stands(one):
                    continue
                if one.name in unread:
                    found[one.name] = Problem("unreadable")
                    continue
                problem = self._problem(one)
                if problem is not None:
                    found[one.name] = problem
        return found

    def _problem(self, one: Field) -> Problem | None:
        value = self.values.get(one.name)
        if is_empty(value):
            return Problem("required") if self.is_required(one) else None
        return value_problem(one, value, self.values)

    # ---- what is sent
    @property
    def changed(self) -> frozenset[str]:
        """Fields people fill in whose value is not what it was."""
        return frozenset(
            one.name
            for one in self.definition.fields
            if is_written(one) and not _same(one, self.values.get(one.name), self.start.get(one.name))
        )

    def data(self) -> dict[str, Any]:
        """What a new record is created with: every field that stands, is filled and may be written."""
        return {
            one.name: cleaned(one, self.values[one.name])
            for part in self.parts()
            for one in part.fields
            if self.writable(one) and not is_empty(self.values.get(one.name))
        }

    def patch(self) -> dict[str, Any]:
        """What an update changes; None empties a field."""
        names = {f.name for part in self.parts() for f in part.fields if self.writable(f) and self.stands(f)}
        found: dict[str, Any] = {}
        for name in sorted(self.changed & names):
            one = self.definition.field(name)
            value = self.values.get(name)
            found[name] = None if one is None or is_empty(value) else cleaned(one, value)
        return found

    def rebase(self, record: Record) -> frozenset[str]:
        """The record changed elsewhere while it is written here: what was not touched follows. Answers the fields that both changed."""
        mine = self.changed
        clashes = {
            name
            for name in mine
            if (one := self.definition.field(name)) is not None
            and not _same(one, record.data.get(name), self.start.get(name))
            and not _same(one, record.data.get(name), self.values.get(name))
        }
        written = {name: self.values.get(name) for name in mine}
        self.record, self.start = record, dict(record.data)
        self.values = {**self.start, **{k: v for k, v in written.items() if not is_empty(v)}}
        for name in (name for name, value in written.items() if is_empty(value)):
            self.values.pop(name, None)
        self._compute()
        return frozenset(clashes)

    # ---- the draft
    def draft(self, raws: Mapping[str, str]) -> dict[str, Any]:
        """What is kept of it on this device: values that changed and what they were before, texts that are no values yet."""
        changed = sorted(self.changed)
        values = {name: self.values.get(name) for name in changed}
        base = {name: self.start.get(name) for name in changed} if self.record is not None else {}
        return {"values": values, "base": base, "raws": dict(raws)}

    def outdated(self, draft: Mapping[str, Any]) -> frozenset[str]:
        """Fields of a draft whose value in the record is not what it was when the draft was written."""
        base = draft.get("base")
        if self.record is None or not isinstance(base, dict):
            return frozenset()
        known = ((name, self.definition.field(name)) for name in base)
        return frozenset(n for n, one in known if one is not None and not _same(one, self.start.get(n), base[n]))

    def restore(self, draft: Mapping[str, Any]) -> tuple[frozenset[str], dict[str, str]]:
        """Takes a draft back. Answers the fields it set, and the texts that are no values."""
        values, raws = draft.get("values"), draft.get("raws")
        known = {one.name: one for one in self.definition.fields if is_written(one)}
        taken = {name: value for name, value in values.items() if name in known} if isinstance(values, dict) else {}
        for name, value in taken.items():
            self.set(name, value)
        texts = {k: v for k, v in raws.items() if k in known and isinstance(v, str)} if isinstance(raws, dict) else {}
        return frozenset(taken), texts


def _same(one: Field, value: Any, other: Any) -> bool:
    """Formulas inside of lines are not what anybody wrote."""
    mine, theirs = cleaned(one, value), cleaned(one, other)
    return (is_empty(mine) and is_empty(theirs)) or bool(mine == theirs)


def cleaned(one: Field, value: Any) -> Any:
    """The value as it is sent: lines and objects without their formulas and empty fields."""
    if one.kind is FieldKind.LINES and isinstance(value, list):
        return [_cleaned_line(one, line) for line in value if isinstance(line, dict) and _cleaned_line(one, line)]
    if one.kind is FieldKind.OBJECT and isinstance(value, dict):
        return _cleaned_line(one, value)
    return value


def _cleaned_line(one: Field, line: dict[str, Any]) -> dict[str, Any]:
    known = {inner.name for inner in one.fields if not inner.formula and not inner.computed}
    return {name: value for name, value in line.items() if name in known and not is_empty(value)}


def value_problem(one: Field, value: Any, values: Mapping[str, Any]) -> Problem | None:
    """What is wrong with a value that is there; `values` of the record, for `after`."""
    if one.kind in TEXTS and isinstance(value, str):
        return _range(one, len(value), "short", "long") or _pattern(one, value)
    if one.kind in NUMBERS:
        return _number_range(one, value)
    if one.kind is FieldKind.LINES and isinstance(value, list):
        return _range(one, len(value), "few", "many") or _lines_problem(one, value)
    if one.kind in LISTS and isinstance(value, list):
        return _range(one, len(value), "few", "many")
    if one.kind is FieldKind.OBJECT and isinstance(value, dict):
        return _line_problem(one, value, None)
    if one.kind in TIMES:
        return _time_problem(one, value, values)
    return None


def _range(one: Field, count: int, below: str, above: str) -> Problem | None:
    if one.min is not None and count < one.min:
        return Problem(f"too_{below}", {"limit": int(one.min), "n": count})
    if one.max is not None and count > one.max:
        return Problem(f"too_{above}", {"limit": int(one.max), "n": count})
    return None


def _pattern(one: Field, value: str) -> Problem | None:
    if one.pattern is None:
        return None
    try:
        fits = re.fullmatch(one.pattern, value) is not None
    except re.error:
        return None  # a pattern this side does not understand: the server checks it
    return None if fits else Problem("pattern")


def _number_range(one: Field, value: Any) -> Problem | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return Problem("unreadable")
    if one.min is not None and number < Decimal(str(one.min)):
        return Problem("too_small", {"limit": one.min})
    if one.max is not None and number > Decimal(str(one.max)):
        return Problem("too_large", {"limit": one.max})
    return None


def _lines_problem(one: Field, lines: Sequence[Any]) -> Problem | None:
    for number, line in enumerate(lines):
        if isinstance(line, dict) and _cleaned_line(one, line):  # an empty line is not sent
            problem = _line_problem(one, line, number)
            if problem is not None:
                return problem
    return None


def _line_problem(one: Field, line: Mapping[str, Any], row: int | None) -> Problem | None:
    for inner in one.fields:
        if not is_written(inner):
            continue
        value = line.get(inner.name)
        problem = (
            (Problem("required") if inner.required else None) if is_empty(value) else value_problem(inner, value, line)
        )
        if problem is not None:
            return Problem(problem.code, problem.figures, row, inner)
    return None


def _time_problem(one: Field, value: Any, values: Mapping[str, Any]) -> Problem | None:
    if one.kind is FieldKind.SPAN:
        span = span_of(value)
        if span is None or span[1] <= span[0]:
            return Problem("span")
    mine = _start(value)
    other = _start(values.get(one.after)) if one.after else None
    if mine is not None and other is not None and mine < other:
        return Problem("before", {"after": one.after})
    return None


def _start(value: Any) -> int | None:
    return moment_of(value.get("start") if isinstance(value, dict) else value)
