"""Back references inside a request: to results of earlier calls (RFC 8620 §3.7) and to objects made in it (§5.3). Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from server_stub.errors import MethodError, MethodErrorType, invalid_properties

Answer = tuple[str, dict[str, Any], str]

MAX_WEIGHT: Final = 1_000_000  # what the references of one call may bring in, in characters and numbers

_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


class ResultReference(msgspec.Struct, rename="camel"):
    """Where to find an argument's value: RFC 8620 §3.7."""

    result_of: str
    name: str
    path: str


def resolve_arguments(arguments: dict[str, Any], answers: Sequence[Answer]) -> dict[str, Any]:
    """The arguments with every `#name` replaced by what it refers to.

    Raises:
        MethodError: invalidResultReference, invalidArguments (a name given plainly and by reference), requestTooLarge
            (references to references double at each step: 32 short calls could ask for more than any memory holds).
    """
    if not any(key.startswith("#") for key in arguments):
        return arguments
    resolved = {key: value for key, value in arguments.items() if not key.startswith("#")}
    left = MAX_WEIGHT
    for key, value in arguments.items():
        if key.startswith("#"):
            if key[1:] in resolved:
                raise MethodError(MethodErrorType.INVALID_ARGUMENTS, f"{key[1:]} is given twice")
            resolved[key[1:]] = _resolve(value, answers)
            left = _weigh(resolved[key[1:]], left)
    return resolved


def _weigh(value: Any, left: int) -> int:
    """What is left of `left` after this value; parts that stand in it twice count twice."""
    pending = [value]
    while pending:
        one = pending.pop()
        left -= 1 + len(one) if isinstance(one, str) else 1
        if isinstance(one, dict):
            left -= sum(map(len, one))
            pending.extend(one.values())
        elif isinstance(one, list):
            if set(map(type, one)) == {str}:  # ids, the usual case, by the thousand
                left -= len(one) + sum(map(len, one))
            else:
                pending.extend(one)
        if left < len(pending):  # each weighs 1 at least
            raise MethodError(MethodErrorType.REQUEST_TOO_LARGE, "the references bring in too much")
    return left


def _resolve(value: Any, answers: Sequence[Answer]) -> Any:
    try:
        reference = msgspec.convert(value, ResultReference)
    except msgspec.ValidationError as problem:
        raise MethodError(MethodErrorType.INVALID_RESULT_REFERENCE, str(problem)) from problem
    for name, arguments, call_id in answers:
        if call_id == reference.result_of:
            if name != reference.name:
                raise _bad(f"{call_id} answered {name}")
            return evaluate_pointer(arguments, reference.path)
    raise _bad(f"no earlier call {reference.result_of}")


def evaluate_pointer(document: Any, path: str) -> Any:
    """A JSON pointer (RFC 6901) with `*` for "each of this array" (RFC 8620 §3.7).

    Raises:
        MethodError: invalidResultReference: it leads nowhere.
    """
    if path == "":
        return document
    if not path.startswith("/"):
        raise _bad("a path starts with /")
    return _walk(document, [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")])


def _walk(value: Any, parts: list[str]) -> Any:
    for position, part in enumerate(parts):
        if isinstance(value, dict):
            if part not in value:
                raise _bad(f"no {part}")
            value = value[part]
        elif isinstance(value, list) and part == "*":
            return _walk_each(value, parts[position + 1 :])
        elif isinstance(value, list) and _INDEX.fullmatch(part) and int(part) < len(value):
            value = value[int(part)]
        else:
            raise _bad(f"no {part}")
    return value


def _walk_each(items: list[Any], rest: list[str]) -> list[Any]:
    flat: list[Any] = []
    for item in items:
        found = _walk(item, rest)
        if isinstance(found, list):
            flat.extend(found)
        else:
            flat.append(found)
    return flat


def _bad(why: str) -> MethodError:
    return MethodError(MethodErrorType.INVALID_RESULT_REFERENCE, why)


# ---------------------------------------------------------------- creation ids


def is_id_property(name: str) -> bool:
    """Whether a property holds ids, by the naming rule of our types: `id`, `…Id`, `…Ids`."""
    return name == "id" or name.endswith(("Id", "Ids"))


def creation_references(value: Any, *, in_id: bool = False) -> set[str]:
    """The creation ids (without `#`) that an object's id properties refer to."""
    if isinstance(value, dict):
        return set().union(*(creation_references(v, in_id=is_id_property(k)) for k, v in value.items()))
    if isinstance(value, list):
        return set().union(*(creation_references(item, in_id=in_id) for item in value))
    return {value[1:]} if in_id and isinstance(value, str) and value.startswith("#") else set()


def resolve_creation_ids(value: Any, created: Mapping[str, str], *, name: str = "") -> Any:
    """The same object with `#key` in id properties replaced by the object made under that key.

    Raises:
        SetError: invalidProperties: nothing was made under that key.
    """
    if isinstance(value, dict):
        return {key: resolve_creation_ids(inner, created, name=key) for key, inner in value.items()}
    if isinstance(value, list):
        return [resolve_creation_ids(item, created, name=name) for item in value]
    if is_id_property(name) and isinstance(value, str) and value.startswith("#"):
        if value[1:] not in created:
            raise invalid_properties(f"nothing was created as {value}", name)
        return created[value[1:]]
    return value
