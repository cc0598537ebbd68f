"""`package release`: everything that this system can make, its bill of materials, SHA256SUMS, and a signature over those.

A version is released once it has a heading in CHANGELOG.md. The signature is whatever the command in TONGBAN_RELEASE_SIGN_COMMAND
makes of `{file}` (SHA256SUMS) into `{signature}` (SHA256SUMS.sig); without it there is none, and that is said.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from build_scripts import package
from build_scripts.package import bundle, layout
from build_scripts.progress import Step, StepFailed

SIGN_VARIABLE: Final = "TONGBAN_RELEASE_SIGN_COMMAND"
MADE: Final = "release.json"
MADE_ON: Final[dict[str, tuple[str, ...]]] = {
    "linux": ("bundle", "deb", "server", "sbom"),
    "win32": ("windows", "sbom"),
    "darwin": ("macos", "sbom"),
}


def make(out: Path, *, version: str) -> Path:
    """Makes all kinds of this system below `out` and returns SHA256SUMS. See package.Kind."""
    told_in_changelog(version)
    is_tagged(version, os.environ)
    made: dict[str, str] = {}
    for what in MADE_ON.get(sys.platform, ("bundle", "sbom")):
        kind = package.load_kind(what)
        made[what] = str(kind.make(out, version=version).relative_to(out))
    (out / bundle.WORK).mkdir(exist_ok=True)
    (out / bundle.WORK / MADE).write_text(json.dumps(made), encoding="utf-8")
    sums = package.write_sums(out)
    sign(sums)
    return sums


def check(result: Path) -> None:
    """Checks each kind that was made as its own command does. See package.Kind."""
    made = json.loads((result.parent / bundle.WORK / MADE).read_text(encoding="utf-8"))
    for what, name in made.items():
        package.load_kind(what).check(result.parent / name)


def told_in_changelog(version: str, changelog: Path = layout.ROOT / "CHANGELOG.md") -> None:
    """Looks for the version's own heading; a candidate may still be told under "Unreleased". Raises StepFailed without one."""
    final = re.sub(r"(?:a|b|rc)\d+\Z", "", version)
    text = changelog.read_text(encoding="utf-8")
    headings = [final] if final == version else [final, "Unreleased"]
    if not any(re.search(rf"^## \[?{re.escape(one)}\]?(?:\s|\Z)", text, re.MULTILINE) for one in headings):
        raise StepFailed(
            f"CHANGELOG.md says nothing about {final}: write “## {final}” and what is new, then release it."
        )


def is_tagged(version: str, environ: Mapping[str, str]) -> None:
    """Where a tag started the workflow, it must name the version that is made. Raises StepFailed."""
    tag = environ.get("GITHUB_REF_NAME", "") if environ.get("GITHUB_REF_TYPE") == "tag" else ""
    if tag and tag != f"v{version}":
        raise StepFailed(f"The tag is {tag}, but pyproject.toml says {version}: correct the one that is wrong.")


def sign(sums: Path, environ: Mapping[str, str] | None = None) -> Path | None:
    """Signs the sums by the command that the environment names; None without one.

    Raises:
        StepFailed: the command failed or wrote no signature; an old one is gone then.
    """
    environ = os.environ if environ is None else environ
    signature = sums.with_name(sums.name + ".sig")
    signature.unlink(missing_ok=True)
    command = environ.get(SIGN_VARIABLE, "")
    if not command:
        print(f"  {sums.name} is not signed: {SIGN_VARIABLE} names no command", flush=True)
        return None
    places = {"{file}": str(sums), "{signature}": str(signature)}
    argv = [_filled(word, places) for word in shlex.split(command, posix=sys.platform != "win32")]
    with Step(f"sign {sums.name}"):
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode or not signature.is_file():
            raise StepFailed(f"{sums.name} could not be signed: {(done.stderr or done.stdout).strip()[-1000:]}")
    return signature


def _filled(word: str, places: Mapping[str, str]) -> str:
    for name, value in places.items():
        word = word.replace(name, value)
    return word
