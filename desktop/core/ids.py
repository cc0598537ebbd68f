"""Ids: UUIDv7 (RFC 9562 §5.7) made from a given time and given randomness, and the deterministic ones of docs/protocol.md §1."""

import hashlib
import uuid


def uuid7(now_ms: int, random_bits: bytes) -> str:
    """UUIDv7 text of a time in ms since 1970 and 10 random bytes."""
    if len(random_bits) != 10:
        raise ValueError("uuid7 takes exactly 10 random bytes")
    value = (now_ms & (1 << 48) - 1) << 80 | int.from_bytes(random_bits)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=value))


def direct_conversation_id(person_a: str, person_b: str) -> str:
    """The one id of the direct conversation of two people, whoever starts it."""
    pair = "\n".join(sorted((person_a, person_b)))
    return "d-" + hashlib.sha256(pair.encode()).hexdigest()[:32]


def member_id(conversation_id: str, person_id: str) -> str:
    """Id of a Member and of a Receipt."""
    return f"{conversation_id}_{person_id}"


def read_mark_id(record_id: str, person_id: str) -> str:
    """Id of a ReadMark."""
    return f"{record_id}_{person_id}"
