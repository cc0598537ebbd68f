"""用印: 申请者 → 部门领导 → 办公室主任 → 印章管理者, each step passing on by itself; lending with two people; the register; freezing and destroying."""

import io
from functools import partial
from typing import Any

import pytest
import typst
from PIL import Image
from pypdf import PdfReader, PdfWriter

from server_stub.clock import format_utc
from server_stub.modules.engine.reading import MODULES_FOLDER
from server_stub.workflow.reading import read_bpmn
from server_stub.workflow.step_list import StepList
from server_stub.workflow.step_list_read import read_step_list
from tests.modules.office_bench import refusal
from tests.modules.process_bench import DAY, HOUR, ProcessBench

REQUEST = "SealRequest"
MATTER = "SealMatter"


def seal(bureau: ProcessBench, name: str = "单位公章", keepers: tuple[str, ...] = ("liu",), **properties: Any) -> str:
    given = {"name": name, "keepers": [bureau.person(one) for one in keepers], "place": "办公室 301", **properties}
    return bureau.create("fang", "Seal", key=name, **given)


def request(bureau: ProcessBench, *seals: str, who: str = "jiang", **properties: Any) -> str:
    given = {"subject": "防汛物资采购合同", "sealIds": list(seals), "copies": 3, "pages": 12, **properties}
    return bureau.create(who, REQUEST, key=f"r{bureau.clock.now_ms()}", **given)


def approved(bureau: ProcessBench, record: str, who: str = "jiang") -> str:
    """Passed by the department and the office."""
    bureau.act(who, REQUEST, record, "submit")
    bureau.act("feng", REQUEST, record)
    bureau.act("min", REQUEST, record)
    return record


def stamped(bureau: ProcessBench, record: str, keeper: str = "liu", **values: Any) -> None:
    given = {"stampedCopies": 3, "stampedPages": 12, "scan": [bureau.file(keeper, name="首页.pdf")], **values}
    bureau.act(keeper, REQUEST, record, outcome="stamped", values=given)


def test_a_request_passes_itself_on_and_its_starter_watches(bureau: ProcessBench) -> None:
    one = seal(bureau)
    record = request(bureau, one)
    assert bureau.waiting(record, "jiang") == {}
    seen = []
    for who, action in (("jiang", "submit"), ("feng", "approve"), ("min", "approve")):
        bureau.act(who, REQUEST, record, action)
        seen.append((bureau.show(REQUEST, record, "jiang")["state"], bureau.waiting(record, "jiang")))
    assert seen == [
        ("reviewing", {"department": ["feng"]}),
        ("office", {"office": ["min"]}),
        ("stamping", {"stamp": ["liu"]}),
    ]
    assert bureau.show(REQUEST, record, "jiang")["number"] == "YY-2025-0001"
    assert bureau.todos("liu") == ["step:stamp"]
    assert any("办公室 301" in text for text in bureau.alerts("jiang", "advance"))
    stamped(bureau, record)
    shown = bureau.show(REQUEST, record, "jiang")
    assert (shown["state"], shown["stampedCopies"], bureau.waiting(record, "jiang")) == ("done", 3, {})
    assert bureau.case(record, "jiang")["state"] == "completed"
    assert bureau.story(record, "jiang") == [
        "jiang submit apply",
        "feng approve department",
        "min approve office",
        "liu approve stamp",
        "end",
    ]


