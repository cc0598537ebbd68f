"""Rules of supplies: what each paper does to the stock (stock.py), quotas of departments, and counts that explain differences."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from server_stub.clock import parse_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.conditions import local_day
from server_stub.modules.engine.definition import Action
from server_stub.modules.engine.referrers import load_referrers
from server_stub.modules.engine.rules import Rules
from server_stub.modules.supplies.stock import (
    LEVEL,
    MOVEMENT,
    Slip,
    check_lines,
    do_move,
    do_move_all,
    held,
    level_values,
    load_item,
    load_levels,
)
from server_stub.records.actor import Actor
from server_stub.records.store import Record, load_record
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx

REQUEST: Final = "SupplyRequest"
RETURN: Final = "SupplyReturn"
QUOTA: Final = "SupplyQuota"
COUNTED: Final = ("approved", "partly", "handedOut", "received")
"""States of a request that take of the department's quota."""


class StoreRules(Rules):
    """A store that ever held something stays."""

    def check_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        if load_levels(tx.conn, record.id):
            raise SetError(SetErrorType.FORBIDDEN, "it holds or held supplies")


class ItemRules(Rules):
    """An item's minimum goes to all its levels; one that was ever moved is taken out of use, not destroyed."""

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        if before.data.get("minimum") != after.data.get("minimum"):
            for level in load_referrers(tx.conn, LEVEL, "itemId", after.id):
                self.change(tx, LEVEL, level.id, level_values(after, int(level.data.get("quantity", 0))))

    def check_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        if load_referrers(tx.conn, MOVEMENT, "itemId", record.id):
            raise SetError(SetErrorType.FORBIDDEN, "it was moved already: take it out of use instead")


class SlipRules(Rules):
    """What papers with lines share."""

    def slip(self, tx: Tx, kind: str, record: Record, **extra: Any) -> Slip:
        """The words and the day of a movement caused by this record."""
        words = str(record.data.get("number") or record.id)
        return Slip(kind, words, self.context.standpoint(tx.now).today().isoformat(), **extra)


