"""What the verbs of records know at any moment: the definitions, who is who, what is followed. Replaced as a whole, so that any thread may read it."""

import asyncio
from typing import Final

import msgspec

from desktop.core.clock import local_minutes
from desktop.core.domain import Department, Follow, ModuleDefinition, Person, Record, TypeDefinition
from desktop.core.domain.access import Organization, Rights, Viewer
from desktop.core.events import ChangeSet
from desktop.core.services.context import Context
from desktop.core.sync.outbox import Edit, EditKind, EditState
from desktop.core.sync.port import Store

MODULES: Final = "ModuleDefinition"
PEOPLE: Final = "Person"
FOLLOWS: Final = "Follow"
MAX_FACTS: Final = 5000


class Scene(msgspec.Struct, frozen=True):
    """Attributes:
    homes: type → its module and definition. names: person or department → name. spoken: the same, as one sorts and types them.
    """

    modules: tuple[ModuleDefinition, ...] = ()
    homes: dict[str, tuple[ModuleDefinition, TypeDefinition]] = {}
    organization: Organization = Organization()
    people: dict[str, Person] = {}
    names: dict[str, str] = {}
    spoken: dict[str, str] = {}
    followed: frozenset[str] = frozenset()

    def type(self, type_name: str) -> TypeDefinition | None:
        """The definition of a type."""
        home = self.homes.get(type_name)
        return None if home is None else home[1]


class RecordScene:
    """Keeps the scene fresh, and the few records that rights look into."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._scene = Scene()
        self._stale = {MODULES, PEOPLE, FOLLOWS}
        self._facts: dict[tuple[str, str], Record] = {}
        self._reading = asyncio.Lock()

    def on_change(self, change: ChangeSet) -> None:
        """Something the scene is made of may have changed."""
        match change.type_name:
            case "ModuleDefinition":
                self._stale.add(MODULES)
            case "Person" | "Department":
                self._stale.add(PEOPLE)
            case "Follow":
                self._stale.add(FOLLOWS)
            case name:
                for record_id in (*change.upserts, *change.removed) if self._facts else ():
                    self._facts.pop((name, record_id), None)
                return
        self._context.start(self._refresh(), "records")

    async def _refresh(self) -> None:
        await self.ready()

    async def ready(self) -> Scene:
        """The scene as it is now."""
        if self._stale or self._reading.locked():
            async with self._reading:
                while self._stale:
                    stale, self._stale = self._stale, set()
                    work = (_load, self._context.store, self._context.me, stale, self._scene)
                    self._scene = await self._context.db(*work)
        return self._scene

    @property
    def now(self) -> Scene:
        """The scene as it was last read."""
        return self._scene

    def viewer(self) -> Viewer:
        """This user at this moment."""
        now = self._context.clock.now_ms()
        return Viewer(self._context.me, self._scene.organization, now, local_minutes(now))

    def rights(self, type_name: str) -> Rights | None:
        """What this user may do with records of a type; None: nobody defines it."""
        type_ = self._scene.type(type_name)
        return None if type_ is None else Rights(type_, self.viewer(), lambda name, key: self._facts.get((name, key)))

    def learn(self, records: dict[tuple[str, str], Record]) -> None:
        """Records that rights look into."""
        if records:
            kept = {} if len(self._facts) > MAX_FACTS else self._facts
            self._facts = {**kept, **records}

    def knows(self, type_name: str, record_id: str) -> bool:
        """Whether rights can look into this record."""
        return (type_name, record_id) in self._facts


def _load(store: Store, me: str, stale: set[str], scene: Scene) -> Scene:
    """On the store's thread: the parts of the scene that are stale, read anew."""
    changed: dict[str, object] = {}
    if MODULES in stale:
        found = [value for value in store.load_objects(MODULES) if isinstance(value, ModuleDefinition)]
        modules = tuple(sorted(found, key=lambda module: (module.group, module.order, module.id)))
        changed["modules"] = modules
        changed["homes"] = {type_.name: (module, type_) for module in modules for type_ in module.types}
    if PEOPLE in stale:
        people = [value for value in store.load_objects(PEOPLE) if isinstance(value, Person)]
        departments = [value for value in store.load_objects("Department") if isinstance(value, Department)]
        changed["organization"] = Organization.of(people, departments)
        changed["people"] = {person.id: person for person in people}
        changed["names"] = {
            **{person.id: person.name for person in people},
            **{department.id: department.name for department in departments},
        }
        changed["spoken"] = {
            **{person.id: person.pinyin or person.name for person in people},
            **{department.id: f"{department.order:06d} {department.name}" for department in departments},
        }
    if FOLLOWS in stale:
        follows = [value for value in store.load_objects(FOLLOWS) if isinstance(value, Follow)]
        changed["followed"] = _followed(follows, store.load_edits(), me)
    return msgspec.structs.replace(scene, **changed)


def _followed(follows: list[Follow], edits: list[Edit], me: str) -> frozenset[str]:
    found = {follow.id: follow.record_id for follow in follows if follow.person_id == me}
    for edit in edits:
        if edit.type_name != FOLLOWS or edit.state is EditState.REFUSED:
            continue
        if edit.kind is EditKind.CREATE:
            found[edit.object_id] = str(edit.payload.get("recordId", ""))
        else:
            found.pop(edit.object_id, None)
    return frozenset(found.values())
