"""Draws the demo's pictures with Pillow: "photographs" of a water bureau's places, charts and maps. Nothing is copied from anywhere."""

import io
import math
import random
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps

from server_stub.app.demo.seal_pictures import draw_seal

Color = tuple[int, int, int]
SIZE: Final = (1280, 854)
CHART: Final = (1200, 720)
CLOUDY: Final = 8  # clouds are drawn this much smaller: nobody sees it, and blurring costs next to nothing
_FONTS: Final = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "C:/Windows/Fonts/msyh.ttc",
    "C:/Windows/Fonts/simsun.ttc",
    "/System/Library/Fonts/PingFang.ttc",
    "/System/Library/Fonts/Hiragino Sans GB.ttc",
    "/System/Library/Fonts/STHeiti Medium.ttc",
)
_INK: Final = (40, 48, 58)
_GRID: Final = (222, 227, 233)
_SERIES: Final = ((47, 107, 222), (230, 138, 46), (31, 138, 91))


def draw_picture(table: Mapping[str, Any], seed: int) -> tuple[bytes, int, int]:
    """A picture of assets.toml as JPEG or PNG, with its width and height. The same seed gives the same picture."""
    rng = random.Random(seed)  # noqa: S311 (pictures, no secrets)
    image = _DRAWERS[table["draw"]](table, rng)
    is_photo = str(table["name"]).endswith(".jpg")
    if is_photo:
        image = _develop(image, rng, old=bool(table.get("old")))
    buffer = io.BytesIO()
    if is_photo:
        image.save(buffer, "JPEG", quality=84)
    elif image.mode == "RGBA":
        image.save(buffer, "PNG")
    else:
        image.quantize(128, method=Image.Quantize.FASTOCTREE).save(buffer, "PNG")
    return buffer.getvalue(), image.width, image.height


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    for path in _FONTS:
        if Path(path).exists():
            return ImageFont.truetype(path, size)
    return ImageFont.load_default(size)


def _develop(image: Image.Image, rng: random.Random, *, old: bool) -> Image.Image:
    """What a lens and a sensor do: a little blur, grain, darker corners; brown and faded for old ones."""
    image = image.filter(ImageFilter.SMOOTH)
    image = ImageChops.overlay(image, _grain(22 if old else 12))
    image = ImageChops.multiply(image, _corners())
    if old:
        gray = ImageOps.autocontrast(image.convert("L"), cutoff=2)
        image = ImageOps.colorize(gray, (52, 38, 24), (238, 224, 196), (150, 122, 88))
    return image


@lru_cache(maxsize=4)
def _grain(sigma: int) -> Image.Image:
    noise = Image.effect_noise(SIZE, sigma).convert("L")
    return Image.merge("RGB", (noise, noise, noise))


@lru_cache(maxsize=1)
def _corners() -> Image.Image:
    shade = ImageOps.invert(Image.radial_gradient("L").resize(SIZE)).point(
        lambda value: min(255, int(150 + value * 0.6))
    )
    return Image.merge("RGB", (shade, shade, shade))


def _mix(left: Color, right: Color, share: float) -> Color:
    return tuple(round(a + (b - a) * share) for a, b in zip(left, right, strict=True))  # type: ignore[return-value]  # three in, three out


def _gradient(size: tuple[int, int], top: Color, bottom: Color) -> Image.Image:
    mask = Image.linear_gradient("L").resize(size)
    return Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), mask)


def _ridge(rng: random.Random, base: float, height: float, rough: float = 1.0) -> list[tuple[float, float]]:
    """A line of hills across the picture."""
    waves = [(rng.uniform(0.6, 3.2) * (i + 1) * rough, rng.uniform(0, 6.3), 1 / (i + 1)) for i in range(4)]
    width = SIZE[0]
    return [
        (x, base - height * (0.55 + 0.3 * sum(a * math.sin(f * x / width * 3 + p) for f, p, a in waves)))
        for x in range(0, width + 20, 20)
    ]


