"""Process: the versions and drafts of the office's processes, for administrators to change and for everyone to see (docs/protocol.md §4)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import msgspec
import sqlalchemy as sa

from server_stub.audit.chain import do_record
from server_stub.clock import format_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.alerts import OFFICE as OFFICE_URN
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.processes import process_publishing, process_store
from server_stub.modules.engine.processes.delegations import ADMIN_ROLES
from server_stub.modules.engine.processes.process_content import refused_file, take_content
from server_stub.modules.engine.processes.process_folders import known_roles_of
from server_stub.modules.engine.processes.process_methods import ProcessMethods
from server_stub.modules.engine.processes.process_publishing import NotPublishable
from server_stub.modules.engine.processes.process_soundness import Found, check_process
from server_stub.modules.engine.processes.process_store import (
    DRAFT,
    OFFICE,
    PROCESS,
    PUBLISHED,
    RETIRED,
    Version,
)
from server_stub.modules.engine.processes.process_tables import process
from server_stub.modules.engine.processes.process_words import performers_text
from server_stub.records.actor import Actor
from server_stub.records.creation import object_id
from server_stub.records.handler import RecordHandler
from server_stub.records.types import GetResult, JsonObject
from server_stub.records.visibility import visible_ids
from server_stub.storage.database import Tx
from server_stub.workflow.diagram import diagram_of
from server_stub.workflow.process_file import Problem, ProcessFile
from server_stub.workflow.step_list import StepList
from server_stub.workflow.step_list_read import read_step_list

_CHUNK: Final = 200
_ON_DEMAND: Final = frozenset({"bpmn", "stepList", "stepListReason"})
_CONTENT: Final = frozenset({"bpmn", "stepList", "recordType"})
_COUNT: Final = "SELECT sha, count(*) FROM office_case WHERE state IN ('running', 'suspended') AND sha IN (SELECT value FROM json_each(?)) GROUP BY sha"


class ProcessHandler(RecordHandler):
    """The Process type."""

    properties = frozenset(
        (
            "id processId module recordType version state name label origin steps diagram notes problems runningCases authorId createdAt updatedAt"
            " publishedAt publishedById bpmn stepList stepListReason"
        ).split()
    )

    def __init__(self, context: OfficeContext, methods: ProcessMethods) -> None:
        super().__init__(PROCESS, OFFICE_URN)
        self.own_methods = methods.by_name()
        self._context = context
        self._shown: dict[str, JsonObject] = {}

    # ------------------------------------------------------------ reading

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult:
        wanted = list(dict.fromkeys(visible_ids(conn, actor.person_id, self.name, ids)))
        admin = bool(actor.roles & ADMIN_ROLES)
        asked = _ON_DEMAND & set(properties or ()) if admin else frozenset[str]()
        found: dict[str, JsonObject] = {}
        for start in range(0, len(wanted), _CHUNK):
            rows = conn.execute(sa.select(process).where(process.c.id.in_(wanted[start : start + _CHUNK]))).all()
            counts = _running(conn, [row.sha for row in rows]) if admin else {}
            for row in rows:
                found[row.id] = self._present(conn, row, asked)
                if admin:
                    found[row.id] |= {"runningCases": counts.get(row.sha, 0), **self._looked_at(conn, row)}
        missing = [] if ids is None else [one for one in dict.fromkeys(ids) if one not in found]
        return GetResult([found[one] for one in wanted if one in found], missing)

    def _present(self, conn: sa.Connection, row: Any, asked: frozenset[str]) -> JsonObject:
        shown: JsonObject = {
            "id": row.id,
            "processId": row.process_id,
            "module": row.module,
            "recordType": row.record_type,
            "version": row.version,
            "state": row.state,
            "origin": row.origin,
            "authorId": row.author_id,
            "createdAt": format_utc(row.created_at),
            "updatedAt": format_utc(row.updated_at),
            "publishedAt": None if row.published_at is None else format_utc(row.published_at),
            "publishedById": row.published_by,
        }
        shown = {key: value for key, value in shown.items() if value is not None}
        shown |= self._of_file(conn, row.file, row.record_type)
        if asked:
            shown |= {"bpmn": _source(conn, row.file).decode("utf-8", "replace")} if "bpmn" in asked else {}
            shown |= _step_list(load_shown_file(conn, row.file)) if asked - {"bpmn"} else {}
        return shown

    def _of_file(self, conn: sa.Connection, sha: str, record_type: str) -> JsonObject:
        """What the file itself says; made once for each file and type."""
        file = load_shown_file(conn, sha)
        type_ = self._context.types.get(record_type)
        steps = [
            {
                "id": one.id,
                "name": one.name,
                "kind": one.options.kind,
                "performersText": performers_text(one.options.performers, file, type_),
                **msgspec.to_builtins(one.options),
            }
            for one in file.steps.values()
        ]
        diagram = self._shown.get(sha)
        if diagram is None:
            if len(self._shown) > _CHUNK:
                self._shown.clear()
            diagram = self._shown[sha] = msgspec.to_builtins(diagram_of(file))
        return {
            "name": file.name,
            **({"label": msgspec.to_builtins(file.labels[file.id])} if file.id in file.labels else {}),
            "steps": steps,
            "notes": msgspec.to_builtins(file.notes),
            "diagram": diagram,
        }

    def _looked_at(self, conn: sa.Connection, row: Any) -> JsonObject:
        """What the check says of a draft."""
        if row.state != DRAFT:
            return {}
        file = load_shown_file(conn, row.file)
        found = self._look(file, (), row.record_type)
        shown: JsonObject = {"notes": msgspec.to_builtins([*file.notes, *found.notes])}
        return shown | ({"problems": msgspec.to_builtins(found.problems)} if found.problems else {})

    # ------------------------------------------------------------ writing

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        _check_admin(actor)
        given = {key: value for key, value in obj.items() if value is not None}
        unknown = sorted(given.keys() - _CONTENT)
        if unknown:
            raise invalid_properties("cannot be set", *unknown)
        content = take_content(given)
        record_type = self._record_type(given.get("recordType"))
        id_ = object_id(tx, creation_id)
        if tx.raw.execute("SELECT 1 FROM record_scope WHERE object_id = ? LIMIT 1", (id_,)).fetchone() is not None:
            raise invalid_properties("this id is taken", "id")
        process_publishing.do_create_draft(
            tx,
            id_,
            process_store.do_keep_file(tx, content.file, content.source),
            process_id=content.file.id,
            module=self._context.modules.get(record_type, ""),
            record_type=record_type,
            origin=OFFICE,
            author_id=actor.person_id,
        )
        shown = self.get(tx.conn, actor, [id_], None).list[0]
        return {"problems": [], **{key: value for key, value in shown.items() if obj.get(key, ...) != value}}

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        _check_admin(actor)
        held = process_store.load_row(tx, id_)
        if held is None or not visible_ids(tx.conn, actor.person_id, self.name, [id_]):
            raise SetError(SetErrorType.NOT_FOUND)
        before = self.get(tx.conn, actor, [id_], None).list[0]
        changed = {key: value for key, value in patch.items() if before.get(key) != value}
        unknown = sorted(changed.keys() - _CONTENT - {"state"})
        if unknown:
            raise invalid_properties("cannot be changed", *unknown)
        if changed.keys() & _CONTENT:
            self._do_change(tx, held, changed)
        if "state" in changed:
            id_ = self._do_move(tx, actor, id_, changed["state"])
        after = self.get(tx.conn, actor, [id_], None).list[0]
        answer = {key: value for key, value in after.items() if before.get(key) != value and patch.get(key) != value}
        return {**answer, **{key: None for key in before if key not in after}} or None

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        _check_admin(actor)
        held = process_store.load_row(tx, id_)
        if held is None:
            raise SetError(SetErrorType.NOT_FOUND)
        if held.version is not None:
            raise SetError(SetErrorType.FORBIDDEN, "a version stays, for the cases that were done by it: retire it")
        process_publishing.do_drop_draft(tx, id_)

    def _do_change(self, tx: Tx, held: Version, changed: Mapping[str, Any]) -> None:
        if held.state != DRAFT:
            raise SetError(SetErrorType.FORBIDDEN, "a version does not change: make a draft", sorted(changed))
        record_type = self._record_type(changed.get("recordType", held.record_type))
        file, process_id = held.file, held.process_id
        if changed.keys() & {"bpmn", "stepList"}:
            content = take_content(changed)
            process_id = content.file.id
            file = process_store.do_keep_file(tx, content.file, content.source)
        module = self._context.modules.get(record_type, "")
        process_publishing.do_change_draft(
            tx, held.id, file, process_id=process_id, module=module, record_type=record_type
        )

    def _do_move(self, tx: Tx, actor: Actor, id_: str, state: object) -> str:
        """Publish or retire. Returns the id under which it is published: an earlier version where the draft says the same."""
        held = process_store.load_row(tx, id_)
        assert held is not None
        if state == RETIRED and held.state == PUBLISHED:
            callers = process_publishing.callers_of(tx, held.process_id)
            if callers:
                names = ", ".join(one.process_id for one in callers)
                raise SetError(SetErrorType.FORBIDDEN, f"other processes call it: {names}", ["state"])
            process_publishing.do_retire(tx, id_, actor.person_id)
            do_record(tx, actor.person_id, "process.retire", id_, {"process": held.process_id, "version": held.version})
            return id_
        if state != PUBLISHED or held.state == PUBLISHED:
            raise invalid_properties(f"a {held.state} process cannot become {str(state)[:20]}", "state")
        try:
            self._refuse_unsound(tx, held)
            made = process_publishing.do_publish(tx, id_, actor.person_id)
        except NotPublishable as problem:
            problems = [Problem("", "calls", problem.zh, problem.en)]
            raise refused_file("state", "it calls what is not there", problems) from None
        do_record(
            tx, actor.person_id, "process.publish", made.id, {"process": made.process_id, "version": made.version}
        )
        return made.id

    # ------------------------------------------------------------ checking

    def _refuse_unsound(self, tx: Tx, held: Version) -> None:
        """Whatever type it moves, directly or by way of processes that call it, it must fit."""
        file = process_store.load_file(tx, held.file)
        called = list(process_publishing.calls_of(tx, file).values())
        problems = list(self._look(file, called, held.record_type).problems)
        movers = {one.process_id for one in process_publishing.callers_of(tx, held.process_id)} | {held.process_id}
        for type_ in self._context.types.values():
            if type_.process in movers and type_.name != held.record_type:
                problems += self._look(file, called, type_.name).problems
        if problems:
            raise refused_file("state", "it does not fit the records it moves", list(dict.fromkeys(problems)))

    def _look(self, file: ProcessFile, called: Sequence[ProcessFile], record_type: str) -> Found:
        types = self._context.types
        type_ = types.get(record_type)
        return Found() if type_ is None else check_process(file, called, type_, types, known_roles_of(types.values()))

    def _record_type(self, name: object) -> str:
        if name in (None, ""):
            return ""
        if not isinstance(name, str) or name not in self._context.types:
            raise invalid_properties("there is no such type", "recordType")
        return name


def load_shown_file(conn: sa.Connection, sha: str) -> ProcessFile:
    """A kept file on any snapshot."""
    row = conn.exec_driver_sql("SELECT file FROM process_file WHERE sha = ?", (sha,)).fetchone()
    if row is None:
        raise KeyError(sha)
    return process_store.remember_file(sha, row[0])


def _source(conn: sa.Connection, sha: str) -> bytes:
    row = conn.exec_driver_sql("SELECT source FROM process_file WHERE sha = ?", (sha,)).fetchone()
    return b"" if row is None else bytes(row[0])


def _step_list(file: ProcessFile) -> JsonObject:
    read = read_step_list(file)
    if isinstance(read, StepList):
        return {"stepList": cast(JsonObject, msgspec.to_builtins(read))}
    return {"stepList": None, "stepListReason": msgspec.to_builtins(read)}


def _running(conn: sa.Connection, shas: Sequence[str]) -> dict[str, int]:
    rows = conn.exec_driver_sql(_COUNT, (msgspec.json.encode(list(shas)).decode(),))
    return {row[0]: int(row[1]) for row in rows}


def _check_admin(actor: Actor) -> None:
    if not actor.roles & ADMIN_ROLES:
        raise SetError(SetErrorType.FORBIDDEN, "administrators keep the processes")
