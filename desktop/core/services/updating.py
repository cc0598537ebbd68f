"""Updates of this installation: looked for, fetched in the background, verified, unpacked, and tried by their own self-test.

It ends where a version is READY: putting it in place needs this program to end, which the application decides
(desktop/app/updating.py). Each step can be cut off anywhere and begins again from what is safely on disk.
"""

import asyncio
import hashlib
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from desktop.core.clock import Clock
from desktop.core.errors import AppError, BadFile, Offline, StorageUnavailable
from desktop.core.net.updates import TARGETS, UpdateSource, clean_custom, fetch_plan
from desktop.core.services.pace import Pace
from desktop.core.services.updating_choice import Plan, Release, choose_release, is_required, version_key
from desktop.core.services.updating_journal import Phase, Place, load_journal, save_journal

if TYPE_CHECKING:
    from desktop.core.net.updates_tuf import TrustedTargets

log = logging.getLogger("tongban.updates")

EVERY_S: Final = 4 * 3600.0
FIRST_S: Final = 90.0
AFTER_CUT_S: Final = 300.0
SELF_TEST_LIMIT_S: Final = 180.0
ROOM: Final = 50_000_000
"""Bytes that must stay free on the disk beside what an update takes."""
CHUNK: Final = 1 << 20
RunSelfTest = Callable[[Path], Awaitable[bool]]
"""Runs the self-test of an unpacked version; whether all its parts work."""


class Doing(StrEnum):
    """What goes on."""

    OFF = "off"  # no updates here: no key in this build, the policy says so, or the folder is not ours to write
    IDLE = "idle"
    CHECKING = "checking"
    FETCHING = "fetching"
    TESTING = "testing"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class UpdateStatus:
    """What a screen shows.

    Attributes:
        version: the new one (FETCHING, TESTING, READY); else empty.
        notes: by language. size, done: bytes of what is fetched.
        problem: code of what went wrong last: offline, disk, expired, rolledBack, signature, metadata, damaged, unsafe, selfTest; empty: nothing.
        off: why there are no updates: key, policy, folder.
        required: this version is too old to go on with.
        outcome: of the last exchange and not yet read: updated, rolledBack, or empty; `outcome_version` the version it was about.
        checked_at: ms since 1970 of the last answer; 0: none yet.
    """

    doing: Doing = Doing.IDLE
    current: str = ""
    version: str = ""
    notes: tuple[tuple[str, str], ...] = ()
    size: int = 0
    done: int = 0
    problem: str = ""
    off: str = ""
    required: bool = False
    outcome: str = ""
    outcome_version: str = ""
    checked_at: int = 0


@dataclass(frozen=True, slots=True)
class Installed:
    """This installation: where, which version, whose updates. `name`: product and system, as tongban-linux-x86_64."""

    place: Place
    current: str
    name: str
    anchor: Path
    device_id: str
    channel: str | None = None


