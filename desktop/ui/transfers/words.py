"""What a transfer's row says and which actions it offers. Pure: a transfer in, words and actions out."""

from enum import StrEnum

from desktop.core.domain import Direction, Transfer, TransferState
from desktop.ui.i18n import has, tr, when


class Action(StrEnum):
    """What a user can do to a transfer; the value is the last part of its text's key."""

    OPEN = "open"
    FOLDER = "folder"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    CANCEL = "cancel"
    REMOVE = "remove"
    HASTEN = "hasten"
    SAVE = "save"
    SAVE_AS = "save_as"


ICONS = {
    Action.OPEN: "arrow-square-out",
    Action.FOLDER: "folder-open",
    Action.PAUSE: "pause-fill",
    Action.RESUME: "play-fill",
    Action.RETRY: "arrow-clockwise",
    Action.CANCEL: "x",
    Action.REMOVE: "x",
    Action.HASTEN: "arrow-line-up",
    Action.SAVE: "download-simple",
    Action.SAVE_AS: "floppy-disk",
}


def actions(transfer: Transfer) -> tuple[Action, ...]:
    """What can be done now, the main one first."""
    match transfer.state:
        case TransferState.WAITING | TransferState.RUNNING:
            return (Action.PAUSE, Action.CANCEL)
        case TransferState.HELD:
            return (Action.PAUSE, Action.CANCEL)
        case TransferState.PAUSED:
            return (Action.RESUME, Action.CANCEL)
        case TransferState.FAILED:
            return (Action.RETRY, Action.CANCEL)
        case TransferState.DONE if transfer.checked is not None:
            return (Action.CANCEL,)
        case TransferState.DONE:
            if transfer.path:
                return (Action.OPEN, Action.FOLDER, Action.REMOVE)
            if transfer.blob_id and transfer.direction is Direction.DOWN:
                return (Action.OPEN, Action.SAVE, Action.REMOVE)
            return (Action.OPEN, Action.REMOVE) if transfer.blob_id else (Action.REMOVE,)


def menu_actions(transfer: Transfer) -> tuple[Action, ...]:
    """What the row's menu offers: its buttons, and what is asked for less often."""
    *first, last = actions(transfer)
    if transfer.state in (TransferState.WAITING, TransferState.HELD, TransferState.PAUSED):
        first.append(Action.HASTEN)
    down = transfer.direction is Direction.DOWN and transfer.checked is None
    if transfer.state is TransferState.DONE and transfer.blob_id and down:
        first += [one for one in (Action.SAVE, Action.SAVE_AS) if one not in first]
    return (*first, last)


def title(transfer: Transfer) -> str:
    """The row's first line: the file's name; of a folder its name and how many files it holds."""
    if not transfer.files:
        return transfer.name
    return tr("transfers.folder", name=transfer.name.removesuffix(".zip"), count=transfer.files)


def tone(transfer: Transfer) -> str:
    """The progress bar's token."""
    match transfer.state:
        case TransferState.DONE:
            return "green" if transfer.checked is None else "accent"
        case TransferState.FAILED:
            return "red"
        case TransferState.PAUSED | TransferState.HELD:
            return "amber"
        case _:
            return "accent"


def fraction(transfer: Transfer) -> float:
    """How much has moved, or was checked or unpacked, 0 to 1; an empty file that is done is 1."""
    if transfer.state is TransferState.DONE and transfer.checked is None:
        return 1.0
    through = transfer.moved if transfer.checked is None else transfer.checked
    return min(1.0, max(0.0, through / transfer.size)) if transfer.size > 0 else 0.0


def detail(transfer: Transfer) -> str:
    """The row's second line: direction, amount, speed, time left, or why it stands still."""
    arrow = "↑" if transfer.direction is Direction.UP else "↓"
    amount = tr("transfers.amount", moved=when.size(transfer.moved), size=when.size(transfer.size))
    match transfer.state:
        case TransferState.DONE if transfer.checked is not None:
            parts = [when.size(transfer.size), tr("transfers.state.unpacking", percent=int(100 * fraction(transfer)))]
        case TransferState.DONE if transfer.instant:
            parts = [tr("transfers.instant"), tr("transfers.done.instant")]
        case TransferState.DONE:
            parts = [when.size(transfer.size), tr(f"transfers.done.{transfer.direction.value}")]
        case TransferState.RUNNING if transfer.checked is not None:
            parts = [when.size(transfer.size), tr("transfers.state.checking", percent=int(100 * fraction(transfer)))]
        case TransferState.RUNNING:
            parts = [amount]
            if transfer.speed > 0:
                parts.append(when.speed(transfer.speed))
            if transfer.seconds_left is not None:
                parts.append(tr("transfers.left", time=when.duration(transfer.seconds_left)))
        case TransferState.FAILED:
            parts = [tr("transfers.failed"), reason(transfer)]
        case _:
            parts = [amount, tr(f"transfers.state.{transfer.state.value}")]
    if transfer.way and transfer.state in (TransferState.RUNNING, TransferState.DONE):
        parts.append(tr(f"transfers.way.{transfer.way}"))
    return f"{arrow} " + " · ".join(filter(None, parts))


def reason(transfer: Transfer) -> str:
    """Why it failed, in words; a code without words of its own is named."""
    key = f"transfers.reason.{transfer.error}"
    if transfer.error is None:
        return ""
    return tr(key) if has(key) else tr("transfers.reason.other", code=transfer.error)
