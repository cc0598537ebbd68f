"""Handing over: an administrator gives all open work of one person to another, of a leaver too; the history of each case says so."""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from server_stub.accounts.directory import PERSON, load_rights
from server_stub.audit.chain import do_record
from server_stub.errors import MethodError, MethodErrorType, invalid_properties
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.processes.book import Round
from server_stub.modules.engine.processes.delegations import ADMIN_ROLES
from server_stub.modules.engine.processes.handing import give_once_more
from server_stub.modules.engine.processes.rows import ItemRow, load_case
from server_stub.modules.engine.processes.run import CaseRun, load_run
from server_stub.modules.engine.processes.saving import do_save
from server_stub.modules.engine.rules import Rules
from server_stub.records.actor import Actor
from server_stub.records.store import load_record
from server_stub.records.types import JsonObject
from server_stub.storage.database import Database, Tx

METHOD: Final = "handOver"
TAKE_BACK: Final = "takeBack"
CASES_AT_ONCE: Final = 50
_ARGUMENTS: Final = frozenset({"fromId", "toId", "modules"})

RulesOf = Callable[[str], Rules | None]


class HandOver:
    """The method Person/handOver `{fromId, toId, modules?}` → `{count}`; in several transactions, so that others come in between."""

    def __init__(self, database: Database, context: OfficeContext, rules_of: RulesOf) -> None:
        self._database, self._context, self._rules_of = database, context, rules_of

    async def __call__(self, actor: Actor, arguments: JsonObject) -> JsonObject:
        """Raises MethodError forbidden, invalidArguments; SetError: the people are not there."""
        if not actor.roles & ADMIN_ROLES:
            raise MethodError(MethodErrorType.FORBIDDEN, "administrators hand over the work of others")
        from_id, to_id, modules = arguments.get("fromId"), arguments.get("toId"), arguments.get("modules") or []
        if arguments.keys() - _ARGUMENTS or not isinstance(from_id, str) or not isinstance(to_id, str):
            raise MethodError(MethodErrorType.INVALID_ARGUMENTS, "fromId, toId and perhaps modules")
        if not isinstance(modules, list) or not all(isinstance(one, str) for one in modules):
            raise MethodError(MethodErrorType.INVALID_ARGUMENTS, "modules is a list of modules")
        count, after = 0, ""
        while True:
            done, after = await self._database.write(
                lambda tx, after=after: do_hand_over(  # type: ignore[misc]  # a default argument binds the loop's value
                    tx, self._context, self._rules_of, from_id, to_id, modules, actor.person_id, after
                )
            )
            count += done
            if not after:
                return {"count": count}


class TakeBack:
    """The method Person/takeBack `{}` → `{count}`: whoever is back has again what others still do for them; in several transactions."""

    def __init__(self, database: Database, context: OfficeContext, rules_of: RulesOf) -> None:
        self._database, self._context, self._rules_of = database, context, rules_of

    async def __call__(self, actor: Actor, arguments: JsonObject) -> JsonObject:
        """Raises MethodError invalidArguments."""
        if arguments:
            raise MethodError(MethodErrorType.INVALID_ARGUMENTS, "no arguments: one's own work comes back")
        count, after = 0, ""
        while True:
            done, after = await self._database.write(
                lambda tx, after=after: do_take_back(  # type: ignore[misc]  # as above
                    tx, self._context, self._rules_of, actor.person_id, after
                )
            )
            count += done
            if not after:
                return {"count": count}


def do_hand_over(
    tx: Tx,
    context: OfficeContext,
    rules_of: RulesOf,
    from_id: str,
    to_id: str,
    modules: Collection[str],
    by: str,
    after: str = "",
) -> tuple[int, str]:
    """Give the open work of a person to another, CASES_AT_ONCE cases at most.

    Args:
        modules: only of these; empty: of all.
        by: the administrator. after: the last case of the call before.

    Returns:
        How many work items changed hands, and the last case when there may be more, else "".

    Raises:
        SetError: invalidProperties: there are no such people.
    """
    if load_record(tx.conn, from_id, type_name=PERSON) is None:
        raise invalid_properties("there is no such person", "fromId")
    if not load_rights(tx.conn, to_id).active or to_id == from_id:
        raise invalid_properties("must be another, active person", "toId")
    rows = tx.raw.execute(
        "SELECT DISTINCT i.case_id FROM work_item_person AS p JOIN work_item AS i ON i.id = p.item_id"
        " WHERE p.person_id = ? AND i.state = 'open' AND i.case_id > ? ORDER BY i.case_id LIMIT ?",
        (from_id, after, CASES_AT_ONCE),
    ).fetchall()
    count = 0
    for (case_id,) in rows:
        run = _load(tx, context, rules_of, case_id)
        if run is not None and (not modules or run.case.module in modules):
            count += _hand_over_case(run, from_id, to_id, by)
    if count:
        do_record(tx, by, "work.handOver", from_id, {"to": to_id, "items": count})
    return count, rows[-1][0] if len(rows) == CASES_AT_ONCE else ""


