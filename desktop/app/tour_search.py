"""The search's part of the tour: the box over everything with its kinds and filters, what it leads to, and finding inside a conversation."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from desktop.app.tour_hands import Hands

if TYPE_CHECKING:
    from desktop.ui.chat.page import MessagesPage
    from desktop.ui.search.overlay import SearchOverlay

WORD: Final = "防汛"  # not a text
BOX: Final = "search.input"


class SearchStops:
    """Stops in the order of the walk."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands

    def stops(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """Name and way of each stop."""
        return [("search", self.search)]

    @property
    def _box(self) -> "SearchOverlay":
        return self._hands.entered().search.overlay

    @property
    def _messages(self) -> "MessagesPage":
        from desktop.ui.chat.page import MessagesPage

        page = self._hands.entered().window.page("messages")
        assert isinstance(page, MessagesPage)
        return page

    async def _ask(self, text: str) -> None:
        from desktop.app import drive

        hands = self._hands
        await hands.act(drive.press, BOX, "Ctrl+A")
        await hands.act(drive.type_text, BOX, text)
        await hands.until(lambda: self._box.answered, f"answers to {text}")

    async def search(self) -> None:
        """A word by its kinds, a colleague by initials, filters, nothing found, a message in its place, finding inside its conversation."""
        from desktop.app import drive
        from desktop.core.domain.search import FoundKind

        hands, box = self._hands, self._box
        window = hands.entered().window
        window.open_page("messages")
        await hands.act(window.open_search)
        await hands.until(box.isVisible, "the box")
        await self._ask(WORD)
        hands.shoot("search")
        await hands.act(drive.press, BOX, "Tab")
        hands.shoot("search-kind")
        await self._ask("zm")
        hands.shoot("search-people")
        await self._ask("没有这样的词")  # not a text
        hands.shoot("search-nothing")
        await hands.act(drive.press, BOX, "Ctrl+A")
        await self._ask(f"from:zhangmin {WORD}")
        await hands.act(box.filter_button.setChecked, True)
        hands.shoot("search-filters")
        await hands.act(box.filter_button.setChecked, False)
        await self._ask(WORD)
        await hands.until(lambda: FoundKind.MESSAGE.value in box.model.totals, "messages")
        await hands.act(box.choose_tab, FoundKind.MESSAGE.value)
        await hands.act(drive.press, BOX, "Return")
        await hands.until(self._messages.pane.spotlight.isVisible, "the message in its place")
        hands.shoot("search-place")
        await hands.act(self._messages.find_in_talk)
        finder = self._messages.pane.finder
        assert finder is not None
        await hands.act(drive.type_text, "talkSearch.input", WORD)
        await hands.until(lambda: finder.answered and finder.model.rowCount() > 1, "hits of the conversation")
        hands.shoot("search-talk")
        await hands.act(finder.close_search)
