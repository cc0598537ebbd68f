"""Why changes of a module are not sound, in the language of the screen: codes of the server with its arguments, fields and views by their labels."""

import logging
import re
from collections.abc import Mapping
from typing import Any, Final

from desktop.core.domain.definition import ModuleDefinition
from desktop.core.domain.processes import Unsound
from desktop.models import module_changes as changes
from desktop.models.module_changes import Draft
from desktop.ui.i18n import has, tr
from desktop.ui.office.views.base import ViewContext

log = logging.getLogger("tongban.ui")
_KINDS: Final = frozenset({"kind", "kinds", "around"})
_WORDS: Final = frozenset({"what", "language", "period", "right"})
_LISTED: Final = re.compile(r"(?P<name>.+?)\[(?P<number>\d+)\]\Z", re.ASCII)


class UnsoundWords:
    """Says reasons about one module with a draft over it."""

    def __init__(self, context: ViewContext, module: ModuleDefinition, draft: Draft) -> None:
        """`draft`: what the reasons are about; new fields have their labels there."""
        self._context, self._module, self._draft = context, module, draft

    def sentence(self, one: Unsound | str) -> str:
        """The reason with its place; the server's own words where the client does not know its code."""
        if isinstance(one, str):
            return one
        type_name = self._type_of(one.where)
        said = self._reason(one.code, one.args, type_name)
        if said is None:
            return one.text(self._context.language)
        place = self._place(one.where)
        return tr("office_unsound.somewhere", place=place, problem=said) if place else said

    # ------------------------------------------------------------ the reason
    def _reason(self, code: str, args: Mapping[str, Any], type_name: str) -> str | None:
        key = f"office_unsound.{code}"
        if not code or not has(key):
            return None
        filled = {name: self._argument(name, value, type_name) for name, value in args.items()}
        try:
            return tr(f"office_unsound.{code}", **filled)
        except (KeyError, IndexError, ValueError):  # a server of another version gives other arguments
            log.warning("arguments that do not fit: %s", key)
            return None

    def _argument(self, name: str, value: Any, type_name: str) -> str:
        if isinstance(value, Mapping):
            args = value.get("args")
            said = self._reason(str(value.get("code")), args if isinstance(args, Mapping) else {}, type_name)
            return str(value.get("code")) if said is None else said
        if isinstance(value, list):
            return tr("office_unsound.comma").join(self._argument(name, one, type_name) for one in value)
        text = str(value)
        if name in _KINDS:
            return _word(f"office_process.changes.kind.{text}", _word(f"office_unsound.kind.{text}", text))
        if name in _WORDS:
            return _word(f"office_unsound.word.{text}", text)
        if name == "name":
            return self._fields(type_name).get(text.removeprefix("-"), text)
        return {"type": self._types(), "view": self._views()}.get(name, {}).get(text, text)

    # ------------------------------------------------------------ the place
    def _type_of(self, where: str) -> str:
        parts = where.split(".")
        if len(parts) < 2:
            return ""
        view = next((one for one in self._module.views if parts[0] == "views" and one.id == parts[1]), None)
        return view.type if view is not None else parts[1]

    def _place(self, where: str) -> str:
        parts = where.split(".")
        names = {**self._types(), **self._views(), **self._fields(self._type_of(where))}
        head = 1 if len(parts) > 1 and (parts[1] in names or parts[0] in ("types", "newTypes")) else 0
        return " · ".join(self._part(one, names) for one in parts[head:] if one)

    def _part(self, part: str, names: Mapping[str, str]) -> str:
        listed = _LISTED.match(part)
        if listed is not None:
            return f"{self._part(listed['name'], names)} {int(listed['number']) + 1}"
        return names.get(part) or _word(f"office_unsound.place.{part}", _word(f"office_unsound.word.{part}", part))

    # ------------------------------------------------------------ names of the module
    def _types(self) -> dict[str, str]:
        return {one.name: self._context.label(one.label) for one in self._module.types}

    def _views(self) -> dict[str, str]:
        return {one.id: self._context.label(one.label) for one in changes.view_lines(self._module, self._draft)}

    def _fields(self, type_name: str) -> dict[str, str]:
        definition = self._context.type_of(type_name)
        lines = changes.field_lines(definition, self._draft) if definition is not None else []
        return {one.name: self._context.label(one.label) for one in lines}


def _word(key: str, otherwise: str) -> str:
    return tr(key) if has(key) else otherwise
