"""Paper, files and words around records, in two real clients on a real screen against the real server: workbooks out and in,
the sheet as PDF, a live card in a talk, files and marks on them, the timeline by hand, comments, follow, history, filters, a conflict.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import openpyxl
import pypdf
import pytest

from tests.helpers.ofd_files import line_of, ofd
from tests.helpers.office_screen import DAY, DAYS_AHEAD, MARKS, Desk, Stage, office_stage

pytestmark = MARKS

MODULES = ("contacts", "library", "notices", "tasks", "vehicles")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with office_stage(tmp_path_factory.mktemp("office"), modules=MODULES) as stage:
        yield stage


@pytest.fixture
def stage(request: pytest.FixtureRequest, office: Stage) -> Iterator[Stage]:
    with office.watched(request):
        yield office


def workbook(path: Path, *rows: tuple[object, ...]) -> Path:
    """Writes a workbook as somebody would who keeps such a list."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    book.save(path)
    return path


def rows_in(path: Path) -> list[list[object]]:
    """The values of a workbook's first sheet."""
    book = openpyxl.load_workbook(path)
    return [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]


def test_a_table_goes_into_a_workbook(stage: Stage) -> None:
    zhao = stage.zhao
    path = stage.folder / "车辆台账.xlsx"
    zhao.go("vehicles", "vehicles")
    zhao.until(lambda: len(zhao.table()) > 5, "vehicles")
    heads, *shown = zhao.table()
    zhao.menu("moduleExport", "导出当前列")
    zhao.name_file(path)
    zhao.sees(f"已导出 {len(shown)} 条到 {path.name}")
    written_heads, *written = rows_in(path)
    assert written_heads == heads
    assert [row[0] for row in written] == [row[0] for row in shown]
    places = [heads.index(head) for head in ("车牌号", "品牌型号", "车型", "固定驾驶员", "状态")]
    assert [[row[n] or "" for n in places] for row in written] == [[row[n] for n in places] for row in shown]
    seats = heads.index("座位数")
    assert [f"{row[seats]} 座" for row in written] == [row[seats] for row in shown]
    assert all(isinstance(row[seats], int) for row in written)


def choose_workbook(desk: Desk, path: Path) -> None:
    desk.click("选择文件…")
    desk.name_file(path)
    desk.sees("mapping_0")


def map_column(desk: Desk, number: int, field: str) -> None:
    """Chooses a column's field with the keyboard."""
    box = f"mapping_{number}"
    desk.do("press", name=box, keys="Home")

    def chosen() -> bool:
        if str(desk.do("state", name=box)["choice"]).rstrip(" *") == field:
            return True
        desk.do("press", name=box, keys="Down")
        return False

    desk.until(chosen, f"{field} for column {number}")


def test_a_workbook_becomes_records_all_or_none(stage: Stage) -> None:
    lin, zhao = stage.lin, stage.zhao
    heads = ("牌照", "品牌型号", "座位数", "年检有效期至")
    good = ("苏A·80001", "比亚迪 秦", 5, "2027-03-01")
    other = ("苏A·80002", "五菱 之光", 7, "2027-04-01")
    path = workbook(stage.folder / "新购.xlsx", heads, good, ("苏A·800", "长城 风骏", 5, "2027-05-01"), other)
    lin.go("vehicles", "vehicles")
    zhao.go("vehicles", "vehicles")
    zhao.until(lambda: len(zhao.table()) > 5, "vehicles")
    before = len(zhao.table())
    zhao.menu("moduleMore", "从 Excel 导入…")
    choose_workbook(zhao, path)
    assert zhao.shows("必填字段还没有对应的列：车牌号")
    map_column(zhao, 0, "车牌号")
    assert zhao.do("state", name="mapping_1")["choice"].rstrip(" *") == "品牌型号"  # taken by its heading
    zhao.click("importNext")
    zhao.sees("3 行中有 1 行有问题。请在表中改好，再重新选择文件。")
    _, *wrong = zhao.table("importRows")
    assert [row[0] for row in wrong] == ["3"]
    assert "苏A·800" in wrong[0][1]
    assert "车牌号" in wrong[0][2]
    assert not zhao.do("state", name="importNext")["enabled"]

    workbook(path, heads, good, ("苏A·80003", "长城 风骏", 5, "2027-05-01"), other)
    zhao.click("上一步")
    zhao.click("上一步")
    choose_workbook(zhao, path)
    assert zhao.do("state", name="mapping_0")["choice"].rstrip(" *") == "车牌号"  # as the last time
    zhao.click("importNext")
    zhao.sees("3 行全部通过检查，可以导入")
    assert not any("8000" in plate for plate in lin.column("车牌号"))  # the dry run made nothing
    zhao.click("importNext")
    zhao.sees("已导入 3 条")
    made = ["苏A·80001", "苏A·80002", "苏A·80003"]
    lin.until(lambda: [one for one in lin.column("车牌号") if "8000" in one] == made, "new vehicles at the colleague's")
    zhao.click("关闭导入")
    zhao.until(lambda: len(zhao.table()) == before + 3, "new vehicles")


