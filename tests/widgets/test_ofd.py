"""OFD documents: what is drawn stands where the file says, text is found where it is drawn, hostile files end in bounded time."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QBuffer, QIODevice, QPointF, QRect, QSize
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from desktop.ui.reader.kinds import Kind, kind_of
from desktop.ui.reader.ofd import drawing
from desktop.ui.reader.ofd.seals import seal_picture
from desktop.ui.reader.ofd_source import OfdSource
from desktop.ui.reader.page_source import DocumentProblem
from tests.helpers.ofd_files import NS, document_files, line_of, ofd, packed, path_of

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "samples" / "ofd"
PIXELS = QSize(420, 594)
"""Two pixels for a millimeter of A4."""
FILLED = {"Fill": "true", "Stroke": "false"}
SQUARE = "M 0 0 L 20 0 L 20 20 L 0 20 C"
RED = '<ofd:FillColor Value="255 0 0"/>'

pytestmark = pytest.mark.usefixtures("qapp")


def drawn(data: bytes, page: int = 0, clip: QRect | None = None) -> QImage:
    source = OfdSource(data)
    image = source.render(page, PIXELS, clip or QRect(0, 0, PIXELS.width(), PIXELS.height()))
    source.close()
    return image


def at(image: QImage, x: float, y: float) -> str:
    """The color at a place in millimeters."""
    return QColor(image.pixel(round(x * 2), round(y * 2))).name()


def png(color: str, side: int = 8) -> bytes:
    image = QImage(side, side, QImage.Format.Format_RGB32)
    image.fill(QColor(color))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())


def test_a_filled_path_stands_where_its_boundary_says() -> None:
    image = drawn(ofd(path_of(SQUARE, "50 60 20 20", RED, **FILLED)))
    assert at(image, 60, 70) == "#ff0000"
    assert at(image, 48, 70) == at(image, 72, 70) == at(image, 60, 58) == "#ffffff"


def test_a_part_of_a_page_is_that_part() -> None:
    page = ofd(path_of(SQUARE, "50 60 20 20", RED, **FILLED))
    part = drawn(page, clip=QRect(90, 110, 80, 80))
    assert part.size() == QSize(80, 80)
    assert part == drawn(page).copy(QRect(90, 110, 80, 80))


def test_the_matrix_turns_before_the_boundary_moves() -> None:
    image = drawn(
        ofd(path_of("M 0 0 L 5 0 L 5 5 L 0 5 C", "50 60 40 40", RED, Fill="true", Stroke="false", CTM="2 0 0 2 10 0"))
    )
    assert at(image, 65, 65) == "#ff0000"
    assert at(image, 55, 65) == "#ffffff"


@pytest.mark.parametrize(
    ("inner", "color"),
    [
        ('<ofd:FillColor Value="0 0 255"/>', "#0000ff"),
        ('<ofd:FillColor Value="#00 #80 #00"/>', "#008000"),
        ('<ofd:FillColor Value="128"/>', "#808080"),
        ('<ofd:FillColor Value="0 255 255 0"/>', "#ff0000"),
        ('<ofd:FillColor Value="0 0 0" Alpha="0"/>', "#ffffff"),
        (
            '<ofd:FillColor><ofd:AxialShd StartPoint="0 0" EndPoint="20 0"><ofd:Segment>'
            '<ofd:Color Value="9 9 9"/></ofd:Segment></ofd:AxialShd></ofd:FillColor>',
            "#090909",
        ),
        ("", "#ffffff"),
        ('<ofd:FillColor Value="what"/>', "#000000"),
    ],
)
def test_colors(inner: str, color: str) -> None:
    image = drawn(ofd(path_of(SQUARE, "50 60 20 20", inner, **FILLED)))
    assert at(image, 60, 70) == color


def test_draw_parameters_are_inherited_and_cycles_end() -> None:
    resources = (
        '<ofd:DrawParams><ofd:DrawParam ID="3" Relative="4" LineWidth="4"/>'
        '<ofd:DrawParam ID="4" Relative="3"><ofd:StrokeColor Value="0 128 0"/></ofd:DrawParam></ofd:DrawParams>'
    )
    image = drawn(ofd(path_of("M 0 10 L 40 10", "50 60 40 20", DrawParam="3"), resources=resources))
    assert at(image, 70, 71.5) == "#008000"
    assert at(image, 70, 73) == "#ffffff"


def test_dashes_clips_and_arcs() -> None:
    dashed = drawn(ofd(path_of("M 0 10 L 40 10", "50 60 40 20", LineWidth="2", DashPattern="10 10")))
    assert (at(dashed, 55, 70), at(dashed, 65, 70)) == ("#000000", "#ffffff")
    clip = f"<ofd:Clips><ofd:Clip><ofd:Area><ofd:Path Boundary='0 0 10 20'><ofd:AbbreviatedData>{SQUARE}</ofd:AbbreviatedData></ofd:Path></ofd:Area></ofd:Clip>"
    left = clip.replace(SQUARE, "M 0 0 L 10 0 L 10 20 L 0 20 C") + "</ofd:Clips>"
    cut = drawn(ofd(path_of(SQUARE, "50 60 20 20", RED + left, **FILLED)))
    assert (at(cut, 55, 70), at(cut, 65, 70)) == ("#ff0000", "#ffffff")
    circle = "M 0 10 A 10 10 0 1 1 20 10 A 10 10 0 1 1 0 10 C"
    disk = drawn(ofd(path_of(circle, "50 60 20 20", RED, **FILLED)))
    assert at(disk, 60, 70) == at(disk, 60, 61.5) == "#ff0000"
    assert at(disk, 51, 61) == "#ffffff"


def test_pictures_templates_composites_and_annotations() -> None:
    resources = (
        '<ofd:MultiMedias><ofd:MultiMedia ID="20" Type="Image"><ofd:MediaFile>p.png</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias>'
        '<ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="30"><ofd:Content>'
        f"{path_of(SQUARE, '0 0 20 20', RED, **FILLED)}</ofd:Content></ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits>"
    )
    objects = (
        '<ofd:ImageObject ID="2" ResourceID="20" Boundary="10 100 30 30" CTM="30 0 0 30 0 0"/>'
        '<ofd:CompositeObject ID="3" ResourceID="30" Boundary="100 100 20 20"/>'
    )
    files = document_files(objects, resources=resources, annotations={0: path_of(SQUARE, "0 0 20 20", RED, **FILLED)})
    files["Doc_0/Res/p.png"] = png("#0000ff")
    files["Doc_0/Tpl.xml"] = (
        f"<ofd:Page {NS}><ofd:Content><ofd:Layer>{path_of(SQUARE, '150 10 20 20', RED, **FILLED)}</ofd:Layer></ofd:Content></ofd:Page>"
    )
    files["Doc_0/Document.xml"] = str(files["Doc_0/Document.xml"]).replace(
        "</ofd:CommonData>", '<ofd:TemplatePage ID="50" BaseLoc="Tpl.xml"/></ofd:CommonData>'
    )
    page = "Doc_0/Pages/Page_0/Content.xml"
    files[page] = str(files[page]).replace("<ofd:Content>", '<ofd:Template TemplateID="50"/><ofd:Content>', 1)
    image = drawn(packed(files))
    assert at(image, 25, 115) == "#0000ff"
    assert at(image, 110, 110) == at(image, 20, 20) == at(image, 160, 20) == "#ff0000"


def test_a_seal_is_multiplied_onto_the_page() -> None:
    body = "<ofd:Signatures>Doc_0/Signs/Signatures.xml</ofd:Signatures>"
    files = document_files(path_of(SQUARE, "50 60 20 20", '<ofd:FillColor Value="255 255 0"/>', **FILLED), body=body)
    picture = png("#ff00ff")
    octets = b"\x04\x82" + len(picture).to_bytes(2, "big") + picture
    files["Doc_0/Signs/Signatures.xml"] = (
        f"<ofd:Signatures {NS}><ofd:Signature ID='1' BaseLoc='Sign_0/Signature.xml'/></ofd:Signatures>"
    )
    files["Doc_0/Signs/Sign_0/Signature.xml"] = (
        f"<ofd:Signature {NS}><ofd:SignedInfo><ofd:Seal><ofd:BaseLoc>Seal.esl</ofd:BaseLoc></ofd:Seal>"
        "<ofd:StampAnnot PageRef='100' Boundary='60 60 30 30'/></ofd:SignedInfo></ofd:Signature>"
    )
    files["Doc_0/Signs/Sign_0/Seal.esl"] = b"\x30\x82" + len(octets).to_bytes(2, "big") + octets
    image = drawn(packed(files))
    assert (at(image, 55, 70), at(image, 65, 70), at(image, 80, 70)) == ("#ffff00", "#ff0000", "#ff00ff")


# ---------------------------------------------------------------- text


def test_text_is_found_where_it_is_drawn() -> None:
    source = OfdSource(ofd(line_of("关于做好防汛工作的通知", 20, 30, 5) + line_of("第二行 abc", 20, 60, 5)))
    assert source.page_text(0) == "关于做好防汛工作的通知\r\n第二行 abc"
    (hit,) = source.find(0, "防汛")
    (box,) = source.rectangles(0, hit)
    millimeters = 25.4 / 72
    assert box.left() * millimeters == pytest.approx(40, abs=0.6)
    assert box.width() * millimeters == pytest.approx(10, abs=1)
    assert source.on_text(0, box.center())
    word = source.select_word(0, box.center())
    assert word is not None
    assert word.text == "关于做好防汛工作的通知"
    whole = source.select_page(0)
    assert whole is not None
    assert len(whole.rectangles) == 2
    start, end = QPointF(21 / millimeters, 33 / millimeters), QPointF(34.9 / millimeters, 33 / millimeters)
    some = source.select(0, start, end)
    assert some is not None
    assert some.text == "关于做"
    assert source.select(0, end, start) == some


def test_an_outline_leads_to_pages() -> None:
    extra = (
        "<ofd:Outlines><ofd:OutlineElem Title='一、总则'><ofd:OutlineElem Title='第二页'><ofd:Actions><ofd:Action Event='CLICK'>"
        "<ofd:Goto><ofd:Dest Type='XYZ' PageID='101' Top='100'/></ofd:Goto></ofd:Action></ofd:Actions></ofd:OutlineElem></ofd:OutlineElem></ofd:Outlines>"
    )
    (first,) = OfdSource(ofd("", line_of("x"), extra=extra)).outline()
    assert first.title == "一、总则"
    assert (first.children[0].page, round(first.children[0].top)) == (1, 283)


def test_the_kind_of_an_ofd() -> None:
    assert kind_of(b"PK\x03\x04", "公文.OFD") is Kind.OFD
    assert kind_of(b"PK\x03\x04", "x", "application/ofd") is Kind.OFD


# ---------------------------------------------------------------- hostile


def refused(data: bytes) -> str:
    with pytest.raises(DocumentProblem) as problem:
        OfdSource(data)
    return problem.value.code


def test_what_is_no_document_is_refused() -> None:
    assert refused(b"") == refused(b"PK\x03\x04 nothing") == refused(packed({"a": b"b"})) == "brokenOfd"
    assert refused(ofd()) == "brokenOfd"
    whole = ofd(line_of("x"))
    assert refused(whole[: len(whole) // 2]) == "brokenOfd"


def test_a_bomb_is_refused_before_it_unpacks() -> None:
    bomb = {f"part{n}": bytes(30 << 20) for n in range(10)}
    assert refused(packed({**document_files(line_of("x")), **bomb})) == "tooLargeOfd"


def test_entities_are_never_resolved() -> None:
    files = document_files("")
    page = "Doc_0/Pages/Page_0/Content.xml"
    entity = '<!DOCTYPE x [<!ENTITY a "AAAAAAAAAA"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/hostname">]>'
    files[page] = entity + str(files[page]).replace("</ofd:Layer>", line_of("&b;&f;") + line_of("ok") + "</ofd:Layer>")
    text = OfdSource(packed(files)).page_text(0)
    assert "AAAA" not in text
    assert os.uname().nodename not in text


@pytest.mark.parametrize(
    "objects",
    [
        "<ofd:CompositeObject ID='3' ResourceID='30' Boundary='0 0 20 20'/>",
        "<ofd:PageBlock>" * 300 + "</ofd:PageBlock>" * 300,
        line_of("x", DeltaX="g 999999999 1"),
        path_of("M 0 0 " + "L 1e300 nan " * 10),
        path_of("A 1 1 1 1 1 1 1 " * 1000),
        path_of("M 0 0 A 0.0000001 1e6 33 1 0 9999999 9999999"),
        '<ofd:ImageObject ID="2" ResourceID="99" Boundary="a b c d" CTM="1"/>',
        path_of("M 0 0 L 5 5", DashPattern="0 0", LineWidth="-4"),
        path_of("M 0 0 L 200 200", DashPattern="0.00001 0.00001", LineWidth="1"),
    ],
)
def test_hostile_objects_end_in_bounded_work(objects: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "MAX_OBJECTS", 20_000)  # what has no end ends at any bound
    inner = "<ofd:CompositeObject ID='3' ResourceID='30' Boundary='0 0 20 20'/>" * 10
    unit = f'<ofd:CompositeGraphicUnit ID="30"><ofd:Content>{inner}</ofd:Content></ofd:CompositeGraphicUnit>'
    resources = f"<ofd:CompositeGraphicUnits>{unit}</ofd:CompositeGraphicUnits>"
    image = drawn(ofd(objects + path_of(SQUARE, "50 60 20 20", RED, **FILLED), resources=resources))
    assert not image.isNull()


def test_missing_parts_leave_the_rest() -> None:
    files = document_files(line_of("一"), line_of("二"))
    del files["Doc_0/Pages/Page_0/Content.xml"]
    files["Doc_0/PublicRes.xml"] = "<broken"
    source = OfdSource(packed(files))
    assert (source.page_count, source.page_text(0), source.page_text(1)) == (2, "", "二")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_makes_it_crash(data: st.DataObject) -> None:
    files = document_files(
        line_of("防汛") + path_of(SQUARE, "5 6 20 20", RED, Fill="true"), annotations={0: line_of("批")}
    )
    name = data.draw(st.sampled_from(sorted(files)))
    content = bytearray(str(files[name]).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        at_ = data.draw(st.integers(0, max(0, len(content) - 1)))
        content[at_ : at_ + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=6))
    try:
        source = OfdSource(packed({**files, name: bytes(content)}))
    except DocumentProblem:
        return
    for page in range(min(3, source.page_count)):
        source.render(page, QSize(60, 80), QRect(0, 0, 60, 80))
        source.page_text(page)


@given(st.binary(max_size=400))
def test_no_der_makes_the_seal_reader_crash(der: bytes) -> None:
    seal_picture(der)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="files of other programs are not here")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("helloworld", "你好"),
        ("keyword", "中国建设银行"),
        ("testPathFillOpacity", "关于加快南货场铁路涵洞下穿建设的函"),
        ("AddWatermarkAnnot", "拿来主义"),
        ("draw_param_ref", "百望股份有限公司"),
        ("SESV4SignDoc", "OFD"),
    ],
)
def test_documents_of_other_programs(qapp: QApplication, name: str, words: str) -> None:
    source = OfdSource((SAMPLES / f"{name}.ofd").read_bytes())
    assert any(source.find(page, words) for page in range(source.page_count))
    size = source.sizes[0].toSize()
    image = source.render(0, size, QRect(0, 0, size.width(), size.height()))
    colors = {image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)}
    assert len(colors) > 3
