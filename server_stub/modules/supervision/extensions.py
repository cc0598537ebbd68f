"""延期: asked by who is responsible, examined by 督察科, granted by who handed it out; the original deadline is never touched."""

from collections.abc import Mapping
from typing import Any, Final

from server_stub.errors import invalid_properties
from server_stub.modules.engine.processes.by_server import do_renew_limits
from server_stub.modules.engine.referrers import load_referrers
from server_stub.modules.supervision.supervised import EXTENSION, ITEM, ITEM_OVER, MATTER, Supervised, forbidden
from server_stub.records.actor import Actor
from server_stub.records.store import Record
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx

OPEN: Final[Mapping[str, frozenset[str]]] = {
    MATTER: frozenset({"running", "concluding"}),
    ITEM: frozenset({"issued", "running"}),
}
ASKED: Final = frozenset({"draft", "examining", "deciding"})


class ExtensionRules(Supervised):
    """延期申请: of one item up to its matter's deadline, or of the whole matter."""

    type_name = EXTENSION

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        target = self._target(tx, data)
        people = {*target.data.get("responsibleIds", ()), *target.data.get("leadIds", ())}
        units = [target.data["departmentId"]] if target.type == ITEM else target.data["leadUnits"]
        if actor.person_id not in {*people, *self.heads_of(tx.conn, units)} and "supervisor" not in actor.roles:
            raise forbidden("who is responsible asks for an extension")
        self._check_alone(tx, target, data)
        self._check_date(tx, target, data)
        more = {"title": target.data["title"], "deployerId": self._matter(tx, data).data["deployerId"]}
        return {
            **data,
            **more,
            "currentDeadline": target.data["deadline"],
            "originalDeadline": target.data["originalDeadline"],
        }

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        if "newDeadline" in changed:
            self._check_date(tx, self._target(tx, data), data)
        return data

    def check_case_action(self, tx: Tx, actor: Actor, record: Record, event: JsonObject) -> None:
        if event.get("action") in ("submit", "approve"):
            self._check_date(tx, self._target(tx, record.data), {**record.data, **(event.get("values") or {})})

    def on_case_end(self, tx: Tx, record: Record, end_state: str | None) -> None:
        if end_state != "approved":
            return
        target = self._target(tx, record.data)
        old, new = str(target.data["deadline"]), str(record.data["newDeadline"])
        self._do_move(tx, target, new, record.author_id)
        if target.type == MATTER:
            for item in self.items_of(tx.conn, target.id):
                if item.data["deadline"] == old and item.data.get("state") not in ITEM_OVER:
                    self._do_move(tx, item, new, record.author_id)

    def _do_move(self, tx: Tx, target: Record, new: str, by: str | None) -> None:
        """Lights, reminders and the limits of open work follow."""
        values = {"deadline": new, "extensions": int(target.data.get("extensions") or 0) + 1}
        moved = self.do_light(tx, self.change(tx, target.type, target.id, values, by))
        do_renew_limits(tx, self.context, self.rules_of(target.type), moved)
        if target.type == ITEM:
            self.do_settle_urges(tx, target.id, "deadline")

    # ------------------------------------------------------------ checks

    def _matter(self, tx: Tx, data: Mapping[str, Any]) -> Record:
        return self.load(tx.conn, MATTER, data["matterId"], "matterId")

    def _target(self, tx: Tx, data: Mapping[str, Any]) -> Record:
        """What is to have more time. Raises SetError: it is over, or the item is not one of the matter."""
        found, field = self._matter(tx, data), "matterId"
        if data.get("itemId"):
            found, field = self.load(tx.conn, ITEM, data["itemId"], "itemId"), "itemId"
            if found.data["matterId"] != data["matterId"]:
                raise invalid_properties("is an item of another matter", "itemId")
        if found.data.get("state") not in OPEN[found.type]:
            raise invalid_properties("is not under way", field)
        return found

    def _check_date(self, tx: Tx, target: Record, data: Mapping[str, Any]) -> None:
        if data["newDeadline"] <= target.data["deadline"]:
            raise invalid_properties("is not later than the deadline now", "newDeadline")
        if data["newDeadline"] < self.today(tx).isoformat():
            raise invalid_properties("lies in the past", "newDeadline")
        if target.type == ITEM and data["newDeadline"] > self._matter(tx, data).data["deadline"]:
            raise invalid_properties("is later than the matter's: ask for the matter as a whole", "newDeadline")

    def _check_alone(self, tx: Tx, target: Record, data: Mapping[str, Any]) -> None:
        others = load_referrers(tx.conn, EXTENSION, "matterId", str(data["matterId"]))
        if any(one.data.get("state") in ASKED and one.data.get("itemId") == data.get("itemId") for one in others):
            raise invalid_properties("an extension is being asked for already", "newDeadline")
