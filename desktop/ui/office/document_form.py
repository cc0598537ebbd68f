"""The form that puts a new document into a folder of the library."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.core.domain import Folder
from desktop.core.errors import AppError
from desktop.ui.i18n import error_text, tr
from desktop.ui.kit import Banner, Button, ComboBox, Dialog, ElidedLabel, Label, TextField, finished, on_click, row
from desktop.ui.office.office_records import OfficeData
from desktop.ui.office.ports import LibrarianVerbs
from desktop.ui.tasks import TaskOwner, alive

LONGEST_TITLE = 200


class DocumentForm(Dialog):
    """File, title, number, folder."""

    def __init__(self, data: OfficeData, verbs: LibrarianVerbs, folder_id: str, parent: QWidget | None) -> None:
        super().__init__(parent, "office.add_document", width=460)
        self.setObjectName("documentForm")
        self.tasks = TaskOwner(self)
        self._verbs = verbs
        self._path = ""
        self.file = ElidedLabel(tr("office.doc_form.no_file"), tone="ink3")
        choose = Button(key="office.doc_form.choose", icon="file-plus")
        self.heading = TextField(key="office.form.title")
        self.heading.setMaxLength(LONGEST_TITLE)
        self.number = TextField(key="office.doc_form.number")
        self.folder = ComboBox()
        for folder in sorted(data.folders, key=_folder_order):
            self.folder.addItem(folder.name, folder.id)
        self.folder.setCurrentIndex(max(0, self.folder.findData(folder_id)))
        self.problem = Banner()
        self.body.addWidget(Label(key="office.add_document", role="header", strong=True))
        self.body.addWidget(self.problem)
        line = row(self.file, choose)
        line.setStretch(0, 1)
        self.body.addLayout(line)
        for key, field in (
            ("office.form.title", self.heading),
            ("office.doc_form.number", self.number),
            ("office.fact.folder", self.folder),
        ):
            self.body.addWidget(Label(key=key, role="secondary", tone="ink3"))
            self.body.addWidget(field)
        self.add_button("common.cancel", accept=False)
        self._add = self.add_button("office.doc_form.add", kind="primary")
        on_click(choose, self._choose)
        on_click(self._add, self.add)

    def set_path(self, path: str) -> None:
        """Takes a file; its name becomes the title unless there is one."""
        self._path = path
        self.file.setText(Path(path).name)
        self.file.set_tone("ink")
        if not self.heading.text():
            self.heading.setText(Path(path).stem)

    def _choose(self) -> None:
        self.tasks.start(self._ask_file(), name="file", exclusive=True)

    async def _ask_file(self) -> None:
        dialog = QFileDialog(self, tr("office.doc_form.choose"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        if await finished(dialog) and alive(self):
            self.set_path(dialog.selectedFiles()[0])

    def add(self) -> None:
        """Adds the document, or says what is missing."""
        problem = ""
        if not self._path or not Path(self._path).is_file():
            problem = tr("office.doc_form.need_file")
        elif not self.heading.text().strip():
            problem = tr("office.form.no_title")
        elif self.folder.currentData() is None:
            problem = tr("office.doc_form.need_folder")
        if problem:
            self.problem.show_text(problem, tone="red", icon="warning-circle")
            return
        self._add.setEnabled(False)
        self.tasks.start(self._do_add(), name="add", exclusive=True)

    async def _do_add(self) -> None:
        title, number = self.heading.text().strip(), self.number.text().strip() or None
        try:
            await self._verbs.add_document(str(self.folder.currentData()), Path(self._path), title, number)
        except AppError as error:
            if alive(self):
                self.problem.show_text(error_text(error), tone="red", icon="warning-circle")
                self._add.setEnabled(True)
            return
        if alive(self):
            self.accept()


def _folder_order(folder: Folder) -> tuple[str, str]:
    return folder.name, folder.id
