"""One question of the search: each kind of hit into the model when it is ready, what the server has beyond it after them, and how long it took."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from PySide6.QtCore import QElapsedTimer

from desktop.core.domain import ConnectionState
from desktop.core.domain.search import Excerpt, FoundKind, FoundPart, SearchQuery
from desktop.core.errors import Offline, Rejected
from desktop.models.search import RECENT, Command, SearchModel
from desktop.models.search_verbs import SearchSession
from desktop.ui import i18n
from desktop.ui.i18n import tr
from desktop.ui.search.commands import find_commands

REMOTE_S: Final = 0.25
"""A question goes to the server when the user has stopped typing for so long."""
_FOUND: Final = (FoundKind.NOTICE, FoundKind.DOCUMENT, FoundKind.RECORD)
_MANY: Final = 50


class Asking:
    """`spent`: milliseconds of "local" and "server" once they are known, -1 where the server did not answer."""

    def __init__(self, session: SearchSession, model: SearchModel, show_state: Callable[[], None]) -> None:
        self._session, self._model, self._show_state = session, model, show_state
        self.spent: dict[str, int] = {}

    async def run(self, query: SearchQuery) -> None:
        """Asks for everything; what was asked before stands where nothing is asked."""
        self.spent = {}
        if query.empty:
            await self.show_recent()
            return
        timer = QElapsedTimer()
        timer.start()
        search, language = self._session.search, i18n.language()
        parts: list[Awaitable[None]] = [
            self._take(search.people(query)),
            self._take(search.conversations(query)),
            self._take(search.messages(query, _MANY)),
            self._take(search.files(query, _MANY)),
            *(self._take(search.records(kind, query, _MANY, language)) for kind in _FOUND),
            self._take_commands(query),
        ]
        await asyncio.gather(*parts)
        self.spent["local"] = timer.elapsed()
        self._model.settle()
        self._show_state()
        await self._ask_server(query)

    async def show_recent(self) -> None:
        """What this user looked for before."""
        texts = await self._session.search.recent()
        self._model.clear()
        rows = [Command(text, Excerpt(text), "", "clock-counter-clockwise") for text in texts]
        self._model.put_commands(rows, RECENT)
        self._show_state()

    def status_text(self) -> str:
        """Where the answers came from and how fast; empty before there are any."""
        if "local" not in self.spent:
            return ""
        local = tr("search.local_ms", n=self.spent["local"])
        if self._session.status.state is not ConnectionState.LIVE:
            return f"{tr('search.offline')} ・ {local}"
        server = self.spent.get("server")
        if server is None:
            return f"{local} ・ {tr('search.asking')}"
        return f"{local} ・ {tr('search.server_ms', n=server) if server >= 0 else tr('search.no_answer')}"

    async def _take(self, work: Awaitable[FoundPart]) -> None:
        self._model.put(await work)

    async def _take_commands(self, query: SearchQuery) -> None:
        self._model.put_commands([] if query.narrowed else await find_commands(self._session, query.text))

    async def _ask_server(self, query: SearchQuery) -> None:
        """What is not on this device: old talk."""
        if self._session.status.state is not ConnectionState.LIVE:
            return
        await asyncio.sleep(REMOTE_S)  # who types on cancels this
        timer = QElapsedTimer()
        timer.start()
        try:
            part = await self._session.search.remote_messages(query, _MANY)
        except (Offline, Rejected):
            self.spent["server"] = -1
        else:
            self.spent["server"] = timer.elapsed()
            if part.items:
                self._model.append(part)
        self._show_state()
