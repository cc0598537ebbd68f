"""The D-Bus services of a test desktop, in a process of its own: a recording notification daemon, and a tray host.

Run by desktop_session.py as `python -m build_scripts.session_services [notifications] [tray]`. Commands come as JSON
lines on stdin (`{"id": 1, "do": "invoke", …}`), answers and everything that happens go as JSON lines to stdout. It
shows nothing and keeps nothing. Needs dbus-fast, which desktop-notifier brings on Linux.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio.message_bus import MessageBus
from dbus_fast.annotations import DBusSignature
from dbus_fast.constants import PropertyAccess
from dbus_fast.service import ServiceInterface, dbus_property, method
from dbus_fast.service import signal as dbus_signal

NOTIFICATIONS = "org.freedesktop.Notifications"
WATCHER = "org.kde.StatusNotifierWatcher"
ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"
CLOSED_BY_USER, CLOSED_BY_CALL = 2, 3  # Desktop Notifications Specification, NotificationClosed
ALL_LEVELS = -1

UInt = Annotated[int, DBusSignature("u")]
Int = Annotated[int, DBusSignature("i")]
Text = Annotated[str, DBusSignature("s")]
Texts = Annotated[list[str], DBusSignature("as")]
Hints = Annotated[dict[str, Variant], DBusSignature("a{sv}")]
Nothing = Annotated[None, DBusSignature("")]  # dbus-fast takes no bare None
Flag = Annotated[bool, DBusSignature("b")]
ServerInformation = Annotated[tuple[str, str, str, str], DBusSignature("ssss")]


def say(kind: str, **data: object) -> None:
    """One line to whoever started us."""
    print(json.dumps({"event": kind, **data}, ensure_ascii=False), flush=True)


class Notifications(ServiceInterface):
    """org.freedesktop.Notifications 1.2 with buttons and reply in place; tells of a notification, shows none."""

    def __init__(self) -> None:
        super().__init__(NOTIFICATIONS)
        self._last_id = 0

    @method()
    def GetCapabilities(self) -> Texts:  # noqa: N802 - D-Bus name
        return ["actions", "body", "body-markup", "icon-static", "inline-reply", "persistence"]

    @method()
    def GetServerInformation(self) -> ServerInformation:  # noqa: N802 - D-Bus name
        return ("tongban-recorder", "tongban", "1", "1.2")

    @method()
    def Notify(  # noqa: N802 - D-Bus name and arguments
        self,
        app: Text,
        replaces: UInt,
        icon: Text,
        summary: Text,
        body: Text,
        actions: Texts,
        hints: Hints,
        expire: Int,
    ) -> UInt:
        if replaces:
            number = replaces
        else:
            self._last_id += 1
            number = self._last_id
        pairs = dict(zip(actions[::2], actions[1::2], strict=False))
        plain = {key: hint.value for key, hint in hints.items() if isinstance(hint.value, str | int | bool)}
        say(
            "notified",
            number=number,
            app=app,
            icon=icon,
            summary=summary,
            body=body,
            actions=pairs,
            hints=plain,
            expire=expire,
        )
        return number

    @method()
    def CloseNotification(self, number: UInt) -> Nothing:  # noqa: N802 - D-Bus name
        self.NotificationClosed(number, CLOSED_BY_CALL)
        say("closed", number=number, reason=CLOSED_BY_CALL)

    @dbus_signal()
    def NotificationClosed(self, number: int, reason: int) -> Annotated[list[int], DBusSignature("uu")]:  # noqa: N802
        return [number, reason]

    @dbus_signal()
    def ActionInvoked(self, number: int, action: str) -> Annotated[list[object], DBusSignature("us")]:  # noqa: N802
        return [number, action]

    @dbus_signal()
    def NotificationReplied(self, number: int, text: str) -> Annotated[list[object], DBusSignature("us")]:  # noqa: N802
        return [number, text]


class TrayHost(ServiceInterface):
    """org.kde.StatusNotifierWatcher with a host registered, so that Qt chooses its D-Bus tray icon."""

    def __init__(self) -> None:
        super().__init__(WATCHER)
        self.items: list[str] = []

    @method()
    def RegisterStatusNotifierItem(self, service: Text) -> Nothing:  # noqa: N802 - D-Bus name
        self.items.append(service)
        self.StatusNotifierItemRegistered(service)
        say("tray-item", service=service)

    @method()
    def RegisterStatusNotifierHost(self, service: Text) -> Nothing:  # noqa: N802 - D-Bus name
        self.StatusNotifierHostRegistered()

    @dbus_property(access=PropertyAccess.READ)
    def RegisteredStatusNotifierItems(self) -> Texts:  # noqa: N802 - D-Bus name
        return self.items

    @dbus_property(access=PropertyAccess.READ)
    def IsStatusNotifierHostRegistered(self) -> Flag:  # noqa: N802 - D-Bus name
        return True

    @dbus_property(access=PropertyAccess.READ)
    def ProtocolVersion(self) -> Int:  # noqa: N802 - D-Bus name
        return 0

    @dbus_signal()
    def StatusNotifierItemRegistered(self, service: str) -> Text:  # noqa: N802 - D-Bus name
        return service

    @dbus_signal()
    def StatusNotifierItemUnregistered(self, service: str) -> Text:  # noqa: N802 - D-Bus name
        return service

    @dbus_signal()
    def StatusNotifierHostRegistered(self) -> Nothing:  # noqa: N802 - D-Bus name
        return None


class Commands:
    """What the session may ask: act on a notification as a user would, read and use the tray icon."""

    def __init__(self, bus: MessageBus, notifications: Notifications, tray: TrayHost) -> None:
        self._bus = bus
        self._notifications = notifications
        self._tray = tray
        self.verbs: dict[str, Callable[[dict[str, Any]], Awaitable[object]]] = {
            "invoke": self._invoke,
            "reply": self._reply,
            "dismiss": self._dismiss,
            "tray": self._tray_state,
            "tray-activate": self._tray_activate,
            "tray-menu": self._tray_menu,
            "tray-choose": self._tray_choose,
        }

    async def _invoke(self, command: dict[str, Any]) -> None:
        self._notifications.ActionInvoked(command["number"], command["action"])

    async def _reply(self, command: dict[str, Any]) -> None:
        self._notifications.NotificationReplied(command["number"], command["text"])

    async def _dismiss(self, command: dict[str, Any]) -> None:
        self._notifications.NotificationClosed(command["number"], CLOSED_BY_USER)
        say("closed", number=command["number"], reason=CLOSED_BY_USER)

    async def _tray_state(self, _: dict[str, Any]) -> dict[str, object]:
        service, path = self._item()
        body = await self._call(service, path, "org.freedesktop.DBus.Properties", "GetAll", "s", [ITEM])
        properties = {key: variant.value for key, variant in body[0].items()}
        pixmaps = [
            (width, height, base64.b64encode(data).decode()) for width, height, data in properties.get("IconPixmap", [])
        ]
        tool_tip = properties.get("ToolTip", ["", [], "", ""])
        return {
            "title": properties.get("Title", ""),
            "status": properties.get("Status", ""),
            "tool_tip": " ".join(part for part in (tool_tip[2], tool_tip[3]) if part),
            "icon_name": properties.get("IconName", ""),
            "pixmaps": pixmaps,
        }

    async def _tray_activate(self, _: dict[str, Any]) -> None:
        service, path = self._item()
        await self._call(service, path, ITEM, "Activate", "ii", [0, 0])

    async def _tray_menu(self, _: dict[str, Any]) -> list[dict[str, object]]:
        service, path = await self._menu()
        body = await self._call(service, path, MENU, "GetLayout", "iias", [0, ALL_LEVELS, []])
        return _flatten_menu(body[1], depth=0)

    async def _tray_choose(self, command: dict[str, Any]) -> None:
        service, path = await self._menu()
        await self._call(service, path, MENU, "Event", "isvu", [command["entry"], "clicked", Variant("i", 0), 0])

    def _item(self) -> tuple[str, str]:
        """Bus name and object path of the newest icon."""
        if not self._tray.items:
            raise LookupError("no tray icon is registered")
        service = self._tray.items[-1]
        name, _, path = service.partition("/")
        return name, f"/{path}" if path else "/StatusNotifierItem"

    async def _menu(self) -> tuple[str, str]:
        service, path = self._item()
        body = await self._call(service, path, "org.freedesktop.DBus.Properties", "Get", "ss", [ITEM, "Menu"])
        await self._call(service, body[0].value, MENU, "AboutToShow", "i", [0])
        return service, body[0].value

    async def _call(
        self, service: str, path: str, interface: str, member: str, signature: str, body: list[Any]
    ) -> list[Any]:
        message = Message(
            destination=service, path=path, interface=interface, member=member, signature=signature, body=body
        )
        reply = await self._bus.call(message)
        if reply is None or reply.message_type is MessageType.ERROR:
            raise LookupError(f"{member} of {service}: {reply.body if reply else 'no answer'}")
        return list(reply.body)

    def forget_item(self, name: str) -> None:
        """An icon's program has gone from the bus."""
        for service in [item for item in self._tray.items if item.partition("/")[0] == name]:
            self._tray.items.remove(service)
            self._tray.StatusNotifierItemUnregistered(service)
            say("tray-item-gone", service=service)


