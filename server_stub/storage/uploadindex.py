"""Who has how much in the folder of uploads, kept in memory: asked at every creation, while the truth stays on disk."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from server_stub.storage.quota import BLOCK


@dataclass(slots=True)
class Holding:
    """What one person has in the folder: unfinished uploads, and the bytes all of them take or will take."""

    unfinished: int = 0
    size: int = 0


class UploadIndex:
    """The counts of everybody. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uploads: dict[str, tuple[str, int, int]] = {}  # id → person, 1 when unfinished, bytes
        self._holdings: dict[str, Holding] = {}

    def put(self, upload_id: str, person_id: str, length: int, *, unfinished: bool) -> None:
        """Note an upload of `length` bytes, or what became of it: of a finished one only the state file is here."""
        size = max(length, BLOCK) if unfinished else BLOCK
        with self._lock:
            self._drop(upload_id)
            self._uploads[upload_id] = (person_id, int(unfinished), size)
            held = self._holdings.setdefault(person_id, Holding())
            held.unfinished += unfinished
            held.size += size

    def remove(self, upload_id: str) -> None:
        """Forget an upload."""
        with self._lock:
            self._drop(upload_id)

    def of(self, person_id: str) -> Holding:
        """What a person has now."""
        with self._lock:
            held = self._holdings.get(person_id)
            return Holding() if held is None else replace(held)

    def _drop(self, upload_id: str) -> None:
        known = self._uploads.pop(upload_id, None)
        if known is not None:
            person_id, unfinished, size = known
            held = self._holdings[person_id]
            held.unfinished -= unfinished
            held.size -= size
            if not held.size:
                del self._holdings[person_id]
