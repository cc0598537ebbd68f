"""Rules of tasks: one task for each assignee, progress rolled up, dependencies in order and without circles, transfer, repetition."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.conditions import shifted
from server_stub.modules.engine.definition import Action
from server_stub.modules.engine.referrers import load_referrers
from server_stub.modules.engine.rules import Rules
from server_stub.records.actor import Actor
from server_stub.records.store import Record, load_record, load_records
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx

TASK: Final = "Task"
WORK, BUNDLE = "work", "bundle"
OVER: Final = ("done", "cancelled")
MAX_DEPTH: Final = 20
STEPS: Final[Mapping[str, str]] = {"day": "d", "week": "w", "month": "m"}
GIVEN_ON: Final[tuple[str, ...]] = (
    "title",
    "level",
    "startDate",
    "deadline",
    "description",
    "attachments",
    "supervisorId",
    "helpers",
    "departmentId",
    "dependsOn",
    "points",
    "origin",
)
"""What each assignee's own task takes over from the one that was split."""
ONE_TIME: Final = frozenset(
    {"number", "progress", "note", "declineReason", "opinion", "score", "acceptedAt", "submittedAt", "doneAt", "nextId"}
)
"""What the next one of a repeated task does not take over."""


class TaskRules(Rules):
    """任务: new → accepted → running → submitted → done; declined goes back to the issuer, cancelled ends it."""

    # ------------------------------------------------------------ rights

    def check_action(self, tx: Tx, actor: Actor, record: Record, action: Action, data: JsonObject) -> None:
        if record.data.get("kind") == BUNDLE and action.name != "cancel":
            raise SetError(SetErrorType.FORBIDDEN, "the work is in its subtasks")
        if action.name in ("start", "submit"):
            self._check_order(tx.conn, record)
        if action.name in ("transfer", "passOn") and actor.person_id in data["assignees"]:
            raise invalid_properties("name somebody else", "assignees")
        if action.name == "verify" and _open_children(tx.conn, record.id):
            raise invalid_properties("its subtasks are not done", "state")

    def check_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        if load_referrers(tx.conn, TASK, "parentId", record.id):
            raise SetError(SetErrorType.FORBIDDEN, "it has subtasks: cancel it instead")

    # ------------------------------------------------------------ content

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        self._check_circles(tx.conn, record_id, data)
        self._check_parent(tx.conn, data)
        data["kind"] = BUNDLE if data["mode"] == "each" and len(data["assignees"]) > 1 else WORK
        return data

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        if changed & {"parentId", "dependsOn"}:
            self._check_circles(tx.conn, record.id, data)
            self._check_parent(tx.conn, data)
        if "assignees" in changed and record.data.get("kind") == BUNDLE:
            raise invalid_properties("each has a task of their own: change those", "assignees")
        if record.data["state"] == "accepted" and data["state"] == "accepted" and data.get("progress", 0) > 0:
            data["state"] = "running"  # who reports progress has begun
        if data["state"] == "done":
            data["progress"] = 100
        return data

    # ------------------------------------------------------------ effects

    def after_create(self, tx: Tx, actor: Actor, record: Record) -> None:
        if record.data["kind"] == BUNDLE:
            self._split(tx, record)
        self._roll_up(tx, record.data)

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        moved = before.data["state"] != after.data["state"]
        if moved and after.data["state"] == "cancelled":
            self._cancel_children(tx, actor, after)
        if moved and after.data["state"] == "done":
            self._repeat(tx, after)
        if moved or before.data.get("progress") != after.data.get("progress"):
            self._roll_up(tx, after.data)

    def after_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        self._roll_up(tx, record.data)

    # ------------------------------------------------------------ one rule each

    def _split(self, tx: Tx, bundle: Record) -> None:
        """One task for each assignee, all part of this one."""
        shared = {name: bundle.data[name] for name in GIVEN_ON if name in bundle.data}
        for person_id in bundle.data["assignees"]:
            own: JsonObject = {**shared, "assignees": [person_id], "mode": "shared", "kind": WORK, "repeat": "none"}
            self.make(tx, TASK, {**own, "parentId": bundle.id, "state": "new", "progress": 0}, bundle.author_id)

    def _roll_up(self, tx: Tx, data: Mapping[str, Any]) -> None:
        """A task's progress is the mean of its parts; a bundle is done when all of them are. Upwards as far as it changes."""
        parent = load_record(tx.conn, data["parentId"], type_name=TASK) if data.get("parentId") else None
        if parent is None:
            return
        parts = [
            one for one in load_referrers(tx.conn, TASK, "parentId", parent.id) if one.data["state"] != "cancelled"
        ]
        if not parts:
            return
        values: dict[str, Any] = {"progress": sum(one.data.get("progress", 0) for one in parts) // len(parts)}
        bundle = parent.data.get("kind") == BUNDLE
        if bundle and parent.data["state"] not in OVER:
            values["state"] = "done" if all(one.data["state"] == "done" for one in parts) else "running"
        if any(parent.data.get(name) != value for name, value in values.items()):
            after = self.change(tx, TASK, parent.id, values)
            if values.get("state") == "done":
                self._repeat(tx, after)
            self._roll_up(tx, after.data)

    def _cancel_children(self, tx: Tx, actor: Actor, record: Record) -> None:
        for child in _open_children(tx.conn, record.id):
            values = {"state": "cancelled", "opinion": record.data.get("opinion")}
            self._cancel_children(tx, actor, self.change(tx, TASK, child.id, values, by=actor.person_id))

    def _repeat(self, tx: Tx, record: Record) -> None:
        """The next one, once: as far after the old dates as the repetition says, no later than repeatUntil."""
        step = STEPS.get(record.data.get("repeat", "none"))
        if step is None or record.data.get("nextId"):
            return
        data = {key: value for key, value in record.data.items() if key not in ONE_TIME}
        for name in ("startDate", "deadline"):
            if name in data:
                data[name] = shifted(date.fromisoformat(data[name]), 1, step).isoformat()
        if data["deadline"] > data["repeatUntil"]:
            return
        made = self.make(tx, TASK, {**data, "state": "new", "progress": 0}, record.author_id)
        self.change(tx, TASK, record.id, {"nextId": made.id})
        if made.data["kind"] == BUNDLE:
            self._split(tx, made)

    def _check_order(self, conn: sa.Connection, record: Record) -> None:
        before = load_records(conn, record.data.get("dependsOn") or (), type_name=TASK)
        waiting = [one.data["title"] for one in before.values() if one.data["state"] not in OVER]
        if waiting:
            raise invalid_properties("first comes: " + ", ".join(waiting)[:300], "dependsOn")

    def _check_parent(self, conn: sa.Connection, data: Mapping[str, Any]) -> None:
        parent = load_record(conn, data["parentId"], type_name=TASK) if data.get("parentId") else None
        if parent is not None and parent.data["state"] in OVER:
            raise invalid_properties("is closed already", "parentId")

    def _check_circles(self, conn: sa.Connection, record_id: str, data: Mapping[str, Any]) -> None:
        """Neither its parents nor what it waits for may lead back to the task itself."""
        for name in ("parentId", "dependsOn"):
            if _reaches(conn, name, _ids(data.get(name)), record_id):
                raise invalid_properties("leads back to this task", name)


# ---------------------------------------------------------------- small things


def _reaches(conn: sa.Connection, field: str, start: Iterable[str], target: str) -> bool:
    """Whether following `field` from `start` comes to `target`; chains longer than MAX_DEPTH count as circles."""
    layer, seen = list(start), set[str]()
    for _ in range(MAX_DEPTH):
        if target in layer:
            return True
        seen.update(layer)
        found = load_records(conn, layer, type_name=TASK)
        layer = [one for record in found.values() for one in _ids(record.data.get(field)) if one not in seen]
        if not layer:
            return False
    return True


def _ids(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return list(value or ())


def _open_children(conn: sa.Connection, record_id: str) -> list[Record]:
    return [one for one in load_referrers(conn, TASK, "parentId", record_id) if one.data["state"] not in OVER]