class UpdateService:
    """One per installation. Belongs to the core's loop; `changed` is called there. `down_limit`: bytes a second, 0: no limit."""

    def __init__(
        self,
        installed: Installed,
        source: UpdateSource,
        clock: Clock,
        *,
        run_self_test: RunSelfTest | None = None,
        changed: Callable[[UpdateStatus], None] = lambda _: None,
        down_limit: Callable[[], int] = lambda: 0,
    ) -> None:
        self._in, self._source, self._clock = installed, source, clock
        self._self_test = run_self_test or self_test_of
        self._changed, self._down_limit = changed, down_limit
        self._asked = asyncio.Event()
        self._busy = asyncio.Lock()
        self.pace = Pace(clock)
        self.status = self._first_status()

    def _first_status(self) -> UpdateStatus:
        off = _why_off(self._in)
        journal = load_journal(self._in.place)
        outcome = "" if journal.told else {Phase.ROLLED_BACK: "rolledBack"}.get(journal.phase, "updated")
        ready = journal.phase is Phase.READY and not off and self._in.place.next.is_dir()
        doing = Doing.OFF if off else Doing.READY if ready else Doing.IDLE
        version = journal.version if ready else ""
        about = journal.version if outcome else ""
        return UpdateStatus(doing, self._in.current, version, off=off, outcome=outcome, outcome_version=about)

    # ------------------------------------------------------------ verbs
    def ask(self) -> None:
        """Check now."""
        self._asked.set()

    def read_outcome(self) -> None:
        """The user has read how the last update went."""
        journal = load_journal(self._in.place)
        if not journal.told:
            save_journal(self._in.place, msgspec.structs.replace(journal, told=True))
        self._say(outcome="")

    async def run(self, *, first_s: float = FIRST_S, every_s: float = EVERY_S) -> None:
        """Checks soon after the start, then every few hours and when asked; ends when cancelled."""
        if self.status.doing is Doing.OFF:
            return
        wait = first_s
        while True:
            try:
                async with asyncio.timeout(wait):
                    await self._asked.wait()
            except TimeoutError:
                pass
            self._asked.clear()
            await self.update()
            wait = min(AFTER_CUT_S, every_s) if self.status.problem == "offline" else every_s

    async def update(self) -> UpdateStatus:
        """Looks for a version, and makes it ready. Expected failures are in the status; nothing is raised for them."""
        if self.status.doing is Doing.OFF:
            return self.status
        async with self._busy:
            try:
                with self._owned():
                    await self._update()
            except AppError as error:
                self._say(doing=self._resting(), problem=_problem(error))
                log.warning("update: %s", self.status.problem)
        return self.status

    # ------------------------------------------------------------ steps
    async def _update(self) -> None:
        self._say(doing=Doing.CHECKING, problem="")
        trusted = await self._look()
        raw = await fetch_plan(self._source)
        plan = Plan(raw.channel, frozenset(raw.held), raw.percent)
        journal = load_journal(self._in.place)
        releases = list(read_releases(trusted, self._in.name, self._in.current))
        chosen = choose_release(
            releases,
            current=self._in.current,
            device_id=self._in.device_id,
            channel=self._in.channel,
            plan=plan,
            refused=journal.refused,
        )
        self._say(checked_at=self._clock.now_ms())
        if chosen is None:
            self._withdraw()
            self._say(doing=Doing.IDLE, version="", notes=(), required=False)
            return
        told = {"version": chosen.version, "notes": tuple(chosen.notes.items())}
        required = is_required(chosen, self._in.current)
        if journal.phase is Phase.READY and journal.version == chosen.version and self._in.place.next.is_dir():
            self._say(doing=Doing.READY, required=required, **told)
            return
        self._withdraw()
        self._say(doing=Doing.FETCHING, required=required, size=chosen.size, done=0, **told)
        archive = await self._fetch(trusted, chosen)
        await self._stage(chosen, archive)

    async def _look(self) -> "TrustedTargets":
        from desktop.core.net.updates_tuf import TrustedTargets  # tuf costs a start a fifth of a second

        place, loop = self._in.place, asyncio.get_running_loop()
        return await asyncio.to_thread(
            TrustedTargets,
            self._source,
            loop,
            metadata=place.metadata,
            targets=place.targets,
            anchor=self._in.anchor,
        )

    def _withdraw(self) -> None:
        """What was ready is not wanted any more: held back, or there is a newer one."""
        journal = load_journal(self._in.place)
        if journal.phase is Phase.READY:
            save_journal(self._in.place, msgspec.structs.replace(journal, phase=Phase.IDLE, version=""))

    async def _fetch(self, trusted: "TrustedTargets", release: Release) -> Path:
        """The release's whole archive, verified: by patch where there is one that fits, else whole."""
        archive = self._in.place.targets / release.archive
        target = trusted.target(release.archive)
        if archive.exists():
            from desktop.core.net.updates_tuf import verify_file

            try:
                await asyncio.to_thread(verify_file, target, archive)
                return archive
            except BadFile:
                archive.unlink()
        kept = self._in.place.targets / f"{self._in.name}-{self._in.current}.tar.gz"
        if release.patch is not None and release.patch_from == self._in.current and kept.exists():
            try:
                return await self._by_patch(trusted, release, kept, archive)
            except BadFile as error:
                log.warning("the patch was of no use (%s): the whole archive", type(error).__name__)
        await self._download(trusted, release.archive, release.size)
        return archive

    async def _by_patch(self, trusted: "TrustedTargets", release: Release, kept: Path, archive: Path) -> Path:
        assert release.patch is not None
        patch = await self._download(trusted, release.patch, release.patch_size)
        try:
            await asyncio.to_thread(_patched, kept, patch, archive, release)
        finally:
            patch.unlink(missing_ok=True)
        return archive

    async def _download(self, trusted: "TrustedTargets", name: str, size: int) -> Path:
        """A target whole and verified; a part that lies there is gone on with."""
        from desktop.core.net.updates_tuf import verify_file

        target = self._in.place.targets / name
        part = target.with_name(name + ".part")
        self._need_room(size)
        have = part.stat().st_size if part.exists() else 0
        if have > size:
            part.unlink()
            have = 0
        if have < size:
            await self._receive(name, part, have, size)
        try:
            await asyncio.to_thread(verify_file, trusted.target(name), part)
        except BadFile:
            part.unlink(missing_ok=True)  # else it would be gone on with for ever
            raise
        part.replace(target)
        return target

    async def _receive(self, name: str, part: Path, have: int, size: int) -> None:
        self.pace.set_limit(self._down_limit())
        download = await self._source.open_update(TARGETS + name, have)
        try:
            with part.open("r+b" if download.offset else "wb") as file:
                file.seek(download.offset)
                file.truncate()
                await self._write(file, download.parts, size)
        except OSError as error:
            raise StorageUnavailable(reason="disk") from error

    async def _write(self, file: BinaryIO, parts: AsyncGenerator[bytes, None], size: int) -> None:
        async with aclosing(parts):
            async for piece in parts:
                await self.pace.take(len(piece))
                if file.tell() + len(piece) > size:
                    raise BadFile(reason="damaged")
                await asyncio.to_thread(file.write, piece)
                self._say(size=size, done=file.tell())
        if file.tell() < size:
            raise Offline(reason="cut")

    async def _stage(self, release: Release, archive: Path) -> None:
        from desktop.core.services.updating_archive import unpack, unpacked_size  # tarfile and its like: not at a start

        place = self._in.place
        self._say(doing=Doing.TESTING, done=self.status.size)
        self._need_room(await asyncio.to_thread(unpacked_size, archive))
        await asyncio.to_thread(unpack, archive, place.next)
        if not await self._self_test(place.next):
            shutil.rmtree(place.next, ignore_errors=True)
            journal = load_journal(place)
            refused = tuple(dict.fromkeys((*journal.refused, release.version)))
            save_journal(place, msgspec.structs.replace(journal, refused=refused, reason="selfTest"))
            raise BadFile(reason="selfTest")
        self._drop_other_archives(archive)
        journal = load_journal(place)
        ready = {"phase": Phase.READY, "version": release.version, "previous": self._in.current, "told": True}
        save_journal(place, msgspec.structs.replace(journal, **ready))
        self._say(doing=Doing.READY, problem="")

    def _drop_other_archives(self, kept: Path) -> None:
        current = f"{self._in.name}-{self._in.current}.tar.gz"  # what the next patch is made for, should this one fail
        for path in self._in.place.targets.iterdir():
            if path.name not in (kept.name, current):
                path.unlink(missing_ok=True)

    def _need_room(self, size: int) -> None:
        try:
            free = shutil.disk_usage(self._in.place.home).free
        except OSError as error:
            raise StorageUnavailable(reason="disk") from error
        if free < size + ROOM:
            raise StorageUnavailable(reason="disk")

    @contextmanager
    def _owned(self) -> Iterator[None]:
        """One client of several on this machine works on an installation's updates at a time. Raises StorageUnavailable."""
        try:
            self._in.place.home.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._in.place.home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StorageUnavailable(reason="disk") from error
        try:
            _lock(lock)
            yield
        finally:
            os.close(lock)

    # ------------------------------------------------------------ telling
    def _resting(self) -> Doing:
        ready = load_journal(self._in.place).phase is Phase.READY and self._in.place.next.is_dir()
        return Doing.READY if ready else Doing.IDLE

    def _say(self, **changes: object) -> None:
        self.status = replace(self.status, **changes)  # type: ignore[arg-type]
        self._changed(self.status)