def test_every_stamping_stands_in_the_register_by_seal(bureau: ProcessBench) -> None:
    first, second = seal(bureau), seal(bureau, "合同专用章", ("shen",), kind="contract")
    record = approved(bureau, request(bureau, first, second))
    assert bureau.waiting(record, "jiang") == {"stamp": ["liu", "shen"]}  # the union of the keepers
    stamped(bureau, record, "shen", stampedCopies=2)
    lines = sorted(bureau.all("fang", "SealUse"), key=lambda one: one["number"])
    assert [one["number"] for one in lines] == ["2025-00001", "2025-00002"]
    assert {one["sealId"] for one in lines} == {first, second}
    assert {
        (one["copies"], one["pages"], bureau.name(one["keeperId"]), bureau.name(one["applicantId"])) for one in lines
    } == {(2, 12, "shen", "jiang")}
    assert lines[0]["departmentId"] == bureau.departments["flood"]
    number = bureau.show("SealRequest", record, "jiang")["number"]
    assert (lines[0]["basis"], bureau.name(lines[0]["approverId"]), lines[0]["approvedOn"]) == (
        f"用印申请 {number}｜Request {number}",
        "min",
        "2025-11-24",
    )
    held = bureau.show("Seal", first, "wu")
    assert (held["uses"], held["lastUsedOn"]) == (1, "2025-11-24")
    assert [one["sealId"] for one in bureau.all("shen", "SealUse")] == [second]  # a keeper sees what he keeps
    assert bureau.all("wu", "SealUse") == []


def test_paper_needs_a_scan_of_its_first_page(bureau: ProcessBench) -> None:
    record = approved(bureau, request(bureau, seal(bureau)))
    values = {"stampedCopies": 3, "stampedPages": 12}
    assert refusal(lambda: bureau.act("liu", REQUEST, record, outcome="stamped", values=values)).properties == ["scan"]
    assert refusal(
        lambda: bureau.act("liu", REQUEST, record, outcome="stamped", values={"scan": [bureau.file("liu")]})
    ).properties == ["stampedCopies", "stampedPages"]
    assert bureau.waiting(record, "jiang") == {"stamp": ["liu"]}
    assert bureau.all("fang", "SealUse") == []


def test_what_is_not_stamped_is_not_in_the_register(bureau: ProcessBench) -> None:
    record = approved(bureau, request(bureau, seal(bureau)))
    bureau.act("liu", REQUEST, record, "refuse", outcome="abandoned", opinion="合同文本有误")
    assert bureau.show(REQUEST, record, "jiang")["state"] == "abandoned"
    assert bureau.all("fang", "SealUse") == []


def test_refused_and_returned(bureau: ProcessBench) -> None:
    one = seal(bureau)
    record = request(bureau, one)
    bureau.act("jiang", REQUEST, record, "submit")
    assert refusal(lambda: bureau.act("feng", REQUEST, record, "return")).properties == ["opinion"]
    bureau.act("feng", REQUEST, record, "return", opinion="附上合同")
    assert (bureau.show(REQUEST, record, "jiang")["state"], bureau.waiting(record, "jiang")) == (
        "draft",
        {"apply": ["jiang"]},
    )
    bureau.act("jiang", REQUEST, record, "submit", values={"files": [bureau.file("jiang")]})
    bureau.act("feng", REQUEST, record)
    bureau.act("min", REQUEST, record, "refuse", opinion="超出使用范围")
    assert bureau.show(REQUEST, record, "jiang")["state"] == "refused"
    assert bureau.waiting(record, "jiang") == {}
    assert bureau.show(REQUEST, record, "jiang")["number"] == "YY-2025-0001"  # the number is kept


def test_only_who_has_it_acts(bureau: ProcessBench) -> None:
    record = request(bureau, seal(bureau))
    bureau.act("jiang", REQUEST, record, "submit")
    for who in ("jiang", "min", "liu"):
        refused = refusal(partial(bureau.act, who, REQUEST, record))
        assert refused.type in ("forbidden", "overtaken", "invalidProperties")
    assert bureau.waiting(record, "jiang") == {"department": ["feng"]}


@pytest.mark.parametrize(
    ("properties", "wrong"),
    [
        ({"blankPaper": True}, "blankPaper"),
        ({"copies": 0}, "copies"),
        ({"stampedCopies": 1}, "stampedCopies"),
        ({"sealIds": []}, "sealIds"),
    ],
)
def test_what_is_never_stamped(bureau: ProcessBench, properties: dict[str, Any], wrong: str) -> None:
    one = seal(bureau)
    given = {"subject": "x", "sealIds": [one], **properties}
    assert refusal(lambda: bureau.create("jiang", REQUEST, **given)).properties == [wrong]


