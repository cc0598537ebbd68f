"""Sheets on paper, read back from the PDF; and the card of a record."""

import asyncio
import unicodedata
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QPdfWriter
from PySide6.QtPdf import QPdfDocument

from desktop.core.domain.definition import ModuleDefinition
from desktop.core.domain.records import Record
from desktop.ui import i18n
from desktop.ui.office.record.card import CardLines, card_lines
from desktop.ui.office.record.paper import Sheet, file_name, pdf_of, write_file
from desktop.ui.office.views.base import ViewContext
from tests.helpers.fake_records import RecordsScene
from tests.helpers.stage import play

Scene = Callable[[RecordsScene, ViewContext], Coroutine[Any, Any, None]]


def run(scene: Scene, *, language: i18n.Language = "zh", mode: Any = "light") -> None:
    async def whole() -> None:
        session = RecordsScene()
        context = ViewContext(session, "sample_vehicles", session.clock.now_ms)
        await context.load()
        await scene(session, context)

    play(whole(), language=language, mode=mode)


SUPPLEMENT = str.maketrans("⻋⻚⻓⻔", "车页长门")  # radicals that NFKC leaves alone


def pages(data: bytes) -> list[str]:
    """The text of each page. Qt writes some signs as the radicals they look like; NFKC makes them signs again."""
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    document = QPdfDocument()
    document.load(buffer)
    assert document.status() is QPdfDocument.Status.Ready
    texts = [document.getAllText(number).text() for number in range(document.pageCount())]
    return [unicodedata.normalize("NFKC", text).translate(SUPPLEMENT) for text in texts]


def with_data(record: Record, **data: Any) -> Record:
    return msgspec.structs.replace(record, data={**record.data, **data})


LINES = [{"item": f"过路费{n}", "quantity": 2, "price": "35.00", "amount": "70.00"} for n in range(60)]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_sheet_has_what_the_layout_names(mode: str) -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        record = with_data(session.records.get("t1"), items=LINES[:3], reason="一、督查\n二、<b>回</b>")
        [text] = pages(await pdf_of(context, [record], "x"))
        for part in ("申请单", "YC-2026-001", "别克 GL8", "孙强", "<b>回</b>", "过路费2", "210.00", "出车前交车队"):
            assert part in text, part
        assert "防汛办" not in text  # the department is in no row of the layout
        assert "1 页" in text
        assert "林远 打印" in text

    run(scene, mode=mode)


def test_long_lines_go_on_with_their_head_on_every_page() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        found = pages(await pdf_of(context, [with_data(session.records.get("t1"), items=LINES)]))
        assert len(found) > 1
        assert all("单价" in page for page in found)
        assert "4,200.00" in found[-1]
        assert f"共 {len(found)} 页" in found[0]

    run(scene)


def test_many_records_are_one_file_each_from_a_new_page() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        records = [session.records.get(key) for key in ("t1", "t2", "t3")]
        found = pages(await pdf_of(context, records))
        assert [page.count("YC-2026-00") for page in found] == [1, 1, 1]
        assert ["YC-2026-002" in page for page in found] == [False, True, False]

    run(scene)


def test_a_type_without_a_layout_is_printed_field_by_field() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        [text] = pages(await pdf_of(context, [session.records.get("v1")]))
        for part in ("车辆", "12345", "别克 GL8", "7 座", "赵磊", "239,900.00"):
            assert part in text, part

    run(scene)


def test_rich_text_is_made_safe_and_the_language_is_the_readers() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        definition = session.records.definitions[0]
        paper = {"title": {"zh": "单", "en": "Sheet"}, "rows": [["notes"], ["gone"]], "orientation": "landscape"}
        wire = msgspec.to_builtins(definition)
        wire["types"][1]["paper"] = paper
        session.records.definitions = [msgspec.convert(wire, ModuleDefinition)]
        context = ViewContext(session, "sample_vehicles", session.clock.now_ms)
        await context.load()
        body = '<p>safe</p><img src="file:///etc/hostname"><script>steal()</script>'
        [text] = pages(await pdf_of(context, [with_data(session.records.get("t1"), notes=body)]))
        assert "Sheet" in text
        assert "Notes" in text
        assert "safe" in text
        assert "steal" not in text
        assert "Page 1 of 1" in text

    run(scene, language="en")


def test_a_sheet_of_nothing_is_no_crash() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        assert pages(await pdf_of(context, [Record("x", "SampleTrip")]))
        await pdf_of(context, [Record("x", "Unknown")])
        assert await pdf_of(context, []) is not None

    run(scene)


def test_many_sheets_leave_the_screen_its_turns() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.get_running_loop().create_task(count())
        await pdf_of(context, [session.records.get("t1")] * 6)
        counting.cancel()
        assert turns >= 6

    run(scene)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("YC-1 · 机场", "YC-1 · 机场.pdf"),
        ('a/b\\c:"d"', "a_b_c__d_.pdf"),
        ("", "tongban.pdf"),
        (". .", "tongban.pdf"),
        ("长" * 200, "长" * 80 + ".pdf"),
    ],
)
def test_file_names_every_system_takes(title: str, name: str) -> None:
    assert file_name(title) == name


def test_a_file_is_written_whole_or_not(tmp_path: Path) -> None:
    target = tmp_path / "a.pdf"
    write_file(target, b"1")
    write_file(target, b"22")
    assert target.read_bytes() == b"22"
    assert [path.name for path in tmp_path.iterdir()] == ["a.pdf"]
    with pytest.raises(FileNotFoundError):
        write_file(tmp_path / "gone" / "a.pdf", b"1")


# ------------------------------------------------------------ the card
def test_a_card_says_title_state_and_two_fields() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        record = session.records.get("t1")
        lines = card_lines(context, record)
        assert (lines.kind, lines.title, lines.state, lines.tone) == (
            "用车申请",
            "YC-2026-001 · 长江堤防",
            "已批准",
            "accent",
        )
        assert [name for name, _ in lines.fields] == ["用车时间", "乘车人"]
        assert "李晓明" in lines.fields[1][1]
        assert "已批准" in lines.spoken
        changed = card_lines(context, with_data(record, state="done", destination="机场"))
        assert (changed.title, changed.state, changed.tone) == ("YC-2026-001 · 机场", "已完成", "green")
        assert changed != lines
        assert card_lines(context, session.records.get("v1")).state == ""
        assert card_lines(context, Record("x", "Unknown")) == CardLines("Unknown", "x")

    run(scene)


def test_what_is_not_asked_of_a_record_is_not_printed_either() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        definition = context.type_of("SampleTrip")
        assert definition is not None
        record = with_data(session.records.get("t1"), overnight=False, nights=0, odometerOut=700)
        paper = msgspec.structs.replace(definition.paper, rows=(("nights", "odometerOut"),))  # type: ignore[type-var]
        asked = msgspec.structs.replace(definition, paper=paper)
        device = QPdfWriter(QBuffer())
        for overnight, printed in ((False, ""), (True, "0")):
            sheet = Sheet(context, asked, {})
            document = sheet.document(with_data(record, overnight=overnight), device)
            cells = [line.strip() for line in document.toPlainText().splitlines()]
            assert cells[cells.index("夜数") + 1] == printed
            assert "700 公里" in cells

    run(scene)
