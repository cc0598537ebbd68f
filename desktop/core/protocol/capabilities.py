"""Names of the capabilities (docs/protocol.md §3) and which synced type needs which."""

from typing import Final

CORE: Final = "urn:ietf:params:jmap:core"
WEBSOCKET: Final = "urn:ietf:params:jmap:websocket"
PUSH: Final = "urn:tongban:push"
DIRECTORY: Final = "urn:tongban:directory"
CHAT: Final = "urn:tongban:chat"
OFFICE: Final = "urn:tongban:office"
ACCOUNT: Final = "urn:tongban:account"
UPLOAD: Final = "urn:tongban:upload"

USING: Final = (CORE, DIRECTORY, CHAT, OFFICE, ACCOUNT)

CAPABILITY_OF: Final[dict[str, str]] = {
    "Person": DIRECTORY,
    "Department": DIRECTORY,
    "Conversation": CHAT,
    "Member": CHAT,
    "Message": CHAT,
    "Receipt": CHAT,
    "Announcement": CHAT,
    "JoinRequest": CHAT,
    "ScheduledMessage": CHAT,
    "Favorite": CHAT,
    "Sticker": CHAT,
    "ModuleDefinition": OFFICE,
    "Notice": OFFICE,
    "Folder": OFFICE,
    "Document": OFFICE,
    "ReadMark": OFFICE,
    "Alert": OFFICE,
    "Todo": OFFICE,
    "Comment": OFFICE,
    "Annotation": OFFICE,
    "Follow": OFFICE,
    "Case": OFFICE,
    "WorkItem": OFFICE,
    "CaseEvent": OFFICE,
    "Process": OFFICE,
    "Delegation": OFFICE,
}


def office_types(capabilities: dict[str, dict[str, object]]) -> tuple[str, ...]:
    """The office types a server says it has: those of modules are known by nothing else."""
    named = capabilities.get(OFFICE, {}).get("types", ())
    return tuple(name for name in named if isinstance(name, str)) if isinstance(named, list) else ()


def changes_messages(capabilities: dict[str, dict[str, object]]) -> bool:
    """Whether messages of this server can be edited and recalled: then it has drafts, announcements, favorites and all else of that kind too."""
    return "editWithin" in capabilities.get(CHAT, {})
