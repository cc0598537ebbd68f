"""What is answered for somebody who is away."""

import msgspec


class AbsenceReply(msgspec.Struct, frozen=True):
    """Sent by the server once a day to whoever writes; between `begins` and `ends` (ms) where set, with `while_away` only while not at the desk."""

    text: str
    enabled: bool = True
    while_away: bool = False
    begins: int | None = None
    ends: int | None = None
    id: str = ""
