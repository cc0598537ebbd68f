"""samples.toml of a module folder: records the demo office begins with, and what happened to them. Reading, and finding every mistake.

`[[Type]] key = "…", author = "login", at = "-3d 09:30", fields…, steps = [{ do = "approve", by = "login", at = "-2d 10:00", fields… }]`.
Values: "person:login", "department:key", "ref:key" ("ref:module/key" of another module), "date:+3d", "time:-1d 14:00",
"span:+0d 09:00/12:00", "asset:name". A step does an action of the type, or "edit", "comment" (text), "read". Of a type with a process it may also be
an action on the record's case: submit, approve, return…, with opinion, outcome, values (fields), to (people), toStepId, chosen (step → people).
"""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from server_stub.modules.engine.definition import Action, Field, FieldKind, ModuleDefinition, TypeDefinition
from server_stub.modules.engine.soundness.values import value_problem
from server_stub.workflow.options import ActionName

MOMENT: Final = re.compile(r"([+-]\d{1,4})d(?: (\d\d):(\d\d))?\Z", re.ASCII)
SPAN: Final = re.compile(r"([+-]\d{1,4}d \d\d:\d\d)/(?:([+-]\d{1,4}d) )?(\d\d:\d\d)\Z", re.ASCII)
DEFAULT_AT: Final = "-30d 09:00"
OWN_KEYS: Final = ("key", "author", "at", "steps")
STEP_KEYS: Final = ("do", "by", "at")
EDIT, COMMENT, READ = "edit", "comment", "read"
CASE_ACTIONS: Final[frozenset[str]] = frozenset(get_args(ActionName))
CASE_TEXTS: Final = ("opinion", "outcome", "toStepId")
CASE_KEYS: Final = frozenset({*CASE_TEXTS, "values", "to", "chosen"})
_PREFIXED: Final = re.compile(r"(person|department|ref|date|time|span|asset):(.*)\Z", re.DOTALL)
_PREFIX_OF: Final[Mapping[FieldKind, str]] = {
    FieldKind.PERSON: "person",
    FieldKind.PERSONS: "person",
    FieldKind.DEPARTMENT: "department",
    FieldKind.DEPARTMENTS: "department",
    FieldKind.REFERENCE: "ref",
    FieldKind.REFERENCES: "ref",
    FieldKind.DATE: "date",
    FieldKind.DATETIME: "time",
    FieldKind.SPAN: "span",
    FieldKind.FILES: "asset",
    FieldKind.BLOB: "asset",
}
_MANY: Final = frozenset({FieldKind.PERSONS, FieldKind.DEPARTMENTS, FieldKind.REFERENCES, FieldKind.FILES})


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to a sample: its creation (do is empty) or a step. `order`: where it stands in the files."""

    module: str
    type: str
    key: str
    do: str
    by: str
    at: str
    fields: Mapping[str, Any]
    order: tuple[int, ...]

    @property
    def full_key(self) -> str:
        """The key as other modules name it."""
        return f"{self.module}/{self.key}"

    @property
    def where(self) -> str:
        """For sentences."""
        return f"{self.type} {self.key}" + (f", {self.do}" if self.do else "")


class SamplesBroken(Exception):
    """A samples.toml that cannot be read; the text says why."""


def load_samples(folder: Path, module: ModuleDefinition) -> list[Event]:
    """The events of `folder/samples.toml`, in order of the file; none when there is no such file.

    Raises:
        SamplesBroken: it is no TOML, or a table has not the shape of a sample.
    """
    path = folder / "samples.toml"
    if not path.is_file():
        return []
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise SamplesBroken(f"is no TOML: {problem}") from problem
    events: list[Event] = []
    for type_name, tables in content.items():
        if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
            raise SamplesBroken(f"{type_name}: write [[{type_name}]] for each record")
        for table in tables:
            events += _events(module.id, type_name, table, len(events))
    return events


def moment_of(text: str) -> tuple[int, int, int] | None:
    """Days from today, hour and minute of "-3d 09:30" (midnight when no time is given); None: malformed."""
    found = MOMENT.match(text)
    if found is None or int(found[2] or 0) > 23 or int(found[3] or 0) > 59:
        return None
    return int(found[1]), int(found[2] or 0), int(found[3] or 0)


def span_of(text: str) -> tuple[str, str] | None:
    """The two moments of "+0d 09:00/12:00" or "+0d 09:00/+1d 12:00"; None: malformed, or it ends before it starts."""
    found = SPAN.match(text)
    if found is None:
        return None
    start, end = found[1], f"{found[2] or found[1].partition(' ')[0]} {found[3]}"
    first, last = moment_of(start), moment_of(end)
    return (start, end) if first is not None and last is not None and first < last else None


def prefixed(value: Any) -> tuple[str, str] | None:
    """(prefix, rest) of a text such as "person:linyuan"."""
    found = _PREFIXED.match(value) if isinstance(value, str) else None
    return (found[1], found[2]) if found else None


def in_order(events: Sequence[Event]) -> list[Event]:
    """As they happen: by time; at the same time those of the files' order."""
    return sorted(events, key=lambda one: (moment_of(one.at) or (0, 0, 0), one.order))


