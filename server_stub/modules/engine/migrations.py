"""Changing a definition with data in place: what a new set of folders would do with the records there are, in sentences; then doing it.

What would lose data is refused unless a [[migrations]] entry says what is meant. Safe conversions (one person → persons) need no entry.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from server_stub.clock import utc_offset
from server_stub.errors import SetError
from server_stub.modules.engine.alerts import do_drop_alerts
from server_stub.modules.engine.bookings import do_release
from server_stub.modules.engine.case_removal import do_drop_cases
from server_stub.modules.engine.comments import do_drop_comments
from server_stub.modules.engine.conditions import Standpoint, matches
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.conversions import apply_migration, converted, told
from server_stub.modules.engine.definition import Field, Migration, ModuleDefinition, TypeDefinition
from server_stub.modules.engine.dues import do_clear_due
from server_stub.modules.engine.follows import do_drop_follows
from server_stub.modules.engine.formulas import TooLarge, compute_record
from server_stub.modules.engine.keeping import do_refresh
from server_stub.modules.engine.marks import do_drop_marks
from server_stub.modules.engine.saying import Said
from server_stub.modules.engine.scopes import do_forget_basis
from server_stub.modules.engine.todos import do_drop_todos
from server_stub.modules.engine.uniqueness import do_release_unique
from server_stub.modules.engine.values import Check, WrongValue, check_value, fill_value
from server_stub.records.store import Record, do_destroy_record, do_update_record, load_records_of_type
from server_stub.records.types import JsonObject
from server_stub.storage.blobs import do_unrefer
from server_stub.storage.database import Tx

MODULE_DEFINITION: Final = "ModuleDefinition"
MAX_TOLD: Final = 20
FITS: Final = Said("the data in place fits; nothing is to be done with it", "现有数据都合适，不需要改动")
_SHOWN: Final = frozenset(
    {"label", "help", "color", "icon", "unit", "primary", "destructive", "sections", "links", "paper", "tracked"}
)
_ALIASES: Final = {"objects": "lines"}  # as kinds were called once
_WEIGHTY: Final = ("kind", "min", "max", "decimals", "pattern", "target", "fields", "choices", "unique", "required")
"""What of a field, when it changes, can make a stored value unfit."""


class DataWouldBeLost(Exception):
    """The folders say something else than the data in place. `refusals`: one sentence for each thing, naming what to do about it."""

    def __init__(self, refusals: Sequence[str]) -> None:
        super().__init__("; ".join(refusals))
        self.refusals = tuple(refusals)


@dataclass(slots=True)
class Plan:
    """What would become of the data.

    Attributes:
        news: modules that are new, changed or gone.
        steps: what is done with the data, with counts; empty: nothing.
        refusals: why it is not done.
        changed: the types that say something else than before: what is derived from their records is made anew.
        gone: types that are dropped with their records.
        rewritten: record → its new data.
    """

    news: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    rewritten: list[tuple[Record, JsonObject]] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The plan for people."""
        refused = [Said(f"refused: {one}", f"不能执行：{_zh(one)}") for one in self.refusals]
        return [*refused, *self.news, *(self.steps or ([] if refused else [FITS]))]


def do_migrate(
    tx: Tx, modules: Sequence[ModuleDefinition], context: OfficeContext | None, *, refuse: bool = True
) -> Plan:
    """Bring the data in line with these definitions: rewrite records, drop types, make anew what is derived (rights, to-dos, bookings).

    History is left as it is. Must run before the definitions are published, and in the same transaction.

    Args:
        context: of the handlers of these definitions; None when there are none.
        refuse: False: go on and tell in the plan, for a rehearsal.

    Raises:
        DataWouldBeLost: something would be lost that no migration names; the transaction must not be kept.
    """
    plan = make_plan(tx.conn, modules, tx.now)
    if plan.refusals and refuse:
        raise DataWouldBeLost(plan.refusals)
    for name in plan.gone:
        for record in load_records_of_type(tx.conn, name):
            _do_drop(tx, record)
    for record, data in plan.rewritten:
        do_update_record(tx, record, data, touch_time=False, history=False)
    for name in plan.changed:
        assert context is not None  # there are modules, for something of theirs changed
        _do_refresh_type(tx, context, name, plan)
    if plan.refusals and refuse:
        raise DataWouldBeLost(plan.refusals)
    return plan


