"""Edits of records in the queue: which of them become one, which refusals stay for the user, how many requests a reconnection makes."""

import pytest

from desktop.core.domain import Record
from desktop.core.protocol.objects import decode_object
from desktop.core.protocol.problems import ProtocolError
from desktop.core.sync.outbox import Edit, EditKind, merged
from desktop.core.sync.sender import keeps


def edit(kind: EditKind = EditKind.UPDATE, type_name: str = "Trip", *, alone: bool = False, **payload: object) -> Edit:
    return Edit("e", "Trip:t", kind, type_name, "t", dict(payload), alone=alone)


def test_two_changes_become_one_on_the_version_of_the_first() -> None:
    both = merged(edit(cost="1.00", version=3), edit(cost="2.00", place="x", version=5))
    assert both is not None
    assert both.payload == {"cost": "2.00", "place": "x", "version": 3}


def test_an_action_stays_an_edit_of_its_own() -> None:
    action = edit(state="sent", action="send", version=3, alone=True)
    assert merged(edit(cost="1.00", version=3), action) is None
    assert merged(action, edit(cost="1.00", version=3)) is None


@pytest.mark.parametrize(
    ("refused", "stays"),
    [
        (edit(EditKind.CREATE, purpose="p"), True),
        (edit(cost="1.00", version=3), True),
        (edit(state="sent", action="send", version=3, reason="because"), True),
        (edit(state="sent", action="send", version=3), False),
        (edit(EditKind.DESTROY), False),
        (edit(EditKind.CREATE, "Follow", recordId="r"), False),
        (edit(EditKind.CREATE, "Comment", text="x"), True),
        (edit(EditKind.UPDATE, "Person", signature="x"), False),
        (edit(EditKind.UPDATE, "Notice", title="x"), True),
        (edit(EditKind.UPDATE, "Document", title="x"), False),
    ],
)
def test_a_refusal_stays_where_something_was_written(refused: Edit, stays: bool) -> None:
    assert keeps(refused) is stays


def test_a_record_is_read_whatever_its_type() -> None:
    record = decode_object(
        "Trip", b'{"id":"t","authorId":"p","version":4,"createdAt":"2026-11-22T00:00:00Z","cost":null,"n":[1]}', "me"
    )
    assert record == Record("t", "Trip", {"n": [1]}, "p", 1_795_305_600_000, 0, 4)


@pytest.mark.parametrize(
    "broken",
    [b"[]", b'{"id":""}', b'{"id":7}', b'{"id":"t","version":"x"}', b'{"id":"t","createdAt":"soon"}', b'{"id":"t","authorId":1}',
     b'{"id":"t","deep":' + b"[" * 40 + b"]" * 40 + b"}"],
)  # fmt: skip
def test_what_is_no_record_is_named(broken: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_object("Trip", broken, "me")
