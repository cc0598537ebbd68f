"""What is said of a notice in words: who, when, for whom, whose superior was told; and the strip over it when it is not what a reader would think."""

from __future__ import annotations

from desktop.core.domain import Notice
from desktop.core.domain.records import Record
from desktop.models.record_values import moment_of
from desktop.ui import i18n
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Banner
from desktop.ui.office.levels import role_text
from desktop.ui.office.notice_actions import refusal_text
from desktop.ui.office.office_records import OfficeData


def meta_text(data: OfficeData, notice: Notice, record: Record | None, now_ms: int) -> str:
    """Unit and author, time, audience, how long it holds, when it will be published."""
    author = " ".join(filter(None, (data.name(notice.department_id), data.name(notice.author_id))))
    at = when.separator(notice.published_at or notice.created_at, now_ms)
    until = tr("office.until", time=when.date_time(notice.expires_at)) if notice.expires_at else ""
    planned = moment_of(record.data.get("publishAt")) if record is not None else None
    waits = planned is not None and notice.state in ("draft", "submitted", "scheduled")
    later = tr("office_notice.publish_at", time=when.date_time(planned)) if planned is not None and waits else ""
    return " · ".join(part for part in (author, at, audience_text(data, notice), until, later) if part)


def audience_text(data: OfficeData, notice: Notice) -> str:
    """Who it is for, in a few words."""
    audience = notice.audience
    if audience.everyone:
        return tr("office.everyone")
    names = [data.name(key) for key in audience.department_ids]
    names += [tr("office.role", role=role_text(role)) for role in audience.roles]
    names += [data.name(key) for key in audience.person_ids]
    shown = [name for name in names if name]
    if len(shown) > 4:
        return tr("office.audience_more", names=when.list_join(shown[:4]), n=len(shown))
    return when.list_join(shown)


def urged_text(data: OfficeData, escalation: Record, now_ms: int) -> str:
    """Whose superior was told, and who of theirs still owes it."""
    superior = data.name(escalation.data.get("superiorId"))
    names = [data.name(key) for key in escalation.data.get("people") or ()]
    at = when.separator(escalation.created_at, now_ms)
    if not names:
        return tr("office_notice.report.urged_settled", superior=superior, time=at)
    return tr("office_notice.report.urged", superior=superior, time=at, names=when.list_join(names))


def show_state(strip: Banner, notice: Notice, record: Record | None, now_ms: int) -> None:
    """The strip on top: refused, withdrawn, on its way, sent back, expired; hidden where all is as it seems."""
    strip.action.hide()
    returned = record.data.get("returnReason") if record is not None and record.data.get("sentBack") else None
    if record is not None and record.refusal is not None:
        strip.show_text(refusal_text(record.refusal), tone="red", icon="warning-circle")
        i18n.bind(strip.action.setText, "office_record.mend")
        strip.action.show()
    elif notice.state == "withdrawn":
        at = when.date_time(notice.withdrawn_at) if notice.withdrawn_at else ""
        reason = notice.withdraw_reason or tr("office.no_reason")
        strip.show_text(tr("office.withdrawn", time=at, reason=reason), tone="amber", icon="prohibit")
    elif notice.pending:
        strip.show_text(tr("office_record.pending"), tone="amber", icon="clock")
    elif returned and notice.state == "draft":
        strip.show_text(tr("office_notice.returned", reason=returned), tone="amber", icon="arrow-u-up-left")
    elif notice.expires_at and notice.expires_at <= now_ms:
        text = tr("office.expired", time=when.date_time(notice.expires_at))
        strip.show_text(text, tone="amber", icon="clock")
    else:
        strip.hide()
