"""Office records in both stores: conditions, orders, pages, groups and the overlay of the outbox mean the same in memory and in SQL."""

import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.core.clock import parse_utc_date
from desktop.core.domain import Document, Folder, GroupSummary, Notice, Record
from desktop.core.domain.conditions import ALWAYS, Facts, Overlaps, matches, resolve
from desktop.core.domain.records import Figure, FigureGroup, Placed, wire_of
from desktop.core.events import ChangeSet
from desktop.core.protocol.objects import record_of
from desktop.core.store import record_tables
from desktop.core.store.memory import MemoryStore
from desktop.core.store.sqlite import SqliteStore
from desktop.core.sync.port import (
    DropType,
    FiguresWanted,
    GroupsWanted,
    KeepOnly,
    PutObjects,
    RecordsWanted,
    RemoveObjects,
    SetState,
    SortKey,
    Store,
)

ME = "me"
KEY = bytes(range(32))
FACTS = Facts("p1", ("d1", "d2"), parse_utc_date("2026-11-22T02:00:00Z"), 480)
GOLDEN = Path(__file__).parents[2] / "resources" / "protocol" / "golden" / "filters.json"


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    make: dict[str, Callable[[], Store]] = {
        "memory": lambda: MemoryStore(ME),
        "sqlite": lambda: SqliteStore.open(tmp_path / "store.db", KEY, ME),
    }
    opened = make[str(request.param)]()
    yield opened
    opened.close()


def trip(record_id: str, **data: Any) -> Record:
    return Record(record_id, "Trip", data, "p1", 1000, 2000, 1)


def put(store: Store, *records: Record) -> list[ChangeSet]:
    return store.apply([PutObjects("Trip", records)])


def ids(store: Store, wanted: Any = None, **how: Any) -> list[str]:
    condition = resolve(wanted, FACTS)
    wanted = RecordsWanted("Trip", condition, **how)
    found = [record.id for record in store.load_page(wanted)[0]]
    assert store.load_ids(wanted) == found
    return found


def test_records_of_a_type_nobody_declared_come_back_as_they_went_in(store: Store) -> None:
    one = trip("t1", plate="沪A", span={"start": "2026-11-22T01:00:00.000Z", "end": "2026-11-22T02:00:00.000Z"}, n=[1])
    assert put(store, one) == [ChangeSet("Trip", ("t1",))]
    assert store.load_records("Trip", ["t1", "no"]) == {"t1": one}
    assert store.load_object("Trip", "t1") == one
    assert store.load_objects("Trip") == [one]
    assert store.load_objects("Nothing") == []
    assert store.load_page(RecordsWanted("Nothing")) == ([], 0)
    assert store.load_ids(RecordsWanted("Nothing")) == []
    changed = msgspec.structs.replace(one, data={"plate": "沪B"}, version=2)
    put(store, changed)
    assert store.load_records("Trip", ["t1"]) == {"t1": changed}
    assert ids(store, {"plate": "沪A"}) == []


def test_removed_records_and_dropped_types_are_told_once(store: Store) -> None:
    put(store, trip("t1"), trip("t2"), trip("t3"))
    assert store.apply([RemoveObjects("Trip", ("t1", "t9"))]) == [ChangeSet("Trip", (), ("t1",))]
    assert store.apply([KeepOnly("Trip", frozenset({"t3"}))]) == [ChangeSet("Trip", (), ("t2",))]
    store.apply([SetState("Trip", "7")])
    assert store.apply([DropType("Trip")]) == [ChangeSet("Trip", (), ("t3",))]
    assert store.apply([DropType("Trip")]) == []
    assert store.load_saved().states == {}
    put(store, trip("t4"))
    assert ids(store) == ["t4"]


