"""Verbs across modules: what waits for this user, what was begun, what falls due, what the day holds. From the store alone, so they work offline."""

from typing import Any, Final

from desktop.core.clock import local_minutes, utc_date
from desktop.core.domain import AgendaItem, DueItem, Light, ModuleDefinition, Record, Todo, TypeDefinition, ViewKind
from desktop.core.domain.access import Rights
from desktop.core.domain.conditions import ALWAYS, Compare, Condition, Every, Facts, Is, Literal, Never, Some, resolve
from desktop.core.domain.definition import Due, FieldKind
from desktop.core.domain.moments import DAY_MS, Moment, bounds_ms, day_of, day_start, instant_moment
from desktop.core.domain.titles import title_of
from desktop.core.services.record_query import Asking
from desktop.core.services.record_scene import Scene
from desktop.core.services.record_talk import RecordTalk
from desktop.core.sync.port import RecordsWanted, SortKey, Store

HORIZON_DAYS: Final = 90
"""How far ahead the radar looks."""
MAX_DUE: Final = 200
MAX_STARTED: Final = 200
LONGEST_DAYS: Final = 62
"""Spans that began earlier than this before a day are not found on its agenda."""
_PEOPLE: Final = frozenset({FieldKind.PERSON, FieldKind.PERSONS})
_NEWEST: Final = (SortKey("createdAt", True, "time"),)


class RecordWaiting(RecordTalk):
    """The workbench's questions."""

    async def todos(self, kind: str | None = None, state: str = "open") -> list[Todo]:
        """What waits for this user: what is due first stands first, then the newest. kind: todo, toRead or both."""
        found = await self._todos()
        chosen = [todo for todo in found if todo.state == state and kind in (None, todo.kind.value)]
        return sorted(chosen, key=lambda todo: (todo.due_at is None, todo.due_at or 0, -todo.created_at, todo.id))

    async def done(self) -> list[Todo]:
        """What this user did, the last first."""
        found = [todo for todo in await self._todos() if todo.state == "done"]
        return sorted(found, key=lambda todo: (-(todo.done_at or todo.created_at), todo.id))

    async def counts(self) -> dict[str, int]:
        """How much waits in each module that has something waiting."""
        found: dict[str, int] = {}
        for todo in await self._todos():
            if todo.state == "open":
                found[todo.module] = found.get(todo.module, 0) + 1
        return found

    async def _todos(self) -> list[Todo]:
        store, me = self._context.store, self._context.me
        found = await self._context.db(store.load_objects, "Todo")
        return [todo for todo in found if isinstance(todo, Todo) and todo.person_id in ("", me)]

    async def started(self) -> list[Record]:
        """What this user began, the newest first: records of the types that are tracked."""

        def load(store: Store, asking: Asking, scene: Scene) -> list[Record]:
            mine = Is("authorId", (Literal(self._context.me),), many=False)
            found: list[Record] = []
            for _, type_ in scene.homes.values():
                if type_.tracked:
                    wanted = RecordsWanted(type_.name, mine, _NEWEST, limit=MAX_STARTED)
                    found += store.load_page(asking.laid(wanted))[0]
            return sorted(found, key=lambda record: (-record.created_at, record.id))[:MAX_STARTED]

        return await self._ask(load)

    # ------------------------------------------------------------ dates
    async def radar(self) -> list[DueItem]:
        """What falls due for this user, the earliest first: what is over, and the next 90 days."""

        def load(store: Store, asking: Asking, scene: Scene) -> list[DueItem]:
            facts = self._facts(scene)
            found: list[DueItem] = []
            for module, type_ in scene.homes.values():
                for due in type_.due:
                    condition = _falls_due(type_, due, facts, scene.organization.roles.get(facts.me, frozenset()))
                    wanted = RecordsWanted(type_.name, condition, (SortKey(due.field, False, "time"),), limit=MAX_DUE)
                    records = store.load_page(asking.laid(wanted))[0]
                    self._scene.learn(self._needed(store, scene, type_.name, records))
                    rights = self._scene.rights(type_.name)
                    found += _due_items(module, type_, due, records, rights, facts, asking) if rights else []
            return sorted(found, key=lambda item: (item.at_ms, item.record.id))

        return await self._ask(load)

    async def agenda(self, day_start_ms: int, day_end_ms: int) -> list[AgendaItem]:
        """What takes this user's time between two moments: bookings and what stands in calendars, as author or as one of its people."""

        def load(store: Store, asking: Asking, scene: Scene) -> list[AgendaItem]:
            zone = local_minutes(day_start_ms)
            found: list[AgendaItem] = []
            for module, type_ in scene.homes.values():
                for field in _time_fields(module, type_):
                    condition = Every(
                        (_concerns(type_, self._context.me), _within(field, day_start_ms, day_end_ms, zone))
                    )
                    for record in store.load_page(asking.laid(RecordsWanted(type_.name, condition)))[0]:
                        item = _agenda_item(module, type_, record, field, zone, asking)
                        if item is not None and item.start < day_end_ms and item.end > day_start_ms:
                            found.append(item)
            return sorted(found, key=lambda item: (not item.all_day, item.start, item.end, item.record.id))

        return await self._ask(load)


