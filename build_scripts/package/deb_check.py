"""Tries a .deb on a bare Debian: a fresh debootstrap, install by apt, self-test, a window, an upgrade, removal without a trace.

Needs root and Debian's mirror (the one that this machine's apt uses). The bare system is kept beside the packages and
copied for each try. It runs in a mount namespace of its own, so that nothing of it is left mounted.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from build_scripts.package import bundle, layout, running
from build_scripts.progress import Step, StepFailed, run_step

SUITES: Final = {
    False: "bookworm",
    True: "bullseye",
}  # older: glibc 2.31, the nearest to UOS 20 and Kylin V10 that is to be had
SOURCES: Final = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d"))
# mount(8) inside a namespace of its own, that lives as long as this shell: all commands share it, as all of a real system do.
MOUNT: Final = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && mount -t tmpfs tmpfs "$0/dev/shm" && echo ready && read -r end'
DATA: Final = "root/.local/share/tongban"


class BareSystem:
    """A copy of a freshly installed Debian, for the length of a block: `with BareSystem(root) as system`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._holder: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        argv = ["unshare", "--mount", "--", "sh", "-c", MOUNT, str(self.root)]
        self._holder = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != b"ready\n":
            self.__exit__()
            raise StepFailed(f"Nothing could be mounted in {self.root}: this needs root and the right to unshare.")
        return self

    def __exit__(self, *_: object) -> None:
        if self._holder is not None:
            self._holder.communicate(b"end\n")
            self._holder = None

    def argv(self, *command: str) -> list[str]:
        """The words that run a command in it."""
        assert self._holder is not None
        return ["nsenter", "--mount", "--target", str(self._holder.pid), "--", "chroot", str(self.root), *command]

    def run(self, title: str, *command: str) -> None:
        """Runs a command in it as a step. Raises StepFailed."""
        run_step(title, self.argv("/usr/bin/env", "-i", *ENVIRONMENT, *command), cwd=self.root)

    def output(self, *command: str) -> str:
        """What a command in it prints. Raises StepFailed."""
        argv = self.argv("/usr/bin/env", "-i", *ENVIRONMENT, *command)
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StepFailed(f"{' '.join(command)}: {done.stderr[-2000:]}")
        return done.stdout


ENVIRONMENT: Final = (
    "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LANG=C.UTF-8",
    "DEBIAN_FRONTEND=noninteractive",
    "XDG_RUNTIME_DIR=/run",
)


def check(result: Path, *, older: bool = False) -> None:
    """See the module. Raises StepFailed."""
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        raise StepFailed("Trying a .deb on a bare Debian needs root and debootstrap (apt-get install debootstrap).")
    base = base_system(result.with_name(bundle.WORK), SUITES[older])
    root = base.with_name(f"{base.name}-try")
    shutil.rmtree(root, ignore_errors=True)
    try:
        run_step("copy the bare Debian", ["cp", "-a", base, root], cwd=base.parent)
        # Every system that was ever booted has one; libdbus ends a process that asks for it in vain.
        (root / "etc" / "machine-id").write_text(uuid.uuid4().hex + "\n", encoding="ascii")
        with BareSystem(root) as system:
            _try(system, result)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _try(system: BareSystem, result: Path) -> None:
    from build_scripts.package.deb import contents

    paths = contents(result)
    system.run("apt-get update", "apt-get", "update", "-q")
    _install(system, result)
    _expect(system, paths)
    system.run("no file differs from its sum", "dpkg", "--verify", layout.APP_ID)
    running.self_test(
        system.argv("/usr/bin/env", "-i", *ENVIRONMENT, f"/usr/bin/{layout.APP_NAME}"),
        report=result.with_name(bundle.WORK) / f"{result.stem}.self-test.json",
        env=dict(os.environ),
    )
    newer = _newer(result)
    with _window(system, result.with_name(bundle.WORK) / f"{result.stem}.png") as process:
        _install(system, newer)
        code = process.wait(running.END_LIMIT_S)
        if code:
            raise StepFailed(f"The client that ran during the upgrade ended with code {code}.")
    newer.unlink()
    _expect_version(system)
    running.self_test(
        system.argv("/usr/bin/env", "-i", *ENVIRONMENT, f"/usr/bin/{layout.APP_NAME}"), env=dict(os.environ)
    )
    system.run("purge", "apt-get", "purge", "-y", "-q", layout.APP_ID)
    _expect_nothing(system, paths)


def _install(system: BareSystem, package: Path) -> None:
    inside = system.root / "tmp" / package.name
    shutil.copyfile(package, inside)
    argv = ("apt-get", "install", "-y", "-q", "--no-install-recommends", f"/tmp/{package.name}")
    system.run(f"install {package.name} with what it depends on", *argv)
    inside.unlink()


