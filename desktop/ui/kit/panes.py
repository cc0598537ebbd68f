"""Bigger pieces: headers, banners, empty states, list panes with painted rows, dialogs, the snack bar."""

import asyncio

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QHelpEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QDialog,
    QFrame,
    QHBoxLayout,
    QListView,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from desktop.ui import i18n, theme
from desktop.ui.kit.basics import ElidedLabel, IconLabel, Label
from desktop.ui.kit.buttons import Button, IconButton, on_click

Index = QModelIndex | QPersistentModelIndex
SNACK_MS = 6000


class PaneHeader(QFrame):
    """The bar above a pane: title, a line of detail beside it, actions at the right."""

    def __init__(self, *, key: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "header")
        self.title = ElidedLabel(key=key, role="header", strong=True)
        self.detail = ElidedLabel(role="secondary", tone="ink3")
        self.title.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.action_row = QHBoxLayout()
        self.action_row.setSpacing(4)
        self._row = layout = QHBoxLayout(self)
        layout.setContentsMargins(18, 0, 14, 0)
        layout.setSpacing(12)
        layout.addWidget(self.title)
        layout.addWidget(self.detail, 1)
        layout.addLayout(self.action_row)
        self._fit()
        theme.changed.connect(self._fit)

    def put_first(self, part: QWidget) -> None:
        """Puts something before the title."""
        self._row.insertWidget(0, part)

    def add_action(self, button: QWidget) -> None:
        """Puts an action at the right end."""
        self.action_row.addWidget(button)

    def _fit(self) -> None:
        self.setFixedHeight(theme.scaled(theme.values.HEADER_HEIGHT))


class Banner(QFrame):
    """A strip across a pane that says what is going on and what it means: tone red, amber, green or accent."""

    def __init__(self, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("banner", "amber")
        self.icon = IconLabel("wifi-slash", tone="amber", size=16)
        self.text = Label(role="secondary", wrap=True)
        self.action = Button(kind="link", small=True)
        self.action.hide()
        self.dismiss = IconButton("x", "common.dismiss", size=14, box=24)
        on_click(self.dismiss, self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(18, 6, 10, 6)
        layout.setSpacing(8)
        layout.addWidget(self.icon)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.action)
        layout.addWidget(self.dismiss)
        self.hide()

    def show_text(self, text: str, *, tone: str = "amber", icon: str = "info", dismissible: bool = False) -> None:
        """Shows the strip with a text."""
        if self.property("banner") != tone:
            self.setProperty("banner", tone)
            self.style().unpolish(self)
            self.style().polish(self)
        ink = {"red": "red_text", "accent": "link"}.get(tone, tone)
        self.icon.set_icon(icon, ink)
        self.text.set_tone(ink)
        self.text.setText(text)
        self.setAccessibleName(text)
        self.dismiss.setVisible(dismissible)
        self.show()


class EmptyState(QWidget):
    """What a pane shows when there is nothing: an icon, a sentence, and one thing to do where there is one."""

    def __init__(
        self, icon: str, key: str, *, hint_key: str = "", action_key: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        # Children from birth: to set a parentless widget visible opens a window of its own for a moment, and takes the keyboard.
        self.icon = IconLabel(icon, tone="scroll", size=56, parent=self)
        self.text = Label(key=key, role="emphasis", tone="ink2", wrap=True, parent=self)
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint = Label(key=hint_key, role="secondary", tone="ink3", wrap=True, parent=self)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setVisible(bool(hint_key))
        self.action = Button(key=action_key, kind="secondary", parent=self)
        self.action.setVisible(bool(action_key))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.setSpacing(12)
        layout.addStretch(2)
        layout.addWidget(self.icon, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self.text)
        layout.addWidget(self.hint)
        layout.addWidget(self.action, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)

    def show_text(self, icon: str, key: str, *, hint_key: str = "", tone: str = "scroll") -> None:
        """Another state: loading, failed, offline."""
        self.icon.set_icon(icon, tone)
        i18n.bind(self.text.setText, key)
        self.hint.setVisible(bool(hint_key))
        if hint_key:
            i18n.bind(self.hint.setText, hint_key)


class ListPane(QListView):
    """A list with rows of one height, painted by a RowDelegate. `chosen` comes by click and by Enter."""

    chosen = Signal(QModelIndex)

    def __init__(self, key: str, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "pane")
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.verticalScrollBar().setSingleStep(24)
        i18n.bind(self.setAccessibleName, key)
        self.clicked.connect(self.chosen)
        self.activated.connect(self._on_activated)
        theme.changed.connect(self._relayout)
        i18n.changed.connect(self.viewport().update)

    def _on_activated(self, index: QModelIndex) -> None:
        self.chosen.emit(index)

    def _relayout(self) -> None:
        self.scheduleDelayedItemsLayout()
        self.viewport().update()


class RowDelegate(QStyledItemDelegate):
    """Base of painted rows: draws the background of the state and hands the inner rectangle to `paint_row`."""

    height = theme.values.ROW_HEIGHT
    padding = 12

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme.scaled(120), theme.scaled(self.height))

    def background(self, option: QStyleOptionViewItem, index: Index) -> QColor | None:
        """The fill of a row; None leaves the pane's."""
        state: QStyle.StateFlag = option.state
        if state & QStyle.StateFlag.State_Selected:
            return theme.tokens().selected
        if state & QStyle.StateFlag.State_MouseOver:
            return theme.tokens().hover
        return None

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        fill = self.background(option, index)
        if fill is not None:
            painter.fillRect(rect, fill)
        if state & QStyle.StateFlag.State_HasFocus and state & QStyle.StateFlag.State_KeyboardFocusChange:
            painter.setPen(QPen(theme.tokens().accent, 1))
            painter.drawRect(rect.adjusted(0, 0, -1, -1))
        pad = theme.scaled(self.padding)
        self.paint_row(painter, rect.adjusted(pad, 0, -pad, 0), option, index)
        painter.restore()

    def tip(self, index: Index) -> str:
        """What is told while the pointer rests on a row; empty: nothing."""
        return ""

    def helpEvent(self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index) -> bool:
        words = self.tip(index) if event.type() == QEvent.Type.ToolTip and index.isValid() else ""
        if not words:
            return super().helpEvent(event, view, option, index)
        QToolTip.showText(event.globalPos(), words, view)
        return True

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        """Draws what a row says; `rect` is without the padding at the sides."""
        raise NotImplementedError


def draw_elided(
    painter: QPainter, rect: QRect, text: str, font: QFont, color: QColor, *, align: Qt.AlignmentFlag | None = None
) -> int:
    """One line of plain text, shortened to fit. Answers the width it took."""
    metrics = QFontMetrics(font)
    shown = metrics.elidedText(text.replace("\n", " "), Qt.TextElideMode.ElideRight, max(0, rect.width()))
    painter.setFont(font)
    painter.setPen(color)
    painter.drawText(
        rect,
        int((align or Qt.AlignmentFlag.AlignLeft) | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine),
        shown,
    )
    return metrics.horizontalAdvance(shown)


class Dialog(QDialog):
    """A dialog that is opened, never exec'ed: `dialog.open(); answer = await finished(dialog)`. Body on top, buttons below."""

    def __init__(self, parent: QWidget | None, key: str, *, width: int = 400) -> None:
        super().__init__(parent)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        i18n.bind(self.setWindowTitle, key)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        self.setMinimumWidth(theme.scaled(width))
        self.body = QVBoxLayout()
        self.body.setContentsMargins(20, 20, 20, 12)
        self.body.setSpacing(10)
        self.buttons = QHBoxLayout()
        self.buttons.setContentsMargins(20, 8, 20, 16)
        self.buttons.setSpacing(8)
        self.buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self.body, 1)
        layout.addLayout(self.buttons)

    def add_button(self, key: str, *, kind: str = "secondary", accept: bool | None = None) -> Button:
        """Adds a button; accept True or False ends the dialog so, None leaves it to the caller."""
        button = Button(key=key, kind=kind)
        self.buttons.addWidget(button)
        if accept is not None:
            on_click(button, self.accept if accept else self.reject)
        if kind in ("primary", "danger"):
            button.setDefault(True)
        return button


