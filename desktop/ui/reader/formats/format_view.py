"""What the reader asks of a view that is neither pages, picture nor plain text."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import SignalInstance
from PySide6.QtGui import QTextDocument

from desktop.ui.reader.search_run import Hit
from desktop.ui.reader.text_search import Span


class FormatView(Protocol):
    """A widget as well. What it cannot do it says by `zooms`, `searches`, `copies` and `prints`; a document to print may be None."""

    may_copy: bool
    watermark: str
    factor: float
    zooms: bool
    searches: bool
    copies: bool
    prints: bool
    zoom_changed: SignalInstance
    copy_refused: SignalInstance

    @property
    def parts(self) -> int:
        """How many parts a search goes through."""
        ...

    def find_in(self, part: int, needle: str) -> list[Span]:
        """Hits in one part."""
        ...

    def set_marks(self, hits: list[Hit], current: Hit | None) -> None:
        """Marks the hits and shows the current one."""
        ...

    def zoom_step(self, direction: int) -> None:
        """One step larger (1) or smaller (-1)."""
        ...

    def set_factor(self, factor: float) -> None:
        """Shows at this size."""
        ...

    def copy_selected(self) -> bool:
        """Copies what is selected; False when nothing is."""
        ...

    def printed(self) -> QTextDocument | None:
        """The document a printer takes, if there is one."""
        ...

    def clear(self) -> None:
        """Lets go of what is shown."""
        ...
