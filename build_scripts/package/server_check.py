"""Tries the server's .deb on a bare Debian 12: install, unattended init, the unit's command, a real sign-in, an upgrade with data, removal, purge.

Needs root and debootstrap, as deb_check does, and takes its bare system. systemd does not run in there: the unit is judged by
`systemd-analyze security --offline` here, and its ExecStart is run as its user.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

from build_scripts.package import bundle, deb_check
from build_scripts.package.deb_check import ENVIRONMENT, BareSystem
from build_scripts.progress import Step, StepFailed, run_step

NAME: Final = "tongban-server"
UNIT: Final = Path(__file__).with_name("server_data") / f"{NAME}.service"
WORST_EXPOSURE: Final = 2.0  # of 10; systemd calls what is below 2.0 … OK
PORT: Final = 18460
LIMIT_S: Final = 60.0
PASSWORD: Final = "correct-horse-7"
ANSWERS: Final = f"""office = "水务局"
addresses = ["localhost"]
port = {PORT}
admin = "zhang"
admin_name = "张敏"
"""


def check(result: Path) -> None:
    """See the module. Raises StepFailed."""
    exposure()
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        raise StepFailed("Trying a .deb on a bare Debian needs root and debootstrap (apt-get install debootstrap).")
    base = deb_check.base_system(result.with_name(bundle.WORK), "bookworm")
    root = base.with_name(f"{base.name}-server")
    shutil.rmtree(root, ignore_errors=True)
    try:
        run_step("copy the bare Debian", ["cp", "-a", base, root], cwd=base.parent)
        with BareSystem(root) as system:
            _try(system, result)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def exposure() -> float:
    """What `systemd-analyze security` says of the unit, of 10. Raises StepFailed when it is more than WORST_EXPOSURE."""
    with Step("the unit's hardening") as step, tempfile.TemporaryDirectory() as place:
        shutil.copyfile(UNIT, Path(place) / UNIT.name)
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=yes", "--no-pager", Path(place) / UNIT.name],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        found = re.search(r"Overall exposure level.*?:\s*([\d.]+)", done.stdout)
        if found is None:
            raise StepFailed(f"systemd-analyze: {done.stderr[-2000:] or done.stdout[-2000:]}")
        value = float(found.group(1))
        step.note(f"exposure {value} of 10")
        if value > WORST_EXPOSURE:
            raise StepFailed(f"The unit's exposure is {value}; {WORST_EXPOSURE} may be.\n{done.stdout}")
    return value


def _try(system: BareSystem, result: Path) -> None:
    system.run("apt-get update", "apt-get", "update", "-q")
    _install(system, result)
    system.run("no file differs from its sum", "dpkg", "--verify", NAME)
    answers = system.root / "tmp" / "answers.toml"
    answers.write_text(ANSWERS, encoding="utf-8")
    words = (
        f"TONGBAN_ADMIN_PASSWORD={PASSWORD}",
        NAME,
        "init",
        "--answers",
        "/tmp/answers.toml",
        "--password-env",
        "TONGBAN_ADMIN_PASSWORD",
    )
    system.run("init, unattended", "env", *words)
    _owned(system)
    with _Serving(system):
        _sign_in(system)
        newer = _newer(result)
        _install(system, newer, "the next version over the one that runs")
        newer.unlink()
    copies = list((system.root / "var/lib/tongban/backups").glob("before-schema-*.db"))
    if len(copies) != 1:
        raise StepFailed(f"The upgrade made {len(copies)} copies of the database.")
    with _Serving(system):
        _sign_in(system)
    system.run("the data are sound", NAME, "check")
    system.run("remove", "apt-get", "remove", "-y", "-q", NAME)
    _expect(
        system,
        there=("var/lib/tongban/tongban.db", "etc/tongban/server.toml"),
        gone=("opt/tongban-server", "usr/bin/tongban-server"),
    )
    system.run("purge", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "purge", "-y", "-q", NAME)
    _expect(system, there=("var/lib/tongban/tongban.db",), gone=("etc/tongban", "etc/default/tongban-server"))
    _install(system, result, "install again over the data that stayed")
    system.run("purge with the data", "env", "TONGBAN_PURGE_DATA=yes", "apt-get", "purge", "-y", "-q", NAME)
    _expect(system, there=(), gone=("var/lib/tongban", "etc/tongban"))


def _install(system: BareSystem, package: Path, title: str = "") -> None:
    inside = system.root / "tmp" / package.name
    shutil.copyfile(package, inside)
    argv = ("apt-get", "install", "-y", "-q", "--no-install-recommends", f"/tmp/{package.name}")
    system.run(title or f"install {package.name} with what it depends on", *argv)
    inside.unlink()


def _owned(system: BareSystem) -> None:
    found = system.output(
        "stat", "-c", "%U %a", "/var/lib/tongban", "/var/lib/tongban/tongban.db", "/etc/tongban/server.toml"
    )
    if not re.fullmatch(r"tongban 700\ntongban 600\ntongban 6[04]0\n|tongban 700\ntongban 600\ntongban 644\n", found):
        raise StepFailed(f"Owners and modes are not as they should be: {found!r}")


class _Serving:
    """The unit's ExecStart as its user, for the length of a block; a server that the upgrade stopped is a good end as well."""

    def __init__(self, system: BareSystem) -> None:
        self._system = system

    def __enter__(self) -> None:
        unit = UNIT.read_text(encoding="utf-8")
        command = re.search(r"^ExecStart=(.+)$", unit, re.MULTILINE)
        assert command is not None
        words = (
            "runuser",
            "-u",
            "tongban",
            "--",
            "env",
            "TONGBAN_CONFIG=/etc/tongban/server.toml",
            *command.group(1).split(),
        )
        port_file = self._system.root / "var/lib/tongban/port"
        argv = self._system.argv("/usr/bin/env", "-i", *ENVIRONMENT, *words, "--port-file", "/var/lib/tongban/port")
        with Step("the unit's command serves") as step:
            begun = time.monotonic()
            self._process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
            while not port_file.exists():
                if self._process.poll() is not None or time.monotonic() - begun > LIMIT_S:
                    self._process.kill()
                    raise StepFailed(f"The server did not start: {self._process.communicate()[1][-2000:]}")
                time.sleep(0.05)
            step.note(f"after {time.monotonic() - begun:.1f} s")

    def __exit__(self, kind: object, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        errors = self._process.communicate(timeout=LIMIT_S)[1]
        if self._process.returncode not in (0, -15, 143) and kind is None:
            raise StepFailed(f"The server ended with code {self._process.returncode}: {errors[-2000:]}")


def _sign_in(system: BareSystem) -> None:
    """A device of the administrator signs in and asks for the people."""
    with Step("a device signs in") as step:
        from tests.helpers.remote_device import sign_in

        people = sign_in(f"https://localhost:{PORT}", system.root / "var/lib/tongban/tls/ca.pem", "zhang", PASSWORD)
        step.note(f"{people} person")
        if people != 1:
            raise StepFailed(f"{people} people instead of one.")


def _newer(result: Path) -> Path:
    """The same package, one version later."""
    work = result.with_name(bundle.WORK) / "server-newer"
    shutil.rmtree(work, ignore_errors=True)
    run_step("unpack for a later version", ["dpkg-deb", "-R", result, work], cwd=result.parent)
    control = work / "DEBIAN" / "control"
    text = control.read_text(encoding="utf-8")
    control.write_text(re.sub(r"^Version: (.+)$", r"Version: \1+next", text, flags=re.MULTILINE), encoding="utf-8")
    target = result.with_name(bundle.WORK) / f"{NAME}-next.deb"
    run_step("pack it", ["dpkg-deb", "--root-owner-group", "-Znone", "--build", work, target], cwd=result.parent)
    shutil.rmtree(work)
    return target


def _expect(system: BareSystem, *, there: tuple[str, ...], gone: tuple[str, ...]) -> None:
    missing = [path for path in there if not os.path.lexists(system.root / path)]
    left = [path for path in gone if os.path.lexists(system.root / path)]
    if missing or left:
        raise StepFailed(f"Missing: {', '.join(missing) or 'nothing'}; left behind: {', '.join(left) or 'nothing'}.")
