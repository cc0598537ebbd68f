"""GB/T 9704-2012 measured from the PDF itself: margins, grid, red head, separator, signature, record, page numbers; and papers that try something."""

from datetime import date
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from server_stub.modules.documents.typesetting.paper import Annex, Paper, PaperRefused
from server_stub.modules.documents.typesetting.press import PressFailed, SetPaper, set_paper
from server_stub.modules.documents.typesetting.titles import split_title
from tests.modules.documents.pdf_measure import POINT, Box, MeasuredPdf

CHARACTER = (156 - 16 * POINT) / 27
LINE = (225 - 16 * POINT) / 21
BEARING = 0.6
"""A character's ink does not fill its square: so much less on each side, in mm."""
AREA = Box(28, 37, 184, 262)


def paper(**changes: Any) -> Paper:
    plain = Paper(
        title="云溪县水利局关于做好2026年防汛值班和应急抢险物资储备工作的通知",
        recipients="各乡镇人民政府，县有关部门",
        body="为切实做好防汛值班工作，现通知如下。\n一、强化责任落实。主要负责同志为第一责任人。\n" + "汛" * 28 * 44,
        number="云水防〔2026〕18号",
        issuers=("云溪县水利局",),
        day=date(2026, 10, 20),
        copy="000018",
        urgency="特急",
        cc="县委办公室，县人大常委会办公室，县应急管理局，县气象局",
        printer="云溪县水利局办公室",
    )
    return msgspec.structs.replace(plain, **changes)


@cache
def standard() -> tuple[SetPaper, MeasuredPdf]:
    done = set_paper(paper())
    return done, MeasuredPdf(done.pdf)


def measured(**changes: Any) -> MeasuredPdf:
    return MeasuredPdf(set_paper(paper(**changes)).pdf)


def found(box: Box | None) -> Box:
    assert box is not None, "nothing is drawn there"
    return box


# ---------------------------------------------------------------- page and grid


def test_pages_are_a4() -> None:
    _, pdf = standard()
    assert pdf.size() == pytest.approx((210, 297), abs=0.2)


def test_a_full_page_fills_the_type_area_of_156_by_225_mm() -> None:
    _, pdf = standard()
    ink = found(pdf.ink(1, inside=Box(0, 0, 210, 264)))
    assert 28 <= ink.left <= 28 + BEARING
    assert 37 <= ink.top <= 37 + BEARING
    assert 184 - BEARING <= ink.right <= 184.1
    assert 262 - BEARING <= ink.bottom <= 262.1


def test_a_full_page_has_22_lines_of_28_characters() -> None:
    _, pdf = standard()
    lines = pdf.lines(1)
    assert len(lines) == 22
    assert [len(line) for line in lines] == [28] * 22


def test_lines_have_one_distance_and_paragraphs_begin_two_characters_in() -> None:
    pdf = measured(body="汛\n" * 90)
    page = pdf.ink(1, inside=Box(0, 0, 210, 264))
    assert found(page).left == pytest.approx(28 + 2 * CHARACTER, abs=BEARING)
    tops = [found(pdf.ink(1, inside=Box(28, 37 + n * LINE - 1, 184, 37 + (n + 1) * LINE - 1))).top for n in range(22)]
    assert [round(b - a, 1) for a, b in pairwise(tops)] == pytest.approx([LINE] * 21, abs=0.2)


def test_page_numbers_stand_7_mm_below_right_on_odd_and_left_on_even_pages() -> None:
    _, pdf = standard()
    below = Box(0, 264, 210, 297)
    odd, even = found(pdf.ink(0, inside=below)), found(pdf.ink(1, inside=below))
    assert odd.right == pytest.approx(184 - 14 * POINT, abs=0.8)
    assert even.left == pytest.approx(28 + 14 * POINT, abs=0.8)
    for box in (odd, even):
        assert box.height < 14 * POINT
        dash = found(pdf.ink(0, inside=Box(odd.left, below.top, odd.left + 2.5, 297)))
        assert (dash.top + dash.bottom) / 2 == pytest.approx(269, abs=0.5)
    assert "— 1 —" in pdf.text(0)
    assert "— 2 —" in pdf.text(1)


