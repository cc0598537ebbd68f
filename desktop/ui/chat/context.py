"""What the rows of one talk need to know beside their message: who is who, who has read, what is on its way."""

from bisect import bisect_left
from collections.abc import Callable, Iterable

from desktop.core.domain import (
    Card,
    Conversation,
    ConversationKind,
    Delivery,
    Direction,
    Message,
    Receipt,
    Transfer,
    TransferState,
)
from desktop.models.people import People
from desktop.ui.chat.cards import CardFace, CardSource
from desktop.ui.chat.pictures import Thumbnails
from desktop.ui.chat.voice_state import VoiceState


class TalkContext:
    """Kept by the chat pane, read while laying out and painting. Nothing here suspends."""

    def __init__(
        self,
        people: People,
        thumbnails: Thumbnails,
        quoted: Callable[[str], Message | None],
        cards: Callable[[], CardSource] | None = None,
        on_cards: Callable[[], None] = lambda: None,
    ) -> None:
        self.people = people
        self.thumbnails = thumbnails
        self._held = quoted
        self._make_cards, self._on_cards = cards, on_cards
        self._cards: CardSource | None = None
        self.voice: VoiceState | None = None  # what plays; None where nothing can
        self._quotes: dict[str, Message | None] = {}
        self.conversation: Conversation | None = None
        self.picking = False  # a column of check marks stands at the left
        self.unread_from = 0  # place of the first message that was new on opening; 0 for none
        self.recalled_texts: dict[str, str] = {}  # what was taken back in this session, to be written anew
        self.nicknames: dict[str, str] = {}  # what members call themselves here
        self.transfers: dict[str, Transfer] = {}
        self._read_seqs: list[int] = []
        self._readers = 0

    @property
    def cards(self) -> CardSource | None:
        """The records behind cards, made when the first card or menu wants them; None where there are none."""
        if self._cards is None and self._make_cards is not None:
            self._cards = self._make_cards()
            self._cards.watch(self._on_cards)
        return self._cards

    @property
    def live_cards(self) -> bool:
        """Whether cards show their records as they are now. Never changes, so neither does a row's height."""
        return self._make_cards is not None

    def face(self, card: Card) -> CardFace | None:
        """What a live card says; None while it is being read."""
        cards = self.cards
        return cards.face(card) if cards is not None else None

    def quoted(self, message_id: str) -> Message | None:
        """A message that another one answers: held, or fetched before."""
        return self._held(message_id) or self._quotes.get(message_id)

    def missing_quotes(self, messages: Iterable[Message]) -> list[str]:
        """Answered messages that are not at hand and were not asked for yet."""
        wanted = {m.reply_to_id for m in messages if m.reply_to_id and not self._held(m.reply_to_id)}
        return sorted(wanted - self._quotes.keys())

    def set_quote(self, message_id: str, message: Message | None) -> None:
        """What was found for a missing quote; None when it is gone."""
        self._quotes[message_id] = message

    def turn_to(self, conversation: Conversation) -> None:
        """Another conversation."""
        self.conversation = conversation
        self.unread_from = 0
        self._quotes = {}
        self._read_seqs, self._readers = [], 0
        self.nicknames = {}

    def name(self, person_id: str | None) -> str:
        """What a person is called in this conversation."""
        return self.nicknames.get(person_id or "") or self.people.name(person_id)

    @property
    def others(self) -> int:
        """How many there are beside this user, as far as is known."""
        known = self.conversation.member_count - 1 if self.conversation and self.conversation.member_count else 0
        return max(known, self._readers)

    @property
    def me_id(self) -> str:
        """The signed-in person."""
        return self.people.me.id

    @property
    def is_group(self) -> bool:
        """Whether names stand above the bubbles and reading is counted."""
        return self.conversation is not None and self.conversation.kind is ConversationKind.GROUP

    def set_receipts(self, receipts: Iterable[Receipt]) -> None:
        """Takes how far everyone has read."""
        others = sorted(r.read_seq for r in receipts if r.person_id != self.me_id)
        self._read_seqs = others
        known = self.conversation.member_count - 1 if self.conversation and self.conversation.member_count else 0
        self._readers = max(known, len(others))

    def readers(self, seq: int) -> tuple[int, int]:
        """How many others have read up to `seq`, of how many."""
        return len(self._read_seqs) - bisect_left(self._read_seqs, seq), self._readers

    def transfer_of(self, message: Message) -> Transfer | None:
        """The transfer that carries a message's file, if one is known."""
        sending = self.transfers.get(message.id)
        blob_id = message.attachment.blob_id if message.attachment is not None else ""
        fetching = self.transfers.get(blob_id)
        over = sending is None or sending.state is TransferState.DONE  # then the own file may come down again
        return (fetching or sending) if over else sending

    def waiting_words(self, message: Message) -> tuple[str, str]:
        """What stands under a message that is not sent: the text's key and the icon. A file that stands still is not going up."""
        transfer = self.transfers.get(message.id)
        stands = transfer is not None and transfer.state is not TransferState.RUNNING
        if message.delivery is Delivery.UPLOADING and not stands:
            return "chat.uploading", "arrow-up"
        return "chat.pending", "clock"

    def set_transfer(self, transfer: Transfer) -> None:
        """A transfer moved on; a cancelled one is forgotten."""
        # By blob only what comes down: a colleague may have sent the same file that this user sends.
        key = transfer.message_id if transfer.direction is Direction.UP else transfer.blob_id
        if not key:
            return
        if transfer.state is TransferState.FAILED and transfer.error == "userCancelled":
            self.transfers.pop(key, None)
        else:
            self.transfers[key] = transfer
