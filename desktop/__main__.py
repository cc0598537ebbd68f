"""`python -m desktop` and the command `tongban`: the client."""

import gc
import sys


def main() -> int:
    """Starts the client; late import, so that nothing of Qt loads before the environment is prepared."""
    # httpx loads its command line tool (click, rich) where those happen to be installed: a fifth of a cold start.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None is documented: "halt this import"
    gc.disable()  # importing makes no garbage; desktop.app.garbage collects from then on
    from desktop.app.lifecycle import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