def new_trip(desk: Desk, hours: str, destination: str, vehicle: str = "") -> None:
    """A trip that this colleague asks for, open beside the table."""
    desk.go("vehicles", "trips")
    desk.ask_for_vehicle(hours, destination, vehicle)
    desk.sees(f"{destination} · 送审图纸")
    desk.lacks("recordForm")


def test_a_record_becomes_a_sheet(stage: Stage) -> None:
    lin = stage.lin
    new_trip(lin, "09:00 - 10:30", "市水文局")
    lin.menu("recordMore", "存为 PDF…")
    path = stage.folder / "派车单.pdf"
    lin.name_file(path)
    lin.until(path.exists, "the file")
    lin.sees("PDF 已保存")
    pages = pypdf.PdfReader(path).pages
    text = "".join(page.extract_text() for page in pages).replace(" ", "").replace("\n", "")
    assert len(pages) == 1
    for words in ("派车单", "市水文局", "送审图纸", "林远", "目的地", f"YC{DAY.replace('-', '')[:4]}", "派车人签字"):
        assert words in text, (words, text)


def last_said(desk: Desk) -> str:
    """The newest message of the talk that is shown, as a screen reader says it."""
    said = desk.do("spoken", name="消息记录")
    return str(said[-1]) if said else ""


def test_a_card_in_a_talk_lives(stage: Stage) -> None:
    lin, zhao = stage.lin, stage.zhao
    new_trip(lin, "13:00 - 14:00", "市图书馆")
    lin.click("发到会话")
    lin.sees("sharePane")
    lin.do("type", name="查找会话", text="赵磊")
    lin.until(lambda: lin.do("state", name="shareList")["rows"] == ["赵磊"], "the talk with 赵磊")
    lin.do("press", name="查找会话", keys="Return")
    lin.sees("已发到“赵磊”")
    zhao.click("消息")

    def card_is_there() -> bool:
        zhao.do("click_row", name="会话列表", text="林远")  # again: rows change places as messages come
        return "市图书馆" in last_said(zhao)

    zhao.until(card_is_there, "the card")
    zhao.until(lambda: "待派车" in last_said(zhao), "the state on the card")
    lin.change("destination", "市图书馆新馆")
    zhao.until(lambda: "市图书馆新馆" in last_said(zhao), "the card as it is now")
    lin.click("action_cancel")
    lin.click("formSubmit")
    lin.sees("已取消")
    zhao.until(lambda: "已取消" in last_said(zhao), "the state on the card")


BETWEEN = (45.0, 35.2)
"""Millimeters: a place between two signs of the first line, without ink."""


def page_points(x_mm: float, y_mm: float) -> dict[str, float]:
    """A place on a sheet, in points."""
    return {"x": x_mm * 72 / 25.4, "y": y_mm * 72 / 25.4}


def on_page(desk: Desk, x_mm: float, y_mm: float) -> tuple[int, int]:
    x, y = desk.do("page_spot", name="readerPages", page=0, **page_points(x_mm, y_mm))
    return int(x), int(y)


