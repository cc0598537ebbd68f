"""What an OFD document holds: pages, templates, resources, annotations, stamps, outline (GB/T 33190-2016 §7–§9, §15, §18). No Qt.

Lengths are millimeters. A part that is missing or broken is left out; only a document without a page is a problem.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import IO, Final

from desktop.ui.reader.ofd.package import (
    Element,
    OfdPackage,
    OfdProblem,
    below,
    child,
    children,
    local,
    locate,
    number,
    numbers,
    text,
)
from desktop.ui.reader.ofd.seals import seal_picture

A4: Final = (0.0, 0.0, 210.0, 297.0)
MAX_PAGES: Final = 5_000
MAX_OUTLINE: Final = 2_000
_MAX_DEPTH: Final = 16
_ORDER: Final = {"Background": 0, "Body": 1, "Foreground": 2}

Box = tuple[float, float, float, float]
"""x, y, width, height"""


@dataclass(frozen=True, slots=True)
class Face:
    """A font resource. `file`: the name of the embedded font, empty when it is only named."""

    name: str
    file: str
    bold: bool
    italic: bool
    serif: bool
    fixed: bool


@dataclass(slots=True)
class Resources:
    """What objects refer to by ID."""

    faces: dict[str, Face] = field(default_factory=dict)
    media: dict[str, str] = field(default_factory=dict)
    params: dict[str, Element] = field(default_factory=dict)
    units: dict[str, Element] = field(default_factory=dict)
    spaces: dict[str, Element] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A seal on a page: where, and its picture (an image or again an OFD); clip: the part shown of a seal across pages."""

    box: Box
    picture: bytes
    clip: Box | None


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A line of the outline; `top` in millimeters from the page's top."""

    title: str
    page: int
    top: float
    children: tuple[OutlineEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """Objects drawn one after the other, with the draw parameter they begin from."""

    element: Element
    draw_param: str | None


class OfdDocument:
    """The first document of a package.

    Attributes:
        sizes: (width, height) of each page.
    """

    def __init__(self, data: bytes | IO[bytes], *, lazy: bool = False) -> None:
        """`lazy`: only the first page is measured; the others are taken to be like it until `measure`. Raises OfdProblem."""
        self.package = OfdPackage(data)
        self.resources = Resources()
        self._resources_read: set[str] = set()
        body = child(self.package.xml("OFD.xml"), "DocBody")
        root = locate("", text(body, "DocRoot"))
        document = self.package.xml(root)
        if body is None or document is None:
            raise OfdProblem("brokenOfd")
        self._base = posixpath.dirname(root)
        common = child(document, "CommonData")
        for tag in ("PublicRes", "DocumentRes"):
            for one in children(common, tag):
                self._read_resources(locate(self._base, one.text))
        self._templates = {
            one.get("ID") or "": (locate(self._base, one.get("BaseLoc")), one.get("ZOrder") or "Background")
            for one in children(common, "TemplatePage")
        }
        self._page_files = [
            (one.get("ID") or "", locate(self._base, one.get("BaseLoc")))
            for one in children(child(document, "Pages"), "Page")
        ][:MAX_PAGES]
        if not self._page_files:
            raise OfdProblem("brokenOfd")
        self._default = _box(child(common, "PageArea")) or A4
        measured = self._page_files[:1] if lazy else self._page_files
        self._boxes = [_box(child(self.package.xml(name), "Area")) or self._default for _, name in measured]
        self._boxes += self._boxes[:1] * (len(self._page_files) - len(measured))
        self.sizes = [(box[2], box[3]) for box in self._boxes]
        self._annotations = self._read_annotations(text(document, "Annotations"))
        self._stamps = self._read_stamps(text(body, "Signatures"))
        self._outline = child(document, "Outlines")

    # ---- pages
    def measure(self, page: int) -> None:
        """Reads a page's box."""
        box = _box(child(self.package.xml(self._page_files[page][1]), "Area")) or self._default
        self._boxes[page], self.sizes[page] = box, (box[2], box[3])

    def origin(self, page: int) -> tuple[float, float]:
        """Where the page's physical box begins in its coordinates."""
        return self._boxes[page][:2]

    def layers(self, page: int) -> list[Layer]:
        """The layers of a page in the order they are drawn, those of its templates among them."""
        _, name = self._page_files[page]
        root = self.package.xml(name)
        for one in children(root, "PageRes"):
            self._read_resources(locate(posixpath.dirname(name), one.text))
        parts: list[tuple[float, Layer]] = []
        for used in children(root, "Template"):
            found = self._templates.get(used.get("TemplateID") or "")
            if found is not None:
                order = _ORDER.get(used.get("ZOrder") or found[1], 0)
                parts += [(order, layer) for layer in _layers(self._template(found[0]))]
        parts += [(_ORDER.get(one.element.get("Type") or "Body", 1) + 0.5, one) for one in _layers(root)]
        return [layer for _, layer in sorted(parts, key=lambda part: part[0])]

    def appearances(self, page: int) -> list[tuple[Element, Box | None]]:
        """The drawings of the page's visible annotations, each with its boundary."""
        found = []
        for name in self._annotations.get(self._page_files[page][0], ()):
            for one in below(self.package.xml(name), "Annot"):
                appearance = child(one, "Appearance")
                if appearance is not None and one.get("Visible") != "false":
                    found.append((appearance, box_of(appearance.get("Boundary"))))
        return found

    def stamps(self, page: int) -> list[Stamp]:
        """The seals on a page."""
        return self._stamps.get(self._page_files[page][0], [])

    def outline(self) -> tuple[OutlineEntry, ...]:
        """The document's outline, empty when it has none."""
        pages = {page_id: index for index, (page_id, _) in enumerate(self._page_files)}
        return _outline(self._outline, pages, [MAX_OUTLINE], 0)

    # ---- parts
    def _template(self, name: str) -> Element | None:
        root = self.package.xml(name)
        for one in children(root, "PageRes"):
            self._read_resources(locate(posixpath.dirname(name), one.text))
        return root

    def _read_resources(self, name: str) -> None:
        root = None if name in self._resources_read else self.package.xml(name)
        self._resources_read.add(name)
        if root is None:
            return
        base = locate(posixpath.dirname(name), root.get("BaseLoc") or ".")
        held = self.resources
        for one in below(root, "Font"):
            file = text(one, "FontFile")
            held.faces[one.get("ID") or ""] = Face(
                one.get("FontName") or one.get("FamilyName") or "",
                locate(base, file) if file else "",
                one.get("Bold") == "true",
                one.get("Italic") == "true",
                one.get("Serif") == "true",
                one.get("FixedWidth") == "true",
            )
        held.media |= {one.get("ID") or "": locate(base, text(one, "MediaFile")) for one in below(root, "MultiMedia")}
        held.params |= {one.get("ID") or "": one for one in below(root, "DrawParam")}
        held.units |= {one.get("ID") or "": one for one in below(root, "CompositeGraphicUnit")}
        held.spaces |= {one.get("ID") or "": one for one in below(root, "ColorSpace")}

    def _read_annotations(self, path: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        name = locate(self._base, path) if path else ""
        for one in children(self.package.xml(name) if name else None, "Page"):
            for file in children(one, "FileLoc"):
                found.setdefault(one.get("PageID") or "", []).append(locate(posixpath.dirname(name), file.text))
        return found

    def _read_stamps(self, path: str) -> dict[str, list[Stamp]]:
        found: dict[str, list[Stamp]] = {}
        name = locate("", path) if path else ""
        for one in children(self.package.xml(name) if name else None, "Signature"):
            file = locate(posixpath.dirname(name), one.get("BaseLoc"))
            signature = self.package.xml(file)
            info = child(signature, "SignedInfo")
            picture = self._seal_of(posixpath.dirname(file), signature, info)
            for stamp in children(info, "StampAnnot") if picture else []:
                box = box_of(stamp.get("Boundary"))
                if box is not None and picture is not None:
                    placed = Stamp(box, picture, box_of(stamp.get("Clip")))
                    found.setdefault(stamp.get("PageRef") or "", []).append(placed)
        return found

    def _seal_of(self, base: str, signature: Element | None, info: Element | None) -> bytes | None:
        for path in (text(info, "Seal", "BaseLoc"), text(signature, "SignedValue")):
            data = self.package.read(locate(base, path)) if path else None
            picture = seal_picture(data) if data else None
            if picture is not None:
                return picture
        return None


def box_of(value: str | None) -> Box | None:
    """A boundary: four numbers, width and height positive."""
    found = numbers(value, 4)
    return (found[0], found[1], found[2], found[3]) if len(found) == 4 and found[2] > 0 and found[3] > 0 else None


def _box(area: Element | None) -> Box | None:
    """The physical box of a page area, within what a page can be."""
    box = box_of(text(area, "PhysicalBox")) if area is not None else None
    return box if box is not None and box[2] <= 5_000 and box[3] <= 5_000 else None


def _layers(root: Element | None) -> list[Layer]:
    return [Layer(one, one.get("DrawParam")) for one in children(child(root, "Content"), "Layer")]


def _outline(root: Element | None, pages: dict[str, int], left: list[int], depth: int) -> tuple[OutlineEntry, ...]:
    if root is None or depth > _MAX_DEPTH:
        return ()
    found = []
    for one in children(root, "OutlineElem"):
        left[0] -= 1
        if left[0] < 0:
            break
        target = next((dest for dest in _below_actions(one) if local(dest) == "Dest"), None)
        page = pages.get(target.get("PageID") or "", 0) if target is not None else 0
        top = number(target.get("Top"), 0.0) if target is not None else 0.0
        found.append(OutlineEntry((one.get("Title") or "")[:500], page, top, _outline(one, pages, left, depth + 1)))
    return tuple(found)


def _below_actions(entry: Element) -> list[Element]:
    actions = child(entry, "Actions")
    return [] if actions is None else [one for one in actions.iter() if isinstance(one.tag, str)]
