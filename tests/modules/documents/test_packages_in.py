"""A package that is dropped becomes a document received, once; a hostile one is refused and leaves nothing."""

import json
from typing import Any

from server_stub.modules.documents.exchange.manifest import PackedDocument, Unit
from server_stub.modules.documents.exchange.packing import Content, make_package
from tests.modules.documents.document_bench import PDF, DocumentBench
from tests.modules.documents.test_exchange import with_manifest
from tests.modules.office_bench import refusal

SENDER = Unit(code="SL", name="省水利厅")


def package(sending_id: str = "sending-0001", **more: Any) -> bytes:
    document = PackedDocument(
        number="苏水防〔2026〕18号", title="关于做好2026年防汛值班工作的通知", kind="通知", urgency="特急", day="2026-10-20",
        issuers=("省水利厅",), reply_by="2026-10-25", **more,
    )  # fmt: skip
    attachment = Content("值班表.xlsx", "application/vnd.ms-excel", b"table")
    return make_package(
        sending_id,
        "2026-10-20T08:00:00Z",
        SENDER,
        (),
        document,
        Content("正文.pdf", "application/pdf", PDF),
        (attachment,),
    )


def drop(bureau: DocumentBench, data: bytes, key: str = "p1") -> str:
    file = bureau.file("liu", data, "来文.gwx", "application/vnd.tongban.exchange+zip")
    made = bureau.create("liu", "ExchangePackage", key=key, package=[file])
    bureau.chores()
    return made


def test_dropping_a_package_makes_a_document_received(bureau: DocumentBench) -> None:
    sender = bureau.create("liu", "IssuingUnit", key="u9", name="江苏省水利厅", code="SL")
    dropped = bureau.show("ExchangePackage", drop(bureau, package()))
    assert dropped["state"] == "received"
    assert dropped["fromUnit"] == "省水利厅"
    document = bureau.show("IncomingDocument", dropped["incomingId"])
    assert document["title"] == "关于做好2026年防汛值班工作的通知"
    assert (document["sourceUnit"], document["sourceUnitId"]) == ("省水利厅", sender)
    assert (document["urgency"], document["kind"], document["state"]) == ("express", "notice", "received")
    assert bureau.content("liu", document["body"][0]) == PDF
    assert bureau.content("liu", document["attachments"][0]) == b"table"
    assert "arrived" in bureau.todos("liu")
    bureau.act("liu", "IncomingDocument", document["id"], "submit")
    assert bureau.waiting(document["id"]) == {"register": ["liu"]}
    assert "arrived" not in bureau.todos("liu")


def test_the_same_package_is_received_once(bureau: DocumentBench) -> None:
    drop(bureau, package())
    again = bureau.show("ExchangePackage", drop(bureau, package(), "p2"))
    assert (again["state"], again["problem"]) == ("refused", "这个交换包已经收过")
    assert len(bureau.all("liu", "IncomingDocument")) == 1
    assert bureau.show("ExchangePackage", drop(bureau, package("sending-0002"), "p3"))["state"] == "received"


def test_hostile_and_secret_packages_are_refused_and_leave_nothing(bureau: DocumentBench) -> None:
    def lie(manifest: dict[str, dict[str, str]]) -> None:
        manifest["body"]["sha256"] = "0" * 64

    for key, data in (
        ("a", b"no zip"),
        ("b", with_manifest(lie)),
        ("c", package(secrecy="机密")),
        ("d", package()[:-9]),
    ):
        dropped = bureau.show("ExchangePackage", drop(bureau, data, key))
        assert dropped["state"] == "refused"
        assert dropped["problem"]
    assert bureau.all("liu", "IncomingDocument") == []
    bureau.destroy("liu", "ExchangePackage", bureau.query("liu", "ExchangePackage")[0])


def test_only_the_registrar_drops_packages_and_never_an_empty_one(bureau: DocumentBench) -> None:
    assert refusal(lambda: bureau.create("liu", "ExchangePackage")).properties == ["package"]
    file = bureau.file("jiang", package(), "x.gwx")
    assert refusal(lambda: bureau.create("jiang", "ExchangePackage", package=[file])).type == "forbidden"


def test_a_package_of_ours_is_received_by_another_bureau_as_it_was_sent(bureau: DocumentBench) -> None:
    document = bureau.show(
        "IncomingDocument", bureau.show("ExchangePackage", drop(bureau, package(note="此件公开发布")))["incomingId"]
    )
    assert document["documentDate"] == "2026-10-20"
    assert json.dumps(document, ensure_ascii=False).count("苏水防〔2026〕18号") == 1
