"""A device key for tests: makes DPoP proofs, right ones and ones broken on purpose. Independent of the product's own code."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


def b64(data: bytes) -> str:
    """Unpadded base64url."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class DeviceKey:
    """A P-256 key pair."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        numbers = self.private.public_key().public_numbers()
        self.jwk = {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32))}

    def sign(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        """A compact JWS over exactly this header and these claims."""
        signed = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
        r, s = decode_dss_signature(self.private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{b64(r.to_bytes(32) + s.to_bytes(32))}"

    def proof(self, method: str, url: str, token: str | None = None, **changes: Any) -> str:
        """A proof for a request; `changes` replace claims (None takes one away) or, with `header=`, header members."""
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk} | changes.pop("header", {})
        claims: dict[str, Any] = {"jti": str(uuid.uuid4()), "htm": method, "htu": url, "iat": int(time.time())}
        if token is not None:
            claims["ath"] = b64(hashlib.sha256(token.encode()).digest())
        claims |= changes
        return self.sign(
            {key: value for key, value in header.items() if value is not None},
            {key: value for key, value in claims.items() if value is not None},
        )

    def headers(self, method: str, url: str, token: str | None = None) -> dict[str, str]:
        """The headers of a request as a well-behaved client sends them."""
        found = {"DPoP": self.proof(method, url.partition("?")[0], token)}
        if token is not None:
            found["Authorization"] = f"DPoP {token}"
        return found
