"""A hostile colleague, a stolen read-only token and a stranger on the network against one real server. Nothing here may work."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
import os
import socket
import ssl
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from websockets.asyncio.client import connect as async_connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from server_stub.accounts import directory
from server_stub.accounts.passwords import Passwords
from server_stub.app.admin import send_command
from server_stub.app.cli import initialize
from server_stub.app.layout import DataLayout
from server_stub.app.settings import Settings
from server_stub.clock import SystemClock
from server_stub.ids import direct_conversation_id, uuid7
from server_stub.storage.database import Database, Tx
from tests.helpers.live_server import PASSWORD, LiveDevice, LiveServer, make_server, wait_until

MOBILE = "13812342046"
PEOPLE = ("root", "li", "wang", "zhao", "qian")
ROLES = {"root": ["admin"], "qian": ["publisher", "librarian"]}
URNS = ["urn:ietf:params:jmap:core", *(f"urn:tongban:{one}" for one in ("directory", "account", "chat", "office"))]


@dataclass
class Office:
    """The running server with one signed-in device for each person; li and qian are of the first department, the rest of the other."""

    server: LiveServer
    people: dict[str, str]
    departments: list[str]
    devices: dict[str, LiveDevice] = field(default_factory=dict)

    def __getitem__(self, login: str) -> LiveDevice:
        if login not in self.devices:
            self.devices[login] = LiveDevice(self.server, login)
        return self.devices[login]

    def command(self, command: str, /, **arguments: Any) -> list[str]:
        """A command of the administrator, through the running server."""
        return send_command(Settings(data=self.server.data), command, arguments)

    def token(self, login: str, *scopes: str, **more: Any) -> str:
        """An integration token's secret."""
        lines = self.command("token.add", name="job", person=login, scopes=scopes, expires="1h", **more)
        return lines[-1].removeprefix("token: ")

    def alive(self) -> None:
        """It still answers, and quickly."""
        began = time.monotonic()
        with self.server.http() as http:
            assert http.get("/healthz").json() == {"status": "ok"}
        assert time.monotonic() - began < 5


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    data = tmp_path_factory.mktemp("attacks") / "data"
    data.mkdir(mode=0o755)
    initialize(Settings(data=data))
    passwords = Passwords()
    hashed = passwords.hash(PASSWORD)
    passwords.close()
    database = Database.open(DataLayout(data).database, clock=SystemClock())

    def fill(tx: Tx) -> tuple[dict[str, str], list[str]]:
        departments = [directory.do_create_department(tx, name=name) for name in ("办公室", "财务科")]
        people = {}
        for login in PEOPLE:
            first = login in ("li", "qian")
            identity = directory.Identity(departments[0 if first else 1], "科员", True)
            people[login] = directory.do_create_person(
                tx,
                name=login,
                login=login,
                password_hash=hashed,
                identities=[identity],
                roles=ROLES.get(login, []),
                details={"mobile": MOBILE} if login == "li" else None,
            )
        return people, departments

    people, departments = database.write_now(fill)
    database.close_now()
    with LiveServer(data) as server:
        yield Office(server, people, departments)


# ---------------------------------------------------------------- small tools


def call(device: LiveDevice, name: str, **arguments: Any) -> dict[str, Any]:
    """One method call that is answered as itself."""
    ((answered, result, _),) = device.jmap([name, {"accountId": device.account, **arguments}, "0"])
    assert answered == name, (answered, result)
    return dict(result)


def error(device: LiveDevice, name: str, **arguments: Any) -> str:
    """One method call that is refused; the type of its error."""
    ((answered, result, _),) = device.jmap([name, {"accountId": device.account, **arguments}, "0"])
    assert answered == "error", result
    return str(result["type"])


def make(device: LiveDevice, type_name: str, key: str = "k", **properties: Any) -> dict[str, Any]:
    """Create one object; its `created` entry."""
    result = call(device, f"{type_name}/set", create={key: properties})
    assert result["created"], result["notCreated"]
    return dict(result["created"][key])


def refused(device: LiveDevice, type_name: str, key: str = "k", **properties: Any) -> str:
    """A create that is refused; the type of its error."""
    result = call(device, f"{type_name}/set", create={key: properties})
    assert result["created"] is None, result
    return str(result["notCreated"][key]["type"])


def change(device: LiveDevice, type_name: str, id_: str, patch: dict[str, Any]) -> str:
    """ "ok", or the type of the error that refuses a patch."""
    result = call(device, f"{type_name}/set", update={id_: patch})
    return "ok" if result["updated"] else str(result["notUpdated"][id_]["type"])


def upload(device: LiveDevice, content: bytes, type_: str = "text/plain") -> str:
    """A simple upload; the blob's id."""
    path = f"/jmap/upload/{device.account}/"
    answer = device.request("POST", path, content=content, headers={"Content-Type": type_})
    return str(answer.raise_for_status().json()["blobId"])


def fetch(device: LiveDevice, blob_id: str, **headers: str) -> int:
    """The status of a download."""
    return device.request("GET", f"/jmap/download/{device.account}/{blob_id}/x", headers=headers).status_code


def group_of(owner: LiveDevice, *others: str, name: str = "组") -> str:
    """A new group; its id."""
    return str(make(owner, "Conversation", kind="group", name=name, memberIds=list(others))["id"])


def say(device: LiveDevice, conversation_id: str, text: str = "hi", **more: Any) -> str:
    """A new message; its id."""
    return str(make(device, "Message", conversationId=conversation_id, kind="text", text=text, **more)["id"])


