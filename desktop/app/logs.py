"""Log files of the client: topics, rotated, never message text, tokens, passwords or file names."""

import logging
import logging.handlers
import sys
from pathlib import Path

FORMAT = "%(asctime)s %(levelname).1s %(name)s %(message)s"
MAX_BYTES = 2_000_000
KEPT = 3


def start_logging(data_dir: Path, *, debug: bool) -> Path | None:
    """Logs to DATA/logs/tongban.log, and to stderr with debug. None when the folder can't be written: then stderr alone."""
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    logging.getLogger("tongban").setLevel(logging.DEBUG if debug else logging.INFO)
    for chatty in ("httpx", "httpcore", "websockets", "asyncio", "qasync"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    path: Path | None = data_dir / "logs" / "tongban.log"
    handlers: list[logging.Handler] = []
    try:
        assert path is not None
        path.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(
            logging.handlers.RotatingFileHandler(
                path, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8", delay=True
            )
        )
    except OSError:
        path = None
    if debug or path is None:
        handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers:
        handler.setFormatter(logging.Formatter(FORMAT))
        root.addHandler(handler)
    return path
