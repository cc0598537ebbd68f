"""A reader as the office's rooms use it: it goes on where one stopped, and documents of records can be marked."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from PySide6.QtWidgets import QWidget

from desktop.core.events import ChangeSet, Event
from desktop.ui.office.views.base import RecordsSession
from desktop.ui.reader.document_reader import DocumentReader
from desktop.ui.reader.places import ReadingPlaces


def create_reader(
    session: RecordsSession, now_ms: Callable[[], int], name_of: Callable[[str], str], parent: QWidget | None = None
) -> DocumentReader:
    """A reader of this session. `name_of`: a person's id as a name."""
    made = DocumentReader(
        session.me.name,
        now_ms,
        parent,
        places=ReadingPlaces(session.records),
        marks=(session.annotations, session.me.id),
        name_of=name_of,
    )

    def on_event(event: Event) -> None:
        if isinstance(event, ChangeSet) and event.type_name == "Annotation":
            made.on_marks_changed()

    listening = ExitStack()
    listening.enter_context(session.events.subscribe(on_event))
    made.destroyed.connect(lambda: listening.close())  # noqa: PLW0108 - a bound method is held weakly: nobody would listen
    return made
