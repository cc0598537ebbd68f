"""Whether a typed password is the one of the last sign-in, without the server: for a locked screen with the cable out.

What is kept is a salted scrypt hash; it lies inside the account's encrypted store, so a cheap one will do.
"""

import hashlib
import hmac
import os
from typing import Final

SALT_BYTES: Final = 16
_COST, _BLOCK, _LANES = 1 << 12, 8, 1  # 4 MiB, some 10 ms


def make_check(password: str) -> bytes:
    """What to keep of a password."""
    salt = os.urandom(SALT_BYTES)
    return salt + _hash(password, salt)


def fits(check: bytes, password: str) -> bool:
    """Whether `password` is the one `check` was made of."""
    return hmac.compare_digest(check[SALT_BYTES:], _hash(password, check[:SALT_BYTES]))


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_COST, r=_BLOCK, p=_LANES)
