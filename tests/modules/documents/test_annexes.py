"""Annexes of a paper: texts and files set after the body, tables and emphasis, both sides of the sheet, files that try something."""

import io

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter

from server_stub.modules.documents.typesetting.paper import Annex, PaperRefused
from server_stub.modules.documents.typesetting.paragraphs import split_blocks
from server_stub.modules.documents.typesetting.press import set_paper
from tests.modules.documents.pdf_measure import Box, MeasuredPdf
from tests.modules.documents.test_typesetting import found, measured, paper

TABLE = "| 品名 | 数量 |\n|---|---:|\n| 编织袋 | 120,000 |\n| **抽水泵** | 36 |"


def picture(width: int = 800, height: int = 500) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (width, height), "#202020").save(made, "PNG")
    return made.getvalue()


def turned(pages: int) -> bytes:
    """A PDF whose pages lie on their side."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(842, 595).rotate(90)
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


def test_files_are_set_as_pages_after_the_texts_with_running_page_numbers() -> None:
    inner = set_paper(paper(body="短。", title="储备方案")).pdf
    annexes = (
        Annex(title="值班表", body="一、安排\n" + TABLE),
        Annex(title="储备方案", number=2, file="a", media="pdf"),
        Annex(title="仓库照片", number=4, file="b", media="picture"),
    )
    names = ("值班表", "储备方案", "清单", "仓库照片")
    said = paper(body="短。", attachments=names, annexes=annexes, cc="", printer="")
    files = {"a": inner, "b": picture()}
    done = set_paper(said, files=files)
    pdf = MeasuredPdf(done.pdf)
    inner_pages = MeasuredPdf(inner).pages
    assert done.pages == pdf.pages
    starts = {line: n for n in range(pdf.pages) for line in pdf.lines(n)[:1] if line.startswith("附件")}
    first = starts["附件1"]
    assert starts == {"附件1": first, "附件2": first + 1, "附件4": first + 1 + inner_pages}, (
        "the third goes along unbound"
    )
    assert "储备方案" in pdf.text(starts["附件2"]), "the page itself, not a picture of it"
    drawn = found(pdf.ink(starts["附件4"], inside=Box(27, 70, 185, 263)))
    assert [drawn.left, drawn.width / drawn.height] == pytest.approx([28, 1.6], abs=0.05)
    assert all(f"— {n + 1} —" in pdf.text(n) for n in range(pdf.pages))
    assert b"pdfaid" not in done.pdf, "with pages of strangers it claims to be no PDF/A"
    assert set_paper(said, files=files).pdf == done.pdf


def test_a_turned_page_stands_upright_in_its_room() -> None:
    done = set_paper(
        paper(body="短。", attachments=("图",), annexes=(Annex(title="图", file="a", media="pdf"),)),
        files={"a": turned(2)},
    )
    boxes = {
        (float(page.mediabox.width), float(page.mediabox.height)) for page in PdfReader(io.BytesIO(done.pdf)).pages
    }
    assert len(boxes) == 1, "every page of the paper is A4"
    assert MeasuredPdf(done.pdf).lines(done.pages - 2)[0] == "附件"


@pytest.mark.parametrize(
    ("data", "media"), [(b"%PDF-1.7\nnothing", "pdf"), (b"no picture", "picture"), (turned(301), "pdf")]
)
def test_what_is_no_file_of_its_kind_or_too_much_is_refused_by_name(data: bytes, media: str) -> None:
    said = paper(body="短。", attachments=("图",), annexes=(Annex(title="图", file="a", media=media),))  # type: ignore[arg-type]
    with pytest.raises(PaperRefused) as refused:
        set_paper(said, files={"a": data})
    assert refused.value.field == "attachments"


def test_a_table_is_as_wide_as_the_type_area_with_figures_at_the_right() -> None:
    pdf = measured(body="见下表。\n" + TABLE + "\n二、其他。", signing="plain")
    text = pdf.text(0).replace("\r\n", "")
    assert "|" not in text
    assert "**" not in text
    assert "抽水泵" in text
    rules = [one for one in pdf.black_lines(0) if 120 < one.top < 262]
    assert len(rules) == 4
    assert [rules[0].left, rules[0].right] == pytest.approx([28, 184], abs=0.3)


def test_text_is_read_as_headings_emphasis_and_tables() -> None:
    blocks = split_blocks("一、**要求**。请**立即**办\n" + TABLE + "\n星号*不是*着重 ** 也不是")
    heading, table, plain = blocks
    assert (heading["level"], heading["head"]) == (1, "一、要求。")
    assert heading["rest"] == [
        {"text": "请", "strong": False},
        {"text": "立即", "strong": True},
        {"text": "办", "strong": False},
    ]
    assert (table["kind"], len(table["rows"]), table["sides"]) == ("table", 2, ["left", "right"])
    assert [one["text"] for one in plain["rest"]] == ["星号*不是*着重 ** 也不是"]


def test_a_table_wider_than_a_page_is_refused() -> None:
    with pytest.raises(PaperRefused) as refused:
        set_paper(paper(body="|" + " a |" * 13))
    assert refused.value.field == "body"


def test_a_duplex_record_takes_no_sheet_more_than_it_needs() -> None:
    pdf = measured(body="汛" * 28 * 15, duplex=True, signing="plain")
    assert pdf.pages == 2
    assert "印发" in pdf.text(1)
