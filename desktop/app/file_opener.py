"""What opening a file means: pictures in the viewer, what the reader knows in the reader, the rest by the system's program.

The store keeps files sealed; a plain copy is made only when another program must read it, in a folder that goes at the end.
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from desktop.app.ui_session import ScreenSession
from desktop.core.domain import Attachment
from desktop.core.errors import AppError, BadFile
from desktop.core.services.blobs import safe_name
from desktop.platform import opening
from desktop.platform.folders import downloads_dir
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.tasks import TaskOwner, alive, present

if TYPE_CHECKING:
    from desktop.ui.reader.document_reader import DocumentReader
    from desktop.ui.viewer.viewer import PictureViewer

READER_SIZE = (900, 700)


class FileWindows(QObject):
    """Opens and saves files of one session; owns the windows it opens."""

    def __init__(self, session: ScreenSession, now_ms: Callable[[], int], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._now_ms = session, now_ms
        self.tasks = TaskOwner(self)
        self._viewer: PictureViewer | None = None
        self._readers: list[DocumentReader] = []
        self._folder: Path | None = None

    def view_picture(self, attachment: Attachment, among: Sequence[Attachment] = ()) -> None:
        """Shows a picture large; arrows lead to the others `among` which it stands."""
        from desktop.ui.viewer.viewer import Picture, PictureViewer

        if self._viewer is None:
            self._viewer = PictureViewer()
        shown = list(among) if attachment in among else [attachment]
        pictures = [Picture(one.name, partial(self._fetch, one, quiet=True)) for one in shown]
        self._viewer.show_pictures(pictures, shown.index(attachment))

    def open_file(self, attachment: Attachment) -> None:
        """Fetches a file if need be, then shows it in the reader or hands it to the system."""
        from desktop.ui.reader.kinds import Kind, kind_of, readable

        if kind_of(b"", attachment.name, attachment.type) is Kind.PICTURE:
            self.view_picture(attachment)
        elif readable(attachment.name, attachment.type):
            self.tasks.start(self._read(attachment), name=f"read-{attachment.blob_id}", exclusive=True)
        else:
            self.tasks.start(self._hand_over(attachment), name=f"open-{attachment.blob_id}", exclusive=True)

    def save_file(self, attachment: Attachment) -> None:
        """Asks where to, then saves a copy."""
        dialog = QFileDialog(_front(), tr("files.save_as"), str(downloads_dir() / Path(attachment.name).name))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(
            lambda path: self.tasks.start(self._save(attachment, Path(path)), name=f"save-{attachment.blob_id}")
        )
        dialog.open()

    async def _fetch(self, attachment: Attachment, *, quiet: bool = False) -> bytes:
        return await self._session.files.open_bytes(attachment.blob_id, attachment.name, quiet=quiet)

    async def _read(self, attachment: Attachment) -> None:
        from desktop.ui.reader.document_reader import DocumentReader
        from desktop.ui.reader.places import ReadingPlaces

        reader = DocumentReader(self._session.me.name, self._now_ms, places=ReadingPlaces(self._session.records))
        reader.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        reader.setWindowTitle(attachment.name)
        reader.resize(*(theme.scaled(side) for side in READER_SIZE))
        reader.closed.connect(reader.close)
        self._readers.append(reader)
        reader.destroyed.connect(self._forget_dead)
        reader.show_loading(attachment.name)
        reader.show()
        reader.raise_()
        try:
            document = await self._session.office.open_file(attachment)
        except AppError as error:
            if alive(reader):
                reader.show_failure(attachment.name, error)
            return
        if alive(reader):
            reader.show_document(attachment.name, document)

    def _forget_dead(self) -> None:
        self._readers = [reader for reader in self._readers if alive(reader)]

    async def _hand_over(self, attachment: Attachment) -> None:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="tongban-open-"))
        target = self._folder / attachment.blob_id[:16] / safe_name(attachment.name)
        await self._save(attachment, target)
        if not opening.open_file(target):
            present(BadFile(reason="noProgram"), _front())

    async def _save(self, attachment: Attachment, target: Path) -> None:
        """A plain copy, a piece at a time: the file may be larger than the memory."""
        await self._session.files.ensure(attachment.blob_id, attachment.name, quiet=False)
        await self._session.files.save_as(attachment.blob_id, target)

    def close(self) -> None:
        """Closes the windows and removes the plain copies."""
        self.tasks.cancel_all()
        if self._viewer is not None:
            self._viewer.close()
            self._viewer.deleteLater()
        for reader in self._readers:
            if alive(reader):
                reader.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _front() -> QWidget | None:
    return QApplication.activeWindow()
