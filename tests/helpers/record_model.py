"""The backend model with office records: types that modules bring and take away, versions, field-level merge and conflicts, as docs/protocol.md §4 says."""

import json
from dataclasses import dataclass
from typing import Any

from tests.helpers.backend_model import BackendModel


@dataclass(frozen=True)
class Written:
    """One accepted change of one field."""

    record_id: str
    field: str
    old: Any
    new: Any
    by: str
    old_by: str | None


class RecordModel(BackendModel):
    """Everybody sees every record; a value that holds "bad" is refused."""

    def __init__(self, *people: str, page: int = 3) -> None:
        super().__init__(push_objects=False, page=page)
        self.people = people
        self.objects["ModuleDefinition"] = {}
        self.types: list[str] = []
        self.changes_of: dict[str, list[tuple[int, str, frozenset[str]]]] = {}
        self.written: list[Written] = []
        self.authors: dict[tuple[str, str], str] = {}
        self.accepted: set[Any] = set()
        self.conflicts = 0

    def define(self, module_id: str, *types: str) -> None:
        """A module with these types, which are there from now on; others it had are gone."""
        self.now += 1
        label = {"zh": module_id, "en": module_id}
        access = {"read": ["everyone"], "create": ["everyone"], "update": ["everyone"], "destroy": ["author"]}
        shown = [{"name": name, "label": label, "fields": [], "access": access} for name in types]
        known = self.objects["ModuleDefinition"].get(module_id, {})
        for name in [one["name"] for one in known.get("types", []) if one["name"] not in types]:
            self._drop(name)
        for name in types:
            if name not in self.types:
                self.types.append(name)
                self.objects[name] = {}
        self.objects["ModuleDefinition"][module_id] = {
            "id": module_id, "group": "official", "label": label, "icon": "ph.car", "order": 1, "types": shown,
        }  # fmt: skip
        for person in self.people:
            self._show(person, "ModuleDefinition", module_id)
        self._tell(set(self.people), {})

    def undefine(self, module_id: str) -> None:
        """The module is gone, and its types with it."""
        known = self.objects["ModuleDefinition"].pop(module_id, None)
        if known is None:
            return
        self.now += 1
        for one in known["types"]:
            self._drop(one["name"])
        for person in self.people:
            self._hide(person, "ModuleDefinition", module_id)
        self._tell(set(self.people), {})

    def _drop(self, type_name: str) -> None:
        self.types.remove(type_name)
        del self.objects[type_name]
        for key in [key for key in self.sight if key[1] == type_name]:
            del self.sight[key]
            self.touched.pop(key, None)

    def _call(self, account: str, name: str, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        type_name = name.split("/", maxsplit=1)[0]
        if type_name not in (*self.objects, "Core"):
            return "error", {"type": "unknownMethod"}
        return super()._call(account, name, arguments)

    def _set(self, account: str, type_name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if type_name not in self.types:
            return super()._set(account, type_name, arguments)
        answer: dict[str, Any] = {"created": {}, "notCreated": {}, "updated": {}, "notUpdated": {}, "destroyed": []}
        for key, data in arguments.get("create", {}).items():
            problem = self._create(account, type_name, key, data)
            if problem is None:
                answer["created"][key] = {"id": key}
            else:
                answer["notCreated"][key] = problem
        for key, data in arguments.get("update", {}).items():
            problem = self._update(account, type_name, key, data)
            if problem is None:
                answer["updated"][key] = None
            else:
                answer["notUpdated"][key] = problem
        for key in arguments.get("destroy", []):
            if key in self.objects[type_name]:
                self.now += 1
                del self.objects[type_name][key]
                for person in self.people:
                    self._hide(person, type_name, key)
                self._tell(set(self.people), {})
                answer["destroyed"].append(key)
            else:
                answer.setdefault("notDestroyed", {})[key] = {"type": "notFound"}
        return answer

    def _create(self, account: str, type_name: str, key: str, data: dict[str, Any]) -> dict[str, Any] | None:
        if key in self.objects[type_name]:
            return None
        if any("bad" in str(value) for value in data.values()):
            return {"type": "invalidProperties", "properties": [name for name in data if "bad" in str(data[name])]}
        self.now += 1
        self.accepted |= set(data.values())
        for name in data:
            self.authors[key, name] = account
        self.objects[type_name][key] = {
            "id": key,
            "authorId": account,
            "createdAt": "2026-11-22T08:00:00.000Z",
            "updatedAt": "2026-11-22T08:00:00.000Z",
            "version": 1,
            **data,
        }
        for person in self.people:
            self._show(person, type_name, key)
        self._tell(set(self.people), {})
        return None

    def _update(self, account: str, type_name: str, key: str, patch: dict[str, Any]) -> dict[str, Any] | None:
        record = self.objects[type_name].get(key)
        if record is None:
            return {"type": "notFound"}
        seen = patch.get("version", record["version"])
        asked = {name: value for name, value in patch.items() if name != "version"}
        changed = {name for name, value in asked.items() if record.get(name) != value}
        if any("bad" in str(value) for value in asked.values()):
            return {"type": "invalidProperties", "properties": [name for name in asked if "bad" in str(asked[name])]}
        elsewhere = {
            name
            for version, by, fields in self.changes_of.get(key, [])
            for name in fields
            if version > seen and by != account
        }
        if elsewhere & changed:
            self.conflicts += 1
            current = json.loads(json.dumps(record))
            return {"type": "conflict", "properties": sorted(elsewhere & changed), "current": current}
        if not changed:
            return None
        self.now += 1
        record["version"] += 1
        self.changes_of.setdefault(key, []).append((record["version"], account, frozenset(changed)))
        for name in sorted(changed):
            before = self.authors.get((key, name))
            self.written.append(Written(key, name, record.get(name), asked[name], account, before))
            record[name] = asked[name]
            self.accepted.add(asked[name])
            self.authors[key, name] = account
        for person in self.people:
            self._touch(person, type_name, key)
        self._tell(set(self.people), {})
        return None
