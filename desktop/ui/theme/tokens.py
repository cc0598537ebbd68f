"""Colors and sizes, light and dark. Nothing else in the client names a color or a size.

Text tokens reach 4.5:1 on every background they are used on (tests/widgets/test_theme.py); that is why the hint ink, amber
and green are a shade stronger than in the first drawings, and why text links have a token of their own.
"""

from dataclasses import dataclass, fields
from functools import cache

from PySide6.QtGui import QColor

_LIGHT = {
    "ink": "#1b2430",
    "ink2": "#56616f",
    "ink3": "#606b7a",
    "faint": "#8b95a3",
    "line": "#e6e9ee",
    "line_strong": "#8d97a5",
    "bg": "#f4f6f9",
    "surface": "#ffffff",
    "pane": "#fafcff",
    "field": "#edf0f5",
    "hover": "#f0f4fa",
    "selected": "#e8f0fe",
    "pinned": "#f3f6fb",
    "rail": "#1f2a3a",
    "rail_ink": "#aeb8c6",
    "rail_ink_active": "#ffffff",
    "rail_active": "#36455b",
    "accent": "#2f6bde",
    "accent_hover": "#2860cb",
    "accent_pressed": "#2154b5",
    "on_accent": "#ffffff",
    "accent_soft": "#e8f0fe",
    "link": "#2259c4",
    "bubble_me": "#d6e6ff",
    "bubble_other": "#ffffff",
    "quote": "#c3d7f7",
    "red": "#c9372c",
    "red_soft": "#fdeceb",
    "red_text": "#c0332a",
    "on_red": "#ffffff",
    "green": "#187a4f",
    "green_soft": "#e3f5ec",
    "amber": "#8a5a12",
    "amber_soft": "#fdf3df",
    "amber_line": "#f1e0b8",
    "online": "#2bb673",
    "away": "#e0a030",
    "busy": "#d9483b",
    "offline": "#b4bbc6",
    "selection": "#9cc1ff",
    "shadow": "#30203040",
    "mask": "#66101822",
    "snack": "#1f2a3a",
    "on_snack": "#f4f6f9",
    "tooltip": "#ffffff",
    "on_tooltip": "#1b2430",
    "login_top": "#e6effe",
    "scroll": "#c3cad4",
}
_DARK = {
    "ink": "#e8ecf2",
    "ink2": "#aab4c2",
    "ink3": "#99a4b3",
    "faint": "#7a8594",
    "line": "#2c3440",
    "line_strong": "#6b7786",
    "bg": "#161b22",
    "surface": "#1d242d",
    "pane": "#1a2028",
    "field": "#262e38",
    "hover": "#232b36",
    "selected": "#1f2f4d",
    "pinned": "#1e2630",
    "rail": "#10151c",
    "rail_ink": "#a3aebd",
    "rail_ink_active": "#ffffff",
    "rail_active": "#2a3646",
    "accent": "#3b70d8",
    "accent_hover": "#4a7de0",
    "accent_pressed": "#3263c4",
    "on_accent": "#ffffff",
    "accent_soft": "#1f2f4d",
    "link": "#8bb2f8",
    "bubble_me": "#27406e",
    "bubble_other": "#262e38",
    "quote": "#47659c",
    "red": "#f0695e",
    "red_soft": "#3a2220",
    "red_text": "#f58278",
    "on_red": "#1a0b0a",
    "green": "#4cc38a",
    "green_soft": "#16332a",
    "amber": "#e0a94a",
    "amber_soft": "#33290f",
    "amber_line": "#4d3f1b",
    "online": "#34c281",
    "away": "#e0a94a",
    "busy": "#f0695e",
    "offline": "#5d6774",
    "selection": "#3a62a8",
    "shadow": "#80000000",
    "mask": "#99000000",
    "snack": "#2c3440",
    "on_snack": "#e8ecf2",
    "tooltip": "#2c3440",
    "on_tooltip": "#e8ecf2",
    "login_top": "#1b2a44",
    "scroll": "#3c4654",
}

# White letters reach 4.5:1 on each; the order is the order of the drawings.
AVATAR_HUES = (
    "#4f72cc",
    "#a85f1a",
    "#7a5cc9",
    "#2f6bde",
    "#1b7f53",
    "#b04040",
    "#2f7a92",
    "#8b5e3c",
    "#5a6f94",
    "#a6437d",
    "#566b2f",
    "#c0332a",
)
# A file's sheet, by family; white letters stand on it.
FILE_COLORS = {
    "pdf": "#c9372c",
    "doc": "#2f6bde",
    "sheet": "#1b7f53",
    "slides": "#a85f1a",
    "archive": "#6f5a2e",
    "image": "#2f7a92",
    "media": "#7a5cc9",
    "other": "#5a6f94",
}


@dataclass(frozen=True, slots=True)
class Tokens:
    """One palette. `*_soft` are backgrounds of chips, `on_*` is text on the color named, `scroll` is a slider's handle."""

    ink: QColor
    ink2: QColor
    ink3: QColor
    faint: QColor
    line: QColor
    line_strong: QColor
    bg: QColor
    surface: QColor
    pane: QColor
    field: QColor
    hover: QColor
    selected: QColor
    pinned: QColor
    rail: QColor
    rail_ink: QColor
    rail_ink_active: QColor
    rail_active: QColor
    accent: QColor
    accent_hover: QColor
    accent_pressed: QColor
    on_accent: QColor
    accent_soft: QColor
    link: QColor
    bubble_me: QColor
    bubble_other: QColor
    quote: QColor
    red: QColor
    red_soft: QColor
    red_text: QColor
    on_red: QColor
    green: QColor
    green_soft: QColor
    amber: QColor
    amber_soft: QColor
    amber_line: QColor
    online: QColor
    away: QColor
    busy: QColor
    offline: QColor
    selection: QColor
    shadow: QColor
    mask: QColor
    snack: QColor
    on_snack: QColor
    tooltip: QColor
    on_tooltip: QColor
    login_top: QColor
    scroll: QColor

    def named(self, name: str) -> QColor:
        """The color of a token by its name."""
        color: QColor = getattr(self, name)
        return color


@cache
def palette_tokens(dark: bool) -> Tokens:
    """The light or the dark palette."""
    source = _DARK if dark else _LIGHT
    return Tokens(**{field.name: QColor(source[field.name]) for field in fields(Tokens)})


GRID = 4
RADIUS_BUTTON = 6
RADIUS_CARD = 8
RADIUS_BUBBLE = 10
RAIL_WIDTH = 64
LIST_WIDTH = 280
LIST_MIN, LIST_MAX = 220, 480
HEADER_HEIGHT = 56
CONTROL_HEIGHT = 32
ROW_HEIGHT = 58
AVATAR = 36
AVATAR_LIST = 40
FONT_SIZES = {
    "tiny": 10,
    "small": 11,
    "secondary": 12,
    "base": 13,
    "emphasis": 14,
    "header": 15,
    "title": 18,
    "display": 20,
    "hero": 32,
}
FAMILIES = [
    "Microsoft YaHei UI",
    "PingFang SC",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Segoe UI",
    "sans-serif",
    "Segoe UI Emoji",
    "Apple Color Emoji",
    "Noto Color Emoji",
]
MONO_FAMILIES = ["Cascadia Mono", "Consolas", "Menlo", "Noto Sans Mono", "monospace"]
