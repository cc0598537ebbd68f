"""The sheet on which a notice is signed for: who it is for, department by department, when each confirmed it, and room for a signature."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QPagedPaintDevice, QTextCursor, QTextDocument

from desktop.core.domain import Notice, NoticeLevel
from desktop.core.domain.definition import TypeDefinition
from desktop.models.notice_report import Reader, ReportGroup
from desktop.ui.i18n import tr, when
from desktop.ui.office.record.paper import TEXT_POINTS, TITLE_POINTS, Sheet, sheet_font
from desktop.ui.office.views.base import ViewContext

COLUMNS = ("number", "person", "time", "signature")
SHARES = (0.5, 1.2, 1.8, 2.0)


class ReceiptSheet(Sheet):
    """Lays it out with the tools of the printed sheets."""

    def __init__(self, context: ViewContext, definition: TypeDefinition) -> None:
        super().__init__(context, definition, {})

    def receipt(self, notice: Notice, groups: Sequence[ReportGroup], device: QPagedPaintDevice) -> QTextDocument:
        """The sheet as a text document, as wide as the device's page."""
        document = QTextDocument()
        document.documentLayout().setPaintDevice(device)
        document.setDefaultFont(sheet_font(TEXT_POINTS))
        document.setDocumentMargin(0)
        cursor = QTextCursor(document)
        cursor.beginEditBlock()
        center, left = Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignLeft
        title_font = sheet_font(TITLE_POINTS, bold=True)
        self._line(cursor, tr("office_notice.sheet.title"), title_font, center, after=10)
        self._line(cursor, notice.title, sheet_font(TEXT_POINTS, bold=True), left, after=4)
        self._line(cursor, self._facts(notice, groups), sheet_font(TEXT_POINTS), left, after=4)
        for group in groups:
            self._group(cursor, group, must_confirm=notice.level is NoticeLevel.MUST_CONFIRM)
        cursor.endEditBlock()
        return document

    def _facts(self, notice: Notice, groups: Sequence[ReportGroup]) -> str:
        issued = self._context.name_of(notice.department_id) or self._context.name_of(notice.author_id)
        total = sum(len(group.readers) for group in groups)
        must = notice.level is NoticeLevel.MUST_CONFIRM
        done = sum(group.done(must) for group in groups)
        at = when.date_time(notice.published_at or notice.created_at)
        figures = tr(f"office_notice.sheet.figures{_kind(must)}", done=done, total=total)
        return " · ".join(filter(None, (issued, at, figures)))

    def _group(self, cursor: QTextCursor, group: ReportGroup, *, must_confirm: bool) -> None:
        name = group.name or tr("office_notice.report.no_department")
        kind, done = _kind(must_confirm), group.done(must_confirm)
        heading = tr(f"office_notice.sheet.group{kind}", name=name, done=done, total=len(group.readers))
        self._line(cursor, heading, sheet_font(TEXT_POINTS, bold=True), Qt.AlignmentFlag.AlignLeft, before=10, after=2)
        table = self._table(cursor, 1 + len(group.readers), SHARES)
        look = table.format()
        look.setHeaderRowCount(1)  # stands on every page
        table.setFormat(look)
        for column, key in enumerate(COLUMNS):
            words = tr(f"office_notice.sheet.{key}{kind if key == 'time' else ''}")
            self._cell(table, 0, column, words, bold=True, middle=True)
        for place, reader in enumerate(group.readers, 1):
            self._cell(table, place, 0, str(place), bold=False, middle=True)
            self._cell(table, place, 1, reader.person.name, bold=False)
            self._cell(table, place, 2, _receipt_text(reader, must_confirm), bold=False)


def _kind(must_confirm: bool) -> str:
    """The end of the keys of a notice that is only read."""
    return "" if must_confirm else "_read"


def _receipt_text(reader: Reader, must_confirm: bool) -> str:
    if reader.confirmed_at is not None:
        return when.date_time(reader.confirmed_at)
    if reader.read_at is None:
        return tr("office_notice.sheet.unread")
    at = when.date_time(reader.read_at)
    return tr("office_notice.sheet.unconfirmed", time=at) if must_confirm else at
