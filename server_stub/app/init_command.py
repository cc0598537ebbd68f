"""The words of `tongban-server init` on the command line: flags or a file of answers for unattended use, questions at a terminal."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from server_stub.app.init_answers import TLS_WAYS, Answers, Words, language_of, load_answers
from server_stub.app.init_wizard import Terminal, Tools, WizardLeft, ask, set_up
from server_stub.app.settings import Settings

SETTINGS_NAME: Final = "server.toml"
_FLAGS: Final = {
    "office": ("NAME", "name of the office: the root of its departments"),
    "addresses": ("HOST,…", "what clients connect to; the first one is what they are told"),
    "tls": ("|".join(TLS_WAYS), "whose certificate: the server's own authority's, files, or behind a proxy"),
    "certificate": ("FILE", "PEM, with --tls files"),
    "key": ("FILE", "PEM, with --tls files"),
    "proxy": ("ADDRESS", "of the reverse proxy, with --tls proxy (default: 127.0.0.1)"),
    "public": ("URL", "what clients see of the proxy, with --tls proxy"),
    "backups": ("DIR", "folder of backups"),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options beside --data, --admin and the password's."""
    parser.add_argument(
        "--answers", type=Path, metavar="FILE", help="answers, TOML, by the names of these options; nothing is asked"
    )
    parser.add_argument("--ask", action="store_true", help="ask for everything, also without a terminal")
    parser.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help=f"settings file to make (default: {SETTINGS_NAME} in the data folder)",
    )
    parser.add_argument("--language", choices=("zh", "en"), help="of the questions (default: that of the locale)")
    parser.add_argument("--port", dest="asked_port", type=int, metavar="PORT", help="port to listen on")
    for name, (value, about) in _FLAGS.items():
        parser.add_argument(f"--{name}", metavar=value, help=about)


def is_wanted(asked: argparse.Namespace) -> bool:
    """Whether more is asked for than a bare data folder."""
    if asked.ask or asked.answers or asked.asked_port or any(getattr(asked, name) for name in _FLAGS):
        return True
    return asked.admin is None and sys.stdin.isatty() and sys.stdout.isatty()


def run(settings: Settings, asked: argparse.Namespace, tools: Tools, password: str | None) -> bool:
    """Ask or read, then set up; whether it was done.

    Raises:
        AnswerRefused: see there; what else: `set_up`.
    """
    words = Words(asked.language or language_of(os.environ))
    known = _known(settings, asked, words)
    file = asked.settings or Path(known["data"]) / SETTINGS_NAME
    terminal = Terminal(input, getpass.getpass if sys.stdin.isatty() else input, print)
    questions = asked.ask or (asked.answers is None and asked.admin is None)
    try:
        if questions and not file.exists():
            answers, password = ask(terminal, words, known, password=password)
            file = asked.settings or Path(answers.data) / SETTINGS_NAME
        else:
            answers = Answers(**known)
    except (WizardLeft, KeyboardInterrupt, EOFError):
        print(words("left"))
        return False
    set_up(answers, file, tools, words, password=password, say=print)
    return True


def _known(settings: Settings, asked: argparse.Namespace, words: Words) -> dict[str, Any]:
    known = load_answers(asked.answers, words) if asked.answers else {}
    flags: dict[str, Any] = {name: value for name in _FLAGS if (value := getattr(asked, name))}
    if "addresses" in flags:
        flags["addresses"] = tuple(one.strip() for one in flags["addresses"].split(",") if one.strip())
    flags |= {name: value for name in ("admin", "admin_name") if (value := getattr(asked, name))}
    if asked.asked_port:
        flags["port"] = asked.asked_port
    known |= flags
    known.setdefault("data", str(settings.data))
    if not known.get("addresses") and known.get("tls") == "proxy":
        known["addresses"] = ("127.0.0.1",)
    assert known.keys() <= {one.name for one in fields(Answers)}
    return known
