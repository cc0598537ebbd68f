"""Which release a device takes: channel, staged roll-out, what the office holds back, what this device has had trouble with. Pure."""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

STABLE: Final = "stable"
EARLY: Final = "early"
OFF: Final = "off"
_VERSION: Final = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:(a|b|rc)(\d{1,9}))?\Z", re.ASCII)
_STAGE: Final = {"a": 0, "b": 1, "rc": 2, None: 3}
_STAGES: Final = 100


@dataclass(frozen=True, slots=True)
class Release:
    """A signed release for this system.

    Attributes:
        archive: the target with the whole bundle; `size` its bytes.
        patch: the target that makes it out of the archive of `patch_from`; None: none. `tar_size`, `tar_hash` of what it makes.
        minimum: the oldest version that may go on without an update; older ones must take this one.
        percent: how many of a hundred devices get it.
        notes: what is new, by language (zh, en).
    """

    version: str
    archive: str
    size: int
    channel: str = STABLE
    percent: int = 100
    minimum: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    patch: str | None = None
    patch_from: str = ""
    patch_size: int = 0
    tar_size: int = 0
    tar_hash: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the office's backend says about updates; not signed, so it can only hold back, never offer.

    Attributes:
        channel: of devices whose machine's policy names none.
        held: versions nobody is to take now.
        percent: a lower share than the signed one, by version.
    """

    channel: str = STABLE
    held: frozenset[str] = frozenset()
    percent: Mapping[str, int] = field(default_factory=dict)


def version_key(version: str) -> tuple[int, ...]:
    """Orders versions such as 1.4.0 and 1.4.0rc1. Raises ValueError for anything else."""
    found = _VERSION.match(version)
    if found is None:
        raise ValueError(version)
    major, minor, patch, stage, number = found.groups()
    return int(major), int(minor), int(patch), _STAGE[stage], int(number or 0)


def stage_of(device_id: str, version: str) -> int:
    """0 to 99: when a device's turn comes. The same for ever for one version, another for the next: nobody is always first."""
    digest = hashlib.sha256(f"{version}\0{device_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % _STAGES


def choose_release(
    releases: Iterable[Release],
    *,
    current: str,
    device_id: str,
    channel: str | None,
    plan: Plan,
    refused: Collection[str],
) -> Release | None:
    """The newest release this device should take now; None: it has what it should have.

    Args:
        channel: of this machine's policy; None: the office's.
        refused: versions that failed here.
    """
    own = channel or plan.channel
    if own == OFF:
        return None
    here = version_key(current)
    for release in sorted(releases, key=lambda one: version_key(one.version), reverse=True):
        if version_key(release.version) <= here:
            return None
        if release.version in refused or release.version in plan.held or not _in_channel(release.channel, own):
            continue
        share = min(release.percent, plan.percent.get(release.version, _STAGES))
        if is_required(release, current) or stage_of(device_id, release.version) < share:
            return release
    return None


def is_required(release: Release, current: str) -> bool:
    """Whether this version is too old to go on with."""
    return bool(release.minimum) and version_key(current) < version_key(release.minimum)


def _in_channel(release: str, own: str) -> bool:
    return release in (STABLE, own)
