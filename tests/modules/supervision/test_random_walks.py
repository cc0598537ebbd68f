"""Random people do random things with a matter, its items and extensions, while days go by: it always holds together, and it comes to an end."""

import random
from typing import Any

import pytest

from server_stub.errors import SetError
from tests.modules.supervision.supervision_bench import EXTENSION, ITEM, MATTER, REPORT, URGE, SupervisionBench

PEOPLE = ("gao", "sun", "fang", "feng", "ding", "jiang", "wu", "qian")
ENDED = {"completed", "terminated"}
OVER = {"done", "cancelled"}


class Walk:
    """One walk of a matter."""

    def __init__(self, bureau: SupervisionBench, seed: int) -> None:
        self.bureau, self.dice = bureau, random.Random(seed)
        self.matter = ""
        self.begin()
        self.history: dict[str, list[str]] = {}
        self.original: dict[str, str] = {}
        self.done = 0
        self.broken: list[str] = []

    def begin(self) -> None:
        """The next matter."""
        self.bureau.clock.advance(1000)
        self.matter = self.bureau.matter(cycleDay=self.dice.randrange(1, 8))
        self.bureau.act("fang", MATTER, self.matter, "submit")

    def step(self) -> None:
        """Somebody tries something, or a day goes by."""
        roll = self.dice.random()
        if roll < 0.12:
            self.bureau.pass_days(1)
        elif roll < 0.3:
            self._beside()
        else:
            self._act()
        self.check()

    def _act(self) -> None:
        items = [one for one in self._all("WorkItem") if one["state"] == "open" and one["kind"] == "handle"]
        if not items:
            return
        item = self.dice.choice(items)
        who = self.bureau.name(item["candidateIds"][0]) if self.dice.random() < 0.8 else self.dice.choice(PEOPLE)
        action = self._weighed(item["actions"])
        more: dict[str, Any] = {"workItemId": item["id"]}
        if action["name"] != "submit":
            more["opinion"] = "意见"
        if action.get("outcome"):
            more["outcome"] = action["outcome"]
        if action["name"] in ("transfer", "circulate"):
            more["to"] = [self.dice.choice(PEOPLE)]
        elif action["name"] == "return" and item["returnTo"]:
            more["toStepId"] = self.dice.choice(item["returnTo"])["stepId"]
        elif action["name"] == "approve":
            more["values"] = self._values(who, set(item["required"]))
        self._try(lambda: self.bureau.act(who, item["recordType"], item["recordId"], action["name"], **more))

    def _weighed(self, actions: list[dict[str, Any]]) -> dict[str, Any]:
        on = [one for one in actions if one["name"] in ("approve", "submit")]
        return self.dice.choice(on if on and self.dice.random() < 0.75 else actions)

    def _values(self, who: str, needed: set[str]) -> dict[str, Any]:
        known: dict[str, Any] = {"result": "完成", "points": 8}
        if "evidence" in needed:
            known["evidence"] = [self.bureau.file(who, f"{who}{self.bureau.clock.now_ms()}".encode())]
        return {name: value for name, value in known.items() if name in needed}

    def _beside(self) -> None:
        """Feedback, urging, extensions, more items, dropped items."""
        bureau, dice = self.bureau, self.dice
        items, who = self._all(ITEM), dice.choice(PEOPLE)
        if not items:
            return
        item, key = dice.choice(items), f"x{bureau.clock.now_ms()}"
        reports = [one for one in self._all(REPORT) if one["state"] in ("waiting", "missing", "returned")]
        given = {"matterId": self.matter, "departmentId": bureau.departments[dice.choice(["finance", "works"])]}
        doings = [
            lambda: bureau.report(bureau.name(reports[0]["personIds"][0]), reports[0]["id"]) if reports else None,
            lambda: bureau.create(who, URGE, key=key, itemId=item["id"], kind=dice.choice(["urge", "yellow"]), details="请抓紧"),
            lambda: self._extend(key),
            lambda: bureau.create("fang", ITEM, key=key, title="补充", part="support", **given),
            lambda: bureau.update("fang", ITEM, item["id"], action="drop", dropReason="x"),
            lambda: bureau.update("gao", ITEM, item["id"], action="askReport", askedReportOn=bureau.day(dice.randrange(3))),
        ]  # fmt: skip
        self._try(dice.choices(doings, weights=[4, 2, 2, 1, 1, 2])[0])

    def _extend(self, key: str) -> None:
        record = self.bureau.create(
            "feng", EXTENSION, key=key, matterId=self.matter, newDeadline=self.bureau.day(30), reason="x"
        )
        self.bureau.act("feng", EXTENSION, record, "submit")

    def _try(self, doing: Any) -> None:
        try:
            doing()
        except SetError as refused:
            self.broken += [str(refused)] if str(refused.type) == "processFailed" else []
        else:
            self.done += 1

    def _all(self, type_name: str) -> list[dict[str, Any]]:
        """Of this walk: as 督察科 sees it."""
        found = self.bureau.all("fang", type_name)
        return [one for one in found if self.matter in (one.get("matterId", self.matter), one.get("recordId"))]

    @property
    def state(self) -> str:
        """Of the matter."""
        return str(self.bureau.field(MATTER, self.matter, "state"))

    # ------------------------------------------------------------ what always holds

    def check(self) -> None:
        open_items: dict[str, list[Any]] = {}
        for one in self.bureau.all("fang", "WorkItem"):
            if one["state"] == "open" and one["kind"] == "handle":
                open_items.setdefault(one["caseId"], []).append(one)
        for case in self.bureau.all("fang", "Case"):
            waits = open_items.get(case["id"], [])
            assert not (case["state"] in ENDED and waits), "what is over has nothing open"
            if case["state"] == "running" and not (case["recordId"] == self.matter and self.state == "running"):
                assert waits, f"{case['title']} is nobody's"
            assert all(one["candidateIds"] for one in waits)
        assert not self.broken, "no process breaks down"
        self._check_records()
        for case in self.bureau.all("fang", "Case"):
            ids = [one["id"] for one in self.bureau.all("fang", "CaseEvent") if one["caseId"] == case["id"]]
            ids.sort()
            before = self.history.get(case["id"], [])
            assert set(before) <= set(ids), "history only grows"
            self.history[case["id"]] = ids

    def _check_records(self) -> None:
        items = [one for one in self._all(ITEM) if one["state"] != "cancelled"]
        matter = self.bureau.show(MATTER, self.matter, "fang")
        if matter["state"] == "running":
            assert any(one["state"] not in OVER for one in items), "an item is open, or it would have gone on"
        if matter["state"] in ("closing", "closed", "archived"):
            assert all(one["state"] == "done" for one in items)
        if matter["state"] in ("cancelled", "refused"):
            assert all(one["state"] in OVER for one in items)
        assert matter["itemsTotal"] == len(items)
        assert matter["itemsDone"] == sum(one["state"] == "done" for one in items)
        for one in [matter, *items]:
            if one.get("issuedOn") and one["state"] != "planned":
                assert self.original.setdefault(one["id"], one["originalDeadline"]) == one["originalDeadline"]
        over = {one["id"] for one in self._all(ITEM) if one["state"] in OVER}
        for kind, waiting in ((REPORT, {"waiting", "missing", "returned"}), (URGE, {"open"})):
            assert not [one for one in self._all(kind) if one["itemId"] in over and one["state"] in waiting]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_people_do_it_holds_together(bureau: SupervisionBench, seed: int) -> None:
    walk = Walk(bureau, seed)
    for _ in range(90):
        walk.step()
        if walk.state in ("archived", "refused", "cancelled"):
            walk.begin()
    assert walk.done > 25
