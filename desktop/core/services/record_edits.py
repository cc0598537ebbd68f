"""Verbs of edits that met another's, and of what is kept for this user on this device: drafts and how a view was left."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from desktop.core.domain import Conflict, Hold, Record
from desktop.core.protocol.objects import is_record
from desktop.core.services.record_base import RecordBase
from desktop.core.services.record_overlay import NOT_DATA
from desktop.core.sync.events import EditDropped
from desktop.core.sync.outbox import Edit, EditKind, EditState
from desktop.core.sync.port import Store

MINE: Final = "mine"
THEIRS: Final = "theirs"
_DRAFTS: Final = "recordDraft"
_VIEWS: Final = "viewState"


class RecordEdits(RecordBase):
    """Refused edits, drafts, view states."""

    async def conflicts(self) -> list[Conflict]:
        """Edits of records that the server refused and that wait for the user, in the order of writing."""

        def load() -> list[Conflict]:
            store = self._context.store
            return [conflict_of(edit, store) for edit in store.load_edits() if waits(edit)]

        return await self._context.db(load)

    async def resolve(self, edit_id: str, take: dict[str, str]) -> None:
        """Ends a conflict field by field: `mine` is written again on top of what is there now, `theirs` stays. Fields that met nobody's count as mine.

        Raises:
            ValueError: no such conflict, a field where both changed is not decided, or the record is gone.
        """
        edit = next((one for one in await self._context.db(self._context.store.load_edits) if one.id == edit_id), None)
        if edit is None or not waits(edit):
            raise ValueError("no such conflict")
        conflict = await self._context.db(conflict_of, edit, self._context.store)
        patch = decided(conflict, take)
        if patch and edit.kind is EditKind.UPDATE and conflict.theirs is None:
            raise ValueError("the record is gone: it can only be dropped")
        await self._again(edit, conflict, patch)
        await self.drop(edit_id)

    async def _again(self, edit: Edit, conflict: Conflict, patch: dict[str, Any]) -> None:
        """First the new edit, then the old one goes: should the power fail in between, the user is asked twice and nothing is lost."""
        action = edit.payload.get("action")
        if edit.kind is EditKind.CREATE:
            if patch:
                await self._rewrite(edit, patch)
        elif conflict.theirs is not None and (patch or action):
            payload = {**patch, "version": conflict.theirs.version}
            if action is not None:
                payload["action"] = action
            await self._queue(EditKind.UPDATE, edit.type_name, edit.object_id, payload, alone=edit.alone)

    async def _rewrite(self, edit: Edit, payload: Mapping[str, Any]) -> None:
        """A refused new record once more, with other content."""
        await self._context.edit(EditKind.CREATE, edit.type_name, edit.object_id, dict(payload), lane=edit.lane)

    async def drop(self, edit_id: str) -> None:
        """Takes an edit out of the outbox, unless it is on its way."""
        await self._context.driver.do(EditDropped(self._context.clock.monotonic(), edit_id))

    # ------------------------------------------------------------ kept on this device
    async def draft(self, key: str) -> dict[str, Any] | None:
        """What was typed into a form and not handed in."""
        return (await self._context.load_local(_DRAFTS, dict[str, Any])).get(key)

    async def set_draft(self, key: str, data: dict[str, Any] | None) -> None:
        """Keeps it; None forgets it."""
        await self._context.put_local(_DRAFTS, key, data)

    async def view_state(self, view_key: str) -> dict[str, Any]:
        """How a view was left: columns, order, filters; empty at first."""
        return (await self._context.load_local(_VIEWS, dict[str, Any])).get(view_key, {})

    async def set_view_state(self, view_key: str, state: dict[str, Any]) -> None:
        """Keeps it; an empty one forgets it."""
        await self._context.put_local(_VIEWS, view_key, state or None)


def decided(conflict: Conflict, take: Mapping[str, str]) -> dict[str, Any]:
    """What of the user's edit is written again. Raises ValueError: a field where both changed is not decided."""
    chosen = {field: take.get(field, None if field in conflict.fields else MINE) for field in conflict.mine}
    open_ = sorted(field for field, choice in chosen.items() if choice not in (MINE, THEIRS))
    if open_:
        raise ValueError("not decided: " + ", ".join(open_))
    return {field: value for field, value in conflict.mine.items() if chosen[field] == MINE}


def waits(edit: Edit) -> bool:
    """Whether this is a refused edit of a record that the user has to settle."""
    return (
        edit.state is EditState.REFUSED
        and edit.kind is not EditKind.DESTROY
        and is_record(edit.type_name)
        and edit.upload is None
        and edit.local_path is None
    )


def conflict_of(edit: Edit, store: Store) -> Conflict:
    """What the user has to settle about a refused edit. What he wrote over it since is not asked again."""
    extra = edit.extra or {}
    later = [one for one in store.load_edits() if one.object_id == edit.object_id and one.order > edit.order]
    known = NOT_DATA.union(*(one.payload for one in later))
    mine = {key: value for key, value in edit.payload.items() if key not in known}
    theirs: Record | None = None
    if edit.kind is EditKind.UPDATE:
        theirs = store.load_records(edit.type_name, (edit.object_id,)).get(edit.object_id)
    return Conflict(
        edit.id,
        edit.type_name,
        edit.object_id,
        mine,
        theirs,
        tuple(name for name in _texts(extra.get("properties")) if name in mine),
        edit.code or "rejected",
        tuple(hold for one in extra.get("conflicts") or () if (hold := _hold(one)) is not None),
        tuple(_texts(extra.get("free"))),
    )


def _texts(value: Any) -> Collection[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _hold(value: Any) -> Hold | None:
    """Who holds a resource, as far as the answer tells."""
    if not isinstance(value, dict):
        return None
    try:
        return msgspec.convert({key: one for key, one in value.items() if one is not None}, Hold)
    except msgspec.ValidationError:
        return None
