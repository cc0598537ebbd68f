"""Rules of notices: who may, who sees, alerts, counts, re-marking, withdrawal, expiry."""

from typing import Any

import pytest

from server_stub.clock import format_utc
from tests.modules.office_bench import DAY, Bench, refusal

EVERYBODY = {"zhang", "lin", "yu", "chen", "gao"}


def seen_by(bench: Bench, notice_id: str) -> set[str]:
    return {name for name in EVERYBODY if bench.get(name, "Notice", notice_id) is not None}


def alerted(bench: Bench, notice_id: str) -> set[str]:
    return {name for name in EVERYBODY if any(one["link"]["id"] == notice_id for one in bench.all(name, "Alert"))}


# ---------------------------------------------------------------- rights


def test_anyone_may_draft_but_only_a_publisher_publishes(bench: Bench) -> None:
    assert refusal(lambda: bench.notice("lin")).type == "forbidden"
    draft = bench.notice("lin", state="draft")
    assert refusal(lambda: bench.update("lin", "Notice", draft, state="published")).type == "forbidden"
    bench.update("zhang", "Notice", draft, state="published")
    assert seen_by(bench, draft) == EVERYBODY


def test_a_draft_is_seen_by_its_author_and_publishers_and_told_to_nobody(bench: Bench) -> None:
    draft = bench.notice("lin", state="draft", level="mustConfirm")
    assert seen_by(bench, draft) == {"lin", "zhang"}
    assert alerted(bench, draft) == set()
    assert bench.system_texts("yu") == []


def test_others_may_neither_edit_nor_withdraw_nor_destroy(bench: Bench) -> None:
    notice = bench.notice()
    assert refusal(lambda: bench.update("yu", "Notice", notice, title="改")).type == "forbidden"
    assert (
        refusal(lambda: bench.update("yu", "Notice", notice, state="withdrawn", withdrawReason="x")).type == "forbidden"
    )
    assert refusal(lambda: bench.destroy("yu", "Notice", notice)).type == "forbidden"


def test_an_author_without_the_role_may_withdraw_but_not_rewrite_what_was_published(bench: Bench) -> None:
    notice = bench.notice("lin", state="draft")
    bench.update("zhang", "Notice", notice, state="published")
    assert refusal(lambda: bench.update("lin", "Notice", notice, title="改")).type == "forbidden"
    bench.update("lin", "Notice", notice, state="withdrawn", withdrawReason="重复")
    shown = bench.get("yu", "Notice", notice)
    assert shown is not None
    assert shown["state"] == "withdrawn"


def test_only_drafts_can_be_destroyed(bench: Bench) -> None:
    draft, published = bench.notice("lin", state="draft"), bench.notice()
    bench.destroy("lin", "Notice", draft)
    assert bench.get("lin", "Notice", draft) is None
    assert refusal(lambda: bench.destroy("zhang", "Notice", published)).type == "forbidden"