def test_a_seal_may_be_for_some_departments_only(bureau: ProcessBench) -> None:
    one = seal(bureau, departmentIds=[bureau.departments["works"]])
    assert refusal(lambda: request(bureau, one)).properties == ["sealIds"]
    assert request(bureau, one, who="wu")


# ---------------------------------------------------------------- lending


def lent(bureau: ProcessBench, one: str) -> str:
    now = bureau.clock.now_ms()
    span = {"start": format_utc(now + HOUR), "end": format_utc(now + DAY)}
    record = request(bureau, one, manner="takeOut", lending=span, companionId=bureau.person("yan"))
    return approved(bureau, record)


def test_a_seal_leaves_the_house_with_two_people_and_comes_back(bureau: ProcessBench) -> None:
    one = seal(bureau)
    record = lent(bureau, one)
    assert bureau.waiting(record, "jiang") == {"companion": ["yan"]}
    bureau.act("yan", REQUEST, record)
    assert bureau.waiting(record, "jiang") == {"lend": ["liu"]}
    bureau.act("liu", REQUEST, record, outcome="lent")
    shown, held = bureau.show(REQUEST, record, "jiang"), bureau.show("Seal", one, "wu")
    assert (shown["state"], shown["outAt"] is not None, held["state"], bureau.name(held["holderId"])) == (
        "out",
        True,
        "out",
        "jiang",
    )
    assert bureau.waiting(record, "jiang") == {"giveBack": ["liu"]}
    other = lent(bureau, one)
    bureau.act("yan", REQUEST, other)
    assert refusal(lambda: bureau.act("liu", REQUEST, other, outcome="lent")).properties == ["sealIds"]  # it is out
    back: dict[str, Any] = {"stampedCopies": 2, "stampedPages": 12, "backNote": "完好"}
    assert refusal(lambda: bureau.act("liu", REQUEST, record, outcome="back", values=back)).properties == ["scan"]
    back["scan"] = [bureau.file("liu", name="首页.pdf")]
    bureau.act("liu", REQUEST, record, outcome="back", values=back)
    held = bureau.show("Seal", one, "wu")
    assert (held["state"], held.get("holderId"), held["uses"]) == ("active", None, 1)
    assert bureau.show(REQUEST, record, "jiang")["state"] == "done"
    assert [one["manner"] for one in bureau.all("fang", "SealUse")] == ["takeOut"]
    bureau.act("liu", REQUEST, other, outcome="lent")


def test_nobody_goes_alone(bureau: ProcessBench) -> None:
    one = seal(bureau)
    now = bureau.clock.now_ms()
    span = {"start": format_utc(now), "end": format_utc(now + DAY)}
    given: dict[str, Any] = {"manner": "takeOut", "lending": span}
    assert refusal(lambda: request(bureau, one, **given)).properties == ["companionId"]
    assert refusal(lambda: request(bureau, one, **given, companionId=bureau.person("jiang"))).properties == [
        "companionId"
    ]


def test_a_seal_that_is_not_back_is_asked_for(bureau: ProcessBench) -> None:
    record = lent(bureau, seal(bureau))
    bureau.act("yan", REQUEST, record)
    bureau.act("liu", REQUEST, record, outcome="lent")
    bureau.clock.advance(3 * DAY)
    while bureau.run_due():
        pass
    assert bureau.alerts("liu", "overdue") == ["“归还查验”已超期"]
    assert bureau.alerts("liu", "urge") == ["催办：“归还查验”"]
    assert bureau.alerts("fang", "overdue") == ["下属办理的“归还查验”已超期"]  # the keeper's superior


# ---------------------------------------------------------------- what becomes of a seal


