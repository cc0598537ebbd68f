"""One case inside one transaction: its machine, its memory and its open items, changed by what is done, then written with all that hangs on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from server_stub.clock import format_utc, utc_offset
from server_stub.errors import SetError
from server_stub.ids import uuid7
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import HANDLERS, PARTICIPANTS, FieldKind, TypeDefinition
from server_stub.modules.engine.processes import process_store
from server_stub.modules.engine.processes.book import Book, decode
from server_stub.modules.engine.processes.performers import CaseFacts
from server_stub.modules.engine.processes.process_store import StoredProcess
from server_stub.modules.engine.processes.rows import ENDED, CaseRow, EventRow, ItemRow, load_open_items
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.titles import title_of
from server_stub.modules.engine.todos import do_finish_todo, do_give_todos, do_retitle_todo
from server_stub.records.store import Record, load_record
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx
from server_stub.workflow.machine import Machine
from server_stub.workflow.machine_faults import ProcessError
from server_stub.workflow.options import Label
from server_stub.workflow.process_file import Step
from server_stub.workflow.working_time import WorkingTime

PROCESS_FAILED: Final = "processFailed"
_NOT_ASKED: Final = frozenset({FieldKind.RICH_TEXT, FieldKind.LONG_TEXT, FieldKind.FILES, FieldKind.BLOB})
"""Kinds that no condition of a process sees: they are long."""


@dataclass(slots=True)
class Told:
    """What is to be told once all is written. `steps`: (step, its event) that were done; `before`: the state the record had."""

    advanced: list[EventRow] = field(default_factory=list)
    steps: list[tuple[str, EventRow]] = field(default_factory=list)
    before: str | None = None
    ended: bool = False


class CaseRun:
    """One case in hand.

    Attributes:
        record: as stored; `state`: what the record's state becomes; None: it stays.
        items: the open ones; changed: those to write; retitled: ids of those whose title is another now.
        machine: None once the case has ended.
        starting: the event that starts the case, until the starter's own first step has taken it.
        acting: who acts; None: the server. chooses: the steps whose people this act may pick.
    """

    def __init__(
        self,
        tx: Tx,
        context: OfficeContext,
        rules: Rules,
        record: Record,
        case: CaseRow,
        book: Book,
        stored: StoredProcess,
        items: dict[str, ItemRow],
    ) -> None:
        self.tx, self.context, self.rules, self.record = tx, context, rules, record
        self.case, self.book, self.stored, self.items = case, book, stored, items
        self.machine: Machine | None = None
        self.state: str | None = None
        self.steps = steps_of(stored)
        self.labels = labels_of(stored)
        self.changed: dict[str, ItemRow] = {}
        self.events: list[EventRow] = []
        self.retitled: list[str] = []
        self.told = Told()
        self.starting: EventRow | None = None
        self.acting: str | None = None
        self.chooses: frozenset[str] = frozenset()

    # ------------------------------------------------------------ looking

    @property
    def definition(self) -> TypeDefinition:
        """Of the record."""
        return self.context.types[self.record.type]

    @property
    def running(self) -> Machine:
        """The machine of a case that has not ended."""
        assert self.machine is not None
        return self.machine

    @property
    def work(self) -> WorkingTime:
        """When this office works."""
        return WorkingTime(utc_offset=utc_offset(self.tx.now))

    def step(self, step_id: str) -> Step:
        """A step of the process, or of one it calls."""
        return self.steps[step_id]

    def step_name(self, step_id: str) -> str:
        """What a step is called; the id of one that is not there."""
        step = self.steps.get(step_id)
        return step_id if step is None else step.name or step_id

    def step_label(self, step_id: str) -> dict[str, str] | None:
        """What a step is called in both languages, where its file says so."""
        found = self.labels.get(step_id)
        return None if found is None else {"zh": found.zh, "en": found.en}

    def step_words(self, step_id: str) -> tuple[str, str]:
        """What a step is called, in Chinese and in English; its name in both where the file has no other."""
        found, name = self.labels.get(step_id), self.step_name(step_id)
        return (name, name) if found is None else (found.zh, found.en)

    def named(self, step_id: str) -> JsonObject:
        """A step as lists on the wire name it: stepId, name, label."""
        label = self.step_label(step_id)
        return {"stepId": step_id, "name": self.step_name(step_id), **({} if label is None else {"label": label})}

    def facts(self) -> CaseFacts:
        """What performers look at."""
        previous = self.book.previous or [self.case.started_by]
        handled = {step: tuple(people) for step, people in self.book.handled.items()}
        return CaseFacts(self.case.started_by, self.case.department_id, self.case.module, tuple(previous), handled)

    def data(self, **more: Any) -> JsonObject:
        """What conditions see (docs/processes.md), with `more`."""
        return {
            "record": record_facts(self.definition, self.record),
            "starter": self.case.started_by,
            "outcomes": dict(self.book.outcomes),
            **more,
        }

    def note_way(self) -> None:
        """Remember what the machine has passed and not gone back over."""
        self.book.done, self.book.way = list(self.running.past_steps), list(self.running.past_elements)

    def items_at(self, token: str) -> list[ItemRow]:
        """The open items of one token, without what was only shown to readers."""
        return [one for one in self.items.values() if one.token == token and one.part != "read"]

    def rules_people(self, name: str) -> Sequence[str]:
        """Who the type's rules name for `rule:<name>`."""
        return tuple(self.rules.performers(self.tx, name, self.case.to_object(), self.record))

    def may_choose(self, step_id: str) -> bool:
        """Whether the act under way picks the people of this step."""
        return step_id in self.chooses

    def serve(self, name: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a service task asks for: the type's rules do it."""
        case = {**self.case.to_object(), "handled": dict(self.book.handled)}
        answer = self.rules.service(self.tx, name, case, self.reload())
        self.reload()
        return {**answer, "record": record_facts(self.definition, self.record)}

    def reload(self) -> Record:
        """The record as it is now: rules may have written it."""
        self.record = load_record(self.tx.conn, self.record.id, type_name=self.record.type) or self.record
        return self.record

    # ------------------------------------------------------------ events

    def add_event(
        self,
        action: str,
        *,
        person_id: str | None = None,
        item: ItemRow | None = None,
        step_id: str = "",
        on_behalf_of: str | None = None,
        event_id: str | None = None,
        extra: JsonObject | None = None,
    ) -> EventRow:
        """One more entry of the history, numbered."""
        self.case.seq += 1
        step = step_id or (item.step_id if item is not None else "")
        made = EventRow(
            event_id or uuid7(self.tx.now),
            self.case.id,
            self.case.seq,
            action,
            None if item is None else item.id,
            step,
            "",
            person_id,
            on_behalf_of,
            self.tx.now,
            extra or {},
        )
        self.name_place(made, step)
        self.events.append(made)
        return made

    def name_place(self, event: EventRow, step_id: str, name: str | None = None) -> None:
        """Say of an entry at which step it happened. `name`: instead of the step's own."""
        event.step_id, event.step_name = step_id, (self.step_name(step_id) if step_id else "") if name is None else name
        label = self.step_label(step_id) if event.step_name else None
        event.extra.pop("stepLabel", None)
        if label is not None:
            event.extra["stepLabel"] = label

    # ------------------------------------------------------------ items

    def open_item(self, made: ItemRow, by: str | None) -> ItemRow:
        """A new item waits for its people: they get a to-do and an alert (not `by`, whose own doing it is)."""
        zh, en = self.step_words(made.step_id)
        label = {"zh": zh, "en": en}
        made.offer.step_name, made.offer.step_label = self.step_name(made.step_id), self.step_label(made.step_id)
        due_at = None if made.due_at is None else format_utc(made.due_at)
        kind = "toRead" if made.kind == "read" else "todo"
        made.todos = do_give_todos(
            self.tx, self.context, self.record, f"step:{made.step_id}", kind, list(made.people), self.case.title,
            due_at, label, by,
        )  # fmt: skip
        self.items[made.id] = self.changed[made.id] = made
        self.book.take_part(*made.people, *made.people.values())
        return made

    def close_item(self, item: ItemRow, state: str, event_id: str | None, person_id: str | None = None) -> None:
        """An item waits no more. `person_id`: who acted on it, when somebody did."""
        item.state, item.done_at, item.closed_by = state, self.tx.now, event_id
        if person_id is not None:
            item.person_id, item.on_behalf_of = person_id, item.people.get(person_id)
        for one, todo_id in item.todos.items():
            do_finish_todo(self.tx, self.record, todo_id, one, f"step:{item.step_id}", self.step_words(item.step_id)[0])
        item.todos = {}
        self.items.pop(item.id, None)
        self.changed[item.id] = item

    def keep_item(self, item: ItemRow) -> None:
        """Something about an item changed: it is written and shown anew."""
        self.changed[item.id] = item

    def retitle(self) -> None:
        """The record may be called something else: all its items, done ones too, show its title."""
        title = title_of(self.tx.conn, self.context.types, self.definition, self.record.data)
        if title != self.case.title:
            self.case.title = title
            rows = self.tx.raw.execute("SELECT id FROM work_item WHERE case_id = ?", (self.case.id,))
            self.retitled = [row[0] for row in rows]
            for item in self.items.values():
                self.renew_todos(item)

    def renew_todos(self, item: ItemRow) -> None:
        """The to-dos of an item say its title and when it is due."""
        due_at = None if item.due_at is None else format_utc(item.due_at)
        for todo_id in item.todos.values():
            do_retitle_todo(self.tx, todo_id, self.case.title, due_at)

    def handlers(self) -> list[str]:
        """Who has a piece of work in this case now, without mere readers."""
        people = (one for item in self.items.values() if item.part != "read" for one in item.people)
        return list(dict.fromkeys(people))

    def kept_fields(self) -> JsonObject:
        """What the process writes into the record."""
        kept: JsonObject = {HANDLERS: self.handlers() or None, PARTICIPANTS: list(self.book.participants) or None}
        return kept if self.state is None else {**kept, "state": self.state}


def steps_of(stored: StoredProcess) -> dict[str, Step]:
    """The steps of a process and of all it calls, by id."""
    called = (file.steps for file in stored.called.values())
    return {step_id: step for steps in (*called, stored.file.steps) for step_id, step in steps.items()}


def labels_of(stored: StoredProcess) -> dict[str, Label]:
    """What the elements of a process and of all it calls are called in both languages, by id; the process's own words first."""
    called = (file.labels for file in stored.called.values())
    return {element: label for labels in (*called, stored.file.labels) for element, label in labels.items()}


def load_run(tx: Tx, context: OfficeContext, rules: Rules, record: Record, case: CaseRow) -> CaseRun:
    """Take a case in hand.

    Raises:
        SetError: processFailed: its saved state cannot be read.
    """
    row = tx.raw.execute("SELECT machine, book FROM case_state WHERE case_id = ?", (case.id,)).fetchone()
    stored = process_store.load(tx, case.sha)
    run = CaseRun(tx, context, rules, record, case, decode(row[1]), stored, load_open_items(tx.conn, case.id))
    if case.state not in ENDED:
        try:
            run.machine = Machine.load(stored.file, stored.called, row[0], service=run.serve)
        except ProcessError as problem:
            raise process_failed(problem) from problem
    return run


def record_facts(definition: TypeDefinition, record: Record) -> JsonObject:
    """A record as conditions of a process see it: every field that is not long; a field without a value is there as null."""
    names = [one.name for one in definition.every_field if one.kind not in _NOT_ASKED]
    return {"id": record.id, "authorId": record.author_id, **{name: record.data.get(name) for name in names}}


def process_failed(problem: ProcessError) -> SetError:
    """What an act is refused with when its process cannot go on; nothing of it was kept."""
    return SetError(PROCESS_FAILED, str(problem)[:500], element=problem.element)


def encoded(values: Sequence[Any]) -> str:
    """JSON for a column."""
    return msgspec.json.encode(values).decode()
