"""Calls and mails from a card: handed to the program of the system that does them, as tel: and mailto: addresses."""

from __future__ import annotations

from PySide6.QtCore import QUrl

_DIALED = frozenset("0123456789+*#")


def call_url(number: str | None) -> QUrl:
    """tel: of a number as people write it; empty for what cannot be dialed, such as a masked one."""
    plain = "".join(sign for sign in number or "" if sign in _DIALED)
    masked = "**" in (number or "")
    return QUrl() if masked or sum(sign.isdigit() for sign in plain) < 3 else QUrl(f"tel:{plain}")


def mail_url(address: str | None) -> QUrl:
    """mailto: of one address; empty for what is none. Nothing in it can become a header or a second receiver."""
    plain = (address or "").strip()
    name, at, host = plain.rpartition("@")
    if not at or not name or not host or any(sign.isspace() or sign in ',;<>"' or ord(sign) < 32 for sign in plain):
        return QUrl()
    quoted = bytes(QUrl.toPercentEncoding(plain, b"@").data()).decode("ascii")
    return QUrl(f"mailto:{quoted}", QUrl.ParsingMode.StrictMode)
