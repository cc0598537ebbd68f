"""What hangs on a record: readers by reference and rank, to-dos, read marks, comments, follows, reminders, cards."""

import asyncio
from functools import partial
from pathlib import Path

from server_stub.accounts.directory import do_update_department, do_update_person
from server_stub.clock import format_utc
from server_stub.modules.engine.new_day import do_new_day
from server_stub.modules.engine.scopes import do_scope_by_directory
from tests.helpers.json_schema import load_schema, problems
from tests.modules.engine.fleet_bench import FLEET, FleetBench, hours, open_fleet
from tests.modules.office_bench import DAY, refusal


def sees(fleet: FleetBench, who: str, id_: str, type_name: str = "Trip") -> bool:
    return fleet.get(who, type_name, id_) is not None


# ---------------------------------------------------------------- readers


def test_readers_follow_the_state(fleet: FleetBench) -> None:
    fleet.write(lambda tx: do_update_department(tx, fleet.departments["secretaries"], {"headId": fleet.person("chen")}))
    draft = fleet.trip("lin")
    before = fleet.state()
    assert not sees(fleet, "chen", draft)
    fleet.update("lin", "Trip", draft, state="sent")
    assert sees(fleet, "chen", draft)
    assert fleet.changes("chen", "Trip", before) == ({draft}, set(), set())


def test_a_new_driver_sees_the_trips_of_the_car_and_the_old_one_does_not(fleet: FleetBench) -> None:
    car = fleet.car(driverId=fleet.person("chen"))
    trip = fleet.sent(carId=car)
    other = fleet.sent(carId=fleet.car("2"))
    before = fleet.state()
    assert sees(fleet, "chen", trip)
    fleet.update("fang", "Car", car, driverId=fleet.person("lin"))
    assert (sees(fleet, "chen", trip), sees(fleet, "lin", trip), sees(fleet, "lin", other)) == (False, True, False)
    assert fleet.changes("chen", "Trip", before) == (set(), set(), {trip})
    assert fleet.changes("lin", "Trip", before) == ({trip}, set(), set())
    fleet.update("fang", "Trip", trip, state="approved")
    fleet.destroy("fang", "Trip", trip)
    fleet.destroy("fang", "Trip", other)
    fleet.destroy("fang", "Car", car)


def test_a_new_superior_and_a_new_head_take_over(fleet: FleetBench) -> None:
    trip = fleet.sent()
    assert sees(fleet, "gao", trip)
    fleet.write(lambda tx: do_update_person(tx, fleet.person("yu"), {"superiorId": fleet.person("zhang")}))
    fleet.write(lambda tx: do_update_department(tx, fleet.departments["flood"], {"headId": fleet.person("lin")}))
    moved = fleet.write(lambda tx: do_scope_by_directory(tx, fleet.office.context))
    assert moved == 1
    assert [sees(fleet, who, trip) for who in ("gao", "zhang", "lin")] == [False, True, True]
    assert fleet.write(lambda tx: do_scope_by_directory(tx, fleet.office.context)) == 0


def test_a_superior_acts_at_once_whatever_the_scopes_say(fleet: FleetBench) -> None:
    trip = fleet.sent()
    fleet.write(lambda tx: do_update_department(tx, fleet.departments["flood"], {"headId": fleet.person("zhang")}))
    assert refusal(lambda: fleet.update("gao", "Trip", trip, state="returned")).type == "forbidden"


# ---------------------------------------------------------------- to-dos


def test_a_to_do_opens_and_closes_with_its_record(fleet: FleetBench) -> None:
    draft = fleet.trip()
    assert fleet.todos("gao") == []
    before = fleet.state()
    fleet.update("yu", "Trip", draft, state="sent")
    (todo,) = fleet.all("gao", "Todo")
    assert {key: todo[key] for key in ("recordId", "recordType", "module", "rule", "kind", "state", "title")} == {
        "recordId": draft,
        "recordType": "Trip",
        "module": "fleet",
        "rule": "approve",
        "kind": "todo",
        "state": "open",
        "title": "巡堤",
    }
    assert todo["dueAt"] == hours(8, 12)["start"]
    assert fleet.changes("gao", "Todo", before)[0] == {todo["id"]}
    assert fleet.alerts("gao") == [("todo", "巡堤")]
    assert fleet.all("yu", "Todo") == []
    fleet.update("gao", "Trip", draft, state="approved")
    assert (fleet.todos("gao"), fleet.todos("gao", "done")) == ([], ["approve"])
    assert fleet.alerts("gao") == []
    assert fleet.todos("yu") == ["result"]


