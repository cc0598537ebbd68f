"""A register on paper: the rows of its year on lying sheets, its head on every page, pages counted, first entry first."""

from typing import Any

import msgspec
import pytest

from desktop.core.domain.definition import Field, FieldKind, Label, View, ViewKind
from desktop.ui.office.record.register_paper import Register, _need, register_pdf, shares_of, year_condition
from desktop.ui.office.record.text_editors import AmountEditor
from desktop.ui.office.views.base import ViewContext
from tests.helpers.fake_records import RecordsScene
from tests.modules.documents.pdf_measure import MeasuredPdf
from tests.widgets.office.test_record_paper import pages, run, with_data

TRIP = "SampleTrip"
OURS = {"reason": "防汛巡查" * 4}


def register_of(context: ViewContext, name: str = "wanted") -> View:
    assert context.module is not None
    table = next(one for one in context.module.views if one.type == TRIP and one.kind is ViewKind.TABLE)
    columns = ("number", "wanted", "reason", "vehicleId", "nights", "distance")
    return msgspec.structs.replace(
        table, register=name, columns=columns, filter=None, sort=("-number",), totals=("distance",)
    )


def fill(session: RecordsScene, count: int) -> None:
    """Entries of two years; every tenth is of the year before."""
    plain = session.records.get("t1")
    for number in range(count):
        day = "2025-12-30" if number % 10 == 0 else "2026-03-05"
        data: dict[str, Any] = {"number": f"第{number:03}号", "wanted": day, "reason": "防汛巡查" * 4, "distance": 2}
        session.records.put(msgspec.structs.replace(with_data(plain, **data), id=f"r{number:03}"))


def test_the_rows_of_a_year_run_on_under_one_head() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        fill(session, 60)
        data = await register_pdf(context, Register(register_of(context), 2026, OURS))
        found = pages(data)
        assert len(found) > 1
        whole = "".join(found)
        assert "(2026 年)" in found[0]
        assert "共 54 件" in found[0]
        assert all("事由" in page for page in found), "the head stands on every page"
        assert [f"第 {number}" in page for number, page in enumerate(found, 1)] == [True] * len(found)
        assert whole.index("第001号") < whole.index("第059号"), (
            "first entry first, though the screen shows the last one first"
        )
        assert "第010号" not in whole, "that is of another year"
        assert "合计" in found[-1]
        assert "108" in found[-1]
        drawn = MeasuredPdf(data)
        for number, page in enumerate(found[:-1]):
            assert len(drawn.black_lines(number)) == page.count("号 2026") + 2, (
                "each row has its line, the last of a page too"
            )
        assert [round(side) for side in drawn.size()] == [297, 210]

    run(scene)


@pytest.mark.parametrize(("year", "count"), [(2025, 6), (None, 60), (2019, 0)])
def test_another_year_all_years_and_an_empty_one(year: int | None, count: int) -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        fill(session, 60)
        found = pages(await register_pdf(context, Register(register_of(context), year, OURS)))
        assert f"{count} 件" in found[0]

    run(scene)


@pytest.mark.parametrize(("plain", "shown"), [(True, "2026"), (False, "2,026")])
def test_a_year_is_no_number_with_thousands(plain: bool, shown: str) -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        del session
        field = Field(name="year", kind=FieldKind.NUMBER, label=Label(zh="年度", en="Year"), decimals=0, plain=plain)
        assert context.cell_text(field, 2026) == shown
        editor = AmountEditor(context, field)
        editor.show_value(2026)
        assert editor.line.text() == shown

    run(scene)


def test_a_year_of_moments_is_that_of_the_users_clock() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        definition = context.type_of(TRIP)
        assert definition is not None
        assert year_condition(definition, "wanted", 2026) == {"wantedAfter": "2026-01-01", "wantedBefore": "2027-01-01"}
        moments = year_condition(definition, "leavesAt", 2026)
        assert moments is not None
        assert set(moments) == {"leavesAtAfter", "leavesAtBefore"}
        assert all(one.endswith("Z") for one in moments.values())

    run(scene)


def field(kind: FieldKind) -> Field:
    return Field(name="one", kind=kind, label=Label(zh="一", en="One"))


def test_no_date_number_or_name_is_cut_in_two_and_long_texts_take_what_is_left() -> None:
    dated = _need(field(FieldKind.DATE), "日期", ["2026-03-05"])
    who = _need(field(FieldKind.PERSON), "人", ["高建平", "于洋"])
    title = _need(field(FieldKind.TEXT), "事由", ["防汛巡查" * 8])
    assert dated.least == dated.whole > 10 * 0.5
    assert who.least == who.whole
    assert title.least < title.whole
    tight = shares_of([dated, who, title], 20)
    assert tight[:2] == [dated.whole, who.whole]
    assert sum(tight) == pytest.approx(20)
    assert shares_of([dated, who, title], 100) == [dated.whole, who.whole, title.whole]
    assert shares_of([dated, who, title], 5) == [dated.least, who.least, title.least]