def color_on_page(desk: Desk, x_mm: float, y_mm: float) -> str:
    x, y = on_page(desk, x_mm, y_mm)
    return str(desk.do("color", name="readerPages", x=x, y=y))


def test_files_hang_on_a_record_and_marks_on_the_files(stage: Stage) -> None:
    lin, zhao = stage.lin, stage.zhao
    path = stage.folder / "采购方案.ofd"
    path.write_bytes(ofd(line_of("关于更新公务用车的方案", y=30), line_of("第二页", y=30)))
    zhao.go("tasks", "issued", shows="moduleNew")
    zhao.click("moduleNew")
    zhao.write("title", "核对采购方案")
    zhao.pick("assignees", "林远")
    zhao.write("deadline", DAY)
    zhao.click("filesAdd")
    zhao.name_file(path)
    zhao.sees("采购方案.ofd")
    zhao.click("从资料库选")
    zhao.do("type", name="资料库文件的标题或文号", text="预算")
    zhao.sees("pickHits")
    zhao.do("press", name="资料库文件的标题或文号", keys="Return")
    zhao.lacks("pickHits")
    zhao.click("formSubmit")
    zhao.lacks("recordForm")

    lin.go("tasks", "mine")
    lin.open("核对采购方案")
    lin.until(lambda: len(lin.do("find", name="attachmentCard")) == 2, "both files")
    lin.click_in("attachmentOpen", "采购方案.ofd")
    lin.sees("readerPages")
    paper = lin.until(lambda: color_on_page(lin, 100, 100), "the page")
    assert paper == "#ffffff"
    assert lin.says("readerPageField") == "1"
    lin.click("reader_pen")
    lin.click("readerMarkShared")
    lin.drag("readerPages", on_page(lin, 21, 34), on_page(lin, 40, 34), on_page(lin, 69, 34))
    lin.until(lambda: color_on_page(lin, *BETWEEN) != paper, "the highlight")

    zhao.open("核对采购方案")
    zhao.click_in("attachmentOpen", "采购方案.ofd")
    zhao.sees("readerPages")
    zhao.until(lambda: color_on_page(zhao, *BETWEEN) not in (paper, "#000000"), "the colleague's highlight")
    zhao.until(lambda: color_on_page(zhao, *BETWEEN) == color_on_page(lin, *BETWEEN), "one color on both screens")
    for desk in (lin, zhao):
        desk.click("readerBack")
        desk.sees("recordTitle")
    cards = [card["accessible"] for card in lin.do("find", name="attachmentCard")]
    lin.click_in("attachmentOpen", next(name for name in cards if name.endswith(".pdf")))
    lin.sees("readerPages")
    lin.click("readerBack")
    lin.sees("recordTitle")


def moment(hour: int, minute: int = 0) -> datetime:
    """A time of the day that the scenes play on."""
    return datetime.fromisoformat(DAY).replace(hour=hour, minute=minute).astimezone()


