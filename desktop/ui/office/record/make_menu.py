"""The entries "make a … of this" of a record's menu."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from desktop.core.domain.records import Record
from desktop.ui.i18n import tr
from desktop.ui.kit import Menu
from desktop.ui.office.record.origins import makeable, prefill_from, source_of
from desktop.ui.office.views.base import ViewContext


def add_makeable(
    menu: Menu, context: ViewContext, record: Record, make: Callable[[str, Mapping[str, Any]], None]
) -> None:
    """An entry for each type this user may make of the record; its form opens with the record as its origin."""
    offered = makeable(context, besides=record.type)
    if offered:
        menu.addSeparator()
    for one in offered:
        words = tr("office_record.make", type=context.label(one.label))
        menu.addAction(words, partial(make, one.name, prefill_from(one, source_of(context, record))))
