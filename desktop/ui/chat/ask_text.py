"""One question answered in words: a line of a chain, a group's name, a nickname, the text of an announcement."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from desktop.ui import i18n, theme
from desktop.ui.kit import CheckBox, Dialog, Label, finished


class TextDialog(Dialog):
    """A text field with a limit, and boxes to check; `may_be_empty` lets an empty answer through."""

    def __init__(
        self,
        parent: QWidget,
        key: str,
        *,
        text: str = "",
        hint: str = "",
        limit: int = 200,
        lines: int = 2,
        check_key: str = "",
        may_be_empty: bool = False,
        accept_key: str = "common.ok",
    ) -> None:
        super().__init__(parent, key, width=420)
        self._limit, self._may_be_empty = limit, may_be_empty
        self.edit = QPlainTextEdit(text)
        self.edit.setProperty("look", "field")
        self.edit.setFixedHeight(theme.scaled(20 * lines + 22))
        self.edit.setTabChangesFocus(True)
        i18n.bind(self.edit.setAccessibleName, key)
        self.count = Label(role="secondary", tone="ink3")
        self.count.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.body.addWidget(Label(key=key, role="header", strong=True))
        if hint:
            self.body.addWidget(Label(hint, role="secondary", tone="ink2", wrap=True))
        self.body.addWidget(self.edit)
        self.body.addWidget(self.count)
        self.check = CheckBox(key=check_key, parent=self)
        self.check.setVisible(bool(check_key))
        if check_key:
            self.body.addWidget(self.check)
        self.add_button("common.cancel", accept=False)
        self.ok = self.add_button(accept_key, kind="primary", accept=True)
        self.edit.textChanged.connect(self._show_state)
        self._show_state()
        self.edit.selectAll()
        self.edit.setFocus()

    @property
    def text(self) -> str:
        """What was written."""
        return self.edit.toPlainText().strip()

    def _show_state(self) -> None:
        length = len(self.text)
        over = length > self._limit
        self.count.setText(f"{length} / {self._limit}")
        self.count.set_tone("red_text" if over else "ink3")
        self.ok.setEnabled(not over and (bool(length) or self._may_be_empty))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and control:
            if self.ok.isEnabled():
                self.accept()
            return
        super().keyPressEvent(event)


async def ask_text(
    parent: QWidget, key: str, *, text: str = "", hint: str = "", limit: int = 200, lines: int = 2, empty: bool = False
) -> str | None:
    """Asks and waits; None when it was given up."""
    dialog = TextDialog(parent, key, text=text, hint=hint, limit=limit, lines=lines, may_be_empty=empty)
    try:
        return dialog.text if await finished(dialog) else None
    finally:
        dialog.deleteLater()
