"""Random people do random things with documents: nothing is without an owner, history only grows, only who is entitled acts, what is over has nothing open."""

import random
from typing import Any

import pytest

from server_stub.errors import SetError
from tests.modules.documents.document_bench import STAFF, DocumentBench

TYPES = ("IncomingDocument", "OutgoingDocument")
ENDED = {"completed", "terminated"}
PEOPLE = (*STAFF, "chen")


class Walk:
    """One walk of a document."""

    def __init__(self, bureau: DocumentBench, type_name: str, seed: int) -> None:
        self.bureau, self.type, self.dice = bureau, type_name, random.Random(seed)
        self.record = self._made()
        self.history: list[tuple[str, Any]] = []
        self.acts = 0
        self.failed: list[str] = []

    def _made(self) -> str:
        bureau = self.bureau
        if self.type == TYPES[0]:
            return bureau.create("liu", self.type, key=f"w{bureau.clock.now_ms()}", title="来文", sourceUnit="省水利厅")
        given = {"title": "通知", "body": "正文。", "unitId": bureau.unit, "signerId": bureau.person("gao")}
        return bureau.create(
            "jiang", self.type, key=f"w{bureau.clock.now_ms()}", departmentId=bureau.departments["flood"], **given
        )

    def step(self) -> None:
        """One person tries one thing; whatever happens, the case holds together."""
        has_it = [
            self.bureau.name(one) for item in self._items() if item["state"] == "open" for one in item["candidateIds"]
        ]
        who = self.dice.choice(has_it if has_it and self.dice.random() < 0.7 else PEOPLE)
        mine = [
            one for one in self._items() if self.bureau.person(who) in one["candidateIds"] and one["state"] == "open"
        ]
        offered = [(one, action) for one in mine for action in one["actions"]]
        if offered and self.dice.random() < 0.9:
            item, action = self.dice.choice(offered)
            self._try(who, item, action)
        else:
            name = self.dice.choice(["approve", "return", "withdraw", "urge", "refuse", "read", "terminate", "submit"])
            before = self._count()
            entitled = bool(mine) or self.bureau.get(who, self.type, self.record) is not None
            done = self._act(who, name, {"opinion": "试一试"})
            assert entitled or not done, f"{who} could {name} what is not his"
            assert self._count() >= before
        self.check()

    def _try(self, who: str, item: dict[str, Any], action: dict[str, Any]) -> None:
        more: dict[str, Any] = {"opinion": "意见", "workItemId": item["id"]}
        if action.get("outcome"):
            more["outcome"] = action["outcome"]
        if action["name"] in ("transfer", "circulate", "addSignerBefore", "addSignerAfter", "countersign"):
            more["to"] = [self.bureau.person(self.dice.choice(PEOPLE))]
        elif action["name"] == "return":
            more["toStepId"] = self.dice.choice(item["returnTo"])["stepId"]
        elif action["name"] in ("approve", "submit", "refuse"):
            more["values"] = self._values(set(item["editable"]))
        self._act(who, action["name"], more)
        if self.dice.random() < 0.7:
            self.bureau.chores()

    def _values(self, editable: set[str]) -> dict[str, Any]:
        bureau, dice = self.bureau, self.dice

        def people() -> list[str]:
            return [bureau.person(one) for one in dice.sample(["gao", "sun", "jiang"], dice.randrange(1, 3))]

        def units() -> list[str]:
            return [bureau.departments[one] for one in dice.sample(["flood", "works"], dice.randrange(1, 3))]

        known = {
            "proposal": "拟办", "leaders": people(), "leaderOrder": dice.choice(["inOrder", "together"]), "leadUnits": units(),
            "coUnits": units(), "readers": people(), "conclusion": "办结", "markId": bureau.mark, "audience": {"everyone": True},
            "countersigners": people(),
        }  # fmt: skip
        body = {"body": f"正文{dice.randrange(9)}。"} if dice.random() < 0.2 and "body" in editable else {}
        return {key: value for key, value in known.items() if key in editable and dice.random() < 0.8} | body

    def _act(self, who: str, name: str, more: dict[str, Any]) -> bool:
        try:
            self.bureau.act(who, self.type, self.record, name, **more)
        except SetError as refused:
            self.failed += [str(refused)] if str(refused.type) == "processFailed" else []
            return False
        self.acts += 1
        return True

    def is_over(self) -> bool:
        """Whether nothing more can come of this document."""
        cases = self._cases()
        return bool(cases) and all(one["state"] in ENDED for one in cases)

    def begin_another(self) -> None:
        """The next document."""
        self.record, self.history = self._made(), []
        self.bureau.act("liu" if self.type == TYPES[0] else "jiang", self.type, self.record, "submit")

    # ------------------------------------------------------------ what always holds

    def check(self) -> None:
        events = [
            (one["id"], (one["seq"], one["action"], one.get("personId"), one.get("opinion"))) for one in self._events()
        ]
        assert not self.failed, "no process breaks down"
        assert events[: len(self.history)] == self.history, "history only grows"
        assert [one[1][0] for one in events] == list(range(1, len(events) + 1)) or len(self._cases()) > 1
        self.history = events
        open_items = [one for one in self._items() if one["state"] == "open" and one["kind"] == "handle"]
        cases = self._cases()
        running = [one for one in cases if one["state"] not in ENDED]
        assert len(running) <= 1
        shown = self.bureau.show(self.type, self.record, "liu" if self.type == TYPES[0] else "jiang")
        handlers = set(shown.get("handlerIds", ()))
        if running:
            assert handlers, "somebody has it"
            assert all(one["candidateIds"] for one in self._items() if one["state"] == "open")
        elif cases:
            assert not open_items, "what is over has nothing open"
            assert not handlers
        entries = [one for one in self.bureau.all("liu", "NumberEntry") if one["state"] == "used"]
        assert len(entries) <= 1
        if shown.get("number") and self.type == TYPES[1] and shown["state"] != "cancelled":
            assert [one["number"] for one in entries] == [shown["number"]]

    def _items(self) -> list[dict[str, Any]]:
        return self._all("WorkItem")

    def _events(self) -> list[dict[str, Any]]:
        return sorted(self._all("CaseEvent"), key=lambda one: (one["at"], one["seq"]))

    def _cases(self) -> list[dict[str, Any]]:
        return self._all("Case")

    def _all(self, type_name: str) -> list[dict[str, Any]]:
        who = "liu" if self.type == TYPES[0] else "jiang"
        return [one for one in self.bureau.all(who, type_name) if one["recordId"] == self.record]

    def _count(self) -> int:
        return len(self._events())


@pytest.mark.parametrize("type_name", TYPES)
@pytest.mark.parametrize("seed", range(6))
def test_random_acts_leave_every_document_whole(bureau: DocumentBench, type_name: str, seed: int) -> None:
    walk = Walk(bureau, type_name, seed)
    bureau.act("liu" if type_name == TYPES[0] else "jiang", type_name, walk.record, "submit")
    walk.check()
    for _ in range(60):
        walk.step()
        if walk.is_over():
            walk.begin_another()
    assert walk.acts > 15, "a walk that did nothing shows nothing"
