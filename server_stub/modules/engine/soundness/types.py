"""Whether a type makes sense as a whole: access, states and actions, numbers, bookings, due dates, to-dos, and how its records are shown."""

import re
from collections.abc import Iterable
from typing import Final

from server_stub.modules.engine.definition import Action, FieldKind, Numbering, TypeDefinition
from server_stub.modules.engine.soundness.fields import check_fields
from server_stub.modules.engine.soundness.filters import check_filter
from server_stub.modules.engine.soundness.findings import (
    PLAIN_KINDS,
    REFERENCE_KINDS,
    SHOWN_KINDS,
    TIME_KINDS,
    TITLE_KINDS,
    Findings,
)
from server_stub.modules.engine.soundness.principals import check_principals
from server_stub.modules.engine.soundness.values import value_problem

_PART: Final = re.compile(r"\{(yyyy|yy|MM|dd|n(?::0[1-9])?)\}")
_PERIOD_PARTS: Final = {"never": 0, "year": 1, "month": 2, "day": 3}
CLASS_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]*\Z")


def check_type(found: Findings, where: str, type_: TypeDefinition) -> None:
    """Note everything wrong with a type."""
    check_fields(found, where, type_)
    for action in ("read", "create", "update", "destroy"):
        check_principals(found, f"{where}.access.{action}", type_, getattr(type_.access, action))
    if not type_.access.read:
        found.say(f"{where}.access.read", "nobodyReads", "nobody would see a record")
    for name in type_.title:
        found.field(f"{where}.title", type_, name, TITLE_KINDS)
    if not type_.title and not any(one.kind is FieldKind.TEXT for one in type_.fields):
        found.say(where, "noTitle", "say which fields are the title: there is no text to take")
    _check_states(found, where, type_)
    _check_numbering(found, where, type_)
    _check_booking(found, where, type_)
    _check_unique(found, where, type_)
    _check_due(found, where, type_)
    _check_todos(found, where, type_)
    _check_form(found, where, type_)
    _check_links(found, where, type_)
    if type_.rules is not None and not CLASS_NAME.match(type_.rules):
        found.say(where, "rulesClass", "rules names a class of rules.py")


def _check_states(found: Findings, where: str, type_: TypeDefinition) -> None:
    found.twice(where, "state", [one.value for one in type_.states])
    found.twice(where, "action", [one.name for one in type_.actions])
    for action in type_.actions:
        _check_action(found, f"{where}.actions.{action.name}", type_, action)
    if type_.rules is None:
        _check_told_apart(found, where, type_.actions)
    if type_.actions and not type_.states:
        found.say(where, "actionsNeedStates", "actions move records between states: say which states there are")
    if type_.process is not None:
        _check_process(found, where, type_)
    elif type_.states and type_.rules is None:  # rules move records too, and know an action by its name
        _check_ways(found, where, type_)


def _check_process(found: Findings, where: str, type_: TypeDefinition) -> None:
    """The process moves records from state to state; those who handle one must see it."""
    if len(type_.states) < 2:
        found.say(where, "processNeedsStates", "a process moves records between states: say which there are")
    read = {one.partition("@")[0] for one in type_.access.read}
    if "everyone" not in read and not {"handler", "participant"} <= read:
        found.say(
            f"{where}.access.read", "handlersMustRead", "who handles a record must see it: name handler and participant"
        )


def _check_ways(found: Findings, where: str, type_: TypeDefinition) -> None:
    """Every state is reached from the first, and left unless it is final."""
    reached, pending = {type_.states[0].value}, [type_.states[0].value]
    while pending:
        here = pending.pop()
        for action in type_.actions:
            if here in action.from_ and action.to is not None and action.to not in reached:
                reached.add(action.to)
                pending.append(action.to)
    for state in type_.states:
        if state.value not in reached:
            found.say(f"{where}.states.{state.value}", "noWayIn", "no action leads here")
        leaves = any(state.value in one.from_ and one.to not in (None, state.value) for one in type_.actions)
        if not state.final and not leaves and len(type_.states) > 1:
            found.say(f"{where}.states.{state.value}", "noWayOut", "no action leads on: say final = true")


