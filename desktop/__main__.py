"""`python -m desktop` and the command `tongban`: the client."""

import builtins
import gc
import sys


def main() -> int:
    """Starts the client; late import, so that nothing of Qt loads before the environment is prepared."""
    # httpx loads its command line tool (click, rich) where those happen to be installed: a fifth of a cold start.
    # HTTP/2 is not spoken here, yet httpcore loads h2 and its tables where that happens to be installed: 1.3 MB.
    for unused in ("httpx._main", "h2"):
        sys.modules.setdefault(unused, None)  # type: ignore[arg-type]  # None is documented: "halt this import"
    _import_plainly()
    gc.disable()  # importing makes no garbage; desktop.app.garbage collects from then on
    from desktop.app.lifecycle import main as run

    return run()


def _import_plainly() -> None:
    """Takes PySide's import hook away again: for `from __feature__ import …`, which we do not use, it reads and keeps the source text
    of every module imported after it, ours or not: 9 MB and a tenth of a cold start."""
    import PySide6.QtCore  # noqa: F401 - puts the hook in

    builtins.__import__ = getattr(builtins, "__orig_import__", builtins.__import__)


if __name__ == "__main__":
    sys.exit(main())
