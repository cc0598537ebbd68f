"""`python -m server_stub` and the command `tongban-server`."""

import sys

from server_stub.app.cli import main as run


def main() -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run())


if __name__ == "__main__":
    main()
