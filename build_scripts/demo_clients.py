"""The demo's clients as processes: opens one and waits for its end, closes those still open. Standard library only."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from build_scripts import locks
from build_scripts.environment import ROOT
from build_scripts.progress import StepFailed

# What desktop/platform/folder_lock.py writes: the process that has the folder, locked at this byte while it lives.
LOCK_NAME = "client.lock"
LOCK_OFFSET = 1 << 20
CLOSE_SECONDS = 15.0
POLL_SECONDS = 0.05


def run_client(argv: Sequence[str | Path], env: Mapping[str, str]) -> int:
    """Runs a client until it ends; its exit code. Ctrl+C reaches the client too, which then is given time to end in order."""
    with subprocess.Popen([str(word) for word in argv], cwd=ROOT, env=dict(env)) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            try:
                process.wait(CLOSE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            raise


def close_all(folder: Path) -> list[str]:
    """Ends every client with a data folder below this one; the names of those that were open.

    Raises:
        StepFailed: one does not end.
    """
    held = [lock for lock in sorted(folder.glob(f"*/{LOCK_NAME}")) if locks.is_held(lock, LOCK_OFFSET)]
    for lock in held:
        try:
            os.kill(int(lock.read_text(encoding="ascii")), signal.SIGTERM)
        except ProcessLookupError:
            continue  # it ended meanwhile
        except (OSError, ValueError) as error:
            raise StepFailed(f"The client of {lock.parent.name} is open and cannot be closed: {error}") from error
    deadline = time.monotonic() + CLOSE_SECONDS
    while still := [lock.parent.name for lock in held if locks.is_held(lock, LOCK_OFFSET)]:
        if time.monotonic() > deadline:
            raise StepFailed(f"The client of {', '.join(still)} does not close. Quit it, then try again.")
        time.sleep(POLL_SECONDS)
    return [lock.parent.name for lock in held]
