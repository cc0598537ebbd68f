"""Verbs of marking documents: marks are shown at once, wait in the outbox, and are taken away by who made them."""

from collections.abc import Mapping
from typing import Any, Final

from desktop.core.domain.annotations import Annotation, AnnotationTarget
from desktop.core.services.context import Context
from desktop.core.sync.events import EditDropped
from desktop.core.sync.outbox import Edit, EditKind, EditState

ANNOTATION: Final = "Annotation"


class AnnotationsService:
    """The marks on documents of records."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def annotations(self, target: AnnotationTarget) -> list[Annotation]:
        """The marks on a content, the oldest first; what is on its way stands last, what is being taken away is left out."""
        store, me = self._context.store, self._context.me

        def load() -> list[Annotation]:
            held = store.load_objects(ANNOTATION, parent=target.record_id)
            found = [one for one in held if isinstance(one, Annotation) and one.blob_id == target.blob_id]
            edits = [edit for edit in store.load_edits() if edit.type_name == ANNOTATION]
            gone = {edit.object_id for edit in edits if edit.kind is EditKind.DESTROY}
            known = {one.id for one in found}
            waiting = [
                _pending(edit, me)
                for edit in edits
                if edit.kind is EditKind.CREATE
                and edit.payload.get("recordId") == target.record_id
                and edit.payload.get("blobId") == target.blob_id
                and edit.object_id not in known
            ]
            shown = sorted(found, key=lambda one: (one.created_at, one.id)) + waiting
            return [one for one in shown if one.id not in gone]

        return await self._context.db(load)

    async def annotate(
        self, target: AnnotationTarget, page: int, kind: str, mark: Mapping[str, Any], *, shared: bool
    ) -> str:
        """Mark a page; queued. Gives the mark's id."""
        made = self._context.new_id()
        payload = {
            "recordType": target.record_type,
            "recordId": target.record_id,
            "blobId": target.blob_id,
            "page": page,
            "kind": kind,
            "mark": dict(mark),
            "shared": shared,
        }
        await self._context.edit(EditKind.CREATE, ANNOTATION, made, payload, lane=_lane(target.record_id))
        return made

    async def erase(self, annotation: Annotation) -> None:
        """Take an own mark away; one that has not reached the server just leaves the outbox."""
        edit_id = await self._waiting(annotation.id)
        if edit_id is not None:
            await self._context.driver.do(EditDropped(self._context.clock.monotonic(), edit_id))
            if await self._waiting(annotation.id) is None:
                return
        await self._context.edit(EditKind.DESTROY, ANNOTATION, annotation.id, {}, lane=_lane(annotation.record_id))

    async def _waiting(self, annotation_id: str) -> str | None:
        """The edit that makes this mark and is still in the outbox."""
        edits = await self._context.db(self._context.store.load_edits)
        found = (one for one in edits if one.object_id == annotation_id and one.kind is EditKind.CREATE)
        return next((one.id for one in found), None)


def _lane(record_id: str) -> str:
    return f"record:{record_id}"


def _pending(edit: Edit, me: str) -> Annotation:
    refused = edit.state is EditState.REFUSED
    given = edit.payload
    return Annotation(
        id=edit.object_id,
        record_id=str(given.get("recordId", "")),
        record_type=str(given.get("recordType", "")),
        blob_id=str(given.get("blobId", "")),
        page=int(given.get("page", 0)),
        kind=str(given.get("kind", "")),
        mark=dict(given.get("mark", {})),
        shared=bool(given.get("shared")),
        author_id=me,
        created_at=edit.created_at,
        updated_at=edit.created_at,
        pending=not refused,
        refusal=(edit.code or "rejected") if refused else None,
    )
