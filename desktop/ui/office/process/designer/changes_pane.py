"""Fields and views of a module, changed by an administrator without code: labels, what must be filled, what is hidden, new fields, the order of both.

What is written is a draft on the server; publishing says first what it does, and every desktop has it at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QGridLayout,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from desktop.core.domain.definition import Label as Words
from desktop.core.domain.definition import TypeDefinition
from desktop.core.domain.processes import OverlayPlan, Unsound, unsound_of
from desktop.core.errors import AppError
from desktop.models import module_changes as changes
from desktop.models.module_changes import CHOICES, Draft, FieldLine, ViewLine
from desktop.ui import i18n, theme
from desktop.ui.i18n import error_text, tr
from desktop.ui.kit import (
    Banner,
    Button,
    Card,
    CheckBox,
    ElidedLabel,
    EmptyState,
    HeaderBar,
    IconButton,
    Label,
    Menu,
    Snack,
    TabStrip,
    TextField,
    on_click,
    row,
)
from desktop.ui.layouts import empty_layout
from desktop.ui.office.process.designer.small_editors import ChoiceBox, ManyBox, ask_calmly
from desktop.ui.office.process.designer.unsound_words import UnsoundWords
from desktop.ui.office.record.actions_bar import ConfirmBar
from desktop.ui.office.record.case_tab import cases_of
from desktop.ui.office.record.text_editors import GrowingText
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive
from desktop.ui.theme import values_process as values

KEY: Final = int(Qt.ItemDataRole.UserRole) + 1
SAVE_MS: Final = 500
MOST_REASONS: Final = 12
VIEWS: Final = "views"


class SortedList(QListWidget):
    """Lines that are sorted by dragging, or with Alt and the arrows. `sorted_to` carries the keys in their new order."""

    sorted_to = Signal(list)

    def __init__(self, name_key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSpacing(1)
        i18n.bind(self.setAccessibleName, name_key)
        self.model().rowsMoved.connect(lambda *_moved: self.sorted_to.emit(self.keys()))

    def keys(self) -> list[str]:
        """The keys from top to bottom."""
        return [str(self.item(number).data(KEY)) for number in range(self.count())]

    def show_lines(self, lines: Sequence[tuple[str, str, str]], current: str) -> None:
        """Shows these: key, words, tone."""
        self.blockSignals(True)  # Qt's signature
        if [key for key, _, _ in lines] != self.keys():
            self.clear()
            for key, _, _ in lines:
                item = QListWidgetItem()
                item.setData(KEY, key)
                self.addItem(item)
        for number, (_, words, tone) in enumerate(lines):
            self.item(number).setText(words)
            self.item(number).setForeground(theme.tokens().named(tone))
        place = next((number for number, line in enumerate(lines) if line[0] == current), -1)
        self.setCurrentRow(place)
        self.blockSignals(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()), 0)
        if step and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            here, there = self.currentRow(), self.currentRow() + step
            if here >= 0 and 0 <= there < self.count():
                keys = self.keys()
                keys.insert(there, keys.pop(here))
                self.sorted_to.emit(keys)
            return
        super().keyPressEvent(event)


class ChangesPane(QWidget):
    """Fields and views of one module.

    Signals: closed.
    """

    closed = Signal()

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("moduleChanges")
        self.setProperty("surface", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.context = context
        self.tasks = TaskOwner(self)
        self.draft: Draft = {}
        self.loaded = False
        self.part = ""
        self.current = ""
        self.editors: dict[str, QWidget] = {}
        self._shape: object = None
        self._unsaved = False
        self._build_ui()
        self._bind()

    # ---- build
    def _build_ui(self) -> None:
        header = HeaderBar(margins=(10, 14), spacing=8)
        self.back = IconButton("arrow-left", "office_process.design.back", size=18, box=30)
        self.back.setObjectName("changesBack")
        self.title = ElidedLabel(key="office_process.changes.title", role="header", strong=True)
        self.throw_button = Button(key="office_process.changes.throw", kind="ghost")
        self.publish_button = Button(key="office_process.design.publish", kind="primary")
        self.publish_button.setObjectName("changesPublish")
        line = header.line
        for part in (self.back, self.title):
            line.addWidget(part)
        line.addStretch(1)
        line.addWidget(self.throw_button)
        line.addWidget(self.publish_button)
        self.banner, self.confirm = Banner(), ConfirmBar()
        self.tabs = TabStrip()
        self.list = SortedList("office_process.changes.list")
        self.list.setObjectName("changesList")
        self.add = Button(key="office_process.changes.add_field", icon="plus", small=True)
        self.add.setObjectName("changesAdd")
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(14, 10, 10, 12)
        column.setSpacing(8)
        column.addWidget(self.tabs)
        column.addWidget(Label(key="office_process.changes.sort_hint", role="secondary", tone="ink3", wrap=True))
        column.addWidget(self.list, 1)
        column.addLayout(row(self.add, None))
        self.card = Card(padding=18)
        self.name = Label(role="emphasis", strong=True, wrap=True)
        self._editors_box = QVBoxLayout()
        self.card.body.addWidget(self.name)
        self.card.body.addLayout(self._editors_box)
        self.card.body.addStretch(1)
        right = QWidget()
        right.setProperty("surface", "bg")
        right.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        inner = QVBoxLayout(right)
        inner.setContentsMargins(18, 14, 18, 14)
        inner.addWidget(self.card)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setChildrenCollapsible(False)
        self.split.setHandleWidth(1)
        self.split.addWidget(left)
        self.split.addWidget(right)
        self.split.setStretchFactor(1, 1)
        self.split.setSizes([theme.scaled(values.DESIGN_LIST), theme.scaled(600)])
        self.state = EmptyState("hourglass-medium", "common.loading")
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        for top in (header, self.banner, self.confirm):
            whole.addWidget(top)
        whole.addWidget(self.state, 1)
        whole.addWidget(self.split, 1)
        self.split.hide()
        self.snack = Snack(self)

    def _bind(self) -> None:
        on_click(self.back, self.leave)
        on_click(self.publish_button, self.ask_publish)
        on_click(self.throw_button, self.throw)
        on_click(self.state.action, self.load)
        on_click(self.add, lambda: self.kinds_menu().popup(self.add.mapToGlobal(QPoint(0, self.add.height()))))
        self.tabs.chosen.connect(self.show_part)
        self.list.currentRowChanged.connect(self._on_row)
        self.list.sorted_to.connect(self._on_sorted)
        self.confirm.confirmed.connect(lambda: self.tasks.start(self._publish(), name="publish", exclusive=True))
        self._later = QTimer(self, interval=SAVE_MS, singleShot=True)
        self._later.timeout.connect(self.save)
        self.context.definition_changed.connect(self._show)
        i18n.changed.connect(self._show)

    # ---- reading
    def load(self) -> None:
        """Reads what is in force and what is being written."""
        self.tasks.start(self._load(), name="load", exclusive=True)

    async def _load(self) -> None:
        cases = cases_of(self.context)
        if cases is None:
            return
        try:
            overlay = await cases.overlay(self.context.module_id)
        except AppError as error:
            if alive(self):
                self.state.show_text("warning-circle", "office_module.failed")
                self.state.hint.setText(error_text(error))
                self.state.hint.show()
                i18n.bind(self.state.action.setText, "common.retry")
                self.state.action.show()
            return
        if alive(self):
            held = (overlay.draft or overlay.changes) if overlay is not None else None
            self.draft = dict(held or {})
            self._unsaved = False
            self.loaded = True
            self.state.hide()
            self.split.show()
            self._show()

    # ---- showing
    @property
    def definition(self) -> TypeDefinition | None:
        """The type whose fields are shown; None while views are."""
        return self.context.type_of(self.part) if self.part != VIEWS else None

    def show_part(self, part: str) -> None:
        """The fields of a type, or the views."""
        self.part, self.current = part, ""
        self._show()

    def _show(self) -> None:
        module = self.context.module
        if module is None or not self.loaded:
            return
        parts = [(one.name, self.context.label(one.label)) for one in module.types]
        self.tabs.set_tabs([*parts, (VIEWS, tr("office_process.changes.views"))])
        if self.part not in {key for key, _ in parts} | {VIEWS}:
            self.part = parts[0][0] if parts else VIEWS
        self.tabs.choose(self.part)
        lines = self._lines()
        keys = [line[0] for line in lines]
        if self.current not in keys:
            self.current = keys[0] if keys else ""
        self.list.show_lines(lines, self.current)
        self.add.setVisible(self.part != VIEWS)
        self._show_card()

    def _lines(self) -> list[tuple[str, str, str]]:
        definition, module = self.definition, self.context.module
        if definition is not None:
            return [
                (one.name, self._field_words(one), "faint" if one.hidden else "link" if one.new else "ink")
                for one in changes.field_lines(definition, self.draft)
            ]
        found = changes.view_lines(module, self.draft) if module is not None else []
        return [(one.id, self._view_words(one), "faint" if one.hidden else "ink") for one in found]

    def _field_words(self, one: FieldLine) -> str:
        parts = [
            self.context.label(one.label),
            tr(f"office_process.changes.kind.{one.kind}") if one.kind in changes.KINDS else "",
        ]
        marks = {
            "required": one.required,
            "hidden": one.hidden,
            "new": one.new,
            "changed": one.changed and not one.hidden,
        }
        parts += [tr(f"office_process.changes.{mark}") for mark, on in marks.items() if on]
        return " · ".join(part for part in parts if part)

    def _view_words(self, one: ViewLine) -> str:
        marks = {"hidden": one.hidden, "changed": one.changed and not one.hidden}
        parts = [
            self.context.label(one.label),
            *(tr(f"office_process.changes.{mark}") for mark, on in marks.items() if on),
        ]
        return " · ".join(parts)

    def _on_row(self, number: int) -> None:
        if number >= 0:
            self.current = str(self.list.item(number).data(KEY))
            self._show_card()

    def _show_card(self) -> None:
        shape = (self.part, self.current, self.context.language, self._is_new())
        if shape != self._shape:
            self._shape = shape
            empty_layout(self._editors_box)
            self.editors = {}
            if self.current:
                self._build_card()
        self._fill()

    def _is_new(self) -> bool:
        line = self._field_line()
        return line is not None and line.new

    def _field_line(self) -> FieldLine | None:
        definition = self.definition
        lines = changes.field_lines(definition, self.draft) if definition is not None else []
        return next((one for one in lines if one.name == self.current), None)

    def _view_line(self) -> ViewLine | None:
        module = self.context.module
        lines = changes.view_lines(module, self.draft) if module is not None and self.part == VIEWS else []
        return next((one for one in lines if one.id == self.current), None)

    def _build_card(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        self._editors_box.addLayout(grid)
        for key in ("zh", "en"):
            line = TextField()
            line.setMaxLength(60)
            line.editingFinished.connect(partial(self._on_label, key, line))
            self._place(grid, f"label_{key}", line)
        hidden = CheckBox(key="office_process.changes.hidden_on")
        if self.part == VIEWS:
            columns = ManyBox()
            columns.changed.connect(lambda: self._set(columns=columns.value()))
            self._place(grid, "columns", columns)
            hidden.toggled.connect(lambda on: self._set(hidden=on))
            self._place(grid, "hide", hidden)
            return
        required = CheckBox(key="office_process.changes.required_on")
        required.toggled.connect(lambda on: self._set(required=on))
        self._place(grid, "required", required)
        line_of = self._field_line()
        if line_of is not None and line_of.kind in CHOICES:
            choices = GrowingText((3, 10))
            choices.textChanged.connect(lambda: self._on_choices(choices))
            self._place(grid, "choices", choices)
        if self._is_new():
            kind = ChoiceBox([(one, tr(f"office_process.changes.kind.{one}")) for one in changes.KINDS])
            kind.changed.connect(lambda: self._on_kind(str(kind.value())))
            self._place(grid, "kind", kind)
            drop = Button(key="office_process.design.remove", kind="link", small=True, icon="trash")
            drop.setObjectName("changesDrop")
            on_click(drop, self.drop)
            self._editors_box.addLayout(row(drop, None))
        else:
            hidden.toggled.connect(lambda on: self._set(hidden=on))
            self._place(grid, "hide", hidden)

    def _place(self, grid: QGridLayout, key: str, editor: QWidget) -> None:
        name = tr(f"office_process.changes.{key}")
        at = grid.rowCount()
        label = Label(name, role="secondary", tone="ink3")
        grid.addWidget(label, at, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(editor, at, 1)
        editor.set_name(name) if isinstance(editor, ManyBox) else editor.setAccessibleName(name)
        self.editors[key] = editor

    def _fill(self) -> None:
        one: FieldLine | ViewLine | None = self._view_line() if self.part == VIEWS else self._field_line()
        if one is None:
            self.name.setText("")
            return
        self.name.setText(self.context.label(one.label))
        for key, editor in self.editors.items():
            if isinstance(editor, TextField) and not editor.hasFocus():
                editor.setText(one.label.zh if key == "label_zh" else one.label.en)
            elif isinstance(editor, CheckBox):
                editor.blockSignals(True)  # Qt's signature
                editor.setChecked(one.hidden if key == "hide" else isinstance(one, FieldLine) and one.required)
                editor.blockSignals(False)
            elif isinstance(editor, ChoiceBox) and isinstance(one, FieldLine):
                editor.set_value(one.kind)
            elif isinstance(editor, GrowingText) and not editor.hasFocus():
                editor.setPlainText("\n".join(self._choice_lines()))
            elif isinstance(editor, ManyBox):
                self._fill_columns(editor)

    def _choices(self) -> list[dict[str, Any]]:
        said = changes.field_entry(self.draft, self.part, self.current).get("choices")
        if isinstance(said, list):
            return said
        definition = self.definition
        field = changes.field_of(definition, self.current) if definition is not None else None
        held = field.choices if field is not None else ()
        return [{"value": c.value, "label": {"zh": c.label.zh, "en": c.label.en}, "color": c.color} for c in held]

    def _choice_lines(self) -> list[str]:
        return [f"{one['label'].get('zh', '')} = {one['label'].get('en', '')}" for one in self._choices()]

    def _fill_columns(self, editor: ManyBox) -> None:
        module = self.context.module
        view = module.view(self.current) if module is not None else None
        definition = self.context.type_of(view.type) if view is not None else None
        said: dict[str, Any] = next((one for one in self.draft.get("views", ()) if one.get("id") == self.current), {})
        held = said.get("columns") or (view.columns if view is not None else ())
        names = [(f.name, self.context.label(f.label)) for f in definition.fields] if definition is not None else []
        editor.show_choices(names, [str(one) for one in held])

    # ---- changing
    def _change(self, draft: Draft) -> None:
        if draft != self.draft:
            self.draft = draft
            self._unsaved = True
            self._later.start()
        self._show()

    def _set(self, **said: Any) -> None:
        if not self.current:
            return
        if self.part == VIEWS:
            self._change(changes.view_changed(self.draft, self.current, **said))
        else:
            self._change(changes.field_changed(self.draft, self.part, self.current, **said))

    def _on_label(self, key: str, line: TextField) -> None:
        one: FieldLine | ViewLine | None = self._view_line() if self.part == VIEWS else self._field_line()
        text = line.text().strip()
        if one is None or not text or text == getattr(one.label, key):
            return
        self._set(label={"zh": one.label.zh, "en": one.label.en} | {key: text})

    def _on_choices(self, editor: GrowingText) -> None:
        if editor.hasFocus():
            made = changes.choices_of(editor.toPlainText(), self._choices())
            if made:
                self._set(choices=made)

    def _on_kind(self, kind: str) -> None:
        label = changes.field_entry(self.draft, self.part, self.current).get("label", {})
        first = [{"value": "one", "label": label}] if kind in CHOICES else None
        self._shape = None
        self._set(kind=kind, choices=first)

    def _on_sorted(self, keys: list[str]) -> None:
        if self.part == VIEWS:
            self._change(changes.views_ordered(self.draft, keys))
        else:
            self._change(changes.fields_ordered(self.draft, self.part, keys))

    def kinds_menu(self) -> Menu:
        """The kinds a new field may have."""
        menu = Menu(self, leaves=True)
        for kind in changes.KINDS:
            menu.addAction(tr(f"office_process.changes.kind.{kind}"), partial(self.add_field, kind))
        return menu

    def add_field(self, kind: str) -> None:
        """A field more, at the end."""
        definition = self.definition
        if definition is None:
            return
        words = i18n.catalog()["office_process.changes.new_field"]
        draft, name = changes.field_added(self.draft, definition, kind, Words(zh=words["zh"], en=words["en"]))
        self.current = name
        self._change(draft)

    def drop(self) -> None:
        """Takes a new field away again."""
        self._change(changes.field_dropped(self.draft, self.part, self.current))

    # ---- saving, publishing
    def save(self) -> None:
        """Keeps the draft on the server."""
        if self._unsaved:
            self.tasks.start(self._save(self.draft), name="save", exclusive=True)

    async def _save(self, draft: Draft) -> None:
        cases = cases_of(self.context)
        if cases is None:
            return
        try:
            await cases.save_overlay(self.context.module_id, draft or None)
        except AppError as error:
            if alive(self):
                self.banner.action.hide()
                reasons = unsound_of(error)
                if reasons:
                    self._show_unsound(tr("office_process.changes.wrong_shape"), reasons)
                else:
                    why = tr("office_process.changes.unsaved", why=error_text(error))
                    self.banner.show_text(why, icon="cloud-slash")
            return
        if alive(self):
            self.banner.hide()
            self._unsaved = self._unsaved and draft is not self.draft

    def ask_publish(self) -> None:
        """Says what publishing does, and asks."""
        self.tasks.start(self._ask_publish(), name="plan", exclusive=True)

    async def _ask_publish(self) -> None:
        cases = cases_of(self.context)
        self._later.stop()
        if self._unsaved:
            await self._save(self.draft)
        if cases is None or not alive(self) or self._unsaved:
            return
        plan = await cases.plan_overlay(self.context.module_id)
        if not alive(self) or self._refuses(plan):
            return
        said = "\n".join(self._sentence(one) for one in plan.lines) or tr("office_process.changes.nothing")
        ask_calmly(
            self.confirm,
            f"{tr('office_process.changes.publish_question')}\n{said}",
            tr("office_process.design.publish"),
        )

    def _sentence(self, said: Words | str) -> str:
        return said if isinstance(said, str) else self.context.label(said)

    def _refuses(self, plan: OverlayPlan) -> bool:
        if plan.problems:
            self.banner.action.hide()
            self._show_unsound(tr("office_process.design.not_published"), plan.problems)
        return bool(plan.problems)

    def _show_unsound(self, what: str, reasons: Sequence[Unsound | str]) -> None:
        module = self.context.module
        if module is None:
            return
        words = UnsoundWords(self.context, module, self.draft)
        lines = list(dict.fromkeys(words.sentence(one) for one in reasons))
        if len(lines) > MOST_REASONS:
            rest = len(lines) - MOST_REASONS
            lines = [*lines[:MOST_REASONS], tr("office_process.changes.more_reasons", n=rest)]
        self.banner.show_text("\n".join((what, *lines)), tone="red", icon="warning-circle", dismissible=True)

    async def _publish(self) -> None:
        cases = cases_of(self.context)
        if cases is None:
            return
        plan = await cases.publish_overlay(self.context.module_id)
        if alive(self) and not self._refuses(plan):
            self.snack.say(tr("office_process.design.published"))
            await self._load()

    def throw(self) -> None:
        """Throws the draft away; what is in force stays."""
        self.tasks.start(self._throw(), name="throw", exclusive=True)

    async def _throw(self) -> None:
        cases = cases_of(self.context)
        self._later.stop()
        if cases is not None:
            await cases.save_overlay(self.context.module_id, None)
            if alive(self):
                await self._load()

    def leave(self) -> None:
        """Back to the views; what is written is kept."""
        self.save()
        self.closed.emit()