def _load(tx: Tx, context: OfficeContext, rules_of: RulesOf, case_id: str) -> CaseRun | None:
    case = load_case(tx.conn, case_id)
    record = None if case is None else load_record(tx.conn, case.record_id, type_name=case.record_type)
    rules = None if record is None else rules_of(record.type)
    return None if case is None or record is None or rules is None else load_run(tx, context, rules, record, case)


def _hand_over_case(run: CaseRun, from_id: str, to_id: str, by: str) -> int:
    """Every open item of the one in a case, and what was to come to him, is the other's."""
    held = [one for one in run.items.values() if from_id in one.people]
    for item in held:
        _hand_over_item(run, item, from_id, to_id, by)
    for round_ in run.book.rounds.values():
        _replace_in_round(round_, from_id, to_id)
    for step_id, people in run.book.chosen.items():
        run.book.chosen[step_id] = _replaced(people, from_id, to_id)
    do_save(run)
    return len(held)


def _hand_over_item(run: CaseRun, item: ItemRow, from_id: str, to_id: str, by: str) -> None:
    event = run.add_event("handOver", person_id=by, item=item, on_behalf_of=from_id, extra={"to": [to_id]})
    made = give_again(
        run, item, {to_id if one == from_id else one: absent for one, absent in item.people.items()}, event.id
    )
    made.offer.actions, made.offer.return_to = item.offer.actions, item.offer.return_to


def give_again(run: CaseRun, item: ItemRow, people: Mapping[str, str | None], event_id: str) -> ItemRow:
    """In the place of an open item another for these people (each with whom they act for), as the step offers it now; limits stay."""
    run.close_item(item, "withdrawn", event_id)
    return give_once_more(run, item, people)


# ---------------------------------------------------------------- back from an absence


def do_take_back(tx: Tx, context: OfficeContext, rules_of: RulesOf, person_id: str, after: str = "") -> tuple[int, str]:
    """What others have on behalf of a person and have not done is the person's own again, in CASES_AT_ONCE cases at most.

    Returns:
        How many work items came back, and the last case when there may be more, else "".
    """
    rows = tx.raw.execute(
        "SELECT DISTINCT i.case_id FROM work_item_person AS p JOIN work_item AS i ON i.id = p.item_id"
        " WHERE p.on_behalf_of = ? AND p.todo_id IS NOT NULL AND i.state = 'open' AND i.case_id > ? ORDER BY i.case_id LIMIT ?",
        (person_id, after, CASES_AT_ONCE),
    ).fetchall()
    count = 0
    for (case_id,) in rows:
        run = _load(tx, context, rules_of, case_id)
        if run is not None:
            count += _take_back_case(run, person_id)
    if count:
        do_record(tx, person_id, "work.takeBack", person_id, {"items": count})
    return count, rows[-1][0] if len(rows) == CASES_AT_ONCE else ""


def _take_back_case(run: CaseRun, person_id: str) -> int:
    held = [one for one in run.items.values() if person_id in one.people.values()]
    for item in held:
        event = run.add_event("takeBack", person_id=person_id, item=item)
        people = {(person_id if absent == person_id else one): absent for one, absent in item.people.items()}
        people[person_id] = None
        made = give_again(run, item, people, event.id)
        made.offer.actions, made.offer.return_to = item.offer.actions, item.offer.return_to
    for round_ in run.book.rounds.values():
        for delegate in [one for one, absent in round_.on_behalf.items() if absent == person_id]:
            _replace_in_round(round_, delegate, person_id)
            del round_.on_behalf[delegate]
    do_save(run)
    return len(held)


def _replace_in_round(round_: Round, from_id: str, to_id: str) -> None:
    round_.waiting = _replaced(round_.waiting, from_id, to_id)
    round_.resolved = _replaced(round_.resolved, from_id, to_id)
    for asking in round_.asking.values():
        asking.waiting = _replaced(asking.waiting, from_id, to_id)
        if asking.person_id == from_id:
            asking.person_id = to_id


def _replaced(people: list[str], from_id: str, to_id: str) -> list[str]:
    return list(dict.fromkeys(to_id if one == from_id else one for one in people))
