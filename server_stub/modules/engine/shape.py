"""Turns parsed TOML into the structs of definition.py and names every mistake of shape with its place, not only the first one."""

import datetime
import enum
import functools
import itertools
import math
import types
import typing
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, NamedTuple, TypeVar

import msgspec

from server_stub.modules.engine.saying import Reason, reason

T = TypeVar("T", bound=msgspec.Struct)
_NAMES: Final = ("name", "id", "value")
MAX_PROBLEMS: Final = 200
_PLAIN: Final[Mapping[Any, Reason]] = {
    bool: reason("aBool", "true or false"),
    int: reason("aWhole", "a whole number"),
    float: reason("aNumber", "a number"),
}


def shape_problems(content: Any, struct: type[msgspec.Struct]) -> list[str]:
    """One sentence for each key that is missing, unknown or of the wrong shape. Empty: msgspec.convert(content, struct) succeeds."""
    problems: list[str] = []
    for problem in itertools.chain(_strange(content, ""), _table(content, struct, "")):
        problems.append(problem)
        if len(problems) == MAX_PROBLEMS:
            problems.append(reason("andMore", "and more"))
            break
    return problems


def _table(content: Any, struct: type[msgspec.Struct], where: str) -> Iterator[Reason]:
    if not isinstance(content, dict):
        yield _say(where, "mustBeTable", "must be a table")
        return
    fields = _fields(struct)
    for key in sorted(str(key) for key in content.keys() - fields.keys()):
        yield _say(where, "unknownKey", "unknown key {key!r}", key=key[:60])
    for key, field in fields.items():
        if key not in content:
            if field.required:
                yield _say(where, "missing", "{name} is missing", name=key)
            continue
        yield from _value(content[key], field.hint, _join(where, key))


def _strange(value: Any, where: str) -> Iterator[Reason]:
    """What TOML knows and JSON does not, and characters nobody sees."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _strange(inner, _join(where, str(key)[:60]))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _strange(inner, _entry(where, inner, index))
    elif isinstance(value, str):
        if any(
            unicodedata.category(one) in ("Cc", "Cf", "Cs") and one != "\n" for one in value
        ) or value != value.rstrip("\n"):
            yield _say(where, "controls", "no control characters, and no line break at the end")
    elif isinstance(value, float) and not math.isfinite(value):
        yield _say(where, "mustBeFinite", "must be a finite number")
    elif isinstance(value, datetime.date | datetime.time):
        yield _say(where, "datesAreTexts", 'dates are written as texts: "2026-11-22"')


def _value(value: Any, hint: Any, where: str) -> Iterator[Reason]:
    inner = _table_of(hint)
    if inner is not None:
        yield from _table(value, inner, where)
        return
    of_list = _table_of_list(hint)
    if of_list is None or not isinstance(value, list):
        yield from _leaf(value, hint, where)
        return
    if not value:
        yield from _leaf(value, hint, where)  # where at least one is wanted
    for index, one in enumerate(value):
        yield from _table(one, of_list, _entry(where, one, index))


def _leaf(value: Any, hint: Any, where: str) -> Iterator[Reason]:
    entry = _entry_hint(hint)
    if entry is not None and isinstance(value, list) and value:
        for index, one in enumerate(value):
            yield from _leaf(one, entry, f"{where}[{index}]")
        return
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        meant = _meant(hint)
        text = str(error).partition(" - at ")[0].replace("`", "'")
        if meant is not None:
            yield _say(where, "mustBe", "must be {meant}", meant=meant)
        else:
            yield _say(where, "wrongShape", "{said}", said=text[0].lower() + text[1:])


def _meant(hint: Any) -> Reason | None:
    """What a value of this hint is, in words; None where msgspec says it well enough."""
    members = _members(hint, keep_annotated=True)
    if float in members:
        return _PLAIN[float]
    for one in members:
        if typing.get_origin(one) is Annotated:
            for meta in typing.get_args(one)[1:]:
                if isinstance(meta, msgspec.Meta) and meta.description and meta.extra:
                    return Reason(meta.description, meta.extra["code"], {})
        if typing.get_origin(one) is tuple:
            inner = _meant(typing.get_args(one)[0])
            return None if inner is None else reason("aList", "a list, each entry {each}", each=inner)
        if typing.get_origin(one) is typing.Literal:
            return reason("oneOf", "one of {known}", known=typing.get_args(one))
        if isinstance(one, type) and issubclass(one, enum.Enum):
            return reason("oneOf", "one of {known}", known=[str(value.value) for value in one])
        if one in _PLAIN:
            return _PLAIN[one]
    return None


@functools.cache
def _table_of(hint: Any) -> type[msgspec.Struct] | None:
    """The struct that a hint such as `Label` or `Label | None` asks for."""
    found = [one for one in _members(hint) if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    return found[0] if found else None


@functools.cache
def _table_of_list(hint: Any) -> type[msgspec.Struct] | None:
    """The struct of the entries of a hint such as `tuple[Field, ...]`."""
    entry = _entry_hint(hint)
    return None if entry is None else _table_of(entry)


@functools.cache
def _entry_hint(hint: Any) -> Any:
    """`X` of a hint such as `tuple[X, ...]`, None where it asks for no list."""
    for one in _members(hint):
        arguments = typing.get_args(one)
        if typing.get_origin(one) is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
            return arguments[0]
    return None


def _members(hint: Any, *, keep_annotated: bool = False) -> tuple[Any, ...]:
    """The types a hint allows, without None, and without Annotated around them unless it is to be kept."""
    if typing.get_origin(hint) is Annotated and not keep_annotated:
        return _members(typing.get_args(hint)[0])
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        each = (_members(one, keep_annotated=keep_annotated) for one in typing.get_args(hint) if one is not type(None))
        return tuple(inner for one in each for inner in one)
    return (hint,)


class _Field(NamedTuple):
    hint: Any
    required: bool


@functools.cache
def _fields(struct: type[msgspec.Struct]) -> Mapping[str, _Field]:
    """What a table of this struct may hold, by key."""
    hints = typing.get_type_hints(struct, include_extras=True)
    return {one.encode_name: _Field(hints[one.name], one.required) for one in msgspec.structs.fields(struct)}


def _entry(where: str, entry: Any, index: int) -> str:
    """`types.Car`, `types.Car.fields.plate`: an entry is called by its name where it has one."""
    if isinstance(entry, dict):
        for key in _NAMES:
            if isinstance(entry.get(key), str) and entry[key]:
                return _join(where, entry[key][:60])
    return f"{where}[{index}]"


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _say(where: str, code: str, text: str, /, **args: object) -> Reason:
    return reason(code, text, **args).at(where or "module")