def test_a_read_mark_closes_what_is_to_be_read(fleet: FleetBench) -> None:
    trip = fleet.sent()
    fleet.update("gao", "Trip", trip, state="approved")
    assert fleet.todos("yu") == ["result"]
    fleet.create("yu", "ReadMark", recordType="Trip", recordId=trip)
    assert (fleet.todos("yu"), fleet.todos("yu", "done")) == ([], ["result"])
    fleet.update("fang", "Trip", trip, state="void")
    assert fleet.todos("yu") == []


def test_to_dos_are_not_written_by_clients_and_leave_with_the_record_or_after_90_days(fleet: FleetBench) -> None:
    trip, kept = fleet.sent(), fleet.sent()
    todo = fleet.all("gao", "Todo")[0]["id"]
    assert refusal(lambda: fleet.update("gao", "Todo", todo, state="done")).type == "forbidden"
    assert refusal(lambda: fleet.destroy("gao", "Todo", todo)).type == "forbidden"
    assert refusal(lambda: fleet.create("gao", "Todo", title="x")).type == "forbidden"
    before = fleet.state()
    fleet.destroy("fang", "Trip", trip)
    assert len(fleet.changes("gao", "Todo", before)[2]) == 1
    assert fleet.alerts("gao") == [("todo", "巡堤")]
    fleet.update("gao", "Trip", kept, state="returned")
    fleet.clock.advance(91 * DAY)
    fleet.write(lambda tx: do_new_day(tx, fleet.office.context))
    assert fleet.todos("gao", "done") == []


def test_a_to_do_goes_to_those_who_see_the_record_and_work_here(tmp_path: Path) -> None:
    text = FLEET.replace(
        'to = ["head:departmentId"]\nwhen = { state = "sent" }', 'to = ["everyone"]\nwhen = { state = "sent" }'
    )
    assert text != FLEET
    with open_fleet(tmp_path, text) as fleet:
        fleet.sent()
        assert [who for who in fleet.actors if fleet.todos(who)] == ["yu", "gao", "fang"]


def test_a_to_do_that_the_calendar_makes(tmp_path: Path) -> None:
    text = FLEET.replace('when = { state = "sent" }\ndue', 'when = { state = "sent", spanBefore = "@today+2d" }\ndue')
    assert text != FLEET
    with open_fleet(tmp_path, text) as fleet:
        fleet.sent(span=hours(8, 9, 30))
        assert fleet.todos("gao") == []
        fleet.clock.advance(29 * DAY)
        fleet.write(lambda tx: do_new_day(tx, fleet.office.context))
        assert fleet.todos("gao") == ["approve"]


# ---------------------------------------------------------------- comments and follows


def test_comments_are_seen_with_the_record_and_by_nobody_else(fleet: FleetBench) -> None:
    car = fleet.car(driverId=fleet.person("chen"))
    trip = fleet.sent(carId=car)
    blob = fleet.blob("yu", b"map")
    said = fleet.create(
        "yu",
        "Comment",
        recordType="Trip",
        recordId=trip,
        text="请看\n地图",
        attachments=[{"blobId": blob, "name": "m.png", "type": "image/png", "size": 3}],
    )
    assert [sees(fleet, who, said, "Comment") for who in ("yu", "gao", "chen", "zhang")] == [True, True, True, False]
    assert (fleet.may_read_blob("chen", blob), fleet.may_read_blob("zhang", blob)) == (True, False)
    before = fleet.state()
    fleet.update("fang", "Car", car, driverId=fleet.person("lin"))
    assert (sees(fleet, "chen", said, "Comment"), sees(fleet, "lin", said, "Comment")) == (False, True)
    assert fleet.changes("chen", "Comment", before) == (set(), set(), {said})
    assert fleet.query("lin", "Comment", {"recordId": trip}) == [said]
    assert refusal(lambda: fleet.create("zhang", "Comment", recordType="Trip", recordId=trip, text="?")).properties == [
        "recordId"
    ]
    assert refusal(lambda: fleet.update("yu", "Comment", said, text="改")).type == "forbidden"
    assert refusal(lambda: fleet.destroy("gao", "Comment", said)).type == "forbidden"
    assert refusal(lambda: fleet.destroy("zhang", "Comment", said)).type == "notFound"
    before = fleet.state()
    fleet.destroy("fang", "Trip", trip)
    assert fleet.changes("lin", "Comment", before) == (set(), set(), {said})
    assert not fleet.may_read_blob("lin", blob)


