"""Notices finished: approval, scheduled publishing, votes (named and secret), reminders, escalation."""

import json
from typing import Any

import pytest

from server_stub.clock import format_utc
from tests.modules.office_bench import DAY, Bench, refusal

HOUR = 3_600_000


def at(bench: Bench, ms: int) -> str:
    return format_utc(bench.clock.now_ms() + ms)


def step(bench: Bench, who: str, id_: str, name: str, **fields: Any) -> None:
    bench.update(who, "Notice", id_, action=name, **fields)


def notice(bench: Bench, id_: str, who: str = "zhang") -> dict[str, Any]:
    found = bench.get(who, "Notice", id_)
    assert found is not None
    return found


def alerted(bench: Bench, id_: str) -> set[str]:
    return {name for name in bench.actors if any(one["link"]["id"] == id_ for one in bench.all(name, "Alert"))}


def waiting(bench: Bench, who: str, rule: str) -> int:
    return len([one for one in bench.all(who, "Todo") if one["rule"] == rule and one["state"] == "open"])


# ---------------------------------------------------------------- approval


@pytest.fixture
def strict(bench: Bench) -> Bench:
    """The approval switch is on; gao is a second publisher, chen the administrator."""
    bench.grant("gao", "publisher")
    bench.grant("chen", "admin")
    bench.create("chen", "NoticeSettings", key="s", approval=True)
    return bench


def test_with_the_switch_on_somebody_else_publishes(strict: Bench) -> None:
    draft = strict.notice("zhang", state="draft")
    assert refusal(lambda: step(strict, "zhang", draft, "publish")).type == "forbidden"
    assert refusal(lambda: strict.notice("zhang")).type == "forbidden"
    step(strict, "gao", draft, "publish")
    assert notice(strict, draft)["approvedBy"] == strict.person("gao")


def test_submitting_asks_the_publishers_and_sending_back_tells_the_author_why(bench: Bench) -> None:
    draft = bench.notice("lin", state="draft")
    step(bench, "lin", draft, "submit")
    assert waiting(bench, "zhang", "approve") == 1
    assert bench.get("yu", "Notice", draft) is None
    assert refusal(lambda: step(bench, "zhang", draft, "sendBack")).properties == ["returnReason"]
    step(bench, "zhang", draft, "sendBack", returnReason="缺落款")
    assert (waiting(bench, "zhang", "approve"), waiting(bench, "lin", "returned")) == (0, 1)
    step(bench, "lin", draft, "submit")
    step(bench, "zhang", draft, "publish")
    assert waiting(bench, "lin", "returned") == 0
    assert bench.get("yu", "Notice", draft) is not None


def test_only_an_administrator_turns_the_switch(bench: Bench) -> None:
    assert refusal(lambda: bench.create("zhang", "NoticeSettings", approval=True)).type == "forbidden"


def test_there_are_settings_once(strict: Bench) -> None:
    assert refusal(lambda: strict.create("chen", "NoticeSettings", key="t", approval=False)).type == "invalidProperties"


# ---------------------------------------------------------------- scheduled


def test_a_scheduled_notice_is_published_at_its_time_and_not_before(bench: Bench) -> None:
    draft = bench.notice("lin", state="draft", level="important")
    step(bench, "zhang", draft, "schedule", publishAt=at(bench, 2 * HOUR))
    bench.clock.advance(HOUR)
    bench.run_due()
    assert bench.get("yu", "Notice", draft) is None
    assert alerted(bench, draft) == set()
    bench.clock.advance(HOUR)
    bench.run_due()
    assert notice(bench, draft, "yu")["state"] == "published"
    assert alerted(bench, draft) == {"zhang", "yu", "chen", "gao"}


def test_nothing_is_scheduled_into_the_past_and_a_cancelled_time_does_nothing(bench: Bench) -> None:
    draft = bench.notice("lin", state="draft")
    past = at(bench, -HOUR)
    assert refusal(lambda: step(bench, "zhang", draft, "schedule", publishAt=past)).properties == ["publishAt"]
    step(bench, "zhang", draft, "schedule", publishAt=at(bench, HOUR))
    step(bench, "lin", draft, "unschedule")
    bench.clock.advance(2 * HOUR)
    bench.run_due()
    assert notice(bench, draft)["state"] == "draft"


# ---------------------------------------------------------------- votes


def vote(bench: Bench, **properties: Any) -> str:
    given = {
        "hasVote": True,
        "voteQuestion": "春游去哪里",
        "voteOptions": [{"text": "湿地公园"}, {"text": "博物馆"}, {"text": "水库"}],
        "voteClosesAt": at(bench, 3 * DAY),
        **properties,
    }
    return bench.notice("zhang", **given)


def cast(bench: Bench, who: str, id_: str, *options: int) -> str:
    choices = [{"option": one} for one in options]
    return bench.create(who, "NoticeBallot", key=f"{who}{bench.clock.now_ms()}", noticeId=id_, choices=choices)


def counts(bench: Bench, id_: str, who: str) -> list[int] | None:
    tally = notice(bench, id_, who).get("voteTally")
    return None if tally is None else [one["count"] for one in tally]


def test_each_of_the_audience_votes_once(bench: Bench) -> None:
    one = vote(bench, audience={"departmentIds": [bench.departments["flood"]]})
    cast(bench, "yu", one, 1)
    assert refusal(lambda: cast(bench, "yu", one, 2)).type == "invalidProperties"
    assert refusal(lambda: cast(bench, "zhang", one, 2)).type == "forbidden"
    assert refusal(lambda: cast(bench, "chen", one, 2)).type in ("forbidden", "invalidProperties")
    assert notice(bench, one)["voters"] == 1


