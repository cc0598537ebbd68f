"""Performers in words for people, in both languages: `field:signerId` → 字段“签批人” / field "Signer"."""

from collections.abc import Iterable, Mapping
from typing import Final

from server_stub.modules.engine.definition import TypeDefinition
from server_stub.workflow.process_file import ProcessFile, words_of

_PLAIN: Final[Mapping[str, tuple[str, str]]] = {
    "starter": ("发起人", "the starter"),
    "superior": ("发起人的上级", "the starter's superior"),
    "departmentHead": ("发起人部门负责人", "the head of the starter's department"),
    "previous": ("上一环节办理人", "who handled the step before"),
    "chosen": ("前一环节选定的人", "whom an earlier step chose"),
}
_NAMED: Final[Mapping[str, tuple[str, str]]] = {
    "superiorChain": ("发起人逐级上级 {} 级", "{} levels of the starter's superiors"),
    "head": ("“{}”的负责人", 'the head of "{}"'),
    "post": ("职务 {}", "post {}"),
    "role": ("角色 {}", "role {}"),
    "person": ("{}", "{}"),
    "field": ("“{}”中的人员", 'the people in "{}"'),
    "rule": ("按规则 {}", "by the rule {}"),
    "of": ("“{}”的办理人", 'who handled "{}"'),
}


def performers_text(
    performers: Iterable[str], file: ProcessFile | None = None, type_: TypeDefinition | None = None
) -> dict[str, str]:
    """Who has a step, in words; fields and steps by their labels where they are known."""
    zh: list[str] = []
    en: list[str] = []
    for performer in performers:
        word, _, rest = performer.partition(":")
        if word in _PLAIN:
            zh.append(_PLAIN[word][0])
            en.append(_PLAIN[word][1])
            continue
        names = _names(word, rest, file, type_)
        zh.append(_NAMED[word][0].format(names[0]) if word in _NAMED else performer)
        en.append(_NAMED[word][1].format(names[1]) if word in _NAMED else performer)
    return {"zh": "、".join(zh), "en": ", ".join(en)}


def _names(word: str, rest: str, file: ProcessFile | None, type_: TypeDefinition | None) -> tuple[str, str]:
    if word == "of" and file is not None and rest in file.steps:
        words = words_of(file, rest, file.steps[rest].name)
        return words.zh, words.en
    if word in ("field", "head") and type_ is not None:
        field = type_.field(rest.partition(".")[0])
        if field is not None:
            inner = rest.partition(".")[2]
            return (
                (f"{field.label.zh}.{inner}", f"{field.label.en}.{inner}")
                if inner
                else (field.label.zh, field.label.en)
            )
    return rest, rest
