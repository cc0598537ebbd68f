"""Workbooks: what is written comes back equal, whatever the kind; what people type is read or refused; harmful files are not opened; the panes."""

import io
import time
import zipfile
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from desktop.core.domain import ConnectionState
from desktop.core.domain.conditions import Facts
from desktop.core.domain.definition import Field, FieldKind, Label, TypeDefinition
from desktop.core.domain.records import Record, RowError
from desktop.models.contacts import Organization
from desktop.models.record_form import cleaned
from desktop.ui.i18n import has, tr
from desktop.ui.office.exchange import opening
from desktop.ui.office.exchange.columns import targets_of
from desktop.ui.office.exchange.import_pane import ImportPane
from desktop.ui.office.exchange.names import Names, Titles
from desktop.ui.office.exchange.opening import BadWorkbook, CellError, open_workbook
from desktop.ui.office.exchange.parsing import BadCell, Readings, parse_cell
from desktop.ui.office.exchange.sheet_rows import SheetReader, guess
from desktop.ui.office.exchange.writing import Glossary, WorkbookWriter, sheet_title
from desktop.ui.office.module_page import ModulePage, create_module_page
from desktop.ui.office.views.base import ViewContext
from tests.helpers.fake_records import TRIP, VEHICLE, RecordsScene
from tests.helpers.fake_session import DEPARTMENTS, NOW, PEOPLE
from tests.helpers.sample_module import sample_module
from tests.helpers.stage import RecordingNavigator, play, shown, until

FACTS = Facts("linyuan", ("d2",), NOW, 480)
TITLES = {"v1": "苏A・12345 · 别克 GL8", "v2": "苏A・22318, 帕萨特", "v3": "苏A・22318, 帕萨特"}


def names(*more: Any) -> Names:
    return Names(Organization(DEPARTMENTS, [*PEOPLE, *more]))


def readings(**more: Any) -> Readings:
    return Readings(more.pop("names", names()), date(2026, 10, 22), {"SampleVehicle": Titles(TITLES)})


def glossary(language: str = "zh") -> Glossary:
    yes, no, joint = ("是", "否", "、") if language == "zh" else ("Yes", "No", "; ")
    return Glossary(language, names(), yes, no, {"SampleVehicle": Titles(TITLES)}, joint)


def trip() -> TypeDefinition:
    found = sample_module().type("SampleTrip")
    assert found is not None
    return found


def free(field: Field) -> Field:
    """The field without rules."""
    inner = tuple(free(one) for one in field.fields)
    return msgspec.structs.replace(
        field, fields=inner, required=False, when=None, after=None, min=None, max=None, read_only=False, default=None
    )


def loose(definition: TypeDefinition) -> TypeDefinition:
    """The type without rules: every value of a kind is right; with an amount of money outside of lines too."""
    fields = [free(f) for f in definition.fields if f.kind not in ("blob", "files", "audience") and not f.formula]
    budget = Field(name="budget", kind=FieldKind.MONEY, label=Label("预算", "Budget"))
    return msgspec.structs.replace(definition, fields=(*fields, budget), states=(), actions=())


def field_named(name: str) -> Field:
    found = trip().field(name)
    assert found is not None
    return found


# ------------------------------------------------------------ identity
# What XML can carry; \r becomes \n in every reader of it.
SIGNS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
WORDS = st.text(SIGNS | st.just("\n"), min_size=1, max_size=40).filter(lambda text: text.strip() != "")
DAYS = st.dates(date(1800, 1, 1), date(2199, 12, 31)).map(date.isoformat)
MINUTES = st.datetimes(datetime.fromisoformat("1950-01-01"), datetime.fromisoformat("2190-01-01")).map(
    lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
)
MONEY = st.decimals(-(10**14), 10**14, places=2).map(lambda amount: f"{amount + 0:.2f}")
NUMBERS = st.integers(-(10**9), 10**9) | st.decimals(-(10**6), 10**6, places=3).map(float)
PERSON_IDS = st.sampled_from([person.id for person in PEOPLE])
DEPARTMENT_IDS = st.sampled_from([department.id for department in DEPARTMENTS])
VEHICLE_IDS = st.sampled_from(sorted(TITLES))