def _events(module: str, type_name: str, table: Mapping[str, Any], order: int) -> Iterator[Event]:
    key, author, at = (table.get(name, default) for name, default in (("key", ""), ("author", ""), ("at", DEFAULT_AT)))
    steps = table.get("steps", [])
    if not all(isinstance(one, str) for one in (key, author, at)) or not key or not author:
        raise SamplesBroken(f"{type_name}: every sample has key and author")
    if not isinstance(steps, list) or not all(isinstance(one, dict) for one in steps):
        raise SamplesBroken(f"{type_name} {key}: steps is a list of tables")
    fields = {name: value for name, value in table.items() if name not in OWN_KEYS}
    yield Event(module, type_name, key, "", author, at, fields, (order,))
    for number, step in enumerate(steps, 1):
        do, by, then = step.get("do"), step.get("by", author), step.get("at", at)
        if not all(isinstance(one, str) and one for one in (do, by, then)):
            raise SamplesBroken(f"{type_name} {key}: every step says what to do")
        fields = {name: value for name, value in step.items() if name not in STEP_KEYS}
        yield Event(module, type_name, key, do, by, then, fields, (order, number))


def is_case_act(event: Event, type_: TypeDefinition) -> bool:
    """Whether a step is an action on the record's case. `read` is one unless the record takes read marks and the step says nothing else."""
    if type_.process is None or event.do not in CASE_ACTIONS or any(one.name == event.do for one in type_.actions):
        return False
    return event.do != READ or not type_.marks or "opinion" in event.fields


# ---------------------------------------------------------------- mistakes


@dataclass(frozen=True, slots=True)
class KnownNames:
    """Who and what samples may name: logins, department keys, assets."""

    logins: Collection[str]
    departments: Collection[str]
    assets: Collection[str]


def sample_problems(
    modules: Sequence[ModuleDefinition], samples: Mapping[str, Sequence[Event]], names: KnownNames
) -> list[str]:
    """One sentence for each mistake in the samples of these modules (module id → events). Each begins with the file."""
    return _SampleChecker(modules, samples, names).problems()


