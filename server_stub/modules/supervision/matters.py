"""督办事项: handing out makes and starts the items, all of them done wakes the conclusion; what is withdrawn takes its items along."""

from typing import Any, Final

from server_stub.accounts.directory import load_rights
from server_stub.errors import invalid_properties
from server_stub.modules.engine.processes.by_server import do_terminate_by_server
from server_stub.modules.engine.processes.rows import open_case
from server_stub.modules.supervision.items import ItemRules
from server_stub.modules.supervision.supervised import ITEM, ITEM_OVER, LIGHT, MATTER, Supervised
from server_stub.modules.supervision.transfers import responsible_after
from server_stub.records.actor import Actor
from server_stub.records.store import Record, load_record
from server_stub.records.types import JsonObject
from server_stub.storage.blobs import do_link
from server_stub.storage.database import Tx

AHEAD: Final = frozenset({"draft", "decomposing", "issuing"})
"""States in which the deadline is still being settled."""
MAX_EVIDENCE: Final = 50
GIVEN_BACK: Final = frozenset({"conclude", "verify"})
"""Steps a matter may be returned to once its items run."""


class MatterRules(Supervised):
    """立项 → 分解 → 交办 → (items) → 办结 → 核查 → 销号 → 归档."""

    type_name = MATTER

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        if data["deadline"] < self.today(tx).isoformat():
            raise invalid_properties("lies in the past", "deadline")
        return self._completed(tx, data)

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        return self._completed(tx, data) if record.data.get("state") in AHEAD else data

    def check_case_action(self, tx: Tx, actor: Actor, record: Record, event: JsonObject) -> None:
        action, state = event.get("action"), record.data.get("state")
        if action in ("return", "withdraw") and state == "running":
            raise invalid_properties("its items are under way: withdraw the matter instead", "action")
        to_step = event.get("toStepId")
        if action == "return" and state not in AHEAD and to_step is not None and to_step not in GIVEN_BACK:
            raise invalid_properties("it was handed out: it only goes back to its conclusion", "toStepId")
        if action == "approve" and state in ("concluding", "verifying"):
            self._check_items_done(tx, record)
        if action in ("submit", "approve") and state in AHEAD:
            self._check_dates(tx, {**record.data, **(event.get("values") or {})}, record)

    def on_step(self, tx: Tx, record: Record, step_id: str, event: JsonObject) -> None:
        today = self.today(tx).isoformat()
        match step_id:
            case "issue" if event.get("action") != "refuse" and record.data.get("state") == "issuing":
                self._do_issue(tx, record)
            case "conclude":
                self.change(tx, MATTER, record.id, {"doneOn": today})
            case "close":
                self._do_close(tx, record, today)
        self.do_light(tx, self.load(tx.conn, MATTER, record.id, "id"))

    def on_case_end(self, tx: Tx, record: Record, end_state: str | None) -> None:
        if end_state != "archived":
            self._do_drop_items(tx, record)

    def on_case(self, tx: Tx, record: Record, before: str | None) -> None:
        """Who concludes it in somebody's place is responsible for it from then on."""
        taken = responsible_after(tx, record) if record.data.get("state") == "concluding" else None
        if taken is not None:
            self.change(tx, MATTER, record.id, {"responsibleIds": taken[1]}, by=taken[0])

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        if before.data.get("state") != after.data.get("state") == "cancelled":
            self._do_drop_items(tx, after)

    def after_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        for item in self.items_of(tx.conn, record.id):
            self.drop(tx, item, actor.person_id)

    def on_due(self, tx: Tx, record: Record, kind: str) -> None:
        after = self.do_light(tx, record) if kind == LIGHT else record
        if after.data.get("light") != record.data.get("light") and after.data.get("light") in ("amber", "red"):
            zh = f"{'黄灯' if after.data['light'] == 'amber' else '红灯'}：期限{after.data['deadline']}"
            people = {
                *self.supervisors(tx, after),
                *after.data.get("responsibleIds", ()),
                str(after.data["deployerId"]),
            }
            self.do_tell(
                tx, after, people, "due", zh, f"{after.data['light']}: due {after.data['deadline']}", urgent=False
            )

    # ------------------------------------------------------------ one rule each

    def _completed(self, tx: Tx, data: JsonObject) -> JsonObject:
        """Until it is handed out the deadline is the original one."""
        if set(data["leadUnits"]) & set(data.get("supportUnits", ())):
            raise invalid_properties("a unit either leads or supports", "supportUnits")
        data["originalDeadline"] = data["deadline"]
        if not data.get("responsibleIds"):
            heads = self.heads_of(tx.conn, data["leadUnits"])[:10]
            if heads:
                data["responsibleIds"] = heads
        data["audience"] = {"departmentIds": [*data["leadUnits"], *data.get("supportUnits", ())]}
        origin = data.get("origin") or {}
        if origin.get("type") and origin.get("id"):
            data.setdefault("originLink", link_of(origin))
        if origin.get("title"):
            data.setdefault("originTitle", origin["title"])
        return data

    def _check_items_done(self, tx: Tx, record: Record) -> None:
        waiting = [one for one in self.items_of(tx.conn, record.id) if one.data.get("state") not in ITEM_OVER]
        if waiting:
            titles = "、".join(str(one.data["title"]) for one in waiting[:5])
            raise invalid_properties(f"items are not done: {titles}"[:300], "state")

    def _check_dates(self, tx: Tx, data: JsonObject, record: Record) -> None:
        for item in self.items_of(tx.conn, record.id):
            if item.data["deadline"] > data["deadline"]:
                raise invalid_properties(f"“{item.data['title']}” is due later than the matter"[:300], "deadline")

    def _do_issue(self, tx: Tx, record: Record) -> None:
        """Every unit has an item of its own, and each begins."""
        today = self.today(tx).isoformat()
        matter = self.change(tx, MATTER, record.id, {"state": "running", "issuedOn": today, "lightFrom": today})
        self.do_light(tx, matter)
        held = {one.data["departmentId"] for one in self.items_of(tx.conn, record.id)}
        for part, name in (("lead", "leadUnits"), ("support", "supportUnits")):
            for unit_id in record.data.get(name, ()):
                if unit_id not in held:
                    self._do_make_item(tx, matter, unit_id, part)
        for item in self.items_of(tx.conn, record.id):
            if item.data.get("state") == "planned":
                self.peer(ItemRules).do_begin(tx, item)
        self.do_roll_up(tx, record.id)

    def _do_make_item(self, tx: Tx, matter: Record, unit_id: str, part: str) -> None:
        data: JsonObject = {"matterId": matter.id, "title": matter.data["title"], "departmentId": unit_id, "part": part}
        if matter.data.get("content"):
            data["requirement"] = matter.data["content"]
        mine = [
            one for one in matter.data.get("responsibleIds", ()) if unit_id in load_rights(tx.conn, one).department_ids
        ]
        if mine:
            data["responsibleIds"] = mine
        base = {
            "progress": 0,
            "extensions": 0,
            "onTime": 0,
            "late": 0,
            "delayDays": 0,
            "urges": 0,
            "yellowCards": 0,
            "missedReports": 0,
        }
        completed = self.peer(ItemRules).completed(tx, {**base, **data})
        self.make(tx, ITEM, completed, matter.author_id)

    def _do_close(self, tx: Tx, record: Record, today: str) -> None:
        """Struck off: the closing record has the evidence of every item, each file once."""
        files = {one["blobId"]: one for one in record.data.get("evidence", ())}
        for item in self.items_of(tx.conn, record.id):
            for one in item.data.get("evidence", ()):
                if one["blobId"] not in files and len(files) < MAX_EVIDENCE:
                    files[one["blobId"]] = one
                    do_link(tx, one["blobId"], record.id, MATTER, one["type"])
        values: dict[str, Any] = {"closedOn": today, "light": "done", "points": self._points(tx, record)}
        self.change(tx, MATTER, record.id, {**values, "evidence": list(files.values()) or None})

    def _points(self, tx: Tx, record: Record) -> float:
        """What 督察科 may amend when it files the matter: the mean of its items."""
        items = [float(one.data.get("points") or 0) for one in self.items_of(tx.conn, record.id)]
        return round(sum(items) / len(items), 1) if items else 0.0

    def _do_drop_items(self, tx: Tx, record: Record) -> None:
        rules = self.peer(ItemRules)
        for item in self.items_of(tx.conn, record.id):
            if item.data.get("state") in ITEM_OVER:
                continue
            if open_case(tx.conn, item.id) is not None:
                do_terminate_by_server(tx, self.context, rules, item, "督办事项已撤销")
            else:
                self.change(tx, ITEM, item.id, {"state": "cancelled"})
        if (matter := load_record(tx.conn, record.id, type_name=MATTER)) is not None:
            self.do_light(tx, matter)


def link_of(origin: dict[str, Any]) -> str:
    """Where a desktop shows what a matter began from: a message by its conversation, anything else by its type."""
    if origin["type"] == "Message" and origin.get("conversationId"):
        return f"tongban://conversation/{origin['conversationId']}"
    return f"tongban://{origin['type']}/{origin['id']}"
