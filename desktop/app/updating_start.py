"""Where this program is installed, and the modes in which it exchanges itself: the short life of `--apply-update`, the trial at a start.

No window and no event loop: the staged program runs `--apply-update` while the installed one ends, and starts it again.
"""

import logging
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from desktop.app.options import Options
from desktop.core.errors import AppError
from desktop.core.services import updating_swap
from desktop.core.services.updating import Installed, device_number, program_of
from desktop.core.services.updating_journal import Phase, Place, load_journal

log = logging.getLogger("tongban.updates")

END_LIMIT_S: Final = 60.0
DONE: Final = 0
FAILED: Final = 1
DETACHED: Final = 0x00000208 if sys.platform == "win32" else 0
"""DETACHED_PROCESS and CREATE_NEW_PROCESS_GROUP: it outlives the program that starts it."""
ANCHOR: Final = Path("resources") / "updates" / "root.json"


def install_folder() -> Path | None:
    """The folder of this bundle; None where the program runs from its sources or a package of the language."""
    if not getattr(sys, "frozen", False):
        return None
    program = Path(sys.executable).resolve()
    return program.parents[2] if sys.platform == "darwin" else program.parent


def find_installed(version: str, device: str, channel: str | None, folder: Path | None = None) -> Installed | None:
    """This installation as the update service wants it; None: not a bundle."""
    folder = folder or install_folder()
    if folder is None:
        return None
    inside = folder / "Contents" / "Frameworks" if sys.platform == "darwin" else folder / "_internal"
    name = f"tongban-{sys.platform}-{platform.machine().lower()}"
    return Installed(Place(folder), version, name, inside / ANCHOR, device_number(device), channel)


def begin(options: Options, version: str, folder: Path | None = None) -> bool:
    """At the very start of a bundle: finishes what a power cut ended. False: this version gives way to the one before, and must end now."""
    folder = folder or install_folder()
    if folder is None:
        return True
    place = Place(folder)
    if not place.home.is_dir():
        return True
    try:
        found = updating_swap.recover(place, version)
    except (OSError, AppError):
        log.warning("the journal of updates could not be written", exc_info=True)
        return True
    if found is not updating_swap.Found.GIVE_WAY:
        return True
    log.error("version %s did not come up %s times: back to the one before", version, updating_swap.MOST_STARTS)
    spawn(place, place.previous, ["--roll-back", "--restart", *passed_on(options)])
    return False


def hand_over(place: Place, options: Options, *, restart: bool, hidden: bool = False) -> bool:
    """Starts the staged program in `--apply-update`: it waits until this process has ended. False: nothing is ready."""
    if load_journal(place).phase is not Phase.READY or not program_of(place.next).is_file():
        return False
    more = [*(["--restart"] if restart else []), *(["--hidden"] if hidden else []), *passed_on(options)]
    return spawn(place, place.next, more)


def spawn(place: Place, source: Path, more: Sequence[str]) -> bool:
    """The program of `source` in `--apply-update`, on its own; its standard input is a pipe that closes when this process ends."""
    command = [str(program_of(source)), "--apply-update", str(place.install), *more]
    try:
        process = subprocess.Popen(
            command,
            cwd=place.home,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=own_environment(),
            creationflags=DETACHED,
            start_new_session=True,
        )
    except OSError:
        log.exception("the new version could not be started")
        return False
    _kept.append(process)
    return True


_kept: list[object] = []  # the pipe must stay open until this process ends


def own_environment() -> dict[str, str]:
    """Without what PyInstaller set for this program: another bundle has its own libraries."""
    usual = {key: value for key, value in os.environ.items() if not key.startswith(("_PYI", "_MEIPASS"))}
    for key in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
        before = usual.pop(f"{key}_ORIG", None)
        if before is not None:
            usual[key] = before
        elif getattr(sys, "frozen", False):
            usual.pop(key, None)
    return usual


def passed_on(options: Options) -> list[str]:
    """What the program gets again when it is started anew."""
    passed = ["--data-dir", str(options.data_dir)]
    passed += ["--server", options.server] if options.server else []
    return passed + (["--ca", str(options.certificate)] if options.certificate else [])


def run_apply(options: Options, *, stdin: int = 0) -> int:
    """`--apply-update FOLDER`: exit code DONE or FAILED; whatever happens, a whole version is in place and runs if one should."""
    assert options.apply_update is not None
    place = Place(options.apply_update)
    if not updating_swap.wait_for_end(stdin, END_LIMIT_S):
        log.error("the program that is to be replaced does not end: nothing was changed")
        return FAILED
    again = ["--hidden"] if options.hidden else []

    def start(folder: Path) -> "subprocess.Popen[bytes]":
        return start_program(program_of(folder), [*passed_on(options), *again])

    try:
        updating_swap.repair(place)
        if options.roll_back:
            updating_swap.roll_back(place, "start")
            if options.restart:
                start(place.install)
            return DONE
        outcome = updating_swap.apply_update(place, start if options.restart else None)
        log.info("update: %s", outcome)
        return DONE
    except (OSError, AppError):
        log.exception("the update could not be put in place")
        updating_swap.repair(place)
        if options.restart and program_of(place.install).is_file():
            start(place.install)
        return FAILED


def start_program(program: Path, arguments: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Starts a program that outlives this one."""
    nothing = subprocess.DEVNULL
    started: subprocess.Popen[bytes] = subprocess.Popen(
        [str(program), *arguments],
        cwd=program.parent,
        stdin=nothing,
        stdout=nothing,
        stderr=nothing,
        env=own_environment(),
        creationflags=DETACHED,
        start_new_session=True,
    )
    return started