def matter(bureau: ProcessBench, one: str, kind: str, **properties: Any) -> str:
    given = {
        "kind": kind,
        "sealId": one,
        "reason": "磨损",
        "witnesses": [bureau.person("feng"), bureau.person("ding")],
        **properties,
    }
    return bureau.create("fang", MATTER, key=f"m{bureau.clock.now_ms()}{kind}", **given)


def carried_out(bureau: ProcessBench, record: str) -> None:
    pen = bureau.file("feng", name="签名.png", type_="image/png")
    bureau.act("fang", MATTER, record, "submit")
    bureau.act("min", MATTER, record)
    assert bureau.waiting(record, "fang") == {"witness": ["ding", "feng"]}
    bureau.act("feng", MATTER, record, signature=pen["blobId"])
    mine = bureau.file("ding", b"%PDF-1.7 other", name="签名.png", type_="image/png")
    bureau.act("ding", MATTER, record, signature=mine["blobId"])


def test_a_seal_is_destroyed_before_two_witnesses(bureau: ProcessBench) -> None:
    one = seal(bureau)
    record = matter(bureau, one, "destroy")
    carried_out(bureau, record)
    assert bureau.show("Seal", one, "wu")["state"] == "destroyed"
    assert bureau.show(MATTER, record, "fang")["state"] == "done"
    assert refusal(lambda: request(bureau, one)).properties == ["sealIds"]


def test_a_frozen_seal_stamps_nothing_until_it_is_thawed(bureau: ProcessBench) -> None:
    one = seal(bureau)
    waiting = approved(bureau, request(bureau, one))
    carried_out(bureau, matter(bureau, one, "freeze"))
    values = {"stampedCopies": 3, "stampedPages": 12, "scan": [bureau.file("liu")]}
    assert refusal(lambda: bureau.act("liu", REQUEST, waiting, outcome="stamped", values=values)).properties == [
        "sealIds"
    ]
    bureau.clock.advance(1000)
    carried_out(bureau, matter(bureau, one, "unfreeze"))
    bureau.act("liu", REQUEST, waiting, outcome="stamped", values=values)
    assert bureau.show(REQUEST, waiting, "jiang")["state"] == "done"


def test_keepers_hand_over(bureau: ProcessBench) -> None:
    one = seal(bureau)
    carried_out(bureau, matter(bureau, one, "handOver", newKeepers=[bureau.person("shen")]))
    record = approved(bureau, request(bureau, one))
    assert bureau.waiting(record, "jiang") == {"stamp": ["shen"]}


def test_witnesses_are_two_and_have_no_part_in_it(bureau: ProcessBench) -> None:
    one = seal(bureau)
    for witnesses in (["liu", "ding"], ["fang", "ding"], ["feng", "feng"], ["feng"]):
        people = [bureau.person(who) for who in witnesses]
        assert refusal(partial(matter, bureau, one, "destroy", witnesses=people)).properties == ["witnesses"]
    assert refusal(lambda: matter(bureau, one, "unfreeze")).properties == ["kind"]


# ---------------------------------------------------------------- on the file


def paper(pages: int = 2, turn: int = 0) -> bytes:
    source = "\n#pagebreak()\n".join(f"= Page {number + 1}" for number in range(pages))
    made = typst.compile(b'#set page(paper: "a4")\n' + source.encode())
    assert isinstance(made, bytes)
    if not turn:
        return made
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(made)))
    for page in writer.pages:
        page.rotate(turn)
    turned = io.BytesIO()
    writer.write(turned)
    return turned.getvalue()


def ring() -> bytes:
    image = Image.new("RGBA", (120, 120), (0, 0, 0, 0))
    image.paste((200, 0, 0, 255), (0, 0, 120, 20))
    made = io.BytesIO()
    image.save(made, "PNG")
    return made.getvalue()


