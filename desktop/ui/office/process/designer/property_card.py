"""What is chosen in the step list, with its properties (mockup 9, below): of a person's step, a branch, a parallel, an automatic step, an end; with
nothing chosen the process itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from desktop.core.domain.definition import TypeDefinition
from desktop.models.record_form import is_written
from desktop.models.step_list import BRANCH, END, PARALLEL, Item, Path, StepList, label_of, rows_of
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Card, CheckBox, Label, Scroll, TextField, on_click, row
from desktop.ui.layouts import empty_layout
from desktop.ui.office.process.designer.action_rows import ActionRows
from desktop.ui.office.process.designer.small_editors import ChoiceBox, ManyBox, MomentEdit
from desktop.ui.office.process.designer.step_words import ACTIONS, StepWords
from desktop.ui.office.process.designer.who_editor import WhoEditor
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.record.text_editors import GrowingText

COUNTS: Final = ("one", "all", 2, 3, 5)
PROCESS: Final = "process_itself"
TEXTS: Final = frozenset({"name", "service", "process", "condition"})
WIDE_CARD: Final = 620
"""From this width on properties stand in two columns."""


class PropertyCard(Card):
    """Signals:
    option_set: an option of the step (its name, its value; None: as usual). value_set: another value of the item (key, value).
    way_set: a value of one of its ways (path, key, value). way_added. way_removed: a path. removed: the item is not wanted.
    """

    option_set = Signal(str, object)
    value_set = Signal(str, object)
    way_set = Signal(tuple, str, object)
    way_added = Signal()
    way_removed = Signal(tuple)
    removed = Signal()

    def __init__(self, says: StepWords, parent: QWidget | None = None) -> None:
        super().__init__(padding=0, parent=parent)
        self.setObjectName("propertyCard")
        self.says = says
        self.path: Path | None = None
        self.item: Item = {}
        self.editors: dict[str, QWidget] = {}
        self.labels: dict[str, Label] = {}
        self._shape: object = None
        self.title = Label(role="emphasis", strong=True, wrap=True)
        self.drop = Button(key="office_process.design.remove", kind="link", small=True, icon="trash")
        self.drop.setObjectName("stepRemove")
        self.area = Scroll(surface="surface")
        self.area.inner.setContentsMargins(18, 4, 18, 14)
        self._holder = QWidget()
        self._holder_column = QVBoxLayout(self._holder)
        self._holder_column.setContentsMargins(0, 0, 0, 0)
        self._holder_column.setSpacing(8)
        self.area.inner.addWidget(self._holder)
        self.area.inner.addStretch(1)
        self.body.addLayout(row(self.title, None, self.drop, margins=(18, 12, 10, 0)))
        self.body.addWidget(self.area, 1)
        on_click(self.drop, self.removed.emit)
        i18n.changed.connect(self._rebuild)

    @property
    def definition(self) -> TypeDefinition | None:
        """The record type the process is for."""
        return self.says.definition

    def show_item(self, path: Path | None, item: Any, steps: StepList) -> None:
        """Shows what is chosen; the same thing with other values keeps its editors and the keyboard."""
        held = item if isinstance(item, dict) else {}
        if path is None and steps:
            held = steps
        kind = "way" if path is not None and not held.get("type") and path != ("steps",) else held.get("type", "")
        ways = len(held.get("choices") or held.get("lanes") or ())
        shape = (path, kind, held.get("id"), ways, self.says.context.language, theme.text_scale())
        kind = PROCESS if path is None and held else kind
        self.path, self.item, self.kind = path, held, str(kind)
        self.steps = steps
        if shape != self._shape:
            self._shape = shape
            self._rebuild()
        else:
            self._fill()

    kind = ""
    steps: StepList = {}  # noqa: RUF012  # replaced for each list, never changed in place

    def _rebuild(self) -> None:
        empty_layout(self._holder_column)
        self.editors, self.labels = {}, {}
        self.drop.setVisible(self.path is not None and self.kind != "way")
        if self.kind == PROCESS:
            self._build_process()
            self._fill()
            return
        if self.path is None or (not self.item and self.kind != "way"):
            self.title.setText(tr("office_process.design.choose_step"))
            return
        match self.kind:
            case "step":
                self._build_step()
            case _ if self.kind == BRANCH:
                self._build_branch()
            case _ if self.kind == PARALLEL:
                self._build_parallel()
            case "way":
                self._build_way()
            case _:
                self._build_other()
        self._fill()

    # ---- building
    def _grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        for column in (1, 3):
            grid.setColumnStretch(column, 1)
        self._holder_column.addLayout(grid)
        return grid

    def _place(self, grid: QGridLayout, key: str, editor: QWidget, *, wide: bool = False, below: bool = False) -> None:
        """The next free place: two properties a line where there is room, a wide one alone, or `below` its name."""
        name = tr(f"office_process.design.{key}")
        label = Label(name, role="secondary", tone="ink3")
        label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        wide = wide or below
        two = self.width() >= theme.scaled(WIDE_CARD)
        lines = grid.property("lines") or 0
        column = grid.property("column") or 0
        if (wide or not two) and column:
            lines, column = lines + 1, 0
        grid.addWidget(label, lines, column, Qt.AlignmentFlag.AlignTop)
        if below:
            lines += 1
            grid.addWidget(editor, lines, 0, 1, 4)
        else:
            grid.addWidget(editor, lines, column + 1, 1, 3 if wide else 1)
        done = wide or not two or column
        grid.setProperty("lines", lines + 1 if done else lines)
        grid.setProperty("column", 0 if done else 2)
        if isinstance(editor, ManyBox | MomentEdit):
            editor.set_name(name)
        elif not isinstance(editor, WhoEditor):
            editor.setAccessibleName(name)
        self.editors[key] = editor
        self.labels[key] = label

    def _name_line(self, grid: QGridLayout, key: str = "name") -> None:
        line = TextField()
        line.setMaxLength(200)
        line.editingFinished.connect(partial(self._on_text, key, line))
        self._place(grid, key, line)
        if key == "name":
            english = TextField()
            english.setMaxLength(200)
            english.editingFinished.connect(lambda: self._on_english(english))
            self._place(grid, "name_en", english)

    def _on_english(self, line: TextField) -> None:
        if line.text().strip() != label_of(self.item).get("en", ""):
            self.value_set.emit("name_en", line.text().strip())

    def _on_text(self, key: str, line: TextField) -> None:
        if line.text().strip() != str(self.item.get(key) or ""):
            self.value_set.emit(key, line.text().strip())

    def _who(self, grid: QGridLayout, key: str) -> None:
        editor = WhoEditor(self.says, f"office_process.design.{key}")
        editor.changed.connect(lambda: self.option_set.emit(key, editor.value() or None))
        self._place(grid, key, editor, wide=key == "performers")

    def _choice(self, grid: QGridLayout, key: str, choices: list[tuple[Any, str]]) -> None:
        editor = ChoiceBox(choices)
        editor.changed.connect(lambda: self.option_set.emit(key, editor.value()))
        self._place(grid, key, editor)

    def _moment(self, grid: QGridLayout, key: str) -> None:
        editor = MomentEdit()
        editor.changed.connect(lambda: self.option_set.emit(key, editor.value()))
        self._place(grid, key, editor)

    def _many(self, grid: QGridLayout, key: str, *, wide: bool = False) -> None:
        editor = ManyBox(f"office_process.design.{'usual' if key == 'actions' else 'none'}")
        editor.changed.connect(lambda: self._on_many(key, editor))
        self._place(grid, key, editor, wide=wide)

    def _on_many(self, key: str, editor: ManyBox) -> None:
        chosen = editor.value()
        if key != "actions":
            self.option_set.emit(key, chosen or None)
            return
        held = {self._action_key(one): one for one in self._options().get("actions") or ()}
        self.option_set.emit(key, [held.get(name) or {"name": name} for name in chosen] or None)

    def _build_process(self) -> None:
        self.title.setText(tr("office_process.design.whole"))
        self._name_line(self._grid())
        hint = Label(key="office_process.design.choose_step", role="secondary", tone="ink3", wrap=True)
        self._holder_column.addWidget(hint)

    def _build_step(self) -> None:
        grid = self._grid()
        self._name_line(grid)
        self._choice(grid, "kind", [(one, tr(f"office_process.design.kind.{one}")) for one in ("handle", "read")])
        self._who(grid, "performers")
        self._choice(grid, "count", [(one, self._count_word(one)) for one in COUNTS])
        self._choice(
            grid, "order", [(one, tr(f"office_process.design.order.{one}")) for one in ("parallel", "sequential")]
        )
        self._many(grid, "actions", wide=True)
        buttons = ActionRows()
        buttons.changed.connect(lambda: self.option_set.emit("actions", buttons.value() or None))
        self._place(grid, "buttons", buttons, below=True)
        self._choice(
            grid,
            "opinion",
            [(o, tr(f"office_process.design.opinions.{o}")) for o in ("optional", "required", "onReturn", "none")],
        )
        self._choice(
            grid,
            "signature",
            [(o, tr(f"office_process.design.signatures.{o}")) for o in ("never", "onApprove", "always")],
        )
        self._moment(grid, "limit")
        self._moment(grid, "urgeAfter")
        self._moment(grid, "escalateAfter")
        overdue: list[tuple[Any, str]] = [(None, tr("office_process.design.nothing"))]
        overdue += [(one, tr(f"office_process.action.{one}")) for one in ("approve", "return", "terminate")]
        self._choice(grid, "onOverdue", overdue)
        self._many(grid, "editable")
        self._many(grid, "required")
        self._who(grid, "fallback")
        skip = CheckBox(key="office_process.design.skip_on")
        skip.toggled.connect(lambda on: self._on_check("skipRepeated", on))
        self._place(grid, "skipRepeated", skip)
        self._many(grid, "chooses")
        states: list[tuple[Any, str]] = [(None, tr("office_process.design.unchanged"))]
        if self.definition is not None:
            states += [(state.value, self.says.context.label(state.label)) for state in self.definition.states]
        self._choice(grid, "state", states)

    def _on_check(self, key: str, on: bool) -> None:
        if bool(self._options().get(key)) != on:
            self.option_set.emit(key, True if on else None)

    def _count_word(self, count: Any) -> str:
        if count in ("one", "all"):
            return tr(f"office_process.design.counts.{count}")
        return tr("office_process.design.counts.n", n=count)

    def _build_branch(self) -> None:
        grid = self._grid()
        self._name_line(grid)
        several = CheckBox(key="office_process.design.several_on")
        several.toggled.connect(lambda on: self.value_set.emit("several", True if on else None))
        self._place(grid, "several_of", several)
        for number, choice in enumerate(self.item.get("choices", ())):
            self._way_lines(grid, ("choices", number), choice, condition=True)
        hint = Label(key="office_process.design.condition_hint", role="secondary", tone="ink3", wrap=True)
        self._holder_column.addWidget(hint)
        self._add_way("office_process.design.add_choice")

    def _build_parallel(self) -> None:
        grid = self._grid()
        self._name_line(grid)
        for number, lane in enumerate(self.item.get("lanes", ())):
            self._way_lines(grid, ("lanes", number), lane, condition=False)
        self._add_way("office_process.design.add_lane")

    def _way_lines(self, grid: QGridLayout, inner: Path, way: Mapping[str, Any], *, condition: bool) -> None:
        assert self.path is not None
        path = (*self.path, *inner)
        number = int(inner[1]) + 1
        title = tr("office_process.design.choice" if condition else "office_process.design.lane", n=number)
        name = TextField()
        name.setPlaceholderText(title)
        name.setAccessibleName(title)
        name.setText(str(way.get("name") or ""))
        name.editingFinished.connect(lambda: self.way_set.emit(path, "name", name.text().strip()))
        english = TextField()
        english.setObjectName(f"english_{number}")
        english.setPlaceholderText(tr("office_process.design.name_en"))
        english.setAccessibleName(f"{title}: {tr('office_process.design.name_en')}")
        english.setText(label_of(way).get("en", ""))
        english.editingFinished.connect(lambda: self.way_set.emit(path, "name_en", english.text().strip()))
        drop = Button(key="office_process.design.remove", kind="link", small=True)
        on_click(drop, partial(self.way_removed.emit, path))
        lines = grid.property("lines") or 0
        if grid.property("column"):
            lines += 1
        grid.addWidget(Label(title, role="secondary", tone="ink3"), lines, 0)
        grid.addWidget(name, lines, 1)
        if condition:
            text = TextField()
            text.setObjectName(f"condition_{number}")
            text.setPlaceholderText(tr("office_process.design.condition"))
            text.setAccessibleName(f"{title}: {tr('office_process.design.condition')}")
            text.setText(str(way.get("condition") or ""))
            text.editingFinished.connect(lambda: self.way_set.emit(path, "condition", text.text().strip()))
            grid.addWidget(text, lines, 2, 1, 2)
            self.editors[f"condition{number}"] = text
            lines += 1
        grid.addWidget(english, lines, 1 if condition else 2)
        grid.addWidget(drop, lines, 2 if condition else 3, Qt.AlignmentFlag.AlignLeft)
        grid.setProperty("lines", lines + 1)
        grid.setProperty("column", 0)

    def _add_way(self, key: str) -> None:
        button = Button(key=key, kind="link", small=True, icon="plus")
        button.setObjectName("wayAdd")
        on_click(button, self.way_added.emit)
        line = Flow()
        line.add(button)
        self._holder_column.addWidget(line)

    def _build_way(self) -> None:
        grid = self._grid()
        self._name_line(grid)
        if self.path is not None and self.path[-2] == "choices":
            line = TextField()
            line.editingFinished.connect(partial(self._on_text, "condition", line))
            self._place(grid, "condition", line, wide=True)
            hint = Label(key="office_process.design.condition_hint", role="secondary", tone="ink3", wrap=True)
            self._holder_column.addWidget(hint)

    def _build_other(self) -> None:
        grid = self._grid()
        self._name_line(grid)
        if self.kind == END:
            states: list[tuple[Any, str]] = [(None, tr("office_process.design.unchanged"))]
            if self.definition is not None:
                states += [(state.value, self.says.context.label(state.label)) for state in self.definition.states]
            box = ChoiceBox(states)
            box.changed.connect(lambda: self.value_set.emit("state", box.value()))
            self._place(grid, "state", box)
        elif self.kind == "script":
            text = GrowingText((2, 8))
            text.textChanged.connect(lambda: self._on_script(text))
            self._place(grid, "script", text, wide=True)
        else:
            self._name_line(grid, "service" if self.kind == "service" else "process")

    def _on_script(self, text: GrowingText) -> None:
        if text.toPlainText() != str(self.item.get("script") or ""):
            self.value_set.emit("script", text.toPlainText())

    # ---- filling
    def _options(self) -> dict[str, Any]:
        held = self.item.get("options")
        return held if isinstance(held, dict) else {}

    def _fill(self) -> None:
        rows = rows_of(self.steps)
        here = next((one for one in rows if one.path == self.path), None)
        if here is not None:
            self.title.setText(self.says.title(here))
        options = self._options()
        usual = {"kind": "handle", "count": "one", "order": "parallel", "opinion": "optional", "signature": "never"}
        for key, editor in self.editors.items():
            if isinstance(editor, WhoEditor):
                held = options.get(key, ["role:admin"] if key == "fallback" else [])
                if editor.value() != list(held):
                    editor.set_value(held)
            elif isinstance(editor, MomentEdit):
                if not editor.number.hasFocus():
                    editor.set_value(options.get(key))
            elif isinstance(editor, ManyBox):
                self._fill_many(key, editor, options)
            elif isinstance(editor, CheckBox):
                editor.blockSignals(True)  # Qt's signature
                editor.setChecked(bool(options.get(key)) if key == "skipRepeated" else bool(self.item.get("several")))
                editor.blockSignals(False)
            elif isinstance(editor, ActionRows):
                editor.set_value(options.get("actions") or [], self.says.context.language)
                for part in (editor, self.labels[key]):
                    part.setVisible(bool(options.get("actions")))
            elif isinstance(editor, ChoiceBox):
                source = self.item if self.kind == END else options
                editor.set_value(source.get(key, usual.get(key)))
            elif isinstance(editor, GrowingText):
                if not editor.hasFocus():
                    editor.setPlainText(str(self.item.get(key) or ""))
            elif isinstance(editor, TextField) and key == "name_en" and not editor.hasFocus():
                editor.setText(label_of(self.item).get("en", ""))
            elif isinstance(editor, TextField) and key in TEXTS and not editor.hasFocus():
                editor.setText(str(self.item.get(key) or ""))

    def _action_key(self, value: Any) -> str:
        name, outcome = (value.get("name"), value.get("outcome")) if isinstance(value, Mapping) else ("", None)
        return f"{name}:{outcome}" if outcome else str(name)

    def _fill_many(self, key: str, editor: ManyBox, options: Mapping[str, Any]) -> None:
        held = options.get(key) or []
        match key:
            case "actions":
                own = [(self._action_key(one), self.says.action(one)) for one in held]
                known = {name for name, _ in own}
                usual = [(name, tr(f"office_process.action.{name}")) for name in ACTIONS if name not in known]
                editor.show_choices([*own, *usual], [name for name, _ in own])
            case "chooses":
                steps = [(r.id, self.says.title(r)) for r in rows_of(self.steps) if r.kind == "step"]
                editor.show_choices([one for one in steps if one[0] != self.item.get("id")], held)
            case _:
                fields = self.definition.fields if self.definition is not None else ()
                names = [(f.name, self.says.context.label(f.label)) for f in fields if is_written(f)]
                every = [("*", tr("office_process.design.all_fields"))] if key == "editable" else []
                editor.show_choices([*every, *names], held)
