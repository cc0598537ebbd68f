"""用印: the keeper of the issuer's seal stamps the paper, or has it laid on the file where it belongs; either way the register of stampings has it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from server_stub.errors import invalid_properties
from server_stub.modules.documents.filing import today
from server_stub.modules.documents.naming import OUTGOING, file_name
from server_stub.modules.documents.papers import UNIT
from server_stub.modules.engine.chores import ChoreRefused, MadeFile, Workshop
from server_stub.modules.engine.imprint import Imprint, ImprintRefused, lay_seals
from server_stub.modules.engine.rules import Rules
from server_stub.records.store import Record, load_records
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx

IMPRINT: Final = "imprint"
SEAL: Final = "Seal"
USE: Final = "SealUse"
"""Types of the seals module, which documents need."""
USABLE: Final = frozenset({"active", "out"})
ELECTRONIC: Final = "electronic"
ON_SITE: Final = "onSite"
STAMP_SIDE: Final = 68.0
"""A signature stamp is some 24 mm wide, in points; an official seal as wide as its place."""


def seal_ids_of(conn: sa.Connection, data: Mapping[str, Any]) -> list[str]:
    """The seals a document is given: those chosen, else those of the issuers that are ours; a signature stamp has to be chosen."""
    if data.get("sealIds") or data.get("signing") == "stamped":
        return list(data.get("sealIds", ()))
    keys = [data.get("unitId") or "", *data.get("jointUnits", ())]
    units = load_records(conn, keys, type_name=UNIT)
    found = [units[one].data.get("sealId") for one in keys if one in units and units[one].data.get("own")]
    return [one for one in found if one]


def keepers_of(conn: sa.Connection, data: Mapping[str, Any]) -> list[str]:
    """Who keeps any of its seals."""
    seals = load_records(conn, seal_ids_of(conn, data), type_name=SEAL).values()
    return list(dict.fromkeys(one for seal in seals for one in seal.data.get("keepers", ())))


def check_sealing(tx: Tx, data: Mapping[str, Any], *, electronic: bool) -> None:
    """Raises SetError: no seal is named, one cannot be used, or has no picture to lay on a file."""
    seals = _usable(tx, seal_ids_of(tx.conn, data))
    if not seals:
        raise invalid_properties("choose the seal", "sealIds")
    if not electronic:
        return
    if not data.get("sealPlaces"):
        raise invalid_properties("the paper has no place for a seal", "paper")
    if len(seals) > len(data["sealPlaces"]):
        raise invalid_properties("more seals than places on the paper", "sealIds")
    for seal in seals:
        if not seal.data.get("picture"):
            raise invalid_properties(f"{seal.data['name']} has no picture yet", "sealIds")


def do_note_sealing(rules: Rules, tx: Tx, record: Record, event: JsonObject) -> bool:
    """Write the register; whether the seals are to be laid on the file now."""
    electronic = event.get("outcome") == ELECTRONIC
    data = record.data
    lines = [_do_register(rules, tx, seal, record, event) for seal in _usable(tx, seal_ids_of(tx.conn, data))]
    values: dict[str, Any] = {
        "sealManner": _manner(event),
        "sealUses": [*data.get("sealUses", ()), *lines][-50:],
        "sealProblem": None,
    }
    if electronic:
        values["sealedPaper"] = None
    rules.change(tx, OUTGOING, record.id, values, by=event.get("personId"))
    return electronic


def _usable(tx: Tx, seal_ids: Sequence[str]) -> list[Record]:
    """Raises SetError: one cannot be used now."""
    seals = list(load_records(tx.conn, seal_ids, type_name=SEAL).values())
    for seal in seals:
        if seal.data.get("state") not in USABLE:
            raise invalid_properties(f"{seal.data['name']} is {seal.data.get('state')} and cannot be used", "sealIds")
    return seals


def _manner(event: JsonObject) -> str:
    return ELECTRONIC if event.get("outcome") == ELECTRONIC else ON_SITE


def _do_register(rules: Rules, tx: Tx, seal: Record, record: Record, event: JsonObject) -> str:
    """A line of the register of stampings; its id. The document and who signed it are what covers its seal, there is no request besides."""
    data = record.data
    number = data.get("number", "")
    line: dict[str, Any] = {
        "sealId": seal.id,
        "originLink": f"tongban://{OUTGOING}/{record.id}",
        "basis": f"公文签发 {number}｜Document signed {number}"[:200],
        "approverId": data.get("signedById"),
        "approvedOn": data.get("signedOn"),
        "subject": f"{number} {data['title']}".strip()[:200],
        "manner": _manner(event),
        "copies": int(data.get("copies") or 1),
        "pages": int(data.get("pages") or 1),
        "departmentId": data.get("departmentId"),
        "applicantId": record.author_id,
        "keeperId": event.get("personId"),
        "keepers": seal.data["keepers"],
        "usedOn": today(tx.now).isoformat(),
        "scan": data.get("sealedPaper") if _manner(event) == ON_SITE else None,
    }
    made = rules.make(tx, USE, {key: value for key, value in line.items() if value is not None}, record.author_id)
    uses = int(seal.data.get("uses") or 0) + 1
    rules.change(tx, SEAL, seal.id, {"uses": uses, "lastUsedOn": line["usedOn"]})
    return made.id


def sealing_of(conn: sa.Connection, record: Record) -> Callable[[Workshop], tuple[str, MadeFile]] | None:
    """The work of laying the seals where typesetting left room for them; None: there is no paper any more. It raises ChoreRefused."""
    data = record.data
    if not data.get("paper") or not data.get("sealPlaces"):
        return None
    paper = data["paper"][0]["blobId"]
    seals = load_records(conn, seal_ids_of(conn, data), type_name=SEAL)
    pictures = [one.data["picture"][0]["blobId"] for one in seals.values() if one.data.get("picture")]
    stamped = data.get("signing") == "stamped"

    def work(workshop: Workshop) -> tuple[str, MadeFile]:
        marks = [
            _imprint(workshop.path(picture).read_bytes(), place, stamped=stamped)
            for picture, place in zip(pictures, data["sealPlaces"], strict=False)
        ]
        try:
            sealed = lay_seals(workshop.path(paper).read_bytes(), marks)
        except ImprintRefused as refused:
            raise ChoreRefused(str(refused)) from refused
        return paper, workshop.store(sealed, "application/pdf")

    return work


def _imprint(picture: bytes, place: Mapping[str, Any], *, stamped: bool) -> Imprint:
    side = STAMP_SIDE if stamped else float(place["size"])
    return Imprint(picture, int(place["page"]), place["x"] - side / 2, place["y"] - side / 2, side)


def sealed_file(record: Record, made: MadeFile) -> JsonObject:
    """The sealed paper as an attachment."""
    name = file_name(record.data.get("number", ""), record.data["title"], "（已用印）.pdf")
    return {"blobId": made.blob_id, "name": name, "size": made.size, "type": made.type}


def check_sealed(record: Record) -> None:
    """Raises SetError: the seals are not on the file yet, so it does not go out."""
    data = record.data
    if data.get("sealManner") == ELECTRONIC and not data.get("sealedPaper"):
        raise invalid_properties(data.get("sealProblem") or "is being sealed", "sealedPaper")


def is_paper_of(record: Record, blob_id: str) -> bool:
    """Whether that is still the paper of the record."""
    return [one["blobId"] for one in record.data.get("paper", ())] == [blob_id]
