"""Whether the last run ended as it should: a note while the program runs, Python's fault handler, the last error that nobody expected.

A run that ended otherwise is told of once, at the next start. What is kept names places in the program, never what people wrote.
"""

import faulthandler
import hashlib
import json
import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TextIO

from desktop.core.clock import Clock, SystemClock
from desktop.core.services.log_excerpt import excerpt, where

log = logging.getLogger("tongban.crash")

RUNNING: Final = "running.json"
FAULTS: Final = "fault.log"
SILENCED: Final = "silenced.json"
MOST_FRAMES: Final = 12
MOST_SILENCED: Final = 50
_MOST_BYTES: Final = 64 * 1024
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Crash:
    """How the last run ended. kind: native (the program's own code or a library broke), error (an error nobody expected), power (the
    machine went off under it), killed (ended from outside, or no memory left). `places`: innermost first. Times in ms since 1970."""

    kind: str
    version: str
    began: int
    noticed: int
    what: str
    places: tuple[str, ...]

    @property
    def mark(self) -> str:
        """The same for the same way to end at the same place."""
        return hashlib.sha256("\n".join([self.kind, self.what, *self.places[:3]]).encode()).hexdigest()[:16]


class CrashLog:
    """Of one data folder, which this process alone uses (single_instance)."""

    def __init__(self, data_dir: Path, version: str = "", clock: Clock | None = None) -> None:
        self._dir, self._version, self._clock = data_dir / "logs", version, clock or SystemClock()
        self._faults: TextIO | None = None
        self._note: dict[str, Any] = {}
        self.last: Crash | None = None

    def start(self) -> Crash | None:
        """Takes up what the last run left, and begins to keep watch. The crash to tell of; None: it ended well, or nobody wants to know."""
        try:
            self._dir.mkdir(parents=True, exist_ok=True)
            self.last = self._look_back()
            self._note = {"version": self._version, "began": self._clock.now_ms(), "boot": _boot()}
            self._write(RUNNING, self._note)
            self._faults = (self._dir / FAULTS).open("w", encoding="utf-8")
            faulthandler.enable(self._faults, all_threads=True)
        except OSError as error:
            log.warning("no crash log: %s", type(error).__name__)
        if self.last is not None and self.last.mark in self._silenced():
            return None
        return self.last

    def note_error(self, kind: type[BaseException], trace: TracebackType | None) -> None:
        """An error nobody expected; the program goes on. Told of if it does not end well."""
        places: list[str] = []
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"{where(code.co_filename)}:{trace.tb_lineno} {code.co_name}")
            trace = trace.tb_next
        self._note |= {"error": kind.__name__, "places": places[::-1][:MOST_FRAMES], "at": self._clock.now_ms()}
        try:
            self._write(RUNNING, self._note)
        except OSError:
            log.warning("an error was not noted")

    def note_leaving(self) -> None:
        """The system ends the user's session, and may not wait for our end: being killed now is no crash."""
        self._note["leaving"] = True
        with suppress(OSError):
            self._write(RUNNING, self._note)

    def end(self) -> None:
        """The program ends as it should."""
        self.stop()
        for name in (RUNNING, FAULTS):
            with suppress(OSError):
                (self._dir / name).unlink(missing_ok=True)

    def stop(self) -> None:
        """Keeps watch no more, and leaves the note that the program runs."""
        if self._faults is not None:
            faulthandler.disable()
            self._faults.close()
            self._faults = None

    def silence(self, crash: Crash) -> None:
        """Never again a word about this one."""
        try:
            self._write(SILENCED, [*self._silenced(), crash.mark][-MOST_SILENCED:])
        except OSError:
            log.warning("not kept that a crash is known")

    # ------------------------------------------------------------ parts
    def _look_back(self) -> Crash | None:
        """What the note of the last run says; it is taken away at once, so that nobody is told twice."""
        path = self._dir / RUNNING
        try:
            note = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            note = {}
        path.unlink(missing_ok=True)
        if not isinstance(note, dict):
            note = {}
        lines = self._fault_lines()
        began = note.get("began")
        began = began if isinstance(began, int) else 0
        common = (str(note.get("version", ""))[:40], began, self._clock.now_ms())
        if note.get("leaving") and not lines:
            return None
        if lines:
            return Crash("native", *common, lines[0], _of_the_thread(lines))
        if note.get("boot") and _boot() and note["boot"] != _boot():
            return Crash("power", *common, "", ())
        if note.get("error"):
            places = note.get("places")
            kept = tuple(str(place)[:200] for place in places[:MOST_FRAMES]) if isinstance(places, list) else ()
            return Crash("error", *common, str(note["error"])[:80], kept)
        return Crash("killed", *common, "", ())

    def _fault_lines(self) -> list[str]:
        try:
            text = (self._dir / FAULTS).read_bytes()[:_MOST_BYTES].decode("utf-8", "replace")
        except OSError:
            return []
        return list(excerpt(text.splitlines()))

    def _silenced(self) -> list[str]:
        try:
            found = json.loads((self._dir / SILENCED).read_text("utf-8"))
        except (OSError, ValueError):
            return []
        return [str(mark) for mark in found] if isinstance(found, list) else []

    def _write(self, name: str, value: object) -> None:
        path = self._dir / name
        fresh = path.with_suffix(".part")
        fresh.write_text(json.dumps(value), encoding="utf-8")
        os.replace(fresh, path)


def _of_the_thread(lines: list[str]) -> tuple[str, ...]:
    """The frames of the thread that broke, innermost first."""
    begun = next((n for n, line in enumerate(lines) if line.startswith("Current thread")), 0)
    places: list[str] = []
    for line in lines[begun + 1 :]:
        if not line.startswith("  "):
            break
        places.append(line.strip())
    return tuple(places[:MOST_FRAMES])


def _boot() -> str:
    """Which start of the machine this is; empty where the system does not tell."""
    try:
        return _BOOT.read_text("ascii").strip()
    except (OSError, UnicodeError):
        return ""
