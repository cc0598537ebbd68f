"""Device key and proofs, keychains, account keys."""

import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.crypto.device_key import DeviceKey
from desktop.core.crypto.encoding import base64url, base64url_decode, canonical_json
from desktop.core.crypto.keychain import Keychain, MemoryKeychain, PassphraseKeychain, open_sealed, seal
from desktop.core.crypto.keys import subkey
from desktop.core.errors import WrongStoreKey


def part(text: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(base64url_decode(text))
    return found


def test_a_proof_is_what_rfc_9449_asks_for() -> None:
    key = DeviceKey.generate()
    proof = key.proof("POST", "https://h:1/a/b?x=1#f", now_ms=1_700_000_000_999, jti="j1", access_token="token")
    head, claims, signature = proof.split(".")
    assert part(head) == {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk}
    ath = base64url(hashlib.sha256(b"token").digest())
    assert part(claims) == {"jti": "j1", "htm": "POST", "htu": "https://h:1/a/b", "iat": 1_700_000_000, "ath": ath}
    raw = base64url_decode(signature)
    x, y = (int.from_bytes(base64url_decode(key.jwk[name])) for name in "xy")
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    public.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))


def test_the_thumbprint_is_rfc_7638() -> None:
    key = DeviceKey.generate()
    text = f'{{"crv":"P-256","kty":"EC","x":"{key.jwk["x"]}","y":"{key.jwk["y"]}"}}'
    assert canonical_json(key.jwk) == text.encode()
    assert key.thumbprint == base64url(hashlib.sha256(text.encode()).digest())


def test_a_key_comes_back_from_its_der_and_hides_in_a_repr() -> None:
    key = DeviceKey.generate()
    assert DeviceKey.from_der(key.to_der()).thumbprint == key.thumbprint
    assert repr(key) == f"DeviceKey({key.thumbprint})"


@given(st.binary(max_size=200))
def test_bytes_that_are_no_key_are_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        DeviceKey.from_der(data)


@given(st.binary(max_size=200))
def test_base64url_round_trip(data: bytes) -> None:
    assert base64url_decode(base64url(data)) == data


@pytest.mark.parametrize("kind", ["memory", "passphrase"])
def test_keychains_keep_replace_and_forget(kind: str, tmp_path: Path) -> None:
    quick = PassphraseKeychain(tmp_path / "k", "open sesame", iterations=1, memory_kib=64)
    keychain: Keychain = MemoryKeychain() if kind == "memory" else quick
    assert keychain.load("a") is None
    keychain.save("a", b"\0secret")
    keychain.save("b", b"other")
    keychain.save("a", b"newer")
    assert keychain.load("a") == b"newer"
    keychain.delete("a")
    keychain.delete("a")
    assert (keychain.load("a"), keychain.load("b")) == (None, b"other")


def test_another_passphrase_or_a_changed_byte_does_not_open(tmp_path: Path) -> None:
    path = tmp_path / "k"
    PassphraseKeychain(path, "right", iterations=1, memory_kib=64).save("a", b"secret")
    assert b"secret" not in path.read_bytes()
    with pytest.raises(WrongStoreKey):
        PassphraseKeychain(path, "wrong").load("a")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(WrongStoreKey):
        PassphraseKeychain(path, "right").load("a")
    assert "right" not in repr(PassphraseKeychain(path, "right"))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_wrong_key_at_worst(data: bytes) -> None:
    with pytest.raises(WrongStoreKey):
        open_sealed(data, b"x")


def test_a_hostile_file_cannot_ask_for_all_memory() -> None:
    sealed = seal(b"x", b"p", iterations=1, memory_kib=64)
    hostile = sealed.replace(b"\x40", b"\xce\x7f\xff\xff\xff", 1)
    with pytest.raises(WrongStoreKey):
        open_sealed(hostile, b"p")


def test_each_purpose_has_its_own_key() -> None:
    key = bytes(32)
    assert len({subkey(key, "store"), subkey(key, "blobs"), subkey(key, "blobs", b"salt")}) == 3
    with pytest.raises(ValueError, match="32 bytes"):
        subkey(b"short", "store")
