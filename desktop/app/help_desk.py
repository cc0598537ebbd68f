"""Help: the diagnosis, wherever it is asked for, and the word about a last run that did not end as it should."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Qt

from desktop.ui.i18n import tr, when
from desktop.ui.tasks import TaskOwner

if TYPE_CHECKING:
    from desktop.app.bridge import Bridge
    from desktop.app.crash_log import Crash, CrashLog
    from desktop.app.diagnosis import DiagnosisDesk, Recipients
    from desktop.app.diagnosis_screen import ScreenSenses
    from desktop.app.signed_in import SignedIn
    from desktop.core.clock import Clock
    from desktop.core.services.client import Client
    from desktop.core.services.diagnosis import Diagnosis
    from desktop.core.services.session import Session
    from desktop.platform.notifications import SystemNotifications
    from desktop.platform.policy import Policy
    from desktop.ui.crash_report import CrashReportWindow
    from desktop.ui.diagnosis.window import DiagnosisWindow
    from desktop.ui.tray.tray import Tray

TOAST_KEY = "diagnosis"


class Helped(Protocol):
    """The program as the help desk sees it; Application is it."""

    bridge: "Bridge"
    client: "Client | None"
    policy: "Policy"
    tray: "Tray"
    notifications: "SystemNotifications"
    core_session: "Session | None"
    signed_in: "SignedIn | None"

    @property
    def clock(self) -> "Clock": ...
    @property
    def data_dir(self) -> Path: ...
    @property
    def server_now(self) -> str: ...
    def version(self) -> str: ...
    def open_network(self) -> None: ...


class HelpDesk(QObject):
    """One for the program. Everything it shows is loaded when it is asked for."""

    def __init__(self, application: Helped, parent: QObject) -> None:
        super().__init__(parent)
        self._application = application
        self.tasks = TaskOwner(self)
        self.window: DiagnosisWindow | None = None
        self.crash_window: CrashReportWindow | None = None
        self._crash: Crash | None = None
        self._crash_log: CrashLog | None = None

    # ------------------------------------------------------------ diagnosis
    def open_diagnosis(self) -> None:
        """Shows the window and begins; one at a time."""
        from desktop.ui.diagnosis.window import DiagnosisWindow

        if self.window is None:
            self.window = DiagnosisWindow(self._desk())
            self.window.finished.connect(self._on_closed)
            self.window.start()
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()

    def _on_closed(self, _result: int) -> None:
        if self.window is not None:
            self.window.deleteLater()
            self.window = None

    def close(self) -> None:
        """The program ends, or its session."""
        if self.window is not None:
            self.window.close()
        if self.crash_window is not None:
            self.crash_window.close()
        self.tasks.cancel_all()

    def _desk(self) -> "DiagnosisDesk":
        from desktop.app.diagnosis import Act, DiagnosisDesk

        app = self._application
        acts: dict[str, Act] = {"proxy": self._open_proxy, "toast": self._send_toast}
        if app.core_session is not None:
            acts |= {"clear_cache": self._clear_cache, "sign_in": self._sign_in}
        return DiagnosisDesk(
            app.bridge,
            app.data_dir,
            app.clock,
            self._make,
            self._senses(),
            acts,
            recipients=self._recipients,
            window=lambda: self.window,
        )

    def _senses(self) -> "ScreenSenses":
        from desktop.app.diagnosis_screen import ScreenSenses

        app = self._application
        return ScreenSenses(
            has_tray=lambda: app.tray.available, version=app.version, channel=lambda: app.policy.update_channel or ""
        )

    def _make(self) -> "Diagnosis | None":
        """Reads what the client knows; the checks themselves run on the core's thread."""
        app = self._application
        return None if app.client is None else app.client.diagnosis(app.server_now, app.core_session)

    def _recipients(self) -> "Recipients | None":
        from desktop.app.diagnosis import Recipients

        entered = self._application.signed_in
        return None if entered is None else Recipients(entered.session, entered.desk.people)

    # ------------------------------------------------------------ what its buttons do
    def _open_proxy(self) -> None:
        self._application.open_network()

    def _sign_in(self) -> None:
        entered = self._application.signed_in
        if entered is not None:
            entered.ended.emit("signIn")

    def _send_toast(self) -> Awaitable[str]:
        async def send() -> str:
            sent = await self._application.notifications.send(
                TOAST_KEY, tr("diagnosis.toast.title"), tr("diagnosis.toast.text")
            )
            return tr("diagnosis.act.done.toast" if sent else "diagnosis.act.done.no_toast")

        return send()

    def _clear_cache(self) -> Awaitable[str]:
        async def clear() -> str:
            from desktop.app.local_cache import LocalCache

            app = self._application
            if app.core_session is None:
                return ""
            freed = await app.bridge.finish(LocalCache(app.data_dir, app.core_session).clear())
            return tr("diagnosis.act.done.cleared", size=when.size(freed))

        return clear()

    # ------------------------------------------------------------ the last run
    def expect_crash(self, crash: "Crash | None", crash_log: "CrashLog") -> None:
        """What the last run left; told once the first screen stands."""
        self._crash, self._crash_log = crash, crash_log

    def leave(self) -> None:
        """The user's session on this machine ends."""
        if self._crash_log is not None:
            self._crash_log.note_leaving()

    def tell_crash(self) -> None:
        """Shows the word about the last run, once, without taking the keyboard."""
        crash, self._crash = self._crash, None
        if crash is None or self._crash_log is None:
            return
        from desktop.ui.crash_report import CrashReportWindow

        crash_log = self._crash_log
        self.crash_window = shown = CrashReportWindow(crash.kind, self._crash_report(crash), write=_write)
        shown.silenced.connect(lambda: crash_log.silence(crash))
        shown.finished.connect(self._on_crash_closed)
        shown.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        shown.show()
        if self._application.core_session is not None:
            self.tasks.start(self._tell_safe(), name="safe")

    async def _tell_safe(self) -> None:
        session = self._application.core_session
        if session is not None:
            waiting = await self._application.bridge.call(session.outbox.pending())
            if self.crash_window is not None:
                self.crash_window.tell_safe(waiting)

    def _on_crash_closed(self, _result: int) -> None:
        if self.crash_window is not None:
            self.crash_window.deleteLater()
            self.crash_window = None

    def _crash_report(self, crash: "Crash") -> Callable[[], str]:
        def report() -> str:
            from desktop.app.diagnosis_screen import system_figures
            from desktop.core.clock import utc_date
            from desktop.core.services.log_excerpt import load_excerpt

            app = self._application
            head = [f"kind: {crash.kind}", f"what: {crash.what}", f"began: {utc_date(crash.began)}"]
            head += [f"noticed: {utc_date(crash.noticed)}", *(f"  {place}" for place in crash.places)]
            figures = [f"{name}: {value}" for name, value in system_figures(app.version()).items()]
            return "\n".join([*head, "", *figures, "", *load_excerpt(app.data_dir / "logs" / "tongban.log")]) + "\n"

        return report


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
