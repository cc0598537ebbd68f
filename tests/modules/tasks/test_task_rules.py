"""Rules of tasks: accept and decline, one for each, roll-up, order, circles, transfer, repetition, who sees and does what."""

from typing import Any

from tests.modules.office_bench import Bench, refusal


def task(bench: Bench, who: str = "zhang", to: tuple[str, ...] = ("lin",), **properties: Any) -> str:
    given = {
        "title": "汛前检查",
        "assignees": [bench.person(one) for one in to],
        "startDate": "2025-11-20",
        "deadline": "2025-12-31",
        **properties,
    }
    return bench.create(who, "Task", key=f"{who}-{bench.clock.now_ms()}", **given)


def shown(bench: Bench, id_: str, who: str = "zhang") -> dict[str, Any]:
    found = bench.get(who, "Task", id_)
    assert found is not None
    return found


def waiting(bench: Bench, who: str, id_: str) -> set[str]:
    return {one["rule"] for one in bench.all(who, "Todo") if one["state"] == "open" and one["recordId"] == id_}


def do(bench: Bench, who: str, id_: str, *steps: str, **fields: Any) -> None:
    for step in steps:
        bench.update(who, "Task", id_, action=step, **fields)


def parts(bench: Bench, id_: str) -> list[dict[str, Any]]:
    return [one for one in bench.all("zhang", "Task") if one.get("parentId") == id_]


# ---------------------------------------------------------------- the way of one task


def test_from_assigning_to_scoring(bench: Bench) -> None:
    one = task(bench, points=5)
    assert waiting(bench, "lin", one) == {"accept"}
    do(bench, "lin", one, "accept", "start")
    assert waiting(bench, "lin", one) == {"work"}
    do(bench, "lin", one, "report", progress=60, note="已完成三处")
    do(bench, "lin", one, "submit")
    assert (waiting(bench, "lin", one), waiting(bench, "zhang", one)) == (set(), {"check"})
    do(bench, "zhang", one, "verify", score=95, opinion="好")
    assert waiting(bench, "zhang", one) == set()
    closed = shown(bench, one)
    assert (closed["state"], closed["progress"], closed["score"]) == ("done", 100, 95)


def test_declining_needs_a_reason_and_goes_back_to_the_issuer(bench: Bench) -> None:
    one = task(bench)
    assert refusal(lambda: do(bench, "lin", one, "decline")).properties == ["declineReason"]
    do(bench, "lin", one, "decline", declineReason="出差")
    assert waiting(bench, "zhang", one) == {"again"}
    do(bench, "zhang", one, "reassign", assignees=[bench.person("yu")])
    assert waiting(bench, "yu", one) == {"accept"}


def test_the_checker_sends_back_with_a_word(bench: Bench) -> None:
    one = task(bench, supervisorId=bench.person("gao"))
    do(bench, "lin", one, "accept", "start", "submit")
    assert refusal(lambda: do(bench, "gao", one, "reject")).properties == ["opinion"]
    do(bench, "gao", one, "reject", opinion="缺照片")
    assert waiting(bench, "lin", one) == {"work"}


def test_nobody_else_acts_and_nobody_checks_their_own_work(bench: Bench) -> None:
    one = task(bench)
    assert refusal(lambda: do(bench, "yu", one, "accept")).type == "notFound"
    do(bench, "lin", one, "accept", "start", "submit")
    assert refusal(lambda: do(bench, "lin", one, "verify")).type == "forbidden"
    assert refusal(lambda: bench.update("lin", "Task", one, deadline="2026-01-31")).type == "forbidden"


def test_a_deadline_does_not_come_before_the_start(bench: Bench) -> None:
    assert refusal(lambda: task(bench, deadline="2025-11-19")).properties == ["deadline"]
    task(bench, deadline="2025-11-20")


def test_a_transfer_names_somebody_else_and_starts_again(bench: Bench) -> None:
    one = task(bench)
    do(bench, "lin", one, "accept")
    mine = [bench.person("lin")]
    assert refusal(lambda: do(bench, "lin", one, "transfer", assignees=mine, note="请假")).properties == ["assignees"]
    do(bench, "lin", one, "transfer", assignees=[bench.person("chen")], note="请假")
    assert shown(bench, one)["state"] == "new"
    assert waiting(bench, "chen", one) == {"accept"}


def test_reporting_progress_begins_the_work(bench: Bench) -> None:
    one = task(bench)
    do(bench, "lin", one, "accept")
    do(bench, "lin", one, "report", progress=10)
    assert shown(bench, one)["state"] == "running"


# ---------------------------------------------------------------- several people


