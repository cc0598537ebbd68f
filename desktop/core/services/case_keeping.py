"""What is kept on this device for the day the cable is out: the files of records that wait for this user or went through his hands, and of their history."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from desktop.core.domain import Record, TypeDefinition
from desktop.core.domain.cases import CaseEvent
from desktop.core.domain.conditions import Every, Is, Literal, Some
from desktop.core.domain.definition import FieldKind
from desktop.core.errors import BadFile, Offline, Rejected
from desktop.core.events import ChangeSet
from desktop.core.services.context import Context
from desktop.core.services.leases import Leases
from desktop.core.services.record_scene import RecordScene, Scene
from desktop.core.services.transfers import TransferService
from desktop.core.sync.port import RecordsWanted, SortKey, Store

MAX_ITEMS: Final = 500
"""Open items whose files are kept, what is due first before the others."""
MAX_HANDLED: Final = 200
"""Items this user is done with whose files are kept too, the last ones."""
MAX_SIZE: Final = 100_000_000
"""Bytes of one file that is fetched without being asked for."""
MAX_HANDLED_SIZE: Final = 500_000_000
"""Bytes of all files kept for work that is done."""
_ABOUT_WORK: Final = frozenset({"WorkItem", "CaseEvent"})
_BLOB_LENGTH: Final = 64
_DEPTH: Final = 4


class CaseKeeping:
    """Fetches and names what open work needs."""

    def __init__(self, context: Context, scene: RecordScene, transfers: TransferService) -> None:
        self._context = context
        self._scene = scene
        self._transfers = transfers
        self._leases = Leases(context)
        self._refused: set[str] = set()
        self._stale = True

    def on_change(self, change: ChangeSet) -> None:
        """What open work needs may be other files now."""
        if change.type_name in _ABOUT_WORK or change.type_name in self._scene.now.homes:
            self._stale = True

    async def kept_blobs(self) -> set[str]:
        """Blobs that open work of this user needs; making room leaves them alone."""
        return set(await self._needed())

    async def prefetch(self) -> None:
        """Fetches what is not here yet, what is due first before the rest. Called when the connection is live and quiet.

        Raises:
            Offline: the connection went.
        """
        await self._leases.renew_records()
        if not self._stale:
            return
        self._stale, come = False, set[str]()
        for blob_id, (name, item_id) in (await self._needed()).items():
            if blob_id in self._refused or self._transfers.has(blob_id):
                continue
            try:
                await self._transfers.ensure(blob_id, name)
            except (Rejected, BadFile):
                self._refused.add(blob_id)  # asked for again by who opens it, and after the next start
                continue
            except Offline:
                self._stale = True
                self._tell(come)
                raise
            come.add(item_id)
        self._tell(come)

    def _tell(self, items: set[str]) -> None:
        if items:
            self._context.bus.publish(ChangeSet("WorkItem", tuple(sorted(items))))

    async def _needed(self) -> dict[str, tuple[str, str]]:
        """Blob → its name and the item it is for."""
        scene = await self._scene.ready()
        return await self._context.db(self._load, self._context.store, scene)

    def _load(self, store: Store, scene: Scene) -> dict[str, tuple[str, str]]:
        me = self._context.me
        shared = Every((Is("personId", (Literal(),)), Is("candidateIds", (Literal(me),))))
        own = Is("personId", (Literal(me),), many=False)
        open_ = Every((Is("state", (Literal("open"),), many=False), Some((own, shared))))
        first_due = (SortKey("dueAt", False, "time"), SortKey("createdAt", True, "time"))
        items, _ = store.load_page(RecordsWanted("WorkItem", open_, first_due, limit=MAX_ITEMS))
        found: dict[str, tuple[str, str]] = {}
        for item in items:
            for blob_id, (name, _size) in self._files(store, scene, item).items():
                found.setdefault(blob_id, (name, item.id))
        done = Every((Is("state", (Literal("done"),), many=False), own))
        items, _ = store.load_page(
            RecordsWanted("WorkItem", done, (SortKey("updatedAt", True, "time"),), limit=MAX_HANDLED)
        )
        room = MAX_HANDLED_SIZE
        for item in items:
            for blob_id, (name, size) in self._files(store, scene, item).items():
                if blob_id not in found and size <= room:
                    room -= size
                    found[blob_id] = (name, item.id)
        return found

    @staticmethod
    def _files(store: Store, scene: Scene, item: Record) -> dict[str, tuple[str, int]]:
        """The files of the record an item is about, and of its history: blob → name and size."""
        type_name, record_id = str(item.data.get("recordType", "")), str(item.data.get("recordId", ""))
        type_ = scene.type(type_name)
        record = store.load_records(type_name, (record_id,)).get(record_id) if type_ is not None else None
        files = files_of(record, type_) if record is not None else {}
        for event in store.load_objects("CaseEvent", parent=record_id):
            if isinstance(event, CaseEvent):
                files |= {one.blob_id: (one.name, one.size) for one in event.attachments}
                files |= {event.signature: ("signature.png", 0)} if event.signature else {}
        return {blob_id: (name, size) for blob_id, (name, size) in files.items() if size <= MAX_SIZE}


def files_of(record: Record, type_: TypeDefinition | None) -> dict[str, tuple[str, int]]:
    """The files a record holds: blob → name and size in bytes (0: not told)."""
    found = {blob: (str(one.get("name", "file")), _size(one)) for blob, one in _entries(record.data, _DEPTH)}
    for field in type_.fields if type_ is not None else ():
        held = record.data.get(field.name)
        if field.kind is FieldKind.BLOB and isinstance(held, str) and len(held) == _BLOB_LENGTH:
            found.setdefault(held, (field.name, 0))
    return found


def blobs_in(value: Any) -> Iterator[str]:
    """Every `blobId` in a wire value."""
    return (blob for blob, _ in _entries(value, _DEPTH))


def _entries(value: Any, levels: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, Mapping):
        blob = value.get("blobId")
        if isinstance(blob, str) and blob:
            yield blob, value
        inner: Any = value.values()
    else:
        inner = value if isinstance(value, list | tuple) else ()
    if levels > 0:
        for one in inner:
            yield from _entries(one, levels - 1)


def _size(entry: Mapping[str, Any]) -> int:
    size = entry.get("size")
    return size if isinstance(size, int) else 0
