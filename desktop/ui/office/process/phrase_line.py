"""Common phrases below an opinion: a press puts one in; the list is the user's own and is edited in place, a phrase a line."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core.errors import AppError
from desktop.ui import i18n
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, IconButton, Label, on_click
from desktop.ui.layouts import empty_layout
from desktop.ui.office.record.case_tab import cases_of
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.record.text_editors import GrowingText
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive

LONGEST = 200
MOST = 40


class PhraseLine(QWidget):
    """Signals: taken (a phrase)."""

    taken = Signal(str)

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("phrases")
        self.context = context
        self.tasks = TaskOwner(self)
        self.phrases: list[str] = []
        self.flow = Flow(spacing=2)
        self.edit_button = IconButton("pencil-simple", "office_process.phrases.edit", tone="ink3", size=14, box=24)
        self.edit_button.setObjectName("phrasesEdit")
        self.text = GrowingText((4, 10))
        i18n.bind(self.text.setAccessibleName, "office_process.phrases.edit")
        self.save_button = Button(key="office_record.save", kind="primary", small=True)
        self.save_button.setObjectName("phrasesSave")
        self.cancel = Button(key="common.cancel", kind="ghost", small=True)
        hint = Label(key="office_process.phrases.hint", role="secondary", tone="ink3", wrap=True)
        buttons = Flow(spacing=8)
        buttons.add(self.save_button)
        buttons.add(self.cancel)
        self.editor = QWidget()
        inner = QVBoxLayout(self.editor)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(4)
        for part in (hint, self.text, buttons):
            inner.addWidget(part)
        self.editor.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.flow)
        column.addWidget(self.editor)
        on_click(self.edit_button, self.open_editor)
        on_click(self.save_button, self.save)
        on_click(self.cancel, self.close_editor)
        i18n.changed.connect(self.reload)

    def reload(self) -> None:
        """Reads the user's phrases."""
        cases = cases_of(self.context)
        if cases is not None:
            self.tasks.start(self._load(), name="load", exclusive=True)

    async def _load(self) -> None:
        cases = cases_of(self.context)
        defaults = tr("office_process.phrases.default").split("|")
        try:
            found = await cases.phrases(defaults) if cases is not None else defaults
        except AppError:
            found = defaults
        if alive(self):
            self._show(found)

    def _show(self, phrases: list[str]) -> None:
        self.phrases = list(phrases)
        self.edit_button.setParent(self)
        empty_layout(self.flow.flow)
        head = Label(tr("office_process.phrases.head"), role="secondary", tone="ink3")
        head.setMinimumHeight(self.edit_button.height())
        self.flow.add(head)
        for phrase in self.phrases:
            button = Button(phrase, kind="link", small=True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            on_click(button, partial(self.taken.emit, phrase))
            self.flow.add(button)
        self.flow.add(self.edit_button)
        self.edit_button.show()

    # ---- editing
    def open_editor(self) -> None:
        """Shows the list as lines to write."""
        self.text.setPlainText("\n".join(self.phrases))
        self.flow.hide()
        self.editor.show()
        self.text.setFocus(Qt.FocusReason.OtherFocusReason)

    def close_editor(self) -> None:
        """Leaves the list as it was."""
        self.editor.hide()
        self.flow.show()

    def save(self) -> None:
        """Keeps what is written."""
        lines = [line.strip()[:LONGEST] for line in self.text.toPlainText().splitlines()]
        wanted = list(dict.fromkeys(line for line in lines if line))[:MOST]
        self.tasks.start(self._save(wanted), name="save", exclusive=True)

    async def _save(self, wanted: list[str]) -> None:
        cases = cases_of(self.context)
        if cases is not None:
            await cases.set_phrases(wanted)
        if alive(self):
            self._show(wanted)
            self.close_editor()
