"""vCards: what is written is read back, cards of old phones are understood, hostile files give an error of ours and quickly."""

import base64
import quopri
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.models.vcard_lines import BadCards, folded, read_cards
from desktop.models.vcards import ContactCard, parse_vcards, write_vcards
from tests.helpers.contact_cards import CARDS, text


# ------------------------------------------------------------ there and back
@given(cards=st.lists(CARDS, min_size=1, max_size=4), version=st.sampled_from(["3.0", "4.0"]))
def test_what_is_written_is_read_back(cards: list[ContactCard], version: str) -> None:
    written = write_vcards(cards, version)
    assert max(map(len, written.split(b"\r\n"))) <= 75
    assert [(one.data, one.groups, one.left_out) for one in parse_vcards(written)] == [
        (c.data, c.groups, ()) for c in cards
    ]


@given(text(300))
def test_folding_cuts_no_character(line: str) -> None:
    for part in folded(line).removesuffix(b"\r\n").split(b"\r\n"):
        assert len(part) <= 75
        part.decode("utf-8")


# ------------------------------------------------------------ cards of others
def card(*lines: str | bytes, version: str = "3.0") -> bytes:
    whole = ["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD"]
    return b"\r\n".join(one.encode() if isinstance(one, str) else one for one in whole) + b"\r\n"


def read(*lines: str | bytes, version: str = "3.0") -> dict[str, Any]:
    (found,) = parse_vcards(card(*lines, version=version))
    return found.data


def qp(value: str, charset: str) -> str:
    return "".join(f"={byte:02X}" for byte in value.encode(charset))


@pytest.mark.parametrize(
    ("named", "charset"), [("UTF-8", "utf-8"), ("GB18030", "gb18030"), ("GBK", "gbk"), ("gb2312", "gb2312")]
)
def test_quoted_printable_of_old_phones(named: str, charset: str) -> None:
    setting = f";CHARSET={named};ENCODING=QUOTED-PRINTABLE:"
    soft = qp("江苏省云溪县人民路八十八号", charset)
    cut = soft[:72] + "=\r\n" + soft[72:]
    found = read(
        f"N{setting}{qp('张', charset)};{qp('敏', charset)};;;",
        f"ADR;HOME{setting};;{cut};;;;",
        f"NOTE{setting}{qp('第一行', charset)}=0D=0A{qp('第二行', charset)}",
        "TEL;CELL;PREF:13800002046",
        "TEL;WORK;VOICE:0512-00008801",
        version="2.1",
    )
    assert found == {
        "name": "张敏",
        "address": "江苏省云溪县人民路八十八号",
        "note": "第一行\n第二行",
        "mobile": "13800002046",
        "officePhone": "0512-00008801",
    }


@pytest.mark.parametrize("charset", ["gb18030", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_whole_files_in_other_encodings(charset: str) -> None:
    whole = card("FN:张敏", "ORG:云溪县水利局;办公室", "TEL;TYPE=WORK,VOICE:8801").decode()
    (found,) = parse_vcards(whole.encode(charset))
    assert found.data == {"name": "张敏", "company": "云溪县水利局", "department": "办公室", "officePhone": "8801"}


def test_a_character_cut_by_folding_is_whole_again() -> None:
    name = "张敏".encode()
    assert read(b"FN:" + name[:2] + b"\r\n " + name[2:])["name"] == "张敏"


def test_numbers_beyond_one_of_a_kind_go_to_more_and_the_preferred_first() -> None:
    found = read(
        "FN:a",
        "TEL;TYPE=CELL:1",
        "item1.TEL;TYPE=CELL;TYPE=pref:2",
        "TEL;TYPE=FAX,WORK:3",
        "TEL:13800001111",
        "TEL:8801",
        "EMAIL:a@x",
        "EMAIL;PREF=1:b@x",
        "TEL;TYPE=CELL:2",
    )
    assert (found["mobile"], found["fax"], found["email"]) == ("2", "3", "b@x")
    assert found["more"] == [
        {"kind": "mobile", "value": "1"},
        {"kind": "mobile", "value": "13800001111"},
        {"kind": "other", "value": "8801"},
        {"kind": "email", "value": "a@x"},
    ]


def test_a_card_of_version_four() -> None:
    found = read(
        "FN:Emma Zhao",
        'TEL;VALUE=uri;TYPE="work,voice":tel:+86-512-1;ext=2',
        "BDAY:19900203",
        'ADR;LABEL="a:b;c":;;1 Main St;Town;;123;',
        "IMPP:weixin:emma",
        version="4.0",
    )
    assert found == {
        "name": "Emma Zhao",
        "officePhone": "+86-512-1",
        "birthday": "1990-02-03",
        "address": "1 Main St Town 123",
        "wechat": "emma",
    }


def test_what_has_no_place_is_named() -> None:
    photo = base64.b64encode(b"x" * 200_000).decode()
    (found,) = parse_vcards(
        card(
            "FN:a",
            f"PHOTO;ENCODING=b;TYPE=JPEG:{photo}",
            "NICKNAME:b",
            "NOTE:one",
            "NOTE:two",
            "BDAY:--0203",
            "X-ANY:1",
            "UID:5",
        )
    )
    assert found.data == {"name": "a", "note": "one"}
    assert found.left_out == ("NICKNAME", "NOTE", "PHOTO")


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (("ORG:水利局",), "水利局"),
        (("TEL:1",), "1"),
        (("N:Zhao;Emma;;Dr;",), "Dr Emma Zhao"),
        (("N:张;敏", "FN:老张"), "老张"),
    ],
)
def test_a_name_is_found(lines: tuple[str, ...], name: str) -> None:
    assert read(*lines)["name"] == name