class _SampleChecker:
    def __init__(
        self, modules: Sequence[ModuleDefinition], samples: Mapping[str, Sequence[Event]], names: KnownNames
    ) -> None:
        self._types = {(module.id, one.name): one for module in modules for one in module.types}
        self._needs = {module.id: {module.id, *module.needs} for module in modules}
        self._events = [event for module in modules for event in samples.get(module.id, ())]
        self._names = names
        self._problems: list[str] = []
        self._made: dict[str, str] = {}
        self._states: dict[str, str | None] = {}
        self._moved: set[str] = set()  # by a process: only it knows their states

    def problems(self) -> list[str]:
        for event in self._events:
            if moment_of(event.at) is None:
                self._say(event, f'at takes a moment such as "-3d 09:30", not {event.at[:40]!r}')
        keys = [event.full_key for event in self._events if not event.do]
        for event in self._events:
            if not event.do and keys.count(event.full_key) > 1:
                self._say(event, "this key is there twice")
        for event in in_order(self._events):
            self._check(event)
        return list(dict.fromkeys(self._problems))

    def _say(self, event: Event, what: str) -> None:
        self._problems.append(f"{event.module}/samples.toml: {event.where}: {what}")

    def _check(self, event: Event) -> None:
        type_ = self._types.get((event.module, event.type))
        if type_ is None:
            self._say(event, f"the module has no type {event.type}")
            return
        if event.by not in self._names.logins:
            self._say(event, f"nobody is called {event.by}")
        taken = [one.name for one in type_.every_field if one.name in (*OWN_KEYS, *STEP_KEYS)]
        if taken:
            self._say(event, f"a field called {taken[0]} cannot be given in a sample")
        if event.do:
            self._check_step(event, type_)
            return
        self._check_fields(event, type_, event.fields)
        for one in type_.fields:
            given_by_us = (
                one.default is not None or one.read_only or one.computed or one.formula or one.when is not None
            )
            if one.required and not given_by_us and event.fields.get(one.name) in (None, ""):
                self._say(event, f"{one.name} is missing")
        self._made[event.full_key] = event.type
        state = type_.field("state")
        self._states[event.full_key] = event.fields.get("state", state.default if state is not None else None)

    def _check_step(self, event: Event, type_: TypeDefinition) -> None:
        if event.full_key not in self._made:
            self._say(event, "happens before the record is made")
        action = next((one for one in type_.actions if one.name == event.do), None)
        if action is not None:
            self._check_action(event, type_, action)
        elif is_case_act(event, type_):
            self._check_case_act(event, type_)
        elif event.do == EDIT:
            self._check_fields(event, type_, event.fields)
        elif event.do == COMMENT:
            if set(event.fields) != {"text"} or not isinstance(event.fields["text"], str):
                self._say(event, "a comment has a text")
            if not type_.comments:
                self._say(event, f"a {type_.name} takes no comments")
        elif event.do == READ:
            if event.fields.keys() - {"confirmed"} or not type_.marks:
                self._say(event, "is for types with marks, and takes nothing but confirmed")
        else:
            self._say(event, f"there is no action {event.do}")

    def _check_case_act(self, event: Event, type_: TypeDefinition) -> None:
        for name in sorted(event.fields.keys() - CASE_KEYS):
            self._say(event, f"an act on a case has no {name}")
        for name in CASE_TEXTS:
            if not isinstance(event.fields.get(name, ""), str):
                self._say(event, f"{name} is a text")
        self._moved.add(event.full_key)
        people, values = event.fields.get("to", []), event.fields.get("values", {})
        chosen = event.fields.get("chosen", {})
        picked: list[Any] = list(chosen.values()) if isinstance(chosen, dict) else [None]
        if not isinstance(values, dict) or not all(isinstance(one, list) for one in (people, *picked)):
            self._say(event, "to is a list of people, values a table of fields, chosen a table of lists of people")
            return
        for one in (*people, *(one for people_ in picked for one in people_)):
            self._check_name(event, "to", "person", one)
        self._check_fields(event, type_, values)

    def _check_action(self, event: Event, type_: TypeDefinition, action: Action) -> None:
        state = self._states.get(event.full_key)
        if event.full_key not in self._moved and state not in action.from_:
            self._say(event, f"cannot be done while the state is {state}")
        if action.to is not None:
            self._states[event.full_key] = action.to
        for name in sorted(event.fields.keys() - {*action.asks, *action.requires}):
            self._say(event, f"does not ask for {name}")
        known = {name: value for name, value in event.fields.items() if type_.field(name) is not None}
        self._check_fields(event, type_, known, by_action=True)

    def _check_fields(
        self, event: Event, type_: TypeDefinition, fields: Mapping[str, Any], *, by_action: bool = False
    ) -> None:
        for name, value in fields.items():
            field = type_.field(name)
            if field is None:
                self._say(event, f"there is no field {name}")
            elif field.computed or field.formula or (field.read_only and not by_action):
                self._say(event, f"{name} is set by the server")
            else:
                self._check_value(event, name, field, value)

    def _check_value(self, event: Event, where: str, field: Field, value: Any) -> None:
        if field.kind in (FieldKind.LINES, FieldKind.OBJECT):
            self._check_parts(event, where, field, value)
        elif field.kind is FieldKind.AUDIENCE:
            self._check_audience(event, where, value)
        elif field.kind in _PREFIX_OF:
            if field.kind in _MANY and not isinstance(value, list):
                self._say(event, f"{where} must be a list")
                return
            for one in value if field.kind in _MANY else [value]:
                self._check_named(event, where, field, one)
        else:
            problem = value_problem(field, value)
            if problem is not None:
                self._say(event, f"{where} {problem}")

    def _check_parts(self, event: Event, where: str, field: Field, value: Any) -> None:
        inner = {one.name: one for one in field.fields}
        parts = value if field.kind is FieldKind.LINES else [value]
        if not isinstance(parts, list) or not all(isinstance(one, dict) for one in parts):
            self._say(event, f"{where} is made of tables")
            return
        for number, part in enumerate(parts, 1):
            for name, one in part.items():
                place = f"{where}[{number}].{name}"
                if name not in inner or inner[name].formula:
                    self._say(event, f"{place} cannot be given")
                else:
                    self._check_value(event, place, inner[name], one)
            for name, one in inner.items():
                if one.required and one.default is None and name not in part:
                    self._say(event, f"{where}[{number}].{name} is missing")

    def _check_audience(self, event: Event, where: str, value: Any) -> None:
        if not isinstance(value, dict) or value.keys() - {"everyone", "departmentIds", "roles", "personIds"}:
            self._say(event, f"{where} has everyone, departmentIds, roles, personIds")
            return
        for name, prefix in (("departmentIds", "department"), ("personIds", "person")):
            for one in value.get(name, ()):
                self._check_name(event, where, prefix, one)

    def _check_named(self, event: Event, where: str, field: Field, value: Any) -> None:
        prefix = _PREFIX_OF[field.kind]
        found = self._check_name(event, where, prefix, value)
        if found is None or prefix != "ref":
            return
        full = found if "/" in found else f"{event.module}/{found}"
        if full.partition("/")[0] not in self._needs[event.module]:
            self._say(event, f"{where}: needs does not name the module of {found}")
        elif full not in self._made:
            self._say(event, f"{where}: there is no {found} at that time")
        elif self._made[full] != field.target:
            self._say(event, f"{where}: {found} is a {self._made[full]}, not a {field.target}")

    def _check_name(self, event: Event, where: str, prefix: str, value: Any) -> str | None:
        """What a prefixed text names; complains when it is nothing."""
        parts = prefixed(value)
        if parts is None or parts[0] != prefix:
            self._say(event, f'{where} takes "{prefix}:…"')
            return None
        known: Mapping[str, bool] = {
            "person": parts[1] in self._names.logins,
            "department": parts[1] in self._names.departments,
            "asset": parts[1] in self._names.assets,
            "date": moment_of(parts[1]) is not None and " " not in parts[1],
            "time": moment_of(parts[1]) is not None,
            "span": span_of(parts[1]) is not None,
            "ref": True,
        }
        if not known[prefix]:
            self._say(event, f"{where}: there is no {value}")
        return parts[1]
