"""Notices and the library of the demo office, written through the modules' own handlers, as of the moments they are said to be from."""

import html
import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from server_stub.app.demo.assets import Assets
from server_stub.app.demo.moments import DAY_MS, HOUR_MS, MINUTE_MS, Moments
from server_stub.app.demo.people import People
from server_stub.app.demo.slots import SlotFiller
from server_stub.app.demo.source import DemoSource, Table
from server_stub.clock import format_utc
from server_stub.ids import uuid7
from server_stub.modules.engine.alerts import do_drop_alerts
from server_stub.modules.engine.handler import OfficeHandler
from server_stub.modules.engine.marks import do_mark
from server_stub.records.actor import Actor
from server_stub.records.store import load_record
from server_stub.storage.database import Tx

NOTICE: Final = "Notice"


def paragraphs_to_html(text: str) -> str:
    """One paragraph a line; lines that start with "- " are a list."""
    parts: list[str] = []
    items: list[str] = []
    for line in [*text.strip().splitlines(), ""]:
        if line.startswith("- "):
            items.append(f"<li>{html.escape(line[2:])}</li>")
            continue
        if items:
            parts.append(f"<ul>{''.join(items)}</ul>")
            items = []
        if line:
            parts.append(f"<p>{html.escape(line)}</p>")
    return "".join(parts)


class NoticeMaker:
    """Publishes the demo's notices and has people read them."""

    def __init__(
        self,
        handler: OfficeHandler,
        source: DemoSource,
        people: People,
        assets: Assets,
        moments: Moments,
        rng: random.Random,
    ) -> None:
        self._handler = handler
        self._source = source
        self._people = people
        self._assets = assets
        self._moments = moments
        self._rng = rng

    def actions(self) -> list[Callable[[Tx], None]]:
        """One write action for each notice, oldest first."""
        tables = sorted(self._source.notices["notices"], key=self._age, reverse=True)
        return [partial(self._do_notice, table=table) for table in tables]

    def _age(self, table: Table) -> int:
        return int(table["hours"] * HOUR_MS if "hours" in table else table["days"] * DAY_MS)

    def _at(self, table: Table) -> int:
        if "hours" in table:
            return self._moments.now - self._age(table)
        return min(self._moments.office_time(self._rng, table["days"]), self._moments.now - HOUR_MS * 26)

    def _do_notice(self, tx: Tx, table: Table) -> None:
        at = tx.now = self._at(table)
        fill = SlotFiller(self._rng, self._source.slots, self._moments.words(at, self._rng)).fill
        author = self._people.actors[table["author"]]
        files = [self._assets.attachment(key) for key in table.get("attachments", ())]
        for asset in files:
            asset.do_own(tx, author.person_id)
        notice: dict[str, Any] = {
            "title": fill(table["title"]),
            "body": paragraphs_to_html(fill(table["body"])),
            "level": table["level"],
            "audience": self._audience(table["to"]),
            "attachments": [asset.to_file() for asset in files],
            "pinned": bool(table.get("pinned")),
            "state": "published",
        }
        if "expires" in table:
            notice["expiresAt"] = format_utc(self._moments.now + table["expires"] * DAY_MS)
        notice_id = uuid7(at)
        self._handler.create(tx, author, notice_id, notice)
        self._do_read(tx, table, notice_id, author, at)
        if "withdrawn" in table:
            tx.now = at + 3 * HOUR_MS
            self._handler.update(tx, author, notice_id, {"state": "withdrawn", "withdrawReason": table["withdrawn"]})

    def _audience(self, to: list[str]) -> dict[str, Any]:
        audience: dict[str, Any] = {"everyone": "everyone" in to, "departmentIds": [], "roles": [], "personIds": []}
        for one in to:
            kind, _, ref = one.partition(" ")
            if kind == "department":
                audience["departmentIds"].append(self._people.departments[ref])
            elif kind == "role":
                audience["roles"].append(ref)
            elif kind == "person":
                audience["personIds"].append(self._people.ids[ref])
        return audience

    def _logins(self, to: list[str]) -> list[str]:
        found: dict[str, None] = {}
        for one in to:
            kind, _, ref = one.partition(" ")
            match kind:
                case "everyone":
                    found.update(dict.fromkeys(self._people.ids))
                case "department":
                    found.update(dict.fromkeys(self._people.inside[ref]))
                case "role":
                    found.update({login: None for login, actor in self._people.actors.items() if ref in actor.roles})
                case _:
                    found[ref] = None
        return list(found)

    def _do_read(self, tx: Tx, table: Table, notice_id: str, author: Actor, at: int) -> None:
        """Readers open the notice some minutes to a day later; those who must confirm it mostly do."""
        record = load_record(tx.conn, notice_id, type_name=NOTICE)
        assert record is not None  # just made
        clerk = self._source.office["clerk"]
        must = table["level"] == "mustConfirm"
        done: list[str] = []
        for login in self._logins(table["to"]):
            reads = self._rng.random() < table["read"] or self._people.ids[login] == author.person_id
            confirms = self._rng.random() < 0.94
            if login == clerk:
                reads = table.get("clerk", "read") != "unread"
                confirms = table.get("clerk") == "confirmed"
            if not reads:
                continue
            when = min(at + int(self._rng.expovariate(1 / (95 * MINUTE_MS))) + MINUTE_MS, self._moments.now - MINUTE_MS)
            do_mark(tx, record, self._people.ids[login], confirmed=must and confirms, at=max(when, at))
            if not must or confirms:
                done.append(self._people.ids[login])
        do_drop_alerts(tx, NOTICE, notice_id, done)


