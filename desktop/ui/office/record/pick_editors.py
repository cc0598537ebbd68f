"""Editors that pick: people, departments, records of other types; one of them, or several as chips."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from desktop.core.domain import Audience, Person
from desktop.core.domain.definition import Field
from desktop.core.domain.records import RecordQuery
from desktop.ui import i18n
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, IconButton, on_click, row
from desktop.ui.kit.hit_list import Hit
from desktop.ui.layouts import discard
from desktop.ui.office.audience_picker import AudiencePicker
from desktop.ui.office.record.editor import FieldEditor
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.record.pick_line import PickLine
from desktop.ui.office.views.base import ViewContext

MANY = frozenset({"persons", "departments", "references"})


def person_matches(person: Person, needle: str) -> bool:
    """Whether a name, its pinyin or its initials begin like what was typed; anywhere in the name itself."""
    return (
        needle in person.name.casefold()
        or person.pinyin.casefold().startswith(needle)
        or person.initials.casefold().startswith(needle)
        or (bool(person.login) and person.login.casefold().startswith(needle))
    )


async def find_hits(context: ViewContext, field: Field, text: str) -> Sequence[Hit]:
    """What a field may hold that fits a text: people, departments, or records of its target that `only` allows."""
    needle = text.casefold()
    organization = context.organization
    match str(field.kind):
        case "person" | "persons":
            fitting = (p for p in organization.people.values() if not needle or person_matches(p, needle))
            ranked = sorted(fitting, key=lambda p: (not p.name.casefold().startswith(needle), p.pinyin or p.name, p.id))
            return [Hit(p.id, p.name, organization.place(p)) for p in ranked]
        case "department" | "departments":
            found = (
                organization.departments[key] for root in organization.children() for key in organization.subtree(root)
            )
            fits = (d for d in found if needle in d.name.casefold())
            return [Hit(d.id, d.name, context.name_of(d.parent_id)) for d in fits]
    query = RecordQuery(type_name=field.target or "", filter=field.only, text=text, limit=12)
    page = await context.records.page(query)
    return [Hit(record.id, context.title(record)) for record in page.records]


def hit_name(context: ViewContext, field: Field, key: str) -> str:
    """What a picked id is called; empty while unknown."""
    if field.kind in ("reference", "references"):
        return context.title_of(field.target or "", key)
    return context.name_of(key)


class _LinePick(PickLine):
    """A line that gives up its chosen value when it is typed over."""

    removed_last = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Backspace and not self.text():
            self.removed_last.emit()
            return
        super().keyPressEvent(event)


class PickOne(FieldEditor):
    """One person, department or record: its name stands in the line; a reference can be opened from here."""

    opened = Signal(str, str)

    def __init__(
        self, context: ViewContext, field: Field, *, compact: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(context, field, compact=compact, parent=parent)
        self._id: str | None = None
        self._name = ""
        self.line = PickLine(partial(find_hits, context, field))
        i18n.bind(self.line.setPlaceholderText, f"office_record.pick.{field.kind}")
        self.setFocusProxy(self.line)
        self.open = IconButton("arrow-square-out", "office_record.open_reference", tone="ink3", size=16, box=28)
        self.open.setVisible(False)
        on_click(self.open, lambda: self.opened.emit(field.target or "", self._id or ""))
        self.column.addLayout(row(self.line, self.open, spacing=2))
        self.line.picked.connect(self._on_picked)
        self.line.textChanged.connect(self._on_text)
        self.line.editingFinished.connect(self.finish)
        context.names_changed.connect(self._on_names)

    def value(self) -> Any:
        return self._id

    def show_value(self, value: Any) -> None:
        if self.line.hasFocus() and value == self._id and self._name:
            return  # being typed
        self._id = value if isinstance(value, str) else None
        self._name = hit_name(self.context, self.field, self._id) if self._id else ""
        self.line.settled = self._name
        self.line.setText(self._name)
        self._show_open()

    def raw(self) -> str | None:
        text = self.line.text().strip()
        return text if text and text != self._name else None

    def set_raw(self, text: str) -> None:
        self.line.setText(text)

    def _on_picked(self, hit: Hit) -> None:
        self._id, self._name = hit.id, hit.name
        self.line.settled = hit.name
        self._setting = True
        self.line.setText(hit.name)
        self._setting = False
        self._show_open()
        self.told()

    def _on_text(self, text: str) -> None:
        if self._setting or text.strip() == self._name:
            return
        self._id, self._name = None, ""
        self.line.settled = ""
        self._show_open()
        self.told()

    def finish(self) -> None:
        if self.raw() is not None:
            self.line.take_first()

    def _on_names(self) -> None:
        if self._id and not self._name:
            self.set_value(self._id)

    def _show_open(self) -> None:
        self.open.setVisible(self.field.kind == "reference" and self._id is not None and not self.compact)


class PickMany(FieldEditor):
    """Several of them as chips, with a line to find more."""

    wide = True

    def __init__(self, context: ViewContext, field: Field, *, parent: QWidget | None = None) -> None:
        super().__init__(context, field, parent=parent)
        self._ids: list[str] = []
        self._chips: dict[str, Button] = {}
        self.flow = Flow()
        self.line = _LinePick(partial(find_hits, context, field))
        i18n.bind(self.line.setPlaceholderText, f"office_record.pick.{field.kind}")
        self.setFocusProxy(self.line)
        self.column.addWidget(self.flow)
        self.column.addWidget(self.line)
        self.line.picked.connect(self._on_picked)
        self.line.textChanged.connect(lambda _text: self.told())
        self.line.editingFinished.connect(self.finish)
        self.line.removed_last.connect(self._drop_last)
        context.names_changed.connect(self._show)
        self._show()

    def value(self) -> Any:
        return list(self._ids) or None

    def show_value(self, value: Any) -> None:
        self._ids = [key for key in value if isinstance(key, str)] if isinstance(value, list) else []
        self._show()

    def raw(self) -> str | None:
        return self.line.text().strip() or None

    def set_raw(self, text: str) -> None:
        self.line.setText(text)

    def _on_picked(self, hit: Hit) -> None:
        self._setting = True
        self.line.clear()
        self._setting = False
        if hit.id not in self._ids:
            self._ids.append(hit.id)
        self._show()
        self.told()

    def finish(self) -> None:
        if self.raw() is not None:
            self.line.take_first()

    def _drop_last(self) -> None:
        if self._ids:
            self._drop(self._ids[-1])

    def _drop(self, key: str) -> None:
        self._ids.remove(key)
        self._show()
        self.line.setFocus(Qt.FocusReason.OtherFocusReason)
        self.told()

    def _show(self) -> None:
        for key in [key for key in self._chips if key not in self._ids]:
            chip = self._chips.pop(key)
            self.flow.flow.removeWidget(chip)
            discard(chip)
        for key in self._ids:
            name = hit_name(self.context, self.field, key) or "…"
            chip = self._chips.get(key) or self._make_chip(key)
            chip.setText(name)
            chip.setAccessibleName(tr("office_record.remove_named", name=name))
        self.flow.setVisible(bool(self._ids))

    def _make_chip(self, key: str) -> Button:
        chip = Button(icon="x", small=True)
        on_click(chip, partial(self._drop, key))
        self._chips[key] = chip
        self.flow.add(chip)
        return chip


class AudienceEditor(FieldEditor):
    """Everyone, or departments, roles and people."""

    wide = True

    def __init__(self, context: ViewContext, field: Field, *, parent: QWidget | None = None) -> None:
        super().__init__(context, field, parent=parent)
        self.picker = AudiencePicker(context.organization)
        self.column.addWidget(self.picker)
        self.picker.changed.connect(self.told)

    def focus_target(self) -> QWidget:
        return self.picker.everyone

    def set_invalid(self, invalid: bool) -> None:
        """It has no edge; the reason below says it."""

    def value(self) -> Any:
        chosen = self.picker.audience()
        if not (chosen.everyone or chosen.department_ids or chosen.roles or chosen.person_ids):
            return None
        return {
            "everyone": chosen.everyone,
            "departmentIds": list(chosen.department_ids),
            "roles": list(chosen.roles),
            "personIds": list(chosen.person_ids),
        }

    def show_value(self, value: Any) -> None:
        held = value if isinstance(value, dict) else {}
        self.picker.set_audience(
            Audience(
                held.get("everyone") is True,
                tuple(held.get("departmentIds") or ()),
                tuple(held.get("roles") or ()),
                tuple(held.get("personIds") or ()),
            )
        )
