"""The verbs of records over the real driver: pages with the outbox over them, rights, conflicts, what waits, what falls due."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from desktop.core.clock import local_minutes, utc_date
from desktop.core.domain import (
    Department,
    Identity,
    Light,
    ModuleDefinition,
    Person,
    Record,
    RecordQuery,
    Todo,
    TodoKind,
)
from desktop.core.domain.moments import DAY_MS, day_of, day_start, moved
from desktop.core.errors import Offline, Rejected
from desktop.core.events import ChangeSet
from desktop.core.protocol.objects import object_of
from desktop.core.services.records import RecordsService
from desktop.core.store.memory import MemoryStore
from desktop.core.sync.outbox import EditKind
from desktop.core.sync.port import PutObjects, Store
from tests.helpers.record_desk import RecordDesk, record_desk
from tests.helpers.record_model import RecordModel

NOW = 1_795_000_000_000
ZONE = local_minutes(NOW)


def both(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


def field(name: str, kind: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "label": both(name), **more}


ACCESS = {"read": ["everyone"], "create": ["everyone"], "update": ["author", "role:fleet"], "destroy": ["author@draft"]}
TRIP = {
    "name": "Trip",
    "label": both("trip"),
    "title": ["number", "driverId"],
    "fields": [
        field("number", readOnly=True),
        field("purpose", required=True),
        field("driverId", "person"),
        field("vehicleId", "reference", target="Vehicle"),
        field("span", "span"),
        field("cost", "money"),
        field("km", "number"),
        field("perKm", "money", formula=["divide", "cost", "km"]),
        field("level", "choice", choices=[{"value": "low", "label": {"zh": "低", "en": "Low"}},
                                          {"value": "high", "label": {"zh": "高", "en": "High"}}], default="low"),
        field("dueDate", "date"),
        field("plate", immutable=True),
        field("remark", edit=["role:fleet"]),
    ],
    "access": ACCESS,
    "states": [{"value": "draft", "label": both("draft")}, {"value": "sent", "label": both("sent")},
               {"value": "done", "label": both("done"), "final": True}],
    "actions": [
        {"name": "send", "label": both("send"), "from": ["draft"], "to": "sent", "who": ["author"], "requires": ["purpose"],
         "primary": True},
        {"name": "void", "label": both("void"), "from": ["draft", "sent"], "to": "done", "who": ["author", "field:vehicleId.driverId"],
         "destructive": True},
        {"name": "finish", "label": both("finish"), "from": ["sent"], "to": "done", "who": ["superior", "head:departmentId"],
         "when": {"cost": [None, "0.00"]}},
    ],
    "booking": {"resource": "vehicleId", "span": "span", "states": ["sent"]},
    "due": [{"field": "dueDate", "label": both("due"), "to": ["author", "field:driverId"], "amberDays": 3,
             "unless": {"level": "low"}}],
    "tracked": True,
}  # fmt: skip
VEHICLE = {
    "name": "Vehicle",
    "label": both("vehicle"),
    "title": ["plate"],
    "fields": [field("plate"), field("driverId", "person")],
    "access": {"read": ["everyone"], "create": ["role:fleet"], "update": ["role:fleet"], "destroy": []},
}
MODULE = {
    "id": "vehicles",
    "group": "official",
    "label": {"zh": "车辆管理", "en": "Vehicles"},
    "icon": "ph.car",
    "order": 16,
    "types": [VEHICLE, TRIP],
    "views": [{"id": "all", "type": "Trip", "kind": "table", "label": both("all")}],
}


def filled(account: str = "anna", *records: Record) -> MemoryStore:
    """A store with the module, some people and records; nobody to connect to."""
    store = MemoryStore(account)
    module = object_of("ModuleDefinition", dict(MODULE), account)
    assert isinstance(module, ModuleDefinition)
    people = (
        Person("anna", "安娜", "an na", "an", superior_id="boss", identities=(Identity("d2", primary=True),)),
        Person("ben", "Ben", "ben", "b", roles=("fleet",), identities=(Identity("d1", primary=True),)),
        Person("boss", "Boss", "bo si", "bs"),
    )
    units = (Department("d1", "一处", head_id="boss"), Department("d2", "二科", "d1"))
    store.apply([PutObjects("ModuleDefinition", (module,)), PutObjects("Person", people)])
    store.apply([PutObjects("Department", units)])
    for record in records:
        store.apply([PutObjects(record.type, (record,))])
    return store


def trip(key: str, author: str = "anna", **data: Any) -> Record:
    return Record(key, "Trip", {"state": "draft", "purpose": key, **data}, author, NOW + len(key), NOW, 1)


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


def offline(
    folder: Path, store: Store, work: Callable[[RecordDesk, RecordsService], Coroutine[Any, Any, None]]
) -> None:
    """A desk without a network."""

    async def scenario() -> None:
        model = RecordModel("anna", "ben")
        async with record_desk(model, "anna", folder, store) as desk:
            desk.network.cut()
            await work(desk, desk.records)

    run(scenario)


async def ids(records: RecordsService, **query: Any) -> list[str]:
    return [record.id for record in (await records.page(RecordQuery("Trip", **query))).records]


# ------------------------------------------------------------ reading and writing offline
def test_a_page_shows_what_the_outbox_will_make_of_it(tmp_path: Path) -> None:
    async def work(desk: RecordDesk, records: RecordsService) -> None:
        fresh = await records.create("Trip", {"purpose": "new", "cost": "9.00", "km": 3, "remark": ""})
        await records.update(await desk.one("Trip", "a"), {"purpose": "z", "cost": "8.00", "km": 4, "span": None})
        await records.destroy(await desk.one("Trip", "b"))
        page = await records.page(RecordQuery("Trip", sort=("purpose",)))
        assert [(one.id, one.pending) for one in page.records] == [(fresh, True), ("a", True)]
        assert page.total == 2
        made, changed = page.records
        assert (made.data["state"], made.data["level"], made.data["perKm"], made.author_id) == (
            "draft",
            "low",
            "3.00",
            "anna",
        )
        assert "remark" not in made.data
        assert (changed.data["perKm"], changed.version) == ("2.00", 1)
        assert await ids(records, filter={"cost": "8.00"}) == ["a"]
        assert await ids(records, text="z") == ["a"]
        assert await records.record("Trip", "b") is None
        assert [one.id for one in await records.started()] == [fresh, "a"]

    offline(tmp_path, filled("anna", trip("a"), trip("b")), work)


def test_quick_search_finds_names_labels_and_what_is_referred_to(tmp_path: Path) -> None:
    car = Record("v1", "Vehicle", {"plate": "沪A·12345"}, "ben", 1, 1, 1)
    trips = [
        trip("a", driverId="ben", level="high"),
        trip("b", driverId="anna", vehicleId="v1", level="low"),
        trip("c", "boss", cost="12.00", state="sent"),
    ]

    async def work(desk: RecordDesk, records: RecordsService) -> None:
        found = {
            text: sorted(await ids(records, text=text))
            for text in ("安娜", "an", "ben", "高", "12345", "sent", "沪A 安娜", "x")
        }
        assert found == {
            "安娜": ["a", "b"], "an": ["a", "b"], "ben": ["a"], "高": ["a"], "12345": ["b"], "sent": ["c"], "沪A 安娜": ["b"], "x": [],
        }  # fmt: skip

    offline(tmp_path, filled("anna", car, *trips), work)


def test_orders_follow_what_is_shown(tmp_path: Path) -> None:
    cars = [Record(f"v{n}", "Vehicle", {"plate": plate}, None, 1, 1, 1) for n, plate in enumerate("CAB")]
    trips = [
        trip("a", driverId="boss", vehicleId="v0", cost="9.00", level="high"),
        trip("b", driverId="anna", vehicleId="v1", cost="10.00", state="sent"),
        trip("c", vehicleId="v2", level="low", state="done"),
    ]

    async def work(desk: RecordDesk, records: RecordsService) -> None:
        orders = {
            key: "".join(await ids(records, sort=(key,)))
            for key in ("driverId", "vehicleId", "-cost", "level", "-state")
        }
        assert orders == {"driverId": "bac", "vehicleId": "bca", "-cost": "bac", "level": "cab", "-state": "cba"}

    offline(tmp_path, filled("anna", *cars, *trips), work)


def test_titles_and_links(tmp_path: Path) -> None:
    car = Record("v1", "Vehicle", {"plate": "A1"}, None, 1, 1, 1)

    async def work(desk: RecordDesk, records: RecordsService) -> None:
        assert await records.titles("Trip", ["a", "no"]) == {"a": "CL-1 · Ben"}
        assert await records.titles("Vehicle", ["v1"]) == {"v1": "A1"}
        assert await records.titles("Person", ["ben", "d1"]) == {"ben": "Ben", "d1": "一处"}
        fresh = await records.create("Trip", {"purpose": "x", "vehicleId": "v1"})
        assert [one.id for one in await records.linked("Trip", "vehicleId", "v1")] == [fresh, "a"]

    offline(tmp_path, filled("anna", car, trip("a", number="CL-1", driverId="ben", vehicleId="v1")), work)


def test_a_filter_that_is_none_is_refused_with_its_reason(tmp_path: Path) -> None:
    async def work(desk: RecordDesk, records: RecordsService) -> None:
        with pytest.raises(Rejected) as refused:
            await records.page(RecordQuery("Trip", filter={"operator": "NAND", "conditions": []}))
        assert refused.value.data["type"] == "unsupportedFilter"

    offline(tmp_path, filled("anna"), work)


def test_what_depends_on_a_new_record_waits_behind_it(tmp_path: Path) -> None:
    async def work(desk: RecordDesk, records: RecordsService) -> None:
        car = await records.create("Vehicle", {"plate": "B2"})
        ride = await records.create("Trip", {"purpose": "p", "vehicleId": car})
        await records.comment(await desk.one("Trip", ride), "soon", mentions=("ben",))
        await records.update(await desk.one("Trip", ride), {"cost": "1.00"})
        await records.follow(await desk.one("Trip", ride), True)
        other = await records.create("Trip", {"purpose": "q"})
        lanes = {edit.object_id: edit.lane for edit in desk.store.load_edits()}
        assert len({lane for key, lane in lanes.items() if key != other}) == 1
        assert lanes[other] != lanes[car]
        assert records.following(ride)
        await records.follow(await desk.one("Trip", ride), False)
        assert not records.following(ride)

    offline(tmp_path, filled("anna"), work)


def test_a_new_record_that_is_destroyed_before_it_left_leaves_nothing(tmp_path: Path) -> None:
    async def work(desk: RecordDesk, records: RecordsService) -> None:
        key = await records.create("Trip", {"purpose": "p"})
        await records.update(await desk.one("Trip", key), {"cost": "1.00"})
        await records.destroy(await desk.one("Trip", key))
        assert desk.store.load_edits() == []

    offline(tmp_path, filled("anna"), work)


def test_an_action_is_an_edit_of_its_own_and_wants_what_it_requires(tmp_path: Path) -> None:
    async def work(desk: RecordDesk, records: RecordsService) -> None:
        record = await desk.one("Trip", "a")
        await records.update(record, {"cost": "5.00"})
        with pytest.raises(Rejected) as refused:
            await records.act(record, "send", {"purpose": ""})
        assert refused.value.data["properties"] == ["purpose"]
        with pytest.raises(Rejected):
            await records.act(record, "fly")
        await records.act(record, "send", {"purpose": "now"})
        await records.update(record, {"cost": "6.00"})
        payloads = [edit.payload for edit in desk.store.load_edits()]
        assert payloads == [
            {"cost": "5.00", "version": 1},
            {"purpose": "now", "version": 1, "action": "send", "state": "sent"},
            {"cost": "6.00", "version": 1},
        ]
        shown = await desk.one("Trip", "a")
        assert (shown.data["state"], shown.data["purpose"], shown.data["cost"]) == ("sent", "now", "6.00")
        assert "action" not in shown.data

    offline(tmp_path, filled("anna", trip("a")), work)


def test_what_holds_already_is_not_written(tmp_path: Path) -> None:
    async def work(desk: RecordDesk, records: RecordsService) -> None:
        await records.update(await desk.one("Trip", "a"), {"purpose": "a", "cost": None, "remark": ""})
        assert desk.store.load_edits() == []

    offline(tmp_path, filled("anna", trip("a")), work)


def test_drafts_and_view_states_are_kept(tmp_path: Path) -> None:
    store = filled("anna")

    async def write(desk: RecordDesk, records: RecordsService) -> None:
        await records.set_draft("Trip:new", {"purpose": "half"})
        await records.set_view_state("vehicles/all", {"columns": ["number"], "filters": {"mine": {"authorId": "@me"}}})

    async def read(desk: RecordDesk, records: RecordsService) -> None:
        assert await records.draft("Trip:new") == {"purpose": "half"}
        assert (await records.view_state("vehicles/all"))["columns"] == ["number"]
        assert await records.view_state("vehicles/none") == {}
        await records.set_draft("Trip:new", None)
        assert await records.draft("Trip:new") is None

    offline(tmp_path, store, write)
    offline(tmp_path, store, read)


# ------------------------------------------------------------ rights
def test_rights_come_from_the_definition(tmp_path: Path) -> None:
    car = Record("v1", "Vehicle", {"plate": "A1", "driverId": "anna"}, None, 1, 1, 1)
    own, other = trip("a"), trip("b", "ben", vehicleId="v1")
    sent = trip("c", state="sent")

    async def work(desk: RecordDesk, records: RecordsService) -> None:
        assert not records.may(None, "Trip", "create")  # nothing is known before the first question
        await records.page(RecordQuery("Trip"))
        assert records.may(None, "Trip", "create")
        assert not records.may(None, "Vehicle", "create")
        assert not records.may(None, "Nothing", "create")
        assert [records.may(one, "Trip", "update") for one in (own, other, sent)] == [True, False, True]
        assert [records.may(one, "Trip", "destroy") for one in (own, other, sent)] == [True, False, False]
        assert [action.name for action in records.allowed_actions(own)] == ["send", "void"]
        assert [action.name for action in records.allowed_actions(other)] == ["void"]  # she drives the car
        assert [action.name for action in records.allowed_actions(sent)] == ["void"]
        assert records.may(own, "Trip", "send")
        assert not records.may(other, "Trip", "send")
        editable = {
            name: records.may_edit(own, name)
            for name in ("purpose", "number", "perKm", "plate", "remark", "state", "no")
        }
        assert editable == {"purpose": True, "number": False, "perKm": False, "plate": False, "remark": False, "state": False, "no": False}  # fmt: skip
        assert records.may_edit(Record("", "Trip"), "plate")

    offline(tmp_path, filled("anna", car, own, other, sent), work)


def test_superiors_heads_and_conditions(tmp_path: Path) -> None:
    sent = trip("c", state="sent", departmentId="d1")
    dear = trip("d", state="sent", cost="7.00")

    async def scenario() -> None:
        model = RecordModel("boss")
        async with record_desk(model, "boss", tmp_path, filled("boss", sent, dear)) as desk:
            desk.network.cut()
            await desk.records.modules()
            assert [action.name for action in desk.records.allowed_actions(sent)] == ["finish"]
            assert desk.records.allowed_actions(dear) == []

    run(scenario)


# ------------------------------------------------------------ with the server
def test_types_of_a_module_sync_appear_and_vanish_while_running(tmp_path: Path) -> None:
    async def scenario() -> None:
        model = RecordModel("anna", "ben")
        model.define("vehicles", "Trip")
        async with record_desk(model, "anna", tmp_path) as desk:
            await desk.live()
            model._create("ben", "Trip", "0192f000-0000-7000-8000-000000000001", {"purpose": "p"})
            desk.look()

            async def came() -> bool:
                return (await desk.records.page(RecordQuery("Trip"))).total == 1

            await desk.until(came)
            model.define("cars", "Fuel")
            model._create("ben", "Fuel", "0192f000-0000-7000-8000-000000000002", {"cost": "1.00"})
            desk.look()

            async def fuel() -> bool:
                return (await desk.records.page(RecordQuery("Fuel"))).total == 1

            await desk.until(fuel)
            assert [module.id for module in await desk.records.modules()] == ["cars", "vehicles"]
            model.undefine("vehicles")
            desk.look()

            async def gone() -> bool:
                return (await desk.records.page(RecordQuery("Trip"))).total == 0

            await desk.until(gone)
            assert "Trip" not in desk.store.load_saved().states
            removed = [
                event.removed for event in desk.seen if isinstance(event, ChangeSet) and event.type_name == "Trip"
            ]
            assert ("0192f000-0000-7000-8000-000000000001",) in removed

    run(scenario)


def test_a_conflict_is_shown_and_settled_field_by_field(tmp_path: Path) -> None:
    key = "0192f000-0000-7000-8000-000000000001"

    async def scenario() -> None:
        model = RecordModel("anna", "ben")
        model.define("vehicles", "Trip")
        model._create("ben", "Trip", key, {"purpose": "old", "cost": "1.00", "place": "x"})
        async with record_desk(model, "anna", tmp_path) as desk:
            await desk.live()
            await desk.offline()
            seen = await desk.one("Trip", key)
            await desk.records.update(seen, {"purpose": "mine", "cost": "2.00", "place": "y"})
            model._update("ben", "Trip", key, {"purpose": "theirs", "cost": "3.00"})
            await desk.online()
            await desk.sent()
            shown = await desk.one("Trip", key)
            assert (shown.data["purpose"], shown.data["place"], shown.refusal, shown.pending) == (
                "theirs",
                "x",
                "conflict",
                False,
            )
            conflict = (await desk.records.conflicts())[0]
            assert (conflict.code, conflict.fields) == ("conflict", ("cost", "purpose"))
            assert conflict.mine == {"purpose": "mine", "cost": "2.00", "place": "y"}
            assert conflict.theirs is not None
            assert conflict.theirs.data["purpose"] == "theirs"
            with pytest.raises(ValueError, match="cost"):
                await desk.records.resolve(conflict.edit_id, {"purpose": "mine"})
            await desk.records.resolve(conflict.edit_id, {"purpose": "mine", "cost": "theirs"})
            await desk.sent()
            assert await desk.records.conflicts() == []
            assert {name: model.objects["Trip"][key][name] for name in ("purpose", "cost", "place")} == {
                "purpose": "mine", "cost": "3.00", "place": "y",
            }  # fmt: skip
            assert (await desk.one("Trip", key)).refusal is None

    run(scenario)


def test_edits_of_different_fields_merge_without_asking(tmp_path: Path) -> None:
    key = "0192f000-0000-7000-8000-000000000001"

    async def scenario() -> None:
        model = RecordModel("anna", "ben")
        model.define("vehicles", "Trip")
        model._create("ben", "Trip", key, {"purpose": "old", "cost": "1.00"})
        async with record_desk(model, "anna", tmp_path) as desk:
            await desk.live()
            await desk.offline()
            await desk.records.update(await desk.one("Trip", key), {"purpose": "mine"})
            model._update("ben", "Trip", key, {"cost": "3.00"})
            await desk.online()
            await desk.sent()
            assert (model.objects["Trip"][key]["purpose"], model.objects["Trip"][key]["cost"]) == ("mine", "3.00")
            assert await desk.records.conflicts() == []

    run(scenario)


def test_a_refused_new_record_is_mended_in_its_form(tmp_path: Path) -> None:
    async def scenario() -> None:
        model = RecordModel("anna")
        model.define("vehicles", "Trip")
        async with record_desk(model, "anna", tmp_path) as desk:
            await desk.live()
            key = await desk.records.create("Trip", {"purpose": "bad", "cost": "1.00"})
            await desk.sent()
            shown = await desk.one("Trip", key)
            assert (shown.refusal, shown.pending, shown.data["purpose"]) == ("invalidProperties", False, "bad")
            conflict = (await desk.records.conflicts())[0]
            assert (conflict.fields, conflict.theirs) == (("purpose",), None)
            await desk.records.update(shown, {"purpose": "good"})
            await desk.sent()
            assert model.objects["Trip"][key]["purpose"] == "good"
            assert model.objects["Trip"][key]["cost"] == "1.00"
            assert await desk.records.conflicts() == []

    run(scenario)


def test_an_overlap_tells_who_holds_it_and_what_is_free(tmp_path: Path) -> None:
    hold = {"type": "Trip", "id": "t9", "title": "CL-9", "span": {"start": "s", "end": "e"}, "authorId": "ben"}
    refusal = {"type": "overlap", "properties": ["span"], "conflicts": [hold, 7], "free": ["v2", "v3"]}

    async def scenario() -> None:
        model = RecordModel("anna")
        model.define("vehicles", "Trip")
        model._create = lambda *_: refusal  # type: ignore[method-assign]
        async with record_desk(model, "anna", tmp_path) as desk:
            await desk.live()
            await desk.records.create("Trip", {"purpose": "p", "span": {"start": "s", "end": "e"}})
            await desk.sent()
            conflict = (await desk.records.conflicts())[0]
            assert (conflict.code, conflict.fields, conflict.free) == ("overlap", ("span",), ("v2", "v3"))
            assert [(one.title, one.author_id) for one in conflict.holds] == [("CL-9", "ben")]
            await desk.records.drop(conflict.edit_id)
            assert (await desk.records.page(RecordQuery("Trip"))).total == 0

    run(scenario)


def test_an_action_that_is_refused_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    key = "0192f000-0000-7000-8000-000000000001"

    async def scenario() -> None:
        model = RecordModel("anna")
        model.define("vehicles", "Trip")
        model._create("anna", "Trip", key, {"purpose": "p", "state": "draft"})
        async with record_desk(model, "anna", tmp_path) as desk:
            await desk.live()
            model._update = lambda *_: {"type": "forbidden"}  # type: ignore[method-assign]
            await desk.session._context.edit(
                EditKind.UPDATE, "Trip", key, {"version": 1, "state": "sent", "action": "send"}, alone=True
            )
            await desk.sent()
            assert await desk.records.conflicts() == []
            assert (await desk.one("Trip", key)).data["state"] == "draft"

    run(scenario)


def test_history_is_asked_for_and_remembered(tmp_path: Path) -> None:
    entry = {"id": "a-2", "recordId": "a", "recordType": "Trip", "at": "2026-11-22T08:00:00.000Z", "personId": None,
             "changes": [{"field": "cost", "old": None, "new": "1.00"}]}  # fmt: skip

    async def scenario() -> None:
        model = RecordModel("anna")
        async with record_desk(model, "anna", tmp_path, filled("anna", trip("a"), trip("b"))) as desk:
            desk.transport.answers = {
                "RecordChange/query": {"ids": ["a-2"]},
                "RecordChange/get": {"state": "1", "list": [entry]},
            }
            await desk.live()
            found = await desk.records.history(trip("a"))
            assert [(one.at, one.changes[0].new) for one in found] == [(1_795_334_400_000, "1.00")]
            await desk.offline()
            assert await desk.records.history(trip("a")) == found
            with pytest.raises(Offline):
                await desk.records.history(trip("b"))

    run(scenario)


def test_an_import_tells_what_is_wrong_by_row(tmp_path: Path) -> None:
    async def scenario() -> None:
        model = RecordModel("anna")
        async with record_desk(model, "anna", tmp_path, filled("anna")) as desk:
            await desk.live()

            def answer(asked: dict[str, Any]) -> dict[str, Any]:
                wrong = {key: {"type": "invalidProperties", "description": "no", "properties": ["cost"]}
                         for key, row in asked["create"].items() if row.get("cost") == "x"}  # fmt: skip
                made = {} if wrong or asked["dryRun"] else {key: {"id": key} for key in asked["create"]}
                return {"created": made, "notCreated": wrong}

            desk.transport.answers = {"Trip/import": answer}
            rows = [{"purpose": "a", "cost": ""}, {"purpose": "b", "cost": "x"}]
            result = await desk.records.import_rows("Trip", rows, True)
            assert (list(result.errors), result.errors[1][0].properties, result.created) == ([1], ("cost",), 0)
            result = await desk.records.import_rows("Trip", rows[:1], False)
            assert (result.errors, result.created) == ({}, 1)
            assert "cost" not in next(iter(desk.transport.calls[-1][1]["create"].values()))
            with pytest.raises(Rejected):
                await desk.records.import_rows("Trip", [{}] * 10_001, True)

    run(scenario)


def test_comments_stand_in_order_and_can_be_taken_back(tmp_path: Path) -> None:
    async def work(desk: RecordDesk, records: RecordsService) -> None:
        await records.comment(trip("a"), "first", mentions=("ben",))
        await records.comment(trip("a"), "second")
        await records.comment(trip("b"), "other")
        found = await records.comments("a")
        assert [(one.text, one.pending, one.author_id) for one in found] == [
            ("first", True, "anna"),
            ("second", True, "anna"),
        ]
        assert found[0].mentions == ("ben",)
        await records.delete_comment(found[0].id)
        assert [one.text for one in await records.comments("a")] == ["second"]
        assert len(desk.store.load_edits()) == 2

    offline(tmp_path, filled("anna", trip("a")), work)


def test_a_card_goes_into_the_conversation(tmp_path: Path) -> None:
    async def work(desk: RecordDesk, records: RecordsService) -> None:
        await records.send_card("room", await desk.one("Trip", "a"))
        page = await desk.session.chat.window("room")
        assert page.messages == ()  # nobody knows the room here
        edit = desk.store.load_edits()[0]
        assert edit.payload["card"] == {"type": "Trip", "id": "a", "title": "CL-1"}
        assert edit.lane == "conversation:room"

    offline(tmp_path, filled("anna", trip("a", number="CL-1")), work)


# ------------------------------------------------------------ the workbench
def test_todos_are_ordered_and_counted_by_module(tmp_path: Path) -> None:
    def todo(key: str, **more: Any) -> Todo:
        return Todo(
            id=key, record_id="a", module=more.pop("module", "vehicles"), person_id="anna", created_at=len(key), **more
        )

    todos = (
        todo("later", due_at=200), todo("sooner", due_at=100), todo("read", kind=TodoKind.TO_READ, module="notices"),
        todo("none"), todo("done", state="done", done_at=5), todo("older", state="done", done_at=4),
    )  # fmt: skip
    store = filled("anna")
    store.apply([PutObjects("Todo", todos)])

    async def work(desk: RecordDesk, records: RecordsService) -> None:
        assert [one.id for one in await records.todos("todo")] == ["sooner", "later", "none"]
        assert [one.id for one in await records.todos("toRead")] == ["read"]
        assert len(await records.todos()) == 4
        assert [one.id for one in await records.done()] == ["done", "older"]
        assert await records.counts() == {"vehicles": 3, "notices": 1}

    offline(tmp_path, store, work)


def test_the_radar_has_what_concerns_this_user_in_three_lights(tmp_path: Path) -> None:
    async def work(desk: RecordDesk, records: RecordsService) -> None:
        now = desk.session._context.clock.now_ms()
        zone = local_minutes(now)
        today = day_of(now, zone)

        def due(key: str, days: int, author: str = "anna", **more: Any) -> Record:
            return trip(key, author, **{"dueDate": moved(today, days, "d"), "level": "high", **more})

        shown = [
            due("over", -1),
            due("now", 0),
            due("soon", 3),
            due("far", 4),
            due("driver", 10, "ben", driverId="anna"),
        ]
        hidden = [
            due("other", 1, "ben"),
            due("low", 1, level="low"),
            due("ended", 1, state="done"),
            due("beyond", 120),
            trip("none"),
        ]
        desk.store.apply([PutObjects("Trip", (*shown, *hidden))])
        found = await records.radar()
        assert [(item.record.id, item.light) for item in found] == [
            ("over", Light.RED), ("now", Light.AMBER), ("soon", Light.AMBER), ("far", Light.GREEN), ("driver", Light.GREEN),
        ]  # fmt: skip
        assert (found[0].module, found[0].due.field) == ("vehicles", "dueDate")
        assert found[0].at_ms == day_start(today, zone)
        far = await desk.one("Trip", "far")
        await records.update(far, {"dueDate": moved(today, -9, "d")})
        assert next(item.record.id for item in await records.radar()) == "far"  # what was just typed counts

    offline(tmp_path, filled("anna"), work)


def test_the_agenda_has_bookings_of_the_day(tmp_path: Path) -> None:
    start = day_start("2026-11-22", ZONE)

    def ride(key: str, begin: int, end: int, author: str = "anna", **more: Any) -> Record:
        span = {"start": utc_date(start + begin), "end": utc_date(start + end)}
        return trip(key, author, **{"span": span, "state": "sent", "number": key, **more})

    hour = 3_600_000
    rides = [
        ride("morning", 9 * hour, 10 * hour), ride("over night", -2 * hour, hour), ride("touching", -hour, 0),
        ride("tomorrow", DAY_MS, DAY_MS + hour), ride("drives", 14 * hour, 15 * hour, "ben", driverId="anna"),
        ride("other", 9 * hour, 10 * hour, "ben"), ride("draft", 9 * hour, 10 * hour, state="draft"),
    ]  # fmt: skip

    async def work(desk: RecordDesk, records: RecordsService) -> None:
        found = await records.agenda(start, start + DAY_MS)
        assert [item.record.id for item in found] == ["over night", "morning", "drives"]
        assert (found[1].start, found[1].end, found[1].title) == (start + 9 * hour, start + 10 * hour, "morning")

    offline(tmp_path, filled("anna", *rides), work)


def test_a_summary_adds_what_the_page_shows(tmp_path: Path) -> None:
    trips = [trip("a", cost="1.10", km=2), trip("b", cost="2.20", state="sent"), trip("c", "ben", cost="4.00", km=1.5)]

    async def work(desk: RecordDesk, records: RecordsService) -> None:
        await records.update(await desk.one("Trip", "a"), {"cost": "1.15"})
        found = await records.summary(RecordQuery("Trip", filter={"authorId": "@me"}, limit=1), "state", ("cost", "km"))
        assert [(one.value, one.count, one.sums) for one in found] == [
            ("draft", 1, {"cost": "1.15", "km": "2"}), ("sent", 1, {"cost": "2.20", "km": "0"}),
        ]  # fmt: skip

    offline(tmp_path, filled("anna", *trips), work)
