"""发文 from draft to archive: who does each step, what was signed is what is printed, numbers without doubles, the paper, distribution."""

import hashlib
import io
import zipfile
from typing import Any

import msgspec
import pytest
from PIL import Image

from server_stub.modules.documents.exchange.opening import open_package
from tests.modules.documents.document_bench import DocumentBench
from tests.modules.documents.pdf_measure import Box, MeasuredPdf
from tests.modules.office_bench import refusal

DOC = "OutgoingDocument"
BODY = "为切实做好防汛值班工作，现通知如下。\n一、强化责任落实。主要负责同志为第一责任人。\n二、严肃值班纪律。"


def draft(bureau: DocumentBench, who: str = "jiang", **properties: Any) -> str:
    given = {
        "title": "云溪县水利局关于做好防汛值班工作的通知", "body": BODY, "unitId": bureau.unit, "recipients": "各乡镇人民政府",
        "signerId": bureau.person("gao"), "departmentId": bureau.departments["flood"], "cc": "县委办公室", **properties,
    }  # fmt: skip
    return bureau.create(who, DOC, key=f"out{bureau.clock.now_ms()}", **given)


def signed(bureau: DocumentBench, **properties: Any) -> str:
    """A document that waits for proofing."""
    document = draft(bureau, **properties)
    bureau.act("jiang", DOC, document, "submit")
    bureau.act("feng", DOC, document, "approve")
    bureau.act("gao", DOC, document, "approve", opinion="同意印发")
    return document


def numbered(bureau: DocumentBench, **properties: Any) -> str:
    """A document with its number and its paper."""
    document = signed(bureau, **properties)
    bureau.act("he", DOC, document, "approve")
    bureau.act("liu", DOC, document, "approve", values={"markId": bureau.mark, "copies": 30})
    bureau.chores()
    return document


def test_a_document_passes_every_step_to_the_archive(bureau: DocumentBench) -> None:
    document = draft(bureau, countersigners=[bureau.person("ding"), bureau.person("sun")])
    seen: list[dict[str, list[str]]] = []

    def do(who: str, action: str = "approve", **more: Any) -> None:
        bureau.act(who, DOC, document, action, **more)
        seen.append(bureau.waiting(document))

    do("jiang", "submit")
    do("feng")
    do("ding")
    do("sun")
    do("gao", opinion="同意印发")
    do("he")
    do("liu", values={"markId": bureau.mark, "copies": 30})
    bureau.chores()
    do("liu")
    do("keeper")
    do("liu", values={"audience": {"everyone": True}})
    do("chen")
    assert seen == [
        {"check": ["feng"]}, {"countersign": ["ding", "sun"]}, {"countersign": ["sun"]}, {"issue": ["gao"]}, {"proof": ["he"]},
        {"number": ["liu"]}, {"redHead": ["liu"]}, {"seal": ["keeper"]}, {"distribute": ["liu"]}, {"file": ["chen"]}, {},
    ]  # fmt: skip
    shown = bureau.show(DOC, document)
    assert shown["state"] == "archived"
    assert shown["number"] == "云水防〔2025〕1号"
    assert shown["day"] == "2025-11-24"
    assert shown["issuedAt"]
    assert bureau.story(document)[-1] == "end"


# ---------------------------------------------------------------- the paper


def test_the_paper_is_set_beside_the_writer_and_shown_to_who_may_see_it(bureau: DocumentBench) -> None:
    document = numbered(bureau)
    shown = bureau.show(DOC, document, "jiang")
    pdf = MeasuredPdf(bureau.content("jiang", shown["paper"][0]))
    text = pdf.text(0)
    assert "云水防〔2025〕1号" in text
    assert "云溪县水利局文件" in text.replace("\r\n", "").replace(" ", "")
    assert shown["pages"] == pdf.pages
    assert "正文：" in shown["fonts"]
    assert 1 <= shown["sealPlaces"][0]["page"] <= pdf.pages
    assert not bureau.may_read_blob("ding", shown["paper"][0]["blobId"])


