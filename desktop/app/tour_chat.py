"""The talking part of the tour: what the flow shows beside text, several messages picked, forwarding, the panel of a group, sending later."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from desktop.app.tour_hands import Hands

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop.core.domain import Message
    from desktop.ui.chat.pane import ChatPane

CODE: Final = "SELECT station, level\nFROM water_levels\nWHERE at > now() - interval '2 hours';"


@dataclass(frozen=True, slots=True)
class Said:
    """What people say on the way, and where."""

    group: str
    plan: str
    question: str
    answers: tuple[str, ...]
    chain: str
    example: str
    order: str
    later: str


class ChatStops:
    """Stops in the order of the walk; each leaves the messages page as it found it."""

    def __init__(self, hands: Hands, window: "Callable[[str, QWidget], None]", said: Said) -> None:
        """`window` takes the picture of one window under a page's name."""
        self._hands, self._window, self._said = hands, window, said

    def stops(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """Name and way of each stop. The names begin with those of their pictures."""
        return [
            ("chat-kinds", self.kinds),
            ("chat-own", self.own),
            ("chat-pick", self.pick),
            ("chat-forward", self.forward),
            ("chat-group", self.group),
            ("chat-later", self.later),
        ]

    async def _pane(self) -> "ChatPane":
        from desktop.ui.chat.page import MessagesPage

        await self._hands.open_talk(self._said.group)
        page = self._hands.entered().window.page("messages")
        assert isinstance(page, MessagesPage)
        return page.pane

    def _held(self, pane: "ChatPane") -> "list[Message]":
        return [pane.window_model.at(row) for row in range(len(pane.window_model))]

    async def kinds(self) -> None:
        """A colleague sends one of each kind; this user answers."""
        pane = await self._pane()
        assert pane.conversation is not None
        where, call = pane.conversation.id, self._hands.call
        colleague = await self._hands.colleague()
        await call(colleague.chat.send_text(where, self._said.plan, markdown=True))
        await call(colleague.chat.send_code(where, CODE, "sql"))
        await call(colleague.chat.send_poll(where, self._said.question, self._said.answers))
        await call(colleague.chat.send_chain(where, self._said.chain, self._said.example))
        last = await call(colleague.chat.send_text(where, self._said.order, must_confirm=True))
        await self._hands.until(lambda: any(m.must_confirm and m.text == last.text for m in self._held(pane)), "kinds")
        asked = next(m for m in self._held(pane) if m.poll is not None)
        mine = self._hands.entered().session.chat
        await mine.choose(asked.id, [asked.poll.options[0].id] if asked.poll is not None else [])
        await mine.react(next(m for m in self._held(pane) if m.markdown).id, "👍")
        told = self._held(pane)[-1]
        pane.view.to_newest()
        await self._hands.until(lambda: pane.view.at_newest, "the foot")
        self._hands.shoot("chat-kinds")
        await mine.confirm(told.id)
        await self._hands.until(lambda: self._held(pane)[-1].confirmed_ids, "confirmed")
        self._hands.shoot("chat-kinds-confirmed")

    async def own(self) -> None:
        """An own message changed, with the line of the composer that says so, and then taken back."""
        pane = await self._pane()
        assert pane.conversation is not None
        chat = self._hands.entered().session.chat
        sent = await chat.send_text(pane.conversation.id, self._said.later)

        def now() -> "Message | None":
            return next(
                (m for m in self._held(pane) if m.sender_id == sent.sender_id and m.sent_at >= sent.sent_at), None
            )

        await self._hands.until(lambda: (message := now()) is not None and message.seq, "sent")
        message = now()
        assert message is not None
        pane.message_actions.start_edit(message)
        await self._hands.until(lambda: pane.composer.editing == message.id, "the text in the composer")
        self._hands.shoot("chat-own-editing")
        pane.composer.edit.setPlainText(self._said.order)
        pane.composer.submit()
        await self._hands.until(lambda: (held := now()) is not None and held.edited_at and not held.changing, "changed")
        self._hands.shoot("chat-own-edited")
        pane.message_actions.recall(message)
        await self._hands.until(
            lambda: (held := now()) is not None and held.recalled_at and not held.changing, "recalled"
        )
        self._hands.shoot("chat-own-recalled")

    async def pick(self) -> None:
        """Some messages with check marks, and what can be done with them."""
        pane = await self._pane()
        picking = pane.view.picking
        said = [m for m in self._held(pane) if m.text and m.seq and m.recalled_at is None][-3:]
        picking.start(said[0].id)
        for message in said[1:]:
            picking.toggle(message.id)
        await self._hands.until(pane.pick_bar.isVisible, "the bar")
        self._hands.shoot("chat-pick")
        picking.stop()

    async def forward(self) -> None:
        """The question where a message goes."""
        from PySide6.QtWidgets import QApplication

        from desktop.ui.chat.target_picker import TargetPicker

        pane = await self._pane()
        pane.message_actions.forwarder.start([m for m in self._held(pane) if m.text and m.seq][-1:])

        def asked() -> TargetPicker | None:
            windows = QApplication.topLevelWidgets()
            return next((w for w in windows if isinstance(w, TargetPicker) and w.isVisible()), None)

        await self._hands.until(lambda: asked() is not None, "where to")
        picker = asked()
        assert picker is not None
        picker.toggle(0)
        self._window("chat-forward", picker)
        picker.reject()

    async def group(self) -> None:
        """The panel of a group, part by part."""
        pane = await self._pane()
        for tab in ("members", "notices", "files", "settings"):
            pane.open_panel(tab)
            panel = pane.panel
            assert panel is not None
            await self._hands.until(lambda panel=panel: not panel.tasks.busy, tab)
            self._hands.shoot(f"chat-group-{tab}")
        assert pane.panel is not None
        pane.panel.hide()

    async def later(self) -> None:
        """A text that waits for its time, and the list of what waits."""
        from desktop.ui.chat.schedule_dialogs import usual_times
        from desktop.ui.i18n import when

        pane = await self._pane()
        assert pane.conversation is not None
        chat, where = self._hands.entered().session.chat, pane.conversation.id
        at = usual_times(when.now())[-1][1]
        await chat.schedule(where, self._said.later, at)
        await pane.more_to_send.show_waiting(where)
        waiting = pane.more_to_send.waiting
        assert waiting is not None
        await self._hands.until(lambda: bool(waiting.items), "what waits")
        self._window("chat-later", waiting)
        for item in waiting.items:
            await chat.unschedule(item.id)
        waiting.accept()
