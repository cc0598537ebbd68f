"""Putting an unpacked version in an installation's place and taking it back: run while the program itself does not.

The new program runs this from its staging folder (`--apply-update`), after the old one ended: Windows renames no folder out
of which a program runs, so what takes the place is a copy by hard links. Linux and macOS exchange two folders at once;
where that cannot be had, two renames follow each other, and `recover` mends what a power cut between them leaves.
"""

import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from desktop.core.services.updating_journal import Phase, Place, load_journal, save_journal

log = logging.getLogger("tongban.updates")

CONFIRM_LIMIT_S: Final = 90.0
RENAME_LIMIT_S: Final = 20.0
POLL_S: Final = 0.1
MOST_STARTS: Final = 2
_AT_FDCWD: Final = -100 if sys.platform != "darwin" else -2
_EXCHANGE: Final = 2  # RENAME_EXCHANGE of renameat2, RENAME_SWAP of renameatx_np

Start = Callable[[Path], "subprocess.Popen[bytes]"]
"""Starts the program of an installation folder."""
Step = Callable[[str], None]
"""Told before each step; tests end the process there."""


class Outcome(StrEnum):
    """How it went."""

    NOTHING = "nothing"  # no version was ready
    UPDATED = "updated"
    ROLLED_BACK = "rolledBack"


class Found(StrEnum):
    """What a starting program finds: nothing to do, that it is on trial, or that it must give way to the version before."""

    NOTHING = "nothing"
    TRIAL = "trial"
    GIVE_WAY = "giveWay"


def _quietly(_step: str) -> None:
    pass


def apply_update(
    place: Place, start: Start | None, *, limit_s: float = CONFIRM_LIMIT_S, step: Step = _quietly
) -> Outcome:
    """Puts the ready version in place, starts it, waits until it confirms, and otherwise puts the old one back and starts that.

    Args:
        start: None: the user quit. The next start is the trial (see `recover`).

    Raises:
        OSError: the folders could not be exchanged; the old version is where it was.
        StorageUnavailable: the journal could not be written.
    """
    journal = load_journal(place)
    if journal.phase not in (Phase.READY, Phase.SWAPPING) or not place.next.is_dir():
        return Outcome.NOTHING
    step("journal")
    save_journal(place, msgspec.structs.replace(journal, phase=Phase.SWAPPING))
    try:
        put_in_place(place, place.next, step)
    except OSError:
        save_journal(place, msgspec.structs.replace(journal, phase=Phase.READY))
        raise
    step("trial")
    save_journal(place, msgspec.structs.replace(journal, phase=Phase.TRIAL, starts=0))
    step("start")
    if start is None:
        return Outcome.UPDATED
    process = start(place.install)
    if _confirmed(place, process, limit_s):
        return Outcome.UPDATED
    _end(process)
    roll_back(place, "crashed" if process.returncode not in (None, -15, -9) else "start", step)
    start(place.install)
    return Outcome.ROLLED_BACK


def roll_back(place: Place, reason: str, step: Step = _quietly) -> None:
    """The version before takes its place again; the other is not tried again."""
    journal = load_journal(place)
    step("back")
    put_in_place(place, place.previous, step)
    refused = tuple(dict.fromkeys((*journal.refused, journal.version)))
    told = {"phase": Phase.ROLLED_BACK, "refused": refused, "reason": reason, "told": False}
    save_journal(place, msgspec.structs.replace(journal, **told))
    log.warning("version %s failed (%s): back to %s", journal.version, reason, journal.previous)


def put_in_place(place: Place, source: Path, step: Step = _quietly) -> None:
    """`source` (the next or the previous version) becomes the installation; what was there becomes the previous version."""
    step("copy")
    shutil.rmtree(place.incoming, ignore_errors=True)
    shutil.copytree(source, place.incoming, symlinks=True, copy_function=_link_or_copy)
    step("exchange")
    if not _exchange(place.incoming, place.install):
        outgoing = place.home / "outgoing"
        shutil.rmtree(outgoing, ignore_errors=True)
        _rename(place.install, outgoing)
        step("between")
        try:
            _rename(place.incoming, place.install)
        except OSError:
            _rename(outgoing, place.install)
            raise
        _rename(outgoing, place.incoming)
    step("keep")
    _keep_previous(place, rolled_back=source == place.previous)


