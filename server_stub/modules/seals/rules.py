"""What is true of seals alone: keepers stamp what they keep, no blank papers, a lent seal is nobody else's, every stamping is in the register."""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from server_stub.clock import format_utc, utc_offset
from server_stub.errors import invalid_properties
from server_stub.modules.engine.alerts import AlertText, do_alert
from server_stub.modules.engine.chores import ChoreRefused, ChoreRules, MadeFile, Work, Workshop, do_ask_chore
from server_stub.modules.engine.conditions import local_day
from server_stub.modules.engine.imprint import Imprint, ImprintRefused, lay_seals
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.titles import title_of
from server_stub.modules.seals.register import SEAL, Stamping, do_register, load_usable_seals
from server_stub.records.actor import Actor
from server_stub.records.store import Record, load_record, load_records
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx

REQUEST: Final = "SealRequest"
IMPRINT: Final = "imprint"
APPROVING: Final = frozenset({"department", "office"})
"""Steps whose approval covers the stamping; the last one is named in the register."""
FATES: Final[Mapping[str, tuple[frozenset[str], str | None]]] = {
    "engrave": (frozenset({"active", "frozen"}), "active"),
    "handOver": (frozenset({"active", "frozen"}), None),
    "freeze": (frozenset({"active"}), "frozen"),
    "unfreeze": (frozenset({"frozen"}), "active"),
    "destroy": (frozenset({"active", "frozen"}), "destroyed"),
}
"""What may become of a seal: the states it must be in, the state it gets."""


class SealRules(Rules):
    """A seal that was used stays in the books."""

    def check_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        if record.data.get("uses"):
            raise invalid_properties("it was used: destroy it by a change of the seal, its register stays", "uses")


