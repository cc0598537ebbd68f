"""`package update-repo --check` on the real bundle: v1 → v2 → broken v3 → still v2, and what must be refused. Keys of its own, loopback only.

The client's part is the very service of the program; the self-test, `--apply-update`, the trial and the way back are the
bundle's own program. The repository is served by the office's backend (its ASGI routes, read through an adapter).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Final

from build_scripts.package import bundle, layout, running, update_repo
from build_scripts.progress import Step, StepFailed
from desktop.core.clock import SystemClock
from desktop.core.errors import Rejected
from desktop.core.net.transport import Download
from desktop.core.services.updating import Doing, Installed, UpdateService, UpdateStatus
from desktop.core.services.updating_journal import Phase, Place, load_journal

SWAP_LIMIT_S: Final = 240.0
POLL_S: Final = 0.2


class FolderSource:
    """A repository folder as the backend serves it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.taken: list[str] = []

    async def open_update(self, path: str, offset: int) -> Download:
        if path == "/updates/plan":
            return Download(0, 2, _parts(b"{}"))
        file = self.folder / path.removeprefix("/updates/")
        if not file.is_file():
            raise Rejected(type="notFound")
        self.taken += [file.name] if "/targets/" in path else []
        return Download(offset, file.stat().st_size, _read(file, offset))


async def _parts(data: bytes) -> AsyncGenerator[bytes, None]:
    yield data


async def _read(file: Path, offset: int) -> AsyncGenerator[bytes, None]:
    with file.open("rb") as source:
        source.seek(offset)
        while piece := source.read(1 << 20):
            yield piece


def check_updates(result: Path, place: Path, made: Path | None = None) -> None:
    """Everything the issue asks for, on copies of a bundle. `made`: an unpacked bundle; else the one built beside `result`.

    Raises:
        StepFailed: something was taken that should have been refused, or the other way round.
    """
    source = made or bundle.bundle_folder(result.parent, version=_project_version())
    repository = update_repo.open_repository(place / "repo", place / "keys")
    anchor = place / "repo" / "metadata" / "root.json"
    folders = {version: _copy(source, place / version, version, anchor) for version in ("1.0.0", "1.1.0", "1.2.0")}
    _spoil(folders["1.2.0"])
    update_repo.add_release(repository, folders["1.0.0"], "1.0.0", update_repo.News())
    old = place / "old"
    shutil.copytree(place / "repo", old)
    news = update_repo.News(zh="修复收文列表", en="Mends the list of documents")
    update_repo.add_release(repository, folders["1.1.0"], "1.1.0", news)
    app = place / "app"
    folders["1.0.0"].rename(app)
    installed = _installed(app, "1.0.0")
    served = FolderSource(place / "repo")
    _refusals(installed, place, old)
    _expect("1.0.0 finds and tries 1.1.0", _update(installed, served), Doing.READY, "")
    _swap(installed, place, "1.1.0")
    update_repo.add_release(repository, folders["1.2.0"], "1.2.0", update_repo.News())
    served.taken.clear()
    _expect("1.1.0 refuses 1.2.0 after its self-test", _update(replace(installed, current="1.1.0"), served), Doing.IDLE, "selfTest")  # fmt: skip
    with Step("by the patch alone") as step:
        step.note(", ".join(served.taken))
        if served.taken != [f"{update_repo.product_name()}-1.2.0.patch"]:
            raise StepFailed("The whole archive was fetched where a patch was to be had.")
    _still(app, "1.1.0")
    _expect("older metadata", _update(replace(installed, current="1.1.0"), FolderSource(old)), Doing.IDLE, "rolledBack")
    running.self_test([app / layout.APP_NAME])


def _refusals(installed: Installed, place: Path, old: Path) -> None:
    """On throw-away installations' metadata: nothing of it may stay behind."""
    tampered = place / "tampered"
    shutil.copytree(place / "repo", tampered)
    _flip(tampered / "targets" / f"{installed.name}-1.1.0.tar.gz")
    _expect("tampered archive", _update(installed, FolderSource(tampered)), Doing.IDLE, "damaged")
    shutil.rmtree(installed.place.home)
    shutil.rmtree(tampered)
    expired = update_repo.open_repository(old, place / "keys")
    expired.expiration_days["timestamp"] = -1
    update_repo.publish(expired)
    _expect("expired metadata", _update(installed, FolderSource(old)), Doing.IDLE, "expired")
    shutil.rmtree(installed.place.home)


def _copy(source: Path, target: Path, version: str, anchor: Path) -> Path:
    with Step(f"a bundle that calls itself {version}"):
        bundle.with_version(source, target, version)
        update_repo.with_anchor(target, anchor)
    return target


def _spoil(folder: Path) -> None:
    """A version whose self-test fails as it would after a bad build: a plug-in is missing."""
    for plugin in (bundle.internal_folder(folder) / "PySide6" / "Qt" / "plugins" / "imageformats").glob("*svg*"):
        plugin.unlink()


def _installed(app: Path, version: str) -> Installed:
    anchor = bundle.internal_folder(app) / update_repo.ROOT_IN_BUNDLE
    return Installed(Place(app), version, update_repo.product_name(), anchor, "device")


def _update(installed: Installed, source: FolderSource) -> UpdateStatus:
    async def run() -> UpdateStatus:
        return await UpdateService(installed, source, SystemClock()).update()

    return asyncio.run(run())


def _expect(what: str, status: UpdateStatus, doing: Doing, problem: str) -> None:
    with Step(what) as step:
        step.note(f"{status.doing} {status.problem}".strip())
        if (status.doing, status.problem) != (doing, problem):
            raise StepFailed(f"{what}: {status.doing} {status.problem}, wanted {doing} {problem}")


def _swap(installed: Installed, place: Path, version: str) -> None:
    """The staged program exchanges the installation, starts it, and it confirms with its first window."""
    with Step(f"{version} takes its place and confirms") as step:
        begun = time.perf_counter()
        home = place / "home"
        home.mkdir()
        next_program = installed.place.next / layout.APP_NAME
        done = subprocess.run(
            [next_program, "--apply-update", installed.place.install, "--restart", "--data-dir", home / "data"],
            env=running.clean_environment(home),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SWAP_LIMIT_S,
            check=False,
        )
        phase = load_journal(installed.place).phase
        _end_programs(installed.place.install)
        step.note(f"{time.perf_counter() - begun:.1f} s")
        if done.returncode or phase is not Phase.CONFIRMED:
            raise StepFailed(f"exit {done.returncode}, {phase}: {done.stderr.decode(errors='replace')[-2000:]}")
    _still(installed.place.install, version)


def _end_programs(folder: Path) -> None:
    """Ends what runs out of a folder of this check: it stands at the question for a passphrase, and nobody types."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "exe").readlink().is_relative_to(folder):
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:
            continue  # ended meanwhile, or another user's


def _still(app: Path, version: str) -> None:
    found = [path.name for path in bundle.internal_folder(app).glob(f"{layout.APP_NAME}-*.dist-info")]
    if found != [f"{layout.APP_NAME}-{version}.dist-info"]:
        raise StepFailed(f"installed is {found}, wanted {version}")


def _flip(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 1]))


def _project_version() -> str:
    from build_scripts.package import project_version

    return project_version()


if __name__ == "__main__":  # on a bundle that is there: python -m build_scripts.package.update_check BUNDLE FOLDER
    check_updates(Path(sys.argv[2]), Path(sys.argv[2]), Path(sys.argv[1]))
