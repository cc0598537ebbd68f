"""Whether things may move on the screen: the one door that every animation asks. The user's word first, then the system's."""

from PySide6.QtWidgets import QApplication, QStyle

_asked: list[bool] = [False]


def set_reduced(reduced: bool) -> None:
    """The user wants less motion (True), or whatever the system says (False)."""
    _asked[0] = reduced


def is_reduced() -> bool:
    """Nothing may slide, shake or fade. The system's wish shows in its style, which then animates nothing."""
    style = QApplication.style()
    return _asked[0] or style is None or style.styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration) == 0
