"""Methods of Process beside the five: tryOut, which keeps nothing, and moveCase (docs/protocol.md §4)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from server_stub.errors import MethodError, MethodErrorType, SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.processes import process_store
from server_stub.modules.engine.processes.delegations import ADMIN_ROLES
from server_stub.modules.engine.processes.move_case import do_move_case
from server_stub.modules.engine.processes.process_content import Content, take_content
from server_stub.modules.engine.processes.process_folders import known_roles_of
from server_stub.modules.engine.processes.process_publishing import NotPublishable, calls_of
from server_stub.modules.engine.processes.process_soundness import check_process
from server_stub.modules.engine.processes.try_out import Trial, TriedOut, do_try_out
from server_stub.modules.engine.rules import Rules
from server_stub.records.actor import Actor
from server_stub.records.types import JsonObject, OwnMethod
from server_stub.storage.database import Database, Tx
from server_stub.workflow.process_file import Problem

MAX_SCRIPT: Final = 200
_MOVE: Final = frozenset({"caseId", "version", "map"})
_TRY_OUT: Final = frozenset(
    {"id", "processId", "bpmn", "stepList", "recordType", "data", "personId", "script", "chosen"}
)


class ProcessMethods:
    """The own methods of the Process type, over the office's database."""

    def __init__(self, database: Database, context: OfficeContext, rules_of: Callable[[str], Rules | None]) -> None:
        self._database, self._context, self._rules_of = database, context, rules_of

    def by_name(self) -> dict[str, OwnMethod]:
        """For the handler."""
        return {"tryOut": self.try_out, "moveCase": self.move_case}

    async def try_out(self, actor: Actor, arguments: JsonObject) -> JsonObject:
        """A case with this data, started by this person, in a transaction that is thrown away."""
        _check_admin(actor)
        _refuse_unknown(arguments, _TRY_OUT)
        person_id, data, script = arguments.get("personId"), arguments.get("data", {}), arguments.get("script") or []
        if not isinstance(person_id, str) or not isinstance(data, dict):
            raise invalid_properties("who starts it, and the record's fields", "personId", "data")
        if not isinstance(script, list) or len(script) > MAX_SCRIPT or not all(isinstance(one, str) for one in script):
            raise invalid_properties(f"a list of at most {MAX_SCRIPT} outcomes", "script")

        chosen = arguments.get("chosen") or {}
        if not isinstance(chosen, dict) or not all(isinstance(one, list) for one in chosen.values()):
            raise invalid_properties("step → people", "chosen")

        def work(tx: Tx) -> None:
            raise TriedOut(self._try(tx, arguments, person_id, data, script, chosen))

        try:
            await self._database.write(work)
        except TriedOut as done:
            return done.answer
        raise AssertionError("a try-out always ends in TriedOut")

    async def move_case(self, actor: Actor, arguments: JsonObject) -> JsonObject:
        """Take a running case to another version."""
        _check_admin(actor)
        _refuse_unknown(arguments, _MOVE)
        case_id, version, given = arguments.get("caseId"), arguments.get("version"), arguments.get("map") or {}
        if not isinstance(case_id, str) or not isinstance(version, int) or isinstance(version, bool):
            raise invalid_properties("a case and the number of a version", "caseId", "version")
        if not isinstance(given, dict) or not all(isinstance(one, str) for one in given.values()):
            raise invalid_properties("from steps now to steps there", "map")
        moved = await self._database.write(
            lambda tx: do_move_case(tx, self._context, self._rules_of, actor, case_id, version, given)
        )
        return {"moved": moved}

    def _try(
        self,
        tx: Tx,
        arguments: Mapping[str, Any],
        person_id: str,
        data: Mapping[str, Any],
        script: list[str],
        chosen: Mapping[str, list[str]],
    ) -> JsonObject:
        content, record_type = self._content(tx, arguments)
        rules = self._rules_of(record_type)
        if rules is None:
            raise invalid_properties("there is no such type", "recordType")
        file = content.file
        try:
            called = calls_of(tx, file)
        except NotPublishable as problem:
            trial = Trial(problems=[Problem("", "calls", problem.zh, problem.en)])
            return {**trial.to_object(), "notes": msgspec.to_builtins(file.notes)}
        types = self._context.types
        found = check_process(file, called.values(), rules.definition, types, known_roles_of(types.values()))
        trial = do_try_out(tx, self._context, rules, file, called, data, person_id, script, chosen)
        trial.problems += found.problems
        return {**trial.to_object(), "notes": msgspec.to_builtins([*file.notes, *found.notes])}

    def _content(self, tx: Tx, arguments: Mapping[str, Any]) -> tuple[Content, str]:
        """What is tried out: a version or draft by `id`, the published one by `processId`, or content given; and the type of its records."""
        given, record_type = arguments.get("id"), arguments.get("recordType")
        if given is None and arguments.get("processId") is None:
            return take_content(arguments), str(record_type or "")
        by_id = given is not None
        load = process_store.load_row if by_id else process_store.current_version
        held = load(tx, str(given if by_id else arguments["processId"]))
        if held is None:
            raise SetError(SetErrorType.NOT_FOUND, "there is no such process")
        content = Content(process_store.load_file(tx, held.file), process_store.load_source(tx, held.file))
        return content, str(record_type or held.record_type)


def _check_admin(actor: Actor) -> None:
    if not actor.roles & ADMIN_ROLES:
        raise MethodError(MethodErrorType.FORBIDDEN, "administrators keep the processes")


def _refuse_unknown(arguments: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(arguments.keys() - known)
    if unknown:
        raise MethodError(MethodErrorType.INVALID_ARGUMENTS, f"unknown: {', '.join(unknown)[:200]}")
