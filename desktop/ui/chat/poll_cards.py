"""Polls and chains in the flow: the question with its answers and bars, the list everybody adds a line to."""

from PySide6.QtCore import QRectF

from desktop.core.domain import ChainEntry, Message, Poll, PollOption, PollResult
from desktop.ui import theme
from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.laid import Laid
from desktop.ui.chat.pieces import Box, Glyph, line, text_width
from desktop.ui.i18n import tr, when

SHOWN_ENTRIES = 8
OPTION_HEIGHT = 38
BAR = 4


def is_closed(poll: Poll, now: int) -> bool:
    """Whether no more answers are taken."""
    return poll.closed_at is not None or (poll.closes_at is not None and poll.closes_at <= now)


def my_choice(message: Message, me: str) -> tuple[str, ...]:
    """What this user chose: as the message says, else read off open results."""
    if message.choice:
        return message.choice
    return tuple(option for option, result in message.results.items() if me in result.person_ids)


def voters(message: Message) -> int:
    """How many answered; of an anonymous poll with several answers, the most that is sure."""
    people = {person for result in message.results.values() for person in result.person_ids}
    counts = [result.count for result in message.results.values()]
    if people or message.poll is None or not counts:
        return len(people)
    return max(counts) if message.poll.multiple else sum(counts)


def lay_out_poll(message: Message, width: float, context: TalkContext) -> Laid:
    """The card of a poll."""
    card = Laid(width)
    poll = message.poll
    if poll is None:
        return card
    closed = is_closed(poll, when.now())
    card.gap(10)
    how = [tr("chat_talk.poll"), tr("chat_talk.poll.multiple" if poll.multiple else "chat_talk.poll.single")]
    if poll.anonymous:
        how.append(tr("chat_talk.poll.anonymous"))
    card.head("chart-bar-horizontal", " ・ ".join(how))
    card.gap(4)
    card.paragraph(poll.question, bold=True)
    card.gap(6)
    mine, total = my_choice(message, context.me_id), voters(message)
    for option in poll.options:
        result = message.results.get(option.id, PollResult())
        _option(card, poll, option, result, chosen=option.id in mine, total=total, closed=closed)
    card.gap(6)
    links = []
    if not poll.anonymous and total:
        links.append(("voters", "", tr("chat_talk.poll.who")))
    if message.sender_id == context.me_id and not closed and message.seq:
        links.append(("close_poll", "", tr("chat_talk.poll.close")))
    card.foot(_state(poll, total, closed=closed), *links)
    return card


def _state(poll: Poll, total: int, *, closed: bool) -> str:
    parts = [tr("chat_talk.poll.answers", n=total)]
    if closed:
        parts.append(tr("chat_talk.poll.closed"))
    elif poll.closes_at is not None:
        parts.append(tr("chat_talk.poll.until", time=when.separator(poll.closes_at, when.now())))
    return " ・ ".join(parts)


def _option(
    card: Laid, poll: Poll, option: PollOption, result: PollResult, *, chosen: bool, total: int, closed: bool
) -> None:
    side, top = theme.scaled(16), card.y
    mark = QRectF(card.left, card.y + theme.scaled(5), side, side)
    icon = (
        ("check-square-fill" if chosen else "square")
        if poll.multiple
        else ("check-circle-fill" if chosen else "circle")
    )
    card.pieces.append(Glyph(mark, icon, "link" if chosen else "faint" if closed else "ink3"))
    count = tr("chat_talk.poll.votes", n=result.count) if result.count else ""
    indent, keep = side + theme.scaled(8), text_width(count, "secondary") + theme.scaled(8)
    card.gap(3)
    rect = card.text(option.text, height=20, indent=indent, keep=keep)
    counted = QRectF(card.left, rect.top(), card.room, rect.height())
    card.pieces.append(line(counted, count, "secondary", "ink3", side="right"))
    track = QRectF(card.left + indent, card.y + 3, card.room - indent, BAR)
    card.pieces.append(Box(track, "line", radius=BAR / 2))
    share = result.count / total if total else 0.0
    if share:
        width = max(BAR, track.width() * min(1.0, share))
        card.pieces.append(Box(QRectF(track.left(), track.top(), width, BAR), "accent", radius=BAR / 2))
    card.y = top + theme.scaled(OPTION_HEIGHT)
    if not closed:
        said = tr("chat_talk.poll.option_chosen" if chosen else "chat_talk.poll.option", text=option.text)
        card.press(QRectF(card.left - 4, top, card.room + 8, theme.scaled(OPTION_HEIGHT)), "vote", option.id, said)


def lay_out_chain(message: Message, width: float, context: TalkContext) -> Laid:
    """The card of a chain: its newest lines, and how to join."""
    card = Laid(width)
    chain = message.chain
    if chain is None:
        return card
    card.gap(10)
    card.head("list-numbers", tr("chat_talk.chain"))
    card.gap(4)
    card.paragraph(chain.title, bold=True)
    if chain.example:
        card.text(tr("chat_talk.chain.example", text=chain.example), "secondary", "ink3", height=19)
    card.gap(4)
    entries = message.entries
    hidden = max(0, len(entries) - SHOWN_ENTRIES)
    if hidden:
        label = tr("chat_talk.chain.more", n=hidden)
        card.press(card.text(label, "secondary", "link", height=22), "chain", "", label)
    for number, entry in enumerate(entries[hidden:], hidden + 1):
        _entry(card, number, entry, context)
    card.gap(8)
    mine = any(entry.person_id == context.me_id for entry in entries)
    own = tr("chat_talk.chain.change" if mine else "chat_talk.chain.join")
    card.foot(tr("chat_talk.chain.count", n=len(entries)), ("chain_entry", "", own))
    return card


def _entry(card: Laid, number: int, entry: ChainEntry, context: TalkContext) -> None:
    name = context.people.name(entry.person_id) or tr("common.unknown_person")
    said = f"{number}. {name}"
    tone = "link" if entry.person_id == context.me_id else "ink2"
    width = min(text_width(said, "secondary") + 1, card.room * 0.5)
    top = card.y
    height = theme.scaled(22)
    card.pieces.append(line(QRectF(card.left, top, width, height), said, "secondary", tone))
    rest = QRectF(card.left + width + 8, top, card.room - width - 8, height)
    card.pieces.append(line(rest, entry.text, "secondary", "ink"))
    card.y = top + height
