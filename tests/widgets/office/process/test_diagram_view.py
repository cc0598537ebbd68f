"""The diagram: what is lit, where the keyboard leads, zoom and place, words for screen readers, big ones and those of other modellers."""

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest

from desktop.core.domain.processes import Diagram, DiagramEdge, DiagramShape
from desktop.ui import theme
from desktop.ui.office.process.diagram_paint import Lit, family
from desktop.ui.office.process.diagram_view import DiagramView, kind_word
from desktop.ui.theme import values_process as values
from tests.helpers.case_samples import paper_diagram, seal_diagram
from tests.helpers.stage import play, press, settle, shown

KEPT: list[DiagramView] = []
LIT = Lit(frozenset({"start", "apply"}), {"head": "张敏 · 剩 4 小时"}, frozenset(), {"apply": "20 分钟"})


@pytest.fixture(autouse=True)
def _release() -> Iterator[None]:
    yield
    KEPT.clear()


def view(diagram: Diagram | None, lit: Lit = LIT, width: int = 800, height: int = 400) -> DiagramView:
    made = DiagramView(closable=True)
    KEPT.append(made)
    shown(made, width, height)
    made.show_diagram(diagram, lit, "用印申请 · 第 3 版")
    return made


def picture(made: DiagramView) -> QImage:
    return made.sheet.grab().toImage()


def color_at(made: DiagramView, key: str, image: QImage) -> QColor:
    """The fill of a shape, near its lower left corner."""
    box = made.sheet.on_screen(key)
    ratio = image.devicePixelRatio()
    return image.pixelColor(QPoint(round((box.left() + 12) * ratio), round((box.bottom() - 8) * ratio)))


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_done_is_green_current_is_accent_late_is_red_the_rest_plain(mode: theme.Mode) -> None:
    async def scene() -> None:
        made = view(seal_diagram())
        await settle()
        colors, image = theme.tokens(), picture(made)
        assert color_at(made, "apply", image) == colors.green_soft
        assert color_at(made, "head", image) == colors.accent_soft
        assert color_at(made, "office", image) == colors.surface
        late = Lit(LIT.done, LIT.current, frozenset({"head"}))
        made.show_diagram(seal_diagram(), late)
        assert color_at(made, "head", picture(made)) == colors.red_soft

    play(scene(), mode=mode)


def test_arrows_lead_from_element_to_element_and_say_what_each_is() -> None:
    async def scene() -> None:
        made = view(seal_diagram())
        sheet = made.sheet
        assert "6" in sheet.accessibleName() or "7" in sheet.accessibleName()
        assert "张敏 · 剩 4 小时" in sheet.accessibleDescription()
        sheet.step(1)
        assert sheet.current == "start"
        press(sheet, Qt.Key.Key_Right)
        assert sheet.current == "apply"
        assert "申请 · 人工环节 · 已办 · 20 分钟" in sheet.accessibleName()
        press(sheet, Qt.Key.Key_Right)
        assert "部门领导 · 人工环节 · 正在办理 · 张敏 · 剩 4 小时" in sheet.accessibleName()
        press(sheet, Qt.Key.Key_Left)
        assert sheet.current == "apply"
        chosen: list[str] = []
        made.chosen.connect(chosen.append)
        press(sheet, Qt.Key.Key_Return)
        assert chosen == ["apply"]
        QTest.mouseClick(sheet, Qt.MouseButton.LeftButton, pos=sheet.on_screen("office").center().toPoint())
        assert chosen == ["apply", "office"]
        assert sheet.element_at(QPointF(1, 1)) == ""

    play(scene())


