"""A JMAP client somebody else wrote (jmaplib), run as a program of its own because of its licence: talks to our server with our own types.

usage: jmaplib_client.py SERVER CA_FILE TOKEN CONVERSATION_ID
Prints one JSON object with what it saw; exits with 1 and a traceback when anything is not as the RFCs say.
"""

import json
import ssl
import sys
import uuid

import httpx
from jmap.auth import BearerAuth
from jmap.capabilities.spec import CapabilitySpec, DataTypeSpec, MethodKind, MethodSpec
from jmap.client import JMAPClient
from jmap.core.limits import LimitKey
from jmap.defaults import default_registry
from jmap.push import WebSocketClient

CHAT = "urn:tongban:chat"
TYPES = ("Conversation", "Message")


def chat_capability() -> CapabilitySpec:
    """Our chat capability in the words of the library."""
    methods: list[MethodSpec] = []
    for name in TYPES:
        methods += [
            MethodSpec(f"{name}/get", MethodKind.GET, chunk_by=LimitKey.GET_OBJECTS),
            MethodSpec(f"{name}/changes", MethodKind.CHANGES),
            MethodSpec(f"{name}/set", MethodKind.SET, mutating=True, chunk_by=LimitKey.SET_OBJECTS),
            MethodSpec(f"{name}/query", MethodKind.QUERY),
            MethodSpec(f"{name}/queryChanges", MethodKind.QUERY_CHANGES),
        ]
    types = tuple(DataTypeSpec(name=name) for name in TYPES)
    return CapabilitySpec(urn=CHAT, attr="chat", reference="docs/protocol.md", data_types=types, methods=tuple(methods))


def main(server: str, ca_file: str, token: str, conversation: str) -> dict[str, object]:
    """Session, echo, get, query with a result reference, set, changes, set errors, then the same over a WebSocket with push."""
    registry = default_registry()
    registry.register(chat_capability())
    http = httpx.Client(verify=ssl.create_default_context(cafile=ca_file), follow_redirects=True, trust_env=False)
    seen: dict[str, object] = {}
    with JMAPClient.connect(
        f"{server}/.well-known/jmap", auth=BearerAuth(token), registry=registry, http=http
    ) as client:
        seen["echo"] = client.echo(hello="通办") == {"hello": "通办"}
        with client.batch() as batch:
            before = batch.chat.message.get(ids=[])
            query = batch.chat.message.query(
                filter={"conversationId": conversation}, sort=[{"property": "seq", "isAscending": False}], limit=3
            )
            newest = batch.chat.message.get(ids=query.ref_ids(), properties=["seq", "text"])
        seen["newest"] = [item["seq"] for item in newest.result.items]
        state = before.result.state

        creation = str(uuid.uuid4()).replace("-", "")
        with client.batch() as batch:
            made = batch.chat.message.set(
                create={creation: {"conversationId": conversation, "kind": "text", "text": "由标准客户端发送"}}
            )
            refused = batch.chat.message.set(create={"x": {"conversationId": "no-such", "kind": "text", "text": "?"}})
            changes = batch.chat.message.changes(since_state=state)
        created_id = made.result.created[creation]["id"]
        seen["created"] = created_id in changes.result.created
        seen["refused"] = refused.result.not_created["x"]["type"]

        with WebSocketClient(client) as socket:
            socket.enable_push(["Message"])
            with socket.batch() as batch:
                over_socket = batch.chat.message.set(
                    create={"w": {"conversationId": conversation, "kind": "text", "text": "由标准客户端经套接字发送"}}
                )
            seen["socket_created"] = bool(over_socket.result.created["w"]["id"])
            change = next(socket.notifications())
            seen["pushed"] = "Message" in next(iter(change.changed.values()))
    return seen


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:5])) + "\n")