# ---------------------------------------------------------------- head


def test_the_red_head_is_35_mm_below_the_type_areas_edge_and_in_the_middle() -> None:
    _, pdf = standard()
    head = found(pdf.red(0, inside=Box(0, 0, 210, 100)))
    assert head.top == pytest.approx(72, abs=0.7)
    assert (head.left + head.right) / 2 == pytest.approx(106, abs=1)
    assert head.width <= 156


def test_the_red_line_is_as_wide_as_the_type_area_4_mm_below_the_number() -> None:
    _, pdf = standard()
    (line,) = pdf.red_lines(0)
    assert (line.left, line.right) == pytest.approx((28, 184), abs=0.2)
    number = found(pdf.ink(0, inside=Box(28, line.top - 12, 184, line.top - 1)))
    assert line.top - number.bottom == pytest.approx(4, abs=BEARING)
    red, green, blue = pdf.picture(0).getpixel((106 * 8, round((line.top + line.bottom) / 2 * 8)))  # type: ignore[misc]
    assert red > 200
    assert green < 60
    assert blue < 60


def test_the_number_is_two_lines_below_the_head() -> None:
    _, pdf = standard()
    head = found(pdf.red(0, inside=Box(0, 0, 210, 100)))
    number = found(pdf.ink(0, inside=Box(28, head.bottom + 2, 184, pdf.red_lines(0)[0].top - 1)))
    assert number.top - head.bottom == pytest.approx(2 * LINE, abs=1)
    assert (number.left + number.right) / 2 == pytest.approx(106, abs=1)


def test_copy_number_and_urgency_stand_flush_in_the_first_lines() -> None:
    _, pdf = standard()
    assert pdf.lines(0)[:2] == ["000018", "特急"]
    first = found(pdf.ink(0, inside=Box(0, 30, 80, 37 + 5)))
    assert first.left == pytest.approx(28, abs=BEARING)
    assert 37 <= first.top <= 39


def test_the_title_is_22_points_two_lines_below_the_red_line_in_tidy_rows() -> None:
    _, pdf = standard()
    line = pdf.red_lines(0)[0]
    title = found(pdf.ink(0, inside=Box(28, line.bottom + 2, 184, line.bottom + 2 * LINE + 8)))
    assert title.top - line.bottom == pytest.approx(2 * LINE - 3 * POINT, abs=1.2)
    assert title.height == pytest.approx(22 * POINT, abs=1.5)
    assert "云溪县水利局关于做好2026年防汛" in pdf.lines(0)


def test_an_upward_document_has_number_left_and_signers_right_on_one_line() -> None:
    pdf = measured(signers=("高建平", "王一", "李二"), number="云水〔2026〕9号")
    line = pdf.red_lines(0)[0]
    row = Box(28, line.top - 12, 184, line.top - 1)
    number = found(pdf.ink(0, inside=Box(28, row.top, 106, row.bottom)))
    signer = found(pdf.ink(0, inside=Box(106, row.top, 184, row.bottom)))
    assert number.left == pytest.approx(28 + CHARACTER, abs=1)
    assert number.bottom == pytest.approx(signer.bottom, abs=0.8)
    lines = pdf.lines(0)
    assert any("签发人：高建平" in one and "王一" in one for one in lines)
    assert any("李二" in one and "签发人" not in one for one in lines)


def test_a_joint_issue_has_its_names_in_one_width_and_the_suffix_beside_their_middle() -> None:
    names = ("云溪县水利局", "云溪县财政局", "云溪县应急管理局")
    pdf = measured(issuers=names, heads=names)
    text = pdf.text(0).replace("\r\n", "").replace(" ", "")
    assert text.index("云溪县水利局") < text.index("云溪县应急管理局")
    head = found(pdf.red(0, inside=Box(0, 60, 210, pdf.red_lines(0)[0].top - 20)))
    assert head.width <= 156
    suffix = found(pdf.red(0, inside=Box(head.right - 24, head.top, head.right, head.bottom)))
    assert (suffix.top + suffix.bottom) / 2 == pytest.approx((head.top + head.bottom) / 2, abs=1)
    assert suffix.height < head.height / 2
    assert "汛" in pdf.text(0), "the first page shows some of the body"