def _falls_due(type_: TypeDefinition, due: Due, facts: Facts, roles: frozenset[str]) -> Condition:
    parts: list[Condition] = [
        _meant(type_, due.to, facts.me, roles),
        Never(Is(due.field, (Literal(),))),
        resolve({f"{due.field}Before": f"@today+{HORIZON_DAYS}d"}, facts),
    ]
    if type_.final_states:
        parts.append(Never(Is("state", tuple(Literal(value) for value in sorted(type_.final_states)))))
    if due.unless is not None:
        parts.append(Never(resolve(due.unless, facts)))
    return Every(tuple(parts))


def _meant(type_: TypeDefinition, principals: tuple[str, ...], me: str, roles: frozenset[str]) -> Condition:
    """Records for which one of the principals may be this user: the store picks them, `Rights.holds` decides."""
    parts: list[Condition] = []
    for principal in principals:
        who = principal.partition("@")[0]
        kind, _, rest = who.partition(":")
        field = type_.field(rest) if kind == "field" and "." not in rest else None
        if who == "author":
            parts.append(Is("authorId", (Literal(me),), many=False))
        elif field is not None and field.kind in _PEOPLE:
            parts.append(Is(field.name, (Literal(me),)))
        elif kind != "role" or rest in roles:
            return ALWAYS
    return Some(tuple(parts))


def _due_items(
    module: ModuleDefinition,
    type_: TypeDefinition,
    due: Due,
    records: list[Record],
    rights: Rights,
    facts: Facts,
    asking: Asking,
) -> list[DueItem]:
    found: list[DueItem] = []
    for record in records:
        bounds = due_bounds(record.data.get(due.field), facts.zone)
        if bounds is not None and rights.holds(due.to, record):
            title = title_of(type_, record.data, name_of=asking.name_of)
            light = light_of(bounds, due.amber_days, facts)
            found.append(DueItem(record, due, bounds, light, title, module.id))
    return found


def due_bounds(value: Any, zone: int) -> int | None:
    """When a date is over, ms: a date at the end of its day, a span when it begins."""
    bounds = bounds_ms(value, zone)
    if bounds is None:
        return None
    return bounds[0] if isinstance(value, dict) else bounds[1]


def light_of(at_ms: int, amber_days: int, facts: Facts) -> Light:
    """Green until so many days before, then amber, red when it is over."""
    if at_ms <= facts.now_ms:
        return Light.RED
    today = day_start(day_of(facts.now_ms, facts.zone), facts.zone)
    return Light.AMBER if at_ms <= today + (amber_days + 1) * DAY_MS else Light.GREEN


def _time_fields(module: ModuleDefinition, type_: TypeDefinition) -> list[str]:
    """The fields that place records of a type in time."""
    found = [type_.booking.span] if type_.booking is not None else []
    for view in module.views:
        if view.type == type_.name and view.kind in (ViewKind.CALENDAR, ViewKind.TIMELINE) and view.time is not None:
            found.append(view.time)
    return list(dict.fromkeys(found))


def _concerns(type_: TypeDefinition, me: str) -> Condition:
    mine = (Literal(me),)
    people = [field.name for field in type_.fields if field.kind in _PEOPLE]
    concerned = Some((Is("authorId", mine), *(Is(name, mine) for name in people)))
    if type_.booking is None or not type_.booking.states:
        return concerned
    return Every((concerned, Is("state", tuple(Literal(state) for state in type_.booking.states))))


def _within(field: str, start: int, end: int, zone: int) -> Condition:
    """The field begins before `end`, and not so long before `start` that nothing could reach it."""

    def literal(ms: int) -> Literal:
        moment = instant_moment(ms, zone)
        return Literal(utc_date(ms), moment=moment)

    last = instant_moment(end - 1, zone)
    before = Literal(utc_date(end), moment=Moment(_next(last.day, zone), last.start, last.end, utc_date(end)))
    return Every((Compare(field, False, literal(start - LONGEST_DAYS * DAY_MS)), Compare(field, True, before)))


def _next(day: str, zone: int) -> str:
    return day_of(day_start(day, zone) + DAY_MS + DAY_MS // 2, zone)


def _agenda_item(
    module: ModuleDefinition, type_: TypeDefinition, record: Record, field: str, zone: int, asking: Asking
) -> AgendaItem | None:
    value = record.data.get(field)
    bounds = bounds_ms(value, zone)
    if bounds is None:
        return None
    start, end = bounds
    whole = isinstance(value, str) and end > start
    title = title_of(type_, record.data, name_of=asking.name_of)
    return AgendaItem(record, title, start, max(end, start + 1), module.id, whole)
