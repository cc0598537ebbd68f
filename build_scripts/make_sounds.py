"""Makes resources/sounds/*.wav: a few soft tones computed here, so that no sound is anybody's but ours.

`python -m build_scripts.make_sounds` writes them anew; the same bytes each time.
"""

import math
import struct
import wave
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RATE = 22_050
LOUDNESS = 0.35
ATTACK_S, DECAY_S = 0.004, 0.11
# name: (frequency in Hz, start in s) of each stroke
SOUNDS = {
    "message": ((880.0, 0.0), (1318.5, 0.09)),
    "alert": ((659.3, 0.0), (987.8, 0.12)),
    "urgent": ((987.8, 0.0), (987.8, 0.16), (1318.5, 0.32)),
}


def samples(strokes: tuple[tuple[float, float], ...]) -> list[int]:
    """16-bit samples: struck tones with one overtone that die away."""
    length = max(start for _, start in strokes) + 4 * DECAY_S
    values = [0.0] * round(length * RATE)
    for frequency, start in strokes:
        first = round(start * RATE)
        for number in range(first, len(values)):
            at = (number - first) / RATE
            strength = min(1.0, at / ATTACK_S) * math.exp(-at / DECAY_S)
            turn = 2 * math.pi * frequency * at
            values[number] += strength * (math.sin(turn) + 0.25 * math.sin(2 * turn)) / 1.25
    return [round(32_767 * LOUDNESS * max(-1.0, min(1.0, value))) for value in values]


def main() -> None:
    """Writes all sounds."""
    folder = ROOT / "resources" / "sounds"
    folder.mkdir(parents=True, exist_ok=True)
    for name, strokes in SOUNDS.items():
        found = samples(strokes)
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(struct.pack(f"<{len(found)}h", *found))


if __name__ == "__main__":
    main()
