"""What can be done with many chosen rows at once: set a field, run an action, export, delete; with progress, and why which row failed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from desktop.core.domain.definition import Action, Field, FieldKind
from desktop.core.domain.records import Record
from desktop.ui import theme
from desktop.ui.i18n import error_text, tr
from desktop.ui.kit import Button, IconButton, Label, Menu, Scroll, on_click, row
from desktop.ui.layouts import empty_layout
from desktop.ui.office.frame.bulk_run import BulkRun, NotOffered, acting, destroying, setting
from desktop.ui.office.record.editor import FieldEditor
from desktop.ui.office.views.table import TableView
from desktop.ui.tasks import TaskOwner, alive

if TYPE_CHECKING:  # printing is wanted seldom
    from desktop.ui.office.record.files import RecordFiles

NOT_SET_AT_ONCE: Final = frozenset(
    {FieldKind.BLOB, FieldKind.FILES, FieldKind.LINES, FieldKind.OBJECT, FieldKind.RICH_TEXT, FieldKind.AUDIENCE}
)


class BulkBar(QFrame):
    """Shows itself while several rows are chosen, and while there is something to tell about the last run."""

    export_asked = Signal()
    shown = Signal(bool)

    def __init__(self, view: TableView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "footer")
        self._view, self._context = view, view.context
        self.tasks = TaskOwner(self)
        self.run = BulkRun(view.context, self)
        self._chosen = 0
        self._sheets: RecordFiles | None = None
        self.words = Label(role="secondary", strong=True)
        self.set_field = Button(key="office_module.set_field", small=True, icon="pencil-simple")
        self.act = Button(key="office_module.act", small=True, icon="lightning")
        self.export = Button(key="office_module.export", small=True, icon="download-simple")
        self.print_button = Button(key="office_module.print", small=True, icon="printer")
        self.delete = Button(key="office_module.delete", kind="danger", small=True, icon="trash")
        self.close_button = IconButton("x", "office_module.choose_none", size=14, box=26)
        for button, name in ((self.set_field, "bulkSet"), (self.act, "bulkAct"), (self.delete, "bulkDelete")):
            button.setObjectName(name)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedWidth(theme.scaled(160))
        self.cancel = Button(key="common.cancel", small=True)
        self.details = Button(key="office_module.show_failures", kind="link", small=True)
        self._panel = QWidget()
        self._inside = QVBoxLayout(self._panel)
        self._inside.setContentsMargins(14, 10, 14, 4)
        self._inside.setSpacing(8)
        self._panel.hide()
        line = QHBoxLayout()
        line.setContentsMargins(14, 6, 8, 6)
        line.setSpacing(8)
        buttons = (self.set_field, self.act, self.export, self.print_button, self.delete)
        for part in (self.words, self.progress, self.cancel, self.details, *buttons):
            line.addWidget(part)
        line.addStretch(1)
        line.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._panel)
        column.addLayout(line)
        self._bind()
        self.hide()

    def _bind(self) -> None:
        self._view.chosen_changed.connect(self._on_chosen)
        self._view.delete_asked.connect(self.ask_delete)
        self.run.progressed.connect(self._on_progress)
        self.run.ended.connect(self._on_ended)
        self.run.failed_later.connect(self._on_ended)
        on_click(self.set_field, lambda: self.field_menu().popup(_above(self.set_field)))
        on_click(self.act, lambda: self.action_menu().popup(_above(self.act)))
        on_click(self.export, self.export_asked.emit)
        on_click(self.print_button, lambda: self.tasks.start(self._print(), name="print", exclusive=True))
        on_click(self.delete, self.ask_delete)
        on_click(self.cancel, self.run.cancel)
        on_click(self.details, self.show_failures)
        on_click(self.close_button, self.dismiss)

    # ---- state
    def _on_chosen(self, count: int) -> None:
        self._chosen = count
        if not self.run.running:
            self._show_choice()

    def _show_choice(self) -> None:
        told = bool(self.run.failures) and not self._panel.isHidden()
        self.setVisible(self._chosen > 1 or told)
        self.words.setText(tr("office_module.chosen", n=self._chosen))
        for button in (self.set_field, self.act, self.export, self.delete):
            button.setVisible(self._chosen > 0)
        definition = self._view.definition
        self.print_button.setVisible(self._chosen > 0 and definition is not None and definition.paper is not None)
        self.progress.hide()
        self.cancel.hide()
        self.details.setVisible(told)
        if not told:
            self._close_panel()

    def dismiss(self) -> None:
        """Closes the bar: nothing is chosen any more."""
        self._close_panel()
        self.run.failures = []
        self._view.grid.clearSelection()
        self.hide()
        self._view.grid.setFocus(Qt.FocusReason.OtherFocusReason)

    def _close_panel(self) -> None:
        empty_layout(self._inside)
        self._panel.hide()

    def _known(self) -> list[Record]:
        """Chosen records that are in memory: enough to know what may be offered."""
        model = self._view.model
        return [r for place in self._view.grid.selected_places()[:200] if (r := model.record_in(place)) is not None]

    # ---- what is offered
    def fields(self) -> list[Field]:
        """Fields that may be set on one of the chosen records at least."""
        definition, known = self._view.definition, self._known()
        if definition is None:
            return []
        fit = (f for f in definition.fields if f.kind not in NOT_SET_AT_ONCE and not f.unique)
        return [f for f in fit if any(self._context.records.may_edit(record, f.name) for record in known)]

    def offered(self) -> list[Action]:
        """Actions that one of the chosen records offers at least."""
        found = {a.name: a for record in self._known() for a in self._context.records.allowed_actions(record)}
        return list(found.values())

    def field_menu(self) -> Menu:
        """A line for each field that may be set."""
        menu = Menu(self, leaves=True)
        fields = self.fields()
        for field in fields:
            menu.addAction(self._context.label(field.label), partial(self.ask_value, field))
        if not fields:
            menu.addAction(tr("office_module.nothing_may")).setEnabled(False)
        return menu

    def action_menu(self) -> Menu:
        """A line for each action that is offered."""
        menu = Menu(self, leaves=True)
        actions = self.offered()
        for action in actions:
            menu.addAction(self._context.label(action.label), partial(self.ask_action, action))
        if not actions:
            menu.addAction(tr("office_module.nothing_may")).setEnabled(False)
        return menu

    # ---- asking
    def ask_value(self, field: Field) -> None:
        """Opens the panel with the field's editor."""
        self._ask(
            tr("office_module.set_field_to", field=self._context.label(field.label), n=self._chosen),
            [field],
            "office_module.set",
            lambda data: self._begin(partial(setting, self._context.records, field.name, data.get(field.name))),
        )

    def ask_action(self, action: Action) -> None:
        """Opens the panel with what the action asks for."""
        definition = self._view.definition
        names = dict.fromkeys((*action.requires, *action.asks))
        fields = [f for name in names if definition is not None and (f := definition.field(name)) is not None]
        self._ask(
            tr("office_module.act_on", action=self._context.label(action.label), n=self._chosen),
            fields,
            "office_module.run",
            lambda data: self._begin(partial(acting, self._context.records, action.name, data)),
            danger=action.destructive,
        )

    def ask_delete(self) -> None:
        """Asks once more, in the bar."""
        self._chosen = len(self._view.grid.selected_places())
        if self._chosen and not self.run.running:
            self.show()
            self._ask(
                tr("office_module.delete_sure", n=self._chosen),
                [],
                "office_module.delete",
                lambda _data: self._begin(partial(destroying, self._context.records)),
                danger=True,
            )

    def _ask(self, words: str, fields: list[Field], key: str, go: Any, *, danger: bool = False) -> None:
        from desktop.ui.office.record.field_editors import create_editor

        self._close_panel()
        self._inside.addWidget(Label(words, strong=True, wrap=True))
        editors: list[FieldEditor] = []
        for field in fields:
            editor = create_editor(self._context, field)
            editor.setMaximumWidth(theme.scaled(420))
            editor.set_name(self._context.label(field.label))
            if editor.captioned and len(fields) > 1:
                self._inside.addWidget(Label(self._context.label(field.label), role="secondary", tone="ink2"))
            self._inside.addWidget(editor)
            editors.append(editor)
        yes = Button(key=key, kind="danger" if danger else "primary", small=True)
        yes.setObjectName("bulkGo")
        no = Button(key="common.cancel", small=True)
        on_click(no, self._close_panel)
        on_click(yes, lambda: self.tasks.start(self._go(editors, go), name="go", exclusive=True))
        self._inside.addLayout(row(yes, no, None))
        self._panel.show()
        (editors[0].focus_target() if editors else yes).setFocus(Qt.FocusReason.OtherFocusReason)

    async def _go(self, editors: list[FieldEditor], go: Any) -> None:
        for editor in editors:
            bad = editor.raw() is not None
            editor.set_invalid(bad)
            if bad:
                editor.take_focus()
                return
            await editor.settle()
        go({editor.field.name: editor.value() for editor in editors})

    async def _print(self) -> None:
        """A sheet for each, by the type's paper."""
        from desktop.ui.office.record.files import RecordFiles

        records = await self._view.chosen()
        if not alive(self):
            return
        if self._sheets is None:
            self._sheets = RecordFiles(self._context, self)
        self._sheets.print_records(records)

    # ---- running
    def _begin(self, verb: Any) -> None:
        self.tasks.start(self._begin_run(verb), name="begin", exclusive=True)

    async def _begin_run(self, verb: Any) -> None:
        records = await self._view.chosen()
        if not alive(self):
            return
        self._close_panel()
        self._view.grid.setFocus(
            Qt.FocusReason.OtherFocusReason
        )  # a focused button that hides hands the keyboard anywhere
        for button in (self.set_field, self.act, self.export, self.print_button, self.delete, self.details):
            button.hide()
        self.progress.setRange(0, len(records))
        self.progress.setValue(0)
        self.progress.show()
        self.cancel.show()
        self.show()
        self.run.start(records, verb())

    def _on_progress(self, done: int, total: int) -> None:
        self.progress.setValue(done)
        self.words.setText(tr("office_module.bulk_progress", done=done, total=total))

    def _on_ended(self) -> None:
        run = self.run
        self._show_choice()
        if run.failures:
            self.words.setText(tr("office_module.bulk_failed", done=run.done, failed=len(run.failures)))
            self.show_failures()
        elif self._chosen > 1:
            self.words.setText(tr("office_module.bulk_done", done=run.done))

    def show_failures(self) -> None:
        """Lists which rows failed and why; a press shows the record."""
        self._close_panel()
        scroll = Scroll(surface="surface")
        scroll.setObjectName("bulkFailures")
        scroll.inner.setContentsMargins(0, 0, 0, 0)
        for failure in self.run.failures:
            name = Button(failure.title, kind="link", small=True)
            on_click(name, partial(self._view.opened.emit, failure.record.id))
            offered = not isinstance(failure.error, NotOffered)
            words = error_text(failure.error) if offered else tr("office_module.not_offered")
            reason = Label(words, role="secondary", tone="red_text")
            scroll.inner.addLayout(row(name, reason, None))
        scroll.inner.addStretch(1)
        scroll.setFixedHeight(theme.scaled(min(160, 34 * len(self.run.failures) + 6)))
        self._inside.addWidget(scroll)
        self._panel.show()
        self.details.hide()
        self.show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.run.failures = []
            self._close_panel()
            self._show_choice()
            self._view.grid.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        super().keyPressEvent(event)


def _above(button: QWidget) -> QPoint:
    return button.mapToGlobal(button.rect().topLeft())
