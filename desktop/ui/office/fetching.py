"""Gets an attachment's bytes: from this device when they are here, else by a transfer the user can see and stop."""

from __future__ import annotations

from desktop.core.domain import Attachment
from desktop.ui.office.ports import OfficeSession


async def fetch_bytes(session: OfficeSession, attachment: Attachment) -> bytes:
    """The whole file in memory; raises AppError when it can't be had."""
    return await session.files.open_bytes(attachment.blob_id, attachment.name, quiet=False)
