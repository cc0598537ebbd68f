"""From what a screen asks to what the store is asked: filters with placeholders filled in, quick search that finds names too, orders by what is shown.
Runs on the store's thread."""

from typing import Final

from desktop.core.clock import utc_date
from desktop.core.domain import FieldKind, RecordQuery, TypeDefinition
from desktop.core.domain.conditions import (
    ALWAYS,
    Condition,
    Every,
    Facts,
    Is,
    Literal,
    Overlaps,
    Some,
    Words,
    resolve,
    words_of,
)
from desktop.core.domain.definition import Field
from desktop.core.domain.titles import title_of
from desktop.core.services.record_overlay import lay, with_acts
from desktop.core.services.record_scene import Scene
from desktop.core.sync.port import RecordsWanted, SortKey, Store

NEWEST_FIRST: Final = ("-createdAt",)
MANY: Final = 20_000
"""Records from which on an order deserves an index."""
_MAX_NAMED: Final = 100
_MAX_IN_LISTS: Final = 10
"""Names that are looked for in lists of people: each costs a look at every record."""
_PEOPLE: Final = frozenset({FieldKind.PERSON, FieldKind.DEPARTMENT})
_PEOPLE_LISTS: Final = frozenset({FieldKind.PERSONS, FieldKind.DEPARTMENTS})
_TIMES: Final = frozenset({FieldKind.DATE, FieldKind.DATETIME, FieldKind.SPAN})
_STAMPS: Final = frozenset({"createdAt", "updatedAt"})


class Asking:
    """One question to the store, with everything it depends on."""

    def __init__(self, store: Store, scene: Scene, facts: Facts) -> None:
        self._store = store
        self._scene = scene
        self._facts = facts

    def wanted(self, query: RecordQuery) -> RecordsWanted:
        """What the store is asked. Raises BadFilter."""
        type_ = self._scene.type(query.type_name)
        condition = both(resolve(query.filter, self._facts), self._search(query.text, type_))
        if query.during is not None:
            during = query.during
            condition = both(condition, Overlaps(during.field, utc_date(during.start), utc_date(during.end)))
        sort = tuple(self._key(name, type_) for name in query.sort or NEWEST_FIRST)
        return self.laid(RecordsWanted(query.type_name, condition, sort, query.offset, query.limit))

    def laid(self, wanted: RecordsWanted) -> RecordsWanted:
        """With the outbox over it."""
        edits = with_acts(self._store.load_edits(), wanted.type_name)
        if not edits:
            return wanted
        stored = self._store.load_records(wanted.type_name, {edit.object_id for edit in edits})
        made = lay(edits, stored, self._scene.type(wanted.type_name), self._facts)
        return RecordsWanted(
            wanted.type_name,
            wanted.condition,
            wanted.sort,
            wanted.offset,
            wanted.limit,
            tuple(made.records.values()),
            made.hidden,
        )

    # ------------------------------------------------------------ quick search
    def _search(self, text: str, type_: TypeDefinition | None) -> Condition:
        words = words_of(text)
        if type_ is None or not words:
            return Words(words) if words else ALWAYS
        parts = [self._word(word, type_) for word in words]
        plain = tuple(word for part in parts if isinstance(part, Words) for word in part.words)
        rest = tuple(part for part in parts if not isinstance(part, Words))
        return Every((*([Words(plain)] if plain else []), *rest))  # what stands in texts alone is looked for at once

    def _word(self, word: str, type_: TypeDefinition) -> Condition:
        """A word in a text of the record, or in the name of somebody or something it refers to, or in the label of a choice."""
        parts: list[Condition] = [Words((word,))]
        people = [field for field in type_.fields if field.kind in _PEOPLE or field.kind in _PEOPLE_LISTS]
        if people:
            named = self._named(word)
            if named:
                parts.append(_one_of("authorId", named, many=False))
            for field in people:
                many = field.kind in _PEOPLE_LISTS
                if named and (not many or len(named) <= _MAX_IN_LISTS):
                    parts.append(_one_of(field.name, named, many=many))
        for field in type_.fields:
            if field.kind in (FieldKind.CHOICE, FieldKind.MULTI_CHOICE):
                chosen = [one.value for one in field.choices if _in_label(word, one.label.zh, one.label.en)]
                many = field.kind is FieldKind.MULTI_CHOICE
                parts += [_one_of(field.name, chosen, many=many)] if chosen else []
            elif field.kind is FieldKind.REFERENCE and field.target is not None:
                wanted = RecordsWanted(field.target, Words((word,)), limit=_MAX_NAMED)
                found = [record.id for record in self._store.load_page(wanted)[0]]
                parts += [_one_of(field.name, found, many=False)] if found else []
        states = [state.value for state in type_.states if _in_label(word, state.label.zh, state.label.en)]
        parts += [_one_of("state", states, many=False)] if states else []
        return (
            parts[0] if len(parts) == 1 else Some((*parts[1:], parts[0]))
        )  # texts last: they are the dearest to look into

    def _named(self, word: str) -> list[str]:
        """People and departments by name, pinyin or initials; one Latin letter means nobody."""
        found: list[str] = []
        if len(word) < 2 and word.isascii():
            return found
        for key, name in self._scene.names.items():
            person = self._scene.people.get(key)
            spelled = person is not None and (
                person.pinyin.replace(" ", "").casefold().startswith(word)
                or person.initials.casefold().startswith(word)
            )
            if spelled or word in name.casefold():
                found.append(key)
                if len(found) >= _MAX_NAMED:
                    break
        return found

    # ------------------------------------------------------------ orders
    def _key(self, name: str, type_: TypeDefinition | None) -> SortKey:
        descending, field_name = name.startswith("-"), name.removeprefix("-")
        if field_name in _STAMPS:
            return SortKey(field_name, descending, "time")
        if field_name == "authorId":
            return SortKey(field_name, descending, "name", names=self._scene.spoken)
        if field_name == "state" and type_ is not None:
            return SortKey(field_name, descending, "choice", tuple(state.value for state in type_.states))
        field = None if type_ is None else type_.field(field_name)
        return SortKey(field_name, descending) if field is None else self._field_key(field, descending)

    def _field_key(self, field: Field, descending: bool) -> SortKey:
        if field.kind is FieldKind.MONEY:
            return SortKey(field.name, descending, "money")
        if field.kind in _TIMES:
            return SortKey(field.name, descending, "time")
        if field.kind is FieldKind.CHOICE:
            return SortKey(field.name, descending, "choice", tuple(choice.value for choice in field.choices))
        if field.kind in (FieldKind.PERSON, FieldKind.DEPARTMENT):
            return SortKey(field.name, descending, "name", names=self._scene.spoken)
        target = None if field.target is None else self._scene.type(field.target)
        if field.kind is FieldKind.REFERENCE and target is not None:
            found, _ = self._store.load_page(self.laid(RecordsWanted(target.name)))
            titles = {one.id: title_of(target, one.data, name_of=self.name_of) for one in found}
            return SortKey(field.name, descending, "name", names=titles)
        return SortKey(field.name, descending)

    def name_of(self, key: str) -> str:
        """The name of a person or department."""
        return self._scene.names.get(key, key)


def both(one: Condition, other: Condition) -> Condition:
    """Both conditions, without those that say nothing."""
    parts = tuple(part for part in (one, other) if part != ALWAYS)
    return parts[0] if len(parts) == 1 else Every(parts)


def _one_of(field: str, values: list[str], *, many: bool) -> Condition:
    return Is(field, tuple(Literal(value) for value in values), many)


def _in_label(word: str, *labels: str) -> bool:
    return any(word in label.casefold() for label in labels)
