"""What the screens ask of cases and processes. The real service is desktop.core.services.cases; tests have their own (tests/helpers/fake_cases.py).

Reads come from this device and are quick, with the cable out too. Acts are shown at once and queue while there is no connection; what the server then
refuses stays, with all that was typed, under `Flow.refused` and `refused()`. Every verb may raise AppError. `session.events` tells of changes by
ChangeSet of "Case", "WorkItem", "CaseEvent", "Process", "Delegation" (and "Edit": something came into or left the outbox).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from desktop.core.domain import Attachment
from desktop.core.domain.cases import Case, CaseEvent, Flow, HowMany, WorkCounts, WorkItem, WorkPage, WorkQuery
from desktop.core.domain.processes import (
    Delegation,
    Draft,
    Overlay,
    OverlayPlan,
    Process,
    ProcessForm,
    ProcessNote,
    StepAction,
    TryOut,
)
from desktop.core.domain.records import Record


class CasesVerbs(Protocol):
    """Cases, work items, processes, delegations."""

    # ---- lists
    async def work(self, query: WorkQuery) -> WorkPage: ...
    async def counts(self) -> WorkCounts: ...

    # ---- one record's case. `flow` is all of it in one; never raises for what is not here
    async def flow(self, record_type: str, record_id: str) -> Flow: ...
    async def case_of(self, record_type: str, record_id: str) -> Case | None: ...
    async def item(self, item_id: str) -> WorkItem | None: ...
    async def events(self, case_id: str) -> list[CaseEvent]: ...
    async def process(self, process_id: str, version: int) -> Process | None: ...
    async def opened(self, item: WorkItem) -> None: ...
    def allowed(self, record: Record, item: WorkItem | None) -> list[StepAction]: ...

    # ---- acting: queued, shown at once; the id of the event. Attachments: files of the user (Path), or what is on the server already
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
    ) -> str: ...
    async def submit(
        self,
        record: Record,
        *,
        opinion: str = "",
        attachments: Sequence[Path | Attachment] = (),
        values: Mapping[str, Any] | None = None,
        chosen: Mapping[str, Sequence[str]] | None = None,
        instead_of: str | None = None,
    ) -> str: ...
    async def may_submit(self, record: Record) -> bool: ...
    async def refused(self, record_id: str | None = None) -> list[CaseEvent]: ...
    async def retry(self, event_id: str) -> None: ...
    async def drop(self, event_id: str) -> None: ...

    # ---- the user's common phrases; `defaults` until he kept his own
    async def phrases(self, defaults: Sequence[str] = ()) -> list[str]: ...
    async def set_phrases(self, phrases: Sequence[str]) -> None: ...

    # ---- absence and leaving. Need the server's word: raise Offline, Rejected
    async def delegations(self) -> list[Delegation]: ...
    async def delegate(
        self,
        delegate_id: str,
        from_at: int,
        to_at: int,
        *,
        modules: Sequence[str] = (),
        reason: str = "",
        person_id: str | None = None,
    ) -> str: ...
    async def change_delegation(
        self, delegation_id: str, from_at: int, to_at: int, *, modules: Sequence[str] = (), reason: str = ""
    ) -> None: ...
    async def end_delegation(self, delegation_id: str) -> None: ...
    async def take_back(self) -> int: ...
    async def hand_over(self, person_id: str, to_id: str, modules: Sequence[str] = ()) -> int: ...

    # ---- processes, for administrators. Need the server's word: raise Offline, Rejected
    async def processes(self) -> list[Process]: ...
    async def export_bpmn(self, version_id: str) -> bytes: ...
    async def process_form(self, version_id: str) -> ProcessForm: ...
    async def save_draft(
        self,
        content: bytes | Mapping[str, Any],
        *,
        draft_id: str | None = None,
        record_type: str = "",
    ) -> Draft: ...
    async def publish(self, version_id: str) -> tuple[ProcessNote, ...]: ...
    async def retire(self, version_id: str) -> None: ...
    async def drop_draft(self, version_id: str) -> None: ...
    async def try_out(
        self,
        content: str | bytes | Mapping[str, Any],
        record_type: str,
        data: Mapping[str, Any],
        person_id: str,
        script: Sequence[str] = (),
    ) -> TryOut: ...
    async def move_case(self, case_id: str, version: int, map: Mapping[str, str]) -> None: ...

    # ---- what administrators change of a module: fields, order, process. Need the server's word: raise Offline, Rejected
    async def overlay(self, module_id: str) -> Overlay | None: ...
    async def save_overlay(self, module_id: str, draft: Mapping[str, Any] | None) -> None: ...
    async def plan_overlay(self, module_id: str) -> OverlayPlan: ...
    async def publish_overlay(self, module_id: str) -> OverlayPlan: ...
