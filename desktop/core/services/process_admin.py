"""What administrators do with processes, cases and modules. Needs the server's word: every verb raises Offline and Rejected."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from desktop.core.clock import parse_utc_date
from desktop.core.domain.definition import Label
from desktop.core.domain.processes import (
    Draft,
    Overlay,
    OverlayPlan,
    Process,
    ProcessForm,
    ProcessNote,
    TryOut,
)
from desktop.core.errors import BadFile, Offline, Rejected
from desktop.core.protocol.answers import AnyAnswer, GetAnswer, SetAnswer, SetError
from desktop.core.protocol.objects import object_of
from desktop.core.protocol.problems import ProtocolError
from desktop.core.services.case_acts import CaseActs

PROCESS: Final = "Process"
OVERLAY: Final = "ModuleOverlay"
_DECLARATION: Final = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_IN_TEXT: Final = re.compile(r"""(<\?xml[^>]*?)\s+encoding\s*=\s*["'][^"']*["']""")


class ProcessAdmin(CaseActs):
    """Versions of processes, drafts, trials; hand-over; overlays of modules."""

    # ------------------------------------------------------------ processes
    async def processes(self) -> list[Process]:
        """All versions this user may see, by module and process, drafts first, then the newest."""
        found = await self._context.db(self._context.store.load_objects, PROCESS)
        known = [one for one in found if isinstance(one, Process)]
        return sorted(known, key=lambda one: (one.module, one.process_id, one.state != "draft", -one.version, one.id))

    async def export_bpmn(self, version_id: str) -> bytes:
        """The .bpmn file of a version or draft."""
        return (await self.process_form(version_id)).bpmn

    async def process_form(self, version_id: str) -> ProcessForm:
        """A version or draft with its file, and as a list of steps where it has that shape."""
        raw = await self._fetch(version_id, ["bpmn", "stepList", "stepListReason"])
        bpmn, step_list, reason = (raw.pop(name, None) for name in ("bpmn", "stepList", "stepListReason"))
        try:
            process = object_of(PROCESS, raw, self._context.me)
            why = None if reason is None else msgspec.convert(reason, Label)
        except (ProtocolError, msgspec.ValidationError) as error:
            raise Offline(reason="protocolError") from error
        assert isinstance(process, Process)
        text = bpmn if isinstance(bpmn, str) else ""
        return ProcessForm(process, text.encode(), step_list if isinstance(step_list, dict) else None, why)

    async def save_draft(
        self, content: bytes | Mapping[str, Any], *, draft_id: str | None = None, record_type: str = ""
    ) -> Draft:
        """Writes a draft from a .bpmn file or from a list of steps: a new one, or `draft_id` anew. What cannot run comes back as problems by element.

        Raises:
            Offline, Rejected: anything else the server says. BadFile: the file's encoding cannot be read.
        """
        body = written(content)
        if record_type:
            body["recordType"] = record_type
        key = draft_id or self._context.new_id()
        change: dict[str, Any] = {"create": {key: body}} if draft_id is None else {"update": {key: body}}
        problems = await self._change(key, change)
        if problems:
            return Draft(None, problems=problems)
        process = await self._fetched(key)
        return Draft(key, process.notes, process.problems)

    async def publish(self, version_id: str) -> tuple[ProcessNote, ...]:
        """New cases take this draft (or retired version) from now on; what keeps it from that, and then nothing changed."""
        return await self._change(version_id, {"update": {version_id: {"state": "published"}}})

    async def retire(self, version_id: str) -> None:
        """No new cases take it."""
        await self._context.call_set(PROCESS, update={version_id: {"state": "retired"}})

    async def drop_draft(self, version_id: str) -> None:
        """Raises Rejected: it is no draft."""
        await self._context.call_set(PROCESS, destroy=[version_id])

    async def try_out(
        self,
        content: str | bytes | Mapping[str, Any],
        record_type: str,
        data: Mapping[str, Any],
        person_id: str,
        script: Sequence[str] = (),
    ) -> TryOut:
        """Runs a version (its id), a .bpmn file or a list of steps on a sample case of this person; nothing is written.

        `script`: the outcome of each step in the order reached ("return", "return:<step>" go back); a step beyond it takes its first action.
        A file that cannot run gives its `problems`.
        """
        asked: dict[str, Any] = {"id": content} if isinstance(content, str) else written(content)
        asked |= {"recordType": record_type, "data": dict(data), "personId": person_id, "script": list(script)}
        try:
            answer = await self._own(f"{PROCESS}/tryOut", asked, dict[str, Any])
        except Rejected as error:
            problems = _notes(error.data.get("problems"))
            if not problems:
                raise
            return TryOut(problems=problems)
        try:
            for step in answer.get("trace") or ():
                for name in ("enteredAt", "dueAt"):
                    step[name] = None if step.get(name) is None else parse_utc_date(step[name])
                for name in [name for name, value in step.items() if value is None]:
                    del step[name]
            return msgspec.convert({k: v for k, v in answer.items() if v is not None}, TryOut)
        except (ValueError, TypeError, AttributeError) as error:
            raise Offline(reason="protocolError") from error

    async def move_case(self, case_id: str, version: int, map: Mapping[str, str]) -> None:
        """Moves a running case to another version; `map`: step it is at → step of that version, where their ids differ."""
        asked = {"caseId": case_id, "version": version, "map": dict(map)}
        await self._own(f"{PROCESS}/moveCase", asked, dict[str, Any])

    async def hand_over(self, person_id: str, to_id: str, modules: Sequence[str] = ()) -> int:
        """Gives all that waits for one person (who leaves) to another; how many items went."""
        asked: dict[str, Any] = {"fromId": person_id, "toId": to_id}
        asked |= {"modules": list(modules)} if modules else {}
        return (await self._own("Person/handOver", asked, _Moved)).count

    async def take_back(self) -> int:
        """What others still do on this user's behalf is the user's own again; how many items came."""
        return (await self._own("Person/takeBack", {}, _Moved)).count

    # ------------------------------------------------------------ overlays
    async def overlay(self, module_id: str) -> Overlay | None:
        """What administrators changed of a module; None: nothing."""
        answer = await self._context.call(f"{OVERLAY}/get", {"ids": None}, GetAnswer)
        found = [_overlay(raw) for raw in answer.objects]
        return next((one for one in found if module_id in (one.module, one.id)), None)

    async def save_overlay(self, module_id: str, draft: Mapping[str, Any] | None) -> None:
        """Keeps a draft of changes; None throws the draft away."""
        held = await self.overlay(module_id)
        body = None if draft is None else dict(draft)
        if held is None and body is not None:
            await self._context.call_set(OVERLAY, create={"overlay": {"module": module_id, "draft": body}})
        elif held is not None:
            await self._context.call_set(OVERLAY, update={held.id: {"draft": body}})

    async def plan_overlay(self, module_id: str) -> OverlayPlan:
        """What publishing the draft would do."""
        held = await self._overlay_of(module_id)
        return await self._own(f"{OVERLAY}/plan", {"id": held.id}, OverlayPlan)

    async def publish_overlay(self, module_id: str) -> OverlayPlan:
        """Puts the draft in force; with `problems` nothing was changed."""
        held = await self._overlay_of(module_id)
        try:
            return await self._own(f"{OVERLAY}/publish", {"id": held.id}, OverlayPlan)
        except Rejected as error:
            told = error.data.get("sentences")
            if not isinstance(told, list):
                raise
            return msgspec.convert({"problems": told}, OverlayPlan)

    async def _overlay_of(self, module_id: str) -> Overlay:
        held = await self.overlay(module_id)
        if held is None:
            raise Rejected(type="notFound", description="nothing was changed of this module")
        return held

    # ------------------------------------------------------------ asking
    async def _own(self, method: str, arguments: dict[str, Any], kind: type[AnyAnswer]) -> AnyAnswer:
        """A method that one type alone has. What it refuses is raised with all it says."""
        answer = await self._context.call(method, arguments, dict[str, Any])
        refused = answer.get("refused")
        if isinstance(refused, dict):
            told = {name: value for name, value in refused.items() if name not in ("type", "description")}
            raise Rejected(
                type=str(refused.get("type", "rejected")), description=str(refused.get("description") or ""), **told
            )
        try:
            return msgspec.convert(answer, kind)
        except msgspec.ValidationError as error:
            raise Offline(reason="protocolError") from error

    async def _change(self, key: str, change: dict[str, Any]) -> tuple[ProcessNote, ...]:
        """One /set of a process: the problems it was refused with. Raises Rejected: it was refused for something else."""
        answer = await self._context.call(f"{PROCESS}/set", change, SetAnswer)
        refused: SetError | None = (answer.not_created or {}).get(key) or (answer.not_updated or {}).get(key)
        if refused is None:
            return ()
        problems = _notes(refused.problems)
        if not problems:
            raise Rejected(type=refused.type, description=refused.description or "", properties=refused.properties)
        return problems

    async def _fetch(self, version_id: str, more: Sequence[str]) -> dict[str, Any]:
        names = [_wire(name) for name in Process.__struct_fields__]
        asked = {"ids": [version_id], "properties": [*names, *more]}
        answer = await self._context.call(f"{PROCESS}/get", asked, GetAnswer)
        if not answer.objects:
            raise Rejected(type="notFound")
        try:
            return msgspec.json.decode(answer.objects[0], type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise Offline(reason="protocolError") from error

    async def _fetched(self, version_id: str) -> Process:
        try:
            found = object_of(PROCESS, await self._fetch(version_id, ()), self._context.me)
        except ProtocolError as error:
            raise Offline(reason="protocolError") from error
        assert isinstance(found, Process)
        return found


class _Moved(msgspec.Struct):
    count: int = 0


def written(content: bytes | Mapping[str, Any]) -> dict[str, Any]:
    """A process as it goes to the server. Raises BadFile: the file's encoding cannot be read."""
    return {"bpmn": bpmn_text(content)} if isinstance(content, bytes) else {"stepList": dict(content)}


