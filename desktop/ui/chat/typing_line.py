"""Who is writing just now, under the messages of an open talk."""

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QSizePolicy

from desktop.models.people import People
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Label

SHOWN_MS = 5000  # after the last sign of life


class TypingLine(Label):
    """Hidden while nobody writes."""

    def __init__(self, people: People) -> None:
        super().__init__(role="secondary", tone="ink3")
        self._people = people
        self._typing: dict[str, None] = {}
        self.setContentsMargins(18, 2, 18, 4)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.timer = QTimer(self, singleShot=True, interval=SHOWN_MS)
        self.timer.timeout.connect(self.forget)
        self.hide()

    def saw(self, person_id: str) -> None:
        """A colleague is writing."""
        self._typing[person_id] = None
        self._show()

    def spoke(self, person_id: str) -> None:
        """What somebody was writing has come."""
        if person_id in self._typing:
            del self._typing[person_id]
            self._show()

    def forget(self) -> None:
        """Nobody writes any more, or another talk is shown."""
        self._typing.clear()
        self.hide()

    def _show(self) -> None:
        names = [self._people.name(who) for who in self._typing if who != self._people.me.id]
        names = [name for name in names if name]
        self.setText(tr("chat.typing", names=when.list_join(names)) if names else "")
        self.setVisible(bool(names))
        if names:
            self.timer.start()
