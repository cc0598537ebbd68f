"""Timer events that obey the time they are given: due moments are counted once, kept with the task, and fired by Machine.refresh alone."""

import datetime as dt
import math
from collections.abc import Iterator
from typing import Any, Final, Literal

from SpiffWorkflow.bpmn.specs.event_definitions.timer import (
    CycleTimerEventDefinition,
    DurationTimerEventDefinition,
    TimeDateEventDefinition,
    TimerEventDefinition,
)
from SpiffWorkflow.util.task import TaskState

from server_stub.clock import utc_offset
from server_stub.workflow.machine_faults import ProcessFailed

MAX_CATCH_UP: Final = 50
"""A cycle with a number makes up for each time it missed, up to this many; else, and one without a number, it fires once for all of them."""
MIN_EVERY_MS: Final = 60_000
MAX_MS: Final = 253_402_300_799_000

Kind = Literal["date", "duration", "cycle"]


class CaseTimer(TimerEventDefinition):  # type: ignore[misc]
    """Fires once. Its moment is in the task's `due` under `key`, the id of the event in the file."""

    def __init__(self, key: str, expression: str, kind: Kind) -> None:
        super().__init__(key, expression)
        self.key = key
        self.kind = kind

    def has_fired(self, my_task: Any) -> bool:
        self.arm(my_task)
        return bool(my_task.internal_data.get("fire") == self.key)

    def arm(self, my_task: Any) -> None:
        """Count the moment, the first time the task waits."""
        due = my_task.internal_data.setdefault("due", {})
        if self.key not in due:
            value = my_task.workflow.script_engine.evaluate(my_task, self.expression)
            try:
                due[self.key] = self._armed(my_task, value)
            except (ValueError, TypeError, OverflowError) as error:
                raise ProcessFailed(f"no moment: {value!r} ({error})", self.key) from error

    def _armed(self, my_task: Any, value: Any) -> int:
        now: int = my_task.workflow.top_workflow.now_ms
        if self.kind == "date":
            return moment_of(value)
        if self.kind == "duration":
            return after(now, value)
        return first_of_cycle(now, value)[0]

    def catches(self, my_task: Any, event: Any) -> bool:
        return False

    def reset(self, my_task: Any) -> None:
        if my_task.has_state(TaskState.FINISHED_MASK | TaskState.READY):
            my_task.internal_data.pop("due", None)
            my_task.internal_data.pop("fire", None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CaseTimer) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


class CaseCycle(CaseTimer):
    """A timer at a border that interrupts nothing: fires again and again, each time opening its branch, until its number is used up."""

    def has_fired(self, my_task: Any) -> bool:
        self.arm(my_task)
        return bool(my_task.internal_data.get("left") == 0)

    def _armed(self, my_task: Any, value: Any) -> int:
        first, every, count = first_of_cycle(my_task.workflow.top_workflow.now_ms, value)
        my_task.internal_data["every"], my_task.internal_data["left"] = every, count
        return first

    def turn(self, my_task: Any) -> None:
        """One firing: count on, open the branch."""
        kept, now = my_task.internal_data, my_task.workflow.top_workflow.now_ms
        due = kept["due"][self.key]
        missed = max(0, now - due) // kept["every"]
        turns = 1 if kept["left"] > 0 and missed <= MAX_CATCH_UP else missed + 1
        kept["due"][self.key] = due + kept["every"] * turns
        if kept["left"] > 0:
            kept["left"] = max(0, kept["left"] - turns)
        for output in my_task.task_spec.outputs:
            child = my_task._add_child(output)
            output._update(child)
        if kept["left"] == 0 and my_task._state == TaskState.WAITING:
            kept["cycled"] = True
            my_task._ready()


def converted(definition: Any, key: str, *, cyclic: bool) -> Any:
    """One of ours for one of SpiffWorkflow's timers; anything else as it is."""
    if isinstance(definition, CycleTimerEventDefinition):
        kind = CaseCycle if cyclic else CaseTimer
        return kind(key, definition.expression, "cycle")
    if isinstance(definition, DurationTimerEventDefinition):
        return CaseTimer(key, definition.expression, "duration")
    if isinstance(definition, TimeDateEventDefinition):
        return CaseTimer(key, definition.expression, "date")
    return definition


def moment_of(value: Any) -> int:
    """A date, a date and time (local to the office where it has no offset) or milliseconds, as ms since the epoch. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return _sane(value)
    if not isinstance(value, str):
        raise ValueError("neither a text nor a number")
    text = value.strip()
    if text[:1] in "Pp":
        raise ValueError("a duration where a date is asked for")
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        return _sane(math.floor(moment.timestamp() * 1000))
    naive = math.floor(moment.replace(tzinfo=dt.UTC).timestamp() * 1000)
    return _sane(naive - utc_offset(_sane(naive)) * 60_000)


def after(start: int, value: Any) -> int:
    """An ISO 8601 duration after a moment, months and years by the calendar. Raises ValueError."""
    if not isinstance(value, str) or value.strip()[:1] not in ("P", "p") or len(value) > 60:
        raise ValueError("no ISO 8601 duration")
    try:
        parts = TimerEventDefinition.parse_iso_duration(value.strip())
    except Exception as error:  # noqa: BLE001 - SpiffWorkflow raises plain Exception for a bad duration
        raise ValueError(str(error)) from None
    if not parts or any(number > 1_000_000 for number in parts.values() if number is not None):
        raise ValueError("no ISO 8601 duration")
    begin = dt.datetime.fromtimestamp(start / 1000, dt.UTC)
    length = TimerEventDefinition.get_timedelta_from_start(dict(parts), begin)
    return _sane(start + length // dt.timedelta(milliseconds=1))


def first_of_cycle(now: int, value: Any) -> tuple[int, int, int]:
    """The first moment, the distance in ms and the number (-1: no end) of `R3/PT1H`, `R/2026-01-01T08:00:00/P1D`. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError("no ISO 8601 repetition")
    head, *parts = value.strip().upper().split("/")
    if not head.startswith("R") or not 1 <= len(parts) <= 2:
        raise ValueError("no ISO 8601 repetition")
    count = int(head[1:]) if head[1:] else -1
    if count == 0 or count < -1:
        raise ValueError("a repetition of nothing")
    if len(parts) == 1:
        first = after(now, parts[0])
        every = first - now
    else:
        first = moment_of(parts[0])
        every = after(first, parts[1]) - first
    if every < MIN_EVERY_MS:
        raise ValueError("repeats more often than once a minute")
    return first, every, count


def _sane(moment: int) -> int:
    if not 0 <= moment <= MAX_MS:
        raise ValueError("out of all calendars")
    return moment


# ---------------------------------------------------------------- firing
def waiting_timers(top: Any) -> Iterator[tuple[int, str, Any]]:
    """When each waiting timer is due, its key, its task."""
    for task in top.listening.values():
        if task.has_state(TaskState.WAITING):
            for key, when in task.internal_data.get("due", {}).items():
                yield when, key, task


def fire_next(top: Any) -> str | None:
    """Fire the timer that is due longest; answers its key, None when none is due."""
    due = [one for one in waiting_timers(top) if one[0] <= top.now_ms]
    if not due:
        return None
    _when, key, task = min(due, key=lambda one: (one[0], one[2].id, one[1]))
    definition = task.task_spec.event_definition
    if isinstance(definition, CaseCycle):
        definition.turn(task)
    else:
        task.internal_data["fire"] = key
        task.task_spec._update(task)
    return key
