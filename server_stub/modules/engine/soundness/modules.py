"""Whether a module makes sense: its types, views, reports, labels and icons; and whether modules go together."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from server_stub.modules.engine.definition import (
    NESTED_KINDS,
    REFERENCE_KINDS,
    FieldKind,
    Measure,
    Migration,
    ModuleDefinition,
    Report,
    TypeDefinition,
    View,
    ViewKind,
)
from server_stub.modules.engine.saying import reason
from server_stub.modules.engine.soundness.filters import check_filter
from server_stub.modules.engine.soundness.findings import (
    DEPARTMENT_KINDS,
    FIGURE_KINDS,
    PERSON_KINDS,
    PLAIN_KINDS,
    SHOWN_KINDS,
    SORTABLE_KINDS,
    TIME_KINDS,
    Findings,
    every_label,
)
from server_stub.modules.engine.soundness.types import CLASS_NAME, check_type
from server_stub.modules.engine.soundness.values import value_problem

BUILT_IN_TYPES: Final = frozenset(
    {"Person", "Department", "Device", "LoginEntry", "Conversation", "Member", "Message", "Receipt"}
    | {"ReadMark", "Alert", "ModuleDefinition", "RecordChange", "Comment", "Follow", "Todo"}
)
"""Names of types that no module may take."""
GROUP_KINDS: Final = PLAIN_KINDS | PERSON_KINDS | DEPARTMENT_KINDS | REFERENCE_KINDS | {FieldKind.MULTI_CHOICE}
LANE_KINDS: Final = frozenset(
    {FieldKind.CHOICE, FieldKind.PERSON, FieldKind.DEPARTMENT, FieldKind.REFERENCE, FieldKind.BOOL}
)
NEEDED: Final[Mapping[ViewKind, tuple[str, ...]]] = {
    ViewKind.CALENDAR: ("time",),
    ViewKind.TIMELINE: ("time", "resource"),
    ViewKind.BOARD: ("group",),
    ViewKind.TREE: ("parent",),
    ViewKind.CHART: ("reports",),
    ViewKind.TABLE: ("columns",),
}
_PLACEHOLDER: Final = re.compile(r"(to-?do|fixme|tbd|x{2,}|[?.…_-]+)\Z", re.IGNORECASE)
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_LOWER: Final = re.compile(r"[a-z]{2}")


def module_problems(
    module: ModuleDefinition,
    others: Collection[ModuleDefinition] | None = None,
    *,
    icons: Collection[str] | None = None,
) -> list[str]:
    """One sentence for each thing that does not fit together.

    Args:
        others: all modules there are; None: not known, what may lie in another module is not complained about.
        icons: names of the icons that exist, without `ph.`; None: not known.
    """
    types = {one.name: one for other in others or () for one in other.types}
    found = Findings({**types, **{one.name: one for one in module.types}}, whole=others is not None)
    found.twice("types", "type", [one.name for one in module.types])
    for type_ in module.types:
        check_type(found, f"types.{type_.name}", type_)
    _check_views(found, module)
    _check_reports(found, module)
    for index, migration in enumerate(module.migrations):
        _check_migration(found, f"migrations[{index}]", module, migration)
    for one in module.kind_choices:
        name, _, field_name = one.partition(".")
        counted = found.type("kindChoices", name)
        if counted is not None:
            found.field("kindChoices", counted, field_name, {FieldKind.CHOICE})
    if module.kind_rules is not None and not CLASS_NAME.match(module.kind_rules):
        found.say("kindRules", "rulesClass", "names a class of rules.py")
    _check_labels(found, module)
    _check_icons(found, module, icons)
    return found.problems


def cross_problems(modules: Sequence[ModuleDefinition]) -> list[str]:
    """What is wrong between modules: names of types, needs, references to a module that `needs` does not name. Each begins with the module's id."""
    owner: dict[str, str] = {}
    problems: list[str] = []
    for module in modules:
        for one in module.types:
            if one.name in BUILT_IN_TYPES or owner.get(one.name, module.id) != module.id:
                problems.append(reason("typeTwice", "the type {type} exists already", type=one.name).at(module.id))
            owner.setdefault(one.name, module.id)
    needs = {module.id: set(module.needs) for module in modules}
    for module in modules:
        problems += [
            reason("needsNothing", "needs {module}, which does not exist", module=one).at(module.id)
            for one in module.needs
            if one not in needs
        ]
        if _reaches(needs, module.id):
            problems.append(reason("needsItself", "needs itself, perhaps by way of others").at(module.id))
        for target in _named_types(module):
            if owner.get(target, module.id) not in (module.id, *module.needs):
                text = "refers to {type} of {module}: say needs = [{module!r}]"
                problems.append(reason("sayNeeds", text, type=target, module=owner[target]).at(module.id))
    return problems


