"""Stock: the only writer of movements and levels. What a store holds is what its movements add up to, and is never below zero."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.alerts import AlertText, do_alert
from server_stub.modules.engine.referrers import load_referrers
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.titles import title_of
from server_stub.records.store import Record, load_record
from server_stub.storage.database import Tx

STORE: Final = "SupplyStore"
ITEM: Final = "SupplyItem"
LEVEL: Final = "StockLevel"
MOVEMENT: Final = "StockMovement"
USED: Final = ("issue", "return")


@dataclass(frozen=True, slots=True)
class Slip:
    """Why stock moves: the kind of movement, the words of the paper, and for whom."""

    kind: str
    words: str
    day: str
    department_id: str | None = None
    person_id: str | None = None


def do_move(
    rules: Rules, tx: Tx, slip: Slip, store_id: str, item_id: str, quantity: int, *, price: str | None = None
) -> None:
    """Move `quantity` (negative: out) of an item of a store. Keepers are told when less than the minimum is left.

    Raises:
        SetError: invalidProperties on `lines`: the store does not hold as much.
    """
    if quantity == 0:
        return
    item = load_item(tx.conn, item_id)
    level = _level(rules, tx, store_id, item)
    balance = int(level.data.get("quantity", 0)) + quantity
    if balance < 0:
        held = int(level.data.get("quantity", 0))
        raise invalid_properties(f"{item.data['name']}: {held} in stock, {-quantity} wanted", "lines")
    after = rules.change(tx, LEVEL, level.id, level_values(item, balance))
    _make_movement(rules, tx, slip, level, item, quantity, balance, price or item.data["price"])
    changed: dict[str, Any] = {"stock": int(item.data.get("stock", 0)) + quantity}
    if slip.kind == "issue":
        changed["lastUsed"] = max(slip.day, item.data.get("lastUsed", ""))
    rules.change(tx, ITEM, item.id, changed)
    if after.data["low"] and not level.data.get("low"):
        _do_warn(rules, tx, after)


def do_move_all(rules: Rules, tx: Tx, slip: Slip, store_id: str, lines: Iterable[Mapping[str, Any]], sign: int) -> None:
    """Move every line of a paper in (1) or out (-1), at the prices of the paper where it has some."""
    for line in lines:
        do_move(rules, tx, slip, store_id, line["itemId"], sign * int(line["quantity"]), price=line.get("price"))


def load_item(conn: sa.Connection, item_id: str) -> Record:
    """An item. Raises SetError: it is not there."""
    item = load_record(conn, item_id, type_name=ITEM)
    if item is None:
        raise SetError(SetErrorType.NOT_FOUND)
    return item


def level_values(item: Record, quantity: int) -> dict[str, Any]:
    """What a level says when so much of the item is left."""
    minimum = int(item.data.get("minimum", 0))
    return {"quantity": quantity, "minimum": minimum, "low": quantity < minimum}


def load_levels(conn: sa.Connection, store_id: str) -> list[Record]:
    """What a store holds."""
    return load_referrers(conn, LEVEL, "storeId", store_id)


def held(conn: sa.Connection, store_id: str, item_id: str) -> int:
    """How much of an item a store holds."""
    levels = (one for one in load_referrers(conn, LEVEL, "itemId", item_id) if one.data["storeId"] == store_id)
    return sum(int(one.data.get("quantity", 0)) for one in levels)


def check_lines(conn: sa.Connection, lines: Iterable[Mapping[str, Any]]) -> None:
    """Raises SetError: an item stands in two lines, or is not in use any more."""
    seen: set[str] = set()
    for line in lines:
        item = load_item(conn, line["itemId"])
        if item.id in seen:
            raise invalid_properties(f"{item.data['name']} stands in two lines", "lines")
        if not item.data.get("active", True):
            raise invalid_properties(f"{item.data['name']} is not in use any more", "lines")
        seen.add(item.id)


def _level(rules: Rules, tx: Tx, store_id: str, item: Record) -> Record:
    for level in load_referrers(tx.conn, LEVEL, "itemId", item.id):
        if level.data["storeId"] == store_id:
            return level
    # A store that never held the item lacks nothing yet: it becomes low when it goes below the minimum.
    values = {**level_values(item, 0), "low": False}
    return rules.make(tx, LEVEL, {"storeId": store_id, "itemId": item.id, **values}, None)


def _make_movement(
    rules: Rules, tx: Tx, slip: Slip, level: Record, item: Record, quantity: int, balance: int, price: str
) -> None:
    data: dict[str, Any] = {
        "date": slip.day,
        "kind": slip.kind,
        "storeId": level.data["storeId"],
        "itemId": item.id,
        "quantity": quantity,
        "balance": balance,
        "price": price,
        "slip": slip.words,
    }
    if slip.kind in USED:
        data |= {"usedQuantity": -quantity, "used": f"{-quantity * Decimal(price):.2f}"}
    if slip.department_id:
        data["departmentId"] = slip.department_id
    if slip.person_id:
        data["personId"] = slip.person_id
    rules.make(tx, MOVEMENT, data, slip.person_id)


def _do_warn(rules: Rules, tx: Tx, level: Record) -> None:
    store = load_record(tx.conn, level.data["storeId"], type_name=STORE)
    if store is None:
        return
    types = rules.context.types
    title = title_of(tx.conn, types, types[LEVEL], level.data)
    text = f"{level.data['quantity']} < {level.data['minimum']}"
    do_alert(tx, store.data["keepers"], AlertText("due", title, text, False, LEVEL, level.id))
