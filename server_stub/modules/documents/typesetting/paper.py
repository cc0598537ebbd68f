"""What an official paper says before it is set, its checks, and the plain data the templates are given. Text stays data: no part of it is ever markup."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal

from msgspec import Struct, field, structs

from server_stub.modules.documents.typesetting.paragraphs import MAX_CHARACTERS, clean, clean_line, split_blocks
from server_stub.modules.documents.typesetting.tables import MAX_COLUMNS, MAX_ROWS, is_row, too_large
from server_stub.modules.documents.typesetting.titles import split_title

Layout = Literal["document", "letter", "order", "minutes"]
Signing = Literal["sealed", "plain", "stamped", "none"]
Media = Literal["", "pdf", "picture"]

MAX_ISSUERS: Final = 9
MAX_ANNEXES: Final = 40
MAX_NAMES: Final = 50
OPEN_MARKS: Final = frozenset({"", "公开", "内部", "open", "internal"})
"""What a network that is not approved for secrets may carry."""
_NUMBER: Final = re.compile(r".{1,20}〔\d{4}〕[1-9]\d{0,5}号\Z")
_COPY: Final = re.compile(r"\d{6}\Z")


class PaperRefused(Exception):
    """A paper that is not set, with the reason. `field`: what it is about."""

    def __init__(self, field_name: str, reason: str) -> None:
        super().__init__(f"{field_name}: {reason}")
        self.field = field_name
        self.reason = reason


class Annex(Struct, frozen=True, kw_only=True):
    """An attachment set with the paper, on pages of its own: a text, or the pages of a file.

    Attributes:
        number: which attachment it is; 0: counted among those that are set.
        file, media: whose content it is (a key of what the press is given), and what that is.
    """

    title: str
    body: str = ""
    number: int = 0
    file: str = ""
    media: Media = ""


class Paper(Struct, frozen=True, kw_only=True):
    """An official document. Texts are plain; paragraphs are lines; 一、（一）1.（1） at the beginning of a line make headings (paragraphs.py).

    Attributes:
        layout: document (文件), letter (信函), order (命令), minutes (纪要).
        heads: names in the red head, the lead first; empty: the issuers. suffix: 文件, 命令, 纪要 or "".
        number: 云水〔2026〕18号; "" while there is none yet; an order's is 第3号.
        signers: of an upward document (上行文), in order of the issuers; empty otherwise.
        title: a line break in it is kept; else lines are made.
        issuers: whose document it is, in the signature; the lead first. day: of the document; None: not signed yet.
        signing: sealed (room for a seal on each issuer), plain (no seal), stamped (a signature stamp with `post`), none.
        copy: 000018. secrecy: anything above 内部 is refused. urgency: 特急, 加急 or "".
        attachments: names of all of them, below the body. annexes: those that follow on pages of their own.
        cc, printer, printed: the record at the end. duplex: the record is on an even page.
        present, absent, attending: of minutes.
    """

    layout: Layout = "document"
    heads: tuple[str, ...] = ()
    suffix: str = "文件"
    number: str = ""
    signers: tuple[str, ...] = ()
    title: str
    recipients: str = ""
    body: str
    attachments: tuple[str, ...] = ()
    annexes: tuple[Annex, ...] = ()
    issuers: tuple[str, ...]
    day: date | None = None
    signing: Signing = "sealed"
    post: str = ""
    note: str = ""
    copy: str = ""
    secrecy: str = ""
    urgency: str = ""
    cc: str = ""
    printer: str = ""
    printed: date | None = None
    duplex: bool = False
    present: str = ""
    absent: str = ""
    attending: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)


def day_text(day: date | None) -> str:
    """2026年1月5日: Arabic digits without leading zeros (7.3.5.4); room to write it where there is none yet."""
    if day is None:
        return "\u3000\u3000年\u3000月\u3000日"
    return f"{day.year}年{day.month}月{day.day}日"


def check_paper(paper: Paper) -> None:
    """Raises PaperRefused: something is missing, too long, malformed, or may not be on this network."""
    if paper.secrecy not in OPEN_MARKS:
        raise PaperRefused("secrecy", "secret documents never enter a network that is not approved for them")
    for name in ("title", "body"):
        if not clean(getattr(paper, name)).strip():
            raise PaperRefused(name, "is empty")
    if not paper.issuers or not all(clean_line(one) for one in paper.issuers):
        raise PaperRefused("issuers", "nobody issues it")
    for names, most in (
        (paper.issuers, MAX_ISSUERS),
        (paper.heads, MAX_ISSUERS),
        (paper.signers, MAX_ISSUERS),
        (paper.annexes, MAX_ANNEXES),
        (paper.attachments, MAX_NAMES),
    ):
        if len(names) > most:
            raise PaperRefused("issuers", f"more than {most}")
    if paper.copy and not _COPY.match(paper.copy):
        raise PaperRefused("copy", "a copy number has six digits")
    if paper.number and paper.layout in ("document", "letter") and not _NUMBER.match(paper.number):
        raise PaperRefused("number", "an issue number is 字〔2026〕18号, without leading zeros")
    if paper.signing == "stamped" and not paper.post:
        raise PaperRefused("post", "a stamped signature names its post")
    _check_lengths(paper)
    _check_tables(paper)


def _check_tables(paper: Paper) -> None:
    for text in (paper.body, *(one.body for one in paper.annexes)):
        tables = any(is_row(line.strip()) for line in text.split("\n"))
        if tables and any(one["kind"] == "table" and too_large(one) for one in split_blocks(text)):
            raise PaperRefused("body", f"a table has at most {MAX_COLUMNS} columns and {MAX_ROWS} rows")


def _check_lengths(paper: Paper) -> None:
    for name, most in (("title", 200), ("recipients", 2_000), ("cc", 3_000), ("note", 300), ("printer", 60)):
        if len(getattr(paper, name)) > most:
            raise PaperRefused(name, f"longer than {most} characters")
    for name in ("present", "absent", "attending"):
        if len(getattr(paper, name)) > 5_000:
            raise PaperRefused(name, "longer than 5000 characters")
    for one in (*paper.issuers, *paper.heads, paper.suffix, *paper.signers, paper.post, paper.urgency):
        if len(one) > 40:
            raise PaperRefused("issuers", "a name is longer than 40 characters")
    for one in paper.attachments:
        if len(one) > 300:
            raise PaperRefused("attachments", "a name is longer than 300 characters")
    total = len(paper.body) + sum(len(one.body) + len(one.title) for one in paper.annexes)
    if total > MAX_CHARACTERS:
        raise PaperRefused("body", f"longer than {MAX_CHARACTERS} characters")


def template_data(paper: Paper) -> dict[str, Any]:
    """The paper as the templates read it: strings, lists and flags. Raises PaperRefused."""
    check_paper(paper)
    plain = {
        name: clean_line(getattr(paper, name))
        for name in ("suffix", "number", "post", "note", "copy", "urgency", "printer", "present", "absent", "attending")
    }
    issuers = _names(paper.issuers)
    # A title that stays in one line is one; the document's name (metadata) has no breaks.
    return plain | {
        "layout": paper.layout,
        "heads": _names(paper.heads) or issuers,
        "signers": _names(paper.signers),
        "title": clean_line(paper.title),
        "author": issuers[0],
        "lines": split_title(paper.title),
        "to": clean_line(paper.recipients).rstrip("：: "),
        "body": split_blocks(paper.body),
        "attachments": _names(paper.attachments),
        "annexes": _annexes(paper),
        "issuers": issuers,
        "date": day_text(paper.day),
        "signing": paper.signing,
        "cc": clean_line(paper.cc).rstrip("。. "),
        "printed": day_text(paper.printed or paper.day),
        "duplex": paper.duplex,
    }


def _names(names: Sequence[str]) -> list[str]:
    return [one for one in (clean_line(name) for name in names) if one]


def _annexes(paper: Paper) -> list[dict[str, Any]]:
    alone = max(len(paper.annexes), len(paper.attachments)) == 1
    return [
        {
            "mark": "附件" if alone else f"附件{one.number or count}",
            "lines": split_title(one.title) if one.media != "pdf" else [],
            "body": split_blocks(one.body),
            "file": one.file,
            "media": one.media,
        }
        for count, one in enumerate(paper.annexes, 1)
    ]


def with_number(paper: Paper, number: str) -> Paper:
    """The same paper under an issue number."""
    return structs.replace(paper, number=number)
