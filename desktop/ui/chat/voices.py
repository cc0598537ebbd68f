"""Voice messages of an open talk: recorded in the composer's place, played one after the other, remembered as heard."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QWidget

from desktop.core.domain import Message, MessageKind
from desktop.core.errors import AppError
from desktop.models.verbs import TalkSession
from desktop.ui import i18n
from desktop.ui.chat.open_talk import OpenTalk
from desktop.ui.i18n import tr
from desktop.ui.shell.ui_state import UiState
from desktop.ui.tasks import alive

if TYPE_CHECKING:  # with the first voice message: a talk of text needs no sound
    from desktop.ui.voice.devices import Player
    from desktop.ui.voice.pcm import Take
    from desktop.ui.voice.recorder import RecorderBar

RATES: Final = (1.0, 1.5, 2.0)
KEPT: Final = 3000  # heard messages that are remembered
HOLD_MS: Final = 350  # pressed longer, the button records while it is held


class VoicePlaying(QObject):
    """What plays now; rows ask while they are painted. `heard` is kept on this device."""

    def __init__(
        self,
        host: QWidget,
        talk: OpenTalk,
        session: TalkSession,
        state: UiState,
        make_player: Callable[[QObject], Player] | None = None,
    ) -> None:
        super().__init__(host)
        self._host, self._talk, self._session, self._state = host, talk, session, state
        self._make, self._player = make_player, None
        kept = state.get("voice.heard", [])
        self._heard = dict.fromkeys(one for one in kept if isinstance(one, str)) if isinstance(kept, list) else {}
        self.current = ""
        self.playing = False
        self.place_ms = 0
        self.rate = 1.0
        self._goes_on = False

    _player: Player | None

    # ---- what rows ask
    def is_unheard(self, message: Message) -> bool:
        """Whether a colleague's message was not played yet."""
        return message.sender_id != self._talk.context.me_id and message.id not in self._heard

    def progress(self, message: Message) -> float:
        """0..1 of what was played; 0 when it is not the one."""
        length = message.attachment.duration_ms if message.attachment is not None else None
        return min(1.0, self.place_ms / length) if message.id == self.current and length else 0.0

    # ---- what the user does
    def toggle(self, message: Message) -> None:
        """Plays, stands still, goes on."""
        if message.id == self.current and self._player is not None:
            self.playing = not self.playing
            if self.playing:
                self._player.resume()
            else:
                self._player.pause()
            self._repaint()
            return
        self._goes_on = self.is_unheard(message)
        self._begin(message)

    def next_rate(self, message: Message) -> None:
        """The next speed while it plays; else it plays."""
        if message.id != self.current:
            self.toggle(message)
            return
        self.rate = RATES[(RATES.index(self.rate) + 1) % len(RATES)]
        if self._player is not None:
            self._player.set_rate(self.rate)
        self._repaint()

    def stop(self) -> None:
        """Silence."""
        if self._player is not None:
            self._player.stop()
        self.current, self.playing, self.place_ms = "", False, 0
        self._repaint()

    def _begin(self, message: Message) -> None:
        self.stop()
        self.current = message.id
        self._repaint()
        self._talk.tasks.start(self._play(message), name="voice", exclusive=True)

    async def _play(self, message: Message) -> None:
        assert message.attachment is not None
        try:
            data = await self._session.files.open_bytes(message.attachment.blob_id)
        except AppError as error:
            self._give_up(message.id, i18n.error_text(error))
            return
        if not alive(self._host) or self.current != message.id:
            return
        from desktop.ui.voice.devices import NoDevice, QtPlayer

        self._player = self._player or (self._make or QtPlayer)(self)
        try:
            self._player.play(data, self.rate, self._on_moved, self._on_ended, self._on_failed)
        except NoDevice as problem:
            self._give_up(message.id, tr(problem.key))
            return
        self.playing = True
        self._mark_heard(message.id)
        self._repaint()

    def _give_up(self, message_id: str, sentence: str) -> None:
        if alive(self._host) and self.current == message_id:
            self.stop()
            self._talk.snack.say(sentence)

    def _mark_heard(self, message_id: str) -> None:
        if message_id not in self._heard:
            self._heard[message_id] = None
            self._state.set("voice.heard", list(self._heard)[-KEPT:])

    def _on_moved(self, place_ms: int) -> None:
        self.place_ms = place_ms
        self._repaint()

    def _on_failed(self) -> None:
        self._give_up(self.current, tr("voice.cannot_play"))

    def _on_ended(self) -> None:
        ended = self.current
        self.stop()
        following = self._next_unheard(ended) if self._goes_on else None
        if following is not None:
            self._begin(following)

    def _next_unheard(self, message_id: str) -> Message | None:
        window = self._talk.view.window_model
        rows = range(window.row_of(message_id) + 1, len(window)) if window.row_of(message_id) >= 0 else range(0)
        found = (window.at(row) for row in rows)
        return next((m for m in found if is_playable(m) and self.is_unheard(m)), None)

    def _repaint(self) -> None:
        if alive(self._host):
            self._talk.view.viewport().update()


