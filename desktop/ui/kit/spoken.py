"""What a self-drawn control is for a screen reader. Qt gives plain widgets a role that says nothing; here they get theirs.

Qt owns every interface until its widget is gone; its wrapper may be collected only when Qt has deleted it, also at the end of the program.
"""

import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QAccessibleWidget, QWidget

PROPERTY = "spokenRole"
_kept: list[QAccessibleInterface] = []
_installed: list[bool] = []


def speak_as(widget: QWidget, role: QAccessible.Role) -> None:
    """Gives a widget its role; to be called while it is made, before anybody has asked for its interface. Its name is its accessibleName."""
    if not _installed:
        _installed.append(True)
        QAccessible.installFactory(_make)
    widget.setProperty(PROPERTY, role.value)


def _make(_key: str, about: QObject) -> QAccessibleInterface | None:
    if not isinstance(about, QWidget):
        return None
    number = about.property(PROPERTY)
    if number is None:
        return None
    _kept[:] = [interface for interface in _kept if shiboken6.isValid(interface)]
    made: QAccessibleInterface = QAccessibleWidget(about, QAccessible.Role(number))
    _kept.append(made)
    return made