def test_nothing_is_printed_before_it_is_set_or_after_it_changed(bureau: DocumentBench) -> None:
    document = signed(bureau)
    bureau.act("he", DOC, document, "approve")
    bureau.act("liu", DOC, document, "approve", values={"markId": bureau.mark})
    assert refusal(lambda: bureau.act("liu", DOC, document, "approve")).properties == ["paper"]
    bureau.chores()
    changed = refusal(lambda: bureau.act("liu", DOC, document, "approve", values={"cc": "县政府办公室"}))
    assert changed.properties == ["paper"], "what is on the paper was changed a moment ago"
    bureau.act("liu", DOC, document, "approve", outcome="again", values={"cc": "县政府办公室"})
    assert bureau.chores() == 1
    bureau.act("liu", DOC, document, "approve")
    assert bureau.waiting(document) == {"seal": ["keeper"]}


def test_an_old_paper_is_not_kept_beside_the_new_one(bureau: DocumentBench) -> None:
    document = numbered(bureau)
    first = bureau.show(DOC, document)["paper"][0]["blobId"]
    bureau.act("liu", DOC, document, "approve", outcome="again", values={"note": "此件公开发布"})
    bureau.chores()
    second = bureau.show(DOC, document)["paper"][0]["blobId"]
    assert second != first
    assert bureau.may_read_blob("feng", second)
    assert not bureau.may_read_blob("feng", first)


def test_a_paper_without_a_seal_goes_to_distribution(bureau: DocumentBench) -> None:
    document = numbered(bureau, signing="plain")
    bureau.act("liu", DOC, document, "approve")
    assert bureau.waiting(document) == {"distribute": ["liu"]}


def test_what_cannot_be_set_is_told_to_the_drafter(bureau: DocumentBench) -> None:
    document = draft(bureau, body=" \u200b ")
    assert refusal(lambda: bureau.act("jiang", DOC, document, "submit")).properties == ["body"]


def test_a_joint_issue_names_all_issuers_and_bears_the_leads_number(bureau: DocumentBench) -> None:
    other = bureau.create("liu", "IssuingUnit", key="u2", name="云溪县财政局", own=False)
    foreign = bureau.create("liu", "IssuingUnit", key="u3", name="云溪县河长办", own=True)
    mark = bureau.create("liu", "IssuingMark", key="m2", mark="云河长", unitId=foreign)
    document = signed(bureau, jointUnits=[other], upward=True, jointSigners="王某")
    bureau.act("he", DOC, document, "approve")
    refused = refusal(lambda: bureau.act("liu", DOC, document, "approve", values={"markId": mark}))
    assert refused.properties == ["markId"]
    bureau.act("liu", DOC, document, "approve", values={"markId": bureau.mark})
    bureau.chores()
    shown = bureau.show(DOC, document)
    text = MeasuredPdf(bureau.content("liu", shown["paper"][0])).text(0).replace("\r\n", "").replace(" ", "")
    assert "云溪县财政局" in text
    assert "签发人：" in text
    assert len(shown["sealPlaces"]) == 2


# ---------------------------------------------------------------- turns


def test_a_substantive_change_at_proofing_returns_to_the_signer(bureau: DocumentBench) -> None:
    document = signed(bureau)
    bureau.act("he", DOC, document, "approve", values={"body": BODY.replace("第一责任人", "直接责任人")})
    assert bureau.waiting(document) == {"issue": ["gao"]}
    assert bureau.show(DOC, document)["state"] == "signing"
    bureau.act("gao", DOC, document, "approve", opinion="同意修改")
    bureau.act("he", DOC, document, "approve")
    assert bureau.waiting(document) == {"number": ["liu"]}


def test_punctuation_and_spacing_may_be_corrected_at_proofing(bureau: DocumentBench) -> None:
    document = signed(bureau)
    bureau.act(
        "he", DOC, document, "approve", values={"body": BODY.replace("。", "；\n").strip(), "note": "此件公开发布"}
    )
    assert bureau.waiting(document) == {"number": ["liu"]}


