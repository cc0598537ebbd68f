"""What the reader shows instead of a document: that it is loading, or one sentence why not and what to do."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, IconLabel, Label, PasswordField, on_click


class ProblemPane(QWidget):
    """An icon, a sentence, and where it helps a password field or a button to try again."""

    retry = Signal()
    password_given = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("readerProblem")
        self._icon = IconLabel("spinner-gap", tone="scroll", size=56)
        self.text = Label(role="emphasis", tone="ink2", wrap=True)
        self.text.setObjectName("readerProblemText")
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.password = PasswordField(key="reader.password")
        self.password.setFixedWidth(theme.scaled(240))
        self._open = Button(key="reader.open", kind="primary")
        self._retry = Button(key="common.retry")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(32, 24, 32, 24)
        layout.setSpacing(14)
        layout.addStretch(2)
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self.text)  # not aligned: a wrapping label needs the width to know its height
        for widget in (self.password, self._open, self._retry):
            layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)
        on_click(self._retry, self.retry.emit)
        on_click(self._open, self._give)
        self.password.returnPressed.connect(self._give)
        self.show_loading()

    def show_loading(self, text: str = "") -> None:
        """It is on its way; `text` says how far."""
        self._icon.set_icon("hourglass-medium", "scroll")
        i18n.bind(self.text.setText, "common.loading")
        if text:
            i18n.unbind(self.text.setText)
            self.text.setText(text)
        self._offer(retry=False, password=False)

    def show_problem(self, icon: str, text: str, *, retry: bool = False, password: bool = False) -> None:
        """It can't be shown: `text` says why and what to do."""
        self._icon.set_icon(icon, "amber")
        i18n.unbind(self.text.setText)
        self.text.setText(text)
        self._offer(retry=retry, password=password)
        if password:
            self.password.clear()
            self.password.setFocus()

    def _offer(self, *, retry: bool, password: bool) -> None:
        self._retry.setVisible(retry)
        self.password.setVisible(password)
        self._open.setVisible(password)

    def _give(self) -> None:
        if self.password.text():
            self.password_given.emit(self.password.text())
        else:
            self.text.setText(tr("reader.problem.passwordNeeded"))
