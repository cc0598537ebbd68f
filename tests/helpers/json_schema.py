"""As much of JSON Schema 2020-12 as resources/protocol/schema.json uses; an unknown keyword is an error, not a silent yes."""

import json
import re
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).parents[2] / "resources" / "protocol" / "schema.json"

_ANNOTATIONS = {"description", "title", "$schema", "$defs"}
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def load_schema() -> dict[str, Any]:
    """The schema of the wire."""
    return dict(json.loads(SCHEMA.read_text(encoding="utf-8")))


def problems(value: Any, name: str, document: dict[str, Any] | None = None) -> list[str]:
    """What is wrong with a value of the type `name` of $defs; empty when it is right."""
    return _check(value, {"$ref": f"#/$defs/{name}"}, document or load_schema(), name)


def _check(value: Any, schema: dict[str, Any], document: dict[str, Any], path: str) -> list[str]:
    found: list[str] = []
    for keyword, rule in schema.items():
        if keyword in _ANNOTATIONS:
            continue
        check = globals().get("_check_" + keyword.lstrip("$"))
        if check is None:
            raise NotImplementedError(keyword)
        found += check(value, rule, schema, document, path)
    return found


def _check_ref(value: Any, rule: str, schema: Any, document: Any, path: str) -> list[str]:
    return _check(value, document["$defs"][rule.removeprefix("#/$defs/")], document, path)


def _check_type(value: Any, rule: str, schema: Any, document: Any, path: str) -> list[str]:
    good = isinstance(value, _TYPES[rule]) and (rule == "boolean" or not isinstance(value, bool))
    return [] if good else [f"{path}: not of type {rule}"]


def _check_enum(value: Any, rule: list[Any], schema: Any, document: Any, path: str) -> list[str]:
    return [] if value in rule else [f"{path}: not one of {rule}"]


def _check_const(value: Any, rule: Any, schema: Any, document: Any, path: str) -> list[str]:
    return [] if value == rule else [f"{path}: not {rule}"]


def _check_anyOf(value: Any, rule: list[Any], schema: Any, document: Any, path: str) -> list[str]:  # noqa: N802
    return [] if any(not _check(value, one, document, path) for one in rule) else [f"{path}: fits none of anyOf"]


def _check_pattern(value: Any, rule: str, schema: Any, document: Any, path: str) -> list[str]:
    return [f"{path}: not like {rule}"] if isinstance(value, str) and not re.search(rule, value) else []


def _check_minimum(value: Any, rule: int, schema: Any, document: Any, path: str) -> list[str]:
    return [f"{path}: less than {rule}"] if isinstance(value, int | float) and value < rule else []


def _check_maxLength(value: Any, rule: int, schema: Any, document: Any, path: str) -> list[str]:  # noqa: N802
    return [f"{path}: longer than {rule}"] if isinstance(value, str) and len(value) > rule else []


def _check_minItems(value: Any, rule: int, schema: Any, document: Any, path: str) -> list[str]:  # noqa: N802
    return [f"{path}: fewer than {rule}"] if isinstance(value, list) and len(value) < rule else []


def _check_maxItems(value: Any, rule: int, schema: Any, document: Any, path: str) -> list[str]:  # noqa: N802
    return [f"{path}: more than {rule}"] if isinstance(value, list) and len(value) > rule else []


def _check_items(value: Any, rule: Any, schema: Any, document: Any, path: str) -> list[str]:
    items = value if isinstance(value, list) else []
    return [one for position, item in enumerate(items) for one in _check(item, rule, document, f"{path}[{position}]")]


def _check_prefixItems(value: Any, rule: list[Any], schema: Any, document: Any, path: str) -> list[str]:  # noqa: N802
    items = value if isinstance(value, list) else []
    pairs = enumerate(zip(items, rule, strict=False))
    return [one for at, (item, inner) in pairs for one in _check(item, inner, document, f"{path}[{at}]")]


def _check_required(value: Any, rule: list[str], schema: Any, document: Any, path: str) -> list[str]:
    return [f"{path}: no {key}" for key in rule if isinstance(value, dict) and key not in value]


def _check_properties(value: Any, rule: dict[str, Any], schema: Any, document: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return []
    return [
        one for key in value.keys() & rule.keys() for one in _check(value[key], rule[key], document, f"{path}.{key}")
    ]


def _check_additionalProperties(value: Any, rule: Any, schema: Any, document: Any, path: str) -> list[str]:  # noqa: N802
    known = schema.get("properties", {})
    rest = {key: inner for key, inner in value.items() if key not in known} if isinstance(value, dict) else {}
    return [one for key, inner in rest.items() for one in _check(inner, rule, document, f"{path}.{key}")]