def _check_action(found: Findings, where: str, type_: TypeDefinition, action: Action) -> None:
    if not action.from_:
        found.say(where, "fromNowhere", "from names at least one state")
    known = {one.value for one in type_.states}
    for value in (*action.from_, *(() if action.to is None else (action.to,))):
        if value not in known:
            found.say(where, "noState", "there is no state {value}", value=value)
    if action.to is not None and set(action.from_) == {action.to}:
        found.say(where, "toItself", "leads from {value} to itself: an action that stays has no `to`", value=action.to)
    if action.to is None and not (action.asks or action.requires or action.sets):
        found.say(where, "doesNothing", "does nothing: it leads nowhere, asks for nothing and sets nothing")
    check_principals(found, f"{where}.who", type_, action.who)
    check_filter(found, f"{where}.when", type_, action.when)
    found.twice(where, "field", (*action.requires, *action.asks, *action.sets))
    for name in (*action.requires, *action.asks):
        field = found.field(where, type_, name)
        if name == "state" or (field is not None and (field.computed or field.formula)):
            found.say(where, "notByPeople", "{name} cannot be filled in by a person", name=name)
    for name, value in action.sets.items():
        field = found.field(where, type_, name)
        if name == "state" or (field is not None and (field.computed or field.formula)):
            found.say(where, "notByActions", "{name} cannot be set by an action", name=name)
        elif field is not None and value is not None:
            problem = value_problem(field, value)
            if problem is not None:
                found.say(where, "badSet", "sets {name}: {problem}", name=name, problem=problem)


def _check_told_apart(found: Findings, where: str, actions: Iterable[Action]) -> None:
    """Two that do the same for the same people are one too many."""
    seen: dict[tuple[object, ...], str] = {}
    for action in actions:
        for state in action.from_:
            asked = frozenset((*action.requires, *action.asks))
            key = (state, action.to, asked, repr(action.sets), repr(action.when), frozenset(action.who))
            if seen.setdefault(key, action.name) != action.name:
                found.say(
                    f"{where}.actions.{action.name}",
                    "sameAction",
                    "does from {state} what {other} does",
                    state=state,
                    other=seen[key],
                )


def _check_numbering(found: Findings, where: str, type_: TypeDefinition) -> None:
    numbering = type_.numbering
    if numbering is None:
        return
    place = f"{where}.numbering"
    field = found.field(place, type_, numbering.field, {FieldKind.TEXT})
    if field is not None and not field.read_only:
        found.say(place, "givenByServer", "{name} is given by the server: say readOnly = true", name=numbering.field)
    if field is not None and (field.required or field.formula or field.default is not None):
        found.say(
            place, "numberIsPlain", "{name} has no formula and no default, and is not required", name=numbering.field
        )
    if numbering.state is not None:
        found.states(place, type_, [numbering.state])
    _check_number_pattern(found, place, numbering)


def _check_number_pattern(found: Findings, where: str, numbering: Numbering) -> None:
    parts = set(_PART.findall(numbering.pattern))
    if any(brace in _PART.sub("", numbering.pattern) for brace in "{}"):
        found.say(where, "numberParts", "pattern takes {{yyyy}} {{yy}} {{MM}} {{dd}} {{n}} {{n:03}}")
    if len([one for one in _PART.findall(numbering.pattern) if one.startswith("n")]) != 1:
        found.say(where, "numberOnce", "pattern has {{n}} once")
    needed = [bool({"yyyy", "yy"} & parts), "MM" in parts, "dd" in parts]
    if not all(needed[: _PERIOD_PARTS[numbering.period]]):
        found.say(
            where,
            "numberPeriod",
            "pattern must show the {period}, or numbers would come again",
            period=numbering.period,
        )


