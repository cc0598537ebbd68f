"""What is kept of a transfer, the user's rules for all of them, and what a failure of the disk is called."""

import errno
from dataclasses import dataclass
from typing import Final

import msgspec

from desktop.core.domain import Attachment, Direction, Transfer, TransferState

SPACE: Final = "transfers"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_RIGHTS: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A file taken for sending: its transfer and what the message says of it."""

    transfer_id: str
    attachment: Attachment


class Record(msgspec.Struct, frozen=True):
    """On disk: the transfer and what it needs to go on. `rank`: lower goes first; `content`: the SHA-256 of what is sent, once it was read.

    `conversation`: the talk of two it is sent in; `awaited`: it came directly, and its message is still to come; `keeps`: the direct transfer whose
    file this upload brings to the server as well.
    `source`: `path:…` a file of the user, `blob:…` a sealed copy, `folder:…` a folder whose list lies beside it in `FOLDERS`.
    """

    transfer: Transfer
    source: str = ""
    modified_ns: int = 0
    upload_url: str | None = None
    content_type: str = "application/octet-stream"
    hidden: bool = False
    rank: int = 0
    content: str | None = None
    conversation: str | None = None
    awaited: bool = False
    keeps: str | None = None


FOLDERS: Final = "transferFolders"


def changed(record: Record, **changes: object) -> Record:
    """The record with its transfer changed."""
    return msgspec.structs.replace(record, transfer=msgspec.structs.replace(record.transfer, **changes))


def brings(transfer: Transfer, blob_id: str) -> bool:
    """Whether it is a download of this blob that is not done."""
    down = transfer.direction is Direction.DOWN and transfer.state is not TransferState.DONE
    return down and transfer.blob_id == blob_id


def disk_reason(error: OSError) -> str:
    """What a disk's refusal is called: `diskFull`, `noRights`, else `disk`."""
    if error.errno in _FULL:
        return "diskFull"
    return "noRights" if error.errno in _RIGHTS else "disk"
