"""A whole desktop without a monitor: Xvfb, D-Bus, a window manager, a tray, a notification daemon, a keyring if wanted.

`with DesktopSession() as session:` gives `session.env` for the programs under test; leaving it ends everything that it
started, and nothing else. Readiness is seen (a selection owned, a name on the bus), never guessed by sleeping. The bus
activates no service by itself, so that nothing of this machine's desktop leaks in. Linux only; standard library only
(the recording services run in a process of their own, see session_services.py).
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, Self

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 20.0
STOP_SECONDS = 3.0
POLL_SECONDS = 0.02
WALLPAPER = 0x6B7F99  # shows frames, shadows and light pop-ups for what they are
TRAY_SELECTION = "_NET_SYSTEM_TRAY_S0"  # freedesktop.org System Tray Protocol
WINDOW_MANAGER_SELECTION = "WM_S0"  # ICCCM 2.0, section 4.3

# No <standard_session_servicedirs/>: a call to a name nobody owns fails at once instead of starting somebody's daemon.
BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


class SessionFailed(Exception):
    """A part of the desktop did not start or did not answer in time; carries the end of its log."""


@dataclass(frozen=True)
class Notification:
    """One pop-up as the notification daemon got it; `actions` maps key to label."""

    number: int
    app: str
    summary: str
    body: str
    actions: dict[str, str]
    hints: dict[str, Any]
    expire: int


@dataclass(frozen=True)
class TrayIcon:
    """What a StatusNotifier item tells: texts and the ARGB32 (network byte order) pixmaps, (width, height, base64)."""

    title: str
    status: str
    tool_tip: str
    icon_name: str
    pixmaps: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True)
class TrayMenuEntry:
    """One entry of the icon's menu; depth 1 is the top level."""

    entry: int
    label: str
    enabled: bool
    checked: bool
    depth: int


