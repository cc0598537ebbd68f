"""Words of the workbench: what a line is about, how much time is left. Everything else comes from the definitions."""

from __future__ import annotations

from desktop.core.domain.definition import Label
from desktop.core.domain.records import Light
from desktop.models.workbench import WorkItem
from desktop.ui import i18n
from desktop.ui.i18n import has, tr, when
from desktop.ui.office.workbench_work import WorkData

TONES = {Light.RED: "red", Light.AMBER: "amber", Light.GREEN: "green"}
HOUR_MS = 3_600_000


def left_text(due_at: int, now: int) -> str:
    """How much time is left until a date, or since when it is over. A date without a time ends at the midnight after it."""
    days = -when.days_apart(due_at - 1, now)
    if due_at <= now:
        return tr("office_workbench.overdue_days", n=-days) if days < 0 else tr("office_workbench.overdue")
    if days == 0:
        hours = round((due_at - now) / HOUR_MS)
        whole_day = when.clock(due_at) == "00:00"
        return (
            tr("office_workbench.left_hours", n=hours) if hours and not whole_day else tr("office_workbench.due_today")
        )
    return tr("office_workbench.due_tomorrow") if days == 1 else tr("office_workbench.left_days", n=days)


def chip_of(item: WorkItem, data: WorkData) -> tuple[str, str] | None:
    """The chip of a line: words and tone. The state of a record, else the time left, else that it is urgent."""
    if item.state:
        home = data.home(item.type_name)
        state = home[1].state(item.state) if home else None
        return (_text(state.label), state.color) if state else None
    if item.due_at is not None and item.light is not None:
        return left_text(item.due_at, data.now_ms()), TONES[item.light]
    if item.alert is not None and item.urgent:
        return tr("office.urgent"), "red"
    return None


def detail_of(item: WorkItem, data: WorkData) -> str:
    """The second line: module or kind, what is to be done, who or when."""
    if item.alert is not None:
        return _joined(alert_word(item.alert.kind), item.alert.words(i18n.language()), _stamp(item, data))
    if item.notice is not None:
        author = data.data.name(item.notice.department_id) or data.data.name(item.notice.author_id)
        return _joined(author, _stamp(item, data))
    home = data.home(item.type_name)
    if home is None:
        return _stamp(item, data)
    module, definition = home
    rules = {rule.id: rule.label for rule in definition.todos} | {due.field: due.label for due in definition.due}
    rule = _text(rules[item.rule]) if item.rule in rules else ""
    kind = _text(definition.label)
    return _joined(_text(module.label), kind if kind != _text(module.label) else "", rule, _stamp(item, data))


def alert_word(kind: str) -> str:
    """What an alert is, in a word; nothing for one this program does not know."""
    key = f"office_workbench.alert.{kind}"
    return tr(key) if has(key) else ""


def _stamp(item: WorkItem, data: WorkData) -> str:
    return when.short(item.at, data.now_ms()) if item.at and item.due_at is None else ""


def _text(label: Label) -> str:
    return label.text(i18n.language())


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