def _reaches(needs: Mapping[str, set[str]], start: str) -> bool:
    seen: set[str] = set()
    pending = [*needs[start]]
    while pending:
        one = pending.pop()
        if one == start:
            return True
        if one not in seen:
            seen.add(one)
            pending.extend(needs.get(one, ()))
    return False


def _named_types(module: ModuleDefinition) -> list[str]:
    """The types a module cannot do without: targets of references, types of views and reports. (Links it can: they show what is there.)"""
    fields = [inner for type_ in module.types for field in type_.fields for inner in (field, *field.fields)]
    named = [one.target for one in fields if one.target is not None]
    named += [one.type for one in module.views]
    named += [one.type for one in module.reports]
    return list(dict.fromkeys(named))


# ---------------------------------------------------------------- views and reports


def _check_views(found: Findings, module: ModuleDefinition) -> None:
    if not module.views:
        found.say("views", "noViews", "there must be at least one [[views]]")
    found.twice("views", "view", [one.id for one in module.views])
    for view in module.views:
        where = f"views.{view.id}"
        type_ = found.type(where, view.type)
        for key in NEEDED.get(view.kind, ()):
            if not getattr(view, key):
                found.say(where, "viewNeeds", "a {kind} needs {key}", kind=view.kind, key=key)
        for name in view.types or ((view.type,) if view.kind is ViewKind.DESK else ()):
            listed = found.type(f"{where}.types", name)
            if listed is not None and listed.process is None:
                found.say(f"{where}.types", "deskNeedsProcess", "{type} has no process: a desk shows cases", type=name)
        for report in view.reports:
            if report not in {one.id for one in module.reports}:
                found.say(where, "noReport", "there is no report {name}", name=report)
        if type_ is not None:
            _check_view(found, where, view, type_)


def _check_view(found: Findings, where: str, view: View, type_: TypeDefinition) -> None:
    check_filter(found, f"{where}.filter", type_, view.filter)
    for name in view.sort:
        found.field(f"{where}.sort", type_, name.removeprefix("-"), SORTABLE_KINDS, envelope=True)
    found.twice(f"{where}.columns", "column", view.columns)
    for name in view.columns:
        found.field(f"{where}.columns", type_, name, SHOWN_KINDS, envelope=True)
    for name in view.labels:
        found.field(f"{where}.labels", type_, name, SHOWN_KINDS, envelope=True)
    for name in view.totals:
        found.field(f"{where}.totals", type_, name, FIGURE_KINDS)
    if view.group is not None:
        kinds = LANE_KINDS if view.kind is ViewKind.BOARD else GROUP_KINDS
        found.field(f"{where}.group", type_, view.group, kinds, envelope=True)
    if view.time is not None:
        found.field(f"{where}.time", type_, view.time, TIME_KINDS, envelope=True)
    if view.register is not None:
        found.field(f"{where}.register", type_, view.register, {FieldKind.DATE, FieldKind.DATETIME}, envelope=True)
        if view.kind is not ViewKind.TABLE or not view.columns:
            found.say(f"{where}.register", "registerOfTable", "only a table with columns is a register")
    if view.resource is not None:
        found.field(f"{where}.resource", type_, view.resource, {FieldKind.REFERENCE, FieldKind.PERSON})
    if view.parent is not None:
        field = found.field(f"{where}.parent", type_, view.parent, {FieldKind.REFERENCE})
        if field is not None and field.target != type_.name:
            found.say(
                f"{where}.parent",
                "refersElsewhere",
                "{name} refers to {target}, not to {type}",
                name=view.parent,
                target=field.target,
                type=type_.name,
            )


def _check_reports(found: Findings, module: ModuleDefinition) -> None:
    found.twice("reports", "report", [one.id for one in module.reports])
    for report in module.reports:
        where = f"reports.{report.id}"
        type_ = found.type(where, report.type)
        if not report.measures:
            found.say(where, "noMeasures", "measures nothing")
        if type_ is not None:
            _check_report(found, where, report, type_)


