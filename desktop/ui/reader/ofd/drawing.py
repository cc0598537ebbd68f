"""A page as a list of things to paint: made once from the XML, painted at any size. Millimeters from the page's corner.

Hostile pages end early: composites and layers nest and multiply within a budget of objects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QImage, QImageReader, QPainter, QPainterPath, QPen, QTransform

from desktop.ui.reader.ofd.document import Box, OfdDocument, Resources, box_of
from desktop.ui.reader.ofd.fonts import FontBook
from desktop.ui.reader.ofd.package import Element, OfdProblem, child, children, local, numbers, text
from desktop.ui.reader.ofd.paints import Style
from desktop.ui.reader.ofd.shapes import read_path
from desktop.ui.reader.ofd.text_layout import Run, lay_out

MAX_OBJECTS: Final = 150_000
MAX_DEPTH: Final = 12
MAX_PICTURE_SIDE: Final = 12_000
MAX_PICTURE_PIXELS: Final = 40_000_000
_SLACK: Final = 0.3
"""Millimeters a line may stand out of its boundary: boundaries are often those of the line's middle."""
_GROUPS: Final = frozenset({"Layer", "PageBlock", "Content", "Appearance"})
_UNIT: Final = QRectF(0, 0, 1, 1)


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing to paint: a path filled or stroked, or a picture in the unit square. `clip` is in page coordinates."""

    place: QTransform
    clip: QPainterPath | None
    path: QPainterPath | None = None
    brush: QBrush | None = None
    pen: QPen | None = None
    picture: QImage | None = None
    opacity: float = 1.0
    multiply: bool = False


@dataclass(frozen=True, slots=True)
class PlacedRun:
    """A run of text with where its space lies on the page."""

    run: Run
    place: QTransform


@dataclass(frozen=True, slots=True)
class PageDrawing:
    """Everything on a page."""

    marks: tuple[Mark, ...]
    runs: tuple[PlacedRun, ...]

    def paint(self, painter: QPainter) -> None:
        """Paint the page; the painter's transform turns millimeters into its own units."""
        base = painter.transform()
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        clip: QPainterPath | None = None
        for mark in self.marks:
            if mark.clip is not clip:
                clip = mark.clip
                painter.setTransform(base)
                if clip is None:
                    painter.setClipping(False)
                else:
                    painter.setClipPath(clip)
            painter.setTransform(mark.place * base)
            _paint(painter, mark)
        painter.restore()


def _paint(painter: QPainter, mark: Mark) -> None:
    painter.setOpacity(mark.opacity)
    if mark.picture is not None:
        mode = QPainter.CompositionMode
        painter.setCompositionMode(mode.CompositionMode_Multiply if mark.multiply else mode.CompositionMode_SourceOver)
        painter.drawImage(_UNIT, mark.picture)
        painter.setCompositionMode(mode.CompositionMode_SourceOver)
    elif mark.path is not None:
        if mark.brush is not None:
            painter.fillPath(mark.path, mark.brush)
        if mark.pen is not None:
            painter.strokePath(mark.path, mark.pen)