@pytest.mark.parametrize(
    ("properties", "at_fault"),
    [
        ({"title": ""}, "title"),
        ({"title": "a\nb"}, "title"),
        ({"title": "长" * 201}, "title"),
        ({"title": 7}, "title"),
        ({"level": "loud"}, "level"),
        ({"audience": {}}, "audience"),
        ({"audience": {"everyone": "yes"}}, "audience"),
        ({"audience": {"personIds": ["nobody"]}}, "audience"),
        ({"audience": {"roles": ["Role!"]}}, "audience"),
        ({"audience": {"everyone": True, "planet": 1}}, "audience"),
        ({"pinned": 1}, "pinned"),
        ({"expiresAt": "tomorrow"}, "expiresAt"),
        ({"expiresAt": "2001-01-01T00:00:00Z"}, "expiresAt"),
        ({"attachments": [{"blobId": "x", "name": "a"}]}, "attachments"),
        ({"attachments": [{"blobId": "0" * 64, "name": "../a"}]}, "attachments"),
        ({"state": "withdrawn"}, "state"),
        ({"readCount": 5}, "readCount"),
        ({"publishedAt": "2026-01-01T00:00:00Z"}, "publishedAt"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_kept(bench: Bench, properties: dict[str, Any], at_fault: str) -> None:
    error = refusal(lambda: bench.notice(**properties))
    assert error.type == "invalidProperties"
    assert error.properties == [at_fault]
    assert bench.all("zhang", "Notice") == []
    assert bench.all("yu", "Alert") == []


# ---------------------------------------------------------------- audience


def test_a_department_means_its_sub_departments_too(bench: Bench) -> None:
    audience = {"departmentIds": [bench.departments["office"]]}
    assert seen_by(bench, bench.notice(audience=audience)) == {"zhang", "lin"}


def test_roles_and_single_people_are_an_audience(bench: Bench) -> None:
    audience = {"roles": ["leader"], "personIds": [bench.person("chen")]}
    notice = bench.notice(audience=audience, level="important")
    assert seen_by(bench, notice) == {"zhang", "gao", "chen"}
    assert alerted(bench, notice) == {"gao", "chen"}


def test_a_wider_audience_tells_only_those_who_are_new(bench: Bench) -> None:
    notice = bench.notice(audience={"personIds": [bench.person("lin")]}, level="important")
    bench.read("lin", notice)
    both = {"personIds": [bench.person("lin"), bench.person("yu")]}
    bench.update("zhang", "Notice", notice, audience=both)
    assert alerted(bench, notice) == {"yu"}
    assert len(bench.system_texts("lin")) == 1
    assert len(bench.system_texts("yu")) == 1
    assert len(bench.all("lin", "ReadMark")) == 1


def test_who_leaves_the_audience_loses_notice_and_alert(bench: Bench) -> None:
    notice = bench.notice(audience={"personIds": [bench.person("lin"), bench.person("yu")]}, level="important")
    before = bench.state()
    bench.update("zhang", "Notice", notice, audience={"personIds": [bench.person("lin")]})
    assert bench.changes("yu", "Notice", before) == (set(), set(), {notice})
    assert alerted(bench, notice) == {"lin"}


# ---------------------------------------------------------------- telling people


@pytest.mark.parametrize(
    ("level", "kind", "urgent"), [("important", "notice", False), ("mustConfirm", "confirm", True)]
)
def test_levels_decide_about_alerts(bench: Bench, level: str, kind: str, urgent: bool) -> None:
    notice = bench.notice(level=level)
    (alert,) = bench.all("lin", "Alert")
    assert (alert["kind"], alert["urgent"], alert["link"]) == (kind, urgent, {"type": "Notice", "id": notice})
    assert alerted(bench, notice) == EVERYBODY - {"zhang"}


def test_an_alert_shows_the_beginning_of_the_text_without_markup(bench: Bench) -> None:
    bench.notice(level="important", body="<p>各科室：</p><ul><li>一 &lt;二&gt;</li></ul><p>" + "长" * 200 + "</p>")
    (alert,) = bench.all("lin", "Alert")
    assert alert["text"].startswith("各科室： 一 <二> 长长")
    assert len(alert["text"]) == 120


def test_a_normal_notice_is_a_message_and_no_alert(bench: Bench) -> None:
    bench.notice(title="停水")
    assert bench.all("lin", "Alert") == []
    assert bench.system_texts("lin") == ["停水"]
    assert bench.system_texts("zhang") == []


def test_html_is_made_safe_and_the_author_is_told_so(bench: Bench) -> None:
    body = '<p onclick="x()">好</p><script>alert(1)</script><img src=x onerror=y><a href="javascript:z">链接</a>'
    handler, actor = bench.handlers["Notice"], bench.actors["zhang"]
    properties = {"title": "t", "body": body, "audience": {"everyone": True}}
    answer = bench.write(lambda tx: handler.create(tx, actor, "k", properties))
    assert "<p>好</p>" in answer["body"]
    assert not any(word in answer["body"] for word in ("script", "onclick", "onerror", "img"))


# ---------------------------------------------------------------- read and confirm


def test_counts_are_for_author_and_publishers_alone(bench: Bench) -> None:
    notice = bench.notice(level="mustConfirm")
    bench.read("lin", notice)
    bench.read("yu", notice, confirmed=True)
    shown = bench.get("zhang", "Notice", notice)
    assert shown is not None
    assert (shown["readCount"], shown["confirmedCount"], shown["audienceCount"]) == (2, 1, 5)
    assert not {"readCount", "confirmedCount", "audienceCount"} & set(bench.get("lin", "Notice", notice) or {})


def test_a_mark_tells_the_counters_and_nobody_else(bench: Bench) -> None:
    notice = bench.notice()
    before = bench.state()
    bench.read("lin", notice)
    assert bench.changes("zhang", "Notice", before) == (set(), {notice}, set())
    assert bench.changes("yu", "Notice", before) == (set(), set(), set())


def test_reading_an_important_notice_dismisses_its_alert(bench: Bench) -> None:
    notice = bench.notice(level="important")
    bench.read("lin", notice)
    assert "lin" not in alerted(bench, notice)


def test_a_notice_to_confirm_keeps_its_alert_until_it_is_confirmed(bench: Bench) -> None:
    notice = bench.notice(level="mustConfirm")
    mark = bench.read("lin", notice)
    assert "lin" in alerted(bench, notice)
    bench.update("lin", "ReadMark", mark, confirmed=True)
    assert "lin" not in alerted(bench, notice)
    assert "yu" in alerted(bench, notice)


def test_only_what_asks_for_it_is_confirmed(bench: Bench) -> None:
    notice = bench.notice(level="important")
    assert refusal(lambda: bench.read("lin", notice, confirmed=True)).properties == ["confirmed"]
    assert bench.all("lin", "ReadMark") == []


def test_an_edit_makes_it_new_again_for_everybody(bench: Bench) -> None:
    notice = bench.notice(level="mustConfirm")
    bench.read("lin", notice, confirmed=True)
    before = bench.state()
    bench.update("zhang", "Notice", notice, body="<p>更正</p>")
    assert bench.all("lin", "ReadMark") == []
    assert bench.changes("lin", "ReadMark", before)[2] == {f"{notice}_{bench.person('lin')}"}
    assert alerted(bench, notice) == EVERYBODY - {"zhang"}
    bench.read("lin", notice, confirmed=True)
    shown = bench.get("zhang", "Notice", notice)
    assert shown is not None
    assert shown["confirmedCount"] == 1


def test_pinning_is_no_news(bench: Bench) -> None:
    notice = bench.notice(level="important")
    bench.read("lin", notice)
    bench.update("zhang", "Notice", notice, pinned=True)
    assert len(bench.all("lin", "ReadMark")) == 1
    assert "lin" not in alerted(bench, notice)


# ---------------------------------------------------------------- withdrawal


def test_a_withdrawal_needs_a_reason_and_nothing_else(bench: Bench) -> None:
    notice = bench.notice()
    assert refusal(lambda: bench.update("zhang", "Notice", notice, state="withdrawn")).properties == ["withdrawReason"]
    both = refusal(lambda: bench.update("zhang", "Notice", notice, state="withdrawn", withdrawReason="误", title="改"))
    assert both.type == "invalidProperties"


def test_a_withdrawn_notice_leaves_a_trace_without_its_content(bench: Bench) -> None:
    blob = bench.blob("zhang", b"%PDF-1.7 list")
    files = [{"blobId": blob, "name": "名单.pdf", "type": "application/pdf", "size": 1}]
    notice = bench.notice(level="mustConfirm", attachments=files, pinned=True)
    assert bench.may_read_blob("lin", blob)
    bench.update("zhang", "Notice", notice, state="withdrawn", withdrawReason="名单有误")
    shown = bench.get("lin", "Notice", notice)
    assert shown is not None
    assert (shown["state"], shown["withdrawReason"], shown["body"], shown["attachments"]) == (
        "withdrawn",
        "名单有误",
        "",
        [],
    )
    assert shown["withdrawnAt"] == format_utc(bench.clock.now_ms())
    assert not shown["pinned"]
    assert alerted(bench, notice) == set()
    assert not bench.may_read_blob("lin", blob)
    assert (bench.get("zhang", "Notice", notice) or {})["body"] == "<p>正文</p>"


def test_a_withdrawn_notice_is_final(bench: Bench) -> None:
    notice = bench.notice()
    bench.update("zhang", "Notice", notice, state="withdrawn", withdrawReason="误")
    assert refusal(lambda: bench.update("zhang", "Notice", notice, title="改")).type == "forbidden"
    for state in ("published", "draft"):
        assert refusal(lambda state=state: bench.update("zhang", "Notice", notice, state=state)).properties == ["state"]  # type: ignore[misc]
    assert refusal(lambda: bench.read("lin", notice)).properties == ["recordId"]


# ---------------------------------------------------------------- attachments


def test_attachments_are_readable_through_the_notice_and_have_their_real_size(bench: Bench) -> None:
    blob = bench.blob("zhang", b"%PDF-1.7 body")
    files = [{"blobId": blob, "name": "附件.pdf", "type": "text/html", "size": 99_999}]
    notice = bench.notice(attachments=files, audience={"personIds": [bench.person("lin")]})
    shown = bench.get("lin", "Notice", notice)
    assert shown is not None
    assert shown["attachments"] == [{"blobId": blob, "name": "附件.pdf", "type": "application/pdf", "size": 13}]
    assert bench.may_read_blob("lin", blob)
    assert not bench.may_read_blob("yu", blob)
    bench.update("zhang", "Notice", notice, attachments=[])
    assert not bench.may_read_blob("lin", blob)


def test_nobody_publishes_a_blob_he_may_not_see(bench: Bench) -> None:
    blob = bench.blob("lin", b"private")
    files = [{"blobId": blob, "name": "a.pdf"}]
    assert refusal(lambda: bench.notice(attachments=files)).type == "blobNotFound"


# ---------------------------------------------------------------- expiry


def test_an_expired_notice_leaves_the_lists_by_the_server_s_clock(bench: Bench) -> None:
    notice = bench.notice(level="important", pinned=True, expiresAt=format_utc(bench.clock.now_ms() + DAY))
    lasting = bench.notice()
    bench.clock.advance(DAY - 60_000)
    assert bench.run_due() == 0
    assert set(bench.query("lin", "Notice")) == {notice, lasting}
    before = bench.state()
    bench.clock.advance(DAY)
    assert bench.run_due() == 1
    assert bench.query("lin", "Notice") == [lasting]
    assert bench.query("lin", "Notice", {"expired": True}) == [notice]
    assert bench.changes("lin", "Notice", before) == (set(), {notice}, set())
    assert alerted(bench, notice) == set()
    shown = bench.get("lin", "Notice", notice)
    assert shown is not None
    assert (shown["expired"], shown["pinned"]) == (True, False)


def test_a_new_date_brings_it_back(bench: Bench) -> None:
    notice = bench.notice(expiresAt=format_utc(bench.clock.now_ms() + DAY))
    bench.clock.advance(2 * DAY)
    bench.run_due()
    assert refusal(
        lambda: bench.update("zhang", "Notice", notice, expiresAt=format_utc(bench.clock.now_ms() - DAY))
    ).properties == ["expiresAt"]
    bench.update("zhang", "Notice", notice, expiresAt=format_utc(bench.clock.now_ms() + DAY))
    assert bench.query("lin", "Notice") == [notice]
    bench.clock.advance(2 * DAY)
    assert bench.run_due() == 1
    assert bench.query("lin", "Notice") == []


def test_without_a_date_it_stays(bench: Bench) -> None:
    notice = bench.notice(expiresAt=format_utc(bench.clock.now_ms() + DAY))
    bench.update("zhang", "Notice", notice, expiresAt=None)
    bench.clock.advance(9 * DAY)
    assert bench.run_due() == 0
    assert bench.query("lin", "Notice") == [notice]
