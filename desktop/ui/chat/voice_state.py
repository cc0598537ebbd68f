"""What rows and clicks ask of the voice messages' player."""

from typing import Protocol

from desktop.core.domain import Message


class VoiceState(Protocol):
    """`current`: the message that plays or stands still, empty for none."""

    current: str
    playing: bool
    rate: float

    def is_unheard(self, message: Message) -> bool:
        """Whether a colleague's message was not played yet."""
        ...

    def progress(self, message: Message) -> float:
        """0..1 of what was played."""
        ...

    def toggle(self, message: Message) -> None:
        """Plays, stands still, goes on."""
        ...

    def next_rate(self, message: Message) -> None:
        """The next speed while it plays; else it plays."""
        ...
