"""From the record of a document sent to the paper that is set: names instead of ids, words instead of choices, and a digest of all that is printed."""

import hashlib
import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from server_stub.modules.documents.typesetting.paper import Annex, Media, Paper, Signing
from server_stub.modules.engine.definition import TypeDefinition
from server_stub.records.store import load_record, load_records

UNIT: Final = "IssuingUnit"
SUFFIXES: Final = {"document": "文件", "letter": "", "order": "令", "minutes": "纪要"}
MEDIA: Final[Mapping[str, Media]] = {
    "application/pdf": "pdf",
    "image/png": "picture",
    "image/jpeg": "picture",
    "image/tiff": "picture",
    "image/bmp": "picture",
}
"""Files whose pages are set with the paper; the server cannot draw others, OFD among them."""
_SUFFIX: Final = re.compile(r"\.[A-Za-z0-9]{1,8}\Z")
_RUNNING: Final = re.compile(r"第\d+号\Z")


def paper_of(conn: sa.Connection, definition: TypeDefinition, data: Mapping[str, Any]) -> Paper:
    """The paper as it would be printed; it may be refused when it is set (paper.py)."""
    units = load_records(conn, [data.get("unitId") or "", *data.get("jointUnits", ())], type_name=UNIT)
    issuers = [units[one].data for one in (data.get("unitId"), *data.get("jointUnits", ())) if one in units]
    layout = data.get("layout", "document")
    day = date.fromisoformat(data["day"]) if data.get("day") else None
    lead = issuers[0] if issuers else {}
    urgency = data.get("urgency", "normal")
    return Paper(
        layout=layout,
        heads=tuple(one.get("head") or one["name"] for one in issuers),
        suffix=SUFFIXES[layout],
        number=_printed_number(layout, data.get("number", "")),
        signers=_signers(conn, data),
        title=data.get("title", ""),
        recipients=data.get("recipients", ""),
        body=data.get("body", ""),
        attachments=(
            *(one["title"] for one in data.get("annexes", ())),
            *(_listed(one, bound=data.get("bindFiles", True)) for one in data.get("attachments", ())),
        ),
        annexes=annexes_of(data),
        duplex=bool(data.get("duplex", False)),
        issuers=tuple(one["name"] for one in issuers),
        day=day,
        signing=_signing(layout, data),
        post=data.get("signerPost", ""),
        note=data.get("note", ""),
        copy=data.get("copyNumber", ""),
        secrecy=data.get("secrecy", ""),
        urgency="" if urgency == "normal" else word_of(definition, "urgency", urgency),
        cc=data.get("cc", ""),
        printer=data.get("printer") or lead.get("printer", ""),
        present=data.get("present", ""),
        absent=data.get("absent", ""),
        attending=data.get("attending", ""),
    )


def annexes_of(data: Mapping[str, Any]) -> tuple[Annex, ...]:
    """What is set after the body: the annexes that are texts, then the attached files the press can set, each with its number among all of them."""
    texts = data.get("annexes", ())
    found = [Annex(title=one["title"], body=one["body"], number=count) for count, one in enumerate(texts, 1)]
    files = data.get("attachments", ()) if data.get("bindFiles", True) else ()
    for count, one in enumerate(files, len(texts) + 1):
        media = MEDIA.get(one.get("type", ""))
        if media is not None:
            found.append(Annex(title=_stem(one["name"]), number=count, file=one["blobId"], media=media))
    return tuple(found)


def _listed(file: Mapping[str, Any], *, bound: bool) -> str:
    """A file below the body: by its name; where the others follow on pages of their own, the reader is told what goes along as a file."""
    name = _stem(file["name"])
    if not bound or file.get("type", "") in MEDIA:
        return name
    suffix = file["name"][len(name) :].removeprefix(".").upper()
    return f"{name}（另附{f' {suffix}' if suffix else '文件'}）"


def _stem(name: str) -> str:
    return _SUFFIX.sub("", name)


def digest_of(paper: Paper) -> str:
    """Differs when anything that is printed does."""
    return hashlib.sha256(msgspec.json.encode(paper)).hexdigest()


def word_of(definition: TypeDefinition, field_name: str, value: str | None) -> str:
    """The Chinese word of a choice, "" for none."""
    field = definition.field(field_name)
    choices = () if field is None else field.choices
    return next((one.label.zh for one in choices if one.value == value), "")


def person_name(conn: sa.Connection, person_id: str | None) -> str:
    """What somebody is called, "" when nobody is meant."""
    person = load_record(conn, person_id, type_name="Person") if person_id else None
    return "" if person is None else str(person.data["name"])


def _printed_number(layout: str, number: str) -> str:
    """An order shows 第3号 below its head, which names the issuer already."""
    found = _RUNNING.search(number) if layout == "order" else None
    return found[0] if found else number


def _signers(conn: sa.Connection, data: Mapping[str, Any]) -> tuple[str, ...]:
    if not data.get("upward"):
        return ()
    joint = [one.strip() for one in re.split(r"[、，,]", data.get("jointSigners", "")) if one.strip()]
    return tuple(one for one in (person_name(conn, data.get("signerId")), *joint) if one)


def _signing(layout: str, data: Mapping[str, Any]) -> Signing:
    if layout == "minutes":
        return "none"
    signing = data.get("signing", "sealed")
    if signing == "stamped":
        return "stamped"
    return "plain" if signing == "plain" else "sealed"