def test_types_without_comments_and_wrong_comments_are_refused(fleet: FleetBench) -> None:
    outage = fleet.create("fang", "Outage", reason="检", carId=fleet.car(), span=hours(0, 1))
    trip = fleet.trip()
    for given in (
        {"recordType": "Outage", "recordId": outage, "text": "x"},
        {"recordType": "Trip", "recordId": trip, "text": " "},
        {"recordType": "Trip", "recordId": trip},
        {"recordType": "Trip", "recordId": trip, "text": "x" * 5001},
        {"recordType": "Trip", "recordId": trip, "text": "x", "mentions": ["all"]},
        {"recordType": "Person", "recordId": fleet.person("yu"), "text": "x"},
        {"recordType": "Trip", "recordId": trip, "text": "x", "authorId": "me"},
    ):
        assert refusal(partial(fleet.create, "yu", "Comment", **given)).type == "invalidProperties"


def test_who_is_told_of_a_comment(fleet: FleetBench) -> None:
    trip = fleet.sent(passengerIds=[fleet.person("lin"), fleet.person("chen")])
    fleet.create("chen", "Follow", recordType="Trip", recordId=trip)
    mentions = [fleet.person("lin"), fleet.person("zhang"), fleet.person("gao")]
    fleet.create("gao", "Comment", recordType="Trip", recordId=trip, text="几点走", mentions=mentions)
    assert fleet.alerts("yu") == [("comment", "巡堤")]
    assert fleet.alerts("chen") == [("comment", "巡堤")]
    assert fleet.alerts("lin") == [("mention", "巡堤")]
    assert fleet.alerts("zhang") == []  # does not see the trip
    assert fleet.alerts("gao") == [("todo", "巡堤")]
    (alert,) = fleet.all("lin", "Alert")
    assert (alert["text"], alert["link"]) == ("几点走", {"type": "Trip", "id": trip})


def test_followers_hear_of_states_while_they_see_the_record(fleet: FleetBench) -> None:
    trip = fleet.sent(passengerIds=[fleet.person("lin"), fleet.person("chen")])
    follow = fleet.create("lin", "Follow", recordType="Trip", recordId=trip)
    assert follow == f"{trip}_{fleet.person('lin')}"
    assert fleet.create("lin", "Follow", recordType="Trip", recordId=trip) == follow
    fleet.create("chen", "Follow", recordType="Trip", recordId=trip)
    assert [one["id"] for one in fleet.all("lin", "Follow")] == [follow]
    assert refusal(lambda: fleet.create("zhang", "Follow", recordType="Trip", recordId=trip)).properties == ["recordId"]
    assert refusal(lambda: fleet.destroy("chen", "Follow", follow)).type == "notFound"
    fleet.update("gao", "Trip", trip, state="returned")
    (alert,) = fleet.all("lin", "Alert")
    assert (alert["kind"], alert["text"], alert["label"]) == ("follow", "已退回", {"zh": "已退回", "en": "Returned"})
    fleet.destroy("lin", "Alert", alert["id"])
    fleet.update("yu", "Trip", trip, passengerIds=[fleet.person("chen")])
    fleet.update("yu", "Trip", trip, state="sent")
    assert fleet.alerts("lin") == []
    assert [kind for kind, _ in fleet.alerts("chen")] == ["follow"]
    fleet.destroy("chen", "Follow", f"{trip}_{fleet.person('chen')}")
    assert fleet.all("chen", "Follow") == []


# ---------------------------------------------------------------- reminders


def due_days(fleet: FleetBench, car: str) -> list[str]:
    rows = fleet.database.read_now(
        lambda conn: conn.exec_driver_sql("SELECT kind FROM due WHERE record_id = ? ORDER BY at", (car,)).fetchall()
    )
    return [row[0] for row in rows]


