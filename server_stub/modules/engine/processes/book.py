"""What the engine remembers of a running case besides the machine's own state: the rounds of its open steps, who acted where, who was chosen."""

from typing import Any, Final

import msgspec
from msgspec import Struct

START: Final = "start"
"""Stands for the starter where a process has no step of the starter's own: what is returned there ends, and may be submitted anew."""


class Act(Struct, omit_defaults=True):
    """What one person gave at a step. `action`: approve, refuse, read or submit, or skip."""

    person_id: str
    outcome: str
    action: str
    item_id: str
    on_behalf_of: str | None = None
    after: bool = False


class Asking(Struct, omit_defaults=True):
    """A signer who asked others first: gets the item back when `need` of them have answered. `waiting`: who comes after the one who has it."""

    person_id: str
    on_behalf_of: str | None = None
    added_by: str | None = None
    part: str = "step"
    need: int = 1
    answered: int = 0
    waiting: list[str] = []


class Round(Struct, omit_defaults=True):
    """One passage of one token through a step, from entering to leaving.

    Attributes:
        need: how many must act. waiting: who comes after the one who has it, in order (sequential).
        acts: what was given so far. asking: item of a signer who asked others first → (person, on behalf of) who gets it back.
        entries: how many instances a multi-instance step began with. after: how many added afterwards have not signed.
        touched: somebody has acted here, so that the step before cannot be withdrawn.
        moved_by: the event that led here, and who did it at which step; None: the process itself.
        resolved: who had it at first; on_behalf: delegate → absent person.
        instance: Token.instance.
    """

    step_id: str
    opened_at: int
    need: int = 1
    waiting: list[str] = []
    acts: list[Act] = []
    asking: dict[str, Asking] = {}
    after: int = 0
    entries: int = 0
    moved_by: tuple[str, str, str] | None = None
    resolved: list[str] = []
    on_behalf: dict[str, str] = {}
    touched: bool = False
    instance: str = ""

    @property
    def place(self) -> str:
        """The step, and in which instance."""
        return f"{self.step_id}#{self.instance}" if self.instance else self.step_id

    @property
    def main_acts(self) -> list[Act]:
        """Without those of signers added afterwards."""
        return [one for one in self.acts if not one.after]


class Readers(Struct):
    """People a case is still to be shown to, in order: who, where, by whom."""

    person_ids: list[str]
    step_id: str
    token: str
    added_by: str | None


class Undo(Struct, omit_defaults=True):
    """A case as it was before an act that can be taken back whole. `items`: those that waited; `state`: the record's."""

    event_id: str
    seq: int
    person_id: str
    step_id: str
    machine: bytes
    book: bytes
    items: list[str] = []
    state: str | None = None


class Book(Struct, omit_defaults=True):
    """The memory of one case.

    Attributes:
        rounds: token → its round.
        chosen: step → people picked for it. outcomes: step → its last outcome.
        handled: step → who acted there when it was passed last. previous: who acted at the step just passed.
        handled_in: of steps in instances the same by Round.place.
        approvers: who has approved since the case was last returned.
        participants: everybody who started it, had it or was shown it, in order.
        done: steps passed, in order, each once; way: with what needed nobody. minutes: step → working minutes.
        passed: step → its last round, to be taken up again when who ended it takes it back.
        moves: event → how many rounds it opened, so that it can be withdrawn whole.
        suspended: (when, by whom). undo: what the last return or transfer was done to, while it can be taken back.
        readers: to whom it is shown next.
    """

    rounds: dict[str, Round] = {}
    chosen: dict[str, list[str]] = {}
    outcomes: dict[str, str] = {}
    handled: dict[str, list[str]] = {}
    handled_in: dict[str, list[str]] = {}
    previous: list[str] = []
    approvers: list[str] = []
    participants: list[str] = []
    done: list[str] = []
    way: list[str] = []
    minutes: dict[str, int] = {}
    passed: dict[str, Round] = {}
    moves: dict[str, int] = {}
    suspended: tuple[int, str | None] | None = None
    undo: Undo | None = None
    readers: list[Readers] = []

    def take_part(self, *person_ids: str | None) -> None:
        """Note people who from now on see what becomes of the case."""
        self.participants += [one for one in dict.fromkeys(person_ids) if one and one not in self.participants]


def encode(book: Book) -> bytes:
    """For the database."""
    return msgspec.json.encode(book)


def decode(data: bytes) -> Book:
    """As it was encoded."""
    return msgspec.json.decode(data, type=Book)


def results_of(round_: Round) -> list[dict[str, Any]]:
    """What the acts of a round are for conditions: `results` of the data."""
    return [{"personId": one.person_id, "outcome": one.outcome} for one in round_.acts]
