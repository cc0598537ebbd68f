"""Ids and times of the wire."""

import pytest

from server_stub.clock import SystemClock, format_utc, parse_utc
from server_stub.ids import direct_conversation_id, is_id, is_uuid7, uuid7


def test_uuid7_carries_its_time_and_sorts_by_it() -> None:
    early, late = uuid7(1_700_000_000_000), uuid7(1_700_000_000_001)
    assert is_uuid7(early)
    assert early < late
    assert int(early.replace("-", "")[:12], 16) == 1_700_000_000_000
    assert len({uuid7(5) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "k1",
        "018bcfe5-6800-4000-8000-000000000000",
        "018BCFE5-6800-7000-8000-000000000000",
        "018bcfe5-6800-7000-8000-000000000000\n",
    ],
)
def test_other_texts_are_no_uuid7(text: str) -> None:
    assert not is_uuid7(text)


def test_ids_are_ascii_of_a_stated_length() -> None:
    assert is_id("a_-9")
    assert not is_id("")
    assert not is_id("a" * 256)
    assert not is_id("文")
    assert not is_id("a\n")


def test_a_direct_conversation_is_the_same_from_both_sides() -> None:
    assert direct_conversation_id("a", "b") == direct_conversation_id("b", "a")
    assert direct_conversation_id("a", "b") == "d-7e18f737311b2dc3b2f269dd78396b03"


def test_times_round_trip() -> None:
    assert format_utc(1_700_000_000_123) == "2023-11-14T22:13:20.123Z"
    now = SystemClock().now_ms()
    assert parse_utc(format_utc(now)) == now
    for bad in ("2023-11-14T22:13:20", "2023-11-14T22:13:20+08:00", "yesterday", ""):
        with pytest.raises(ValueError, match=r".*"):
            parse_utc(bad)
