"""What opening a file means: pictures in the viewer, what the reader knows in the reader, the rest by the system's program.

The store keeps files sealed; a plain copy is made only when another program must read it, in a folder that goes at the end.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from desktop.app.ui_session import ScreenSession
from desktop.core.domain import Attachment, LocalDocument
from desktop.core.errors import AppError, BadFile, Rejected
from desktop.core.services.file_names import safe_name
from desktop.platform import opening
from desktop.platform.folders import downloads_dir
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.tasks import TaskOwner, alive, present

if TYPE_CHECKING:
    from desktop.ui.reader.document_reader import DocumentReader
    from desktop.ui.viewer.viewer import PictureViewer

READER_SIZE = (900, 700)
MOST_LOCAL = 512 * 1024**2  # bytes; the reader holds a document in memory


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
        elif attachment.name.endswith(".zip"):
            self.tasks.start(self._open_archive(attachment), name=f"open-{attachment.blob_id}", exclusive=True)
        elif readable(attachment.name, attachment.type):
            self.tasks.start(self._read(attachment), name=f"read-{attachment.blob_id}", exclusive=True)
        else:
            self.tasks.start(self._hand_over(attachment), name=f"open-{attachment.blob_id}", exclusive=True)

    async def _open_archive(self, attachment: Attachment) -> None:
        """A folder that was sent lies in the downloads as a folder; any other archive is read as it is."""
        files = self._session.files
        await self._ensure(attachment)
        if not await files.is_folder(attachment.blob_id, attachment.name):
            await self._read(attachment)
            return
        await self._unpack(attachment, downloads_dir())

    async def _unpack(self, attachment: Attachment, folder: Path) -> None:
        """Shows the folder where it lies already, else unpacks it (its row tells how far) and shows it then."""
        transfer = await self._session.files.download(attachment)
        known = Path(transfer.path) if transfer.path else None
        here = known is not None and known.is_dir() and known.parent == folder
        made = known if here else await self._session.files.save_into(transfer.id, folder)
        if made is not None:
            opening.show_in_folder(made)

    def save_file(self, attachment: Attachment) -> None:
        """Asks where to, then saves a copy; a folder that was sent as a folder."""
        if attachment.name.endswith(".zip"):
            self.tasks.start(self._save_archive(attachment), name=f"save-{attachment.blob_id}", exclusive=True)
        else:
            self._ask_and_save(attachment)

    async def _save_archive(self, attachment: Attachment) -> None:
        files = self._session.files
        await self._ensure(attachment)
        if not await files.is_folder(attachment.blob_id, attachment.name):
            self._ask_and_save(attachment)
            return
        dialog = QFileDialog(_front(), tr("files.save_folder"), str(downloads_dir()))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(
            lambda path: self.tasks.start(self._unpack(attachment, Path(path)), name=f"save-{attachment.blob_id}")
        )
        dialog.open()

    def _ask_and_save(self, attachment: Attachment) -> None:
        dialog = QFileDialog(_front(), tr("files.save_as"), str(downloads_dir() / Path(attachment.name).name))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(
            lambda path: self.tasks.start(self._save(attachment, Path(path)), name=f"save-{attachment.blob_id}")
        )
        dialog.open()

    def open_local(self, path: Path) -> None:
        """Shows a file of this computer that the desktop handed over; nothing of it is sent anywhere."""
        self.tasks.start(self._read_local(path), name=f"local-{path}", exclusive=True)

    async def _read_local(self, path: Path) -> None:
        from desktop.ui.reader.kinds import readable

        if not readable(path.name):
            raise BadFile(reason="notShown")
        reader = self._new_reader(path.name)
        try:
            data = await asyncio.to_thread(_load_whole, path)
        except AppError as error:
            if alive(reader):
                reader.show_failure(path.name, error)
            return
        if alive(reader):
            reader.show_document(path.name, LocalDocument(path.name, "", data))

    async def _fetch(self, attachment: Attachment, *, quiet: bool = False) -> bytes:
        return await self._session.files.open_bytes(attachment.blob_id, attachment.name, quiet=quiet)

    def _new_reader(self, title: str) -> "DocumentReader":
        from desktop.ui.reader.document_reader import DocumentReader
        from desktop.ui.reader.places import ReadingPlaces

        reader = DocumentReader(self._session.me.name, self._now_ms, places=ReadingPlaces(self._session.records))
        reader.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        reader.setWindowTitle(title)
        reader.resize(*(theme.scaled(side) for side in READER_SIZE))
        reader.closed.connect(reader.close)
        self._readers.append(reader)
        reader.destroyed.connect(self._forget_dead)
        reader.show_loading(title)
        reader.show()
        reader.raise_()
        return reader

    async def _read(self, attachment: Attachment) -> None:
        reader = self._new_reader(attachment.name)
        try:
            document = await self._session.office.open_file(attachment)
        except AppError as error:
            if alive(reader):
                reader.show_failure(attachment.name, _plainer(error, attachment))
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

    async def _ensure(self, attachment: Attachment) -> None:
        try:
            await self._session.files.ensure(attachment.blob_id, attachment.name, quiet=False)
        except Rejected as error:
            raise _plainer(error, attachment) from error

    async def _save(self, attachment: Attachment, target: Path) -> None:
        """A plain copy, a piece at a time: the file may be larger than the memory."""
        await self._ensure(attachment)
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


def _plainer(error: AppError, attachment: Attachment) -> AppError:
    """Why the server has no such file, where the message tells it."""
    if error.data.get("type") == "notFound" and (attachment.expired or attachment.direct):
        return BadFile(reason="expired" if attachment.expired else "direct")
    return error


def _load_whole(path: Path) -> bytes:
    try:
        if not path.is_file():  # a device or a pipe could be read for ever
            raise BadFile(reason="missing")
        if path.stat().st_size > MOST_LOCAL:
            raise BadFile(reason="notShown")
        return path.read_bytes()
    except OSError as error:
        raise BadFile(reason="missing") from error


def _front() -> QWidget | None:
    return QApplication.activeWindow()
