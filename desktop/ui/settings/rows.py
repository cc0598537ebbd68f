"""Rows that show one preference each and write it at once; `sync` shows again what is kept."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from desktop.platform.preferences import Preferences
from desktop.ui.kit import Label, row
from desktop.ui.kit.time_field import TimeField
from desktop.ui.settings.controls import Choice, SettingRow, Switch


class Rows:
    """Makes the rows of one page."""

    def __init__(self, preferences: Preferences) -> None:
        self.preferences = preferences
        self.syncs: list[Callable[[], None]] = []

    def sync(self) -> None:
        """Shows what is kept now."""
        for sync in self.syncs:
            sync()

    def switch(self, field: str, *, hint: bool = False) -> SettingRow:
        """On or off."""
        key = f"settings.{field}"
        switch = Switch(key)
        switch.clicked.connect(lambda on=False: self.preferences.set(**{field: on}))
        self.syncs.append(lambda: switch.setChecked(bool(getattr(self.preferences.now, field))))
        return SettingRow(key, switch, hint=hint)

    def choice(
        self,
        field: str,
        values: list[tuple[str, str]],
        *,
        get: Callable[[], str],
        put: Callable[[str], None],
        hint: bool = False,
    ) -> SettingRow:
        """One of some values with names."""
        key = f"settings.{field}"
        choice = Choice(key, values)
        choice.on_chosen(put)
        self.syncs.append(lambda: choice.choose(get()))
        return SettingRow(key, choice, hint=hint)

    def plain_choice(self, field: str, values: list[str], *, hint: bool = False) -> SettingRow:
        """One of some texts, kept as they are."""

        def put(value: str) -> None:
            self.preferences.set(**{field: value})

        named = [(value, f"settings.{field}.{value or 'system'}") for value in values]
        return self.choice(field, named, get=lambda: str(getattr(self.preferences.now, field)), put=put, hint=hint)

    def number_choice(self, field: str, values: tuple[int, ...], *, hint: bool = False) -> SettingRow:
        """One of some whole numbers; the nearest one is shown for any other."""
        return self.choice(
            field,
            [(str(value), f"settings.{field}.{value}") for value in values],
            get=lambda: str(min(values, key=lambda known: abs(known - getattr(self.preferences.now, field)))),
            put=lambda value: self.preferences.set(**{field: int(value)}),
            hint=hint,
        )

    def times(self, key: str, first: str, second: str) -> SettingRow:
        """Two moments of the day, kept as HH:MM."""
        box = QWidget()
        fields = [self._time(f"settings.{name}", name) for name in (first, second)]
        box.setLayout(row(fields[0], Label("–"), fields[1], spacing=6))
        return SettingRow(key, box, hint=True)

    def _time(self, key: str, field: str) -> TimeField:
        edit = TimeField(key)
        edit.chosen.connect(lambda time: self.preferences.set(**{field: time}))
        self.syncs.append(lambda: edit.set_time(str(getattr(self.preferences.now, field))))
        return edit
