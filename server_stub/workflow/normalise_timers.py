"""Timers: ISO durations, dates and repetitions as SpiffWorkflow's expressions; what is neither that nor an expression of ours is refused."""

import datetime
import re
from typing import Final

from server_stub.workflow.bpmn_xml import Element, children, local, text_of
from server_stub.workflow.budget import EvaluationError
from server_stub.workflow.dialects import translate
from server_stub.workflow.draft import Draft

_DURATION: Final = re.compile(
    r"P(?=[0-9T])(?:(?P<weeks>[0-9]{1,3})W|(?:(?P<years>[0-9]{1,2})Y)?(?:(?P<months>[0-9]{1,3})M)?(?:(?P<days>[0-9]{1,4})D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,5})H)?(?:(?P<minutes>[0-9]{1,6})M)?(?:(?P<seconds>[0-9]{1,8}(?:\.[0-9]{1,6})?)S)?)?)",
    re.ASCII,
)
_SECONDS: Final = {
    "weeks": 604_800,
    "years": 31_536_000,
    "months": 2_592_000,
    "days": 86_400,
    "hours": 3_600,
    "minutes": 60,
    "seconds": 1,
}
_CYCLE: Final = re.compile(r"R([0-9]{0,4})/(?:([^/]{4,40})/)?(P[^/]{1,40})", re.ASCII)
_FEEL_LITERAL: Final = re.compile(r"""=?\s*(?:duration|date and time|date|@)\s*\(?\s*"([^"]{1,60})"\s*\)?""")
_QUOTED: Final = re.compile(r"""(["'])([^"'\\]{1,80})\1""")
SHORTEST_CYCLE_S: Final = 60


def normalise_timer(draft: Draft, event: Element, definition: Element) -> None:
    """One timer definition: exactly one time, quoted or a checked expression."""
    times = children(definition, "timeDate", "timeDuration", "timeCycle")
    if len(times) != 1 or not text_of(times[0]):
        draft.refuse(event, "noTime", "定时器没有写明时间", "a timer without a time, or with several")
        return
    time = times[0]
    text = text_of(time)
    for part in list(time):
        time.remove(part)
    literal = _QUOTED.fullmatch(text) or _FEEL_LITERAL.fullmatch(text)
    value = literal[literal.re.groups] if literal else text
    kind = local(time)
    if kind == "timeCycle" and (local(event) != "boundaryEvent" or event.get("cancelActivity") != "false"):
        draft.refuse(
            event,
            "cycleHere",
            "循环定时器只能用于不中断的边界事件",
            "a repeating timer only runs as a non-interrupting boundary event",
        )
    elif _is_time(kind, value):
        time.text = f'"{value}"'
        if time.text != text:
            draft.note(event, "timerQuoted", f"定时器 {value} 已加引号", f"the timer {value} was put in quotes")
    elif literal or kind == "timeCycle":
        _refuse_time(draft, event, value)
    else:
        try:
            time.text = translate(text)
        except EvaluationError:
            _refuse_time(draft, event, value)
            return
        if time.text != text:
            draft.note(event, "expression", f"表达式 {text} 改写为 {time.text}", f"{text} became {time.text}")


def _refuse_time(draft: Draft, event: Element, text: str) -> None:
    zh, en = f"看不懂的时间：{text[:60]}", f"not a time of ISO 8601 (a minute or more between repetitions): {text[:60]}"
    draft.refuse(event, "badTime", zh, en)


def _is_time(kind: str, text: str) -> bool:
    if kind == "timeDuration":
        return duration_seconds(text) is not None
    if kind == "timeDate":
        return _is_date(text)
    match = _CYCLE.fullmatch(text)
    if match is None or (match[2] is not None and not _is_date(match[2])):
        return False
    seconds = duration_seconds(match[3])
    return seconds is not None and seconds >= SHORTEST_CYCLE_S


def duration_seconds(text: str) -> float | None:
    """Roughly how long an ISO duration is (a month as 30 days); None: it is none."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    return sum(float(value) * _SECONDS[name] for name, value in match.groupdict().items() if value)


def _is_date(text: str) -> bool:
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        return False
    return "W" not in text.upper()
