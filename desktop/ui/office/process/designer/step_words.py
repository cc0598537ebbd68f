"""Words of a step's properties: who acts, how many, by when, what they may do, in which order a way is taken."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from desktop.core.domain.definition import Label as Words
from desktop.core.domain.definition import TypeDefinition
from desktop.core.domain.processes import ActionName, StepAction
from desktop.models.step_list import BRANCH, END, PARALLEL, Row, StepList, label_of, rows_of
from desktop.ui.i18n import has, tr, when
from desktop.ui.office.process import words
from desktop.ui.office.views.base import ViewContext

PLAIN: Final = ("starter", "superior", "departmentHead", "previous", "chosen")
"""Performers that need nothing more said."""
KINDS: Final = ("superiorChain", "head", "post", "role", "person", "field", "of", "rule")
"""Performers with a word behind a colon."""
MOMENT: Final = re.compile(r"^([0-9]{1,4})([mhd])$")
ACTIONS: Final = tuple(str(name) for name in ActionName)


class StepWords:
    """Says things of one list's steps in the language in use."""

    def __init__(self, context: ViewContext, definition: TypeDefinition | None = None) -> None:
        self.context, self.definition = context, definition
        self.steps: StepList = {}

    def performer(self, text: str) -> str:
        """One performer."""
        kind, _, rest = text.partition(":")
        if kind in PLAIN:
            return tr(f"office_process.who.{kind}")
        if kind not in KINDS:
            return text
        return tr(f"office_process.who.{kind}", name=self._named(kind, rest))

    def _named(self, kind: str, rest: str) -> str:
        match kind:
            case "head" | "field":
                return self.field(rest)
            case "person":
                return self.context.name_of(rest) or rest
            case "of":
                return next((self.name(r.value) or rest for r in rows_of(self.steps) if r.id == rest), rest)
            case "post":
                return rest.replace("/", " ")
        return rest

    def field(self, name: str) -> str:
        """A field of the record type; the name itself where it has no such field."""
        if name == "*":
            return tr("office_process.design.all_fields")
        found = self.definition.field(name) if self.definition is not None else None
        return self.context.label(found.label) if found is not None else name

    def performers(self, options: Mapping[str, Any]) -> str:
        """All who act at a step."""
        held = options.get("performers") or ()
        return when.list_join([self.performer(str(one)) for one in held]) or tr("office_process.design.nobody")

    def action(self, value: Any) -> str:
        """A button of a step, as its list has it."""
        if not isinstance(value, Mapping):
            return ""
        label = value.get("label")
        made = Words(zh=str(label.get("zh", "")), en=str(label.get("en", ""))) if isinstance(label, Mapping) else None
        outcome = value.get("outcome")
        return words.action_word(
            self.context, StepAction(str(value.get("name", "")), str(outcome) if outcome else None, made)
        )

    def moment(self, text: str | None) -> str:
        """A length of working time: 1d → 1 个工作日; empty for none."""
        found = MOMENT.match(text or "")
        if found is None:
            return self.limit_field(text or "")
        count = int(found.group(1))
        if count == 0:
            return tr("office_process.design.at_once")
        return tr(
            {"m": "office_process.minutes", "h": "office_process.hours", "d": "office_process.workdays"}[
                found.group(2)
            ],
            n=count,
        )

    def limit_field(self, text: str) -> str:
        """A limit that a field of the form gives."""
        return tr("office_process.design.until", name=self.field(text[6:])) if text.startswith("field:") else text

    # ---- rows
    def name(self, value: Mapping[str, Any]) -> str:
        """The name of an item or way in the language in use."""
        label = label_of(value)
        return self.context.label(Words(label.get("zh", ""), label.get("en", ""))) or str(value.get("name") or "")

    def title(self, row: Row) -> str:
        """What a line of the list is called."""
        value = row.value
        name = self.name(value)
        if row.way == "choice":
            return name or tr("office_process.design.choice", n=row.at + 1)
        if row.way == "otherwise":
            return name or tr("office_process.design.otherwise")
        if row.way == "lane":
            return name or tr("office_process.design.lane", n=row.at + 1)
        return (
            name or tr(f"office_process.design.kind.{row.kind}")
            if has(f"office_process.design.kind.{row.kind}")
            else name or row.id
        )

    def side(self, row: Row) -> str:
        """What stands at the right of a line."""
        if row.kind == "step":
            return self.performers(row.value.get("options") or {})
        if row.kind in ("service", "script", "call"):
            return tr("office_process.the_system")
        return ""

    def detail(self, row: Row) -> str:
        """The second line: buttons, limit and count of a step; the condition of a choice."""
        value = row.value
        match row.kind:
            case "step":
                return " · ".join(self._step_parts(value.get("options") or {}))
            case "service":
                return tr("office_process.design.service_of", name=value.get("service", ""))
            case "script":
                return str(value.get("script", "")).splitlines()[0] if value.get("script") else ""
            case "call":
                return tr("office_process.design.call_of", name=value.get("process", ""))
            case "way" if row.way == "choice":
                return tr("office_process.design.if", condition=value.get("condition") or "")
            case _ if row.kind == END:
                return self.state(value.get("state"))
            case _ if row.kind == BRANCH:
                return tr("office_process.design.several") if value.get("several") else ""
            case _ if row.kind == PARALLEL:
                return tr("office_process.design.at_the_same_time")
        return ""

    def _step_parts(self, options: Mapping[str, Any]) -> list[str]:
        parts = [self.action(one) for one in options.get("actions") or ()]
        count = options.get("count", "one")
        if count != "one":
            parts.append(tr("office_process.design.all") if count == "all" else tr("office_process.n_people", n=count))
        if options.get("limit"):
            parts.append(tr("office_process.design.within", time=self.moment(str(options["limit"]))))
        return [part for part in parts if part]

    def state(self, value: Any) -> str:
        """A state of the record."""
        found = self.definition.state(value) if self.definition is not None and value else None
        return self.context.label(found.label) if found is not None else str(value or "")
