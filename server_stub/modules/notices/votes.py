"""Votes on a notice: who may cast a ballot and when, and what of the count is told to whom.

A secret vote stores that somebody voted and how often each option was chosen, never both together: the choices go into the tally, which is a
record without readers, without history and without a time of its own; the ballot is kept without them.
"""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from server_stub.clock import parse_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.access import audience_scopes
from server_stub.modules.engine.dues import do_clear_due, do_set_due
from server_stub.modules.engine.referrers import load_referrers
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.scopes import do_touch_for
from server_stub.records.actor import Actor
from server_stub.records.store import Record, do_create_record, do_update_record, load_record
from server_stub.records.types import JsonObject
from server_stub.records.visibility import audience, scope_id
from server_stub.storage.database import Tx

NOTICE: Final = "Notice"
BALLOT: Final = "NoticeBallot"
TALLY: Final = "NoticeTally"
CLOSE: Final = "closeVote"
FIXED: Final = ("hasVote", "voteQuestion", "voteOptions", "voteMost", "voteSecret", "voteResults")
"""What nobody changes once the notice is published: ballots were cast on it."""


class BallotRules(Rules):
    """投票: one ballot for each person of the audience, until the vote closes; cast is cast."""

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        notice = load_record(tx.conn, data["noticeId"], type_name=NOTICE)
        assert notice is not None  # a reference that was checked
        _check_open(tx, actor, notice)
        chosen = _chosen(notice, data["choices"])
        _do_count(tx, notice.id, chosen)
        kept: JsonObject = {"noticeId": notice.id, "personId": actor.person_id}
        return kept if notice.data.get("voteSecret") else {**kept, "choices": data["choices"]}

    def scopes(self, tx: Tx, author_id: str | None, data: Mapping[str, Any]) -> list[int]:
        found = super().scopes(tx, author_id, data)
        notice = load_record(tx.conn, data["noticeId"], type_name=NOTICE)
        if notice is None or notice.data.get("voteSecret") or notice.author_id is None:
            return found
        return list(
            dict.fromkeys([*found, scope_id(tx, "person", notice.author_id), scope_id(tx, "role", "publisher")])
        )

    def after_create(self, tx: Tx, actor: Actor, record: Record) -> None:
        notice = load_record(tx.conn, record.data["noticeId"], type_name=NOTICE)
        if notice is not None and notice.author_id is not None:
            people = {actor.person_id, notice.author_id}
            readers = [scope_id(tx, "role", "publisher"), *(scope_id(tx, "person", one) for one in sorted(people))]
            do_touch_for(tx, notice.id, readers)


def check_vote(tx: Tx, data: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    """Raises SetError: the vote of a published notice was changed, closes in the past, or allows more choices than there are."""
    if before.get("state") == "published" and any(before.get(name) != data.get(name) for name in FIXED):
        raise invalid_properties("the vote of a published notice stays as it is", "voteOptions")
    if not data.get("hasVote"):
        return
    if data["voteMost"] > len(data["voteOptions"]):
        raise invalid_properties("more than there are options", "voteMost")
    moved = before.get("voteClosesAt") != data["voteClosesAt"] or before.get("state") != data["state"]
    if moved and data["state"] in ("published", "scheduled") and parse_utc(data["voteClosesAt"]) <= tx.now:
        raise invalid_properties("lies in the past", "voteClosesAt")
    if before.get("voteClosed") and before.get("voteClosesAt") != data["voteClosesAt"]:
        raise invalid_properties("the vote is closed", "voteClosesAt")


def do_set_vote_due(tx: Tx, record: Record) -> None:
    """The vote closes by itself."""
    if record.data.get("hasVote") and not record.data.get("voteClosed"):
        do_set_due(tx, record.id, NOTICE, CLOSE, parse_utc(record.data["voteClosesAt"]))
    else:
        do_clear_due(tx, record.id, CLOSE)


def do_close_vote(tx: Tx, record: Record) -> None:
    """The closing time has come: no more ballots, and all of the audience may see the count."""
    if record.data.get("hasVote") and not record.data.get("voteClosed"):
        do_update_record(tx, record, {**record.data, "voteClosed": True}, touch_time=False)


def show_vote(conn: sa.Connection, actor: Actor, record: Record, obj: JsonObject, *, manages: bool) -> None:
    """Add the count where this reader may see it now: a secret one only when it is closed, even for who manages the notice."""
    if not record.data.get("hasVote") or record.data["state"] != "published":
        return
    ballots = load_referrers(conn, BALLOT, "noticeId", record.id)
    obj["voters"] = len(ballots)
    voted = any(one.author_id == actor.person_id for one in ballots)
    open_count = not record.data.get("voteSecret")
    early = open_count and (manages or (voted and record.data.get("voteResults") == "afterVote"))
    if record.data.get("voteClosed") or early:
        counts = _load_counts(conn, record.id)
        options = enumerate(record.data["voteOptions"])
        obj["voteTally"] = [{"text": one["text"], "count": counts.get(str(place), 0)} for place, one in options]


# ---------------------------------------------------------------- small things


def _check_open(tx: Tx, actor: Actor, notice: Record) -> None:
    data = notice.data
    if not data.get("hasVote") or data["state"] != "published":
        raise invalid_properties("there is no vote on it", "noticeId")
    if data.get("voteClosed") or parse_utc(data["voteClosesAt"]) <= tx.now:
        raise invalid_properties("the vote is closed", "noticeId")
    if actor.person_id not in audience(tx.conn, audience_scopes(tx, data["audience"])):
        raise SetError(SetErrorType.FORBIDDEN, "the vote is for the audience of the notice", ["noticeId"])


def _chosen(notice: Record, choices: list[dict[str, Any]]) -> list[int]:
    chosen = [int(one["option"]) for one in choices]
    if len(set(chosen)) != len(chosen) or any(one >= len(notice.data["voteOptions"]) for one in chosen):
        raise invalid_properties("each choice is the place of an option, once", "choices")
    if len(chosen) > notice.data["voteMost"]:
        raise invalid_properties(f"at most {notice.data['voteMost']:g} choices", "choices")
    return chosen


def _tally_id(notice_id: str) -> str:
    return f"{notice_id}_tally"


def _do_count(tx: Tx, notice_id: str, chosen: list[int]) -> None:
    """One more for each choice. Written without history: nothing tells when a count moved."""
    tally = load_record(tx.conn, _tally_id(notice_id), type_name=TALLY)
    if tally is None:
        tally = do_create_record(tx, TALLY, _tally_id(notice_id), {}, scopes=[])
    counts = dict(tally.data)
    for option in chosen:
        counts[str(option)] = counts.get(str(option), 0) + 1
    do_update_record(tx, tally, counts, touch_time=False, history=False)


def _load_counts(conn: sa.Connection, notice_id: str) -> dict[str, int]:
    tally = load_record(conn, _tally_id(notice_id), type_name=TALLY)
    return {} if tally is None else tally.data
