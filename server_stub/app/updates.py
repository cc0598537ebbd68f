"""`tongban-server updates …`: takes a repository of updates in, and says which devices may take what. Works beside a running server."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from server_stub.api.updates import METADATA, PLAN, TARGETS, UpdatePlan, load_plan
from server_stub.app.admin import CommandFailed
from server_stub.app.layout import DataLayout
from server_stub.app.settings import Settings

CHANNELS: Final = ("stable", "early", "off")
LAST: Final = ("targets.json", "snapshot.json", "timestamp.json")  # each names what comes before it
_NAME: Final = re.compile(r"(?P<name>[\w-]+)-(?P<version>\d[^-/]*)\.tar\.gz\Z", re.ASCII)
_VERSION: Final = re.compile(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?\Z", re.ASCII)


def updates_folder(settings: Settings) -> Path:
    """Where the served repository lies."""
    return Path(settings.updates_folder) if settings.updates_folder else DataLayout(settings.data).root / "updates"


def add_commands(parser: argparse.ArgumentParser, command: Callable[..., argparse.ArgumentParser]) -> None:
    """import, list, channel, share, hold, release."""
    where = parser.add_subparsers(required=True, metavar="WHAT")
    taken = command("import", "take in what `package update-repo` made: its folder, or a tar of it", _import, where)
    taken.add_argument("source", type=Path)
    command("list", "what is served, and the plan", _list, where)
    channel = command("channel", "whose updates devices take that no policy tells otherwise", _channel, where)
    channel.add_argument("channel", choices=CHANNELS)
    share = command("share", "how many of a hundred devices may take a version (never more than was signed)", _share, where)  # fmt: skip
    share.add_argument("version")
    share.add_argument("percent", type=int)
    for name, about, run in (
        ("hold", "nobody takes this version from now on; who has it keeps it", _hold),
        ("release", "a version that was held back may be taken again", _release),
    ):
        command(name, about, run, where).add_argument("version")


def _import(settings: Settings, asked: argparse.Namespace) -> int:
    target = updates_folder(settings)
    if asked.source.is_dir():
        names = take_in(asked.source, target)
    else:
        with tempfile.TemporaryDirectory(prefix="tongban-updates-") as place:
            names = take_in(_unpacked(asked.source, Path(place)), target)
    print(*(f"new: {name}" for name in names), sep="\n") if names else print("nothing new but the signatures")
    return 0


def take_in(source: Path, target: Path) -> list[str]:
    """Copies a repository; the names of targets that are new.

    Archives come first and the timestamp last: a client that asks in between sees the old state or the new one.

    Raises:
        CommandFailed: it is no repository, a file is not what its metadata says, or it is older than what is served.
    """
    signed = {name: _signed(source / METADATA / name) for name in ("root.json", *LAST)}
    served = target / METADATA / "timestamp.json"
    if (target / METADATA / "1.root.json").exists() and not _same_root(source, target):
        raise CommandFailed(
            "this repository has other root keys than the one that is served: no client would believe it"
        )
    if served.exists() and _signed(served)["version"] > signed["timestamp.json"]["version"]:
        raise CommandFailed("this repository is older than the one that is served: clients would refuse it")
    new = []
    for name, about in signed["targets.json"]["targets"].items():
        if "/" in name or "\\" in name or name.startswith("."):
            raise CommandFailed(f"{name!r} is no name of a target")
        _check_file(source / TARGETS / name, about)
        if not (target / TARGETS / name).exists():
            new.append(name)
        _copy(source / TARGETS / name, target / TARGETS / name)
    roots = sorted(path.name for path in (source / METADATA).glob("*.root.json"))
    for name in (*roots, "root.json", *LAST):
        _copy(source / METADATA / name, target / METADATA / name)
    return sorted(new)


def _list(settings: Settings, _asked: argparse.Namespace) -> int:
    folder = updates_folder(settings)
    plan = _plan(folder)
    print(f"folder: {folder}\nchannel: {plan.channel}")
    targets: dict[str, Any] = {}
    if (folder / METADATA / "targets.json").exists():
        targets = _signed(folder / METADATA / "targets.json")["targets"]
        print(f"timestamp valid until {_signed(folder / METADATA / 'timestamp.json')['expires']}")
    for name, about in sorted(targets.items()):
        found = _NAME.match(name)
        if found is None:
            continue
        version, user = found["version"], (about.get("custom") or {}).get("user") or {}
        share = min(int(user.get("percent", 100)), plan.percent.get(version, 100))
        held = ", held" if version in plan.held else ""
        print(f"{found['name']} {version}: {user.get('channel', 'stable')}, {share} %{held}, {about['length']} bytes")
    return 0


def _channel(settings: Settings, asked: argparse.Namespace) -> int:
    return _change(settings, lambda plan: msgspec.structs.replace(plan, channel=asked.channel))


def _share(settings: Settings, asked: argparse.Namespace) -> int:
    if not 0 <= asked.percent <= 100:
        raise CommandFailed("a share goes from 0 to 100")
    version = _checked(asked.version)
    return _change(
        settings, lambda plan: msgspec.structs.replace(plan, percent={**plan.percent, version: asked.percent})
    )


def _hold(settings: Settings, asked: argparse.Namespace) -> int:
    version = _checked(asked.version)
    return _change(settings, lambda plan: msgspec.structs.replace(plan, held=tuple({*plan.held, version})))


def _release(settings: Settings, asked: argparse.Namespace) -> int:
    version = _checked(asked.version)
    return _change(settings, lambda plan: msgspec.structs.replace(plan, held=tuple({*plan.held} - {version})))


def _change(settings: Settings, change: Callable[[UpdatePlan], UpdatePlan]) -> int:
    folder = updates_folder(settings)
    plan = change(_plan(folder))
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{PLAN}.part"
    part.write_bytes(msgspec.json.encode(plan))
    part.replace(folder / PLAN)
    print(msgspec.json.encode(plan).decode())
    return 0


def _plan(folder: Path) -> UpdatePlan:
    try:
        return load_plan(folder)
    except ValueError as error:
        raise CommandFailed(f"{folder / PLAN} is damaged: {error}") from error


def _checked(version: str) -> str:
    if not _VERSION.match(version):
        raise CommandFailed(f"{version!r} is no version such as 1.4.0")
    return version


def _unpacked(source: Path, place: Path) -> Path:
    try:
        with tarfile.open(source) as archive:
            archive.extractall(place, filter="data")
    except (tarfile.TarError, EOFError) as error:
        raise CommandFailed(f"{source}: {error}") from error
    found = next((path.parent for path in sorted(place.rglob(METADATA)) if path.is_dir()), None)
    if found is None:
        raise CommandFailed(f"{source} holds no repository of updates")
    return found


def _signed(path: Path) -> dict[str, Any]:
    try:
        signed = json.loads(path.read_bytes())["signed"]
        _ = signed["version"], signed["expires"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandFailed(f"{path} is no metadata of updates ({type(error).__name__})") from error
    return dict(signed)


def _same_root(source: Path, target: Path) -> bool:
    one, other = source / METADATA / "1.root.json", target / METADATA / "1.root.json"
    return one.exists() and one.read_bytes() == other.read_bytes()


def _check_file(path: Path, about: dict[str, Any]) -> None:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        good = path.stat().st_size == about["length"] and digest == about["hashes"]["sha256"]
    except (OSError, KeyError, TypeError):
        good = False
    if not good:
        raise CommandFailed(f"{path.name} is missing or not what the metadata says: nothing was taken in")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, part)
    os.replace(part, target)
