"""Until when not to be disturbed: a day and a time."""

from PySide6.QtCore import QDateTime, QTime, Signal

from desktop.ui import i18n
from desktop.ui.i18n import tr, when
from desktop.ui.kit import ComboBox, Dialog, Label, on_click, row
from desktop.ui.kit.time_field import TimeField

AHEAD_S = 2 * 3600
DAYS = 7


class QuietDialog(Dialog):
    """`chosen` carries the moment in ms since 1970."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__(None, "tray.quiet.title", width=340)
        self.setObjectName("quietDialog")
        first = QDateTime.fromMSecsSinceEpoch(when.now()).addSecs(AHEAD_S)
        self.day = ComboBox()
        self.day.setObjectName("quietDay")
        for ahead in range(DAYS):
            date = QDateTime.fromMSecsSinceEpoch(when.now()).date().addDays(ahead)
            name = date.toString("yyyy-MM-dd") if ahead > 1 else tr(f"tray.quiet.day.{ahead}")
            self.day.addItem(name, date)
            if date == first.date():
                self.day.setCurrentIndex(ahead)
        self.time = TimeField("tray.quiet.until")
        self.time.setObjectName("quietTime")
        self.time.set_time(first.time().toString("HH:mm"))
        i18n.bind(self.day.setAccessibleName, "tray.quiet.day")
        self.problem = Label(role="secondary", tone="red_text", wrap=True)
        self.body.addWidget(Label(key="tray.quiet.title", role="header", strong=True))
        self.body.addWidget(Label(key="tray.quiet.why", tone="ink2", wrap=True))
        self.body.addLayout(row(Label(key="tray.quiet.until"), self.day, self.time, None))
        self.body.addWidget(self.problem)
        self.add_button("common.cancel", accept=False)
        on_click(self.add_button("common.ok", kind="primary"), self.take)

    def moment(self) -> int:
        """What is chosen, in ms since 1970."""
        chosen = QDateTime(self.day.currentData(), QTime.fromString(self.time.time, "HH:mm"))
        return chosen.toMSecsSinceEpoch()

    def take(self) -> None:
        """Takes the moment where it is still to come."""
        if self.moment() <= when.now():
            self.problem.setText(tr("tray.quiet.past"))
            return
        self.chosen.emit(self.moment())
        self.accept()
