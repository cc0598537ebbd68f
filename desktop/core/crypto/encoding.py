"""base64url without padding (RFC 7515 §2) and canonical JSON for thumbprints and tokens."""

import base64
import json


def base64url(data: bytes) -> str:
    """Text of `data`, no padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def base64url_decode(text: str) -> bytes:
    """Bytes of unpadded base64url text.

    Raises:
        ValueError: the text is not base64url.
    """
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def canonical_json(value: object) -> bytes:
    """Sorted keys, no spaces: what RFC 7638 §3 hashes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