class Draftsman:
    """Makes the drawings of a document's pages. For one thread: fonts belong to it."""

    def __init__(self, document: OfdDocument, depth: int = 0) -> None:
        self._document = document
        self._book = FontBook(document)
        self._pictures: dict[str, QImage | None] = {}
        self._depth = depth
        self._marks: list[Mark] = []
        self._runs: list[PlacedRun] = []
        self._left = 0

    @property
    def _resources(self) -> Resources:
        return self._document.resources

    def draw(self, page: int) -> PageDrawing:
        """The drawing of a page; parts that cannot be read are left out."""
        self._marks, self._runs, self._left = [], [], MAX_OBJECTS
        x, y = self._document.origin(page)
        place = QTransform.fromTranslate(-x, -y)
        for layer in self._document.layers(page):
            self._group(layer.element, place, None, layer.draw_param, 0)
        for appearance, box in self._document.appearances(page):
            moved = QTransform.fromTranslate(box[0], box[1]) * place if box else place
            self._group(appearance, moved, None, None, 0)
        for stamp in self._document.stamps(page):
            self._stamp(stamp.box, stamp.picture, stamp.clip, place)
        made = PageDrawing(tuple(self._marks), tuple(self._runs))
        self._marks, self._runs = [], []
        return made

    # ---- objects
    def _group(
        self, group: Element, place: QTransform, clip: QPainterPath | None, param: str | None, depth: int
    ) -> None:
        if depth > MAX_DEPTH:
            return
        for one in group:
            self._left -= 1
            if self._left < 0:
                return
            kind = local(one)
            if kind in _GROUPS:
                self._group(one, place, clip, one.get("DrawParam") or param, depth + 1)
            elif kind and one.get("Visible") != "false":
                self._object(kind, one, place, clip, param, depth)

    def _object(
        self, kind: str, one: Element, place: QTransform, clip: QPainterPath | None, param: str | None, depth: int
    ) -> None:
        make = {
            "TextObject": self._text,
            "PathObject": self._path,
            "ImageObject": self._image,
        }.get(kind)
        if make is None and kind != "CompositeObject":
            return
        outer = _inside(one, place)
        inner = _matrix(one.get("CTM")) * outer
        clip = self._clipped(one, inner, clip)
        if make is not None:
            make(one, outer, inner, clip, param)
            return
        unit = self._resources.units.get(one.get("ResourceID") or "")
        content = child(unit, "Content")
        if content is not None:
            self._group(content, inner, _both(clip, _boundary(one, outer)), one.get("DrawParam") or param, depth + 1)

    def _path(
        self, one: Element, outer: QTransform, inner: QTransform, clip: QPainterPath | None, param: str | None
    ) -> None:
        path = read_path(text(one, "AbbreviatedData"))
        if path.isEmpty():
            return
        even = one.get("Rule") == "Even-Odd"
        path.setFillRule(Qt.FillRule.OddEvenFill if even else Qt.FillRule.WindingFill)
        style = Style(self._resources, one, param)
        brush = style.fill(default=False) if one.get("Fill") == "true" else None
        pen = style.pen() if one.get("Stroke") != "false" else None
        self._mark(Mark(inner, _both(clip, _overflow(one, outer, inner, path)), path, brush, pen))

    def _text(
        self, one: Element, outer: QTransform, inner: QTransform, clip: QPainterPath | None, param: str | None
    ) -> None:
        run = lay_out(one, self._book)
        if not run.placed:
            return
        self._runs.append(PlacedRun(run, inner))
        style = Style(self._resources, one, param)
        brush = style.fill(default=True) if one.get("Fill") != "false" else None
        pen = style.pen() if one.get("Stroke") == "true" else None
        self._mark(Mark(inner, clip, run.outline(self._book), brush, pen))

    def _image(
        self, one: Element, outer: QTransform, inner: QTransform, clip: QPainterPath | None, param: str | None
    ) -> None:
        picture = self._picture(one.get("ResourceID") or "")
        if picture is not None:
            opacity = Style(self._resources, one, param).alpha / 255
            self._mark(Mark(inner, _both(clip, _boundary(one, outer)), picture=picture, opacity=opacity))

    def _stamp(self, box: Box, data: bytes, cut: Box | None, place: QTransform) -> None:
        """A seal: a picture multiplied onto the page, or a small OFD drawn into its box."""
        target = QTransform(box[2], 0, 0, box[3], box[0], box[1]) * place
        clip = _area(QRectF(*cut), QTransform.fromTranslate(box[0], box[1]) * place) if cut is not None else None
        if not data.startswith(b"PK"):
            picture = read_picture(data)
            if picture is not None:
                self._mark(Mark(target, clip, picture=picture, multiply=True))
            return
        if self._depth > 0:
            return
        try:
            seal = OfdDocument(data)
            drawing = Draftsman(seal, self._depth + 1).draw(0)
        except OfdProblem:
            return
        width, height = seal.sizes[0]
        fit = QTransform.fromScale(1 / width, 1 / height) * target
        for mark in drawing.marks:
            inner_clip = fit.map(mark.clip) if mark.clip is not None else clip
            self._mark(Mark(mark.place * fit, inner_clip, mark.path, mark.brush, mark.pen, mark.picture, mark.opacity))

    # ---- parts
    def _mark(self, mark: Mark) -> None:
        self._marks.append(mark)

    def _picture(self, resource: str) -> QImage | None:
        if resource not in self._pictures:
            name = self._resources.media.get(resource)
            data = self._document.package.read(name) if name else None
            self._pictures[resource] = read_picture(data) if data else None
        return self._pictures[resource]

    def _clipped(self, one: Element, inner: QTransform, clip: QPainterPath | None) -> QPainterPath | None:
        """The clip an object adds: each Clip is the union of its areas, several Clips are cut with one another (§8.4)."""
        for cut in children(child(one, "Clips"), "Clip"):
            united = QPainterPath()
            for area in children(cut, "Area"):
                place = _matrix(area.get("CTM")) * inner
                for shape in children(area, "Path"):
                    moved = _matrix(shape.get("CTM")) * _inside(shape, place)
                    united.addPath(moved.map(read_path(text(shape, "AbbreviatedData"))))
                for words in children(area, "Text"):
                    moved = _matrix(words.get("CTM")) * _inside(words, place)
                    united.addPath(moved.map(lay_out(words, self._book).outline(self._book)))
            united.setFillRule(Qt.FillRule.WindingFill)
            if not united.isEmpty():
                clip = _both(clip, united)
        return clip