class LibraryMaker:
    """Makes the demo's folders and documents with their versions."""

    def __init__(
        self,
        folders: OfficeHandler,
        documents: OfficeHandler,
        source: DemoSource,
        people: People,
        assets: Assets,
        moments: Moments,
    ) -> None:
        self._folders = folders
        self._documents = documents
        self._tables = source.documents
        self._people = people
        self._assets = assets
        self._moments = moments
        self._librarian = next(actor for actor in people.actors.values() if "librarian" in actor.roles)

    def do_folders(self, tx: Tx) -> dict[str, str]:
        """All folders; key → id."""
        tx.now = self._moments.now - 420 * DAY_MS
        made: dict[str, str] = {}
        for one in self._tables["folders"]:
            folder: dict[str, Any] = {"name": one["name"]}
            if "parent" in one:
                folder["parentId"] = made[one["parent"]]
            if "department" in one:
                folder["departmentId"] = self._people.departments[one["department"]]
            # All librarians see every folder, so that this one's identities do not matter.
            made[one["key"]] = str(self._folders.create(tx, self._librarian, "k", folder)["id"])
        return made

    def do_documents(self, tx: Tx, folders: Mapping[str, str]) -> int:
        """All documents; returns how many."""
        rng = random.Random(7)  # noqa: S311 (a demo, no secrets)
        for index, one in enumerate(self._tables["documents"]):
            self._do_document(tx, index, one, folders, rng)
        return len(self._tables["documents"])

    def _do_document(self, tx: Tx, index: int, one: Table, folders: Mapping[str, str], rng: random.Random) -> None:
        owner = self._people.ids[one["owner"]]
        filer = Actor(owner, frozenset({"librarian"}), self._people.actors[one["owner"]].department_ids)
        days = sorted([*one.get("versions", ()), one["days"]], reverse=True)
        versions = self._assets.documents[index]
        words = self._moments.words(self._moments.now - one["days"] * DAY_MS, rng)
        fill = SlotFiller(rng, {}, words).fill
        document_id = ""
        for ago, asset in zip(days, versions, strict=True):
            tx.now = self._moments.office_time(rng, ago)
            asset.do_own(tx, owner)
            content = {"blobId": asset.blob_id, "name": asset.name, "type": asset.type}
            if document_id:
                self._documents.update(tx, filer, document_id, content)
                continue
            document: dict[str, Any] = {
                "title": fill(one["title"]),
                "folderId": folders[one["folder"]],
                "ownerId": owner,
                **content,
            }
            if one.get("number"):
                document["number"] = fill(one["number"])
            document["offline"] = _offline(one.get("offline", "allowed"))
            document_id = str(self._documents.create(tx, filer, uuid7(tx.now), document)["id"])


def _offline(policy: str) -> dict[str, Any]:
    if policy == "always":
        return {"policy": policy, "leaseDays": 90, "print": True, "copy": True}
    if policy == "none":
        return {"policy": policy, "leaseDays": 1, "print": False, "copy": False}
    return {"policy": policy, "leaseDays": 30, "print": True, "copy": True}
