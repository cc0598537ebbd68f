"""One thing the user did that the server has not confirmed yet, and the queue's rules. Pure values; the engine drives them."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

import msgspec


class EditKind(StrEnum):
    """Which part of /set an edit becomes."""

    CREATE = "create"
    UPDATE = "update"
    DESTROY = "destroy"


class EditState(StrEnum):
    """pending: to be sent, or sent without an answer yet (sending is known to the engine alone: after a crash it is pending again).
    refused: the server said no; it waits for the user."""

    PENDING = "pending"
    REFUSED = "refused"


class Edit(msgspec.Struct, frozen=True):
    """A queued write. `payload` is the wire object of a create or the patch of an update.

    `order`: position in the queue, given by the store's writer in ascending order. `lane`: edits of one lane go out one after another.
    `upload`: the transfer whose blob id belongs into the payload (a message's attachment, a document itself); until it is done the edit
    waits, and edits of other objects pass it. `local_path`: the user's file it carries. `alone`: never one with another edit (an action on a record).
    `extra`: what the server's refusal says beyond its code, in wire names.
    `uploads`: further files it waits for: (transfer, where its blob id goes: "signature", or "attachments.2" for the blobId of that entry).
    `needs`: the object whose creation must be through first; while that waits or is refused, this edit is held.
    `room`: the conversation it touches, where the payload does not say. `shown`: what the new object shows until the server made it, never sent.
    """

    id: str
    lane: str
    kind: EditKind
    type_name: str
    object_id: str
    payload: dict[str, Any] = {}
    order: int = 0
    created_at: int = 0
    state: EditState = EditState.PENDING
    upload: str | None = None
    local_path: str | None = None
    attempts: int = 0
    code: str | None = None
    description: str | None = None
    alone: bool = False
    extra: dict[str, Any] | None = None
    uploads: tuple[tuple[str, str], ...] = ()
    needs: str | None = None
    room: str | None = None
    shown: dict[str, Any] | None = None

    @property
    def ready(self) -> bool:
        """Whether it can be sent now."""
        return self.state is EditState.PENDING and self.upload is None and not self.uploads


def with_blob(edit: Edit, transfer_id: str, blob_id: str) -> Edit:
    """The edit with a file of its `uploads` arrived: its blob id stands where it belongs."""
    payload = dict(edit.payload)
    for transfer, place in edit.uploads:
        name, _, index = place.partition(".")
        if transfer != transfer_id:
            continue
        if index:
            entries = list(payload.get(name, ()))
            entries[int(index)] = {**entries[int(index)], "blobId": blob_id}
            payload[name] = entries
        else:
            payload[name] = blob_id
    left = tuple(pair for pair in edit.uploads if pair[0] != transfer_id)
    return msgspec.structs.replace(edit, payload=payload, uploads=left)


def conversation_of(edit: Edit) -> str:
    """The conversation an edit touches: its own, or the one its message or member belongs to. Empty for everything else."""
    if edit.type_name == "Conversation":
        return edit.object_id
    return edit.room if edit.room is not None else str(edit.payload.get("conversationId", ""))


MAX_BATCH: Final = 32
"""Creates of one lane that share a /set: the server applies the entries of `create` in the order they stand."""


def merged(older: Edit, newer: Edit) -> Edit | None:
    """One edit in place of two updates of one object, the newer values winning (a read marker never moves back, the older version is the one both
    were written on); None where they must stay apart."""
    same = older.object_id == newer.object_id and older.type_name == newer.type_name
    updates = older.kind is EditKind.UPDATE and newer.kind is EditKind.UPDATE
    if not same or not updates or not older.ready or not newer.ready or older.alone or newer.alone:
        return None
    payload = {**older.payload, **newer.payload}
    if "version" in older.payload:
        payload["version"] = older.payload["version"]
    if "readSeq" in older.payload and "readSeq" in newer.payload:
        payload["readSeq"] = max(older.payload["readSeq"], newer.payload["readSeq"])
    return msgspec.structs.replace(older, payload=payload, attempts=0)


def next_batch(lane: Iterable[Edit], limit: int = MAX_BATCH) -> list[Edit]:
    """What of one lane (in order) goes out together: a run of creates of one type, or one single edit; refused and waiting ones are
    passed, but not by edits of the object whose file they wait for, nor by those that need what is not made yet."""
    batch: list[Edit] = []
    held: set[str] = set()
    edits = list(lane)
    unmade = {edit.object_id for edit in edits if edit.kind is EditKind.CREATE} if any(e.needs for e in edits) else ()
    for edit in edits:
        if not edit.ready and (edit.upload is not None or edit.local_path is not None):
            held.add(edit.object_id)
        if not edit.ready or edit.object_id in held or edit.needs in unmade:
            continue
        if not batch and edit.kind is not EditKind.CREATE:
            return [edit]
        if batch and (edit.kind is not EditKind.CREATE or edit.type_name != batch[0].type_name):
            break
        batch.append(edit)
        if len(batch) == limit:
            break
    return batch
