"""The signed metadata of updates, by The Update Framework (TUF 1.0): what is expired, rolled back or wrongly signed is refused.

The client of `tuf` is a blocking one and wants a fetcher of its own kind: ours hands each request to the connection's loop,
so this runs on a spare thread. tufup makes the repository (build_scripts); its client would bring `requests` and an installer.
"""

import asyncio
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tuf.api import exceptions
from tuf.api._payload import TargetFile
from tuf.ngclient.config import UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface
from tuf.ngclient.updater import Updater

from desktop.core.errors import AppError, BadFile, Offline, Rejected, StorageUnavailable
from desktop.core.net.updates import METADATA, TARGETS, UpdateSource, fetch_bytes

ROOT_FILE: Final = "root.json"
LIMIT_S: Final = 60.0
_MOST: Final = 5_000_000
_NOT_THERE: Final = 404
_NAME: Final = re.compile(r"(?P<name>[\w-]+)-(?P<version>[0-9][^-/]*)(?P<suffix>\.tar\.gz|\.patch)\Z")


class _Fetcher(FetcherInterface):
    """Metadata over the connection's loop."""

    def __init__(self, source: UpdateSource, loop: asyncio.AbstractEventLoop) -> None:
        self._source, self._loop = source, loop
        self.failure: AppError | None = None

    def _fetch(self, url: str) -> Iterator[bytes]:
        asked = fetch_bytes(self._source, url, _MOST)
        running = asyncio.run_coroutine_threadsafe(asked, self._loop)  # noqa: TID251 - tuf blocks on a spare thread
        try:
            return iter((running.result(LIMIT_S),))
        except Rejected as error:  # the next root is asked for until there is none
            raise exceptions.DownloadHTTPError(url, _NOT_THERE) from error
        except AppError as error:
            self.failure = error
            raise exceptions.DownloadError(url) from error
        except TimeoutError as error:
            running.cancel()
            self.failure = Offline(reason="timeout")
            raise exceptions.DownloadError(url) from error


class TrustedTargets:
    """One look at the repository: refreshed and verified when it is made. Belongs to one thread at a time.

    Raises:
        Offline: the server did not answer. StorageUnavailable: the metadata could not be kept.
        BadFile: reason `expired`, `rolledBack`, `signature` or `metadata`: nothing may be taken from there.
    """

    def __init__(
        self, source: UpdateSource, loop: asyncio.AbstractEventLoop, *, metadata: Path, targets: Path, anchor: Path
    ) -> None:
        fetcher = _Fetcher(source, loop)
        try:
            metadata.mkdir(parents=True, exist_ok=True)
            targets.mkdir(parents=True, exist_ok=True)
            if not (metadata / ROOT_FILE).exists():
                shutil.copyfile(anchor, metadata / ROOT_FILE)
            config = UpdaterConfig(prefix_targets_with_hash=False)
            self._updater = Updater(str(metadata), METADATA, str(targets), TARGETS, fetcher, config)
            self._updater.refresh()
        except OSError as error:
            raise StorageUnavailable(reason="disk") from error
        except exceptions.DownloadError as error:
            raise fetcher.failure or BadFile(reason="metadata") from error
        except exceptions.RepositoryError as error:
            raise BadFile(reason=_reason(error)) from error

    def customs(self, name: str) -> Iterator[tuple[str, str, TargetFile, dict[str, Any]]]:
        """Version, suffix, target and tufup's custom metadata of all targets of one product and system."""
        known = self._updater._trusted_set.targets.targets  # no public way, and tufup goes the same
        for path, target in known.items():
            found = _NAME.fullmatch(path)
            if found is not None and found["name"] == name:
                custom = target.unrecognized_fields.get("custom")
                yield found["version"], found["suffix"], target, custom if isinstance(custom, dict) else {}

    def target(self, path: str) -> TargetFile:
        """The target of this name. Raises BadFile (reason `metadata`)."""
        found = self._updater.get_targetinfo(path)
        if found is None:
            raise BadFile(reason="metadata")
        return found


def verify_file(target: TargetFile, path: Path) -> None:
    """Holds a file against its signed length and hashes. Raises BadFile (reason `damaged`), StorageUnavailable."""
    try:
        with path.open("rb") as file:
            target.verify_length_and_hashes(file)
    except exceptions.LengthOrHashMismatchError as error:
        raise BadFile(reason="damaged") from error
    except OSError as error:
        raise StorageUnavailable(reason="disk") from error


def _reason(error: Exception) -> str:
    if isinstance(error, exceptions.ExpiredMetadataError):
        return "expired"
    if isinstance(error, exceptions.BadVersionNumberError):
        return "rolledBack"
    if isinstance(error, exceptions.UnsignedMetadataError):
        return "signature"
    return "metadata"
