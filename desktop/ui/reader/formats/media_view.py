"""Plays sound and film out of memory: play, pause, seek, speed. Says so where this computer lacks the codec."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QTextDocument
from PySide6.QtMultimedia import QAudioOutput, QMediaDevices, QMediaPlayer, QVideoFrame, QVideoSink
from PySide6.QtWidgets import QHBoxLayout, QSlider, QVBoxLayout, QWidget

from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Banner, ComboBox, IconButton, Label, on_click
from desktop.ui.reader.search_run import Hit
from desktop.ui.reader.text_search import Span
from desktop.ui.reader.watermark import paint_watermark
from desktop.ui.theme import icons

SPEEDS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
STEP_MS = 5000
PICTURE_WITHIN_MS = 2500
"""A film that plays this long without a picture: its codec is not here."""
CONTAINERS = (b"ID3", b"OggS", b"fLaC", b"\x1aE\xdf\xa3", b"#!AMR", b"\x30\x26\xb2\x75", b"\0\0\1\xba", b"\0\0\1\xb3")


def is_media(data: bytes) -> bool:
    """Whether the bytes begin as sound or film do. Lists of addresses (m3u8, sdp) do not: a player would fetch what they name."""
    if data.startswith(CONTAINERS) or data[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return True
    if data[:4] == b"RIFF" and data[8:12] in (b"WAVE", b"AVI "):
        return True
    # MPEG audio and ADTS frames begin with eleven or twelve set bits; transport streams with 0x47 every 188 bytes.
    return (len(data) > 3 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0) or (
        len(data) > 188 and data[0] == 0x47 and data[188] == 0x47
    )


def clock_text(ms: int) -> str:
    """3:07, 1:02:03."""
    seconds = max(0, ms) // 1000
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


class Screen(QWidget):
    """The film's picture, or a note for a sound, with the reader's name over it."""

    clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.watermark = ""
        self.frame = QVideoFrame()
        self.film = False

    def show_frame(self, frame: QVideoFrame) -> None:
        """The next picture."""
        if frame.isValid():
            self.frame = frame
            self.update()

    def mouseReleaseEvent(self, event: object) -> None:
        self.clicked.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.tokens().rail if self.film else theme.tokens().surface)
        place = QRectF(self.rect())
        if self.film and self.frame.isValid():
            self.frame.paint(painter, place, QVideoFrame.PaintOptions())
        elif not self.film:
            side = theme.scaled(96)
            middle = QRectF(place.center().x() - side / 2, place.center().y() - side / 2, side, side)
            icons.paint(painter, middle, "music-notes", theme.tokens().scroll)
        paint_watermark(painter, place, self.watermark, on_paper=False)


class MediaView(QWidget):
    """The screen over a row of controls."""

    broken = Signal(str)  # a key below reader.problem
    zoom_changed = Signal()
    copy_refused = Signal()
    zooms = searches = copies = prints = False

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("readerMedia")
        self.may_copy, self.factor = True, 1.0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.player = QMediaPlayer(self)
        self._sink = QVideoSink(self)
        self._bytes = QBuffer(self)
        self.screen_area = Screen(self)
        self._note = Banner(parent=self)
        self._note.hide()
        self._play = IconButton("play", "reader.media.play")
        self._play.setObjectName("mediaPlay")
        self._sound = IconButton("speaker-high", "reader.media.mute", checkable=True)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName("mediaSeek")
        i18n.bind(self.slider.setAccessibleName, "reader.media.seek")
        self._time = Label(role="secondary", tone="ink2")
        self._time.setObjectName("mediaTime")
        self.speed = ComboBox()
        self.speed.setObjectName("mediaSpeed")
        i18n.bind(self.speed.setAccessibleName, "reader.media.speed")
        for one in SPEEDS:
            self.speed.addItem(f"{one:g}×", one)
        self._pictureless = QTimer(self, interval=PICTURE_WITHIN_MS, singleShot=True)
        self._lay_out()
        self._bind()

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setContentsMargins(16, 8, 16, 8)
        line.setSpacing(10)
        line.addWidget(self._play)
        line.addWidget(self._time)
        line.addWidget(self.slider, 1)
        line.addWidget(self.speed)
        line.addWidget(self._sound)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._note)
        column.addWidget(self.screen_area, 1)
        column.addLayout(line)

    def _bind(self) -> None:
        player = self.player
        player.setVideoSink(self._sink)
        self._sink.videoFrameChanged.connect(self.screen_area.show_frame)
        player.playbackStateChanged.connect(self._refresh)
        player.durationChanged.connect(self._on_duration)
        player.positionChanged.connect(self._on_position)
        player.hasVideoChanged.connect(self._on_film)
        player.mediaStatusChanged.connect(self._on_status)
        player.errorOccurred.connect(self._on_error)
        on_click(self._play, self.toggle)
        self.screen_area.clicked.connect(self.toggle)
        self._sound.toggled.connect(self._mute)
        self.slider.sliderMoved.connect(player.setPosition)
        self.slider.actionTriggered.connect(lambda _action: player.setPosition(self.slider.sliderPosition()))
        self.speed.currentIndexChanged.connect(lambda n: player.setPlaybackRate(SPEEDS[n]))
        self._pictureless.timeout.connect(self._tell_pictureless)

    @property
    def watermark(self) -> str:
        """The text over the picture."""
        return self.screen_area.watermark

    @watermark.setter
    def watermark(self, text: str) -> None:
        self.screen_area.watermark = text

    def show_media(self, data: bytes) -> None:
        """Takes another sound or film; it does not begin by itself."""
        self.clear()
        if self.player.audioOutput() is None and QMediaDevices.audioOutputs():
            self.player.setAudioOutput(QAudioOutput(self))
        self._bytes.setData(QByteArray(data))
        self._bytes.open(QIODevice.OpenModeFlag.ReadOnly)
        self.speed.setCurrentIndex(SPEEDS.index(1.0))
        self.player.setSourceDevice(self._bytes)
        self._refresh()

    def clear(self) -> None:
        self._pictureless.stop()
        self._note.hide()
        self.player.stop()
        self.player.setSourceDevice(None)  # type: ignore[arg-type]  # Qt takes a null device as "none"
        self._bytes.close()
        self._bytes.setData(QByteArray())
        self.screen_area.frame, self.screen_area.film = QVideoFrame(), False

    # ---- playing
    def toggle(self) -> None:
        """Plays, or pauses."""
        if self.player.isPlaying():
            self.player.pause()
        else:
            self.player.play()

    def skip(self, ms: int) -> None:
        """Goes on or back by some time."""
        self.player.setPosition(min(max(0, self.player.position() + ms), self.player.duration()))

    def _mute(self, muted: bool) -> None:
        output = self.player.audioOutput()
        if output is not None:
            output.setMuted(muted)
        self._sound.set_icon("speaker-slash" if muted else "speaker-high")

    def _refresh(self) -> None:
        playing = self.player.isPlaying()
        self._play.set_icon(*(("pause", "reader.media.pause") if playing else ("play", "reader.media.play")))
        self._tell_time()
        if playing and self.screen_area.film and not self.screen_area.frame.isValid():
            self._pictureless.start()

    def _tell_time(self) -> None:
        self._time.setText(f"{clock_text(self.player.position())} / {clock_text(self.player.duration())}")

    def _on_duration(self, ms: int) -> None:
        self.slider.setRange(0, max(0, ms))
        self.slider.setSingleStep(STEP_MS)
        self.slider.setPageStep(max(STEP_MS, ms // 10))
        self._tell_time()

    def _on_position(self, ms: int) -> None:
        if not self.slider.isSliderDown():
            self.slider.setValue(ms)
        self._tell_time()

    def _on_film(self, film: bool) -> None:
        self.screen_area.film = film
        self.screen_area.update()

    def _on_status(self, status: QMediaPlayer.MediaStatus) -> None:
        if status is QMediaPlayer.MediaStatus.InvalidMedia:
            self.broken.emit("noCodec")
        elif status is QMediaPlayer.MediaStatus.LoadedMedia:
            if not (self.player.hasAudio() or self.player.hasVideo()):
                self.broken.emit("noCodec")
            elif self.player.hasAudio() and not QMediaDevices.audioOutputs():
                self._note.show_text(tr("reader.media.no_speaker"), tone="amber", icon="speaker-slash")

    def _on_error(self, error: QMediaPlayer.Error, _text: str) -> None:
        if error is not QMediaPlayer.Error.NoError:
            self.broken.emit("noCodec")

    def _tell_pictureless(self) -> None:
        if self.player.isPlaying() and self.screen_area.film and not self.screen_area.frame.isValid():
            self._note.show_text(tr("reader.media.no_picture"), tone="amber", icon="video-camera-slash")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self.toggle()
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.skip(-STEP_MS if event.key() == Qt.Key.Key_Left else STEP_MS)
        else:
            super().keyPressEvent(event)

    def hideEvent(self, event: object) -> None:
        self.player.pause()

    # ---- what sound and film do not do
    @property
    def parts(self) -> int:
        """Nothing is searched."""
        return 0

    def find_in(self, part: int, needle: str) -> list[Span]:
        """Nothing is searched."""
        return []

    def set_marks(self, hits: list[Hit], current: Hit | None) -> None:
        """Nothing is marked."""

    def set_factor(self, factor: float) -> None:
        """The picture fills its place."""

    def zoom_step(self, direction: int) -> None:
        """The picture fills its place."""

    def copy_selected(self) -> bool:
        """Nothing is selected."""
        return False

    def printed(self) -> QTextDocument | None:
        """Nothing is printed."""
        return None
