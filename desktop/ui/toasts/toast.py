"""One pop-up: the frameless window, and its two kinds. Emits what the user wants; does nothing itself."""

from PySide6.QtCore import QEvent, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QEnterEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.domain import Alert, ConversationKind, MessageKind
from desktop.models.alerts import Item, MessageItem, NoticeItem
from desktop.ui import i18n, theme
from desktop.ui.chat.summaries import summary
from desktop.ui.i18n import has, tr
from desktop.ui.kit import (
    Avatar,
    Button,
    Chip,
    Divider,
    ElidedLabel,
    IconButton,
    Label,
    TextField,
    composited,
    group_faces,
    on_click,
    rounded_mask,
    row,
)
from desktop.ui.toasts.sliding import Sliding

WIDTH = 348
STAY_MS = 6000
SHADOW = 14
CONFIRM_KIND = "confirm"
HANDLED = frozenset({"todo", "due", "urge", "overdue"})
"""Kinds that want something done, not only seen."""
ICONS = {
    "notice": "megaphone",
    CONFIRM_KIND: "circle-wavy-check",
    "todo": "check-square",
    "due": "hourglass-medium",
    "comment": "chat-text",
    "mention": "at",
    "follow": "bell-ringing",
    "advance": "flow-arrow",
    "urge": "hand-pointing",
    "overdue": "warning-circle",
}


