"""A filter's condition in words, as its chip says it."""

from __future__ import annotations

from desktop.core.domain.definition import Field, FieldKind
from desktop.models.record_filters import FieldFilter
from desktop.ui.i18n import tr, when
from desktop.ui.office.views.base import ViewContext

MOST_NAMED = 3
"""More values than these are counted."""


def filter_words(context: ViewContext, field: Field, one: FieldFilter) -> str:
    """State: asked, approved."""
    return tr("office_module.chip", field=context.label(field.label), words=_condition_words(context, field, one))


def _condition_words(context: ViewContext, field: Field, one: FieldFilter) -> str:
    if one.empty is not None:
        return tr("office_module.is_empty") if one.empty else tr("office_module.is_filled")
    if one.values:
        names = [value_words(context, field, value) for value in one.values[:MOST_NAMED]]
        more = len(one.values) - MOST_NAMED
        return when.list_join(names) + (tr("office_module.and_more", n=more) if more > 0 else "")
    if one.period is not None:
        return tr(f"office_module.period.{one.period}")
    if one.low and one.high:
        return one.low if one.low == one.high else f"{one.low} – {one.high}"
    return f"≥ {one.low}" if one.low else f"≤ {one.high}" if one.high else tr("office_module.anything")


def value_words(context: ViewContext, field: Field, value: object) -> str:
    """One value a filter asks for."""
    if field.kind is FieldKind.BOOL:
        return tr("office_module.yes") if value else tr("office_module.no")
    if field.kind in (FieldKind.PERSON, FieldKind.PERSONS, FieldKind.DEPARTMENT, FieldKind.DEPARTMENTS):
        return context.name_of(str(value)) or str(value)
    if field.kind in (FieldKind.REFERENCE, FieldKind.REFERENCES):
        return context.title_of(field.target or "", str(value)) or "…"
    return next((context.label(choice.label) for choice in field.choices if choice.value == value), str(value))
