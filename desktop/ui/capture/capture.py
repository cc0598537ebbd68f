"""A screenshot from start to end: freezes the screens, waits for the user's choice, copies, saves or hands the picture out."""

from collections.abc import Callable

from PySide6.QtCore import (
    QBuffer,
    QByteArray,
    QDir,
    QIODevice,
    QObject,
    QPoint,
    QPointF,
    QRect,
    QStandardPaths,
    QTimer,
    Signal,
)
from PySide6.QtGui import QCursor, QGuiApplication, QImage, QImageWriter
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from desktop.platform.window_places import get_window_places
from desktop.ui.capture.overlay import CaptureOverlay
from desktop.ui.capture.shots import CannotCapture, Shot, capture_screens, joined
from desktop.ui.i18n import tr, when

HIDE_MS = 220  # what a compositor takes to paint the desktop without our windows; it tells nobody when it has

Capture = Callable[[tuple[QRect, ...]], list[Shot]]


class ScreenCapture(QObject):
    """One at a time. `sent` carries a PNG, its name is `name`; `said` a sentence for the user; `ended` comes last in every case."""

    sent = Signal(bytes)
    said = Signal(str)
    ended = Signal()

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        capture: Capture = capture_screens,
        places: Callable[[], tuple[QRect, ...]] = get_window_places,
    ) -> None:
        super().__init__(parent)
        self._capture, self._places = capture, places
        self.overlays: list[CaptureOverlay] = []
        self._hidden: list[QWidget] = []
        self._can_send = False
        self._running = False
        self._dialog: QFileDialog | None = None
        self._soon = QTimer(self, singleShot=True, interval=HIDE_MS)
        self._soon.timeout.connect(self._freeze)

    @property
    def running(self) -> bool:
        """Whether the screens stand still."""
        return self._running

    def start(self, *, can_send: bool, hide_windows: bool = False) -> None:
        """Begins; asked again meanwhile, nothing happens."""
        if self._running:
            return
        self._running, self._can_send = True, can_send
        if hide_windows:
            self._hidden = [w for w in QApplication.topLevelWidgets() if w.isVisible() and not w.isMinimized()]
            for window in self._hidden:
                window.hide()
            self._soon.start()
        else:
            self._freeze()

    def _freeze(self) -> None:
        try:
            shots = self._capture(self._places())
        except CannotCapture:
            self._end()
            self.said.emit(tr("capture.refused"))
            return
        pointer = QCursor.pos()
        for canvas in joined(shots):
            first = (canvas.view_at(pointer) or canvas.views[0]).shot
            overlay = CaptureOverlay(first, can_send=self._can_send, canvas=canvas)
            overlay.finished.connect(self._on_finished)
            overlay.cancelled.connect(self._end)
            overlay.began.connect(lambda one=overlay: self._on_began(one))
            self.overlays.append(overlay)
            for window, shot in ((overlay, first), *((one, one.view.shot) for one in overlay.mirrors)):
                window.setScreen(shot.screen)
                window.setGeometry(shot.screen.geometry())
                window.showFullScreen()
        self._point(pointer)

    def _point(self, place: QPoint) -> None:
        """The screen with the pointer gets the keyboard and offers what is under the pointer."""
        here = next((o for o in self.overlays if o.shot.screen.geometry().contains(place)), self.overlays[0])
        here.raise_()
        here.activateWindow()
        here.setFocus()
        local = place - here.shot.screen.geometry().topLeft()
        here.suggest(here.view.to_canvas(QPointF(local)))

    def _on_began(self, chosen: CaptureOverlay) -> None:
        for overlay in self.overlays:
            if overlay is not chosen and overlay.region is not None:
                overlay.clear_region()

    def _on_finished(self, way: str, image: QImage) -> None:
        self._end()
        match way:
            case "send":
                self.sent.emit(png_of(image))
            case "save":
                self._save(image)
            case _:
                QGuiApplication.clipboard().setImage(image)
                self.said.emit(tr("capture.copied"))

    def _end(self) -> None:
        for overlay in self.overlays:
            for window in (overlay, *overlay.mirrors):
                window.hide()
            overlay.take_back()
            for window in (*overlay.mirrors, overlay):
                window.deleteLater()
        self.overlays = []
        hidden, self._hidden = self._hidden, []
        for window in hidden:
            window.show()
        self._running = False
        self.ended.emit()

    def cancel(self) -> None:
        """Leaves without a picture."""
        self._soon.stop()
        if self._running:
            self._end()

    def _save(self, image: QImage) -> None:
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation) or QDir.homePath()
        dialog = QFileDialog(None, tr("capture.save"), f"{folder}/{picture_name()}", "PNG (*.png);;JPEG (*.jpg)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("png")
        dialog.fileSelected.connect(lambda path: self._write(image, path))
        dialog.finished.connect(dialog.deleteLater)
        self._dialog = dialog
        dialog.open()

    def _write(self, image: QImage, path: str) -> None:
        done = image.save(path)
        self.said.emit(tr("capture.saved") if done else tr("capture.not_saved"))


def picture_name() -> str:
    """What a screenshot is called: by the time it was taken."""
    return f"{tr('capture.name')} {when.date_time(when.now())}".replace("/", "-").replace(":", "-") + ".png"


def png_of(image: QImage) -> bytes:
    """A picture as PNG."""
    held = QByteArray()
    buffer = QBuffer(held)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(image)
    return bytes(held.data())
