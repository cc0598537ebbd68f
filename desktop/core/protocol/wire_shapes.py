"""Small changes that wire objects need before they become values: dates to ms, nulls away, words nobody knows replaced. All in place."""

from typing import Any

from desktop.core.clock import parse_utc_date
from desktop.core.protocol.problems import ProtocolError


def dates_to_ms(data: dict[str, Any], fields: tuple[str, ...]) -> None:
    """UTCDates become ms since 1970. Raises ProtocolError, ValueError: it is none."""
    for field in fields:
        value = data.get(field)
        if value is None:
            continue
        if not isinstance(value, str):
            raise ProtocolError(f"{field} is no date")
        data[field] = parse_utc_date(value)


def drop_nulls(data: dict[str, Any]) -> None:
    """What is null counts as missing."""
    for key in [key for key, value in data.items() if value is None]:
        del data[key]


def tidy(data: dict[str, Any], fields: tuple[str, ...], dates: tuple[str, ...] = ()) -> None:
    """Nulls go and dates become ms in the objects of these lists, which are copied."""
    for field in fields:
        held = data.get(field)
        if isinstance(held, list):
            data[field] = [dict(one) if isinstance(one, dict) else one for one in held]
            for one in data[field]:
                if isinstance(one, dict):
                    dates_to_ms(one, dates)
                    drop_nulls(one)


def only_known(data: dict[str, Any], field: str, known: frozenset[str], fallback: str) -> None:
    """A word of a later server reads as `fallback`."""
    if field in data and data[field] not in known:
        data[field] = fallback
