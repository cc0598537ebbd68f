"""Cases: 10,000 running ones in the encrypted store of a client, and completing a step on a server that has as many.

  dev.py bench process; main takes [--cases N] [--server-cases N] [--only client|server]

Client: milliseconds of the verbs a screen awaits (CasesService), the store's thread included, nobody connected; "cold": the first question after opening.
Two people: one who has a fair share of the work, one who has all of it. Reference of the same run: the bare read and decoding of 200 of the same rows.
Server: the transaction of one approval in this process (rights, fields, machine, items, to-dos, alerts, readers). Reference of the same run: an update of
one field of the same records by the same handler.
"""

import argparse
import asyncio
import gc
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from build_scripts.bench.figures import percentile
from build_scripts.bench.modules import KEY, label, reference, summed_up, timed
from desktop.core.clock import SystemClock, utc_date
from desktop.core.domain.cases import WorkQuery, WorkTab
from desktop.core.protocol.objects import object_of
from desktop.core.services.cases import CasesService
from desktop.core.store.sqlite import SqliteStore
from desktop.core.sync.port import PutObjects
from tests.helpers.record_desk import record_desk
from tests.helpers.record_model import RecordModel
from tests.modules.engine.processes.case_bench import BEGIN, CaseBench, end, open_cases, process, step

ME, CHIEF = "0192f000-0000-7000-8000-000000000007", "0192f000-0000-7000-8000-000000000001"
PEOPLE = 300
BATCH = 500
ROUNDS = 15
ACTS = 200
DAY = 86_400_000
HOUR = 3_600_000
UNITS = ("省水利厅", "市档案局", "市政府办", "市财政局", "市公安局")
MATTERS = ("防汛值班", "档案检查", "督办事项", "政务公开", "水费核对")
STEPS = ("拟办", "批办", "承办", "会签", "传阅")


# ------------------------------------------------------------ the client
def incoming() -> dict[str, Any]:
    """A module whose records are documents with a process."""
    fields = [{"name": name, "kind": kind, "label": label(name)} for name, kind in (
        ("number", "text"), ("subject", "text"), ("fromUnit", "text"), ("docNumber", "text"), ("urgency", "text"),
        ("leadId", "department"), ("body", "files"),
    )]  # fmt: skip
    everyone = ["everyone"]
    type_ = {
        "name": "Incoming", "label": label("收文"), "title": ["subject"], "process": "incoming", "fields": fields,
        "states": [{"value": "running", "label": label("办理中")}],
        "access": {"read": everyone, "create": everyone, "update": ["author"], "destroy": ["author"]},
    }  # fmt: skip
    return {
        "id": "papers",
        "group": "official",
        "label": label("公文"),
        "icon": "ph.file",
        "order": 1,
        "types": [type_],
    }


def paper(number: int, now: int) -> dict[str, dict[str, Any]]:
    """One document with its running case, the item that waits, and an entry of its history: by type."""
    key = f"0192f{number:08x}"[:8] + f"-0000-7000-8000-{number:012x}"
    at, holder = utc_date(now - number * 60_000), f"0192f000-0000-7000-8000-{number % PEOPLE:012x}"
    title = f"关于{MATTERS[number % 5]}第{number}号事项的通知"
    about = {"recordType": "Incoming", "recordId": key, "module": "papers"}
    case, stamps = {**about, "caseId": f"c-{key}"}, {"createdAt": at, "updatedAt": at}
    due = utc_date(now + (number % 97 - 20) * HOUR)
    people = [holder] if number % 4 else [holder, ME]
    record = {
        "id": key, **stamps, "authorId": CHIEF, "version": 3, "state": "running", "number": f"收文 2026-{number:05}", "subject": title,
        "fromUnit": UNITS[number % 5], "docNumber": f"苏水防〔2026〕{number}号", "urgency": "normal", "leadId": f"d{number % 20}",
        "body": [{"blobId": f"{number:064x}", "name": "正文.pdf", "type": "application/pdf", "size": 120_000}],
    }  # fmt: skip
    now_at = {"stepId": "instruct", "name": STEPS[number % 5], "since": at, "dueAt": due, "personIds": people}
    return {
        "Incoming": record,
        "Case": {
            "id": f"c-{key}", **about, "processId": "incoming", "processVersion": 1, "title": title, "state": "running",
            "startedById": CHIEF, "startedAt": at, "now": [now_at], "next": [{"stepId": "undertake", "name": "承办"}],
            "done": ["receive", "register", "propose"], "durations": {"receive": 1, "register": 9, "propose": 25},
        },
        "WorkItem": {
            "id": f"w-{key}", **case, "title": title, "stepId": "instruct", "stepName": STEPS[number % 5],
            "kind": "handle" if number % 7 else "read", "state": "open", "personId": people[0] if len(people) == 1 else None,
            "candidateIds": people, "createdAt": at, "dueAt": due, "amberAt": due, "opinion": "optional", "signature": "never",
            "actions": [{"name": "approve"}, {"name": "return", "opinion": "required"}, {"name": "transfer"}],
        },
        "CaseEvent": {"id": f"e-{key}", **case, "action": "approve", "stepId": "propose", "stepName": "拟办", "personId": CHIEF,
                      "opinion": "请领导批示。", "at": at, "seq": 1},
    }  # fmt: skip