def _check_booking(found: Findings, where: str, type_: TypeDefinition) -> None:
    booking = type_.booking
    if booking is None:
        return
    place = f"{where}.booking"
    found.field(place, type_, booking.resource, REFERENCE_KINDS)
    found.field(place, type_, booking.span, {FieldKind.SPAN})
    found.states(place, type_, booking.states)


def _check_unique(found: Findings, where: str, type_: TypeDefinition) -> None:
    for names in type_.unique:
        place = f"{where}.unique"
        if len(names) < 2:
            found.say(place, "uniqueOfTwo", "names at least two fields; for one say unique = true with the field")
        found.twice(place, "field", names)
        for name in names:
            field = found.field(place, type_, name, PLAIN_KINDS)
            if field is not None and field.computed:
                found.say(place, "isComputed", "{name} is computed", name=name)


def _check_due(found: Findings, where: str, type_: TypeDefinition) -> None:
    for due in type_.due:
        place = f"{where}.due.{due.field}"
        found.field(place, type_, due.field, TIME_KINDS)
        check_principals(found, f"{place}.to", type_, due.to)
        if not due.to:
            found.say(place, "nobodyReminded", "to: nobody would be reminded")
        check_filter(found, f"{place}.unless", type_, due.unless)
        if due.amber_days < 0 or any(not 0 <= days <= 3660 for days in due.remind_days):
            found.say(place, "badDays", "amberDays and remindDays are days before the date, not negative")
        found.twice(place, "day", [str(days) for days in due.remind_days])
    found.twice(f"{where}.due", "field", [one.field for one in type_.due])


def _check_todos(found: Findings, where: str, type_: TypeDefinition) -> None:
    found.twice(where, "to-do", [one.id for one in type_.todos])
    for todo in type_.todos:
        place = f"{where}.todos.{todo.id}"
        check_principals(found, f"{place}.to", type_, todo.to)
        if not todo.to:
            found.say(place, "nobodyHasIt", "to: nobody would have it")
        check_filter(found, f"{place}.when", type_, todo.when)
        if not todo.when:
            found.say(place, "neverDone", "when is empty: it would never be done")
        if todo.due is not None:
            found.field(place, type_, todo.due, TIME_KINDS)
        if todo.kind == "toRead" and not type_.marks:
            found.say(place, "needsMarks", "what is to be read is done by a mark: say marks = true")


def _check_form(found: Findings, where: str, type_: TypeDefinition) -> None:
    """Sections and the printed sheet."""
    for index, section in enumerate(type_.sections):
        place = f"{where}.sections[{index}]"
        if not section.fields:
            found.say(place, "noFields", "has no fields")
        for name in section.fields:
            found.field(place, type_, name)
    found.twice(f"{where}.sections", "field", [name for one in type_.sections for name in one.fields])
    if type_.paper is None:
        return
    place = f"{where}.paper"
    for row in type_.paper.rows:
        if not 0 < len(row) <= 4:
            found.say(place, "rowSize", "a row has 1 to 4 fields")
        for name in row:
            found.field(place, type_, name, SHOWN_KINDS - {FieldKind.LINES}, envelope=True)
    if type_.paper.lines is not None:
        found.field(place, type_, type_.paper.lines, {FieldKind.LINES})


def _check_links(found: Findings, where: str, type_: TypeDefinition) -> None:
    found.twice(f"{where}.links", "link", [f"{one.type}.{one.field}" for one in type_.links])
    for link in type_.links:
        place = f"{where}.links.{link.type}"
        other = found.type(place, link.type)
        if other is None:
            continue
        field = found.field(place, other, link.field, {FieldKind.REFERENCE, FieldKind.REFERENCES})
        if field is not None and field.target != type_.name:
            found.say(
                place,
                "refersElsewhere",
                "{name} refers to {target}, not to {type}",
                name=link.field,
                target=field.target,
                type=type_.name,
            )
