"""Window shakes: between two people, and not too often."""

from typing import Final

from server_stub.chat.places import load_place
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.storage.database import Tx

SHAKE_EVERY_MS: Final = 10_000
_LOOK_BACK: Final = 2500  # messages: more than anybody may write in that time


def check_shake(tx: Tx, conversation_id: str, person_id: str) -> None:
    """Raises SetError invalidProperties outside direct conversations, rateLimit when the last one is too fresh."""
    place = load_place(tx.conn, conversation_id, person_id)
    if place is None or place.kind != "direct":
        raise invalid_properties("only two people shake each other", "kind")
    last = tx.raw.execute(
        "SELECT max(sent_at) FROM message WHERE scope = ? AND seq > ? AND kind = 'shake'",
        (place.scope, place.last_seq - _LOOK_BACK),
    ).fetchone()[0]
    if last is not None and 0 <= tx.now - last < SHAKE_EVERY_MS:
        wait = -(-(last + SHAKE_EVERY_MS - tx.now) // 1000)
        raise SetError(SetErrorType.RATE_LIMIT, "only just shaken", retryAfter=wait)
