"""Records as the talk shows them: live cards, and new records made out of a message. Reads only what a talk on the screen asks for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from PySide6.QtCore import QObject, QTimer

from desktop.core.domain import Card, Message
from desktop.core.domain.records import Record
from desktop.core.errors import AppError
from desktop.core.events import ChangeSet, Event
from desktop.ui import i18n
from desktop.ui.chat.cards import CardFace, Offer
from desktop.ui.office.record.card import card_lines
from desktop.ui.office.record.origins import Source, makeable, prefill_from
from desktop.ui.office.views.base import RecordsSession, ViewContext
from desktop.ui.tasks import TaskOwner, alive
from desktop.ui.theme import icons

GATHER_MS: Final = 30

Key = tuple[str, str]


class TalkCards(QObject):
    """A `CardSource` over the session's records."""

    def __init__(self, session: RecordsSession, now_ms: Callable[[], int], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._context = ViewContext(session, "", now_ms, self)
        self.tasks = TaskOwner(self)
        self._records: dict[Key, Record | None] = {}
        self._faces: dict[Key, CardFace] = {}
        self._wanted: set[Key] = set()
        self._watchers: list[Callable[[], None]] = []
        self._loaded = False
        self._timer = QTimer(self, interval=GATHER_MS, singleShot=True)
        self._timer.timeout.connect(self._reload)
        self._context.names_changed.connect(self._renew)
        self._context.definition_changed.connect(self._renew)
        i18n.changed.connect(self._renew)
        self._listening = ExitStack()  # kept: a connection holds a bound method weakly
        self._listening.enter_context(session.events.subscribe(self._on_event))
        self.destroyed.connect(self._listening.close)

    def warm(self) -> None:
        """Reads definitions and names, so that the first card and the first menu are whole."""
        if not self._timer.isActive():
            self._timer.start()

    # ---- CardSource
    def watch(self, on_change: Callable[[], None]) -> None:
        """Calls back whenever a face or an offer changed."""
        self._watchers.append(on_change)

    def face(self, card: Card) -> CardFace | None:
        """The card as it is now; None while it is being read."""
        key = (card.type, card.id)
        if key not in self._records:
            self._want(key)
            return None
        if not self._loaded:
            return None
        face = self._faces.get(key)
        if face is None or (face.closed and face.title != card.title):
            face = self._faces[key] = self._made(card, self._records[key])
        return face

    def offers(self) -> list[Offer]:
        """Types with an origin that this user may create."""
        if not self._loaded:
            self.warm()
        return [
            Offer(one.name, self._context.label(one.label), _glyph(module.icon))
            for one in makeable(self._context)
            if (module := next((m for m in self._context.modules if m.type(one.name)), None)) is not None
        ]

    def prefill(self, type_name: str, message: Message) -> dict[str, Any]:
        """The first line as title, the whole text as description, the message as origin."""
        definition = self._context.type_of(type_name)
        if definition is None:
            return {}
        text = message.text.strip() or (message.attachment.name if message.attachment is not None else "")
        title = " ".join(text.splitlines()[:1])
        return prefill_from(definition, Source("Message", message.id, title, text, message.conversation_id))

    # ---- reading
    def _want(self, key: Key) -> None:
        if key not in self._wanted:
            self._wanted.add(key)
            self.warm()

    def _on_event(self, event: Event) -> None:
        if not isinstance(event, ChangeSet) or not alive(self):
            return
        for key in tuple(self._records):
            if key[0] == event.type_name and (key[1] in event.upserts or key[1] in event.removed):
                self._want(key)

    def _reload(self) -> None:
        if not self.tasks.running("reload"):
            self.tasks.start(self._read(), name="reload")

    async def _read(self) -> None:
        try:
            if not self._loaded:
                await self._context.load()
                self._loaded = True
            while self._wanted and alive(self):
                type_name, record_id = key = self._wanted.pop()
                self._records[key] = await self._session.records.record(type_name, record_id)
                self._faces.pop(key, None)
        except AppError:
            return  # cards show their titles; the next one asks again
        if alive(self):
            self._tell()

    def _renew(self) -> None:
        self._faces.clear()
        self._tell()

    def _tell(self) -> None:
        for watcher in self._watchers:
            watcher()

    def _made(self, card: Card, record: Record | None) -> CardFace:
        definition = self._context.type_of(card.type)
        kind = self._context.label(definition.label) if definition is not None else ""
        module = next((one for one in self._context.modules if one.type(card.type)), None)
        icon = _glyph(module.icon) if module is not None else "file-text"
        if record is None or definition is None:
            return CardFace(kind, icon, card.title, closed=True)
        lines = card_lines(self._context, record)
        return CardFace(lines.kind, icon, lines.title, lines.state, lines.tone, lines.fields)


def _glyph(icon: str) -> str:
    name = icon.rpartition(".")[2]
    return name if icons.exists(name) else "file-text"
