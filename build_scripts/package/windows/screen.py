"""A virtual screen for programs under Wine: started on a free number, its windows listed, pictures taken of it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from build_scripts.progress import StepFailed

SIZE = "1280x900x24"
POLL_S = 0.2


class Screen:
    """`with Screen() as screen: … screen.display`. Xvfb chooses the number itself."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self.display = ""

    def __enter__(self) -> Screen:
        words = ["Xvfb", "-displayfd", "1", "-screen", "0", SIZE, "-nolisten", "tcp"]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
        assert self._process.stdout is not None
        number = self._process.stdout.readline().strip()
        if not number:
            raise StepFailed("Xvfb did not start.")
        self.display = f":{number}"
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            if self._process.stdout is not None:
                self._process.stdout.close()

    def titles(self) -> list[str]:
        """Titles of the windows that can be seen."""
        found = self._say("xdotool", "search", "--onlyvisible", "--name", ".").split()
        return [title for window in found if (title := self._say("xdotool", "getwindowname", window).strip())]

    def picture(self, target: Path) -> Path:
        """The whole screen as PNG."""
        self._say("import", "-window", "root", str(target))
        return target

    def _say(self, *words: str) -> str:
        env = {**os.environ, "DISPLAY": self.display}
        return subprocess.run(words, env=env, capture_output=True, check=False, encoding="utf-8").stdout


def wait_until(what: str, is_so: Callable[[], object], *, limit_s: float) -> None:
    """Looks again and again until `is_so()` holds. Raises StepFailed after the limit."""
    end = time.monotonic() + limit_s
    while not is_so():
        if time.monotonic() > end:
            raise StepFailed(f"Waited {limit_s:.0f} s in vain: {what}")
        time.sleep(POLL_S)
