"""`package windows`: the installer for Windows, on Windows itself or on Linux under Wine. See package.Kind and docs/packaging-windows.md.

Nothing is imported here before it is wanted: the modules below need one another, and the client's spec reads layout.py alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--fast`: packs quicker and larger, for trying things out."""
    parser.add_argument("--fast", action="store_true", help="pack the installer quicker and larger")


def make(out: Path, *, version: str, fast: bool = False) -> Path:
    """Builds the bundle and packs <out>/tongban-<version>-windows-x64-setup.exe. See package.Kind."""
    from build_scripts.package.windows import freeze, setup_file

    bundle = freeze.freeze(out / ".work" / "windows", version=version)
    return setup_file.make_setup(bundle, out, version=version, fast=fast)


def check(result: Path) -> None:
    """Under Wine: installs, looks at files, links and registry, self-test, window, upgrade, uninstall. See package.Kind."""
    from build_scripts.package.windows import checking

    checking.check(result)
