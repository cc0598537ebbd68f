"""Draws the tray icon from the tokens: the program's mark, a presence mark, an unread badge. No state but a small cache.

Every presence has its own shape, so that color never carries the meaning alone.
"""

import sys
from functools import cache, lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPainterPath, QPen, QPixmap

from desktop.core.domain import Presence
from desktop.ui import i18n, theme
from desktop.ui.theme import tokens, values

SIZES = (16, 22, 24, 32, 48, 64)
MOST = 99
MARK = "通"
EM = 64
RING = 1.25  # the light ring around the presence mark, in its radii


def badge_text(unread: int) -> str:
    """What the badge says; empty for none."""
    return "" if unread <= 0 else str(unread) if unread <= MOST else f"{MOST}+"


def tray_icon(presence: Presence, unread: int, *, lit: bool = False, mark: str = MARK) -> QIcon:
    """The icon of a state. `lit` is the other picture of a flashing icon; `mark`: the sign in it, of a further account its name's first one."""
    if sys.platform == "darwin" and presence is Presence.ONLINE and unread <= 0 and not lit and mark == MARK:
        return _template()
    return _icon(presence, badge_text(unread), lit, theme.is_dark(), mark)


@cache
def _template() -> QIcon:
    """The menu bar's own kind of picture: macOS colors it for its bar."""
    icon = QIcon()
    for name in ("tongbanTemplate.png", "tongbanTemplate@2x.png"):  # Qt reads the density off the name
        icon.addPixmap(QPixmap(str(i18n.folder().parent / "icons" / name)))
    icon.setIsMask(True)
    return icon


def app_icon(mark: str = MARK) -> QIcon:
    """The program's own icon, without state."""
    return _icon(None, "", False, theme.is_dark(), mark)


@lru_cache(maxsize=32)
def _icon(presence: Presence | None, badge: str, lit: bool, _dark: bool, mark: str) -> QIcon:
    icon = QIcon()
    for size in SIZES:
        icon.addPixmap(draw_mark(size, presence, badge, lit, mark))
    return icon


def draw_mark(size: int, presence: Presence | None, badge: str, lit: bool, mark: str = MARK) -> QPixmap:
    """The icon as a square picture of `size` device pixels."""
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    _draw_body(painter, size, presence, lit, mark)
    if presence is not None and presence is not Presence.ONLINE:
        _draw_presence(painter, size, presence)
    if badge:
        _draw_badge(painter, size, badge)
    painter.end()
    return pixmap


def _draw_body(painter: QPainter, size: int, presence: Presence | None, lit: bool, sign: str) -> None:
    palette = tokens()
    ground = palette.ink3 if presence is Presence.OFFLINE else palette.accent
    mark = palette.on_accent
    if lit:
        ground, mark = palette.accent_soft, palette.accent
    edge = size / 16
    box = QRectF(edge, edge, size - 2 * edge, size - 2 * edge)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(box, size * 0.22, size * 0.22)
    glyph, side = _outline(sign), max(8, round(size * 0.62)) / EM
    painter.save()
    painter.translate(box.center() - glyph.boundingRect().center() * side)
    painter.scale(side, side)
    painter.fillPath(glyph, mark)
    painter.restore()


@cache
def _outline(sign: str) -> QPainterPath:
    """The sign of the mark, EM units high: shaped once for all sizes."""
    font = QFont()
    font.setFamilies(values.FAMILIES)
    font.setPixelSize(EM)
    font.setBold(True)
    path = QPainterPath()
    path.addText(0, 0, font, sign)
    return path


def _draw_presence(painter: QPainter, size: int, presence: Presence) -> None:
    palette = tokens()
    colors = {
        Presence.ONLINE: palette.online,
        Presence.AWAY: palette.away,
        Presence.BUSY: palette.busy,
        Presence.DND: palette.busy,
        Presence.OFFLINE: palette.offline,
    }
    radius = size * 0.2
    center = QPointF(size - radius * RING, size - radius * RING)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(palette.surface)
    painter.drawEllipse(center, radius * RING, radius * RING)
    painter.setBrush(colors[presence])
    painter.drawEllipse(center, radius, radius)
    _draw_shape(painter, presence, center, radius, palette.surface)


def _draw_shape(painter: QPainter, presence: Presence, center: QPointF, radius: float, ink: QColor) -> None:
    pen = QPen(ink, max(1.0, radius * 0.36), Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    half = radius * 0.5
    match presence:
        case Presence.DND:
            painter.drawLine(QPointF(center.x() - half, center.y()), QPointF(center.x() + half, center.y()))
        case Presence.AWAY:  # a clock's hands
            painter.drawLine(center, QPointF(center.x(), center.y() - half * 1.2))
            painter.drawLine(center, QPointF(center.x() + half, center.y()))
        case Presence.OFFLINE:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ink)
            painter.drawEllipse(center, half, half)
        case _:
            pass


def _draw_badge(painter: QPainter, size: int, badge: str) -> None:
    palette = tokens()
    font = painter.font()
    font.setFamilies(values.FAMILIES)
    font.setBold(True)
    height = size * 0.56
    font.setPixelSize(max(7, round(height * (0.8 if len(badge) < 3 else 0.66))))
    painter.setFont(font)
    width = max(height, painter.fontMetrics().horizontalAdvance(badge) + height * 0.36)
    width = min(width, float(size))
    box = QRectF(size - width, 0, width, height)
    path = QPainterPath()
    path.addRoundedRect(box, height / 2, height / 2)
    painter.fillPath(path, palette.red)
    painter.setPen(palette.on_accent)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, badge)
