"""The vote on a notice: choices while it is open for this reader, the count as far as it is told, who chose what where that is not secret."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QProgressBar, QRadioButton, QVBoxLayout, QWidget

from desktop.models.notice_vote import Vote
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Button, Card, CheckBox, Chip, IconLabel, Label, on_click, row
from desktop.ui.layouts import empty_layout

NAMES_SHOWN = 40


class RoundMark(QRadioButton):
    """One of several choices; its mark is painted from the tokens, as a CheckBox's is."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        side = theme.scaled(16)
        width = side + theme.scaled(7) + self.fontMetrics().horizontalAdvance(self.text()) + 4
        return QSize(width, max(side, self.fontMetrics().height()) + 6)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, pos: object) -> bool:  # noqa: N802  # Qt's name
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = theme.scaled(16)
        mark = QRectF(1.5, (self.height() - side) / 2 + 0.5, side - 1, side - 1)
        live, on = self.isEnabled(), self.isChecked()
        edge = colors.accent if on or self.hasFocus() else colors.line_strong
        painter.setPen(QPen(edge if live else colors.line, 2 if self.hasFocus() else 1))
        painter.setBrush(colors.surface)
        painter.drawEllipse(mark)
        if on:
            inner = mark.width() / 4
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colors.accent if live else colors.faint)
            painter.drawEllipse(mark.adjusted(inner, inner, -inner, -inner))
        painter.setPen(colors.ink if live else colors.faint)
        painter.setFont(self.font())
        text = QRectF(mark.right() + theme.scaled(7), 0, self.width(), self.height())
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())


