"""codesign and notarisation. Who signs stands in the environment:

- TONGBAN_MAC_IDENTITY: name of a "Developer ID Application" certificate in the keychain; without it the signature is ad hoc ("-"),
  which runs on the Mac that made it and, after the user's own consent, on others.
- TONGBAN_NOTARY_PROFILE: a profile kept by `xcrun notarytool store-credentials`; without it nothing is sent to Apple.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from build_scripts.package.macos import app_files
from build_scripts.progress import Step, StepFailed, run_step

IDENTITY_VARIABLE: Final = "TONGBAN_MAC_IDENTITY"
NOTARY_VARIABLE: Final = "TONGBAN_NOTARY_PROFILE"
AD_HOC: Final = "-"
AT_ONCE: Final = 100  # files a call of codesign
# First four bytes of Mach-O files: 64 and 32 bit, both orders, and those for several machines (mach-o/loader.h, fat.h).
MACH_O: Final = frozenset(
    bytes.fromhex(text) for text in ("cffaedfe", "feedfacf", "cefaedfe", "feedface", "cafebabe", "cafebabf")
)

Run = Callable[[list[str]], None]


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StepFailed(f"{' '.join(argv[:2])}: {(done.stderr or done.stdout).strip()[-2000:]}")


@dataclass(frozen=True)
class Signer:
    """Signs with an identity, notarises with a profile."""

    identity: str = AD_HOC
    notary_profile: str = ""
    run: Run = field(default=_run, compare=False)

    @classmethod
    def of_environment(cls, environ: Mapping[str, str] | None = None) -> Signer:
        """As the environment says."""
        environ = os.environ if environ is None else environ
        return cls(environ.get(IDENTITY_VARIABLE) or AD_HOC, environ.get(NOTARY_VARIABLE, ""))

    @property
    def is_ad_hoc(self) -> bool:
        """Whether no certificate signs."""
        return self.identity == AD_HOC

    def sign_app(self, app: Path, entitlements: Path) -> None:
        """Signs everything in an .app from the inside out (Apple advises against --deep), the program itself last and with its rights.

        Raises:
            StepFailed: codesign's own words.
        """
        entitlements.write_bytes(app_files.entitlements(ad_hoc=self.is_ad_hoc))
        with Step(f"sign {app.name}, {'ad hoc' if self.is_ad_hoc else self.identity}") as step:
            parts = inner_code(app)
            for start in range(0, len(parts), AT_ONCE):
                self.run(self._codesign([str(part) for part in parts[start : start + AT_ONCE]]))
            self.run(self._codesign(["--entitlements", str(entitlements), str(app)]))
            step.note(f"{len(parts)} parts")

    def finish_image(self, image: Path) -> None:
        """Signs the .dmg, has Apple look at it where a profile is named, and staples the answer on.

        Raises:
            StepFailed: a profile without an identity; or the tools' own words.
        """
        if self.is_ad_hoc:
            if self.notary_profile:
                raise StepFailed(
                    f"{NOTARY_VARIABLE} is set, but {IDENTITY_VARIABLE} is not: Apple takes no ad hoc signature."
                )
            return
        self.run(["codesign", "--force", "--timestamp", "--sign", self.identity, str(image)])
        if self.notary_profile:
            submit = ["xcrun", "notarytool", "submit", str(image), "--keychain-profile", self.notary_profile, "--wait"]
            with Step("notarisation, some minutes"):
                self.run(submit)
            self.run(["xcrun", "stapler", "staple", str(image)])

    def _codesign(self, rest: list[str]) -> list[str]:
        time = ["--timestamp=none"] if self.is_ad_hoc else ["--timestamp"]
        return ["codesign", "--force", "--options", "runtime", *time, "--sign", self.identity, *rest]


def inner_code(app: Path) -> list[Path]:
    """Every Mach-O file and framework below an .app but its main program, deepest first: who is inside is signed before who is around."""
    main = app / "Contents" / "MacOS"
    files = [
        path
        for path in app.rglob("*")
        if path.is_file() and not path.is_symlink() and path.parent != main and _is_code(path)
    ]
    frameworks = [path for path in app.rglob("*.framework") if path.is_dir() and not path.is_symlink()]
    return sorted({*files, *frameworks}, key=lambda path: (-len(path.parts), str(path)))


def _is_code(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in MACH_O


def verify(app: Path, *, notarised: bool) -> None:
    """Lets macOS itself judge the signature, and Gatekeeper where the image was notarised. Raises StepFailed."""
    commands: Iterable[list[str]] = [["codesign", "--verify", "--deep", "--strict", "--verbose=2", str(app)]]
    if notarised:
        commands = [*commands, ["spctl", "--assess", "--type", "execute", "--verbose=2", str(app)]]
    for argv in commands:
        run_step(" ".join(argv[:2]), argv, cwd=app.parent)
