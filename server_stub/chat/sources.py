"""How the tables of chat say who sees what (records/visibility.py)."""

from typing import Final

from server_stub.records.visibility import INF, ScopeSource

MESSAGE: Final = (ScopeSource("message", "id", "scope", "since", str(INF), "modseq", lasting=True),)
MEMBER: Final = (ScopeSource("member", "id", "scope"),)
RECEIPT: Final = (ScopeSource("member", "id", "scope", touched="read_touched"),)
CONVERSATION: Final = (
    ScopeSource("conversation", "id", "scope"),
    ScopeSource("member", "conversation_id", "person_scope", touched="own_touched"),
)
"""What all members share, and what is each person's own (read marker, muted, pinned): a read tells nobody else's Conversation."""