def bpmn_text(data: bytes) -> str:
    """The text of a .bpmn file in the encoding it declares, without that declaration: on the wire it is UTF-8. Raises BadFile."""
    found = _DECLARATION.match(data)
    encoding = found.group(1).decode() if found is not None else "utf-8"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif encoding.lower() in ("utf-8", "utf8"):
        encoding = "utf-8-sig"
    elif encoding.lower() in ("gb2312", "gbk"):
        encoding = "gb18030"  # what such files hold in truth
    try:
        text = data.decode(encoding)
    except (LookupError, ValueError) as error:
        raise BadFile(reason="encoding") from error
    return _IN_TEXT.sub(r"\1", text, count=1)


def _wire(attribute: str) -> str:
    head, *rest = attribute.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _notes(raw: Any) -> tuple[ProcessNote, ...]:
    try:
        return msgspec.convert(raw or [], tuple[ProcessNote, ...])
    except msgspec.ValidationError:
        return ()


def _overlay(raw: msgspec.Raw) -> Overlay:
    try:
        data = {key: value for key, value in msgspec.json.decode(raw, type=dict[str, Any]).items() if value is not None}
        for name in ("publishedAt", "updatedAt"):
            if name in data:
                data[name] = parse_utc_date(data[name])
        return msgspec.convert(data, Overlay)
    except (ValueError, TypeError) as error:
        raise Offline(reason="protocolError") from error
