"""One account key, a key for each purpose out of it (HKDF-SHA-256, RFC 5869)."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


def subkey(account_key: bytes, purpose: str, salt: bytes = b"") -> bytes:
    """The 32-byte key of `purpose` ("store", "blobs")."""
    if len(account_key) != KEY_BYTES:
        raise ValueError("an account key has 32 bytes")
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=salt, info=b"tongban/" + purpose.encode()).derive(
        account_key
    )
