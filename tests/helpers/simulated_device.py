"""A client's sync machine with a memory store, driven step by step: frames can be lost, doubled, reordered; the process can die at any point."""

import json
from typing import Any

from desktop.core.domain import ConnectionState
from desktop.core.ids import uuid7
from desktop.core.protocol.frames import decode_frame, encode_push_enable, encode_request
from desktop.core.store.memory import MemoryStore
from desktop.core.sync import events as happened
from desktop.core.sync.commands import (
    AnnounceMessages,
    CloseConnection,
    Command,
    EnablePush,
    OpenConnection,
    Persist,
    ReportRefusal,
    SendRequest,
    WakeUpAt,
)
from desktop.core.sync.engine import SyncEngine
from desktop.core.sync.outbox import Edit, EditKind
from tests.helpers.backend_model import BackendModel, Connection

TYPES = ("Conversation", "Message", "Alert")


class SimulatedDevice:
    """One device. The store survives a crash, everything else does not."""

    def __init__(self, number: int, account: str, model: BackendModel) -> None:
        self.number = number
        self.account = account
        self.model = model
        self.store = MemoryStore(account)
        self.now = 0.0
        self.wake_at: float | None = None
        self.connection: Connection | None = None
        self.to_server: list[str] = []
        self.wants_connection = False
        self.said: dict[str, list[str]] = {}
        self.refused: set[str] = set()
        self.announced: list[str] = []
        self._counter = 0
        self._begin()

    def _begin(self) -> None:
        self.engine = SyncEngine(self.account)
        self.connection, self.to_server, self.wake_at, self.wants_connection = None, [], None, False
        self.post(happened.Start(self.now, self.store.load_saved()))

    # ------------------------------------------------------------ what the driver does
    def post(self, event: happened.SyncEvent, *, die_after_persist: bool = False) -> None:
        commands = self.engine.handle(event)
        for command in commands:
            if isinstance(command, Persist):
                self.store.apply(command.operations)
        if die_after_persist:
            self.crash()
            return
        for command in commands:
            self._execute(command)

    def _execute(self, command: Command) -> None:
        match command:
            case OpenConnection():
                self._shut()
                self.wants_connection = True
            case CloseConnection():
                self._shut()
            case SendRequest():
                self.to_server.append(encode_request(command.request_id, list(command.calls), ()))
            case EnablePush():
                self.to_server.append(
                    encode_push_enable(list(command.types), command.push_state, list(command.objects))
                )
            case WakeUpAt(at=at):
                self.wake_at = at
            case ReportRefusal(object_id=object_id):
                self.refused.add(object_id)
            case AnnounceMessages(ids=ids):
                self.announced += ids
            case _:
                pass

    def _shut(self) -> None:
        if self.connection is not None:
            self.model.disconnect(self.connection)
        self.connection, self.to_server = None, []

    # ------------------------------------------------------------ what the world does
    def connect(self) -> None:
        if self.wants_connection:
            self.wants_connection = False
            self.connection = self.model.connect(self.account)
            self.post(happened.SocketOpened(self.now, ("Message", "Conversation"), TYPES, max_get=4))

    def refuse_connection(self) -> None:
        if self.wants_connection:
            self.wants_connection = False
            self.post(happened.ConnectionLost(self.now, 0.5))

    def cut(self) -> None:
        if self.connection is not None:
            self._shut()
            self.post(happened.ConnectionLost(self.now, 0.5))

    def crash(self) -> None:
        self._shut()
        self._begin()

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        if self.wake_at is not None and self.wake_at <= self.now:
            self.post(happened.WokeUp(self.now, 0.5))

    def network_changed(self) -> None:
        self.post(happened.NetworkChanged(self.now, 0.5))

    def reaches_server(self, place: int, *, keep: bool = False) -> None:
        """One waiting frame gets through; `keep`: and will once more."""
        if self.connection is None or not self.to_server:
            return
        place %= len(self.to_server)
        self.model.take(self.connection, self.to_server[place] if keep else self.to_server.pop(place))

    def reaches_client(self, place: int, *, keep: bool = False, die: bool = False) -> None:
        if self.connection is None or not self.connection.to_client:
            return
        waiting = self.connection.to_client
        place %= len(waiting)
        text = waiting[place] if keep else waiting.pop(place)
        self.post(happened.FrameArrived(self.now, 0.5, decode_frame(text)), die_after_persist=die)

    def lose(self, place: int, *, to_client: bool) -> None:
        waiting = (self.connection.to_client if self.connection else []) if to_client else self.to_server
        if waiting:
            waiting.pop(place % len(waiting))

    def settle(self) -> None:
        """Everything in flight gets through, in order."""
        while self.connection is not None and (self.to_server or self.connection.to_client):
            while self.connection is not None and self.to_server:
                self.reaches_server(0)
            if self.connection is not None and self.connection.to_client:
                self.reaches_client(0)

    # ------------------------------------------------------------ what the user does
    def say(self, conversation_id: str, *, die: bool = False) -> None:
        self._counter += 1
        message_id = uuid7(self.number * 1_000_000 + self._counter, bytes([self.number] * 10))
        text = f"{self.number}:{self._counter}"
        payload: dict[str, Any] = {"conversationId": conversation_id, "kind": "text", "text": text}
        edit = Edit(message_id, f"conversation:{conversation_id}", EditKind.CREATE, "Message", message_id, payload)
        self.said.setdefault(conversation_id, []).append(message_id)
        self.post(happened.EditMade(self.now, edit), die_after_persist=die)

    def change(self, conversation_id: str) -> None:
        """Says one of the messages it knows otherwise, an own one or not."""
        known = self.store.load_messages(conversation_id, limit=100)
        if known:
            self._counter += 1
            chosen = known[self._counter * 7 % len(known)]
            edit_id = uuid7(700_000_000 + self._counter, bytes([self.number] * 10))
            patch = {"text": f"{self.number}:{self._counter}"}
            lane, room = f"message:{chosen.id}", conversation_id
            edit = Edit(edit_id, lane, EditKind.UPDATE, "Message", chosen.id, patch, alone=True, room=room)
            self.post(happened.EditMade(self.now, edit))

    def mark_read(self, conversation_id: str) -> None:
        found = next((c for c in self.store.load_conversations() if c.id == conversation_id), None)
        if found is None or found.last_seq == 0:
            return
        self._counter += 1
        edit_id = uuid7(500_000_000 + self._counter, bytes([self.number] * 10))
        patch = {"readSeq": found.last_seq}
        edit = Edit(edit_id, f"marks:{conversation_id}", EditKind.UPDATE, "Conversation", conversation_id, patch)
        self.post(happened.EditMade(self.now, edit))

    def dismiss(self) -> None:
        alerts = self.store.load_objects("Alert")
        if alerts:
            self._counter += 1
            edit_id = uuid7(900_000_000 + self._counter, bytes([self.number] * 10))
            self.post(
                happened.EditMade(
                    self.now, Edit(edit_id, f"Alert:{alerts[0].id}", EditKind.DESTROY, "Alert", alerts[0].id)
                )
            )

    @property
    def quiet(self) -> bool:
        live = self.engine.state is ConnectionState.LIVE
        frames = bool(self.to_server) or bool(self.connection and self.connection.to_client)
        return live and not frames

    def dump(self) -> str:
        """For the report of a failing example."""
        return json.dumps({"state": self.engine.state, "edits": [e.id for e in self.store.load_edits()]})