def _do_refresh_type(tx: Tx, context: OfficeContext, type_name: str, plan: Plan) -> None:
    """Rights, unique values, bookings, reminders and to-dos of every record of a type."""
    tx.raw.execute("DELETE FROM unique_value WHERE type = ?", (type_name,))
    tx.raw.execute("DELETE FROM booking WHERE type = ?", (type_name,))
    problems: list[str] = []
    for record in load_records_of_type(tx.conn, type_name):
        try:
            with tx.savepoint():
                do_refresh(tx, context, record)
        except SetError as problem:
            words = f"{type_name}: the record {record.id} cannot stay as it is: {problem}"
            problems.append(Said(words, f"{type_name}：记录 {record.id} 不能保持原样：{problem}"))
    plan.refusals += problems[:MAX_TOLD]
    if len(problems) > MAX_TOLD:
        more = len(problems) - MAX_TOLD
        plan.refusals.append(Said(f"{type_name}: and {_records(more)} more", f"{type_name}：还有 {more} 条记录"))


def _do_drop(tx: Tx, record: Record) -> None:
    """A record of a type that nobody knows any more, with all that hangs on it."""
    do_drop_cases(tx, record.id)
    do_release_unique(tx, record.id)
    do_release(tx, record.id)
    do_drop_todos(tx, record.id)
    do_drop_comments(tx, record.id)
    do_drop_follows(tx, record.id)
    do_drop_marks(tx, record.id)
    do_drop_alerts(tx, record.type, record.id)
    do_clear_due(tx, record.id)
    do_unrefer(tx, record.id, record.type)
    do_forget_basis(tx, record.id)
    do_destroy_record(tx, record.id)


def make_plan(conn: sa.Connection, modules: Sequence[ModuleDefinition], now: int) -> Plan:
    """Compare these definitions with those the data was written under, and with the data. Writes nothing; `now` in ms."""
    published = load_records_of_type(conn, MODULE_DEFINITION)
    before = _known_types(published)
    plan = Plan(news=_news(modules, {one.id: one.data for one in published}))
    types = {one.name: one for module in modules for one in module.types}
    for module in modules:
        for type_ in module.types:
            old = before.pop(type_.name, None)
            if old is not None and _bones(old) == _bones(_wire_type(module, type_.name)):
                continue
            plan.changed.append(type_.name)
            meant = [one for one in module.migrations if one.type == type_.name]
            checker = _Checker(conn, type_, old, meant, types, now)
            checker.look_at(_stream(conn, type_.name), plan)
    dropped = {one.type for module in modules for one in module.migrations if one.field is None and one.drop}
    for name in sorted(before):
        _plan_gone_type(conn, name, name in dropped, plan)
    return plan


def _plan_gone_type(conn: sa.Connection, name: str, meant: bool, plan: Plan) -> None:
    row = conn.exec_driver_sql("SELECT count(*) FROM record WHERE type = ?", (name,)).fetchone()
    count = int(row[0]) if row else 0
    if count and not meant:
        say = f'[[migrations]] type = "{name}", drop = true'
        en = f"{name}: the type is gone, {_records(count)} of it would be lost; if that is meant say {say}"
        plan.refusals.append(Said(en, f"{name}：类型已不存在，将丢失 {count} 条记录；确要如此请写明 {say}"))
    elif count:
        plan.gone.append(name)
        en = f"{name}: the type is gone, {_records(count)} destroyed"
        plan.steps.append(Said(en, f"{name}：类型已不存在，删除 {count} 条记录"))


def _news(modules: Sequence[ModuleDefinition], published: Mapping[str, JsonObject]) -> list[str]:
    told: list[str] = []
    for module in modules:
        if module.id not in published:
            names = ", ".join(one.name for one in module.types)
            zh = f"{module.id}：新模块，含 {'、'.join(one.label.zh for one in module.types)}"
            told.append(Said(f"{module.id}: the module is new, with {names}", zh))
        elif published[module.id] != module.to_object():
            told.append(Said(f"{module.id}: the definition changed", f"{module.label.zh}：定义有变化"))
    gone = sorted(published.keys() - {module.id for module in modules})
    return told + [Said(f"{one}: the module is gone", f"{one}：模块已不存在") for one in gone]


def _known_types(definitions: Iterable[Record]) -> dict[str, JsonObject]:
    """Type → as it was published last."""
    return {one["name"]: one for record in definitions for one in record.data.get("types", ())}