def test_reminders_come_on_their_days_until_it_is_settled(fleet: FleetBench) -> None:
    day = format_utc(fleet.clock.now_ms() + 40 * DAY)[:10]
    car = fleet.car(insuranceDue=day)
    settled = fleet.car("B 2", insuranceDue=day)
    assert due_days(fleet, car) == ["remind:insuranceDue:30", "remind:insuranceDue:7"]
    assert fleet.run_due() == 0
    fleet.clock.advance(11 * DAY)
    assert fleet.run_due() == 2
    assert fleet.alerts("fang") == [("due", "A 1"), ("due", "B 2")]
    (alert,) = [one for one in fleet.all("fang", "Alert") if one["title"] == "A 1"]
    assert alert["label"] == {"zh": f"保险到期 {day}", "en": f"Insurance ends {day}"}
    fleet.update("fang", "Car", settled, insured=True)
    assert fleet.alerts("fang") == [("due", "A 1")]
    assert due_days(fleet, settled) == []
    fleet.clock.advance(23 * DAY)
    assert fleet.run_due() == 1
    assert fleet.alerts("fang") == [("due", "A 1")]
    fleet.destroy("fang", "Car", car)
    assert fleet.alerts("fang") == []


def test_a_new_date_moves_the_reminders(fleet: FleetBench) -> None:
    car = fleet.car(insuranceDue=format_utc(fleet.clock.now_ms() + 40 * DAY)[:10])
    fleet.update("fang", "Car", car, insuranceDue=format_utc(fleet.clock.now_ms() + 10 * DAY)[:10])
    assert due_days(fleet, car) == ["remind:insuranceDue:7"]
    fleet.update("fang", "Car", car, insuranceDue=None)
    assert due_days(fleet, car) == []


# ---------------------------------------------------------------- cards


def test_a_card_s_title_is_the_server_s_and_only_for_who_sees_it(fleet: FleetBench) -> None:
    trip = fleet.trip(carId=fleet.car())
    look = fleet.office.card_title
    read = fleet.database.read_now
    assert read(lambda conn: look(conn, fleet.actors["yu"], "Trip", trip)) == "巡堤 · A 1"
    assert read(lambda conn: look(conn, fleet.actors["zhang"], "Trip", trip)) is None
    assert read(lambda conn: look(conn, fleet.actors["yu"], "Person", fleet.person("yu"))) is None


# ---------------------------------------------------------------- the wire, and the task that waits


def test_what_goes_out_fits_the_schema(fleet: FleetBench) -> None:
    document = load_schema()
    trip = fleet.sent(passengerIds=[fleet.person("lin")])
    blob = fleet.blob("yu", b"x")
    attachments = [{"blobId": blob, "name": "a.pdf", "type": "", "size": 0}]
    mentions = [fleet.person("lin")]
    about = {"recordType": "Trip", "recordId": trip}
    fleet.create("yu", "Comment", **about, text="看", mentions=mentions, attachments=attachments)
    fleet.create("lin", "Follow", **about)
    fleet.update("gao", "Trip", trip, state="approved")
    seen = 0
    for name in ("Comment", "Follow", "Todo", "Alert"):
        for who in fleet.actors:
            for one in fleet.all(who, name):
                assert problems(one, name, document) == [], one
                seen += 1
    for entry in fleet.history("yu", trip):
        assert problems(entry, "RecordChange", document) == []
    assert seen > 6


def test_the_running_task_follows_the_directory_and_the_calendar(fleet: FleetBench) -> None:
    trip = fleet.sent()

    async def scenario() -> None:
        moved = asyncio.Event()

        def watch(events: list[object]) -> None:
            if fleet.get("zhang", "Trip", trip) is not None:
                moved.set()

        fleet.database.subscribe(watch)
        running = asyncio.ensure_future(fleet.office.run())
        superior = {"superiorId": fleet.person("zhang")}
        await fleet.database.write(lambda tx: do_update_person(tx, fleet.person("yu"), superior))
        async with asyncio.timeout(10):
            await moved.wait()
        running.cancel()

    asyncio.run(scenario())
    assert fleet.get("zhang", "Trip", trip) is not None
