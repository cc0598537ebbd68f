"""DPoP proofs (RFC 9449): a strict check of one header against one request.

Pure but for the replay memory, which the caller owns; time comes in as an argument. Only ES256 is spoken.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from server_stub.accounts.refusals import Refused

MAX_PROOF_LENGTH: Final = 4096
MAX_JTI_LENGTH: Final = 256
IAT_WINDOW_S: Final = 300
MAX_REMEMBERED: Final = 500_000  # about 60 MB of jti digests; twice that at the very most
MAX_OF_ONE_KEY: Final = 20_000  # 33 requests a second, all the time: past it this key waits, and nobody else
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*\Z")
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_SCHEME_OF: Final = {"https": "https", "http": "http", "wss": "https", "ws": "http"}


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that holds: the RFC 7638 thumbprint of its key, its id and its time in seconds."""

    thumbprint: str
    jti: str
    issued_at: int


class ReplayMemory:
    """Remembers each jti of each key until its proof is too old to be accepted anyway.

    No entry is forgotten before its time to make room. One key may hold `of_one_key` of them; when the memory is full, only keys
    that hold less than their fair share of it come in, so that it never holds more than twice its capacity.
    """

    def __init__(
        self, capacity: int = MAX_REMEMBERED, *, forgets_oldest: bool = False, of_one_key: int = MAX_OF_ONE_KEY
    ) -> None:
        """`forgets_oldest`: when it is full, drop the oldest rather than say busy (where a replay alone gains nothing)."""
        self._capacity = capacity
        self._forgets_oldest = forgets_oldest
        self._of_one_key = of_one_key
        self._entries: OrderedDict[bytes, tuple[int, str]] = OrderedDict()  # digest → until, thumbprint
        self._held: dict[str, int] = {}

    def check_and_remember(self, thumbprint: str, jti: str, now_s: int) -> bool:
        """True when this jti is new for this key. Raises Refused busy when there is no room for another one of this key."""
        self._forget(now_s)
        digest = hashlib.sha256(f"{thumbprint}\n{jti}".encode("utf-8", "surrogatepass")).digest()[:16]
        if digest in self._entries:
            return False
        self._make_room(thumbprint)
        self._entries[digest] = (now_s + 2 * IAT_WINDOW_S, thumbprint)  # a proof may be dated IAT_WINDOW_S ahead
        self._held[thumbprint] = self._held.get(thumbprint, 0) + 1
        return True

    def _make_room(self, thumbprint: str) -> None:
        held = self._held.get(thumbprint, 0)
        full = len(self._entries) >= self._capacity
        if full and self._forgets_oldest:
            self._drop_oldest()
        elif (
            held >= self._of_one_key
            or (full and held * len(self._held) >= self._capacity)
            or len(self._entries) >= 2 * self._capacity
        ):
            raise Refused("busy", "too many proofs of one key in a short time", retry_after=IAT_WINDOW_S)

    def _forget(self, now_s: int) -> None:
        while self._entries:
            until, _ = next(iter(self._entries.values()))
            if until > now_s:
                return
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        _, (_, thumbprint) = self._entries.popitem(last=False)
        self._held[thumbprint] -= 1
        if not self._held[thumbprint]:
            del self._held[thumbprint]