def _wire_type(module: ModuleDefinition, name: str) -> JsonObject:
    found: JsonObject = next(one for one in module.to_object()["types"] if one["name"] == name)
    return found


def _stream(conn: sa.Connection, type_name: str) -> Iterator[Record]:
    yield from load_records_of_type(conn, type_name)


def _bones(wire: Any) -> Any:
    """A definition without what is only shown: words and colors change as they like."""
    if isinstance(wire, list):
        return [_bones(one) for one in wire]
    return {key: _bones(one) for key, one in wire.items() if key not in _SHOWN} if isinstance(wire, dict) else wire


def _zh(sentence: str) -> str:
    return sentence.zh if isinstance(sentence, Said) else sentence


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count} records"


class _Checker:
    """One type whose definition changed, and what that does to its records."""

    def __init__(
        self,
        conn: sa.Connection,
        type_: TypeDefinition,
        old: JsonObject | None,
        migrations: Sequence[Migration],
        types: Mapping[str, TypeDefinition],
        now: int,
    ) -> None:
        self._type = type_
        self._old = _old_fields(old)
        self._renamed = {one.rename: one.field for one in migrations if one.rename is not None}
        self._migrations = [one for one in migrations if one.field is not None and self._is_due(one)]
        self._gone = [name for name in self._old if type_.field(name) is None and not self._old[name].get("computed")]
        self._standpoint = Standpoint("", (), now, utc_offset(now))
        self._conn, self._types = conn, types
        self._done: Counter[Said] = Counter()
        self._lost: Counter[Said] = Counter()
        self._changed = [one for one in type_.every_field if not one.computed and self._is_weighty(one)]

    def look_at(self, records: Iterable[Record], plan: Plan) -> None:
        """Add to the plan what becomes of these records."""
        for record in records:
            data = self._migrated(record)
            if data != record.data:
                plan.rewritten.append((record, data))
        plan.steps += self._told(self._done)
        plan.refusals += self._told(self._lost)

    def _told(self, counts: Counter[Said]) -> list[Said]:
        return [
            Said(f"{self._type.name}.{said}", f"“{self._type.label.zh}”{said.zh}")
            for said in (what.filled(_records(n), f"{n} 条记录") for what, n in sorted(counts.items()))
        ]

    def _label(self, name: str) -> str:
        """The field as people know it."""
        found = self._type.field(name)
        return f"“{found.label.zh}”" if found is not None else name

    # ------------------------------------------------------------ what changed

    def _is_due(self, migration: Migration) -> bool:
        """An entry stays in the file for ever; it is done while what it is about differs from what was published."""
        outer = str(migration.field).partition(".")[0]
        now = self._type.field(outer)
        return self._old.get(outer) != (None if now is None else _weighty(now))

    def _is_weighty(self, one: Field) -> bool:
        before = self._old.get(self._renamed.get(one.name) or one.name)
        return before is None or any(before.get(key) != _weighty(one).get(key) for key in _WEIGHTY)

    # ------------------------------------------------------------ one record

    def _migrated(self, record: Record) -> JsonObject:
        data = dict(record.data)
        for migration in self._migrations:
            if apply_migration(migration, self._type, data):
                field, done = str(migration.field), told(migration)
                self._done[Said(f"{field}: {done} in {{}}", f"{self._label(field)}：{done}，涉及{{}}")] += 1
        for name in self._gone:
            if data.get(name) is not None:
                self._lost[Said(f"{name}: {_GONE}", f"{self._label(name)}：{_GONE.zh}")] += 1
        for one in self._changed:
            self._settle(record, one, data)
        self._compute(record, data)
        return data

    def _settle(self, record: Record, one: Field, data: JsonObject) -> None:
        """A changed field: convert, check, and fill in a default where nothing is."""
        before = self._old.get(self._renamed.get(one.name) or one.name)
        value = data.get(one.name)
        if value is None:
            if before is None or (one.required and not before.get("required")):
                self._fill(record, one, data)
            return
        if one.formula:
            return
        old_kind = before["kind"] if before is not None else one.kind
        fitting_kind = converted(old_kind, one.kind, value)
        check = Check(self._conn, None, self._standpoint, self._types, frozenset(_texts(value)))
        try:
            fitting = check_value(check, one, fitting_kind)
        except WrongValue as problem:
            what = f"became a {one.kind}" if old_kind != one.kind else "fits no more"
            say = "values" if one.choices else "fill or drop"
            en = f"{one.name}: {what} in {{}} ({problem}); say with {say} in [[migrations]] what is meant"
            turned = f"改为 {one.kind}，" if old_kind != one.kind else ""
            zh = f"{self._label(one.name)}：{turned}{{}}的值不再合适（{problem}）；请在 [[migrations]] 中用 {say} 说明"
            self._lost[Said(en, zh)] += 1
            return
        if old_kind != one.kind and fitting != value:
            en = f"{one.name}: turned from {old_kind} into {one.kind} in {{}}"
            self._done[Said(en, f"{self._label(one.name)}：由 {old_kind} 转为 {one.kind}，涉及{{}}")] += 1
            data[one.name] = fitting

    def _fill(self, record: Record, one: Field, data: JsonObject) -> None:
        if one.formula or (one.when is not None and not matches(one.when, _shown(record, data), self._standpoint)):
            return
        point = Standpoint(record.author_id or "", (), self._standpoint.now, self._standpoint.offset)
        value = None if one.default is None else fill_value(point, one, one.default)
        if value not in (None, "", []):
            data[one.name] = value
            en = f"{one.name}: the default is filled in in {{}}"
            self._done[Said(en, f"{self._label(one.name)}：为{{}}填入默认值")] += 1
        elif one.required and value is None:
            say = "give it a default, or say with fill in [[migrations]] what they have"
            en = f"{one.name}: is required now, but {{}} have nothing there; {say}"
            zh = (
                f"{self._label(one.name)}：现为必填，但有{{}}没有填写；请给出默认值，或在 [[migrations]] 中用 fill 说明"
            )
            self._lost[Said(en, zh)] += 1

    def _compute(self, record: Record, data: JsonObject) -> None:
        try:
            compute_record(self._type.every_field, data)
        except TooLarge as problem:
            en = f"{problem}: the formula gives more than can be stored in {{}}"
            self._lost[Said(en, f"{problem}：公式的结果过大，涉及{{}}")] += 1
        if any(data.get(one.name) != record.data.get(one.name) for one in self._type.fields if one.formula):
            self._done[Said("formulas: computed anew in {}", "公式：重新计算{}")] += 1