def test_nested_cards_belong_to_nobody() -> None:
    inner = card("FN:secretary", "TEL:1").decode()
    assert read("FN:boss", "AGENT:", inner, "TEL;TYPE=CELL:2") == {"name": "boss", "mobile": "2"}


# ------------------------------------------------------------ files that mean harm
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "none"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "none"),
        (b"hello", "none"),
        (b"BEGIN:VCARD\r\nFN:a\r\n", "cut"),
        (b"BEGIN:VCARD\r\nFN a\r\nEND:VCARD\r\n", "line"),
        (b"BEGIN:VCARD\r\n" + b"X;" * 100_000 + b":1\r\nEND:VCARD\r\n", "line"),
        (b"BEGIN:VCARD\r\nTEL" + b";TYPE=a" * 100_000 + b"!\r\nEND:VCARD\r\n", "line"),
        (b"BEGIN:VCARD\r\n" * 50_000, "deep"),
        (card("FN:a") * 2001, "too_many"),
        (b"BEGIN:VCARD\r\nFN:\xff\xff\xff\r\nEND:VCARD\r\n", "encoding"),
        (b"\xff\xfeB\0\0\xd8", "encoding"),
        (b"x" * ((20 << 20) + 1), "too_large"),
        (b"\n" * 500_000, "too_large"),
    ],
)
def test_hostile_files_are_refused_in_words_and_soon(data: bytes, reason: str) -> None:
    begun = time.monotonic()
    with pytest.raises(BadCards) as told:
        parse_vcards(data)
    assert told.value.reason == reason
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("fill", [b"a", b"=\r\n", b"\\", b";", b"\r\n ", b"=41", b'"', "张".encode("gb18030")])
def test_long_values_are_read_in_a_moment(fill: bytes) -> None:
    begun = time.monotonic()
    for head in (b"NOTE:", b"ADR;ENCODING=QUOTED-PRINTABLE:;;", b'X;Y="', b"TEL;TYPE="):
        try:
            parse_vcards(b"BEGIN:VCARD\r\nFN:a\r\n" + head + fill * 60_000 + b"\r\nEND:VCARD\r\n")
        except BadCards as error:
            assert error.reason in ("line", "cut", "encoding")  # noqa: PT017  # either way is right, as long as it is quick
    assert time.monotonic() - begun < 10


@given(st.binary(max_size=300))
def test_any_bytes_give_cards_or_an_error_of_ours(data: bytes) -> None:
    for whole in (data, b"BEGIN:VCARD\r\n" + data + b"\r\nEND:VCARD\r\n"):
        try:
            cards = parse_vcards(whole)
        except BadCards as error:
            assert error.reason  # noqa: PT017  # both ways are right
            continue
        assert cards
        write_vcards(cards)


def test_quoted_printable_is_that_of_the_standard() -> None:
    data = "数据 = data\t" * 30
    value = quopri.encodestring(data.encode()).replace(b"\n", b"\r\n")
    (found,) = read_cards(card(b"NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:" + value, version="2.1"))
    assert found.properties[0].raw == data
