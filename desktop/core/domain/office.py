"""Office records: notices, folders, documents, read marks, alerts. Times in ms since 1970, None where unset."""

from enum import StrEnum

import msgspec

from desktop.core.domain.chat_parts import Attachment
from desktop.core.domain.definition import Label


class NoticeLevel(StrEnum):
    """How loud a notice is; mustConfirm ones stay until the reader confirms."""

    NORMAL = "normal"
    IMPORTANT = "important"
    MUST_CONFIRM = "mustConfirm"


class Audience(msgspec.Struct, frozen=True, rename="camel"):
    """Who a notice is for; a department means its sub-departments too."""

    everyone: bool = False
    department_ids: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    person_ids: tuple[str, ...] = ()


class Notice(msgspec.Struct, frozen=True, rename="camel"):
    """公告通知. `body` is HTML the server has made safe; treat it as hostile all the same. Counts are there for author and publisher.

    What only the reader needs (the vote, the reminders) is in its Record. `pending`: edits of this device are laid over it.
    """

    id: str
    title: str
    body: str = ""
    level: NoticeLevel = NoticeLevel.NORMAL
    state: str = "published"
    audience: Audience = Audience()
    attachments: tuple[Attachment, ...] = ()
    pinned: bool = False
    author_id: str | None = None
    department_id: str | None = None
    published_at: int | None = None
    expires_at: int | None = None
    withdrawn_at: int | None = None
    withdraw_reason: str | None = None
    read_count: int | None = None
    confirmed_count: int | None = None
    audience_count: int | None = None
    has_vote: bool = False
    created_at: int = 0
    updated_at: int = 0
    pending: bool = False
    my_read_at: int | None = None
    my_confirmed_at: int | None = None


class Folder(msgspec.Struct, frozen=True, rename="camel"):
    """A folder of the library."""

    id: str
    name: str
    parent_id: str | None = None
    department_id: str | None = None


class OfflinePolicy(msgspec.Struct, frozen=True, rename="camel"):
    """What may be kept on a device: policy none, allowed or always; the lease in days; whether print and copy are allowed."""

    policy: str = "allowed"
    lease_days: int = 30
    print: bool = True
    copy: bool = True


class DocumentVersion(msgspec.Struct, frozen=True, rename="camel"):
    """One version of a document."""

    blob_id: str
    name: str
    size: int = 0
    author_id: str | None = None
    at: int = 0


class Document(msgspec.Struct, frozen=True, rename="camel"):
    """A document of the library. `kept`: readable on this device with the cable out."""

    id: str
    title: str
    folder_id: str
    blob_id: str
    name: str
    type: str = "application/octet-stream"
    size: int = 0
    number: str | None = None
    versions: tuple[DocumentVersion, ...] = ()
    owner_id: str | None = None
    offline: OfflinePolicy = OfflinePolicy()
    created_at: int = 0
    updated_at: int = 0
    kept: bool = False
    lease_until: int | None = None


class ReadMark(msgspec.Struct, frozen=True, rename="camel"):
    """That one person read, and perhaps confirmed, one record."""

    id: str
    record_id: str
    record_type: str
    person_id: str
    read_at: int | None = None
    confirmed_at: int | None = None


class Link(msgspec.Struct, frozen=True):
    """A reference to an object of any type."""

    type: str
    id: str


class Alert(msgspec.Struct, frozen=True, rename="camel"):
    """Something that wants this user's eye; dismissed on one device, gone on all."""

    id: str
    kind: str
    title: str
    text: str = ""
    urgent: bool = False
    link: Link | None = None
    created_at: int = 0
    label: Label | None = None

    def words(self, language: str) -> str:
        """What it says, in `language` where it was said in both."""
        return self.label.text(language) if self.label is not None else self.text
