"""Writes the conversations of the demo office: the conversation, its messages in order, what was done to them, the read markers."""

import random
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from server_stub.app.demo.assets import Asset, Assets
from server_stub.app.demo.chat import Plan
from server_stub.app.demo.chat_acts import do_act
from server_stub.app.demo.moments import DAY_MS, MINUTE_MS, Moments
from server_stub.app.demo.people import People
from server_stub.app.demo.scenes import Line
from server_stub.app.demo.slots import SlotFiller
from server_stub.app.demo.source import DemoSource, Table
from server_stub.chat.announcements import do_keep_announcement
from server_stub.chat.confirms import do_ask_to_confirm
from server_stub.chat.contents import Chain, Poll, check_chain, check_poll
from server_stub.chat.conversations import (
    Membership,
    do_create_group,
    do_open_direct,
    do_set_role,
    load_membership,
    load_memberships,
)
from server_stub.chat.desk import ChatDesk
from server_stub.chat.merged import do_merge
from server_stub.chat.message_rows import MESSAGE, load_row
from server_stub.chat.messages import Draft, do_send
from server_stub.chat.own_settings import do_patch_own
from server_stub.chat.places import load_place
from server_stub.chat.read_markers import do_mark_read
from server_stub.ids import uuid7
from server_stub.storage.database import Tx

FLAGS: Final = ("mustConfirm", "code", "language", "markdown")


