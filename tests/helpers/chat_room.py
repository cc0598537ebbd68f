"""People talking over the api in tests of chat: one running backend with alerts, and short words for what they do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server_stub.app.chat_alerts import OfficeAlerts
from server_stub.ids import uuid7
from server_stub.modules.engine.alerts import AlertHandler
from server_stub.records.actor import Actor
from tests.helpers.running_backend import Backend, Jmap, running_backend

PEOPLE = 5


@dataclass
class Room:
    """A backend with five people."""

    backend: Backend

    def people(self) -> tuple[Jmap, ...]:
        """Clients of all of them."""
        return tuple(self.backend.client(person) for person in self.backend.people)

    def group(self, owner: Jmap, *others: Jmap, name: str = "值班") -> str:
        """A new group; its id."""
        members = [one.person for one in others]
        return str(owner.create("Conversation", uuid7(1), kind="group", name=name, memberIds=members)["id"])

    def direct(self, one: Jmap, other: Jmap) -> str:
        """The conversation of two; its id."""
        return str(one.create("Conversation", kind="direct", memberIds=[other.person])["id"])

    def say(self, me: Jmap, conversation: str, text: str = "x", **more: Any) -> str:
        """Send a text; its id."""
        return str(me.create("Message", uuid7(1), conversationId=conversation, text=text, **more)["id"])

    def send(self, me: Jmap, conversation: str, kind: str, **more: Any) -> str:
        """Send another kind; its id."""
        return str(me.create("Message", uuid7(1), conversationId=conversation, kind=kind, **more)["id"])

    def get(self, me: Jmap, type_name: str, id_: str, properties: list[str] | None = None) -> dict[str, Any]:
        """One object as this person sees it."""
        (found,) = me.call(f"{type_name}/get", ids=[id_], properties=properties)["list"]
        return dict(found)

    def change(self, me: Jmap, type_name: str, id_: str, **patch: Any) -> Any:
        """Update one object that must be changed; what the server set beyond it."""
        answer = me.call(f"{type_name}/set", update={id_: patch})
        assert answer["updated"] is not None, answer["notUpdated"]
        return answer["updated"][id_]

    def refused(self, me: Jmap, type_name: str, id_: str, **patch: Any) -> dict[str, Any]:
        """Update one object that must not be changed; the SetError."""
        return dict(me.call(f"{type_name}/set", update={id_: patch})["notUpdated"][id_])

    def texts(self, me: Jmap, conversation: str) -> list[str]:
        """Everything that was said."""
        return [one["text"] for one in self.messages(me, conversation)]

    def messages(self, me: Jmap, conversation: str, **filter_: Any) -> list[dict[str, Any]]:
        """Messages in order."""
        answers = me.calls(
            ("Message/query", {"filter": {"conversationId": conversation, **filter_}}),
            ("Message/get", {"#ids": {"resultOf": "0", "name": "Message/query", "path": "/ids"}}),
        )
        return [dict(one) for one in answers[1][1]["list"]]

    def events(self, me: Jmap, conversation: str) -> list[dict[str, Any]]:
        """The lines of the system."""
        return [one["event"] for one in self.messages(me, conversation) if one["kind"] == "system"]

    def alerts(self, me: Jmap) -> list[tuple[str, str, str]]:
        """(kind, title, id of what it is about) of this person's alerts."""
        found = me.call("Alert/get", ids=None)["list"]
        return sorted((one["kind"], one["title"], one["link"]["id"]) for one in found)

    def blob(self, owner: Jmap, data: bytes, type_: str = "image/png") -> str:
        """An uploaded blob; its id."""
        return str(self.backend.run(self.backend.blobs.put_bytes(data, type_=type_, uploader=owner.person)).id)

    def sees_blob(self, me: Jmap, blob_id: str) -> bool:
        """Whether a person may read a blob."""
        read = self.backend.services.database.read_now
        return read(lambda conn: self.backend.blobs.access_blob(conn, Actor(me.person), blob_id)) is not None

    def age(self, message_id: str, seconds: int) -> None:
        """Let a message have been sent so long ago."""
        self.backend.write(
            lambda tx: (
                tx.raw.execute(
                    "UPDATE message SET sent_at = sent_at - ? WHERE id = ?", (seconds * 1000, message_id)
                ).rowcount
            )
        )

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """What stands in the database."""
        read = self.backend.services.database.read_now
        return read(lambda conn: list(conn.exec_driver_sql(statement, values).fetchall()))

    def dump(self) -> str:
        """All texts of all tables: to look for what should be gone."""
        tables = [row[0] for row in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return "\n".join(repr(row) for name in tables for row in self.rows(f'SELECT * FROM "{name}"'))


@contextmanager
def chat_room(folder: Path) -> Iterator[Room]:
    """A room that is open for a block."""
    with running_backend(folder, people=PEOPLE, handlers=(AlertHandler(),), alerts=OfficeAlerts()) as backend:
        yield Room(backend)
