"""The vote of the notice that is read: its ballots and its count as they are told to this user, and casting one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

import msgspec
from PySide6.QtWidgets import QWidget

from desktop.core.domain.records import Record
from desktop.core.errors import AppError
from desktop.models.notice_vote import BALLOT, vote_of
from desktop.ui.i18n import error_text, tr
from desktop.ui.office.notice_actions import NoticeVerbs
from desktop.ui.office.notice_vote import VoteCard
from desktop.ui.office.office_records import OfficeData
from desktop.ui.office.record.outcome import Outcome, conflict_of
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive

COUNTED: Final = ("voteTally", "voters")


class BallotPane(VoteCard):
    """Works on one notice at a time; reads and writes by itself."""

    def __init__(
        self, data: OfficeData, context: ViewContext, now_ms: Callable[[], int], parent: QWidget | None = None
    ) -> None:
        super().__init__(data.name, parent)
        self._data, self._context, self._now_ms = data, context, now_ms
        self.tasks = TaskOwner(self)
        self.record: Record | None = None
        self._ballots: tuple[Record, ...] = ()
        self._counts: dict[str, Any] = {}
        self._counted: tuple[object, ...] = ()

    # ---- content
    def show_record(self, record: Record, *, manages: bool) -> None:
        """Shows the vote of a notice. `manages`: this user is told every ballot anyway, and needs not ask."""
        self.record = record
        if record.data.get("voteClosed"):
            self._counts = {}  # the last count was pushed to all
        if record.data.get("hasVote"):
            self.tasks.start(self._load(record, manages), name="vote", exclusive=True)
        else:
            self.show_vote(None)

    def forget(self) -> None:
        self.tasks.cancel("vote")
        self.record, self._ballots, self._counts, self._counted = None, (), {}, ()
        super().forget()

    async def _load(self, record: Record, manages: bool) -> None:
        try:
            ballots = await self._context.records.linked(BALLOT, "noticeId", record.id)
        except AppError:
            return  # the notice can be read all the same; the next change reads again
        if not alive(self) or self.record is None or self.record.id != record.id:
            return
        self._ballots = tuple(ballots)
        self._refresh()
        if not manages and record.data.get("state") == "published":
            await self._fetch_counts(record)

    async def _fetch_counts(self, record: Record) -> None:
        """Asks for the count when something of it changed: it is not pushed to every reader with every ballot."""
        sent = tuple(one.id for one in self._ballots if not one.pending)
        stamp = (record.id, record.version, bool(record.data.get("voteClosed")), sent)
        if stamp == self._counted:
            return
        try:
            told = await cast(NoticeVerbs, self._data.session.office).fetch_notice(record.id)
        except AppError:
            return  # what was told last stays; there is no connection, or soon a change that asks again
        if not alive(self) or told is None or self.record is None or self.record.id != told.id:
            return
        self._counted = stamp
        self._counts = {name: told.data[name] for name in COUNTED if name in told.data}
        self._refresh()

    def _refresh(self) -> None:
        if self.record is None:
            return
        known = msgspec.structs.replace(self.record, data={**self.record.data, **self._counts})
        me, now = self._data.session.me.id, self._now_ms()
        self.show_vote(vote_of(known, self._ballots, self._data.organization, me=me, now_ms=now))

    # ---- voting
    def cast_ballot(self, places: list[int]) -> None:
        """Casts this user's ballot. Cast is cast."""
        if self.record is not None and not self.tasks.running("cast"):
            self.set_busy(True)
            self.tasks.start(self._cast_ballot(self.record.id, places), name="cast")

    async def _cast_ballot(self, notice_id: str, places: list[int]) -> None:
        try:
            problem = await self._send(notice_id, places)
        except AppError as error:
            problem = error_text(error)
        finally:
            if alive(self):
                self.set_busy(False)
        if alive(self) and self.record is not None and self.record.id == notice_id:
            self.show_problem(problem)

    async def _send(self, notice_id: str, places: list[int]) -> str:
        """Why the server did not take it; empty: it did, or has not been asked yet."""
        outcome = Outcome(self._context, BALLOT)
        choices = [{"option": place} for place in places]
        ballot_id = await self._context.records.create(BALLOT, {"noticeId": notice_id, "choices": choices})
        ballot = await outcome.wait(ballot_id)
        if outcome.refused is None and (ballot is None or ballot.refusal is None):
            return ""
        refused = await conflict_of(self._context, ballot_id)
        if refused is not None:  # a ballot is not mended: it is cast again, or the vote is over
            await self._context.records.drop(refused.edit_id)
        return tr("office_notice.vote.refused")
