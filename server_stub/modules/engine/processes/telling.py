"""What people hear of a case: the starter's live card and news of each advance, urging, being overdue. Work itself is told by to-dos."""

from collections.abc import Collection
from typing import Final

from server_stub.accounts.directory import PERSON
from server_stub.modules.engine.alerts import AlertText, do_alert, do_drop_alerts
from server_stub.modules.engine.processes.rows import EventRow
from server_stub.modules.engine.processes.run import CaseRun
from server_stub.records.store import load_records

SENDER: Final = "process"
"""The system conversation that holds the cards of one's own cases."""
ADVANCE: Final = "advance"
URGE: Final = "urge"
OVERDUE: Final = "overdue"
_TOLD: Final[dict[str, tuple[str, str]]] = {
    "submit": ("已提交", "submitted"),
    "approve": ("已同意", "approved"),
    "refuse": ("不同意", "refused"),
    "return": ("已退回", "returned"),
    "read": ("已阅", "has read"),
    "terminate": ("已终止", "terminated"),
    "suspend": ("已暂停", "suspended"),
    "resume": ("已恢复", "resumed"),
    "transfer": ("已转办", "passed on"),
    "skip": ("自动通过", "passed by itself"),
    "timeout": ("超时自动处理", "passed by time"),
}
_ENDED: Final = ("办理完毕", "finished")
MAX_NAMES: Final = 3


def do_send_card(run: CaseRun) -> None:
    """The starter gets one card about the record; it shows the record and its case as they are whenever it is looked at."""
    link = {"type": run.record.type, "id": run.record.id, "title": run.case.title}
    run.context.say(run.tx, SENDER, [run.case.started_by], run.case.title, link)


def do_tell(run: CaseRun) -> None:
    """Tell the starter how far the case has come, when somebody else moved it."""
    starter = run.case.started_by
    news = [one for one in run.told.advanced if one.person_id != starter]
    if run.told.ended and (news or run.acting != starter):
        _do_advance(run, (*_words_of(run, news), _ENDED))
    elif news:
        _do_advance(run, (*_words_of(run, news), *_now(run)))
    if run.told.ended:
        do_drop_alerts(run.tx, run.record.type, run.record.id, kinds=(URGE, OVERDUE))


def do_alert_people(
    run: CaseRun, people: Collection[str], kind: str, zh: str, en: str, *, urgent: bool = False
) -> None:
    """An alert about the case's record."""
    label = {"zh": zh, "en": en}
    if people:
        content = AlertText(kind, run.case.title, zh, urgent, run.record.type, run.record.id, label, kind != ADVANCE)
        do_alert(run.tx, people, content)


def _do_advance(run: CaseRun, parts: Collection[tuple[str, str]]) -> None:
    zh, en = "；".join(one for one, _ in parts), "; ".join(one for _, one in parts)
    do_alert_people(run, [run.case.started_by], ADVANCE, zh, en)


def _words_of(run: CaseRun, news: list[EventRow]) -> list[tuple[str, str]]:
    names = names_of(run, [one.person_id for one in news if one.person_id is not None])
    words = []
    for event in news[-MAX_NAMES:]:
        zh, en = _TOLD.get(event.action, (event.action, event.action))
        who = names.get(event.person_id or "", "")
        at = run.step_words(event.step_id) if event.step_name else ("", "")
        words.append(
            (f"{at[0]}：{who}{zh}" if at[0] else f"{who}{zh}", f"{at[1]}: {who} {en}" if at[1] else f"{who} {en}")
        )
    return words


def _now(run: CaseRun) -> list[tuple[str, str]]:
    steps = list(dict.fromkeys(run.step_words(one.step_id) for one in run.book.rounds.values()))
    people = run.handlers()
    names = names_of(run, people[:MAX_NAMES])
    who = "、".join(names[one] for one in people[:MAX_NAMES] if one in names) + ("…" if len(people) > MAX_NAMES else "")
    where = "、".join(zh for zh, _ in steps), ", ".join(en for _, en in steps)
    return [(f"现在：{where[0]}（{who}）", f"now: {where[1]} ({who})")] if steps else []


def names_of(run: CaseRun, person_ids: Collection[str]) -> dict[str, str]:
    """What people are called."""
    found = load_records(run.tx.conn, list(dict.fromkeys(person_ids)), type_name=PERSON)
    return {one: str(record.data.get("name", "")) for one, record in found.items()}