# ---------------------------------------------------------------- end


def test_a_sealed_paper_has_the_date_four_characters_from_the_right_and_room_for_the_seal() -> None:
    done = set_paper(paper(body="请认真贯彻执行。", recipients=""))
    pdf = MeasuredPdf(done.pdf)
    (seal,) = done.seals
    last = seal.page - 1
    x, y, radius = seal.x * POINT, seal.y * POINT, seal.size * POINT / 2
    assert radius == pytest.approx(21, abs=0.1)
    below = found(pdf.ink(last, inside=Box(106, y, 184, y + 12)))
    assert below.right == pytest.approx(184 - 4 * CHARACTER, abs=1)
    above = found(pdf.ink(last, inside=Box(28, y - 40, 184, y - 8)))
    assert 0 < y - radius - above.bottom < LINE, "the seal begins within one line below the body"
    assert x + radius <= 184


def test_the_seals_of_a_joint_issue_neither_touch_nor_leave_the_type_area() -> None:
    names = ("云溪县水利局", "云溪县财政局", "云溪县应急管理局", "云溪县气象局")
    seals = set_paper(paper(issuers=names)).seals
    assert len(seals) == 4
    for one in seals:
        assert (one.x - one.size / 2) * POINT >= 28
        assert (one.x + one.size / 2) * POINT <= 184.1
    for a, b in ((a, b) for a in seals for b in seals if a is not b and a.page == b.page):
        assert max(abs(a.x - b.x), abs(a.y - b.y)) >= a.size


def test_without_a_seal_the_issuer_stands_two_characters_from_the_right_and_the_date_two_further_in() -> None:
    issuer = "云溪县水旱灾害防御工作领导小组办公室"
    pdf = measured(body="请执行。", issuers=(issuer,), heads=("云溪县水利局",), signing="plain", cc="", printer="")
    lines = pdf.lines(pdf.pages - 1)
    assert lines[-2:] == [issuer, "2026年10月20日"]
    page = pdf.ink(pdf.pages - 1, inside=Box(28, 37, 184, 262))
    assert found(page).bottom < 262
    bottom = found(page).bottom
    date_box = found(pdf.ink(pdf.pages - 1, inside=Box(28, bottom - 6, 184, bottom + 1)))
    name_box = found(pdf.ink(pdf.pages - 1, inside=Box(28, bottom - LINE - 5.5, 184, bottom - LINE + 1)))
    assert name_box.right == pytest.approx(184 - 2 * CHARACTER, abs=1)
    assert date_box.left - name_box.left == pytest.approx(2 * CHARACTER, abs=1)


def test_a_signature_never_stands_alone_on_its_page() -> None:
    seen = set()
    for length in range(5, 11):
        done = set_paper(paper(body="\n".join(["汛" * 20] * length), attachments=()))
        pdf = MeasuredPdf(done.pdf)
        page = next(
            n
            for n in range(pdf.pages)
            if "2026年10月20日\r\n" in pdf.text(n) + "\r\n" and "云溪县水利局\r\n" in pdf.text(n)
        )
        assert "汛汛" in pdf.text(page), f"{length} paragraphs"
        seen.add(done.rows)
    assert seen > {22}, "one of these lengths needs fewer lines a page"


def test_the_records_last_line_lies_on_the_type_areas_edge() -> None:
    _, pdf = standard()
    lines = pdf.black_lines(pdf.pages - 1)
    assert len(lines) == 3
    assert all((one.left, one.right) == pytest.approx((28, 184), abs=0.2) for one in lines)
    assert (lines[-1].top + lines[-1].bottom) / 2 == pytest.approx(262, abs=0.4)
    assert lines[0].height > lines[1].height
    text = pdf.text(pdf.pages - 1)
    assert "抄送：县委办公室" in text.replace("\r\n", "")
    assert "县气象局。" in text.replace("\r\n", "")
    assert "2026年10月20日印发" in text


