"""One client per data folder, by a lock. A second start hands its links over to the first and ends.

The channel for that is a local socket only this user may open. It carries one JSON line: {"links": [...]}, or {"links": [], "end": true}
from an installer that wants the running client to save and end; the answer is "ok".
"""

import getpass
import hashlib
import json
import logging
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QDeadlineTimer, QObject, QThread, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from desktop.platform.folder_lock import FolderLock

log = logging.getLogger("tongban.instance")

CONNECT_MS = 1000
ANSWER_MS = 10_000  # a client that starts on a slow disk does not answer at once
POLL_MS = 50
MAX_LINE = 64 * 1024
MAX_LINKS = 100


def instance_name(data_dir: Path) -> str:
    """The local socket's name for one user and one data folder."""
    key = f"{getpass.getuser()}\n{data_dir}".encode()
    return "tongban-" + hashlib.sha256(key).hexdigest()[:24]


class SingleInstance(QObject):
    """Claims the folder, or finds the client that has it."""

    asked = Signal(list)  # links handed over by a second start; empty: just show yourself
    end_asked = Signal()  # save and end: `tongban --quit`

    def __init__(self, data_dir: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = instance_name(data_dir)
        self._lock = FolderLock(data_dir)
        self._server: QLocalServer | None = None
        self._buffers: dict[QLocalSocket, bytearray] = {}

    def hand_over(self, links: tuple[str, ...]) -> bool:
        """Asks a running client to show itself and open `links`. False when none runs, or the one that runs does not answer."""
        deadline = QDeadlineTimer(ANSWER_MS)
        while not self._is_alone():
            if self._ask(links):
                return True
            if deadline.hasExpired():
                log.error("another client has this data folder and does not answer")
                return False
            QThread.msleep(POLL_MS)  # it starts up just now, or ends
        return False

    def end_other(self, limit_ms: int) -> Literal["nobody", "ended", "stays"]:
        """Asks a running client to save and end, and waits for it. `nobody`: none runs; `stays`: it did not end within the limit."""
        deadline = QDeadlineTimer(limit_ms)
        try:
            if self._is_alone():
                return "nobody"
            told = False
            while not deadline.hasExpired():
                told = told or self._ask((), end=True)
                if self._is_alone():
                    return "ended"
                QThread.msleep(POLL_MS)
            return "stays"
        finally:
            self._lock.release()

    def claim(self) -> bool:
        """Becomes the one client. False when another one has the folder."""
        if not self._is_alone():
            return False
        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        QLocalServer.removeServer(self._name)  # the last one may have crashed and left its socket behind
        if server.listen(self._name):
            server.newConnection.connect(self._accept)
            self._server = server
        else:  # a temporary folder with too long a name, or none: a second start then finds us, but cannot hand over
            log.warning("no local socket: %s", server.errorString())
        return True

    def release(self) -> None:
        """Gives the folder back."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for socket in tuple(self._buffers):
            socket.abort()  # tells `disconnected`, which forgets it
        self._lock.release()

    def _is_alone(self) -> bool:
        try:
            return self._lock.acquire()
        except OSError as error:
            log.warning("the data folder cannot be locked: %s", error.strerror)
            return not self._ask(())  # then the socket alone must tell

    def _ask(self, links: tuple[str, ...], *, end: bool = False) -> bool:
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if not socket.waitForConnected(CONNECT_MS):
            return False
        request: dict[str, object] = {"links": list(links), **({"end": True} if end else {})}
        socket.write(json.dumps(request).encode() + b"\n")
        socket.waitForBytesWritten(CONNECT_MS)
        # Who has the request will open it: asking again meanwhile would open it twice.
        answered = socket.bytesAvailable() > 0 or socket.waitForReadyRead(ANSWER_MS)
        socket.disconnectFromServer()
        return answered

    def _accept(self) -> None:
        server = self._server
        while server is not None and server.hasPendingConnections():
            socket = server.nextPendingConnection()
            self._buffers[socket] = bytearray()
            socket.readyRead.connect(lambda s=socket: self._read(s))
            socket.disconnected.connect(lambda s=socket: self._forget(s))
            self._read(socket)

    def _forget(self, socket: QLocalSocket) -> None:
        self._buffers.pop(socket, None)
        socket.setParent(None)  # a parent that is collected while a child still waits for its deletion crashes PySide
        socket.deleteLater()

    def _read(self, socket: QLocalSocket) -> None:
        buffer = self._buffers.get(socket)
        if buffer is None:
            return
        buffer += bytes(socket.readAll().data())
        if len(buffer) > MAX_LINE:
            socket.abort()
            return
        line, newline, _rest = bytes(buffer).partition(b"\n")
        if not newline:
            return
        buffer.clear()
        links = parse_links(line)
        if links is None:
            socket.abort()
            return
        socket.write(b"ok\n")
        socket.flush()
        if asks_end(line):
            self.end_asked.emit()
        else:
            self.asked.emit(links)


def parse_links(line: bytes) -> list[str] | None:
    """The links of a request; None when it is not one."""
    try:
        request = json.loads(line)
    except ValueError:
        return None
    links = request.get("links") if isinstance(request, dict) else None
    if not isinstance(links, list) or not all(isinstance(link, str) for link in links):
        return None
    return links[:MAX_LINKS]


def asks_end(line: bytes) -> bool:
    """Whether a request, which parse_links has taken, is one to end."""
    return json.loads(line).get("end") is True
