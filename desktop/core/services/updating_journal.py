"""Where an update stands, on disk: written before each step that a power cut may end, read by whichever program starts next."""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from desktop.core.errors import StorageUnavailable

JOURNAL: Final = "journal.json"


class Phase(StrEnum):
    """What was begun last."""

    IDLE = "idle"
    READY = "ready"  # unpacked and its self-test passed: may be put in place
    SWAPPING = "swapping"  # the folders are being exchanged
    TRIAL = "trial"  # the new one is in place and has not yet shown that it works
    CONFIRMED = "confirmed"  # it has; what is left over may go
    ROLLED_BACK = "rolledBack"  # it did not: the old one is in place again


class Journal(msgspec.Struct, frozen=True):
    """The state of one installation.

    Attributes:
        version: the one being put in place (READY to CONFIRMED), or the one that failed (ROLLED_BACK).
        previous: the one it replaces.
        starts: how often the new one was started without confirming.
        refused: versions that failed here and are not tried again.
        reason: why the last one failed: selfTest, start, crashed.
        told: the user has read about the last outcome.
    """

    phase: Phase = Phase.IDLE
    version: str = ""
    previous: str = ""
    starts: int = 0
    refused: tuple[str, ...] = ()
    reason: str = ""
    told: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """An installation and the folder beside it where its updates lie: on one file system, so that a rename is enough."""

    install: Path

    @property
    def home(self) -> Path:
        """Everything of updates."""
        return self.install.with_name(f".{self.install.name}-updates")

    @property
    def metadata(self) -> Path:
        """The signed metadata that was trusted last."""
        return self.home / "metadata"

    @property
    def targets(self) -> Path:
        """Archives and patches, whole and in part."""
        return self.home / "targets"

    @property
    def next(self) -> Path:
        """The new version, unpacked."""
        return self.home / "next"

    @property
    def incoming(self) -> Path:
        """What is about to take the place; after the exchange, what was there."""
        return self.home / "incoming"

    @property
    def previous(self) -> Path:
        """The version before, until the new one has confirmed."""
        return self.home / "previous"

    def writable(self) -> bool:
        """Whether this user may exchange the folder; false where the system's packages or an administrator installed it."""
        return os.access(self.install.parent, os.W_OK | os.X_OK) and os.access(self.install, os.W_OK)


def load_journal(place: Place) -> Journal:
    """The journal; a missing or damaged one is an idle one: an update that nobody knows of is fetched again."""
    try:
        return msgspec.json.decode((place.home / JOURNAL).read_bytes(), type=Journal)
    except (OSError, msgspec.MsgspecError):
        return Journal()


def save_journal(place: Place, journal: Journal) -> None:
    """Writes it so that a power cut leaves the old or the new one. Raises StorageUnavailable."""
    target = place.home / JOURNAL
    part = target.with_suffix(".part")
    try:
        place.home.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(msgspec.json.encode(journal))
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise StorageUnavailable(reason="disk") from error