class Toast(QWidget):
    """The window: rounded, on top, shown without taking the focus. Leaves after a while unless it must stay."""

    closed = Signal(str)  # key: the user closed it or its time was over
    opened = Signal(str)  # key: the user wants to see what it is about

    def __init__(self, key: str, *, stays: bool) -> None:
        flags = Qt.WindowType.Tool | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        super().__init__(None, flags)
        self.key = key
        self.stays = stays
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setObjectName(f"toast:{key}")
        self._shadow = SHADOW if composited() else 0
        if self._shadow:
            self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.sliding = Sliding(self)
        self._leave = QTimer(self, interval=STAY_MS, singleShot=True)
        self._leave.timeout.connect(self._on_time_over)
        self._outer = QVBoxLayout(self)
        self._outer.setContentsMargins(*([self._shadow] * 4))
        self._outer.setSpacing(0)
        theme.changed.connect(self._fit)
        i18n.changed.connect(self._fill)
        self._fit()

    @property
    def shadow(self) -> int:
        """The transparent margin around the visible box, in logical pixels."""
        return self._shadow

    def _fit(self) -> None:
        self.setFixedWidth(theme.scaled(WIDTH) + 2 * self._shadow)
        self.update()

    def _fill(self) -> None:
        """Writes the texts; called again on a new language."""

    def announce(self) -> None:
        """Shows it, starts its time, tells screen readers."""
        self._fill()
        self.adjustSize()
        self.show()
        self.sliding.enter()
        self._restart()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def busy_with_user(self) -> bool:
        """Whether the user is doing something with it, so that it must not leave by itself."""
        return self.underMouse()

    def _restart(self) -> None:
        if not self.stays:
            self._leave.start()

    def _on_time_over(self) -> None:
        if self.busy_with_user():
            self._restart()
        else:
            self.dismiss()

    def dismiss(self) -> None:
        """The user, or time, closed it."""
        self._leave.stop()
        self.closed.emit(self.key)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._leave.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._restart()
        super().leaveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.opened.emit(self.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if not self._shadow:
            self.setMask(rounded_mask(self))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = theme.tokens()
        box = QRectF(self.rect()).adjusted(self._shadow, self._shadow, -self._shadow, -self._shadow)
        radius = theme.values.RADIUS_CARD
        painter.setPen(Qt.PenStyle.NoPen)
        for ring in range(self._shadow, 0, -2):  # a soft shadow: rings that grow fainter outward
            shade = palette.shadow.toRgb()
            shade.setAlpha(max(1, shade.alpha() * (self._shadow - ring + 1) // (self._shadow * 5)))
            painter.setBrush(shade)
            painter.drawRoundedRect(box.adjusted(-ring, -ring + 4, ring, ring + 2), radius + ring, radius + ring)
        painter.setBrush(palette.surface)
        painter.setPen(QPen(palette.line if self._shadow else palette.line_strong, 1))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)


class ReplyField(TextField):
    """A line to answer in, with the send button inside."""

    sent = Signal(str)

    def __init__(self) -> None:
        super().__init__(key="toasts.reply")
        self.setObjectName("toastReply")
        self.setMaxLength(10_000)
        self.send = Button(key="toasts.send", kind="link", small=True, parent=self)
        self.send.setObjectName("toastSend")
        self.send.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.send.setProperty("keysElsewhere", True)  # Enter sends
        on_click(self.send, self._send)
        self.returnPressed.connect(self._send)
        theme.changed.connect(self._place)
        i18n.changed.connect(self._place)

    def _send(self) -> None:
        text = self.text().strip()
        if text and not self.isReadOnly():
            self.sent.emit(text)

    def _place(self) -> None:
        self.send.adjustSize()
        self.setTextMargins(0, 0, self.send.width(), 0)
        self.send.move(self.width() - self.send.width() - 2, (self.height() - self.send.height()) // 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()


class MessageToast(Toast):
    """New messages of one conversation, with a line to answer in."""

    replied = Signal(str, str)  # conversation id, text

    def __init__(self, item: MessageItem, sender: str, *, show_content: bool) -> None:
        super().__init__(item.key, stays=False)
        self._item, self._sender, self._show_content = item, sender, show_content
        self._build_ui()
        self._fill()

    def _build_ui(self) -> None:
        self._avatar = Avatar(theme.values.AVATAR_LIST)
        self._who = Label(strong=True)
        self._where = ElidedLabel(role="secondary", tone="ink3")
        self._count = Chip(tone="accent")
        self._close = IconButton("x", "common.close", size=12, box=22)
        on_click(self._close, self.dismiss)
        self._text = ElidedLabel()
        self._problem = Label(role="secondary", tone="red_text", wrap=True)
        self._problem.hide()
        self.reply = ReplyField()
        self.reply.sent.connect(self._on_sent)
        self.reply.textEdited.connect(lambda _text: self._leave.stop())
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addLayout(row(self._who, self._where, None, self._count, self._close, spacing=6))
        words.addWidget(self._text)
        words.addSpacing(6)
        words.addWidget(self.reply)
        words.addWidget(self._problem)
        layout = QHBoxLayout()
        layout.setContentsMargins(12, 10, 14, 12)
        layout.setSpacing(10)
        layout.addWidget(self._avatar, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        self._outer.addLayout(layout)

    def renew(self, item: MessageItem, sender: str) -> None:
        """A further message of the same conversation: the newest stands, the count grows, what is typed stays."""
        self._item, self._sender = item, sender
        self._fill()
        if not self.busy_with_user():
            self._restart()

    def _fill(self) -> None:
        item = self._item
        group = item.conversation.kind is ConversationKind.GROUP
        if group and group_faces.get(item.conversation.id) is not None:
            self._avatar.set_subject(item.conversation.name, item.conversation.id)
        else:
            self._avatar.set_subject(self._sender, item.message.sender_id or item.conversation.id)
        self._who.setText(self._sender)
        self._where.setText(item.conversation.name if group else "")
        self._count.setVisible(item.count > 1)
        self._count.setText(tr("toasts.count", n=item.count))
        text = message_text(item) if self._show_content else tr("toasts.hidden")
        self._text.setText(text)
        where = f" · {item.conversation.name}" if group else ""
        self.setAccessibleName(f"{self._sender}{where}: {text}")

    def _on_sent(self, text: str) -> None:
        self._leave.stop()
        self.reply.setReadOnly(True)
        self._problem.hide()
        self.replied.emit(self.key, text)

    def reply_done(self) -> None:
        """The reply is in the outbox: nothing more to do here."""
        self.reply.clear()
        self.reply.setReadOnly(False)
        self.dismiss()

    def reply_failed(self, why: str) -> None:
        """The reply was not taken: the text stays, with the reason below."""
        self.reply.setReadOnly(False)
        self._problem.setText(why)
        self._problem.show()
        self.adjustSize()

    def busy_with_user(self) -> bool:
        return super().busy_with_user() or bool(self.reply.text())


class NoticeToast(Toast):
    """An alert: what it is, how loud, and what can be done about it at once."""

    confirmed = Signal(str)
    snoozed = Signal(str)

    def __init__(self, item: NoticeItem) -> None:
        super().__init__(item.key, stays=item.alert.urgent)
        self._alert = item.alert
        self._build_ui()
        self._fill()

    @property
    def must_confirm(self) -> bool:
        """Whether it carries a confirm button."""
        return self._alert.kind == CONFIRM_KIND and self._alert.link is not None

    def _build_ui(self) -> None:
        self._program = Label(key="app.name", role="secondary", strong=True)
        self._close = IconButton("x", "common.close", size=12, box=22)
        on_click(self._close, self.dismiss)
        self._avatar = Avatar(theme.values.AVATAR_LIST)
        self._what = Label(strong=True)
        self._chip = Chip(tone="red", key="toasts.urgent")
        self._title = Label(wrap=True)
        self._text = ElidedLabel(role="secondary", tone="ink3")
        self.confirm = Button(key="toasts.confirm", kind="primary", small=True)
        self.confirm.setObjectName("toastConfirm")
        primary = "primary" if self._alert.kind in HANDLED else "secondary"
        self.open = Button(key=open_key(self._alert), kind=primary, small=True)
        self.open.setObjectName("toastOpen")
        self.snooze = Button(key="toasts.snooze", kind="secondary", small=True)
        self.snooze.setObjectName("toastSnooze")
        on_click(self.confirm, self._on_confirm)
        on_click(self.open, lambda: self.opened.emit(self.key))
        on_click(self.snooze, lambda: self.snoozed.emit(self.key))
        self._problem = Label(role="secondary", tone="red_text", wrap=True)
        self._problem.hide()
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addLayout(row(self._what, None, self._chip))
        words.addWidget(self._title)
        words.addWidget(self._text)
        words.addSpacing(6)
        words.addLayout(row(self.confirm, self.open, self.snooze, None))
        words.addWidget(self._problem)
        body = QHBoxLayout()
        body.setContentsMargins(12, 10, 14, 12)
        body.setSpacing(10)
        body.addWidget(self._avatar, 0, Qt.AlignmentFlag.AlignTop)
        body.addLayout(words, 1)
        self._outer.addLayout(row(self._program, None, self._close, margins=(14, 6, 10, 6)))
        self._outer.addWidget(Divider())
        self._outer.addLayout(body)

    def _fill(self) -> None:
        alert = self._alert
        self._what.setText(alert_heading(alert))
        self._avatar.set_subject(self._what.text(), "notice", icon=alert_icon(alert))
        self._chip.setVisible(alert.urgent)
        self._title.setText(alert.title)
        words = alert.words(i18n.language())
        self._text.setText(words)
        self._text.setVisible(bool(words))
        self.confirm.setVisible(self.must_confirm)
        self.open.setVisible(alert.link is not None)
        self.setAccessibleName(f"{self._what.text()}: {alert.title}")

    def _on_confirm(self) -> None:
        self.confirm.setEnabled(False)
        self._problem.hide()
        self.confirmed.emit(self.key)

    def confirm_failed(self, why: str) -> None:
        """The confirmation was not taken; it can be tried again."""
        self.confirm.setEnabled(True)
        self._problem.setText(why)
        self._problem.show()
        self.adjustSize()


def message_text(item: MessageItem) -> str:
    """The newest message in one line."""
    message = item.message
    match message.kind:
        case MessageKind.PICTURE:
            return tr("toasts.picture")
        case MessageKind.FILE:
            return tr("toasts.file", name=message.attachment.name if message.attachment else "")
        case _:
            return " ".join(summary(message).split())


def alert_heading(alert: Alert) -> str:
    """What kind of alert it is, in words."""
    key = f"toasts.heading.{alert.kind}"
    return tr(key if has(key) else "toasts.heading.system")


def alert_icon(alert: Alert) -> str:
    """The alert's icon."""
    return ICONS.get(alert.kind, "bell")


def open_key(alert: Alert) -> str:
    """What the button that leads to it says."""
    return "toasts.handle" if alert.kind in HANDLED else "toasts.open"


__all__ = ["Item", "MessageToast", "NoticeToast", "Toast", "alert_heading", "message_text", "open_key"]
