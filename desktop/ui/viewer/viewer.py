"""The picture window: tools above, the picture below, arrows to the next one. Gets its bytes from a verb, decodes them off the UI thread, keeps nothing."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QCloseEvent, QGuiApplication, QImage, QImageReader, QKeyEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from desktop.core.errors import AppError, BadFile
from desktop.platform.folders import downloads_dir
from desktop.ui import i18n, theme
from desktop.ui.background import in_background
from desktop.ui.i18n import tr
from desktop.ui.kit import IconButton, Label, on_click
from desktop.ui.tasks import TaskOwner, alive, present
from desktop.ui.viewer.canvas import PictureCanvas

MAX_SIDE = 20_000
ALLOCATION_MB = 512

Load = Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that can be shown: its file's name and where its bytes come from."""

    name: str
    load: Load


def decode_picture(data: bytes) -> QImage:
    """A picture from hostile bytes, turned as its EXIF says.

    Raises:
        BadFile: no picture, or one too large to hold.
    """
    from PySide6.QtCore import QBuffer

    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QBuffer.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setAutoTransform(True)
    size = reader.size()
    if size.width() > MAX_SIDE or size.height() > MAX_SIDE:
        raise BadFile(reason="tooLarge")
    image = reader.read()
    if image.isNull():
        raise BadFile(reason="notAPicture")
    return image


class PictureViewer(QWidget):
    """One window for pictures; showing another picture reuses it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        QImageReader.setAllocationLimit(ALLOCATION_MB)
        self.setObjectName("pictureViewer")
        self.setProperty("surface", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.tasks = TaskOwner(self)
        self._pictures: list[Picture] = []
        self._at = 0
        self._name = ""
        self._data = b""
        self._build_ui()
        i18n.changed.connect(self._retitle)
        self.resize(QSize(theme.scaled(960), theme.scaled(680)))

    def _build_ui(self) -> None:
        self.canvas = PictureCanvas()
        self.canvas.zoomed.connect(self._on_zoomed)
        self._word = Label(tone="rail_ink")
        self._word.setAlignment(Qt.AlignmentFlag.AlignCenter)
        waiting = QFrame()
        waiting.setProperty("surface", "rail")
        QHBoxLayout(waiting).addWidget(self._word)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.canvas)
        self._stack.addWidget(waiting)
        bar = QFrame()
        bar.setProperty("surface", "header")
        tools = QHBoxLayout(bar)
        tools.setContentsMargins(12, 6, 12, 6)
        tools.setSpacing(4)
        self._percent = Label(role="secondary", tone="ink3")
        self._tools: list[IconButton] = []
        for icon, key, action in (
            ("magnifying-glass-minus", "viewer.zoom_out", self.canvas.zoom_out),
            ("magnifying-glass-plus", "viewer.zoom_in", self.canvas.zoom_in),
            ("frame-corners", "viewer.fit", self.canvas.fit),
            ("arrows-out-simple", "viewer.actual", self.canvas.actual),
            ("arrow-clockwise", "viewer.rotate", self.canvas.rotate),
            ("copy", "common.copy", self.copy),
            ("download-simple", "viewer.save_as", self.save_as),
        ):
            button = IconButton(icon, key)
            button.setObjectName(key)
            on_click(button, action)
            self._tools.append(button)
            tools.addWidget(button)
        tools.insertWidget(2, self._percent)
        tools.addStretch(1)
        self.previous = IconButton("caret-left", "viewer.previous")
        self.next = IconButton("caret-right", "viewer.next")
        self.place = Label(role="secondary", tone="ink3")
        on_click(self.previous, lambda: self.step(-1))
        on_click(self.next, lambda: self.step(1))
        for part in (self.previous, self.place, self.next):
            tools.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(self._stack, 1)

    def show_picture(self, name: str, load: Load) -> None:
        """Opens the window at once and fills it when the bytes are here."""
        self.show_pictures([Picture(name, load)], 0)

    def show_pictures(self, pictures: Sequence[Picture], at: int) -> None:
        """Several, beginning with one of them; arrows lead to the others."""
        self._pictures = list(pictures)
        self.show()
        self.raise_()
        self.activateWindow()
        self._turn_to(min(max(at, 0), len(self._pictures) - 1))

    @property
    def at(self) -> int:
        """Which of the pictures is shown, from 0."""
        return self._at

    def step(self, by: int) -> None:
        """The next picture, or the one before; stops at the ends."""
        at = min(max(self._at + by, 0), len(self._pictures) - 1)
        if at != self._at:
            self._turn_to(at)

    def _turn_to(self, at: int) -> None:
        self._at = at
        picture, many = self._pictures[at], len(self._pictures)
        self._name, self._data = picture.name, b""
        self._retitle()
        self._say(tr("common.loading"))
        for part in (self.previous, self.next, self.place):
            part.setVisible(many > 1)
        self.place.setText(f"{at + 1} / {many}")
        self.previous.setEnabled(at > 0)
        self.next.setEnabled(at < many - 1)
        self.tasks.start(self._load(picture.load), name="load", exclusive=True)

    async def _load(self, load: Load) -> None:
        try:
            data = await load()
            image = await in_background(decode_picture, data)  # a large photo takes some frames to decode
        except AppError as error:
            if alive(self):
                self._say(i18n.error_text(error))
            return
        if alive(self):
            self._data = data
            self._stack.setCurrentWidget(self.canvas)
            self._enable(True)
            self.canvas.set_image(image)
            self.canvas.setFocus()

    def _say(self, text: str) -> None:
        self._word.setText(text)
        self._percent.setText("")
        self._stack.setCurrentIndex(1)
        self._enable(False)

    def _enable(self, enabled: bool) -> None:
        for tool in self._tools:
            tool.setEnabled(enabled)

    def _retitle(self) -> None:
        self.setWindowTitle(tr("viewer.title", name=self._name) if self._name else tr("app.name"))
        self.canvas.setAccessibleName(self._name)

    def _on_zoomed(self, scale: float) -> None:
        self._percent.setText(f"{round(scale * 100)}%")

    def copy(self) -> None:
        """Puts the picture, as turned, on the clipboard."""
        QGuiApplication.clipboard().setImage(self.canvas.image())

    def save_as(self) -> None:
        """Asks where to and writes the bytes as they came: unturned, without loss."""
        dialog = QFileDialog(self, tr("viewer.save_as"), str(downloads_dir() / Path(self._name).name))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.tasks.start(self._write(Path(path)), name="save"))
        dialog.open()

    async def _write(self, path: Path) -> None:
        try:
            await in_background(path.write_bytes, self._data)
        except OSError as error:
            present(BadFile(reason=error.strerror or "write"), self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        elif event.key() in (Qt.Key.Key_Right, Qt.Key.Key_PageDown, Qt.Key.Key_Space):
            self.step(1)
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_PageUp, Qt.Key.Key_Backspace):
            self.step(-1)
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.tasks.cancel_all()
        self._data = b""
        self.canvas.set_image(QImage())
        super().closeEvent(event)
