"""The outbox on its way: which edit goes out when, what an answer means for it. One batch per lane is in flight, so a lane keeps its order."""

from collections.abc import Container, Iterable
from typing import Any, Final

import msgspec

from desktop.core.protocol.answers import GetAnswer, MethodError, SetAnswer, SetError, decode_answer
from desktop.core.protocol.frames import MethodCall, Response
from desktop.core.protocol.objects import NOT_SYNCED, DomainObject, decode_object, is_record, object_of
from desktop.core.protocol.problems import ProtocolError
from desktop.core.sync import backoff
from desktop.core.sync.commands import Command, Persist, ReportRefusal
from desktop.core.sync.jobs import Requests, SendJob
from desktop.core.sync.outbox import MAX_BATCH, Edit, EditKind, EditState, merged, next_batch, with_blob
from desktop.core.sync.port import Operation, PutEdit, RemoveEdit, RemoveObjects
from desktop.core.sync.puller import Puller

TRANSIENT: Final = frozenset({"serverFail", "serverUnavailable", "serverPartialFail", "rateLimit"})
"""Errors that another try may cure."""
NOTHING_WRITTEN: Final = frozenset(
    {"Follow", "ReadMark", "Member", "Announcement", "JoinRequest", "Favorite", "Sticker"}
)
"""Types whose refused creates are not kept for the user: there is nothing, or little, of theirs in it."""
MAX_ATTEMPTS: Final = 8
MAX_SENDS: Final = 4
"""Requests with edits in flight at once; the server allows 8 in all."""


