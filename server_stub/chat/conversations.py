"""Writes on conversations and members. Rights are the handlers' part; what is kept true here: counts, scopes, one owner."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
import sqlalchemy as sa

from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.ids import direct_conversation_id, pair_id
from server_stub.push.events import ObjectsChanged
from server_stub.records import visibility
from server_stub.records.visibility import INF
from server_stub.storage.database import Tx

Kind = Literal["direct", "group", "system"]
Role = Literal["owner", "admin", "member"]

MAX_MEMBERS: Final = 2000
MAX_NAME: Final = 100
MAX_ANNOUNCEMENT: Final = 4000
DECEIVING: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Controls and marks that break lines or turn the direction of writing: a name made with them shows as another."""
GATHER_FROM: Final = 50  # members: from here on receipts are gathered before they are pushed

MEMBER_COLUMNS: Final = (
    "row, id, conversation_id, scope, person_id, role, joined_at, muted, pinned, read_seq, read_at,"
    " muted_until, nickname, invited_by, own"
)


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's present stay in a conversation. Times in milliseconds since the epoch."""

    row: int
    id: str
    conversation_id: str
    scope: int
    person_id: str
    role: str
    joined_at: int
    muted: bool
    pinned: bool
    read_seq: int
    read_at: int | None
    muted_until: int | None = None
    nickname: str | None = None
    invited_by: str | None = None
    own: str | None = None  # JSON

    @property
    def manages(self) -> bool:
        """Owner or admin."""
        return self.role in {"owner", "admin"}


def system_conversation_id(sender: str, person_id: str) -> str:
    """The id of a person's conversation with a system sender (`notices`, `alerts`)."""
    return "s-" + hashlib.sha256(f"{sender}\n{person_id}".encode()).hexdigest()[:32]


def load_membership(conn: sa.Connection, conversation_id: str, person_id: str) -> Membership | None:
    """A person's present stay, None when not a member."""
    row = conn.exec_driver_sql(
        f"SELECT {MEMBER_COLUMNS} FROM member WHERE conversation_id = ? AND person_id = ? AND until = ?",
        (conversation_id, person_id, INF),
    ).fetchone()
    return Membership(*row) if row is not None else None


def load_memberships(conn: sa.Connection, conversation_id: str) -> list[Membership]:
    """All present members, in order of joining."""
    rows = conn.exec_driver_sql(
        f"SELECT {MEMBER_COLUMNS} FROM member WHERE conversation_id = ? AND until = ? ORDER BY row",
        (conversation_id, INF),
    )
    return [Membership(*row) for row in rows]


def do_open_direct(tx: Tx, one: str, other: str, *, at: int | None = None) -> str:
    """The id of the conversation of two people, made on first use."""
    conversation_id = direct_conversation_id(one, other)
    if not _exists(tx, conversation_id):
        _do_create(tx, conversation_id, "direct", None, [(one, "member"), (other, "member")], at)
    return conversation_id


def do_create_group(
    tx: Tx, conversation_id: str, name: str, owner_id: str, person_ids: Iterable[str], *, at: int | None = None
) -> None:
    """A group of its owner and others.

    Raises:
        SetError: invalidProperties: the id is taken, the name is empty or long, too many members.
    """
    others = [person for person in dict.fromkeys(person_ids) if person != owner_id]
    if len(others) + 1 > MAX_MEMBERS:
        raise invalid_properties(f"at most {MAX_MEMBERS} members", "memberIds")
    if _exists(tx, conversation_id):
        raise invalid_properties("this id is taken", "id")
    people: list[tuple[str, Role]] = [(owner_id, "owner"), *((person, "member") for person in others)]
    _do_create(tx, conversation_id, "group", check_name(name), people, at)


def do_open_system(tx: Tx, sender: str, person_id: str, *, at: int | None = None) -> str:
    """The id of a person's conversation with a system sender, made on first use."""
    conversation_id = system_conversation_id(sender, person_id)
    if not _exists(tx, conversation_id):
        _do_create(tx, conversation_id, "system", sender, [(person_id, "member")], at)
    return conversation_id


def check_name(name: Any) -> str:
    """A group's name, trimmed. Raises SetError invalidProperties."""
    if not isinstance(name, str) or not 0 < len(name.strip()) <= MAX_NAME:
        raise invalid_properties(f"a group has a name of 1 to {MAX_NAME} characters", "name")
    if DECEIVING.search(name.strip()):
        raise invalid_properties("a name is one line without control characters", "name")
    return name.strip()


def _exists(tx: Tx, conversation_id: str) -> bool:
    return tx.raw.execute("SELECT 1 FROM conversation WHERE id = ?", (conversation_id,)).fetchone() is not None


def _do_create(
    tx: Tx, conversation_id: str, kind: Kind, name: str | None, people: Sequence[tuple[str, Role]], at: int | None
) -> None:
    n = tx.change_id()
    when = tx.now if at is None else at
    scope = visibility.scope_id(tx, "conversation", conversation_id)
    tx.raw.execute(
        "INSERT INTO conversation(id, scope, kind, name, member_count, last_seq, created_at, updated_at, since, until,"
        " touched, props_touched) VALUES (?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, ?)",
        (conversation_id, scope, kind, name, when, when, n, INF, n, n),
    )
    for person_id, role in people:
        _do_enter(tx, conversation_id, scope, person_id, role, 0, when)
    _do_count(tx, conversation_id, scope)


