"""Read marks, alerts and definitions as synced types: one of each, for the right people, gone everywhere at once."""

from server_stub.modules.engine.alerts import AlertText, do_alert
from tests.modules.office_bench import Bench, refusal


def text(title: str) -> AlertText:
    return AlertText("system", title, "", False, "Notice", "n1")


def test_a_dismissed_alert_is_gone_for_its_person_alone(bench: Bench) -> None:
    people = [bench.person("lin"), bench.person("yu")]
    bench.write(lambda tx: do_alert(tx, people, text("一")))
    (mine,) = bench.all("lin", "Alert")
    before = bench.state()
    bench.destroy("lin", "Alert", mine["id"])
    assert bench.changes("lin", "Alert", before) == (set(), set(), {mine["id"]})
    assert bench.all("lin", "Alert") == []
    assert len(bench.all("yu", "Alert")) == 1


def test_there_is_one_alert_for_each_person_and_object(bench: Bench) -> None:
    bench.write(lambda tx: do_alert(tx, [bench.person("lin")], text("一")))
    (first,) = bench.all("lin", "Alert")
    bench.write(lambda tx: do_alert(tx, [bench.person("lin")], text("二")))
    (second,) = bench.all("lin", "Alert")
    assert second["title"] == "二"
    assert second["id"] != first["id"]


def test_nobody_touches_another_s_alert(bench: Bench) -> None:
    bench.write(lambda tx: do_alert(tx, [bench.person("lin")], text("一")))
    (alert,) = bench.all("lin", "Alert")
    assert refusal(lambda: bench.destroy("yu", "Alert", alert["id"])).type == "notFound"
    assert refusal(lambda: bench.update("lin", "Alert", alert["id"], title="x")).type == "forbidden"
    assert refusal(lambda: bench.create("lin", "Alert", title="x")).type == "forbidden"
    assert len(bench.all("lin", "Alert")) == 1


def test_marking_twice_makes_one_mark_with_the_first_time(bench: Bench) -> None:
    notice = bench.notice(level="mustConfirm")
    first = bench.read("lin", notice)
    (before,) = bench.all("lin", "ReadMark")
    assert bench.read("lin", notice) == first == f"{notice}_{bench.person('lin')}"
    assert bench.all("lin", "ReadMark") == [before]
    bench.read("lin", notice, confirmed=True)
    (after,) = bench.all("lin", "ReadMark")
    assert after["readAt"] == before["readAt"]
    assert after["confirmedAt"] > before["readAt"]
    bench.read("lin", notice, confirmed=False)
    assert bench.all("lin", "ReadMark") == [after]


def test_a_mark_is_seen_by_its_person_and_the_author(bench: Bench) -> None:
    notice = bench.notice()
    mark = bench.read("lin", notice)
    assert [one["id"] for one in bench.all("zhang", "ReadMark")] == [mark]
    assert bench.all("yu", "ReadMark") == []


def test_nobody_confirms_for_somebody_else_and_nothing_is_unread(bench: Bench) -> None:
    notice = bench.notice(level="mustConfirm")
    mark = bench.read("lin", notice)
    assert refusal(lambda: bench.update("zhang", "ReadMark", mark, confirmed=True)).type == "forbidden"
    assert refusal(lambda: bench.update("lin", "ReadMark", mark, confirmed=False)).type == "invalidProperties"
    assert refusal(lambda: bench.destroy("lin", "ReadMark", mark)).type == "forbidden"


def test_only_visible_records_of_types_that_have_marks_are_marked(bench: Bench) -> None:
    hidden = bench.notice(audience={"personIds": [bench.person("yu")]})
    assert refusal(lambda: bench.read("lin", hidden)).properties == ["recordId"]
    folder = bench.create("chen", "Folder", name="x")
    wrong = refusal(lambda: bench.create("lin", "ReadMark", recordType="Folder", recordId=folder))
    assert wrong.properties == ["recordType"]
    assert refusal(lambda: bench.create("lin", "ReadMark", recordType=1, recordId=[])).type == "invalidProperties"


def test_definitions_are_synced_to_everyone_and_follow_the_folders(bench: Bench) -> None:
    bench.write(bench.office.do_publish_definitions)
    shown = {one["id"]: one for one in bench.all("lin", "ModuleDefinition")}
    assert set(shown) == {module.id for module in bench.office.definitions}
    assert shown["notices"]["label"] == {"zh": "公告通知", "en": "Notices"}
    assert [one["name"] for one in shown["library"]["types"]] == ["Folder", "Document"]
    before = bench.state()
    bench.write(bench.office.do_publish_definitions)
    assert bench.changes("lin", "ModuleDefinition", before) == (set(), set(), set())
    kept = bench.office.definitions.pop()
    bench.write(bench.office.do_publish_definitions)
    assert bench.changes("lin", "ModuleDefinition", before) == (set(), set(), {kept.id})
