"""Taking back a return or a transfer while nobody has acted after it: the case as it was before is kept until then, and put back."""

from typing import Final

import msgspec

from server_stub.modules.engine.processes.book import Book, Undo, decode, encode
from server_stub.modules.engine.processes.doing import Doing
from server_stub.modules.engine.processes.handing import give_once_more
from server_stub.modules.engine.processes.rows import EventRow, load_items
from server_stub.modules.engine.processes.run import CaseRun, process_failed
from server_stub.workflow.machine import Machine
from server_stub.workflow.machine_faults import ProcessError

UNDONE: Final = frozenset({"return", "transfer"})
"""Acts that are taken back whole. What else can be withdrawn is found in the rounds (acts_back.py)."""
BESIDE: Final = ("urge", "delegate", "read", "circulate", "escalate")
"""What may happen in between."""


def remember(run: CaseRun, event: EventRow) -> Undo:
    """The case as it is now, before an act that may be taken back."""
    book = msgspec.structs.replace(run.book, undo=None)
    waiting = [one.id for one in run.items.values() if one.part != "read"]
    state = run.record.data.get("state")
    return Undo(
        event_id=event.id,
        seq=event.seq,
        person_id=event.person_id or "",
        step_id=event.step_id,
        machine=run.running.save(),
        book=encode(book),
        items=waiting,
        state=state if isinstance(state, str) else None,
    )


def may_be_undone(run: CaseRun) -> Undo | None:
    """What can be taken back now; None: nothing, or somebody has acted since, or time has."""
    undo = run.book.undo
    if undo is None or run.machine is None:
        return None
    fresh = any(one.seq > undo.seq and one.action not in BESIDE for one in run.events if one.action != "withdraw")
    marks = ",".join("?" * len(BESIDE))
    query = f"SELECT 1 FROM case_event WHERE case_id = ? AND seq > ? AND action NOT IN ({marks}) LIMIT 1"
    later = run.tx.raw.execute(query, (run.case.id, undo.seq, *BESIDE)).fetchone()
    return None if fresh or later is not None else undo


def do_undo(doing: Doing, undo: Undo) -> None:
    """Put the case back to where it was: the same people have the same steps, with the same limits."""
    run, event = doing.run, doing.event
    run.name_place(event, undo.step_id)
    for item in [one for one in run.items.values() if one.part != "read"]:
        run.close_item(item, "withdrawn", event.id)
    before: Book = decode(undo.book)
    before.take_part(*run.book.participants)
    try:
        run.machine = Machine.load(run.stored.file, run.stored.called, undo.machine, service=run.serve)
    except ProcessError as problem:
        raise process_failed(problem) from problem
    run.book = before
    run.state = undo.state
    held = load_items(run.tx.conn, undo.items)
    for item_id in undo.items:
        item = held[item_id]
        made = give_once_more(run, item, item.people)
        made.offer.actions, made.offer.return_to = item.offer.actions, item.offer.return_to
    run.told.advanced.append(event)