def fill(store: SqliteStore, me: str, cases: int, now: int) -> float:
    """Writes the cases; how many objects a second. For the chief everything waits at his own desk."""
    store.apply([PutObjects("ModuleDefinition", (object_of("ModuleDefinition", incoming(), me),))])
    begin = time.perf_counter()
    for start in range(0, cases, BATCH):
        made = [paper(number, now) for number in range(start, min(start + BATCH, cases))]
        if me == CHIEF:
            for one in made:
                one["WorkItem"] |= {"personId": CHIEF, "candidateIds": [CHIEF], "kind": "handle"}
        for name in made[0]:
            store.apply([PutObjects(name, tuple(object_of(name, one[name], me) for one in made))])
    return 4 * cases / (time.perf_counter() - begin)


@asynccontextmanager
async def opened(folder: Path, me: str) -> AsyncIterator[CasesService]:
    """The verbs over a store that was just opened; nobody to connect to."""
    store = SqliteStore.open(folder / "store.db", KEY, me)
    async with record_desk(RecordModel(me), me, folder, store) as desk:
        desk.network.cut()
        await desk.records.modules()
        yield desk.session.cases


async def cold_and_warm(folder: Path, me: str, ask: Callable[[CasesService], Awaitable[object]]) -> dict[str, float]:
    """The first question after opening, then p50 and the worst of the following ones."""
    async with opened(folder, me) as cases:
        first = await timed(lambda: ask(cases))
        samples = [await timed(lambda: ask(cases)) for _ in range(ROUNDS)]
    gc.collect()
    return {"cold": round(first[0], 1), **summed_up(samples, 1.0)}


def questions() -> dict[str, Callable[[CasesService], Awaitable[object]]]:
    """What the desk asks for."""
    return {
        "to-do list, 200 rows": lambda cases: cases.work(WorkQuery()),
        "counts": lambda cases: cases.counts(),
        "to read": lambda cases: cases.work(WorkQuery(WorkTab.TO_READ)),
        "all cases, 200 rows": lambda cases: cases.work(WorkQuery(WorkTab.ALL)),
        "search a unit and a number": lambda cases: cases.work(WorkQuery(text="档案局 〔2026〕42")),
        "search in every title": lambda cases: cases.work(WorkQuery(text="通知")),
        "one record's flow": lambda cases: cases.flow("Incoming", "0192f000-0000-7000-8000-000000000004"),
    }


async def measure_client(cases: int) -> dict[str, Any]:
    """Both people's stores."""
    now, found = SystemClock().now_ms(), dict[str, Any]()
    with tempfile.TemporaryDirectory(prefix="tongban-process-") as name:
        for who, me in (("a clerk", ME), ("who has it all", CHIEF)):
            folder = Path(name) / me
            store = SqliteStore.open(folder / "store.db", KEY, me)
            found["taken in, objects a second"] = round(fill(store, me, cases, now))
            store.close()
            found[f"{who}, ms"] = {ask: await cold_and_warm(folder, me, run) for ask, run in questions().items()}
            found["reference: bare read and decode of 200 items, p50 processor, ms"] = reference(
                folder, "WorkItem", 200
            )
    return found


# ------------------------------------------------------------ the server
def measure_server(cases: int) -> dict[str, Any]:
    """One approval among that many running cases, and one update of a field."""
    bpmn = process(
        BEGIN, step("check", "role:checker", limit="1d", actions="approve return transfer"),
        step("sign", "role:signer", count="all"), end(), flows="begin>check check>sign sign>end",
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="tongban-process-") as name, open_cases(Path(name), bpmn) as bench:
        begin = time.perf_counter()
        records = [bench.submitted(title=f"关于第{number}件事的请示") for number in range(cases)]
        started = (time.perf_counter() - begin) * 1000 / max(1, cases)
        draft = [bench.paper() for _ in range(ACTS)]
        return {
            "submit, mean of all, ms": round(started, 2),
            f"completing a step among {cases:,} running cases, ms": _times(bench, records[-ACTS:], _approve),
            "reference: an update of one field, ms": _times(bench, draft, _update),
        }


def _approve(bench: CaseBench, record: str) -> None:
    bench.act("chen", "approve", record, opinion="同意")


def _update(bench: CaseBench, record: str) -> None:
    bench.update("yu", "Paper", record, note="改一个字")


def _times(bench: CaseBench, records: list[str], work: Callable[[CaseBench, str], None]) -> dict[str, float]:
    samples: list[tuple[float, float]] = []
    for record in records:
        begin, used = time.perf_counter(), time.process_time()
        work(bench, record)
        samples.append(((time.perf_counter() - begin) * 1000, (time.process_time() - used) * 1000))
    wall = [one for one, _ in samples]
    return {**summed_up(samples), "p99": round(percentile(wall, 0.99), 1)}


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """The figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--server-cases", type=int, default=10_000)
    parser.add_argument("--only", choices=("client", "server"))
    options = parser.parse_args(argv)
    found: dict[str, Any] = {}
    gc.collect()
    gc.disable()
    try:
        if options.only != "server":
            found[f"{options.cases:,} running cases in the client's store"] = asyncio.run(measure_client(options.cases))
    finally:
        gc.enable()
    if options.only != "client":
        found["server"] = measure_server(options.server_cases)
    return found