def open_socket(server: LiveServer, headers: dict[str, str]) -> ClientConnection:
    """A JMAP WebSocket, to be used as a context manager. Raises InvalidStatus."""
    for _ in range(5):
        try:
            return connect(
                f"{server.url.replace('https', 'wss')}/jmap/ws",
                ssl=server.tls(),
                additional_headers=headers,
                subprotocols=[Subprotocol("jmap")],
                proxy=None,
                max_size=None,
            )
        except ConnectionClosedError as problem:
            # The client's two threads met inside OpenSSL (its reader takes the session tickets): nothing of the server's.
            if not isinstance(problem.__cause__, ssl.SSLError):
                raise
    raise AssertionError("no socket in five attempts")


def socket_of(device: LiveDevice) -> ClientConnection:
    url = f"{device.server.url}/jmap/ws"
    return open_socket(device.server, device.key.headers("GET", url, device.tokens["accessToken"]))


def heard(socket_: ClientConnection) -> list[str]:
    """The frames that come until it is quiet for longer than the server gathers news."""
    frames: list[str] = []
    with contextlib.suppress(TimeoutError):
        while True:
            frames.append(str(socket_.recv(0.4)))
    return frames


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def ask(socket_: ClientConnection, account: str, name: str, **arguments: Any) -> dict[str, Any]:
    """One request over a socket; the response frame. Frames before it are dropped."""
    frame = {
        "@type": "Request",
        "id": "q",
        "using": URNS,
        "methodCalls": [[name, {"accountId": account, **arguments}, "0"]],
    }
    socket_.send(json.dumps(frame))
    while True:
        answer = dict(json.loads(socket_.recv(20)))
        if answer.get("requestId") == "q":
            return answer


# ---------------------------------------------------------------- other people's things


def test_another_account_is_no_account(office: Office) -> None:
    wang, li = office["wang"], office.people["li"]
    for name in ("Message/query", "Conversation/get", "Alert/get", "Device/get", "LoginEntry/get", "ReadMark/query"):
        assert error(wang, name, accountId=li) == "accountNotFound"
    assert error(wang, "Notice/set", accountId=li, create={"k": {}}) == "accountNotFound"
    assert wang.request("POST", f"/jmap/upload/{li}/", content=b"x").status_code == 404
    mine = upload(wang, b"mine")
    assert wang.request("GET", f"/jmap/download/{li}/{mine}/x").status_code == 404
    assert wang.request("GET", f"/jmap/thumbnail/{li}/{mine}/96").status_code == 404


def test_a_direct_conversation_of_others_cannot_be_told_from_none(office: Office) -> None:
    li, wang, people = office["li"], office["wang"], office.people
    secret = make(li, "Conversation", kind="direct", memberIds=[people["qian"]])["id"]
    message = say(li, secret, "for qian alone")
    for id_, of in ((secret, "qian"), (direct_conversation_id(people["li"], people["root"]), "root")):
        assert call(wang, "Conversation/get", ids=[id_])["notFound"] == [id_]
        for type_name in ("Message", "Member", "Receipt"):
            assert call(wang, f"{type_name}/query", filter={"conversationId": id_})["ids"] == []
        pairs = [f"{id_}_{people['li']}", f"{id_}_{people[of]}"]
        assert call(wang, "Member/get", ids=pairs)["list"] == call(wang, "Receipt/get", ids=pairs)["list"] == []
        assert change(wang, "Conversation", id_, {"readSeq": 1}) == "notFound"
        assert refused(wang, "Message", conversationId=id_, kind="text", text="x") == "invalidProperties"
        assert refused(wang, "Member", conversationId=id_, personId=people["wang"]) == "invalidProperties"
        assert call(wang, "Member/set", destroy=pairs)["destroyed"] is None
    assert call(wang, "Message/get", ids=[message])["notFound"] == [message]
    own = say(wang, group_of(wang))
    assert (
        refused(wang, "Message", message, conversationId=group_of(wang), kind="text", text="x") == "invalidProperties"
    )
    assert call(wang, "Message/get", ids=[own])["list"]


def test_before_joining_and_after_leaving_a_group_nothing_is_seen(office: Office) -> None:
    li, wang = office["li"], office["wang"]
    picture = io.BytesIO()
    Image.effect_noise((40, 30), 50).save(picture, "PNG")
    blob = upload(li, picture.getvalue(), "image/png")
    group = group_of(li)
    file = {"blobId": blob, "name": "a.png", "type": "image/png", "size": 1}
    message = make(li, "Message", conversationId=group, kind="picture", attachment=file)["id"]

    def seen() -> list[int]:
        ids = call(wang, "Message/query", filter={"conversationId": group})["ids"]
        got = call(wang, "Message/get", ids=[message])["list"]
        thumbnail = wang.request("GET", f"/jmap/thumbnail/{wang.account}/{blob}/96").status_code
        return [len(ids), len(got), fetch(wang, blob), thumbnail]

    nothing = [0, 0, 404, 404]
    assert seen() == nothing
    assert refused(wang, "Message", conversationId=group_of(wang), kind="file", attachment=file) == "blobNotFound"
    member = make(li, "Member", conversationId=group, personId=wang.account)["id"]
    assert seen() == [2, 1, 200, 200]  # the picture, and the line that says who joined
    state = call(wang, "Message/get", ids=[])["state"]
    with socket_of(wang) as listening:
        listening.send(json.dumps({"@type": "WebSocketPushEnable", "dataTypes": None, "objects": ["Message"]}))
        assert ask(listening, wang.account, "Core/echo")["@type"] == "Response"
        assert call(li, "Member/set", destroy=[member])["destroyed"] == [member]
        say(li, group, "without wang")
        assert seen() == nothing
        say(wang, group_of(wang), "a later one of his own")
        texts = []
        while "a later one of his own" not in texts:
            frame = json.loads(listening.recv(20))
            texts += [one["text"] for one in frame.get("objects", {}).get("Message", ())]
        assert texts == ["a later one of his own"]
        typing = {"@type": "Signal", "kind": "typing", "conversationId": group}
        with socket_of(li) as other:
            other.send(json.dumps({"@type": "WebSocketPushEnable", "dataTypes": [], "signals": True}))
            assert ask(other, li.account, "Core/echo")["@type"] == "Response"
            listening.send(json.dumps(typing))
            assert ask(listening, wang.account, "Core/echo")["@type"] == "Response"
            assert not [frame for frame in heard(other) if "typing" in frame]
    gone = call(wang, "Message/changes", sinceState=state)
    assert message in gone["destroyed"]
    assert refused(wang, "Message", conversationId=group, kind="text", text="x") == "invalidProperties"


