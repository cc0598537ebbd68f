"""Annotations: what people mark on the pages of a document, in a layer of its own."""

from typing import Any

from msgspec import Struct


class Annotation(Struct, frozen=True, rename="camel"):
    """A mark on a page (from 0) of a record's document. Points from the page's top left corner, as it stands upright.

    Attributes:
        kind: highlight: mark {rects: [[x, y, width, height]], color, text?}; note: {x, y, color, text}; pen: {strokes: [[[x, y, pressure?]]], color, width}.
        shared: seen by whoever sees the record; else by its author alone.
        pending: on its way; refusal: why the server would not have it.
    """

    id: str
    record_id: str
    record_type: str = ""
    blob_id: str = ""
    page: int = 0
    kind: str = "highlight"
    mark: dict[str, Any] = {}
    shared: bool = False
    author_id: str | None = None
    created_at: int = 0
    updated_at: int = 0
    pending: bool = False
    refusal: str | None = None


class AnnotationTarget(Struct, frozen=True):
    """Which content of which record is marked."""

    record_type: str
    record_id: str
    blob_id: str
