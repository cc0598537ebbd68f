"""Sealing a file at a step: the strip offers the record's seals, a seal is put onto the page, its place goes with the act; elsewhere there is no strip."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import typst
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from desktop.core.domain import Record
from desktop.core.domain.definition import TypeDefinition
from desktop.ui.kit import Button
from desktop.ui.office.process.desk import DeskView
from tests.helpers.case_samples import PAPER
from tests.helpers.case_scene import KEPT, acts, desk_of, item_of
from tests.helpers.fake_cases import CasesScene
from tests.helpers.fake_session import NOW, make_png
from tests.helpers.sample_module import EVERYONE, both, field
from tests.helpers.stage import play, settle, until

THING = "SampleSealThing"
PLACES = field(
    "placements",
    "lines",
    "盖章位置",
    "Places",
    fields=[
        field("blobId", "text", "文件", "File"),
        field("sealId", "reference", "印章", "Seal", target=THING),
        field("page", "number", "页", "Page"),
        field("x", "number", "左", "Left"),
        field("y", "number", "上", "Top"),
        field("side", "number", "边长", "Side"),
    ],
)


@pytest.fixture(autouse=True)
def _release() -> Iterator[None]:
    yield
    KEPT.clear()


def sealing() -> CasesScene:
    """d1 is a PDF of two pages that waits for its seals: one with a picture, one without."""
    session = CasesScene()
    papers = next(one for one in session.records.definitions if one.id == "sample_papers")
    thing: dict[str, Any] = {
        "name": THING,
        "label": both("印章", "Seal"),
        "title": ["name"],
        "fields": [field("name", "text", "名称", "Name"), field("picture", "files", "印模", "Impression")],
        "access": {"read": EVERYONE, "create": [], "update": [], "destroy": []},
    }
    paper = next(one for one in papers.types if one.name == PAPER)
    more = msgspec.convert([field("sealIds", "references", "印章", "Seals", target=THING), PLACES], list[Any])
    added = tuple(msgspec.convert(one, type(paper.fields[0])) for one in more)
    types = (
        msgspec.structs.replace(paper, fields=(*paper.fields, *added)),
        msgspec.convert(thing, TypeDefinition),
    )
    session.records.definitions = [
        msgspec.structs.replace(papers, types=types) if one is papers else one for one in session.records.definitions
    ]
    pdf = typst.compile(b"= 1\n#pagebreak()\n= 2")
    assert isinstance(pdf, bytes)
    session.files.blobs |= {"b-paper": pdf, "b-seal": make_png(60, 60, (200, 0, 0))}
    picture = [{"blobId": "b-seal", "name": "s.png", "type": "image/png", "size": 1}]
    session.records.put(
        Record("k1", THING, {"name": "单位公章", "picture": picture}, "linyuan", NOW, NOW, 1),
        Record("k2", THING, {"name": "法人章"}, "linyuan", NOW, NOW, 1),
    )
    record = session.records.get("d1")
    body = [{"blobId": "b-paper", "name": "正文.pdf", "type": "application/pdf", "size": len(pdf)}]
    session.records.put(msgspec.structs.replace(record, data={**record.data, "body": body, "sealIds": ["k1", "k2"]}))
    item = item_of(session, "d1")
    session.cases.put(
        msgspec.structs.replace(item, editable=("placements",), required=(), signature="never", chooses=())
    )
    return session


async def at_the_paper(session: CasesScene) -> DeskView:
    _, desk = await desk_of(session)
    desk.open_here(PAPER, "d1")
    await until(lambda: desk.page.shown_pages() is not None, "the pages")
    await settle()
    return desk


def seal(desk: DeskView, key: str) -> Button:
    found = desk.seals.findChild(Button, f"seal_{key}")
    assert found is not None
    return found


def spot(desk: DeskView, x: float, y: float) -> QPoint:
    pages = desk.page.shown_pages()
    assert pages is not None
    return pages.place_of(0).map(QPointF(x, y)).toPoint()


def test_a_seal_is_put_onto_the_paper_and_goes_with_the_act() -> None:
    session = sealing()

    async def scene() -> None:
        desk = await at_the_paper(session)
        await until(lambda: not desk.seals.isHidden(), "the strip")
        await until(lambda: desk.seals.findChild(Button, "seal_k2") is not None, "the seals")
        assert seal(desk, "k1").text() == "单位公章"
        assert seal(desk, "k1").isEnabled()
        assert not seal(desk, "k2").isEnabled()  # it has no picture
        pages = desk.page.shown_pages()
        assert pages is not None
        QTest.mouseClick(
            pages.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot(desk, 300, 100)
        )
        assert desk.seals.layer.places == []
        seal(desk, "k1").click()
        QTest.mouseClick(
            pages.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot(desk, 300, 100)
        )
        (place,) = desk.seals.layer.places
        assert (place.key, place.page) == ("k1", 0)
        form = desk.pane.box.form
        assert form is not None
        (line,) = form.value()["placements"]
        assert (line["blobId"], line["sealId"], line["page"]) == ("b-paper", "k1", 1)
        assert line["x"] + line["side"] / 2 == pytest.approx(300, abs=2)
        desk.pane.box.edit.setPlainText("已盖章")
        desk.pane.box.go_on()
        await until(lambda: bool(acts(session)), "the act")
        more = acts(session)[-1][-1]
        assert isinstance(more, dict)
        assert more["values"]["placements"] == [line]

    play(scene())


def test_elsewhere_there_is_no_strip() -> None:
    async def scene() -> None:
        session = sealing()
        item = item_of(session, "d1")
        session.cases.put(msgspec.structs.replace(item, editable=()))
        desk = await at_the_paper(session)
        assert desk.seals.isHidden()
        pages = desk.page.shown_pages()
        assert pages is not None
        assert pages.layer is not desk.seals.layer

    play(scene())
