"""Imports and cards as a client asks for them: whole requests through the dispatcher."""

import asyncio
from typing import Any

from server_stub.api.dispatch import CORE, Dispatcher
from server_stub.api.methods import MAX_IMPORT
from server_stub.api.wire import Limits, Request
from server_stub.chat.conversations import do_open_direct
from server_stub.chat.handlers import chat_handlers
from server_stub.ids import uuid7
from server_stub.records.actor import Actor
from server_stub.records.types import Registry
from tests.modules.engine.fleet_bench import FleetBench, hours

CHAT, OFFICE = "urn:tongban:chat", "urn:tongban:office"


def ask(fleet: FleetBench, who: str, method: str, *, actor: Actor | None = None, **arguments: Any) -> tuple[str, Any]:
    """One call; (name, arguments) of its answer."""
    registry = Registry([*fleet.office.handlers, *chat_handlers(None, fleet.office.card_title)])
    dispatcher = Dispatcher(fleet.database, registry, [CHAT, OFFICE], Limits())
    asking = actor or fleet.actors[who]
    calls = [(method, {"accountId": asking.person_id, **arguments}, "c")]
    fleet.clock.advance(1000)
    response = asyncio.run(dispatcher.handle_request(Request([CORE, CHAT, OFFICE], calls), asking))
    (answer,) = response["methodResponses"]
    return answer[0], answer[1]


def rows(count: int, **more: Any) -> dict[str, Any]:
    return {f"r{n}": {"purpose": f"第{n}行", "span": hours(8, 9), **more} for n in range(count)}


def test_an_import_makes_all_rows_or_none(fleet: FleetBench) -> None:
    given = rows(4)
    given["r2"]["kind"] = "huge"
    name, answer = ask(fleet, "yu", "Trip/import", create=given, dryRun=False)
    assert name == "Trip/import"
    assert answer["created"] == {}
    assert set(answer["notCreated"]) == {"r2"}
    assert answer["notCreated"]["r2"]["reasons"] == {"kind": "must be one of near, far"}
    assert fleet.all("yu", "Trip") == []
    given["r2"]["kind"] = "near"
    _, answer = ask(fleet, "yu", "Trip/import", create=given)
    assert set(answer["created"]) == set(given)
    assert {one["purpose"] for one in fleet.all("yu", "Trip")} == {f"第{n}行" for n in range(4)}


def test_a_dry_run_writes_nothing_and_sees_what_rows_do_to_each_other(fleet: FleetBench) -> None:
    car = fleet.car()
    before = fleet.state()
    given = rows(3, carId=car, state="sent")
    given["r0"]["span"] = hours(10, 11)
    _, answer = ask(fleet, "yu", "Trip/import", create=given, dryRun=True)
    assert answer["created"] == {}
    assert answer["notCreated"]["r2"]["type"] == "overlap"
    given["r2"]["span"] = hours(12, 13)
    _, answer = ask(fleet, "yu", "Trip/import", create=given, dryRun=True)
    assert (set(answer["created"]), answer["notCreated"]) == ({"r0", "r1", "r2"}, {})
    assert fleet.state() == before
    assert fleet.all("gao", "Todo") == []
    fleet.sent()
    (trip,) = fleet.all("yu", "Trip")
    assert str(trip["number"]).endswith("-001")  # the rehearsals took no number


def test_an_import_sent_again_makes_nothing_twice(fleet: FleetBench) -> None:
    given = {uuid7(fleet.clock.now_ms() + n): row for n, row in enumerate(rows(3).values())}
    first = ask(fleet, "yu", "Trip/import", create=given)[1]
    again = ask(fleet, "yu", "Trip/import", create=given)[1]
    assert first["created"] == again["created"] == {key: {"id": key} for key in given}
    assert len(fleet.all("yu", "Trip")) == 3


def test_rows_may_refer_to_each_other(fleet: FleetBench) -> None:
    given = {"bill": {"amount": "1.00", "tripIds": ["#trip"]}}
    name, answer = ask(fleet, "yu", "Bill/import", create=given)
    assert answer["notCreated"]["bill"]["type"] == "invalidProperties"
    trip = fleet.trip()
    name, answer = ask(fleet, "yu", "Bill/import", create={"bill": {"amount": "1.00", "tripIds": [trip]}})
    assert name == "Bill/import"
    assert set(answer["created"]) == {"bill"}


def test_too_many_rows_and_wrong_callers_are_refused(fleet: FleetBench) -> None:
    name, answer = ask(fleet, "yu", "Trip/import", create=rows(MAX_IMPORT + 1))
    assert (name, answer["type"]) == ("error", "requestTooLarge")
    person = fleet.actors["yu"]
    reader = Actor(person.person_id, person.roles, person.department_ids, scopes=frozenset({"read"}))
    name, answer = ask(fleet, "yu", "Trip/import", actor=reader, create=rows(1))
    assert (name, answer["type"]) == ("error", "accountReadOnly")
    for method in ("Comment/import", "Todo/import", "Message/import", "Nothing/import"):
        assert ask(fleet, "yu", method, create={})[1] == {"type": "unknownMethod"}
    name, answer = ask(fleet, "yu", "Trip/import", create=[])
    assert (name, answer["type"]) == ("error", "invalidArguments")
    assert fleet.all("yu", "Trip") == []


def test_who_may_not_create_may_not_import(fleet: FleetBench) -> None:
    _, answer = ask(fleet, "yu", "Car/import", create={"a": {"plate": "1"}})
    assert answer["notCreated"]["a"]["type"] == "forbidden"


# ---------------------------------------------------------------- cards


def send(fleet: FleetBench, **message: Any) -> tuple[Any, Any]:
    people = (fleet.person("yu"), fleet.person("zhang"))
    conversation = fleet.write(lambda tx: do_open_direct(tx, *people))
    given = {"conversationId": conversation, "kind": "text", **message}
    _, answer = ask(fleet, "yu", "Message/set", create={"k": given})
    return (answer["created"] or {}).get("k"), (answer["notCreated"] or {}).get("k")


def test_a_card_carries_the_server_s_title(fleet: FleetBench) -> None:
    trip = fleet.trip(carId=fleet.car())
    sent, _ = send(fleet, text="", card={"type": "Trip", "id": trip, "title": "骗人"})
    assert sent["card"] == {"type": "Trip", "id": trip, "title": "巡堤 · A 1"}
    conversation = ask(fleet, "zhang", "Conversation/get", ids=None)[1]["list"][0]
    assert conversation["lastMessage"]["text"] == "巡堤 · A 1"
    sent, _ = send(fleet, text="看", card={"type": "Trip", "id": trip, "title": "巡堤 · A 1"})
    assert "card" not in sent  # as the client said it


def test_a_card_of_what_the_sender_does_not_see_is_refused(fleet: FleetBench) -> None:
    hidden = fleet.trip("lin")
    for card in ({"type": "Trip", "id": hidden}, {"type": "Nope", "id": hidden}, {"type": "Trip"}, "x", 1):
        sent, refused = send(fleet, text="看", card=card)
        assert sent is None
        assert refused["type"] == "invalidProperties"
    _, refused = send(fleet, text=" ")
    assert refused["properties"] == ["text"]
