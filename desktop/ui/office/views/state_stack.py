"""What stands in a view's place while there is nothing to show: loading, nothing there, nothing found, failed with a way to try again."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QStackedWidget, QWidget

from desktop.core.errors import AppError
from desktop.ui import i18n
from desktop.ui.i18n import error_text
from desktop.ui.kit import EmptyState, on_click
from desktop.ui.kit.spoken import speak_as


class StateStack(QStackedWidget):
    """The content or a word about it. `retry`: the user wants to try again."""

    retry = Signal()

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.content = content
        self.state = EmptyState("hourglass-medium", "common.loading")
        self.state.setObjectName("viewState")
        speak_as(self.state, QAccessible.Role.StaticText)
        i18n.bind(self.state.action.setText, "common.retry")
        self.state.action.hide()
        on_click(self.state.action, self.retry.emit)
        self.addWidget(content)
        self.addWidget(self.state)
        self.setCurrentWidget(self.state)

    @property
    def showing(self) -> bool:
        """Whether the content is shown."""
        return self.currentWidget() is self.content

    def show_content(self) -> None:
        """There is something to show."""
        self.setCurrentWidget(self.content)

    def show_empty(self, *, narrowed: bool, key: str = "office_module.no_records", icon: str = "tray") -> None:
        """There is nothing; `narrowed`: by what the user asked for."""
        if narrowed:
            self.state.show_text(
                "magnifying-glass", "office_module.none_found", hint_key="office_module.none_found_hint"
            )
        else:
            self.state.show_text(icon, key)
        self.state.action.hide()
        self._show_state()

    def _show_state(self) -> None:
        """The keyboard stays in the view, though what had it is not there: its keys go on working."""
        self.setCurrentWidget(self.state)
        view = self.parentWidget()
        held = self.window().focusWidget()
        if view is not None and self.isVisible() and (held is None or view.isAncestorOf(held)):
            self.state.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_failed(self, error: AppError) -> None:
        """Nothing could be read."""
        self.state.show_text("warning-circle", "office_module.failed")
        self.state.hint.setText(error_text(error))
        self.state.hint.show()
        self.state.action.show()
        self._show_state()
