"""`package windows --check`: the installer at work under Wine, from a silent installation to nothing left.

Each scene says what it wants; the first thing that is not so ends the check. Pictures lie beside the bundle, to be looked at.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from build_scripts.package import layout
from build_scripts.package.windows import kit, setup_file, signing
from build_scripts.package.windows.screen import Screen, wait_until
from build_scripts.package.windows.wine import Wine, windows_path
from build_scripts.progress import Step, StepFailed

PROGRAM = f"{layout.APP_NAME}.exe"
UNINSTALL_KEY = r"Software\Microsoft\Windows\CurrentVersion\Uninstall\Tongban"
RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
APP_PATH = rf"Software\Microsoft\Windows\CurrentVersion\App Paths\{PROGRAM}"
POLICY_KEY = r"Software\Policies\Tongban"
START_MENU = Path("AppData", "Roaming", "Microsoft", "Windows", "Start Menu", "Programs")
COMMON_MENU = Path("ProgramData", "Microsoft", "Windows", "Start Menu", "Programs")
DATA = Path("AppData", "Local", layout.APP_NAME)
OURS = re.compile(r"tongban|通办", re.IGNORECASE)
TITLE = re.compile(r"通办|Tongban")
# What Windows (here: Wine) itself keeps about files that were once opened or run is not ours to remove.
NOT_OURS = re.compile(r"\\MuiCache|\\UserAssist|\\RecentDocs|Software\\+Policies", re.IGNORECASE)
# A check of the self-test that cannot pass under Wine, and what it then says: there is no class for toasts (REGDB_E_CLASSNOTREG).
NOT_IN_WINE = {"libraries": "-2147221164"}
NOBODY = 4  # desktop/app/lifecycle.py
INSTALL_S, START_S, SELF_TEST_S = 300, 90, 180


class Check:
    """One installer, tried out in a prefix of its own."""

    def __init__(self, setup: Path, wine: Wine, screen: Screen, pictures: Path) -> None:
        self.setup, self.wine, self.screen, self.pictures = setup, wine, screen, pictures
        self.bundle = setup.parent / ".work" / "windows" / "dist" / layout.APP_NAME
        self.version = setup.name.split("-")[1]
        self.home = wine.home
        self.place = self.home / "AppData" / "Local" / "Programs" / "Tongban"

    # ------------------------------------------------------------ words of the scenes
    def want(self, what: str, is_so: object) -> None:
        """Raises StepFailed unless it is so."""
        if not is_so:
            raise StepFailed(f"Windows check: {what}")

    def install(self, setup: Path, *words: str) -> None:
        """Runs an installer silently."""
        code, text = self.wine.run([setup, "/S", *words], limit_s=INSTALL_S)
        self.want(f"{setup.name} {' '.join(words)} ended with code {code} {text[-500:]}", code == 0)

    def value(self, key: str, name: str = "", *, root: str = "HKCU") -> str | int | None:
        """A value of the registry."""
        return self.wine.registry_value(f"{root}\\{key}", name)

    def traces(self) -> set[str]:
        """Everything of ours in the prefix: files, and keys and values of the registry as they are written to the disk."""
        self.wine.stop()
        found = {
            str(path.relative_to(self.wine.drive)) for path in self.wine.drive.rglob("*") if OURS.search(path.name)
        }
        for name in ("user.reg", "system.reg"):
            found |= registry_traces((self.wine.prefix / name).read_text(encoding="utf-8", errors="replace"))
        return found

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Starts the installed program and waits for its window."""
        process = self.wine.start([self.place / PROGRAM, *words])
        self.wait_window(process)
        return process

    def wait_window(self, process: subprocess.Popen[str] | None = None) -> None:
        """Until a window of ours can be seen."""

        def seen() -> bool:
            if process is not None and process.poll() is not None:
                raise StepFailed(f"Windows check: the program ended by itself with code {process.returncode}")
            return any(TITLE.search(title) for title in self.screen.titles())

        wait_until("no window of the program", seen, limit_s=START_S)

    def quit(self, process: subprocess.Popen[str] | None = None) -> None:
        """Asks the program that runs to end, as the installer does."""
        code, _text = self.wine.run([self.place / PROGRAM, "--quit"], limit_s=START_S)
        self.want(f"--quit ended with code {code}", code == 0)
        if process is not None:
            process.communicate(timeout=START_S)