def test_a_duplex_record_is_on_an_even_page() -> None:
    pdf = measured(body="短。", duplex=True, signing="plain")
    assert pdf.pages % 2 == 0
    assert "印发" in pdf.text(pdf.pages - 1)


def test_attachments_begin_on_pages_of_their_own() -> None:
    pdf = measured(
        body="短。",
        attachments=("值班表", "登记表"),
        annexes=(Annex(title="值班表", body="一、安排"), Annex(title="登记表", body="无")),
    )
    assert any("附件：1.值班表" in one.replace(" ", "") for n in range(pdf.pages) for one in pdf.lines(n))
    starts = [pdf.lines(n)[:2] for n in range(pdf.pages) if pdf.lines(n)[:1] in (["附件1"], ["附件2"])]
    assert starts == [["附件1", "值班表"], ["附件2", "登记表"]]


# ---------------------------------------------------------------- other layouts


def test_a_letter_has_its_head_at_30_mm_and_double_lines_of_170_mm() -> None:
    pdf = measured(layout="letter", suffix="", number="云水函〔2026〕7号", signing="plain")
    head = found(pdf.red(0, inside=Box(0, 0, 210, 46)))
    assert head.top == pytest.approx(30, abs=0.7)
    upper, lower = (
        [one for one in pdf.red_lines(0) if one.top < 100],
        [one for one in pdf.red_lines(0) if one.top > 200],
    )
    assert len(upper) == 2
    assert len(lower) == 2
    assert all((one.left, one.right) == pytest.approx((20, 190), abs=0.2) for one in (*upper, *lower))
    assert upper[0].height > upper[1].height
    assert lower[0].height < lower[1].height
    letters = found(pdf.red(0, inside=Box(0, 28, 210, upper[0].top - 1)))
    assert upper[0].top - letters.bottom == pytest.approx(4, abs=0.7)
    assert lower[1].bottom == pytest.approx(277, abs=0.4)
    number = found(pdf.ink(0, inside=Box(106, upper[1].bottom + 1, 184.5, upper[1].bottom + 12)))
    assert number.right == pytest.approx(184, abs=BEARING)
    assert number.top - upper[1].bottom == pytest.approx(14 * POINT, abs=BEARING)


def test_a_letters_first_page_has_no_number_and_its_record_no_lines() -> None:
    pdf = measured(layout="letter", suffix="", signing="plain")
    assert "— 1 —" not in pdf.text(0)
    assert "— 2 —" in pdf.text(1)
    assert pdf.black_lines(pdf.pages - 1) == []
    assert "印发" not in pdf.text(pdf.pages - 1)
    assert "抄送：" in pdf.text(pdf.pages - 1)


def test_an_order_has_its_head_at_20_mm_and_a_signature_stamp() -> None:
    done = set_paper(
        paper(
            layout="order",
            suffix="令",
            number="第3号",
            body="现予公布。",
            signing="stamped",
            post="县长",
            heads=("云溪县人民政府",),
        )
    )
    pdf = MeasuredPdf(done.pdf)
    assert found(pdf.red(0)).top == pytest.approx(57, abs=0.7)
    assert pdf.red_lines(0) == []
    assert "第3号" in pdf.lines(0)
    (stamp,) = done.seals
    assert stamp.x * POINT == pytest.approx(184 - 6.5 * CHARACTER, abs=1)


def test_minutes_say_who_was_there_and_have_no_seal() -> None:
    done = set_paper(
        paper(layout="minutes", suffix="纪要", number="第12期", body="一、关于防汛\n会议听取了汇报。", signing="none",
              heads=("局长办公会议",), present="高建平、周海", absent="孙丽", attending="林远")
    )  # fmt: skip
    pdf = MeasuredPdf(done.pdf)
    text = pdf.text(0)
    assert done.seals == ()
    assert found(pdf.red(0, inside=Box(0, 0, 210, 100))).top == pytest.approx(72, abs=0.7)
    assert text.index("出席：") < text.index("请假：") < text.index("列席：")