def test_a_countersigner_who_disagrees_sends_it_back_to_the_drafter(bureau: DocumentBench) -> None:
    document = draft(bureau, countersigners=[bureau.person("ding"), bureau.person("sun")])
    bureau.act("jiang", DOC, document, "submit")
    bureau.act("feng", DOC, document, "approve")
    bureau.act("ding", DOC, document, "refuse", outcome="disagreed", opinion="措施不可行")
    bureau.act("sun", DOC, document, "approve")
    assert bureau.waiting(document) == {"draft": ["jiang"]}
    bureau.act("jiang", DOC, document, "submit", values={"body": BODY + "\n三、其他。"})
    assert bureau.waiting(document) == {"check": ["feng"]}


def test_the_checker_returns_a_draft_with_a_reason(bureau: DocumentBench) -> None:
    document = draft(bureau)
    bureau.act("jiang", DOC, document, "submit")
    assert refusal(lambda: bureau.act("feng", DOC, document, "return", toStepId="draft")).properties == ["opinion"]
    bureau.act("feng", DOC, document, "return", toStepId="draft", opinion="文种应为函")
    assert bureau.waiting(document) == {"draft": ["jiang"]}
    assert bureau.show(DOC, document)["state"] == "draft"


def test_the_signer_may_refuse_to_issue(bureau: DocumentBench) -> None:
    document = draft(bureau)
    bureau.act("jiang", DOC, document, "submit")
    bureau.act("feng", DOC, document, "approve")
    bureau.act("gao", DOC, document, "refuse", outcome="void", opinion="不必发文")
    assert bureau.show(DOC, document)["state"] == "cancelled"
    assert bureau.waiting(document) == {}


@pytest.mark.parametrize("who", ["liu", "he", "ding", "keeper", "chen"])
def test_nobody_signs_for_the_signer(bureau: DocumentBench, who: str) -> None:
    document = draft(bureau)
    bureau.act("jiang", DOC, document, "submit")
    bureau.act("feng", DOC, document, "approve")
    assert refusal(lambda: bureau.act(who, DOC, document, "approve")).type in ("forbidden", "invalidProperties")


# ---------------------------------------------------------------- numbers


def test_numbers_run_without_doubles_by_mark_and_year(bureau: DocumentBench) -> None:
    other = bureau.create("liu", "IssuingMark", key="m2", mark="云水函", unitId=bureau.unit, start=41)
    numbers = [bureau.show(DOC, numbered(bureau))["number"] for _ in range(3)]
    assert numbers == ["云水防〔2025〕1号", "云水防〔2025〕2号", "云水防〔2025〕3号"]
    document = signed(bureau)
    bureau.act("he", DOC, document, "approve")
    bureau.act("liu", DOC, document, "approve", values={"markId": other})
    assert bureau.show(DOC, document)["number"] == "云水函〔2025〕41号"
    bureau.clock.advance(60 * 86_400_000)
    assert bureau.show(DOC, numbered(bureau))["number"] == "云水防〔2026〕1号"
    books = {(one["year"], one["last"]) for one in bureau.all("liu", "NumberBook")}
    assert books == {(2025, 3), (2025, 41), (2026, 1)}


def test_a_void_number_keeps_its_place_with_the_reason(bureau: DocumentBench) -> None:
    document = numbered(bureau)
    (entry,) = bureau.all("liu", "NumberEntry")
    assert refusal(lambda: bureau.update("liu", "NumberEntry", entry["id"], action="void")).properties == ["reason"]
    bureau.update("liu", "NumberEntry", entry["id"], action="void", reason="字错")
    assert "number" not in bureau.show(DOC, document)
    assert refusal(lambda: bureau.act("liu", DOC, document, "approve")).properties == ["number"]
    bureau.act("liu", DOC, document, "return", toStepId="number", opinion="重新编号")
    bureau.act("liu", DOC, document, "approve")
    assert bureau.show(DOC, document)["number"] == "云水防〔2025〕2号"
    register = {one["number"]: (one["state"], one.get("reason")) for one in bureau.all("liu", "NumberEntry")}
    assert register == {"云水防〔2025〕1号": ("voided", "字错"), "云水防〔2025〕2号": ("used", None)}


