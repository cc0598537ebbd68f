"""Thumbnails of pictures people sent: made once, kept as files. Every picture is hostile until it is decoded.

Only formats listed here are ever tried, sizes are checked before a pixel is decoded. Blocking.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

EDGES: Final = (96, 256, 1024)
MAX_PIXELS: Final = 40_000_000  # 160 MB decoded and as much again while it is made small, two at a time
MAX_FILE: Final = 100_000_000
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
_QUALITY: Final = 82
_RESIZABLE: Final = frozenset({"L", "LA", "RGB", "RGBA"})

# We check the size ourselves, right after the header and before any pixel; Pillow's own limit only warns.
Image.MAX_IMAGE_PIXELS = None


class NotAPicture(Exception):
    """The blob is no picture we decode, or one too large to be decoded safely."""


def load_thumbnail(source: Path, cache: Path, edge: int, *, webp: bool) -> tuple[bytes, str]:
    """The thumbnail's bytes and media type, from the cache or made now.

    Args:
        source: the blob's file; its name is the cache key.
        edge: the longer side at most, in pixels; a smaller picture stays as it is.
        webp: whether the reader takes WebP; else JPEG, or PNG for pictures with transparency.

    Raises:
        NotAPicture: see there.
    """
    folder = cache / source.name[:2]
    for suffix, type_ in (("webp", "image/webp"),) if webp else (("jpg", "image/jpeg"), ("png", "image/png")):
        kept = folder / f"{source.name}-{edge}.{suffix}"
        if kept.exists():
            return kept.read_bytes(), type_
    suffix, type_, picture = _make(source, edge, webp=webp)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / f"{source.name}-{edge}.{suffix}"
    temporary = target.with_name(f"{target.name}.{id(picture)}.new")
    picture.save(temporary, format=type_.removeprefix("image/"), quality=_QUALITY)
    temporary.replace(target)
    return target.read_bytes(), type_


def drop_orphaned_thumbnails(cache: Path, blobs: Path) -> None:
    """Forget what was made of blobs that are gone."""
    for path in cache.glob("??/*-*"):
        blob_id = path.name.partition("-")[0]
        if not (blobs / blob_id[:2] / blob_id[2:4] / blob_id).exists():
            path.unlink(missing_ok=True)


def _make(source: Path, edge: int, *, webp: bool) -> tuple[str, str, Image.Image]:
    if source.stat().st_size > MAX_FILE:
        raise NotAPicture("the file is too large for a thumbnail")
    try:
        with Image.open(source, formats=FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise NotAPicture("the picture has too many pixels")
            opened.draft("RGB", (edge * 2, edge * 2))
            transparent = opened.has_transparency_data
            mode = "RGBA" if transparent else "RGB"
            # Made small first and in place: each step on the whole picture would hold another copy of it.
            small = opened if opened.mode in _RESIZABLE else opened.convert(mode)
            small.thumbnail((edge, edge), Image.Resampling.LANCZOS)
            picture = ImageOps.exif_transpose(small).convert(mode)
    # Decoders raise whatever a broken file makes them stumble over; none of it is our bug, all of it means "no picture".
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError,
            ArithmeticError, MemoryError, AttributeError, NotImplementedError, RuntimeError) as error:  # fmt: skip
        raise NotAPicture("the file cannot be decoded as a picture") from error
    if webp:
        return "webp", "image/webp", picture
    return ("png", "image/png", picture) if transparent else ("jpg", "image/jpeg", picture)
