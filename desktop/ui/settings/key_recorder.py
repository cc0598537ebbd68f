"""A field that takes the next combination of keys instead of typing it. Escape leaves it as it was, Backspace empties it."""

from typing import Final

from PySide6.QtCore import QEvent, QKeyCombination, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget

from desktop.platform.hotkeys.chords import BadKeys, parse_keys
from desktop.ui import i18n
from desktop.ui.i18n import tr
from desktop.ui.kit import Button

ALONE: Final = frozenset(
    {Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Shift, Qt.Key.Key_Meta, Qt.Key.Key_AltGr, Qt.Key.Key_unknown}
)
HELD: Final = (
    Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.ShiftModifier
    | Qt.KeyboardModifier.MetaModifier
)
WIDTH: Final = 150


def shown_keys(keys: str) -> str:
    """Keys as the system writes them."""
    return QKeySequence.fromString(keys).toString(QKeySequence.SequenceFormat.NativeText)


class KeyRecorder(Button):
    """`recorded` carries Qt's portable text, empty for none; `refused` the key of a sentence why not."""

    recorded = Signal(str)
    refused = Signal(str)

    def __init__(self, name: str, what_key: str, parent: QWidget | None = None) -> None:
        self._recording = False  # first: the base's making sends events already
        super().__init__(kind="secondary", small=True, parent=parent)
        self._what_key = what_key
        self._keys = ""
        self.setObjectName(f"keys_{name}")
        self.setMinimumWidth(WIDTH)
        self.clicked.connect(self._begin)
        i18n.changed.connect(self._show)
        self._show()

    @property
    def recording(self) -> bool:
        """Whether it waits for keys."""
        return self._recording

    def set_keys(self, keys: str) -> None:
        """What is kept now."""
        self._keys = keys
        self._show()

    def _show(self) -> None:
        text = tr("settings.keys.press") if self._recording else shown_keys(self._keys) or tr("settings.keys.none")
        self.setText(text)
        self.setAccessibleName(f"{tr(self._what_key)}: {text}")

    def _begin(self) -> None:
        self._recording = True
        self.grabKeyboard()
        self._show()

    def _end(self) -> None:
        if self._recording:
            self._recording = False
            self.releaseKeyboard()
            self._show()

    def event(self, event: QEvent) -> bool:
        if self._recording and event.type() in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            assert isinstance(event, QKeyEvent)
            if event.type() == QEvent.Type.KeyPress:  # Tab too, which widgets never see
                self._take(event)
            event.accept()
            return True
        return super().event(event)

    def _take(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        held = event.modifiers() & HELD
        if key in ALONE:
            return
        if key == Qt.Key.Key_Escape and not held:
            self._end()
            return
        self._end()
        if key == Qt.Key.Key_Backspace and not held:
            self.recorded.emit("")
            return
        text = QKeySequence(QKeyCombination(held, key)).toString(QKeySequence.SequenceFormat.PortableText)
        try:
            chord = parse_keys(text)
        except BadKeys:
            self.refused.emit("settings.keys.unknown")
            return
        if not chord.is_safe:
            self.refused.emit("settings.keys.unsafe")
        else:
            self.recorded.emit(text)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._end()
        super().focusOutEvent(event)