def read_releases(trusted: "TrustedTargets", name: str, current: str) -> Iterator[Release]:
    """The signed releases of one product and system, each with its patch from `current` where there is one."""
    targets = list(trusted.customs(name))
    patches = {version: (target, custom) for version, suffix, target, custom in targets if suffix == ".patch"}
    for version, suffix, target, custom in targets:
        if suffix != ".tar.gz":
            continue
        try:
            release = _release(version, target.path, target.length, clean_custom(custom.get("user")))
        except ValueError:  # signed, yet of a kind this version does not know
            log.warning("release %s left out", version)
            continue
        patch, about = patches.get(version, (None, {}))
        made, user = clean_custom(about.get("tufup")), clean_custom(about.get("user"))
        if patch is not None and user.get("from") == current and made.get("tar_hash_algorithm") == "sha256":
            release = replace(
                release,
                patch=patch.path,
                patch_from=current,
                patch_size=patch.length,
                tar_size=int(made.get("tar_size", 0)),
                tar_hash=str(made.get("tar_hash", "")),
            )
        yield release


def _release(version: str, path: str, size: int, user: Mapping[str, Any]) -> Release:
    notes, percent, minimum = clean_custom(user.get("notes")), user.get("percent", 100), str(user.get("minimum") or "")
    for known in (version, minimum or version):
        version_key(known)
    return Release(
        version,
        path,
        size,
        channel=str(user.get("channel") or "stable"),
        percent=percent if isinstance(percent, int) else 0,
        minimum=minimum,
        notes={key: str(notes[key]) for key in ("zh", "en") if key in notes},
    )


