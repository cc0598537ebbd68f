"""Contacts and colleagues out to Excel workbooks and vCards. Colleagues only as this user sees them: what is hidden is not written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.core.domain import Person
from desktop.core.domain.definition import Field, FieldKind, Label
from desktop.core.domain.records import Record
from desktop.core.errors import AppError
from desktop.models.contacts import CONTACT, ContactBook, Organization
from desktop.models.vcards import ContactCard, write_vcards
from desktop.ui.background import in_background
from desktop.ui.i18n import catalog, language, tr

if TYPE_CHECKING:
    from desktop.ui.office.views.base import ViewContext

PEOPLE_COLUMNS = ("name", "departments", "office_phone", "mobile", "email", "room")
FORMATS = ("xlsx", "vcf")


class NotWritten(AppError):
    """The file can't be written there."""

    code = "notWritten"


async def write_contacts(context: ViewContext, book: ContactBook, records: Sequence[Record], path: Path) -> None:
    """Personal contacts into a file; its suffix says which kind. Raises NotWritten, AppError."""
    if path.suffix.lower() == ".vcf":
        await _write(path, write_vcards(contact_card(one, book) for one in records))
        return
    from desktop.ui.office.exchange.glossary import writing_words
    from desktop.ui.office.exchange.writing import WorkbookWriter

    definition = context.type_of(CONTACT)
    fields = definition.fields if definition is not None else ()
    words = await writing_words(context, fields)
    writer = WorkbookWriter(tr("contacts.personal"), fields, words, tr("office_module.row_number"))
    await _write_book(writer, records, path)


async def write_people(people: Sequence[Person], organization: Organization, path: Path) -> None:
    """Colleagues into a file; its suffix says which kind. Raises NotWritten."""
    if path.suffix.lower() == ".vcf":
        await _write(path, write_vcards(person_card(one, organization) for one in people))
        return
    from desktop.ui.office.exchange.names import Names
    from desktop.ui.office.exchange.writing import Glossary, WorkbookWriter

    fields = [Field(name=one, kind=FieldKind.TEXT, label=_label(one)) for one in PEOPLE_COLUMNS]
    words = Glossary(language(), Names(organization), "", "")
    writer = WorkbookWriter(tr("contacts.title"), fields, words, "")
    rows = [Record(one.id, "Person", data=person_row(one, organization)) for one in people]
    await _write_book(writer, rows, path)


def contact_card(record: Record, book: ContactBook) -> ContactCard:
    """A personal contact as a card, with the names of its groups."""
    held = record.data.get("groupIds") or ()
    names = [str(one.data.get("name") or "") for one in book.groups if one.id in held]
    return ContactCard(record.data, tuple(names))


def person_card(person: Person, organization: Organization) -> ContactCard:
    """A colleague as a card; a masked number is none."""
    identity = person.primary
    above = organization.ancestors(identity.department_id) if identity else ()
    names = [organization.departments[one].name for one in above]
    mobile = None if "mobile" in person.hidden or "*" in (person.mobile or "") else person.mobile
    data: dict[str, Any] = {
        "name": person.name,
        "company": names[-1] if names else None,
        "department": names[0] if len(names) > 1 else None,
        "post": identity.post if identity else None,
        "mobile": mobile,
        "officePhone": person.office_phone,
        "email": person.email,
        "address": person.room,
    }
    return ContactCard({key: value for key, value in data.items() if value})


def person_row(person: Person, organization: Organization) -> dict[str, Any]:
    """A colleague as a row of a workbook."""
    posts = []
    for one in sorted(person.identities, key=lambda i: not i.primary):
        department = organization.departments.get(one.department_id)
        posts.append(" ".join(part for part in (department.name if department else "", one.post) if part))
    return {
        "name": person.name,
        "departments": "；".join(one for one in posts if one) if language() == "zh" else "; ".join(posts),
        "office_phone": person.office_phone,
        "mobile": person.mobile,
        "email": person.email,
        "room": person.room,
    }


def _label(column: str) -> Label:
    words = catalog()[f"contacts.{column}"]
    return Label(zh=words["zh"], en=words["en"])


async def _write_book(writer: Any, records: Sequence[Record], path: Path) -> None:
    try:
        await in_background(writer.add, records)
        await in_background(writer.save, path)
    except OSError as error:
        raise NotWritten(name=path.name) from error


async def _write(path: Path, data: bytes) -> None:
    try:
        await in_background(_replace, path, data)
    except OSError as error:
        raise NotWritten(name=path.name) from error


def _replace(path: Path, data: bytes) -> None:
    """The whole file or none."""
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_bytes(data)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
