"""One part of the diagnosis: a sign, its name, what was seen, the cure, and a button where something can be done here."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.domain.diagnosis import Finding, FindingState
from desktop.ui import i18n
from desktop.ui.diagnosis import words
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, IconLabel, Label, on_click

LOOKS = {
    FindingState.OK: ("check-circle", "green"),
    FindingState.ATTENTION: ("warning", "amber"),
    FindingState.FAILED: ("x-circle", "red"),
    FindingState.UNCHECKED: ("minus-circle", "ink3"),
}


class CheckRow(QWidget):
    """`act_asked` carries the name of what the button does."""

    act_asked = Signal(str)

    def __init__(self, check: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.check = check
        self.finding: Finding | None = None
        self.setObjectName(f"diagnosis.{check}")
        self.sign = IconLabel("circle-dashed", tone="faint", size=20)
        self.name = Label(strong=True)
        self.state = Label(role="secondary", tone="ink3")
        self.told = Label(role="secondary", tone="ink2", wrap=True)
        self.cure = Label(role="secondary", wrap=True)
        self.act = Button(kind="secondary", small=True)
        self._can_act = False
        on_click(self.act, self._on_act)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.name)
        head.addWidget(self.state)
        head.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(3)
        column.addLayout(head)
        for part in (self.told, self.cure):
            part.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(part)
        column.addWidget(self.act, 0, Qt.AlignmentFlag.AlignLeft)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 10, 16, 10)
        layout.setSpacing(12)
        layout.addWidget(self.sign, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(column, 1)
        self.show_waiting()
        i18n.changed.connect(self._retranslate)

    def show_waiting(self) -> None:
        """Not looked at yet."""
        self.finding = None
        self._running = False
        self._retranslate()

    def show_running(self) -> None:
        """Being looked at."""
        self._running = True
        self._retranslate()

    def show_finding(self, finding: Finding, *, can_act: bool) -> None:
        """What was found; `can_act`: the finding's act can be done from here now."""
        self.finding, self._running, self._can_act = finding, False, can_act
        self._retranslate()

    def _retranslate(self) -> None:
        self.name.setText(words.title(self.check))
        finding = self.finding
        if finding is None:
            key = "diagnosis.state.running" if self._running else "diagnosis.state.waiting"
            self.state.setText(tr(key))
            self.sign.set_icon("circle-dashed", "accent" if self._running else "faint")
            shown = ("", "", "")
        else:
            self.state.setText(tr(f"diagnosis.state.{finding.state.value}"))
            self.sign.set_icon(*LOOKS[finding.state])
            act = tr(f"diagnosis.act.{finding.act}") if finding.act and self._can_act else ""
            shown = (words.told(finding), words.cure(finding), act)
        parts: tuple[Label | Button, ...] = (self.told, self.cure, self.act)
        for part, text in zip(parts, shown, strict=True):
            part.setText(text)
            part.setVisible(bool(text))
        self.setAccessibleName(" ".join(filter(None, (self.name.text(), self.state.text(), *shown[:2]))))

    def _on_act(self) -> None:
        if self.finding is not None:
            self.act_asked.emit(self.finding.act)