async def self_test_of(folder: Path) -> bool:
    """Runs `--self-test` of the program in an unpacked bundle, in a data folder of its own, with a time limit."""
    program = program_of(folder)
    if not program.is_file():
        return False
    try:
        process = await asyncio.to_thread(_start_quietly, [str(program), "--self-test"], folder)
    except OSError:
        return False
    try:
        return await asyncio.to_thread(process.wait, SELF_TEST_LIMIT_S) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _start_quietly(command: list[str], folder: Path) -> "subprocess.Popen[bytes]":
    nothing = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=folder, stdin=nothing, stdout=nothing, stderr=nothing)


def program_of(folder: Path) -> Path:
    """The program of an installation folder."""
    if sys.platform == "win32":
        return folder / "tongban.exe"
    return folder / "Contents" / "MacOS" / "tongban" if sys.platform == "darwin" else folder / "tongban"


def device_number(seed: str) -> str:
    """A stable name of this device for the staged roll-out, which tells nobody what it was made of."""
    return hashlib.sha256(b"tongban updates\0" + seed.encode()).hexdigest()


def _patched(kept: Path, patch: Path, archive: Path, release: Release) -> None:
    """Makes `archive` out of the kept one and a patch. Its own hash is checked: that of the tar inside, from the signed metadata."""
    from desktop.core.services.updating_archive import gunzip, gzip_file
    from desktop.core.services.updating_delta import DeltaBroken, apply_delta

    plain, made = archive.with_name("old.tar.part"), archive.with_name("new.tar.part")
    try:
        gunzip(kept, plain)
        with plain.open("rb") as old, patch.open("rb") as delta, made.open("wb") as new:
            digest = apply_delta(old, delta, new, release.tar_size)
        if digest != release.tar_hash or made.stat().st_size != release.tar_size:
            raise DeltaBroken
        part = archive.with_name(archive.name + ".made.part")
        gzip_file(made, part)
        part.replace(archive)
    except (DeltaBroken, EOFError) as error:
        raise BadFile(reason="patch") from error
    except OSError as error:
        raise StorageUnavailable(reason="disk") from error
    finally:
        plain.unlink(missing_ok=True)
        made.unlink(missing_ok=True)


def _why_off(installed: Installed) -> str:
    if installed.channel == "off":
        return "policy"
    if not installed.anchor.is_file():
        return "key"
    return "" if installed.place.writable() else "folder"


def _lock(file: int) -> None:
    """Raises StorageUnavailable (reason `busy`) when another client has it. Closing the file frees it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise StorageUnavailable(reason="busy") from error


def _problem(error: AppError) -> str:
    if isinstance(error, BadFile | StorageUnavailable):
        return str(error.data.get("reason", "damaged"))
    return "offline" if isinstance(error, Offline) else "refused"
