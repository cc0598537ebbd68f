"""The office of the kill tests: a server with a few people and conversations, made and read over the wire alone."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.kill_verdict import Row
from tests.helpers.live_server import LiveDevice, LiveServer, make_server, run_cli

PAGE = 500


@dataclass
class Office:
    """A running server; `accounts` by login, `rooms` by name."""

    server: LiveServer
    accounts: dict[str, str]
    rooms: dict[str, str]
    kills: int = 0

    def kill_server(self) -> None:
        """kill -9; fails when it had ended by itself."""
        assert self.server.process.poll() is None, self.server.log()[-3000:]
        self.server.kill()
        self.kills += 1

    def start_server(self) -> None:
        """The next life on the same port and data folder."""
        self.server.start(self.server.port)

    def load_messages(self, login: str) -> dict[str, list[Row]]:
        """All messages of all rooms in order of seq, asked as this person on a new device."""
        person = LiveDevice(self.server, login)
        return {room: _load_room(person, room) for room in self.rooms.values()}


@contextmanager
def open_office(folder: Path, *logins: str, rooms: Mapping[str, Sequence[str]]) -> Iterator[Office]:
    """Makes and starts it; stopped at the end. Everybody has the PASSWORD of live_server.

    Args:
        rooms: name to logins, the first of them makes it; a name that starts with `direct` stands for a direct conversation, others for a group.
    """
    with make_server(folder, *logins) as server:
        people = {login: LiveDevice(server, login) for login in logins}
        accounts = {login: person.account for login, person in people.items()}
        yield Office(server, accounts, {name: _make_room(people, name, members) for name, members in rooms.items()})


def _make_room(people: Mapping[str, LiveDevice], name: str, members: Sequence[str]) -> str:
    maker = people[members[0]]
    create: dict[str, object] = {"memberIds": [people[login].account for login in members[1:]]}
    create |= {"kind": "direct"} if name.startswith("direct") else {"kind": "group", "name": name}
    answer = maker.jmap(["Conversation/set", {"accountId": maker.account, "create": {"c": create}}, "0"])
    return str(answer[0][1]["created"]["c"]["id"])


def grant_token(data: Path, login: str) -> str:
    """An integration token that may do in chat what this person may."""
    told = run_cli(data, "token", "add", "raw", "--person", login, "--scopes", "read,write")
    return next(line.partition(": ")[2] for line in told.splitlines() if line.startswith("token: "))


def _load_room(person: LiveDevice, room: str) -> list[Row]:
    rows: list[Row] = []
    while True:
        query = {
            "accountId": person.account,
            "filter": {"conversationId": room, "afterSeq": rows[-1].seq if rows else 0},
            "sort": [{"property": "seq"}],
            "limit": PAGE,
        }
        ids = {"resultOf": "q", "name": "Message/query", "path": "/ids"}
        got = person.jmap(
            ["Message/query", query, "q"], ["Message/get", {"accountId": person.account, "#ids": ids}, "g"]
        )
        found = [Row(m["id"], m["seq"], m.get("senderId"), m["text"]) for m in got[1][1]["list"]]
        if not found:
            return rows
        rows += sorted(found, key=lambda row: row.seq)
