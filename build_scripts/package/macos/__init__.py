"""`package macos`: the .app and the .dmg around it, on a Mac. See package.Kind and docs/packaging-macos.md.

Off a Mac nothing is made, but everything that needs no Mac is checked by tests/packaging/test_macos.py.
"""

from __future__ import annotations

import platform
import sys
import tempfile
from pathlib import Path
from typing import Final

from build_scripts.package import bundle, layout, running
from build_scripts.package.macos import app_files, disk_image, signing
from build_scripts.progress import Step, StepFailed

ELSEWHERE: Final = (
    "package macos: a .app is made on a Mac alone (its Python and Qt, codesign and hdiutil are only there): "
    "run the same command on a Mac with Xcode's command line tools, or let the release workflow do it."
)


def make(out: Path, *, version: str) -> Path:
    """Builds, signs and packs <out>/tongban-<version>-macos-<machine>.dmg; notarised where a profile is named. See package.Kind."""
    _only_on_a_mac()
    app = bundle.bundle_folder(out, version=version, settings=bundle_settings(out / bundle.WORK))
    with Step("texts and version of the .app"):
        app_files.dress(app, version)
        app_files.check_app(app, version)
    signer = signing.Signer.of_environment()
    signer.sign_app(app, out / bundle.WORK / "entitlements.plist")
    target = out / f"{layout.APP_NAME}-{version}-macos-{platform.machine().lower()}.dmg"
    disk_image.pack(app, target, work=out / bundle.WORK / "dmg")
    signer.finish_image(target)
    return target


def check(result: Path) -> None:
    """Mounts the image, copies the program out of it, looks at its structure and signature, runs the self-test. See package.Kind."""
    _only_on_a_mac()
    with (
        tempfile.TemporaryDirectory(prefix="tongban-dmg-") as place,
        disk_image.mounted(result, Path(place) / "volume") as volume,
    ):
        app = disk_image.copied_app(volume, Path(place))
        app_files.check_app(app, app_files.version_of(app))
        signing.verify(app, notarised=signing.Signer.of_environment().notary_profile != "")
        bundle.check_weight(app, result)
        report = result.with_name(bundle.WORK) / "self-test.json"
        running.self_test([app / "Contents" / "MacOS" / layout.APP_NAME], report=report)


def bundle_settings(work: Path) -> dict[str, object]:
    """What tongban.spec is told. No version in it: another version needs no other build."""
    work.mkdir(parents=True, exist_ok=True)
    entitlements = work / "entitlements.plist"
    entitlements.write_bytes(app_files.entitlements(ad_hoc=signing.Signer.of_environment().is_ad_hoc))
    return {
        "icon": layout.ICONS / f"{layout.APP_NAME}.icns",
        "info_plist": app_files.info_plist(),
        "entitlements": entitlements,
    }


def _only_on_a_mac() -> None:
    if sys.platform != "darwin":
        raise StepFailed(ELSEWHERE)
