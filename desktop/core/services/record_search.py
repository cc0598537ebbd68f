"""Office records of every type by words: what a module shows of them, the line that hit, the newest first. From this device."""

import re
from collections.abc import Iterator
from typing import Any, Final

from desktop.core.clock import utc_date
from desktop.core.domain import ModuleDefinition, Record, RecordQuery, TypeDefinition
from desktop.core.domain.definition import FieldKind
from desktop.core.domain.search import (
    Excerpt,
    Found,
    FoundKind,
    FoundPart,
    SearchQuery,
    excerpt,
    fold,
    marked,
    query_words,
)
from desktop.core.domain.titles import title_fields, value_text
from desktop.core.services.record_base import RecordBase
from desktop.core.services.record_query import Asking
from desktop.core.services.record_scene import Scene
from desktop.core.sync.port import Store

_TAG: Final = re.compile(r"<[^>]*>")
_LINE: Final = 60
_JOINED: Final = " ・ "
_PAPERS: Final = frozenset({"library", "documents"})
"""Modules whose records are documents to people; docs/modules.md."""
_SAID: Final = frozenset(
    {FieldKind.REFERENCE, FieldKind.REFERENCES, FieldKind.BOOL, FieldKind.BLOB, FieldKind.AUDIENCE}
)
"""Fields that no excerpt is made of: they hold ids, or no words."""


def kind_of(module: ModuleDefinition) -> FoundKind:
    """The section in which records of a module stand."""
    if module.id == "notices":
        return FoundKind.NOTICE
    return FoundKind.DOCUMENT if module.id in _PAPERS else FoundKind.RECORD


class RecordSearch(RecordBase):
    """Questions over all types of a section."""

    async def find(self, kind: FoundKind, query: SearchQuery, limit: int, language: str) -> FoundPart:
        """The newest `limit` of all types, those whose title hits first. One question to the store for each type, so that others come between."""
        scene = await self._scene.ready()
        found: list[tuple[bool, int, Found]] = []
        total = 0
        for module in scene.modules:
            for type_ in module.types if kind_of(module) is kind else ():
                hits, count = await self._of_type(module, type_, query, limit, language)
                found += hits
                total += count
        found.sort(key=lambda one: (not one[0], -one[1], one[2].id))
        return FoundPart(kind, tuple(one for _, _, one in found[:limit]), total)

    async def _of_type(
        self, module: ModuleDefinition, type_: TypeDefinition, query: SearchQuery, limit: int, language: str
    ) -> tuple[list[tuple[bool, int, Found]], int]:
        words = query_words(query.text)
        asked = RecordQuery(type_.name, _filter(query), query.text, ("-updatedAt",), limit=limit)

        def load(store: Store, asking: Asking, scene: Scene) -> tuple[list[tuple[bool, int, Found]], int]:
            records, total = store.load_page(asking.wanted(asked))
            titles = self._titles(store, asking, scene, type_.name, [one.id for one in records], language)
            hits = [_shown(module, type_, one, titles.get(one.id, ""), words, language, asking) for one in records]
            return [(bool(one.title.marks), one.at, one) for one in hits], total

        return await self._ask(load)


def _filter(query: SearchQuery) -> dict[str, Any] | None:
    parts: dict[str, Any] = {}
    if query.person_id is not None:
        parts["authorId"] = query.person_id
    if query.since is not None:
        parts["updatedAtAfter"] = utc_date(query.since)
    if query.until is not None:
        parts["updatedAtBefore"] = utc_date(query.until)
    return parts or None


def _shown(
    module: ModuleDefinition,
    type_: TypeDefinition,
    record: Record,
    title: str,
    words: tuple[str, ...],
    language: str,
    asking: Asking,
) -> Found:
    kind = module.label.text(language)
    if len(module.types) > 1 and type_.label.text(language) != kind:
        kind = f"{kind}{_JOINED}{type_.label.text(language)}"
    state = type_.state(record.data.get("state"))
    head = [kind] if state is None else [kind, state.label.text(language)]
    line = next(_lines(type_, record, words, language, asking), None)
    return Found(
        kind_of(module),
        type_.name,
        record.id,
        marked(title or type_.label.text(language), words),
        _joined(_JOINED.join(head), line),
        at=record.updated_at,
        icon=module.icon,
    )


def _lines(
    type_: TypeDefinition, record: Record, words: tuple[str, ...], language: str, asking: Asking
) -> Iterator[Excerpt]:
    """Where a word stands, in the fields that do not name the record."""
    named = title_fields(type_)
    for field in type_.fields:
        if field.name in named or field.kind in _SAID:
            continue
        text = value_text(field, record.data.get(field.name), language=language, name_of=asking.name_of)
        text = _TAG.sub(" ", text) if text.startswith("<") else text
        folded = fold(text)
        if any(word in folded for word in words):
            yield excerpt(text, words, length=_LINE)


def _joined(head: str, line: Excerpt | None) -> Excerpt:
    if line is None:
        return Excerpt(head)
    start = len(head) + len(_JOINED)
    return Excerpt(f"{head}{_JOINED}{line.text}", tuple((start + low, start + high) for low, high in line.marks))
