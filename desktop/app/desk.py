"""One signed-in session on the desktop: what arrives reaches the tray and the pop-ups, what the user does there reaches the core."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Protocol

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication

from desktop.core.clock import local_minutes
from desktop.core.domain import Alert, ConnectionState, Conversation, ModuleDefinition, Notice, Presence
from desktop.core.domain.moments import is_today
from desktop.core.domain.records import DueItem, Light, Todo, TodoKind
from desktop.core.errors import AppError
from desktop.core.events import ChangeSet, Event, PresenceChanged, StatusChanged
from desktop.models.alert_rules import AlertRules, Rule
from desktop.models.alerts import Attention, BacklogItem, Item, MessageItem, NoticeItem, Quiet
from desktop.models.people import People
from desktop.models.records import is_to_confirm
from desktop.models.session import SessionState
from desktop.models.transfers import TransfersModel
from desktop.models.verbs import TalkSession
from desktop.platform.notifications import NotificationButton, SystemNotifications
from desktop.platform.preferences import DND_FOREVER, Preferences
from desktop.ui.chat.conversation_list import preview
from desktop.ui.i18n import error_text, tr
from desktop.ui.shell.navigator import Navigator
from desktop.ui.tasks import TaskOwner
from desktop.ui.toasts.stack import ToastStack
from desktop.ui.toasts.toast import CONFIRM_KIND, alert_heading, message_text, open_key
from desktop.ui.tray.tray import Tray

log = logging.getLogger("tongban.desk")

GATHER_MS = 120  # changes of conversations come in runs; the badge is counted once for each run
WORK_GATHER_MS = 1500  # to-dos and dates: questions over all modules, for one line of the tray
WORK_TICK_MS = 15 * 60_000  # dates pass by themselves
TALK = frozenset({"Conversation", "Message", "Receipt", "Member", "Person", "Department", "Comment", "ReadMark"})
HOUR_MS = 3_600_000
MORNING_HOUR = 8
GATHER_LIMIT_MS = 8000  # what had gathered is shown then, with or without a server
CALM_MS = 300  # after the last change of a catch-up
HOURS = {"hour": 1, "four": 4}


class OfficeVerbs(Protocol):
    """What of the office a pop-up needs."""

    async def confirm(self, notice_id: str) -> None: ...
    async def notices(self) -> list[Notice]: ...


class AlertVerbs(Protocol):
    """What of the alerts a pop-up needs."""

    async def alerts(self) -> list[Alert]: ...
    async def dismiss(self, alert_id: str) -> None: ...


class RecordVerbs(Protocol):
    """What of the records of all modules the tray tells."""

    async def todos(self, kind: str | None = None, state: str = "open") -> list[Todo]: ...
    async def radar(self) -> list[DueItem]: ...
    async def modules(self) -> list[ModuleDefinition]: ...


class DeskSession(TalkSession, Protocol):
    """The session as the desk sees it."""

    @property
    def office(self) -> OfficeVerbs: ...
    @property
    def alerts(self) -> AlertVerbs: ...
    @property
    def records(self) -> RecordVerbs: ...


class Desk(QObject):
    """Lives from sign-in to sign-out."""

    def __init__(
        self,
        session: DeskSession,
        navigator: Navigator,
        tray: Tray,
        preferences: Preferences,
        notifications: SystemNotifications,
        *,
        looking_at: Callable[[], str | None],
        now_ms: Callable[[], int],
        held: Callable[[], bool] = lambda: False,
        play: Callable[[str], object] = lambda _name: None,
        parent: QObject | None = None,
    ) -> None:
        """`held`: the desktop wants no pop-ups but urgent ones just now. `play`: a sound by name."""
        super().__init__(parent)
        self._session, self._navigator, self._tray = session, navigator, tray
        self._preferences, self._notifications = preferences, notifications
        self._looking_at, self._now_ms = looking_at, now_ms
        self._held, self._play = held, play
        self._locked = False
        self._stack = ExitStack()
        self.tasks = TaskOwner(self)
        self.people = People(session.me, self)
        self.state = SessionState(session.me, session.status, now_ms=now_ms, parent=self)
        self.transfers = TransfersModel(self)
        self.rules = AlertRules(session.me.id, lambda: preferences.now.rules)
        self.attention = Attention(
            quiet=self._quiet,
            looking_at=looking_at,
            wants_message=self.rules.wants_message,
            wants_alert=self.rules.wants_alert,
            parent=self,
        )
        self.toasts = ToastStack(name_of=self._name_of, show_content=lambda: preferences.now.show_content, parent=self)
        self._newest: dict[str, int] = {}
        self._count_timer = QTimer(self, interval=GATHER_MS, singleShot=True)
        self._count_timer.timeout.connect(self._recount)
        self._work_timer = QTimer(self, interval=WORK_GATHER_MS, singleShot=True)
        self._work_timer.timeout.connect(self._retell)
        self._calm = QTimer(self, singleShot=True)
        self._calm.timeout.connect(self.attention.end_gathering)
        self._bind()

    # ------------------------------------------------------------ life
    def start(self) -> None:
        """Begins to listen and loads what is there already."""
        self._stack.enter_context(self._session.events.subscribe(self.on_event))
        self.attention.begin_gathering()
        told = self._session.presence
        self.people.set_presence(told.everyone(), snapshot=True, texts=told.texts())
        self._tray.set_account(self._session.me.name)
        self._apply_preferences("")
        self._on_presence()
        self.tasks.start(self._load(), name="load")
        self._work_timer.start()

    def stop(self) -> None:
        """Signed out: no pop-up, badge or flash of this session is left."""
        self._stack.close()
        self._work_timer.stop()
        self._calm.stop()
        self.tasks.cancel_all()
        self.toasts.clear()
        self._preferences.changed.disconnect(self._apply_preferences)
        self._tray.status_chosen.disconnect(self.choose_status)
        self._tray.quiet_asked.disconnect(self.ask_quiet)
        self._tray.quiet_until_asked.disconnect(self.quiet_until)
        self._tray.conversation_asked.disconnect(self._navigator.open_conversation)
        self._tray.work_asked.disconnect(self._show_work)
        self._tray.ignore_asked.disconnect(self.ignore_unread)
        self._tray.set_account("")

    async def close(self) -> None:
        """Takes back what the system's notification center still shows."""
        await self._notifications.clear()

    def _bind(self) -> None:
        self.state.presence_changed.connect(self._on_presence)
        self.state.unread_changed.connect(self._on_unread)
        self.state.quiet_changed.connect(self._on_quiet)
        self.attention.shown.connect(self._show)
        self.attention.gone.connect(self._take_away)
        self.attention.arrived.connect(self._tray.flash)
        self.toasts.reply_asked.connect(self.reply)
        self.toasts.open_asked.connect(self.open)
        self.toasts.confirm_asked.connect(self.confirm)
        self.toasts.snooze_asked.connect(self.attention.snooze)
        self.toasts.closed.connect(self.attention.closed)
        self._tray.status_chosen.connect(self.choose_status)
        self._tray.quiet_asked.connect(self.ask_quiet)
        self._tray.quiet_until_asked.connect(self.quiet_until)
        self._tray.conversation_asked.connect(self._navigator.open_conversation)
        self._tray.work_asked.connect(self._show_work)
        self._tray.ignore_asked.connect(self.ignore_unread)
        self._preferences.changed.connect(self._apply_preferences)

    async def _load(self) -> None:
        session = self._session
        await self._load_people()
        self.rules.set_modules(await session.records.modules())
        conversations = await session.chat.conversations()
        self.state.count_unread(conversations)
        self._tell_unread(conversations)
        self.transfers.reset(reversed(session.files.transfers()))  # newest first
        for alert in await session.alerts.alerts():
            if alert.urgent:  # what must be confirmed asks again after each start
                self.attention.offer(NoticeItem(alert.id, alert))
        if self._caught_up():
            self.attention.end_gathering()
        else:
            self._calm.start(GATHER_LIMIT_MS)

    async def _load_people(self) -> None:
        directory = self._session.directory
        self.people.set_directory(await directory.people(), await directory.departments())

    # ------------------------------------------------------------ what arrives
    def on_event(self, event: Event) -> None:
        """Follows the session's events, on the UI thread."""
        self.state.on_event(event)
        self.transfers.on_event(event)
        self.attention.on_event(event)
        match event:
            case ChangeSet(type_name="Conversation" | "Message" | "Receipt"):
                self._count_timer.start()
            case StatusChanged():
                self._on_status()
            case PresenceChanged(presence=presence, snapshot=snapshot, texts=texts):
                self.people.set_presence(presence, snapshot=snapshot, texts=texts)
            case ChangeSet(type_name="Person"):
                self.tasks.start(self._load_people(), name="people", exclusive=True)
            case _:
                pass
        if isinstance(event, ChangeSet) and event.type_name not in TALK:
            self._work_timer.start(WORK_GATHER_MS)

    def _caught_up(self) -> bool:
        """Whether nothing more is known to be on its way."""
        status = self.state.status
        if status.state in (ConnectionState.OFFLINE, ConnectionState.FAILED):
            return True
        return status.state is ConnectionState.LIVE and not status.syncing

    def _on_status(self) -> None:
        """What comes with a way back to the server had gathered meanwhile."""
        if self._caught_up():
            if self.attention.gathering and not self.tasks.running("load"):
                self._calm.start(CALM_MS)
        elif self.state.status.state is ConnectionState.CONNECTING and not self.attention.gathering:
            self.attention.begin_gathering()
            self._calm.start(GATHER_LIMIT_MS)

    def _retell(self) -> None:
        self.tasks.start(self._tell_work(), name="work", exclusive=True)

    async def _tell_work(self) -> None:
        """What waits and what falls due, for the tray."""
        now = self._now_ms()
        todos = len(await self._session.records.todos(TodoKind.TODO))
        todos += sum(is_to_confirm(notice) for notice in await self._session.office.notices())
        radar = await self._session.records.radar()
        overdue = sum(item.light is Light.RED for item in radar)
        today = sum(item.at_ms > now and is_today(item.at_ms, now, local_minutes(now)) for item in radar)
        self._tray.set_work(todos, overdue, today)
        self._work_timer.start(WORK_TICK_MS)

    def _recount(self) -> None:
        self.tasks.start(self._count(), name="count", exclusive=True)

    async def _count(self) -> None:
        conversations = await self._session.chat.conversations()
        self.state.count_unread(conversations)
        self._tell_unread(conversations)
        for conversation in conversations:
            self._settle(conversation)

    def _tell_unread(self, conversations: list[Conversation]) -> None:
        """What the card beside the tray icon lists, the last words too unless the user keeps them off the screen."""
        hidden = "" if self._preferences.now.show_content else tr("toasts.hidden")
        waiting = [one for one in conversations if one.unread_count and not one.muted]
        waiting = [one for one in waiting if self.rules.of_conversation(one.id) is not Rule.NONE]
        waiting.sort(key=lambda one: -one.updated_at)
        self._tray.set_unread_list([(one, hidden or last_words(one, self.people)) for one in waiting])

    def ignore_unread(self) -> None:
        """Everything that is unread counts as read."""
        self.tasks.start(self._ignore_unread(), name="ignore", exclusive=True)

    async def _ignore_unread(self) -> None:
        for conversation in await self._session.chat.conversations():
            if conversation.unread_count and not conversation.muted:
                await self._session.chat.mark_read(conversation.id, conversation.last_seq)

    def _show_work(self) -> None:
        self._navigator.open_page("workbench")

    def _settle(self, conversation: Conversation) -> None:
        """Takes away what was read meanwhile, here or on another device. By position: counts may come after the message."""
        newest = self._newest.get(conversation.id)
        if newest is not None and conversation.read_seq >= newest:
            del self._newest[conversation.id]
            self.attention.read(conversation.id)
            self._tray.calm(conversation.id)

    def _show(self, item: Item) -> None:
        if isinstance(item, MessageItem):
            self._newest[item.key] = item.message.seq
        self._sound(item)
        if self._system_style():
            self.tasks.start(self._notify(item), name=f"notify-{item.key}", exclusive=True)
        else:
            self.toasts.show_item(item)

    def _sound(self, item: Item) -> None:
        if not self._preferences.now.sound:
            return
        rule, name = Rule.ALL, "alert"
        if isinstance(item, MessageItem):
            rule, name = self.rules.of_conversation(item.key), "message"
        elif isinstance(item, NoticeItem):
            rule, name = self.rules.of_alert(item.alert), "urgent" if item.alert.urgent else "alert"
        if rule is not Rule.SILENT:
            self._play(name)

    def _take_away(self, key: str) -> None:
        self.toasts.remove(key)
        if self._system_style():
            self.tasks.start(self._notifications.remove(key), name=f"notify-{key}", exclusive=True)

    def _system_style(self) -> bool:
        """The system's notifications: by choice, and on Wayland, where a program may not place its windows."""
        return self._preferences.now.style == "system" or QGuiApplication.platformName().startswith("wayland")

    async def _notify(self, item: Item) -> None:
        if isinstance(item, BacklogItem):
            if not await self._notify_backlog(item):
                self.toasts.show_item(item)
            return
        words = "toasts.open" if isinstance(item, MessageItem) else open_key(item.alert)
        open_it = NotificationButton(tr(words), lambda: self.open(item))
        if isinstance(item, MessageItem):
            title = self._sender(item)
            text = message_text(item) if self._preferences.now.show_content else tr("toasts.hidden")
            taken = await self._notifications.send(
                item.key, title, text, buttons=[open_it], clicked=lambda: self.open(item)
            )
        else:
            buttons = [open_it]
            if item.alert.kind == CONFIRM_KIND:
                buttons.insert(0, NotificationButton(tr("toasts.confirm"), lambda: self.confirm(item)))
            heading = alert_heading(item.alert)
            taken = await self._notifications.send(
                item.key,
                heading,
                item.alert.title,
                urgent=item.alert.urgent,
                buttons=buttons,
                clicked=lambda: self.open(item),
            )
        if not taken:
            self.toasts.show_item(item)  # better our own than none

    async def _notify_backlog(self, item: BacklogItem) -> bool:
        return await self._notifications.send(
            item.key,
            tr("app.name"),
            tr("toasts.backlog", n=len(item.alerts)),
            urgent=item.urgent,
            buttons=[NotificationButton(tr("toasts.backlog.open"), lambda: self.open(item))],
            clicked=lambda: self.open(item),
        )

    def _sender(self, item: MessageItem) -> str:
        sender = self._name_of(item.message.sender_id) if item.message.sender_id else ""
        return (
            f"{sender} · {item.conversation.name}"
            if sender and sender != item.conversation.name
            else item.conversation.name
        )

    def _name_of(self, person_id: str) -> str:
        return self.people.name(person_id) or tr("common.unknown_person")

    # ------------------------------------------------------------ what the user does
    def reply(self, conversation_id: str, text: str) -> None:
        """Sends a reply out of a pop-up. It counts as having read."""
        item = self.attention.recall(conversation_id)
        self._guard(self._reply(conversation_id, text, item), conversation_id, self.toasts.reply_failed, "reply")

    async def _reply(self, conversation_id: str, text: str, item: MessageItem | None) -> None:
        await self._session.chat.send_text(conversation_id, text)
        self.toasts.reply_done(conversation_id)
        if item is not None:
            await self._session.chat.mark_read(conversation_id, item.message.seq)

    def confirm(self, item: NoticeItem) -> None:
        """Confirms the notice, message or announcement an alert is about."""
        self._guard(self._confirm(item), item.key, self.toasts.confirm_failed, "confirm")

    async def _confirm(self, item: NoticeItem) -> None:
        link = item.alert.link
        if link is None:
            return
        match link.type:
            case "Message":
                await self._session.chat.confirm(link.id)
            case "Announcement":
                await self._session.chat.confirm_announcement(link.id)
            case _:
                await self._session.office.confirm(link.id)
        self.attention.forget(item.key)

    def open(self, item: Item) -> None:
        """Shows what a pop-up is about."""
        self.toasts.remove(item.key)
        self.attention.closed(item.key)
        if isinstance(item, MessageItem):
            self._navigator.open_conversation(item.key)
            return
        if isinstance(item, BacklogItem):
            self._navigator.open_page("workbench")
            return
        link = item.alert.link
        match link.type if link else "":
            case "Notice" if link:
                self._navigator.open_notice(link.id)
            case "Document" if link:
                self._navigator.open_document(link.id)
            case "Message" if link:
                self.tasks.start(self._open_message(link.id), name=f"open-{item.key}")
            case "Conversation" if link:
                self._navigator.open_conversation(link.id)
            case "JoinRequest" if link:
                self.tasks.start(self._open_request(link.id), name=f"open-{item.key}")
            case _ if link:
                self._navigator.open_record(link.type, link.id)
            case _:
                self._navigator.open_page("workbench")
        if item.alert.kind != CONFIRM_KIND:
            self.tasks.start(self._session.alerts.dismiss(item.alert.id), name=f"dismiss-{item.key}")

    async def _open_message(self, message_id: str) -> None:
        """The talk at the message an alert is about."""
        message = await self._session.chat.message(message_id)
        if message is not None:
            self._navigator.open_message(message.conversation_id, message.id, message.seq)

    async def _open_request(self, request_id: str) -> None:
        """The group somebody asks to join, with the question beside it; the group's window stays shut when it is answered."""
        waiting = await self._session.chat.join_requests()
        found = next((one for one in waiting if one.id == request_id), None)
        if found is not None:
            self._navigator.open_members(found.conversation_id)

    def _guard(self, work: Awaitable[None], key: str, failed: Callable[[str, str], None], name: str) -> None:
        """Runs what a pop-up asked for; an expected failure is told in the pop-up, with what was typed kept."""

        async def guarded() -> None:
            try:
                await work
            except AppError as error:
                failed(key, error_text(error))

        self.tasks.start(guarded(), name=f"{name}-{key}")

    # ------------------------------------------------------------ state
    def choose_status(self, presence: Presence) -> None:
        """The user picked a status: colleagues see it, pop-ups obey it."""
        if presence is not Presence.DND:
            self._preferences.set(dnd_until=0)
        self.state.choose(presence)
        self._tell_presence(presence)

    def ask_quiet(self, how: str) -> None:
        """Do not disturb for an hour, until tomorrow morning, or no longer."""
        if how == "off" and self.state.chosen is Presence.DND:
            self.state.choose(Presence.ONLINE)
            self._tell_presence(Presence.ONLINE)
        until = _tomorrow_morning(self._now_ms()) if how == "tomorrow" else 0
        if how in HOURS:
            until = self._now_ms() + HOURS[how] * HOUR_MS
        self.quiet_until(until)

    def quiet_until(self, moment_ms: int) -> None:
        """Do not disturb until a moment of the wall clock; 0: no longer."""
        self._preferences.set(dnd_until=moment_ms)

    def set_absent(self, absent: bool) -> None:
        """The user left the desk or came back: who was online is away meanwhile."""
        if self.state.set_absent(absent):
            self._tell_presence(self.state.told)

    def set_locked(self, locked: bool) -> None:
        """While the program is locked nothing of what it holds shows on the screen."""
        self._locked = locked
        if locked:
            self.attention.hold_all()
            self.toasts.clear()
            self._tray.hide_card()
        else:
            self.attention.release()

    def newest_unread(self) -> str:
        """The conversation whose unread message came last; empty when all is read."""
        return self._tray.newest_unread

    def _tell_presence(self, presence: Presence) -> None:
        self.tasks.start(self._session.presence.set_presence(presence), name="presence", exclusive=True)

    def _quiet(self) -> Quiet:
        choices = self._preferences.now
        return Quiet(self.state.quiet or self._held(), not choices.toasts, not choices.notice_toasts, self._locked)

    def _apply_preferences(self, _name: str) -> None:
        choices = self._preferences.now
        self._tray.set_flash_enabled(choices.flash)
        self._tray.set_hover_enabled(choices.hover)
        daily = (choices.quiet_from, choices.quiet_to) if choices.quiet_daily else None
        self.state.set_quiet(min(choices.dnd_until, DND_FOREVER), daily)

    def _on_presence(self) -> None:
        self._tray.set_presence(self.state.presence, quiet=self.state.quiet)

    def _on_unread(self) -> None:
        self._tray.set_unread(self.state.unread, self.state.unread_conversations)

    def _on_quiet(self) -> None:
        self._tell_presence(self.state.told)
        if not self.state.quiet:
            self.attention.release()


def last_words(conversation: Conversation, people: People) -> str:
    """What the list of conversations says of it, in plain words."""
    mark, _, body = preview(conversation, people)
    return " ".join(part for part in (mark, body) if part)


def _tomorrow_morning(now_ms: int) -> int:
    from PySide6.QtCore import QDateTime, QTime

    tomorrow = QDateTime.fromMSecsSinceEpoch(now_ms).addDays(1)
    tomorrow.setTime(QTime(MORNING_HOUR, 0))
    return tomorrow.toMSecsSinceEpoch()
