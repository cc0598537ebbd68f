"""What owner and admins set for a whole group: name, joining, pinning, inviting, silence, picture; and its end."""

from typing import Any, Final

import msgspec

from server_stub.chat.conversations import check_name, do_change_conversation
from server_stub.chat.desk import ChatDesk
from server_stub.chat.lines import do_line
from server_stub.chat.places import Place
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.records.actor import Actor
from server_stub.records.types import JsonObject
from server_stub.storage.blobs import do_unrefer
from server_stub.storage.database import Tx

CONVERSATION: Final = "Conversation"
SHARED: Final = frozenset({"name", "joinRule", "anyonePins", "anyoneInvites", "mutedAll", "avatarBlobId"})
JOIN_RULES: Final = ("invite", "approve", "admins")
JOIN_RULE: Final = "invite"


def shared_properties(settings: JsonObject, muted_all: bool, department_id: str | None) -> JsonObject:
    """The part of a group on the wire that it has set."""
    found: JsonObject = {
        "joinRule": settings.get("joinRule", JOIN_RULE),
        "anyonePins": bool(settings.get("anyonePins")),
        "anyoneInvites": bool(settings.get("anyoneInvites")),
        "mutedAll": muted_all,
    }
    if "avatarBlobId" in settings:
        found["avatarBlobId"] = settings["avatarBlobId"]
    if department_id is not None:
        found["departmentId"] = department_id
    return found


def do_patch_shared(tx: Tx, desk: ChatDesk, actor: Actor, place: Place, patch: JsonObject) -> None:
    """Apply the shared part of a patch, with a line for what everybody should notice. Raises SetError."""
    place.check_managed()
    columns: dict[str, Any] = {}
    lines: list[tuple[str, str | None]] = []
    if "name" in patch and patch["name"] != place.name:
        if place.department_id is not None:
            raise SetError(SetErrorType.FORBIDDEN, "a department's group is called as the department is")
        columns["name"] = check_name(patch["name"])
        lines.append(("renamed", columns["name"]))
    settings = _patched(tx, desk, actor, place, patch)
    if settings != place.settings:
        columns["settings"] = msgspec.json.encode(settings).decode()
    if "mutedAll" in patch and _flag(patch, "mutedAll") != place.muted_all:
        columns["muted_all"] = patch["mutedAll"]
        lines.append(("muted" if patch["mutedAll"] else "unmuted", None))
    if columns:
        do_change_conversation(tx, place.id, **columns)
    for type_, value in lines:
        do_line(tx, place.id, type_, by=actor.person_id, value=value)


def do_dissolve(tx: Tx, actor: Actor, place: Place) -> None:
    """End a group: everybody keeps what was said, nobody adds to it. Raises SetError forbidden to all but its owner."""
    place.check_alive()
    if not place.is_group or place.mine.role != "owner" or place.department_id is not None:
        raise SetError(SetErrorType.FORBIDDEN, "only the owner of a group dissolves it; a department's group stays")
    do_line(tx, place.id, "dissolved", by=actor.person_id)
    do_change_conversation(tx, place.id, dissolved_at=tx.now)


def _patched(tx: Tx, desk: ChatDesk, actor: Actor, place: Place, patch: JsonObject) -> JsonObject:
    settings = dict(place.settings)
    if "joinRule" in patch:
        if patch["joinRule"] not in JOIN_RULES:
            raise invalid_properties(f"one of {', '.join(JOIN_RULES)}", "joinRule")
        settings["joinRule"] = patch["joinRule"]
    for name in ("anyonePins", "anyoneInvites"):
        if name in patch:
            settings[name] = _flag(patch, name)
    if "avatarBlobId" in patch and patch["avatarBlobId"] != settings.get("avatarBlobId"):
        blob_id = patch["avatarBlobId"]
        do_unrefer(tx, place.id, CONVERSATION)
        settings.pop("avatarBlobId", None)
        if blob_id is not None:
            if not isinstance(blob_id, str):
                raise invalid_properties("the id of a picture", "avatarBlobId")
            if not desk.do_refer(tx, actor, blob_id, place.id, CONVERSATION).type.startswith("image/"):
                raise invalid_properties("a picture", "avatarBlobId")
            settings["avatarBlobId"] = blob_id
    return settings


def _flag(patch: JsonObject, name: str) -> bool:
    if not isinstance(patch[name], bool):
        raise invalid_properties("true or false", name)
    return bool(patch[name])
