"""How the levels and states of notices are called and tinted."""

from __future__ import annotations

from typing import Final

from desktop.core.domain import Notice, NoticeLevel
from desktop.ui import i18n
from desktop.ui.i18n import tr

STATE_TONES: Final = {"withdrawn": "neutral", "draft": "neutral", "submitted": "amber", "scheduled": "accent"}


def level_tone(level: NoticeLevel) -> str:
    """The chip's tone."""
    return {NoticeLevel.MUST_CONFIRM: "red", NoticeLevel.IMPORTANT: "amber"}.get(level, "accent")


def level_text(level: NoticeLevel) -> str:
    """The chip's text."""
    return tr(f"office.level.{level.value}")


def chip_of(notice: Notice) -> tuple[str, str]:
    """Text and tone of a notice's first chip: a state in which it is not out comes before the level."""
    if notice.state in STATE_TONES:
        return tr(f"office.state.{notice.state}"), STATE_TONES[notice.state]
    return level_text(notice.level), level_tone(notice.level)


def role_text(role: str) -> str:
    """A role's name; unknown ones as they are."""
    key = f"office.role.{role}"
    return tr(key) if i18n.has(key) else role
