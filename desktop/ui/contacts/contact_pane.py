"""The pane of a personal contact or a group: how to reach them above, the record's own pane with its form below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core.domain.records import Record
from desktop.models.contacts import CONTACT
from desktop.ui.contacts.reach import call_url, mail_url
from desktop.ui.kit import Button, on_click
from desktop.ui.office.record.detail import RecordDetail
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.views.base import ViewContext


class ContactPane(QWidget):
    """Signals: closed; call_asked and mail_asked (a number, an address); export_asked (id); saved and opened (type, id)."""

    closed = Signal()
    call_asked = Signal(str)
    mail_asked = Signal(str)
    export_asked = Signal(str)
    saved = Signal(str, str)
    opened = Signal(str, str)

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("contactPane")
        self.setProperty("surface", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.detail = RecordDetail(context)
        for private in (self.detail.follow, self.detail.share_button):
            private.hide()  # nobody else sees a contact: there is nothing to follow, and nobody to share it with
        self.call = Button(key="contacts.call", icon="phone")
        self.call.setObjectName("contactCall")
        self.mail = Button(key="contacts.mail", icon="envelope-simple")
        self.export = Button(key="contacts.export_card", icon="export")
        self._bar = QWidget()
        flow = Flow(spacing=8)
        for button in (self.call, self.mail, self.export):
            flow.add(button)
        line = QVBoxLayout(self._bar)
        line.setContentsMargins(18, 14, 18, 0)
        line.addWidget(flow)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._bar)
        column.addWidget(self.detail, 1)
        self._record: Record | None = None
        on_click(self.call, lambda: self.call_asked.emit(self._value("mobile", "officePhone", "homePhone")))
        on_click(self.mail, lambda: self.mail_asked.emit(self._value("email")))
        on_click(self.export, lambda: self.export_asked.emit(self.contact_id))
        self.detail.closed.connect(self.closed)
        self.detail.saved.connect(self.saved)
        self.detail.opened_record.connect(self.opened)
        self.detail.stack.currentChanged.connect(self._show_bar)
        self._show_bar()

    @property
    def contact_id(self) -> str:
        """Which contact is shown; empty for none."""
        return self._record.id if self._record is not None else ""

    def show_contact(self, record: Record) -> None:
        """Shows a contact; a form that stands open for it stays."""
        same = self.contact_id == record.id and self.detail.type_name == CONTACT
        self._record = record
        self.call.setVisible(bool(self._value("mobile", "officePhone", "homePhone")))
        self.mail.setVisible(bool(self._value("email")))
        if not same:
            self.detail.show_record(CONTACT, record.id)
        self._show_bar()

    def show_other(self, type_name: str, record_id: str) -> None:
        """Shows a group."""
        self._record = None
        self.detail.show_record(type_name, record_id)
        self._show_bar()

    def new(self, type_name: str, prefill: Mapping[str, Any]) -> None:
        """Opens the form of a new contact or group."""
        self._record = None
        self.detail.new(type_name, prefill)
        self._show_bar()

    def _show_bar(self) -> None:
        shown = self.detail.stack.currentWidget() is not self.detail.form_page
        self._bar.setVisible(self._record is not None and shown)

    def _value(self, *names: str) -> str:
        """The first of these fields that can be called or written to."""
        data = self._record.data if self._record is not None else {}
        for name in names:
            value = str(data.get(name) or "")
            if not (mail_url(value) if name == "email" else call_url(value)).isEmpty():
                return value
        return ""