def several(one: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(one, min_size=1, max_size=4, unique=True)


SPANS = (
    st.tuples(MINUTES, MINUTES)
    .filter(lambda pair: pair[0] != pair[1])
    .map(lambda pair: {"start": min(pair), "end": max(pair)})
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": WORDS, "longText": WORDS, "richText": WORDS.map(lambda text: f"<p><b>{text.replace('<', '')}</b></p>"),
    "number": NUMBERS, "money": MONEY, "date": DAYS, "datetime": MINUTES, "span": SPANS, "bool": st.booleans(),
    "person": PERSON_IDS, "persons": several(PERSON_IDS), "department": DEPARTMENT_IDS, "departments": several(DEPARTMENT_IDS),
    "reference": VEHICLE_IDS, "references": several(VEHICLE_IDS),
}  # fmt: skip


def values_of(field: Field) -> st.SearchStrategy[Any]:
    match str(field.kind):
        case "choice":
            return st.sampled_from([choice.value for choice in field.choices])
        case "multiChoice":
            return several(st.sampled_from([choice.value for choice in field.choices]))
        case "object":
            return st.fixed_dictionaries({}, optional={f.name: values_of(f) for f in field.fields}).filter(bool)
        case "lines":
            inner = {f.name: values_of(f) for f in field.fields if not f.formula}
            return st.lists(st.fixed_dictionaries({}, optional=inner).filter(bool), min_size=1, max_size=3)
        case "number" if field.decimals == 0:
            return st.integers(-(10**9), 10**9)
        case kind:
            return VALUES[kind]


RECORDS = st.lists(
    st.fixed_dictionaries({}, optional={f.name: values_of(f) for f in loose(trip()).fields}).filter(bool),
    min_size=1,
    max_size=4,
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(RECORDS, st.sampled_from(["zh", "en"]))
def test_what_is_exported_comes_back_equal(rows: list[dict[str, Any]], language: str) -> None:
    definition = loose(trip())
    got = round_trip(definition, rows, language)
    wanted = [{f.name: cleaned(f, row[f.name]) for f in definition.fields if f.name in row} for row in rows]
    assert [dict(sorted(row.items())) for row in got] == [dict(sorted(row.items())) for row in wanted]


def round_trip(definition: TypeDefinition, rows: list[dict[str, Any]], language: str) -> list[dict[str, Any]]:
    writer = WorkbookWriter("申请", definition.fields, glossary(language), "序号")
    writer.add(Record(f"r{n}", definition.name, row) for n, row in enumerate(rows))
    packed = io.BytesIO()
    writer.save_into(packed)
    sheets = opening.read_sheets(packed)
    first = sheets[0]
    reader = SheetReader(definition, readings(), FACTS, label=lambda f: f.name, row_heads=("序号", "Row"))
    found = reader.read(first, guess(definition, first.heads), sheets[1:])
    assert [problem for row in found for problem in row.problems] == []
    return [row.data for row in found]


def test_every_kind_that_a_sheet_can_carry_is_in_the_property() -> None:
    carried = {str(field.kind) for field in loose(trip()).fields}
    assert carried == {
        "text", "longText", "richText", "number", "money", "date", "datetime", "span", "bool", "choice", "multiChoice",
        "person", "persons", "department", "departments", "reference", "references", "object", "lines",
    }  # fmt: skip


def test_nothing_written_becomes_a_formula(tmp_path: Path) -> None:
    definition = loose(trip())
    path = tmp_path / "a.xlsx"
    writer = WorkbookWriter("a", definition.fields, glossary(), "序号")
    writer.add(
        [Record("r", TRIP, {"destination": '=HYPERLINK("http://spy.example")', "reason": "#N/A", "number": "+1"})]
    )
    writer.save(path)
    cells = [cell for row in load_workbook(path).active.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells if cell.value is not None} <= {"s", "n"}
    assert [row.name for row in tmp_path.iterdir()] == ["a.xlsx"]


def test_cells_are_typed_and_formatted(tmp_path: Path) -> None:
    definition = loose(trip())
    path = tmp_path / "a.xlsx"
    writer = WorkbookWriter("a", definition.fields, glossary(), "序号")
    writer.add([Record("r", TRIP, {"wanted": "2026-10-22", "kind": "flood", "odometerOut": 12.5,
                                   "items": [{"item": "油", "price": "7.86", "paidOn": "2026-10-20"}]})])  # fmt: skip
    writer.save(path)
    book = load_workbook(path)
    first, lines = book.worksheets
    heads = {cell.value: cell.column for cell in first[1]}
    assert first.cell(2, heads["最迟"]).value == datetime.fromisoformat("2026-10-22")
    assert first.cell(2, heads["最迟"]).number_format == "yyyy-mm-dd"
    assert first.cell(2, heads["类别"]).value == "防汛"
    assert first.cell(2, heads["出车里程"]).value == 12.5
    assert (lines.title, lines.cell(2, 1).value) == ("费用明细", 1)
    price = next(cell for cell in lines[2] if cell.value == 7.86)
    assert price.number_format == "#,##0.00"


# ------------------------------------------------------------ reading what people type
@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("wanted", "2026年11月3日", "2026-11-03"), ("wanted", "11/3", "2026-11-03"), ("wanted", datetime.fromisoformat("2026-11-03T08:00"), "2026-11-03"),
        ("wanted", 46329, "2026-11-03"), ("odometerOut", "1,234.5 公里", 1234.5), ("odometerOut", 7.0, 7),
        ("overnight", "√", True), ("overnight", "否", False), ("overnight", 1, True), ("kind", "Flood watch", "flood"), ("kind", "防汛", "flood"),
        ("needs", "雨靴, 冲锋舟", ["boots", "boat"]), ("needs", "Boots;radio", ["boots", "radio"]),
        ("driverId", "孙强", "sunqiang"), ("driverId", " sunqiang ", "sunqiang"), ("passengers", "林远、张敏;孙强", ["linyuan", "zhangmin", "sunqiang"]),
        ("departmentId", "车队", "d4"), ("departmentId", "××县水利局/办公室/车队", "d4"), ("vehicleId", "苏A・12345 · 别克 GL8", "v1"),
        ("others", "苏A・22318, 帕萨特 [v2]、苏A・12345 · 别克 GL8", ["v2", "v1"]), ("destination", 42.0, "42"), ("reason", True, "TRUE"),
    ],
)  # fmt: skip
def test_forms_people_write_are_read(name: str, raw: Any, value: Any) -> None:
    assert parse_cell(field_named(name), raw, readings()) == value


