"""发文: versions, what was signed is what is printed, numbers, the paper, distribution."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from server_stub.clock import format_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.documents.archiving import ARCHIVE, packing_for_archive
from server_stub.modules.documents.exchange_rules import PACK
from server_stub.modules.documents.filing import changed_record, do_keep_archive, filed, today, with_values
from server_stub.modules.documents.naming import OUTGOING, PACKAGE, file_name
from server_stub.modules.documents.numbers import checked_mark, do_take_number, do_void, used_entry
from server_stub.modules.documents.papers import digest_of, paper_of
from server_stub.modules.documents.sealing import (
    ELECTRONIC,
    IMPRINT,
    check_sealed,
    check_sealing,
    do_note_sealing,
    is_paper_of,
    keepers_of,
    sealed_file,
    sealing_of,
)
from server_stub.modules.documents.substance import change_since, signed_parts, substance_of
from server_stub.modules.documents.typesetting.paper import Paper, PaperRefused, check_paper
from server_stub.modules.documents.typesetting.press import PressFailed, SetPaper, set_paper
from server_stub.modules.documents.versions import do_keep_version, text_of
from server_stub.modules.engine.chores import ChoreRefused, ChoreRules, MadeFile, Work, Workshop, do_ask_chore
from server_stub.modules.engine.definition import Action
from server_stub.modules.engine.marks import MarkCounts, load_mark_counts
from server_stub.modules.engine.rules import Rules
from server_stub.records.actor import Actor
from server_stub.records.store import Record, load_record
from server_stub.records.types import JsonObject
from server_stub.records.visibility import fetch_rows
from server_stub.storage.blobs import do_unrefer
from server_stub.storage.database import Tx

TYPESET: Final = "typeset"
PRINTED: Final = frozenset({"distributing", "issued", "archived"})
"""States in which the paper is out: its number can be void no more."""


class OutgoingRules(ChoreRules):
    """发文: versions, what was signed is what is printed, numbers, the paper, distribution."""

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        return self._checked(data)

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        return self._checked(data)

    def after_create(self, tx: Tx, actor: Actor, record: Record) -> None:
        do_keep_version(self, tx, record, actor.person_id)

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        if text_of(before.data) != text_of(after.data):
            do_keep_version(self, tx, after, actor.person_id)
        shown = after.data.get("paperOf")  # a paper that was shown once stays in step with the draft
        if shown and shown != digest_of(paper_of(tx.conn, self.definition, after.data)):
            do_ask_chore(tx, after, TYPESET, actor.person_id)

    def _checked(self, data: JsonObject) -> JsonObject:
        if data.get("unitId") in data.get("jointUnits", ()):
            raise invalid_properties("the lead issuer is named once", "jointUnits")
        kept = {**data, "substance": substance_of(data)}
        if data.get("signedText"):
            note = change_since(data["signedText"], data).note
            kept["proofNote"] = note
            if not note:
                del kept["proofNote"]
        return kept

    # ------------------------------------------------------------ the process

    def check_case_action(self, tx: Tx, actor: Actor, record: Record, event: JsonObject) -> None:
        if event.get("action") not in ("approve", "submit", "addSignerAfter"):
            return
        data = with_values(record, event)
        match event.get("stepId"):
            case "draft" | "check" | "proof" | None | "":
                self._check_paper(tx, data)
            case "number":
                checked_mark(tx, changed_record(record, data))
            case "redHead" if event.get("outcome") != "again":
                self._check_set(tx, record, data)
            case "seal":
                check_sealing(tx, data, electronic=event.get("outcome") == ELECTRONIC)
            case "distribute":
                check_sealed(record)
                if not data.get("audience") and not data.get("outUnits"):
                    raise invalid_properties("somebody has to get it", "audience")

    def performers(self, tx: Tx, name: str, case: JsonObject, record: Record) -> Collection[str]:
        """`rule:keepers`: who keeps the seals it is given."""
        return keepers_of(tx.conn, record.data) if name == "keepers" else ()

    def on_step(self, tx: Tx, record: Record, step_id: str, event: JsonObject) -> None:
        if step_id == "seal" and event.get("action") == "approve" and do_note_sealing(self, tx, record, event):
            do_ask_chore(tx, record, IMPRINT, event.get("personId"))

    def service(self, tx: Tx, name: str, case: JsonObject, record: Record) -> Mapping[str, Any]:
        match name:
            case "noteSigned":
                day = record.data.get("day") or today(tx.now).isoformat()
                substance = substance_of(record.data)
                values = {
                    "signedSubstance": substance,
                    "substance": substance,
                    "signedText": signed_parts(record.data)[:100_000],
                    "proofNote": None,
                    "day": day,
                    "signedById": _signer(case),
                    "signedOn": today(tx.now).isoformat(),
                }
                self.change(tx, OUTGOING, record.id, values)
            case "takeNumber":
                number = do_take_number(self, tx, record, _last_handler(case))
                self.change(tx, OUTGOING, record.id, {"number": number})
            case "setDraft" | "typeset":
                changed = self.change(tx, OUTGOING, record.id, {"paperOf": None, "paperProblem": None})
                do_ask_chore(tx, changed, TYPESET, None)
            case "sendOut":
                self._do_send(tx, record)
            case "fileOutgoing":
                after = self.change(tx, OUTGOING, record.id, filed(record, "FW", tx.now))
                do_ask_chore(tx, after, ARCHIVE, None)
        return {}

    def on_case_end(self, tx: Tx, record: Record, end_state: str | None) -> None:
        entry = used_entry(tx, record.id) if record.data.get("state") not in PRINTED else None
        if entry is not None:
            do_void(self, tx, entry, "文稿作废", None)

    def _check_paper(self, tx: Tx, data: Mapping[str, Any]) -> None:
        """What cannot be set is found by the drafter, not by the printer."""
        try:
            check_paper(paper_of(tx.conn, self.definition, data))
        except PaperRefused as refused:
            name = refused.field if self.definition.field(refused.field) is not None else "title"
            raise invalid_properties(refused.reason, name) from refused

    def _check_set(self, tx: Tx, record: Record, data: Mapping[str, Any]) -> None:
        if not data.get("number"):
            raise invalid_properties("its number is void: return it to be numbered", "number")
        wanted = digest_of(paper_of(tx.conn, self.definition, data))
        if not data.get("paper") or record.data.get("paperOf") != wanted:
            raise invalid_properties(record.data.get("paperProblem") or "has to be set again", "paper")

    def _do_send(self, tx: Tx, record: Record) -> None:
        self.change(tx, OUTGOING, record.id, {"issuedAt": format_utc(tx.now)})
        if record.data.get("outUnits"):
            data = {"direction": "out", "title": record.data["title"], "number": record.data.get("number"),
                    "toUnits": record.data["outUnits"], "outgoingId": record.id}  # fmt: skip
            package = self.make(tx, PACKAGE, {key: one for key, one in data.items() if one}, record.author_id)
            do_ask_chore(tx, package, PACK, record.author_id)

    def present(self, conn: sa.Connection, actor: Actor, records: Sequence[Record], objects: list[JsonObject]) -> None:
        shown = [
            (record, obj)
            for record, obj in zip(records, objects, strict=True)
            if record.data.get("audience")
            and record.data.get("state") in ("issued", "archived")
            and _keeps(actor, record)
        ]
        read = load_mark_counts(conn, [record.id for record, _ in shown])
        unread = _unread(conn, [record.id for record, _ in shown])
        for record, obj in shown:
            obj["readCount"], obj["unreadCount"] = read.get(record.id, MarkCounts()).read, unread.get(record.id, 0)

    # ------------------------------------------------------------ chores: the paper, its seals, the archive

    def prepare_chore(self, conn: sa.Connection, record: Record, kind: str) -> Work | None:
        if kind == IMPRINT:
            return sealing_of(conn, record)
        if kind == ARCHIVE:
            made_at = format_utc(self.context.clock.now_ms())
            return packing_for_archive(conn, self.definition, record, made_at)
        paper = paper_of(conn, self.definition, record.data)
        fonts = self.context.font_folders

        def work(workshop: Workshop) -> tuple[Paper, SetPaper, MadeFile]:
            files = {one.file: workshop.path(one.file).read_bytes() for one in paper.annexes if one.file}
            try:
                done = set_paper(paper, fonts, files=files)
            except (PaperRefused, PressFailed) as problem:
                raise ChoreRefused(str(problem)) from problem
            return paper, done, workshop.store(done.pdf, "application/pdf")

        return work

    def do_finish_chore(self, tx: Tx, record: Record, kind: str, result: Any, by: str | None) -> None:
        match kind:
            case "imprint":
                self._do_keep_sealed(tx, record, result, by)
            case "archive":
                self.do_attach(tx, result, record, by)
                do_keep_archive(self, tx, record, result)
            case _:
                self._do_keep_paper(tx, record, result, by)

    def _do_keep_sealed(self, tx: Tx, record: Record, result: tuple[str, MadeFile], by: str | None) -> None:
        paper, made = result
        if not is_paper_of(record, paper):
            return  # it was set anew meanwhile: that paper is sealed by itself
        self.do_attach(tx, made, record, by)
        values = {"sealedPaper": [sealed_file(record, made)], "sealProblem": None}
        self.change(tx, OUTGOING, record.id, values, by=by)

    def _do_keep_paper(self, tx: Tx, record: Record, result: tuple[Paper, SetPaper, MadeFile], by: str | None) -> None:
        paper, done, made = result
        if paper_of(tx.conn, self.definition, record.data) != paper:
            do_ask_chore(tx, record, TYPESET, by)
            return
        before = [one["blobId"] for one in record.data.get("paper", ())]
        self.do_attach(tx, made, record, by)
        values = {
            "paper": [_paper_file(record, made)],
            "paperOf": digest_of(paper),
            "paperProblem": None,
            "pages": done.pages,
            "fonts": _fonts(done),
            "sealedPaper": None,  # a seal on another paper is none on this one
            "sealManner": None,
            "sealPlaces": [_place(one.page, one.x, one.y, one.size) for one in done.seals] or None,
        }
        after = self.change(tx, OUTGOING, record.id, values, by=by)
        if set(before) - {made.blob_id}:
            do_unrefer(tx, record.id, OUTGOING, _blobs(after))

    def do_give_up_chore(self, tx: Tx, record: Record, kind: str, reason: str, by: str | None) -> None:
        if kind != ARCHIVE:
            name = "sealProblem" if kind == IMPRINT else "paperProblem"
            self.change(tx, OUTGOING, record.id, {name: reason[:1000]}, by=by)


class EntryRules(Rules):
    """编号登记: a number can be voided until its document is out."""

    def check_action(self, tx: Tx, actor: Actor, record: Record, action: Action, data: JsonObject) -> None:
        document = load_record(tx.conn, record.data.get("documentId") or "", type_name=OUTGOING)
        if action.name == "void" and document is not None and document.data.get("state") in PRINTED:
            raise SetError(SetErrorType.FORBIDDEN, "its document is out: the number stands")

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        if before.data["state"] == "used" and after.data["state"] == "voided" and after.data.get("documentId"):
            self.change(tx, OUTGOING, after.data["documentId"], {"number": None, "paperOf": None}, by=actor.person_id)


def _keeps(actor: Actor, record: Record) -> bool:
    """Who is told how many have read it."""
    return record.author_id == actor.person_id or bool({"registrar", "secretary"} & actor.roles)


def _unread(conn: sa.Connection, record_ids: Sequence[str]) -> dict[str, int]:
    """How many have it before them to read."""
    rows = fetch_rows(
        conn,
        "SELECT record_id, count(*) FROM todo WHERE rule = 'read' AND done_at IS NULL"
        f" AND record_id IN ({', '.join('?' * len(record_ids))}) GROUP BY record_id",
        tuple(record_ids),
    )
    return {row[0]: row[1] for row in rows} if record_ids else {}


def _signer(case: JsonObject) -> str | None:
    people = (case.get("handled") or {}).get("issue") or ()
    return people[-1] if people else None


def _last_handler(case: JsonObject) -> str | None:
    people = [person for one in case.get("now", ()) for person in one.get("personIds", ())]
    return people[0] if people else None


def _paper_file(record: Record, made: MadeFile) -> JsonObject:
    name = file_name(record.data.get("number", ""), record.data["title"], ".pdf")
    return {"blobId": made.blob_id, "name": name, "size": made.size, "type": made.type}


def _fonts(done: SetPaper) -> str:
    roles = {"title": "标题", "body": "正文", "kai": "楷体", "hei": "黑体", "digits": "页码"}
    return "；".join(
        f"{roles[role]}：{face.family}{'' if face.official else '（替代）'}" for role, face in done.fonts.items()
    )


def _place(page: int, x: float, y: float, size: float) -> JsonObject:
    return {"page": page, "x": round(x, 2), "y": round(y, 2), "size": round(size, 2)}


def _blobs(record: Record) -> list[str]:
    names = ("paper", "attachments", "sealedPaper", "archivePackage")
    return [one["blobId"] for name in names for one in record.data.get(name, ())]