def test_notices_folders_and_documents_are_records_and_structs(store: Store) -> None:
    notice = Notice("n1", "Flood", "<p>water</p>", published_at=1_700_000_000_000, author_id="p1", created_at=5)
    folder = Folder("f2", "Inside", "f1", "d1")
    document = Document("x1", "Plan", "f2", "b" * 64, "plan.pdf", size=7, number="1号", owner_id="p1", updated_at=9)
    store.apply([PutObjects("Notice", (notice,)), PutObjects("Folder", (folder,)), PutObjects("Document", (document,))])
    assert store.load_object("Notice", "n1") == notice
    assert store.load_objects("Folder", parent="f1") == [folder]
    assert store.load_objects("Document", parent="f2") == [document]
    assert store.load_objects("Document", parent="f1") == []
    record = store.load_records("Notice", ["n1"])["n1"]
    assert (record.type, record.author_id, record.created_at) == ("Notice", "p1", 5)
    assert record.data["publishedAt"] == "2023-11-14T22:13:20.000Z"
    assert "myReadAt" not in record.data


def test_orders_put_empties_last_either_way(store: Store) -> None:
    put(
        store,
        trip("a", name="beta", cost="9.50", state="done", driver="p2"),
        trip("b", name="Alpha", cost="100.00", state="draft", driver="p1"),
        trip("c", cost="-3.00", state="other"),
        trip("d", name="gamma", state="draft", driver="p9"),
    )

    def by(*keys: SortKey) -> str:
        return "".join(ids(store, sort=keys))

    assert by(SortKey("name")) == "badc"
    assert by(SortKey("name", True)) == "dabc"
    assert by(SortKey("cost", kind="money")) == "cabd"
    assert by(SortKey("cost", True, "money")) == "bacd"
    assert by(SortKey("state", kind="choice", choices=("draft", "done"))) == "bdac"
    assert by(SortKey("driver", kind="name", names={"p1": "zhang", "p2": "An"})) == "adbc"
    assert by(SortKey("state", kind="choice", choices=("draft", "done")), SortKey("name", True)) == "dbac"
    assert by(SortKey("nothing"), SortKey("id", True)) == "dcba"


def test_pages_tell_how_many_there_are(store: Store) -> None:
    put(store, *(trip(f"t{n:02}", n=n, odd=bool(n % 2)) for n in range(25)))
    odd = resolve({"odd": True}, FACTS)
    for offset, limit, count in ((0, 5, 5), (10, 5, 2), (12, 5, 0), (0, None, 12), (0, 12, 12), (0, 0, 0)):
        found, total = store.load_page(RecordsWanted("Trip", odd, (SortKey("n"),), offset, limit))
        assert (len(found), total) == (count, 12)
        assert [record.data["n"] for record in found] == list(range(1, 25, 2))[offset:][
            : limit if limit is not None else 99
        ]


def test_groups_count_and_add_exactly(store: Store) -> None:
    amounts = ["0.10", "0.20", "1000000000.05"]
    put(store, *(trip(f"t{n}", state="done", cost=cost, km=n + 0.5) for n, cost in enumerate(amounts)))
    put(store, trip("x", state="draft", km=2), trip("y", cost="5.00"))
    wanted = GroupsWanted(RecordsWanted("Trip"), "state", ("cost", "km"), frozenset({"cost"}))
    assert store.load_groups(wanted) == [
        GroupSummary("done", 3, {"cost": "1000000000.35", "km": "4.5"}),
        GroupSummary("draft", 1, {"cost": "0.00", "km": "2"}),
        GroupSummary(None, 1, {"cost": "5.00", "km": "0"}),
    ]
    everything = GroupsWanted(RecordsWanted("Trip"), None, ("cost",), frozenset({"cost"}))
    assert store.load_groups(everything) == [GroupSummary(None, 5, {"cost": "1000000005.35"})]
    assert store.load_groups(GroupsWanted(RecordsWanted("Trip", resolve({"state": []}, FACTS)))) == []