def test_one_for_each_makes_a_task_for_everyone_and_is_done_with_the_last(bench: Bench) -> None:
    bundle = task(bench, to=("lin", "yu"), mode="each")
    own = parts(bench, bundle)
    assert sorted(one["assignees"][0] for one in own) == sorted([bench.person("lin"), bench.person("yu")])
    assert waiting(bench, "lin", bundle) == set()
    for one in own:
        assert shown(bench, bundle)["state"] != "done"
        who = "lin" if one["assignees"] == [bench.person("lin")] else "yu"
        do(bench, who, one["id"], "accept", "start", "submit")
        do(bench, "zhang", one["id"], "verify")
    assert (shown(bench, bundle)["state"], shown(bench, bundle)["progress"]) == ("done", 100)


def test_a_shared_task_is_one_task(bench: Bench) -> None:
    one = task(bench, to=("lin", "yu"))
    assert parts(bench, one) == []
    do(bench, "yu", one, "accept", "start", "submit")
    assert waiting(bench, "lin", one) == set()


def test_progress_is_the_mean_of_the_parts_at_every_level(bench: Bench) -> None:
    top = task(bench)
    middle = task(bench, parentId=top)
    leaves = [task(bench, parentId=middle) for _ in range(2)]
    do(bench, "lin", leaves[0], "accept", "start")
    do(bench, "lin", leaves[0], "report", progress=60)
    assert (shown(bench, middle)["progress"], shown(bench, top)["progress"]) == (30, 30)


def test_a_task_closes_after_its_parts(bench: Bench) -> None:
    top = task(bench)
    part = task(bench, parentId=top)
    do(bench, "lin", top, "accept", "start", "submit")
    assert refusal(lambda: do(bench, "zhang", top, "verify")).properties == ["state"]
    do(bench, "lin", part, "accept", "start", "submit")
    do(bench, "zhang", part, "verify")
    do(bench, "zhang", top, "verify")


def test_cancelling_takes_the_parts_along(bench: Bench) -> None:
    bundle = task(bench, to=("lin", "yu"), mode="each")
    do(bench, "zhang", bundle, "cancel", opinion="不办了")
    assert {one["state"] for one in parts(bench, bundle)} == {"cancelled"}


# ---------------------------------------------------------------- order


def test_what_comes_first_must_be_done_first(bench: Bench) -> None:
    first = task(bench, title="备料")
    second = task(bench, dependsOn=[first])
    do(bench, "lin", second, "accept")
    refused = refusal(lambda: do(bench, "lin", second, "start"))
    assert refused.properties == ["dependsOn"]
    assert "备料" in refused.description
    do(bench, "lin", first, "accept", "start", "submit")
    do(bench, "zhang", first, "verify")
    do(bench, "lin", second, "start")


def test_neither_parents_nor_dependencies_run_in_circles(bench: Bench) -> None:
    a = task(bench)
    b = task(bench, dependsOn=[a], parentId=a)
    assert refusal(lambda: bench.update("zhang", "Task", a, dependsOn=[b])).properties == ["dependsOn"]
    assert refusal(lambda: bench.update("zhang", "Task", a, parentId=b)).properties == ["parentId"]
    assert refusal(lambda: bench.update("zhang", "Task", a, parentId=a)).properties == ["parentId"]


# ---------------------------------------------------------------- repetition


def finish(bench: Bench, id_: str) -> None:
    do(bench, "lin", id_, "accept", "start", "submit")
    do(bench, "zhang", id_, "verify", score=90)


def test_a_repeated_task_makes_the_next_one_when_it_is_done(bench: Bench) -> None:
    one = task(bench, repeat="month", repeatUntil="2026-02-28")
    finish(bench, one)
    next_id = shown(bench, one)["nextId"]
    following = shown(bench, next_id)
    assert (following["startDate"], following["deadline"], following["state"]) == ("2025-12-20", "2026-01-31", "new")
    assert "score" not in following
    finish(bench, next_id)
    last = shown(bench, shown(bench, next_id)["nextId"])
    assert last["deadline"] == "2026-02-28"
    finish(bench, last["id"])
    assert "nextId" not in shown(bench, last["id"])


def test_a_repetition_has_an_end(bench: Bench) -> None:
    assert refusal(lambda: task(bench, repeat="week")).properties == ["repeatUntil"]
    assert refusal(lambda: task(bench, repeat="week", repeatUntil="2025-12-30")).properties == ["repeatUntil"]


# ---------------------------------------------------------------- who sees


def test_superiors_heads_and_helpers_see_it_and_others_do_not(bench: Bench) -> None:
    one = task(bench, helpers=[bench.person("chen")])
    assert bench.get("chen", "Task", one) is not None
    assert bench.get("yu", "Task", one) is None
    part = task(bench, to=("yu",), parentId=one)
    assert bench.get("lin", "Task", part) is not None
