"""The device key (P-256): its JWK, RFC 7638 thumbprint and DPoP proofs (RFC 9449). The private part leaves only as sealed DER for the keychain."""

import hashlib
import json
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from desktop.core.crypto.encoding import base64url, canonical_json

_COORDINATE_BYTES = 32


class DeviceKey:
    """One device's key pair. `repr` shows the thumbprint alone."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private
        numbers = private.public_key().public_numbers()
        self.jwk: dict[str, str] = {
            "crv": "P-256",
            "kty": "EC",
            "x": base64url(numbers.x.to_bytes(_COORDINATE_BYTES)),
            "y": base64url(numbers.y.to_bytes(_COORDINATE_BYTES)),
        }
        self.thumbprint: str = base64url(hashlib.sha256(canonical_json(self.jwk)).digest())

    def __repr__(self) -> str:
        return f"DeviceKey({self.thumbprint})"

    @classmethod
    def generate(cls) -> "DeviceKey":
        """A new key from the system's randomness."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_der(cls, der: bytes) -> "DeviceKey":
        """The key that `to_der` wrote.

        Raises:
            ValueError: not a P-256 private key.
        """
        from cryptography.hazmat.primitives import serialization  # loaded with the first connection, not with the start

        private = serialization.load_der_private_key(der, password=None)
        if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
            raise ValueError("not a P-256 private key")
        return cls(private)

    def to_der(self) -> bytes:
        """PKCS#8 DER, unencrypted: for a keychain only."""
        from cryptography.hazmat.primitives import serialization

        return self._private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def proof(self, method: str, url: str, *, now_ms: int, jti: str, access_token: str | None = None) -> str:
        """A DPoP proof JWT (RFC 9449 §4.2) for one request; `ath` binds it to the token when there is one."""
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk}
        claims: dict[str, object] = {"jti": jti, "htm": method, "htu": _target(url), "iat": now_ms // 1000}
        if access_token is not None:
            claims["ath"] = base64url(hashlib.sha256(access_token.encode("ascii")).digest())
        signed = f"{_part(header)}.{_part(claims)}"
        return f"{signed}.{base64url(self._sign(signed.encode('ascii')))}"

    def _sign(self, data: bytes) -> bytes:
        r, s = decode_dss_signature(self._private.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(_COORDINATE_BYTES) + s.to_bytes(_COORDINATE_BYTES)


def _target(url: str) -> str:
    """`htu`: the URL without query and fragment (RFC 9449 §4.2)."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))


def _part(value: Mapping[str, object]) -> str:
    return base64url(json.dumps(value, separators=(",", ":")).encode())