def test_the_outline_is_every_id_in_order_with_what_a_field_holds(store: Store) -> None:
    put(
        store,
        trip("a", n=3, state="done", who=["p1", "p2"]),
        trip("b", n=1, state="draft", flag=True),
        trip("c", n=2, who=[], flag=False, text="x" * 200),
    )
    laid = RecordsWanted("Trip", sort=(SortKey("n"),), overlay=(trip("d", n=0, state="new"),), hidden=frozenset({"c"}))
    assert store.load_outline(laid, "state") == [Placed("d", "new"), Placed("b", "draft"), Placed("a", "done")]
    whole = RecordsWanted("Trip", sort=(SortKey("n", True),))
    assert [one.value for one in store.load_outline(whole, "who")] == [("p1", "p2"), None, None]
    assert [one.value for one in store.load_outline(whole, "flag")] == [None, False, True]
    assert [one.value for one in store.load_outline(whole, "id")] == ["a", "c", "b"]
    assert [one.id for one in store.load_outline(RecordsWanted("Trip", resolve({"n": 2}, FACTS)), "text")] == ["c"]
    assert store.load_outline(RecordsWanted("Nothing"), "id") == []


def test_figures_by_several_fields_are_exact(store: Store) -> None:
    put(
        store,
        trip("a", day="2026-10-31", cost="0.10", km=1.5, who=["p1", "p2"]),
        trip("b", day="2026-10-01", cost="0.20", km=2),
        trip("c", day="2026-11-01", cost="-3.00", who=["p1", "p2"]),
        trip("d"),
    )
    wanted = FiguresWanted(RecordsWanted("Trip"), (("month", "day"), ("", "who")), ("cost", "km"), frozenset({"cost"}))
    found = {group.keys: group for group in store.load_figures(wanted) or ()}
    one, ten, three = Decimal("0.10"), Decimal("0.20"), Decimal("-3.00")
    assert found["2026-10", ("p1", "p2")].figures == {
        "cost": Figure(1, one, one, one), "km": Figure(1, Decimal("1.5"), Decimal("1.5"), Decimal("1.5"))
    }  # fmt: skip
    assert found["2026-10", None].figures == {"cost": Figure(1, ten, ten, ten), "km": Figure(1, *[Decimal(2)] * 3)}
    assert found["2026-11", ("p1", "p2")].figures == {"cost": Figure(1, three, three, three), "km": Figure()}
    assert found[None, None].figures == {"cost": Figure(), "km": Figure()}
    assert [group.count for group in found.values()] == [1, 1, 1, 1]
    whole = store.load_figures(FiguresWanted(RecordsWanted("Trip"), (), ("cost",), frozenset({"cost"})))
    assert whole == [FigureGroup((), 4, {"cost": Figure(3, Decimal("-2.70"), three, ten)})]
    put(store, trip("e", who="x" * 200))
    assert store.load_figures(wanted) is None, "a long text is not known whole"


