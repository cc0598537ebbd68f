"""The bar that stands in the message field's place while a voice message is recorded: loudness, time, cancel and send."""

from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QWidget

from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, IconButton, IconLabel, Label, on_click
from desktop.ui.voice.devices import Microphone, NoDevice, QtMicrophone
from desktop.ui.voice.pcm import Converter, Take

LEAST_MS = 700  # shorter is a slip of the hand
BAR_STEP = 5
METER_HEIGHT = 34


class _Meter(QWidget):
    """The last loudnesses, the newest at the right."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.levels: list[int] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(theme.scaled(120), theme.scaled(METER_HEIGHT))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.tokens().link)
        room = self.width() // BAR_STEP
        shown = self.levels[-room:]
        for number, level in enumerate(shown):
            tall = max(2.0, self.height() * level / 100)
            x = self.width() - (len(shown) - number) * BAR_STEP
            painter.drawRoundedRect(QRectF(x, (self.height() - tall) / 2, 2.5, tall), 1.2, 1.2)
        painter.end()


def clock(ms: int) -> str:
    """Minutes and seconds."""
    return f"{ms // 60_000}:{ms // 1000 % 60:02d}"


class RecorderBar(QFrame):
    """`recorded` carries the finished Take; `ended` comes after every recording, sent or not; `said` is a sentence for the user."""

    recorded = Signal(object)
    ended = Signal()
    said = Signal(str)

    def __init__(self, parent: QWidget | None = None, make: Callable[[QWidget], Microphone] = QtMicrophone) -> None:
        super().__init__(parent)
        self._make = make
        self._microphone: Microphone | None = None
        self._converter = Converter()
        self.take: Take | None = None
        i18n.bind(self.setAccessibleName, "voice.record")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.meter = _Meter(self)
        self.time = Label(role="secondary", tone="ink2")
        self.cancel_button = IconButton("x", "voice.cancel")
        self.send_button = Button(key="voice.send", kind="primary", icon="paper-plane-tilt")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 8, 0, 8)
        row.setSpacing(10)
        row.addWidget(IconLabel("microphone", tone="red_text", size=18))
        row.addWidget(self.meter, 1)
        row.addWidget(self.time)
        row.addWidget(self.cancel_button)
        row.addWidget(self.send_button)
        on_click(self.cancel_button, self.cancel)
        on_click(self.send_button, self.send)

    @property
    def recording(self) -> bool:
        """Whether there is a take that was neither sent nor given up."""
        return self.take is not None

    def start(self, limit_ms: int) -> bool:
        """Begins; False (and a sentence) where there is no microphone."""
        if self.take is not None:
            return True
        self._microphone = self._microphone or self._make(self)
        self.take = Take(limit_ms)
        try:
            self._microphone.start(self._on_bytes, self._on_failed)
        except NoDevice as problem:
            self.take = None
            self.said.emit(tr(problem.key))
            return False
        self._converter = Converter(self._microphone.rate, self._microphone.channels, self._microphone.kind)
        self._show()
        self.show()
        self.setFocus()
        return True

    def _on_bytes(self, data: bytes) -> None:
        if self.take is None:
            return
        self.take.add(self._converter.convert(data))
        self._show()
        if self.take.is_full and self._microphone is not None:
            self._microphone.stop()  # it waits for the user's word

    def _on_failed(self) -> None:
        self._end()
        self.said.emit(tr("voice.mic_failed"))

    def _show(self) -> None:
        if self.take is not None:
            self.meter.levels = self.take.levels
            self.meter.update()
            limit = clock(self.take.limit_ms)
            self.time.setText(tr("voice.recording", time=clock(self.take.duration_ms), limit=limit))

    def send(self) -> None:
        """Done: hands the take out; a slip of the hand is only said."""
        take = self.take
        if take is None:
            return
        self._end()
        if take.duration_ms < LEAST_MS:
            self.said.emit(tr("voice.too_short"))
        else:
            self.recorded.emit(take)

    def cancel(self) -> None:
        """Given up: nothing is kept."""
        if self.take is not None:
            self._end()

    def _end(self) -> None:
        if self._microphone is not None:
            self._microphone.stop()
        self.take = None
        self.hide()
        self.ended.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.cancel()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.send()
        else:
            super().keyPressEvent(event)
