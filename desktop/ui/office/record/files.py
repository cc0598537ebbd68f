"""Files of records on their way to the user: attachments opened and saved, sheets previewed, printed and saved as PDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.core.domain import AnnotationTarget, Attachment, LocalDocument
from desktop.core.domain.records import Record
from desktop.core.errors import AppError, BadFile
from desktop.ui.background import in_background
from desktop.ui.i18n import tr
from desktop.ui.kit import finished
from desktop.ui.office.record.paper import file_name, paint_records, pdf_of, write_file
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive


class RecordFiles(QObject):
    """For one widget, over which its dialogs open.

    Signals:
        document_loading, document_opened, document_failed: for the reader: title; title and LocalDocument; title and AppError.
        told: a short word of success.
    """

    document_loading = Signal(str)
    document_opened = Signal(str, object)
    document_failed = Signal(str, object)
    told = Signal(str)

    def __init__(self, context: ViewContext, parent: QWidget) -> None:
        super().__init__(parent)
        self.context, self._host = context, parent
        self.tasks = TaskOwner(self)
        self.about: tuple[str, str] | None = None  # type and id of the record whose files these are: they can be marked
        self._last: Attachment | None = None

    # ---- attachments
    def open_file(self, attachment: Attachment) -> None:
        """Opens an attached file in the reader, fetching it first where it must be."""
        self._last = attachment
        self.document_loading.emit(attachment.name)
        self.tasks.start(self._open_file(attachment), name="file", exclusive=True)

    def retry_open(self) -> None:
        """Opens the last file again, after it could not be had."""
        if self._last is not None:
            self.open_file(self._last)

    async def _open_file(self, attachment: Attachment) -> None:
        try:
            target = AnnotationTarget(*self.about, attachment.blob_id) if self.about is not None else None
            document = await self.context.session.office.open_file(attachment, target)
        except AppError as error:
            if alive(self):
                self.document_failed.emit(attachment.name, error)
            return
        if alive(self):
            self.document_opened.emit(attachment.name, document)

    def save_file(self, attachment: Attachment) -> None:
        """Asks for a place and saves the file there."""
        self.tasks.start(self._save_file(attachment), name="save", exclusive=True)

    async def _save_file(self, attachment: Attachment) -> None:
        target = await self._ask_target(tr("office.save_as"), Path(attachment.name).name)
        if target is None:
            return
        files = self.context.session.files
        await files.ensure(attachment.blob_id, attachment.name, quiet=False)
        await files.save_as(attachment.blob_id, target)

    async def _ask_target(self, title: str, name: str) -> Path | None:
        dialog = QFileDialog(self._host, title)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(name)
        if not await finished(dialog) or not alive(self):
            return None
        return Path(dialog.selectedFiles()[0])

    # ---- sheets
    def preview(self, records: Sequence[Record], title: str) -> None:
        """Shows the printed sheets in the reader, from which they are printed or saved too."""
        self.document_loading.emit(title)
        self.tasks.start(self._preview(records, title), name="paper", exclusive=True)

    async def _preview(self, records: Sequence[Record], title: str) -> None:
        try:
            data = await pdf_of(self.context, records, title)
        except AppError as error:
            if alive(self):
                self.document_failed.emit(title, error)
            return
        if alive(self):
            self.document_opened.emit(title, LocalDocument(file_name(title), "application/pdf", data))

    def print_records(self, records: Sequence[Record]) -> None:
        """Asks for a printer and prints a sheet for each record."""
        if records:
            self.tasks.start(self._print(records), name="paper", exclusive=True)

    async def _print(self, records: Sequence[Record]) -> None:
        from PySide6.QtPrintSupport import QPrintDialog, QPrinter

        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        printer.setDocName(self.context.title(records[0]))
        dialog = QPrintDialog(printer, self._host)
        if await finished(dialog) and alive(self):
            done = await paint_records(printer, self.context, records)
            if alive(self):
                self.told.emit(tr("reader.printed") if done else tr("reader.print_failed"))

    def save_pdf(self, records: Sequence[Record], title: str) -> None:
        """Asks for a place and saves the sheets there as one PDF."""
        if records:
            self.tasks.start(self._save_pdf(records, title), name="paper", exclusive=True)

    async def _save_pdf(self, records: Sequence[Record], title: str) -> None:
        target = await self._ask_target(tr("office_record.save_pdf"), file_name(title))
        if target is None:
            return
        data = await pdf_of(self.context, records, title)
        try:
            await in_background(write_file, target, data)
        except OSError as error:
            raise BadFile(reason=str(error.strerror)) from error
        if alive(self):
            self.told.emit(tr("office_record.pdf_saved"))
