"""Voice messages of the demo office: something that rises and falls like speech, with the levels clients draw."""

import io
import math
import random
import wave
from dataclasses import dataclass
from typing import Final

WAV: Final = "audio/wav"
RATE: Final = 8000
LEVELS: Final = 60
_PITCH: Final = 150.0


@dataclass(frozen=True, slots=True)
class Sound:
    """How long a voice is, and its loudness from 0 to 100 along the time."""

    duration_ms: int
    waveform: list[int]


def make_voice(duration_ms: int) -> tuple[bytes, Sound]:
    """A WAV file (8 kHz, 8 bits, one channel), the same for the same length."""
    rng = random.Random(duration_ms)  # noqa: S311 (a demo, no secrets)
    levels = [round(100 * abs(math.sin(n * 0.9)) * rng.uniform(0.35, 1.0)) for n in range(LEVELS)]
    count = RATE * duration_ms // 1000
    samples = bytearray(count)
    for n in range(count):
        loud = levels[n * LEVELS // count] / 100
        tone = math.sin(2 * math.pi * _PITCH * n / RATE) + 0.5 * math.sin(4 * math.pi * _PITCH * n / RATE)
        samples[n] = 128 + round(60 * loud * tone / 1.5)
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(RATE)
        file.writeframes(bytes(samples))
    return held.getvalue(), Sound(duration_ms, levels)