def decode_base64url(text: str) -> bytes:
    """Unpadded base64url, canonical only. Raises ValueError."""
    if not _BASE64URL.match(text) or len(text) % 4 == 1:
        raise ValueError("not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode_base64url(data) != text:
        raise ValueError("not canonical base64url")
    return data


def encode_base64url(data: bytes) -> str:
    """Unpadded base64url (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def thumbprint_of(x: str, y: str) -> str:
    """The RFC 7638 thumbprint (SHA-256, base64url) of a P-256 key given by its JWK coordinates."""
    canonical = json.dumps({"crv": "P-256", "kty": "EC", "x": x, "y": y}, separators=(",", ":"), sort_keys=True)
    return encode_base64url(hashlib.sha256(canonical.encode()).digest())


def token_hash(access_token: str) -> str:
    """The `ath` claim of an access token (RFC 9449 §4.2)."""
    return encode_base64url(hashlib.sha256(access_token.encode("utf-8", "surrogatepass")).digest())


def normalize_url(url: str) -> str:
    """The htu form of a URL (RFC 9449 §4.3): no query or fragment, RFC 3986 case and port rules; wss means https.

    Raises ValueError when it is no absolute http(s) or ws(s) URL.
    """
    parts = urlsplit(url)
    scheme = _SCHEME_OF.get(parts.scheme.lower())
    host = parts.hostname
    if scheme is None or not host or parts.username is not None:
        raise ValueError("not an absolute http URL")
    port = parts.port
    shown_host = f"[{host}]" if ":" in host else host.rstrip(".")
    authority = shown_host if port is None or port == _DEFAULT_PORTS[scheme] else f"{shown_host}:{port}"
    return f"{scheme}://{authority}{_normalize_path(parts.path)}"


def _normalize_path(path: str) -> str:
    # Slashes written as %2F must stay different from real ones, so each segment is decoded and encoded by itself.
    return (
        "/".join(
            quote(unquote(segment, errors="surrogateescape"), safe="~:@!$&'()*+,;=", errors="surrogateescape")
            for segment in path.split("/")
        )
        or "/"
    )


def check_proof(
    header: str,
    *,
    method: str,
    url: str,
    now_ms: int,
    access_token: str | None,
    replays: ReplayMemory,
    bound_to: str | None = None,
) -> Proof:
    """Check one DPoP header against the request it came with.

    Args:
        header: the header's value; exactly one JWT.
        url: the request's own URL; query and fragment do not count.
        access_token: the token sent beside it, which `ath` must hash to; None where no token is sent.
        bound_to: the thumbprint of the key the token is bound to; proofs of other keys are not even remembered.

    Raises:
        Refused: invalidProof with a word on what is wrong; busy when the replay memory is full.
    """
    try:
        head, claims, signed, signature = _split(header)
        key, thumbprint = _key_of(head)
        _check_claims(claims, method=method, url=url, now_s=now_ms // 1000, access_token=access_token)
        if bound_to is not None and thumbprint != bound_to:
            raise _Wrong("the token is bound to another key")
        _verify(key, signed, signature)
    except (ValueError, RecursionError) as error:
        raise Refused("invalidProof", str(error)[:120] if isinstance(error, _Wrong) else "malformed proof") from None
    proof = Proof(thumbprint, claims["jti"], int(claims["iat"]))
    if not replays.check_and_remember(thumbprint, proof.jti, now_ms // 1000):
        raise Refused("invalidProof", "this proof was used before")
    return proof


class _Wrong(ValueError):
    """A defect we may name to the sender: the text is ours, not his."""


def _split(header: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    if len(header) > MAX_PROOF_LENGTH:
        raise _Wrong("the proof is too long")
    pieces = header.split(".")
    if len(pieces) != 3:
        raise _Wrong("the proof is not one compact JWS")
    head, claims = (json.loads(decode_base64url(piece), object_pairs_hook=_without_doubles) for piece in pieces[:2])
    if not isinstance(head, dict) or not isinstance(claims, dict):
        raise _Wrong("header and claims must be objects")
    return head, claims, f"{pieces[0]}.{pieces[1]}".encode("ascii"), decode_base64url(pieces[2])


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Wrong("a member stands twice")
    return found


def _key_of(head: dict[str, Any]) -> tuple[ec.EllipticCurvePublicKey, str]:
    if head.get("typ") != "dpop+jwt":
        raise _Wrong("typ must be dpop+jwt")
    if head.get("alg") != "ES256":
        raise _Wrong("alg must be ES256")
    if "crit" in head:
        raise _Wrong("critical extensions are not known here")
    jwk = head.get("jwk")
    if not isinstance(jwk, dict) or jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        raise _Wrong("jwk must be a P-256 key")
    if _PRIVATE_MEMBERS & jwk.keys():
        raise _Wrong("jwk holds a private key")
    x, y = jwk.get("x"), jwk.get("y")
    if not isinstance(x, str) or not isinstance(y, str):
        raise _Wrong("jwk must be a P-256 key")
    raw_x, raw_y = decode_base64url(x), decode_base64url(y)
    if len(raw_x) != 32 or len(raw_y) != 32:
        raise _Wrong("jwk coordinates must be 32 bytes")
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + raw_x + raw_y)
    return key, thumbprint_of(x, y)


def _check_claims(claims: dict[str, Any], *, method: str, url: str, now_s: int, access_token: str | None) -> None:
    jti, htm, htu, iat = (claims.get(name) for name in ("jti", "htm", "htu", "iat"))
    if not isinstance(jti, str) or not 1 <= len(jti) <= MAX_JTI_LENGTH:
        raise _Wrong("jti is missing or too long")
    if htm != method:
        raise _Wrong("htm is not the method of this request")
    if not isinstance(htu, str) or normalize_url(htu) != normalize_url(url):
        raise _Wrong("htu is not the URL of this request")
    if isinstance(iat, bool) or not isinstance(iat, int | float) or not abs(iat - now_s) <= IAT_WINDOW_S:
        raise _Wrong("iat is not within the window")
    if access_token is not None and claims.get("ath") != token_hash(access_token):
        raise _Wrong("ath is not the hash of the access token")


def _verify(key: ec.EllipticCurvePublicKey, signed: bytes, signature: bytes) -> None:
    if len(signature) != 64:
        raise _Wrong("the signature must be 64 bytes")
    der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    try:
        key.verify(der, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise _Wrong("the signature does not fit") from None
