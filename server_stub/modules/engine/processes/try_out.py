"""Trying a process out: a sample record goes through it as given people with given outcomes; nothing of it is kept. Tells who would have each step, by when."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from server_stub.accounts.directory import load_rights
from server_stub.clock import format_utc, utc_offset
from server_stub.errors import SetError, invalid_properties
from server_stub.ids import uuid7
from server_stub.modules.engine.access import Viewer
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import TypeDefinition
from server_stub.modules.engine.fields import check_record, settle_record
from server_stub.modules.engine.keeping import do_keep_new
from server_stub.modules.engine.processes.limits import limits_of
from server_stub.modules.engine.processes.performers import CaseFacts, Resolution, resolve
from server_stub.modules.engine.processes.run import record_facts
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.values import Check
from server_stub.records.actor import Actor
from server_stub.records.store import Record, load_record
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx
from server_stub.workflow.machine import Machine, Token
from server_stub.workflow.machine_faults import ProcessError
from server_stub.workflow.options import OUTCOMES, StepAction, StepOptions
from server_stub.workflow.process_file import Problem, ProcessFile, Step
from server_stub.workflow.working_time import WorkingTime

MAX_STEPS: Final = 100
MAX_TIMERS: Final = 50
BACK: Final = "return"
_ENDING: Final = ("submit", "approve", "read", "refuse")
"""Actions after which a step is left, the likeliest first."""


@dataclass(slots=True)
class Trial:
    """What a try-out tells.

    Attributes:
        trace: moments in their order, as on the wire.
        ended: it came to an end; end_state: the record's state then.
        problems: why it could not go on.
    """

    trace: list[JsonObject] = field(default_factory=list)
    ended: bool = False
    end_state: str | None = None
    problems: list[Problem] = field(default_factory=list)

    def to_object(self) -> JsonObject:
        """The answer of the wire."""
        made: JsonObject = {"trace": self.trace, "ended": self.ended, "problems": msgspec.to_builtins(self.problems)}
        return made if self.end_state is None else {**made, "endState": self.end_state}


class TriedOut(Exception):
    """Carries the answer out of a transaction that is thrown away."""

    def __init__(self, answer: JsonObject) -> None:
        super().__init__()
        self.answer = answer


def do_try_out(
    tx: Tx,
    context: OfficeContext,
    rules: Rules,
    file: ProcessFile,
    called: Mapping[str, ProcessFile],
    data: Mapping[str, Any],
    person_id: str,
    script: Sequence[str],
    chosen: Mapping[str, Sequence[str]],
) -> Trial:
    """Let a record with this data pass through a process. Writes what a real one would write: the caller throws the transaction away.

    Args:
        rules: of the record's type.
        script: the outcome of each step, in the order in which they are reached; beyond it each step takes its first action.
        chosen: step → who is picked for it, and who acts there of those who could.

    Raises:
        SetError: the person or the data is wrong.
    """
    rights = load_rights(tx.conn, person_id)
    if not rights.active:
        raise invalid_properties("must be an active person", "personId")
    actor = Actor(person_id, rights.roles, rights.department_ids)
    record = _sample(tx, context, rules.definition, actor, data)
    return _Trying(tx, context, rules, record, actor, file, called, script, chosen).run()


def _sample(
    tx: Tx, context: OfficeContext, definition: TypeDefinition, actor: Actor, data: Mapping[str, Any]
) -> Record:
    """A record as the person would write it, without the type's own hooks and rights."""
    viewer, standpoint = Viewer(tx.conn, actor, context.types), context.standpoint(tx.now, actor)
    given = {key: value for key, value in data.items() if value is not None and definition.field(key) is not None}
    given.pop("state", None)
    checked = check_record(Check(tx.conn, viewer, standpoint, context.types), definition, given)
    settle_record(standpoint, definition, checked, changed=set(checked), before=None)
    return do_keep_new(tx, context, definition.name, uuid7(tx.now), checked, actor.person_id)