def test_blobs_are_not_had_by_knowing_their_hash(office: Office) -> None:
    li, wang = office["li"], office["wang"]
    known = hashlib.sha256(b"a form everybody knows").hexdigest()
    assert fetch(wang, known) == 404
    assert upload(li, b"a form everybody knows") == known
    assert fetch(wang, known) == 404
    for bad in (known.upper(), "0" * 63, "..%2f" + known, known + "%00", "x%2e%2e"):
        assert fetch(li, bad) in (400, 401, 404)
    draft: dict[str, Any] = {"title": "t", "audience": {"everyone": True}}
    attachment = {"blobId": known, "name": "a", "type": "", "size": 0}
    assert refused(wang, "Notice", **draft, attachments=[attachment]) == "blobNotFound"
    folder = make(office["qian"], "Folder", name="f", departmentId=office.departments[1])["id"]
    assert refused(wang, "Document", title="t", folderId=folder, blobId=known, name="n") == "blobNotFound"


def test_uploads_in_pieces_are_their_makers_alone(office: Office) -> None:
    li, wang = office["li"], office["wang"]
    tus = {"Tus-Resumable": "1.0.0"}
    made = li.request("POST", "/files", headers=tus | {"Upload-Length": "4"})
    path = made.headers["location"]
    patch = tus | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert wang.request("HEAD", path, headers=tus).status_code == 404
    assert wang.request("PATCH", path, headers=patch, content=b"evil").status_code == 404
    assert wang.request("POST", path, headers=patch | {"X-HTTP-Method-Override": "PATCH"}).status_code == 404
    assert wang.request("DELETE", path, headers=tus).status_code == 404
    for odd in ("/files/" + "-" * 36, "/files/..%2f..%2ftongban", "/files/" + "a" * 3000):
        assert wang.request("HEAD", odd, headers=tus).status_code in (400, 401, 404)
    assert li.request("PATCH", path, headers=patch, content=b"good").headers["tongban-blob-id"]


def test_a_hidden_number_is_found_neither_by_query_nor_by_patch(office: Office) -> None:
    wang, li = office["wang"], office.people["li"]
    (shown,) = call(wang, "Person/get", ids=[li])["list"]
    assert shown["mobile"] == "138****2046"
    for filter_ in (
        {"mobile": MOBILE},
        {"text": MOBILE},
        {"text": "1234"},
        {"operator": "NOT", "conditions": [{"mobile": shown["mobile"]}]},
    ):
        assert li not in call(wang, "Person/query", filter=filter_)["ids"]
    assert li in call(wang, "Person/query", filter={"mobileAfter": "138****2046"})["ids"]
    assert li not in call(wang, "Person/query", filter={"mobileAfter": "1380"})["ids"]
    # Right and wrong guesses must look the same, or 10,000 of them in 20 requests find the number.
    assert {change(wang, "Person", li, {"mobile": guess}) for guess in (MOBILE, "13899992046")} == {"forbidden"}
    assert change(wang, "Person", li, {"mobile": MOBILE, "name": "li"}) == "forbidden"
    assert change(office["li"], "Person", li, {"mobile": MOBILE}) == "ok"


def test_nobody_makes_himself_more_than_he_is(office: Office) -> None:
    wang = office["wang"]
    me = wang.account
    patches: tuple[dict[str, Any], ...] = ({"roles": ["admin"]}, {"roles/0": "admin"}, {"identities": []}, {"active": False}, {"login": "root"},
                  {"signature": "x", "roles": ["publisher"]}, {"__proto__": {"roles": ["admin"]}}, {"a/b~1c": 1},
                  {"": 1}, {"/": 1}, {"identities/0/departmentId": office.departments[0]})  # fmt: skip
    for patch in patches:
        assert change(wang, "Person", me, patch) in ("forbidden", "invalidPatch"), patch
    assert change(wang, "Person", me, {"signature": "hello", "signature/x": 1}) == "invalidPatch"
    assert change(wang, "Person", me, {"/".join("x" * 5000): 1}) == "invalidPatch"
    assert refused(wang, "Person", name="x") == refused(wang, "Department", name="x") == "forbidden"
    assert change(wang, "Department", office.departments[0], {"name": "x"}) == "forbidden"
    assert refused(wang, "Notice", title="t", audience={"everyone": True}, state="published") == "forbidden"
    assert (
        refused(wang, "Notice", title="t", audience={"everyone": True}, publishedAt="2026-01-01T00:00:00Z")
        == "invalidProperties"
    )
    assert refused(wang, "Folder", name="x") == "forbidden"
    assert "forbidden" in {
        refused(wang, name, title="x") for name in ("Alert", "Device", "LoginEntry", "Receipt", "ModuleDefinition")
    }
    assert call(wang, "Person/get", ids=[me])["list"][0]["roles"] == []
    group = group_of(office["li"], me)
    member = f"{group}_{me}"
    assert change(wang, "Member", member, {"role": "owner"}) == "forbidden"
    assert change(wang, "Conversation", group, {"name": "mine"}) == "forbidden"
    roles: tuple[Any, ...] = ([], {}, 7, None, ["owner"])
    for role in roles:
        assert change(office["li"], "Member", member, {"role": role}) == "invalidProperties"