def is_playable(message: Message) -> bool:
    """Whether it is a voice message that still has its sound."""
    return message.kind is MessageKind.VOICE and message.attachment is not None and message.recalled_at is None


def _bar(parent: QWidget) -> RecorderBar:
    from desktop.ui.voice.recorder import RecorderBar

    return RecorderBar(parent)


class VoiceRecording(QObject):
    """The composer's microphone: a click begins and the bar ends it; held down, letting go sends and sliding away cancels."""

    def __init__(
        self,
        host: QWidget,
        talk: OpenTalk,
        session: TalkSession,
        make_bar: Callable[[QWidget], RecorderBar] | None = None,
    ) -> None:
        super().__init__(host)
        self._talk, self._session, self._make = talk, session, make_bar
        self._bar: RecorderBar | None = None
        self._conversation = ""
        self._pressed_at = 0
        talk.composer.voice_wanted.connect(self.start)
        talk.composer.voice_button.installEventFilter(self)

    @property
    def bar(self) -> RecorderBar:
        """The bar, made when it is first wanted."""
        if self._bar is None:
            composer = self._talk.composer
            self._bar = (self._make or _bar)(composer)
            self._bar.hide()
            composer.put_over_edit(self._bar)
            self._bar.recorded.connect(self._on_recorded)
            self._bar.said.connect(self._talk.snack.say)
            self._bar.ended.connect(lambda: composer.show_edit(True))
        return self._bar

    def start(self) -> None:
        """Begins to record for the open conversation; while it records, it is done and sent."""
        if self.bar.recording:
            self.bar.send()
            return
        if self._talk.conversation is None:
            return
        self._conversation = self._talk.conversation.id
        if self.bar.start(self._talk.policy.max_voice_ms):
            self._talk.composer.show_edit(False)
            self.bar.setFocus()

    def cancel(self) -> None:
        """The talk turns to another conversation: nothing is sent there."""
        if self._bar is not None:
            self._bar.cancel()

    def _on_recorded(self, take: Take) -> None:
        sending = self._session.chat.send_voice(
            self._conversation, take.wav(), take.duration_ms, take.waveform(), "audio/wav"
        )
        self._talk.tasks.start(sending, name="send-voice")

    # ---- held down
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent) and event.button() is Qt.MouseButton.LeftButton:
            if event.type() is QEvent.Type.MouseButtonPress and not self.bar.recording:
                self._pressed_at = int(event.timestamp())
                self.start()
                return True
            if event.type() is QEvent.Type.MouseButtonRelease and self._pressed_at:
                held = int(event.timestamp()) - self._pressed_at
                self._pressed_at = 0
                if held >= HOLD_MS:
                    self._let_go(event.position())
                return True
        return super().eventFilter(watched, event)

    def _let_go(self, place: QPointF) -> None:
        if self._talk.composer.voice_button.rect().contains(place.toPoint()):
            self.bar.send()
        else:
            self.bar.cancel()