def test_another_mark_voids_the_number_taken_under_the_first(bureau: DocumentBench) -> None:
    other = bureau.create("liu", "IssuingMark", key="m2", mark="云水函", unitId=bureau.unit)
    document = numbered(bureau)
    bureau.act("liu", DOC, document, "return", toStepId="number", opinion="应为函")
    bureau.act("liu", DOC, document, "approve", values={"markId": other})
    assert bureau.show(DOC, document)["number"] == "云水函〔2025〕1号"
    states = sorted((one["number"], one["state"]) for one in bureau.all("liu", "NumberEntry"))
    assert states == [("云水函〔2025〕1号", "used"), ("云水防〔2025〕1号", "voided")]


def test_a_returned_document_keeps_its_number(bureau: DocumentBench) -> None:
    document = numbered(bureau)
    bureau.act("liu", DOC, document, "return", toStepId="number", opinion="改份数")
    bureau.act("liu", DOC, document, "approve", values={"copies": 50})
    assert bureau.show(DOC, document)["number"] == "云水防〔2025〕1号"
    assert len(bureau.all("liu", "NumberEntry")) == 1


def test_a_number_of_a_document_that_is_out_stands(bureau: DocumentBench) -> None:
    document = numbered(bureau, signing="plain")
    bureau.act("liu", DOC, document, "approve")
    bureau.act("liu", DOC, document, "approve", values={"audience": {"everyone": True}})
    (entry,) = bureau.all("liu", "NumberEntry")
    assert (
        refusal(lambda: bureau.update("liu", "NumberEntry", entry["id"], action="void", reason="x")).type == "forbidden"
    )


def test_a_document_that_is_given_up_leaves_a_void_number(bureau: DocumentBench) -> None:
    document = numbered(bureau)
    bureau.act("liu", DOC, document, "terminate", opinion="不发了")
    assert bureau.show(DOC, document)["state"] == "cancelled"
    (entry,) = bureau.all("liu", "NumberEntry")
    assert (entry["state"], entry["reason"]) == ("voided", "文稿作废")


def test_nobody_writes_a_number_book_by_hand(bureau: DocumentBench) -> None:
    numbered(bureau)
    (book,) = bureau.all("liu", "NumberBook")
    assert refusal(lambda: bureau.update("liu", "NumberBook", book["id"], last=99)).type == "invalidProperties"
    assert (
        refusal(lambda: bureau.create("liu", "NumberEntry", bookId=book["id"], number="云水防〔2025〕7号")).type
        == "forbidden"
    )


def test_a_shut_book_gives_no_numbers(bureau: DocumentBench) -> None:
    numbered(bureau)
    (book,) = bureau.all("liu", "NumberBook")
    bureau.update("liu", "NumberBook", book["id"], action="shut")
    document = signed(bureau)
    bureau.act("he", DOC, document, "approve")
    assert refusal(lambda: bureau.act("liu", DOC, document, "approve", values={"markId": bureau.mark})).properties == [
        "markId"
    ]
    assert "number" not in bureau.show(DOC, document)


# ---------------------------------------------------------------- versions


def test_each_change_is_a_version_that_shows_what_came_and_went(bureau: DocumentBench) -> None:
    document = draft(bureau)
    bureau.update("jiang", DOC, document, body=BODY + "\n三、报送信息。")
    bureau.act("jiang", DOC, document, "submit")
    bureau.act(
        "feng", DOC, document, "approve", values={"body": (BODY + "\n三、及时报送信息。").replace("严肃", "严格")}
    )
    versions = sorted(bureau.all("jiang", "BodyVersion"), key=lambda one: one["edition"])
    assert [(one["edition"], bureau.name(one["authorId"]), one["stage"]) for one in versions] == [
        (1, "jiang", "拟稿"),
        (2, "feng", "核稿"),
    ]
    assert versions[0]["content"].endswith("三、报送信息。"), "one person's changes at one stage are one version"
    assert "严<s>肃</s><u>格</u>值班纪律" in versions[1]["changes"]
    assert "<u>及时</u>" in versions[1]["changes"]
    assert (versions[1]["added"], versions[1]["removed"]) == (3, 1)


