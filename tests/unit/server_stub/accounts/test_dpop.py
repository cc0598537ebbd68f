"""DPoP proofs: every rule of RFC 9449 §4.3 by a proof that breaks just that rule, and any text at all."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_stub.accounts import dpop
from server_stub.accounts.dpop import ReplayMemory, check_proof, normalize_url
from server_stub.accounts.refusals import Refused
from tests.helpers.device_key import DeviceKey, b64

NOW_S = 1_790_000_000
URL = "https://office.example:8460/auth/token"
KEY = DeviceKey()


def check(header: str, *, token: str | None = None, replays: ReplayMemory | None = None, url: str = URL) -> dpop.Proof:
    return check_proof(
        header, method="POST", url=url, now_ms=NOW_S * 1000, access_token=token, replays=replays or ReplayMemory()
    )


def proof(**changes: Any) -> str:
    return KEY.proof("POST", URL, None, **({"iat": NOW_S} | changes))


def test_a_good_proof_names_its_key() -> None:
    assert check(proof()).thumbprint == dpop.thumbprint_of(KEY.jwk["x"], KEY.jwk["y"])


def test_thumbprint_of_a_known_key() -> None:
    # The key of RFC 9449 §4.2, whose thumbprint stands in §6.1.
    x, y = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"
    assert dpop.thumbprint_of(x, y) == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def test_access_token_hash_of_the_rfc() -> None:
    token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
    assert dpop.token_hash(token) == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"header": {"typ": "JWT"}}, "typ"),
        ({"header": {"typ": None}}, "typ"),
        ({"header": {"alg": "none"}}, "alg"),
        ({"header": {"alg": "HS256"}}, "alg"),
        ({"header": {"crit": ["exp"]}}, "critical"),
        ({"header": {"jwk": None}}, "jwk"),
        ({"header": {"jwk": "text"}}, "jwk"),
        ({"header": {"jwk": KEY.jwk | {"d": "AAAA"}}}, "private"),
        ({"header": {"jwk": KEY.jwk | {"kty": "oct", "k": "AAAA"}}}, "P-256"),
        ({"header": {"jwk": KEY.jwk | {"crv": "P-384"}}}, "P-256"),
        ({"header": {"jwk": KEY.jwk | {"x": 5}}}, "P-256"),
        ({"header": {"jwk": KEY.jwk | {"x": b64(bytes(31))}}}, "32 bytes"),
        ({"header": {"jwk": KEY.jwk | {"x": b64(bytes(32))}}}, "malformed"),  # not on the curve
        ({"header": {"jwk": DeviceKey().jwk}}, "signature"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 5}, "jti"),
        ({"jti": "x" * 300}, "jti"),
        ({"htm": "GET"}, "htm"),
        ({"htm": None}, "htm"),
        ({"htu": None}, "htu"),
        ({"htu": URL + "/more"}, "htu"),
        ({"htu": URL.replace("https", "http")}, "htu"),
        ({"htu": URL.replace("8460", "8461")}, "htu"),
        ({"htu": "::::"}, "malformed"),
        ({"iat": NOW_S - 301}, "iat"),
        ({"iat": NOW_S + 301}, "iat"),
        ({"iat": None}, "iat"),
        ({"iat": True}, "iat"),
        ({"iat": str(NOW_S)}, "iat"),
        ({"iat": float("nan")}, "iat"),
        ({"iat": float("inf")}, "iat"),
    ],
)
def test_a_proof_that_breaks_one_rule(changes: dict[str, object], word: str) -> None:
    with pytest.raises(Refused, match=word) as caught:
        check(proof(**changes))
    assert caught.value.code == "invalidProof"


def test_with_a_token_the_proof_must_hash_it() -> None:
    assert check(KEY.proof("POST", URL, "token-1", iat=NOW_S), token="token-1")
    with pytest.raises(Refused, match="ath"):
        check(KEY.proof("POST", URL, "token-1", iat=NOW_S), token="token-2")
    with pytest.raises(Refused, match="ath"):
        check(proof(), token="token-1")


def test_a_member_that_stands_twice() -> None:
    header, claims, signature = proof().split(".")
    doubled = b64(b'{"typ":"x",' + json.dumps({"typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.jwk}).encode()[1:])
    with pytest.raises(Refused, match="twice"):
        check(f"{doubled}.{claims}.{signature}")
    assert header


def test_a_changed_signature_or_claim() -> None:
    header, claims, signature = proof().split(".")
    other = b64(json.dumps({"jti": "1", "htm": "POST", "htu": URL, "iat": NOW_S}).encode())
    for broken in [
        f"{header}.{other}.{signature}",
        f"{header}.{claims}.{b64(bytes(64))}",
        f"{header}.{claims}.{b64(bytes(63))}",
    ]:
        with pytest.raises(Refused, match="signature"):
            check(broken)


def test_non_canonical_base64_is_refused() -> None:
    header, claims, signature = proof().split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    position = alphabet.index(signature[-1])
    twin = alphabet[position ^ 1]  # decodes to the same 64 bytes
    with pytest.raises(Refused, match="malformed"):
        check(f"{header}.{claims}.{signature[:-1]}{twin}")


def test_each_proof_works_once_per_key() -> None:
    replays = ReplayMemory()
    first = proof(jti="same")
    check(first, replays=replays)
    with pytest.raises(Refused, match="before"):
        check(first, replays=replays)
    with pytest.raises(Refused, match="before"):
        check(proof(jti="same"), replays=replays)
    assert check(DeviceKey().proof("POST", URL, jti="same", iat=NOW_S), replays=replays)


def test_replay_memory_forgets_only_what_is_too_old_to_be_accepted() -> None:
    replays = ReplayMemory()
    assert replays.check_and_remember("k", "1", NOW_S)
    assert not replays.check_and_remember("k", "1", NOW_S + 599)
    assert replays.check_and_remember("k", "1", NOW_S + 600)


def test_one_key_cannot_fill_the_memory_for_the_others() -> None:
    replays = ReplayMemory(capacity=100, of_one_key=10)
    for number in range(10):
        assert replays.check_and_remember("greedy", f"{number}", NOW_S)
    with pytest.raises(Refused, match="busy"):
        replays.check_and_remember("greedy", "10", NOW_S)
    assert not replays.check_and_remember("greedy", "9", NOW_S)  # and what it has sent is still known
    assert all(replays.check_and_remember("modest", f"{number}", NOW_S) for number in range(5))
    assert replays.check_and_remember("greedy", "10", NOW_S + 600)


def test_many_keys_cannot_fill_the_memory_for_those_who_use_little_of_it() -> None:
    replays = ReplayMemory(capacity=100, of_one_key=1000)
    for key in range(4):
        for number in range(25):
            assert replays.check_and_remember(f"greedy{key}", f"{number}", NOW_S)
    for key in range(4):
        with pytest.raises(Refused, match="busy"):
            replays.check_and_remember(f"greedy{key}", "more", NOW_S)
    for number in range(20):
        assert replays.check_and_remember("modest", f"{number}", NOW_S)
    for key in range(80):
        assert replays.check_and_remember(f"one of many {key}", "1", NOW_S)
    with pytest.raises(
        Refused, match="busy"
    ):  # twice the capacity: nobody is forgotten, and there is an end all the same
        replays.check_and_remember("one too many", "1", NOW_S)
    assert not replays.check_and_remember("greedy0", "0", NOW_S)
    assert replays.check_and_remember("one too many", "1", NOW_S + 600)


def test_a_full_replay_memory_says_busy() -> None:
    replays = ReplayMemory(capacity=2)
    replays.check_and_remember("k", "1", NOW_S)
    replays.check_and_remember("k", "2", NOW_S)
    with pytest.raises(Refused, match="busy"):
        replays.check_and_remember("k", "3", NOW_S)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://A.example/x", "https://a.example:443/x?query#fragment"),
        ("wss://a.example/jmap/ws", "https://a.example/jmap/ws"),
        ("https://a.example", "https://a.example/"),
        ("https://a.example/%7euser", "https://a.example/~user"),
        ("https://a.example/%e4%b8%ad", "https://a.example/中"),
        ("https://[::1]:8460/", "https://[::1]:8460/"),
    ],
)
def test_urls_that_are_the_same(one: str, other: str) -> None:
    assert normalize_url(one) == normalize_url(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.example/a%2Fb", "https://a.example/a/b"),
        ("https://a.example/A", "https://a.example/a"),
        ("https://a.example:8443/", "https://a.example/"),
    ],
)
def test_urls_that_differ(one: str, other: str) -> None:
    assert normalize_url(one) != normalize_url(other)


@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda data: f"{b64(data)}.{b64(data)}.{b64(bytes(64))}"))
def test_any_text_is_refused_and_nothing_else(text: str) -> None:
    with pytest.raises(Refused, match="invalidProof"):
        check(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["jti", "htm", "htu", "iat", "ath"]), json_values),
    st.dictionaries(st.sampled_from(["typ", "alg", "jwk", "crit", "kid"]), json_values),
)
def test_signed_nonsense_is_refused(claims: dict[str, object], header: dict[str, object]) -> None:
    with pytest.raises(Refused, match="invalidProof"):
        check(KEY.sign(header, claims))
    with pytest.raises(Refused, match="invalidProof"):
        check(KEY.sign({"typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.jwk}, {"htu": 1} | claims | {"htm": None}))


def test_deep_json_is_refused() -> None:
    deep = b"[" * 2500 + b"]" * 2500
    with pytest.raises(Refused, match="invalidProof"):
        check(f"{b64(deep[:1500])}.{b64(deep[:1500])}.{b64(bytes(64))}")


@given(st.text(max_size=100))
def test_any_text_as_url(text: str) -> None:
    with pytest.raises(Refused, match="invalidProof"):
        check(proof(htu=text + "x"))
