"""From a workbook to records, step by step in the page: file and sheet, which column is which field, a dry run line by line, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QSizePolicy,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from desktop.core.domain.records import ImportResult
from desktop.core.errors import AppError, Offline
from desktop.models.import_rows import ImportColumn, ImportRow, ImportRowsModel
from desktop.models.record_form import is_written
from desktop.ui import i18n, theme
from desktop.ui.background import in_background
from desktop.ui.i18n import tr
from desktop.ui.kit import Banner, Button, CheckBox, EmptyState, IconButton, Label, Scroll, finished, on_click, row
from desktop.ui.kit.spoken import speak_as
from desktop.ui.office.exchange.columns import NOT_READ
from desktop.ui.office.exchange.glossary import facts_of, reading_words, row_heads, writing_words
from desktop.ui.office.exchange.mapping_table import MappingTable
from desktop.ui.office.exchange.opening import MOST_ROWS, BadWorkbook, Sheet, open_workbook
from desktop.ui.office.exchange.problem_words import row_text, server_text, workbook_text
from desktop.ui.office.exchange.sheet_rows import SheetReader, SheetRow, guess
from desktop.ui.office.exchange.writing import WorkbookWriter
from desktop.ui.office.record.editor import CalmComboBox
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive

STEPS: Final = ("file", "fields", "check", "end")


class ImportPane(QWidget):
    """Signals: closed; imported (how many records were made)."""

    closed = Signal()
    imported = Signal(int)

    def __init__(self, context: ViewContext, type_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        speak_as(self, QAccessible.Role.Pane)
        self.setObjectName("importPane")
        self.setAccessibleName(tr("office_module.import_excel"))
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        definition = context.type_of(type_name)
        assert definition is not None, type_name
        self.context, self.type = context, definition
        self.tasks = TaskOwner(self)
        self.sheets: list[Sheet] = []
        self.rows: list[SheetRow] = []
        self._remembered: Mapping[str, str] = {}
        self.model = ImportRowsModel(self)
        self._build_ui()
        self._bind()
        self._show_step("file")

    # ---- build
    def _build_ui(self) -> None:
        name = self.context.label(self.type.label)
        self.step_words = Label(role="secondary", tone="ink3")
        self.close_button = IconButton("x", "office_module.import_close", size=16, box=30)
        self.banner = Banner()
        self.steps = QStackedWidget()
        for page in (self._build_file(), self._build_fields(), self._build_check(), self._build_end()):
            self.steps.addWidget(page)
        self.back = Button(key="office_module.step_back")
        self.next = Button(kind="primary")
        self.next.setObjectName("importNext")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedWidth(theme.scaled(160))
        self.busy = Label(role="secondary", tone="ink2")
        self.cancel = Button(key="common.cancel", small=True)
        self.cancel.setObjectName("importCancel")
        foot = QFrame()
        foot.setProperty("surface", "footer")
        line = QHBoxLayout(foot)
        line.setContentsMargins(18, 10, 18, 10)
        for part in (self.back, self.next, self.progress, self.busy, self.cancel):
            line.addWidget(part)
        line.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        title = Label(tr("office_module.import_title", type=name), role="header", strong=True)
        column.addLayout(row(title, self.step_words, None, self.close_button, margins=(18, 12, 10, 8)))
        column.addWidget(self.banner)
        column.addWidget(self.steps, 1)
        column.addWidget(foot)
        self._set_busy("")

    def _build_file(self) -> QWidget:
        self.chooser = EmptyState(
            "upload-simple",
            "office_module.import_choose",
            action_key="office_module.choose_file",
        )
        self.chooser.hint.show()
        i18n.bind(self.chooser.hint.setText, "office_module.import_hint", limit=f"{MOST_ROWS:,}")
        self.template = Button(key="office_module.template", kind="link")
        page = QWidget()
        column = QVBoxLayout(page)
        column.addWidget(self.chooser, 1)
        column.addWidget(self.template, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(theme.scaled(30))
        return page

    def _build_fields(self) -> QWidget:
        self.file_words = Label(role="secondary", tone="ink2")
        self.sheet_box = CalmComboBox()
        self.sheet_box.setObjectName("importSheet")
        self.sheet_box.setMinimumWidth(theme.scaled(200))
        self.mapping = MappingTable(self.context, self.type)
        self.lacking = Label(role="secondary", tone="red_text", wrap=True)
        scroll = Scroll(surface="surface")
        scroll.inner.setContentsMargins(18, 6, 18, 12)
        scroll.inner.addWidget(self.mapping)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        sheet_label = Label(key="office_module.sheet", role="secondary", tone="ink2")
        column.addLayout(row(self.file_words, 16, sheet_label, self.sheet_box, None, margins=(18, 4, 18, 4)))
        column.addWidget(scroll, 1)
        column.addLayout(row(self.lacking, margins=(18, 4, 18, 8)))
        return page

    def _build_check(self) -> QWidget:
        self.result = Label(strong=True, wrap=True)
        self.only_wrong = CheckBox(key="office_module.only_wrong")
        self.table = QTableView()
        self.table.setObjectName("importRows")
        self.table.setModel(self.model)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.table.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        self.result.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        column.addLayout(row(self.result, self.only_wrong, margins=(18, 6, 18, 6)))
        column.addWidget(self.table, 1)
        return page

    def _build_end(self) -> QWidget:
        self.end = EmptyState("check-circle", "office_module.imported_none", action_key="office_module.import_another")
        return self.end

    def _bind(self) -> None:
        on_click(self.close_button, self.closed.emit)
        on_click(self.chooser.action, self.ask_file)
        on_click(self.template, self.ask_template)
        on_click(self.back, self._go_back)
        on_click(self.next, self._go_on)
        on_click(self.cancel, self.stop)
        on_click(self.end.action, lambda: self._show_step("file"))
        self.sheet_box.currentIndexChanged.connect(self._on_sheet)
        self.mapping.changed.connect(self._on_mapping)
        self.only_wrong.toggled.connect(lambda on: self.model.set_rows(self.model.rows, only_wrong=on))

    # ---- steps
    @property
    def step(self) -> str:
        """file, fields, check or end."""
        return STEPS[self.steps.currentIndex()]

    def _show_step(self, step: str) -> None:
        self.steps.setCurrentIndex(STEPS.index(step))
        self.step_words.setText(tr("office_module.step", n=STEPS.index(step) + 1, total=3) if step != "end" else "")
        self.back.setVisible(step in ("fields", "check"))
        self.next.setVisible(step in ("fields", "check"))
        self.next.setText(tr("office_module.check_rows") if step == "fields" else tr("office_module.import_now"))
        if step == "file":
            self.banner.hide()

    def _set_busy(self, words: str, *, stoppable: bool = True, total: int = 0) -> None:
        self.busy.setText(words)
        self.busy.setVisible(bool(words))
        self.progress.setVisible(bool(words))
        self.progress.setRange(0, total)
        self.cancel.setVisible(bool(words) and stoppable)
        for part in (self.back, self.next, self.chooser.action):
            part.setEnabled(not words)

    def stop(self) -> None:
        """Stops reading or checking; nothing has been written."""
        self.tasks.cancel("work")
        self._set_busy("")

    def _go_back(self) -> None:
        self._show_step("file" if self.step == "fields" else "fields")

    def _go_on(self) -> None:
        if self.step == "fields":
            self.check()
        else:
            self.run()

    # ---- the file
    def ask_file(self) -> None:
        """Asks for a workbook."""
        self.tasks.start(self._ask_file(), name="ask", exclusive=True)

    async def _ask_file(self) -> None:
        dialog = QFileDialog(self, tr("office_module.choose_file"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(self.file_filter())
        try:
            if await finished(dialog) and alive(self):
                self.open_file(Path(dialog.selectedFiles()[0]))
        finally:
            dialog.deleteLater()

    def file_filter(self) -> str:
        """Which files the dialog shows; a module's own pane may take others too."""
        return tr("office_module.workbooks")

    async def read_file(self, path: Path) -> list[Sheet]:
        """The sheets of a file. Raises AppError."""
        return await in_background(open_workbook, path)

    def open_file(self, path: Path) -> None:
        """Reads a workbook."""
        self.banner.hide()
        self._set_busy(tr("office_module.reading", name=path.name))
        self.tasks.start(self._open(path), name="work", exclusive=True)

    async def _open(self, path: Path) -> None:
        try:
            self.sheets = await self.read_file(path)
            self._remembered = await self._load_remembered()
        except AppError as error:
            self._show_problem(error)
            return
        if not alive(self):
            return
        self._set_busy("")
        self.file_words.setText(path.name)
        self.sheet_box.blockSignals(True)
        self.sheet_box.clear()
        for sheet in self.sheets:
            self.sheet_box.addItem(tr("office_module.sheet_rows", title=sheet.title, n=len(sheet.rows)))
        self.sheet_box.blockSignals(False)
        self._on_sheet(0)
        self._show_step("fields")

    def _show_problem(self, error: AppError) -> None:
        if alive(self):
            self._set_busy("")
            text = tr("office_module.import_offline") if isinstance(error, Offline) else workbook_text(error)
            self.banner.show_text(text, tone="red", icon="warning-circle", dismissible=True)

    async def _load_remembered(self) -> dict[str, str]:
        kept = await self.context.records.view_state(self._key)
        held = kept.get("mapping", {})
        return {str(k): str(v) for k, v in held.items()} if isinstance(held, dict) else {}

    @property
    def _key(self) -> str:
        return f"{self.context.module_id}/import/{self.type.name}"

    # ---- the fields
    @property
    def sheet(self) -> Sheet | None:
        """The sheet that is read."""
        place = self.sheet_box.currentIndex()
        return self.sheets[place] if 0 <= place < len(self.sheets) else None

    def _on_sheet(self, _index: int) -> None:
        if self.sheet is not None:
            self.mapping.show_sheet(self.sheet, guess(self.type, self.sheet.heads, self._remembered))
            self._on_mapping()

    def _on_mapping(self) -> None:
        lacking = self.mapping.lacking()
        self.lacking.setText(tr("office_module.lacking", names="、".join(lacking)) if lacking else "")
        self.lacking.setVisible(bool(lacking))
        self.next.setEnabled(any(self.mapping.mapping()))

    # ---- the check
    def check(self) -> None:
        """Reads every row, then asks the server what it would say."""
        self.banner.hide()
        self.tasks.start(self._check(), name="work", exclusive=True)

    async def _check(self) -> None:
        sheet = self.sheet
        if sheet is None:
            return
        try:
            if len(sheet.rows) > MOST_ROWS:
                raise BadWorkbook("too_many_rows", limit=MOST_ROWS)
            if not sheet.rows:
                raise BadWorkbook("no_rows")
            await self._remember()
            self._set_busy(tr("office_module.checking", n=len(sheet.rows)))
            await self._read_rows(sheet)
            answer = await self._ask_server()
        except AppError as error:
            self._show_problem(error)
            return
        if alive(self):
            self._set_busy("")
            self._show_rows(answer)
            self._show_step("check")

    async def _remember(self) -> None:
        self._remembered = {**self._remembered, **self.mapping.remembered()}
        await self.context.records.set_view_state(self._key, {"mapping": dict(self._remembered)})

    async def _read_rows(self, sheet: Sheet) -> None:
        readings = await reading_words(self.context, self.type.fields)
        language = self.context.language
        reader = SheetReader(
            self.type,
            readings,
            facts_of(self.context),
            label=lambda one: one.label.text(language),
            row_heads=row_heads(),
        )
        others = [one for one in self.sheets if one is not sheet]
        self.rows = await in_background(reader.read, sheet, self.mapping.mapping(), others)

    async def _ask_server(self) -> ImportResult:
        """The dry run of the rows that can be read: the server's indexes are those of these rows."""
        data = [one.data for one in self._readable()]
        if not data:
            return ImportResult()
        return await self.context.records.import_rows(self.type.name, data, True)

    def _readable(self) -> list[SheetRow]:
        return [one for one in self.rows if not one.problems]

    def _show_rows(self, answer: ImportResult) -> None:
        said = {id(one): answer.errors.get(place, ()) for place, one in enumerate(self._readable())}
        shown = []
        for one in self.rows:
            texts = [row_text(self.context, self.type, problem) for problem in one.problems]
            texts += [server_text(self.context, self.type, error) for error in said.get(id(one), ())]
            shown.append(ImportRow(one.number, self._title(one.data), tuple(texts)))
        self.model.set_heads([tr(f"office_module.import_column.{column.name.lower()}") for column in ImportColumn])
        wrong = sum(bool(one.problems) for one in shown)
        self.only_wrong.blockSignals(True)
        self.only_wrong.setChecked(bool(wrong))
        self.only_wrong.blockSignals(False)
        self.only_wrong.setVisible(bool(wrong))
        self.model.set_rows(shown, only_wrong=bool(wrong))
        self.table.verticalHeader().setDefaultSectionSize(theme.scaled(30))
        self.table.setColumnWidth(ImportColumn.NUMBER, theme.scaled(64))
        self.table.setColumnWidth(ImportColumn.TITLE, theme.scaled(220))
        self.result.setText(
            tr("office_module.check_wrong", wrong=wrong, total=len(shown))
            if wrong
            else tr("office_module.check_good", n=len(shown))
        )
        self.result.set_tone("red_text" if wrong else "green")
        self.next.setEnabled(not wrong)

    def _title(self, data: Mapping[str, Any]) -> str:
        names = self.type.title or tuple(data)[:2]
        fields = ((self.type.field(name), data.get(name)) for name in names)
        parts = [self.context.cell_text(one, value) for one, value in fields if one is not None]
        return " · ".join(part for part in parts if part)

    # ---- the import
    def run(self) -> None:
        """Makes the records: all of them or none."""
        if not self.model.wrong and self.rows:
            self.tasks.start(self._run(), name="run", exclusive=True)

    async def _run(self) -> None:
        """From here on nothing stops it: the server has it or has it not."""
        self._set_busy(tr("office_module.importing", n=len(self.rows)), stoppable=False)
        try:
            answer = await self.context.records.import_rows(self.type.name, [one.data for one in self.rows], False)
        except AppError as error:
            self._show_problem(error)
            return
        if not alive(self):
            return
        self._set_busy("")
        if answer.errors:
            self._show_rows(answer)
            self.banner.show_text(tr("office_module.import_refused"), tone="red", icon="warning-circle")
            return
        self.end.text.setText(tr("office_module.imported", n=answer.created))
        self._show_step("end")
        self.imported.emit(answer.created)

    # ---- an empty workbook to fill
    def ask_template(self) -> None:
        """Asks where to, then writes a workbook with the headings alone."""
        self.tasks.start(self._ask_template(), name="ask", exclusive=True)

    async def _ask_template(self) -> None:
        name = self.context.label(self.type.label)
        dialog = QFileDialog(self, tr("office_module.template"), f"{name}.xlsx")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("xlsx")
        dialog.setNameFilter(tr("office_module.workbooks"))
        try:
            if await finished(dialog) and alive(self):
                await self.write_template(Path(dialog.selectedFiles()[0]))
        finally:
            dialog.deleteLater()

    async def write_template(self, path: Path) -> None:
        """A workbook with a heading for each field that may be filled in."""
        fields = [one for one in self.type.fields if is_written(one) and one.kind not in NOT_READ]
        words = await writing_words(self.context, ())
        writer = WorkbookWriter(self.context.label(self.type.label), fields, words, tr("office_module.row_number"))
        try:
            await in_background(writer.save, path)
        except OSError:
            writer.discard()
            self._show_problem(BadWorkbook("not_written"))

    # ---- Qt events
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = self._dropped(event)
        if path is not None and not self.tasks.running("run"):
            event.acceptProposedAction()
            self.open_file(path)

    @staticmethod
    def _dropped(event: QDropEvent) -> Path | None:
        urls = event.mimeData().urls()
        return Path(urls[0].toLocalFile()) if len(urls) == 1 and urls[0].isLocalFile() else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self.tasks.running("run"):
            self.closed.emit()
            return
        super().keyPressEvent(event)
