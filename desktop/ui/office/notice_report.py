"""Who has read and confirmed a notice, department by department, for its author and publishers: figures, names, reminding, the sheet to sign."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from desktop.core.domain.records import Record
from desktop.models.notice_report import Reader, ReportGroup
from desktop.models.record_values import moment_of
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Button, Card, IconButton, Label, on_click, row
from desktop.ui.layouts import empty_layout

HOUR_MS = 3_600_000
NAMES_SHOWN = 200
BAR_WIDTH = 120


class GroupRow(QWidget):
    """One department: how many of how many, and the names when it is opened."""

    toggled = Signal(bool)

    def __init__(self, group: ReportGroup, *, must_confirm: bool, open_: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"report_{group.department_id or 'none'}")
        self._open = open_
        self.caret = IconButton("caret-right", "office_notice.report.names", size=14, box=24, parent=self)
        total, done = len(group.readers), group.done(must_confirm)
        self.name = Label(group.name or tr("office_notice.report.no_department"), wrap=True)
        self.figures = Label(f"{done} / {total}", role="secondary", tone="ink2")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(theme.scaled(BAR_WIDTH))
        self.bar.setRange(0, max(1, total))
        self.bar.setValue(done)
        self.names = Label(_names_text(group, must_confirm), role="secondary", tone="ink2", wrap=True, parent=self)
        self.names.setObjectName("reportNames")
        self.names.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.names.setContentsMargins(theme.scaled(30), 0, 0, 4)
        line = row(self.caret, self.name, self.figures, self.bar)
        line.setStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(self.names)
        self.setAccessibleName(f"{self.name.text()} {self.figures.text()}")
        on_click(self.caret, self.toggle)
        self._show()

    def toggle(self) -> None:
        """Opens or closes it."""
        self._open = not self._open
        self._show()
        self.toggled.emit(self._open)

    def _show(self) -> None:
        self.names.setVisible(self._open)
        self.caret.set_icon("caret-down" if self._open else "caret-right")


def _names_text(group: ReportGroup, must_confirm: bool) -> str:
    if must_confirm:
        parts = [
            ("office.names_unread", group.unread),
            ("office.names_unconfirmed", group.read),
            ("office.names_confirmed", group.confirmed),
        ]
    else:
        read = tuple(one for one in group.readers if one not in group.unread)
        parts = [("office.names_unread", group.unread), ("office.names_read", read)]
    return "\n".join(tr(key, names=_joined(people)) for key, people in parts if people)


def _joined(people: Sequence[Reader]) -> str:
    names = [one.person.name for one in people]
    text = when.list_join(names[:NAMES_SHOWN])
    return tr("office.and_more", names=text, n=len(names)) if len(names) > NAMES_SHOWN else text


class ReportCard(Card):
    """Signals: remind_asked, sheet_asked."""

    remind_asked = Signal()
    sheet_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.setObjectName("readersCard")
        self._groups: tuple[ReportGroup, ...] = ()
        self._must_confirm = False
        self._opened: set[str] = set()
        self._drawn: object = None
        self.title = Label(key="office_notice.report.title", strong=True)
        self.counts = Label(wrap=True)
        self.counts.setObjectName("readersCounts")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.remind = Button(key="office_notice.report.remind", icon="bell", small=True, parent=self)
        self.remind.setObjectName("noticeRemind")
        self.sheet = Button(key="office_notice.report.sheet", icon="file-text", small=True, parent=self)
        self.sheet.setObjectName("noticeSheet")
        self.reminded = Label(role="secondary", tone="ink3", wrap=True)
        self.reminded.setObjectName("noticeReminded")
        self.reminded.hide()
        self.problem = Label(role="secondary", tone="red_text", wrap=True)
        self.problem.setObjectName("remindProblem")
        self.problem.hide()
        self.urged = Label(role="secondary", tone="ink2", wrap=True)
        self.urged.setObjectName("noticeUrged")
        self.urged.hide()
        self._rows = QVBoxLayout()
        self._rows.setSpacing(2)
        self.body.addLayout(row(self.title, None, self.remind, self.sheet))
        for part in (self.counts, self.bar, self.reminded, self.problem):
            self.body.addWidget(part)
        self.body.addLayout(self._rows)
        self.body.addWidget(self.urged)
        on_click(self.remind, self.remind_asked.emit)
        on_click(self.sheet, self.sheet_asked.emit)
        i18n.changed.connect(self._redraw)
        theme.changed.connect(self._redraw)
        self.hide()

    # ---- content
    def show_report(self, groups: Sequence[ReportGroup], *, must_confirm: bool) -> None:
        """Shows figures and names."""
        self._groups, self._must_confirm = tuple(groups), must_confirm
        if (self._groups, must_confirm) != self._drawn:
            self._redraw()
        self.show()

    def _redraw(self) -> None:
        self._drawn = (self._groups, self._must_confirm)
        total = sum(len(group.readers) for group in self._groups)
        unread = sum(len(group.unread) for group in self._groups)
        confirmed = sum(len(group.confirmed) for group in self._groups)
        key = "office.readers_confirm" if self._must_confirm else "office.readers"
        read = total - unread - (confirmed if self._must_confirm else 0)
        self.counts.setText(tr(key, confirmed=confirmed, read=read, unread=unread, total=total))
        self.bar.setRange(0, max(1, total))
        self.bar.setValue(confirmed if self._must_confirm else total - unread)
        empty_layout(self._rows)
        for group in self._groups:
            open_ = group.department_id in self._opened or len(self._groups) == 1
            line = GroupRow(group, must_confirm=self._must_confirm, open_=open_)
            line.toggled.connect(partial(self._on_toggled, group.department_id))
            self._rows.addWidget(line)

    def _on_toggled(self, department_id: str, opened: bool) -> None:
        (self._opened.add if opened else self._opened.discard)(department_id)

    def show_reminding(self, record: Record | None, *, may: bool, now_ms: int, busy: bool = False) -> None:
        """Whether reminding is possible now, and when it last happened; twice within an hour is refused by the server."""
        at = moment_of(record.data.get("remindedAt")) if record is not None else None
        owing = any(group.done(self._must_confirm) < len(group.readers) for group in self._groups)
        rests = at is not None and now_ms - at < HOUR_MS
        self.remind.setVisible(may)
        self.remind.setEnabled(may and owing and not rests and not busy)
        self.reminded.setVisible(at is not None)
        if at is not None:
            text = tr("office_notice.report.reminded", time=when.separator(at, now_ms))
            if rests:
                text = f"{text} {tr('office_notice.report.again', time=when.clock(at + HOUR_MS))}"
            self.reminded.setText(text)

    def show_problem(self, text: str) -> None:
        """Why they were not reminded; empty takes the words away."""
        self.problem.setText(text)
        self.problem.setVisible(bool(text))

    def show_urged(self, lines: Iterable[str]) -> None:
        """To whose superiors it was told."""
        text = "\n".join(lines)
        self.urged.setText(text)
        self.urged.setVisible(bool(text))