def test_zoom_and_place_by_keys_and_by_the_mouse() -> None:
    async def scene() -> None:
        made = view(seal_diagram(), width=500)
        sheet = made.sheet
        before = sheet.zoom
        press(sheet, Qt.Key.Key_Plus)
        assert sheet.zoom == pytest.approx(before * values.ZOOM_STEP)
        for _ in range(40):
            press(sheet, Qt.Key.Key_Minus)
        assert sheet.zoom == values.ZOOM_MIN
        press(sheet, Qt.Key.Key_0)
        box = sheet.on_screen("start").united(sheet.on_screen("end"))
        assert sheet.rect().contains(box.toRect())
        assert made.percent.text() == f"{round(sheet.zoom * 100)}%"
        place = sheet.on_screen("head").center()
        sheet.zoom_by(2, place)
        assert (sheet.on_screen("head").center() - place).manhattanLength() < 1
        left = sheet.on_screen("head").left()
        press(sheet, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
        assert sheet.on_screen("head").left() < left
        for _ in range(80):
            press(sheet, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
        assert sheet.on_screen("end").right() > 0  # never lost
        grip = QPoint(30, sheet.height() - 30)
        at = sheet.on_screen("end").left()
        QTest.mousePress(sheet, Qt.MouseButton.LeftButton, pos=grip)
        QTest.mouseMove(sheet, grip + QPoint(60, 0))
        QTest.mouseRelease(sheet, Qt.MouseButton.LeftButton, pos=grip + QPoint(60, 0))
        assert sheet.on_screen("end").left() == pytest.approx(at + 60, abs=1)

    play(scene())


def test_a_long_one_begins_where_the_case_is_as_large_as_can_be_read() -> None:
    async def scene() -> None:
        lit = Lit(frozenset(), {"undertake": "林远"})
        made = view(paper_diagram(), lit, width=460)
        assert made.sheet.zoom == values.ZOOM_READABLE
        box = made.sheet.on_screen("undertake")
        assert abs(box.center().x() - made.sheet.width() / 2) < 2
        made.whole.click()
        assert made.sheet.zoom < values.ZOOM_READABLE
        zoom = made.sheet.zoom
        made.show_diagram(paper_diagram(), Lit(frozenset({"undertake"}), {"circulate": "9 人"}))
        assert made.sheet.zoom == zoom  # the same diagram in another light stays

    play(scene())


def test_without_a_diagram_it_says_so() -> None:
    async def scene() -> None:
        made = view(None)
        assert made.state.isVisible()
        assert made.sheet.isHidden()
        made.show_diagram(Diagram())
        assert made.state.isVisible()
        made.show_diagram(seal_diagram(), LIT)
        assert made.sheet.isVisible()

    play(scene())


def test_every_kind_of_shape_is_drawn_and_has_a_name() -> None:
    kinds = (
        "startEvent", "intermediateCatchEvent", "timerEvent", "boundaryEvent", "endEvent", "userTask", "serviceTask", "scriptTask",
        "manualTask", "sendTask", "receiveTask", "businessRuleTask", "callActivity", "subProcess", "transaction", "adHocSubProcess",
        "exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway", "participant", "lane",
        "textAnnotation", "dataObjectReference", "dataStoreReference", "group", "somethingNew",
    )  # fmt: skip
    sizes = {"event": (36, 36), "gateway": (50, 50), "pool": (300, 120), "note": (100, 40), "data": (36, 50)}

    async def scene() -> None:
        shapes = {}
        for number, kind in enumerate(kinds):
            w, h = sizes.get(family(kind), (110, 80))
            shapes[kind] = DiagramShape(kind, f"名称 {number}", 20 + number % 6 * 330, 20 + number // 6 * 180, w, h)
        edges = {
            "a": DiagramEdge("是", ((100, 40), (200, 40), (200, 90))),
            "b": DiagramEdge("退回", ((200, 200), (100, 200)), "return"),
            "c": DiagramEdge("", ((10, 10),)),
            "d": DiagramEdge("", (), "message"),
        }
        made = view(Diagram(2000, 1000, shapes, edges), Lit(), 1000, 700)
        await settle()
        assert not picture(made).isNull()
        assert all(kind_word(shape) for shape in shapes.values())
        assert all("office_process" not in kind_word(shape) for shape in shapes.values())

    play(scene())


def test_a_very_big_one_is_drawn_quickly() -> None:
    async def scene() -> None:
        shapes = {
            f"s{n}": DiagramShape("userTask", f"步骤 {n}", n % 60 * 150.0, n // 60 * 120.0, 100, 60)
            for n in range(3000)
        }
        edges = {
            f"e{n}": DiagramEdge(
                "", ((n % 60 * 150.0 + 100, n // 60 * 120.0 + 30), (n % 60 * 150.0 + 150, n // 60 * 120.0 + 30))
            )
            for n in range(3000)
        }
        made = view(Diagram(9000, 6000, shapes, edges), Lit(), 900, 600)
        await settle()
        start = perf_counter()
        for _ in range(5):
            made.sheet.grab()
        assert (perf_counter() - start) / 5 < 0.25
        press(made.sheet, Qt.Key.Key_0)
        assert made.sheet.zoom == values.ZOOM_MIN

    play(scene())


def _samples() -> list[Path]:
    folder = Path(__file__).resolve().parents[4] / "server_stub"
    return sorted(folder.rglob("*.bpmn"))


@pytest.mark.parametrize("path", _samples(), ids=lambda path: path.stem)
def test_the_processes_of_the_modules_are_drawn(path: Path) -> None:
    import msgspec

    from server_stub.workflow.diagram import diagram_of
    from server_stub.workflow.reading import read_bpmn

    made_by_server = diagram_of(read_bpmn(path.read_bytes()))
    diagram = msgspec.convert(msgspec.to_builtins(made_by_server), Diagram)

    async def scene() -> None:
        made = view(diagram, Lit())
        await settle()
        assert made.sheet.isVisible()
        assert any(shape.kind == "userTask" for shape in diagram.shapes.values())

    play(scene())
