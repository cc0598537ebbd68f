"""Logs: one JSON object a line; an exception's text, which may quote a user, stays out; other people's loggers stay quiet."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from server_stub.app.logs import set_up_logs

FOREIGN = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "websockets", "asyncio", "httptools")


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    foreign = {name: logging.getLogger(name).level for name in FOREIGN}
    stream = io.StringIO()
    set_up_logs("DEBUG", stream)
    yield stream
    logging.captureWarnings(False)
    root.handlers[:] = before
    root.setLevel(level)
    logging.getLogger("tongban").setLevel(logging.NOTSET)
    for name, held in foreign.items():
        logging.getLogger(name).setLevel(held)


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_has_time_level_topic_text_and_extras(out: io.StringIO) -> None:
    logging.getLogger("tongban.x").info("served %d", 3, extra={"person": "p1", "odd": object()})
    (line,) = lines(out)
    assert (line["level"], line["topic"], line["text"], line["person"]) == ("INFO", "tongban.x", "served 3", "p1")
    assert str(line["at"]).endswith("Z")
    assert line["odd"] == "object"


def test_line_breaks_cannot_forge_lines(out: io.StringIO) -> None:
    logging.getLogger("tongban.x").info('a\n{"level":"ERROR"}\u2028b')
    assert len(out.getvalue().split("\n")) == 2


def test_the_text_of_an_exception_stays_out(out: io.StringIO) -> None:
    try:
        try:
            raise ValueError("planted-secret")
        except ValueError as inner:
            raise ExceptionGroup("planted-secret", [KeyError("planted-secret")]) from inner
    except ExceptionGroup:
        logging.getLogger("tongban.x").exception("failed")
    text = out.getvalue()
    assert "planted-secret" not in text
    assert "builtins.KeyError" in text
    assert "builtins.ValueError" in text
    assert "test_logs.py" in text


def test_other_loggers_stay_quiet_at_debug(out: io.StringIO) -> None:
    for name in ("uvicorn.error", "websockets.server", "httpx", "asyncio"):
        logging.getLogger(name).debug("planted-frame")
        logging.getLogger(name).info("planted-frame")
    assert out.getvalue() == ""
    logging.getLogger("uvicorn.error").error("broken")
    assert lines(out)[0]["topic"] == "uvicorn.error"