def _flatten_menu(node: list[Any], depth: int) -> list[dict[str, object]]:
    entry, properties, children = node
    plain = {key: variant.value for key, variant in properties.items()}
    rows: list[dict[str, object]] = []
    if depth and plain.get("visible", True) and plain.get("type") != "separator":
        label = str(plain.get("label", "")).replace("_", "")
        rows.append(
            {
                "entry": entry,
                "label": label,
                "enabled": plain.get("enabled", True),
                "checked": plain.get("toggle-state", 0) == 1,
                "depth": depth,
            }
        )
    for child in children:
        rows += _flatten_menu(child.value, depth + 1)
    return rows


async def _serve(wanted: set[str]) -> None:
    bus = await MessageBus(bus_type=BusType.SESSION).connect()
    notifications, tray = Notifications(), TrayHost()
    if "notifications" in wanted:
        bus.export("/org/freedesktop/Notifications", notifications)
        await bus.request_name(NOTIFICATIONS)
    if "tray" in wanted:
        bus.export("/StatusNotifierWatcher", tray)
        await bus.request_name(WATCHER)
    commands = Commands(bus, notifications, tray)

    def on_message(message: Message) -> None:
        if message.member == "NameOwnerChanged" and not message.body[2]:
            commands.forget_item(message.body[0])

    bus.add_message_handler(on_message)
    await _watch_names(bus)
    say("ready")
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        try:
            answer = await commands.verbs[command["do"]](command)
        except (LookupError, TypeError, ValueError) as error:
            say("answer", id=command["id"], error=f"{type(error).__name__}: {error}")
        else:
            say("answer", id=command["id"], value=answer)


async def _watch_names(bus: MessageBus) -> None:
    rule = "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'"
    here = "org.freedesktop.DBus"
    await bus.call(
        Message(
            destination=here,
            path="/org/freedesktop/DBus",
            interface=here,
            member="AddMatch",
            signature="s",
            body=[rule],
        )
    )


if __name__ == "__main__":
    asyncio.run(_serve(set(sys.argv[1:])))