class DesktopSession:
    """Context manager around one virtual desktop.

    Args:
        size: pixels of the screen.
        tray: "sni" a StatusNotifier host of ours (readable, clickable), "xembed" trayer, or "none".
        notifications: "recorder" ours (readable), "dunst" a real one that shows them, "none".
        keyring: True starts gnome-keyring, unlocked, as the secret service.
    """

    def __init__(
        self,
        *,
        size: tuple[int, int] = (1440, 900),
        tray: Literal["sni", "xembed", "none"] = "xembed",
        notifications: Literal["recorder", "dunst", "none"] = "recorder",
        keyring: bool = False,
    ) -> None:
        self.env: dict[str, str] = {}
        self.folder = Path()
        self._size = size
        self._tray_kind = tray
        self._notifications_kind = notifications
        self._wants_keyring = keyring
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._events: list[dict[str, Any]] = []
        self._heard = threading.Condition()
        self._reader: threading.Thread | None = None
        self._next_command = 0
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        if sys.platform != "linux":
            raise SessionFailed("A virtual desktop needs Linux.")
        with contextlib.ExitStack() as stack:
            self.folder = Path(tempfile.mkdtemp(prefix="tongban-session-"))
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            stack.callback(self._end_all)
            self._start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        self.env = self._environment()
        self._start_screen()
        self._start_bus()
        self._spawn("openbox", ["openbox", "--sm-disable"])
        self._wait("openbox", lambda: _selection_owned(self.env["DISPLAY"], WINDOW_MANAGER_SELECTION))
        services = [
            *(["notifications"] if self._notifications_kind == "recorder" else []),
            *(["tray"] if self._tray_kind == "sni" else []),
        ]
        if services:
            self._start_services(services)
        if self._tray_kind == "xembed":
            self.start_tray()
        if self._notifications_kind == "dunst":
            self._spawn("dunst", ["dunst"])
            self._wait("dunst", lambda: self.bus_name_has_owner("org.freedesktop.Notifications"))
        if self._wants_keyring:
            self._start_keyring()

    def _environment(self) -> dict[str, str]:
        env = {
            key: value
            for key, value in os.environ.items()
            if key not in {"WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "XAUTHORITY", "SESSION_MANAGER"}
        }
        for name in ("runtime", "config", "data", "cache", "state"):
            folder = self.folder / name
            folder.mkdir(mode=0o700)
            key = "XDG_RUNTIME_DIR" if name == "runtime" else f"XDG_{name.upper()}_HOME"
            env[key] = str(folder)
        env.update(
            XDG_SESSION_TYPE="x11", QT_QPA_PLATFORM="xcb", NO_AT_BRIDGE="1", LANG=os.environ.get("LANG") or "C.UTF-8"
        )
        if self._wants_keyring:
            env.pop("PYTHON_KEYRING_BACKEND", None)
        return env

    def _start_screen(self) -> None:
        reader, writer = os.pipe()
        width, height = self._size
        argv = [
            "Xvfb",
            "-displayfd",
            str(writer),
            "-screen",
            "0",
            f"{width}x{height}x24",
            "-nolisten",
            "tcp",
            "-noreset",
        ]
        try:
            self._spawn("Xvfb", argv, pass_fds=(writer,))
        finally:
            os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            ready, _, _ = select.select([pipe], [], [], START_SECONDS)
            number = pipe.readline().strip().decode() if ready else ""
        if not number:
            raise SessionFailed(f"Xvfb chose no display.\n{self.log('Xvfb')}")
        self.env["DISPLAY"] = f":{number}"
        with _x11(self.env["DISPLAY"]) as (x11, connection):
            root = ctypes.c_ulong(x11.XDefaultRootWindow(connection))
            x11.XSetWindowBackground(connection, root, ctypes.c_ulong(WALLPAPER))
            x11.XClearWindow(connection, root)

    def _start_bus(self) -> None:
        socket = self.folder / "runtime" / "bus"
        config = self.folder / "bus.conf"
        config.write_text(BUS_CONFIG.format(socket=socket), encoding="utf-8")
        self.env["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={socket}"
        self._spawn("dbus-daemon", ["dbus-daemon", "--nofork", "--nopidfile", f"--config-file={config}"])
        self._wait("dbus-daemon", socket.exists)

    def _start_services(self, wanted: Sequence[str]) -> None:
        argv = [sys.executable, "-m", "build_scripts.session_services", *wanted]
        process = self._spawn("services", argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout is not None
        self._reader = threading.Thread(
            target=self._listen, args=(process.stdout,), name="session services", daemon=True
        )
        self._reader.start()
        self._wait("services", lambda: any(event["event"] == "ready" for event in self._events))

    def _start_keyring(self) -> None:
        argv = [
            "gnome-keyring-daemon",
            "--unlock",
            "--components=secrets",
            "--foreground",
            "--control-directory",
            str(self.folder / "runtime"),
        ]
        process = self._spawn("gnome-keyring-daemon", argv, stdin=subprocess.PIPE)
        assert process.stdin is not None
        process.stdin.write(b"test-keyring\n")
        process.stdin.close()
        self._wait("gnome-keyring-daemon", lambda: self.bus_name_has_owner("org.freedesktop.secrets"))

    def start_tray(self) -> None:
        """Starts trayer (again), the XEmbed tray, at the bottom right."""
        look = ["--edge", "bottom", "--align", "right", "--widthtype", "request", "--height", "28"]
        self._spawn("trayer", ["trayer", *look, "--transparent", "true", "--alpha", "0", "--tint", "0x333333"])
        self._wait("trayer", lambda: _selection_owned(self.env["DISPLAY"], TRAY_SELECTION))

    def stop_tray(self) -> None:
        """Ends trayer as a crash would; a good program gets its icon back when start_tray() follows."""
        self._end("trayer")

    def popen(
        self, name: str, argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Starts a program on this desktop, in a process group that ends with the session; log(name) is its output."""
        return self._spawn(name, [str(word) for word in argv], extra_env=env)

    def _spawn(
        self,
        name: str,
        argv: Sequence[str],
        *,
        extra_env: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: int | None = None,
        pass_fds: tuple[int, ...] = (),
    ) -> subprocess.Popen[bytes]:
        if name in self._processes and self._processes[name].poll() is None:
            raise SessionFailed(f"{name} runs already")
        # Should we be killed, the kernel ends our children with us.
        tied = ["setpriv", "--pdeathsig", "KILL", "--", *argv] if shutil.which("setpriv") else list(argv)
        with (self.folder / f"{name}.log").open("ab") as log:
            try:
                process = subprocess.Popen(
                    tied,
                    cwd=ROOT,
                    env={**self.env, **(extra_env or {})},
                    stdin=stdin,
                    stdout=log if stdout is None else stdout,
                    stderr=log,
                    start_new_session=True,
                    pass_fds=pass_fds,
                )
            except OSError as error:
                raise SessionFailed(f"Cannot start {argv[0]}: {error}") from error
        self._processes[name] = process
        return process

    def _end_all(self) -> None:
        for name in reversed(list(self._processes)):
            self._end(name)
        if self._reader is not None:
            self._reader.join(STOP_SECONDS)

    def _end(self, name: str) -> None:
        process = self._processes.pop(name)
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # grandchildren that outlived it

    def log(self, name: str, lines: int = 30) -> str:
        """The end of what a program of the session wrote."""
        try:
            text = (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def screenshot(self, path: Path) -> Path:
        """Saves the whole screen as PNG.

        Raises:
            SessionFailed: the screen could not be read.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self.run_tool("import", "-window", "root", str(path))
        return path

    def run_tool(self, *argv: str) -> str:
        """Runs a short command on this desktop (xdotool, xprop …) and returns what it printed.

        Raises:
            SessionFailed: it ended with an error or took too long.
        """
        try:
            done = subprocess.run(
                argv, env=self.env, capture_output=True, timeout=START_SECONDS, check=False, encoding="utf-8"
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SessionFailed(f"{argv[0]}: {error}") from error
        if done.returncode:
            raise SessionFailed(f"{' '.join(argv)}: code {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def bus_name_has_owner(self, name: str) -> bool:
        """True when a program owns this name on the session's bus."""
        call = [
            "dbus-send",
            "--session",
            "--print-reply=literal",
            "--dest=org.freedesktop.DBus",
            "/org/freedesktop/DBus",
        ]
        try:
            return "true" in self.run_tool(*call, "org.freedesktop.DBus.NameHasOwner", f"string:{name}")
        except SessionFailed:
            return False

    def wait_until(self, condition: Callable[[], bool], what: str, timeout: float = START_SECONDS) -> None:
        """Polls a condition until it holds.

        Raises:
            SessionFailed: it did not hold in time.
        """
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise SessionFailed(f"Waited {timeout:.0f} s in vain: {what}")
            time.sleep(POLL_SECONDS)

    def _wait(self, name: str, ready: Callable[[], bool]) -> None:
        process = self._processes[name]

        def ready_or_dead() -> bool:
            if process.poll() is not None:
                raise SessionFailed(f"{name} ended with code {process.returncode}.\n{self.log(name)}")
            return ready()

        self.wait_until(ready_or_dead, f"{name} is ready")

    def notifications(self) -> list[Notification]:
        """Everything notified so far, oldest first, closed or not."""
        with self._heard:
            return [_notification(event) for event in self._events if event["event"] == "notified"]

    def wait_for_notification(
        self, wanted: Callable[[Notification], bool], timeout: float = START_SECONDS
    ) -> Notification:
        """The first notification, past or coming, that is wanted.

        Raises:
            SessionFailed: none came in time; the text lists how many others did.
        """
        found: list[Notification] = []

        def look() -> bool:
            found[:] = [notification for notification in self.notifications() if wanted(notification)]
            return bool(found)

        with self._heard:
            self._heard.wait_for(look, timeout)
        if not found:
            raise SessionFailed(
                f"No such notification within {timeout:.0f} s; {len(self.notifications())} others came."
            )
        return found[0]

    def closed_notifications(self) -> set[int]:
        """The numbers of those that the program or the user closed."""
        with self._heard:
            return {event["number"] for event in self._events if event["event"] == "closed"}

    def invoke(self, notification: Notification, action: str = "default") -> None:
        """Presses a button of a notification; "default" is a click on the notification itself."""
        self._command("invoke", number=notification.number, action=action)

    def reply(self, notification: Notification, text: str) -> None:
        """Replies in place."""
        self._command("reply", number=notification.number, text=text)

    def dismiss(self, notification: Notification) -> None:
        """Closes it as a user does."""
        self._command("dismiss", number=notification.number)

    def wait_for_tray_icon(
        self, wanted: Callable[[TrayIcon], bool] = lambda _: True, timeout: float = START_SECONDS
    ) -> TrayIcon:
        """The program's tray icon, as soon as it is there and looks as wanted (tray="sni").

        Raises:
            SessionFailed: it did not in time.
        """
        found: list[TrayIcon] = []

        def look() -> bool:
            with contextlib.suppress(SessionFailed):
                found[:] = [icon for icon in [self.tray_icon()] if wanted(icon)]
            return bool(found)

        self.wait_until(look, "the tray icon looks as wanted", timeout)
        return found[0]

    def tray_icon(self) -> TrayIcon:
        """The newest tray icon (tray="sni").

        Raises:
            SessionFailed: there is none.
        """
        value = self._command("tray")
        return TrayIcon(**{**value, "pixmaps": tuple((w, h, data) for w, h, data in value["pixmaps"])})

    def click_tray_icon(self) -> None:
        """Clicks the tray icon (tray="sni")."""
        self._command("tray-activate")

    def tray_menu(self) -> list[TrayMenuEntry]:
        """The entries of the icon's menu, separators left out (tray="sni")."""
        return [TrayMenuEntry(**row) for row in self._command("tray-menu")]

    def choose_from_tray_menu(self, entry: TrayMenuEntry) -> None:
        """Clicks one entry of the icon's menu (tray="sni")."""
        self._command("tray-choose", entry=entry.entry)

    def _command(self, verb: str, **data: object) -> Any:
        process = self._processes.get("services")
        if process is None or process.stdin is None:
            raise SessionFailed("This session has no recording services (notifications='recorder', tray='sni').")
        self._next_command += 1
        number = self._next_command
        process.stdin.write((json.dumps({"id": number, "do": verb, **data}) + "\n").encode())
        process.stdin.flush()
        answers: list[dict[str, Any]] = []

        def look() -> bool:
            answers[:] = [event for event in self._events if event["event"] == "answer" and event["id"] == number]
            return bool(answers)

        with self._heard:
            self._heard.wait_for(look, START_SECONDS)
        if not answers:
            raise SessionFailed(f"{verb}: no answer.\n{self.log('services')}")
        if "error" in answers[0]:
            raise SessionFailed(f"{verb}: {answers[0]['error']}")
        return answers[0]["value"]

    def _listen(self, stream: IO[bytes]) -> None:
        for line in stream:
            event = json.loads(line)
            with self._heard:
                self._events.append(event)
                self._heard.notify_all()
        stream.close()


def _notification(event: Mapping[str, Any]) -> Notification:
    return Notification(**{key: event[key] for key in Notification.__dataclass_fields__})


@contextlib.contextmanager
def _x11(display: str) -> Iterator[tuple[ctypes.CDLL, ctypes.c_void_p]]:
    """libX11 and a connection to the display.

    Raises:
        SessionFailed: the library is missing or nothing answers there.
    """
    try:
        x11 = ctypes.CDLL("libX11.so.6")
    except OSError as error:
        raise SessionFailed(f"libX11 is missing: {error}") from error
    x11.XOpenDisplay.restype = ctypes.c_void_p
    for function in (x11.XInternAtom, x11.XGetSelectionOwner, x11.XDefaultRootWindow):
        function.restype = ctypes.c_ulong
    connection = ctypes.c_void_p(x11.XOpenDisplay(display.encode()))
    if not connection:
        raise SessionFailed(f"No X server answers at {display}.")
    try:
        yield x11, connection
    finally:
        x11.XCloseDisplay(connection)


def _selection_owned(display: str, selection: str) -> bool:
    """True when an X client owns the selection: how a window manager and a tray say that they are there."""
    with _x11(display) as (x11, connection):
        atom = ctypes.c_ulong(x11.XInternAtom(connection, selection.encode(), False))
        return bool(x11.XGetSelectionOwner(connection, atom))
