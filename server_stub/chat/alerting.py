"""What chat needs of the office's alerts; the app connects the two (chat knows no modules)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from server_stub.storage.database import Tx


@dataclass(frozen=True, slots=True)
class Notification:
    """What an alert says. `kind`: confirm, urge or system; `label`: its text by language."""

    kind: str
    title: str
    text: str
    link_type: str
    link_id: str
    urgent: bool = False
    label: Mapping[str, str] | None = None


class Alerting(Protocol):
    """Gives alerts and takes them away."""

    def do_alert(self, tx: Tx, person_ids: Collection[str], what: Notification) -> None:
        """One alert for each of these people; one of the same kind about the same object is replaced."""
        ...

    def do_drop(
        self, tx: Tx, link_type: str, link_id: str, person_ids: Collection[str] | None, kinds: Collection[str] | None
    ) -> None:
        """Take alerts about an object away (None: of everybody, of every kind)."""
        ...


class NoAlerts:
    """Where there is no office."""

    def do_alert(self, tx: Tx, person_ids: Collection[str], what: Notification) -> None:
        """Nobody hears of it."""

    def do_drop(
        self, tx: Tx, link_type: str, link_id: str, person_ids: Collection[str] | None, kinds: Collection[str] | None
    ) -> None:
        """There are none."""
