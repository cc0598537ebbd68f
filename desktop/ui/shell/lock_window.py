"""The locked program: a face, a field for the password, nothing of what is inside."""

from collections.abc import Awaitable, Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core.domain import Person
from desktop.core.errors import AppError, InvalidCredentials
from desktop.ui import i18n, theme
from desktop.ui.i18n import error_text, tr
from desktop.ui.kit import Avatar, Button, Label, PasswordField, on_click
from desktop.ui.tasks import TaskOwner, alive

WIDTH, HEIGHT = 340, 400


class LockWindow(QWidget):
    """`unlocked` when the password was right. Closing it hides it: the lock stays."""

    unlocked = Signal()
    sign_out_asked = Signal()

    def __init__(self, me: Person, check: Callable[[str], Awaitable[bool]]) -> None:
        super().__init__(None)
        self._check = check
        self.tasks = TaskOwner(self)
        self.setObjectName("lockWindow")
        self.setProperty("surface", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        i18n.bind(self.setWindowTitle, "app.name")
        face = Avatar(72)
        face.set_subject(me.name, me.id)
        name = Label(me.name, role="header", strong=True)
        self.field = PasswordField(key="shell.lock.password", large=True)
        self.field.setObjectName("lockPassword")
        self.field.returnPressed.connect(self.try_password)
        self.problem = Label(role="secondary", tone="red_text", wrap=True)
        self.open = Button(key="shell.lock.open", kind="primary")
        self.open.setObjectName("lockOpen")
        on_click(self.open, self.try_password)
        leave = Button(key="shell.lock.sign_out", kind="link", small=True)
        on_click(leave, self.sign_out_asked.emit)
        column = QVBoxLayout(self)
        column.setContentsMargins(44, 44, 44, 24)
        column.setSpacing(10)
        for part in (face, name, Label(key="shell.lock.why", role="secondary", tone="ink3")):
            column.addWidget(part, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(14)
        for widget in (self.field, self.problem, self.open):
            column.addWidget(widget)
        column.addStretch(1)
        column.addWidget(leave, 0, Qt.AlignmentFlag.AlignHCenter)
        theme.changed.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        self.setFixedSize(theme.scaled(WIDTH), theme.scaled(HEIGHT))

    def come_forward(self) -> None:
        """In front, ready to type."""
        self.show()
        self.raise_()
        self.activateWindow()
        self.field.setFocus()

    def try_password(self) -> None:
        """Asks whether what is typed is the password."""
        if self.field.text() and not self.tasks.running("check"):
            self.tasks.start(self._try(self.field.text()), name="check")

    async def _try(self, password: str) -> None:
        self.open.setEnabled(False)
        self.problem.setText("")
        try:
            right = await self._check(password)
            if not alive(self):
                return
            if right:
                self.unlocked.emit()
                return
            self.problem.setText(tr("shell.lock.wrong"))
        except InvalidCredentials:
            self.problem.setText(tr("shell.lock.no_check"))
        except AppError as error:
            self.problem.setText(error_text(error))
        self.open.setEnabled(True)
        self.field.clear()
        self.field.setFocus()

    def closeEvent(self, event: QCloseEvent) -> None:
        event.ignore()
        self.hide()
