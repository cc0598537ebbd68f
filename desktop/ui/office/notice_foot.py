"""The foot of a notice that wants to be confirmed: what it asks, or that it was done, here or on the server."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from desktop.core.domain import Notice
from desktop.models.records import is_to_confirm
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Button, IconLabel, Label


class NoticeFoot(QFrame):
    """Hidden where there is nothing to confirm."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "footer")
        self._done = IconLabel("check-circle-fill", tone="green", size=18)
        self.text = Label(tone="ink2", wrap=True)
        self.text.setObjectName("noticeConfirmText")
        self.confirm = Button(key="office.confirm", kind="primary", icon="check")
        self.confirm.setObjectName("noticeConfirm")
        line = QHBoxLayout(self)
        line.setContentsMargins(28, 10, 28, 10)
        line.addWidget(self._done)
        line.addWidget(self.text, 1)
        line.addWidget(self.confirm)
        self.hide()

    def show_notice(self, notice: Notice | None, *, here: bool, live: bool, now_ms: int) -> None:
        """`here`: confirmed on this device, whether the server knows or not; `live`: it can hear of it."""
        wanted = notice is not None and is_to_confirm(notice) and not here
        done = notice is not None and notice.state == "published" and (bool(notice.my_confirmed_at) or here)
        self.setVisible(wanted or done)
        self.confirm.setVisible(wanted)
        self._done.setVisible(done)
        if notice is None or not (wanted or done):
            return
        if wanted:
            self.text.setText(tr("office.confirm_hint"))
        elif here and not live:
            self.text.setText(tr("office.confirmed_offline"))
        elif notice.my_confirmed_at:
            self.text.setText(tr("office.confirmed_at", time=when.separator(notice.my_confirmed_at, now_ms)))
        else:
            self.text.setText(tr("office.confirmed_now"))
        self.text.set_tone("green" if done else "ink2")
