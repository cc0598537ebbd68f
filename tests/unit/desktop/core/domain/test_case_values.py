"""Cases and processes as values of the wire: tolerant reading, lights, whose an item is, the order of a history; principals of records with a case."""

import json
from typing import Any

import msgspec
import pytest

from desktop.core.clock import parse_utc_date
from desktop.core.domain import Attachment, Record
from desktop.core.domain.access import Organization, Rights, Viewer
from desktop.core.domain.cases import (
    Case,
    CaseEvent,
    CaseState,
    Refusal,
    WorkItem,
    WorkKind,
    in_order,
    light_at,
    minutes_left,
)
from desktop.core.domain.definition import Label, TypeDefinition
from desktop.core.domain.processes import Process, ProcessState, StepAction
from desktop.core.domain.records import Light
from desktop.core.protocol.objects import decode_object, value_of
from desktop.core.protocol.problems import ProtocolError
from desktop.core.services.case_overlay import refusal_of
from desktop.core.sync.outbox import Edit, EditKind, next_batch, with_blob

STAMP = "2026-11-22T08:00:00.000Z"
AT = parse_utc_date(STAMP)


def read(name: str, **data: Any) -> Any:
    value = decode_object(name, json.dumps(data).encode(), "me")
    return value_of(value, "me") if isinstance(value, Record) else value


def test_a_case_is_read_with_its_moments_and_without_its_nulls() -> None:
    now = [
        {
            "stepId": "a",
            "name": "审核",
            "since": STAMP,
            "dueAt": STAMP,
            "amberAt": None,
            "personIds": ["p"],
            "onBehalf": {"p": "q"},
        }
    ]
    case = read("Case", id="c", recordId="r", state="frozen", now=now, next=[{"stepId": "b", "personIds": None}], startedAt=STAMP,
                endedAt=None, durations={"a": 2.5}, actions=[{"name": "withdraw", "label": None}], news=1)  # fmt: skip
    assert isinstance(case, Case)
    assert (case.state, case.started_at, case.ended_at) == (CaseState.RUNNING, AT, None)
    assert (case.now[0].since, case.now[0].due_at, case.now[0].amber_at, case.now[0].on_behalf) == (
        AT,
        AT,
        None,
        {"p": "q"},
    )
    assert (case.next[0].step_id, case.next[0].person_ids, case.actions) == ("b", (), (StepAction("withdraw"),))
    assert not case.ended


def test_a_shared_item_is_for_another_one_where_the_server_says_so() -> None:
    item = read("WorkItem", id="w", personId=None, candidateIds=["me", "you"], onBehalf={"me": "boss"}, kind="ponder", dueAt=STAMP,
                actions=[{"name": "approve", "label": {"zh": "签", "en": "Sign"}}], pending=True)  # fmt: skip
    assert isinstance(item, WorkItem)
    assert (item.kind, item.on_behalf_of_id, item.due_at, item.pending) == (WorkKind.HANDLE, "boss", AT, False)
    assert (item.is_of("me"), item.is_of("him"), item.open) == (True, False, True)
    assert not msgspec.structs.replace(item, person_id="you").is_of("me")


def test_what_is_only_ours_is_not_taken_from_the_wire() -> None:
    event = read("CaseEvent", id="e", action="sing", at=STAMP, opinion=None, pending=True, refusal={"code": "x"}, values={"a": None},
                 attachments=[{"blobId": "b", "name": "n", "width": None}])  # fmt: skip
    assert isinstance(event, CaseEvent)
    assert (event.pending, event.refusal, event.opinion, event.at) == (False, None, "", AT)
    assert event.attachments == (Attachment("b", "n"),)


