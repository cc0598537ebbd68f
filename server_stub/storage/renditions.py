"""Office documents as PDF, made by LibreOffice where it is installed: once for each content, kept as files. Every document is hostile.

The program runs in a process group of its own with limits of time, memory and written bytes, in a folder and with a profile of its own that goes at
the end: no macros, nothing fetched from elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

log = logging.getLogger("tongban.renditions")

SUFFIXES: Final = frozenset(
    {"docx", "doc", "xlsx", "xls", "pptx", "ppt", "odt", "ods", "odp", "rtf", "wps", "et", "dps"}
)
MAX_SOURCE: Final = 100_000_000
MAX_WAITING: Final = 16
_ZIP: Final = b"PK\3\4"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_RTF: Final = b"{\\rtf"
_STARTS: Final = {"docx": _ZIP, "xlsx": _ZIP, "pptx": _ZIP, "odt": _ZIP, "ods": _ZIP, "odp": _ZIP, "rtf": _RTF}
_LIMITED: Final = 'ulimit -v "$1" && ulimit -t "$2" && ulimit -f "$3" && shift 3 && exec "$@"'
# Macros off, links to pictures elsewhere off, and a proxy that is not there for whatever would still go out.
_PROFILE: Final = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableActiveContent" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetProxyType" oor:op="fuse"><value>2</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPProxyName" oor:op="fuse"><value>127.0.0.1</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPProxyPort" oor:op="fuse"><value>9</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPSProxyName" oor:op="fuse"><value>127.0.0.1</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPSProxyPort" oor:op="fuse"><value>9</value></prop></item>
</oor:items>
"""


class NoRendition(Exception):
    """The document cannot be made into a PDF: damaged, locked, too large, or it took too long. It is not tried again."""


class RenditionsBusy(Exception):
    """Too many documents wait; ask again later."""


@dataclass(frozen=True, slots=True)
class RenditionLimits:
    """What one run may take: seconds of the clock, bytes of memory (address space), bytes written to one file."""

    seconds: float = 60.0
    memory: int = 2 << 30
    written: int = 200 << 20


def find_office_program(wanted: str) -> Path | None:
    """The office program of this machine by name or path; None when there is none, or `wanted` is empty."""
    found = shutil.which(wanted) if wanted else None
    return Path(found) if found else None