def _check_report(found: Findings, where: str, report: Report, type_: TypeDefinition) -> None:
    check_filter(found, f"{where}.filter", type_, report.filter)
    found.twice(f"{where}.group", "group", report.group)
    for group in report.group:
        _, colon, name = group.rpartition(":")
        kinds = TIME_KINDS if colon else GROUP_KINDS
        found.field(f"{where}.group", type_, name, kinds, envelope=True)
    for measure in report.measures:
        _check_measure(found, f"{where}.measures", measure, type_)


def _check_measure(found: Findings, where: str, measure: Measure, type_: TypeDefinition) -> None:
    if (measure.op == "count") != (measure.field is None):
        found.say(
            where,
            "measureField",
            "{op} {what}",
            op=measure.op,
            what="counts records: no field" if measure.field else "needs a field",
        )
    elif measure.field is not None:
        found.field(where, type_, measure.field, FIGURE_KINDS)
    if measure.per is not None:
        found.field(where, type_, measure.per, FIGURE_KINDS)


# ---------------------------------------------------------------- migrations


def _check_migration(found: Findings, where: str, module: ModuleDefinition, migration: Migration) -> None:
    given = [migration.rename is not None, migration.drop, bool(migration.values), migration.fill is not None]
    if given.count(True) != 1:
        found.say(where, "oneMigration", "says exactly one of rename, drop, values, fill")
        return
    type_ = module.type(migration.type)
    if migration.field is None:
        if not migration.drop or type_ is not None:
            found.say(where, "dropOfType", "only the drop of a type that is gone names no field")
        return
    if type_ is None:
        found.say(
            where, "typeGone", "there is no type {type}: drop without a field destroys its records", type=migration.type
        )
    else:
        _check_field_migration(found, where, type_, migration)


def _check_field_migration(found: Findings, where: str, type_: TypeDefinition, migration: Migration) -> None:
    outer, dot, inner = str(migration.field).partition(".")
    fields, name = {one.name: one for one in type_.every_field}, outer
    if dot:
        held = found.field(where, type_, outer, NESTED_KINDS)
        if held is None:
            return
        fields, name = {one.name: one for one in held.fields}, inner
    if migration.rename is not None:
        if name in fields:
            found.say(where, "stillThere", "{name} is still there: it cannot be renamed", name=name)
        if migration.rename not in fields:
            found.say(where, "noField", "there is no field {name}", name=migration.rename)
        return
    field = fields.get(name)
    if migration.drop:
        return
    if field is None:
        found.say(where, "noField", "there is no field {name}", name=name)
    elif migration.values:
        known = {one.value for one in field.choices}
        for old, new in migration.values.items():
            if new not in known or old in known:
                found.say(
                    where,
                    "badMigration",
                    "values: {old} = {new}: from a choice that is gone to one that is there",
                    old=old,
                    new=new,
                )
    else:
        problem = value_problem(field, migration.fill)
        if problem is not None:
            found.say(where, "badFill", "fill {problem}", problem=problem)


# ---------------------------------------------------------------- words and pictures


def _check_labels(found: Findings, module: ModuleDefinition) -> None:
    for where, label in every_label(module):
        for language, text in (("zh", label.zh), ("en", label.en)):
            if not text.strip() or text != text.strip():
                found.say(
                    where, "blankText", "the text in {language} is blank, or has blanks around it", language=language
                )
            elif _PLACEHOLDER.match(text):
                found.say(where, "noRealText", "{text!r} is no text for people", text=text)
        if _HAN.search(label.en):
            found.say(where, "chineseInEnglish", "the English text has Chinese in it")
        if label.zh == label.en and _LOWER.search(label.en) and not where.endswith(".unit"):
            found.say(where, "sameTexts", "the Chinese text is the English one")


def _check_icons(found: Findings, module: ModuleDefinition, icons: Collection[str] | None) -> None:
    if icons is None:
        return
    named = [module.icon, *(one.icon for type_ in module.types for one in type_.actions)]
    for icon in dict.fromkeys(one for one in named if one is not None):
        if icon.removeprefix("ph.") not in icons:
            found.say("icon", "noIcon", "there is no icon {name}", name=icon)
