"""What the clerk of the demo office keeps: favorites, stickers, a message to be sent tomorrow."""

from typing import Any, Final

from server_stub.app.demo.assets import Assets
from server_stub.app.demo.moments import HOUR_MS, Moments
from server_stub.app.demo.people import People
from server_stub.app.demo.source import DemoSource
from server_stub.chat.desk import ChatDesk
from server_stub.chat.favorites import FavoriteHandler
from server_stub.chat.scheduled import ScheduledMessageHandler
from server_stub.chat.stickers import StickerHandler
from server_stub.clock import format_utc
from server_stub.ids import uuid7
from server_stub.storage.database import Tx

MORNING: Final = 8


def do_own_things(
    tx: Tx,
    desk: ChatDesk,
    source: DemoSource,
    people: People,
    assets: Assets,
    moments: Moments,
    said: dict[str, list[tuple[int, str]]],
) -> None:
    """As `[mine]` of today.toml says; `said`: (time, id) of the messages of each conversation."""
    mine: dict[str, Any] = source.today["mine"]
    actor = people.actors[source.office["clerk"]]
    tx.now = moments.now - HOUR_MS
    for one in mine["favorites"]:
        _, message_id = said[one["of"]][-one["back"]]
        given = {"messageId": message_id, "tags": one["tags"], **({"note": one["note"]} if "note" in one else {})}
        FavoriteHandler(desk).create(tx, actor, uuid7(tx.now), given)
    for key in mine["stickers"]:
        asset = assets.pictures[key][0]
        asset.do_own(tx, actor.person_id)
        StickerHandler(desk).create(
            tx, actor, uuid7(tx.now), {"blobId": asset.blob_id, "name": asset.name.partition(".")[0]}
        )
    for one in mine["scheduled"]:
        _, message_id = said[one["in"]][-1]
        (conversation_id,) = tx.raw.execute(
            "SELECT c.id FROM conversation AS c JOIN message AS m USING (scope) WHERE m.id = ?", (message_id,)
        ).fetchone()
        given = {
            "conversationId": conversation_id,
            "message": {"kind": "text", "text": one["text"]},
            "sendAt": format_utc(moments.day_at(-one["days"], MORNING, 30)),
        }
        ScheduledMessageHandler(desk).create(tx, actor, uuid7(tx.now), given)