class SealRequestRules(ChoreRules):
    """用印申请: the union of the keepers stamps; what they stamped goes into the register, one line for each seal."""

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        return self._checked(tx, actor.person_id, actor.department_ids, data)

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        if changed & {"sealIds", "blankPaper", "companionId"}:
            return self._checked(tx, record.author_id, actor.department_ids, data)
        return data

    def check_case_action(self, tx: Tx, actor: Actor, record: Record, event: JsonObject) -> None:
        """What may be lent or stamped at all is looked at again when it is done: months may lie between."""
        if event.get("action") in ("submit", "approve"):
            self._seals(tx, record.data, lending=event.get("outcome") == "lent")
        if event.get("outcome") == "stamped":
            self._check_places(tx, record, event)

    def performers(self, tx: Tx, name: str, case: JsonObject, record: Record) -> Collection[str]:
        """`rule:keepers`: who keeps any of the seals asked for."""
        if name != "keepers":
            return ()
        seals = load_records(tx.conn, record.data.get("sealIds", ()), type_name=SEAL).values()
        return list(dict.fromkeys(one for seal in seals for one in seal.data.get("keepers", ())))

    def on_step(self, tx: Tx, record: Record, step_id: str, event: JsonObject) -> None:
        """After the last approval the applicant is told where to come with the papers."""
        if step_id in APPROVING and event.get("action") == "approve":
            day = local_day(tx.now, utc_offset(tx.now)).isoformat()
            self.change(tx, REQUEST, record.id, {"approvedById": event.get("personId"), "approvedOn": day})
        if step_id == "office" and event.get("action") == "approve" and record.author_id is not None:
            seals = load_records(tx.conn, record.data.get("sealIds", ()), type_name=SEAL).values()
            places = "、".join(dict.fromkeys(one.data["place"] for one in seals if one.data.get("place")))
            zh = f"可以用印了，请携带文件到{places or '印章保管处'}"
            label = {"zh": zh, "en": f"Come and stamp: {places or 'where the seal is kept'}"}
            title = title_of(tx.conn, self.context.types, self.definition, record.data)
            do_alert(
                tx, [record.author_id], AlertText("advance", title, zh, False, REQUEST, record.id, label, beside=True)
            )

    def service(self, tx: Tx, name: str, case: JsonObject, record: Record) -> Mapping[str, Any]:
        """handOut, takeBack, register."""
        match name:
            case "handOut":
                self._do_hand_out(tx, record)
            case "takeBack":
                self._do_take_back(tx, record)
            case "register":
                self._do_register(tx, case, record)
                if record.data["manner"] == "electronic":
                    do_ask_chore(tx, record, IMPRINT, self._keeper_of(case))
        return {}

    # ---------------------------------------------------------------- sealing files

    def prepare_chore(self, conn: sa.Connection, record: Record, kind: str) -> Work | None:
        """The work of laying the seals onto the files, each file once."""
        seals = load_records(conn, record.data.get("sealIds", ()), type_name=SEAL)
        pictures = {key: one.data["picture"][0]["blobId"] for key, one in seals.items() if one.data.get("picture")}
        places = [one for one in record.data.get("placements") or () if one["sealId"] in pictures]
        files = [one for one in sealable(record.data) if any(one["blobId"] == place["blobId"] for place in places)]
        return partial(_seal_files, files, places, pictures) if files else None

    def do_finish_chore(self, tx: Tx, record: Record, kind: str, result: Any, by: str | None) -> None:
        """The sealed files hang on the request."""
        sealed = []
        for name, made in result:
            self.do_attach(tx, made, record, by)
            sealed.append({"blobId": made.blob_id, "name": name, "size": made.size, "type": made.type})
        self.change(tx, REQUEST, record.id, {"stampedFiles": sealed}, by=by)

    def do_give_up_chore(self, tx: Tx, record: Record, kind: str, reason: str, by: str | None) -> None:
        """The keeper hears that a file could not be sealed."""
        title = title_of(tx.conn, self.context.types, self.definition, record.data)
        label = {"zh": f"电子用印未成功：{reason}"[:200], "en": f"The file could not be sealed: {reason}"[:200]}
        people = [one for one in (by, record.author_id) if one is not None]
        do_alert(
            tx, list(dict.fromkeys(people)), AlertText("advance", title, label["zh"], True, REQUEST, record.id, label)
        )

    # ---------------------------------------------------------------- checks

    def _checked(self, tx: Tx, author_id: str | None, department_ids: Collection[str], data: JsonObject) -> JsonObject:
        if data.get("blankPaper"):
            raise invalid_properties("blank paper is never stamped", "blankPaper")
        if author_id is not None and data.get("companionId") == author_id:
            raise invalid_properties("a seal leaves the house with two people: name somebody else", "companionId")
        for seal in self._seals(tx, data):
            allowed = set(seal.data.get("departmentIds", ()))
            if allowed and not allowed & set(department_ids):
                raise invalid_properties(f"{seal.data['name']} is not for your department", "sealIds")
        return data

    def _seals(self, tx: Tx, data: Mapping[str, Any], *, lending: bool = False) -> list[Record]:
        """The seals asked for. Raises SetError: one cannot be used now."""
        return load_usable_seals(tx, data.get("sealIds", ()), lending=lending)

    def _check_places(self, tx: Tx, record: Record, event: JsonObject) -> None:
        """Seals stand on files of the request, and only those asked for, as far as they have a picture."""
        data = {**record.data, **(event.get("values") or {})}
        places = data.get("placements") or ()
        if {one.get("sealId") for one in places} - set(record.data["sealIds"]):
            raise invalid_properties("only the seals asked for are placed", "placements")
        if {one.get("blobId") for one in places} - {one["blobId"] for one in sealable(record.data)}:
            raise invalid_properties("only the PDF files of the request are sealed", "placements")
        for seal in self._seals(tx, record.data) if places else ():
            if not seal.data.get("picture"):
                raise invalid_properties(f"{seal.data['name']} has no picture yet", "placements")

    # ---------------------------------------------------------------- effects

    def _do_hand_out(self, tx: Tx, record: Record) -> None:
        back_by = record.data["lending"]["end"]
        for seal in self._seals(tx, record.data, lending=True):
            self.change(tx, SEAL, seal.id, {"state": "out", "holderId": record.author_id, "backBy": back_by})
        self.change(tx, REQUEST, record.id, {"outAt": format_utc(tx.now)})

    def _do_take_back(self, tx: Tx, record: Record) -> None:
        for seal in load_records(tx.conn, record.data["sealIds"], type_name=SEAL).values():
            if seal.data.get("state") == "out" and seal.data.get("holderId") == record.author_id:
                self.change(tx, SEAL, seal.id, {"state": "active", "holderId": None, "backBy": None})
        self.change(tx, REQUEST, record.id, {"backAt": format_utc(tx.now)})

    def _do_register(self, tx: Tx, case: JsonObject, record: Record) -> None:
        data = record.data
        keeper = self._keeper_of(case)
        self.change(tx, REQUEST, record.id, {"stampedOn": format_utc(tx.now)}, by=keeper)
        stamping = Stamping(
            subject=data["subject"],
            manner=data["manner"],
            copies=int(data.get("stampedCopies") or data["copies"]),
            pages=int(data.get("stampedPages") or data["pages"]),
            applicant_id=record.author_id,
            keeper_id=keeper,
            department_id=case.get("departmentId"),
            request_id=record.id,
            origin_link=data.get("originLink"),
            scan=data.get("scan"),
            basis=f"用印申请 {data.get('number', '')}｜Request {data.get('number', '')}",
            approver_id=data.get("approvedById"),
            approved_on=data.get("approvedOn"),
        )
        do_register(self, tx, load_records(tx.conn, data["sealIds"], type_name=SEAL).values(), stamping)

    def _keeper_of(self, case: JsonObject) -> str | None:
        """Who did the step that led here."""
        handled = case.get("handled") or {}
        for step in ("stamp", "giveBack"):
            if handled.get(step):
                return str(handled[step][-1])
        return None


