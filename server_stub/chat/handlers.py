"""All types of chat, for the registry."""

from server_stub.chat.absence import AbsenceReplyHandler
from server_stub.chat.alerting import Alerting, NoAlerts
from server_stub.chat.announcements import AnnouncementHandler
from server_stub.chat.conversation_handler import ConversationHandler
from server_stub.chat.desk import CardTitle, ChatDesk
from server_stub.chat.favorites import FavoriteHandler
from server_stub.chat.join_requests import JoinRequestHandler
from server_stub.chat.member_handler import MemberHandler, ReceiptHandler
from server_stub.chat.message_handler import MessageHandler
from server_stub.chat.policy import DEFAULT_POLICY, ChatPolicy
from server_stub.chat.scheduled import ScheduledMessageHandler
from server_stub.chat.stickers import StickerHandler
from server_stub.records.handler import RecordHandler
from server_stub.storage.blobs import BlobStore
from server_stub.storage.database import Database


def chat_handlers(
    blobs: BlobStore | None,
    card_title: CardTitle | None = None,
    *,
    alerts: Alerting | None = None,
    policy: ChatPolicy = DEFAULT_POLICY,
    database: Database | None = None,
) -> list[RecordHandler]:
    """One handler for each type. Without `card_title` no message has a card, without `database` there are no methods of our own."""
    desk = ChatDesk(blobs=blobs, card_title=card_title, alerts=alerts or NoAlerts(), policy=policy, database=database)
    return [
        ConversationHandler(desk),
        MemberHandler(desk),
        MessageHandler(desk),
        ReceiptHandler(desk),
        AnnouncementHandler(desk),
        JoinRequestHandler(desk),
        ScheduledMessageHandler(desk),
        FavoriteHandler(desk),
        StickerHandler(desk),
        AbsenceReplyHandler(desk),
    ]


def message_handler(handlers: list[RecordHandler]) -> MessageHandler:
    """The one that sends, among these: what the runner needs."""
    return next(one for one in handlers if isinstance(one, MessageHandler))
