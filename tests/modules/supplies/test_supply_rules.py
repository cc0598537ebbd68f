"""Rules of supplies: stock by movements and never negative, requests in full and in parts, quotas, returns, purchases, transfers, counts."""

from typing import Any

import pytest

from tests.modules.office_bench import DAY, Bench, refusal


@pytest.fixture
def shop(bench: Bench) -> Bench:
    """chen is storekeeper and keeps the store; a second store, three items at 2.50, 10.00 and 0.10."""
    bench.grant("chen", "storekeeper")
    bench.ids = {}  # type: ignore[attr-defined]
    for name in ("主库", "分库"):
        bench.ids[name] = bench.create("chen", "SupplyStore", key=name, name=name, keepers=[bench.person("chen")])  # type: ignore[attr-defined]
    for name, price in (("笔", "2.50"), ("纸", "10.00"), ("夹", "0.10")):
        bench.ids[name] = bench.create("chen", "SupplyItem", key=name, name=name, price=price, minimum=5)  # type: ignore[attr-defined]
    return bench


def id_of(shop: Bench, name: str) -> str:
    return str(shop.ids[name])  # type: ignore[attr-defined]


def lines(shop: Bench, **quantities: int) -> list[dict[str, Any]]:
    return [{"itemId": id_of(shop, name), "quantity": quantity} for name, quantity in quantities.items()]


def buy(shop: Bench, price: str = "2.50", store: str = "主库", **quantities: int) -> str:
    bought = [{**line, "price": price} for line in lines(shop, **quantities)]
    slip = shop.create(
        "chen", "SupplyPurchase", key=key(shop), storeId=id_of(shop, store), supplier="文具店", lines=bought
    )
    shop.update("chen", "SupplyPurchase", slip, state="received")
    return slip


def ask(shop: Bench, who: str = "yu", department: str = "flood", **quantities: int) -> str:
    return shop.create(
        who,
        "SupplyRequest",
        key=key(shop),
        storeId=id_of(shop, "主库"),
        departmentId=shop.departments[department],
        purpose="日常办公",
        lines=lines(shop, **quantities),
    )


def key(shop: Bench) -> str:
    return f"k{shop.clock.now_ms()}"


def stock(shop: Bench, item: str, store: str = "主库") -> int:
    levels = shop.all("chen", "StockLevel")
    found = [one for one in levels if (one["itemId"], one["storeId"]) == (id_of(shop, item), id_of(shop, store))]
    return sum(int(one["quantity"]) for one in found)


def step(shop: Bench, who: str, request: str, name: str, **fields: Any) -> None:
    shop.update(who, "SupplyRequest", request, action=name, **fields)


def request(shop: Bench, id_: str) -> dict[str, Any]:
    found = shop.get("chen", "SupplyRequest", id_)
    assert found is not None
    return found


def handed(shop: Bench, id_: str, *numbers: int) -> list[dict[str, Any]]:
    return [{**line, "handed": number} for line, number in zip(request(shop, id_)["lines"], numbers, strict=True)]


# ---------------------------------------------------------------- the way of a request


def test_stock_leaves_when_it_is_handed_out(shop: Bench) -> None:
    buy(shop, 笔=100)
    one = ask(shop, 笔=10)
    assert request(shop, one)["total"] == "25.00"
    step(shop, "chen", one, "approve")
    assert stock(shop, "笔") == 100
    step(shop, "chen", one, "handOut")
    assert stock(shop, "笔") == 90
    step(shop, "yu", one, "receive")
    assert request(shop, one)["state"] == "received"


def test_never_more_than_there_is(shop: Bench) -> None:
    buy(shop, 笔=10)
    one, other = ask(shop, 笔=10), ask(shop, "gao", 笔=1)
    for id_ in (one, other):
        step(shop, "chen", id_, "approve")
    step(shop, "chen", one, "handOut")
    refused = refusal(lambda: step(shop, "chen", other, "handOut"))
    assert refused.properties == ["lines"]
    assert (stock(shop, "笔"), request(shop, other)["state"]) == (0, "approved")


def test_in_parts_until_all_is_handed_out(shop: Bench) -> None:
    buy(shop, 笔=6, 纸=2)
    one = ask(shop, 笔=10, 纸=2)
    step(shop, "chen", one, "approve")
    step(shop, "chen", one, "handPart", lines=handed(shop, one, 6, 0))
    assert (stock(shop, "笔"), stock(shop, "纸"), request(shop, one)["state"]) == (0, 2, "partly")
    less = handed(shop, one, 5, 0)
    assert refusal(lambda: step(shop, "chen", one, "handMore", lines=less)).properties == ["lines"]
    more = handed(shop, one, 11, 0)
    assert refusal(lambda: step(shop, "chen", one, "handMore", lines=more)).properties == ["lines"]
    buy(shop, 笔=4)
    step(shop, "chen", one, "handMore", lines=handed(shop, one, 10, 2))
    assert (stock(shop, "笔"), stock(shop, "纸"), request(shop, one)["state"]) == (0, 0, "handedOut")


