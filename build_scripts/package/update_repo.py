"""`package update-repo`: the signed repository of updates (TUF, made with tufup) that the office's backend serves.

Keys lie in a folder of their own outside the tree (--keys); they are made there with the first repository. Each run adds
this system's bundle of a version, with a patch from the version before where that is small, or only renews or changes what
is there (--refresh, --promote). docs/updates.md tells the ceremony.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from build_scripts.package import bundle, layout
from build_scripts.progress import Step, StepFailed
from desktop.core.services.updating_archive import pack_folder
from desktop.core.services.updating_choice import version_key
from desktop.core.services.updating_delta import apply_delta, make_delta

if TYPE_CHECKING:
    from tufup.repo import Repository

KEYS_VARIABLE: Final = "TONGBAN_UPDATE_KEYS"
EXPIRES_DAYS: Final = {"root": 730, "targets": 180, "snapshot": 30, "timestamp": 14}
"""An office without a way to the internet gets its updates by hand: what a public site renews daily may stand two weeks here."""
PATCH_WORTH: Final = 0.5  # of the archive; a larger patch costs the device more than it saves
ROLES: Final = ("root", "targets", "snapshot", "timestamp")
ROOT_IN_BUNDLE: Final = Path("resources") / "updates" / "root.json"


class MemberDelta:
    """tufup's binary difference, by ours: see desktop/core/services/updating_delta.py."""

    @staticmethod
    def diff(*, src_bytes: bytes, dst_bytes: bytes) -> bytes:
        return make_delta(src_bytes, dst_bytes)

    @staticmethod
    def patch(*, src_bytes: bytes, patch_bytes: bytes) -> bytes:
        made = io.BytesIO()
        apply_delta(io.BytesIO(src_bytes), io.BytesIO(patch_bytes), made, 1 << 40)
        return made.getvalue()


@dataclass(frozen=True)
class News:
    """What is signed beside a release. `percent` of the devices get it, `minimum` is the oldest version that may go on without."""

    channel: str = "stable"
    percent: int = 100
    minimum: str = ""
    zh: str = ""
    en: str = ""

    def to_custom(self) -> dict[str, Any]:
        notes = {key: text for key, text in (("zh", self.zh), ("en", self.en)) if text}
        return {"channel": self.channel, "percent": self.percent, "minimum": self.minimum, "notes": notes}


def product_name() -> str:
    """Product and system, as the client looks for it."""
    return f"{layout.APP_NAME}-{sys.platform}-{platform.machine().lower()}"


def open_repository(folder: Path, keys: Path) -> Repository:
    """The repository of a folder, made with new keys where there is none.

    Raises:
        StepFailed: the keys lie in the tree or in what is served, or those of an existing repository are missing.
    """
    from tufup.repo import Repository

    folder, keys = folder.resolve(), keys.expanduser().resolve()
    if keys.is_relative_to(layout.ROOT) or keys.is_relative_to(folder):
        raise StepFailed(f"{keys}: keys must lie outside the project and outside what is served.")
    known = (folder / "metadata" / "root.json").exists()
    missing = [role for role in ROLES[1:] if not (keys / role).exists()]
    if known and missing:
        raise StepFailed(f"{keys} has no key for {', '.join(missing)}: these make no valid update.")
    logging.getLogger("tufup").setLevel(logging.ERROR)
    repository = Repository(
        app_name=product_name(), repo_dir=folder, keys_dir=keys, expiration_days=dict(EXPIRES_DAYS), binary_diff=MemberDelta
    )  # fmt: skip
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _inside(keys):  # tufup keeps its configuration in the folder it is started from
        repository.save_config()
        if known:
            repository._load_keys_and_roles()  # initialize() asks on the terminal whether to overwrite the keys
        else:
            repository.initialize()
    for key in keys.iterdir():
        key.chmod(0o600)
    return repository


def add_release(repository: Repository, folder: Path, version: str, news: News) -> Path:
    """Adds a bundle folder as a release and signs; the archive.

    Raises:
        StepFailed: there is a newer or the same version of this system already.
    """
    from tufup.common import Patcher

    older = latest_version(repository)
    if older is not None and version_key(older) >= version_key(version):
        raise StepFailed(f"{version} is not newer than {older}, which is published. Releases are never replaced.")
    target: Path = repository.targets_dir / f"{repository.app_name}-{version}.tar.gz"
    with Step(f"archive {target.name}") as step:
        pack_folder(folder, target)
        step.note(f"{target.stat().st_size / 1e6:.1f} MB")
    repository.roles.add_or_update_target(target, custom={"user": news.to_custom(), "tufup": {"required": False}})
    if older is not None:
        source = repository.targets_dir / f"{repository.app_name}-{older}.tar.gz"
        patch = repository.targets_dir / f"{repository.app_name}-{version}.patch"
        with Step(f"patch from {older}") as step:
            made = Patcher.diff_and_hash(source, target, patch, MemberDelta)
            step.note(f"{patch.stat().st_size / 1e6:.2f} MB")
            if patch.stat().st_size > PATCH_WORTH * target.stat().st_size:
                patch.unlink()
            else:
                repository.roles.add_or_update_target(patch, custom={"user": {"from": older}, "tufup": made})
    publish(repository)
    return target


