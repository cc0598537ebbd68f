"""Who acts and by when, as other modellers say it, in our words: assignee, candidateGroups, candidateUsers, dueDate, potential owners, lanes as a last hint."""

import re
from collections.abc import Iterable
from typing import Final

from server_stub.workflow.bpmn_xml import ZEEBE, Element, children, descendants, extension, id_of, name_of, text_of
from server_stub.workflow.bpmn_xml import vendor_attribute as vendor
from server_stub.workflow.normalise_processes import bare_ref
from server_stub.workflow.options import PERFORMER_PATTERN

_EXPRESSION: Final = re.compile(r"(?:[$#]\{\s*([^{}]*?)\s*\}|=\s*(.*?))", re.S)
_PATH: Final = re.compile(
    r"(?:(?:execution|task|record|form)\.)?([a-z][A-Za-z0-9]{0,59}(?:\.[a-z][A-Za-z0-9]{0,59}){0,2})"
)
_STARTERS: Final = frozenset(
    {
        "starter",
        "initiator",
        "INITIATOR",
        "startUserId",
        "startuser",
        "applyUserId",
        "applyUser",
        "applicant",
        "startUser",
    }
)
_WORDS: Final = frozenset({"superior", "departmentHead", "previous", "chosen"})
_ROLE: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_OWNERS: Final = re.compile(r"\s*(user|group)\(([^()]{1,100})\)|\s*([^,()\s][^,()]{0,99})(?=,|$)")
_PERFORMER: Final = re.compile(PERFORMER_PATTERN)
_DURATION: Final = re.compile(r"P(?:([1-9][0-9]{0,3})D|T([1-9][0-9]{0,3})([HM]))")
_OWNER_KINDS: Final = ("potentialOwner", "humanPerformer", "performer", "resourceRole")


def performers_of(root: Element, task: Element, variable: str | None) -> tuple[str, ...]:
    """The performers another modeller's words name, each valid; empty: nobody. `variable`: the name of an instance's entry, which is nobody else."""
    people = [vendor(task, "assignee"), *_split(vendor(task, "candidateUsers"))]
    groups = _split(vendor(task, "candidateGroups"))
    zeebe = extension(task, "assignmentDefinition", ZEEBE)
    if zeebe is not None:
        people += [zeebe.get("assignee"), *_split(zeebe.get("candidateUsers"))]
        groups += _split(zeebe.get("candidateGroups"))
    found = [_person(one, variable) for one in people if one] + [_group(one, variable) for one in groups]
    if not any(found):
        found = list(_owners(root, task))
    return valid(one for one in found if one)


def from_lane(name: str | None) -> tuple[str, ...]:
    """Whom a lane's name hints at: a post of that name."""
    return valid([f"post:{' '.join(name.split())}"]) if name else ()


def valid(performers: Iterable[str]) -> tuple[str, ...]:
    """Each once, those that are performers."""
    return tuple(dict.fromkeys(one for one in performers if _PERFORMER.fullmatch(one)))


def limit_of(task: Element) -> tuple[str | None, str | None]:
    """The time limit, and the text it was read from (None: there is none). A limit that is none of ours is (None, text)."""
    zeebe = extension(task, "taskSchedule", ZEEBE)
    written = vendor(task, "dueDate") or (zeebe.get("dueDate") if zeebe is not None else None)
    if not written:
        return None, None
    text = written.strip()
    expression = _EXPRESSION.fullmatch(text)
    inner = (expression[1] or expression[2] or "") if expression else text
    duration = _DURATION.search(inner) if not expression or "P" in inner else None
    if duration:
        return (f"{duration[1]}d" if duration[1] else f"{duration[2]}{duration[3].lower()}"), written
    path = _PATH.fullmatch(inner.strip()) if expression else None
    return (f"field:{path[1]}" if path else None), written


def _split(text: str | None) -> list[str]:
    if not text:
        return []
    if _EXPRESSION.fullmatch(text.strip()):
        return [text.strip()]
    return [one.strip() for one in text.split(",") if one.strip()]


def _person(text: str, variable: str | None) -> str | None:
    return _named(text.strip(), variable) or f"person:{text.strip()}"


def _group(text: str, variable: str | None) -> str | None:
    name = _named(text, variable)
    if name is not None:
        return name
    word = re.sub(r"[\s_]+", "-", text.strip()).lower()
    return f"role:{word}" if _ROLE.fullmatch(word) else f"post:{' '.join(text.split())}"


def _named(text: str, variable: str | None) -> str | None:
    """What an expression names: the starter, a word of ours, or a field; "" for the entry of an instance; None: it is no expression."""
    if text in _STARTERS or text in _WORDS:
        return "starter" if text in _STARTERS else text
    expression = _EXPRESSION.fullmatch(text)
    if expression is None:
        return text if _PERFORMER.fullmatch(text) else None
    inner = (expression[1] or expression[2] or "").strip()
    literal = inner.strip("\"'")
    if literal != inner:
        return None if literal == text else f"person:{literal}"
    if inner == variable:
        return ""
    if inner in _STARTERS or inner in _WORDS:
        return "starter" if inner in _STARTERS else inner
    path = _PATH.fullmatch(inner)
    return f"field:{path[1]}" if path else ""


def _owners(root: Element, task: Element) -> Iterable[str]:
    """Standard BPMN: resource roles with a resource's name or an expression such as `user(a), group(b)`."""
    resources = {id_of(one): name_of(one) for one in children(root, "resource")}
    for owner in children(task, *_OWNER_KINDS):
        for reference in descendants(owner, "resourceRef"):
            group = resources.get(bare_ref(reference.text), "")
            if group:
                yield _group(group, None) or ""
        for expression in descendants(owner, "formalExpression"):
            for kind, inside, plain in _OWNERS.findall(text_of(expression)[:1000]):
                word = (inside or plain).strip()
                if word:
                    yield (_group(word, None) if kind != "user" else _person(word, None)) or ""
