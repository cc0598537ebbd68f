"""What a file's card says and offers while its bytes go up, come down, wait or are through. Words and places; painting is elsewhere."""

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFontMetricsF

from desktop.core.domain import Attachment, Delivery, Direction, Message, Transfer, TransferState
from desktop.ui import theme
from desktop.ui.chat.row import Row
from desktop.ui.chat.zones import Zone
from desktop.ui.i18n import tr, when


def file_status(attachment: Attachment, transfer: Transfer | None, message: Message) -> str:
    """The line under a file's name: size, and how its transfer goes."""
    parts = [when.size(attachment.size)] if attachment.size else []
    if attachment.expired:
        parts.append(tr("chat.file.expired"))
    if transfer is None:
        if attachment.direct:
            parts.append(tr("chat.file.direct"))
        if message.delivery is Delivery.PENDING:
            parts.append(tr("chat.file.waiting"))
        return " ・ ".join(parts)
    match transfer.state:
        case TransferState.RUNNING:
            going = "uploading" if transfer.direction is Direction.UP else "downloading"
            parts.append(tr(f"chat.file.{going}", speed=when.speed(transfer.speed)))
            if transfer.seconds_left is not None:
                parts.append(tr("chat.file.left", time=when.duration(transfer.seconds_left)))
        case TransferState.DONE:
            parts.append(tr(f"chat.file.{_done(transfer, message)}"))
            parts += [tr("chat.file.direct")] if transfer.way == "direct" else []
        case other:
            parts.append(tr(f"chat.file.{other.value}"))
    return " ・ ".join(parts)


def _done(transfer: Transfer, message: Message) -> str:
    """Bytes that are up are not sent yet: their message may still wait, or be refused."""
    if transfer.direction is Direction.DOWN:
        return "done"
    match message.delivery:
        case Delivery.SENT:
            return "sent"
        case Delivery.REFUSED:
            return "uploaded"
        case _:
            return "uploaded_waiting"


def file_actions(transfer: Transfer | None, message: Message) -> tuple[str, ...]:
    """What can be done now, the main one first. What is not sent has no copy on the server that could be opened."""
    sent = message.delivery is Delivery.SENT
    match transfer.state if transfer else None:
        case TransferState.RUNNING | TransferState.WAITING | TransferState.HELD:
            return ("pause", "cancel")
        case TransferState.PAUSED | TransferState.FAILED:
            return ("resume", "cancel")
        case TransferState.DONE if sent and transfer is not None and transfer.direction is Direction.DOWN:
            return ("open", "save_as")
        case _:
            return ("open", "download", "save_as") if sent else ()


def file_zones(row: Row, transfer: Transfer | None) -> list[Zone]:
    """What can be done with a file now, as words at the foot of its card."""
    metrics = QFontMetricsF(theme.font("secondary"))
    x, height = row.bubble.left() + theme.scaled(12), theme.scaled(24)
    top = row.bubble.bottom() - height - theme.scaled(4)
    failed = transfer is not None and transfer.state is TransferState.FAILED
    target = transfer.id if transfer else row.message.id
    zones = []
    for action in file_actions(transfer, row.message):
        label = tr("common.retry" if action == "resume" and failed else f"chat.file.{action}")
        width = metrics.horizontalAdvance(label)
        zones.append(Zone(QRectF(x, top, width + 4, height), action, target, label))
        x += width + theme.scaled(14)
    return zones