def read_picture(data: bytes) -> QImage | None:
    """A picture from hostile bytes, None when it is none or larger than a page needs."""
    buffer = QBuffer()
    held = QByteArray(data)
    buffer.setBuffer(held)
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    size: QSize = reader.size()
    if max(size.width(), size.height()) > MAX_PICTURE_SIDE or size.width() * size.height() > MAX_PICTURE_PIXELS:
        return None
    image = reader.read()
    return None if image.isNull() else image


def _inside(one: Element, place: QTransform) -> QTransform:
    """The space of an object's boundary."""
    box = numbers(one.get("Boundary"), 4)
    return QTransform.fromTranslate(box[0], box[1]) * place if len(box) >= 2 else place


def _matrix(value: str | None) -> QTransform:
    found = numbers(value, 6)
    return QTransform(*found) if len(found) == 6 else QTransform()


def _boundary(one: Element, outer: QTransform) -> QPainterPath | None:
    box = box_of(one.get("Boundary"))
    return None if box is None else _area(QRectF(0, 0, box[2], box[3]), outer)


def _overflow(one: Element, outer: QTransform, inner: QTransform, path: QPainterPath) -> QPainterPath | None:
    """The boundary as a clip, only where the path leaves it: clipping costs."""
    box = box_of(one.get("Boundary"))
    if box is None:
        return None
    room = outer.mapRect(QRectF(0, 0, box[2], box[3]).adjusted(-_SLACK, -_SLACK, _SLACK, _SLACK))
    if room.contains(inner.mapRect(path.controlPointRect())):
        return None
    return _area(QRectF(0, 0, box[2], box[3]).adjusted(-_SLACK, -_SLACK, _SLACK, _SLACK), outer)


def _area(rect: QRectF, place: QTransform) -> QPainterPath:
    path = QPainterPath()
    path.addRect(rect)
    return place.map(path)


def _both(one: QPainterPath | None, other: QPainterPath | None) -> QPainterPath | None:
    if one is None or other is None:
        return one if other is None else other
    return one.intersected(other)