def test_a_span_is_read_from_one_cell() -> None:
    found = parse_cell(field_named("span"), "2026-10-22 10:00 — 12:00", readings())
    assert found["end"] > found["start"]


@pytest.mark.parametrize(
    ("name", "raw", "code"),
    [
        ("wanted", "someday", "unreadable"), ("odometerOut", "about 5", "unreadable"), ("odometerOut", True, "unreadable"),
        ("nights", 1.5, "decimals"), ("overnight", "maybe", "no_bool"), ("kind", "Party", "no_choice"), ("needs", "雨靴、皮划艇", "no_choice"),
        ("driverId", "某人", "unknown"), ("departmentId", "不存在", "unknown"), ("vehicleId", "苏A・22318, 帕萨特", "several"),
        ("destination", CellError("#REF!"), "error"), ("wanted", CellError("#N/A"), "error"),
    ],
)  # fmt: skip
def test_what_can_not_be_read_is_refused(name: str, raw: Any, code: str) -> None:
    with pytest.raises(BadCell) as refused:
        parse_cell(field_named(name), raw, readings())
    assert refused.value.code == code
    assert tr(f"office_module.cell.{code}", **refused.value.figures)


def test_two_people_of_one_name_are_told_apart_and_never_guessed() -> None:
    twin = msgspec.structs.replace(PEOPLE[0], id="linyuan2", login="linyuan2")
    both = names(twin)
    with pytest.raises(BadCell) as refused:
        parse_cell(field_named("driverId"), "林远", readings(names=both))
    assert (refused.value.code, refused.value.figures["n"]) == ("several", 2)
    assert parse_cell(field_named("driverId"), both.person("linyuan2"), readings(names=both)) == "linyuan2"


def test_columns_are_guessed_by_either_language_and_remembered() -> None:
    heads = ["目的地 *", "Time (start)", "用车时间（结束）", "driverId", "Mystery", "destination"]
    found = guess(trip(), heads, {})
    assert found == ["destination", "span.start", "span.end", "driverId", "", ""]
    assert guess(trip(), heads, {"mystery": "reason", "driverid": ""})[3:5] == ["", "reason"]
    assert "number" not in {target.key for target in targets_of(trip())}  # nobody writes a number the server gives