def test_versions_are_seen_by_who_takes_part_and_written_by_nobody(bureau: DocumentBench) -> None:
    document = draft(bureau)
    assert bureau.all("ding", "BodyVersion") == []
    (version,) = bureau.all("jiang", "BodyVersion")
    refused = refusal(lambda: bureau.update("jiang", "BodyVersion", version["id"], content="别的"))
    assert refused.type in ("forbidden", "invalidProperties")
    bureau.act("jiang", DOC, document, "submit")
    assert len(bureau.all("feng", "BodyVersion")) == 1


# ---------------------------------------------------------------- distribution


def test_colleagues_are_given_it_to_read(bureau: DocumentBench) -> None:
    document = numbered(bureau, signing="plain")
    bureau.act("liu", DOC, document, "approve")
    assert refusal(lambda: bureau.act("liu", DOC, document, "approve")).properties == ["audience"]
    bureau.act("liu", DOC, document, "approve", values={"audience": {"departmentIds": [bureau.departments["works"]]}})
    assert bureau.todos("ding") == ["read"]
    shown = bureau.show(DOC, document, "ding")
    assert bureau.content("ding", shown["paper"][0]).startswith(b"%PDF")
    assert (bureau.show(DOC, document)["readCount"], bureau.show(DOC, document)["unreadCount"]) == (0, 1)
    bureau.create("ding", "ReadMark", key="r", recordType=DOC, recordId=document)
    assert bureau.todos("ding") == []
    assert (bureau.show(DOC, document)["readCount"], bureau.show(DOC, document)["unreadCount"]) == (1, 0)
    assert "readCount" not in bureau.show(DOC, document, "ding")
    assert bureau.get("yu", DOC, document) is None


def test_other_bureaus_are_sent_a_package(bureau: DocumentBench) -> None:
    weather = bureau.create("liu", "IssuingUnit", key="u5", name="云溪县气象局", code="QX")
    sheet = bureau.file("jiang", b"table", "值班表.xlsx", "application/vnd.ms-excel")
    document = numbered(bureau, signing="plain", attachments=[sheet])
    bureau.act("liu", DOC, document, "approve")
    bureau.act("liu", DOC, document, "approve", values={"outUnits": [weather]})
    assert bureau.chores() == 1
    (package,) = bureau.all("liu", "ExchangePackage")
    assert package["state"] == "ready"
    assert package["package"][0]["name"] == "云水防〔2025〕1号 云溪县水利局关于做好防汛值班工作的通知.gwx"
    with open_package(bureau.blobs.path(package["package"][0]["blobId"])) as held:
        manifest = held.manifest
        assert held.read(manifest.body).startswith(b"%PDF")
        assert held.read(manifest.attachments[0]) == b"table"
    assert manifest.document.number == "云水防〔2025〕1号"
    assert (manifest.sender.code, [one.name for one in manifest.receivers]) == ("YX", ["云溪县气象局"])
    bureau.update("liu", "ExchangePackage", package["id"], action="markSent")


def test_the_signer_reads_the_paper_as_it_will_be_and_it_follows_the_draft(bureau: DocumentBench) -> None:
    document = draft(bureau)
    bureau.act("jiang", DOC, document, "submit")
    bureau.act("feng", DOC, document, "approve")
    assert bureau.chores() == 1
    first = MeasuredPdf(bureau.content("gao", bureau.show(DOC, document, "gao")["paper"][0]))
    assert "〔" not in first.text(0), "there is no number yet"
    bureau.act("gao", DOC, document, "approve", opinion="同意", values={"body": BODY + "\n三、抓好落实。"})
    assert bureau.chores() == 1
    again = MeasuredPdf(bureau.content("he", bureau.show(DOC, document, "he")["paper"][0]))
    assert any("三、抓好落实" in again.text(page) for page in range(again.pages))


