"""The look: tokens of the current palette, fonts, text scale, and one stylesheet made from them.

`tokens()` is cheap, read it while painting. `changed` fires after the palette, the text scale or the family changed; what
stands in the stylesheet follows by itself, what is painted by hand repaints on it.
"""

from functools import lru_cache
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from desktop.ui.theme import tokens as values
from desktop.ui.theme.stylesheet import build_stylesheet
from desktop.ui.theme.tokens import AVATAR_HUES, FILE_COLORS, Tokens, palette_tokens

__all__ = [
    "AVATAR_HUES",
    "FILE_COLORS",
    "Mode",
    "Tokens",
    "apply",
    "changed",
    "font",
    "is_dark",
    "mode",
    "mono_font",
    "person_hue",
    "scaled",
    "set_mode",
    "set_text_scale",
    "text_scale",
    "tokens",
    "values",
]

Mode = Literal["system", "light", "dark"]
TEXT_SCALES = (1.0, 2.0)


class _Notifier(QObject):
    """Carries the one signal; a module can't."""

    changed = Signal()


class _State:
    """What is chosen now."""

    mode: Mode = "system"
    scale: float = 1.0
    dark: bool = False
    follows: bool = False


_notifier = _Notifier()
_state = _State()
changed = _notifier.changed


def tokens() -> Tokens:
    """The palette in use."""
    return palette_tokens(_state.dark)


def is_dark() -> bool:
    """Whether the dark palette is in use."""
    return _state.dark


def mode() -> Mode:
    """What the user chose: light, dark or as the system."""
    return _state.mode


def text_scale() -> float:
    """1.0 to 2.0."""
    return _state.scale


def scaled(size: float) -> int:
    """A size in logical pixels that grows with the text: row heights, control heights, icon sizes."""
    return round(size * _state.scale)


def font(role: str = "base", *, bold: bool = False) -> QFont:
    """The font of a role: tiny, small, secondary, base, emphasis, header, title, display, hero."""
    return QFont(_font(scaled(values.FONT_SIZES[role]), bold))


@lru_cache(maxsize=64)
def _font(pixels: int, bold: bool) -> QFont:
    made = QFont()
    made.setFamilies(values.FAMILIES)
    made.setPixelSize(pixels)
    made.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    # Chinese glyphs carry no useful hints, and unhinted ones lie the same way at every fractional scale.
    made.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return made


def mono_font(role: str = "base") -> QFont:
    """Fixed width, for fingerprints and codes."""
    made = font(role)
    made.setFamilies([*values.MONO_FAMILIES, *values.FAMILIES])
    return made


@lru_cache(maxsize=8192)
def person_hue(key: str) -> QColor:
    """The avatar color that belongs to an id: the same on every device."""
    value = 2166136261
    for byte in key.encode():  # FNV-1a: Python's own hash differs from run to run
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return QColor(AVATAR_HUES[(value >> 8) % len(AVATAR_HUES)])


def set_mode(wanted: Mode) -> None:
    """Light, dark, or following the system."""
    _state.mode = wanted
    _refresh()


def set_text_scale(scale: float) -> None:
    """Grows all text and what holds it; kept within 1.0 and 2.0."""
    _state.scale = min(max(scale, TEXT_SCALES[0]), TEXT_SCALES[1])
    _refresh()


def apply(app: QApplication, *, chosen: Mode = "system", scale: float = 1.0) -> None:
    """Dresses the application. Call once, after QApplication and before the first window."""
    app.setStyle(QStyleFactory.create("Fusion"))
    _state.mode, _state.scale = chosen, min(max(scale, TEXT_SCALES[0]), TEXT_SCALES[1])
    if not _state.follows:
        app.styleHints().colorSchemeChanged.connect(_on_system_scheme)
        _state.follows = True
    _refresh()


def _on_system_scheme() -> None:
    if _state.mode == "system":
        _refresh()


def _refresh() -> None:
    app = QApplication.instance()
    hints = QGuiApplication.styleHints()
    system_dark = hints is not None and hints.colorScheme() == Qt.ColorScheme.Dark
    _state.dark = _state.mode == "dark" or (_state.mode == "system" and system_dark)
    if isinstance(app, QApplication):
        app.setFont(font("base"))
        app.setPalette(_palette(tokens()))
        app.setStyleSheet(build_stylesheet(tokens(), _state.scale))
    changed.emit()


def _palette(colors: Tokens) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for name, color in (
        (role.Window, colors.bg),
        (role.WindowText, colors.ink),
        (role.Base, colors.surface),
        (role.AlternateBase, colors.bg),
        (role.Text, colors.ink),
        (role.PlaceholderText, colors.ink3),
        (role.Button, colors.surface),
        (role.ButtonText, colors.ink),
        (role.BrightText, colors.red),
        (role.ToolTipBase, colors.tooltip),
        (role.ToolTipText, colors.on_tooltip),
        (role.Highlight, colors.selection),
        (role.HighlightedText, colors.ink),
        (role.Link, colors.link),
        (role.LinkVisited, colors.link),
        (role.Accent, colors.accent),
        (role.Light, colors.surface),
        (role.Midlight, colors.line),
        (role.Mid, colors.line),
        (role.Dark, colors.line_strong),
        (role.Shadow, colors.line_strong),
    ):
        palette.setColor(name, color)
    for name in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, colors.faint)
    return palette
