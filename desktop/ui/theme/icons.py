"""Interface icons: one glyph family (Phosphor, out of the QtAwesome package), drawn as outlines and tinted by token.

The package itself is not imported: it loads a dozen families. Only the one font file and its table of names are read, on
the first icon. Names are Phosphor's: `chat-circle-dots`, with `-fill` or `-bold` for a heavier cut.
"""

import importlib.util
from functools import cache, lru_cache
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPainterPath, QPixmap, QRawFont, QTransform

from desktop.ui import theme

_EM = 256.0
_FONT = "phosphor-1.3.0.ttf"
_NAMES = "phosphor-charmap-1.3.0.json"


class UnknownIcon(LookupError):
    """There is no glyph of that name."""


@cache
def _folder() -> Path:
    spec = importlib.util.find_spec("qtawesome")
    if spec is None or not spec.submodule_search_locations:
        raise UnknownIcon("the icon family is not installed")
    return Path(spec.submodule_search_locations[0]) / "fonts"


@cache
def _table() -> str:
    """The family's table of names as it lies in its file, `"name": "0x…"` each: some dozens of its 4,470 names are ever asked for."""
    return (_folder() / _NAMES).read_text("utf-8")


@cache
def _code(name: str) -> int | None:
    """The glyph's place in the font."""
    key = f'"{name}": "'
    start = _table().find(key) + len(key)
    return int(_table()[start : _table().index('"', start)], 16) if start >= len(key) else None


@cache
def _glyphs() -> QRawFont:
    return QRawFont(str(_folder() / _FONT), _EM)


@cache
def outline(name: str) -> QPainterPath:
    """The glyph's outline in a square of 256 units.

    Raises:
        UnknownIcon: no such glyph.
    """
    code = _code(name)
    if code is None:
        raise UnknownIcon(name)
    raw = _glyphs()
    indexes = raw.glyphIndexesForString(chr(code))
    path = raw.pathForGlyph(indexes[0])
    path.translate(0, raw.ascent())
    path.setFillRule(Qt.FillRule.WindingFill)
    return path


def exists(name: str) -> bool:
    """Whether the family has that glyph: names of modules come from the server."""
    return _code(name) is not None


def paint(painter: QPainter, rect: QRectF, name: str, color: QColor) -> None:
    """Draws an icon into a square, sharp at every scale."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    side = min(rect.width(), rect.height())
    painter.translate(rect.center().x() - side / 2, rect.center().y() - side / 2)
    painter.setTransform(QTransform.fromScale(side / _EM, side / _EM), True)
    painter.fillPath(outline(name), color)
    painter.restore()


@lru_cache(maxsize=512)
def _pixmap(name: str, rgba: int, size: int, ratio: float) -> QPixmap:
    made = QPixmap(round(size * ratio), round(size * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    paint(painter, QRectF(0, 0, size, size), name, QColor.fromRgba(rgba))
    painter.end()
    return made


def pixmap(name: str, color: str | QColor = "ink2", size: int = 20, ratio: float = 0.0) -> QPixmap:
    """A tinted picture of an icon; `size` in logical pixels, `ratio` 0 takes the application's."""
    tint = theme.tokens().named(color) if isinstance(color, str) else color
    return _pixmap(name, tint.rgba(), size, ratio or _ratio())


def icon(name: str, color: str | QColor = "ink2", size: int = 20, *, active: str | None = None) -> QIcon:
    """A tinted icon that grows with the text; `active` is the token while checked or hovered. Ask again after `theme.changed`."""
    made = QIcon()
    size = theme.scaled(size)
    for ratio in sorted({1.0, 2.0, _ratio()}):
        made.addPixmap(pixmap(name, color, size, ratio))
        made.addPixmap(pixmap(name, "faint", size, ratio), QIcon.Mode.Disabled)
        if active:
            made.addPixmap(pixmap(name, active, size, ratio), QIcon.Mode.Normal, QIcon.State.On)
            made.addPixmap(pixmap(name, active, size, ratio), QIcon.Mode.Active)
    return made


def icon_size(size: int = 20) -> QSize:
    """The size to give a button, grown with the text."""
    return QSize(theme.scaled(size), theme.scaled(size))


def _ratio() -> float:
    app = QGuiApplication.instance()
    return app.devicePixelRatio() if isinstance(app, QGuiApplication) else 1.0