# ---------------------------------------------------------------- annexes, seals, archive


def png() -> bytes:
    made = io.BytesIO()
    Image.new("RGBA", (300, 300), (220, 0, 0, 200)).save(made, "PNG")
    return made.getvalue()


def test_annexes_and_files_are_on_the_paper_unless_they_go_along(bureau: DocumentBench) -> None:
    scan = bureau.file("jiang", png(), "现场照片.png", "image/png")
    sheet = bureau.file("jiang", b"table", "值班表.xlsx", "application/vnd.ms-excel")
    annexes = [{"title": "值班安排", "body": "一、带班\n| 日期 | 领导 |\n|---|---|\n| 1日 | 高 |"}]
    plan = bureau.file("jiang", b"PK", "调度预案.ofd", "application/ofd")
    document = numbered(bureau, annexes=annexes, attachments=[sheet, scan, plan])
    paper = MeasuredPdf(bureau.content("liu", bureau.show(DOC, document)["paper"][0]))
    starts = [paper.lines(n)[0] for n in range(paper.pages)]
    assert [one for one in starts if one in ("附件1", "附件2", "附件3")] == ["附件1", "附件3"], (
        "the second is no file that can be set"
    )
    bureau.act("liu", DOC, document, "approve", outcome="again", values={"bindFiles": False})
    bureau.chores()
    again = MeasuredPdf(bureau.content("liu", bureau.show(DOC, document)["paper"][0]))
    assert again.pages == paper.pages - 1
    listed, all_along = ("".join(one.text(n) for n in range(one.pages)) for one in (paper, again))
    for name in ("值班表（另附 XLSX）", "3.现场照片", "调度预案（另附 OFD）"):
        assert name.replace(" ", "") in listed.replace(" ", ""), name
    assert "另附" not in all_along, "where all go along nothing needs saying"


def test_a_file_that_cannot_be_set_is_told_and_may_go_along_instead(bureau: DocumentBench) -> None:
    document = numbered(bureau, attachments=[bureau.file("jiang", b"%PDF-1.7 no pages")])
    assert "附件" in bureau.show(DOC, document)["paperProblem"]
    assert refusal(lambda: bureau.act("liu", DOC, document, "approve")).properties == ["paper"]
    bureau.act("liu", DOC, document, "approve", outcome="again", values={"bindFiles": False})
    bureau.chores()
    bureau.act("liu", DOC, document, "approve")


def test_why_it_went_back_to_the_signer_is_told(bureau: DocumentBench) -> None:
    document = signed(bureau)
    assert "proofNote" not in bureau.show(DOC, document)
    bureau.act("he", DOC, document, "approve", values={"body": BODY.replace("第一责任人", "直接责任人")})
    assert "“第一”改为“直接”" in bureau.show(DOC, document, "gao")["proofNote"]
    bureau.act("gao", DOC, document, "approve", opinion="同意修改")
    assert "proofNote" not in bureau.show(DOC, document), "what is signed anew was not changed"
    bureau.act("he", DOC, document, "approve", values={"body": BODY.replace("第一责任人。", "直接责任人；").strip()})
    assert bureau.show(DOC, document)["proofNote"].startswith("文字性修改")
    assert bureau.waiting(document) == {"number": ["liu"]}