def change_release(repository: Repository, version: str, changes: Mapping[str, object]) -> None:
    """Signs a published release's channel, share or minimum anew. Raises StepFailed for an unknown version."""
    name = f"{repository.app_name}-{version}.tar.gz"
    target = repository.roles.targets.signed.targets.get(name)
    if target is None:
        raise StepFailed(f"{name} is not published.")
    target.unrecognized_fields["custom"]["user"].update(changes)
    publish(repository)


def publish(repository: Repository) -> None:
    """Signs what changed, and lets snapshot and timestamp begin their time anew."""
    for role in ("snapshot", "timestamp"):
        repository.refresh_expiration_date(role)
    with _inside(repository.keys_dir):
        repository.publish_changes([repository.keys_dir])


def latest_version(repository: Repository) -> str | None:
    """The newest published version of this system."""
    start, end = f"{repository.app_name}-", ".tar.gz"
    targets = repository.roles.targets.signed.targets
    versions = [name[len(start) : -len(end)] for name in targets if name.startswith(start) and name.endswith(end)]
    return max(versions, key=version_key, default=None)


def with_anchor(folder: Path, root: Path) -> None:
    """Puts the trust anchor into an unpacked bundle: whose signatures it believes."""
    target = bundle.internal_folder(folder) / ROOT_IN_BUNDLE
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(root, target)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this kind."""
    parser.add_argument("--keys", default=os.environ.get(KEYS_VARIABLE, ""), metavar="DIR", help="the signing keys")
    parser.add_argument("--bundle", default="", metavar="DIR", help="an unpacked bundle instead of building one")
    parser.add_argument("--channel", choices=("stable", "early"), default="stable")
    parser.add_argument("--percent", type=int, default=100, metavar="N", help="how many of a hundred devices get it")
    parser.add_argument("--minimum", default="", metavar="V", help="older versions must take this one")
    parser.add_argument("--notes-zh", default="", metavar="TEXT")
    parser.add_argument("--notes-en", default="", metavar="TEXT")
    parser.add_argument("--refresh", action="store_true", help="add nothing, sign anew what would expire")
    parser.add_argument("--promote", action="store_true", help="add nothing, change channel and share of --version")


def make(
    out: Path,
    *,
    version: str,
    keys: str = "",
    bundle: str = "",
    channel: str = "stable",
    percent: int = 100,
    minimum: str = "",
    notes_zh: str = "",
    notes_en: str = "",
    refresh: bool = False,
    promote: bool = False,
) -> Path:
    """The repository <out>/updates, with one release more. See package.Kind."""
    if not keys:
        raise StepFailed(f"Where are the keys? Give --keys DIR or {KEYS_VARIABLE}: a folder outside the project.")
    if not 0 <= percent <= 100:
        raise StepFailed("--percent goes from 0 to 100.")
    if minimum:
        _checked(minimum)
    folder = out / "updates"
    repository = open_repository(folder, Path(keys))
    if refresh:
        publish(repository)
    elif promote:
        change_release(repository, version, {"channel": channel, "percent": percent})
    else:
        source = Path(bundle) if bundle else _bundle(out, version, folder)
        add_release(repository, source, version, News(channel, percent, minimum, notes_zh, notes_en))
    return folder


def check(result: Path) -> None:
    """Updates a real bundle: v1 → v2 → broken v3 → still v2, then what must be refused. See package.Kind."""
    from build_scripts.package.update_check import check_updates

    with tempfile.TemporaryDirectory(prefix="tongban-updates-") as place:
        check_updates(result, Path(place))


def _bundle(out: Path, version: str, repository: Path) -> Path:
    folder = bundle.bundle_folder(out, version=version)
    with_anchor(folder, repository / "metadata" / "root.json")
    return folder


def _checked(version: str) -> None:
    try:
        version_key(version)
    except ValueError as error:
        raise StepFailed(f"“{version}” is no version.") from error


@contextmanager
def _inside(folder: Path) -> Any:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
