"""Handing over a leaver's work, and taking running cases to another version of their process."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server_stub.accounts.directory import do_disable_person
from server_stub.clock import format_utc
from server_stub.errors import MethodError
from server_stub.modules.engine.processes.hand_over import HandOver, TakeBack
from server_stub.modules.engine.processes.process_methods import ProcessMethods
from tests.modules.engine.processes.case_bench import (
    BEGIN,
    FORK,
    JOIN,
    CaseBench,
    chain,
    end,
    process,
    step,
)
from tests.modules.office_bench import refusal

FLOW = chain(
    step("draft", "starter"),
    step("check", "superior", actions="approve return transfer", state="review", limit="1d"),
    step("sign", "role:signer", count="all", state="signing"),
    step("tell", "role:checker", kind="read"),
)


class Movers(CaseBench):
    """Cases, and administrators who move them."""

    def hand_over(self, giver: str, taker: str, *, who: str = "root", **more: Any) -> int:
        method = HandOver(self.database, self.office.context, self.office.rules_of)
        given = {"fromId": self.person(giver), "toId": self.person(taker), **more}
        count: int = asyncio.run(method(self.actors[who], given))["count"]
        return count

    def put(self, bpmn: str) -> None:
        (self.modules / "papers" / "paper.bpmn").write_text(bpmn, encoding="utf-8")
        asyncio.run(self.office.reload())

    def move(self, record: str, version: int, who: str = "root", **mapping: str) -> dict[str, Any]:
        methods = ProcessMethods(self.database, self.office.context, self.office.rules_of)
        given = {"caseId": self.case(record)["id"], "version": version, "map": mapping}
        moved: dict[str, Any] = asyncio.run(methods.move_case(self.actors[who], given))["moved"]
        return moved

    @property
    def modules(self) -> Path:
        return Path(str(self.database.path)).parent / "modules"


@pytest.fixture
def movers(tmp_path: Path) -> Iterator[Movers]:
    made = Movers(tmp_path, FLOW)
    yield made
    made.database.close_now()


def test_everything_open_changes_hands_and_history_says_so(movers: Movers) -> None:
    first, second = movers.submitted(), movers.submitted(title="另一件")
    assert movers.hand_over("gao", "lin") == 2
    assert [movers.waiting(one) for one in (first, second)] == [{"check": ["lin"]}] * 2
    event = movers.events(first)[-1]
    assert (event["action"], event["personId"], event["onBehalfOfId"]) == (
        "handOver",
        movers.person("root"),
        movers.person("gao"),
    )
    assert event["to"] == [movers.person("lin")]
    assert (movers.todos("gao"), len(movers.todos("lin"))) == ([], 2)
    assert movers.hand_over("gao", "lin") == 0


def test_who_is_back_takes_back_what_another_still_does(movers: Movers) -> None:
    now = movers.clock.now_ms()
    given = {"delegateId": movers.person("lin"), "from": format_utc(now), "to": format_utc(now + 86_400_000)}
    movers.create("gao", "Delegation", reason="出差", **given)
    first, second = movers.submitted(), movers.submitted(title="另一件")
    assert [movers.waiting(one) for one in (first, second)] == [{"check": ["lin"]}] * 2
    (before,) = movers.items(first)
    movers.act("lin", "approve", second)
    method = TakeBack(movers.database, movers.office.context, movers.office.rules_of)
    assert asyncio.run(method(movers.actors["lin"], {})) == {"count": 0}
    assert asyncio.run(method(movers.actors["gao"], {})) == {"count": 1}
    (after,) = movers.items(first)
    assert movers.waiting(first) == {"check": ["gao"]}
    assert ("onBehalfOfId" in after, after["dueAt"]) == (False, before["dueAt"])
    assert (movers.todos("lin"), movers.todos("gao")) == (["step:sign"], ["step:check"])
    event = movers.events(first)[-1]
    assert (event["action"], event["personId"], event["stepId"]) == ("takeBack", movers.person("gao"), "check")
    movers.act("gao", "approve", first)
    assert "sign" in movers.waiting(first)
    with pytest.raises(MethodError):
        asyncio.run(method(movers.actors["gao"], {"personId": movers.person("lin")}))


def test_the_new_handler_acts_as_the_old_one_could(movers: Movers) -> None:
    record = movers.submitted()
    before = movers.items(record)[0]
    movers.hand_over("gao", "chen")
    after = movers.items(record, "chen")[0]
    assert {key: after[key] for key in ("dueAt", "actions", "returnTo", "stepId")} == {
        key: before[key] for key in ("dueAt", "actions", "returnTo", "stepId")
    }
    assert refusal(lambda: movers.act("gao", "approve", record)).type == "overtaken"
    movers.act("chen", "approve", record)
    assert movers.waiting(record) == {"sign": ["lin", "zhang"]}


def test_one_of_several_signers_leaves(movers: Movers) -> None:
    record = movers.submitted()
    movers.act("gao", "approve", record)
    movers.act("lin", "approve", record)
    assert movers.hand_over("zhang", "chen") == 1
    assert movers.waiting(record) == {"sign": ["chen"]}
    movers.act("chen", "approve", record)
    assert movers.waiting(record) == {"tell": ["chen"]}


def test_a_leaver_s_work_too_and_only_of_some_modules(movers: Movers) -> None:
    record = movers.submitted()
    movers.write(lambda tx: do_disable_person(tx, movers.person("gao")))
    assert movers.hand_over("gao", "lin", modules=["vehicles"]) == 0
    assert movers.hand_over("gao", "lin", modules=["papers"]) == 1
    assert movers.waiting(record) == {"check": ["lin"]}


def test_the_next_in_order_is_replaced_too(tmp_path: Path) -> None:
    flow = chain(step("sign", "superiorChain:2", count="all", order="sequential"))
    made = Movers(tmp_path, flow)
    try:
        record = made.submitted()
        assert made.waiting(record) == {"sign": ["gao"]}
        made.hand_over("gao", "lin")
        made.act("lin", "approve", record)
        assert made.waiting(record) == {"sign": ["zhang"]}
    finally:
        made.database.close_now()


def test_administrators_hand_over_to_active_people(movers: Movers) -> None:
    movers.submitted()
    with pytest.raises(MethodError):
        movers.hand_over("gao", "lin", who="lin")
    with pytest.raises(MethodError):
        movers.hand_over("gao", "lin", why="so")
    with pytest.raises(MethodError):
        movers.hand_over("gao", "lin", modules=[1])
    assert refusal(lambda: movers.hand_over("gao", "gao")).properties == ["toId"]
    assert refusal(lambda: movers.hand_over("gao", "lin", fromId="nobody")).properties == ["fromId"]
    movers.write(lambda tx: do_disable_person(tx, movers.person("lin")))
    assert refusal(lambda: movers.hand_over("gao", "lin")).properties == ["toId"]


# ---------------------------------------------------------------- moving cases

NEXT = chain(
    step("draft", "starter"),
    step("check", "superior", actions="approve refuse", state="review"),
    step("count", "role:checker"),
    step("sign", "role:signer", count="all", state="signing"),
)
RENAMED = chain(step("draft", "starter"), step("review", "superior", state="review"), step("last", "role:checker"))


def test_running_cases_stay_and_a_moved_one_goes_on_in_the_new_version(movers: Movers) -> None:
    stays, goes = movers.submitted(), movers.submitted(title="另一件")
    movers.put(NEXT)
    assert movers.move(goes, 2) == {"caseId": movers.case(goes)["id"], "version": 2, "steps": ["check"]}
    assert (movers.case(stays)["processVersion"], movers.case(goes)["processVersion"]) == (1, 2)
    for record in (stays, goes):
        movers.act("gao", "approve", record)
    assert movers.waiting(stays) == {"sign": ["lin", "zhang"]}
    assert movers.waiting(goes) == {"count": ["chen"]}
    assert "root move" in [one.strip() for one in movers.story(goes)]


def test_what_is_offered_is_that_of_the_new_version(movers: Movers) -> None:
    record = movers.submitted()
    movers.put(NEXT)
    movers.move(record, 2)
    (item,) = movers.items(record, "gao")
    assert [one["name"] for one in item["actions"]] == ["approve", "refuse"]


def test_a_step_of_another_name_is_found_by_the_map(movers: Movers) -> None:
    record = movers.submitted()
    movers.put(RENAMED)
    error = refusal(lambda: movers.move(record, 2))
    assert (error.type, error.extra["steps"]) == ("cannotMove", ["check"])
    assert movers.waiting(record) == {"check": ["gao"]}
    movers.move(record, 2, check="review")
    assert movers.waiting(record) == {"review": ["gao"]}
    movers.act("gao", "approve", record)
    movers.act("chen", "approve", record)
    assert movers.case(record)["state"] == "completed"


def test_both_branches_of_a_fork_move(tmp_path: Path) -> None:
    def flow(last: str) -> str:
        return process(
            BEGIN, FORK, step("a", "superior"), step("b", "role:checker"), JOIN, step(last, "role:leader"), end(),
            flows=f"begin>fork fork>a fork>b a>join b>join join>{last} {last}>end",
        )  # fmt: skip

    made = Movers(tmp_path, flow("c"))
    try:
        record = made.submitted()
        made.act("gao", "approve", record)
        made.put(flow("d"))
        made.move(record, 2)
        assert made.waiting(record) == {"b": ["chen"]}
        made.act("chen", "approve", record)
        assert made.waiting(record) == {"d": ["gao"]}
    finally:
        made.database.close_now()


def test_moving_is_for_administrators_and_what_makes_sense(movers: Movers) -> None:
    record = movers.submitted()
    movers.put(NEXT)
    with pytest.raises(MethodError):
        movers.move(record, 2, who="gao")
    assert refusal(lambda: movers.move(record, 9)).properties == ["version"]
    assert refusal(lambda: movers.move(record, 1)).properties == ["caseId"]
    assert refusal(lambda: movers.move(record, 2, check="nothing")).properties == ["map"]
    assert refusal(lambda: movers.move(record, 2, nothing="check")).properties == ["map"]
    for who in ("gao", "lin", "zhang"):
        movers.act(who, "approve", record)
    movers.act("chen", "read", record)
    assert refusal(lambda: movers.move(record, 2)).properties == ["caseId"]


def test_counts_of_running_cases_follow(movers: Movers) -> None:
    first, _ = movers.submitted(), movers.submitted(title="另一件")
    movers.put(NEXT)
    movers.move(first, 2)
    counts = movers.database.read_now(
        lambda conn: conn.exec_driver_sql(
            "SELECT version, count(*) FROM office_case GROUP BY version ORDER BY version"
        ).fetchall()
    )
    assert [tuple(one) for one in counts] == [(1, 1), (2, 1)]