class ChatWriter:
    """Writes one plan after the other; remembers what was said where, for those who forward it."""

    def __init__(
        self,
        source: DemoSource,
        people: People,
        assets: Assets,
        moments: Moments,
        rng: random.Random,
        desk: ChatDesk | None = None,
    ) -> None:
        self._clerk = source.office["clerk"]
        self._drafts: Mapping[str, str] = source.today.get("drafts", {})
        self._people = people
        self._assets = assets
        self._moments = moments
        self._rng = rng
        self._desk = desk or ChatDesk()
        self.said: dict[str, list[tuple[int, str]]] = {}
        """Key of a conversation → (time in ms, id) of its messages."""

    def do_write(self, tx: Tx, plan: Plan) -> int:
        """Everything of one conversation; returns the number of messages people sent."""
        conversation_id = self._do_open(tx, plan)
        sent = self.said.setdefault(plan.key, [])
        own_last: dict[str, int] = {}
        times: dict[int, int] = {}
        for line in plan.lines:
            tx.now = line.at
            seq = self._do_say(tx, conversation_id, line, sent)
            own_last[line.login], times[seq] = seq, line.at
        self._do_read(tx, plan, conversation_id, own_last, times)
        self._do_own_settings(tx, plan, conversation_id)
        return len(sent)

    def _do_say(self, tx: Tx, conversation_id: str, line: Line, sent: list[tuple[int, str]]) -> int:
        """One line and what was done to it; its seq."""
        message_id, sender_id = uuid7(line.at), self._people.ids[line.login]
        draft, asset = self._draft(tx, line, sent, message_id)
        message = do_send(tx, sender_id, conversation_id, message_id, draft, at=line.at).message
        if asset is not None:
            asset.do_attach(tx, sender_id, message_id, MESSAGE)
        sent.append((line.at, message_id))
        if "mustConfirm" in draft.extra:
            row = load_row(tx.conn, message_id)
            assert row is not None  # just written
            do_ask_to_confirm(tx, self._desk, row)
        for act in (line.table or {}).get("then", ()):
            tx.now = line.at + int(act.get("after", 1)) * MINUTE_MS
            do_act(tx, self._desk, self._people, conversation_id, message_id, act)
        return int(message["seq"])

    def _do_open(self, tx: Tx, plan: Plan) -> str:
        first = plan.lines[0].at - DAY_MS if plan.lines else self._moments.now
        ids = [self._people.ids[login] for login in plan.members]
        tx.now = first
        if not plan.is_group:
            return do_open_direct(tx, ids[0], ids[1], at=first)
        conversation_id = uuid7(first)
        do_create_group(tx, conversation_id, plan.table["name"], self._people.ids[plan.table["owner"]], ids, at=first)
        admins = {self._people.ids[login] for login in plan.table.get("admins", ())}
        for one in load_memberships(tx.conn, conversation_id):
            if one.person_id in admins:
                do_set_role(tx, one, "admin")
        if "announcement" in plan.table:
            self._do_announce(tx, conversation_id, plan.table["announcement"])
        return conversation_id

    def _do_announce(self, tx: Tx, conversation_id: str, table: Table) -> None:
        at = self._moments.office_time(self._rng, table["days"])
        text = SlotFiller(self._rng, {}, self._moments.words(at, self._rng)).fill(table["text"])
        place = load_place(tx.conn, conversation_id, self._people.ids[table["by"]])
        assert place is not None  # the file names a member
        do_keep_announcement(tx, place, uuid7(at), text, at=at)

    def _draft(self, tx: Tx, line: Line, sent: list[tuple[int, str]], message_id: str) -> tuple[Draft, Asset | None]:
        mentions = ["all" if one == "all" else self._people.ids[one] for one in line.mentions]
        reply_to = sent[-line.answers][1] if 0 < line.answers <= len(sent) else None
        table = line.table or {}
        if line.kind == "voice":
            voice = self._assets.voices[table["voice"]]
            return Draft("voice", "", attachment=voice.to_attachment()), voice
        if line.asset is None:
            more = self._more(tx, line, table, message_id)
            return Draft(line.kind, line.text, mentions, reply_to, more=more), None
        if line.kind == "picture":
            asset = self._rng.choice(self._assets.pictures[line.asset])
        else:
            asset = self._assets.papers[line.asset] if line.kind == "paper" else self._assets.files[line.asset]
        kind = "picture" if line.kind == "picture" else "file"
        return Draft(kind, "", attachment=asset.to_attachment()), asset

    def _more(self, tx: Tx, line: Line, table: Table, message_id: str) -> dict[str, Any]:
        """What belongs to the rarer kinds."""
        more: dict[str, Any] = {flag: table[flag] for flag in FLAGS if flag in table}
        if line.kind == "poll":
            given = {"multiple": False, "anonymous": False, **table["poll"]}
            given["options"] = [{"id": str(n), "text": text} for n, text in enumerate(given["options"], 1)]
            more["poll"], more["results"] = check_poll(msgspec.convert(given, Poll))
        elif line.kind == "chain":
            more["chain"], more["entries"] = check_chain(msgspec.convert(table["chain"], Chain)), []
        elif line.kind == "merged":
            wanted = table["merged"]
            before = [id_ for at, id_ in self.said[wanted["of"]] if at < line.at]
            chosen = before[-wanted["count"] :]
            more["merged"] = do_merge(tx, self._people.actors[line.login], message_id, chosen)
        return more

    # ------------------------------------------------------------ who has read how far

    def _do_read(
        self,
        tx: Tx,
        plan: Plan,
        conversation_id: str,
        own_last: Mapping[str, int],
        times: Mapping[int, int],
    ) -> None:
        """Most have read to the end, some are a few messages behind; nobody is behind what they wrote themselves."""
        seqs = list(times)
        for login in plan.members:
            position = len(seqs) - 1 - (plan.unread if login == self._clerk else self._behind())
            seq = max(seqs[position] if position >= 0 else 0, 0 if login == self._clerk else own_last.get(login, 0))
            if seq > 0:
                mine = self._membership(tx, conversation_id, login)
                read_at = times[seq] + self._rng.randint(20, 900) * 1000
                do_mark_read(tx, mine, seq, at=min(read_at, self._moments.now - 30_000))

    def _behind(self) -> int:
        """How many messages somebody has not read yet."""
        return 0 if self._rng.random() < 0.78 else int(self._rng.expovariate(1 / 5)) + 1

    def _do_own_settings(self, tx: Tx, plan: Plan, conversation_id: str) -> None:
        tx.now = self._moments.now - 30_000
        patches: dict[str, dict[str, Any]] = {}
        for name, key in (("muted", "muted_by"), ("pinned", "pinned_by")):
            for login in plan.table.get(key, ()):
                patches.setdefault(login, {})[name] = True
        for login, folder in plan.table.get("folders", {}).items():
            patches.setdefault(login, {})["folder"] = folder
        if plan.key in self._drafts:
            patches.setdefault(self._clerk, {})["draft"] = {"text": self._drafts[plan.key]}
        for login, patch in sorted(patches.items()):
            do_patch_own(tx, self._membership(tx, conversation_id, login), patch)

    def _membership(self, tx: Tx, conversation_id: str, login: str) -> Membership:
        found = load_membership(tx.conn, conversation_id, self._people.ids[login])
        assert found is not None  # the plan named the members
        return found
