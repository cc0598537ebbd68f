"""The window of Help → Diagnose: runs the checks one after the other, each with its own time limit; can be stopped, copied, saved, sent."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QFileDialog, QProgressBar, QWidget

from desktop.core.clock import SystemClock
from desktop.core.domain.diagnosis import Finding, FindingState
from desktop.core.errors import AppError
from desktop.platform.folders import downloads_dir
from desktop.ui import i18n, theme
from desktop.ui.diagnosis import words
from desktop.ui.diagnosis.row import CheckRow
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Card, Dialog, Divider, Label, Scroll, Snack, clipboard_text, on_click, row
from desktop.ui.tasks import TaskOwner, alive, present

log = logging.getLogger("tongban.diagnosis")

WIDTH, HEIGHT = 600, 660
LIMIT_S = 12.0
LIMITS = {"network": 8.0, "sign_in": 20.0, "socket": 20.0, "store": 15.0, "notifications": 6.0}


class DiagnosisVerbs(Protocol):
    """What the window asks of the wiring. `acts`: what a button can do now, by name. `send` is None while nobody is signed in."""

    @property
    def names(self) -> Sequence[str]: ...
    @property
    def acts(self) -> Mapping[str, Callable[[], Awaitable[str] | None]]: ...
    @property
    def send(self) -> Callable[[Sequence[Finding]], Awaitable[bool]] | None: ...
    async def check(self, name: str) -> Finding: ...
    def text(self, findings: Sequence[Finding]) -> str: ...
    async def save(self, findings: Sequence[Finding], path: Path) -> None: ...
    def file_name(self) -> str: ...


class DiagnosisWindow(Dialog):
    """Not modal: what it tells may be cured in another window meanwhile."""

    def __init__(
        self, verbs: DiagnosisVerbs, parent: QWidget | None = None, *, limits: Mapping[str, float] = LIMITS
    ) -> None:
        super().__init__(parent, "diagnosis.title", width=420)
        self.setWindowModality(Qt.WindowModality.NonModal)
        self.setObjectName("diagnosisWindow")
        self._verbs, self._limits, self._clock = verbs, limits, SystemClock()
        self.tasks = TaskOwner(self)
        self.rows = {name: CheckRow(name) for name in verbs.names}
        self.summary = Label(role="secondary", tone="ink2", wrap=True)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setRange(0, len(self.rows))
        i18n.bind(self.progress.setAccessibleName, "diagnosis.progress")
        self.again = Button(key="diagnosis.stop", kind="secondary")
        self.copy = Button(key="diagnosis.copy", kind="secondary")
        self.save = Button(key="diagnosis.save", kind="secondary")
        self.send = Button(key="diagnosis.send", kind="secondary")
        self._build()
        self.snack = Snack(self)
        i18n.changed.connect(self._tell)

    def _build(self) -> None:
        self.body.addWidget(Label(key="diagnosis.title", role="header", strong=True))
        self.body.addWidget(self.summary)
        self.body.addWidget(self.progress)
        scroll = Scroll()
        scroll.inner.setContentsMargins(0, 0, 0, 0)
        card = Card(padding=0)
        card.body.setSpacing(0)
        for number, part in enumerate(self.rows.values()):
            if number:
                card.body.addWidget(Divider())
            card.body.addWidget(part)
            part.act_asked.connect(self._on_act)
        scroll.inner.addWidget(card)
        scroll.inner.addStretch(1)
        self.body.addWidget(scroll, 1)
        self.body.addWidget(Label(key="diagnosis.no_secrets", role="secondary", tone="ink3", wrap=True))
        self.body.addLayout(row(self.copy, self.save, self.send, None, spacing=8))
        self.buttons.addWidget(self.again)
        self.add_button("common.close", accept=False)
        on_click(self.again, self._on_again)
        on_click(self.copy, self._on_copy)
        on_click(self.save, self._on_save)
        on_click(self.send, lambda: self.tasks.start(self._send(), name="send", exclusive=True))
        self.resize(theme.scaled(WIDTH), theme.scaled(HEIGHT))

    # ------------------------------------------------------------ running
    @property
    def findings(self) -> list[Finding]:
        """What was found so far, in the order of the list."""
        return [row_.finding for row_ in self.rows.values() if row_.finding is not None]

    def start(self) -> None:
        """Looks at everything, from the beginning."""
        for row_ in self.rows.values():
            row_.show_waiting()
        self.tasks.start(self._run(list(self.rows)), name="run", exclusive=True)
        self._tell()

    def stop(self) -> None:
        """Leaves the rest unchecked."""
        self.tasks.cancel("run")

    async def _run(self, names: Sequence[str]) -> None:
        try:
            for name in names:
                row_ = self.rows[name]
                row_.show_running()
                self._tell()
                finding = await self._look(name)
                row_.show_finding(finding, can_act=finding.act in self._verbs.acts)
        finally:
            if alive(self):
                for row_ in self.rows.values():
                    if row_.finding is None:
                        row_.show_waiting()
                self._tell(over=True)

    async def _look(self, name: str) -> Finding:
        begun = self._clock.monotonic()
        limit = self._limits.get(name, LIMIT_S)
        try:
            async with asyncio.timeout(limit):
                finding = await self._verbs.check(name)
        except TimeoutError:
            finding = Finding(name, FindingState.ATTENTION, "timeout", {"seconds": round(limit)})
        except AppError as error:
            finding = Finding(name, FindingState.ATTENTION, "broken", {"code": error.code})
        took = round((self._clock.monotonic() - begun) * 1000)
        return msgspec.structs.replace(finding, took_ms=took)

    def _tell(self, *, over: bool = False) -> None:
        running = self.tasks.running("run") and not over
        done = len(self.findings)
        self.progress.setValue(done)
        self.progress.setVisible(running)
        whole = done == len(self.rows)
        if running:
            self.summary.setText(tr("diagnosis.running", done=done, total=len(self.rows)))
        else:
            self.summary.setText(words.summary(self.findings) if whole else tr("diagnosis.stopped", done=done))
        i18n.bind(self.again.setText, "diagnosis.stop" if running else "diagnosis.again")
        for button in (self.copy, self.save, self.send):
            button.setEnabled(not running and done > 0)
        self.send.setVisible(self._verbs.send is not None)

    # ------------------------------------------------------------ buttons
    def _on_again(self) -> None:
        if self.tasks.running("run"):
            self.stop()
        else:
            self.start()

    def _on_act(self, act: str) -> None:
        deed = self._verbs.acts.get(act)
        done = deed() if deed is not None else None
        if done is not None:
            self.tasks.start(self._await_act(done), name="act", exclusive=True)

    async def _await_act(self, done: Awaitable[str]) -> None:
        said = await done
        if alive(self) and said:
            self.snack.say(said)

    def _on_copy(self) -> None:
        clipboard_text(self._verbs.text(self.findings))
        self.snack.say(tr("diagnosis.copied"))

    def _on_save(self) -> None:
        dialog = QFileDialog(self, tr("diagnosis.save"), str(downloads_dir() / self._verbs.file_name()))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("zip")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.tasks.start(self.save_to(Path(path)), name="save"))
        dialog.open()

    async def save_to(self, path: Path) -> None:
        """Writes the report."""
        try:
            await self._verbs.save(self.findings, path)
        except AppError as error:
            present(error, self)
            return
        if alive(self):
            self.snack.say(tr("diagnosis.saved", name=path.name))

    async def _send(self) -> None:
        send = self._verbs.send
        if send is not None and await send(self.findings) and alive(self):
            self.snack.say(tr("diagnosis.sent"))

    def closeEvent(self, event: QCloseEvent) -> None:
        self.tasks.cancel_all()
        super().closeEvent(event)

    def done(self, result: int) -> None:
        """Closed, by button, Escape or the window's own cross."""
        self.tasks.cancel_all()
        super().done(result)
