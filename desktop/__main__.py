"""`python -m desktop` and the command `tongban`: the client."""

import sys


def main() -> int:
    """Starts the client; late import, so that nothing of Qt loads before the environment is prepared."""
    from desktop.app.lifecycle import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
