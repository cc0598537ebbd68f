"""The border to the sound card: a microphone to listen to, a player for what was said. Qt's multimedia is loaded when first used."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject

from desktop.ui.voice.pcm import RATE, Samples

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QAudioFormat, QAudioOutput, QAudioSource, QMediaPlayer


class NoDevice(Exception):
    """There is no such device, or it cannot be used; the reason is a key of the texts."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Microphone(Protocol):
    """Gives bytes from `start` to `stop`."""

    rate: int
    channels: int
    kind: Samples

    def start(self, take: Callable[[bytes], None], failed: Callable[[], None]) -> None:
        """Begins to listen. Raises NoDevice."""
        ...

    def stop(self) -> None:
        """Listens no more; may be called again."""
        ...


class Player(Protocol):
    """Plays one sound at a time."""

    def play(
        self,
        data: bytes,
        rate: float,
        moved: Callable[[int], None],
        ended: Callable[[], None],
        failed: Callable[[], None],
    ) -> None:
        """Begins; `moved` is told the place in ms. Raises NoDevice."""
        ...

    def pause(self) -> None:
        """Stands still."""
        ...

    def resume(self) -> None:
        """Goes on."""
        ...

    def set_rate(self, rate: float) -> None:
        """Faster or slower, at the same pitch where the system can."""
        ...

    def stop(self) -> None:
        """Plays no more; neither `ended` nor `failed` follows."""
        ...


class QtMicrophone(QObject):
    """The system's chosen microphone."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rate, self.channels, self.kind = RATE, 1, Samples.I16
        self._source: QAudioSource | None = None
        self._device: QIODevice | None = None

    def start(self, take: Callable[[bytes], None], failed: Callable[[], None]) -> None:
        from PySide6.QtMultimedia import QAudioFormat, QAudioSource, QMediaDevices, QtAudio

        device = QMediaDevices.defaultAudioInput()
        if device.isNull():
            raise NoDevice("voice.no_microphone")
        form = QAudioFormat()
        form.setSampleRate(RATE)
        form.setChannelCount(1)
        form.setSampleFormat(QAudioFormat.SampleFormat.Int16)
        if not device.isFormatSupported(form):
            form = device.preferredFormat()
        self._take_format(form)
        self._source = QAudioSource(device, form, self)
        self._device = self._source.start()
        if self._device is None or self._source.error() is not QtAudio.Error.NoError:
            self.stop()
            raise NoDevice("voice.mic_failed")
        self._device.readyRead.connect(lambda: self._read(take))
        self._source.stateChanged.connect(lambda state: self._on_state(state, failed))

    def _take_format(self, form: "QAudioFormat") -> None:
        from PySide6.QtMultimedia import QAudioFormat

        kinds = {
            QAudioFormat.SampleFormat.UInt8: Samples.U8,
            QAudioFormat.SampleFormat.Int16: Samples.I16,
            QAudioFormat.SampleFormat.Int32: Samples.I32,
            QAudioFormat.SampleFormat.Float: Samples.F32,
        }
        if form.sampleFormat() not in kinds:
            raise NoDevice("voice.mic_failed")
        self.rate, self.channels, self.kind = form.sampleRate(), form.channelCount(), kinds[form.sampleFormat()]

    def _read(self, take: Callable[[bytes], None]) -> None:
        if self._device is not None:
            data = self._device.readAll()
            take(bytes(data.data()))

    def _on_state(self, state: object, failed: Callable[[], None]) -> None:
        from PySide6.QtMultimedia import QtAudio

        ended = state is QtAudio.State.StoppedState
        if ended and self._source is not None and self._source.error() is not QtAudio.Error.NoError:
            self.stop()
            failed()

    def stop(self) -> None:
        source, self._source, self._device = self._source, None, None
        if source is not None:
            source.stop()
            source.deleteLater()


class QtPlayer(QObject):
    """The system's chosen speakers, through Qt's media player: whatever format it knows."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._player: QMediaPlayer | None = None
        self._output: QAudioOutput | None = None
        self._buffer: QBuffer | None = None

    def play(
        self,
        data: bytes,
        rate: float,
        moved: Callable[[int], None],
        ended: Callable[[], None],
        failed: Callable[[], None],
    ) -> None:
        from PySide6.QtMultimedia import QAudioOutput, QMediaDevices, QMediaPlayer

        self.stop()
        device = QMediaDevices.defaultAudioOutput()
        if device.isNull():
            raise NoDevice("voice.no_output")
        player = QMediaPlayer(self)
        self._output = QAudioOutput(device, player)
        player.setAudioOutput(self._output)
        self._buffer = QBuffer(player)
        self._buffer.setData(QByteArray(data))
        self._buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        self._player = player

        def on_status(status: QMediaPlayer.MediaStatus) -> None:
            if player is not self._player:
                return
            if status is QMediaPlayer.MediaStatus.EndOfMedia:
                self.stop()
                ended()
            elif status is QMediaPlayer.MediaStatus.InvalidMedia:
                self.stop()
                failed()

        player.positionChanged.connect(lambda place: moved(place) if player is self._player else None)
        player.mediaStatusChanged.connect(on_status)
        player.setSourceDevice(self._buffer)
        player.setPlaybackRate(rate)
        player.play()

    def pause(self) -> None:
        if self._player is not None:
            self._player.pause()

    def resume(self) -> None:
        if self._player is not None:
            self._player.play()

    def set_rate(self, rate: float) -> None:
        if self._player is not None:
            self._player.setPlaybackRate(rate)

    def stop(self) -> None:
        player, self._player = self._player, None
        if player is not None:
            player.stop()
            player.deleteLater()
