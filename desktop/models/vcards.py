"""Personal contacts out to vCards and in from them. What is written is read back as it was; cards of others are taken as far as they fit.

A contact's data is in wire values of the type Contact (server_stub/modules/contacts). Knows no Qt.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from desktop.models.vcard_lines import BadCards, Property, RawCard, divided, escaped, folded, read_cards, unescaped

VERSIONS: Final = ("3.0", "4.0")
_DATE: Final = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ].*)?")
_PHONE_TYPES: Final = {"mobile": "CELL", "work": "WORK", "home": "HOME", "fax": "FAX", "other": "VOICE"}
_PHONE_FIELDS: Final = {"mobile": "mobile", "work": "officePhone", "home": "homePhone", "fax": "fax"}
_MORE: Final = "MORE"
"""Group of the properties that stand among "more numbers": a first mobile number there stays there."""
_TAKEN: Final = frozenset(
    {"FN", "N", "ORG", "TITLE", "ROLE", "TEL", "EMAIL", "ADR", "URL", "BDAY", "NOTE", "CATEGORIES", "X-WECHAT", "IMPP"}
)
_SECOND: Final = frozenset({"N", "ROLE"})
_SILENT: Final = frozenset({"REV", "UID", "PRODID", "SORT-STRING", "X-ABLABEL", "KIND", "CLASS", "MAILER", "LABEL"})


@dataclass(frozen=True, slots=True)
class ContactCard:
    """One contact. groups: names; left_out: properties that a contact has no place for; line: where it stands in the file."""

    data: dict[str, Any]
    groups: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    line: int = 0


# ------------------------------------------------------------ reading
def parse_vcards(data: bytes) -> list[ContactCard]:
    """The contacts of a file, in its order. One without a name takes its organization, a number or an address for it.

    Raises:
        BadCards: the file is not taken; nothing of it is.
    """
    return [_contact(card) for card in read_cards(data)]


def _contact(card: RawCard) -> ContactCard:
    made: dict[str, Any] = {}
    more: list[dict[str, str]] = []
    groups: list[str] = []
    left_out = set(card.left_out)
    for one in sorted(card.properties, key=_rank):
        match one.name:
            case "TEL":
                _take_phone(made, more, one, card.version)
            case "EMAIL":
                _take_value(made, more, "email", "email", one, _clean(one.raw, card.version))
            case "CATEGORIES":
                groups += [_clean(part, card.version) for part in divided(one.raw, ",")]
            case _ if one.name in _TAKEN:
                for name, value in _plain_values(one, card.version).items():
                    if value and made.setdefault(name, value) != value and one.name not in _SECOND:
                        left_out.add(one.name)
    _complete_name(made, more)
    if more:
        made["more"] = more
    strange = {p.name for p in card.properties} - _TAKEN - _SILENT
    left_out.update(name[:40] for name in strange if not name.startswith("X-"))
    return ContactCard(made, tuple(dict.fromkeys(one for one in groups if one)), tuple(sorted(left_out)), card.line)


def _rank(one: Property) -> tuple[bool, bool]:
    """What gives way comes last: N after FN, ROLE after TITLE, numbers behind the preferred one."""
    return one.name in _SECOND, "PREF" not in one.types or one.group == _MORE


def _complete_name(made: dict[str, Any], more: Sequence[Mapping[str, str]]) -> None:
    if not made.get("name"):
        made.pop("name", None)
        others = (made.get("company"), made.get("mobile"), made.get("email"), *(line["value"] for line in more))
        found = next((one for one in others if one), "")
        if found:
            made["name"] = found


def _plain_values(one: Property, version: str) -> dict[str, str]:  # noqa: PLR0911  # one way for each property
    """Fields and values of a property that has a place of its own."""
    match one.name:
        case "FN":
            return {"name": _clean(one.raw, version)}
        case "N":
            return {"name": _joined_name([_clean(part, version) for part in divided(one.raw, ";")])}
        case "ORG":
            company, *below = (_clean(part, version) for part in divided(one.raw, ";"))
            return {"company": company, "department": " ".join(part for part in below if part)}
        case "TITLE" | "ROLE":
            return {"post": _clean(one.raw, version)}
        case "ADR":
            parts = [_clean(part, version, lines=True) for part in divided(one.raw, ";")]
            return {"address": " ".join(part for part in _in_order(parts) if part)}
        case "URL":
            return {"website": _clean(one.raw, version)}
        case "BDAY":
            found = _DATE.fullmatch(one.raw.strip())
            return {"birthday": "-".join(found.groups())} if found and _is_day(*found.groups()) else {}
        case "NOTE":
            return {"note": _clean(one.raw, version, lines=True)}
        case "X-WECHAT":
            return {"wechat": _clean(one.raw, version)}
        case "IMPP":
            scheme, _, name = _clean(one.raw, version).partition(":")
            return {"wechat": name} if scheme.casefold() in ("weixin", "wechat") else {}
    return {}


def _is_day(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _in_order(parts: list[str]) -> list[str]:
    """Post box, extension, street, place, region, code, country: as people here write it when it is more than a street."""
    if sum(bool(part) for part in parts) < 2:
        return parts
    box, extension, street, place, region, code, country = (*parts, *[""] * 7)[:7]
    chinese = any("\u4e00" <= sign <= "\u9fff" for part in parts for sign in part)
    if chinese:
        return ["".join(part for part in (country, region, place, street, extension, box) if part), code]
    return [box, extension, street, place, region, code, country]


def _joined_name(parts: list[str]) -> str:
    family, given, further, before, after = (*parts, *[""] * 5)[:5]
    if any("\u4e00" <= sign <= "\u9fff" for sign in family + given):
        return before + family + further + given + after
    return " ".join(part for part in (before, given, further, family, after) if part)


def _take_phone(made: dict[str, Any], more: list[dict[str, str]], one: Property, version: str) -> None:
    number = _clean(one.raw, version)
    if one.uri and number.lower().startswith("tel:"):
        number = number[4:].partition(";")[0]
    types = one.types
    if "FAX" in types:
        kind = "fax"
    elif types & {"CELL", "TEXT"}:
        kind = "mobile"
    else:
        kind = "work" if "WORK" in types else "home" if "HOME" in types else "other"
    if kind == "other" and not types - {"PREF"} and re.fullmatch(r"(\+?86)?1\d{10}", re.sub(r"[\s-]", "", number)):
        kind = "mobile"  # a phone that says nothing of the kind
    _take_value(made, more, _PHONE_FIELDS.get(kind, ""), kind, one, number)


def _take_value(
    made: dict[str, Any], more: list[dict[str, str]], name: str, kind: str, one: Property, value: str
) -> None:
    if not value:
        return
    if name and name not in made and one.group != _MORE:
        made[name] = value
    elif made.get(name) != value or one.group == _MORE:
        more.append({"kind": kind, "value": value})


def _clean(raw: str, version: str, *, lines: bool = False) -> str:
    """The text of a value: no escapes, no characters that nobody sees."""
    text = unescaped(raw, version).replace("\r\n", "\n").replace("\r", "\n")
    kept = (one if one == "\n" or unicodedata.category(one) not in ("Cc", "Cs") else " " for one in text)
    made = "".join(kept)
    return made.strip() if lines else " ".join(made.split("\n")).strip()


# ------------------------------------------------------------ writing
def write_vcards(cards: Iterable[ContactCard], version: str = "3.0") -> bytes:
    """A file of cards, in UTF-8. version: 3.0, which every phone reads, or 4.0."""
    if version not in VERSIONS:
        raise ValueError(f"no version {version}")
    return b"".join(folded(line) for card in cards for line in _lines(card, version))


def _lines(card: ContactCard, version: str) -> list[str]:
    data = card.data
    name = escaped(str(data.get("name", "")))
    made = ["BEGIN:VCARD", f"VERSION:{version}", f"FN:{name}", f"N:{name};;;;"]
    company, department = escaped(str(data.get("company", ""))), escaped(str(data.get("department", "")))
    if company or department:
        made.append(f"ORG:{company};{department}" if department else f"ORG:{company}")
    made += [
        f"TEL;TYPE={_PHONE_TYPES[kind]}:{escaped(data[field])}"
        for kind, field in _PHONE_FIELDS.items()
        if data.get(field)
    ]
    if data.get("email"):
        made.append(
            f"EMAIL;TYPE=INTERNET:{escaped(data['email'])}" if version == "3.0" else _plain("EMAIL", data["email"])
        )
    for line in data.get("more") or ():
        kind = line.get("kind", "other")
        head = "EMAIL" if kind == "email" else f"TEL;TYPE={_PHONE_TYPES.get(kind, 'VOICE')}"
        made.append(f"more.{head}:{escaped(line['value'])}")
    for head, field in (
        ("TITLE", "post"),
        ("URL", "website"),
        ("BDAY", "birthday"),
        ("NOTE", "note"),
        ("X-WECHAT", "wechat"),
    ):
        if data.get(field):
            made.append(_plain(head, data[field]))
    if data.get("address"):
        made.append(f"ADR;TYPE=WORK:;;{escaped(data['address'])};;;;")
    if card.groups:
        made.append("CATEGORIES:" + ",".join(escaped(one) for one in card.groups))
    return [*made, "END:VCARD"]


def _plain(head: str, value: str) -> str:
    return f"{head}:{escaped(value)}"


__all__ = ["BadCards", "ContactCard", "parse_vcards", "write_vcards"]
