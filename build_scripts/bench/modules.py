"""Office modules from the encrypted store: every kind of view over 10,000 records, the first page of 100,000, a filter as it is typed, the workbench.

  dev.py bench modules; main takes [--rows N] [--many N]

Times are of the verbs a screen awaits (RecordsService), the store's thread included, nobody connected. "cold": the first question after the store was
opened. As in the client, Python's collector does not run on these threads. References in the same run: the bare read of the same rows and their decoding.
"""

import argparse
import asyncio
import gc
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import apsw
import msgspec

from build_scripts.bench.figures import percentile
from desktop.core.clock import SystemClock, local_minutes, utc_date
from desktop.core.domain import Department, Identity, Person, Record, RecordQuery, Todo
from desktop.core.domain.moments import DAY_MS, day_of, day_start, moved
from desktop.core.protocol.objects import object_of
from desktop.core.services.records import RecordsService
from desktop.core.store.sqlite import SqliteStore
from desktop.core.sync.port import PutObjects
from tests.helpers.record_desk import record_desk
from tests.helpers.record_model import RecordModel

KEY = bytes(range(32))
ME = "0192f000-0000-7000-8000-000000000007"
PEOPLE = 300
CARS = 60
BATCH = 1000
ROUNDS = 15
WORDS = ("防汛", "档案", "会议", "检查", "接待", "培训")
PLACES = ("市政府", "水库管理处", "档案馆", "开发区", "高铁站")
STATES = ("draft", "pending", "approved", "out", "returned", "refused")


def person_id(number: int) -> str:
    """Of the `number`th colleague; this user is one of them."""
    return f"0192f000-0000-7000-8000-{number:012x}"


