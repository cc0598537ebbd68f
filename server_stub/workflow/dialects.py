"""Expressions of other engines (JUEL `${…}`, FEEL `=…`, plain ones with && or true) put into the language of evaluator.py: their common part only."""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from server_stub.workflow.budget import EvaluationError
from server_stub.workflow.evaluator import MAX_SOURCE, check_expression, check_script

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<name>[^\W\d]\w*)"""
    r"""|(?P<sign>&&|\|\||==|!=|<=|>=|\*\*|\.\.|[-+*/%<>=!?:.,()\[\]{}]))""",
    re.S,
)
_WRAPPED: Final = re.compile(r"[$#]\{([^{}]*)\}", re.S)
_LITERALS: Final = {"true": "True", "false": "False", "null": "None"}
_RENAMED: Final = {
    "nrOfInstances": "numberOfInstances",
    "nrOfCompletedInstances": "numberOfCompletedInstances",
    "nrOfActiveInstances": "numberOfActiveInstances",
}
_JUEL: Final = {
    "&&": "and",
    "||": "or",
    "!": "not",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "gt": ">",
    "le": "<=",
    "ge": ">=",
    "div": "/",
    "mod": "%",
    "empty": "not",
    **_LITERALS,
    **_RENAMED,
}
_FEEL_CALLS: Final = ((("list", "contains"), "has"), (("string", "length"), "len"), (("count",), "len"))
_SET_VARIABLE: Final = re.compile(r"""execution\.setVariable\(\s*["'](\w+)["']\s*,\s*(.+)\)""", re.S)
_ASSIGNMENT: Final = re.compile(r"(?:(?:var|let|const|def)\s+)?([^\W\d]\w*)\s*=(?!=)\s*(.+)", re.S)
_MAX_NESTED: Final = 20


def translate(source: str) -> str:
    """An expression in our language; the same text where it is already.

    Raises:
        EvaluationError: not understood, or more than the evaluator takes.
    """
    text = source.strip()
    if len(text) > MAX_SOURCE:
        raise EvaluationError("tooLong", "表达式过长", f"the expression is longer than {MAX_SOURCE} characters")
    wrapped = _WRAPPED.fullmatch(text)
    if wrapped:
        return _checked(_from_juel(_tokens(wrapped[1])))
    if text.startswith("="):
        return _checked(_from_feel(_tokens(text[1:])))
    return _translate_plain(text)


def translate_script(source: str) -> str:
    """A script of assignments in our language, a line each.

    Raises:
        EvaluationError: something else than assignments, or not understood.
    """
    if len(source) > MAX_SOURCE * 2:
        raise EvaluationError("tooLong", "脚本过长", "the script is too long")
    lines = []
    for line in re.split(r"[;\n]", source):
        one = line.strip()
        if not one or one.startswith(("//", "#")):
            continue
        assignment = _SET_VARIABLE.fullmatch(one) or _ASSIGNMENT.fullmatch(one)
        if assignment is None:
            raise EvaluationError(
                "onlyAssign", "脚本只能写“名称 = 表达式”", f"a script may only assign, not: {one[:60]}"
            )
        lines.append(f"{assignment[1]} = {translate(assignment[2])}")
    script = "\n".join(lines)
    check_script(script)
    return script


def _checked(text: str) -> str:
    check_expression(text)
    return text


def _translate_plain(text: str) -> str:
    """Ours as it is; else what people write who think of another language: && and true, or a single =."""
    tokens = _tokens(text)
    if not any(one in _JUEL and one not in {"!", "empty"} for one in tokens):
        try:
            return _checked(text)
        except EvaluationError as error:
            if error.code != "syntax" or not {"=", "!", "?"} & set(tokens):
                raise
    return _checked(_from_feel(tokens) if "=" in tokens else _from_juel(tokens))


def _tokens(text: str) -> list[str]:
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise EvaluationError("syntax", f"看不懂的表达式：{text[:60]}", f"not understood: {text[:60]}")
        tokens.append(match.group().strip())
        at = match.end()
    return tokens


def _from_juel(tokens: Sequence[str]) -> str:
    return _join(_ternary(_methods(tokens), 0), _JUEL)


def _from_feel(tokens: Sequence[str]) -> str:
    if "[" in tokens and any(
        one == "[" and before.isidentifier() and before != "in" for before, one in pairwise(tokens)
    ):
        raise EvaluationError("feel", "FEEL 的下标或筛选不受支持", "an index or filter of FEEL is not supported")
    changed = list(tokens)
    for words, name in _FEEL_CALLS:
        changed = _replace_call(changed, words, name)
    return _join(_if_then(changed, 0), {"=": "==", **_LITERALS, **_RENAMED})


def _join(tokens: Sequence[str], words: dict[str, str]) -> str:
    """The tokens as text, each in our words; after a point a name is a field and stays."""
    parts: list[str] = []
    previous = ""
    for token in tokens:
        word = token if previous == "." else words.get(token, token)
        glued = token in {".", ",", ")", "]", "("} or previous in {".", "(", "[", ""}
        if token == "(" and (previous in words or not (previous.isidentifier() or previous in {"(", "."})):
            glued = previous in {"", "("}
        if token == "[":
            glued = previous.isidentifier() or previous in {"]", ")", "(", ""}
        parts.append(word if glued else f" {word}")
        previous = token
    return "".join(parts).strip()


def _methods(tokens: Sequence[str]) -> list[str]:
    """`execution.getVariable("x")` is x; `a.b.size()`, `.isEmpty()`, `.contains(y)` are functions here."""
    out: list[str] = []
    at = 0
    while at < len(tokens):
        if list(tokens[at : at + 4]) == ["execution", ".", "getVariable", "("] and tokens[at + 5 : at + 6] == [")"]:
            out.append(tokens[at + 4].strip("\"'"))
            at += 6
        elif tokens[at] == "." and list(tokens[at + 1 : at + 4]) in (["size", "(", ")"], ["isEmpty", "(", ")"]):
            start = _path_start(out)
            out[start:] = ["(", "len", "(", *out[start:], ")", *([] if tokens[at + 1] == "size" else ["==", "0"]), ")"]
            at += 4
        elif tokens[at] == "." and list(tokens[at + 1 : at + 3]) == ["contains", "("]:
            start = _path_start(out)
            out[start:] = ["has", "(", *out[start:], ","]
            at += 3
        else:
            out.append(tokens[at])
            at += 1
    return out


def _path_start(tokens: Sequence[str]) -> int:
    at = len(tokens) - 1
    while at >= 2 and tokens[at - 1] == "." and tokens[at].isidentifier():
        at -= 2
    return max(at, 0)


def _replace_call(tokens: list[str], words: Sequence[str], name: str) -> list[str]:
    out: list[str] = []
    at = 0
    while at < len(tokens):
        if tokens[at : at + len(words)] == list(words) and tokens[at + len(words) : at + len(words) + 1] == ["("]:
            out.append(name)
            at += len(words)
        else:
            out.append(tokens[at])
            at += 1
    return out


def _find_top(tokens: Sequence[str], is_it: Callable[[str], bool], start: int = 0) -> int:
    """Where a token stands outside all brackets; -1: nowhere."""
    depth = 0
    for at, token in enumerate(tokens):
        depth += (token in {"(", "[", "{"}) - (token in {")", "]", "}"})
        if depth == 0 and at >= start and is_it(token):
            return at
    return -1


def _ternary(tokens: Sequence[str], level: int) -> list[str]:
    question = _find_top(tokens, lambda one: one == "?")
    if question < 0 or level > _MAX_NESTED:
        return list(tokens)
    colon = _find_top(tokens, lambda one: one == ":", question)
    if colon < 0:
        return list(tokens)
    test, first, other = tokens[:question], tokens[question + 1 : colon], _ternary(tokens[colon + 1 :], level + 1)
    return ["(", *first, ")", "if", "(", *test, ")", "else", "(", *other, ")"]


def _if_then(tokens: Sequence[str], level: int) -> list[str]:
    if not tokens or tokens[0] != "if" or level > _MAX_NESTED:
        return list(tokens)
    then, other = _find_top(tokens, lambda one: one == "then"), _find_top(tokens, lambda one: one == "else")
    if not 0 < then < other:
        return list(tokens)
    rest = _if_then(tokens[other + 1 :], level + 1)
    return ["(", *tokens[then + 1 : other], ")", "if", "(", *tokens[1:then], ")", "else", "(", *rest, ")"]