def test_notices_and_their_marks_outside_the_audience(office: Office) -> None:
    qian, wang, li = office["qian"], office["wang"], office["li"]
    blob = upload(qian, b"for the office alone")
    properties: dict[str, Any] = {
        "title": "内部", "body": "<p>secret words</p>", "level": "mustConfirm", "state": "published",
        "audience": {"departmentIds": [office.departments[0]]},
        "attachments": [{"blobId": blob, "name": "a.txt", "type": "x", "size": 9}],
    }  # fmt: skip
    notice = make(qian, "Notice", **properties)["id"]
    draft = make(li, "Notice", title="draft of li", audience={"everyone": True})["id"]
    for id_ in (notice, draft):
        assert call(wang, "Notice/get", ids=[id_])["notFound"] == [id_]
        assert (
            id_ not in call(wang, "Notice/query", filter={"text": "secret"})["ids"] + call(wang, "Notice/query")["ids"]
        )
        assert change(wang, "Notice", id_, {"title": "x"}) == "notFound"
        assert call(wang, "Notice/set", destroy=[id_])["destroyed"] is None
        assert refused(wang, "ReadMark", recordType="Notice", recordId=id_, confirmed=True) == "invalidProperties"
    assert fetch(wang, blob) == 404
    assert fetch(li, blob) == 200

    mark = make(li, "ReadMark", recordType="Notice", recordId=notice, confirmed=False)["id"]
    (alert,) = [one["id"] for one in call(li, "Alert/get", ids=None)["list"] if one["link"]["id"] == notice]
    assert call(wang, "ReadMark/get", ids=[mark])["notFound"] == [mark]
    assert call(wang, "Alert/get", ids=[alert])["notFound"] == [alert]
    assert change(wang, "ReadMark", mark, {"confirmed": True}) == "notFound"
    assert change(qian, "ReadMark", mark, {"confirmed": True}) == "forbidden"
    assert call(wang, "Alert/set", destroy=[alert])["notDestroyed"][alert]["type"] == "notFound"
    (seen,) = call(li, "Notice/get", ids=[notice])["list"]
    assert not {"readCount", "confirmedCount", "audienceCount"} & seen.keys()
    assert call(li, "Notice/query", filter={"readCount": 1})["ids"] == []

    assert change(qian, "Notice", notice, {"state": "withdrawn", "withdrawReason": "wrong"}) == "ok"
    (trace,) = call(li, "Notice/get", ids=[notice])["list"]
    assert (trace["body"], trace["attachments"]) == ("", [])
    assert fetch(li, blob) == 404
    assert notice not in call(li, "Notice/query", filter={"text": "secret"})["ids"]
    for body in ("<p>secret words</p>", "<p>other words</p>"):
        assert change(li, "Notice", notice, {"body": body}) == "forbidden"


