"""How the levels and states of notices are called and tinted."""

from __future__ import annotations

from desktop.core.domain import Notice, NoticeLevel
from desktop.ui.i18n import tr


def level_tone(level: NoticeLevel) -> str:
    """The chip's tone."""
    return {NoticeLevel.MUST_CONFIRM: "red", NoticeLevel.IMPORTANT: "amber"}.get(level, "accent")


def level_text(level: NoticeLevel) -> str:
    """The chip's text."""
    return tr(f"office.level.{level.value}")


def chip_of(notice: Notice) -> tuple[str, str]:
    """Text and tone of a notice's first chip: withdrawn and draft come before the level."""
    if notice.state == "withdrawn":
        return tr("office.state.withdrawn"), "neutral"
    if notice.state == "draft":
        return tr("office.state.draft"), "neutral"
    return level_text(notice.level), level_tone(notice.level)