def recover(place: Place, running: str) -> Found:
    """What a program does at its start, before anything else: finishes what a power cut ended.

    Args:
        running: the version that runs now, from the installation.
    """
    journal = load_journal(place)
    match journal.phase:
        case Phase.SWAPPING if running == journal.version:
            _keep_previous(place, rolled_back=False)
            save_journal(place, msgspec.structs.replace(journal, phase=Phase.TRIAL, starts=1))
            return Found.TRIAL
        case Phase.SWAPPING:
            shutil.rmtree(place.incoming, ignore_errors=True)
            save_journal(place, msgspec.structs.replace(journal, phase=Phase.READY))
        case Phase.TRIAL if running == journal.version:
            save_journal(place, msgspec.structs.replace(journal, starts=journal.starts + 1))
            return Found.GIVE_WAY if journal.starts >= MOST_STARTS and place.previous.is_dir() else Found.TRIAL
        case Phase.TRIAL:  # it was put back, and the power went before that was written
            refused = tuple(dict.fromkeys((*journal.refused, journal.version)))
            told = {"phase": Phase.ROLLED_BACK, "refused": refused, "reason": "start", "told": False}
            save_journal(place, msgspec.structs.replace(journal, **told))
        case Phase.CONFIRMED:
            clear_left_over(place)
            save_journal(place, msgspec.structs.replace(journal, phase=Phase.IDLE))
        case Phase.ROLLED_BACK:
            clear_left_over(place)
        case _:
            pass
    return Found.NOTHING


def repair(place: Place) -> bool:
    """Where a power cut between two renames left no installation at all: the version before comes back. Whether it was needed."""
    outgoing = place.home / "outgoing"
    if place.install.exists() or not outgoing.is_dir():
        return False
    _rename(outgoing, place.install)
    return True


def confirm(place: Place, running: str) -> bool:
    """The new version says that it works: self-test passed, first window shown. Whether it was on trial."""
    journal = load_journal(place)
    if journal.phase is not Phase.TRIAL or journal.version != running:
        return False
    save_journal(place, msgspec.structs.replace(journal, phase=Phase.CONFIRMED, told=False))
    return True


def clear_left_over(place: Place) -> None:
    """Removes the folders of an update that is over; archives stay, for the next patch."""
    for folder in (place.next, place.previous, place.incoming, place.home / "outgoing"):
        shutil.rmtree(folder, ignore_errors=True)


def wait_for_end(stream: int, limit_s: float) -> bool:
    """Waits until the other end of a pipe closes, as it does when the program that holds it ends in whatever way."""
    ended = threading.Event()

    def read() -> None:
        try:
            while os.read(stream, 64):
                pass
        except OSError:
            pass  # a broken pipe is an end too
        ended.set()

    threading.Thread(target=read, name="wait-for-end", daemon=True).start()
    return ended.wait(limit_s)


def _confirmed(place: Place, process: "subprocess.Popen[bytes]", limit_s: float) -> bool:
    rounds = max(1, round(limit_s / POLL_S))
    for _ in range(rounds):
        if load_journal(place).phase is Phase.CONFIRMED:
            return True
        try:
            process.wait(POLL_S)
        except subprocess.TimeoutExpired:
            continue
        return load_journal(place).phase is Phase.CONFIRMED
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.kill()
    process.wait()


def _keep_previous(place: Place, *, rolled_back: bool) -> None:
    if not place.incoming.is_dir():
        return
    if rolled_back:  # what was there did not work
        shutil.rmtree(place.incoming, ignore_errors=True)
        return
    shutil.rmtree(place.previous, ignore_errors=True)
    _rename(place.incoming, place.previous)


def _link_or_copy(source: str, target: str) -> str:
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(source, target, follow_symlinks=False)
    return target


def _exchange(one: Path, other: Path) -> bool:
    """Exchanges two folders at once, where the system can. Raises nothing: false where it cannot."""
    import ctypes

    name = {"linux": "renameat2", "darwin": "renameatx_np"}.get(sys.platform)
    if name is None:
        return False
    try:
        call = getattr(ctypes.CDLL(None, use_errno=True), name)
    except (OSError, AttributeError):
        return False
    done: int = call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), ctypes.c_uint(_EXCHANGE))
    return done == 0


def _rename(source: Path, target: Path) -> None:
    """Renames, and tries again for a while on Windows: a virus scanner or a process that is just ending may hold a file."""
    pause = threading.Event()
    for _ in range(round(RENAME_LIMIT_S / POLL_S) if os.name == "nt" else 0):
        try:
            source.rename(target)
            return
        except PermissionError:
            pause.wait(POLL_S)
    source.rename(target)