def label(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


def field(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "label": label(name), **more}


def trip_type(name: str) -> dict[str, Any]:
    """A type like the vehicles' trips: 16 fields, states, a due date, lines with a formula."""
    lines = [field("item", "text"), field("amount", "money")]
    return {
        "name": name,
        "label": label(name),
        "title": ["number", "destination"],
        "fields": [
            field("number", "text", readOnly=True), field("purpose", "text", required=True), field("driverId", "person"),
            field("vehicleId", "reference", target="Vehicle"), field("userIds", "persons"), field("people", "number"),
            field("span", "span"), field("destination", "text"), field("route", "text"), field("startKm", "number"),
            field("endKm", "number"), field("level", "choice", choices=[{"value": "low", "label": label("低")},
                                                                       {"value": "high", "label": label("高")}]),
            field("dueDate", "date"), field("note", "longText"), field("lines", "lines", fields=lines),
            field("cost", "money", formula=["sum", "lines.amount"]),
        ],
        "access": {"read": ["everyone"], "create": ["everyone"], "update": ["author"], "destroy": ["author"]},
        "states": [{"value": state, "label": label(state), "final": state in ("returned", "refused")} for state in STATES],
        "booking": {"resource": "vehicleId", "span": "span", "states": ["pending", "approved", "out"]},
        "due": [{"field": "dueDate", "label": label("due"), "to": ["author", "field:driverId"]}],
        "tracked": True,
    }  # fmt: skip


def module(module_id: str, *types: str) -> dict[str, Any]:
    """A module with these trip-like types, a calendar of each, and the vehicles."""
    vehicle = {
        "name": "Vehicle", "label": label("vehicle"), "title": ["plate"], "fields": [field("plate", "text")],
        "access": {"read": ["everyone"], "create": [], "update": [], "destroy": []},
    }  # fmt: skip
    views = [
        {"id": f"v{n}", "type": name, "kind": "calendar", "label": label(name), "time": "span"}
        for n, name in enumerate(types)
    ]
    own = [vehicle] if module_id == "vehicles" else []
    return {
        "id": module_id, "group": "official", "label": label(module_id), "icon": "ph.car", "order": 1,
        "types": [*own, *(trip_type(name) for name in types)], "views": views,
    }  # fmt: skip


class Office:
    """Records to measure over; the same for the same seed."""

    def __init__(self, now: int) -> None:
        self._random = random.Random(7)
        self._now = now
        self._zone = local_minutes(now)
        self._today = day_of(now, self._zone)

    def trip(self, type_name: str, number: int) -> Record:
        pick = self._random
        start = (
            day_start(moved(self._today, pick.randrange(-300, 60), "d"), self._zone) + pick.randrange(7, 18) * 3_600_000
        )
        km = number * 12
        data = {
            "number": f"CL-2026-{number:06}",
            "purpose": f"{pick.choice(WORDS)}现场{pick.choice(WORDS)}",
            "state": pick.choice(STATES),
            "driverId": person_id(pick.randrange(PEOPLE)),
            "vehicleId": f"car-{pick.randrange(CARS)}",
            "userIds": [person_id(pick.randrange(PEOPLE)) for _ in range(2)],
            "people": pick.randrange(1, 7),
            "span": {"start": utc_date(start), "end": utc_date(start + 7_200_000)},
            "destination": pick.choice(PLACES),
            "route": f"单位—{pick.choice(PLACES)}—单位",
            "startKm": km,
            "endKm": km + pick.randrange(5, 200),
            "level": pick.choice(("low", "high")),
            "dueDate": moved(self._today, pick.randrange(-30, 400), "d"),
            "note": "请提前十分钟到达，带好会议材料与工作证件。" * 2,
            "lines": [{"item": "油费", "amount": "120.00"}, {"item": "过路费", "amount": "35.50"}],
            "cost": f"{pick.randrange(2000)}.{pick.randrange(100):02}",
        }
        made = self._now - 400 * DAY_MS + number * 300_000
        author = person_id(pick.randrange(PEOPLE))
        return Record(
            f"0192f{number:08x}"[:8] + f"-0000-7000-8000-{number:012x}",
            type_name,
            data,
            author,
            made,
            made,
            1 + number % 9,
        )

    def fill(self, store: SqliteStore, counts: dict[str, int]) -> float:
        """Writes it all; how many records a second."""
        units = [Department(f"d{n}", f"第{n}处", head_id=person_id(n)) for n in range(20)]
        people = [
            Person(
                person_id(n), f"同事{n}", f"tong shi {n}", f"ts{n}", identities=(Identity(f"d{n % 20}", primary=True),)
            )
            for n in range(PEOPLE)
        ]
        names = list(counts)
        modules = [module("vehicles", names[0]), *(module(f"more{n}", name) for n, name in enumerate(names[1:]))]
        store.apply([PutObjects("Person", tuple(people)), PutObjects("Department", tuple(units))])
        store.apply([PutObjects("ModuleDefinition", tuple(object_of("ModuleDefinition", one, ME) for one in modules))])
        cars = tuple(Record(f"car-{n}", "Vehicle", {"plate": f"沪A·{n:05}"}, None, 1, 1, 1) for n in range(CARS))
        todos = tuple(
            Todo(id=f"t{n}", record_id=f"r{n}", module=names[n % len(names)], person_id=ME, title="待办", due_at=n)
            for n in range(300)
        )
        store.apply([PutObjects("Vehicle", cars), PutObjects("Todo", todos)])
        begin = time.perf_counter()
        for name, count in counts.items():
            for start in range(0, count, BATCH):
                batch = tuple(self.trip(name, n) for n in range(start, min(start + BATCH, count)))
                store.apply([PutObjects(name, batch)])
        return sum(counts.values()) / (time.perf_counter() - begin)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[RecordsService]:
    """The verbs over a store that was just opened; nobody to connect to."""
    store = SqliteStore.open(folder / "store.db", KEY, ME)
    async with record_desk(RecordModel(ME), ME, folder, store) as desk:
        desk.network.cut()
        await desk.records.modules()  # who is who: every screen needs it, once
        yield desk.records


async def timed(ask: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Milliseconds of one question: on the wall, and of this process's processor time (the machine may have other work)."""
    begin, used = time.perf_counter(), time.process_time()
    await ask()
    return (time.perf_counter() - begin) * 1000, (time.process_time() - used) * 1000


def summed_up(samples: list[tuple[float, float]], share: float = 0.95) -> dict[str, float]:
    """p50 and a high percentile on the wall, p50 of processor time."""
    wall = [one for one, _ in samples]
    high = "p95" if share < 1 else "worst"
    return {
        "p50": round(percentile(wall, 0.5), 1),
        high: round(percentile(wall, share), 1),
        "p50 processor": round(percentile([one for _, one in samples], 0.5), 1),
    }


async def cold_and_warm(folder: Path, ask: Callable[[RecordsService], Awaitable[object]]) -> dict[str, float]:
    """The first question after opening, then p50 and the worst of the following ones."""
    async with opened(folder) as records:
        first = await timed(lambda: ask(records))
        samples = [await timed(lambda: ask(records)) for _ in range(ROUNDS)]
    gc.collect()
    return {"cold": round(first[0], 1), "cold, processor": round(first[1], 1), **summed_up(samples, 1.0)}


def month(now: int) -> dict[str, str]:
    """The filter of a calendar that shows this month and its edges."""
    day = day_of(now, local_minutes(now))
    return {"spanAfter": moved(day, -20, "d"), "spanBefore": moved(day, 20, "d")}


def views(name: str, now: int) -> dict[str, Callable[[RecordsService], Awaitable[object]]]:
    """What each kind of view asks for when it opens."""
    mine = {"operator": "OR", "conditions": [{"authorId": "@me"}, {"driverId": "@me"}, {"userIds": "@me"}]}
    open_ = {"state": ["draft", "pending", "approved", "out"], "dueDateBefore": "@today+30d"}
    return {
        "table, newest first": lambda r: r.page(RecordQuery(name)),
        "table, mine": lambda r: r.page(RecordQuery(name, mine)),
        "table, open and due, by date": lambda r: r.page(RecordQuery(name, open_, sort=("dueDate", "-cost"))),
        "table, by driver's name": lambda r: r.page(RecordQuery(name, sort=("driverId",))),
        "table, by vehicle": lambda r: r.page(RecordQuery(name, sort=("vehicleId",))),
        "table, groups and totals": lambda r: r.summary(RecordQuery(name), "state", ("cost", "people")),
        "calendar and timeline, 40 days": lambda r: r.page(RecordQuery(name, month(now), limit=None)),
        "board, 200 a column": lambda r: r.page(RecordQuery(name, {"state": "pending"}, sort=("dueDate",))),
        "chart": lambda r: r.summary(RecordQuery(name), "destination", ("cost",)),
        "all of it (export)": lambda r: r.page(RecordQuery(name, limit=None)),
    }


async def typing(folder: Path, name: str) -> dict[str, float]:
    """A quick filter, letter by letter: a Chinese word, a number, a name in pinyin."""
    samples: list[tuple[float, float]] = []
    async with opened(folder) as records:
        await records.page(RecordQuery(name))
        for text in ("防汛", "cl-2026-0047", "tongshi12", "沪a·0004", "防汛 水库 高"):
            for end in range(1, len(text) + 1):
                query = RecordQuery(name, text=text[:end])
                samples.append(await timed(lambda query=query: records.page(query)))  # type: ignore[misc]
    return summed_up(samples)


async def workbench(folder: Path, now: int) -> dict[str, Any]:
    """What the workbench asks for."""
    start = day_start(day_of(now, local_minutes(now)), local_minutes(now))
    asks: dict[str, Callable[[RecordsService], Awaitable[object]]] = {
        "to-dos": lambda r: r.todos(),
        "counts": lambda r: r.counts(),
        "started": lambda r: r.started(),
        "radar": lambda r: r.radar(),
        "agenda": lambda r: r.agenda(start, start + DAY_MS),
    }
    return {name: await cold_and_warm(folder, ask) for name, ask in asks.items()}


def reference(folder: Path, name: str, count: int) -> float:
    """Milliseconds of processor time of the bare read and decoding of `count` of the same rows."""
    db = apsw.Connection(str(folder / "store.db"))
    db.pragma("cipher", "chacha20")
    db.pragma("key", "raw:" + KEY.hex())
    number = next(iter(db.execute("SELECT n FROM record_type WHERE name = ?", (name,))))[0]
    decoder = msgspec.json.Decoder(Record)
    samples: list[float] = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        rows = db.execute(f"SELECT data FROM record_{number}_data ORDER BY n DESC LIMIT ?", (count,))
        found = [decoder.decode(data) for (data,) in rows]
        samples.append((time.process_time() - begin) * 1000)
        if len(found) != count:
            raise AssertionError(f"{len(found)} rows, not {count}")
    db.close()
    return round(percentile(samples, 0.5), 1)


async def measure(rows: int, many: int) -> dict[str, Any]:
    now = SystemClock().now_ms()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="tongban-modules-") as name:
        folder = Path(name)
        small, large, mixed = (folder / part for part in ("small", "large", "mixed"))
        speed: list[float] = []
        six = {f"Kind{n}": rows // 6 for n in range(6)}
        for place, counts in ((small, {"Trip": rows}), (large, {"Trip": many}), (mixed, six)):
            store = SqliteStore.open(place / "store.db", KEY, ME)
            speed.append(Office(now).fill(store, counts))
            store.close()
        found["taken in, records a second"] = round(speed[1])
        found[f"{rows:,} records, ms"] = {
            view: await cold_and_warm(small, ask) for view, ask in views("Trip", now).items()
        }
        found[f"{rows:,} records, filter as typed, ms"] = await typing(small, "Trip")
        first = {
            view: ask
            for view, ask in views("Trip", now).items()
            if view.startswith(("table, newest", "table, mine", "table, open"))
        }
        found[f"{many:,} records, first page, ms"] = {
            view: await cold_and_warm(large, ask) for view, ask in first.items()
        }
        found[f"{many:,} records, filter as typed, ms"] = await typing(large, "Trip")
        found[f"workbench over {rows:,} records in 6 types, ms"] = await workbench(mixed, now)
        found["reference: bare read and decode, p50 processor, ms"] = {
            "200 rows": reference(small, "Trip", 200),
            f"{rows:,} rows": reference(small, "Trip", rows),
        }
    return found


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """The figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--many", type=int, default=100_000)
    options = parser.parse_args(argv)
    gc.collect()
    gc.disable()
    try:
        return asyncio.run(measure(options.rows, options.many))
    finally:
        gc.enable()