class VoteCard(Card):
    """The picture of a vote. Who keeps its ballots says what `cast_ballot` does."""

    def __init__(self, name_of: Callable[[str], str], parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.setObjectName("noticeVote")
        self._name_of = name_of
        self._vote: Vote | None = None
        self._busy = False
        self.choices: list[QAbstractButton] = []
        self._group: QButtonGroup | None = None
        self.question = Label(strong=True, wrap=True)
        self.question.setObjectName("voteQuestion")
        self.state = Chip()
        self.terms = Label(role="secondary", tone="ink3", wrap=True)
        self.terms.setObjectName("voteTerms")
        self._options = QVBoxLayout()
        self._results = QVBoxLayout()
        self._results.setSpacing(6)
        self.said = Label(role="secondary", tone="ink2", wrap=True)
        self.said.setObjectName("voteSaid")
        self.problem = Label(role="secondary", tone="red_text", wrap=True)
        self.problem.setObjectName("voteProblem")
        self.problem.hide()
        self.send = Button(key="office_notice.vote.cast", kind="primary", icon="check", small=True, parent=self)
        self.send.setObjectName("voteCast")
        self.body.addLayout(
            row(IconLabel("chart-bar-horizontal", tone="ink2", size=18), self.question, None, self.state)
        )
        self.body.addWidget(self.terms)
        self.body.addLayout(self._options)
        self.body.addLayout(row(self.send, None))
        self.body.addWidget(self.problem)
        self.body.addWidget(self.said)
        self.body.addLayout(self._results)
        on_click(self.send, self._cast)
        i18n.changed.connect(self._draw)
        self.hide()

    # ---- content
    def show_vote(self, vote: Vote | None) -> None:
        """Shows a vote; the same one again keeps what is ticked."""
        self.setVisible(vote is not None)
        if vote != self._vote:
            self._vote = vote
            self._draw()

    def forget(self) -> None:
        """Another notice comes: nothing of this one stays."""
        self._vote = None
        self.show_problem("")
        self.set_busy(False)
        self.hide()

    def show_problem(self, text: str) -> None:
        """Why a ballot was not taken; empty takes the words away."""
        self.problem.setText(text)
        self.problem.setVisible(bool(text))

    def set_busy(self, busy: bool) -> None:
        """While a ballot is on its way no other can be cast."""
        self._busy = busy
        self._on_chosen()

    def chosen(self) -> list[int]:
        """The places of the options that are ticked."""
        return [place for place, button in enumerate(self.choices) if button.isChecked()]

    def _draw(self) -> None:
        vote = self._vote
        if vote is None:
            return
        ticked = self.chosen()
        self.question.setText(vote.question)
        self.terms.setText(" · ".join(self._terms(vote)))
        self.state.setText(tr(f"office_notice.vote.{'closed' if vote.closed else 'open'}"))
        self.state.set_tone("neutral" if vote.closed else "green")
        self._draw_options(vote, ticked)
        said = self._said(vote)
        self.said.setText(said)
        self.said.setVisible(bool(said))
        self._draw_results(vote)
        self._on_chosen()

    @staticmethod
    def _terms(vote: Vote) -> list[str]:
        parts = [tr("office_notice.vote.one") if vote.most == 1 else tr("office_notice.vote.most", n=vote.most)]
        parts.append(tr("office_notice.vote.secret") if vote.secret else tr("office_notice.vote.named"))
        if vote.closes_at is not None:
            key = "office_notice.vote.closed_at" if vote.closed else "office_notice.vote.closes"
            parts.append(tr(key, time=when.date_time(vote.closes_at)))
        if vote.voters is not None:
            parts.append(tr("office_notice.vote.voters", n=vote.voters))
        return parts

    def _draw_options(self, vote: Vote, ticked: list[int]) -> None:
        empty_layout(self._options)
        self.choices, self._group = [], None
        self.send.setVisible(vote.may_vote)
        if not vote.may_vote:
            return
        if vote.most == 1:
            self._group = QButtonGroup(self)
        for place, text in enumerate(vote.options):
            button: QAbstractButton = RoundMark(text) if vote.most == 1 else CheckBox(text)
            button.setObjectName(f"voteOption_{place}")
            button.setChecked(place in ticked)
            button.toggled.connect(self._on_chosen)
            if self._group is not None:
                self._group.addButton(button)
            self.choices.append(button)
            self._options.addWidget(button)

    def _on_chosen(self, _on: bool = False) -> None:
        """No more can be ticked than may be chosen."""
        vote = self._vote
        count = len(self.chosen())
        full = vote is not None and vote.most > 1 and count >= vote.most
        for button in self.choices:
            button.setEnabled(not self._busy and (button.isChecked() or not full))
        self.send.setEnabled(count > 0 and not self._busy)

    @staticmethod
    def _said(vote: Vote) -> str:
        """What became of this reader's ballot, and when the count is told."""
        if vote.mine is not None:
            own = [vote.options[place] for place in vote.mine if place < len(vote.options)]
            key = "office_notice.vote.yours" if own else "office_notice.vote.yours_secret"
            done = tr(key, options=when.list_join(own))
        elif vote.closed:
            done = tr("office_notice.vote.too_late")
        elif not vote.may_vote:
            done = tr("office_notice.vote.not_yours")
        else:
            done = ""
        if vote.counts is None and not vote.closed:
            later = "office_notice.vote.after_close" if vote.after_close else "office_notice.vote.after_vote"
            done = f"{done} {tr(later)}".strip() if vote.mine is None or vote.after_close else done
        return done

    def _draw_results(self, vote: Vote) -> None:
        empty_layout(self._results)
        if vote.counts is None:
            return
        total = max(1, vote.voters or sum(vote.counts))
        for place, (text, count) in enumerate(zip(vote.options, vote.counts, strict=True)):
            self._results.addWidget(self._result_row(vote, place, text, count, total))

    def _result_row(self, vote: Vote, place: int, text: str, count: int, total: int) -> QWidget:
        holder = QWidget()
        holder.setObjectName(f"voteResult_{place}")
        share = tr("office_notice.vote.count", n=count, share=f"{100 * count / total:.0f}%")
        holder.setAccessibleName(f"{text}: {share}")
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 2, 0, 2)
        column.setSpacing(3)
        own = vote.mine is not None and place in vote.mine
        words = Label(text, strong=own, wrap=True)
        mark = IconLabel("check-circle-fill", tone="green", size=14, parent=holder)
        mark.setVisible(own)
        figures = Label(share, role="secondary", tone="ink2")
        line = row(mark, words, figures)
        line.setStretch(1, 1)
        column.addLayout(line)
        bar = QProgressBar()
        bar.setTextVisible(False)
        bar.setRange(0, total)
        bar.setValue(min(count, total))
        column.addWidget(bar)
        names = [name for key in vote.names.get(place, ()) if (name := self._name_of(key))]
        if names:
            shown = when.list_join(names[:NAMES_SHOWN])
            more = tr("office.and_more", names=shown, n=len(names)) if len(names) > NAMES_SHOWN else shown
            column.addWidget(Label(more, role="secondary", tone="ink3", wrap=True))
        return holder

    def _cast(self) -> None:
        if self.chosen() and not self._busy:
            self.show_problem("")
            self.cast_ballot(self.chosen())

    def cast_ballot(self, places: list[int]) -> None:
        """The user chose these options."""
        raise NotImplementedError
