"""What all verbs of records share: the scene, pages from the store with the outbox over them, queueing of writes in lanes that keep their order."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from desktop.core.clock import local_minutes
from desktop.core.domain import Record, RecordPage, RecordQuery
from desktop.core.domain.access import ids_in, references_needed
from desktop.core.domain.conditions import BadFilter, Facts
from desktop.core.domain.titles import title_of
from desktop.core.errors import Rejected
from desktop.core.events import ChangeSet
from desktop.core.services.context import Context
from desktop.core.services.record_overlay import edits_of
from desktop.core.services.record_query import MANY, Asking
from desktop.core.services.record_scene import RecordScene, Scene
from desktop.core.sync.outbox import Edit, EditKind
from desktop.core.sync.port import RecordsWanted, SortKey, Store

Found = TypeVar("Found")


class RecordBase:
    """Records on this device."""

    def __init__(self, context: Context, scene: RecordScene | None = None) -> None:
        self._context = context
        self._scene = scene or RecordScene(context)
        self._prepared: set[tuple[str, str, str]] = set()

    @property
    def scene(self) -> RecordScene:
        """What the verbs know; services beside this one may share it."""
        return self._scene

    def on_change(self, change: ChangeSet) -> None:
        """The session tells what a transaction changed, before any screen hears of it."""
        self._scene.on_change(change)

    # ------------------------------------------------------------ asking the store
    def _facts(self, scene: Scene) -> Facts:
        now, me = self._context.clock.now_ms(), self._context.me
        return Facts(me, scene.organization.departments.get(me, ()), now, local_minutes(now))

    async def _ask(self, question: Callable[[Store, Asking, Scene], Found]) -> Found:
        """Runs a question on the store's thread. Raises Rejected: a filter that is none."""
        scene = await self._scene.ready()
        store, facts = self._context.store, self._facts(scene)
        try:
            return await self._context.db(lambda: question(store, Asking(store, scene, facts), scene))
        except BadFilter as error:
            raise Rejected(type="unsupportedFilter", description=str(error)) from error

    async def _page(self, query: RecordQuery) -> RecordPage:
        def load(store: Store, asking: Asking, scene: Scene) -> tuple[RecordPage, SortKey | None, Learned]:
            wanted = asking.wanted(query)
            found, total = store.load_page(wanted)
            key = wanted.sort[0] if wanted.sort else None
            return RecordPage(tuple(found), total), key, self._needed(store, scene, query.type_name, found)

        page, key, needed = await self._ask(load)
        self._scene.learn(needed)
        if page.total >= MANY and key is not None and (query.type_name, key.field, key.kind) not in self._prepared:
            self._prepared.add((query.type_name, key.field, key.kind))
            self._context.start(self._prepare(query.type_name, key), "records.order")
        return page

    async def _prepare(self, type_name: str, key: SortKey) -> None:
        await self._context.db(self._context.store.prepare_order, type_name, key)

    async def _one(self, type_name: str, record_id: str) -> Record | None:
        def load(store: Store, asking: Asking, scene: Scene) -> tuple[Record | None, Learned]:
            laid = asking.laid(RecordsWanted(type_name))
            found = next((record for record in laid.overlay if record.id == record_id), None)
            if found is None and record_id not in laid.hidden:
                found = store.load_records(type_name, (record_id,)).get(record_id)
            return found, self._needed(store, scene, type_name, [] if found is None else [found])

        found, needed = await self._ask(load)
        self._scene.learn(needed)
        return found

    async def _several(self, type_name: str, ids: Collection[str]) -> dict[str, Record]:
        def load(store: Store, asking: Asking, scene: Scene) -> tuple[dict[str, Record], Learned]:
            laid = asking.laid(RecordsWanted(type_name))
            found = store.load_records(type_name, [one for one in ids if one not in laid.hidden])
            wanted = set(ids)
            found |= {record.id: record for record in laid.overlay if record.id in wanted}
            return found, self._needed(store, scene, type_name, list(found.values()))

        found, needed = await self._ask(load)
        self._scene.learn(needed)
        return found

    def _needed(self, store: Store, scene: Scene, type_name: str, found: Collection[Record]) -> "Learned":
        """The records that the rights of these look into, as far as they are not known."""
        type_ = scene.type(type_name)
        learned: Learned = {}
        for field, target in references_needed(type_) if type_ is not None else ():
            ids = {one for record in found for one in ids_in(record.data.get(field))}
            missing = [one for one in ids if not self._scene.knows(target, one)]
            learned |= {(target, key): record for key, record in store.load_records(target, missing).items()}
        return learned

    def _titles(
        self, store: Store, asking: Asking, scene: Scene, type_name: str, ids: Collection[str], language: str
    ) -> dict[str, str]:
        """Names of people, departments or records; a record named by another one is followed one step."""
        if type_name in ("Person", "Department"):
            return {key: scene.names[key] for key in ids if key in scene.names}
        type_ = scene.type(type_name)
        if type_ is None:
            return {}
        found = store.load_records(type_name, ids)
        found |= {one.id: one for one in asking.laid(RecordsWanted(type_name)).overlay if one.id in ids}
        names = dict(scene.names)
        for name in type_.title:
            field = type_.field(name)
            target = None if field is None or field.target is None else scene.type(field.target)
            if target is not None:
                held = {one for record in found.values() for one in ids_in(record.data.get(name))}
                for key, record in store.load_records(target.name, held).items():
                    names[key] = title_of(target, record.data, language=language, name_of=asking.name_of)
        return {
            key: title_of(type_, record.data, language=language, name_of=lambda one: names.get(one, one))
            for key, record in found.items()
        }

    # ------------------------------------------------------------ queueing
    async def _queue(
        self,
        kind: EditKind,
        type_name: str,
        object_id: str,
        payload: dict[str, Any],
        *,
        about: str = "",
        alone: bool = False,
    ) -> Edit:
        """Queues a write behind those it depends on: the creation of the object, of the record it is `about`, of records it refers to."""
        edits = await self._context.db(self._context.store.load_edits)
        lane = lane_of(edits, type_name, object_id, {**payload, "": about})
        return await self._context.edit(kind, type_name, object_id, payload, lane=lane, alone=alone)

    async def _edits(self, type_name: str) -> list[Edit]:
        return edits_of(await self._context.db(self._context.store.load_edits), type_name)


Learned = dict[tuple[str, str], Record]


def lane_of(edits: Collection[Edit], type_name: str, object_id: str, payload: Mapping[str, Any]) -> str:
    """The lane of a write: that of what it depends on, when that is still on its way; else the object's own."""
    named = _ids_within(payload, 3)
    lane = f"{type_name}:{object_id}"
    for edit in edits:
        if edit.object_id == object_id and edit.type_name == type_name:
            return edit.lane
        if edit.kind is EditKind.CREATE and edit.object_id in named:
            lane = edit.lane
    return lane


def _ids_within(value: Any, levels: int) -> set[str]:
    if isinstance(value, str):
        return {value} if value else set()
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return {found for one in inner for found in _ids_within(one, levels - 1)} if levels > 0 else set()
