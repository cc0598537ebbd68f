"""Seals put onto the record's PDF by who keeps them: the strip above the pages names the seals, the places go into the step's field.

A step that may write a `lines` field whose lines have blobId, page, x, y, side and a reference (to what is put there) gets the strip.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any, Final

from PySide6.QtCore import QPointF, QRectF, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from desktop.core.domain.definition import Field, FieldKind
from desktop.core.domain.records import Record
from desktop.core.errors import AppError
from desktop.ui import i18n
from desktop.ui.background import in_background
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Label, on_click
from desktop.ui.layouts import empty_layout
from desktop.ui.office.fetching import fetch_bytes
from desktop.ui.office.process.desk_page import DeskPage
from desktop.ui.office.process.opinion_box import OpinionBox
from desktop.ui.office.record.field_row import FieldRow
from desktop.ui.office.record.files_editor import attachment_of
from desktop.ui.office.views.base import ViewContext
from desktop.ui.reader.kinds import Kind
from desktop.ui.reader.picture_view import decode_picture
from desktop.ui.reader.placing_layer import Place, PlacingLayer
from desktop.ui.tasks import TaskOwner, alive

PLACE_FIELDS: Final = frozenset({"blobId", "page", "x", "y", "side"})
SIDE: Final = 119.0
"""Points: 42 mm, an official seal of a county."""


def place_field(fields: list[Field]) -> tuple[Field, Field] | None:
    """The field that holds places, and in its lines the reference to what stands there."""
    for field in fields:
        inner = {one.name for one in field.fields}
        target = next((one for one in field.fields if one.kind is FieldKind.REFERENCE), None)
        if field.kind is FieldKind.LINES and inner >= PLACE_FIELDS and target is not None:
            return field, target
    return None


class SealBar(QFrame):
    """For one desk.

    Signals:
        placed: places were put into the step's field.
    """

    placed = Signal()

    def __init__(self, context: ViewContext, page: DeskPage, box: OpinionBox, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sealBar")
        self.setProperty("surface", "header")
        self._context, self._page, self._box = context, page, box
        self.tasks = TaskOwner(self)
        self.layer = PlacingLayer(self)
        self._seals: dict[str, Button] = {}
        self._loaded = ""
        line = QHBoxLayout(self)
        line.setContentsMargins(14, 4, 14, 4)
        line.setSpacing(6)
        line.addWidget(Label(key="office_process.seal.put", role="secondary", tone="ink3"))
        self._buttons = QHBoxLayout()
        line.addLayout(self._buttons)
        self._hint = Label(role="secondary", tone="ink3")
        line.addWidget(self._hint)
        line.addStretch(1)
        self.layer.changed.connect(self._repaint)
        self.layer.placed.connect(self._write)
        page.pages_shown.connect(self.refresh)
        box.item_shown.connect(self.refresh)
        i18n.changed.connect(self._say)
        self.hide()

    # ---- whether and what
    def _row(self) -> tuple[FieldRow, Field] | None:
        """The step's row of places, and the reference in its lines; None: this step puts nothing anywhere."""
        form = self._box.form
        found = place_field([one.field for one in form.rows.values()]) if form is not None else None
        if form is None or found is None:
            return None
        row = form.rows[found[0].name]
        return None if row.isHidden() or row.editor is None else (row, found[1])

    def refresh(self) -> None:
        """Another document, step or record: shows itself where seals can be put, with those of this record."""
        row, record, pages = self._row(), self._page.record, self._page.shown_pages()
        usable = row is not None and record is not None and pages is not None and self._page.reader.kind is Kind.PDF
        self.setVisible(usable)
        if not usable or row is None or record is None or pages is None or pages.source is None:
            if self._loaded:
                self._loaded = ""
                self.layer.below = None
            return
        key = f"{record.id}/{self._page.shown_file}"
        if pages.layer is not self.layer:
            self.layer.below, pages.layer = pages.layer, self.layer
        if key == self._loaded:
            return
        self._loaded = key
        rooms = [QRectF(QPointF(0, 0), size) for size in pages.source.sizes]
        self.layer.begin(rooms, self._places(row[0].value(), row[1]))
        self.tasks.start(self._load(record, row[1]), name="seals", exclusive=True)

    def _places(self, lines: Any, target: Field) -> list[Place]:
        """Those of the file that is shown."""
        found = []
        for one in lines if isinstance(lines, list) else []:
            figures = [one.get(name) for name in ("page", "x", "y", "side")]
            if one.get("blobId") == self._page.shown_file and all(
                isinstance(figure, int | float) for figure in figures
            ):
                page, x, y, side = map(float, figures)
                found.append(Place(str(one.get(target.name)), int(page) - 1, x, y, side))
        return found

    async def _load(self, record: Record, target: Field) -> None:
        """The seals the record names, with their pictures."""
        definition = self._context.type_of(record.type)
        held = (
            next((f for f in definition.fields if f.target == target.target), None) if definition is not None else None
        )
        value = record.data.get(held.name) if held is not None else None
        ids = value if isinstance(value, list) else [value] if isinstance(value, str) else []
        self._empty()
        for one in ids:
            seal, picture = None, None
            with suppress(AppError):  # offline and not kept: its button says that it has no picture
                seal = await self._context.records.record(target.target or "", one)
                picture = None if seal is None else await self._picture(seal)
            if not alive(self):
                return
            if seal is not None:
                self._offer(one, self._context.title(seal), picture)
        self._say()

    async def _picture(self, seal: Record) -> QImage | None:
        files = [
            found
            for value in seal.data.values()
            if isinstance(value, list)
            for item in value
            if (found := attachment_of(item))
        ]
        image = next((one for one in files if one.type.startswith("image/")), None)
        if image is None:
            return None
        return await in_background(decode_picture, await fetch_bytes(self._context.session, image))

    def _offer(self, key: str, name: str, picture: QImage | None) -> None:
        button = Button(name, kind="tab", small=True)
        button.setCheckable(True)
        button.setObjectName(f"seal_{key}")
        button.setEnabled(picture is not None)
        if picture is None:
            button.setToolTip(tr("office_process.seal.no_picture"))
        else:
            self.layer.know(key, picture, SIDE)
        on_click(button, partial(self._take, key))
        self._seals[key] = button
        self._buttons.addWidget(button)

    def _empty(self) -> None:
        empty_layout(self._buttons)
        self._seals = {}
        self.layer.take("")

    # ---- putting
    def _take(self, key: str) -> None:
        on = self._seals[key].isChecked()
        for other, button in self._seals.items():
            button.setChecked(on and other == key)
        self.layer.take(key if on else "")
        self._say()

    def _say(self) -> None:
        count = len(self.layer.places)
        words = tr("office_process.seal.hint") if any(one.isChecked() for one in self._seals.values()) else ""
        self._hint.setText(" · ".join(filter(None, (tr("office_process.seal.count", n=count) if count else "", words))))

    def _write(self) -> None:
        """The places of this file take the place of those that stood in the field for it."""
        found = self._row()
        if found is None:
            return
        row, target = found
        held = row.value()
        others = [one for one in held or [] if one.get("blobId") != self._page.shown_file]
        mine = [
            {
                "blobId": self._page.shown_file,
                target.name: one.key,
                "page": one.page + 1,
                "x": one.x,
                "y": one.y,
                "side": one.side,
            }
            for one in self.layer.places
        ]
        row.put([*others, *mine] or None)
        self._say()
        self.placed.emit()

    def _repaint(self) -> None:
        pages = self._page.shown_pages()
        if pages is not None:
            pages.viewport().update()
