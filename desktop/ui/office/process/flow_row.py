"""One row of the flow (mockup 3, right): a dot on a line, the step with its people, time and opinion; members of a countersigning, readers of a round."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.domain import Attachment
from desktop.core.domain.processes import Process
from desktop.core.domain.records import Light
from desktop.models.case_flow import FlowRow, Look, Member
from desktop.ui import theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Button, IconLabel, on_click
from desktop.ui.layouts import empty_layout
from desktop.ui.office.process import words
from desktop.ui.office.process.runs_label import Run, RunsLabel
from desktop.ui.office.process.signature_view import SignatureView
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.views.base import ViewContext
from desktop.ui.theme import values_process as values

NAMES_SHOWN = 6
"""Members of a countersigning that are listed at once."""
_QUIET = {Look.NEXT, Look.NOTE}


class MemberLine(QWidget):
    """One of several: done or not, who, when, what was said."""

    def __init__(self, context: ViewContext, member: Member, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        glyph = (
            ("check-circle-fill", "green")
            if member.done
            else ("clock", "amber")
            if member.pending
            else ("circle", "ink3")
        )
        mark = IconLabel(glyph[0], tone=glyph[1], size=14)
        state = tr(f"office_process.look.{'done' if member.done else 'pending' if member.pending else 'next'}")
        mark.setAccessibleName(state)
        runs = [Run(words.person_word(context, member.person_id, member.on_behalf_of_id), "ink2", "secondary")]
        if member.added_by_id:
            runs.append(
                Run(" " + tr("office_process.added_by", name=context.name_of(member.added_by_id)), "ink3", "secondary")
            )
        if member.done and member.at:
            runs.append(Run("  " + words.moment(member.at), "ink3", "secondary"))
        if member.opinion:
            runs.append(Run("  " + tr("office_process.quoted", text=member.opinion), "ink2", "secondary"))
        label = RunsLabel()
        label.show_runs(runs)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        line.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        words_column = QVBoxLayout()
        words_column.setSpacing(2)
        words_column.addWidget(label)
        if member.signature:
            words_column.addWidget(SignatureView(context, member.signature))
        line.addLayout(words_column, 1)
        self.setAccessibleName(words.spoken((state, label.text())))


class FlowRowView(QWidget):
    """A row. It is drawn anew only when what it says changes.

    Signals: file_opened (an Attachment). toggled: its names were opened or closed.
    """

    file_opened = Signal(object)
    toggled = Signal()

    def __init__(
        self, context: ViewContext, row: FlowRow, process: Process | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("flowRow")
        self._context, self.row, self._process = context, row, process
        self.last = False
        self.open_names = False
        self.head = RunsLabel()
        self.time = RunsLabel()
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(theme.scaled(values.RAIL), 0, 0, theme.scaled(14))
        self.column.setSpacing(2)
        self.column.addWidget(self.head)
        self.column.addWidget(self.time)
        self._more = QVBoxLayout()
        self._more.setContentsMargins(0, 0, 0, 0)
        self._more.setSpacing(4)
        self.column.addLayout(self._more)
        self._fill()

    # ---- content
    def show_row(self, row: FlowRow, process: Process | None) -> None:
        """Another state of the same row."""
        if row != self.row or process != self._process:
            self.row, self._process = row, process
            self._fill()

    def redraw(self) -> None:
        """Names, language or theme changed."""
        self.column.setContentsMargins(theme.scaled(values.RAIL), 0, 0, theme.scaled(14))
        self._fill()

    def tick(self) -> None:
        """Time went on: how much is left is said anew."""
        if self.row.look in (Look.CURRENT, Look.READING, Look.STOPPED):
            self.time.show_runs(self._time_runs())
            self.update()

    def _fill(self) -> None:
        row = self.row
        self.head.show_runs(self._head_runs())
        self.time.show_runs(self._time_runs())
        empty_layout(self._more)
        if row.look is Look.NOTE and row.opinion:
            self._add_quote(row.opinion)
        if row.signature:
            self._more.addWidget(SignatureView(self._context, row.signature))
        if row.attachments:
            self._add_files(row.attachments)
        if row.members:
            self._add_members(row)
        self.setAccessibleName(words.spoken((words.look_word(row), self.head.text(), self.time.text())))
        self.update()

    def _head_runs(self) -> list[Run]:
        row, context = self.row, self._context
        quiet = row.look in _QUIET
        name = context.label(row.step) or words.look_word(row)
        if row.look in (Look.END, Look.STOPPED) and row.action:
            name = tr(f"office_process.look.{'end' if row.look is Look.END else 'terminated'}")
        runs = [Run(name, "ink2" if quiet else "ink", strong=row.look in (Look.CURRENT, Look.READING))]
        if row.look is Look.NEXT and len(row.persons) > 4:
            runs.append(Run(" " + tr("office_process.n_people", n=len(row.persons)), "ink3"))
        elif row.look is not Look.READING and not (row.members and row.look is Look.CURRENT):
            who = self._who()
            runs.append(Run(" " + who, "ink3") if who else Run(""))
        if row.members and row.look in (Look.CURRENT, Look.DONE, Look.PENDING) and row.action != "circulate":
            runs.append(Run(" " + tr("office_process.done_of", done=row.told, n=row.count), "link"))
        if row.look is Look.READING or (row.action == "circulate" and row.members):
            runs.append(Run(" " + tr("office_process.read_of", done=row.told, n=row.count), "link"))
        did = words.did_word(context, self._process, row.step_id, row.action, row.outcome)
        if did and row.look not in (Look.END, Look.STOPPED, Look.READING) and not row.members:
            tone = {"red": "red_text", "amber": "amber"}.get(words.did_tone(row.action), "link")
            behalf = row.event.on_behalf_of_id if row.event is not None and row.action == "delegate" else None
            names = [words.person_word(context, one, behalf, place=False) for one in row.to]
            target = context.label(row.to_step) or when.list_join(names)
            key = "office_process.did_to" if target else "office_process.did_it"
            runs.append(Run("  " + tr(key, did=did, to=target), tone, strong=words.did_tone(row.action) == "red"))
        return runs

    def _who(self) -> str:
        row, context = self.row, self._context
        if len(row.persons) == 1:
            return words.person_word(context, row.persons[0], row.on_behalf.get(row.persons[0]))
        if row.persons:
            return words.people_word(context, row.persons)
        if row.members or row.look in (Look.NEXT, Look.CURRENT, Look.STOPPED, Look.END):
            return ""
        return words.person_word(context, None)

    def _time_runs(self) -> list[Run]:
        row, now = self.row, self._context.now_ms()
        if row.look is Look.NEXT:
            return [Run(tr("office_process.look.next"), "ink3", "secondary")]
        if row.look is Look.PENDING:
            quote = [Run(" · ", "ink3", "secondary"), *self._quote()] if row.opinion else []
            return [Run(tr("office_process.sent_waiting"), "amber", "secondary"), *quote]
        if row.look in (Look.CURRENT, Look.READING):
            return self._waiting_runs(now)
        if row.look is Look.STOPPED and not row.action:
            return [Run(tr("office_process.suspended"), "amber", "secondary")]
        runs = [Run(words.moment(row.at), "ink3", "secondary")]
        if row.opinion and row.look is not Look.NOTE:
            runs += [Run(" · ", "ink3", "secondary"), *self._quote()]
        return runs

    def _quote(self) -> list[Run]:
        if not self.row.opinion:
            return []
        return [Run(tr("office_process.quoted", text=self.row.opinion), "ink2", "secondary")]

    def _waiting_runs(self, now: int) -> list[Run]:
        row = self.row
        light = row.light(now)
        tone = {Light.RED: "red_text", Light.AMBER: "amber"}.get(light, "link")
        runs = []
        left = words.left(now, row.due_at)
        if left:
            runs.append(Run(left, tone, "secondary", strong=light is Light.RED))
        if row.at:
            since = tr("office_process.since", time=words.moment(row.at), span=words.waited(row.at, now))
            runs.append(Run((" · " if left else "") + since, "ink3", "secondary"))
        if row.urged_at:
            runs.append(Run(" · " + tr("office_process.urged", time=words.moment(row.urged_at)), "amber", "secondary"))
        return runs

    def _add_quote(self, text: str) -> None:
        label = RunsLabel()
        label.show_runs([Run(tr("office_process.quoted", text=text), "ink2", "secondary")])
        self._more.addWidget(label)

    def _add_files(self, attachments: Sequence[Attachment]) -> None:
        flow = Flow(spacing=4)
        for one in attachments:
            button = Button(one.name, kind="link", small=True, icon="paperclip")
            on_click(button, partial(self.file_opened.emit, one))
            flow.add(button)
        self._more.addWidget(flow)

    def _add_members(self, row: FlowRow) -> None:
        """Countersigners one below the other; of a round of reading only who has not read, and the rest when asked."""
        reading = row.action == "circulate"
        listed = row.members if self.open_names else () if reading else row.members[:NAMES_SHOWN]
        if reading and row.waiting and not self.open_names:
            count = len(row.waiting)
            toggle = Button(tr("office_process.unread", n=count), kind="link", small=True)
        elif len(listed) < row.count:
            toggle = Button(tr("office_process.all_of_them", n=row.count), kind="link", small=True)
        elif self.open_names:
            toggle = Button(tr("office_process.fewer"), kind="link", small=True)
        else:
            toggle = None
        for member in sorted(listed, key=lambda one: one.done) if reading else listed:
            self._more.addWidget(MemberLine(self._context, member))
        if toggle is not None:
            toggle.setObjectName("flowNames")
            on_click(toggle, self.toggle_names)
            line = Flow()
            line.add(toggle)
            self._more.addWidget(line)

    def toggle_names(self) -> None:
        """Shows all of them, or not any more."""
        self.toggled.emit()
        self.open_names = not self.open_names
        self._fill()

    # ---- the dot
    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        colors, row = theme.tokens(), self.row
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = theme.scaled(values.DOT)
        x, y = side / 2 + 1, self.head.y() + min(self.head.height(), theme.scaled(18)) / 2
        if not self.last:
            painter.setPen(QPen(colors.line, 1.5))
            painter.drawLine(QPointF(x, y + side), QPointF(x, self.height() - 2))
        late = row.look in (Look.CURRENT, Look.READING) and row.light(self._context.now_ms()) is Light.RED
        small = row.look is Look.NOTE
        edge = {
            Look.DONE: colors.green,
            Look.END: colors.green,
            Look.CURRENT: colors.red if late else colors.accent,
            Look.READING: colors.red if late else colors.accent,
            Look.PENDING: colors.amber,
            Look.REFUSED: colors.red,
            Look.STOPPED: colors.red if row.action else colors.amber,
        }.get(row.look, colors.line_strong)
        if small and words.did_tone(row.action) == "red":
            edge = colors.red
        reach = side / 2 - (2.5 if small else 1)
        hollow = row.look in (Look.NEXT, Look.PENDING, Look.READING)
        painter.setPen(QPen(edge, 2))
        painter.setBrush(colors.surface if hollow else edge)
        painter.drawEllipse(QRectF(x - reach, y - reach, 2 * reach, 2 * reach))
