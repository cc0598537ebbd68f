"""Structured logs: one JSON object a line on stderr. Never message texts, tokens, passwords or file names.

Third-party loggers stay at WARNING whatever the level is: at DEBUG they print frames and headers. Of an exception the
log keeps its type and the places, not its text, since that may quote what the user sent.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import IO, Final

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}
_FOREIGN_LEVEL: Final = logging.WARNING


class JsonFormatter(logging.Formatter):
    """One record as one line: at, level, topic, text, the `extra` fields, and where an exception came from."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "topic": record.name,
            "text": record.getMessage(),
        }
        line.update({key: value for key, value in vars(record).items() if key not in _STANDARD})
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = _describe(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=lambda value: type(value).__name__)


def _describe(error: BaseException) -> list[str]:
    places = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        places.append(f"{type(current).__module__}.{type(current).__qualname__}")
        for frame in traceback.extract_tb(current.__traceback__):
            places.append(f"  {_short(frame.filename)}:{frame.lineno} {frame.name}")
        if isinstance(current, BaseExceptionGroup):
            for inner in current.exceptions:
                places.extend(f"  | {part}" for part in _describe(inner))
        current = current.__cause__ or current.__context__
    return places


def _short(filename: str) -> str:
    return "/".join(filename.replace("\\", "/").split("/")[-3:])


def set_up_logs(level: str, stream: IO[str] | None = None) -> None:
    """Send all logs to `stream` (default stderr) as JSON lines; `level` holds for our own topics only."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(_FOREIGN_LEVEL)
    logging.getLogger("tongban").setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "websockets", "asyncio", "httptools"):
        foreign = logging.getLogger(name)
        foreign.handlers.clear()
        foreign.propagate = True
        foreign.setLevel(_FOREIGN_LEVEL)
    logging.captureWarnings(True)
