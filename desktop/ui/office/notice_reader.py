"""Reads one notice: head, body, attachments, the confirmation, and for author and publisher who has read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from desktop.core.domain import ConnectionState, Notice, ReadMark, Transfer
from desktop.models.audience import audience_people
from desktop.models.records import ReceiptTally, is_to_confirm
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Banner, Button, Card, Chip, IconLabel, Label, Scroll, on_click, row
from desktop.ui.office.attachments import AttachmentCards
from desktop.ui.office.html_view import HtmlView
from desktop.ui.office.levels import chip_of
from desktop.ui.office.office_records import OfficeData

COLUMN = 760
NAMES_SHOWN = 60


class ReadersCard(Card):
    """How many and who have read and confirmed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.setObjectName("readersCard")
        self.counts = Label(strong=True)
        self.counts.setObjectName("readersCounts")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.names = Label(role="secondary", tone="ink2", wrap=True)
        self.names.setObjectName("readersNames")
        for widget in (self.counts, self.bar, self.names):
            self.body.addWidget(widget)

    def show_tally(self, tally: ReceiptTally, names: Callable[[str], str], must_confirm: bool) -> None:
        """Shows the counts and the names behind them."""
        done = tally.confirmed if must_confirm else [*tally.confirmed, *tally.read]
        total = len(tally.confirmed) + len(tally.read) + len(tally.unread)
        key = "office.readers_confirm" if must_confirm else "office.readers"
        self.counts.setText(
            tr(
                key,
                confirmed=len(tally.confirmed),
                read=len(tally.read) + (0 if must_confirm else len(tally.confirmed)),
                unread=len(tally.unread),
                total=total,
            )
        )
        self.bar.setRange(0, max(1, total))
        self.bar.setValue(len(done))
        groups = [("office.names_unread", tally.unread)]
        if must_confirm:
            groups += [("office.names_unconfirmed", tally.read), ("office.names_confirmed", tally.confirmed)]
        else:
            groups += [("office.names_read", sorted([*tally.read, *tally.confirmed]))]
        self.names.setText("\n".join(tr(k, names=self._joined(map(names, ids))) for k, ids in groups if ids))

    @staticmethod
    def _joined(names: Iterable[str]) -> str:
        known = sorted(name for name in names if name)
        text = when.list_join(known[:NAMES_SHOWN])
        return tr("office.and_more", names=text, n=len(known)) if len(known) > NAMES_SHOWN else text