async def finished(dialog: QDialog) -> bool:
    """Waits until a dialog is closed; True when it was accepted. Cancelling the wait closes the dialog."""
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def on_finished(result: int) -> None:
        if not future.done():
            future.set_result(result)

    dialog.finished.connect(on_finished)
    if not dialog.isVisible():
        dialog.open()
    try:
        return await future == QDialog.DialogCode.Accepted.value
    finally:
        dialog.finished.disconnect(on_finished)
        if not future.done() or future.cancelled():
            dialog.close()


async def confirm(
    parent: QWidget, key: str, text: str, *, accept_key: str = "common.ok", kind: str = "primary"
) -> bool:
    """Asks one question; the text says what will happen."""
    dialog = Dialog(parent, key)
    dialog.body.addWidget(Label(key=key, role="header", strong=True))
    dialog.body.addWidget(Label(text, tone="ink2", wrap=True))
    dialog.add_button("common.cancel", accept=False)
    dialog.add_button(accept_key, kind=kind, accept=True)
    try:
        return await finished(dialog)
    finally:
        dialog.deleteLater()


class Snack(QFrame):
    """A short word at the foot of a window that leaves by itself: what failed, what it means, what to do."""

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self._host = host
        self.setProperty("surface", "snack")
        self.text = Label(role="secondary", tone="on_snack", wrap=True)
        close = IconButton("x", "common.dismiss", tone="on_snack", size=14, box=22)
        on_click(close, self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 8, 8, 8)
        layout.addWidget(self.text, 1)
        layout.addWidget(close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        host.installEventFilter(self)
        self.hide()

    def say(self, text: str) -> None:
        """Shows a text for some seconds; longer texts stay longer."""
        self.text.setText(text)
        self.setAccessibleName(text)
        self._place()
        self.show()
        self.raise_()
        self._timer.start(SNACK_MS + 40 * len(text))

    def _place(self) -> None:
        host = self._host
        width = min(theme.scaled(520), host.width() - 48)
        self.setFixedWidth(max(width, 120))
        self.adjustSize()
        self.move((host.width() - self.width()) // 2, host.height() - self.height() - 24)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False


def clipboard_text(text: str) -> None:
    """Puts plain text on the clipboard."""
    QApplication.clipboard().setText(text)
