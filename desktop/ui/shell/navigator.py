"""How one page asks for another without knowing it. The main window implements it; tests use a recording one."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from desktop.core.domain import Attachment


class Navigator(Protocol):
    """Every call brings the main window to the front and shows what it names."""

    def open_conversation(self, conversation_id: str) -> None:
        """Shows a conversation and puts the cursor into its composer."""
        ...

    def open_message(self, conversation_id: str, message_id: str, seq: int) -> None:
        """Shows a message in its conversation; `seq` is its place there."""
        ...

    def open_members(self, conversation_id: str) -> None:
        """Shows a group with its members, and who asks to join, beside it."""
        ...

    def open_person(self, person_id: str) -> None:
        """Shows a colleague's card in the contacts."""
        ...

    def open_notice(self, notice_id: str) -> None:
        """Shows a notice in its reader."""
        ...

    def open_document(self, document_id: str) -> None:
        """Shows a document of the library in the reader."""
        ...

    def open_record(self, type_name: str, record_id: str) -> None:
        """Shows an office record of any type, in its module."""
        ...

    def new_record(self, type_name: str, prefill: Mapping[str, Any]) -> None:
        """Opens the form for a new office record, with these values in it."""
        ...

    def open_page(self, key: str) -> None:
        """Shows a page by the key it was added with: messages, contacts, workbench, transfers, settings …"""
        ...


class FileOpener(Protocol):
    """What happens to a file of the talk: the picture viewer, the reader or the system's program shows it."""

    def view_picture(self, attachment: Attachment, among: Sequence[Attachment] = ()) -> None:
        """Shows a picture large; arrows lead to the others `among` which it stands."""
        ...

    def open_file(self, attachment: Attachment) -> None:
        """Fetches a file if need be, then shows it in the reader or hands it to the system."""
        ...

    def save_file(self, attachment: Attachment) -> None:
        """Asks where to, then saves a copy."""
        ...