def do_add_member(
    tx: Tx,
    conversation_id: str,
    person_id: str,
    *,
    role: Role = "member",
    at: int | None = None,
    invited_by: str | None = None,
) -> str:
    """A person joins: all of the history is uncovered, unread from here on. Returns the Member's id.

    Raises:
        SetError: invalidProperties: a member already, too many members.
    """
    scope, last_seq, count = _row(tx, conversation_id)
    if load_membership(tx.conn, conversation_id, person_id) is not None:
        raise invalid_properties("a member already", "personId")
    if count >= MAX_MEMBERS:
        raise invalid_properties(f"at most {MAX_MEMBERS} members", "conversationId")
    _do_enter(tx, conversation_id, scope, person_id, role, last_seq, tx.now if at is None else at, invited_by)
    _do_count(tx, conversation_id, scope)
    return pair_id(conversation_id, person_id)


def do_remove_member(tx: Tx, gone: Membership) -> None:
    """A person leaves or is removed: everything of the conversation is hidden from them. An owner's place goes to the next in line."""
    n = tx.change_id()
    tx.raw.execute(
        "UPDATE member SET until = ?, touched = ?, read_touched = ?, own_touched = ? WHERE row = ?",
        (n, n, n, n, gone.row),
    )
    tx.raw.execute("DELETE FROM member WHERE row = ? AND since = until", (gone.row,))
    tx.publish(ObjectsChanged("Member", n, (gone.scope,)))
    tx.publish(ObjectsChanged("Receipt", n, (gone.scope,)))
    visibility.do_leave(tx, gone.person_id, gone.scope)
    if gone.role == "owner":
        rest = load_memberships(tx.conn, gone.conversation_id)
        heir = next((one for one in rest if one.role == "admin"), rest[0] if rest else None)
        if heir is not None:
            do_set_role(tx, heir, "owner")
    _do_count(tx, gone.conversation_id, gone.scope)


def do_forget_stays_before(tx: Tx, n: int) -> None:
    """Drop the rows of people who had left by change n: who asks for changes since then does not hear of them."""
    tx.raw.execute("DELETE FROM member WHERE until <= ?", (n,))


def do_set_role(tx: Tx, one: Membership, role: Role) -> None:
    """Change what a member may do."""
    do_change_member(tx, one, role=role)


def do_change_member(tx: Tx, one: Membership, **columns: Any) -> None:
    """Set what everybody sees of a member (role, muted_until, nickname)."""
    n = tx.change_id()
    assert columns.keys() <= {"role", "muted_until", "nickname"}
    assignments = "".join(f"{name} = ?, " for name in columns)
    tx.raw.execute(f"UPDATE member SET {assignments}touched = ? WHERE row = ?", (*columns.values(), n, one.row))
    tx.publish(ObjectsChanged("Member", n, (one.scope,)))


def do_change_conversation(tx: Tx, conversation_id: str, **columns: Any) -> None:
    """Set shared columns (name, announcement, settings, …); all members will hear."""
    n = tx.change_id()
    assert columns.keys() <= {"name", "announcement", "settings", "muted_all", "dissolved_at", "department_id"}
    assignments = "".join(f"{name} = ?, " for name in columns)
    row = tx.raw.execute(
        f"UPDATE conversation SET {assignments}updated_at = ?, touched = ?, props_touched = ? WHERE id = ? RETURNING scope",
        (*columns.values(), tx.now, n, n, conversation_id),
    ).fetchone()
    tx.publish(ObjectsChanged("Conversation", n, (row[0],)))


def do_change_own(tx: Tx, mine: Membership, *, muted: bool, pinned: bool, own: str | None = None) -> None:
    """Set what is this person's own (`own`: JSON of everything but muted and pinned); only their devices will hear."""
    n = tx.change_id()
    tx.raw.execute(
        "UPDATE member SET muted = ?, pinned = ?, own = ?, own_touched = ?, props_touched = ? WHERE row = ?",
        (muted, pinned, own, n, n, mine.row),
    )
    tx.publish(ObjectsChanged("Conversation", n, person_ids=(mine.person_id,)))


def encode_announcement(text: str, by: str, at: str, **more: Any) -> str:
    """The stored form of an announcement."""
    return msgspec.json.encode({"text": text, "by": by, "at": at, **more}).decode()


def _row(tx: Tx, conversation_id: str) -> tuple[int, int, int]:
    row = tx.raw.execute(
        "SELECT scope, last_seq, member_count FROM conversation WHERE id = ?", (conversation_id,)
    ).fetchone()
    if row is None:
        raise SetError(SetErrorType.NOT_FOUND)
    return row[0], row[1], row[2]


def _do_enter(
    tx: Tx,
    conversation_id: str,
    scope: int,
    person_id: str,
    role: Role,
    read_seq: int,
    when: int,
    invited_by: str | None = None,
) -> None:
    n = tx.change_id()
    own = visibility.scope_id(tx, "person", person_id)
    tx.raw.execute(
        "INSERT INTO member(id, conversation_id, scope, person_id, person_scope, role, joined_at, muted, pinned, read_seq,"
        " since, until, touched, read_touched, own_touched, props_touched, invited_by)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            pair_id(conversation_id, person_id),
            conversation_id,
            scope,
            person_id,
            own,
            role,
            when,
            read_seq,
            n,
            INF,
            n,
            n,
            n,
            n,
            invited_by,
        ),
    )
    visibility.do_join(tx, person_id, scope)
    tx.publish(ObjectsChanged("Member", n, (scope,)))
    tx.publish(ObjectsChanged("Receipt", n, (scope,)))


def _do_count(tx: Tx, conversation_id: str, scope: int) -> None:
    n = tx.change_id()
    tx.raw.execute(
        "UPDATE conversation SET member_count = (SELECT count(*) FROM member WHERE conversation_id = ? AND until = ?),"
        " touched = ?, props_touched = ? WHERE id = ?",
        (conversation_id, INF, n, n, conversation_id),
    )
    tx.publish(ObjectsChanged("Conversation", n, (scope,)))
