"""The office platform seen whole: two real clients, the real server, the real modules, on a real screen.

A vehicle is asked for and lent, a second booking is told who holds it, work goes on with the server stopped, two versions are
settled field by field, and a field added to a module appears on running clients. The server runs from a copy of its package.
"""

from collections.abc import Iterator

import pytest

from tests.helpers.office_screen import DAY, MARKS, Stage, office_stage

pytestmark = MARKS

REASON = '[[types.fields]]\nname = "reason"\n'
CHILD_SEAT = """[[types.fields]]
name = "childSeat"
kind = "bool"
label = { zh = "需要儿童座椅", en = "Child seat needed" }

"""

UNSENT = "已保存到发件箱，联网后自动提交。"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with office_stage(tmp_path_factory.mktemp("office")) as stage:
        yield stage


@pytest.fixture
def stage(request: pytest.FixtureRequest, office: Stage) -> Iterator[Stage]:
    with office.watched(request):
        yield office


def test_a_vehicle_is_asked_for_lent_and_not_lent_twice(stage: Stage) -> None:
    lin, zhao = stage.lin, stage.zhao
    lin.go("vehicles", "trips")
    lin.ask_for_vehicle("09:00 - 11:00", "云溪河闸")
    lin.sees("云溪河闸 · 送审图纸")
    lin.sees("待派车")

    toast = zhao.until(lambda: [t for t in zhao.probe("toasts") if "云溪河闸" in t["says"]], "pop-up")[0]
    assert "待您办理" in toast["says"]
    zhao.go("vehicles", "trips")
    zhao.open("云溪河闸")
    zhao.click("action_approve")
    zhao.pick("vehicleId", "22318")
    zhao.pick("driverId", "孙强")
    zhao.until(lambda: zhao.do("click", name="formSubmit") is None, "submit")
    zhao.sees("已派车")

    lin.sees("已派车")  # nobody pressed anything there
    lin.sees("苏A·22318 · 大众帕萨特")

    lin.ask_for_vehicle("10:00 - 12:00", "市档案馆", vehicle="22318")
    lin.sees("freeBox")
    free = lin.until(lambda: lin.do("find", name="苏A·12345 · 别克 GL8"), "a free car")
    assert free[0]["class"] == "Button"
    assert not lin.shows("市档案馆 · 送审图纸")
    lin.click("苏A·12345 · 别克 GL8")
    lin.click("formSubmit")
    lin.sees("市档案馆 · 送审图纸")
    lin.lacks("recordForm")


def test_work_goes_on_without_the_server_and_two_versions_are_settled(stage: Stage) -> None:
    lin, zhao = stage.lin, stage.zhao
    lin.go("vehicles", "trips")
    lin.ask_for_vehicle("15:00 - 16:00", "县档案馆")
    lin.sees("县档案馆 · 送审图纸")
    zhao.go("vehicles", "trips")
    zhao.open("县档案馆")
    stage.server.stop()
    try:
        lin.offline()
        zhao.offline()
        zhao.change("destination", "县城建档案馆")
        zhao.sees(UNSENT)
        assert zhao.client.quit() == 0
        lin.change("destination", "县档案馆新馆")
        lin.sees(UNSENT)
        lin.go("tasks", "mine")
        lin.open("复核汇报材料初稿")
        lin.click("action_report")
        lin.write("progress", "85")
        lin.click("formSubmit")
        lin.sees("85 %")
        lin.sees(UNSENT)
    finally:
        stage.server.start()
    lin.live()
    lin.lacks(UNSENT)
    lin.do("press", name="记录的各部分", keys="Right")
    lin.do("press", name="记录的各部分", keys="Right")
    lin.sees("70 % → 85 %")
    assert len(lin.do("find", name="70 % → 85 %")) == 1  # sent once

    zhao.start()  # what it wrote waited in the store, and is too late now
    zhao.live()
    zhao.go("vehicles", "trips")
    zhao.open(f"{DAY} 15:00")
    zhao.click("对比")
    zhao.sees("conflictPane")
    zhao.sees("县档案馆新馆")
    zhao.click("我的")
    zhao.click("conflictTake")
    zhao.sees("县城建档案馆 · 送审图纸")
    zhao.lacks("conflictPane")
    lin.go("vehicles", "trips")
    lin.open("县城建档案馆")
    lin.lacks(UNSENT)


def test_a_new_field_appears_without_a_restart(stage: Stage) -> None:
    lin, zhao = stage.lin, stage.zhao
    lin.go("vehicles", "trips")
    zhao.go("vehicles", "trips")
    lin.click("moduleNew")
    lin.sees("row_reason")
    assert not lin.shows("row_childSeat")
    lin.click("formCancel")
    stage.server.change_module("vehicles", REASON, CHILD_SEAT + REASON)
    said = stage.server.reload_modules()
    assert "vehicles: the definition changed" in said
    lin.until(lambda: lin.new_form_has("row_childSeat"), "the new field")
    lin.write("span", f"{DAY} 18:00 - 19:00")
    lin.write("destination", "幼儿园")
    lin.write("reason", "送教材")
    lin.do("press", name="field_childSeat", keys="Space")
    lin.click("formSubmit")
    lin.sees("幼儿园 · 送教材")
    lin.sees("value_childSeat")
    zhao.open("幼儿园")
    zhao.sees("value_childSeat")
