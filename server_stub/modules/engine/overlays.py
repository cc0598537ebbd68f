"""What an administrator changes of a module without code: fields, views, whole new types. Merged into the folder's definition before it is checked.

The folder stays what it is; the changes say what is different, so that an update of the folder goes through under them (docs/modules.md,
Changes of an administrator). What a change names and the folder has no more is passed over; a name both have made is the folder's.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from server_stub.modules.engine.access import fields_read
from server_stub.modules.engine.definition import (
    NOBODY,
    Choice,
    DefinitionError,
    Field,
    FieldName,
    Filter,
    Label,
    Migration,
    ModuleDefinition,
    ProcessId,
    Report,
    Role,
    Section,
    TypeDefinition,
    TypeName,
    View,
    Word,
)
from server_stub.modules.engine.saying import Reason, reason
from server_stub.modules.engine.soundness.filters import names_in
from server_stub.modules.engine.soundness.findings import ENVELOPE_FIELDS

N = TypeVar("N", Field, View, TypeDefinition, Report)
V = TypeVar("V", View, "ViewChange")
_HIDDEN: Final = {"see": (NOBODY,), "edit": (NOBODY,), "required": False}


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True, kw_only=True):
    """A table of the changes: unknown keys are mistakes, what is not said stays as the folder says."""


class FieldChange(_Table, frozen=True, kw_only=True):
    """What is different about a field of the folder. hidden: not shown, asked or sent any more; its values stay stored.

    `choices` adds choices, or says other words and colors for those there are.
    """

    name: FieldName
    label: Label | None = None
    help: Label | None = None
    required: bool | None = None
    hidden: bool = False
    default: Any = None
    max: int | float | None = None
    choices: tuple[Choice, ...] = ()


class TypeChange(_Table, frozen=True, kw_only=True):
    """What is different about a type of the folder.

    Attributes:
        fields: new ones. change: what is different about those there are.
        order: names that come first, in this order, in forms and sections; the others follow as they are.
        sections, title: instead of the folder's.
        process: the process its records pass through instead of the folder's.
    """

    name: TypeName
    label: Label | None = None
    help: Label | None = None
    fields: tuple[Field, ...] = ()
    change: tuple[FieldChange, ...] = ()
    order: tuple[FieldName, ...] = ()
    sections: tuple[Section, ...] | None = None
    title: tuple[FieldName, ...] | None = None
    process: ProcessId | None = None


class ViewChange(_Table, frozen=True, kw_only=True):
    """What is different about a view of the folder. types: of a desk: more types whose cases stand on it."""

    id: Word
    label: Label | None = None
    columns: tuple[FieldName, ...] | None = None
    sort: tuple[str, ...] | None = None
    totals: tuple[FieldName, ...] | None = None
    filter: Filter | None = None
    roles: tuple[Role, ...] | None = None
    types: tuple[TypeName, ...] = ()
    hidden: bool = False


class Changes(_Table, frozen=True, kw_only=True):
    """All that is different about a module. migrations: what becomes of data, as in a folder, for fields and types made here."""

    label: Label | None = None
    order: int | None = None
    types: tuple[TypeChange, ...] = ()
    new_types: tuple[TypeDefinition, ...] = ()
    views: tuple[ViewChange, ...] = ()
    new_views: tuple[View, ...] = ()
    view_order: tuple[Word, ...] = ()
    new_reports: tuple[Report, ...] = ()
    migrations: tuple[Migration, ...] = ()


def merged(module: ModuleDefinition, changes: Changes, *, strict: bool = True) -> ModuleDefinition:
    """The module as it is with these changes.

    Args:
        strict: what the changes name is checked like the folder's own; False: what the folder has no more is left out of them.

    Raises:
        DefinitionError: a change cannot be made: it hides what something needs, or names code.
    """
    changes = changes if strict else _fitting(module, changes)
    problems = _code_problems(changes)
    said = {one.name: one for one in changes.types}
    types = [_merged_type(one, said[one.name]) if one.name in said else one for one in module.types]
    types += [_with_rules(module, one) for one in _new(module.types, changes.new_types, "name")]
    types = _with_kinds(module, types)
    hidden = {one.name: _hidden_names(said[one.name]) for one in module.types if one.name in said}
    made = msgspec.structs.replace(
        module,
        label=changes.label or module.label,
        order=module.order if changes.order is None else changes.order,
        types=tuple(types),
        views=tuple(_merged_views(module.views, changes, hidden)),
        reports=(*module.reports, *_new(module.reports, changes.new_reports, "id")),
        migrations=(*module.migrations, *changes.migrations),
    )
    for type_ in types:
        gone = hidden.get(type_.name, frozenset())
        needed = {name: why for names, why in _uses(made, type_) for name in names if name in gone}
        problems += [
            reason("cannotHide", "{name} cannot be hidden: {why}", name=name, why=why).at(f"types.{type_.name}")
            for name, why in sorted(needed.items())
        ]
    if problems:
        raise DefinitionError(module.id, problems)
    return made


def _code_problems(changes: Changes) -> list[Reason]:
    code = reason("rulesAreCode", "rules are code, which lies in a folder")
    return [code.at(f"types.{one.name}") for one in changes.new_types if one.rules]


def _with_rules(module: ModuleDefinition, made: TypeDefinition) -> TypeDefinition:
    """A type made here lives by the code its module has for such types, where it has a process."""
    return msgspec.structs.replace(made, rules=module.kind_rules) if made.process is not None else made


def _with_kinds(module: ModuleDefinition, types: Sequence[TypeDefinition]) -> list[TypeDefinition]:
    """Kinds made here are counted under their own name: the module's choices of kinds have one for each; an administrator's own words for it stand."""
    folder = {one.name for one in module.types}
    kinds = [one for one in types if one.name not in folder and one.process is not None]
    places = {tuple(one.split(".", 1)) for one in module.kind_choices}
    return [
        msgspec.structs.replace(
            type_,
            fields=tuple(
                _with_choices(one, kinds) if (type_.name, one.name) in places else one for one in type_.fields
            ),
        )
        for type_ in types
    ]


def _with_choices(field: Field, kinds: Sequence[TypeDefinition]) -> Field:
    held = {one.value for one in field.choices}
    made = [Choice(value=kind_word(one.name), label=one.label) for one in kinds if kind_word(one.name) not in held]
    return msgspec.structs.replace(field, choices=(*field.choices, *made))


def kind_word(type_name: str) -> str:
    """The choice that stands for a type: punchRepair of PunchRepair."""
    return type_name[0].lower() + type_name[1:]


def _new(held: Sequence[N], made: Iterable[N], key: str) -> list[N]:
    """What is made here and has no name that the folder has by now."""
    names = {getattr(one, key) for one in held}
    return [one for one in made if getattr(one, key) not in names]


# ---------------------------------------------------------------- a folder that has moved on


def _fitting(module: ModuleDefinition, changes: Changes) -> Changes:
    """The changes without names of fields that are gone from the folder since they were made."""
    made = {one.name: one for one in changes.types}
    fields: dict[str, frozenset[str]] = {one.name: _names(one.every_field) for one in changes.new_types}
    for type_ in module.types:
        added = made[type_.name].fields if type_.name in made else ()
        fields[type_.name] = _names((*type_.every_field, *added))
    views = {one.id: one.type for one in module.views}
    return msgspec.structs.replace(
        changes,
        types=tuple(_fitting_type(one, fields.get(one.name)) for one in changes.types),
        views=tuple(_fitting_view(one, fields.get(views.get(one.id, ""))) for one in changes.views),
        new_views=tuple(
            _fitting_view(one, fields.get(one.type)) for one in changes.new_views if _stands(one, fields.get(one.type))
        ),
    )


def _names(fields: Iterable[Field]) -> frozenset[str]:
    return frozenset((*(one.name for one in fields), *ENVELOPE_FIELDS))


def _fitting_type(change: TypeChange, known: frozenset[str] | None) -> TypeChange:
    if known is None:
        return change
    sections = None if change.sections is None else [_kept(one, known) for one in change.sections]
    title = None if change.title is None else tuple(one for one in change.title if one in known)
    return msgspec.structs.replace(
        change,
        title=title or None,
        sections=None if sections is None else tuple(one for one in sections if one.fields),
    )


def _fitting_view(view: V, known: frozenset[str] | None) -> V:
    """Without columns, sums and orders that are gone; none left: as the folder says."""
    if known is None:
        return view
    for name in ("columns", "totals", "sort"):
        held = getattr(view, name)
        if held is not None:
            kept = tuple(one for one in held if one.removeprefix("-") in known)
            view = msgspec.structs.replace(view, **{name: kept if kept or isinstance(view, View) else None})
    return view


def _kept(section: Section, known: frozenset[str]) -> Section:
    return msgspec.structs.replace(section, fields=tuple(one for one in section.fields if one in known))


def _stands(view: View, known: frozenset[str] | None) -> bool:
    """Whether the fields are there without which a new view shows nothing."""
    needed = {one for one in (view.group, view.time, view.resource, view.parent) if one is not None}
    conditions = {one.removesuffix("Before").removesuffix("After") for one in names_in(view.filter)} - {"text"}
    columns = not view.columns or known is None or any(one in known for one in view.columns)
    return known is None or (needed | conditions <= known and columns)


# ---------------------------------------------------------------- types


def _merged_type(type_: TypeDefinition, change: TypeChange) -> TypeDefinition:
    said = {one.name: one for one in change.change}
    fields = [_merged_field(one, said[one.name]) if one.name in said else one for one in type_.fields]
    fields += _new(type_.fields, change.fields, "name")
    hidden = _hidden_names(change)
    sections = type_.sections if change.sections is None else change.sections
    return msgspec.structs.replace(
        type_,
        label=change.label or type_.label,
        help=change.help or type_.help,
        title=type_.title if change.title is None else change.title,
        process=change.process or type_.process,
        fields=tuple(_ordered(fields, change.order)),
        sections=tuple(
            msgspec.structs.replace(one, fields=kept)
            for one in sections
            if (kept := _ordered_names(one.fields, change.order, hidden)) or not one.fields
        ),
        paper=None
        if type_.paper is None
        else msgspec.structs.replace(
            type_.paper,
            rows=tuple(kept for row in type_.paper.rows if (kept := tuple(one for one in row if one not in hidden))),
            lines=None if type_.paper.lines in hidden else type_.paper.lines,
        ),
    )


def _merged_field(field: Field, change: FieldChange) -> Field:
    known = {one.value for one in change.choices}
    choices = {one.value: one for one in (*field.choices, *change.choices)}
    made = msgspec.structs.replace(
        field,
        label=change.label or field.label,
        help=change.help or field.help,
        required=field.required if change.required is None else change.required,
        default=field.default if change.default is None else change.default,
        max=field.max if change.max is None else change.max,
        choices=tuple(choices.values()) if known else field.choices,
    )
    return msgspec.structs.replace(made, **_HIDDEN) if change.hidden else made


def _hidden_names(change: TypeChange) -> frozenset[str]:
    return frozenset(one.name for one in change.change if one.hidden)


def _uses(module: ModuleDefinition, type_: TypeDefinition) -> Iterator[tuple[Collection[str], Reason]]:
    """(fields of a type, what needs them to be shown): desktops work with them, so they cannot be left out on the wire."""
    yield type_.title, reason("titleNeeds", "records are called by it")
    if type_.booking is not None:
        yield (type_.booking.resource, type_.booking.span), reason("bookingNeeds", "it is booked by it")
    for action in type_.actions:
        yield (
            {*action.requires, *action.asks, *names_in(action.when), *fields_read(action.who)},
            reason("actionNeeds", "the action {action} needs it", action=action.name),
        )
    for name in ("read", "create", "update", "destroy"):
        yield fields_read(getattr(type_.access, name)), reason("accessNeeds", "access.{right} looks at it", right=name)
    for field in type_.fields:
        if field.see != (NOBODY,):
            parts = {str(one).partition(".")[0] for one in field.formula[1:]}
            others = {*parts, *names_in(field.when), *fields_read((*field.see, *field.edit)), field.after or ""}
            yield others - {field.name}, reason("fieldNeeds", "{name} depends on it", name=field.name)
    for view in (one for one in module.views if one.type == type_.name):
        yield (
            {*names_in(view.filter), *(one or "" for one in (view.group, view.time, view.resource, view.parent))},
            reason("viewNeedsIt", "the view {view} is made by it", view=view.id),
        )
    for report in (one for one in module.reports if one.type == type_.name):
        figures = {one or "" for measure in report.measures for one in (measure.field, measure.per)}
        groups = {one.rpartition(":")[2] for one in report.group}
        yield (
            {*figures, *groups, *names_in(report.filter)},
            reason("reportNeeds", "the report {report} is made of it", report=report.id),
        )
    for other in module.types:
        links = {one.field for one in other.links if one.type == type_.name}
        yield links, reason("linkNeeds", "{type} lists records by it", type=other.name)


def _ordered(fields: Sequence[Field], order: Sequence[str]) -> list[Field]:
    place = {name: index for index, name in enumerate(order)}
    return sorted(fields, key=lambda one: place.get(one.name, len(place)))


def _ordered_names(names: Sequence[str], order: Sequence[str], hidden: frozenset[str]) -> tuple[str, ...]:
    place = {name: index for index, name in enumerate(order)}
    return tuple(sorted((one for one in names if one not in hidden), key=lambda one: place.get(one, len(place))))


# ---------------------------------------------------------------- views


def _merged_views(views: Sequence[View], changes: Changes, hidden: Mapping[str, frozenset[str]]) -> list[View]:
    said = {one.id: one for one in changes.views}
    made = [_merged_view(one, said.get(one.id), hidden.get(one.type, frozenset())) for one in views]
    made = [one for one in made if one.id not in said or not said[one.id].hidden]
    made += _new(views, changes.new_views, "id")
    place = {name: index for index, name in enumerate(changes.view_order)}
    return sorted(made, key=lambda one: place.get(one.id, len(place)))


def _merged_view(view: View, change: ViewChange | None, hidden: frozenset[str]) -> View:
    if change is not None:
        given = {
            name: value
            for name in ("label", "columns", "sort", "totals", "filter", "roles")
            if (value := getattr(change, name)) is not None
        }
        more = tuple(one for one in change.types if one not in (view.type, *view.types))
        types = (*(view.types or (view.type,)), *more) if more else view.types
        view = msgspec.structs.replace(view, **given, types=types)
    return msgspec.structs.replace(
        view,
        columns=tuple(one for one in view.columns if one not in hidden),
        totals=tuple(one for one in view.totals if one not in hidden),
        sort=tuple(one for one in view.sort if one.removeprefix("-") not in hidden),
    )
