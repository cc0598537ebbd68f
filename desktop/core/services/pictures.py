"""Sizes and thumbnails of pictures that this device has. Blocks: `cpu` executor. Pillow is loaded with the first picture: no start waits for it."""

import io
from typing import Final

from desktop.core.errors import BadFile

MAX_PIXELS: Final = 64_000_000


def picture_size(data: bytes) -> tuple[str, int, int]:
    """Media type, width and height in pixels. Raises BadFile: no picture, or a huge one."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as picture:
            width, height = picture.size
            kind = Image.MIME.get(picture.format or "", "application/octet-stream")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadFile(reason="noPicture") from error
    if width * height > MAX_PIXELS:
        raise BadFile(reason="tooLarge")
    return kind, width, height


def make_thumbnail(data: bytes, edge: int) -> bytes:
    """A WebP picture at most `edge` pixels wide and high. Raises BadFile."""
    from PIL import Image

    picture_size(data)
    try:
        with Image.open(io.BytesIO(data)) as picture:
            picture.thumbnail((edge, edge))
            target = io.BytesIO()
            picture.convert("RGBA" if "A" in picture.getbands() else "RGB").save(target, "WEBP", quality=85)
            return target.getvalue()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadFile(reason="noPicture") from error
