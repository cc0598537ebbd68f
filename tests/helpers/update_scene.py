"""Updates without a network or a bundle: a repository that is really signed, tiny programs of shell, a source that can be cut."""

import os
import random
import shutil
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

from build_scripts.package import update_repo
from desktop.core.clock import SystemClock
from desktop.core.errors import Offline, Rejected
from desktop.core.net.transport import Download
from desktop.core.net.updates import UpdateSource
from desktop.core.services.updating import Installed, UpdateService
from desktop.core.services.updating_journal import Place

PROGRAM = """#!/bin/sh
here=$(dirname "$0")
if [ "$1" = --self-test ]; then exit "$(cat "$here/self_test")"; fi
home="$(dirname "$here")/.$(basename "$here")-updates"
if [ "$(cat "$here/starts")" = yes ]; then
  sed 's/"trial"/"confirmed"/' "$home/journal.json" > "$home/confirmed.json" && mv "$home/confirmed.json" "$home/journal.json"
  exit 0
fi
exit 3
"""
NAME = update_repo.product_name()


def make_bundle(folder: Path, version: str, *, self_test: int = 0, starts: bool = True) -> Path:
    """A bundle that says its version; most of its bytes are the same in every version."""
    folder.mkdir(parents=True)
    texts = {"tongban": PROGRAM, "VERSION": version, "self_test": str(self_test), "starts": "yes" if starts else "no"}
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "tongban").chmod(0o755)
    (folder / "lib").write_bytes(random.Random(7).randbytes(60_000))
    os.symlink("lib", folder / "lib.so")
    return folder


class FolderSource:
    """Serves a repository folder. `cut`: bytes after which the line breaks; `asked`: paths and offsets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cut: int | None = None
        self.asked: list[tuple[str, int]] = []
        self.plan = b"{}"

    async def open_update(self, path: str, offset: int) -> Download:
        self.asked.append((path, offset))
        if path == "/updates/plan":
            return Download(0, len(self.plan), self._parts(self.plan, None))
        file = self.folder / path.removeprefix("/updates/")
        if not file.is_file():
            raise Rejected(type="notFound")
        data = file.read_bytes()
        return Download(offset, len(data), self._parts(data[offset:], self.cut if "/targets/" in path else None))

    async def _parts(self, data: bytes, cut: int | None) -> AsyncGenerator[bytes, None]:
        for start in range(0, len(data), 4096):
            if cut is not None and start >= cut:
                raise Offline(reason="cut")
            yield data[start : start + 4096]

    @property
    def targets(self) -> list[str]:
        """Names of archives and patches asked for."""
        return [path.rpartition("/")[2] for path, _ in self.asked if "/targets/" in path]


def install(folder: Path, bundle: Path, repository: Path, current: str) -> Installed:
    """An installation of a bundle that trusts a repository."""
    shutil.copytree(bundle, folder / "app", symlinks=True)
    anchor = folder / "root.json"
    shutil.copyfile(repository / "metadata" / "1.root.json", anchor)
    return Installed(Place(folder / "app"), current, NAME, anchor, "device-1")


def service(
    installed: Installed, source: UpdateSource, current: str | None = None, *, down_limit: int = 0
) -> UpdateService:
    """The service of an installation, as a program of that version has it."""
    return UpdateService(
        replace(installed, current=current or installed.current), source, SystemClock(), down_limit=lambda: down_limit
    )


def version_of(installed: Installed) -> str:
    """What is installed now."""
    return (installed.place.install / "VERSION").read_text()
