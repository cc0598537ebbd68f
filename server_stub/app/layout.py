"""The data folder: what lies where. Everything the server keeps is below one root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from server_stub.app.tls import TlsFiles


@dataclass(frozen=True, slots=True)
class DataLayout:
    """Paths below the data folder."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "tongban.db"

    @property
    def blobs(self) -> Path:
        return self.root / "blobs"

    @property
    def uploads(self) -> Path:
        return self.root / "uploads"

    @property
    def thumbnails(self) -> Path:
        return self.root / "thumbnails"

    @property
    def renditions(self) -> Path:
        return self.root / "renditions"

    @property
    def backups(self) -> Path:
        """Where copies go unless the settings name a folder."""
        return self.root / "backups"

    @property
    def tls(self) -> TlsFiles:
        return TlsFiles(self.root / "tls")

    @property
    def demo_unfinished(self) -> Path:
        """There while the demo office is being filled in: what it finds on start was cut off, and is made again."""
        return self.root / "demo.unfinished"
