"""Verbs of what this user does with a case. Acts queue, show at once and go out once, after what they depend on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from desktop.core.domain import Attachment, Record
from desktop.core.domain.case_rules import missing_of
from desktop.core.domain.cases import CaseEvent, HowMany, WorkItem
from desktop.core.domain.processes import ActionName, StepAction
from desktop.core.errors import Rejected
from desktop.core.events import ChangeSet, EditRefused
from desktop.core.services.case_flow import CaseFlow
from desktop.core.services.case_lists import WORK_ITEM, first
from desktop.core.services.case_overlay import CASE_EVENT, ENDING, acts_of, is_on_its_way
from desktop.core.services.record_base import lane_of
from desktop.core.services.transfers import Outgoing
from desktop.core.sync.events import EditDropped, EditRetried
from desktop.core.sync.outbox import Edit, EditKind, EditState
from desktop.core.sync.port import Store

MAX_SIGNATURE: Final = 2_000_000


class CaseActs(CaseFlow):
    """Acts on cases."""

    # ------------------------------------------------------------ acting
    async def act(
        self,
        record: Record,
        action: StepAction,
        item: WorkItem | None = None,
        *,
        opinion: str = "",
        attachments: Sequence[Path | Attachment] = (),
        signature: bytes | Attachment | None = None,
        values: Mapping[str, Any] | None = None,
        to: Sequence[str] = (),
        to_step: str | None = None,
        chosen: Mapping[str, Sequence[str]] | None = None,
        how_many: HowMany | None = None,
        instead_of: str | None = None,
    ) -> str:
        """Queues an act; the id of its event. It goes out after the edits of the record that stand before it, and never twice.

        `instead_of`: a refused act that this one replaces. `how_many`: of people asked in addition.

        Raises:
            Rejected: invalidProperties: what the step requires is missing. BadFile: a file cannot be read.
        """
        if item is not None and all(one.name != action.name for one in item.actions):
            item = None  # an action of the case as a whole
        home = (await self._scene.ready()).homes.get(record.type)
        missing = missing_of(record, action, item, opinion, signature, values, home[1] if home is not None else None)
        if missing:
            raise Rejected(type="invalidProperties", description="required", properties=missing)
        old = await self._refused_edit(instead_of)
        payload: dict[str, Any] = {"recordType": record.type, "recordId": record.id, "action": action.name}
        told: dict[str, Any] = {
            "workItemId": item.id if item is not None else None,
            "outcome": action.outcome,
            "opinion": opinion.strip() or None,
            "values": dict(values) if values else None,
            "to": list(to) or None,
            "toStepId": to_step,
            "chosen": {step: list(people) for step, people in (chosen or {}).items()} or None,
            "count": how_many.count if how_many is not None else None,
            "order": how_many.order if how_many is not None else None,
        }
        payload |= {name: value for name, value in told.items() if value is not None}
        sending = await self._take_files(payload, attachments, signature, old)
        event_id = await self._queue_act(record, payload, sending)
        if instead_of is not None:
            await self._forget(instead_of)
        self._tell(record.type, record.id, item.id if item is not None else None)
        if item is not None and action.name in ENDING:
            self._acted[item.id] = (event_id, self._context.clock.monotonic())
        return event_id

    async def submit(
        self,
        record: Record,
        *,
        opinion: str = "",
        attachments: Sequence[Path | Attachment] = (),
        values: Mapping[str, Any] | None = None,
        chosen: Mapping[str, Sequence[str]] | None = None,
        instead_of: str | None = None,
    ) -> str:
        """Starts the record's case, or sends a returned one in again. A draft that was never sent goes first."""

        def load(store: Store) -> WorkItem | None:
            mine = [i for i in self._items(store, record.id) if i.open and i.is_of(self._context.me)]
            sends = [i for i in mine if any(one.name == ActionName.SUBMIT for one in i.actions)]
            return min(sends, key=first, default=None)

        item = await self._context.db(load, self._context.store)
        named = next((one for one in item.actions if one.name == ActionName.SUBMIT), None) if item is not None else None
        return await self.act(
            record,
            named or StepAction(ActionName.SUBMIT),
            item,
            opinion=opinion,
            attachments=attachments,
            values=values,
            chosen=chosen,
            instead_of=instead_of,
        )

    async def may_submit(self, record: Record) -> bool:
        """Whether this user may start the record's case: it is his, its type has a process, and nothing runs or is on its way."""
        scene = await self._scene.ready()
        type_ = scene.type(record.type)
        if type_ is None or type_.process is None or record.author_id not in (None, self._context.me):
            return False
        if type_.states and record.data.get("state") not in (None, type_.states[0].value):
            return False

        def load(store: Store) -> bool:
            case = self._case(store, record.id)
            sent = any(is_on_its_way(edit) for edit in acts_of(store.load_edits(), record.id))
            return (case is None or case.ended) and not sent

        return await self._context.db(load, self._context.store)

    async def _queue_act(self, record: Record, payload: dict[str, Any], sending: list[tuple[Outgoing, str]]) -> str:
        edits = await self._context.db(self._context.store.load_edits)
        unmade = any(edit.kind is EditKind.CREATE and edit.object_id == record.id for edit in edits)
        event_id = self._context.new_id()
        await self._context.edit(
            EditKind.CREATE,
            CASE_EVENT,
            event_id,
            payload,
            lane=lane_of(edits, record.type, record.id, payload),
            edit_id=event_id,
            uploads=tuple((outgoing.transfer_id, place) for outgoing, place in sending),
            needs=record.id if unmade else None,
        )
        for outgoing, _ in sending:
            await self._transfers.begin_upload(outgoing, event_id)
        return event_id

    # ------------------------------------------------------------ files of an act
    async def _take_files(
        self,
        payload: dict[str, Any],
        attachments: Sequence[Path | Attachment],
        signature: bytes | Attachment | None,
        old: Edit | None,
    ) -> list[tuple[Outgoing, str]]:
        """Puts what is known of the files into the payload; the transfers that must be through first, and where their blobs go."""
        sending: list[tuple[Outgoing, str]] = []
        entries: list[dict[str, Any]] = []
        for one in attachments:
            outgoing = await self._transfers.take_file(one) if isinstance(one, Path) else _left_over(one, old)
            shown = one if isinstance(one, Attachment) else outgoing.attachment if outgoing is not None else None
            if shown is None:
                continue
            if outgoing is not None:
                sending.append((outgoing, f"attachments.{len(entries)}"))
            entries.append({"blobId": shown.blob_id, "name": shown.name, "type": shown.type, "size": shown.size})
        if entries:
            payload["attachments"] = entries
        if isinstance(signature, bytes):
            taken = await self._transfers.take_picture(signature, "signature.png", MAX_SIGNATURE, hidden=True)
            payload["signature"] = taken.attachment.blob_id
            sending.append((taken, "signature"))
        elif signature is not None:
            payload["signature"] = signature.blob_id
            left = next((transfer for transfer, place in old.uploads if place == "signature"), None) if old else None
            if left is not None:
                sending.append((Outgoing(left, signature), "signature"))
        return sending

    # ------------------------------------------------------------ what was refused
    async def refused(self, record_id: str | None = None) -> list[CaseEvent]:
        """Acts the server would not have, with all that was typed, the oldest first."""

        def load(store: Store) -> list[CaseEvent]:
            found: list[CaseEvent] = []
            for edit in acts_of(store.load_edits(), record_id):
                if edit.state is EditState.REFUSED:
                    about = str(edit.payload.get("recordId", ""))
                    here = {one.id: one for one in self._items(store, about)}
                    found.append(self._event(edit, here, self._case(store, about)))
            return found

        return await self._context.db(load, self._context.store)

    async def retry(self, event_id: str) -> None:
        """Sends a refused act again as it was."""
        await self._context.driver.do(EditRetried(self._context.clock.monotonic(), event_id))
        await self._transfers.retry_of(event_id)

    async def drop(self, event_id: str) -> None:
        """Takes an act back unless it is on its way; what was typed is gone then."""
        edit = await self._edit(event_id)
        await self._forget(event_id)
        if edit is not None and await self._edit(event_id) is None:
            self._acted.pop(str(edit.payload.get("workItemId")), None)
            self._tell(
                str(edit.payload.get("recordType")), str(edit.payload.get("recordId")), edit.payload.get("workItemId")
            )

    async def _forget(self, event_id: str) -> None:
        await self._context.driver.do(EditDropped(self._context.clock.monotonic(), event_id))
        if await self._edit(event_id) is None:
            await self._transfers.cancel_of(event_id)

    async def _edit(self, event_id: str) -> Edit | None:
        edits = await self._context.db(self._context.store.load_edits)
        return next((edit for edit in edits if edit.id == event_id), None)

    async def _refused_edit(self, event_id: str | None) -> Edit | None:
        edit = None if event_id is None else await self._edit(event_id)
        return edit if edit is not None and edit.state is EditState.REFUSED else None

    # ------------------------------------------------------------ what the session tells
    def on_change(self, change: ChangeSet) -> None:
        """Items that changed are no longer under way; versions of processes are read anew."""
        if change.type_name == WORK_ITEM:
            for item_id in (*change.upserts, *change.removed) if self._acted else ():
                self._acted.pop(item_id, None)
        elif change.type_name == "Process":
            self._processes = None

    def on_refused(self, event: EditRefused) -> None:
        """An act came back: its item waits again, its record shows the server's values."""
        if event.type_name == CASE_EVENT:
            self._context.start(self._came_back(event.object_id), "cases.refused")

    async def _came_back(self, event_id: str) -> None:
        edit = await self._edit(event_id)
        if edit is not None:
            item_id = edit.payload.get("workItemId")
            self._acted.pop(str(item_id), None)
            self._tell(str(edit.payload.get("recordType")), str(edit.payload.get("recordId")), item_id)

    def _tell(self, record_type: str, record_id: str, item_id: str | None) -> None:
        """What an act makes look different beside itself."""
        if item_id is not None:
            self._context.bus.publish(ChangeSet(WORK_ITEM, (item_id,)))
        self._context.bus.publish(ChangeSet(record_type, (record_id,)))


def _left_over(attachment: Attachment, old: Edit | None) -> Outgoing | None:
    """The transfer of a refused act's file that never arrived; None: it is on the server."""
    if attachment.blob_id or old is None:
        return None
    entries = old.payload.get("attachments") or ()
    for transfer, place in old.uploads:
        name, _, index = place.partition(".")
        if name == "attachments" and entries[int(index)].get("name") == attachment.name:
            return Outgoing(transfer, attachment)
    return None
