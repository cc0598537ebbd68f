"""A Wine prefix that a program of ours runs in: made once, kept outside the tree, thrown away by removing its folder.

Wine 8 (Debian 12) lacks what Windows 10 brings; three small stand-ins lie in the prefix's system32, where nothing collects
them into a bundle: bcryptprimitives (randomness), icuuc (text codecs that Qt can do without), mscms (no color profiles).
What cannot be seen under Wine is listed in docs/packaging-windows.md.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from build_scripts.package.windows.wine_python import KIT, compile_c, imported_names
from build_scripts.progress import Step, StepFailed

LOADERS = ("wine64", "/usr/lib/wine/wine64")
SERVERS = ("wineserver64", "/usr/lib/wine/wineserver64", "wineserver")
# netprofm: Qt's network information calls a part of it that Wine leaves out. winemenubuilder: no entries in this machine's menus.
OVERRIDES = "mscms=n;netprofm=d;mscoree=;mshtml=;winemenubuilder.exe=d"
READY = "tongban-prefix"
BOOT_LIMIT_S = 300
READ_ON_S = 2.0
_ICU_COUNTS = ("ucnv_countAvailable", "ucnv_countAliases", "ucnv_countStandards")


def find_program(names: Sequence[str]) -> str | None:
    """The first of these programs that is there."""
    return next((found for name in names if (found := shutil.which(name))), None)


class Wine:
    """Runs programs in one prefix. Paths given to Windows programs go through `windows_path`."""

    def __init__(self, prefix: Path, *, display: str | None = None) -> None:
        self.prefix = prefix
        loader = find_program(LOADERS)
        server = find_program(SERVERS)
        if loader is None or server is None:
            raise StepFailed("Wine is missing: apt-get install wine64")
        self._loader, self._server = loader, server
        self._display = display

    @property
    def drive(self) -> Path:
        """What the programs know as C:."""
        return self.prefix / "drive_c"

    @property
    def home(self) -> Path:
        """The user's folder in there."""
        return next(folder for folder in (self.drive / "users").iterdir() if folder.name != "Public")

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Of every program started here; without certificates' and proxies' files of this system, whose paths mean nothing there."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SSL_CERT", "QT_", "PYTHON", "LC_", "LANG"))
        }
        kept["LANG"] = "C.UTF-8"  # else signs outside ASCII do not get through a command line
        kept |= {"WINEPREFIX": str(self.prefix), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": OVERRIDES, "PYTHONUTF8": "1"}
        if self._display is None:
            kept.pop("DISPLAY", None)
        else:
            kept["DISPLAY"] = self._display
        return kept | dict(extra or {})

    def argv(self, words: Sequence[str | Path]) -> list[str]:
        """The command that runs a Windows program."""
        return [self._loader, *map(str, words)]

    def start(self, words: Sequence[str | Path], **extra: str) -> subprocess.Popen[str]:
        """Starts a program; its output is piped, for a Python there does not start with a file instead."""
        return subprocess.Popen(
            self.argv(words),
            env=self.environment(extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )

    def run(self, words: Sequence[str | Path], *, limit_s: float = 120, **extra: str) -> tuple[int, str]:
        """Runs a program to its end: (exit code, output).

        Raises:
            StepFailed: it did not end within `limit_s`; it is ended then.
        """
        process = self.start(words, **extra)
        lines: list[str] = []
        # Read beside the waiting: what a program leaves running (an installer starts ours) keeps the pipe open.
        reader = threading.Thread(target=_read_all, args=(process, lines), name="wine output", daemon=True)
        reader.start()
        try:
            code = process.wait(limit_s)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise StepFailed(f"Wine: {Path(str(words[0])).name} did not end within {limit_s:.0f} s") from error
        reader.join(READ_ON_S)
        return code, "".join(lines)

    def registry_value(self, key: str, name: str = "") -> str | int | None:
        """A text or number of the registry, None when it is not there. `name` empty: the key's default."""
        file = self.drive / "windows" / "temp" / "exported.reg"
        file.unlink(missing_ok=True)
        code, _text = self.run(["reg", "export", key, windows_path(file), "/y"])  # `query` prints no Chinese
        if code or not file.exists():
            return None
        return parse_exported(file.read_text(encoding="utf-16")).get(name)

    def has_key(self, key: str) -> bool:
        """Whether a key is there."""
        return self.run(["reg", "query", key])[0] == 0

    def stop(self) -> None:
        """Ends every program of this prefix and waits for them."""
        env = self.environment()
        subprocess.run([self._server, "-k"], env=env, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_idle(60)

    def wait_idle(self, limit_s: float) -> None:
        """Until the last program of the prefix has ended, or the limit."""
        try:
            subprocess.run([self._server, "-w"], env=self.environment(), check=False, timeout=limit_s)
        except subprocess.TimeoutExpired as error:
            raise StepFailed(f"Wine: programs of the prefix still run after {limit_s:.0f} s") from error


def _read_all(process: subprocess.Popen[str], lines: list[str]) -> None:
    assert process.stdout is not None
    with contextlib.suppress(ValueError), process.stdout as output:
        lines.extend(iter(output.readline, ""))


def parse_exported(text: str) -> dict[str, str | int]:
    """Texts and numbers of the first key of an exported registry file; the key's default has the name ""."""
    values: dict[str, str | int] = {}
    for number, section in enumerate(text.split("\n[")):
        if number != 1:
            continue
        for line in section.splitlines():
            found = re.match(r'(?:@|"((?:[^"\\]|\\.)*)")=(?:"((?:[^"\\]|\\.)*)"|dword:([0-9a-f]{8}))$', line)
            if found:
                name, word, digits = found.groups()
                values[_plain(name or "")] = int(digits, 16) if digits is not None else _plain(word)
    return values


def _plain(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted)


def windows_path(path: Path) -> str:
    r"""A file of this system as Wine's programs see it: `Z:\…`."""
    return "Z:" + str(path.resolve()).replace("/", "\\")


def make_prefix(folder: Path, *, qt_folder: Path) -> None:
    """Makes a 64-bit prefix in `folder`, which must not be there yet: Windows 10, with the stand-ins.

    Args:
        qt_folder: Qt's DLLs; what they want of icuuc decides what its stand-in offers.

    Raises:
        StepFailed: Wine is missing, or a step failed.
    """
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".prefix-"))
    try:
        with Step("Wine: make a Windows 10"):
            wine = Wine(temporary)
            _must(wine, ["wineboot", "-i"])
            _must(wine, ["winecfg", "/v", "win10"])
            system = wine.drive / "windows" / "system32"
            _stand_in(KIT / "bcryptprimitives.c", system / "bcryptprimitives.dll", "-ladvapi32")
            _stand_in(KIT / "mscms.c", system / "mscms.dll")
            _make_icu(system / "icuuc.dll", qt_folder)
            _keep_home_apart(wine.drive / "users")
            (temporary / READY).write_text("win10\n", encoding="utf-8")
            wine.wait_idle(BOOT_LIMIT_S)
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _keep_home_apart(users: Path) -> None:
    """Wine links Desktop and Documents to the home folder of whoever runs it; what we try out must not get there."""
    for link in users.glob("*/*"):
        if link.is_symlink():
            link.unlink()
            link.mkdir()


def _must(wine: Wine, words: Sequence[str]) -> None:
    code, text = wine.run(words, limit_s=BOOT_LIMIT_S)
    if code:
        raise StepFailed(f"Wine: {' '.join(words)} ended with code {code}\n{text[-1000:]}")


def _stand_in(source: Path, result: Path, *libraries: str) -> None:
    result.unlink(missing_ok=True)
    compile_c(["-shared", "-O2", "-s", "-w", source, *libraries], result)


def _make_icu(result: Path, qt_folder: Path) -> None:
    libraries = [file for file in qt_folder.glob("Qt6*.dll") if b"icuuc.dll" in file.read_bytes()]
    names = sorted({name for file in libraries for name in imported_names(file, "icuuc.dll")})
    with tempfile.TemporaryDirectory() as work:
        source = Path(work) / "icuuc.c"
        source.write_text("#include <stdint.h>\n" + "\n".join(map(_icu_function, names)) + "\n", encoding="utf-8")
        _stand_in(source, result)


def _icu_function(name: str) -> str:
    if name == "u_errorName":
        return f'__declspec(dllexport) const char *{name}(int e) {{ return "U_UNSUPPORTED"; }}'
    if name.startswith(_ICU_COUNTS):
        return f"__declspec(dllexport) int {name}(const char *a, int *e) {{ return 0; }}"
    return f"__declspec(dllexport) intptr_t {name}(void) {{ return 0; }}"