_GONE: Final = Said(
    "the field is gone, but {} have a value; say with rename or drop in [[migrations]] what becomes of it",
    "字段已不存在，但有{}填有内容；请在 [[migrations]] 中用 rename 或 drop 说明如何处理",
)


def _old_fields(old: JsonObject | None) -> dict[str, JsonObject]:
    """Field → what of it matters, as it was published; `state` too."""
    if old is None:
        return {}
    fields = [*old.get("fields", ())]
    if old.get("states"):
        choices = [{"value": one["value"]} for one in old["states"]]
        fields.insert(0, {"name": "state", "kind": "choice", "required": True, "choices": choices})
    return {one["name"]: _essence(one) for one in fields}


def _weighty(one: Field) -> JsonObject:
    return _essence(_wire(one))


def _wire(one: Field) -> JsonObject:
    """What of a field matters, in the form of the wire."""
    return {
        "kind": one.kind.value,
        "required": one.required,
        "computed": one.computed,
        "unique": one.unique,
        "min": one.min,
        "max": one.max,
        "decimals": one.decimals,
        "pattern": one.pattern,
        "target": one.target,
        "choices": [{"value": choice.value} for choice in one.choices],
        "fields": [{"name": inner.name, **_wire(inner)} for inner in one.fields],
    }


def _essence(wire: Mapping[str, Any]) -> JsonObject:
    kept = {key: wire[key] for key in (*_WEIGHTY, "computed") if wire.get(key) not in (None, False, [], ())}
    kept["kind"] = _ALIASES.get(str(kept.get("kind")), kept.get("kind"))
    if "choices" in kept:
        kept["choices"] = sorted(one["value"] for one in kept["choices"]) if kept["choices"] else []
    if "fields" in kept:
        kept["fields"] = {one["name"]: _essence(one) for one in kept["fields"]}
    return kept


def _shown(record: Record, data: JsonObject) -> JsonObject:
    return {**record.to_object(), **data}


def _texts(value: Any) -> Iterator[str]:
    """Every text inside a value: ids that were chosen once need not be chosen again."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