def test_a_named_vote_shows_the_count_to_who_has_voted(bench: Bench) -> None:
    one = vote(bench)
    cast(bench, "yu", one, 1)
    assert counts(bench, one, "yu") == [0, 1, 0]
    assert counts(bench, one, "lin") is None
    assert counts(bench, one, "zhang") == [0, 1, 0]
    assert [ballot["personId"] for ballot in bench.all("zhang", "NoticeBallot")] == [bench.person("yu")]
    assert bench.all("lin", "NoticeBallot") == []


def test_results_may_wait_for_the_closing_time(bench: Bench) -> None:
    one = vote(bench, voteResults="afterClose")
    cast(bench, "yu", one, 0)
    assert counts(bench, one, "yu") is None
    bench.clock.advance(3 * DAY)
    bench.run_due()
    assert counts(bench, one, "lin") == [1, 0, 0]


def test_the_closing_time_locks_even_before_the_clerk_wakes(bench: Bench) -> None:
    one = vote(bench)
    bench.clock.advance(3 * DAY)
    assert refusal(lambda: cast(bench, "yu", one, 1)).properties == ["noticeId"]


def test_a_secret_vote_stores_nowhere_who_chose_what(bench: Bench) -> None:
    one = vote(bench, voteSecret=True)
    ballot = cast(bench, "yu", one, 2)
    assert "choices" not in (bench.get("yu", "NoticeBallot", ballot) or {})
    assert bench.all("zhang", "NoticeBallot") == []
    assert counts(bench, one, "zhang") is None
    stored = bench.database.read_now(
        lambda conn: [
            *conn.exec_driver_sql("SELECT data FROM record WHERE id = ?", (ballot,)).scalars(),
            *conn.exec_driver_sql("SELECT changes FROM record_change WHERE record_id = ?", (ballot,)).scalars(),
            *conn.exec_driver_sql("SELECT answer FROM creation WHERE id = ?", (ballot,)).scalars(),
        ]
    )
    assert stored
    assert not any("option" in text or "choices" in text for text in map(str, stored))
    history = bench.database.read_now(
        lambda conn: conn.exec_driver_sql("SELECT count(*) FROM record_change WHERE record_id LIKE '%tally'").scalar()
    )
    assert history == 0
    bench.clock.advance(3 * DAY)
    bench.run_due()
    assert counts(bench, one, "zhang") == [0, 0, 1]


def test_choices_are_options_within_the_limit(bench: Bench) -> None:
    one = vote(bench, voteMost=2)
    assert refusal(lambda: cast(bench, "yu", one, 0, 1, 2)).properties == ["choices"]
    assert refusal(lambda: cast(bench, "yu", one, 1, 1)).properties == ["choices"]
    assert refusal(lambda: cast(bench, "yu", one, 3)).properties == ["choices"]
    assert refusal(lambda: cast(bench, "yu", one)).properties == ["choices"]
    cast(bench, "yu", one, 0, 2)


def test_a_published_vote_stays_as_it_is_but_may_run_longer(bench: Bench) -> None:
    one = vote(bench)
    options = [{"text": "a"}, {"text": "b"}]
    assert refusal(lambda: bench.update("zhang", "Notice", one, voteOptions=options)).properties == ["voteOptions"]
    later = at(bench, 5 * DAY)
    bench.update("zhang", "Notice", one, voteClosesAt=later)
    bench.clock.advance(4 * DAY)
    bench.run_due()
    cast(bench, "yu", one, 0)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"voteMost": 4}, "voteMost"), ({"voteOptions": [{"text": "一"}]}, "voteOptions"), ({"voteQuestion": ""}, None)],
)
def test_a_vote_makes_sense(bench: Bench, wrong: dict[str, Any], field: str | None) -> None:
    refused = refusal(lambda: vote(bench, **wrong))
    assert refused.properties == [field or "voteQuestion"]
    assert json.dumps(refused.to_object())


# ---------------------------------------------------------------- reminders and escalation


def test_a_reminder_goes_to_those_who_have_not_read_and_not_every_minute(bench: Bench) -> None:
    one = bench.notice()
    bench.read("yu", one)
    step(bench, "zhang", one, "remind")
    assert alerted(bench, one) == {"lin", "chen", "gao"}
    assert refusal(lambda: step(bench, "zhang", one, "remind")).type == "rateLimit"
    bench.clock.advance(HOUR)
    bench.read("lin", one)
    step(bench, "zhang", one, "remind")
    assert alerted(bench, one) == {"chen", "gao"}
    assert refusal(lambda: step(bench, "yu", one, "remind")).type == "forbidden"


def test_superiors_hear_of_those_who_have_not_confirmed_in_time(bench: Bench) -> None:
    bench.set_superior("lin", "zhang")
    bench.set_superior("yu", "gao")
    bench.set_superior("chen", "gao")
    one = bench.notice(level="mustConfirm", escalateHours=24)
    bench.read("lin", one, confirmed=True)
    bench.clock.advance(23 * HOUR)
    bench.run_due()
    assert bench.all("gao", "NoticeEscalation") == []
    bench.clock.advance(HOUR)
    bench.run_due()
    named = bench.all("gao", "NoticeEscalation")
    assert [sorted(entry["people"]) for entry in named] == [sorted([bench.person("yu"), bench.person("chen")])]
    assert waiting(bench, "gao", "urge") == 1
    assert bench.all("lin", "NoticeEscalation") == []
    bench.read("yu", one, confirmed=True)
    assert waiting(bench, "gao", "urge") == 1
    bench.read("chen", one, confirmed=True)
    assert waiting(bench, "gao", "urge") == 0
