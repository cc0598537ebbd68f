"""The client's command line, as a typed value."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from desktop.platform.folders import default_data_dir


@dataclass(frozen=True, slots=True)
class Options:
    """How this start was asked for. `links`: tongban:// links and files to open; `as_json` and `report` belong to `self_test`."""

    data_dir: Path
    server: str | None = None
    certificate: Path | None = None
    sign_in: str | None = None
    password_env: str | None = None
    theme: str | None = None
    language: str | None = None
    hidden: bool = False
    quit: bool = False
    debug: bool = False
    self_test: bool = False
    as_json: bool = False
    report: Path | None = None
    apply_update: Path | None = None
    roll_back: bool = False
    restart: bool = False
    links: tuple[str, ...] = ()

    @property
    def password(self) -> str | None:
        """The password of --sign-in, from the environment; never from the command line, which every process can read."""
        return os.environ.get(self.password_env) if self.password_env else None


def parse_options(argv: Sequence[str]) -> Options:
    """Options of a command line; exits with a usage message on a wrong one."""
    parser = argparse.ArgumentParser(prog="tongban", description="Tongban 通办, the office on the desktop")
    parser.add_argument("--data-dir", type=Path, default=None, help="where this client keeps its data")
    parser.add_argument("--server", default=None, metavar="URL", help="the backend to sign in to")
    parser.add_argument(
        "--ca", type=Path, default=None, metavar="FILE", help="trust this CA certificate without asking"
    )
    parser.add_argument("--sign-in", default=None, metavar="LOGIN", help="sign in as LOGIN at start")
    parser.add_argument("--password-env", default=None, metavar="VAR", help="environment variable with the password")
    parser.add_argument("--theme", choices=("light", "dark", "system"), default=None)
    parser.add_argument("--lang", choices=("zh", "en"), default=None)
    parser.add_argument("--hidden", action="store_true", help="start in the tray, show no window")
    parser.add_argument("--quit", action="store_true", help="ask the client that runs to save and end, and wait for it")
    parser.add_argument("--debug", action="store_true", help="log more, and what blocks the main thread")
    parser.add_argument("--self-test", action="store_true", help="try each part of this program offline, then end")
    parser.add_argument("--json", action="store_true", dest="as_json", help="with --self-test: its results as JSON")
    parser.add_argument(
        "--report", type=Path, default=None, metavar="FILE", help="with --self-test: the JSON into FILE"
    )
    # What the program says to itself: see app/updating_start.py.
    parser.add_argument("--apply-update", type=Path, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--roll-back", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--restart", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("links", nargs="*", help="tongban:// links or files to open")
    found = parser.parse_args(list(argv))
    return Options(
        data_dir=(found.data_dir or default_data_dir()).expanduser().resolve(),
        server=found.server,
        certificate=found.ca,
        sign_in=found.sign_in,
        password_env=found.password_env,
        theme=found.theme,
        language=found.lang,
        hidden=found.hidden,
        quit=found.quit,
        debug=found.debug,
        self_test=found.self_test,
        as_json=found.as_json,
        report=found.report,
        apply_update=found.apply_update,
        roll_back=found.roll_back,
        restart=found.restart,
        links=tuple(_absolute(link) for link in found.links),
    )


def _absolute(link: str) -> str:
    """A file by its whole path: the client that opens it may run in another folder. Links stay as they are."""
    if link.startswith("file://"):
        from urllib.request import url2pathname  # slow to import, wanted by file managers alone

        return url2pathname(urlsplit(link).path)
    return link if "://" in link else str(Path(link).absolute())
