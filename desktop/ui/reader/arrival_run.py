"""Follows a file on its way for the reader: opens it as soon as its first pages can be shown, tells how far it is, hands over the whole in the end."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.core.domain import ArrivalState, Arriving
from desktop.core.errors import AppError
from desktop.ui.background import in_background
from desktop.ui.reader.arriving_bytes import NotHere
from desktop.ui.reader.arriving_source import ArrivingSource, PartialDocument, partial_document
from desktop.ui.reader.kinds import Kind
from desktop.ui.reader.page_images import in_drawing_thread
from desktop.ui.reader.page_source import DocumentProblem
from desktop.ui.tasks import TaskOwner, alive

LOOK_MS: Final = 25
OPEN_TRIES: Final = 64
"""How often opening may ask for bytes before the whole file is waited for: broken files ask for everything, bit by bit."""


class ArrivalRun(QObject):
    """One file at a time.

    Signals:
        opened: an ArrivingSource; its pages come as they are wanted.
        moved: more is here; `percent`, `held` and the pages may be others.
        whole: bytes, once.
        failed: AppError, once; nothing of what was shown may stay.
    """

    opened = Signal(object)
    moved = Signal()
    whole = Signal(object)
    failed = Signal(object)
    _told = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.tasks = TaskOwner(self)
        self.arriving: Arriving | None = None
        self._document: PartialDocument | None = None
        self._missed: NotHere | None = None
        self._tries = 0
        self._shown = False
        self._look = QTimer(self, interval=LOOK_MS, singleShot=True)
        self._look.timeout.connect(self._on_look)
        self._told.connect(self._on_told)

    @property
    def percent(self) -> int:
        """How much is here."""
        arriving = self.arriving
        return 0 if arriving is None or not arriving.size else min(100, 100 * arriving.arrived // arriving.size)

    @property
    def held(self) -> bool:
        """Whether it waits for the network, or for the user."""
        return self.arriving is not None and self.arriving.state is ArrivalState.HELD

    def follow(self, kind: Kind, arriving: Arriving) -> None:
        """From now on this one."""
        self.stop()
        self.arriving, self._tries, self._shown, self._missed = arriving, 0, False, None
        self._document = partial_document(kind, arriving)
        arriving.listen(self._tell)
        self._look.start()

    def stop(self) -> None:
        """No more; what was opened is closed by whoever shows it."""
        self.tasks.cancel_all()
        self._look.stop()
        if self.arriving is not None:
            self.arriving.close()
        if self._document is not None and not self._shown:
            self._document.close()
        self.arriving, self._document = None, None

    def _tell(self) -> None:
        """Called on the core's thread."""
        with suppress(RuntimeError):  # the window is gone
            self._told.emit()

    def _on_told(self) -> None:
        if self.arriving is not None and not self._look.isActive():
            self._look.start()

    def _on_look(self) -> None:
        arriving = self.arriving
        if arriving is None:
            return
        match arriving.state:
            case ArrivalState.WHOLE:
                self.tasks.start(self._take(arriving), name="take", exclusive=True)
            case ArrivalState.FAILED:
                error = arriving.error or AppError()
                self.stop()
                self.failed.emit(error)
            case _:
                self.moved.emit()
                document = self._document
                if (
                    document is not None
                    and self._tries < OPEN_TRIES
                    and not (self._shown or self.tasks.running("open"))
                ):
                    self.tasks.start(self._open(document), name="open")

    async def _take(self, arriving: Arriving) -> None:
        try:
            data = await in_background(arriving.content)
        except AppError as error:
            if alive(self) and self.arriving is arriving:
                self.stop()
                self.failed.emit(error)
            return
        if alive(self) and self.arriving is arriving:
            self.arriving, self._document = None, None
            arriving.close()
            self.whole.emit(data)

    async def _open(self, document: PartialDocument) -> None:
        tries = self._tries
        source = await in_drawing_thread(lambda: self._attempt(document))
        if not alive(self) or self._document is not document:
            document.close()
        elif source is not None:
            self._shown = True
            self.opened.emit(source)
        elif self._tries > tries:
            self._look.start()  # what it wished for may be here by now

    def _attempt(self, document: PartialDocument) -> ArrivingSource | None:
        """In the drawing thread: the pages, None while what they need is not here."""
        if self._missed is not None and not document.here(self._missed):
            return None
        try:
            return ArrivingSource(document, document.page_sizes())
        except NotHere as missed:
            self._missed = missed
            self._tries += 1
        except DocumentProblem:  # what is wrong with it is said when all of it is here
            self._tries = OPEN_TRIES
        return None
