"""Test-only remote hand: JSON lines over a local socket that click and type on the real widgets. Inert unless TONGBAN_TEST_CONTROL names it.

A line {"id": n, "do": verb, …} is answered {"id": n, "ok": true, "value": …} or {"id": n, "ok": false, "error": text}.
"""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from desktop.app import drive, drive_spots

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
        self._verbs: dict[str, Verb] = {**self._own_verbs(), **verbs}
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._accept)
        if not self._server.listen(address):
            raise OSError(self._server.errorString())
        log.warning("the test control channel is open")

    def _own_verbs(self) -> dict[str, Verb]:
        return {
            "probe": lambda a: self._probes[a["name"]](),
            "click": lambda a: drive.click(
                a["name"], inside=a.get("inside", ""), double=bool(a.get("double")), right=bool(a.get("right"))
            ),
            "click_row": lambda a: drive.click_row(
                a["name"], a["text"], double=bool(a.get("double")), right=bool(a.get("right"))
            ),
            "type": lambda a: drive.type_text(
                a["name"], a["text"], a.get("inside", ""), at_once=bool(a.get("at_once"))
            ),
            "close_window": lambda a: drive.close_window(a["name"]),
            "press": lambda a: drive.press(a["name"], a["keys"], a.get("inside", "")),
            "trigger": lambda a: drive.trigger(a["name"], a["action"]),
            "state": lambda a: drive.describe(drive.find(a["name"])),
            "find": lambda a: [drive.describe(widget) for widget in drive.find_all(a["name"])],
            "choose": lambda a: drive_spots.choose(a["text"]),
            "mouse": lambda a: drive_spots.mouse(a["name"], a["deed"], a["x"], a["y"]),
            "moment": lambda a: drive_spots.moment_spot(a["name"], a["row"], a["at"]),
            "page_spot": lambda a: drive_spots.page_spot(a["name"], a["page"], a["x"], a["y"]),
            "color": lambda a: drive_spots.color_at(a["name"], a["x"], a["y"]),
            "spoken": lambda a: drive_spots.spoken(a["name"]),
            "labels": lambda _a: drive_spots.labels(),
            "cells": lambda a: drive_spots.cells(a["name"]),
            "pointer": lambda a: drive_spots.pointer_over(a["name"]),
            "grab": lambda a: drive.find(a["name"]).window().grab().save(a["path"]),
        }

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
            value = self._verbs[request["do"]](request)
        except Exception as error:  # noqa: BLE001 - a border: the test gets the error, the client goes on
            return {"id": number, "ok": False, "error": f"{type(error).__name__}: {error}"}
        return {"id": number, "ok": True, "value": value}
