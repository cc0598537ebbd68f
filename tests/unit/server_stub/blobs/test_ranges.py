"""Ranges and names: RFC 9110 §14 by example and against a plain model, and names that try to be something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_stub.api.ranges import Span, Unsatisfiable, choose_span, content_disposition, etag_matches, safe_type

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None),
        ("bytes=0-0", Span(0, 1)),
        ("bytes=0-9", Span(0, 10)),
        ("bytes=5-", Span(5, 10)),
        ("bytes=5-99999", Span(5, 10)),
        ("bytes=-3", Span(7, 10)),
        ("bytes=-99", Span(0, 10)),
        ("Bytes= 2-3 ", Span(2, 4)),
        ("bytes=3-2", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
        ("bytes=٠-٣", None),
        ("bytes=" + "9" * 40 + "-", None),
    ],
)
def test_ranges_of_ten_bytes(header: str | None, span: Span | None) -> None:
    assert choose_span(header, None, ETAG, 10) == span


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10-", 10), ("bytes=99-100", 10), ("bytes=-0", 10), ("bytes=0-", 0), ("bytes=-1", 0)]
)
def test_ranges_outside(header: str, size: int) -> None:
    with pytest.raises(Unsatisfiable):
        choose_span(header, None, ETAG, size)


@pytest.mark.parametrize(
    ("if_range", "ranged"),
    [(ETAG, True), ('W/"abc"', False), ('"old"', False), ("Sun, 22 Nov 2026 08:00:00 GMT", False)],
)
def test_if_range(if_range: str, ranged: bool) -> None:
    assert (choose_span("bytes=0-1", if_range, ETAG, 10) is not None) is ranged


@given(st.text(max_size=30) | st.from_regex(r"bytes=\d{0,4}-\d{0,4}", fullmatch=True), st.integers(0, 300))
def test_any_header_gives_a_part_of_the_file_or_nothing(header: str, size: int) -> None:
    try:
        span = choose_span(header, None, ETAG, size)
    except Unsatisfiable:
        return
    if span is not None:
        assert 0 <= span.start < span.stop <= size
        assert len(bytes(size)[span.start : span.stop]) == span.length


@pytest.mark.parametrize(
    ("header", "matches"),
    [
        (None, False),
        ("*", True),
        ('"abc"', True),
        ('W/"abc"', True),
        ('"x", "abc"', True),
        ('"x"', False),
        ("abc", False),
    ],
)
def test_if_none_match(header: str | None, matches: bool) -> None:
    assert etag_matches(header, ETAG) is matches


@pytest.mark.parametrize(
    ("asked", "stored", "type_"),
    [
        ("image/png", "text/plain", "image/png"),
        (None, "image/png", "image/png"),
        ("text/html", "x/y", "application/octet-stream"),
        ("TEXT/HTML; charset=utf-8", "x/y", "application/octet-stream"),
        ("image/svg+xml", "x/y", "application/octet-stream"),
        ("application/atom+xml", "x/y", "application/octet-stream"),
        ("a/b\r\nSet-Cookie: x", "x/y", "application/octet-stream"),
        ("nonsense", "x/y", "application/octet-stream"),
        (None, "text/html", "application/octet-stream"),
    ],
)
def test_types_that_run_are_not_sent(asked: str | None, stored: str, type_: str) -> None:
    assert safe_type(asked, stored) == type_


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.txt", "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt"),
        ("通知.pdf", "attachment; filename=\"__.pdf\"; filename*=UTF-8''%E9%80%9A%E7%9F%A5.pdf"),
        ("../../etc/passwd", "attachment; filename=\"_.._etc_passwd\"; filename*=UTF-8''_.._etc_passwd"),
        ('a"\r\nX: y', "attachment; filename=\"a___X_ y\"; filename*=UTF-8''a___X_%20y"),
        ("\u202etxt.exe", "attachment; filename=\"_txt.exe\"; filename*=UTF-8''_txt.exe"),
        ("...", "attachment; filename=\"file\"; filename*=UTF-8''file"),
    ],
)
def test_names_in_headers(name: str, header: str) -> None:
    assert content_disposition(name) == header


@given(st.text(max_size=400))
def test_any_name_is_one_plain_header(name: str) -> None:
    header = content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert not set("/\\") & set(header.partition("''")[0].removeprefix("attachment; "))