def test_odd_values_are_refused_alone_and_never_stumble_the_rest(office: Office) -> None:
    qian = office["qian"]
    blob = upload(qian, b"attached")
    attachment = {"blobId": blob, "name": "a.txt", "type": "text/plain", "size": 8}
    notice = make(qian, "Notice", title="t", audience={"everyone": True}, attachments=[attachment])["id"]
    lying = {**attachment, "size": 10**40, "type": "text/html"}
    assert change(qian, "Notice", notice, {"attachments": [lying, {**lying, "name": "b.txt"}]}) == "ok"
    (kept,) = call(qian, "Notice/get", ids=[notice])["list"]
    assert {(one["size"], one["type"]) for one in kept["attachments"]} == {(8, "text/plain")}
    patches: tuple[dict[str, Any], ...] = ({"state": []}, {"state": {}}, {"level": []}, {"departmentId": {}}, {"audience": []}, {"pinned": 1},
                  {"audience/everyone": "yes"}, {"audience/roles": [[]]}, {"expiresAt": 10**30}, {"title": "a\0b"},
                  {"attachments": [{"blobId": int("1" * 64), "name": "x"}]}, {"body": 1}, {"title": "x" * 201})  # fmt: skip
    for patch in patches:
        assert change(qian, "Notice", notice, patch) == "invalidProperties", patch
    for expiry in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"):
        assert change(qian, "Notice", notice, {"expiresAt": expiry}) == "ok"
    for name in ("../../x", "a/b", "a\\b", "a\0b", "x\u202efdp.exe", "..", " "):
        assert (
            refused(qian, "Notice", title="t", audience={"everyone": True}, attachments=[{**attachment, "name": name}])
            == "invalidProperties"
        )
    for window in (
        {"position": 10**25},
        {"position": -(10**25)},
        {"limit": 10**25},
        {"anchorOffset": -(10**25), "anchor": notice},
    ):
        for type_name in ("Notice", "Person", "Conversation"):
            answered = qian.jmap([f"{type_name}/query", {"accountId": qian.account, **window}, "0"])[0]
            assert answered[1].get("type") in (None, "anchorNotFound", "invalidArguments"), answered
    group = group_of(qian)
    for bounds in ({"beforeSeq": 1 << 59}, {"afterSeq": 1 << 59}, {"afterSeq": -(1 << 59)}):
        assert call(qian, "Message/query", filter={"conversationId": group, **bounds})["ids"] == []
    assert error(qian, "Message/query", filter={"conversationId": group, "afterSeq": 1 << 70}) == "invalidArguments"
    assert error(qian, "Notice/query", limit=-1) == "invalidArguments"
    assert change(qian, "Conversation", group, {"readSeq": 1 << 62}) == "invalidProperties"
    assert call(qian, "Person/get", ids=["x" * 10_000, "a\0b", ""])["list"] == []
    assert error(qian, "Notice/x/set", create={"k": {}}) == "unknownMethod"
    raw = b'{"using":["urn:ietf:params:jmap:core"],"using":[],"methodCalls":[["Core/echo",{"a":1,"a":2},"0"]],"methodCalls":[]}'
    doubled = qian.request("POST", "/jmap/api", content=raw, headers={"Content-Type": "application/json"})
    assert doubled.json()["methodResponses"] == []
    for bad in (
        b'{"using":["\\ud800"],"methodCalls":[]}',
        b'{"using":["\xed\xa0\x80"],"methodCalls":[]}',
        b"1" * 5000,
        b"[" * 100_000,
    ):
        answer = qian.request("POST", "/jmap/api", content=bad, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
    office.alive()


def test_names_that_deceive(office: Office) -> None:
    wang = office["wang"]
    for name in ("a\nb", "a\0b", "\u202egnp.exe", "a\u2028b"):
        assert refused(wang, "Conversation", kind="group", name=name, memberIds=[]) == "invalidProperties"
    family = "一家 👨\u200d👩\u200d👧"
    group = group_of(wang, name=family)
    assert call(wang, "Conversation/get", ids=[group])["list"][0]["name"] == family
    blob = upload(wang, b"program")
    sent = make(
        wang, "Message", conversationId=group, kind="file", attachment={"blobId": blob, "name": "doc\u202efdp.exe"}
    )
    assert sent["attachment"]["name"] == "doc_fdp.exe"
    for name in ("../x", "a\\b", "a\0b"):
        file = {"blobId": blob, "name": name}
        assert refused(wang, "Message", conversationId=group, kind="file", attachment=file) == "invalidProperties"
    path = f"/jmap/download/{wang.account}/{blob}/..%2F..%2Fetc%2Fpasswd%22%3B%20x%E2%80%AE.html?type=text/html"
    with office.server.http() as http:
        answer = http.get(path, headers=bearer(office.token("wang", "read"))).raise_for_status()
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="')
    assert not {"/", "\\", "%2F", "%E2%80%AE"} & {
        part for part in ("/", "\\", "%2F", "%E2%80%AE") if part in disposition
    }
    assert disposition.count('"') == 2


def test_what_a_notice_may_hold(office: Office) -> None:
    qian = office["qian"]

    def cleaned(body: str) -> str:
        id_ = make(qian, "Notice", title="t", audience={"everyone": True}, body=body)["id"]
        return str(call(qian, "Notice/get", ids=[id_])["list"][0]["body"])

    hostile = (
        "<script>alert(1)</script>", "<img src=https://evil.example/p.png>", "<svg><a href=javascript:1>x</a></svg>",
        "<p style='background:url(https://evil.example)' onclick=x class=y id=z>x</p>", "<iframe src=//evil.example></iframe>",
        "<a href='java\nscript:alert(1)'>x</a>", "<a href='data:text/html,x'>x</a>", "<a href='file:///etc/passwd'>x</a>",
        "<math><mtext><style><img src=x onerror=1></style></mtext></math>", "<style>p{}</style>", "<form action=//x><input></form>",
        "<a href='//evil.example/share'>x</a>", "<a href='\\\\evil.example\\share'>x</a>", "<a href='evil.exe'>x</a>",
        "<base href=//evil.example>", "<object data=x>", "<link rel=stylesheet href=//evil.example>", "<meta http-equiv=refresh content=0>",
    )  # fmt: skip
    for body in hostile:
        found = cleaned(body)
        for word in (
            "script",
            "evil",
            "style",
            "svg",
            "data:",
            "file:",
            "onclick",
            "<img",
            "<iframe",
            "src=",
            "<form",
            "<meta",
        ):
            assert word not in found, (body, found)
    kept = '<a href="https://good.example/a" rel="noopener noreferrer">x</a>'
    assert cleaned("<a href=https://good.example/a>x</a>") == kept
    assert 'colspan="3"' in cleaned("<table><tr><td colspan=3>x</td></tr></table>")
    assert "colspan" not in cleaned("<table><tr><td colspan=99999999>x</td></tr></table>")
    assert "start" not in cleaned("<ol start=-99999999999><li>x</li></ol>")
    began = time.monotonic()
    for deep in ("<div>" * 20_000, "".join(f"<x{number}>" for number in range(9000)), "<svg>" + "<td>" * 20_000):
        assert refused(qian, "Notice", title="t", audience={"everyone": True}, body=deep) == "invalidProperties"
    assert time.monotonic() - began < 3  # the one writer of the server works for everybody


def test_traces_cannot_be_hidden_under_an_id_of_ones_own(office: Office) -> None:
    thief = LiveDevice(office.server, "zhao")
    entry = max(one["id"] for one in call(thief, "LoginEntry/get", ids=None)["list"])
    for id_ in (thief.tokens["deviceId"], entry):
        answer = call(
            thief, "Notice/set", create={id_: {"title": "t", "audience": {"everyone": True}}}, destroy=[f"#{id_}"]
        )
        assert answer["created"] is answer["destroyed"] is None
    owner = LiveDevice(office.server, "zhao")
    assert thief.tokens["deviceId"] in [one["id"] for one in call(owner, "Device/get", ids=None)["list"]]
    assert entry in [one["id"] for one in call(owner, "LoginEntry/get", ids=None)["list"]]


def test_creation_ids_of_others_make_and_tell_nothing(office: Office) -> None:
    li, wang = office["li"], office["wang"]
    taken = uuid7(SystemClock().now_ms())
    make(li, "Notice", taken, title="li's", audience={"everyone": True})
    assert refused(wang, "Notice", taken, title="wang's", audience={"everyone": True}) == "invalidProperties"
    assert refused(wang, "Conversation", taken, kind="group", name="g", memberIds=[]) == "invalidProperties"
    assert refused(wang, "Notice", office.people["li"], title="x", audience={"everyone": True}) == "invalidProperties"
    group = uuid7(SystemClock().now_ms())
    make(li, "Conversation", group, kind="group", name="g", memberIds=[])
    assert refused(wang, "Conversation", group, kind="group", name="g", memberIds=[]) == "invalidProperties"
    assert call(wang, "Conversation/get", ids=[group])["notFound"] == [group]


# ---------------------------------------------------------------- too much of everything


def test_references_that_double_at_every_step(office: Office) -> None:
    wang = office["wang"]
    calls: list[Any] = [["Core/echo", {"x": "lol" * 1000}, "0"]]
    for step in range(1, 32):
        back = {"resultOf": str(step - 1), "name": "Core/echo", "path": ""}
        calls.append(["Core/echo", {f"#{key}": back for key in "abcdefgh"}, str(step)])
    answers = wang.jmap(*calls)
    assert len(answers) == 32
    assert {one[1]["type"] for one in answers[-20:]} <= {"requestTooLarge", "invalidResultReference"}
    assert len(json.dumps(answers)) < 40_000_000
    listed = {"resultOf": "0", "name": "Person/query", "path": "/ids"}
    found = wang.jmap(
        ["Person/query", {"accountId": wang.account}, "0"],
        ["Person/get", {"accountId": wang.account, "#ids": listed}, "1"],
    )
    assert len(found[1][1]["list"]) == len(PEOPLE)
    office.alive()


def test_filters_and_sorts_have_an_end(office: Office) -> None:
    wang = office["wang"]
    many = [{"text": f"{number}"} for number in range(100_000)]
    began = time.monotonic()
    assert error(wang, "Person/query", filter={"operator": "OR", "conditions": many}) in (
        "unsupportedFilter",
        "invalidArguments",
    )
    flat = {f"name{number}": "x" for number in range(50_000)}
    assert error(wang, "Person/query", filter=flat) == "unsupportedFilter"
    nested = {"operator": "AND", "conditions": [{"operator": "OR", "conditions": many[:150]} for _ in range(150)]}
    assert error(wang, "Person/query", filter=nested) == "unsupportedFilter"
    assert error(wang, "Person/query", sort=[{"property": "name"}] * 10_000) == "unsupportedSort"
    assert time.monotonic() - began < 10
    few = {"operator": "OR", "conditions": [{"login": one} for one in PEOPLE]}
    assert len(call(wang, "Person/query", filter=few, sort=[{"property": "name"}])["ids"]) == len(PEOPLE)


def test_one_person_has_so_many_sockets(office: Office) -> None:
    server, tls, secret = office.server, office.server.tls(), office.token("root", "read")
    stranger = office["li"]

    def one() -> Any:
        url = f"{server.url.replace('https', 'wss')}/jmap/ws"
        return async_connect(
            url, ssl=tls, additional_headers=bearer(secret), subprotocols=[Subprotocol("jmap")], proxy=None
        )

    async def test() -> None:
        async with contextlib.AsyncExitStack() as opened:
            for _ in range(100):
                await opened.enter_async_context(one())
            with pytest.raises(InvalidStatus) as refusal:
                await one()
            assert refusal.value.response.status_code == 503
            stream = await asyncio.to_thread(office["root"].request, "GET", "/jmap/events?types=*&closeafter=no&ping=0")
            assert stream.status_code == 503
            assert await asyncio.to_thread(call, stranger, "Person/get", ids=[stranger.account])
        async with asyncio.timeout(20):
            while True:  # until the server has seen that they are gone
                with contextlib.suppress(InvalidStatus):
                    async with one():
                        return

    asyncio.run(test())


def test_a_flood_of_sign_ins_is_turned_away_and_harms_nobody(office: Office) -> None:
    signed_in = office["li"]

    async def flood() -> list[int]:
        limits = httpx.Limits(max_connections=40)
        async with httpx.AsyncClient(verify=office.server.tls(), trust_env=False, timeout=60, limits=limits) as http:
            url = f"{office.server.url}/auth/token"
            body = {"grantType": "password", "login": "wang", "password": "wrong"}

            async def one() -> int:
                headers = signed_in.key.headers("POST", url)
                return (await http.post(url, json=body, headers=headers)).status_code

            return list(await asyncio.gather(*(one() for _ in range(100))))

    statuses = asyncio.run(flood())
    assert statuses.count(401) <= 5  # so many are checked, each with 64 MiB; the rest costs nothing
    assert set(statuses) <= {401, 429, 503}
    resident = next(
        int(line.split()[1])
        for line in Path(f"/proc/{office.server.process.pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ) if Path("/proc/self/status").exists() else 0  # fmt: skip
    assert resident < 700_000
    assert call(signed_in, "Person/get", ids=[signed_in.account])["list"]


def test_strangers_on_sockets_and_slow_heads(office: Office) -> None:
    for headers in ({}, bearer("tbi_" + "x" * 43), {"Authorization": "DPoP nonsense", "DPoP": "a.b.c"}):
        for _ in range(20):
            with pytest.raises(InvalidStatus) as refusal:
                open_socket(office.server, headers)
            assert refusal.value.response.status_code == 401
    with (
        socket.create_connection(("localhost", office.server.port), 20) as raw,
        office.server.tls().wrap_socket(raw, server_hostname="localhost") as endless,
    ):
        endless.settimeout(20)
        endless.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        try:
            for number in range(500):
                endless.sendall(b"X-%d: %s\r\n" % (number, b"a" * 1000))
            answered = endless.recv(12)
        except ConnectionError:
            answered = b""
        assert answered in (b"", b"HTTP/1.1 400")  # without an end to the head nobody else would ever answer
    office.alive()


# ---------------------------------------------------------------- tokens


def test_a_read_only_token_tells_nothing_to_anybody(office: Office) -> None:
    li, root = office["li"], office["root"]
    group = group_of(li, root.account)
    secret = office.token("li", "read")
    with office.server.http() as http:
        body = {"using": URNS, "methodCalls": [["Notice/set", {"accountId": li.account, "create": {"k": {}}}, "0"]]}
        answer = http.post("/jmap/api", json=body, headers=bearer(secret)).json()["methodResponses"][0][1]
        assert answer["type"] == "accountReadOnly"
        tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "1"}
        assert http.post("/files", headers=bearer(secret) | tus).status_code == 403
        assert http.post(f"/jmap/upload/{li.account}/", content=b"x", headers=bearer(secret)).status_code == 403
        assert http.post("/auth/revoke", json={"scope": "all"}, headers=bearer(secret)).status_code == 403
        forwarded = bearer(office.token("li", "read", addresses=["192.0.2.0/24"]))
        for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            assert http.get("/.well-known/jmap", headers=forwarded | {name: "192.0.2.7"}).status_code == 403
    with socket_of(root) as hearing, open_socket(office.server, bearer(secret)) as program:
        hearing.send(json.dumps({"@type": "WebSocketPushEnable", "dataTypes": [], "signals": True}))
        assert "presence" in json.loads(hearing.recv(20))
        for frame in (
            {"@type": "WebSocketPushEnable", "dataTypes": [], "signals": True},
            {"@type": "Signal", "kind": "presence", "status": "dnd"},
            {"@type": "Signal", "kind": "typing", "conversationId": group},
        ):
            program.send(json.dumps(frame))
        assert ask(program, li.account, "Person/get", ids=[li.account])["@type"] == "Response"
        assert not [frame for frame in heard(hearing) if li.account in frame]

    def line() -> str:
        return next(one for one in office.command("token.list") if "\tli\tread\tanywhere" in one)

    wait_until(lambda: "6 uses" in line(), "every use is counted, also those on an open socket")


def test_a_write_only_token_hears_nothing(office: Office) -> None:
    li = office["li"]
    secret = office.token("li", "write")
    with open_socket(office.server, bearer(secret)) as program:
        program.send(
            json.dumps({"@type": "WebSocketPushEnable", "dataTypes": None, "objects": ["Message"], "signals": True})
        )
        assert json.loads(program.recv(20))["@type"] == "RequestError"
        say(li, group_of(li), "not for programs that may not read")
        answer = ask(program, li.account, "Person/get", ids=None)
        assert answer["methodResponses"][0][1]["type"] == "forbidden"
        assert heard(program) == []
    with office.server.http() as http:
        assert http.get("/jmap/events?types=*&closeafter=no&ping=0", headers=bearer(secret)).status_code == 403
        tus = bearer(secret) | {"Tus-Resumable": "1.0.0"}
        made = http.post("/files", headers=tus | {"Upload-Length": "3"})
        assert http.head(made.headers["location"], headers=tus).headers["upload-offset"] == "0"


def test_an_open_socket_ends_with_the_right_to_it(office: Office) -> None:
    office.command("user.add", login="sun", password=PASSWORD)

    def ends(how: str, **arguments: Any) -> None:
        device = LiveDevice(office.server, "sun")
        with socket_of(device) as one:
            assert ask(one, device.account, "Core/echo")["@type"] == "Response"
            office.command(how, **arguments)
            with pytest.raises(ConnectionClosed):
                ask(one, device.account, "Person/get", ids=None)
            assert one.close_code == 1008
        if how != "user.roles":
            assert device.request("GET", "/.well-known/jmap").status_code in (401, 403)

    ends("user.reset", login="sun", password=PASSWORD)
    ends("user.roles", login="sun", roles=["publisher"])
    ends("user.disable", login="sun")
    office.command("user.enable", login="sun")
    secret = office.token("sun", "read")
    token_id = next(line.split("\t")[0] for line in office.command("token.list") if "\tsun\t" in line)
    with open_socket(office.server, bearer(secret)) as program:
        office.command("token.revoke", id=token_id)
        with pytest.raises(ConnectionClosed):
            program.recv(20)
    office.command("user.disable", login="sun")
    with office.server.http() as http:
        assert http.get("/.well-known/jmap", headers=bearer(office.token("sun", "read"))).status_code == 403


# ---------------------------------------------------------------- too many, too slow, too much: a server with narrow limits


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The real server with limits that a test can reach."""
    server = make_server(tmp_path_factory.mktemp("narrow"), "root", "li", "wang")
    limits = {
        "TONGBAN_MAX_CONNECTIONS_PER_ADDRESS": "12",
        "TONGBAN_STALLED_READER_SECONDS": "5",
        "TONGBAN_WRITE_BURST": "40",
        "TONGBAN_WRITES_PER_SECOND": "1",
        "TONGBAN_STORED_BYTES_PER_PERSON": "70000000",
    }
    with LiveServer(server.data, environment=limits) as running:
        yield running


def test_a_flood_of_writes_ends_at_the_limit_and_the_colleague_writes_on(narrow: LiveServer) -> None:
    li, wang = LiveDevice(narrow, "li"), LiveDevice(narrow, "wang")
    group, other = group_of(li), group_of(wang)
    flood = {f"k{number}": {"conversationId": group, "kind": "text", "text": "x"} for number in range(200)}
    result = call(li, "Message/set", create=flood)
    assert 39 <= len(result["created"]) <= 60  # one a second is granted anew meanwhile
    assert list(result["created"]) == list(flood)[: len(result["created"])]
    assert {one["type"] for one in result["notCreated"].values()} == {"rateLimit"}
    with socket_of(li) as one:  # the other way in has no other limit
        answer = ask(one, li.account, "Message/set", create=flood)["methodResponses"][0][1]
        assert len(answer["notCreated"]) > 180
    tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "1"}
    statuses = {li.request("POST", "/files", headers=tus).status_code for _ in range(20)}
    assert 429 in statuses
    assert say(wang, other)


def test_a_reader_who_takes_nothing_is_cut_and_the_quota_holds(narrow: LiveServer) -> None:
    size = 60_000_000
    wang = LiveDevice(narrow, "wang")
    blob = upload(wang, bytes(size))
    again = wang.request("POST", f"/jmap/upload/{wang.account}/", content=b"y" * 11_000_000)
    assert (again.status_code, again.json()["type"]) == (507, "urn:tongban:error:overQuota")
    path = f"/jmap/download/{wang.account}/{blob}/x"
    url = f"{narrow.url}{path}"
    headers = wang.key.headers("GET", url, wang.tokens["accessToken"])
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with (
        socket.create_connection(("localhost", narrow.port), 20) as raw,
        narrow.tls().wrap_socket(raw, server_hostname="localhost") as reader,
    ):
        reader.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{narrow.port}\r\n{head}\r\n".encode())

        def ended() -> bool:
            lines = (json.loads(line) for line in narrow.log().splitlines() if '"GET /jmap/download"' in line)
            return any(line["ms"] >= 5000 for line in lines)

        wait_until(ended, "the server lets go of a reader who takes nothing")
        got = 0
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while data := reader.recv(1 << 20):
                got += len(data)
        assert got < size
    assert fetch(wang, blob, Range="bytes=0-9") == 206


def test_one_address_has_so_many_connections(narrow: LiveServer) -> None:
    tls = narrow.tls()
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

    def status(one: ssl.SSLSocket) -> int:
        one.sendall(request)
        answer = b""
        while not answer.endswith(b"}"):
            piece = one.recv(4096)
            assert piece, answer
            answer += piece
        return int(answer.split()[1])

    def dial() -> ssl.SSLSocket:
        return tls.wrap_socket(
            stack.enter_context(socket.create_connection(("localhost", narrow.port), 20)), server_hostname="localhost"
        )

    with contextlib.ExitStack() as stack:
        held: list[ssl.SSLSocket] = []
        while True:
            one = stack.enter_context(dial())
            if (answer := status(one)) != 200:
                break
            held.append(one)
            assert len(held) <= 12
        assert answer == 503
        assert len(held) >= 6  # the devices of the other tests hold some
        assert status(held[0]) == 200

    def room() -> bool:
        with (
            socket.create_connection(("localhost", narrow.port), 20) as raw,
            tls.wrap_socket(raw, server_hostname="localhost") as one,
        ):
            return status(one) == 200

    wait_until(room, "room comes back when connections are closed")
    assert "Traceback" not in narrow.log()


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_the_database_is_for_the_server_alone_also_in_a_folder_made_before(office: Office) -> None:
    assert stat.S_IMODE(office.server.data.stat().st_mode) == 0o755
    for path in office.server.data.glob("tongban.db*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path.name


def test_nobody_stumbled_and_nothing_secret_was_logged(office: Office) -> None:
    office.alive()
    text = office.server.log()
    assert "Traceback" not in text
    assert " failed" not in "".join(line for line in text.splitlines() if '"ERROR"' in line)
    for secret in (MOBILE, PASSWORD, "secret words", "tbi_"):
        assert secret not in text
