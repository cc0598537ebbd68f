"""What the office pages ask of a session; the real one and the tests' one both fit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

from desktop.core.domain import (
    Alert,
    AnnotationTarget,
    Attachment,
    Audience,
    ConnectionStatus,
    Department,
    Document,
    Folder,
    LocalDocument,
    ModuleDefinition,
    Notice,
    NoticeLevel,
    Person,
    ReadMark,
)
from desktop.core.events import EventBus


class OfficeVerbs(Protocol):
    """Records. Writes are shown at once and queue while there is no connection."""

    async def modules(self) -> list[ModuleDefinition]: ...
    async def notices(self) -> list[Notice]: ...
    async def mark_read(self, record_id: str, record_type: str = "Notice") -> None: ...
    async def confirm(self, notice_id: str) -> None: ...
    async def publish(
        self,
        title: str,
        body: str,
        *,
        level: NoticeLevel = ...,
        audience: Audience,
        attachments: Sequence[Attachment] = (),
        pinned: bool = False,
        expires_at: int | None = None,
    ) -> str: ...
    async def withdraw(self, notice_id: str, reason: str) -> None: ...
    async def folders(self) -> list[Folder]: ...
    async def documents(self) -> list[Document]: ...
    async def keep_offline(self, document_id: str, keep: bool) -> None: ...
    async def document_path(self, document_id: str, *, early: bool = False) -> LocalDocument: ...
    async def open_file(self, attachment: Attachment, target: AnnotationTarget | None = None) -> LocalDocument: ...
    async def marks(self, record_id: str) -> list[ReadMark]: ...


class LibrarianVerbs(Protocol):
    """Writing into the library. A core that has not learned it yet is asked with `librarian`, and shows no buttons for it."""

    async def add_document(self, folder_id: str, path: Path, title: str, number: str | None) -> str: ...
    async def add_version(self, document_id: str, path: Path) -> None: ...


def librarian(office: OfficeVerbs) -> LibrarianVerbs | None:
    """The verbs of a librarian, None where the core has none."""
    known = hasattr(office, "add_document") and hasattr(office, "add_version")
    return cast(LibrarianVerbs, office) if known else None


class FileVerbs(Protocol):
    """Bytes of attachments."""

    def has(self, blob_id: str) -> bool: ...
    async def ensure(self, blob_id: str, name: str = "file", *, quiet: bool = True) -> None: ...
    async def open_bytes(self, blob_id: str, name: str = "file", *, quiet: bool = True) -> bytes: ...
    async def save_as(self, blob_id: str, target: Path) -> None: ...
    async def upload_file(self, path: Path) -> Attachment: ...


class DirectoryVerbs(Protocol):
    """Names of people and departments."""

    async def departments(self) -> list[Department]: ...
    async def people(self) -> list[Person]: ...


class AlertVerbs(Protocol):
    """What wants the user's eye."""

    async def alerts(self) -> list[Alert]: ...
    async def dismiss(self, alert_id: str) -> None: ...


class SettingsVerbs(Protocol):
    """Small values kept on this device; a draft is one."""

    async def get(self, key: str) -> object: ...
    async def set(self, key: str, value: object) -> None: ...


class OfficeSession(Protocol):
    """A signed-in session as seen from here; `events` speak on the UI thread."""

    @property
    def me(self) -> Person: ...
    @property
    def events(self) -> EventBus: ...
    @property
    def status(self) -> ConnectionStatus: ...
    @property
    def office(self) -> OfficeVerbs: ...
    @property
    def files(self) -> FileVerbs: ...
    @property
    def directory(self) -> DirectoryVerbs: ...
    @property
    def alerts(self) -> AlertVerbs: ...
    @property
    def settings(self) -> SettingsVerbs: ...
