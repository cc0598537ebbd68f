"""The middle of a desk (mockup 3): the record's document in the reader where it has one, its sheet, or the diagram; title and chips above."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from desktop.core.domain import AnnotationTarget, Attachment
from desktop.core.domain.definition import FieldKind, TypeDefinition
from desktop.core.domain.processes import Diagram
from desktop.core.domain.records import Record
from desktop.core.errors import AppError
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Chip, ElidedLabel, EmptyState, IconButton, Menu, on_click
from desktop.ui.office.document_readers import create_reader
from desktop.ui.office.process.absence_pane import AbsencePane
from desktop.ui.office.process.diagram_paint import Lit
from desktop.ui.office.process.diagram_view import DiagramView
from desktop.ui.office.reading.reader import ReaderPage
from desktop.ui.office.record.files import RecordFiles
from desktop.ui.office.record.files_editor import attachment_of
from desktop.ui.office.record.make_menu import add_makeable
from desktop.ui.office.views.base import ViewContext
from desktop.ui.reader.document_reader import DocumentReader
from desktop.ui.reader.kinds import readable
from desktop.ui.reader.pages_view import PagesView
from desktop.ui.tasks import TaskOwner, alive


def files_of(definition: TypeDefinition, record: Record) -> list[Attachment]:
    """The files of a record in the order of its fields; the first one that can be read is its main document."""
    found: list[Attachment] = []
    for field in definition.fields:
        value = record.data.get(field.name)
        if field.kind is FieldKind.FILES and isinstance(value, list):
            found += [one for item in value if (one := attachment_of(item)) is not None]
        elif field.kind is FieldKind.BLOB and isinstance(value, str) and value:
            found.append(Attachment(value, field.label.zh or field.name))
    return found


class DeskPage(QWidget):
    """Signals:
    back_asked: to the list, where there is room for one only. panel_asked: show or hide the flow, likewise.
    opened: a record or person to go to (type, id).
    make_asked: a record to be made from this one (type, what its form begins with).
    pages_shown: a document's pages are there, or are no more.
    """

    pages_shown = Signal()
    back_asked = Signal()
    panel_asked = Signal(bool)
    opened = Signal(str, str)
    make_asked = Signal(str, object)

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("deskPage")
        self.context = context
        self.tasks = TaskOwner(self)
        self.files = RecordFiles(context, self)
        self.record: Record | None = None
        self.attachments: list[Attachment] = []
        self.shown_file = ""
        self._reader: DocumentReader | None = None
        self._absences: AbsencePane | None = None
        self._part = "sheet"
        self._build_header()
        self.state = EmptyState("files", "office_process.desk.pick")
        self.sheet = ReaderPage(context)
        self.sheet.title.hide()
        self.diagram = DiagramView(closable=True)
        self.stack = QStackedWidget()
        for page in (self.state, self.sheet, self.diagram):
            self.stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        self.bars = QVBoxLayout()
        column.addLayout(self.bars)
        column.addWidget(self.stack, 1)
        self._bind()
        self.clear()

    def _build_header(self) -> None:
        self.header = QFrame()
        self.header.setProperty("surface", "header")
        self.back = IconButton("arrow-left", "office_process.desk.back", size=18, box=30)
        self.back.setObjectName("deskBack")
        self.back.hide()
        self.title = ElidedLabel(role="header", strong=True)
        self.title.setObjectName("deskTitle")
        self.title.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.chip = Chip()
        self.chip.hide()
        self.group = QButtonGroup(self)
        self.parts: dict[str, Button] = {}
        line = QHBoxLayout(self.header)
        line.setContentsMargins(14, 0, 10, 0)
        line.setSpacing(6)
        line.addWidget(self.back)
        line.addWidget(self.title)
        line.addWidget(self.chip)
        line.addStretch(1)
        for key in ("document", "sheet"):
            button = Button(key=f"office_process.desk.{key}", kind="tab", small=True)
            button.setCheckable(True)
            button.setObjectName(f"desk_{key}")
            on_click(button, partial(self.show_part, key))
            self.group.addButton(button)
            self.parts[key] = button
            line.addWidget(button)
        self.panel = Button(key="office_process.desk.panel", kind="tab", small=True)
        self.panel.setCheckable(True)
        self.panel.setObjectName("desk_panel")
        self.panel.hide()
        self.more = IconButton("dots-three", "office_process.more", size=18, box=30)
        self.more.setObjectName("deskMore")
        line.addWidget(self.panel)
        line.addWidget(self.more)

    def _bind(self) -> None:
        on_click(self.back, self.back_asked.emit)
        on_click(self.more, lambda: self.menu().popup(self.more.mapToGlobal(QPoint(0, self.more.height()))))
        self.panel.toggled.connect(self.panel_asked)
        self.sheet.facts.opened.connect(self.opened)
        self.sheet.facts.file_opened.connect(self.open_file)
        self.sheet.facts.file_saved.connect(self.files.save_file)
        self.diagram.closed.connect(self._back_to_record)
        theme.changed.connect(self._fit)
        i18n.changed.connect(self._redraw)
        self.context.names_changed.connect(self._redraw)
        self._fit()

    def _fit(self) -> None:
        self.header.setFixedHeight(theme.scaled(46))

    @property
    def reader(self) -> DocumentReader:
        """The reader inside, made when first wanted."""
        if self._reader is None:
            context = self.context
            made = self._reader = create_reader(context.session, context.now_ms, context.name_of)
            made.setMinimumWidth(theme.scaled(200))  # its tools may be cut off when narrow; the menu has those
            made.header.title.hide()
            back = made.findChild(IconButton, "readerBack")
            if back is not None:
                back.hide()
            made.retry.connect(self._retry)
            made.pages_shown.connect(self.pages_shown)
            self.stack.addWidget(made)
        return self._reader

    # ---- which record
    def clear(self) -> None:
        """Nothing is chosen."""
        self.record, self.attachments, self.shown_file = None, [], ""
        self.tasks.cancel("open")
        self.title.setText("")
        for part in (self.chip, *self.parts.values()):
            part.hide()
        if self._reader is not None:
            self._reader.clear()
        self.stack.setCurrentWidget(self.state)

    def show_record(self, record: Record, title: str, chip: tuple[str, str]) -> None:
        """Shows a record; the same one as it is now keeps page and place."""
        definition = self.context.type_of(record.type)
        if definition is None:
            return
        other, before = self.record is None or self.record.id != record.id, self.main_file()
        self.record = record
        self.title.setText(title)
        self.setAccessibleName(title)
        self.chip.setText(chip[0])
        self.chip.set_tone(chip[1])
        self.chip.setVisible(bool(chip[0]))
        self.sheet.show_record(definition, record)
        self.attachments = files_of(definition, record)
        main = self.main_file()
        if before is not None and main is not None and self.shown_file == before.blob_id != main.blob_id:
            self.shown_file = ""  # whoever reads it reads what took its place: it was set anew, or sealed
        for button in self.parts.values():
            button.setVisible(main is not None)
        if other:
            self.shown_file = ""
            self.show_part("document" if main is not None else "sheet")
        elif self._part == "document" and self.stack.currentWidget() not in (self.diagram, self._absences):
            self.show_part("document" if main is not None else "sheet")

    def show_missing(self, title: str) -> None:
        """The record is not here: it was deleted, or is still on its way."""
        self.clear()
        self.title.setText(title)
        self.state.show_text("file-x", "office_process.desk.missing")

    def shown_pages(self) -> PagesView | None:
        """The pages of the document that is shown; None while there are none."""
        reader = self._reader
        return reader.pages if reader is not None and self.stack.currentWidget() is reader else None

    def main_file(self) -> Attachment | None:
        """The record's document."""
        return next((one for one in self.attachments if readable(one.name, one.type)), None)

    def _redraw(self) -> None:
        definition = self.context.type_of(self.record.type) if self.record is not None else None
        if self.record is not None and definition is not None:
            self.sheet.show_record(definition, self.record)

    # ---- parts
    def show_part(self, part: str) -> None:
        """The document or the sheet."""
        self._part = part
        self.parts[part].setChecked(True)
        if part == "sheet":
            self.stack.setCurrentWidget(self.sheet)
            return
        held = {one.blob_id for one in self.attachments}
        main = self.main_file()
        if self.shown_file in held:
            self.stack.setCurrentWidget(self.reader)
        elif main is not None:
            self.open_file(main)

    def show_diagram(self, diagram: Diagram | None, lit: Lit, title: str) -> None:
        """The diagram in place of the document; Escape or its cross leads back."""
        self.diagram.show_diagram(diagram, lit, title)
        self.stack.setCurrentWidget(self.diagram)
        self.diagram.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_absences(self) -> None:
        """Absences in place of the document; the cross leads back."""
        if self._absences is None:
            self._absences = AbsencePane(self.context)
            self._absences.closed.connect(self._back_to_record)
            self.stack.addWidget(self._absences)
        self._absences.load()
        self.stack.setCurrentWidget(self._absences)

    def _back_to_record(self) -> None:
        if self.record is not None:
            self.show_part(self._part)
        else:
            self.stack.setCurrentWidget(self.state)

    def open_file(self, attachment: Attachment) -> None:
        """Shows a file of the record, or of its history, in the reader."""
        if not readable(attachment.name, attachment.type):
            self.files.save_file(attachment)
            return
        self._part = "document"
        self.parts["document"].setChecked(True)
        self.parts["document"].show()
        self.parts["sheet"].show()
        self.shown_file = attachment.blob_id
        self.reader.show_loading(attachment.name)
        self.reader.header.title.hide()
        self.stack.setCurrentWidget(self.reader)
        self.tasks.start(self._open(attachment), name="open", exclusive=True)

    async def _open(self, attachment: Attachment) -> None:
        try:
            record = self.record
            target = None if record is None else AnnotationTarget(record.type, record.id, attachment.blob_id)
            document = await self.context.session.office.open_file(attachment, target)
        except AppError as error:
            if alive(self) and self.shown_file == attachment.blob_id:
                self.reader.show_failure(attachment.name, error)
            return
        if alive(self) and self.shown_file == attachment.blob_id:
            focused = self.window().focusWidget()
            self.reader.show_document(attachment.name, document)
            if focused is not None and focused.isVisible() and not self.isAncestorOf(focused):
                focused.setFocus(Qt.FocusReason.OtherFocusReason)  # a document that comes takes no keyboard

    def _retry(self) -> None:
        found = next((one for one in self.attachments if one.blob_id == self.shown_file), None)
        if found is not None:
            self.open_file(found)

    # ---- tools
    def hidden_tools(self) -> list[IconButton]:
        """The reader's tools that found no room."""
        reader = self._reader
        if reader is None or self.stack.currentWidget() is not reader:
            return []
        edge = reader.header.width()
        tools = reader.header.findChildren(IconButton)
        return [one for one in tools if not one.isHidden() and one.isEnabled() and one.geometry().right() > edge]

    def menu(self) -> Menu:
        """Files, the printed sheet, tools without room, the way to the whole record."""
        menu = Menu(self, leaves=True)
        for one in self.attachments:
            menu.addAction(one.name, partial(self.open_file, one))
        if self.attachments:
            menu.addSeparator()
        for tool in self.hidden_tools():
            menu.addAction(tool.toolTip(), tool.click)
        if self.record is not None:
            menu.addAction(tr("office_record.print"), self._print)
            menu.addAction(tr("office_record.save_pdf"), self._save_pdf)
            add_makeable(menu, self.context, self.record, self.make_asked.emit)
            menu.addSeparator()
        menu.addAction(tr("office_process.absence.title"), self.show_absences)
        return menu

    def _print(self) -> None:
        if self.record is not None:
            self.files.print_records([self.record])

    def _save_pdf(self) -> None:
        if self.record is not None:
            self.files.save_pdf([self.record], self.title.text())
