"""Number books: one for each issuing mark and year, counted inside the transaction that takes a number; what is void keeps its entry and says why."""

from typing import Final

from server_stub.clock import format_utc, utc_offset
from server_stub.errors import invalid_properties
from server_stub.modules.engine.conditions import local_day
from server_stub.modules.engine.referrers import load_referrers
from server_stub.modules.engine.rules import Rules
from server_stub.records.store import Record, load_record
from server_stub.storage.database import Tx

MARK: Final = "IssuingMark"
BOOK: Final = "NumberBook"
ENTRY: Final = "NumberEntry"
USED: Final = "used"
VOIDED: Final = "voided"
RUNNING: Final = "running"
NO_YEAR: Final = 0
"""The year of a book that runs on for ever."""


def format_number(mark: str, style: str, year: int, count: int) -> str:
    """云水防〔2026〕18号, or 云溪县人民政府令第3号: no leading zeros (GB/T 9704-2012, 7.2.5)."""
    return f"{mark}第{count}号" if style == RUNNING else f"{mark}〔{year}〕{count}号"


def do_take_number(rules: Rules, tx: Tx, document: Record, by: str | None) -> str:
    """The issue number of a document: the one it has under this mark, else the next of the mark's book of this year.

    Raises:
        SetError: the mark is not there, not in use, or not the lead issuer's; the book is shut.
    """
    mark = checked_mark(tx, document)
    entry = used_entry(tx, document.id)
    if entry is not None:
        book = load_record(tx.conn, entry.data["bookId"], type_name=BOOK)
        if book is not None and book.data["markId"] == mark.id:
            return str(entry.data["number"])
        do_void(rules, tx, entry, f"改用“{mark.data['mark']}”字", by)
    return _do_take(rules, tx, mark, document, by)


def checked_mark(tx: Tx, document: Record) -> Record:
    """The mark a document names. Raises SetError: it cannot be used for it."""
    mark = load_record(tx.conn, document.data.get("markId") or "", type_name=MARK)
    if mark is None or not mark.data.get("active", True):
        raise invalid_properties("choose a mark that is in use", "markId")
    if mark.data["unitId"] != document.data.get("unitId"):
        raise invalid_properties("a document bears the mark of its (lead) issuer", "markId")
    return mark


def used_entry(tx: Tx, document_id: str) -> Record | None:
    """The entry of the number a document bears now."""
    entries = load_referrers(tx.conn, ENTRY, "documentId", document_id)
    return next((one for one in entries if one.data.get("state") == USED), None)


def do_void(rules: Rules, tx: Tx, entry: Record, reason: str, by: str | None) -> None:
    """The number is given to nothing else; the book says why it is missing."""
    rules.change(tx, ENTRY, entry.id, {"state": VOIDED, "reason": reason[:300], "voidedAt": format_utc(tx.now)}, by=by)


def _do_take(rules: Rules, tx: Tx, mark: Record, document: Record, by: str | None) -> str:
    style = mark.data.get("style", "yearly")
    year = NO_YEAR if style == RUNNING else local_day(tx.now, utc_offset(tx.now)).year
    book = _do_open_book(rules, tx, mark, year, by)
    count = int(book.data.get("last", 0)) + 1
    number = format_number(mark.data["mark"], style, year, count)
    rules.change(tx, BOOK, book.id, {"last": count}, by=by)
    entry = {
        "bookId": book.id,
        "year": year,
        "sequence": count,
        "number": number,
        "documentId": document.id,
        "title": document.data["title"],
        "takenById": by,
        "takenAt": format_utc(tx.now),
    }
    rules.make(tx, ENTRY, {key: value for key, value in entry.items() if value is not None}, document.author_id)
    return number


def _do_open_book(rules: Rules, tx: Tx, mark: Record, year: int, by: str | None) -> Record:
    """The mark's book of a year; a new one begins at 1, the very first of a mark at the number its office has come to."""
    books = load_referrers(tx.conn, BOOK, "markId", mark.id)
    book = next((one for one in books if int(one.data["year"]) == year), None)
    if book is None:
        last = 0 if books else int(mark.data.get("start", 1)) - 1
        return rules.make(tx, BOOK, {"markId": mark.id, "year": year, "last": last}, by)
    if book.data.get("state") != "open":
        raise invalid_properties("the book of this year is shut", "markId")
    return book
