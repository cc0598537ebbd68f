"""Test-only remote hand: JSON lines over a local socket that click and type on the real widgets. Inert unless TONGBAN_TEST_CONTROL names it.

A line {"id": n, "do": verb, …} is answered {"id": n, "ok": true, "value": …} or {"id": n, "ok": false, "error": text}.
"""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtNetwork import QLocalServer, QLocalSocket

log = logging.getLogger("tongban.control")

Probe = Callable[[], object]
Verb = Callable[[Mapping[str, Any]], object]


class Control(QObject):
    """Serves one socket. `probes` answer {"do": "probe", "name": …} with plain values of the application's state."""

    def __init__(
        self, address: str, probes: Mapping[str, Probe], verbs: Mapping[str, Verb], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._probes = dict(probes)
        self._verbs = dict(verbs)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._accept)
        if not self._server.listen(address):
            raise OSError(self._server.errorString())
        log.warning("the test control channel is open")

    def _verb(self, name: str) -> Verb:
        if name == "probe":
            return lambda a: self._probes[a["name"]]()
        if name in self._verbs:
            return self._verbs[name]
        from desktop.app.control_verbs import VERBS  # now first: a start that is only watched costs what users pay

        return VERBS[name]

    def _accept(self) -> None:
        while self._server.hasPendingConnections():
            socket = self._server.nextPendingConnection()
            socket.readyRead.connect(lambda s=socket: self._read(s))
            socket.disconnected.connect(socket.deleteLater)
            self._read(socket)

    def _read(self, socket: QLocalSocket) -> None:
        while socket.canReadLine():
            answer = self._answer(bytes(socket.readLine().data()))
            socket.write(json.dumps(answer, ensure_ascii=False, default=str).encode() + b"\n")
            socket.flush()

    def _answer(self, line: bytes) -> dict[str, object]:
        number: object = None
        try:
            request = json.loads(line)
            number = request.get("id")
            value = self._verb(request["do"])(request)
        except Exception as error:  # noqa: BLE001 - a border: the test gets the error, the client goes on
            return {"id": number, "ok": False, "error": f"{type(error).__name__}: {error}"}
        return {"id": number, "ok": True, "value": value}