def registry_traces(text: str) -> set[str]:
    """Lines of ours in a registry file of Wine: keys, and values with the key they stand in."""
    found: set[str] = set()
    key = ""
    for line in unescaped(text).splitlines():
        if line.startswith("["):
            key = line[1:].partition("]")[0]
            if OURS.search(key) and not NOT_OURS.search(key):
                found.add(key)
        elif OURS.search(line) and not OURS.search(key) and not NOT_OURS.search(key):
            found.add(f"{key}: {line}")
    return found


def unescaped(text: str) -> str:
    r"""Wine writes signs outside ASCII as \x901a; those of our names count too."""
    return re.sub(r"\\x([0-9a-f]{4})", lambda found: chr(int(found.group(1), 16)), text)


# ---------------------------------------------------------------- scenes, in order
def signatures(check: Check, folder: Path, authority: Path) -> None:
    """A signed copy verifies; with one byte changed it does not."""
    copy = folder / check.setup.name
    shutil.copy(check.setup, copy)
    signing.sign(copy)
    signing.verify(copy, authority)
    data = bytearray(copy.read_bytes())
    data[70_000] ^= 0xFF
    copy.write_bytes(data)
    try:
        signing.verify(copy, authority)
    except StepFailed:
        return
    raise StepFailed("Windows check: one byte was changed, and the signature still holds")


