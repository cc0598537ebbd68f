"""Help → Diagnose put together: the checks of the core and of the screen, what its buttons do, the report, and who it is sent to."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from PySide6.QtWidgets import QWidget

from desktop.app.bridge import Bridge
from desktop.app.diagnosis_screen import SCREEN_CHECKS, ScreenChecks, ScreenSenses, system_figures
from desktop.core.clock import Clock, utc_date
from desktop.core.domain.diagnosis import Finding, FindingState
from desktop.core.services.diagnosis import CORE_CHECKS, Diagnosis
from desktop.core.services.diagnosis_report import DiagnosisReport, make_report, write_report
from desktop.core.services.log_excerpt import load_excerpt
from desktop.models.people import People
from desktop.models.verbs import TalkSession
from desktop.ui.diagnosis import words

KEPT_REPORTS = 5
Act = Callable[[], Awaitable[str] | None]


class HasCheck(Protocol):
    """The core's part."""

    async def check(self, name: str) -> Finding: ...


@dataclass(frozen=True, slots=True)
class Recipients:
    """Whom a report may be sent to: the conversations and colleagues of the signed-in session."""

    session: TalkSession
    people: People


@dataclass(slots=True)
class DiagnosisDesk:
    """Implements DiagnosisVerbs. `make`: the core's checks for how things stand now; None while the data folder is not open."""

    bridge: Bridge
    data_dir: Path
    clock: Clock
    make: Callable[[], Diagnosis | None]
    senses: ScreenSenses
    acts: Mapping[str, Act] = field(default_factory=dict)
    recipients: Callable[[], Recipients | None] = lambda: None
    window: Callable[[], QWidget | None] = lambda: None

    @property
    def names(self) -> Sequence[str]:
        """All checks, in order."""
        return (*CORE_CHECKS, *SCREEN_CHECKS)

    @property
    def send(self) -> Callable[[Sequence[Finding]], Awaitable[bool]] | None:
        """Sends the report as a file, where somebody is signed in."""
        return self._send if self.recipients() is not None else None

    async def check(self, name: str) -> Finding:
        """One check; the core's run on its thread."""
        if name in SCREEN_CHECKS:
            await asyncio.sleep(0)  # the row that says "checking" is painted first
            return ScreenChecks(self.senses).check(name)
        diagnosis = self.make()
        if diagnosis is None:
            return Finding(name, FindingState.UNCHECKED, "closed")
        return await self.bridge.call(diagnosis.check(name))

    def text(self, findings: Sequence[Finding]) -> str:
        """The report for people, with the excerpt of the log."""
        report = self.report(findings)
        return "\n".join([report.text, *report.log])

    def report(self, findings: Sequence[Finding]) -> DiagnosisReport:
        """What is saved and sent."""
        made_at = utc_date(self.clock.now_ms())
        system = system_figures(self.senses.version())
        log = load_excerpt(self.data_dir / "logs" / "tongban.log")
        return make_report(made_at, system, findings, words.as_text(made_at, system, findings), log)

    async def save(self, findings: Sequence[Finding], path: Path) -> None:
        """Writes the report. Raises StorageUnavailable."""
        await asyncio.to_thread(write_report, self.report(findings), path)

    def file_name(self) -> str:
        """A name for the report, by its moment."""
        return f"tongban-diagnosis-{utc_date(self.clock.now_ms())[:19].replace(':', '')}.zip"

    async def _send(self, findings: Sequence[Finding]) -> bool:
        """Asks to whom and sends. False when the user thought better of it."""
        from desktop.ui.chat.target_picker import ask_targets

        to, over = self.recipients(), self.window()
        if to is None or over is None:
            return False
        name, chat = self.file_name(), to.session.chat
        targets, said = await ask_targets(over, to.people, await chat.conversations(), summary=name)
        if not targets:
            return False
        path = self._place(name)
        await self.save(findings, path)
        for target in targets:
            conversation_id = target.conversation_id or (await chat.open_direct(target.person_id)).id
            await chat.send_file(conversation_id, path)
            if said:
                await chat.send_text(conversation_id, said)
        return True

    def _place(self, name: str) -> Path:
        """Where a sent report lies until it is through; older ones go."""
        folder = self.data_dir / "reports"
        folder.mkdir(parents=True, exist_ok=True)
        for old in sorted(folder.glob("*.zip"))[: -KEPT_REPORTS + 1]:
            old.unlink(missing_ok=True)
        return folder / name