def test_times_of_groups_are_local_days(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    late = {"start": "2026-10-31T16:30:00.000Z", "end": "2026-10-31T17:00:00.000Z"}
    put(store, trip("a", span=late), trip("b", span="2026-10-31T15:59:59.000Z"), trip("c", span="2026-12-31"))
    try:
        for unit, days in (("day", ["2026-10-31", "2026-11-01", "2026-12-31"]), ("year", ["2026"])):
            found = store.load_figures(FiguresWanted(RecordsWanted("Trip"), ((unit, "span"),))) or []
            assert sorted(str(group.keys[0]) for group in found) == days
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_span_is_found_in_every_time_it_touches(store: Store) -> None:
    put(
        store,
        trip("long", span={"start": "2026-01-01T00:00:00.000Z", "end": "2026-11-22T10:00:00Z"}),
        trip("touches", span={"start": "2026-11-22T12:00:00.000Z", "end": "2026-11-22T13:00:00.000Z"}),
        trip("inside", span={"start": "2026-11-22T10:00:00.000Z", "end": "2026-11-22T12:00:00.000Z"}),
        trip("open", span={"start": "2026-11-01T10:00:00.000Z"}),
        trip("moment", span="2026-11-22T10:00:00.000Z"),
        trip("before", span="2026-11-22T09:59:59.000Z"),
        trip("none", span="soon"),
        trip("empty"),
    )

    def during(start: str, end: str) -> list[str]:
        condition = Overlaps("span", f"2026-11-22T{start}:00.000Z", f"2026-11-22T{end}:00.000Z")
        return sorted(record.id for record in store.load_page(RecordsWanted("Trip", condition))[0])

    assert during("10:00", "12:00") == ["inside", "moment", "open"]
    assert during("09:59", "10:00") == ["before", "long", "open"]
    assert during("12:30", "12:31") == ["open", "touches"]
    assert store.load_page(RecordsWanted("Trip", Overlaps("nothing", "a", "b"))) == ([], 0)


def test_the_outbox_lies_over_a_page_and_leaves_no_trace(store: Store) -> None:
    put(store, trip("a", name="1"), trip("b", name="2"), trip("c", name="3"))
    laid = (trip("b", name="9", fresh=True), trip("d", name="0"))
    how = {"sort": (SortKey("name"),), "overlay": laid, "hidden": frozenset({"a"})}
    assert ids(store, **how) == ["d", "c", "b"]
    assert ids(store, {"fresh": True}, **how) == ["b"]
    assert ids(store, {"text": "9"}, **how) == ["b"]
    page, total = store.load_page(RecordsWanted("Trip", ALWAYS, (SortKey("name"),), 1, 1, laid, frozenset({"a"})))
    assert ([record.id for record in page], total) == (["c"], 3)
    assert ids(store, sort=(SortKey("name"),)) == ["a", "b", "c"]
    assert ids(store, {"fresh": True}) == []
    other = RecordsWanted("Fresh", ALWAYS, overlay=(Record("r", "Fresh", {"x": 1}),))
    assert [record.id for record in store.load_page(other)[0]] == ["r"]
    assert store.load_ids(other) == ["r"]
    assert store.load_page(RecordsWanted("Fresh")) == ([], 0)
    put(store, trip("e", fresh=True))
    assert ids(store, {"fresh": True}) == ["e"]


def test_the_golden_filters_hold_in_the_store(store: Store) -> None:
    for case in json.loads(GOLDEN.read_text(encoding="utf-8")):
        facts = Facts(case["me"], tuple(case["departments"]), parse_utc_date(case["now"]), case["timeZone"])
        store.apply([PutObjects("Trip", (record_of("Trip", dict(case["record"])),))])
        found, total = store.load_page(RecordsWanted("Trip", resolve(case["filter"], facts)))
        assert (len(found), total) == ((1, 1) if case["matches"] else (0, 0)), case["filter"]


fields = st.sampled_from(["a", "b", "c", "dueDate", "at", "span", "cost"])
days = st.sampled_from(["2026-11-21", "2026-11-22", "2026-11-23"])
moments = st.sampled_from(["2026-11-21T16:00:00Z", "2026-11-21T16:30:00.000Z", "2026-11-22T02:00:00.000Z"])
words = st.sampled_from(["draft", "Draft", "p1", "p2", "d1", "沪A 防汛", "1", "", "\x1fp1\x1f", "it's", "%_*?["])
money = st.sampled_from(["0.10", "12.00", "-3.50", "1000000000.05"])
numbers = st.one_of(st.integers(-3, 13), st.sampled_from([0.5, 12.0, -3.5, 1e300, (1 << 63) + 1]))
scalars = st.one_of(days, moments, words, money, numbers, st.booleans(), st.none())
held = st.one_of(
    scalars,
    st.lists(st.one_of(words, days), max_size=3),
    st.builds(lambda start, end: {"start": start, "end": end}, moments, moments),
    st.just({"everyone": True}),
    st.just([{"name": "report.pdf"}]),
)
asked = st.one_of(scalars, st.sampled_from(["@me", "@myDepartments", "@today", "@today-1d", "@today+1w", "@now"]))
leaves = st.one_of(
    st.dictionaries(fields, st.one_of(asked, st.lists(asked, max_size=3)), max_size=2),
    st.builds(lambda field, end, value: {field + end: value}, fields, st.sampled_from(["Before", "After"]),
              asked.filter(lambda value: value != "@myDepartments")),
    st.builds(lambda text: {"text": text}, st.sampled_from(["draft", "防汛 沪", "it's report", "2026-11", "zzz", " "])),
)  # fmt: skip
filters = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda operator, parts: {"operator": operator, "conditions": parts},
        st.sampled_from(["AND", "OR", "NOT"]),
        st.lists(inner, max_size=3),
    ),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    opened = SqliteStore.open(tmp_path_factory.mktemp("records") / "store.db", KEY, ME)
    yield opened
    opened.close()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(objects=st.lists(st.dictionaries(fields, held), max_size=4), wanted=filters)
