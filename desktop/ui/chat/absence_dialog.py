"""The dialog for the absence reply: the text, when it counts, on and off."""

from PySide6.QtCore import QDateTime, QTime
from PySide6.QtWidgets import QDateTimeEdit, QHBoxLayout, QPlainTextEdit, QWidget

from desktop.core.domain import AbsenceReply
from desktop.ui import i18n, theme
from desktop.ui.kit import CheckBox, Dialog, Label

MAX_TEXT = 500
DAYS = 7


class AbsenceDialog(Dialog):
    """`reply` is what was chosen; read it after the dialog was accepted."""

    def __init__(self, parent: QWidget | None, held: AbsenceReply | None, now_ms: int) -> None:
        super().__init__(parent, "presence_text.absence", width=440)
        self.enabled_box = CheckBox(key="presence_text.absence.on", parent=self)
        self.enabled_box.setChecked(held is not None and held.enabled)
        self.edit = QPlainTextEdit(held.text if held is not None else "")
        self.edit.setProperty("look", "field")
        self.edit.setFixedHeight(theme.scaled(86))
        self.edit.setTabChangesFocus(True)
        i18n.bind(self.edit.setPlaceholderText, "presence_text.absence.example")
        i18n.bind(self.edit.setAccessibleName, "presence_text.absence.text")
        self.away_box = CheckBox(key="presence_text.absence.away", parent=self)
        self.away_box.setChecked(held is not None and held.while_away)
        self.time_box = CheckBox(key="presence_text.absence.times", parent=self)
        timed = held is not None and (held.begins is not None or held.ends is not None)
        self.time_box.setChecked(timed)
        begins = held.begins if held is not None and held.begins is not None else now_ms
        ends = held.ends if held is not None and held.ends is not None else now_ms + DAYS * 86_400_000
        self.begin, self.end = (
            self._field("presence_text.absence.from", begins),
            self._field("presence_text.absence.to", ends),
        )
        times = QHBoxLayout()
        times.setSpacing(8)
        times.addWidget(self.begin, 1)
        times.addWidget(Label("–"))
        times.addWidget(self.end, 1)
        self.problem = Label(role="secondary", tone="red_text", wrap=True)
        self.body.addWidget(Label(key="presence_text.absence", role="header", strong=True))
        self.body.addWidget(Label(key="presence_text.absence.hint", role="secondary", tone="ink2", wrap=True))
        for part in (self.enabled_box, self.edit, self.away_box, self.time_box):
            self.body.addWidget(part)
        self.body.addLayout(times)
        self.body.addWidget(self.problem)
        self.add_button("common.cancel", accept=False)
        self.ok = self.add_button("common.ok", kind="primary", accept=True)
        for signal in (self.edit.textChanged, self.begin.dateTimeChanged, self.end.dateTimeChanged):
            signal.connect(self._show_state)
        for box in (self.enabled_box, self.time_box):
            box.toggled.connect(self._show_state)
        self._show_state()

    @staticmethod
    def _field(key: str, at: int) -> QDateTimeEdit:
        field = QDateTimeEdit(QDateTime.fromMSecsSinceEpoch(at - at % 60_000))
        field.setCalendarPopup(True)
        field.setDisplayFormat("yyyy-MM-dd HH:mm")
        i18n.bind(field.setAccessibleName, key)
        return field

    @property
    def reply(self) -> AbsenceReply:
        """What is chosen now."""
        timed = self.time_box.isChecked()
        return AbsenceReply(
            self.edit.toPlainText().strip(),
            self.enabled_box.isChecked(),
            self.away_box.isChecked(),
            _moment(self.begin) if timed else None,
            _moment(self.end) if timed else None,
        )

    def _show_state(self) -> None:
        timed = self.time_box.isChecked()
        self.begin.setEnabled(timed)
        self.end.setEnabled(timed)
        reply, key = self.reply, ""
        if len(reply.text) > MAX_TEXT:
            key = "presence_text.absence.too_long"
        elif timed and _moment(self.begin) >= _moment(self.end):
            key = "presence_text.absence.backwards"
        self.problem.setText(i18n.tr(key) if key else "")
        self.problem.setVisible(bool(key))
        self.ok.setEnabled(not key and bool(reply.text))


def _moment(field: QDateTimeEdit) -> int:
    at = field.dateTime()
    at.setTime(QTime(at.time().hour(), at.time().minute()))
    return int(at.toMSecsSinceEpoch())
