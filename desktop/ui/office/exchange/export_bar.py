"""Writing a tab's rows into a workbook, in a strip under the header: the user goes on working, sees how far it is, may stop it, opens the file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QStandardPaths, Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QProgressBar, QWidget

from desktop.core.domain.definition import Field
from desktop.core.domain.records import Record, RecordQuery
from desktop.core.errors import AppError
from desktop.platform.opening import open_file, show_in_folder
from desktop.ui import i18n, theme
from desktop.ui.background import in_background
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, IconButton, IconLabel, Label, finished, on_click
from desktop.ui.office.exchange.glossary import writing_words
from desktop.ui.office.exchange.opening import BadWorkbook
from desktop.ui.office.exchange.problem_words import workbook_text
from desktop.ui.office.exchange.writing import WorkbookWriter, plain
from desktop.ui.office.frame.view_frame import ViewFrame
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive

CHUNK: Final = 1000
"""Records read, then written, at a time: the screen's other work gets its turn between."""
_OUTSIDE: Final = '\\/:*?"<>|'


class ExportBar(QFrame):
    """One export at a time. `done` carries the file."""

    done = Signal(object)

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("exportBar")
        self.setProperty("banner", "accent")
        self.context = context
        self.tasks = TaskOwner(self)
        self.path: Path | None = None
        self.icon = IconLabel("download-simple", tone="link")
        self.words = Label(role="secondary")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.cancel = Button(key="common.cancel", small=True)
        self.cancel.setObjectName("exportCancel")
        self.open = Button(key="office_module.open_file", kind="link", small=True)
        self.folder = Button(key="office_module.show_folder", kind="link", small=True)
        self.close_button = IconButton("x", "common.dismiss", size=14, box=24)
        line = QHBoxLayout(self)
        line.setContentsMargins(18, 6, 10, 6)
        line.setSpacing(8)
        for part in (self.icon, self.words, self.progress, self.cancel, self.open, self.folder):
            line.addWidget(part)
        line.addStretch(1)
        line.addWidget(self.close_button)
        on_click(self.cancel, self.stop)
        on_click(self.close_button, self.hide)
        on_click(self.open, lambda: self.path is not None and open_file(self.path))
        on_click(self.folder, lambda: self.path is not None and show_in_folder(self.path))
        self.progress.setFixedWidth(theme.scaled(160))
        self.hide()

    @property
    def running(self) -> bool:
        """Whether one is under way."""
        return self.tasks.running("export")

    # ---- asking
    def ask(self, frame: ViewFrame, fields: Sequence[Field], *, chosen: bool) -> None:
        """Asks where to, then writes."""
        if not self.running:
            self.tasks.start(self._ask(frame, fields, chosen=chosen), name="export")

    async def _ask(self, frame: ViewFrame, fields: Sequence[Field], *, chosen: bool) -> None:
        folder = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation))
        dialog = QFileDialog(self, tr("office_module.export_excel"), str(folder / f"{self.title(frame)}.xlsx"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("xlsx")
        dialog.setNameFilter(tr("office_module.workbooks"))
        try:
            if not await finished(dialog) or not alive(self):
                return
            path = Path(dialog.selectedFiles()[0])
        finally:
            dialog.deleteLater()
        await self._export(frame, fields, path, chosen=chosen)

    def title(self, frame: ViewFrame) -> str:
        """The file's name without its ending: module and tab."""
        module = self.context.module
        words = [self.context.label(module.label)] if module is not None else []
        words.append(self.context.label(frame.definition.label))
        return plain("".join("_" if sign in _OUTSIDE else sign for sign in " ".join(words))).strip()[:80]

    def export_to(self, frame: ViewFrame, fields: Sequence[Field], path: Path, *, chosen: bool = False) -> None:
        """Writes into this file."""
        self.tasks.start(self._export(frame, fields, path, chosen=chosen), name="export", exclusive=True)

    def stop(self) -> None:
        """Gives it up; no file is left."""
        self.tasks.cancel("export")
        self.hide()

    # ---- writing
    async def _export(self, frame: ViewFrame, fields: Sequence[Field], path: Path, *, chosen: bool) -> None:
        self._show_running()
        try:
            written = await self._write(frame, fields, path, chosen=chosen)
        except AppError as error:
            if alive(self):
                self._show_end("warning-circle", "red_text", workbook_text(error))
            return
        if alive(self):
            self.path = path
            self._show_end("check-circle", "green", tr("office_module.exported", n=written, name=path.name))
            for button in (self.open, self.folder):
                button.show()
            self.done.emit(path)

    async def _write(self, frame: ViewFrame, fields: Sequence[Field], path: Path, *, chosen: bool) -> int:
        words = await writing_words(self.context, fields)
        writer = WorkbookWriter(
            self.context.label(frame.definition.label), fields, words, tr("office_module.row_number")
        )
        written, saved = 0, False
        try:
            async for records, total in self._records(frame, chosen=chosen):
                await in_background(writer.add, records)
                written += len(records)
                if not alive(self):
                    return written
                self.progress.setRange(0, max(1, total))
                self.progress.setValue(written)
                self.words.setText(tr("office_module.exporting", done=written, total=total))
            await in_background(writer.save, path)
            saved = True
        except OSError as error:
            raise BadWorkbook("not_written") from error
        finally:
            if not saved:
                await in_background(writer.discard)  # behind what still runs there
        return written

    async def _records(self, frame: ViewFrame, *, chosen: bool) -> AsyncIterator[tuple[Sequence[Record], int]]:
        if chosen and frame.table is not None:
            records = await frame.table.chosen()
            for start in range(0, len(records), CHUNK):
                yield records[start : start + CHUNK], len(records)
            return
        view, offset, total = frame.view, 0, 1
        sort = frame.table.query().sort if frame.table is not None else frame.definition.sort
        while offset < total:
            query = RecordQuery(view.view.type, view.wanted(), view.needle, sort, offset, CHUNK)
            page = await self.context.records.page(query)
            total = page.total
            if not page.records:
                return
            yield page.records, total
            offset += len(page.records)

    # ---- looks
    def _show_running(self) -> None:
        self.icon.set_icon("download-simple", "link")
        i18n.unbind(self.words.setText)
        self.words.setText(tr("office_module.export_begins"))
        self.progress.setRange(0, 0)
        self._show_parts(running=True)

    def _show_end(self, icon: str, tone: str, words: str) -> None:
        self.icon.set_icon(icon, tone)
        self.words.setText(words)
        self.setAccessibleName(words)
        self._show_parts(running=False)

    def _show_parts(self, *, running: bool) -> None:
        self.progress.setVisible(running)
        self.cancel.setVisible(running)
        self.open.hide()
        self.folder.hide()
        self.close_button.setVisible(not running)
        self.show()
