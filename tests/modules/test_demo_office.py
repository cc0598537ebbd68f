"""The demo office is made whole: people, months of messages, notices, documents; and everything in it holds together."""

import asyncio
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image

from server_stub.accounts.directory import load_rights
from server_stub.accounts.passwords import Passwords
from server_stub.audit.chain import verify
from server_stub.chat.conversations import system_conversation_id
from server_stub.chat.read_markers import count_unread
from server_stub.clock import SystemClock, parse_utc
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.storage.blobs import BlobStore
from server_stub.storage.database import Database
from tests.helpers.demo_office import copy_demo_office, open_office

DAY = 86_400_000
INIT_SECONDS = 20.0  # of both cores together: the demo must not keep its user waiting


@dataclass
class Demo:
    """A filled office, and how to look at it."""

    database: Database
    blobs: BlobStore
    passwords: Passwords
    now: int
    handlers: dict[str, RecordHandler]
    seconds: float

    def rows(self, sql: str, *values: Any) -> list[Any]:
        return self.database.read_now(lambda conn: list(conn.exec_driver_sql(sql, values).fetchall()))

    def person(self, login: str) -> str:
        found = self.rows("SELECT id FROM record WHERE type = 'Person' AND json_extract(data, '$.login') = ?", login)
        return str(found[0][0])

    def actor(self, login: str) -> Actor:
        person_id = self.person(login)
        rights = self.database.read_now(lambda conn: load_rights(conn, person_id))
        return Actor(person_id, rights.roles, rights.department_ids)

    def all(self, login: str, type_name: str) -> list[dict[str, Any]]:
        actor = self.actor(login)
        return self.database.read_now(lambda conn: self.handlers[type_name].get(conn, actor, None, None).list)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Made once; the tests only look."""
    folder = tmp_path_factory.mktemp("demo") / "office"
    seconds, now = copy_demo_office(tmp_path_factory, folder)
    office = open_office(folder, SystemClock())
    by_name = office.handlers
    made = Demo(office.database, office.blobs, office.passwords, now, by_name, seconds)

    def sees(conn: sa.Connection, actor: Any, type_name: str, ids: Any) -> bool:
        return type_name in by_name and bool(by_name[type_name].get(conn, actor, list(ids), None).list)

    office.blobs.set_visibility(sees)
    yield made
    office.close()


def test_it_is_made_in_good_time(demo: Demo) -> None:
    assert demo.seconds < INIT_SECONDS


def test_sixty_people_in_nine_departments_with_posts_and_second_posts(demo: Demo) -> None:
    people = [json.loads(row[0]) for row in demo.rows("SELECT data FROM record WHERE type = 'Person'")]
    departments = demo.rows("SELECT data FROM record WHERE type = 'Department'")
    parents = [json.loads(row[0])["parentId"] for row in departments]
    root = next(
        row[0]
        for row in demo.rows("SELECT id, data FROM record WHERE type = 'Department'")
        if not json.loads(row[1])["parentId"]
    )
    assert len(people) == 60
    assert parents.count(root) == 9
    assert all(person["identities"] and person["pinyin"] == person["login"] for person in people)
    assert sum(len(person["identities"]) == 2 for person in people) >= 4
    assert len({person["login"] for person in people}) == len({person["mobile"] for person in people}) == 60


def test_everybody_comes_in_with_the_demo_password(demo: Demo) -> None:
    hashes = {row[0] for row in demo.rows("SELECT password_hash FROM credential")}
    assert len(hashes) == 1
    assert asyncio.run(demo.passwords.verify(hashes.pop(), "tongban-demo"))


def test_months_of_messages_up_to_this_minute(demo: Demo) -> None:
    count, first, last = demo.rows(
        "SELECT count(*), min(sent_at), max(sent_at) FROM message WHERE sender_id IS NOT NULL"
    )[0]
    assert 5500 <= count <= 7500
    assert 130 * DAY < demo.now - first < 160 * DAY
    assert 0 < demo.now - last < 5 * 60_000


def test_seqs_are_contiguous_in_order_of_time(demo: Demo) -> None:
    for scope, last_seq, last in demo.rows("SELECT scope, last_seq, last_message FROM conversation"):
        rows = demo.rows("SELECT seq, sent_at, id FROM message WHERE scope = ? ORDER BY seq", scope)
        assert [row[0] for row in rows] == list(range(1, last_seq + 1))
        assert [row[1] for row in rows] == sorted(row[1] for row in rows)
        assert json.loads(last)["id"] == rows[-1][2]


def test_every_sender_reader_and_mentioned_person_is_a_member(demo: Demo) -> None:
    strangers = demo.rows(
        "SELECT count(*) FROM message AS m WHERE m.sender_id IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM member AS p WHERE p.scope = m.scope AND p.person_id = m.sender_id)"
    )
    mentioned = demo.rows(
        "SELECT count(*) FROM mention AS m WHERE m.person_id <> 'all' AND NOT EXISTS"
        " (SELECT 1 FROM member AS p WHERE p.scope = m.scope AND p.person_id = m.person_id)"
    )
    too_far = demo.rows(
        "SELECT count(*) FROM member AS p JOIN conversation AS c USING (scope) WHERE p.read_seq > c.last_seq"
    )
    unread_own = demo.rows(
        "SELECT count(*) FROM message AS m JOIN member AS p ON p.scope = m.scope AND p.person_id = m.sender_id"
        " WHERE p.read_seq < m.seq"
    )
    assert strangers == mentioned == too_far == unread_own == [(0,)]


def test_an_answer_answers_a_message_of_somebody_else_before_it(demo: Demo) -> None:
    rows = demo.rows(
        "SELECT m.seq - r.seq, m.sender_id = r.sender_id, m.scope = r.scope FROM message AS m"
        " JOIN message AS r ON r.id = json_extract(m.extra, '$.replyToId') WHERE m.extra LIKE '%replyToId%'"
    )
    assert len(rows) > 100
    assert all(distance > 0 and not same and inside for distance, same, inside in rows)


def test_the_clerk_finds_what_the_first_picture_shows(demo: Demo) -> None:
    me = demo.person("linyuan")

    def unread(conn: sa.Connection, where: str, value: str) -> tuple[int, int, bool]:
        scope, read_seq, muted = conn.exec_driver_sql(
            f"SELECT c.scope, p.read_seq, p.muted FROM conversation AS c JOIN member AS p USING (scope) WHERE {where} = ? AND p.person_id = ?",
            (value, me),
        ).one()
        return *count_unread(conn, scope, me, read_seq), bool(muted)

    def look(conn: sa.Connection) -> list[tuple[int, int, bool]]:
        direct = conn.exec_driver_sql(
            "SELECT a.conversation_id FROM member AS a JOIN member AS b USING (scope) JOIN conversation AS c USING (scope)"
            " WHERE c.kind = 'direct' AND a.person_id = ? AND b.person_id = ?",
            (me, demo.person("zhangmin")),
        ).scalar_one()
        return [
            unread(conn, "c.name", "办公室工作群"),
            unread(conn, "c.id", direct),
            unread(conn, "c.id", system_conversation_id("notices", me)),
            unread(conn, "c.name", "信息中心值班群"),
        ]

    assert demo.database.read_now(look) == [(3, 1, False), (1, 0, False), (5, 0, False), (3, 0, True)]
    total = demo.database.read_now(
        lambda conn: [
            count_unread(conn, scope, me, read_seq)[0]
            for scope, read_seq in conn.exec_driver_sql("SELECT scope, read_seq FROM member WHERE person_id = ?", (me,))
        ]
    )
    assert sum(total) == 12
    assert demo.rows("SELECT member_count FROM conversation WHERE name = '办公室工作群'") == [(36,)]


def test_everything_that_can_be_said_is_said_somewhere(demo: Demo) -> None:
    kinds = {row[0] for row in demo.rows("SELECT DISTINCT kind FROM message")}
    assert kinds >= {"text", "emoji", "picture", "file", "voice", "poll", "chain", "merged", "system"}
    members = {
        key for row in demo.rows("SELECT extra FROM message WHERE extra IS NOT NULL") for key in json.loads(row[0])
    }
    assert members >= {
        "reactions",
        "pinned",
        "mustConfirm",
        "confirmedIds",
        "editedAt",
        "recalledAt",
        "code",
        "markdown",
    }
    assert demo.rows("SELECT count(*) FROM message WHERE text LIKE '%发错群%'") == [(0,)]
    for type_name, count in (("Favorite", 2), ("Sticker", 2), ("ScheduledMessage", 1)):
        assert len(demo.all("linyuan", type_name)) == count
    shown = demo.all("linyuan", "Conversation")
    assert [one["folder"] for one in shown if "folder" in one] == ["重点项目"]
    assert len([one for one in shown if "draft" in one]) == 1
    standing = [one["announcement"]["id"] for one in shown if "announcement" in one]
    assert set(standing) <= {one["id"] for one in demo.all("linyuan", "Announcement")}
    to_confirm = [one for one in demo.all("linyuan", "Alert") if one["link"]["type"] == "Message"]
    assert [(one["kind"], one["urgent"]) for one in to_confirm] == [("confirm", True)]


def test_texts_have_no_holes_and_no_marks_of_secrecy(demo: Demo) -> None:
    texts = [
        row[0] for row in demo.rows("SELECT text FROM message UNION ALL SELECT data FROM record WHERE type <> 'Person'")
    ]
    holes = [text for text in texts if re.search(r"\{[a-z]|@[a-f]\b|\[(picture|file)", text)]
    assert holes == []
    assert not [text for text in texts if re.search("绝密|机密|秘密|★", text)]


def test_every_file_is_there_whole_and_readable_by_those_who_should(demo: Demo) -> None:
    for blob_id, size, kind in demo.rows("SELECT id, size, type FROM blob"):
        data = demo.blobs.path(blob_id).read_bytes()
        assert len(data) == size
        match kind.partition("/")[0], kind.rpartition(".")[2]:
            case "image", _:
                Image.open(io.BytesIO(data)).verify()
            case _, "sheet" | "document" | "exchange+zip" | "application/zip":
                assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
            case _, "application/pdf":
                assert data.startswith(b"%PDF-1.7")
            case "audio", _:
                assert data.startswith(b"RIFF")
            case _:
                data.decode("utf-8")
    lin = demo.actor("linyuan")
    mine = {
        row[0]
        for row in demo.rows(
            "SELECT json_extract(m.extra, '$.attachment.blobId') FROM message AS m JOIN member AS p USING (scope)"
            " WHERE p.person_id = ? AND m.kind IN ('picture', 'file')",
            lin.person_id,
        )
    }
    assert len(mine) > 30
    assert all(demo.database.read_now(lambda conn, one=one: demo.blobs.access_blob(conn, lin, one)) for one in mine)  # type: ignore[misc]


def test_notices_of_all_kinds_for_their_audiences(demo: Demo) -> None:
    everything = demo.all("zhangmin", "Notice")
    of_lin = demo.all("linyuan", "Notice")
    assert len(everything) == 41
    assert {one["level"] for one in everything} == {"normal", "important", "mustConfirm"}
    assert {one["state"] for one in everything} == {"published", "withdrawn"}
    assert sum(bool(one["attachments"]) for one in everything) >= 15
    assert any(one["expired"] for one in everything)
    assert 30 <= len(of_lin) < len(everything)
    assert all(0 <= one["confirmedCount"] <= one["readCount"] <= one["audienceCount"] <= 60 for one in everything)
    assert all(parse_utc(one["publishedAt"]) <= demo.now for one in everything)
    assert max(parse_utc(one["publishedAt"]) for one in everything) > demo.now - DAY


def test_the_clerk_has_notices_to_read_and_one_to_confirm(demo: Demo) -> None:
    read = {one["recordId"] for one in demo.all("linyuan", "ReadMark")}
    unread = [one for one in demo.all("linyuan", "Notice") if one["id"] not in read and one["state"] == "published"]
    alerts = [one for one in demo.all("linyuan", "Alert") if one["link"]["type"] == "Notice"]
    assert len(unread) == 5
    assert [one["kind"] for one in alerts].count("confirm") == 1
    assert {one["link"]["id"] for one in alerts} <= {one["id"] for one in unread}
    assert [one["urgent"] for one in alerts if one["kind"] == "confirm"] == [True]


def test_the_clerk_applies_for_several_things_and_has_some_to_do(demo: Demo) -> None:
    mine = demo.person("linyuan")
    entries = [one for one in demo.all("linyuan", "ApprovalEntry") if one["applicantId"] == mine]
    assert {"leave", "expense", "purchase", "memo", "serviceRequest"} <= {one["kind"] for one in entries}
    assert len({one.get("stepName") for one in entries}) >= 4
    items = [one for one in demo.all("linyuan", "WorkItem") if one["state"] == "open" and mine in one["candidateIds"]]
    assert {("Memo", "sign"), ("ServiceRequest", "confirm")} <= {(one["recordType"], one["stepId"]) for one in items}
    kinds = {one["kind"] for one in demo.all("gaojianping", "ApprovalEntry")}
    assert len(kinds) == 13  # every one of the twelve, and what is to be voided


def test_the_library_has_documents_for_each_reader(demo: Demo) -> None:
    folders = {one["id"]: one for one in demo.all("linyuan", "Folder")}
    documents = demo.all("linyuan", "Document")
    works = {one["name"] for one in demo.all("shilei", "Folder")}
    assert len(demo.all("chenjing", "Document")) >= 30
    assert "办公室内部资料" in {one["name"] for one in folders.values()}
    assert "工程建设" not in {one["name"] for one in folders.values()}
    assert "工程建设" in works
    assert all(one["folderId"] in folders for one in documents)
    assert {one["offline"]["policy"] for one in documents} == {"none", "allowed", "always"}
    assert {one["type"].partition("/")[0] for one in documents} >= {"application", "image", "text"}
    assert any(len(one["versions"]) == 3 for one in documents)
    assert all(one["versions"][-1]["blobId"] == one["blobId"] for one in documents)


def test_the_audit_chain_of_the_new_office_holds(demo: Demo) -> None:
    report = demo.database.read_now(verify)
    assert report.broken_at is None
    assert report.entries > 60


def test_approvals_are_counted_by_kind_and_step_for_the_leader(demo: Demo) -> None:
    entries, steps = demo.all("gaojianping", "ApprovalEntry"), demo.all("gaojianping", "ApprovalStep")
    kinds = {one["kind"] for one in entries}
    assert len(kinds) >= 8
    assert "other" not in kinds
    decided = {one["kind"] for one in entries if one.get("endedAt")}
    assert {one["kind"] for one in steps} <= decided
    assert len({(one["kind"], one["stepName"]) for one in steps}) > len(decided)
    assert any(one["hours"] > 0 for one in steps)


def test_a_document_that_went_out_was_sealed_by_the_register_and_packed_for_the_archive(demo: Demo) -> None:
    issued = [one for one in demo.all("liuyang", "OutgoingDocument") if one["state"] in ("issued", "archived")]
    uses = {one["id"]: one for one in demo.all("wufang", "SealUse")}
    sealed = [one for one in issued if one.get("sealUses")]
    assert sealed
    for one in sealed:
        for key in one["sealUses"]:
            assert uses[key]["originLink"] == f"tongban://OutgoingDocument/{one['id']}"
    for one in [*issued, *demo.all("liuyang", "IncomingDocument")]:
        assert ("archivePackage" in one) == (one["state"] == "archived"), one["title"]
