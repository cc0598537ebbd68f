"""The section about notifications: pop-ups, sounds, the tray, quiet hours."""

from collections.abc import Callable

from desktop.platform.preferences import DND_FOREVER
from desktop.ui.kit import Button, on_click
from desktop.ui.settings.controls import SettingGroup, SettingRow
from desktop.ui.settings.rows import Rows

HOUR_MS = 3_600_000
AWAY_MINUTES = (0, 3, 5, 10, 15, 30, 60)


def notification_groups(rows: Rows, *, now_ms: Callable[[], int], play: Callable[[str], object]) -> list[SettingGroup]:
    """The groups in their order. `play` lets the user hear the sound."""
    preferences = rows.preferences

    def quiet_now() -> str:
        until = preferences.now.dnd_until
        if until >= DND_FOREVER:
            return "forever"
        return "hour" if until > now_ms() else "off"

    def set_quiet(value: str) -> None:
        until = {"off": 0, "hour": now_ms() + HOUR_MS, "forever": DND_FOREVER}[value]
        preferences.set(dnd_until=until)

    quiet = rows.choice(
        "dnd_until",
        [(value, f"settings.dnd_until.{value}") for value in ("off", "hour", "forever")],
        get=quiet_now,
        put=set_quiet,
        hint=True,
    )
    hear = Button(key="settings.sound_test.button", small=True)
    on_click(hear, lambda: play("message"))
    return [
        SettingGroup(
            "settings.group.popups",
            [
                rows.switch("toasts", hint=True),
                rows.switch("notice_toasts", hint=True),
                rows.plain_choice("style", ["own", "system"], hint=True),
                rows.switch("hold_fullscreen", hint=True),
                rows.switch("show_content", hint=True),
            ],
        ),
        SettingGroup(
            "settings.group.sound", [rows.switch("sound", hint=True), SettingRow("settings.sound_test", hear)]
        ),
        SettingGroup("settings.group.tray", [rows.switch("flash", hint=True), rows.switch("hover")]),
        SettingGroup(
            "settings.group.quiet",
            [
                quiet,
                rows.switch("quiet_daily", hint=True),
                rows.times("settings.quiet_hours", "quiet_from", "quiet_to"),
                rows.switch("follow_quiet", hint=True),
            ],
        ),
        SettingGroup("settings.group.away", [rows.number_choice("away_minutes", AWAY_MINUTES, hint=True)]),
    ]
