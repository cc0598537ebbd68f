"""Writes the modules' samples into the demo office: each event through the type's own handler, as the person who does it, at its moment."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from server_stub.app.demo.assets import Asset, Assets
from server_stub.app.demo.moments import Moments
from server_stub.app.demo.people import People
from server_stub.clock import format_utc
from server_stub.errors import SetError
from server_stub.ids import uuid7
from server_stub.modules.engine.definition import Field, FieldKind, ModuleDefinition, TypeDefinition
from server_stub.modules.engine.reading import MODULES_FOLDER
from server_stub.modules.engine.samples import (
    COMMENT,
    EDIT,
    READ,
    Event,
    in_order,
    is_case_act,
    load_samples,
    moment_of,
    prefixed,
    span_of,
)
from server_stub.records.actor import Actor
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx

_COMMENT_TYPE: Final = "Comment"
_MARK_TYPE: Final = "ReadMark"
_CASE_EVENT_TYPE: Final = "CaseEvent"


class SampleRefused(Exception):
    """The server itself refused a sample; the text says which and why."""


class Handler(Protocol):
    """As much of a TypeHandler as samples need."""

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject: ...

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None: ...


def load_events(modules: Sequence[ModuleDefinition]) -> list[Event]:
    """Every sample event of these modules of the product, as they happen; modules that are needed come first at the same moment."""
    return in_order(
        [event for module in needed_first(modules) for event in load_samples(MODULES_FOLDER / module.id, module)]
    )


def needed_first(modules: Sequence[ModuleDefinition]) -> list[ModuleDefinition]:
    """In an order in which a module comes after those it needs."""
    by_id = {one.id: one for one in modules}
    placed: dict[str, ModuleDefinition] = {}

    def place(module: ModuleDefinition) -> None:
        for needed in module.needs:
            if needed in by_id and needed not in placed:
                place(by_id[needed])
        placed[module.id] = module

    for module in modules:
        if module.id not in placed:
            place(module)
    return list(placed.values())


class SampleWriter:
    """Does events. Keys of samples become ids as they are made."""

    def __init__(
        self,
        modules: Sequence[ModuleDefinition],
        handlers: Mapping[str, Handler],
        people: People,
        assets: Assets,
        moments: Moments,
    ) -> None:
        self._types: dict[str, TypeDefinition] = {one.name: one for module in modules for one in module.types}
        self._handlers = handlers
        self._people = people
        self._assets = assets
        self._moments = moments
        self._ids: dict[str, str] = {}

    def do_event(self, tx: Tx, event: Event) -> int:
        """Write one event, at its own time, never later than now; gives that time in ms.

        Raises:
            SampleRefused: a check or a rule said no.
        """
        tx.now = min(self._at(event.at), self._moments.now)
        try:
            self._do(tx, event)
        except SetError as problem:
            raise SampleRefused(f"{event.module}/samples.toml: {event.where}: {problem}") from problem
        return tx.now

    def _do(self, tx: Tx, event: Event) -> None:
        actor = self._people.actors[event.by]
        type_ = self._types[event.type]
        fields = {name: self._value(tx, event, type_.field(name), value) for name, value in event.fields.items()}
        if not event.do:
            made = self._handlers[event.type].create(tx, actor, uuid7(tx.now), fields)
            self._ids[event.full_key] = str(made["id"])
            return
        record_id = self._ids[event.full_key]
        about = {"recordType": event.type, "recordId": record_id}
        action = next((one for one in type_.actions if one.name == event.do), None)
        if action is not None:
            self._handlers[event.type].update(tx, actor, record_id, {**fields, "action": action.name})
        elif is_case_act(event, type_):
            self._act(tx, event, type_, {**about, "action": event.do})
        elif event.do == EDIT:
            self._handlers[event.type].update(tx, actor, record_id, fields)
        elif event.do == COMMENT:
            self._handlers[_COMMENT_TYPE].create(tx, actor, uuid7(tx.now), {**about, **event.fields})
        elif event.do == READ:
            self._handlers[_MARK_TYPE].create(tx, actor, uuid7(tx.now), {**about, **event.fields})

    def _act(self, tx: Tx, event: Event, type_: TypeDefinition, about: JsonObject) -> None:
        """An act on the record's case."""
        given: JsonObject = {
            **about,
            **{key: one for key, one in event.fields.items() if key not in ("values", "to", "chosen")},
        }
        values, people = event.fields.get("values"), event.fields.get("to")
        if chosen := event.fields.get("chosen"):
            given["chosen"] = {step: self._value(tx, event, None, picked) for step, picked in chosen.items()}
        if values:
            given["values"] = {name: self._value(tx, event, type_.field(name), value) for name, value in values.items()}
        if people:
            given["to"] = [self._value(tx, event, None, one) for one in people]
        self._handlers[_CASE_EVENT_TYPE].create(tx, self._people.actors[event.by], uuid7(tx.now), given)

    # ------------------------------------------------------------ values

    def _value(self, tx: Tx, event: Event, field: Field | None, value: Any) -> Any:
        if isinstance(value, list):
            return [self._value(tx, event, field, one) for one in value]
        if isinstance(value, dict):
            inner = {one.name: one for one in field.fields} if field is not None else {}
            return {name: self._value(tx, event, inner.get(name), one) for name, one in value.items()}
        parts = prefixed(value)
        if parts is None or (field is not None and field.kind in _PLAIN_TEXTS):
            return value
        return self._named(tx, event, field, *parts)

    def _named(self, tx: Tx, event: Event, field: Field | None, prefix: str, rest: str) -> Any:
        match prefix:
            case "person":
                return self._people.ids[rest]
            case "department":
                return self._people.departments[rest]
            case "ref":
                return self._ids[rest if "/" in rest else f"{event.module}/{rest}"]
            case "date":
                return self._moments.local(self._at(rest)).date().isoformat()
            case "time":
                return format_utc(self._at(rest))
            case "span":
                start, end = span_of(rest) or ("", "")
                return {"start": format_utc(self._at(start)), "end": format_utc(self._at(end))}
            case _:
                asset = find_asset(self._assets, rest)
                asset.do_own(tx, self._people.ids[event.by])
                return asset.blob_id if field is not None and field.kind is FieldKind.BLOB else asset.to_file()

    def _at(self, text: str) -> int:
        days, hour, minute = moment_of(text) or (0, 0, 0)
        return self._moments.day_at(-days, hour, minute)


_PLAIN_TEXTS: Final = frozenset({FieldKind.TEXT, FieldKind.LONG_TEXT, FieldKind.RICH_TEXT, FieldKind.CHOICE})


def find_asset(assets: Assets, name: str) -> Asset:
    """A picture (its first variant), a file or a paper of resources/demo."""
    if name in assets.pictures:
        return assets.pictures[name][0]
    return assets.attachment(name)
