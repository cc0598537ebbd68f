"""Pieces painted by hand, for delegates and for the widgets that show one: avatars, badges, file sheets, tinted pills."""

from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPixmap

from desktop.core.domain import Presence
from desktop.ui import theme
from desktop.ui.kit import group_faces
from desktop.ui.theme import icons

_PRESENCE_TOKENS = {
    Presence.ONLINE: "online",
    Presence.AWAY: "away",
    Presence.BUSY: "busy",
    Presence.DND: "busy",
    Presence.OFFLINE: "offline",
}
_FILE_FAMILIES = {
    "pdf": "pdf",
    "ofd": "pdf",
    "doc": "doc",
    "docx": "doc",
    "wps": "doc",
    "txt": "other",
    "xls": "sheet",
    "xlsx": "sheet",
    "et": "sheet",
    "csv": "sheet",
    "ppt": "slides",
    "pptx": "slides",
    "zip": "archive",
    "rar": "archive",
    "7z": "archive",
    "png": "image",
    "jpg": "image",
    "jpeg": "image",
    "gif": "image",
    "webp": "image",
    "mp4": "media",
    "mp3": "media",
}


def presence_color(presence: Presence) -> QColor:
    """The dot's color."""
    return theme.tokens().named(_PRESENCE_TOKENS[presence])


def initial(name: str) -> str:
    """What stands in an avatar: the surname's character, or the first letter."""
    stripped = name.strip()
    return stripped[0].upper() if stripped else "?"


@lru_cache(maxsize=1024)
def _disc(letter: str, rgba: int, side: int, ratio: float, icon: str) -> QPixmap:
    made = QPixmap(round(side * ratio), round(side * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor.fromRgba(rgba))
    painter.drawEllipse(QRectF(0, 0, side, side))
    white = theme.tokens().rail_ink_active
    if icon:
        edge = side * 0.54
        icons.paint(painter, QRectF((side - edge) / 2, (side - edge) / 2, edge, edge), icon, white)
    else:
        font = theme.font("base")
        font.setPixelSize(max(9, round(side * 0.4)))
        painter.setFont(font)
        painter.setPen(white)
        painter.drawText(QRectF(0, 0, side, side), Qt.AlignmentFlag.AlignCenter, letter)
    painter.end()
    return made


def paint_avatar(
    painter: QPainter,
    rect: QRectF,
    name: str,
    key: str,
    *,
    presence: Presence | None = None,
    ring: QColor | None = None,
    icon: str = "",
) -> None:
    """An avatar: the initial (or `icon`) on the hue of `key`, a group's own looks where they are known; a presence dot with a ring of the background."""
    side = round(min(rect.width(), rect.height()))
    ratio = painter.device().devicePixelRatioF()
    face = None if icon else group_faces.get(key)
    if face is not None:
        painter.drawPixmap(rect.topLeft(), group_faces.drawn(face, side, ratio, theme.tokens().line.rgba()))
        return
    painter.drawPixmap(
        rect.topLeft(), _disc("" if icon else initial(name), theme.person_hue(key).rgba(), side, ratio, icon)
    )
    if presence is not None:
        paint_presence(painter, rect, presence, ring or theme.tokens().surface)


def paint_presence(painter: QPainter, rect: QRectF, presence: Presence, ring: QColor) -> None:
    """The dot at the avatar's lower right. Do-not-disturb has a bar and offline is hollow: color does not stand alone."""
    size = max(8.0, rect.width() * 0.24)
    dot = QRectF(rect.right() - size + 1, rect.bottom() - size + 1, size, size)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ring)
    painter.drawEllipse(dot.adjusted(-2, -2, 2, 2))
    color = presence_color(presence)
    painter.setBrush(color)
    painter.drawEllipse(dot)
    if presence is Presence.OFFLINE:
        painter.setBrush(ring)
        painter.drawEllipse(dot.adjusted(2, 2, -2, -2))
    elif presence is Presence.DND:
        painter.setPen(QPen(theme.tokens().rail_ink_active, max(1.5, size * 0.18)))
        painter.drawLine(
            QPointF(dot.left() + size * 0.27, dot.center().y()), QPointF(dot.right() - size * 0.27, dot.center().y())
        )
    elif presence is Presence.AWAY:
        painter.setPen(QPen(theme.tokens().rail_ink_active, max(1.0, size * 0.14)))
        painter.drawLine(dot.center(), QPointF(dot.center().x(), dot.top() + size * 0.22))
        painter.drawLine(dot.center(), QPointF(dot.right() - size * 0.25, dot.center().y()))
    painter.restore()


def badge_text(count: int) -> str:
    """What a badge says: 99+ from a hundred on."""
    return "99+" if count > 99 else str(count)


def badge_width(count: int) -> float:
    """Width of a badge in logical pixels."""
    height = theme.scaled(16)
    return max(height, QFontMetricsF(theme.font("small")).horizontalAdvance(badge_text(count)) + theme.scaled(9))


def paint_badge(painter: QPainter, right: float, center_y: float, count: int, *, quiet: bool = False) -> QRectF:
    """A count in a pill whose right edge is `right`; `quiet` for muted ones. Answers the pill's place."""
    colors = theme.tokens()
    height = theme.scaled(16)
    pill = QRectF(right - badge_width(count), center_y - height / 2, badge_width(count), height)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colors.field if quiet else colors.red)
    painter.drawRoundedRect(pill, height / 2, height / 2)
    painter.setFont(theme.font("small"))
    painter.setPen(colors.ink2 if quiet else colors.on_red)
    painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, badge_text(count))
    painter.restore()
    return pill


def file_suffix(name: str) -> str:
    """The last part of a file's name in lower case, without the dot; empty where there is none."""
    stem, dot, suffix = name.rpartition(".")
    return suffix.lower() if dot and stem and len(suffix) <= 5 else ""


def file_color(name: str) -> QColor:
    """The color of a file's sheet."""
    return QColor(theme.FILE_COLORS[_FILE_FAMILIES.get(file_suffix(name), "other")])


def paint_file_sheet(painter: QPainter, rect: QRectF, name: str) -> None:
    """A sheet with the file's kind on it."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(file_color(name))
    painter.drawRoundedRect(rect, 4, 4)
    suffix = file_suffix(name)
    white = theme.tokens().rail_ink_active
    if suffix:
        font = theme.font("small")
        font.setPixelSize(max(8, round(rect.width() * (0.28 if len(suffix) < 4 else 0.23))))
        painter.setFont(font)
        painter.setPen(white)
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, suffix.upper())
    else:
        edge = rect.width() * 0.6
        icons.paint(
            painter, QRectF(rect.center().x() - edge / 2, rect.center().y() - edge / 2, edge, edge), "file", white
        )
    painter.restore()


def paint_chip(painter: QPainter, left: float, center_y: float, text: str, tone: str) -> QRectF:
    """A small status pill for delegates: tone is red, amber, green, accent or neutral. Answers its place."""
    colors = theme.tokens()
    metrics = QFontMetricsF(theme.font("small"))
    height = metrics.height() + 4
    pill = QRectF(left, center_y - height / 2, metrics.horizontalAdvance(text) + 12, height)
    fill = {"accent": colors.accent_soft, "neutral": colors.field}.get(tone) or colors.named(f"{tone}_soft")
    ink = {"accent": colors.link, "neutral": colors.ink2, "red": colors.red_text}.get(tone) or colors.named(tone)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    painter.drawRoundedRect(pill, 4, 4)
    painter.setFont(theme.font("small"))
    painter.setPen(ink)
    painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()
    return pill