def test_rules_of_the_type_are_checked_line_by_line() -> None:
    heads = ("车牌", "车型", "座位", "燃料")
    rows = ((2, ("苏A1", "GL8", 7, "汽油")), (3, ("苏A1", None, 99, "煤")), (4, ("X", "GL8", "七", None)))
    vehicle = sample_module().type(VEHICLE)
    assert vehicle is not None
    sheet = opening.Sheet("车辆", heads, rows)
    reader = SheetReader(vehicle, readings(), FACTS, label=lambda f: f.name)
    first, second, third = reader.read(sheet, guess(vehicle, heads))
    assert first.problems == []
    assert first.data == {"plate": "苏A1", "model": "GL8", "seats": 7, "fuel": "petrol", "inUse": True}
    assert {(p.label, p.what.code) for p in second.problems} == {
        ("fuel", "no_choice"), ("model", "required"), ("seats", "too_large"), ("plate", "twice"),
    }  # fmt: skip
    assert {(p.label, p.what.code) for p in third.problems} == {("seats", "unreadable"), ("plate", "pattern")}


def test_titles_of_sheets_fit_and_differ() -> None:
    taken: set[str] = set()
    assert [sheet_title(t, taken) for t in ("a/b", "a?b", "x" * 60)] == ["a b", "a b 2", "x" * 28]


