"""Patch objects (RFC 8620 §5.3): pure, so that every type changes its objects by the same rules."""

import itertools
from collections.abc import Mapping
from typing import Any

from server_stub.errors import SetError, SetErrorType


def apply_patch(original: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `original` with the patch applied; null takes a property away. `original` stays as it is.

    Raises:
        SetError: invalidPatch: a pointer through something that is no object, or two pointers of which one is inside the other.
    """
    paths = {key: _split(key) for key in patch}
    ordered = sorted(paths.values())
    for before, after in itertools.pairwise(ordered):
        if after[: len(before)] == before:
            raise SetError(SetErrorType.INVALID_PATCH, f"{'/'.join(before)} is patched twice")
    result = dict(original)
    for key, path in paths.items():
        _put(result, path, patch[key])
    return result


def changed_properties(original: Mapping[str, Any], patched: Mapping[str, Any]) -> set[str]:
    """The top-level properties that differ."""
    return {key for key in original.keys() | patched.keys() if original.get(key) != patched.get(key)}


def _split(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")]


def _put(target: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        inner = target.get(part)
        if not isinstance(inner, dict):
            raise SetError(SetErrorType.INVALID_PATCH, f"{'/'.join(path)}: {part} is no object")
        inner = dict(inner)  # the original's inner objects are not ours to change
        target[part] = inner
        target = inner
    if value is None:
        target.pop(path[-1], None)
    else:
        target[path[-1]] = value