class Sender:
    """Keeps the queue in memory as the store has it; every change of it leaves as an operation."""

    def __init__(self, me: str, requests: Requests, puller: Puller) -> None:
        self._me = me
        self._requests = requests
        self._puller = puller
        self._lanes: dict[str, dict[str, Edit]] = {}
        self._lane_of: dict[str, str] = {}
        self._in_flight: dict[str, frozenset[str]] = {}
        self._wait: dict[str, float] = {}
        self._alone: set[str] = set()
        self._order = 0
        self._first_sent: dict[
            str, int
        ] = {}  # edit → which cursor of messages stood when it left for the first time; 0: not known

    def load(self, edits: Iterable[Edit]) -> None:
        """Starts with the saved queue, in order."""
        for edit in edits:
            self._append(edit)
            self._first_sent[edit.id] = 0
            self._order = max(self._order, edit.order)

    def pending(self) -> bool:
        """Whether something could still go out."""
        return any(edit.ready for lane in self._lanes.values() for edit in lane.values())

    def due(self) -> float | None:
        """When the next waiting lane may try again."""
        return min(self._wait.values(), default=None)

    def disconnected(self) -> None:
        """Nothing is in flight any more; what was goes out again, under the same ids."""
        self._first_sent.update((edit_id, 0) for ids in self._in_flight.values() for edit_id in ids)
        self._in_flight.clear()
        self._wait.clear()

    # ------------------------------------------------------------ the user's side
    def add(self, edit: Edit) -> list[Command]:
        """Queues an edit, or merges it into one that has not left yet."""
        flying = self._in_flight.get(edit.lane, frozenset())
        lane = self._lanes.get(edit.lane, {})
        for older in reversed(lane.values() if edit.kind is EditKind.UPDATE else ()):
            both = None if older.id in flying else merged(older, edit)
            if both is not None:
                self._replace(both)
                return [Persist((PutEdit(both),), durable=True)]
            if older.object_id == edit.object_id:
                break
        self._order += 1
        edit = msgspec.structs.replace(edit, order=self._order)
        self._append(edit)
        return [Persist((PutEdit(edit),), durable=True)]

    def retry(self, edit_id: str) -> list[Command]:
        """A refused edit is pending again, at its old place."""
        edit = self._find(edit_id)
        if edit is None or edit.state is not EditState.REFUSED:
            return []
        edit = msgspec.structs.replace(
            edit, state=EditState.PENDING, attempts=0, code=None, description=None, extra=None
        )
        self._replace(edit)
        return [Persist((PutEdit(edit),), durable=True)]

    def drop(self, edit_id: str) -> list[Command]:
        """Takes an edit out unless it is on its way."""
        edit = self._find(edit_id)
        if edit is None or edit_id in self._in_flight.get(edit.lane, frozenset()):
            return []
        self._remove(edit)
        return [Persist((RemoveEdit(edit),), durable=True)]

    def uploaded(self, transfer_id: str, blob_id: str) -> list[Command]:
        """The edits that waited for this file can go."""
        operations: list[Operation] = []
        for edit in self._waiting_for(transfer_id):
            if edit.upload != transfer_id:
                arrived = with_blob(edit, transfer_id, blob_id)
                self._replace(arrived)
                operations.append(PutEdit(arrived))
                continue
            content: dict[str, Any] = {"blobId": blob_id}
            if edit.type_name == "Message":
                content = {"attachment": {**edit.payload.get("attachment", {}), **content}}
            ready = msgspec.structs.replace(edit, upload=None, payload={**edit.payload, **content})
            self._replace(ready)
            operations.append(PutEdit(ready))
        return [Persist(tuple(operations), durable=True)] if operations else []

    def upload_refused(self, transfer_id: str, code: str) -> list[Command]:
        """The edits that waited for this file are refused; retrying them starts the upload anew."""
        commands: list[Command] = []
        for edit in self._waiting_for(transfer_id):
            commands += self._refuse(edit, SetError(code))
        return commands

    # ------------------------------------------------------------ the wire's side
    def pump(self, now: float) -> list[Command]:
        """Requests for every lane that may send."""
        commands: list[Command] = []
        heads = sorted((next(iter(edits.values())).order, lane) for lane, edits in self._lanes.items())
        for _, lane in heads:
            if len(self._in_flight) >= MAX_SENDS:
                break
            if lane in self._in_flight or self._wait.get(lane, now) > now:
                continue
            self._wait.pop(lane, None)
            batch = next_batch(self._lanes[lane].values(), 1 if lane in self._alone else MAX_BATCH)
            if batch:
                self._in_flight[lane] = frozenset(edit.id for edit in batch)
                for edit in batch:
                    self._first_sent.setdefault(edit.id, self._puller.message_cursors)
                job = SendJob(lane, tuple(edit.id for edit in batch))
                commands.append(self._requests.start(job, _calls(batch, self._me), now))
        return commands

    def arrived(self, type_name: str, ids: Iterable[str]) -> list[Operation]:
        """Own messages that came back by the stream are confirmed, with or without the lost answer."""
        if type_name != "Message":
            return []
        operations: list[Operation] = []
        for object_id in ids:
            edit = self._find(object_id)
            if edit is not None and edit.kind is EditKind.CREATE and edit.type_name == type_name:
                self._remove(edit)
                operations.append(RemoveEdit(edit))
        return operations

    def answered(self, job: SendJob, response: Response, now: float, roll: float) -> list[Command]:
        """What the server said to one batch."""
        self._in_flight.pop(job.lane, None)
        answers = {call_id: (name, raw) for name, raw, call_id in response.method_responses}
        name, raw = answers.get("set", ("error", msgspec.Raw(b'{"type":"serverFail"}')))
        if name == "error":
            error = decode_answer(raw, MethodError)
            return self._failed(job, SetError(error.type, error.description), now, roll)
        verdict = decode_answer(raw, SetAnswer)
        whole, state = self._whole_objects(answers.get("get"))
        commands: list[Command] = []
        operations: list[Operation] = []
        for edit_id in job.edit_ids:
            edit = self._find(edit_id)
            if edit is None:  # the stream confirmed it already
                continue
            problem = _problem(edit, verdict)
            if problem is None:
                operations += self._confirmed(edit, verdict, whole, state, commands)
            elif problem.type in TRANSIENT and edit.attempts < MAX_ATTEMPTS:
                self._replace(msgspec.structs.replace(edit, attempts=edit.attempts + 1))
                self._wait[job.lane] = now + backoff.delay(edit.attempts, roll)
            else:
                operations += self._as_it_is(edit, whole, state, commands)
                commands += self._refuse(edit, problem)
        if operations:
            commands.insert(0, Persist(tuple(operations)))
        return commands

    def failed(self, job: SendJob, code: str, now: float, roll: float) -> list[Command]:
        """The request as a whole was refused."""
        self._in_flight.pop(job.lane, None)
        return self._failed(job, SetError(code), now, roll)

    def _failed(self, job: SendJob, problem: SetError, now: float, roll: float) -> list[Command]:
        edits = [edit for edit in map(self._find, job.edit_ids) if edit is not None]
        if not edits:
            return []
        if problem.type not in TRANSIENT and len(edits) > 1:
            self._alone.add(job.lane)  # find the one that spoils the batch
            return []
        if problem.type in TRANSIENT and edits[0].attempts < MAX_ATTEMPTS:
            self._replace(msgspec.structs.replace(edits[0], attempts=edits[0].attempts + 1))
            self._wait[job.lane] = now + backoff.delay(edits[0].attempts, roll)
            return []
        return self._refuse(edits[0], problem)

    def _whole_objects(self, answer: tuple[str, msgspec.Raw] | None) -> tuple[dict[str, msgspec.Raw], str]:
        if answer is None or answer[0] == "error":
            return {}, ""
        got = decode_answer(answer[1], GetAnswer)
        found: dict[str, msgspec.Raw] = {}
        for raw in got.objects:
            found[decode_answer(raw, _OnlyId).id] = raw
        return found, got.state

    def _confirmed(
        self, edit: Edit, verdict: SetAnswer, whole: dict[str, msgspec.Raw], state: str, commands: list[Command]
    ) -> list[Operation]:
        sure = self._is_sure(edit)
        self._remove(edit)
        operations: list[Operation] = [RemoveEdit(edit)]
        if edit.kind is EditKind.DESTROY:
            return [*operations, RemoveObjects(edit.type_name, (edit.object_id,))]
        try:
            value = self._value(edit, verdict, whole)
        except ProtocolError:
            value = None
        if value is None:
            self._puller.mark_dirty(edit.type_name)
            return operations
        put, follow = self._puller.absorb_written(edit.type_name, value, state, sure=sure)
        commands += follow
        return [*put, *operations]

    def _is_sure(self, edit: Edit) -> bool:
        """Whether the answer tells of what is now: a message made by an earlier try may have been changed, under a cursor that tells nothing of it."""
        made_message = edit.type_name == "Message" and edit.kind is EditKind.CREATE
        return not made_message or 0 < self._first_sent.get(edit.id, 0) == self._puller.message_cursors

    def _value(self, edit: Edit, verdict: SetAnswer, whole: dict[str, msgspec.Raw]) -> DomainObject | None:
        if edit.type_name in NOT_SYNCED:
            return None
        made = (verdict.created or {}).get(edit.object_id)
        if edit.type_name == "Message" and made is not None:
            shown = edit.shown or {}  # the whole of it comes by the stream
            data: dict[str, Any] = {
                **edit.payload,
                **shown,
                "senderId": self._me,
                **decode_answer(made, dict[str, Any]),
            }
            return object_of("Message", data, self._me)
        object_id = edit.object_id if made is None else decode_answer(made, _OnlyId).id or edit.object_id
        raw = whole.get(object_id)
        return None if raw is None else decode_object(edit.type_name, raw, self._me)

    def _as_it_is(
        self, edit: Edit, whole: dict[str, msgspec.Raw], state: str, commands: list[Command]
    ) -> list[Operation]:
        """The record or message whose change was refused, as the server has it: what the user is asked to compare with, or sees again."""
        raw = whole.get(edit.object_id)
        if raw is None or not (is_record(edit.type_name) or edit.type_name == "Message"):
            return []
        try:
            value = decode_object(edit.type_name, raw, self._me)
        except ProtocolError:
            return []
        put, follow = self._puller.absorb(edit.type_name, [value], state_text=state)
        commands += follow
        return put

    def _refuse(self, edit: Edit, problem: SetError) -> list[Command]:
        report = ReportRefusal(edit.type_name, edit.object_id, problem.code, problem.description or "")
        kept = keeps(edit)
        if not kept and edit.local_path is None:  # what it changed shows the server's version again
            self._remove(edit)
            written = edit.payload.get("text")
            if isinstance(written, str):
                report = msgspec.structs.replace(report, written=written)
            return [Persist((RemoveEdit(edit),)), report]
        refused = msgspec.structs.replace(
            edit,
            state=EditState.REFUSED,
            code=problem.code,
            description=problem.description,
            extra=problem.extra,
        )
        self._replace(refused)
        return [Persist((PutEdit(refused),)), report]

    # ------------------------------------------------------------ the queue
    def _append(self, edit: Edit) -> None:
        self._lanes.setdefault(edit.lane, {})[edit.id] = edit
        self._lane_of[edit.id] = edit.lane

    def _find(self, edit_id: str) -> Edit | None:
        lane = self._lane_of.get(edit_id)
        return None if lane is None else self._lanes[lane][edit_id]

    def _replace(self, edit: Edit) -> None:
        self._lanes[edit.lane][edit.id] = edit  # a dict keeps the place of a key it has

    def _remove(self, edit: Edit) -> None:
        lane = self._lanes[edit.lane]
        del lane[edit.id]
        del self._lane_of[edit.id]
        self._first_sent.pop(edit.id, None)
        if not lane:
            del self._lanes[edit.lane]
            self._alone.discard(edit.lane)

    def _waiting_for(self, transfer_id: str) -> list[Edit]:
        edits = [edit for lane in self._lanes.values() for edit in lane.values()]
        return [e for e in edits if e.upload == transfer_id or any(one == transfer_id for one, _ in e.uploads)]


