"""The search of one signed-in session: made when first asked for, and where its hits and commands lead."""

from typing import Protocol

from PySide6.QtCore import QObject

from desktop.core.domain.search import Found
from desktop.models.search_verbs import SearchSession
from desktop.ui.search.overlay import SearchOverlay
from desktop.ui.shell.main_window import MainWindow


class ModulePages(Protocol):
    """The workbench's page."""

    def open_module(self, module_id: str, part: str = "") -> None: ...


class SettingsSections(Protocol):
    """The settings' page."""

    def open_section(self, section: str) -> None: ...


class Departments(Protocol):
    """The contacts' page."""

    def open_department(self, department_id: str) -> None: ...


class SearchDesk(QObject):
    """Implements `SearchPlaces` over the main window."""

    def __init__(self, session: SearchSession, window: MainWindow, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window = window
        self.overlay = SearchOverlay(session, self, window)

    def open_search(self) -> None:
        """Ctrl+K, or the button of the rail."""
        self.overlay.open_search()

    def open_found(self, found: Found) -> None:
        """Shows what was found, in its place."""
        window = self._window
        match found.type:
            case "Person":
                window.open_person(found.id)
            case "Department":
                window.open_page("contacts")
                page: Departments = window.made_page("contacts")  # type: ignore[assignment]  # the page added under this key
                page.open_department(found.id)
            case "Conversation":
                window.open_conversation(found.id)
            case "Message" if found.message is not None:
                window.open_message(found.message.conversation_id, found.id, found.message.seq)
            case "Notice":
                window.open_notice(found.id)
            case "Document":
                window.open_document(found.id)
            case _:
                window.open_record(found.type, found.id)

    def run_command(self, key: str) -> None:
        """page:…, settings:…, module:…, new:…"""
        kind, _, name = key.partition(":")
        match kind:
            case "page":
                self._window.open_page(name)
            case "settings":
                self._window.open_page("settings")
                settings: SettingsSections = self._window.made_page("settings")  # type: ignore[assignment]
                settings.open_section(name)
            case "module":
                self._window.open_page("workbench")
                office: ModulePages = self._window.made_page("workbench")  # type: ignore[assignment]
                office.open_module(name)
            case _:
                self._window.new_record(name, {})
