"""Short questions to D-Bus through Qt, and Qt's word on who is there. Linux; elsewhere every answer is empty."""

import sys
from typing import Any

LIMIT_MS = 300  # asked on the UI thread: who does not answer at once is not there


def call_session(service: str, path: str, interface: str, verb: str, *arguments: Any) -> list[Any]:
    """What a service of the session bus answers; empty when it is not there, refuses or takes too long. Starts no service."""
    if sys.platform in ("win32", "darwin"):
        return []
    from PySide6.QtDBus import QDBus, QDBusConnection, QDBusMessage

    bus = QDBusConnection.sessionBus()
    if not bus.isConnected() or not bus.interface().isServiceRegistered(service).value():
        return []
    question = QDBusMessage.createMethodCall(service, path, interface, verb)
    question.setArguments(list(arguments))
    question.setAutoStartService(False)
    answer = bus.call(question, QDBus.CallMode.Block, LIMIT_MS)
    if answer.type() is not QDBusMessage.MessageType.ReplyMessage:
        return []
    return list(answer.arguments())
