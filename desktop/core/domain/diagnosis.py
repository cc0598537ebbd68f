"""What a look at one part of the program's surroundings found: a state, why, the figures. Texts are under `diagnosis.<check>.<reason>`."""

from enum import StrEnum

import msgspec


class FindingState(StrEnum):
    """How a part stands. UNCHECKED: it could not be looked at, for a reason that is told elsewhere or is none of its own."""

    OK = "ok"
    ATTENTION = "attention"
    FAILED = "failed"
    UNCHECKED = "unchecked"


class Finding(msgspec.Struct, frozen=True):
    """One line of a diagnosis.

    Args:
        check: which part: network, proxy, tls, clock, sign_in, socket, store, keychain, tray, notifications, camera, microphone, display, version.
        reason: the end of its text's key; the cure, where there is one, is `<key>.cure`.
        data: figures and names for the text. Never a secret, a text or a file name of the user's.
        act: what a button can do about it; empty: nothing.
        took_ms: how long the look took.
    """

    check: str
    state: FindingState
    reason: str
    data: dict[str, str | int | float] = {}
    act: str = ""
    took_ms: int = 0