# ------------------------------------------------------------ hostile files
def packed(path: Path, **parts: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return path


def plain_book(path: Path, rows: list[list[Any]]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 broken", b"\xd0\xcf\x11\xe0" + bytes(600)])
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(BadWorkbook) as refused:
        open_workbook(path)
    assert refused.value.reason == "not_xlsx"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadWorkbook, match="badWorkbook"):
        open_workbook(tmp_path / "gone.xlsx")


def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.xlsx", xl__workbook_xml=b"<a/>", xl__sheet_xml=bytes(40 << 20))
    begin = time.monotonic()
    with pytest.raises(BadWorkbook) as refused:
        open_workbook(path)
    assert refused.value.reason == "bomb"
    assert time.monotonic() - begin < 2


def test_entities_are_refused_in_any_encoding(tmp_path: Path) -> None:
    evil = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    for number, content in enumerate((evil.encode(), evil.encode("utf-16"))):
        path = packed(tmp_path / f"{number}.xlsx", xl__workbook_xml=content)
        with pytest.raises(BadWorkbook) as refused:
            open_workbook(path)
        assert refused.value.reason == "entities"


def test_too_large_too_many_and_too_wide_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = plain_book(tmp_path / "a.xlsx", [["a"] * 201])
    with pytest.raises(BadWorkbook) as wide:
        open_workbook(path)
    monkeypatch.setattr(opening, "MOST_PARTS", 3)
    with pytest.raises(BadWorkbook) as many:
        open_workbook(path)
    monkeypatch.setattr(opening, "LARGEST_FILE", 100)
    with pytest.raises(BadWorkbook) as large:
        open_workbook(path)
    assert (wide.value.reason, many.value.reason, large.value.reason) == ("too_wide", "too_large", "too_large")


def test_a_sheet_that_claims_a_million_rows_is_read_at_once(tmp_path: Path) -> None:
    path = plain_book(tmp_path / "a.xlsx", [["车牌"], ["苏A1"]])
    bomb = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(bomb, "w") as target:
        for part in source.infolist():
            text = source.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                text = text.replace(b'ref="A1:A2"', b'ref="A1:XFD1048576"').replace(
                    b"</sheetData>", b'<row r="1048576"><c r="XFD1048576" t="n"><v>1</v></c></row></sheetData>'
                )
            target.writestr(part, text)
    begin = time.monotonic()
    (sheet,) = open_workbook(bomb)
    assert (sheet.heads, sheet.rows) == (("车牌",), ((2, ("苏A1",)),))
    assert time.monotonic() - begin < 2


def test_formulas_are_never_computed_or_taken(tmp_path: Path) -> None:
    path = plain_book(tmp_path / "a.xlsx", [["车牌", "座位"], ["苏A1", "=1+1"]])
    (sheet,) = open_workbook(path)
    assert sheet.rows == ((2, ("苏A1",)),)  # nobody computed it, so nothing is there


@settings(max_examples=60)
@given(st.integers(0, 6000), st.binary(min_size=1, max_size=40))
def test_damage_anywhere_is_a_clear_refusal(place: int, damage: bytes) -> None:
    good = io.BytesIO()
    book = Workbook()
    book.active.append(["车牌", "座位"])
    book.active.append(["苏A1", 7])
    book.save(good)
    content = bytearray(good.getvalue())
    content[place % len(content) : place % len(content) + len(damage)] = damage
    with suppress(BadWorkbook):  # nothing else comes out, whatever is damaged
        assert all(sheet.heads for sheet in opening.read_sheets(io.BytesIO(bytes(content))))


def test_every_reason_has_its_words() -> None:
    for reason in ("too_large", "unreadable", "not_xlsx", "locked", "bomb", "entities", "empty", "too_wide", "too_long",
                   "too_many_rows", "no_rows", "not_written"):  # fmt: skip
        assert has(f"office_module.workbook.{reason}")


# ------------------------------------------------------------ the panes
async def opened(session: RecordsScene, tab: str = "fleet") -> ModulePage:
    session.records.states["sample_vehicles/page"] = {"tab": tab}
    page = create_module_page(session, RecordingNavigator(), "sample_vehicles", session.clock.now_ms)
    shown(page)
    await until(lambda: page.frame is not None and page.frame.table is not None and page.frame.table.total)
    return page


def export_fields(page: ModulePage, *, every_field: bool) -> list[Field]:
    assert page.frame is not None
    return page.export_fields(page.frame, every_field=every_field)


def test_the_page_exports_what_is_filtered_in_the_columns_shown(tmp_path: Path) -> None:
    async def scene() -> None:
        page = await opened(RecordsScene(fleet=True, many=2300), "requests")
        frame = page.frame
        assert frame is not None
        assert frame.table is not None
        table = frame.table
        page.search.setText("水文站")
        await until(lambda: table.total == 461)
        table.set_columns(["destination", "kind", "items"])
        path = tmp_path / "out.xlsx"
        page.export_bar().export_to(frame, export_fields(page, every_field=False), path)
        await until(lambda: page.export_bar().path == path)
        assert page.export_bar().words.text() == tr("office_module.exported", n=461, name="out.xlsx")
        first, *others = open_workbook(path)
        assert first.heads == ("序号", "目的地", "类别")
        assert len(first.rows) == 461
        assert [sheet.title for sheet in others] == ["费用明细"]
        assert all("水文站" in values[1] for _, values in first.rows)

    play(scene())


def test_an_export_can_be_stopped_and_leaves_nothing(tmp_path: Path) -> None:
    async def scene() -> None:
        page = await opened(RecordsScene(fleet=True, many=2500), "requests")
        assert page.frame is not None
        bar = page.export_bar()
        bar.export_to(page.frame, export_fields(page, every_field=True), tmp_path / "out.xlsx")
        await until(lambda: bar.progress.value() >= 1000)
        bar.cancel.click()
        await until(lambda: not bar.running)
        assert list(tmp_path.iterdir()) == []
        assert bar.isHidden()

    play(scene())


def test_a_place_that_can_not_be_written_to_is_said(tmp_path: Path) -> None:
    async def scene() -> None:
        page = await opened(RecordsScene(fleet=True))
        assert page.frame is not None
        bar = page.export_bar()
        bar.export_to(page.frame, export_fields(page, every_field=True), tmp_path / "no" / "where.xlsx")
        await until(lambda: not bar.running)
        assert bar.words.text() == tr("office_module.workbook.not_written")

    play(scene())


async def import_pane(session: RecordsScene, path: Path) -> ImportPane:
    context = ViewContext(session, "sample_vehicles", session.clock.now_ms)
    await context.load()
    pane = ImportPane(context, VEHICLE)
    shown(pane)
    pane.open_file(path)
    await until(lambda: pane.step == "fields")
    return pane


def fleet_book(path: Path, *rows: list[Any]) -> Path:
    return plain_book(path, [["车牌", "车型", "座位数", "保管人"], *rows])


def test_rows_are_checked_then_made_all_at_once(tmp_path: Path) -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        pane = await import_pane(
            session, fleet_book(tmp_path / "a.xlsx", ["苏B1", "途锐", 5, "赵磊"], ["苏B2", "途锐", "7", "孙强"])
        )
        assert pane.mapping.mapping() == ["plate", "model", "", "keeperId"]
        pane.mapping.boxes[2].setCurrentIndex(pane.mapping.boxes[2].findData("seats"))
        pane.next.click()
        await until(lambda: pane.step == "check")
        (_, rows, dry_run) = session.called("records.import_rows")[0]
        assert dry_run is True
        assert rows == [
            {"plate": "苏B1", "model": "途锐", "seats": 5, "keeperId": "zhaolei", "inUse": True},
            {"plate": "苏B2", "model": "途锐", "seats": 7, "keeperId": "sunqiang", "inUse": True},
        ]
        assert len(session.records.held[VEHICLE]) == 4
        made: list[int] = []
        pane.imported.connect(made.append)
        pane.next.click()
        await until(lambda: pane.step == "end")
        assert made == [2]
        assert len(session.records.held[VEHICLE]) == 6
        again = await import_pane(session, tmp_path / "a.xlsx")
        assert again.mapping.mapping() == ["plate", "model", "seats", "keeperId"]  # as it was the last time

    play(scene())


def test_every_problem_stands_in_its_line_and_nothing_is_imported(tmp_path: Path) -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        session.records.row_errors = {0: (RowError(("plate",), "invalidProperties", "这个车牌已经有了"),)}
        pane = await import_pane(
            session, fleet_book(tmp_path / "a.xlsx", ["苏B1", "途锐", 5, "没这人"], ["苏A・12345", "途锐", 5, None])
        )
        pane.check()
        await until(lambda: pane.step == "check")
        texts = {row.number: row.problems for row in pane.model.rows}
        assert texts == {2: ("保管人：找不到“没这人”",), 3: ("车牌：这个车牌已经有了",)}
        assert not pane.next.isEnabled()
        pane.run()
        assert len(session.called("records.import_rows")) == 1
        assert pane.model.rowCount() == 2

    play(scene())


def test_offline_it_says_that_it_needs_a_connection_and_keeps_the_choice(tmp_path: Path) -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        pane = await import_pane(session, fleet_book(tmp_path / "a.xlsx", ["苏B1", "途锐", 5, "赵磊"]))
        session.go(ConnectionState.OFFLINE)
        pane.check()
        await until(lambda: not pane.banner.isHidden())
        assert pane.banner.text.text() == tr("office_module.import_offline")
        assert (pane.step, pane.mapping.mapping()) == ("fields", ["plate", "model", "", "keeperId"])
        session.go(ConnectionState.LIVE)
        pane.check()
        await until(lambda: pane.step == "check")

    play(scene())


def test_a_bad_file_is_said_and_another_one_may_be_chosen(tmp_path: Path) -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        bad = tmp_path / "bad.xlsx"
        bad.write_bytes(b"no")
        context = ViewContext(session, "sample_vehicles", session.clock.now_ms)
        await context.load()
        pane = ImportPane(context, VEHICLE)
        shown(pane)
        pane.open_file(bad)
        await until(lambda: not pane.banner.isHidden())
        assert pane.banner.text.text() == tr("office_module.workbook.not_xlsx")
        pane.open_file(fleet_book(tmp_path / "a.xlsx", ["苏B1", "途锐", 5, "赵磊"]))
        await until(lambda: pane.step == "fields")
        assert pane.banner.isHidden()

    play(scene())


def test_more_rows_than_one_import_takes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        monkeypatch.setattr("desktop.ui.office.exchange.import_pane.MOST_ROWS", 20)
        rows = [[f"苏C{n}", "途锐", 5, "赵磊"] for n in range(21)]
        session = RecordsScene(fleet=True)
        pane = await import_pane(session, fleet_book(tmp_path / "a.xlsx", *rows))
        assert "20" in pane.chooser.hint.text()  # said before anything is read
        pane.check()
        await until(lambda: not pane.banner.isHidden())
        assert pane.banner.text.text() == tr("office_module.workbook.too_many_rows", limit=20)
        assert session.called("records.import_rows") == []

    play(scene())


def test_the_template_has_a_heading_for_each_field_that_may_be_written(tmp_path: Path) -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        context = ViewContext(session, "sample_vehicles", session.clock.now_ms)
        await context.load()
        pane = ImportPane(context, TRIP)
        await pane.write_template(tmp_path / "t.xlsx")
        sheet = open_workbook(tmp_path / "t.xlsx")[0]
        assert "目的地" in sheet.heads
        assert "单号" not in sheet.heads
        assert [key for key in guess(pane.type, sheet.heads) if key] == [
            target.key for target in targets_of(pane.type) if target.key != "span"
        ]

    play(scene())
