"""Personal contacts and groups as the page keeps them: read from this device, read again when they change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject

from desktop.core.clock import SystemClock
from desktop.core.domain.records import Record, RecordQuery
from desktop.models.contacts import CONTACT, CONTACT_GROUP, ContactBook
from desktop.ui.background import in_background

if TYPE_CHECKING:
    from desktop.ui.office.views.base import RecordsSession, ViewContext

MODULE: Final = "contacts"


class Personal(QObject):
    """The book. None where this office has no such module."""

    def __init__(self, session: RecordsSession, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.book: ContactBook | None = None
        self._context: ViewContext | None = None

    async def load(self) -> ContactBook | None:
        """Reads everything again. Raises AppError."""
        records = self.session.records
        if not any(module.id == MODULE for module in await records.modules()):
            self.book = None
            return None
        contacts = (await records.page(RecordQuery(CONTACT, limit=None))).records
        groups = (await records.page(RecordQuery(CONTACT_GROUP, limit=None))).records
        self.book = await in_background(ContactBook, contacts, groups)
        return self.book

    async def context(self) -> ViewContext:
        """What forms and workbooks of contacts are made with, loaded. Raises AppError."""
        from desktop.ui.office.views.base import ViewContext

        if self._context is None:
            self._context = ViewContext(self.session, MODULE, SystemClock().now_ms, self)
        await self._context.load()
        return self._context

    async def set_in_group(self, group: Record, person_id: str, on: bool) -> None:
        """Puts a colleague into a group, or takes one out. Raises AppError."""
        held = [one for one in group.data.get("colleagues") or () if one != person_id]
        await self.session.records.update(group, {"colleagues": [*held, person_id] if on else held or None})
