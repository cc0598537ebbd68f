"""Edits by several people with versions never lose a field silently; what is exported comes back the same by an import."""

import datetime as dt
from functools import partial
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server_stub.api.methods import Import, import_objects
from server_stub.modules.engine.definition import Access, Choice, Field, FieldKind, TypeDefinition
from server_stub.modules.engine.handler import OFFICE_ENVELOPE
from server_stub.records.actor import Actor
from server_stub.records.types import JsonObject
from tests.modules.office_bench import refusal
from tests.property.office_worlds import LABEL, PEOPLE, OfficeWorld, open_world, text_field

EVERYBODY = Access(read=("everyone",), create=("everyone",), update=("everyone",), destroy=("everyone",))
NAMES = ("a", "b", "c", "d")
SHARED = TypeDefinition(
    name="Thing",
    label=LABEL,
    access=EVERYBODY,
    fields=(
        *(text_field(name) for name in NAMES),
        Field(name="count", kind=FieldKind.NUMBER, label=LABEL, formula=("add", "one", "two")),
        Field(name="one", kind=FieldKind.NUMBER, label=LABEL),
        Field(name="two", kind=FieldKind.NUMBER, label=LABEL),
    ),
)

edits = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.one_of(st.none(), st.integers(0, 6)),  # how many versions old what the person saw is; None: names none
        st.dictionaries(st.sampled_from(NAMES), st.sampled_from(("x", "y", "z", None)), min_size=1, max_size=3),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(edits)
def test_no_field_is_lost_silently(plan: list[tuple[int, int | None, JsonObject]]) -> None:
    with open_world(SHARED) as office:
        actors = [office.actor(one) for one in office.people]
        made = office.write(lambda tx: office.things.create(tx, actors[0], "k", {"a": "0", "b": "0"}))
        values: dict[str, str | None] = {"a": "0", "b": "0", "c": None, "d": None}
        writes: list[tuple[int, int, str]] = []  # (version, person, field)
        version = 1
        for who, age, patch in plan:
            seen = None if age is None else max(1, version - age)
            changed = {name for name, value in patch.items() if values[name] != value}
            others = {name for at, person, name in writes if seen is not None and at > seen and person != who}
            clash = changed & others
            named = patch | ({} if seen is None else {"version": seen})
            if clash:
                error = refusal(partial(edit, office, actors[who], made["id"], named))
                assert (error.type, error.properties) == ("conflict", sorted(clash))
                current = error.extra["current"]
                assert isinstance(current, dict)
                assert {name: current.get(name) for name in NAMES} == values
                continue
            answer = edit(office, actors[who], made["id"], named)
            if changed:
                version += 1
                assert answer is not None
                assert answer["version"] == version
                values.update(patch)
                writes += [(version, who, name) for name in changed]
            shown = office.database.read_now(lambda conn: office.things.get(conn, actors[1], None, None).list)[0]
            assert {name: shown.get(name) for name in NAMES} == values


def edit(office: OfficeWorld, actor: Actor, record_id: str, patch: JsonObject) -> JsonObject | None:
    answer: JsonObject | None = office.write(lambda tx: office.things.update(tx, actor, record_id, patch))
    return answer


# ---------------------------------------------------------------- import and export


WHOLE = TypeDefinition(
    name="Thing",
    label=LABEL,
    access=EVERYBODY,
    fields=(
        text_field("title", required=True),
        Field(name="long", kind=FieldKind.LONG_TEXT, label=LABEL),
        Field(name="rich", kind=FieldKind.RICH_TEXT, label=LABEL),
        Field(name="number", kind=FieldKind.NUMBER, label=LABEL),
        Field(name="exact", kind=FieldKind.NUMBER, label=LABEL, decimals=2),
        Field(name="money", kind=FieldKind.MONEY, label=LABEL),
        Field(name="date", kind=FieldKind.DATE, label=LABEL),
        Field(name="at", kind=FieldKind.DATETIME, label=LABEL),
        Field(name="span", kind=FieldKind.SPAN, label=LABEL),
        Field(name="flag", kind=FieldKind.BOOL, label=LABEL, default=True),
        Field(name="people", kind=FieldKind.PERSONS, label=LABEL),
        Field(
            name="kind",
            kind=FieldKind.CHOICE,
            label=LABEL,
            default="p",
            choices=(Choice(value="p", label=LABEL), Choice(value="q", label=LABEL)),
        ),
        text_field("why", when={"kind": "q"}, required=True),
        Field(
            name="lines",
            kind=FieldKind.LINES,
            label=LABEL,
            fields=(
                text_field("item", required=True),
                Field(name="quantity", kind=FieldKind.NUMBER, label=LABEL, default=1),
                Field(name="price", kind=FieldKind.MONEY, label=LABEL),
                Field(name="amount", kind=FieldKind.MONEY, label=LABEL, formula=("multiply", "quantity", "price")),
            ),
        ),
        Field(name="total", kind=FieldKind.MONEY, label=LABEL, formula=("sum", "lines.amount")),
    ),
)

words = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=20).map(lambda text: "字" + text)
moments = st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2200, 1, 1)).map(  # noqa: DTZ001 (the strategy adds none)
    lambda one: one.isoformat(timespec="milliseconds") + "Z"
)
amounts = st.decimals(-(10**6), 10**6, places=2).map(str)
lines = st.fixed_dictionaries({"item": words}, optional={"quantity": st.integers(0, 1000), "price": amounts})


@st.composite
def rows(draw: st.DrawFn) -> JsonObject:
    optional: dict[str, Any] = {
        "long": st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=50),
        "rich": words.map(lambda text: f"<p><b>{text}</b> & <script>x</script></p>"),
        "number": st.one_of(st.integers(-(2**50), 2**50), st.floats(-1e9, 1e9)),
        "exact": st.integers(-(10**8), 10**8).map(lambda one: one / 100),
        "money": amounts,
        "date": st.dates().map(lambda one: one.isoformat()),
        "at": moments,
        "flag": st.booleans(),
        "people": st.lists(st.integers(0, PEOPLE - 1), max_size=3),
        "lines": st.lists(lines, max_size=4),
    }
    row = draw(st.fixed_dictionaries({"title": words}, optional=optional))
    start, end = sorted((draw(moments), draw(moments)))
    if start < end and draw(st.booleans()):
        row["span"] = {"start": start, "end": end}
    if draw(st.booleans()):
        row |= {"kind": "q", "why": draw(words)}
    return row


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(rows(), min_size=1, max_size=5))
def test_what_is_exported_comes_back_the_same(given_rows: list[JsonObject]) -> None:
    with open_world(WHOLE) as office:
        actor = office.actor(office.people[0])
        for row in given_rows:
            row["people"] = [office.people[one] for one in row.get("people", [])]
        made = do_import(office, {str(n): row for n, row in enumerate(given_rows)}, dry_run=False)
        assert made["notCreated"] == {}
        exported = shown(office, [one["id"] for one in made["created"].values()])
        rehearsed = do_import(office, exported, dry_run=True)
        assert (rehearsed["notCreated"], len(rehearsed["created"])) == ({}, len(given_rows))
        again = do_import(office, exported, dry_run=False)
        back = shown(office, [one["id"] for one in again["created"].values()])
        assert list(back.values()) == list(exported.values())
        everything = office.database.read_now(lambda conn: office.things.get(conn, actor, None, None).list)
        assert len(everything) == 2 * len(given_rows)


@settings(max_examples=25, deadline=None)
@given(st.lists(rows(), min_size=1, max_size=5), st.data())
def test_one_wrong_row_and_nothing_is_imported(given_rows: list[JsonObject], data: st.DataObject) -> None:
    with open_world(WHOLE) as office:
        wrong = data.draw(st.sets(st.integers(0, len(given_rows) - 1), min_size=1))
        for number, row in enumerate(given_rows):
            row.pop("people", None)
            if number in wrong:
                row["money"] = "much"
        before = office.state()
        answer = do_import(office, {str(n): row for n, row in enumerate(given_rows)}, dry_run=data.draw(st.booleans()))
        assert answer["created"] == {}
        assert set(answer["notCreated"]) == {str(one) for one in wrong}
        assert all(one["properties"] == ["money"] for one in answer["notCreated"].values())
        assert office.state() == before


def do_import(office: OfficeWorld, rows_: dict[str, JsonObject], *, dry_run: bool) -> JsonObject:
    actor = office.actor(office.people[0])
    args = Import(actor.person_id, rows_, dry_run)
    answer: JsonObject = office.write(lambda tx: import_objects(tx, office.things, actor, args, {}))
    return answer


def shown(office: OfficeWorld, ids: list[str]) -> dict[str, JsonObject]:
    """The records as a client exports them: without envelope and what the server computes."""
    actor = office.actor(office.people[0])
    computed = {one.name for one in office.definition.fields if one.formula}
    objects = office.database.read_now(lambda conn: office.things.get(conn, actor, ids, None).list)
    by_id = {one["id"]: one for one in objects}
    return {
        f"row{number}": {key: value for key, value in by_id[one].items() if key not in OFFICE_ENVELOPE | computed}
        for number, one in enumerate(ids)
    }