# ---------------------------------------------------------------- fonts, titles, hostile papers


def test_the_answer_names_the_fonts_and_says_which_are_stand_ins() -> None:
    done, _ = standard()
    assert set(done.fonts) == {"title", "body", "kai", "hei", "digits"}
    for face in done.fonts.values():
        assert face.family
    body = done.fonts["body"]
    assert body.official == (
        body.family not in ("Noto Serif CJK SC", "Source Han Serif SC", "Songti SC", "Noto Sans CJK SC")
    )
    # A PDF names what is in it; a font's name has no spaces there.
    assert body.family.replace(" ", "").encode()[:8] in done.pdf.replace(b" ", b"")


def test_the_same_paper_gives_the_same_bytes() -> None:
    assert set_paper(paper(body="短。")).pdf == set_paper(paper(body="短。")).pdf


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("关于做好2026年防汛值班工作的通知", ["关于做好2026年防汛值班工作的通知"]),
        ("云溪县水利局关于申请下达水库除险加固资金的请示", ["云溪县水利局关于申请下达", "水库除险加固资金的请示"]),
        ("关于2026年第三季度河湖长制工作督查情况的通报", ["关于2026年第三季度河湖长制", "工作督查情况的通报"]),
        ("关于做好\n防汛工作的通知", ["关于做好", "防汛工作的通知"]),
    ],
)
def test_titles_break_between_words_into_lines_of_alike_length(title: str, lines: list[str]) -> None:
    assert split_title(title) == lines


def test_a_title_without_a_place_to_break_is_broken_all_the_same() -> None:
    lines = split_title("A" * 190)
    assert "".join(lines) == "A" * 190
    assert all(len(one) <= 38 for one in lines)


HOSTILE = '#panic("x") #read("/etc/passwd") $sum_1^n$ *b* _i_ `raw` @label <x> \\u{41} #import "base.typ": * // c /* d */ [#sys.inputs]'


def test_text_is_never_code() -> None:
    pdf = measured(
        title="标题 #panic() *粗*",
        body=HOSTILE,
        recipients=HOSTILE,
        cc=HOSTILE,
        note='#eval("1+1")',
        attachments=(HOSTILE,),
    )
    text = "".join(pdf.text(n) for n in range(pdf.pages)).replace("\r\n", "").replace(" ", "")
    assert text.count(HOSTILE.replace(" ", "").replace("//c/*d*/", "")[:40]) == 4
    assert '#eval("1+1")' in text
    assert "root:" not in text
    assert "//c/*d*/" in text


def test_control_and_direction_characters_leave_no_trace() -> None:
    pdf = measured(body="前\u202e后\x00\x07\ufeff中")
    assert "前后中" in "".join(pdf.text(n) for n in range(pdf.pages))


def test_a_word_without_end_stays_on_the_paper() -> None:
    pdf = measured(body="x" * 3000)
    assert found(pdf.ink(1, inside=Box(0, 0, 210, 264))).right <= 184.2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"secrecy": "机密"}, "secrecy"),
        ({"secrecy": "秘密★1年"}, "secrecy"),
        ({"title": " \n "}, "title"),
        ({"body": "\u200b"}, "body"),
        ({"issuers": ()}, "issuers"),
        ({"issuers": ("局",) * 10}, "issuers"),
        ({"number": "云水〔2026〕018号"}, "number"),
        ({"number": "云水[2026]18号"}, "number"),
        ({"copy": "18"}, "copy"),
        ({"body": "汛" * 100_001}, "body"),
        ({"signing": "stamped"}, "post"),
        ({"title": "长" * 201}, "title"),
    ],
)
def test_what_is_not_a_paper_is_refused_by_name(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(PaperRefused) as refused:
        set_paper(paper(**changes))
    assert refused.value.field == field


def test_the_longest_paper_is_set_within_the_limit() -> None:
    done = set_paper(paper(body=("汛" * 99 + "\n") * 1000))
    assert done.pages > 100


def test_a_press_that_takes_too_long_is_ended() -> None:
    with pytest.raises(PressFailed):
        set_paper(paper(), time_limit_s=0.01)
