"""What an administrator changes of a module's fields and views (docs/modules.md, Changes of an administrator), as plain values; every change makes new ones.

The definition a client has is what is in force, hidden fields left out; `draft` is what is being written over the folder.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from desktop.core.domain.definition import Field, Label, ModuleDefinition, TypeDefinition

Draft = dict[str, Any]
KINDS: Final = (
    "text",
    "longText",
    "number",
    "money",
    "date",
    "datetime",
    "bool",
    "choice",
    "multiChoice",
    "person",
    "persons",
    "department",
    "files",
)
"""Kinds a new field may have; those that need more than words and choices come with a folder."""
CHOICES: Final = frozenset({"choice", "multiChoice"})


@dataclass(frozen=True, slots=True)
class FieldLine:
    """A field as the list shows it: of the folder, changed or hidden, or new in the draft."""

    name: str
    kind: str
    label: Label
    required: bool = False
    hidden: bool = False
    new: bool = False
    changed: bool = False


@dataclass(frozen=True, slots=True)
class ViewLine:
    """A tab as the list shows it."""

    id: str
    label: Label
    kind: str
    hidden: bool = False
    changed: bool = False


def _named(items: Sequence[Any], key: str, name: str) -> dict[str, Any] | None:
    return next((one for one in items if isinstance(one, dict) and one.get(key) == name), None)


def _part(draft: Draft, part: str, key: str, name: str) -> dict[str, Any]:
    """The entry of a type or view in a draft that may be changed in place; made where there is none."""
    entries = draft.setdefault(part, [])
    found = _named(entries, key, name)
    if found is None:
        found = {key: name}
        entries.append(found)
    return found


def _label(value: Any, otherwise: Label) -> Label:
    if not isinstance(value, Mapping):
        return otherwise
    return Label(zh=str(value.get("zh") or otherwise.zh), en=str(value.get("en") or otherwise.en))


# ------------------------------------------------------------ reading
def field_lines(definition: TypeDefinition, draft: Draft) -> list[FieldLine]:
    """The fields of a type with the draft over them, in the order of the draft."""
    entry = _named(draft.get("types", ()), "name", definition.name) or {}
    changes = {one.get("name"): one for one in entry.get("change", ()) if isinstance(one, dict)}
    added = {one.get("name"): one for one in entry.get("fields", ()) if isinstance(one, dict)}
    lines: dict[str, FieldLine] = {}
    for field in definition.fields:
        if field.name in added:
            continue
        change = changes.get(field.name, {})
        lines[field.name] = FieldLine(
            field.name,
            str(field.kind),
            _label(change.get("label"), field.label),
            bool(change.get("required", field.required)),
            bool(change.get("hidden")),
            changed=field.name in changes,
        )
    for name, change in changes.items():
        if isinstance(name, str) and name not in lines and change.get("hidden"):  # hidden already: not on the wire
            lines[name] = FieldLine(
                name, "", _label(change.get("label"), Label(zh=name, en=name)), hidden=True, changed=True
            )
    for name, one in added.items():
        label = _label(one.get("label"), Label(zh=str(name), en=str(name)))
        lines[str(name)] = FieldLine(
            str(name), str(one.get("kind", "text")), label, bool(one.get("required")), new=True
        )
    first = [name for name in entry.get("order", ()) if name in lines]
    return [lines[name] for name in dict.fromkeys([*first, *lines])]


def field_entry(draft: Draft, type_name: str, name: str) -> dict[str, Any]:
    """What the draft says of a field; empty for nothing."""
    entry = _named(draft.get("types", ()), "name", type_name) or {}
    return dict(_named(entry.get("fields", ()), "name", name) or _named(entry.get("change", ()), "name", name) or {})


def view_lines(module: ModuleDefinition, draft: Draft) -> list[ViewLine]:
    """The views with the draft over them, in the order of the draft."""
    changes = {one.get("id"): one for one in draft.get("views", ()) if isinstance(one, dict)}
    lines = {
        view.id: ViewLine(
            view.id,
            _label(changes.get(view.id, {}).get("label"), view.label),
            str(view.kind),
            bool(changes.get(view.id, {}).get("hidden")),
            view.id in changes,
        )
        for view in module.views
    }
    for key, change in changes.items():
        if isinstance(key, str) and key not in lines and change.get("hidden"):
            lines[key] = ViewLine(
                key, _label(change.get("label"), Label(zh=key, en=key)), "", hidden=True, changed=True
            )
    first = [key for key in draft.get("viewOrder", ()) if key in lines]
    return [lines[key] for key in dict.fromkeys([*first, *lines])]


def field_of(definition: TypeDefinition, name: str) -> Field | None:
    """The field in force, for what a change starts from."""
    return next((one for one in definition.fields if one.name == name), None)


# ------------------------------------------------------------ changes: each answers a new draft
def field_changed(draft: Draft, type_name: str, name: str, **values: Any) -> Draft:
    """With something else said of a field; None takes it back."""
    made = copy.deepcopy(draft)
    entry = _part(made, "types", "name", type_name)
    own = _named(entry.get("fields", ()), "name", name)
    target = own if own is not None else _named(entry.setdefault("change", []), "name", name)
    if target is None:
        target = {"name": name}
        entry["change"].append(target)
    for key, value in values.items():
        if value is None or (value is False and key == "hidden"):
            target.pop(key, None)
        else:
            target[key] = value
    return _tidy(made)


def field_added(draft: Draft, definition: TypeDefinition, kind: str, label: Label) -> tuple[Draft, str]:
    """With a field more at the end, and its name."""
    made = copy.deepcopy(draft)
    entry = _part(made, "types", "name", definition.name)
    taken = {one.name for one in definition.fields} | {line.name for line in field_lines(definition, draft)}
    name = next(key for n in range(1, 10_000) if (key := f"extra{n}") not in taken)
    field: dict[str, Any] = {"name": name, "kind": kind, "label": {"zh": label.zh, "en": label.en}}
    if kind in CHOICES:
        field["choices"] = [{"value": "one", "label": {"zh": label.zh, "en": label.en}}]
    entry.setdefault("fields", []).append(field)
    return made, name


def field_dropped(draft: Draft, type_name: str, name: str) -> Draft:
    """Without a field that is new in the draft, or without what is said of another."""
    made = copy.deepcopy(draft)
    entry = _part(made, "types", "name", type_name)
    for part in ("fields", "change"):
        entry[part] = [one for one in entry.get(part, ()) if one.get("name") != name]
    entry["order"] = [one for one in entry.get("order", ()) if one != name]
    return _tidy(made)


def fields_ordered(draft: Draft, type_name: str, names: Sequence[str]) -> Draft:
    """With the fields in another order."""
    made = copy.deepcopy(draft)
    _part(made, "types", "name", type_name)["order"] = list(names)
    return made


def view_changed(draft: Draft, view_id: str, **values: Any) -> Draft:
    """With something else said of a view; None takes it back."""
    made = copy.deepcopy(draft)
    target = _part(made, "views", "id", view_id)
    for key, value in values.items():
        if value is None or (value is False and key == "hidden"):
            target.pop(key, None)
        else:
            target[key] = value
    return _tidy(made)


def views_ordered(draft: Draft, ids: Sequence[str]) -> Draft:
    """With the tabs in another order."""
    made = copy.deepcopy(draft)
    made["viewOrder"] = list(ids)
    return made


def choices_of(text: str, known: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """Choices from lines "中文 = English"; a line keeps the value it had, a new one gets one of its own."""
    values = {str((one.get("label") or {}).get("zh")): str(one.get("value")) for one in known}
    taken = set(values.values())
    made: list[dict[str, Any]] = []
    for line in text.splitlines():
        zh, _, en = (part.strip() for part in line.partition("="))
        if not zh:
            continue
        value = values.get(zh)
        if value is None:
            stem = re.sub(r"[^a-z0-9]", "", en.lower())[:20]
            stem = stem if stem[:1].isalpha() else "choice"
            value = next(v for n in range(10_000) if (v := f"{stem}{n or ''}") not in taken)
        taken.add(value)
        made.append({"value": value, "label": {"zh": zh, "en": en or zh}})
    return made


def _tidy(made: Draft) -> Draft:
    """Entries that say nothing go."""
    for entry in made.get("types", ()):
        entry["change"] = [one for one in entry.get("change", ()) if one.keys() - {"name"}]
        for part in ("change", "fields", "order"):
            if not entry.get(part):
                entry.pop(part, None)
    if "types" in made:
        made["types"] = [entry for entry in made["types"] if entry.keys() - {"name"}]
    if "views" in made:
        made["views"] = [entry for entry in made["views"] if entry.keys() - {"id"}]
    for part in ("types", "views", "viewOrder"):
        if part in made and not made[part]:
            del made[part]
    return made
