"""The tabs of the notices page that stand as the definition has them: approval, urging, templates, settings."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QStackedWidget

from desktop.core.domain.definition import View
from desktop.core.domain.records import Record
from desktop.core.errors import AppError
from desktop.ui.layouts import discard
from desktop.ui.office.frame.view_frame import ViewFrame
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive, present

URGE: Final = "urge"
GENERIC: Final = ("approve", URGE, "templates", "settings")
"""Views of the definition that are tabs here as they are; the others are the list's own filters."""


class NoticeViews(QObject):
    """Frames by the id of their view, in a stack they share with the list.

    Signals:
        opened: a record (type, id). new_asked: values a new record starts with, and its type; "" for the tab's own. text_wanted: for the search box.
    """

    opened = Signal(str, str)
    new_asked = Signal(dict, str)
    text_wanted = Signal(str)

    def __init__(self, context: ViewContext, stack: QStackedWidget) -> None:
        super().__init__(stack)
        self._context, self._stack = context, stack
        self.frames: dict[str, ViewFrame] = {}
        self.urged = False
        """Whether this user has anybody to urge."""
        self.tasks = TaskOwner(self)

    def views(self) -> list[View]:
        """The definition's views that stand as tabs for this user."""
        module = self._context.module
        views = module.views_for(frozenset(self._context.me.roles)) if module is not None else ()
        return [view for view in views if view.id in GENERIC and (view.id != URGE or self.urged)]

    def view(self, key: str) -> View | None:
        """One of them."""
        return next((one for one in self.views() if one.id == key), None)

    @property
    def shown(self) -> ViewFrame | None:
        """The one in front; None where the list is."""
        front = self._stack.currentWidget()
        return front if isinstance(front, ViewFrame) else None

    def refresh(self) -> None:
        """The definition may be another: frames of views that changed go."""
        known = {view.id: view for view in self.views()}
        for key in [key for key, frame in self.frames.items() if known.get(key) != frame.definition]:
            frame = self.frames.pop(key)
            self._stack.removeWidget(frame)
            discard(frame)

    def frame(self, view: View) -> ViewFrame:
        """The frame of a view, made when first wanted."""
        frame = self.frames.get(view.id)
        if frame is None:
            frame = self.frames[view.id] = ViewFrame(self._context, view, self._stack)
            frame.view.opened.connect(lambda record_id: self.opened.emit(view.type, record_id))
            frame.view.new_asked.connect(lambda prefill: self.new_asked.emit(prefill, view.type))
            frame.view.patch_asked.connect(self._on_patch)
            frame.new_asked.connect(lambda: self.new_asked.emit({}, ""))
            frame.text_wanted.connect(self.text_wanted)
            self._stack.addWidget(frame)
        return frame

    def _on_patch(self, record: Record, patch: dict[str, Any]) -> None:
        self.tasks.start(self._patch(record, patch), name=f"patch-{record.id}")

    async def _patch(self, record: Record, patch: dict[str, Any]) -> None:
        try:
            await self._context.records.update(record, patch)
        except AppError as error:
            if alive(self):
                present(error, self._stack)