def test_a_process_of_a_newer_server_is_read_as_far_as_it_goes() -> None:
    step = {
        "id": "a",
        "options": {"limit": "1d", "count": 2},
        "name": "甲",
        "performersText": "发起人",
        "actions": [{"name": "x", "y": 1}],
    }
    process = read("Process", id="p", state="dreaming", version=None, steps=[step], diagram=None, notes=None)
    assert isinstance(process, Process)
    assert (process.state, process.version, process.diagram) == (ProcessState.RETIRED, 0, None)
    assert (process.steps[0].limit, process.steps[0].count, process.steps[0].actions) == ("1d", 2, (StepAction("x"),))
    assert process.step("b") is None


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("Case", {"now": [{"since": "soon"}]}),
        ("Case", {"now": "here"}),
        ("WorkItem", {"actions": [5]}),
        ("WorkItem", {"dueAt": 7}),
        ("CaseEvent", {"seq": "first"}),
        ("Process", {"steps": [1]}),
        ("Delegation", {"from": "tomorrow"}),
    ],
)
def test_broken_ones_are_refused(name: str, data: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        read(name, id="x", **data)


def test_lights_and_time_left() -> None:
    assert [light_at(now, 10, 20) for now in (9, 10, 19, 20)] == [Light.GREEN, Light.AMBER, Light.AMBER, Light.RED]
    assert (light_at(5, None, None), light_at(5, None, 5)) == (Light.GREEN, Light.RED)
    assert (minutes_left(0, None), minutes_left(0, 120_000), minutes_left(60_000, 0)) == (None, 2, -1)


def test_a_history_is_in_the_order_of_its_numbers() -> None:
    events = [CaseEvent("a", seq=0, at=1), CaseEvent("b", seq=2, at=1), CaseEvent("c", seq=1, at=9)]
    assert [event.id for event in in_order(events)] == ["c", "b", "a"]


def test_a_refusal_survives_whatever_the_server_said_with_it() -> None:
    odd = {
        "by": 5,
        "at": "yesterday",
        "action": None,
        "properties": ["a", 1],
        "reasons": {"a": 1},
        "case": {"now": [3, {"name": "批办"}]},
    }
    edit = Edit("e", "l", EditKind.CREATE, "CaseEvent", "e", code="overtaken", extra=odd)
    assert refusal_of(edit) == Refusal("overtaken", None, None, None, ("a",), {"a": "1"}, "", (Label("批办", "批办"),))
    assert refusal_of(Edit("e", "l", EditKind.CREATE, "CaseEvent", "e")) == Refusal("rejected")


# ------------------------------------------------------------ the outbox
def edit(key: str, kind: EditKind = EditKind.CREATE, type_name: str = "Request", **more: Any) -> Edit:
    return Edit(key, "lane", kind, type_name, more.pop("object_id", key), **more)


def test_what_needs_an_object_waits_until_it_is_made() -> None:
    event = edit("e", type_name="CaseEvent", needs="r")
    made, again = edit("r1", object_id="r"), edit("r2", object_id="r")
    refused = edit("r1", object_id="r", state="refused")
    assert next_batch([made, event]) == [made]
    assert next_batch([refused, event]) == []
    assert next_batch([refused, event, again]) == [again]  # written once more, behind it
    assert next_batch([event]) == [event]
    other = edit("u", EditKind.UPDATE, object_id="q")
    assert next_batch([refused, event, other]) == [other]


def test_every_file_of_an_act_finds_its_place() -> None:
    act = edit("e", type_name="CaseEvent", payload={"attachments": [{"name": "a"}, {"name": "b"}]},
               uploads=(("t1", "attachments.1"), ("t2", "signature")))  # fmt: skip
    first = with_blob(act, "t1", "blob1")
    assert (first.payload["attachments"], first.ready) == ([{"name": "a"}, {"name": "b", "blobId": "blob1"}], False)
    second = with_blob(first, "t2", "blob2")
    assert (second.payload["signature"], second.ready, second.uploads) == ("blob2", True, ())
    assert act.payload["attachments"][1] == {"name": "b"}


# ------------------------------------------------------------ rights of records with a case
def test_handlers_and_those_who_took_part_have_their_rights() -> None:
    label = {"zh": "x", "en": "x"}
    access = {"read": ["participant"], "create": [], "update": ["handler"], "destroy": []}
    type_ = msgspec.convert(
        {"name": "R", "label": label, "fields": [], "access": access, "process": "p"}, TypeDefinition
    )
    rights = Rights(type_, Viewer("me", Organization(), 0, 0), lambda *_: None)
    mine = Record("r", "R", {"handlerIds": ["me"], "participantIds": ["you"]}, "you")
    past = Record("r", "R", {"handlerIds": ["you"], "participantIds": ["you", "me"]}, "you")
    other = Record("r", "R", {"handlerIds": ["you"]}, "you")
    assert [rights.may(one, "update") for one in (mine, past, other)] == [True, False, False]
    assert [rights.may(one, "read") for one in (mine, past, other)] == [True, True, False]
