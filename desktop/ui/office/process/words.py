"""Words of processes: actions on buttons and in histories, time left, who stands where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from desktop.core.domain.processes import Process, StepAction
from desktop.core.domain.records import Light
from desktop.models.case_flow import FlowRow, Look
from desktop.ui.i18n import has, tr, when
from desktop.ui.office.process.work_calendar import worked_minutes
from desktop.ui.office.views.base import ViewContext

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
TONES: Final = {Light.GREEN: "ink3", Light.AMBER: "amber", Light.RED: "red_text"}
CHIPS: Final = {Light.GREEN: "neutral", Light.AMBER: "amber", Light.RED: "red"}
PLAIN: Final = frozenset({"submit", "approve", "read", ""})
"""Acts whose row needs no word of its own: the step's name says it."""
BAD: Final = frozenset({"return", "refuse", "terminate", "timeout", "escalate"})
FORWARD: Final = ("submit", "read", "approve")
"""What the step is there for: the first of these is the primary button."""


def action_word(context: ViewContext, action: StepAction) -> str:
    """The words of a button."""
    own = context.label(action.label) if action.label is not None else ""
    if own:
        return own
    key = f"office_process.action.{action.name}"
    return tr(key) if has(key) else action.outcome or action.name


def did_word(context: ViewContext, process: Process | None, step_id: str, action: str, outcome: str | None) -> str:
    """What was done, for a chip of the history; empty where the step's name says it all."""
    step = process.step(step_id) if process is not None else None
    if step is not None and outcome:
        named = next(
            (a for a in step.actions if a.label is not None and a.name == action and a.outcome == outcome), None
        )
        if named is not None and named.label is not None:
            return context.label(named.label)
    if action in PLAIN:
        return ""
    key = f"office_process.did.{action}"
    return tr(key) if has(key) else action


def did_tone(action: str) -> str:
    """The tone of that chip."""
    return "red" if action in BAD else "amber" if action in ("withdraw", "urge", "suspend", "skip") else "neutral"


def span(ms: int) -> str:
    """A length of time as people say it: 40 分钟, 2 小时, 3 天."""
    if ms < HOUR:
        return tr("office_process.minutes", n=max(1, round(ms / MINUTE)))
    if ms < 2 * DAY:
        return tr("office_process.hours", n=round(ms / HOUR))
    return tr("office_process.days", n=round(ms / DAY))


def spent(minutes: float) -> str:
    """Working time that a step took: a day has eight hours."""
    if minutes < 60:
        return tr("office_process.minutes", n=max(1, round(minutes)))
    if minutes < 16 * 60:
        return tr("office_process.hours", n=round(minutes / 60))
    return tr("office_process.workdays", n=round(minutes / 480))


def waited(since_ms: int, now_ms: int) -> str:
    """How long somebody has had it; where nights and days off are in it also how much of that was working time, as limits are counted."""
    whole = max(0, now_ms - since_ms)
    minutes = worked_minutes(since_ms, now_ms)
    said = span(whole)
    if whole < HOUR or spent(minutes) == said:
        return said
    return (
        tr("office_process.waited", span=said, worked=spent(minutes))
        if minutes
        else tr("office_process.idle", span=said)
    )


def worked(since_ms: int, now_ms: int) -> str:
    """Working time since then, as of the steps that are done."""
    return spent(worked_minutes(since_ms, now_ms))


def left(now_ms: int, due_at: int | None, *, short: bool = False) -> str:
    """How much working time until it is due, or since when it is over, as limits are counted; empty for never."""
    if due_at is None:
        return ""
    if due_at <= now_ms:
        return tr("office_process.overdue_by", span=spent(worked_minutes(due_at, now_ms)))
    minutes = worked_minutes(now_ms, due_at)
    return tr("office_process.left_short" if short else "office_process.left", span=spent(minutes))


def moment(ms: int | None) -> str:
    """Month, day and time as the history has them; with the year where it is another."""
    if not ms:
        return ""
    whole = when.date_time(ms)
    return whole[5:] if whole[:4] == when.date(when.now())[:4] else whole


def person_word(
    context: ViewContext, person_id: str | None, on_behalf_of: str | None = None, *, place: bool = True
) -> str:
    """Department and name, "(you)" for the user, and for whom in case of a delegation."""
    if not person_id:
        return tr("office_process.the_system")
    name = context.name_of(person_id) or tr("office_process.somebody")
    person = context.organization.people.get(person_id)
    where = context.organization.place(person) if person is not None and place else ""
    text = tr("office_process.you", name=name) if person_id == context.me.id else f"{where} {name}".strip()
    if on_behalf_of:
        text = tr("office_process.on_behalf", name=text, other=context.name_of(on_behalf_of))
    return text


def people_word(context: ViewContext, people: Sequence[str], *, most: int = 4) -> str:
    """Several names, the user first; many as "甲、乙 等 9 人"."""
    ordered = sorted(people, key=lambda one: one != context.me.id)
    if len(ordered) == 1:
        return person_word(context, ordered[0])
    names = [person_word(context, one, place=False) for one in ordered[:most]]
    if len(ordered) <= most:
        return when.list_join(names)
    return tr("office_process.and_more", names=when.list_join(names[: most - 1]), n=len(ordered))


def short_names(context: ViewContext, people: Sequence[str]) -> str:
    """For narrow places: one name, and how many more."""
    if not people:
        return ""
    first = context.me.id if context.me.id in people else people[0]
    name = context.name_of(first) or tr("office_process.somebody")
    return name if len(people) == 1 else tr("office_process.and_others", name=name, n=len(people))


def spoken(parts: Iterable[str]) -> str:
    """Parts as one sentence for a screen reader."""
    return ", ".join(part for part in parts if part)


def look_word(row: FlowRow) -> str:
    """How a row stands, for who doesn't see its dot."""
    key = {Look.NOTE: "done", Look.STOPPED: "stopped"}.get(row.look, str(row.look))
    return tr(f"office_process.look.{key}")
