"""What an administrator sets about talking, as clients are told it in the Session's `urn:tongban:chat`."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPolicy:
    """Limits of time and size. Times in seconds, but for the length of a voice message (ms)."""

    edit_within: int = 86_400
    recall_within: int = 120
    max_voice_ms: int = 120_000
    remind_every: int = 600

    def to_capability(self) -> dict[str, Any]:
        """Members of the capability's value."""
        return {
            "editWithin": self.edit_within,
            "recallWithin": self.recall_within,
            "maxVoiceMs": self.max_voice_ms,
            "remindEvery": self.remind_every,
            "maxReactions": MAX_REACTIONS,
            "maxPinned": MAX_PINNED,
            "maxMerged": MAX_MERGED,
            "maxStickers": MAX_STICKERS,
            "maxStickerSize": MAX_STICKER_SIZE,
        }


MAX_REACTIONS = 20  # different emoji on one message
MAX_PINNED = 50  # messages in one conversation
MAX_MERGED = 100  # messages in one forwarded talk
MAX_STICKERS = 300  # of one person
MAX_STICKER_SIZE = 2 << 20  # bytes
DEFAULT_POLICY = ChatPolicy()