class _Trying:
    """One try-out under way. `now` moves to where timers fire; people act the moment they have something."""

    def __init__(
        self,
        tx: Tx,
        context: OfficeContext,
        rules: Rules,
        record: Record,
        actor: Actor,
        file: ProcessFile,
        called: Mapping[str, ProcessFile],
        script: Sequence[str],
        chosen: Mapping[str, Sequence[str]],
    ) -> None:
        self._tx, self._context, self._rules, self._record, self._actor = tx, context, rules, record, actor
        self._file, self._called = file, called
        self._steps = {step.id: step for one in (*called.values(), file) for step in one.steps.values()}
        self._script, self._chosen = list(script), chosen
        self._choosers = {one: step.id for step in self._steps.values() for one in step.options.chooses}
        self._now = tx.now
        self._work = WorkingTime(utc_offset=utc_offset(tx.now))
        self._outcomes: dict[str, str] = {}
        self._handled: dict[str, tuple[str, ...]] = {}
        self._previous: tuple[str, ...] = (actor.person_id,)
        self._trial = Trial()

    def run(self) -> Trial:
        try:
            self._go(Machine.start(self._file, self._called, self._data(outcome=""), self._now, service=self._serve))
        except ProcessError as problem:
            self._trial.problems.append(
                Problem(problem.element or "", "failed", "流程在这里不能继续", str(problem)[:500])
            )
        except SetError as problem:
            self._trial.problems.append(Problem("", "refused", "单据规则不允许继续", problem.description[:500]))
        return self._trial

    def _go(self, machine: Machine) -> None:
        passed = fired = 0
        while not machine.finished and passed < MAX_STEPS:
            tokens = machine.tokens
            if tokens:
                passed += 1
                self._pass(machine, tokens[0])
                continue
            due = machine.next_due()
            if due is None or fired >= MAX_TIMERS:
                break
            fired += 1
            self._now = max(self._now, due)
            for element in machine.refresh(self._now):
                self._note(element, element, "timer")
        if machine.finished:
            self._end(machine)
        else:
            self._trial.problems.append(Problem("", "noEnd", "试运行没有走到结束", f"no end after {passed} steps"))

    # ------------------------------------------------------------ a step

    def _pass(self, machine: Machine, token: Token) -> None:
        step = self._steps[token.step_id]
        self._enter(step.options)
        found = self._resolved(step, token)
        outcome = self._script.pop(0) if self._script else _usual_outcome(step.options)
        due = limits_of(step.options, self._record, self._now, self._work).due_at
        entry = self._note(step.id, step.name or step.id, "userTask")
        entry["personIds"] = list(found.person_ids)
        entry["outcome"] = outcome
        if found.on_behalf:
            entry["onBehalf"] = dict(found.on_behalf)
        if found.fallback_used and "chosen" in step.options.performers and step.id in self._choosers:
            entry["chosenAt"] = self._choosers[step.id]
        elif found.fallback_used:
            entry["fallback"] = True
            entry["note"] = {
                "zh": "没有找到办理人，转由兜底人员办理",
                "en": "nobody was found: it goes to the fallback",
            }
        if due is not None:
            entry["dueAt"] = format_utc(due)
        if outcome == BACK or outcome.startswith(f"{BACK}:"):
            self._return(machine, token, outcome.partition(":")[2])
            return
        picked = [one for one in found.person_ids if one in self._chosen.get(step.id, ())]
        people = found.person_ids if _is_everybody(step) else (picked or found.person_ids)[:1]
        refused = self._refusal(step, outcome, people)
        if refused:
            entry["note"] = {"zh": f"实际办理时会被拒绝：{refused}", "en": f"it would be refused: {refused}"}
        self._outcomes[step.id] = outcome
        self._handled[step.id] = self._previous = tuple(people)
        results = [{"personId": one, "outcome": outcome} for one in people]
        values = {} if step.many is None else {step.many.results: [outcome] * len(people)}
        machine.complete(token.id, self._data(outcome=outcome, results=results, **values), self._now)

    def _refusal(self, step: Step, outcome: str, people: Sequence[str]) -> str:
        """Why the type's rules would not let the first of these do it with the fields as they are; "": they would."""
        names = (one.name for one in step.options.actions if outcome in (one.outcome, OUTCOMES.get(one.name)))
        event: JsonObject = {
            "action": next(names, "approve"),
            "outcome": outcome,
            "stepId": step.id,
            "recordId": self._record.id,
        }
        event["chosen"] = {one: list(self._chosen[one]) for one in step.options.chooses if one in self._chosen}
        try:
            with self._tx.savepoint():
                for person_id in people[:1]:
                    rights = load_rights(self._tx.conn, person_id)
                    actor = Actor(person_id, rights.roles, rights.department_ids)
                    self._rules.check_case_action(self._tx, actor, self._record, event)
        except SetError as problem:
            properties = ", ".join(problem.properties or ())
            return f"{problem.description or problem.type}{f' ({properties})' if properties else ''}"[:300]
        return ""

    def _return(self, machine: Machine, token: Token, step_id: str) -> None:
        earlier = machine.earlier_steps(token.id)
        target = step_id or (earlier[-1] if earlier else "")
        if target not in earlier:
            raise invalid_properties(f"{token.step_id} cannot be returned to {target or 'anybody'}", "script")
        machine.go_back(token.id, target, self._now, self._data(outcome=BACK))

    def _resolved(self, step: Step, token: Token) -> Resolution:
        options = step.options
        facts = CaseFacts(
            self._actor.person_id,
            self._actor.department_ids[0] if self._actor.department_ids else None,
            self._context.modules.get(self._record.type, ""),
            self._previous,
            self._handled,
        )
        chosen = [token.item] if isinstance(token.item, str) else list(self._chosen.get(step.id, ()))
        if isinstance(token.item, str):
            options = msgspec.structs.replace(options, performers=("chosen",))
        case = {"starterId": self._actor.person_id, "recordType": self._record.type, "recordId": self._record.id}
        return resolve(
            self._tx,
            self._context,
            options,
            facts,
            self._record,
            chosen,
            lambda name: self._rules.performers(self._tx, name, case, self._record),
        )

    def _enter(self, options: StepOptions) -> None:
        first = self._rules.definition.states[0].value if self._rules.definition.states else None
        state = options.state or (first if options.performers == ("starter",) else None)
        if state is not None and self._record.data.get("state") != state:
            self._record = self._rules.change(self._tx, self._record.type, self._record.id, {"state": state})

    def _end(self, machine: Machine) -> None:
        self._trial.ended = True
        for end_id in machine.ended_at:
            end = self._file.ends.get(end_id)
            if end is not None and end.state is not None:
                self._record = self._rules.change(self._tx, self._record.type, self._record.id, {"state": end.state})
            self._note(end_id, "" if end is None else end.name, "end")
        state = self._record.data.get("state")
        self._trial.end_state = state if isinstance(state, str) else None

    # ------------------------------------------------------------ around it

    def _note(self, element: str, name: str, kind: str) -> JsonObject:
        entry: JsonObject = {"stepId": element, "name": name, "kind": kind, "personIds": []}
        label = next(
            (file.labels[element] for file in (self._file, *self._called.values()) if element in file.labels), None
        )
        if label is not None:
            entry["label"] = {"zh": label.zh, "en": label.en}
        entry["enteredAt"] = format_utc(self._now)
        state = self._record.data.get("state")
        if isinstance(state, str):
            entry["state"] = state
        self._trial.trace.append(entry)
        return entry

    def _serve(self, name: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        case = {"starterId": self._actor.person_id, "recordType": self._record.type, "recordId": self._record.id}
        answer = self._rules.service(self._tx, name, case, self._record)
        self._record = load_record(self._tx.conn, self._record.id, type_name=self._record.type) or self._record
        return {**answer, "record": record_facts(self._rules.definition, self._record)}

    def _data(self, **more: Any) -> JsonObject:
        return {
            "record": record_facts(self._rules.definition, self._record),
            "starter": self._actor.person_id,
            "outcomes": dict(self._outcomes),
            **more,
        }


def _usual_outcome(options: StepOptions) -> str:
    """What comes of the likeliest action that leaves the step."""
    return next(_outcomes(options), OUTCOMES["approve"])


def _outcomes(options: StepOptions) -> Iterator[str]:
    def rank(action: StepAction) -> int:
        return _ENDING.index(action.name)

    for action in sorted((one for one in options.actions if one.name in _ENDING), key=rank):
        yield action.outcome or OUTCOMES.get(action.name, action.name)


def _is_everybody(step: Step) -> bool:
    return step.many is not None or step.options.count != "one" or step.options.kind == "read"
