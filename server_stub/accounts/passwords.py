"""Passwords: Argon2id in a few threads of their own, at the same cost for logins that do not exist.

Memory is the budget: at most `slots` hashes run at once, and a queue that grows too long is answered "busy".
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from server_stub.accounts.refusals import Refused

MAX_PASSWORD_LENGTH: Final = 1024
_SLOTS: Final = 2
_MAX_WAITING: Final = 64
_RETRY_AFTER_S: Final = 2


class PasswordTooWeak(ValueError):
    """The new password is shorter or longer than allowed."""


class Passwords:
    """Hashes and checks passwords. `memory_kib` and `rounds` are lowered by tests only."""

    def __init__(self, *, memory_kib: int = 65_536, rounds: int = 3, slots: int = _SLOTS, min_length: int = 8) -> None:
        self._hasher = PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=1)
        self._executor = ThreadPoolExecutor(slots, "password")
        self._slots = slots
        self._running = 0
        self._min_length = min_length
        self._decoy: str | None = None
        self._executor.submit(self._get_decoy)  # made ahead, or the first unknown login would take twice as long

    def hash(self, password: str) -> str:
        """The encoded hash, computed here and now (0.2 s). Raises PasswordTooWeak."""
        text = _normalize(password)
        if not self._min_length <= len(text) <= MAX_PASSWORD_LENGTH:
            raise PasswordTooWeak(f"a password has {self._min_length} to {MAX_PASSWORD_LENGTH} characters")
        return self._hasher.hash(text)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password fits; `stored` None (no such login) takes as long and is False. Raises Refused busy."""
        if self._running >= self._slots + _MAX_WAITING:
            raise Refused("busy", "too many sign-ins at once", retry_after=_RETRY_AFTER_S)
        self._running += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, self._verify, stored, password)
        finally:
            self._running -= 1

    async def rehash(self, password: str) -> str:
        """A hash of a password that was just found right, whatever its length; off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._hasher.hash, _normalize(password))

    def needs_rehash(self, stored: str) -> bool:
        """Whether the stored hash was made with other costs than today's."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """Let the running checks end; no new ones."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _verify(self, stored: str | None, password: str) -> bool:
        text = _normalize(password)
        if len(text) > MAX_PASSWORD_LENGTH:
            text = text[:MAX_PASSWORD_LENGTH]
            stored = None
        try:
            self._hasher.verify(self._get_decoy() if stored is None else stored, text)
        except VerifyMismatchError:
            return False
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    def _get_decoy(self) -> str:
        if self._decoy is None:
            self._decoy = self._hasher.hash(secrets.token_urlsafe(24))
        return self._decoy


def same_secret(left: str, right: str) -> bool:
    """Compare two secrets without telling by time where they differ."""
    return hmac.compare_digest(left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass"))


def _normalize(password: str) -> str:
    # The same password typed through another input method or system must be the same bytes (RFC 8265 §4.2).
    return unicodedata.normalize("NFC", password).encode("utf-8", "replace").decode("utf-8")