def _landscape(rng: random.Random, *, horizon: float) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Sky with clouds and two lines of hills down to the horizon."""
    width, height = SIZE
    tops: tuple[Color, ...] = ((96, 148, 206), (130, 150, 172), (108, 160, 210), (150, 160, 170))
    image = _gradient(SIZE, rng.choice(tops), (222, 230, 236))
    clouds = Image.new("L", (width // CLOUDY, height // CLOUDY), 0)
    pen = ImageDraw.Draw(clouds)
    for _ in range(rng.randint(8, 18)):
        x, y = rng.uniform(0, width) / CLOUDY, rng.uniform(0, height * horizon * 0.7) / CLOUDY
        r = rng.uniform(30, 120) / CLOUDY
        pen.ellipse((x - r * 2, y - r * 0.4, x + r * 2, y + r * 0.4), fill=rng.randint(90, 190))
    image.paste(
        (246, 248, 250),
        mask=clouds.filter(ImageFilter.GaussianBlur(26 / CLOUDY)).resize(SIZE, Image.Resampling.BILINEAR),
    )
    pen = ImageDraw.Draw(image)
    base = height * horizon
    for color, tall in (((122, 146, 150), 190.0), ((74, 108, 84), 110.0)):
        shade = _mix(color, (60, 90, 70), rng.random() * 0.4)
        pen.polygon([*_ridge(rng, base, tall), (width, base), (0, base)], fill=shade)
    return image, pen


def _water(image: Image.Image, rng: random.Random, box: tuple[int, int, int, int], color: Color) -> None:
    """Water with ripples that get larger towards the viewer."""
    left, top, right, bottom = box
    image.paste(_gradient((right - left, bottom - top), _mix(color, (210, 225, 232), 0.45), color), (left, top))
    pen = ImageDraw.Draw(image)
    for _ in range(420):
        share = rng.random() ** 0.6
        y = top + share * (bottom - top)
        length = 10 + share * 90
        x = rng.uniform(left, right)
        pen.line(
            (x, y, min(right, x + length), y),
            fill=_mix(color, (235, 242, 245), rng.uniform(0.1, 0.5)),
            width=1 + int(share * 2),
        )


def _trees(pen: ImageDraw.ImageDraw, rng: random.Random, y: float, count: int, size: float) -> None:
    for _ in range(count):
        x, r = rng.uniform(0, SIZE[0]), size * rng.uniform(0.6, 1.3)
        green = _mix((46, 84, 52), (96, 124, 62), rng.random())
        pen.rectangle((x - r * 0.08, y - r * 0.6, x + r * 0.08, y + r * 0.2), fill=(74, 60, 46))
        for _ in range(6):
            dx, dy, rr = rng.uniform(-r * 0.4, r * 0.4), rng.uniform(-r * 0.7, 0), r * rng.uniform(0.25, 0.45)
            pen.ellipse((x + dx - rr, y - r * 0.6 + dy - rr, x + dx + rr, y - r * 0.6 + dy + rr), fill=green)


def _dam(table: Mapping[str, Any], rng: random.Random) -> Image.Image:
    image, pen = _landscape(rng, horizon=0.42)
    width, height = SIZE
    _water(image, rng, (0, int(height * 0.42), width, int(height * 0.72)), (70, 116, 128))
    crest = height * rng.uniform(0.6, 0.66)
    slope = [(0, crest + 30), (width, crest - 40), (width, height), (0, height)]
    pen.polygon(slope, fill=(124, 138, 92))
    for i in range(14):  # concrete ribs of the slope
        x = i * width / 13
        pen.line((x, crest + 30 - 70 * x / width, x - 160, height), fill=(150, 152, 140), width=5)
    pen.polygon([(0, crest + 2), (width, crest - 68), (width, crest - 36), (0, crest + 34)], fill=(178, 178, 172))
    for i in range(40):  # railing
        x = i * width / 39
        y = crest + 2 - 70 * x / width
        pen.line((x, y - 34, x, y), fill=(232, 232, 228), width=4)
    pen.line((0, crest - 32, width, crest - 102), fill=(236, 236, 232), width=5)
    x = rng.uniform(width * 0.6, width * 0.8)
    pen.rectangle((x, crest - 230, x + 120, crest - 70), fill=(226, 220, 206))
    pen.polygon([(x - 14, crest - 230), (x + 60, crest - 280), (x + 134, crest - 230)], fill=(150, 74, 60))
    return image


def _river(table: Mapping[str, Any], rng: random.Random) -> Image.Image:
    image, pen = _landscape(rng, horizon=0.4)
    width, height = SIZE
    _water(image, rng, (0, int(height * 0.4), width, height), (88, 126, 118))
    bend = rng.uniform(0.3, 0.6)
    left = [
        (0, height * 0.4),
        (width * bend, height * 0.41),
        (width * bend * 0.55, height * 0.7),
        (width * 0.18, height),
        (0, height),
    ]
    right = [
        (width, height * 0.4),
        (width * (bend + 0.12), height * 0.41),
        (width * 0.86, height * 0.74),
        (width, height * 0.95),
    ]
    pen.polygon(left, fill=(98, 126, 72))
    pen.polygon(right, fill=(110, 134, 80))
    _trees(pen, rng, height * 0.43, 22, 46)
    for i in range(9):  # stones of the bank
        x, y = width * 0.2 + i * 14, height * 0.98 - i * 34
        pen.polygon(
            [(x - 60, y), (x - 10, y - 20), (x + 6, y + 16), (x - 50, y + 26)],
            fill=_mix((168, 164, 152), (130, 128, 118), rng.random()),
        )
    return image


def _gate(table: Mapping[str, Any], rng: random.Random) -> Image.Image:
    image, pen = _landscape(rng, horizon=0.45)
    width, height = SIZE
    _water(image, rng, (0, int(height * 0.62), width, height), (82, 118, 120))
    pen.rectangle((0, height * 0.36, width, height * 0.44), fill=(206, 200, 186))
    for i in range(4):
        x = 120 + i * 280
        pen.rectangle((x, height * 0.2, x + 70, height * 0.78), fill=(188, 184, 174))
        pen.rectangle(
            (x + 70, height * 0.5, x + 280, height * 0.72), fill=_mix((44, 92, 140), (70, 120, 160), rng.random())
        )
        for k in range(5):
            y = height * 0.5 + k * 38
            pen.line((x + 70, y, x + 280, y), fill=(28, 62, 98), width=4)
        pen.rectangle((x + 100, height * 0.24, x + 230, height * 0.36), fill=(232, 226, 212))
        pen.rectangle((x + 140, height * 0.27, x + 190, height * 0.33), fill=(110, 140, 160))
    return image


def _site(table: Mapping[str, Any], rng: random.Random) -> Image.Image:
    image, pen = _landscape(rng, horizon=0.4)
    width, height = SIZE
    pen.rectangle((0, height * 0.4, width, height), fill=(158, 134, 100))
    for _ in range(260):
        x, y = rng.uniform(0, width), rng.uniform(height * 0.45, height)
        pen.ellipse(
            (x, y, x + rng.uniform(4, 26), y + rng.uniform(2, 9)),
            fill=_mix((128, 104, 76), (182, 160, 124), rng.random()),
        )
    x = rng.uniform(380, 560)
    pen.rectangle((x, height * 0.38, x + 460, height * 0.74), fill=(176, 176, 172))
    for i in range(12):
        pen.line((x + i * 40, height * 0.26, x + i * 40, height * 0.74), fill=(120, 92, 60), width=5)
    for k in range(7):
        y = height * 0.28 + k * 52
        pen.line((x, y, x + 460, y), fill=(132, 104, 70), width=4)
    mast = rng.choice((180, 1080))
    pen.rectangle((mast - 9, height * 0.06, mast + 9, height * 0.7), fill=(226, 178, 40))
    reach = 420 if mast < width / 2 else -420
    pen.line((mast - reach * 0.3, height * 0.1, mast + reach, height * 0.1), fill=(226, 178, 40), width=12)
    pen.line((mast + reach * 0.8, height * 0.1, mast + reach * 0.8, height * 0.34), fill=(60, 60, 60), width=3)
    for _ in range(rng.randint(3, 6)):
        px, py = rng.uniform(60, width - 60), rng.uniform(height * 0.74, height * 0.92)
        pen.rectangle((px - 11, py - 52, px + 11, py), fill=rng.choice(((226, 112, 40), (52, 92, 146), (236, 206, 60))))
        pen.ellipse((px - 11, py - 78, px + 11, py - 54), fill=(236, 196, 60))
    return image


def _aerial(table: Mapping[str, Any], rng: random.Random) -> Image.Image:
    width, height = SIZE
    image = Image.new("RGB", SIZE, (112, 138, 82))
    pen = ImageDraw.Draw(image)
    for x in range(0, width, 92):
        for y in range(0, height, 66):
            shade = _mix((98, 134, 70), (170, 168, 104), rng.random())
            pen.polygon(
                [(x + rng.randint(-8, 8), y), (x + 90, y + rng.randint(-8, 8)), (x + 88, y + 64), (x, y + 64)],
                fill=shade,
            )
    phase, amplitude = rng.uniform(0, 6), rng.uniform(90, 170)
    path = [(x, height * 0.5 + amplitude * math.sin(x / 210 + phase)) for x in range(-40, width + 60, 16)]
    pen.line(path, fill=(196, 188, 150), width=128, joint="curve")
    pen.line(path, fill=(84, 128, 132), width=98, joint="curve")
    pen.line([(x, y - 96) for x, y in path], fill=(206, 204, 198), width=14, joint="curve")
    for _ in range(36):
        left, top = rng.uniform(0, width), rng.choice((rng.uniform(20, 150), rng.uniform(height - 150, height - 40)))
        roof = rng.choice(((176, 92, 76), (140, 148, 156), (206, 196, 180)))
        pen.rectangle((left, top, left + rng.uniform(24, 50), top + rng.uniform(18, 34)), fill=roof)
    return image


def _room_box(wall: Color, floor: Color) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    width, height = SIZE
    image = _gradient(SIZE, _mix(wall, (255, 255, 255), 0.25), wall)
    pen = ImageDraw.Draw(image)
    pen.polygon(
        [(0, height), (width * 0.18, height * 0.66), (width * 0.82, height * 0.66), (width, height)], fill=floor
    )
    pen.polygon(
        [(0, 0), (width * 0.18, height * 0.12), (width * 0.18, height * 0.66), (0, height)],
        fill=_mix(wall, (0, 0, 0), 0.12),
    )
    pen.polygon(
        [(width, 0), (width * 0.82, height * 0.12), (width * 0.82, height * 0.66), (width, height)],
        fill=_mix(wall, (0, 0, 0), 0.16),
    )
    return image, pen


def _shelves(table: Mapping[str, Any], rng: random.Random) -> Image.Image:
    image, pen = _room_box((206, 206, 200), (150, 150, 146))
    width, height = SIZE
    for row in range(4):
        y = height * (0.2 + row * 0.15)
        for i in range(15):
            x = width * 0.19 + i * width * 0.042
            box = rng.choice(((222, 118, 48), (206, 172, 110), (70, 110, 160), (230, 206, 70), (120, 140, 110)))
            tall = rng.uniform(40, 92)
            pen.rectangle(
                (x, y + 96 - tall, x + width * 0.036, y + 96), fill=_mix(box, (90, 90, 90), rng.random() * 0.25)
            )
        pen.rectangle((width * 0.18, y + 96, width * 0.82, y + 106), fill=(76, 92, 120))
    for i in range(3):
        x = 240 + i * 300
        pen.rectangle((x, height * 0.84, x + 210, height * 0.97), fill=(176, 136, 88))
        pen.line((x, height * 0.9, x + 210, height * 0.9), fill=(130, 98, 60), width=6)
    return image


def _rack(table: Mapping[str, Any], rng: random.Random) -> Image.Image:
    image, pen = _room_box((188, 194, 200), (120, 126, 132))
    height = SIZE[1]
    for i in range(3):
        x = 250 + i * 272
        pen.rectangle((x, height * 0.1, x + 250, height * 0.88), fill=(34, 38, 44))
        for k in range(15):
            y = height * 0.13 + k * 41
            pen.rectangle((x + 16, y, x + 234, y + 32), fill=_mix((58, 64, 72), (86, 92, 100), rng.random()))
            for n in range(12):
                on = rng.random()
                lamp = (70, 214, 110) if on < 0.6 else (240, 176, 50) if on < 0.68 else (60, 66, 72)
                pen.rectangle((x + 26 + n * 14, y + 12, x + 33 + n * 14, y + 19), fill=lamp)
        for _ in range(5):
            a, b = rng.uniform(height * 0.2, height * 0.5), rng.uniform(height * 0.5, height * 0.8)
            pen.arc((x + 180, a, x + 270, b), 270, 90, fill=rng.choice(((40, 110, 200), (230, 190, 40))), width=5)
    return image


def _room(table: Mapping[str, Any], rng: random.Random) -> Image.Image:
    image, pen = _room_box((226, 216, 198), (146, 108, 78))
    width, height = SIZE
    pen.rectangle((width * 0.34, height * 0.16, width * 0.66, height * 0.4), fill=(38, 74, 128))
    pen.rectangle((width * 0.36, height * 0.22, width * 0.6, height * 0.25), fill=(210, 224, 240))
    pen.polygon(
        [
            (width * 0.3, height * 0.6),
            (width * 0.7, height * 0.6),
            (width * 0.86, height * 0.98),
            (width * 0.14, height * 0.98),
        ],
        fill=(118, 74, 46),
    )
    for side in (0, 1):
        for i in range(6):
            share = i / 5
            x = width * (0.28 - 0.17 * share) if side == 0 else width * (0.72 + 0.17 * share)
            y, r = height * (0.6 + 0.34 * share), 30 + 34 * share
            pen.rounded_rectangle((x - r, y - r * 1.5, x + r, y + r * 0.4), radius=int(r * 0.4), fill=(42, 50, 64))
            tx = width * (0.36 - 0.1 * share) if side == 0 else width * (0.64 + 0.1 * share)
            pen.polygon(
                [(tx - r * 0.5, y), (tx + r * 0.5, y), (tx + r * 0.4, y - r * 0.4), (tx - r * 0.4, y - r * 0.4)],
                fill=(238, 236, 228),
            )
    for _ in range(4):
        x = rng.uniform(width * 0.2, width * 0.8)
        pen.ellipse((x, 24, x + 90, 52), fill=(255, 252, 236))
    return image


def _road(table: Mapping[str, Any], rng: random.Random) -> Image.Image:
    image, pen = _landscape(rng, horizon=0.46)
    width, height = SIZE
    pen.rectangle((0, height * 0.46, width, height), fill=(120, 138, 84))
    _trees(pen, rng, height * 0.5, 14, 60)
    pen.polygon(
        [(width * 0.46, height * 0.46), (width * 0.54, height * 0.46), (width * 1.05, height), (-width * 0.05, height)],
        fill=(112, 114, 118),
    )
    for i in range(7):
        y = height * (0.5 + 0.075 * i)
        pen.polygon(
            [
                (width * 0.5 - i * 2, y),
                (width * 0.5 + i * 2, y),
                (width * 0.5 + i * 3, y + 12 + i * 4),
                (width * 0.5 - i * 3, y + 12 + i * 4),
            ],
            fill=(238, 236, 226),
        )
    x, y = rng.uniform(560, 700), height * 0.66
    paint = rng.choice(((238, 240, 242), (40, 44, 52), (206, 210, 214)))
    pen.rounded_rectangle((x, y, x + 330, y + 130), radius=28, fill=paint)
    pen.polygon(
        [(x + 50, y + 8), (x + 100, y - 76), (x + 240, y - 76), (x + 292, y + 8)],
        fill=_mix(paint, (90, 110, 130), 0.55),
    )
    for wheel in (x + 66, x + 264):
        pen.ellipse((wheel - 36, y + 92, wheel + 36, y + 164), fill=(24, 26, 30))
        pen.ellipse((wheel - 16, y + 112, wheel + 16, y + 144), fill=(150, 154, 160))
    return image


def _people(pen: ImageDraw.ImageDraw, rng: random.Random, y: float, count: int) -> None:
    for i in range(count):
        x = SIZE[0] * (0.12 + 0.76 * i / max(1, count - 1)) + rng.uniform(-12, 12)
        shirt = rng.choice(((206, 66, 60), (52, 100, 170), (240, 240, 236), (64, 140, 96), (236, 190, 70)))
        pen.rounded_rectangle((x - 27, y - 96, x + 27, y + 6), radius=16, fill=shirt)
        pen.rectangle((x - 21, y, x + 21, y + 92), fill=(50, 56, 74))
        pen.ellipse((x - 20, y - 142, x + 20, y - 98), fill=(226, 186, 152))
        pen.pieslice((x - 21, y - 146, x + 21, y - 104), 180, 360, fill=(36, 30, 28))


def _campus(table: Mapping[str, Any], rng: random.Random) -> Image.Image:
    image, pen = _landscape(rng, horizon=0.5)
    width, height = SIZE
    pen.rectangle((0, height * 0.5, width, height), fill=(176, 120, 92))
    pen.rectangle((width * 0.1, height * 0.16, width * 0.9, height * 0.56), fill=(232, 216, 188))
    for row in range(3):
        for i in range(12):
            x, y = width * 0.13 + i * width * 0.064, height * (0.2 + row * 0.115)
            pen.rectangle((x, y, x + 44, y + 60), fill=(120, 156, 184))
    pen.rectangle((width * 0.2, height * 0.58, width * 0.8, height * 0.64), fill=(200, 48, 44))
    _people(pen, rng, height * 0.8, 11)
    return image


def _park(table: Mapping[str, Any], rng: random.Random) -> Image.Image:
    image, pen = _landscape(rng, horizon=0.48)
    width, height = SIZE
    _water(image, rng, (0, int(height * 0.48), width, int(height * 0.6)), (96, 146, 160))
    pen.rectangle((0, height * 0.6, width, height), fill=(122, 156, 84))
    pen.rectangle((0, height * 0.86, width, height), fill=(206, 196, 178))
    _trees(pen, rng, height * 0.64, 9, 120)
    _people(pen, rng, height * 0.82, rng.randint(8, 13))
    return image


def _radar(table: Mapping[str, Any], rng: random.Random) -> Image.Image:
    width = height = 900
    image = Image.new("RGB", (width, height), (16, 24, 36))
    echo = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(echo)
    cx, cy = rng.uniform(280, 460), rng.uniform(300, 520)
    for _ in range(150):
        x, y = rng.gauss(cx, 120), rng.gauss(cy, 90)
        r = rng.uniform(14, 60)
        pen.ellipse(
            (x - r, y - r * 0.7, x + r, y + r * 0.7),
            fill=min(255, int(90 + 165 * math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 16_000))),
        )
    echo = echo.filter(ImageFilter.GaussianBlur(12))
    steps: tuple[tuple[int, Color], ...] = (
        (40, (40, 120, 220)),
        (90, (40, 190, 110)),
        (140, (236, 220, 60)),
        (185, (240, 150, 40)),
        (220, (220, 50, 46)),
    )
    for threshold, color in steps:
        image.paste(color, mask=echo.point(lambda value, least=threshold: 235 if value > least else 0))
    pen = ImageDraw.Draw(image)
    for r in (150, 300, 430):
        pen.ellipse((450 - r, 450 - r, 450 + r, 450 + r), outline=(96, 116, 140), width=2)
    pen.line((450, 20, 450, 880), fill=(72, 90, 112), width=1)
    pen.line((20, 450, 880, 450), fill=(72, 90, 112), width=1)
    small = _font(24)
    for name, x, y in (
        ("云溪", 470, 440),
        ("双溪", 300, 560),
        ("枫林", 240, 300),
        ("石桥", 620, 520),
        ("柳河", 560, 280),
    ):
        pen.ellipse((x - 16, y + 10, x - 6, y + 20), fill=(255, 255, 255))
        pen.text((x, y), name, font=small, fill=(236, 240, 246))
    pen.text((24, 20), "组合反射率 dBZ", font=_font(28), fill=(236, 240, 246))
    return image


def _county(rng: random.Random, cx: float, cy: float, radius: float, steps: int = 60) -> list[tuple[float, float]]:
    waves = [(n, rng.uniform(0, 6.3), rng.uniform(0.03, 0.1) / n**0.4) for n in range(2, 9)]
    return [
        (
            cx + radius * 1.25 * math.cos(a) * (1 + sum(w * math.sin(n * a + p) for n, p, w in waves)),
            cy + radius * math.sin(a) * (1 + sum(w * math.sin(n * a + p) for n, p, w in waves)),
        )
        for a in (i * math.tau / steps for i in range(steps))
    ]


def _rain_map(table: Mapping[str, Any], rng: random.Random) -> Image.Image:
    image = Image.new("RGB", CHART, (255, 255, 255))
    outline = _county(rng, 560, 390, 270)
    mask = Image.new("L", CHART, 0)
    ImageDraw.Draw(mask).polygon(outline, fill=255)
    field = Image.new("L", CHART, 0)
    pen = ImageDraw.Draw(field)
    for x, y, r, value in (
        (380, 300, 330, 90),
        (360, 310, 230, 140),
        (370, 300, 150, 190),
        (680, 470, 190, 120),
        (360, 290, 70, 235),
    ):
        pen.ellipse((x - r, y - r * 0.8, x + r, y + r * 0.8), fill=value)
    field = field.filter(ImageFilter.GaussianBlur(36))
    colors: tuple[tuple[int, Color], ...] = (
        (0, (222, 240, 214)),
        (60, (166, 216, 150)),
        (100, (96, 178, 214)),
        (150, (46, 106, 200)),
        (200, (150, 60, 170)),
    )
    for threshold, color in colors:
        level = field.point(lambda value, least=threshold: 255 if value >= least else 0)
        image.paste(color, mask=ImageChops.multiply(level, mask))
    pen = ImageDraw.Draw(image)
    pen.line([*outline, outline[0]], fill=(90, 96, 106), width=3)
    river = [(250 + i * 12, 300 + 60 * math.sin(i / 9) + i * 3.2) for i in range(52)]
    pen.line(river, fill=(30, 90, 190), width=4, joint="curve")
    label = _font(22)
    stations = (
        ("枫林 196.5", 350, 280),
        ("白石 152.5", 430, 360),
        ("云溪 98.0", 560, 420),
        ("石桥 86.5", 690, 470),
        ("柳河 64.0", 640, 300),
        ("东湾 52.5", 780, 390),
    )
    for name, x, y in stations:
        pen.ellipse((x - 6, y - 6, x + 6, y + 6), fill=(200, 40, 40))
        pen.text((x + 10, y - 14), name, font=label, fill=_INK)
    pen.text((40, 28), table["title"], font=_font(34), fill=_INK)
    for i, (text, (_, color)) in enumerate(zip(("<25", "25~50", "50~100", "100~150", "≥150"), colors, strict=True)):
        pen.rectangle((990, 430 + i * 44, 1030, 462 + i * 44), fill=color, outline=(120, 126, 134))
        pen.text((1044, 432 + i * 44), text, font=label, fill=_INK)
    pen.text((990, 390), "雨量（毫米）", font=label, fill=_INK)
    return image


def _plan(table: Mapping[str, Any], rng: random.Random) -> Image.Image:
    image = Image.new("RGB", CHART, (250, 250, 246))
    pen = ImageDraw.Draw(image)
    for i in range(9):  # contour lines
        pen.line([*_county(rng, 600, 380, 330 - i * 20)], fill=(206, 190, 160), width=1)
    pen.polygon(
        [(80, 120), (520, 170), (560, 560), (120, 640), (60, 380)], fill=(190, 218, 236), outline=(90, 140, 180)
    )
    pen.polygon([(520, 150), (600, 150), (640, 590), (560, 590)], fill=(206, 196, 170), outline=_INK)
    pen.line((560, 150, 600, 590), fill=_INK, width=3)
    pen.polygon(
        [(500, 60), (760, 90), (980, 190), (970, 230), (750, 140), (500, 110)], fill=(222, 222, 222), outline=_INK
    )
    pen.line((520, 470, 860, 500), fill=(150, 70, 60), width=5)
    pen.rectangle((860, 470, 960, 530), fill=(236, 220, 190), outline=_INK, width=2)
    pen.line([(970, 210), (1060, 330), (1080, 520), (1160, 690)], fill=(90, 140, 190), width=14, joint="curve")
    label = _font(24)
    for text, x, y in (
        ("库区", 260, 370),
        ("黏土心墙坝", 640, 340),
        ("溢洪道", 760, 70),
        ("输水涵管", 660, 450),
        ("管理房", 866, 540),
        ("下游河道", 1010, 600),
    ):
        pen.text((x, y), text, font=label, fill=_INK)
    pen.polygon([(1110, 60), (1094, 110), (1110, 98), (1126, 110)], fill=_INK)
    pen.text((1098, 112), "N", font=label, fill=_INK)
    pen.text((40, 24), table["title"], font=_font(34), fill=_INK)
    pen.rectangle((0, 0, CHART[0] - 1, CHART[1] - 1), outline=_INK, width=3)
    return image


def _axes(
    table: Mapping[str, Any], low: float, high: float
) -> tuple[Image.Image, ImageDraw.ImageDraw, Callable[[float], float]]:
    """An empty chart with title, grid, scale and legend, and how a value becomes a height."""
    image = Image.new("RGB", CHART, (255, 255, 255))
    pen = ImageDraw.Draw(image)
    label = _font(22)

    def y_of(value: float) -> float:
        return 600 - (value - low) / (high - low) * 450

    for i in range(6):
        value = low + (high - low) * i / 5
        pen.line((110, y_of(value), 1140, y_of(value)), fill=_GRID, width=2)
        pen.text((96, y_of(value)), f"{value:.2f}".rstrip("0").rstrip("."), font=label, fill=_INK, anchor="rm")
    pen.text((40, 28), table["title"], font=_font(34), fill=_INK)
    pen.text((60, 112), table["unit"], font=label, fill=_INK)
    for i, series in enumerate(table["series"]):
        pen.rectangle((800 + i * 190, 40, 824 + i * 190, 60), fill=_SERIES[i])
        pen.text((832 + i * 190, 50), series["name"], font=label, fill=_INK, anchor="lm")
    return image, pen, y_of


def _lines(table: Mapping[str, Any], rng: random.Random) -> Image.Image:
    values = [value for series in table["series"] for value in series["values"]]
    margin = (max(values) - min(values)) * 0.15
    image, pen, y_of = _axes(table, min(values) - margin, max(values) + margin)
    step = 1000 / (len(table["labels"]) - 1)
    for i, series in enumerate(table["series"]):
        points = [(125 + k * step, y_of(value)) for k, value in enumerate(series["values"])]
        pen.line(points, fill=_SERIES[i], width=5, joint="curve")
        for x, y in points:
            pen.ellipse((x - 7, y - 7, x + 7, y + 7), fill=_SERIES[i])
    _labels(pen, table["labels"], [125 + k * step for k in range(len(table["labels"]))])
    return image


def _bars(table: Mapping[str, Any], rng: random.Random) -> Image.Image:
    image, pen, y_of = _axes(table, 0, 100)
    count, of = len(table["labels"]), len(table["series"])
    step, wide = 1030 / count, 1030 / count / (of + 1)
    for i, series in enumerate(table["series"]):
        for k, value in enumerate(series["values"]):
            x = 110 + k * step + wide * (i + 0.5)
            pen.rectangle((x, y_of(value), x + wide * 0.86, 600), fill=_SERIES[i])
            pen.text((x + wide * 0.43, y_of(value) - 8), f"{value:g}", font=_font(20), fill=_INK, anchor="mb")
    _labels(pen, table["labels"], [110 + (k + 0.5) * step for k in range(count)])
    return image


def _labels(pen: ImageDraw.ImageDraw, texts: Sequence[str], xs: Sequence[float]) -> None:
    for text, x in zip(texts, xs, strict=True):
        pen.text((x, 622), text, font=_font(22), fill=_INK, anchor="mt")


_DRAWERS: Final[dict[str, Callable[[Mapping[str, Any], random.Random], Image.Image]]] = {
    "seal": lambda table, _rng: draw_seal(table, _font),
    "dam": _dam,
    "river": _river,
    "gate": _gate,
    "site": _site,
    "aerial": _aerial,
    "shelves": _shelves,
    "rack": _rack,
    "room": _room,
    "road": _road,
    "campus": _campus,
    "park": _park,
    "radar": _radar,
    "rain-map": _rain_map,
    "plan": _plan,
    "lines": _lines,
    "bars": _bars,
}
