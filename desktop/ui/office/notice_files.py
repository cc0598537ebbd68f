"""Attachments of notices on their way to the user: opened in the reader, saved where the user wants them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.core.domain import Attachment
from desktop.core.errors import AppError
from desktop.ui.i18n import tr
from desktop.ui.kit import finished
from desktop.ui.office.ports import OfficeSession
from desktop.ui.tasks import TaskOwner, alive


class NoticeFiles(QObject):
    """For one page, over which its dialogs open.

    Signals:
        document_loading, document_opened, document_failed: for the reader: title; title and LocalDocument; title and AppError.
        told: what became of a file, in words.
    """

    document_loading = Signal(str)
    document_opened = Signal(str, object)
    document_failed = Signal(str, object)
    told = Signal(str)

    def __init__(self, session: OfficeSession, parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._host = session, parent
        self._last: Attachment | None = None
        self.tasks = TaskOwner(self)

    def open_last(self) -> None:
        """Opens the last attachment again, after it could not be had."""
        if self._last is not None:
            self.open(self._last)

    def open(self, attachment: Attachment) -> None:
        """Opens an attachment in the reader, fetching it first where it must be."""
        self._last = attachment
        self.document_loading.emit(attachment.name)
        self.tasks.start(self._open(attachment), name="attachment", exclusive=True)

    async def _open(self, attachment: Attachment) -> None:
        try:
            document = await self._session.office.open_file(attachment)
        except AppError as error:
            if alive(self):
                self.document_failed.emit(attachment.name, error)
            return
        if alive(self):
            self.document_opened.emit(attachment.name, document)

    def save(self, attachment: Attachment) -> None:
        """Asks for a place and saves the attachment there."""
        self.tasks.start(self._save(attachment), name="save", exclusive=True)

    async def _save(self, attachment: Attachment) -> None:
        dialog = QFileDialog(self._host, tr("office.save_as"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(Path(attachment.name).name)
        if not await finished(dialog) or not alive(self):
            return
        files = self._session.files
        await files.ensure(attachment.blob_id, attachment.name, quiet=False)
        try:
            await files.save_as(attachment.blob_id, Path(dialog.selectedFiles()[0]))
        except OSError:
            self.told.emit(tr("reader.save_failed"))
            return
        if alive(self):
            self.told.emit(tr("reader.saved"))