def install_for_user(check: Check) -> None:
    """Files, links, registry of an installation for one user."""
    check.install(check.setup, "/CurrentUser", "/LANG=2052")
    check.want("not every file was installed", _names(check.bundle) <= _names(check.place))
    check.want("no uninstaller", (check.place / "uninstall.exe").exists())
    for link in (check.home / START_MENU / "通办.lnk", check.home / "Desktop" / "通办.lnk"):
        check.want(f"no {link.name} in {link.parent.name}", link.exists())
    program = rf"C:\users\{check.home.name}\AppData\Local\Programs\Tongban\tongban.exe"
    check.want("Run key", check.value(RUN_KEY, layout.APP_NAME) == f'"{program}" --hidden')
    check.want("links", check.value(r"Software\Classes\tongban\shell\open\command") == f'"{program}" -- "%1"')
    check.want("no URL Protocol", check.value(r"Software\Classes\tongban", "URL Protocol") == "")
    check.want("App Paths", check.value(APP_PATH) == program)
    check.want("name", check.value(UNINSTALL_KEY, "DisplayName") == "通办")
    check.want("version", check.value(UNINSTALL_KEY, "DisplayVersion") == check.version)
    check.want("publisher", check.value(UNINSTALL_KEY, "Publisher") == layout.PUBLISHER)
    size = int(check.value(UNINSTALL_KEY, "EstimatedSize") or 0)
    real = sum(path.stat().st_size for path in check.place.rglob("*") if path.is_file()) // 1024
    check.want(f"size told {size} KiB, is {real} KiB", abs(size - real) < real // 20)
    check.want("something of it is for all users", not check.wine.has_key(rf"HKLM\{UNINSTALL_KEY}"))


def self_test(check: Check) -> None:
    """Every part of the bundle, by the program itself."""
    report = check.pictures / "self-test.json"
    report.unlink(missing_ok=True)
    words: list[str | Path] = [check.place / PROGRAM, "--self-test", "--report", windows_path(report)]
    code, text = check.wine.run(words, limit_s=SELF_TEST_S)
    check.want(f"--self-test ended with code {code} and told nothing: {text[-1000:]}", report.exists())
    checks = json.loads(report.read_text(encoding="utf-8"))["checks"]
    failed = [one for one in checks if not one["ok"] and NOT_IN_WINE.get(one["name"], "\0") not in one["found"]]
    check.want(f"self-test: {failed}", checks and not failed and code in (0, 1))


def one_program(check: Check) -> None:
    """A second start hands its link over to the first and ends."""
    process = check.start()
    code, _text = check.wine.run([check.place / PROGRAM, "--", "tongban://page/settings"], limit_s=START_S)
    check.want(f"the second start ended with code {code}", code == 0)
    check.want("the first one ended", process.poll() is None)
    check.quit(process)
    nobody, _text = check.wine.run([check.place / PROGRAM, "--quit"], limit_s=START_S)
    check.want(f"--quit without a program ended with code {nobody}", nobody == NOBODY)


def policy_is_read(check: Check, python: Path) -> None:
    """What the administrator set reaches the program, the machine's word before the user's."""
    for root, name, kind, data in (
        ("HKLM", "Server", "REG_SZ", "https://oa.example.cn"),
        ("HKCU", "Server", "REG_SZ", "https://elsewhere.example.cn"),
        ("HKCU", "RetentionDays", "REG_DWORD", "90"),
        ("HKCU", "UpdateChannel", "REG_SZ", "stable"),
    ):
        words = ["reg", "add", rf"{root}\{POLICY_KEY}", "/v", name, "/t", kind, "/d", data, "/f"]
        check.want(f"policy {name} not written", check.wine.run(words)[0] == 0)
    script = "import sys; sys.path.insert(0, sys.argv[1]); from desktop.platform.policy import load_policy; print(load_policy())"
    code, text = check.wine.run([python, "-c", script, windows_path(layout.ROOT)], PYTHONDONTWRITEBYTECODE="1")
    wanted = ("server='https://oa.example.cn'", "update_channel='stable'", "autostart=None", "retention_days=90")
    check.want(f"policy read as {text}", code == 0 and all(word in text for word in wanted))
    process = check.start()
    check.screen.picture(check.pictures / "policy.png")
    check.quit(process)


def upgrade_while_it_runs(check: Check, newer: Path, version: str) -> None:
    """The program is asked to close, is replaced and started again; what the user or the administrator chose stays."""
    process = check.start()
    check.screen.picture(check.pictures / "window.png")
    stale = check.place / "_internal" / "stale.txt"
    stale.write_text("of the old version")
    (check.home / "Desktop" / "通办.lnk").unlink()
    check.wine.run(["reg", "delete", rf"HKCU\{RUN_KEY}", "/v", layout.APP_NAME, "/f"])
    check.install(newer, "/LANG=2052")
    check.want("the old program did not end in order", process.wait(START_S) == 0)
    check.wait_window()  # started again; it goes on running until the uninstaller asks it to end
    check.want("version", check.value(UNINSTALL_KEY, "DisplayVersion") == version)
    check.want("a file of the old version is left", not stale.exists())
    check.want("the old version stands beside", not list(check.place.glob("*.old")))
    check.want("the new files", (check.place / "_internal" / f"tongban-{version}.dist-info").is_dir())
    check.want("the desktop icon came back", not (check.home / "Desktop" / "通办.lnk").exists())
    check.want("the autostart came back", check.value(RUN_KEY, layout.APP_NAME) is None)
    check.want("the policy was written to", check.value(POLICY_KEY, "Server", root="HKLM") == "https://oa.example.cn")


def uninstall(check: Check, *words: str) -> None:
    """Silently; the uninstaller copies itself away and goes on from there."""
    code, _text = check.wine.run([check.place / "uninstall.exe", "/S", *words], limit_s=INSTALL_S)
    check.want(f"the uninstaller ended with code {code}", code == 0)
    wait_until("the program's folder is still there", lambda: not check.place.exists(), limit_s=60)
    check.wine.wait_idle(60)


def install_for_all(check: Check) -> None:
    """For the machine, in a folder with Chinese signs; a policy that forbids the autostart."""
    words = ["reg", "add", rf"HKLM\{POLICY_KEY}", "/v", "Autostart", "/t", "REG_DWORD", "/d", "0", "/f"]
    check.wine.run(words)
    check.place = check.wine.drive / "办公软件" / "通办"
    check.install(check.setup, "/AllUsers", "/NODESKTOP", "/LANG=1033", r"/D=C:\办公软件\通办")
    check.want("not every file was installed", _names(check.bundle) <= _names(check.place))
    check.want("no Tongban.lnk for all", (check.wine.drive / COMMON_MENU / "Tongban.lnk").exists())
    check.want("a desktop icon in spite of /NODESKTOP", not list(check.wine.drive.glob("users/*/Desktop/*.lnk")))
    check.want("uninstall entry", check.value(UNINSTALL_KEY, "DisplayName", root="HKLM") == "Tongban")
    check.want("an entry of the user too", not check.wine.has_key(rf"HKCU\{UNINSTALL_KEY}"))
    check.want("autostart in spite of the policy", check.value(RUN_KEY, layout.APP_NAME, root="HKLM") is None)
    # Wine 8 looks for links of the machine only, so that this is where opening one can be seen.
    code, text = check.wine.run(["start", "tongban://page/settings"], limit_s=START_S)
    check.want(f"start tongban:// ended with code {code} {text}", code == 0)
    check.wait_window()
    check.quit()


def _names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


# ---------------------------------------------------------------- the whole
def check(result: Path) -> None:
    """All scenes. Raises StepFailed at the first that is not as it should be."""
    if sys.platform == "win32":
        raise StepFailed("This check installs and removes things: it runs under Wine on Linux, in a prefix of its own.")
    tools = kit.ensure_kit()
    with tempfile.TemporaryDirectory(prefix="tongban-windows-") as work, Screen() as screen:
        folder = Path(work)
        with Step("Wine: a prefix for the check"):
            shutil.copytree(tools.prefix, folder / "prefix", symlinks=True)
        wine = Wine(folder / "prefix", display=screen.display)
        pictures = result.parent / ".work" / "windows-check"
        pictures.mkdir(parents=True, exist_ok=True)
        try:
            _play(Check(result, wine, screen, pictures), folder, tools.program)
        finally:
            screen.picture(pictures / "last.png")
            wine.stop()


def _play(check_: Check, folder: Path, python: Path) -> None:
    authority, newer, version = _make_newer(check_, folder)
    scenes: list[tuple[str, Callable[[], None]]] = [
        ("signed, verified, refused with one byte changed", lambda: signatures(check_, folder, authority)),
        ("installed for the user", lambda: install_for_user(check_)),
        ("self-test", lambda: self_test(check_)),
        ("one program, and --quit", lambda: one_program(check_)),
        ("policy", lambda: policy_is_read(check_, python)),
        ("upgraded while it runs", lambda: upgrade_while_it_runs(check_, newer, version)),
        ("signatures of what is installed", lambda: _installed_signatures(check_, authority)),
        ("uninstalled, data kept", lambda: _uninstalled(check_, keeps=True)),
        ("installed for all users", lambda: install_for_all(check_)),
        ("uninstalled with the data", lambda: _uninstalled(check_, keeps=False)),
    ]
    for title, scene in scenes:
        with Step(f"Wine: {title}"):
            scene()


def _make_newer(check_: Check, folder: Path) -> tuple[Path, Path, str]:
    """An installer of the next version, signed by a certificate made for this: (certificate, installer, version)."""
    certificate, key = signing.make_test_certificate(folder)
    os.environ[signing.CERT], os.environ[signing.KEY] = str(certificate), str(key)
    numbers = re.findall(r"\d+", check_.version)
    version = f"{numbers[0]}.{numbers[1]}.{int(numbers[2]) + 1}"
    newer = folder / "newer" / layout.APP_NAME
    shutil.copytree(check_.bundle, newer)
    shutil.rmtree(newer / "_internal" / f"tongban-{check_.version}.dist-info")
    for name, text in layout.distribution_info(version).items():
        (newer / "_internal" / name).parent.mkdir(exist_ok=True)
        (newer / "_internal" / name).write_text(text, encoding="utf-8")
    return certificate, setup_file.make_setup(newer, folder, version=version, fast=True), version


def _installed_signatures(check_: Check, authority: Path) -> None:
    for name in (PROGRAM, "uninstall.exe"):
        signing.verify(check_.place / name, authority)


def _uninstalled(check_: Check, *, keeps: bool) -> None:
    (check_.home / DATA).mkdir(parents=True, exist_ok=True)
    (check_.home / DATA / "kept.txt").write_text(json.dumps({"of": "the user"}))
    uninstall(check_, *([] if keeps else ["/PURGE"]))
    check_.want("the user's data", (check_.home / DATA / "kept.txt").exists() == keeps)
    left = {trace for trace in check_.traces() if not trace.startswith(str(Path("users", check_.home.name, DATA)))}
    left -= {str(path.relative_to(check_.wine.drive)) for path in (check_.wine.drive / "办公软件",)}
    check_.want(f"left behind: {sorted(left)}", not left)