class NoticeReader(QWidget):
    """The right pane of the notices page."""

    confirm_asked = Signal(str)
    withdraw_asked = Signal(str)
    attachment_opened = Signal(object)
    attachment_saved = Signal(object)

    def __init__(self, data: OfficeData, now_ms: Callable[[], int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("noticeReader")
        self._data, self._now_ms = data, now_ms
        self._notice: Notice | None = None
        self._tally: ReceiptTally | None = None
        self._confirmed_here: set[str] = set()
        self._build_ui()
        i18n.changed.connect(self._refresh)
        data.status_changed.connect(self._refresh_foot)

    def _build_ui(self) -> None:
        self.title = Label(role="title", strong=True, wrap=True)
        self.title.setObjectName("noticeTitle")
        self.chip = Chip()
        self.meta = Label(role="secondary", tone="ink3", wrap=True)
        self.state = Banner()
        self.body = HtmlView()
        self.attachments = AttachmentCards()
        self.readers = ReadersCard()
        self.withdraw = Button(key="office.withdraw", kind="danger", small=True)
        self.withdraw.setObjectName("noticeWithdraw")
        scroll = Scroll(surface="surface")
        column = QWidget()
        column.setMaximumWidth(theme.scaled(COLUMN))
        inner = QVBoxLayout(column)
        inner.setContentsMargins(28, 24, 28, 28)
        inner.setSpacing(12)
        inner.addWidget(self.title)
        inner.addLayout(row(self.chip, self.meta, spacing=10))
        rule = QFrame()
        rule.setProperty("surface", "rule")
        for widget in (rule, self.body, self.attachments, self.readers):
            inner.addWidget(widget)
        inner.addLayout(row(self.withdraw, None))
        inner.addStretch(1)
        scroll.inner.setContentsMargins(0, 0, 0, 0)
        centered = QHBoxLayout()
        centered.addWidget(column, 1000)
        centered.addStretch(1)
        scroll.inner.addLayout(centered)
        scroll.inner.addStretch(1)
        self._scroll = scroll
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.state)
        outer.addWidget(scroll, 1)
        outer.addWidget(self._build_foot())
        self.attachments.opened.connect(self.attachment_opened)
        self.attachments.saved.connect(self.attachment_saved)
        on_click(self.withdraw, self._ask_withdraw)

    def _build_foot(self) -> QFrame:
        self.foot = QFrame()
        self.foot.setProperty("surface", "footer")
        self._done_icon = IconLabel("check-circle-fill", tone="green", size=18)
        self.foot_text = Label(tone="ink2", wrap=True)
        self.foot_text.setObjectName("noticeConfirmText")
        self.confirm = Button(key="office.confirm", kind="primary", icon="check")
        self.confirm.setObjectName("noticeConfirm")
        line = QHBoxLayout(self.foot)
        line.setContentsMargins(28, 10, 28, 10)
        line.addWidget(self._done_icon)
        line.addWidget(self.foot_text, 1)
        line.addWidget(self.confirm)
        on_click(self.confirm, self._ask_confirm)
        self.foot.hide()
        return self.foot

    # ---- content
    @property
    def notice_id(self) -> str:
        """Which notice is read; empty for none."""
        return self._notice.id if self._notice else ""

    @property
    def sees_readers(self) -> bool:
        """Whether this user may see who has read it."""
        me, notice = self._data.session.me, self._notice
        return notice is not None and (notice.author_id == me.id or "publisher" in me.roles)

    def show_notice(self, notice: Notice, transfers: Sequence[Transfer] = ()) -> None:
        """Shows a notice; the same one again keeps its place on the screen."""
        same = self._notice is not None and self._notice.id == notice.id
        if not same:
            self._tally = None
            self._scroll.verticalScrollBar().setValue(0)
        if not same or (self._notice is not None and self._notice.body != notice.body):
            self.body.show_body(notice.body)
        self._notice = notice
        if notice.my_confirmed_at is None and not is_to_confirm(notice):
            self._confirmed_here.discard(notice.id)
        self.attachments.show_attachments(notice.attachments, transfers, self._data.session.files.has)
        self._refresh()

    def show_transfer(self, transfer: Transfer) -> None:
        """A download moved on."""
        self.attachments.show_transfer(transfer)

    def show_marks(self, marks: Sequence[ReadMark]) -> None:
        """Who has read it, for those who may know."""
        notice = self._notice
        if notice is None:
            return
        audience = audience_people(notice.audience, self._data.organization) - {notice.author_id or ""}
        self._tally = ReceiptTally(
            (m.person_id for m in marks if m.read_at and m.person_id in audience),
            (m.person_id for m in marks if m.confirmed_at and m.person_id in audience),
            audience,
        )
        self._refresh_readers()

    def show_confirmed(self, notice_id: str, confirmed: bool) -> None:
        """The user confirmed on this device: seen at once, whatever the network does; or it was refused."""
        if confirmed:
            self._confirmed_here.add(notice_id)
        else:
            self._confirmed_here.discard(notice_id)
        self._refresh_foot()

    def _refresh(self) -> None:
        notice = self._notice
        if notice is None:
            return
        i18n.unbind(self.title.setText)
        self.title.setText(notice.title)
        text, tone = chip_of(notice)
        self.chip.setText(text)
        self.chip.set_tone(tone)
        self.meta.setText(" · ".join(part for part in self._meta_parts(notice) if part))
        if notice.state == "withdrawn":
            at = when.date_time(notice.withdrawn_at) if notice.withdrawn_at else ""
            reason = notice.withdraw_reason or tr("office.no_reason")
            self.state.show_text(tr("office.withdrawn", time=at, reason=reason), tone="amber", icon="prohibit")
        elif notice.expires_at and notice.expires_at <= self._now_ms():
            text = tr("office.expired", time=when.date_time(notice.expires_at))
            self.state.show_text(text, tone="amber", icon="clock")
        else:
            self.state.hide()
        me = self._data.session.me
        self.withdraw.setVisible(notice.state == "published" and self.sees_readers and bool(me.id))
        self._refresh_foot()
        self._refresh_readers()

    def _meta_parts(self, notice: Notice) -> list[str]:
        data = self._data
        author = " ".join(filter(None, (data.name(notice.department_id), data.name(notice.author_id))))
        at = when.separator(notice.published_at or notice.created_at, self._now_ms())
        until = tr("office.until", time=when.date_time(notice.expires_at)) if notice.expires_at else ""
        return [author, at, self.audience_text(notice), until]

    def audience_text(self, notice: Notice) -> str:
        """Who it is for, in a few words."""
        audience = notice.audience
        if audience.everyone:
            return tr("office.everyone")
        names = [self._data.name(key) for key in audience.department_ids]
        names += [tr("office.role", role=role_text(role)) for role in audience.roles]
        names += [self._data.name(key) for key in audience.person_ids]
        shown = [name for name in names if name]
        if len(shown) > 4:
            return tr("office.audience_more", names=when.list_join(shown[:4]), n=len(shown))
        return when.list_join(shown)

    def _refresh_foot(self) -> None:
        notice = self._notice
        here = notice is not None and notice.id in self._confirmed_here
        wanted = notice is not None and is_to_confirm(notice) and not here
        done = notice is not None and notice.state == "published" and (bool(notice.my_confirmed_at) or here)
        self.foot.setVisible(wanted or done)
        self.confirm.setVisible(wanted)
        self._done_icon.setVisible(done)
        if notice is None or not (wanted or done):
            return
        live = self._data.session.status.state is ConnectionState.LIVE
        if wanted:
            self.foot_text.setText(tr("office.confirm_hint"))
        elif here and not live:
            self.foot_text.setText(tr("office.confirmed_offline"))
        elif notice.my_confirmed_at:
            self.foot_text.setText(
                tr("office.confirmed_at", time=when.separator(notice.my_confirmed_at, self._now_ms()))
            )
        else:
            self.foot_text.setText(tr("office.confirmed_now"))
        self.foot_text.set_tone("green" if done else "ink2")

    def _refresh_readers(self) -> None:
        notice = self._notice
        shown = notice is not None and self._tally is not None and self.sees_readers
        self.readers.setVisible(shown)
        if notice is not None and self._tally is not None and shown:
            self.readers.show_tally(self._tally, self._data.name, notice.level.value == "mustConfirm")

    # ---- what the user does
    def _ask_confirm(self) -> None:
        self.confirm_asked.emit(self.notice_id)

    def _ask_withdraw(self) -> None:
        self.withdraw_asked.emit(self.notice_id)


def role_text(role: str) -> str:
    """A role's name; unknown ones as they are."""
    key = f"office.role.{role}"
    return tr(key) if i18n.has(key) else role