def _newer(result: Path) -> Path:
    """The same package, one version later."""
    from build_scripts.package import deb

    work = result.with_name(bundle.WORK) / "newer"
    shutil.rmtree(work, ignore_errors=True)
    (work / bundle.WORK).mkdir(parents=True)
    run_step("unpack for a later version", ["dpkg-deb", "-x", result, work / "old"], cwd=result.parent)
    major, minor, patch = _numbers(result.name)
    version = f"{major}.{minor}.{patch + 1}"
    files = work / "old" / "opt" / "apps" / layout.APP_ID / "files"
    made = deb.build(bundle.with_version(files, work / "new", version), work, version=version, packed=False)
    kept = result.with_name(bundle.WORK) / made.name
    shutil.move(made, kept)
    shutil.rmtree(work)
    return kept


def _numbers(name: str) -> tuple[int, int, int]:
    found = re.search(r"_(\d+)\.(\d+)\.(\d+)", name)
    if found is None:
        raise StepFailed(f"{name} has no version.")
    major, minor, patch = (int(part) for part in found.groups())
    return major, minor, patch


class _window:  # noqa: N801 - used as a verb
    """The installed program in the bare system with its window on a virtual screen here; ends with the block."""

    def __init__(self, system: BareSystem, picture: Path) -> None:
        from build_scripts.desktop_session import DesktopSession

        self._system, self._picture = system, picture
        self._session = DesktopSession(tray="none", notifications="none", keyring=False)

    def __enter__(self) -> subprocess.Popen[bytes]:
        session = self._session.__enter__()
        try:
            with Step("a window from the bare Debian") as step:
                wanted = (
                    f"DISPLAY={session.env['DISPLAY']}",
                    "TONGBAN_KEYCHAIN_PASSPHRASE=for a check",
                    "QT_QPA_PLATFORM=xcb",
                )
                argv = self._system.argv(
                    "/usr/bin/env", "-i", *ENVIRONMENT, *wanted, f"/usr/bin/{layout.APP_NAME}", "--lang", "zh"
                )
                process = session.popen("installed", argv)
                begun = time.monotonic()
                try:
                    seconds = running.wait_for_window(session.env, process, begun)
                    session.wait_until(
                        lambda: running.colors(session.screenshot(self._picture)) >= running.LEAST_COLORS,
                        "a painted window",
                    )
                except StepFailed as failure:
                    raise StepFailed(f"{failure}\n{session.log('installed')}") from failure
                step.note(f"after {seconds:.2f} s, {self._picture.name}")
        except BaseException:
            self._session.__exit__(None, None, None)
            raise
        return process

    def __exit__(self, *_: object) -> None:
        self._session.__exit__(None, None, None)


def _expect(system: BareSystem, paths: Sequence[str]) -> None:
    missing = [path for path in paths if not os.path.lexists(system.root / path.strip("/"))]
    if missing:
        raise StepFailed(f"Not there after the installation: {', '.join(missing[:5])}")
    handler = system.output("sh", "-c", f"cat /usr/share/applications/{layout.APP_NAME}.desktop")
    if f"x-scheme-handler/{layout.LINK_SCHEME}" not in handler:
        raise StepFailed("The menu entry does not take tongban:// links.")


def _expect_version(system: BareSystem) -> None:
    told = system.output("dpkg-query", "-W", "-f", "${Version}", layout.APP_ID)
    inside = [
        path.name
        for path in (system.root / "opt/apps" / layout.APP_ID / "files" / layout.INTERNAL).glob(
            f"{layout.APP_NAME}-*.dist-info"
        )
    ]
    if inside != [f"{layout.APP_NAME}-{told}.dist-info"]:
        raise StepFailed(f"After the upgrade to {told} the program calls itself {inside}.")


def _expect_nothing(system: BareSystem, paths: Sequence[str]) -> None:
    with Step("nothing is left, but the user's data is") as step:
        left = [path for path in paths if not path.endswith("/") and os.path.lexists(system.root / path.strip("/"))]
        left += [str(path) for path in (system.root / "opt").rglob(f"*{layout.APP_ID}*")]
        if left:
            raise StepFailed(f"Left behind: {', '.join(left[:5])}")
        if not (system.root / DATA).is_dir():
            raise StepFailed("The user's data went with the program.")
        step.note(f"{len(paths)} paths gone, {DATA} kept")


def base_system(work: Path, suite: str) -> Path:
    """A freshly made system, kept for the next time."""
    base = work / f"debian-{suite}"
    if (base / ".complete").exists():
        return base
    shutil.rmtree(base, ignore_errors=True)
    base.parent.mkdir(parents=True, exist_ok=True)
    run_step(f"debootstrap {suite}", ["debootstrap", "--variant=minbase", suite, base, mirror()], cwd=work)
    (base / ".complete").touch()
    return base


def mirror() -> str:
    """Where this machine's apt gets Debian from."""
    for place in SOURCES:
        files = sorted(place.iterdir()) if place.is_dir() else [place] if place.is_file() else []
        for file in files:
            found = re.search(
                r"^(?:URIs:\s*|deb\s+(?:\[.*?\]\s*)?)(\S+/debian)/?(?:\s|$)",
                file.read_text(encoding="utf-8"),
                re.MULTILINE,
            )
            if found:
                return found.group(1)
    raise StepFailed("No Debian mirror in this machine's apt sources.")
