"""Attachments of a notice as cards: what it is, how far a download is, open it here, or save it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from desktop.core.domain import Attachment, Transfer, TransferState
from desktop.ui import theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Button, Card, ElidedLabel, IconButton, Label, on_click, paint_file_sheet
from desktop.ui.layouts import discard
from desktop.ui.reader.kinds import readable


class FileSheet(QWidget):
    """The little sheet with the file's kind."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self.setFixedSize(QSize(theme.scaled(32), theme.scaled(38)))

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_file_sheet(QPainter(self), QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), self._name)


class AttachmentCard(Card):
    """One attachment."""

    opened = Signal(object)
    saved = Signal(object)

    def __init__(self, attachment: Attachment, parent: QWidget | None = None) -> None:
        super().__init__(padding=10, parent=parent)
        self.setObjectName("attachmentCard")
        self.attachment = attachment
        self.state = Label(when.size(attachment.size), role="secondary", tone="ink3")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.hide()
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(ElidedLabel(attachment.name))
        words.addWidget(self.state)
        words.addWidget(self.bar)
        self.open = Button(key="office.open", small=True, parent=self)  # parentless it would be a window for a moment
        self.open.setObjectName("attachmentOpen")
        self.open.setVisible(readable(attachment.name, attachment.type))
        self.save = IconButton("download-simple", "office.save_as", size=18, box=30)
        self.save.setObjectName("attachmentSave")
        line = QHBoxLayout()
        line.setSpacing(10)
        line.addWidget(FileSheet(attachment.name))
        line.addLayout(words, 1)
        line.addWidget(self.open)
        line.addWidget(self.save)
        self.body.addLayout(line)
        self.setAccessibleName(attachment.name)
        on_click(self.open, partial(self.opened.emit, attachment))
        on_click(self.save, partial(self.saved.emit, attachment))

    def show_here(self) -> None:
        """It is on this device: it opens without a network."""
        self.bar.hide()
        self.state.setText(tr("office.attachment_here", size=when.size(self.attachment.size)))

    def show_transfer(self, transfer: Transfer) -> None:
        """The download of this attachment moved on."""
        size = when.size(self.attachment.size)
        moving = transfer.state in (TransferState.RUNNING, TransferState.WAITING, TransferState.HELD)
        self.bar.setVisible(moving)
        self.bar.setRange(0, max(1, transfer.size // 1024))
        self.bar.setValue(transfer.moved // 1024)
        match transfer.state:
            case TransferState.DONE:
                self.show_here()
            case TransferState.FAILED:
                self.state.setText(tr("office.attachment_failed", size=size))
            case TransferState.HELD:
                self.state.setText(tr("office.attachment_held", size=size))
            case TransferState.PAUSED:
                self.state.setText(tr("office.attachment_paused", size=size))
            case _:
                self.state.setText(f"{when.size(transfer.moved)} / {size}")

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        (self.opened if not self.open.isHidden() else self.saved).emit(self.attachment)


class AttachmentCards(QWidget):
    """All attachments of one record."""

    opened = Signal(object)
    saved = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards: dict[str, AttachmentCard] = {}
        self._title = Label(role="secondary", tone="ink3")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._column.addWidget(self._title)

    def show_attachments(
        self, attachments: Sequence[Attachment], transfers: Sequence[Transfer], has: Callable[[str], bool]
    ) -> None:
        """Shows these; transfers tell which are under way, `has` which are here."""
        if [card.attachment for card in self._cards.values()] != list(attachments):
            for card in self._cards.values():
                self._column.removeWidget(card)
                discard(card)
            self._cards = {}
            for attachment in attachments:
                card = AttachmentCard(attachment)
                card.opened.connect(self.opened)
                card.saved.connect(self.saved)
                self._cards[attachment.blob_id] = card
                self._column.addWidget(card)
        self.setVisible(bool(attachments))
        self._title.setText(tr("office.attachments", n=len(attachments)))
        for transfer in transfers:
            self.show_transfer(transfer)
        for blob_id, card in self._cards.items():
            if blob_id and has(blob_id):
                card.show_here()

    def show_transfer(self, transfer: Transfer) -> None:
        """A transfer moved on; nothing happens unless it is one of these."""
        card = self._cards.get(transfer.blob_id or "")
        if card is not None:
            card.show_transfer(transfer)
