"""The backend model with cases: acts come as CaseEvents, once each; who acts first on an item wins, others learn who was faster (docs/protocol.md)."""

from typing import Any

from tests.helpers.record_model import RecordModel

REQUEST = "Request"
STAMP = "2026-11-22T08:00:00.000Z"
ENDING = frozenset({"submit", "approve", "refuse", "return", "transfer", "read"})


class CaseModel(RecordModel):
    """Everybody sees every case. `submit` gives the first item to `first`; every approval opens an item for the next of `chain`."""

    def __init__(self, *people: str, page: int = 3, chain: tuple[str, ...] = ()) -> None:
        super().__init__(*people, page=page)
        self.chain = chain or people
        for name in ("Case", "WorkItem", "CaseEvent"):
            self.types.append(name)
            self.objects[name] = {}
        self.done: list[dict[str, Any]] = []
        self.attempts = 0
        self.early = 0
        self.define("requests", REQUEST)
        module = self.objects["ModuleDefinition"]["requests"]
        label = {"zh": "事由", "en": "Subject"}
        fields = [
            {"name": "subject", "kind": "text", "label": label},
            {"name": "unit", "kind": "text", "label": label},
            {"name": "leadId", "kind": "person", "label": label},
            {"name": "papers", "kind": "files", "label": label},
        ]
        draft, asked = ({"value": value, "label": label} for value in ("draft", "asked"))
        module["types"][0] |= {"process": "request", "title": ["subject"], "fields": fields, "states": [draft, asked]}

    # ------------------------------------------------------------ the world
    def put(self, type_name: str, key: str, **data: Any) -> None:
        """An object everybody sees, new or changed."""
        self.now += 1
        known = key in self.objects[type_name]
        self.objects[type_name][key] = {**self.objects[type_name].get(key, {}), "id": key, **data}
        for person in self.people:
            (self._touch if known else self._show)(person, type_name, key)
        self._tell(set(self.people), {})

    def record(self, key: str, **data: Any) -> None:
        """A record of the module."""
        envelope = {"authorId": self.people[0], "createdAt": STAMP, "updatedAt": STAMP, "version": 1}
        self.put(REQUEST, key, **envelope, **{"state": "asked", **data})

    def open(self, record_id: str, *people: str, **more: Any) -> str:
        """An item of a running case for one person, or shared by several; its id."""
        case_id, count = f"case-{record_id}", len(self.objects["WorkItem"])
        about = {"recordType": REQUEST, "recordId": record_id, "module": "requests", "title": f"title {record_id}"}
        now = [{"stepId": "check", "name": "审核", "since": STAMP, "personIds": list(people), "dueAt": None}]
        case = {"processId": "request", "processVersion": 1, "state": "running", "startedById": self.people[0]}
        self.put("Case", case_id, **about, **case, startedAt=STAMP, now=now, next=[], done=[], durations={})
        item = {
            "caseId": case_id,
            "stepId": "check",
            "stepName": "审核",
            "kind": "handle",
            "state": "open",
            "createdAt": STAMP,
        }
        actions = [{"name": "approve"}, {"name": "return", "opinion": "required"}, {"name": "urge"}]
        who = {"personId": people[0] if len(people) == 1 else None, "candidateIds": list(people)}
        key = f"item-{record_id}-{count}"
        self.put("WorkItem", key, **{**about, **item, **who, "actions": actions, **more})
        return key

    def act(self, account: str, key: str, data: dict[str, Any]) -> dict[str, Any] | None:
        """What the server does with one act; None: done, or done before under this id."""
        self.attempts += 1
        known = self.objects["CaseEvent"].get(key)
        if known is not None:
            return None if known["personId"] == account else {"type": "invalidProperties", "properties": ["id"]}
        if data["recordId"] not in self.objects[data["recordType"]]:
            self.early += 1
            return {"type": "notFound"}
        if "bad" in data.get("opinion", ""):
            return {"type": "invalidProperties", "properties": ["opinion"], "reasons": {"opinion": "not like this"}}
        item = self.objects["WorkItem"].get(data.get("workItemId", ""))
        if item is not None and item["state"] != "open":
            last = next(one for one in reversed(self.done) if one.get("workItemId") == item["id"])
            case = self.objects["Case"][item["caseId"]]
            return {
                "type": "overtaken",
                "by": last["personId"],
                "at": last["at"],
                "action": last["action"],
                "case": case,
            }
        self._do(account, key, data, item)
        return None

    def _do(self, account: str, key: str, data: dict[str, Any], item: dict[str, Any] | None) -> None:
        record_id = data["recordId"]
        if data.get("values"):
            record = self.objects[data["recordType"]][record_id]
            self.put(data["recordType"], record_id, **data["values"], version=record["version"] + 1)
        case_id = f"case-{record_id}"
        seq = 1 + sum(one["caseId"] == case_id for one in self.objects["CaseEvent"].values())
        event = {
            **data,
            "caseId": case_id,
            "stepId": "check",
            "stepName": "审核",
            "personId": account,
            "at": STAMP,
            "seq": seq,
        }
        self.done.append({**event, "id": key})
        self.put("CaseEvent", key, **event)
        if data["action"] not in ENDING:
            return
        if item is not None:
            self.put("WorkItem", item["id"], state="done", personId=account, doneAt=STAMP, actions=[])
        place = len([one for one in self.done if one["caseId"] == case_id])
        if place < len(self.chain):
            self.open(record_id, self.chain[place])
        else:
            self.put("Case", case_id, state="completed", now=[], endedAt=STAMP)

    # ------------------------------------------------------------ the wire
    def _set(self, account: str, type_name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if type_name != "CaseEvent":
            return super()._set(account, type_name, arguments)
        answer: dict[str, Any] = {"created": {}, "notCreated": {}}
        for key, data in arguments.get("create", {}).items():
            problem = self.act(account, key, data)
            if problem is None:
                answer["created"][key] = {"id": key, "seq": self.objects["CaseEvent"][key]["seq"]}
            else:
                answer["notCreated"][key] = problem
        return answer
