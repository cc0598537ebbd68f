"""Which processes of a file matter: the main one and those it calls. Pools that only talk to it are left out; circles of calls are refused."""

from collections.abc import Mapping
from typing import Final

from server_stub.workflow.bpmn_xml import (
    BPMN,
    ZEEBE,
    Element,
    child,
    children,
    descendants,
    extension,
    id_of,
    local,
    q,
    refuse,
)
from server_stub.workflow.draft import Draft, title_of

_FOREIGN_ROOTS: Final = ("choreography", "globalChoreographyTask", "conversation", "globalConversation")
_GLOBAL_TASKS: Final = (
    "globalTask",
    "globalUserTask",
    "globalManualTask",
    "globalScriptTask",
    "globalBusinessRuleTask",
)


def choose_processes(draft: Draft) -> None:
    """Set the draft's main process and those needed with it; remove the others."""
    root = draft.root
    if root.tag != q("definitions"):
        raise refuse("notBpmn", "不是 BPMN 2.0 文件", f"not BPMN 2.0: the root is {str(root.tag)[:100]}")
    for name in _FOREIGN_ROOTS:
        for found in children(root, name):
            draft.refuse(found, "choreography", "不支持编排图", "choreographies and conversations cannot run")
    by_id = {id_of(one): one for one in children(root, "process")}
    if not by_id:
        draft.refuse("", "noProcess", "文件中没有流程", "there is no process in the file")
        return
    if "" in by_id or len(by_id) < len(children(root, "process")):
        draft.refuse("", "processId", "流程缺少编号或编号重复", "a process has no id, or two have the same")
        return
    draft.main = _main_process(root, by_id)
    _clean_calls(draft, by_id)
    needed = _called_from(draft, draft.main, by_id)
    draft.processes = [by_id[name] for name in needed]
    for name, process in by_id.items():
        if name not in needed:
            draft.note(
                process,
                "processDropped",
                f"未被调用的流程“{title_of(process)}”不予采用",
                "a process that nothing calls",
            )
            root.remove(process)
    for process in draft.processes:
        if process.get("isExecutable") != "true":
            process.set("isExecutable", "true")
            draft.note(process, "executable", "流程已设为可执行", "the process was made executable")


def _main_process(root: Element, by_id: Mapping[str, Element]) -> Element:
    """The executable one; of several, or of none, that of the first participant; else the first."""
    executable = [one for one in by_id.values() if one.get("isExecutable") == "true"]
    candidates = executable or list(by_id.values())
    if len(candidates) == 1:
        return candidates[0]
    for participant in descendants(root, "participant"):
        process = by_id.get(bare_ref(participant.get("processRef")))
        if process is not None and process in candidates:
            return process
    return candidates[0]


def bare_ref(reference: str | None) -> str:
    """A reference without the prefix of a namespace."""
    return str(reference or "").strip().rpartition(":")[2]


def _clean_calls(draft: Draft, by_id: Mapping[str, Element]) -> None:
    tasks = {id_of(one) for name in _GLOBAL_TASKS for one in children(draft.root, name)}
    for process in by_id.values():
        for call in descendants(process, "callActivity"):
            zeebe = extension(call, "calledElement", ZEEBE)
            written = call.get("calledElement") or (zeebe.get("processId") if zeebe is not None else "") or ""
            target = bare_ref(written)
            if target in tasks:
                swapped = "不支持调用全局任务"
                draft.refuse(call, "globalTask", swapped, "a call of a global task; only processes can be called")
            elif not target or any(one in written for one in "${}=#"):
                draft.refuse(
                    call, "noCalled", "调用活动没有写明被调用的流程", "the call activity names no process to call"
                )
            call.set("calledElement", target)


def _called_from(draft: Draft, main: Element, by_id: Mapping[str, Element]) -> list[str]:
    """Ids of the processes in the file that the main one needs, it first."""
    calls = {name: called_ids(process) for name, process in by_id.items()}
    circle = find_circle(id_of(main), calls)
    if circle:
        text = " → ".join(circle)
        draft.refuse(circle[0], "circle", f"流程互相调用成环：{text}", f"processes call each other in a circle: {text}")
    order = [id_of(main)]
    for name in order:
        order.extend(one for one in calls[name] if one in by_id and one not in order)
    return order


def called_ids(process: Element) -> tuple[str, ...]:
    """The ids its call activities name, each once."""
    return tuple(dict.fromkeys(str(one.get("calledElement")) for one in descendants(process, "callActivity")))


def find_circle(start: str, calls: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Ids along a circle of calls reachable from `start`, the first repeated at the end; empty: there is none."""
    path: list[str] = []
    left: list[list[str]] = [[start]]
    done: set[str] = set()
    while left:
        if not left[-1]:
            left.pop()
            if path:
                done.add(path.pop())
            continue
        name = left[-1].pop()
        if name in path:
            return (*path[path.index(name) :], name)
        if name not in done:
            path.append(name)
            left.append(list(calls.get(name, ())))
    return ()


def drop_collaboration(draft: Draft) -> None:
    """Take pools and message flows away that show processes left out; the main pool's drawing stays."""
    kept = {id_of(one) for one in draft.processes}
    for collaboration in children(draft.root, "collaboration"):
        for part in list(collaboration):
            keeps = local(part) == "participant" and bare_ref(part.get("processRef")) in kept
            if not keeps:
                collaboration.remove(part)
            else:
                part.set("processRef", bare_ref(part.get("processRef")))
        if child(collaboration, "participant") is None:
            draft.root.remove(collaboration)


def is_bpmn(element: Element) -> bool:
    """Whether an element is in the namespace of BPMN."""
    return isinstance(element.tag, str) and element.tag.startswith(f"{{{BPMN}}}")