class RequestRules(SlipRules):
    """领用: requested → approved → (partly) → handedOut → received. Stock leaves when it is handed out."""

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        if data["departmentId"] not in actor.department_ids:
            raise invalid_properties("ask for a department of your own", "departmentId")
        return self._priced(tx, data)

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        if record.data["state"] == "requested" and data["state"] == "requested":
            return self._priced(tx, data)
        if record.data["state"] in ("approved", "partly") and data["state"] in ("partly", "handedOut"):
            return self._handed(record, data, changed)
        return data

    def check_action(self, tx: Tx, actor: Actor, record: Record, action: Action, data: JsonObject) -> None:
        if action.name == "approve":
            self._check_quota(tx, record.data)

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        slip = self.slip(tx, "issue", after, department_id=after.data["departmentId"], person_id=after.author_id)
        for old, new in zip(before.data["lines"], after.data["lines"], strict=False):
            more = int(new.get("handed", 0)) - int(old.get("handed", 0))
            if more and after.data["state"] in ("partly", "handedOut"):
                do_move(self, tx, slip, after.data["storeId"], new["itemId"], -more, price=new.get("price"))

    # ------------------------------------------------------------ one rule each

    def _priced(self, tx: Tx, data: JsonObject) -> JsonObject:
        """Today's price on every line; nothing is handed out yet."""
        check_lines(tx.conn, data["lines"])
        lines = [
            {**line, "handed": 0, "price": load_item(tx.conn, line["itemId"]).data["price"]} for line in data["lines"]
        ]
        priced = {**data, "lines": lines}
        self._check_quota(tx, priced)
        return priced

    def _handed(self, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        """Only the handed-out numbers move, upwards, to what was asked for at most; with the last one the request is handed out."""
        old = record.data["lines"]
        if data["state"] == "handedOut" and not data.get("closedShort"):
            data["lines"] = [{**line, "handed": line["quantity"]} for line in old]
        new = data["lines"]
        if [_asked(one) for one in old] != [_asked(one) for one in new]:
            raise invalid_properties("only what was handed out may change", "lines")
        for before, after in zip(old, new, strict=True):
            if not before.get("handed", 0) <= after.get("handed", 0) <= after["quantity"]:
                raise invalid_properties("hand out no less than before and no more than was asked for", "lines")
        if data["state"] == "partly" and all(one.get("handed", 0) == one["quantity"] for one in new):
            data["state"] = "handedOut"
        return data

    def _check_quota(self, tx: Tx, data: Mapping[str, Any]) -> None:
        quota = find_quota(tx.conn, data["departmentId"])
        if quota is None:
            return
        left = Decimal(quota.data["amount"]) - self._used(tx, data["departmentId"])
        wanted = sum((Decimal(one.get("price") or "0") * int(one["quantity"]) for one in data["lines"]), Decimal(0))
        if wanted > left:
            raise invalid_properties(f"{left:.2f} of this month's quota is left, {wanted:.2f} asked for", "lines")

    def _used(self, tx: Tx, department_id: str) -> Decimal:
        return used_this_month(self, tx.conn, department_id, tx.now)


class ReturnRules(SlipRules):
    """退回: never more than was handed out and not yet given back."""

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        return self._checked(tx, actor, record_id, data)

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        return self._checked(tx, actor, record.id, data) if data["state"] == "new" else data

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        if before.data["state"] == "new" and after.data["state"] == "accepted":
            request = self._request(tx, after.data)
            slip = self.slip(
                tx, "return", request, department_id=request.data["departmentId"], person_id=request.author_id
            )
            prices = {one["itemId"]: one.get("price") for one in request.data["lines"]}
            for line in after.data["lines"]:
                quantity, price = int(line["quantity"]), prices.get(line["itemId"])
                do_move(self, tx, slip, after.data["storeId"], line["itemId"], quantity, price=price)

    def _checked(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        request = self._request(tx, data)
        if request.author_id != actor.person_id and "storekeeper" not in actor.roles:
            raise invalid_properties("give back what you asked for yourself", "requestId")
        free = {one["itemId"]: int(one.get("handed", 0)) for one in request.data["lines"]}
        for other in load_referrers(tx.conn, RETURN, "requestId", request.id):
            if other.id != record_id and other.data["state"] != "refused":
                for line in other.data["lines"]:
                    free[line["itemId"]] = free.get(line["itemId"], 0) - int(line["quantity"])
        for line in data["lines"]:
            free[line["itemId"]] = free.get(line["itemId"], 0) - int(line["quantity"])
            if free[line["itemId"]] < 0:
                raise invalid_properties("more than was handed out", "lines")
        return {**data, "storeId": request.data["storeId"]}

    def _request(self, tx: Tx, data: Mapping[str, Any]) -> Record:
        request = load_record(tx.conn, data["requestId"], type_name=REQUEST)
        if request is None:
            raise invalid_properties("is gone", "requestId")
        return request


class PurchaseRules(SlipRules):
    """采购: stock comes in when it is received; the item's price is that of the last purchase."""

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        check_lines(tx.conn, data["lines"])
        return data

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        if "lines" in changed:
            check_lines(tx.conn, data["lines"])
        return data

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        if before.data["state"] == "ordered" and after.data["state"] == "received":
            do_move_all(self, tx, self.slip(tx, "purchase", after), after.data["storeId"], after.data["lines"], sign=1)
            for line in after.data["lines"]:
                self.change(tx, "SupplyItem", line["itemId"], {"price": line["price"]}, by=actor.person_id)


class TransferRules(SlipRules):
    """调拨: out of one store and into the other in one step."""

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        return self._checked(tx, data)

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        return self._checked(tx, data) if data["state"] == "new" else data

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        if before.data["state"] == "new" and after.data["state"] == "done":
            lines = after.data["lines"]
            do_move_all(self, tx, self.slip(tx, "transferOut", after), after.data["storeId"], lines, sign=-1)
            do_move_all(self, tx, self.slip(tx, "transferIn", after), after.data["toStoreId"], lines, sign=1)

    def _checked(self, tx: Tx, data: JsonObject) -> JsonObject:
        if data["storeId"] == data["toStoreId"]:
            raise invalid_properties("is the same store", "toStoreId")
        check_lines(tx.conn, data["lines"])
        return data


class TakeRules(SlipRules):
    """盘点: the book is what stood there when the count began; approving moves the difference, whatever was handed out meanwhile."""

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        lines = data.get("lines") or [{"itemId": one.data["itemId"]} for one in load_levels(tx.conn, data["storeId"])]
        check_unique = {line["itemId"] for line in lines}
        if len(check_unique) != len(lines):
            raise invalid_properties("an item stands in two lines", "lines")
        return {**data, "lines": [self._line(tx, data["storeId"], line) for line in lines]}

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        if "lines" not in changed:
            return data
        books = {line["itemId"]: line["book"] for line in record.data["lines"]}
        lines = data["lines"]
        if len({line["itemId"] for line in lines}) != len(lines):
            raise invalid_properties("an item stands in two lines", "lines")
        return {**data, "lines": [self._line(tx, data["storeId"], line, books) for line in lines]}

    def check_action(self, tx: Tx, actor: Actor, record: Record, action: Action, data: JsonObject) -> None:
        if action.name == "approve" and any(line.get("counted") is None for line in data["lines"]):
            raise invalid_properties("something is not counted yet", "lines")

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        if before.data["state"] == "counting" and after.data["state"] == "approved":
            slip = self.slip(tx, "adjust", after)
            for line in after.data["lines"]:
                do_move(self, tx, slip, after.data["storeId"], line["itemId"], int(line["difference"]))

    def _line(
        self, tx: Tx, store_id: str, line: Mapping[str, Any], books: Mapping[str, int] | None = None
    ) -> dict[str, Any]:
        book = (books or {}).get(line["itemId"])
        made = {"itemId": line["itemId"], "book": held(tx.conn, store_id, line["itemId"]) if book is None else book}
        if line.get("counted") is not None:
            made |= {"counted": line["counted"], "difference": line["counted"] - made["book"]}
        return made


class QuotaRules(Rules):
    """定额: what a department may ask for in a month; shown with what is left."""

    def present(self, conn: sa.Connection, actor: Actor, records: Sequence[Record], objects: list[JsonObject]) -> None:
        now = self.context.clock.now_ms()
        for record, obj in zip(records, objects, strict=True):
            used = used_this_month(self, conn, record.data["departmentId"], now)
            obj["used"] = f"{used:.2f}"
            obj["left"] = f"{Decimal(record.data['amount']) - used:.2f}"


# ---------------------------------------------------------------- small things


def find_quota(conn: sa.Connection, department_id: str) -> Record | None:
    """The quota of a department, None where there is no limit."""
    found = load_referrers(conn, QUOTA, "departmentId", department_id)
    return found[0] if found else None


def used_this_month(rules: Rules, conn: sa.Connection, department_id: str, now: int) -> Decimal:
    """The value of what the department was granted in the current local month."""
    standpoint = rules.context.standpoint(now)
    month = standpoint.today().strftime("%Y-%m")
    total = Decimal(0)
    for request in load_referrers(conn, REQUEST, "departmentId", department_id):
        approved = request.data.get("approvedAt")
        if request.data["state"] not in COUNTED or not approved:
            continue
        if local_day(parse_utc(approved), standpoint.offset).strftime("%Y-%m") == month:
            total += Decimal(request.data.get("total", "0"))
    return total


def _asked(line: Mapping[str, Any]) -> tuple[Any, ...]:
    return line["itemId"], line["quantity"], line.get("price")
