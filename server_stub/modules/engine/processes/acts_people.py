"""transfer, signers added before and after, countersign, circulate: more people at a step."""

from collections.abc import Mapping, Sequence
from typing import Final

from server_stub.errors import invalid_properties
from server_stub.ids import uuid7
from server_stub.modules.engine.processes.book import Asking, Readers
from server_stub.modules.engine.processes.delegations import stand_in
from server_stub.modules.engine.processes.doing import Doing, note_act
from server_stub.modules.engine.processes.handing import give_item, keep_limits, next_in_order
from server_stub.modules.engine.processes.performers import active_people, resolve
from server_stub.modules.engine.processes.rounds import after_act
from server_stub.modules.engine.processes.rows import ItemRow, Offer, load_items
from server_stub.modules.engine.processes.run import CaseRun

READERS_AT_ONCE: Final = 200
"""New readers in one transaction: others want to write, too."""


def named_people(doing: Doing, *, busy: Sequence[str] = ()) -> dict[str, str | None]:
    """The people an action names → the absent person each stands in for.

    Raises:
        SetError: invalidProperties: nobody, inactive people, oneself, or people who have it already.
    """
    wanted, run = doing.wish.to, doing.run
    if not wanted:
        raise invalid_properties("name somebody", "to")
    if doing.person_id in wanted:
        raise invalid_properties("that would be yourself", "to")
    if len(active_people(run.tx, wanted)) != len(wanted):
        raise invalid_properties("somebody is not there any more", "to")
    named: dict[str, str | None] = {}
    for person_id in wanted:
        delegate = stand_in(run.tx, person_id, run.case.module)
        own = delegate in (person_id, doing.person_id, run.case.started_by)
        named.setdefault(person_id if own else delegate, None if own else person_id)
    if set(named) & set(busy):
        raise invalid_properties("somebody has it already", "to")
    return named


def do_transfer(doing: Doing) -> None:
    """Somebody else does it instead; of several whoever comes first."""
    run, item = doing.run, doing.at
    busy = [one for other in run.items_at(item.token) if other.id != item.id for one in other.people]
    people = named_people(doing, busy=busy)
    absent = item.people.get(doing.person_id or "")
    run.close_item(item, "done", doing.event.id, doing.person_id)
    doing.round.touched = True
    behalf = {one: standing or absent for one, standing in people.items()}
    step = run.step(item.step_id)
    made = give_item(run, step, item.token, doing.round, list(people), item.part, added_by=doing.person_id,
                     on_behalf=behalf, parent=item.offer.parent)  # fmt: skip
    keep_limits(run, made, item)


def do_ask_first(doing: Doing) -> None:
    """addSignerBefore, countersign: others answer first, then it comes back to who asked them."""
    run, item, round_ = doing.run, doing.at, doing.round
    busy = [one for other in run.items_at(item.token) if other.part == "before" for one in other.people]
    people = named_people(doing, busy=busy)
    count, total = doing.wish.count, len(people)
    need = 1 if count == "one" else min(count, total) if isinstance(count, int) else total
    run.close_item(item, "done", doing.event.id, doing.person_id)
    round_.touched = True
    asker = doing.person_id or next(iter(item.people))
    ordered = list(people)
    first = ordered[:1] if doing.wish.order == "sequential" else ordered
    round_.asking[item.id] = Asking(
        asker, item.people.get(asker), item.added_by, item.part, need, waiting=ordered[len(first) :]
    )
    for person_id in first:
        _ask(doing, item.id, person_id, people)


def _ask(doing: Doing, parent: str, person_id: str, behalf: Mapping[str, str | None]) -> None:
    run, step = doing.run, doing.run.step(doing.at.step_id)
    give_item(run, step, doing.at.token, doing.round, [person_id], "before", added_by=doing.round.asking[parent].person_id,
              parent=parent, on_behalf={person_id: behalf.get(person_id)})  # fmt: skip


def answer(doing: Doing) -> None:
    """One of those asked first has answered."""
    run, item, round_ = doing.run, doing.at, doing.round
    parent = item.offer.parent or ""
    asking = round_.asking[parent]
    asking.answered += 1
    if asking.answered >= asking.need:
        for other in [one for one in run.items_at(item.token) if one.offer.parent == parent]:
            run.close_item(other, "withdrawn", doing.event.id)
        _come_back(run, item.token, parent)
    elif (following := next_in_order(run, asking.waiting)) is not None:
        _ask(doing, parent, following[0], dict([following]))
    elif not any(one.offer.parent == parent for one in run.items_at(item.token)):
        _come_back(run, item.token, parent)  # who was to answer next has left


def _come_back(run: CaseRun, token: str, parent: str) -> None:
    round_ = run.book.rounds[token]
    asking, step = round_.asking.pop(parent), run.step(round_.step_id)
    people = active_people(run.tx, [asking.person_id])
    if not people:
        people = list(
            resolve(run.tx, run.context, step.options, run.facts(), run.record, None, run.rules_people).person_ids
        )
    behalf = {one: asking.on_behalf_of for one in people}
    made = give_item(run, step, token, round_, people, asking.part, added_by=asking.added_by, on_behalf=behalf)
    keep_limits(run, made, load_items(run.tx.conn, [parent])[parent])


def do_add_after(doing: Doing) -> None:
    """This person agrees, and others have to sign as well before the step is done."""
    run, item, round_ = doing.run, doing.at, doing.round
    busy = [one for other in run.items_at(item.token) if other.id != item.id for one in other.people]
    people = named_people(doing, busy=busy)
    run.close_item(item, "done", doing.event.id, doing.person_id)
    note_act(doing)
    round_.after += len(people)
    step = run.step(item.step_id)
    for person_id, absent in people.items():
        give_item(run, step, item.token, round_, [person_id], "after", added_by=doing.person_id,
                  on_behalf={person_id: absent})  # fmt: skip
    after_act(run, item.token, doing.event)


def do_circulate(doing: Doing) -> None:
    """Shown to more readers while it goes on; what they do holds nothing up."""
    run = doing.run
    reading = {one for other in run.items.values() if other.part == "read" for one in other.people}
    wanted = [one for one in doing.wish.to if one not in reading]
    if not doing.wish.to:
        raise invalid_properties("name somebody", "to")
    if len(active_people(run.tx, wanted)) != len(wanted):
        raise invalid_properties("somebody is not there any more", "to")
    waiting = {one for other in run.book.readers for one in other.person_ids}
    new = [one for one in wanted if one not in waiting]
    if new:
        run.book.readers.append(Readers(new, doing.at.step_id, doing.at.token, doing.person_id))
        do_show_next(run)


def do_show_next(run: CaseRun) -> None:
    """Show the case to the next READERS_AT_ONCE of those it is circulated to; the others follow in transactions of their own."""
    room = READERS_AT_ONCE
    while run.book.readers and room > 0:
        first = run.book.readers[0]
        now, first.person_ids = first.person_ids[:room], first.person_ids[room:]
        room -= len(now)
        for person_id in active_people(run.tx, now):
            do_show_to(run, person_id, first.step_id, first.token, first.added_by)
        if not first.person_ids:
            run.book.readers.pop(0)


def do_show_to(run: CaseRun, person_id: str, step_id: str, token: str, added_by: str | None) -> None:
    """A person has the record to read; nothing waits for it."""
    item = ItemRow(
        uuid7(run.tx.now), run.case.id, token, step_id, "read", "read", "open", person_id, None, added_by,
        run.tx.now, offer=Offer(actions=[{"name": "read"}, {"name": "circulate"}]), people={person_id: None},
    )  # fmt: skip
    run.open_item(item, added_by)