def electronic(bureau: ProcessBench, data: bytes, **place: Any) -> tuple[str, dict[str, Any]]:
    png = bureau.file("fang", ring(), "章.png", "image/png")
    one = seal(bureau, picture=[png])
    file = bureau.file("jiang", data, "合同.pdf")
    record = approved(bureau, request(bureau, one, manner="electronic", files=[file]))
    where = {"blobId": file["blobId"], "sealId": one, "page": 2, "x": 300, "y": 500, "side": 120, **place}
    return record, where


@pytest.mark.parametrize("turn", [0, 90])
def test_a_seal_is_laid_onto_the_file_where_the_keeper_put_it(bureau: ProcessBench, turn: int) -> None:
    record, where = electronic(bureau, paper(turn=turn))
    values = {"stampedCopies": 1, "stampedPages": 2, "placements": [where]}
    bureau.act("liu", REQUEST, record, outcome="stamped", values=values)
    assert bureau.chores() == 1
    (sealed,) = bureau.show(REQUEST, record, "jiang")["stampedFiles"]
    assert sealed["name"] == "合同（已用印）.pdf"
    assert bureau.may_read_blob("jiang", sealed["blobId"])
    data = bureau.blobs.path(sealed["blobId"]).read_bytes()
    pages = PdfReader(io.BytesIO(data)).pages
    assert [page.extract_text().strip() for page in pages] == ["Page 1", "Page 2"]
    assert _images(pages[0]) == []
    picture = _shown_at(data, 1)
    assert picture == pytest.approx((300, 500, 420, 620), abs=1.5)


def _shown_at(pdf: bytes, page: int) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the only picture on a page, from its transformations (typst draws pictures as XObjects inside a form)."""
    shown = PdfReader(io.BytesIO(pdf)).pages[page]
    (image,) = [one for one in _images(shown)]
    matrix = image
    height = float(shown.cropbox.height)
    left, bottom = matrix[4] - float(shown.cropbox.left), matrix[5] - float(shown.cropbox.bottom)
    return (left, height - bottom - abs(matrix[3]), left + abs(matrix[0]), height - bottom)


def _images(page: Any) -> list[Any]:
    found: list[Any] = []

    def look(operator: bytes, operands: Any, matrix: Any, _: Any) -> None:
        if operator == b"Do":
            found.append(list(matrix))

    page.extract_text(visitor_operand_before=look)
    return found


@pytest.mark.parametrize(
    ("place", "wrong"),
    [({"blobId": "other"}, "placements"), ({"page": 0}, "placements"), ({"side": 5000}, "placements")],
)
def test_seals_stand_on_the_files_of_the_request(bureau: ProcessBench, place: dict[str, Any], wrong: str) -> None:
    record, where = electronic(bureau, paper())
    values = {"stampedCopies": 1, "stampedPages": 2, "placements": [{**where, **place}]}
    assert refusal(lambda: bureau.act("liu", REQUEST, record, outcome="stamped", values=values)).properties == [wrong]


@pytest.mark.parametrize("data", [b"%PDF-1.7 nothing", b"%PDF-1.4\n" + b"9 0 obj\n" * 50_000, b""])
def test_a_file_that_cannot_be_sealed_is_told(bureau: ProcessBench, data: bytes) -> None:
    record, where = electronic(bureau, data)
    values = {"stampedCopies": 1, "stampedPages": 2, "placements": [where]}
    bureau.act("liu", REQUEST, record, outcome="stamped", values=values)
    bureau.chores()
    assert any("合同.pdf" in text for text in bureau.alerts("liu", "advance"))
    assert "stampedFiles" not in bureau.show(REQUEST, record, "jiang")


def test_its_process_is_a_list_that_an_administrator_can_change() -> None:
    found = read_step_list(read_bpmn((MODULES_FOLDER / "seals" / "sealing.bpmn").read_bytes()))
    assert isinstance(found, StepList)
    assert [one.id for one in found.steps[:4]] == ["apply", "department", "office", "manner"]