def test_handing_out_changes_nothing_that_was_asked_for(shop: Bench) -> None:
    buy(shop, 笔=50)
    one = ask(shop, 笔=10)
    step(shop, "chen", one, "approve")
    changed = [{**request(shop, one)["lines"][0], "quantity": 20, "handed": 20}]
    assert refusal(lambda: step(shop, "chen", one, "handPart", lines=changed)).properties == ["lines"]


def test_closing_short_gives_no_more(shop: Bench) -> None:
    buy(shop, 笔=20)
    one = ask(shop, 笔=10)
    step(shop, "chen", one, "approve")
    step(shop, "chen", one, "handPart", lines=handed(shop, one, 4))
    step(shop, "chen", one, "closeShort", answer="停产")
    assert (stock(shop, "笔"), request(shop, one)["state"]) == (16, "handedOut")
    assert request(shop, one)["lines"][0]["handed"] == 4


def test_an_item_stands_in_one_line_and_in_use(shop: Bench) -> None:
    twice = [*lines(shop, 笔=1), *lines(shop, 笔=2)]
    given = {"storeId": id_of(shop, "主库"), "departmentId": shop.departments["flood"], "purpose": "x"}
    assert refusal(lambda: shop.create("yu", "SupplyRequest", lines=twice, **given)).properties == ["lines"]
    shop.update("chen", "SupplyItem", id_of(shop, "夹"), active=False)
    assert refusal(lambda: ask(shop, 夹=1)).properties == ["lines"]
    assert refusal(lambda: ask(shop, 笔=0)).properties == ["lines"]


# ---------------------------------------------------------------- rights


def test_only_keepers_approve_and_hand_out_and_only_the_asker_receives(shop: Bench) -> None:
    buy(shop, 笔=10)
    one = ask(shop, 笔=1)
    assert refusal(lambda: step(shop, "yu", one, "approve")).type == "forbidden"
    step(shop, "chen", one, "approve")
    step(shop, "chen", one, "handOut")
    assert refusal(lambda: step(shop, "chen", one, "receive")).type == "forbidden"


def test_nobody_writes_stock_by_hand(shop: Bench) -> None:
    buy(shop, 笔=10)
    level = shop.all("chen", "StockLevel")[0]["id"]
    assert refusal(lambda: shop.update("chen", "StockLevel", level, quantity=1000)).type == "forbidden"
    movement = shop.all("chen", "StockMovement")[0]["id"]
    assert refusal(lambda: shop.destroy("chen", "StockMovement", movement)).type == "forbidden"
    assert refusal(lambda: shop.update("chen", "SupplyItem", id_of(shop, "笔"), stock=5)).properties == ["stock"]


def test_prices_are_not_the_askers_to_choose(shop: Bench) -> None:
    priced = [{**lines(shop, 纸=1)[0], "price": "0.01"}]
    given = {"storeId": id_of(shop, "主库"), "departmentId": shop.departments["flood"], "purpose": "x"}
    refused = refusal(lambda: shop.create("yu", "SupplyRequest", lines=priced, **given))
    assert refused.properties == ["lines"]
    one = shop.create("yu", "SupplyRequest", lines=lines(shop, 纸=1), **given)
    assert request(shop, one)["total"] == "10.00"
    held = request(shop, one)["lines"]
    cheaper = [{**held[0], "price": "0.01"}]
    assert refusal(lambda: shop.update("yu", "SupplyRequest", one, lines=cheaper)).properties == ["lines"]
    shop.update("yu", "SupplyRequest", one, lines=[{**held[0], "quantity": 2}])
    assert request(shop, one)["total"] == "20.00"


def test_one_asks_for_a_department_of_ones_own(shop: Bench) -> None:
    assert refusal(lambda: ask(shop, "yu", "archive", 笔=1)).properties == ["departmentId"]


# ---------------------------------------------------------------- quotas


def test_a_quota_counts_what_was_granted_this_month(shop: Bench) -> None:
    shop.create("chen", "SupplyQuota", departmentId=shop.departments["flood"], amount="100.00")
    buy(shop, "10.00", 纸=100)
    first = ask(shop, 纸=7)
    step(shop, "chen", first, "approve")
    refused = refusal(lambda: ask(shop, "gao", 纸=4))
    assert refused.properties == ["lines"]
    assert "30.00" in refused.description
    second, third = ask(shop, "gao", 纸=3), ask(shop, "yu", 纸=2)
    step(shop, "chen", second, "approve")
    assert refusal(lambda: step(shop, "chen", third, "approve")).properties == ["lines"]
    quota = shop.all("yu", "SupplyQuota")[0]
    assert (quota["used"], quota["left"]) == ("100.00", "0.00")
    assert shop.all("lin", "SupplyQuota") == []


def test_a_new_month_has_a_new_quota(shop: Bench) -> None:
    shop.create("chen", "SupplyQuota", departmentId=shop.departments["flood"], amount="20.00")
    buy(shop, "10.00", 纸=100)
    step(shop, "chen", ask(shop, 纸=2), "approve")
    shop.clock.advance(31 * DAY)
    step(shop, "chen", ask(shop, 纸=2), "approve")


