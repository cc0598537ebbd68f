"""The installer: makensis over the bundle, program, uninstaller and installer signed where a certificate is named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from build_scripts.package import layout
from build_scripts.package.windows import resources, signing
from build_scripts.progress import StepFailed, run_step

SCRIPT = Path(__file__).resolve().parent / "installer" / "tongban.nsi"
MACHINE = "x64"
SIDE_SIZE, SIDE_ICON = (328, 628), 144  # pixels


def setup_name(version: str) -> str:
    """The installer's file name."""
    return f"{layout.APP_NAME}-{version}-windows-{MACHINE}-setup.exe"


def make_setup(bundle: Path, out: Path, *, version: str, fast: bool = False) -> Path:
    """Packs a bundle into <out>/tongban-<version>-windows-x64-setup.exe.

    Args:
        fast: a third of the time, a third larger: for checks.

    Raises:
        StepFailed: makensis is missing or failed, or signing failed.
    """
    compiler = shutil.which("makensis")
    if compiler is None:
        raise StepFailed("makensis (NSIS 3.08 or newer) is not on the PATH.")
    signed = signing.is_configured()
    if signed:
        signing.sign(bundle / f"{layout.APP_NAME}.exe")
    else:
        print(f"  not signed: neither {signing.COMMAND} nor a certificate is set (docs/packaging-windows.md)")
    result = out / setup_name(version)
    env = {**os.environ, "PYTHONPATH": str(layout.ROOT)}
    with tempfile.TemporaryDirectory() as folder:
        defines = _defines(bundle, result, version=version, fast=fast, signed=signed)
        side = f"-DSIDE={_draw_side(Path(folder))}"
        run_step("Windows: pack the installer", [compiler, *defines, side, str(SCRIPT)], cwd=SCRIPT.parent, env=env)
    if signed:
        signing.sign(result)
    return result


def _draw_side(folder: Path) -> Path:
    """The picture beside the last page: our icon on white, twice the size of 96 dpi."""
    from PIL import Image

    side = Image.new("RGB", SIDE_SIZE, "white")
    with Image.open(layout.ICONS / "tongban-256.png") as icon:
        small = icon.convert("RGBA").resize((SIDE_ICON, SIDE_ICON))
    side.paste(small, ((SIDE_SIZE[0] - SIDE_ICON) // 2, SIDE_ICON), small)
    target = folder / "side.bmp"
    side.save(target)
    return target


def _defines(bundle: Path, result: Path, *, version: str, fast: bool, signed: bool) -> list[str]:
    values = {
        "PAYLOAD": str(bundle),
        "OUTFILE": str(result),
        "VERSION": version,
        "NUMBERS": ".".join(map(str, resources.four_numbers(version))),
        "ICON": str(layout.ICONS / "tongban.ico"),
        "PUBLISHER": layout.PUBLISHER,
    }
    if signed:
        values["SIGN"] = _sign_uninstaller()
    words = ["-V2", "-WX", "-INPUTCHARSET", "UTF8", *(f"-D{name}={value}" for name, value in values.items())]
    return [*words, "-DFAST"] if fast else words


def _sign_uninstaller() -> str:
    words = [sys.executable, "-m", "build_scripts.package.windows.signing"]
    return subprocess.list2cmdline(words)
