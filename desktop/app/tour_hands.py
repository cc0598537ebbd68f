"""What the stops of the tour have in their hands: the client, waiting, pictures, a colleague's client, the cable."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from desktop.app.cable import Cable

if TYPE_CHECKING:
    from desktop.app.signed_in import SignedIn
    from desktop.core.services.session import Session


@dataclass(frozen=True, slots=True)
class Hands:
    """What the stops use of the tour: the client, waiting, pictures, the colleague's client."""

    entered: Callable[[], "SignedIn"]
    until: Callable[..., Awaitable[None]]
    act: Callable[..., Awaitable[None]]
    shoot: Callable[[str], None]
    open_talk: Callable[[str], Awaitable[str]]
    colleague: Callable[[], Awaitable["Session"]]
    call: Callable[..., Awaitable[Any]]
    cable: Cable
    quick: bool = False
    """Nothing is waited for that shows no other page."""
