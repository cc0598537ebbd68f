"""The import of contacts from Excel workbooks and vCards: a file of cards becomes a sheet, then goes the way of every workbook."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from desktop.core.domain.definition import Field, TypeDefinition
from desktop.core.domain.records import RecordQuery
from desktop.core.errors import AppError
from desktop.models.contacts import CONTACT, CONTACT_GROUP
from desktop.models.vcards import BadCards, ContactCard, parse_vcards
from desktop.ui.background import in_background
from desktop.ui.i18n import tr, when
from desktop.ui.office.exchange.columns import ROW_KEY
from desktop.ui.office.exchange.import_pane import ImportPane
from desktop.ui.office.exchange.opening import Sheet
from desktop.ui.office.record.outcome import Outcome
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import alive

SUFFIXES: Final = (".vcf", ".vcard")
LONGEST_GROUP: Final = 60
_DIVIDES: Final = re.compile(r"[、;；|,，\s]")


class CardImportPane(ImportPane):
    """Takes .xlsx and .vcf. Groups that cards name and that are not there yet are made when the file is read."""

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context, CONTACT)
        self.left_out: tuple[str, ...] = ()

    def file_filter(self) -> str:
        return tr("contacts.import_files")

    async def read_file(self, path: Path) -> list[Sheet]:
        self.left_out = ()
        if path.suffix.lower() not in SUFFIXES:
            return await super().read_file(path)
        cards = await in_background(read_card_file, path)
        self.left_out = tuple(sorted({name for card in cards for name in card.left_out}))
        groups = [one[:LONGEST_GROUP] for card in cards for one in card.groups]
        await self._make_groups(list(dict.fromkeys(groups)))
        return card_sheets(cards, self.type, self.context.language, group_words(await self._group_ids()))

    async def _make_groups(self, names: Sequence[str]) -> None:
        """Those that are missing, and waits until the server has them: the dry run refers to them."""
        for name in names:
            if folded(name) not in {folded(one) for one in await self._group_ids()}:
                outcome = Outcome(self.context, CONTACT_GROUP)
                await outcome.wait(await self.context.records.create(CONTACT_GROUP, {"name": name}))

    async def _group_ids(self) -> dict[str, str]:
        """Names of groups, each with its id."""
        page = await self.context.records.page(RecordQuery(CONTACT_GROUP, limit=None))
        return {str(one.data.get("name") or ""): one.id for one in page.records}

    async def _open(self, path: Path) -> None:
        await super()._open(path)
        if alive(self) and self.step == "fields" and self.left_out:
            names = when.list_join(list(self.left_out))
            self.banner.show_text(tr("contacts.left_out", names=names), tone="amber", icon="info", dismissible=True)

    def _show_problem(self, error: AppError) -> None:
        if not isinstance(error, BadCards):
            super()._show_problem(error)
        elif alive(self):
            self._set_busy("")
            self.banner.show_text(cards_text(error), tone="red", icon="warning-circle", dismissible=True)


def cards_text(error: BadCards) -> str:
    """Why a file of cards was not taken."""
    figures = {"limit": error.data.get("limit", 0), "line": error.data.get("line", 0)}
    return tr(f"contacts.cards.{error.reason}", **figures)


def read_card_file(path: Path) -> list[ContactCard]:
    """The cards of a file. Raises BadCards."""
    try:
        with path.open("rb") as stream:
            return parse_vcards(stream.read((20 << 20) + 1))
    except OSError as error:
        raise BadCards("unreadable") from error


def folded(name: str) -> str:
    """A group's name as names are compared."""
    return " ".join(name.split()).casefold()


def group_words(ids: Mapping[str, str]) -> dict[str, str]:
    """What stands for a group in a cell, by folded name: its name, or its id where names hold signs that divide a cell."""
    divided = any(_DIVIDES.search(name) for name in ids)
    return {folded(name): key if divided else name for name, key in ids.items()}


def card_sheets(
    cards: Sequence[ContactCard], definition: TypeDefinition, language: str, words: Mapping[str, str]
) -> list[Sheet]:
    """The cards as the sheets that a workbook of the same contacts has: one of contacts, one of their further numbers. words: `group_words`."""
    rows = [{**card.data, "groupIds": "\n".join(_group_word(one, words) for one in card.groups)} for card in cards]
    fields = [one for one in definition.fields if not one.fields and any(row.get(one.name) for row in rows)]
    lines = next((one for one in definition.fields if one.fields), None)
    label = definition.label.text(language)
    heads = tuple(one.label.text(language) for one in fields)
    values = [tuple(row.get(one.name) or None for one in fields) for row in rows]
    if lines is None or not any(card.data.get(lines.name) for card in cards):
        return [Sheet(label, heads, tuple((card.line, one) for card, one in zip(cards, values, strict=True)))]
    numbered = tuple((card.line, (n, *one)) for n, (card, one) in enumerate(zip(cards, values, strict=True), 1))
    return [Sheet(label, (ROW_KEY, *heads), numbered), _line_sheet(lines, cards, language)]


def _group_word(name: str, words: Mapping[str, str]) -> str:
    short = name[:LONGEST_GROUP]
    return words.get(folded(short), short)


def _line_sheet(lines: Field, cards: Sequence[ContactCard], language: str) -> Sheet:
    heads = (ROW_KEY, *(one.label.text(language) for one in lines.fields))
    rows = [
        (card.line, (number, *(line.get(one.name) for one in lines.fields)))
        for number, card in enumerate(cards, 1)
        for line in card.data.get(lines.name) or ()
    ]
    return Sheet(lines.label.text(language), heads, tuple(rows))
