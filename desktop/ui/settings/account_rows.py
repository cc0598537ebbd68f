"""Rows that show what the server knows of the account: devices and the login log. Loaded when seen, never kept."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core.domain import Device, LoginEntry
from desktop.ui.i18n import has, tr, when
from desktop.ui.kit import Button, Chip, Divider, ElidedLabel, IconLabel, Label, on_click, row

PLATFORM_ICONS = {"linux": "desktop", "windows": "desktop", "macos": "laptop", "other": "desktop-tower"}


class LoadedRows(QWidget):
    """A column of rows that come later; until then, and when there is nothing, one line says so."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.say(tr("common.loading"))

    @property
    def words(self) -> str:
        """All its texts, for the search."""
        return " ".join(label.text() for label in self.findChildren(Label))

    def say(self, text: str) -> None:
        """One line instead of rows."""
        note = Label(text, role="secondary", tone="ink3", wrap=True)
        note.setContentsMargins(18, 12, 18, 12)
        self.fill([note])

    def fill(self, rows: Sequence[QWidget]) -> None:
        """Replaces the rows."""
        while (item := self._column.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.hide()
                old.deleteLater()
        for number, part in enumerate(rows):
            if number:
                self._column.addWidget(Divider())
            self._column.addWidget(part)


def device_row(device: Device, now_ms: int, sign_out: Callable[[str], object]) -> QWidget:
    """One device: what it is, when and from where it was seen last, and its sign-out."""
    part = QWidget()
    name = ElidedLabel(device.name or tr("settings.device.unnamed"))
    seen = when.short(device.last_seen_at, now_ms)
    detail = " · ".join(filter(None, (tr(_platform_key(device.platform)), seen, device.last_address)))
    words = QVBoxLayout()
    words.setSpacing(1)
    words.addWidget(name)
    words.addWidget(Label(detail, role="secondary", tone="ink3"))
    line = row(
        IconLabel(PLATFORM_ICONS.get(device.platform, "desktop"), tone="ink2", size=22),
        margins=(18, 8, 18, 8),
        spacing=12,
    )
    line.addLayout(words, 1)
    if device.current:
        line.addWidget(Chip(key="settings.device.current", tone="green"), 0, Qt.AlignmentFlag.AlignVCenter)
    else:
        button = Button(key="settings.device.sign_out", kind="danger", small=True)
        button.setAccessibleName(tr("settings.device.sign_out_named", name=device.name))
        on_click(button, lambda: sign_out(device.id))
        line.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
    part.setLayout(line)
    return part


def login_row(entry: LoginEntry) -> QWidget:
    """One line of the login log."""
    part = QWidget()
    good = entry.result == "ok"
    key = f"settings.login.{entry.result}"
    words = tr(key) if has(key) else tr("settings.login.other", code=entry.result)
    part.setLayout(
        row(
            IconLabel("check-circle" if good else "warning-circle", tone="green" if good else "amber", size=16),
            Label(when.date_time(entry.at)),
            Label(entry.address, role="secondary", tone="ink3"),
            None,
            Label(words, role="secondary", tone="ink2" if good else "red_text"),
            spacing=12,
            margins=(18, 8, 18, 8),
        )
    )
    return part


def _platform_key(platform: str) -> str:
    key = f"settings.platform.{platform}"
    return key if has(key) else "settings.platform.other"