def test_the_keeper_seals_the_file_and_the_register_has_it(bureau: DocumentBench) -> None:
    document = numbered(bureau)
    bureau.act("liu", DOC, document, "approve")
    seal = {"outcome": "electronic"}
    assert refusal(lambda: bureau.act("keeper", DOC, document, "approve", **seal)).properties == ["sealIds"]
    picture = bureau.file("keeper", png(), "公章.png", "image/png")
    bureau.update("keeper", "Seal", bureau.seal, picture=[picture])
    bureau.act("keeper", DOC, document, "approve", **seal)
    out = {"audience": {"everyone": True}}
    assert refusal(lambda: bureau.act("liu", DOC, document, "approve", values=out)).properties == ["sealedPaper"]
    assert bureau.chores() == 1
    shown = bureau.show(DOC, document)
    sealed = MeasuredPdf(bureau.content("jiang", shown["sealedPaper"][0]))
    place = shown["sealPlaces"][0]
    x, y = (round(one / 72 * 25.4) for one in (place["x"], place["y"]))
    side = sealed.red(int(place["page"]) - 1, inside=Box(x - 30, y - 30, x + 30, y + 30))
    assert side is not None
    assert side.width == pytest.approx(42, abs=1)
    (line,) = bureau.all("keeper", "SealUse")
    assert line["subject"].startswith("云水防〔2025〕1号 ")
    assert (line["manner"], line["copies"], line["originLink"]) == ("electronic", 30, f"tongban://{DOC}/{document}")
    signed = (line["basis"], line["approverId"], line["approvedOn"])
    assert signed == (
        "公文签发 云水防〔2025〕1号｜Document signed 云水防〔2025〕1号",
        shown["signerId"],
        shown["signedOn"],
    )
    assert (shown["sealUses"], shown["sealManner"]) == ([line["id"]], "electronic")
    assert bureau.show("Seal", bureau.seal, "keeper")["uses"] == 1
    bureau.act("liu", DOC, document, "approve", values=out)
    assert bureau.waiting(document) == {"file": ["chen"]}


def test_a_stamped_sheet_is_registered_with_its_scan_and_a_frozen_seal_stamps_nothing(bureau: DocumentBench) -> None:
    document = numbered(bureau)
    bureau.act("liu", DOC, document, "approve")
    frozen = bureau.create("keeper", "Seal", key="s2", name="旧章", kind="official", keepers=[bureau.person("keeper")])
    rules = bureau.office.rules_of(DOC)
    assert rules is not None
    bureau.write(lambda tx: rules.change(tx, "Seal", frozen, {"state": "frozen"}))
    values = {"sealIds": [frozen]}
    assert refusal(lambda: bureau.act("keeper", DOC, document, "approve", values=values)).properties == ["sealIds"]
    scan = bureau.file("keeper")
    bureau.act("keeper", DOC, document, "approve", values={"sealedPaper": [scan]})
    (line,) = bureau.all("keeper", "SealUse")
    assert (line["manner"], line["scan"][0]["blobId"]) == ("onSite", scan["blobId"])
    assert bureau.chores() == 0


def test_what_is_filed_is_packed_for_the_archive(bureau: DocumentBench) -> None:
    sheet = bureau.file("jiang", b"table", "值班表.xlsx", "application/vnd.ms-excel")
    document = numbered(bureau, signing="plain", attachments=[sheet])
    bureau.act("liu", DOC, document, "approve")
    bureau.act("liu", DOC, document, "approve", values={"audience": {"everyone": True}})
    bureau.act("chen", DOC, document, "approve", values={"retention": "permanent"})
    assert bureau.chores() == 1
    (package,) = bureau.show(DOC, document, "chen")["archivePackage"]
    with zipfile.ZipFile(io.BytesIO(bureau.content("chen", package))) as held:
        told = msgspec.json.decode(held.read("元数据.json"))
        assert {one["path"] for one in told["files"]} == set(held.namelist()) - {"元数据.json"}
        for one in told["files"]:
            assert hashlib.sha256(held.read(one["path"])).hexdigest() == one["sha256"]
        assert held.read("附件/01 值班表.xlsx") == b"table"
        history = msgspec.json.decode(held.read("过程/办理过程.json"))
    assert (told["document"]["number"], told["document"]["retention"]) == ("云水防〔2025〕1号", "永久")
    assert told["document"]["issuers"] == ["云溪县水利局"]
    assert ["gao", "approve", "issue"] in [[one["person"], one["action"], one["stepId"]] for one in history]
    assert history[-1]["action"] == "end"
