"""The Session object (RFC 8620 §2): what this server can do, and where."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from server_stub.api.dispatch import CORE
from server_stub.api.possession import CLAIM_FROM, CLAIM_PATH
from server_stub.api.wire import Limits
from server_stub.chat.conversations import MAX_MEMBERS
from server_stub.chat.messages import MAX_TEXT
from server_stub.chat.policy import DEFAULT_POLICY
from server_stub.push.frames import encode
from server_stub.records.actor import WRITE_SCOPE, Actor
from server_stub.records.types import Registry

WEBSOCKET: Final = "urn:ietf:params:jmap:websocket"
PUSH: Final = "urn:tongban:push"
DIRECTORY: Final = "urn:tongban:directory"
CHAT: Final = "urn:tongban:chat"
OFFICE: Final = "urn:tongban:office"
ACCOUNT: Final = "urn:tongban:account"
UPLOAD: Final = "urn:tongban:upload"

MAX_TUS_SIZE: Final = 4 << 30


def capabilities(registry: Registry, limits: Limits, details: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Every capability with its value; URLs are left as paths until the host is known.

    Args:
        details: more members for the value of a capability, such as maxTextLength of chat.
    """
    known = registry.by_capability()
    found: dict[str, Any] = {
        CORE: limits.to_capability(),
        WEBSOCKET: {"url": "/jmap/ws", "supportsPush": True},
        PUSH: {"objects": ["Message", "Receipt"]},
        UPLOAD: {
            "tusUrl": "/files",
            "maxSize": MAX_TUS_SIZE,
            "thumbnailUrl": "/jmap/thumbnail/{accountId}/{blobId}/{edge}",
            "claimUrl": CLAIM_PATH,
            "claimFrom": CLAIM_FROM,
        },
    }
    for urn in (DIRECTORY, CHAT, OFFICE, ACCOUNT, *known):
        found[urn] = {}
    found[CHAT] = {"maxTextLength": MAX_TEXT, "maxMembers": MAX_MEMBERS, **DEFAULT_POLICY.to_capability()}
    found[OFFICE] = {"types": known.get(OFFICE, [])}
    for urn, more in details.items():
        found[urn] = {**found.get(urn, {}), **more}
    return found


def session_state(known: Mapping[str, Any]) -> str:
    """A text that changes when the capabilities do."""
    return hashlib.sha256(encode(known)).hexdigest()[:16]


def session_object(known: Mapping[str, Any], actor: Actor, name: str, username: str, base: str) -> dict[str, Any]:
    """The Session of one actor. `base` is scheme and host as the client used them, without a slash at the end."""
    ws = base.replace("http", "ws", 1)
    shown = dict(known)
    shown[WEBSOCKET] = {**known[WEBSOCKET], "url": f"{ws}/jmap/ws"}
    upload = known[UPLOAD]
    shown[UPLOAD] = {**upload, **{name: base + upload[name] for name in ("tusUrl", "thumbnailUrl", "claimUrl")}}
    account_capabilities = {urn: {} if urn in (CORE, WEBSOCKET) else value for urn, value in shown.items()}
    return {
        "capabilities": shown,
        "accounts": {
            actor.person_id: {
                "name": name,
                "isPersonal": True,
                "isReadOnly": not actor.may(WRITE_SCOPE),
                "accountCapabilities": account_capabilities,
            }
        },
        "primaryAccounts": dict.fromkeys(shown, actor.person_id),
        "username": username,
        "apiUrl": f"{base}/jmap/api",
        "downloadUrl": f"{base}/jmap/download/{{accountId}}/{{blobId}}/{{name}}?type={{type}}",
        "uploadUrl": f"{base}/jmap/upload/{{accountId}}/",
        "eventSourceUrl": f"{base}/jmap/events?types={{types}}&closeafter={{closeafter}}&ping={{ping}}",
        "state": session_state(known),
    }
