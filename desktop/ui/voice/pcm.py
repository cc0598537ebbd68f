"""Sound as numbers: any microphone's samples become one channel of 16 bit at 16,000 a second; loudness; WAV. Pure."""

import io
import math
import sys
import wave
from array import array
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

RATE: Final = 16_000
WIDTH: Final = 2  # bytes of a sample
BARS: Final = 100
QUIET_DB: Final = 55.0  # below full loudness: what counts as silence
STEP_MS: Final = 50  # one measured loudness
CODES: Final = {"u8": "B", "i16": "h", "i32": "i", "f32": "f"}


class Samples(StrEnum):
    """How a microphone writes its numbers, in the machine's byte order."""

    U8 = "u8"
    I16 = "i16"
    I32 = "i32"
    F32 = "f32"


def loudness(samples: "array[int]") -> int:
    """0 (silence) to 100 of some 16-bit samples: their mean power in decibels, every fourth one looked at."""
    some = samples[::4]
    if not some:
        return 0
    power = math.sqrt(sum(value * value for value in some) / len(some)) / 32768
    return 0 if power <= 0 else round(max(0.0, min(1.0, 1 + 20 * math.log10(power) / QUIET_DB)) * 100)


class Converter:
    """Takes a microphone's bytes as they come, cut anywhere, and gives 16-bit samples of one channel at RATE."""

    def __init__(self, rate: int = RATE, channels: int = 1, kind: Samples = Samples.I16) -> None:
        self._rate, self._channels, self._kind = rate, max(1, channels), kind
        self._rest = b""
        self._sum, self._count, self._phase = 0.0, 0, 0

    def convert(self, data: bytes) -> "array[int]":
        """The samples that are whole; the rest waits for the next bytes."""
        data = self._rest + data
        code = CODES[self._kind]
        frame = array(code).itemsize * self._channels
        whole = len(data) // frame * frame
        self._rest = data[whole:]
        if self._kind is Samples.I16 and self._channels == 1 and self._rate == RATE:
            return array("h", data[:whole])
        raw: array[float] = array(code, data[:whole])
        return self._thin(raw)

    def _thin(self, raw: "array[float]") -> "array[int]":
        """Means of the frames that fall into one sample: a low pass good enough for speech."""
        scale, middle = {Samples.U8: (256.0, 128.0), Samples.I16: (1.0, 0.0)}.get(
            self._kind, (1 / 65536 if self._kind is Samples.I32 else 32767.0, 0.0)
        )
        made: array[int] = array("h")
        channels = self._channels
        for at in range(0, len(raw), channels):
            self._sum += (sum(raw[at : at + channels]) / channels - middle) * scale
            self._count += 1
            self._phase += RATE
            if self._phase >= self._rate:
                value = round(max(-32768.0, min(32767.0, self._sum / self._count)))
                self._sum, self._count = 0.0, 0
                while self._phase >= self._rate:  # a slower microphone's frames count several times
                    self._phase -= self._rate
                    made.append(value)
        return made


@dataclass(slots=True)
class Take:
    """One recording of at most `limit_ms`; what comes later is not kept."""

    limit_ms: int
    samples: "array[int]" = field(default_factory=lambda: array("h"))
    levels: list[int] = field(default_factory=list)
    _pending: "array[int]" = field(default_factory=lambda: array("h"))

    def add(self, samples: "array[int]") -> None:
        """More of what was said."""
        room = self.limit_ms * RATE // 1000 - len(self.samples)
        samples = samples[: max(0, room)]
        self.samples.extend(samples)
        self._pending.extend(samples)
        step = STEP_MS * RATE // 1000
        while len(self._pending) >= step:
            self.levels.append(loudness(self._pending[:step]))
            del self._pending[:step]

    @property
    def duration_ms(self) -> int:
        """How long it is."""
        return len(self.samples) * 1000 // RATE

    @property
    def is_full(self) -> bool:
        """Whether no more is kept."""
        return self.duration_ms >= self.limit_ms

    @property
    def level(self) -> int:
        """How loud it is just now, 0..100."""
        return self.levels[-1] if self.levels else 0

    def waveform(self, bars: int = BARS) -> list[int]:
        """At most `bars` loudnesses along the time: the loudest of each stretch."""
        count = len(self.levels)
        if count <= bars:
            return list(self.levels)
        return [max(self.levels[n * count // bars : (n + 1) * count // bars]) for n in range(bars)]

    def wav(self) -> bytes:
        """The recording as a file: 32 kB a second, read by every player."""
        samples = self.samples
        if sys.byteorder == "big":
            samples = array("h", samples)
            samples.byteswap()
        held = io.BytesIO()
        with wave.open(held, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(WIDTH)
            file.setframerate(RATE)
            file.writeframes(samples.tobytes())
        return held.getvalue()
