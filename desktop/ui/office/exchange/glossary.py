"""What words of cells are made and read with, gathered on the UI thread before a worker starts: the directory, titles, languages."""

from __future__ import annotations

from collections.abc import Iterable

from desktop.core.domain.conditions import Facts
from desktop.core.domain.definition import Field, FieldKind
from desktop.core.domain.records import RecordQuery
from desktop.models.record_form import zone_minutes
from desktop.models.record_values import local_date
from desktop.ui.i18n import catalog, tr
from desktop.ui.office.exchange.names import Names, Titles
from desktop.ui.office.exchange.parsing import Readings
from desktop.ui.office.exchange.writing import Glossary
from desktop.ui.office.views.base import ViewContext


def row_heads() -> tuple[str, ...]:
    """Headings of the column that numbers the rows, in both languages."""
    return tuple(catalog()["office_module.row_number"].values())


def facts_of(context: ViewContext) -> Facts:
    """What placeholders stand for."""
    me, now = context.me, context.now_ms()
    return Facts(me.id, tuple(one.department_id for one in me.identities), now, zone_minutes(now))


def inner_fields(fields: Iterable[Field]) -> list[Field]:
    """The fields, those inside of objects and lines too."""
    return [inner for one in fields for inner in (one, *one.fields)]


async def load_titles(context: ViewContext, fields: Iterable[Field]) -> dict[str, Titles]:
    """Every title of the types that the fields refer to. Raises AppError."""
    kinds = (FieldKind.REFERENCE, FieldKind.REFERENCES)
    targets = {one.target for one in inner_fields(fields) if one.kind in kinds and one.target}
    found: dict[str, Titles] = {}
    for target in sorted(targets):
        page = await context.records.page(RecordQuery(target, limit=None))
        ids = [record.id for record in page.records]
        found[target] = Titles(await context.records.titles(target, ids))
    return found


async def writing_words(context: ViewContext, fields: Iterable[Field]) -> Glossary:
    """What cells are written with. Raises AppError."""
    return Glossary(
        language=context.language,
        names=Names(context.organization),
        yes=tr("office_module.yes"),
        no=tr("office_module.no"),
        titles=await load_titles(context, fields),
        joint="、" if context.language == "zh" else "; ",
    )


async def reading_words(context: ViewContext, fields: Iterable[Field]) -> Readings:
    """What cells are read with. Raises AppError."""
    return Readings(Names(context.organization), local_date(context.now_ms()), await load_titles(context, fields))