def sealable(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The files of a request that a seal can be laid on."""
    return [one for one in data.get("files") or () if one.get("type") == "application/pdf"]


def _seal_files(
    files: list[dict[str, Any]], places: list[dict[str, Any]], pictures: Mapping[str, str], workshop: Workshop
) -> list[tuple[str, MadeFile]]:
    """On a worker thread: (name, sealed file) of each."""
    made = []
    for file in files:
        mine = [one for one in places if one["blobId"] == file["blobId"]]
        marks = [
            Imprint(
                workshop.path(pictures[one["sealId"]]).read_bytes(), int(one["page"]), one["x"], one["y"], one["side"]
            )
            for one in mine
        ]
        try:
            sealed = lay_seals(workshop.path(file["blobId"]).read_bytes(), marks)
        except ImprintRefused as refused:
            raise ChoreRefused(f"{file['name']}: {refused}") from refused
        stem = file["name"].rpartition(".")[0] or file["name"]
        made.append((f"{stem}（已用印）.pdf", workshop.store(sealed, "application/pdf")))
    return made


class SealMatterRules(Rules):
    """印章变动: two witnesses, neither of them who asks nor a keeper; carried out when both have signed."""

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        return self._checked(tx, actor.person_id, data)

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        return self._checked(tx, record.author_id, data) if changed & {"witnesses", "sealId", "kind"} else data

    def _checked(self, tx: Tx, author_id: str | None, data: JsonObject) -> JsonObject:
        seal = self._seal(tx, data)
        if len(set(data["witnesses"])) != 2 or {author_id, *seal.data["keepers"]} & set(data["witnesses"]):
            raise invalid_properties("two people who neither keep the seal nor ask for this", "witnesses")
        self._check_state(data["kind"], seal)
        return data

    def check_case_action(self, tx: Tx, actor: Actor, record: Record, event: JsonObject) -> None:
        if event.get("action") in ("submit", "approve"):
            self._check_state(record.data["kind"], self._seal(tx, record.data))

    def service(self, tx: Tx, name: str, case: JsonObject, record: Record) -> Mapping[str, Any]:
        """carryOut: the seal becomes what was decided."""
        if name == "carryOut":
            seal, data = self._seal(tx, record.data), record.data
            _, state = FATES[data["kind"]]
            values: dict[str, Any] = {} if state is None else {"state": state}
            if data["kind"] == "handOver":
                values["keepers"] = data["newKeepers"]
            if data["kind"] == "engrave" and not seal.data.get("issuedOn"):
                values["issuedOn"] = data.get("effectiveOn")
            self.change(tx, SEAL, seal.id, values, by=record.author_id)
        return {}

    def _seal(self, tx: Tx, data: Mapping[str, Any]) -> Record:
        found = load_record(tx.conn, str(data["sealId"]), type_name=SEAL)
        if found is None:
            raise invalid_properties("there is no such seal", "sealId")
        return found

    def _check_state(self, kind: str, seal: Record) -> None:
        before, _ = FATES[kind]
        if seal.data.get("state") not in before:
            raise invalid_properties(f"cannot be done while the seal is {seal.data.get('state')}", "kind")
