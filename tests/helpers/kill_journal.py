"""What a client process that may be killed at any moment tells its test: lines of one append-only file, each written before the next step.

`I room n` is about to queue messages of a room up to number n; `A room n id` the outbox took it; `S id` the outbox let it go because the server has it;
`R id code` the server refused it; `P` signed in with the password; `O` online and up to date; `D` all planned messages are sent.
"""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Ledger:
    """What the lines say. Rooms are conversation ids, messages are counted from 1 in each room."""

    intended: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, tuple[str, int]] = field(default_factory=dict)
    acknowledged: dict[str, None] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    per_room: Counter[str] = field(default_factory=Counter)
    passwords: int = 0
    online: int = 0
    done: bool = False

    def take(self, line: str) -> None:
        """One line."""
        match line.split(" "):
            case ["I", room, number]:
                self.intended[room] = int(number)
            case ["A", room, number, message_id]:
                self.accepted[message_id] = (room, int(number))
                self.per_room[room] += 1
            case ["S", message_id]:
                self.acknowledged[message_id] = None
            case ["R", message_id, code]:
                self.refused[message_id] = code
            case ["P"]:
                self.passwords += 1
            case ["O"]:
                self.online += 1
            case ["D"]:
                self.done = True
            case _:
                raise ValueError(f"no line of a journal: {line!r}")

    @property
    def open(self) -> set[str]:
        """Accepted, and not known to be on the server."""
        return self.accepted.keys() - self.acknowledged.keys() - self.refused.keys()


class Journal:
    """The writer's end; goes on where an earlier process was killed."""

    def __init__(self, path: Path) -> None:
        self.ledger = JournalReader(path).read()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, *lines: str, durable: bool = False) -> None:
        """One write, so that a kill never leaves half a line; `durable` waits for the disk too, as only a power cut would need it."""
        os.write(self._file, "".join(f"{line}\n" for line in lines).encode())
        if durable:
            os.fsync(self._file)
        for line in lines:
            self.ledger.take(line)


class JournalReader:
    """The test's end: reads only what is new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self.ledger = Ledger()

    def read(self) -> Ledger:
        """Everything up to now."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._at)
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            self._at += len(whole)
            for line in whole.decode().splitlines():
                self.ledger.take(line)
        return self.ledger
