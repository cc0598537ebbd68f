"""Writing notices: the generic form with templates and a button for each way on, in the generic pane, which also shows the module's other records."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from desktop.core.domain.conditions import is_empty
from desktop.core.domain.definition import Action, TypeDefinition
from desktop.core.domain.records import Record, RecordQuery
from desktop.core.errors import AppError
from desktop.models.record_form import Part, parts_of
from desktop.ui import i18n
from desktop.ui.i18n import error_text, tr
from desktop.ui.kit import Button, ComboBox, Label, on_click, row
from desktop.ui.layouts import discard
from desktop.ui.office.notice_actions import offered
from desktop.ui.office.record.detail import RecordDetail
from desktop.ui.office.record.form import RecordForm
from desktop.ui.office.views.base import STATE, ViewContext
from desktop.ui.tasks import alive

NOTICE: Final = "Notice"
TEMPLATE: Final = "NoticeTemplate"
TAKEN: Final = ("title", "level", "body")
"""What a template fills in."""


class NoticeForm(RecordForm):
    """A notice. Fields that only an action asks for (why it was sent back or withdrawn) are not in it."""

    def __init__(
        self, context: ViewContext, definition: TypeDefinition, *, approval: bool, parent: QWidget | None = None
    ) -> None:
        self.approval = approval
        self.ways: dict[str, Button] = {}
        self._templates: tuple[Record, ...] = ()
        self._replaced: dict[str, Any] = {}
        super().__init__(context, definition, parent)
        self.setObjectName("noticeForm")

    def _build_ui(self) -> None:
        super()._build_ui()
        self.template = ComboBox()
        self.template.setObjectName("noticeTemplate")
        i18n.bind(self.template.setAccessibleName, "office_notice.template")
        self.undo = Button(key="office_notice.template.undo", kind="link", small=True, parent=self)
        self.undo.setObjectName("noticeTemplateUndo")
        self.undo.hide()
        self.template_bar = QFrame(self)
        line = QVBoxLayout(self.template_bar)
        line.setContentsMargins(18, 8, 18, 0)
        caption = Label(key="office_notice.template", role="secondary", tone="ink3")
        line.addLayout(row(caption, self.template, self.undo, None))
        self.template_bar.hide()
        outer = self.layout()
        assert isinstance(outer, QVBoxLayout)
        outer.insertWidget(0, self.template_bar)
        self.template.activated.connect(self._on_template)
        on_click(self.undo, self.take_back)

    # ---- which fields
    def _all_parts(self) -> list[tuple[Any, tuple[Any, ...]]]:
        if self._only is not None:
            return super()._all_parts()
        return [(part.label, part.fields) for part in self._sections()]

    def _sections(self) -> list[Part]:
        """Those of the definition; one without any shows every field, as any form does."""
        parts = list(parts_of(self.definition))
        titled = [part for part in parts if part.label is not None]
        return titled or parts

    # ---- ways on
    def offered(self) -> list[Action]:
        """What may come right after the notice is there."""
        if not self.definition.states:
            return []
        first = {STATE: self.definition.states[0].value}
        fresh = Record("", self.definition.name, first, author_id=self.context.me.id)
        actions = [one for one in self.context.records.allowed_actions(fresh) if one.to and not one.destructive]
        return offered(actions, own=True, approval=self.approval)

    def _first_action(self) -> Action | None:
        found = self.offered()
        return next((one for one in found if one.primary), None) or next(iter(found), None)

    def _show_buttons(self, record: Record | None, action: Action | None) -> None:
        super()._show_buttons(record, action)
        for button in self.ways.values():
            self.buttons.flow.removeWidget(button)
            discard(button)
        self.ways = {}
        self.template_bar.setVisible(record is None and bool(self._templates))
        if self._primary is None:
            return
        for one in self.offered():
            if one.name != self._primary.name:
                button = Button(self.context.label(one.label))
                button.setObjectName(f"formThen_{one.name}")
                on_click(button, partial(self._send, one))
                self.ways[one.name] = button
                self.buttons.add(button)
        for widget in (self.save_button, self.cancel_button, self.busy):  # what sends comes before what does not
            self.buttons.flow.removeWidget(widget)
            self.buttons.add(widget)

    def set_busy(self, busy: bool) -> None:
        super().set_busy(busy)
        for button in self.ways.values():
            button.setEnabled(not busy)

    def _send(self, then: Action | None) -> None:
        """An action that needs a field asks for it here, before anything is made."""
        missing = [name for name in (then.requires if then else ()) if is_empty(self.state.values.get(name))]
        if missing:
            self.show_errors(dict.fromkeys(missing, tr("office_record.problem.required")))
            return
        super()._send(then)

    # ---- templates
    async def load_templates(self) -> None:
        """Reads the templates; without any there is nothing to choose."""
        try:
            page = await self.context.records.page(RecordQuery(TEMPLATE, sort=("name",), limit=None))
        except AppError:
            return  # one writes without them
        if alive(self):
            self.show_templates(page.records)

    def show_templates(self, templates: tuple[Record, ...]) -> None:
        """Templates to choose from."""
        self._templates = templates
        self.template.clear()
        self.template.addItem(tr("office_notice.template.none"), "")
        for one in templates:
            self.template.addItem(str(one.data.get("name") or ""), one.id)
        self.template_bar.setVisible(self.state.record is None and bool(templates))

    def _on_template(self, _place: int) -> None:
        chosen = next((one for one in self._templates if one.id == self.template.currentData()), None)
        if chosen is not None:
            self.take(chosen)

    def take(self, template: Record) -> None:
        """Fills in what the template has; what stood there can be had back."""
        fill = {name: template.data[name] for name in TAKEN if not is_empty(template.data.get(name))}
        self._replaced = {name: self.state.values.get(name) for name in fill}
        self._put(fill)
        self.undo.show()

    def take_back(self) -> None:
        """What was written before the template was chosen."""
        self._put(self._replaced)
        self._replaced = {}
        self.template.setCurrentIndex(0)
        self.undo.hide()

    def _put(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            line = self.rows.get(name)
            if line is not None and line.editor is not None:
                line.set_value(value)
                self._on_changed(name)


class NoticeDetail(RecordDetail):
    """The generic pane; a notice is only written in it, and read in the reader.

    `written`: id of a notice that was written, and why its action was not done; empty: all went well.
    """

    written = Signal(str, str)

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        self.approval = False
        super().__init__(context, parent)

    def make_form(self, definition: TypeDefinition) -> RecordForm:
        if definition.name != NOTICE:
            return super().make_form(definition)
        form = NoticeForm(self.context, definition, approval=self.approval)
        form.tasks.start(form.load_templates(), name="templates")
        return form

    def write(self, record: Record) -> None:
        """Opens the form of a notice that is there."""
        self._drop_forms()
        self.type_name, self.record_id, self.record = record.type, record.id, record
        self._open_form(record, None)

    async def _after_submit(self, record: Record, then: Action | None) -> None:
        if record.type != NOTICE:
            await super()._after_submit(record, then)
            return
        problem = ""
        if then is not None:
            try:
                await self.context.records.act(record, then.name, {})
            except AppError as error:  # it is there, as a draft: the action can be pressed again
                problem = error_text(error)
        if alive(self):
            self._leave()
            self.saved.emit(record.type, record.id)
            self.written.emit(record.id, problem)

    def _leave(self) -> None:
        self.record, self.record_id = None, ""
        self._drop_forms()

    def _on_form_closed(self) -> None:
        if self.type_name != NOTICE:
            super()._on_form_closed()
            return
        self._leave()
        self.closed.emit()
