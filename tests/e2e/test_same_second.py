"""Two people at the same second against the real server: one vehicle, one last box of paper. One wins, the other is told, nothing goes below zero."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from server_stub.accounts import directory
from server_stub.accounts.passwords import Passwords
from server_stub.app.cli import initialize
from server_stub.app.layout import DataLayout
from server_stub.app.settings import Settings
from server_stub.clock import SystemClock
from server_stub.storage.database import Database, Tx
from tests.helpers.live_server import PASSWORD, LiveDevice, LiveServer

PEOPLE = ("keeper", "a", "b", "c", "d", "e", "f", "g", "h")
SPAN = {"start": "2099-03-02T01:00:00.000Z", "end": "2099-03-02T03:00:00.000Z"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], LiveDevice]]:
    """Signed-in devices by login; keeper has the roles fleet and storekeeper."""
    data = tmp_path_factory.mktemp("same") / "data"
    initialize(Settings(data=data))
    passwords = Passwords()
    hashed = passwords.hash(PASSWORD)
    passwords.close()
    database = Database.open(DataLayout(data).database, clock=SystemClock())

    def fill(tx: Tx) -> None:
        department = directory.do_create_department(tx, name="办公室")
        for login in PEOPLE:
            roles = ["fleet", "storekeeper"] if login == "keeper" else []
            identity = directory.Identity(department, "科员", True)
            directory.do_create_person(
                tx, name=login, login=login, password_hash=hashed, identities=[identity], roles=roles
            )

    database.write_now(fill)
    database.close_now()
    with LiveServer(data) as server:
        devices = {login: LiveDevice(server, login) for login in PEOPLE}
        yield devices.__getitem__


def change(device: LiveDevice, type_name: str, **arguments: Any) -> dict[str, Any]:
    """One /set."""
    (answer,) = device.jmap([f"{type_name}/set", {"accountId": device.account, **arguments}, "0"])
    assert answer[0] == f"{type_name}/set", answer
    return dict(answer[1])


def made(device: LiveDevice, type_name: str, **properties: Any) -> str:
    answer = change(device, type_name, create={"k": properties})
    assert answer["created"], answer["notCreated"]
    return str(answer["created"]["k"]["id"])


def at_once(work: list[Callable[[], dict[str, Any]]]) -> list[dict[str, Any]]:
    """All of it, begun behind one barrier."""
    barrier = threading.Barrier(len(work))

    def run(one: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        barrier.wait(10)
        return one()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))


def test_one_gets_the_vehicle_and_the_others_are_offered_free_ones(office: Callable[[str], LiveDevice]) -> None:
    keeper = office("keeper")
    wanted, free = (made(keeper, "Vehicle", plate=plate, model="GL8", seats=7) for plate in ("苏A·12345", "苏A·22318"))
    askers = [office(login) for login in PEOPLE[1:]]

    def ask(device: LiveDevice) -> Callable[[], dict[str, Any]]:
        trip = {"span": SPAN, "destination": "市局", "reason": "开会", "vehicleId": wanted}
        return lambda: change(device, "VehicleTrip", create={"k": trip})

    answers = at_once([ask(one) for one in askers])
    winners = [device for device, one in zip(askers, answers, strict=True) if one["created"]]
    assert len(winners) == 1
    for answer in answers:
        if not answer["created"]:
            refused = answer["notCreated"]["k"]
            assert refused["type"] == "overlap"
            assert refused["conflicts"][0]["authorId"] == winners[0].account
            assert refused["free"] == [free]


def test_stock_never_falls_below_zero(office: Callable[[str], LiveDevice]) -> None:
    keeper = office("keeper")
    store = made(keeper, "SupplyStore", name="主库", keepers=[keeper.account])
    item = made(keeper, "SupplyItem", name="复印纸", price="24.00")
    lines = [{"itemId": item, "quantity": 5, "price": "24.00"}]
    bought = made(keeper, "SupplyPurchase", storeId=store, supplier="店", lines=lines)
    assert not change(keeper, "SupplyPurchase", update={bought: {"state": "received"}}).get("notUpdated")
    wanted = {"storeId": store, "purpose": "办公", "lines": [{"itemId": item, "quantity": 2}]}
    requests = [made(office(login), "SupplyRequest", **wanted) for login in PEOPLE[1:]]
    for one in requests:
        assert not change(keeper, "SupplyRequest", update={one: {"state": "approved"}}).get("notUpdated")

    def hand_out(one: str) -> Callable[[], dict[str, Any]]:
        return lambda: change(keeper, "SupplyRequest", update={one: {"state": "handedOut"}})

    answers = at_once([hand_out(one) for one in requests])
    refused = [one for one in answers if one.get("notUpdated")]
    assert len(answers) - len(refused) == 2
    assert all(next(iter(one["notUpdated"].values()))["properties"] == ["lines"] for one in refused)
    (found,) = keeper.jmap(["SupplyItem/get", {"accountId": keeper.account, "ids": [item]}, "0"])
    assert found[1]["list"][0]["stock"] == 1
    (moved,) = keeper.jmap(["StockMovement/get", {"accountId": keeper.account, "ids": None}, "0"])
    assert sum(one["quantity"] for one in moved[1]["list"]) == 1


def test_numbers_are_dense_and_given_once(office: Callable[[str], LiveDevice]) -> None:
    keeper = office("keeper")
    (before,) = keeper.jmap(["SupplyRequest/get", {"accountId": keeper.account, "ids": None}, "0"])
    stores = before[1]["list"][0]["storeId"]
    lines = [{"itemId": before[1]["list"][0]["lines"][0]["itemId"], "quantity": 1}]
    wanted = {"storeId": stores, "purpose": "办公", "lines": lines}

    def ask(login: str) -> Callable[[], dict[str, Any]]:
        device = office(login)
        return lambda: change(device, "SupplyRequest", create={f"k{n}": wanted for n in range(10)})

    answers = at_once([ask(login) for login in PEOPLE[1:]])
    assert sum(len(one["created"]) for one in answers) == 80
    (after,) = keeper.jmap(["SupplyRequest/get", {"accountId": keeper.account, "ids": None}, "0"])
    numbers = sorted(int(one["number"][-4:]) for one in after[1]["list"])
    assert numbers == list(range(1, len(numbers) + 1))
