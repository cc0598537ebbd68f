"""Impressions of the demo office's seals: a red ring with a star and words along it, on transparent ground. Of nobody's real seal."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFont

RED: Final = (214, 32, 32, 255)
SIDE: Final = 480
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def draw_seal(table: Mapping[str, Any], font: Callable[[int], Font]) -> Image.Image:
    """`text` runs along the upper edge, `foot` stands below the star; `square`: a name seal with its characters in two columns."""
    image = Image.new("RGBA", (SIDE, SIDE), (255, 255, 255, 0))
    pen = ImageDraw.Draw(image)
    if table.get("square"):
        pen.rectangle((60, 60, SIDE - 60, SIDE - 60), outline=RED, width=14)
        for index, character in enumerate(table["text"]):
            x, y = 320 - 160 * (index // 2), 160 + 160 * (index % 2)
            pen.text((x, y), character, font=font(130), fill=RED, anchor="mm")
        return image
    pen.ellipse((10, 10, SIDE - 10, SIDE - 10), outline=RED, width=14)
    _star(pen, SIDE / 2, SIDE / 2, 74)
    _along(image, table["text"], font(58))
    pen.text((SIDE / 2, SIDE * 0.79), table.get("foot", ""), font=font(44), fill=RED, anchor="mm")
    return image


def _star(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float) -> None:
    points = []
    for index in range(10):
        reach = radius if index % 2 == 0 else radius * 0.382
        angle = math.pi * index / 5 - math.pi / 2
        points.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    pen.polygon(points, fill=RED)


def _along(image: Image.Image, text: str, font: Font) -> None:
    """Characters stand on the ring, heads outward, over three fifths of the circle."""
    span = math.radians(min(240, 28 * len(text)))
    for index, character in enumerate(text):
        angle = -span / 2 + span * (index + 0.5) / len(text)
        tile = Image.new("RGBA", (90, 90), (255, 255, 255, 0))
        ImageDraw.Draw(tile).text((45, 45), character, font=font, fill=RED, anchor="mm")
        turned = tile.rotate(-math.degrees(angle), resample=Image.Resampling.BICUBIC)
        x, y = SIDE / 2 + 178 * math.sin(angle), SIDE / 2 - 178 * math.cos(angle)
        image.alpha_composite(turned, (round(x - 45), round(y - 45)))
