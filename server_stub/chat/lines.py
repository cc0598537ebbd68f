"""System lines: messages without a sender that say what happened in a group, for programs as `event`, for people in Chinese."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from server_stub.chat.messages import Draft, do_write
from server_stub.chat.names import listed, names_of
from server_stub.storage.database import Tx

Wording = Callable[[str, str, str], str]
"""(who did it, whom it concerns, value) → the line."""

_WORDINGS: Final[dict[str, Wording]] = {
    "joined": lambda by, whom, value: f"{by}邀请{whom}加入了群聊" if by else f"{whom}加入了群聊",
    "left": lambda by, whom, value: f"{whom}退出了群聊",
    "removed": lambda by, whom, value: f"{by}将{whom}移出了群聊",
    "renamed": lambda by, whom, value: f"{by}将群名改为“{value}”",
    "announced": lambda by, whom, value: f"{by}发布了群公告：{value}",
    "transferred": lambda by, whom, value: f"{by}将群主转让给{whom}" if by else f"{whom}成为群主",
    "dissolved": lambda by, whom, value: f"{by}解散了群聊",
    "muted": lambda by, whom, value: f"{by}禁言了{whom}" if whom else f"{by}开启了全员禁言",
    "unmuted": lambda by, whom, value: f"{by}解除了{whom}的禁言" if whom else f"{by}关闭了全员禁言",
    "roleChanged": lambda by, whom, value: (
        f"{by}{'将' + whom + '设为管理员' if value == 'admin' else '取消了' + whom + '的管理员'}"
    ),
    "pinned": lambda by, whom, value: f"{by}置顶了一条消息",
    "unpinned": lambda by, whom, value: f"{by}取消了一条置顶消息",
}


def do_line(
    tx: Tx,
    conversation_id: str,
    type_: str,
    *,
    by: str | None = None,
    people: Sequence[str] = (),
    value: str | None = None,
) -> None:
    """Write a line into a group.

    Args:
        by: who did it; None: the server.
        value: the new name, the role, the first words of the announcement, the id of the message that was pinned.
    """
    actor = "" if by is None else names_of(tx.conn, [by])[by]
    text = _WORDINGS[type_](actor, listed(tx.conn, people), value or "")
    event: dict[str, Any] = {"type": type_}
    if people:
        event["personIds"] = list(people)
    if by is not None:
        event["byId"] = by
    if value is not None:
        event["value"] = value
    scope, last_seq = tx.raw.execute(
        "SELECT scope, last_seq FROM conversation WHERE id = ?", (conversation_id,)
    ).fetchone()
    draft = Draft("system", text, more={"event": event})
    do_write(tx, scope, conversation_id, last_seq + 1, None, "", draft, tx.now)
