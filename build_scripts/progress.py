"""Progress of long steps on the terminal: one line each, with the elapsed time.

On a terminal the line is redrawn while the step runs; elsewhere (CI, a file) it is written once, when the step ends,
so that a log stays readable. Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import collections
import ctypes
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

REDRAW_SECONDS = 0.5
STANDARD_OUTPUT, VIRTUAL_TERMINAL = -11, 0x0004  # Windows: GetStdHandle, SetConsoleMode
FAILURE_LINES = 60  # of a failed command's output; the end is where tools say what went wrong


class StepFailed(Exception):
    """A step could not be done; the text says why and what to do. dev.py prints it and ends with an error code."""


class Step:
    """One long step: `with Step("install") as step: step.note("3 of 9")`."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._note = ""
        self._failed = False
        self._started = time.monotonic()
        self._live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and _understands_control_codes()
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name=f"progress {title}", daemon=True)

    def note(self, text: str) -> None:
        """Says how far the step is; shown behind its title."""
        self._note = text

    def fail(self) -> None:
        """Marks the step as failed without an exception: it went on to its end, with a bad result."""
        self._failed = True

    def __enter__(self) -> Step:
        self._started = time.monotonic()
        if self._live:
            self._ticker.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._live:
            self._ticker.join()
        elapsed = time.monotonic() - self._started
        end = "FAILED" if self._failed or error_type else "ok"
        note = f" ({self._note})" if self._note else ""
        print(f"{self._line_start()}  {self._title}{note}: {end}, {elapsed:.1f} s", flush=True)

    def _tick(self) -> None:
        while not self._ended.wait(REDRAW_SECONDS):
            elapsed = time.monotonic() - self._started
            note = f" ({self._note})" if self._note else ""
            print(f"{self._line_start()}  {self._title}{note} … {elapsed:.0f} s", end="", flush=True)

    def _line_start(self) -> str:
        return "\r\x1b[K" if self._live else ""


def _understands_control_codes() -> bool:
    """Switches them on in a Windows console, where they are off at first; False in one too old to know them."""
    if sys.platform == "win32":
        kernel = ctypes.windll.kernel32
        output, mode = kernel.GetStdHandle(STANDARD_OUTPUT), ctypes.c_uint32()
        if not kernel.GetConsoleMode(output, ctypes.byref(mode)):
            return False
        return bool(kernel.SetConsoleMode(output, mode.value | VIRTUAL_TERMINAL))
    return True


def run_step(
    title: str,
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    watch: Callable[[Step, str], None] | None = None,
) -> None:
    """Runs a command as one step. Its output is shown only when it fails.

    Args:
        watch: is given every line of output, and may note progress on the step.

    Raises:
        StepFailed: the command could not be started or ended with an error; carries the end of its output.
    """
    tail: collections.deque[str] = collections.deque(maxlen=FAILURE_LINES)
    with Step(title) as step:
        try:
            process = subprocess.Popen(
                [str(word) for word in argv],
                cwd=cwd,
                env=None if env is None else dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise StepFailed(f"{title}: cannot start {argv[0]}: {error}") from error
        with process:
            assert process.stdout is not None
            for line in process.stdout:
                tail.append(line.rstrip())
                if watch is not None:
                    watch(step, line)
        if process.returncode:
            shown = "\n".join(f"    {line}" for line in tail)
            raise StepFailed(f"{title}: ended with code {process.returncode}\n{shown}")