def keeps(edit: Edit) -> bool:
    """Whether a refused edit stays for the user to mend or drop: what he made, and what he wrote into a record. An action alone is just told."""
    if edit.kind is EditKind.CREATE:
        return edit.type_name not in NOTHING_WRITTEN
    written = edit.payload.keys() - {"version", "action", "state"}
    return edit.kind is EditKind.UPDATE and _is_written_by_hand(edit.type_name) and bool(written)


def _is_written_by_hand(type_name: str) -> bool:
    """Folders and documents have a screen of their own, which tells a refusal and shows the server's version; of work items one only writes when
    they were seen."""
    return is_record(type_name) and type_name not in ("Folder", "Document", "WorkItem")


class _OnlyId(msgspec.Struct):
    id: str = ""


def _calls(batch: list[Edit], me: str) -> list[MethodCall]:
    first = batch[0]
    name = f"{first.type_name}/set"
    if first.kind is EditKind.DESTROY:
        return [(name, {"accountId": me, "destroy": [first.object_id]}, "set")]
    if first.kind is EditKind.UPDATE:
        return [
            (name, {"accountId": me, "update": {first.object_id: first.payload}}, "set"),
            (f"{first.type_name}/get", {"accountId": me, "ids": [first.object_id]}, "get"),
        ]
    create: MethodCall = (name, {"accountId": me, "create": {e.object_id: e.payload for e in batch}}, "set")
    if first.type_name == "Message":
        return [create]
    got = {"accountId": me, "ids": [edit.object_id for edit in batch]}
    return [create, (f"{first.type_name}/get", got, "get")]


def _problem(edit: Edit, verdict: SetAnswer) -> SetError | None:
    """Why the server refused this edit; None when it did not."""
    done: dict[EditKind, Container[str]] = {
        EditKind.CREATE: verdict.created or {},
        EditKind.UPDATE: verdict.updated or {},
        EditKind.DESTROY: verdict.destroyed or [],
    }
    if edit.object_id in done[edit.kind]:
        return None
    refused = {
        EditKind.CREATE: verdict.not_created,
        EditKind.UPDATE: verdict.not_updated,
        EditKind.DESTROY: verdict.not_destroyed,
    }[edit.kind]
    problem = (refused or {}).get(edit.object_id, SetError("serverFail"))
    gone = edit.kind is EditKind.DESTROY and problem.type == "notFound"
    return None if gone else problem