def test_sql_says_what_the_rules_say(shared: SqliteStore, objects: list[dict[str, Any]], wanted: Any) -> None:
    shared.apply([DropType("Trip")])
    records = [record_of("Trip", {"id": f"r{n}", **data}) for n, data in enumerate(objects)]
    shared.apply([PutObjects("Trip", tuple(records))])
    condition = resolve(wanted, FACTS)
    expected = [record.id for record in records if matches(condition, wire_of(record))]
    assert ids(shared, wanted) == expected


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    objects=st.lists(st.dictionaries(fields, scalars), max_size=6),
    keys=st.lists(st.builds(SortKey, fields, st.booleans()), max_size=3),
    group=fields,
)
def test_both_stores_order_and_group_alike(
    shared: SqliteStore, objects: list[dict[str, Any]], keys: list[SortKey], group: str
) -> None:
    memory = MemoryStore(ME)
    records = tuple(record_of("Trip", {"id": f"r{n}", **data}) for n, data in enumerate(objects))
    for one in (shared, memory):
        one.apply([DropType("Trip"), PutObjects("Trip", records)])
    assert ids(shared, sort=tuple(keys)) == ids(memory, sort=tuple(keys))
    wanted = GroupsWanted(RecordsWanted("Trip"), group)
    counts = [[(one.value, one.count) for one in store.load_groups(wanted)] for store in (shared, memory)]
    assert counts[0] == counts[1]


@pytest.mark.parametrize("common", [2, 1000])
def test_pages_out_of_very_many_are_those_of_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, common: int) -> None:
    large, small = SqliteStore.open(tmp_path / "large.db", KEY, ME), MemoryStore(ME)
    trips = [
        trip(f"t{n:03}", n=n % 7, name=f"{'flood' if n % 3 else 'guests'} {n}", driver=f"p{n % 5}") for n in range(200)
    ]
    for store in (large, small):
        put(store, *trips)
    monkeypatch.setattr(record_tables, "_LARGE", 10)
    monkeypatch.setattr(record_tables, "_COMMON", common)
    large.prepare_order("Trip", SortKey("n"))
    orders = (
        (SortKey("n"),),
        (SortKey("n", True), SortKey("name")),
        (SortKey("driver", kind="name", names={"p1": "z"}),),
        (),
    )
    filters = (
        {"text": "flood"},
        {"text": "flood 1"},
        {"n": 3},
        {"driver": ["p1", "p2"], "nBefore": 4},
        {"text": "none"},
    )
    for wanted in filters:
        for sort in orders:
            for offset, limit in ((0, 10), (20, 50), (190, 10)):
                asked = RecordsWanted("Trip", resolve(wanted, FACTS), sort, offset, limit)
                assert large.load_page(asked) == small.load_page(asked), (wanted, sort, offset)
    large.close()
