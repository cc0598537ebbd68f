"""Voice messages: samples to a WAV with its loudness, recording in the composer, playing one after the other; the sound card is a fake."""

import io
import itertools
import math
import wave
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from desktop.core.domain import Attachment, Message, MessageKind
from desktop.platform.sounds import sound_file
from desktop.ui.chat.page import MessagesPage
from desktop.ui.i18n import tr
from desktop.ui.voice.devices import NoDevice
from desktop.ui.voice.pcm import RATE, Converter, Samples, Take, loudness
from desktop.ui.voice.recorder import RecorderBar
from tests.helpers.fake_session import GROUP, NOW, FakeSession
from tests.helpers.stage import play, press, settle, until
from tests.widgets.test_chat_acts import click_zone, zones
from tests.widgets.test_chat_view import open_page

ME, WANG = "linyuan", "wangjianguo"


def tone(ms: int, height: float, rate: int = RATE) -> "array[int]":
    """A tone of 440 Hz."""
    return array("h", (round(height * 32767 * math.sin(440 * math.tau * n / rate)) for n in range(rate * ms // 1000)))


@dataclass
class FakeMicrophone:
    """Says what the test gives it."""

    rate: int = RATE
    channels: int = 1
    kind: Samples = Samples.I16
    missing: str = ""
    take: Callable[[bytes], None] | None = None
    failed: Callable[[], None] | None = None

    def start(self, take: Callable[[bytes], None], failed: Callable[[], None]) -> None:
        if self.missing:
            raise NoDevice(self.missing)
        self.take, self.failed = take, failed

    def stop(self) -> None:
        self.take = None

    def hear(self, samples: "array[int]") -> None:
        assert self.take is not None
        self.take(samples.tobytes())


@dataclass
class FakePlayer:
    """Plays when the test says so."""

    played: list[bytes] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    moved: Callable[[int], None] = print
    ended: Callable[[], None] = print
    failed: Callable[[], None] = print
    missing: str = ""

    def play(
        self,
        data: bytes,
        rate: float,
        moved: Callable[[int], None],
        ended: Callable[[], None],
        failed: Callable[[], None],
    ) -> None:
        if self.missing:
            raise NoDevice(self.missing)
        self.played.append(data)
        self.rates.append(rate)
        self.moved, self.ended, self.failed = moved, ended, failed

    def pause(self) -> None:
        self.calls.append("pause")

    def resume(self) -> None:
        self.calls.append("resume")

    def set_rate(self, rate: float) -> None:
        self.rates.append(rate)

    def stop(self) -> None:
        self.calls.append("stop")


@pytest.mark.parametrize("kind", [Samples.I16, Samples.F32, Samples.I32, Samples.U8])
def test_any_microphone_becomes_one_channel_of_sixteen_thousand(kind: Samples) -> None:
    source = tone(500, 0.5, 48_000)
    make: dict[Samples, Callable[[int], bytes]] = {
        Samples.I16: lambda v: array("h", [v, v]).tobytes(),
        Samples.F32: lambda v: array("f", [v / 32767] * 2).tobytes(),
        Samples.I32: lambda v: array("i", [v * 65536] * 2).tobytes(),
        Samples.U8: lambda v: array("B", [v // 256 + 128] * 2).tobytes(),
    }
    data = b"".join(make[kind](value) for value in source)
    converter = Converter(48_000, 2, kind)
    got = array("h")
    for at in range(0, len(data), 1001):  # cut where frames do not end
        got.extend(converter.convert(data[at : at + 1001]))
    assert abs(len(got) - RATE // 2) <= 1
    crossings = sum(a < 0 <= b for a, b in itertools.pairwise(got))
    assert abs(crossings - 220) <= 2, "the tone is still 440 Hz"
    assert abs(loudness(got) - loudness(source)) <= 2


def test_a_take_has_a_waveform_and_ends_at_its_limit() -> None:
    take = Take(limit_ms=12_000)
    for _ in range(3):
        take.add(tone(2000, 0.8))
        take.add(array("h", bytes(2 * RATE * 2)))
    take.add(tone(2000, 0.8))
    assert take.duration_ms == 12_000
    assert take.is_full
    bars = take.waveform()
    assert len(bars) == 100
    assert min(bars[:16]) > 80, "the tone"
    assert max(bars[18:32]) == 0, "the silence"
    with wave.open(io.BytesIO(take.wav()), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (RATE, 1, RATE * 12)
    with wave.open(str(sound_file("message")), "rb") as file:  # a real file
        real = Converter(file.getframerate(), file.getnchannels(), Samples.I16).convert(
            file.readframes(file.getnframes())
        )
    short = Take(limit_ms=60_000)
    short.add(real)
    assert 0 < len(short.waveform()) <= 100
    assert max(short.waveform()) > 20


def recorder(page: MessagesPage, microphone: FakeMicrophone) -> RecorderBar:
    """The pane's recorder with another microphone."""
    page.pane.voice_recording._make = lambda parent: RecorderBar(parent, lambda _widget: microphone)
    return page.pane.voice_recording.bar


def test_recording_is_sent_cancelled_and_refused_with_a_sentence() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, GROUP)
        composer, microphone = page.pane.composer, FakeMicrophone()
        bar = recorder(page, microphone)
        composer.voice_button.click()
        assert bar.isVisible()
        assert not composer.edit.isVisible()
        microphone.hear(tone(1600, 0.5))
        assert "0:01" in bar.time.text()
        assert bar.meter.levels
        press(bar, Qt.Key.Key_Return)
        await until(lambda: session.called("chat.send_voice"))
        await settle()
        sent = page.pane.window_model.at(len(page.pane.window_model) - 1)
        assert sent.kind is MessageKind.VOICE
        assert sent.attachment is not None
        assert sent.attachment.duration_ms == 1600
        assert sent.attachment.type == "audio/wav"
        assert composer.edit.isVisible()
        count = len(page.pane.window_model)
        composer.voice_button.click()
        microphone.hear(tone(3000, 0.5))
        press(bar, Qt.Key.Key_Escape)
        assert microphone.take is None
        button = composer.voice_button  # held down and slid away
        QTest.mousePress(button, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
        assert bar.recording
        microphone.hear(tone(3000, 0.5))
        QTest.mouseRelease(button, Qt.MouseButton.LeftButton, pos=QPoint(5, -200), delay=400)
        assert bar.take is None
        composer.voice_button.click()
        microphone.hear(tone(200, 0.5))
        bar.send()
        assert page.pane.snack.text.text() == tr("voice.too_short")
        microphone.missing = "voice.no_microphone"
        composer.voice_button.click()
        assert page.pane.snack.text.text() == tr("voice.no_microphone")
        assert composer.edit.isVisible()
        await settle()
        assert len(page.pane.window_model) == count

    play(scene())


def test_playing_goes_on_to_the_next_unheard_message() -> None:
    async def scene() -> None:
        session = FakeSession()
        blob = session.files.keep(b"RIFF voice")
        voice = Attachment(blob, "voice.wav", "audio/wav", 10, duration_ms=4000, waveform=(10, 90, 40))
        page = await open_page(session, GROUP)
        some = [session.receive(GROUP, who, "", kind=MessageKind.VOICE, attachment=voice) for who in (WANG, ME, WANG)]
        first, own, last = (message.id for message in some)
        window = page.pane.window_model
        await until(lambda: window.row_of(last) >= 0)
        voices, player = page.pane.voices, FakePlayer()
        voices._make = lambda _parent: player
        held: dict[str, Message] = {key: window.at(window.row_of(key)) for key in (first, own, last)}
        assert [voices.is_unheard(m) for m in held.values()] == [True, False, True]
        assert zones(page, first)["voice"] == tr("voice.play", time="0:04")
        click_zone(page, first, "voice")
        await until(lambda: voices.playing)
        player.moved(1000)
        assert voices.progress(held[first]) == 0.25
        assert not voices.is_unheard(held[first])
        click_zone(page, first, "voice_speed")
        click_zone(page, first, "voice_speed")
        assert player.rates == [1.0, 1.5, 2.0]
        click_zone(page, first, "voice")
        click_zone(page, first, "voice")
        assert [one for one in player.calls if one != "stop"] == ["pause", "resume"]
        player.ended()
        await until(lambda: len(player.played) == 2)
        assert voices.current == last, "one's own is passed over"
        player.ended()
        assert voices.current == ""
        player.missing = "voice.no_output"
        voices.toggle(msgspec.structs.replace(held[own], sent_at=NOW))
        await until(lambda: page.pane.snack.text.text() == tr("voice.no_output"))
        assert voices.current == ""

    play(scene())
