"""One open socket as the hub sees it: whose it is, what it wants to hear, and how much it has not taken yet."""

import asyncio
from collections.abc import Iterable
from typing import Final, Protocol

from server_stub.push.frames import Frame

LAGGING: Final = 1 << 20  # bytes not taken yet: from here on a socket hears only that something changed
TOO_SLOW: Final = 8 << 20  # bytes not taken yet: the socket is closed, the client comes back when it can


class Outlet(Protocol):
    """The way out of a socket; never blocks, keeps the order of calls.

    Attributes:
        behind: more than LAGGING bytes were handed over and not yet taken by the network.
    """

    @property
    def behind(self) -> bool: ...

    def send(self, frame: Frame) -> None:
        """Hand a frame over; silently dropped once the socket is closing."""
        ...

    def backlog(self) -> int:
        """Bytes handed over and not yet taken by the network."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Close after what was handed over; safe to call twice."""
        ...


class Connection:
    """An open socket of a person. Belongs to the event loop.

    Attributes:
        enabled: whether the client asked for pushes.
        data_types: the types it wants to hear of; None: all.
        objects: the types it wants to get whole.
        signals: it knows Signal frames and counts as present.
        status: its presence; None until push is enabled.
        dirty: types with news not yet told.
        lagging: frames were left out because the outlet was behind.
        wanted_text: the text beside its presence that was not applied yet.
        wanted_status: the presence the client told last; None when that is its status.
    """

    __slots__ = (
        "data_types",
        "device_id",
        "dirty",
        "enabled",
        "lagging",
        "objects",
        "outlet",
        "person_id",
        "scopes",
        "signals",
        "status",
        "status_changes",
        "status_timer",
        "token_id",
        "typed_at",
        "waiting",
        "wanted_status",
        "wanted_text",
    )

    def __init__(
        self, person_id: str, outlet: Outlet, *, device_id: str | None = None, token_id: str | None = None
    ) -> None:
        self.person_id = person_id
        self.outlet = outlet
        self.device_id = device_id
        self.token_id = token_id
        self.enabled = False
        self.data_types: frozenset[str] | None = frozenset()
        self.objects: frozenset[str] = frozenset()
        self.signals = False
        self.status: str | None = None
        self.scopes: set[int] = set()
        self.waiting: list[tuple[int, bool]] | None = []  # membership changes while the scopes are being read
        self.dirty: dict[str, int] = {}
        self.lagging = False
        self.typed_at: dict[str, int] = {}
        self.wanted_status: str | None = None
        self.wanted_text: str | None = None
        self.status_timer: asyncio.TimerHandle | None = None
        self.status_changes: list[int] = []  # when the newest of them were, in ms

    def wants(self, types: Iterable[str]) -> list[str]:
        """Those of `types` the client asked to hear of."""
        return [name for name in types if self.data_types is None or name in self.data_types]
