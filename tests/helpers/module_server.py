"""`python -m tests.helpers.module_server FOLDER …` is `python -m server_stub …` with the modules of a folder instead of the shipped ones."""

import sys
from functools import partial
from pathlib import Path

from server_stub.app import cli, wiring
from server_stub.modules.engine.office import Office
from tests.helpers.core_server import ServerProcess


class ModuleServer(ServerProcess):
    """A server process with modules of a test."""

    def __init__(self, folder: Path, modules: Path) -> None:
        super().__init__(folder)
        self._modules = modules

    def _command(self, *arguments: str) -> list[str]:
        program, _, _, *rest = super()._command(*arguments)
        return [program, "-m", "tests.helpers.module_server", str(self._modules), *rest]


def main(folder: str, *arguments: str) -> int:
    """Runs the command."""
    for place in (cli, wiring):
        place.Office = partial(Office, folder=Path(folder))  # type: ignore[attr-defined]  # the one name both make it by
    sys.argv = ["server_stub", *arguments]
    return cli.main()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