# ---------------------------------------------------------------- other papers


def test_a_purchase_comes_in_when_received_and_sets_the_price(shop: Bench) -> None:
    bought = [{**lines(shop, 笔=10)[0], "price": "3.00"}]
    slip = shop.create("chen", "SupplyPurchase", storeId=id_of(shop, "主库"), supplier="店", lines=bought)
    assert stock(shop, "笔") == 0
    shop.update("chen", "SupplyPurchase", slip, state="received")
    assert stock(shop, "笔") == 10
    item = shop.get("yu", "SupplyItem", id_of(shop, "笔"))
    assert item is not None
    assert (item["price"], item["stock"]) == ("3.00", 10)
    assert refusal(lambda: shop.update("chen", "SupplyPurchase", slip, supplier="x")).type == "forbidden"


def test_no_more_comes_back_than_went_out(shop: Bench) -> None:
    buy(shop, 笔=10)
    one = ask(shop, 笔=6)
    step(shop, "chen", one, "approve")
    step(shop, "chen", one, "handOut")

    def give_back(quantity: int) -> str:
        return shop.create(
            "yu", "SupplyReturn", key=key(shop), requestId=one, reason="多领", lines=lines(shop, 笔=quantity)
        )

    first = give_back(4)
    assert refusal(lambda: give_back(3)).properties == ["lines"]
    shop.update("chen", "SupplyReturn", first, state="accepted")
    assert stock(shop, "笔") == 8
    second = give_back(2)
    shop.update("chen", "SupplyReturn", second, state="refused", answer="已拆封")
    give_back(2)


def test_a_transfer_moves_in_one_step(shop: Bench) -> None:
    buy(shop, 笔=10)
    slip = shop.create(
        "chen",
        "StockTransfer",
        storeId=id_of(shop, "主库"),
        toStoreId=id_of(shop, "分库"),
        lines=lines(shop, 笔=11),
    )
    assert refusal(lambda: shop.update("chen", "StockTransfer", slip, state="done")).properties == ["lines"]
    assert (stock(shop, "笔"), stock(shop, "笔", "分库")) == (10, 0)
    shop.update("chen", "StockTransfer", slip, lines=lines(shop, 笔=10))
    shop.update("chen", "StockTransfer", slip, state="done")
    assert (stock(shop, "笔"), stock(shop, "笔", "分库")) == (0, 10)
    same = {"storeId": id_of(shop, "主库"), "toStoreId": id_of(shop, "主库"), "lines": lines(shop, 笔=1)}
    assert refusal(lambda: shop.create("chen", "StockTransfer", **same)).properties == ["toStoreId"]


def test_a_count_adjusts_by_the_difference_whatever_moved_meanwhile(shop: Bench) -> None:
    buy(shop, 笔=10, 纸=5)
    count = shop.create("chen", "StockTake", storeId=id_of(shop, "主库"))
    found = shop.get("chen", "StockTake", count)
    assert found is not None
    assert sorted(one["book"] for one in found["lines"]) == [5, 10]
    assert refusal(lambda: shop.update("chen", "StockTake", count, state="approved")).properties == ["lines"]
    one = ask(shop, 笔=2)
    step(shop, "chen", one, "approve")
    step(shop, "chen", one, "handOut")
    counted = [{**line, "counted": line["book"] - 1} for line in found["lines"]]
    shop.update("chen", "StockTake", count, lines=counted)
    shop.update("chen", "StockTake", count, state="approved")
    assert (stock(shop, "笔"), stock(shop, "纸")) == (7, 4)


def test_stock_is_what_the_movements_add_up_to(shop: Bench) -> None:
    buy(shop, 笔=30, 纸=9)
    one = ask(shop, 笔=7, 纸=3)
    step(shop, "chen", one, "approve")
    step(shop, "chen", one, "handOut")
    for item in ("笔", "纸"):
        moved = [one for one in shop.all("chen", "StockMovement") if one["itemId"] == id_of(shop, item)]
        assert sum(one["quantity"] for one in moved) == stock(shop, item)
        assert moved[-1]["balance"] == stock(shop, item)
    used = [one for one in shop.all("chen", "StockMovement") if one["kind"] == "issue"]
    assert sorted(one["used"] for one in used) == ["17.50", "7.50"]


# ---------------------------------------------------------------- low stock


def test_keepers_are_told_once_until_it_is_refilled(shop: Bench) -> None:
    buy(shop, 笔=10)
    one = ask(shop, 笔=5)
    step(shop, "chen", one, "approve")
    step(shop, "chen", one, "handOut")

    def low() -> int:
        return len([one for one in shop.all("chen", "Todo") if one["rule"] == "low" and one["state"] == "open"])

    assert low() == 0
    other = ask(shop, 笔=1)
    step(shop, "chen", other, "approve")
    step(shop, "chen", other, "handOut")
    assert low() == 1
    assert [one["link"]["type"] for one in shop.all("chen", "Alert") if one["link"]["type"] == "StockLevel"]
    buy(shop, 笔=10)
    assert low() == 0
