"""Who acts at a step: chips that are taken away with a press, and a menu of all the ways to name somebody; what needs a word is asked in place."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core.domain.definition import FieldKind
from desktop.core.domain.definition import Label as Words
from desktop.models.step_list import rows_of
from desktop.ui import i18n
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Menu, TextField, on_click
from desktop.ui.layouts import empty_layout
from desktop.ui.office.process.ask_box import people_field
from desktop.ui.office.process.designer.step_words import PLAIN, StepWords
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.record.pick_editors import PickOne

PEOPLE_FIELDS = frozenset({FieldKind.PERSON, FieldKind.PERSONS})
UNIT_FIELDS = frozenset({FieldKind.DEPARTMENT, FieldKind.DEPARTMENTS})
TYPED = ("post", "role", "superiorChain", "rule")


class WhoEditor(QWidget):
    """Signals: changed."""

    changed = Signal()

    def __init__(self, says: StepWords, name_key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.says = says
        self._held: list[str] = []
        self._asking = ""
        self.flow = Flow(spacing=4)
        self.add = Button(key="office_process.design.add", kind="link", small=True, icon="plus", parent=self)
        self.add.setObjectName("whoAdd")
        self.line = TextField()
        self.line.setObjectName("whoWord")
        self.person = PickOne(says.context, people_field("person", Words(zh="", en=""), many=False))
        for part in (self.line, self.person):
            part.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.flow)
        column.addWidget(self.line)
        column.addWidget(self.person)
        i18n.bind(self.setAccessibleName, name_key)
        on_click(self.add, lambda: self.menu().popup(self.add.mapToGlobal(QPoint(0, self.add.height()))))
        self.line.returnPressed.connect(self._take_word)
        self.line.editingFinished.connect(self._take_word)
        self.person.changed.connect(self._take_person)

    def value(self) -> list[str]:
        """Performers as the list has them."""
        return list(self._held)

    def set_value(self, held: Sequence[str]) -> None:
        """Shows these; tells nobody."""
        self._held = [str(one) for one in held]
        for part in (self.line, self.person):
            part.hide()
        self._show()

    def _show(self) -> None:
        self.add.setParent(self)
        empty_layout(self.flow.flow)
        for one in self._held:
            chip = Button(self.says.performer(one), icon="x", small=True)
            chip.setAccessibleName(tr("office_record.remove_named", name=chip.text()))
            on_click(chip, partial(self.drop, one))
            self.flow.add(chip)
        self.flow.add(self.add)
        self.add.show()

    def drop(self, one: str) -> None:
        """Takes one away."""
        self._held.remove(one)
        self._show()
        self.changed.emit()

    def put(self, one: str) -> None:
        """Puts one more."""
        if one and one not in self._held:
            self._held.append(one)
            self._show()
            self.changed.emit()

    # ---- adding
    def menu(self) -> Menu:
        """All ways to name somebody."""
        menu = Menu(self, leaves=True)
        for kind in PLAIN:
            menu.addAction(tr(f"office_process.who.{kind}"), partial(self.put, kind))
        menu.addSeparator()
        definition = self.says.definition
        fields = definition.fields if definition is not None else ()
        for one in fields:
            if one.kind in PEOPLE_FIELDS:
                menu.addAction(self.says.performer(f"field:{one.name}"), partial(self.put, f"field:{one.name}"))
            if one.kind in UNIT_FIELDS:
                menu.addAction(self.says.performer(f"head:{one.name}"), partial(self.put, f"head:{one.name}"))
        for row in rows_of(self.says.steps):
            if row.kind == "step" and row.number:
                menu.addAction(self.says.performer(f"of:{row.id}"), partial(self.put, f"of:{row.id}"))
        menu.addSeparator()
        menu.addAction(tr("office_process.who.ask.person"), self.ask_person)
        for kind in TYPED:
            menu.addAction(tr(f"office_process.who.ask.{kind}"), partial(self.ask_word, kind))
        return menu

    def ask_word(self, kind: str) -> None:
        """Asks for the word behind the colon."""
        self._asking = kind
        self.person.hide()
        self.line.clear()
        self.line.setPlaceholderText(tr(f"office_process.who.hint.{kind}"))
        self.line.setAccessibleName(self.line.placeholderText())
        self.line.show()
        self.line.setFocus(Qt.FocusReason.OtherFocusReason)

    def ask_person(self) -> None:
        """Asks for a colleague."""
        self.line.hide()
        self.person.set_value(None)
        self.person.show()
        self.person.take_focus()

    def _take_word(self) -> None:
        word, kind = self.line.text().strip(), self._asking
        self._asking = ""
        self.line.hide()
        if word and kind:
            self.put(f"{kind}:{word}")

    def _take_person(self) -> None:
        key = self.person.value()
        if isinstance(key, str) and key:
            self.person.hide()
            self.put(f"person:{key}")