def test_bookings_are_made_and_moved_by_hand(stage: Stage) -> None:
    lin, zhao = stage.lin, stage.zhao
    canvas, plate = "timelineCanvas", "33086"
    zhao.go("vehicles", "timeline", shows=canvas)
    for _ in range(DAYS_AHEAD):
        zhao.click("往后")
    zhao.until(lambda: zhao.at_moment(plate, moment(9)), "the day")
    empty = zhao.color(canvas, zhao.at_moment(plate, moment(16, 30)))
    zhao.drag(
        canvas, zhao.at_moment(plate, moment(9)), zhao.at_moment(plate, moment(10)), zhao.at_moment(plate, moment(11))
    )
    zhao.sees("recordForm")
    zhao.write("destination", "河道管理所")
    zhao.write("reason", "巡查")
    zhao.click("formSubmit")
    zhao.sees("河道管理所 · 巡查")
    zhao.sees(f"{DAY} 09:00 – 11:00")
    zhao.close_pane()
    zhao.until(lambda: zhao.color(canvas, zhao.at_moment(plate, moment(10, 45))) != empty, "the block")

    start, target = zhao.at_moment(plate, moment(10)), zhao.at_moment(plate, moment(15))
    zhao.drag(canvas, start, zhao.at_moment(plate, moment(12)), target)
    zhao.until(lambda: zhao.color(canvas, zhao.at_moment(plate, moment(15, 45))) != empty, "the block where it is now")
    zhao.drag(canvas, zhao.at_moment(plate, moment(15)))  # a press without a way opens it
    zhao.sees(f"{DAY} 14:00 – 16:00")
    zhao.close_pane()

    lin.go("vehicles", "trips")
    lin.ask_for_vehicle("09:00 - 10:00", "河长办", vehicle=plate)
    lin.sees("河长办 · 送审图纸")
    zhao.until(lambda: zhao.color(canvas, zhao.at_moment(plate, moment(9, 50))) != empty, "the colleague's block")
    start, target = zhao.at_moment(plate, moment(15)), zhao.at_moment(plate, moment(10))
    free = zhao.do("pointer", name=canvas)
    zhao.hold(canvas, start, zhao.at_moment(plate, moment(13)))
    assert zhao.do("pointer", name=canvas) == "ClosedHandCursor"
    zhao.do("mouse", name=canvas, deed="move", x=target[0], y=target[1])
    assert zhao.do("pointer", name=canvas) == "ForbiddenCursor"
    zhao.do("grab", name=canvas, path=str(stage.folder / "while-dragging.png"))
    zhao.let_go(canvas, target)
    assert zhao.do("pointer", name=canvas) == free
    zhao.until(lambda: [w for w in zhao.do("labels") if "河长办" in w and "09:00" in w], "who is in the way")
    zhao.drag(canvas, zhao.at_moment(plate, moment(15)))
    zhao.sees(f"{DAY} 14:00 – 16:00")  # it stayed


def test_words_follow_history_and_a_filter_with_a_name(stage: Stage) -> None:
    lin, zhao = stage.lin, stage.zhao
    new_trip(lin, "16:00 - 17:00", "省水利厅")
    lin.part(1)
    lin.sees("commentEdit")
    lin.do("type", name="commentEdit", text="请@赵磊")
    lin.sees("pickHits")
    lin.do("press", name="commentEdit", keys="Return")
    lin.lacks("pickHits")
    lin.do("type", name="commentEdit", text="安排大车")
    lin.click("commentSend")
    lin.sees("林远: 请@赵磊 安排大车")
    toast = zhao.until(lambda: [t for t in zhao.probe("toasts") if "提到" in t["says"]], "the mention's pop-up")[0]
    assert "省水利厅" in toast["says"], toast

    zhao.go("vehicles", "trips")
    zhao.open("省水利厅")
    zhao.part(1)
    zhao.sees("林远: 请@赵磊 安排大车")
    zhao.click("recordFollow")
    zhao.until(lambda: zhao.do("state", name="recordFollow")["checked"], "following")
    lin.part(0)
    lin.change("destination", "省水利厅新址")
    zhao.part(2)
    zhao.sees("省水利厅 → 省水利厅新址")
    lin.click("action_cancel")
    lin.click("formSubmit")
    zhao.until(
        lambda: [t for t in zhao.probe("toasts") if "关注" in t["says"] and "省水利厅新址" in t["says"]],
        "what the follower hears",
    )
    zhao.sees("待派车 → 已取消")

    zhao.menu("addFilter", "状态")
    zhao.click("filterChoice_requested")
    zhao.click("完成")
    zhao.until(lambda: set(zhao.column("状态")) == {"待派车"}, "requests alone")
    kept = zhao.column("目的地")
    zhao.menu("savedFilters", "保存当前筛选…")
    zhao.do("type", name="filterName", text="还没派的车")
    zhao.click("filterSave")
    zhao.until(lambda: zhao.says("savedFilters") == "还没派的车", "the filter by its name")
    zhao.menu("savedFilters", "全部记录")
    zhao.until(lambda: set(zhao.column("状态")) != {"待派车"}, "everything")
    zhao.menu("savedFilters", "还没派的车")
    zhao.until(lambda: zhao.column("目的地") == kept, "the filter again")