class Renditions:
    """PDFs by the hash of what they were made from. One document is made at a time; who asks for the same one waits for it."""

    def __init__(self, program: Path, cache: Path, limits: RenditionLimits | None = None) -> None:
        self._program, self._cache = (
            program,
            cache.absolute(),
        )  # the program is told addresses, which are never relative
        self._limits = limits or RenditionLimits()
        self._one = asyncio.Semaphore(1)
        self._running: dict[str, asyncio.Task[Path]] = {}

    async def load(self, blob_id: str, source: Path, suffix: str) -> Path:
        """The PDF's file, from the cache or made now.

        Args:
            blob_id: what names the content, the cache key with `suffix`.
            suffix: one of SUFFIXES: which filter reads it.

        Raises:
            NoRendition: see there.
            RenditionsBusy: see there.
        """
        target = self._cache / blob_id[:2] / f"{blob_id}-{suffix}.pdf"
        failed = target.with_suffix(".failed")
        if target.exists():
            return target
        if suffix not in SUFFIXES or failed.exists():
            raise NoRendition("this document cannot be made into pages")
        task = self._running.get(target.name)
        if task is None:
            if len(self._running) >= MAX_WAITING:
                raise RenditionsBusy
            task = asyncio.get_running_loop().create_task(
                self._make_once(source, suffix, target, failed), name=f"rendition {blob_id[:8]}"
            )
            self._running[target.name] = task
            task.add_done_callback(lambda done: self._forget(target.name, done))
        return await asyncio.shield(task)  # a reader that leaves does not end it for the others

    def _forget(self, name: str, done: asyncio.Task[Path]) -> None:
        del self._running[name]
        if not done.cancelled():
            done.exception()  # whoever still waits was told; if nobody does, it was told to the log

    async def close(self) -> None:
        """End what runs."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _make_once(self, source: Path, suffix: str, target: Path, failed: Path) -> Path:
        async with self._one:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                await self._make(source, suffix, target)
            except NoRendition as problem:
                log.warning("no rendition", extra={"blob": target.name[:12], "reason": str(problem)})
                failed.touch()
                raise
        return target

    async def _make(self, source: Path, suffix: str, target: Path) -> None:
        await asyncio.to_thread(_check, source, suffix)
        with tempfile.TemporaryDirectory(prefix="rendition-", dir=target.parent, ignore_cleanup_errors=True) as name:
            folder = Path(name)
            document = await asyncio.to_thread(_prepare, folder, source, suffix)
            await self._run(folder, document)
            made = folder / "out" / "document.pdf"
            if not await asyncio.to_thread(_is_pdf, made):
                raise NoRendition("the office program made no PDF of it")
            made.replace(target)

    async def _run(self, folder: Path, document: Path) -> None:
        command = [
            *self._limited(), str(self._program), f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless",
            "--norestore", "--nologo", "--nodefault", "--nolockcheck", "--convert-to", "pdf", "--outdir", str(folder / "out"),
            str(document),
        ]  # fmt: skip
        nothing = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
            cwd=folder,
            env=_environment(folder),
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(self._limits.seconds):
                code = await process.wait()
        except TimeoutError:
            raise NoRendition("it took too long") from None
        finally:
            _end(process)
            await process.wait()
        if code:
            raise NoRendition(f"the office program gave up ({code})")

    def _limited(self) -> list[str]:
        """A shell that sets the limits and becomes the program; where there is none, only the clock limits it."""
        if sys.platform == "win32":
            return []
        limits = self._limits
        numbers = (limits.memory // 1024, max(1, round(limits.seconds)), limits.written // 512)
        return ["/bin/sh", "-c", _LIMITED, "sh", *map(str, numbers)]


def drop_orphaned_renditions(cache: Path, blobs: Path) -> None:
    """Forget what was made of blobs that are gone, and folders of runs that a crash left."""
    for path in cache.glob("??/*"):
        blob_id = path.name.partition("-")[0]
        if blob_id != "rendition" and not (blobs / blob_id[:2] / blob_id[2:4] / blob_id).exists():
            path.unlink(missing_ok=True)


def _check(source: Path, suffix: str) -> None:
    with source.open("rb") as opened:
        head = opened.read(8)
        size = opened.seek(0, os.SEEK_END)
    if size > MAX_SOURCE:
        raise NoRendition("the document is too large")
    # What it is called decides which filter reads it: it must be that, or an office program would guess and open anything.
    if not head.startswith(_STARTS.get(suffix, (_OLE, _ZIP, _RTF) if suffix == "doc" else _OLE)):
        raise NoRendition("the document is not what its name says")


def _prepare(folder: Path, source: Path, suffix: str) -> Path:
    for name in ("out", "home", "profile/user"):
        (folder / name).mkdir(parents=True)
    (folder / "profile/user/registrymodifications.xcu").write_text(_PROFILE, "utf-8")
    return Path(shutil.copyfile(source, folder / f"document.{suffix}"))


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of the server's own environment but where programs and languages are."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT") if name in os.environ}
    return kept | {"HOME": str(folder / "home"), "TMPDIR": str(folder), "TEMP": str(folder), "SAL_USE_VCLPLUGIN": "svp"}


def _is_pdf(path: Path) -> bool:
    if not path.is_file() or path.is_symlink():
        return False
    with path.open("rb") as opened:
        return opened.read(5) == b"%PDF-"


def _end(process: asyncio.subprocess.Process) -> None:
    """Ends the program with all it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
