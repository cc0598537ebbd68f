"""A small honest backend for simulations: conversations, messages and alerts of some accounts, with the change semantics of docs/protocol.md.

Pure and synchronous. It is the oracle too: `visible` is what an account must hold in the end.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

EVERYTHING_LOST = -1
QUERY_LIMIT = 7


@dataclass
class Connection:
    """One socket: frames on their way to the client."""

    account: str
    to_client: list[str] = field(default_factory=list)
    pushes: bool = False


class BackendModel:
    """Objects by type and id, who may see them since when, and the log that /changes reads."""

    def __init__(self, push_objects: bool = True, page: int = 3) -> None:
        self.now = 0
        self.floor = 0
        self.page = page
        self.push_objects = push_objects
        self.objects: dict[str, dict[str, dict[str, Any]]] = {"Conversation": {}, "Message": {}, "Alert": {}}
        self.members: dict[str, set[str]] = {}
        self.read: dict[tuple[str, str], int] = {}
        self.own: dict[tuple[str, str], dict[str, Any]] = {}
        self.sight: dict[tuple[str, str, str], list[tuple[int, bool]]] = {}
        self.touched: dict[tuple[str, str, str], int] = {}
        self.connections: list[Connection] = []
        self.creations = 0

    # ------------------------------------------------------------ the world
    def add_conversation(self, conversation_id: str, *accounts: str) -> None:
        self.objects["Conversation"][conversation_id] = {
            "id": conversation_id,
            "kind": "group",
            "name": conversation_id,
            "lastSeq": 0,
        }
        self.members[conversation_id] = set()
        for account in accounts:
            self.join(account, conversation_id)

    def join(self, account: str, conversation_id: str) -> None:
        if account in self.members[conversation_id]:
            return
        self.now += 1
        self.members[conversation_id].add(account)
        self._show(account, "Conversation", conversation_id)
        for message in self._messages(conversation_id):
            self._show(account, "Message", message["id"])
        self._tell({account}, {})

    def leave(self, account: str, conversation_id: str) -> None:
        if account not in self.members[conversation_id]:
            return
        self.now += 1
        self.members[conversation_id].discard(account)
        self._hide(account, "Conversation", conversation_id)
        for message in self._messages(conversation_id):
            self._hide(account, "Message", message["id"])
        self._tell({account}, {})

    def say(self, account: str, conversation_id: str, message_id: str, text: str) -> dict[str, Any]:
        """A message, once for each id."""
        known = self.objects["Message"].get(message_id)
        if known is not None:
            return {"created": known} if known["senderId"] == account else {"error": "invalidProperties"}
        if account not in self.members.get(conversation_id, set()):
            return {"error": "forbidden"}
        self.now += 1
        self.creations += 1
        conversation = self.objects["Conversation"][conversation_id]
        conversation["lastSeq"] += 1
        message = {
            "id": message_id,
            "conversationId": conversation_id,
            "seq": conversation["lastSeq"],
            "senderId": account,
            "kind": "text",
            "text": text,
            "sentAt": f"2026-11-22T08:00:00.{self.now % 1000:03d}Z",
        }
        self.objects["Message"][message_id] = message
        for member in self.members[conversation_id]:
            self._show(member, "Message", message_id)
            self._touch(member, "Conversation", conversation_id)
        self._tell(self.members[conversation_id], {"Message": [message]}, conversation_id)
        return {"created": message}

    def change(self, account: str, message_id: str, text: str) -> str | None:
        """The sender says it otherwise; None, or why not."""
        known = self.objects["Message"].get(message_id)
        if known is None or not self._sees(account, "Message", message_id):
            return "notFound"
        if known["senderId"] != account:
            return "forbidden"
        self.now += 1
        changed = {**known, "text": text, "editedAt": known["sentAt"]}
        self.objects["Message"][message_id] = changed
        room = str(known["conversationId"])
        for member in self.members[room]:
            self._touch(member, "Message", message_id)
            self._touch(member, "Conversation", room)
        self._tell(self.members[room], {"Message": [changed]}, room)
        return None

    def alert(self, account: str, alert_id: str) -> None:
        self.now += 1
        self.objects["Alert"][alert_id] = {
            "id": alert_id,
            "kind": "system",
            "title": alert_id,
            "createdAt": "2026-11-22T08:00:00.000Z",
        }
        self._show(account, "Alert", alert_id)
        self._tell({account}, {})

    def forget_log(self) -> None:
        """Older states can't be calculated from any more."""
        self.floor = self.now

    def visible(self, account: str, type_name: str) -> set[str]:
        return {
            object_id
            for a, t, object_id in self.sight
            if a == account and t == type_name and self._sees(a, t, object_id)
        }

    # ------------------------------------------------------------ the wire
    def connect(self, account: str) -> Connection:
        connection = Connection(account)
        self.connections.append(connection)
        return connection

    def disconnect(self, connection: Connection) -> None:
        if connection in self.connections:
            self.connections.remove(connection)

    def take(self, connection: Connection, text: str) -> None:
        """A frame of a client."""
        frame = json.loads(text)
        if frame["@type"] == "WebSocketPushEnable":
            connection.pushes = True
            return
        responses: list[list[Any]] = []
        for name, arguments, call_id in frame["methodCalls"]:
            method, answer = self._call(connection.account, name, self._resolve(arguments, responses))
            responses.append([method, answer, call_id])
        answer_frame = {"@type": "Response", "requestId": frame["id"], "methodResponses": responses}
        connection.to_client.append(json.dumps(answer_frame))

    def _resolve(self, arguments: dict[str, Any], responses: list[list[Any]]) -> dict[str, Any]:
        resolved = dict(arguments)
        for key in [key for key in arguments if key.startswith("#")]:
            reference = resolved.pop(key)
            answer = next((a for m, a, c in responses if c == reference["resultOf"] and m == reference["name"]), None)
            resolved[key[1:]] = None if answer is None else answer[reference["path"].lstrip("/")]
            if answer is None:
                resolved["failed"] = True
        return resolved

    def _call(self, account: str, name: str, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        type_name, verb = name.split("/")
        if name == "Core/echo":
            return name, arguments
        if arguments.get("failed"):
            return "error", {"type": "invalidResultReference"}
        verbs: dict[str, Callable[..., dict[str, Any]]] = {
            "get": self._get,
            "changes": self._changes,
            "query": self._query,
            "set": self._set,
        }
        answer = verbs[verb](account, type_name, arguments)
        return ("error", answer) if "type" in answer and verb != "get" else (name, answer)

    def _get(self, account: str, type_name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        ids = arguments["ids"]
        seen = [object_id for object_id in ids if self._sees(account, type_name, object_id)]
        objects = [self._as_seen(account, type_name, object_id) for object_id in seen]
        return {"state": str(self.now), "list": objects, "notFound": [i for i in ids if i not in seen]}

    def _as_seen(self, account: str, type_name: str, object_id: str) -> dict[str, Any]:
        found = dict(self.objects[type_name][object_id])
        if type_name == "Conversation":
            read = self.read.get((account, object_id), 0)
            unread = sum(m["seq"] > read and m["senderId"] != account for m in self._messages(object_id))
            found |= {"readSeq": read, "unreadCount": unread, **self.own.get((account, object_id), {})}
            last = max(self._messages(object_id), key=lambda m: int(m["seq"]), default=None)
            if last is not None:
                found["lastMessage"] = {k: last[k] for k in ("id", "seq", "senderId", "kind", "text", "sentAt")}
        return found

    def _query(self, account: str, type_name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if type_name != "Message":
            ids = sorted(self.visible(account, type_name))
            start = ids.index(arguments["anchor"]) + 1 if arguments.get("anchor") in ids else 0
            if "anchor" in arguments and arguments["anchor"] not in ids:
                return {"type": "anchorNotFound"}
            return {"ids": ids[start : start + QUERY_LIMIT], "position": start, "limit": QUERY_LIMIT}
        wanted = arguments["filter"]
        found = [
            message
            for message in self._messages(wanted["conversationId"])
            if wanted["afterSeq"] < message["seq"] < wanted["beforeSeq"]
            and self._sees(account, "Message", message["id"])
        ]
        found.sort(key=lambda message: message["seq"], reverse=not arguments["sort"][0]["isAscending"])
        return {"ids": [message["id"] for message in found[: arguments["limit"]]], "position": 0}

    def _changes(self, account: str, type_name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        since, most = int(arguments["sinceState"]), min(self.page, arguments["maxChanges"])
        if since < self.floor:
            return {"type": "cannotCalculateChanges"}
        changed = sorted(
            (at, object_id)
            for (a, t, object_id), at in self.touched.items()
            if a == account and t == type_name and at > since
        )
        page = changed[:most]
        # Whole change ids only: what one change did stays together.
        while len(page) < len(changed) and page and changed[len(page)][0] == page[-1][0]:
            page.append(changed[len(page)])
        new = page[-1][0] if len(page) < len(changed) else self.now
        answer: dict[str, Any] = {"created": [], "updated": [], "destroyed": [], "modseqs": {}}
        for at, object_id in page:
            before, after = self._sees(account, type_name, object_id, since), self._sees(account, type_name, object_id)
            if after:
                answer["updated" if before else "created"].append(object_id)
                answer["modseqs"][object_id] = at
            elif before:
                answer["destroyed"].append(object_id)
        return {"oldState": str(since), "newState": str(new), "hasMoreChanges": len(page) < len(changed), **answer}

    def _set(self, account: str, type_name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = {"created": {}, "notCreated": {}, "updated": {}, "notUpdated": {}, "destroyed": []}
        for key, value in arguments.get("create", {}).items():
            outcome = self.say(account, value["conversationId"], key, value.get("text", ""))
            if "created" in outcome:
                answer["created"][key] = {k: outcome["created"][k] for k in ("id", "seq", "sentAt", "senderId")}
            else:
                answer["notCreated"][key] = {"type": outcome["error"]}
        for key, patch in arguments.get("update", {}).items():
            if type_name == "Message":
                refused = self.change(account, key, patch["text"])
                answer["notUpdated" if refused else "updated"][key] = {"type": refused} if refused else None
            elif self._sees(account, type_name, key):
                if "readSeq" in patch:
                    self._mark_read(account, key, patch["readSeq"])
                self._set_own(account, key, {name: value for name, value in patch.items() if name != "readSeq"})
                answer["updated"][key] = None
            else:
                answer["notUpdated"][key] = {"type": "notFound"}
        for key in arguments.get("destroy", []):
            if self._sees(account, type_name, key):
                self.now += 1
                self._hide(account, type_name, key)
                self._tell({account}, {})
                answer["destroyed"].append(key)
            else:
                answer.setdefault("notDestroyed", {})[key] = {"type": "notFound"}
        answer["newState"] = str(self.now)
        return answer

    def _mark_read(self, account: str, conversation_id: str, seq: int) -> None:
        seq = min(seq, self.objects["Conversation"][conversation_id]["lastSeq"])
        if seq > self.read.get((account, conversation_id), 0):
            self.now += 1
            self.read[account, conversation_id] = seq
            self._touch(account, "Conversation", conversation_id)
            self._tell({account}, {}, conversation_id)

    def _set_own(self, account: str, conversation_id: str, patch: dict[str, Any]) -> None:
        if patch:
            self.now += 1
            self.own.setdefault((account, conversation_id), {}).update(patch)
            self._touch(account, "Conversation", conversation_id)
            self._tell({account}, {}, conversation_id)

    # ------------------------------------------------------------ sight and pushes
    def _messages(self, conversation_id: str) -> list[dict[str, Any]]:
        return [m for m in self.objects["Message"].values() if m["conversationId"] == conversation_id]

    def _sees(self, account: str, type_name: str, object_id: str, at: int | None = None) -> bool:
        seen = False
        for since, visible in self.sight.get((account, type_name, object_id), []):
            if at is None or since <= at:
                seen = visible
        return seen

    def _show(self, account: str, type_name: str, object_id: str) -> None:
        self.sight.setdefault((account, type_name, object_id), []).append((self.now, True))
        self._touch(account, type_name, object_id)

    def _hide(self, account: str, type_name: str, object_id: str) -> None:
        self.sight[account, type_name, object_id].append((self.now, False))
        self._touch(account, type_name, object_id)

    def _touch(self, account: str, type_name: str, object_id: str) -> None:
        self.touched[account, type_name, object_id] = self.now

    def _tell(self, accounts: set[str], objects: dict[str, list[dict[str, Any]]], room: str | None = None) -> None:
        """Pushes what changed: objects where the model pushes them, else the new states."""
        state = str(self.now)
        for connection in self.connections:
            if not connection.pushes or connection.account not in accounts:
                continue
            pushed = dict(objects)
            if room is not None:
                pushed["Conversation"] = [self._as_seen(connection.account, "Conversation", room)]
            if pushed and self.push_objects:
                connection.to_client.append(json.dumps({"@type": "Push", "state": state, "objects": pushed}))
            named = [name for name in self.objects if name not in pushed or not self.push_objects]
            changed = {connection.account: dict.fromkeys(named, state)}
            connection.to_client.append(json.dumps({"@type": "StateChange", "changed": changed, "pushState": state}))
