"""`tongban-server init`: asks what an office decides, or takes it from a file, then makes settings, data folder and administrator.

Nothing that is there is ever overwritten: run again, it says what it found and makes only what is missing.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from server_stub.accounts import directory
from server_stub.accounts.logins import find_credential
from server_stub.app.init_answers import (
    AnswerRefused,
    Answers,
    Words,
    check_answer,
    check_answers,
    check_pair,
)
from server_stub.app.layout import DataLayout
from server_stub.app.settings import Settings, load_settings
from server_stub.clock import SystemClock
from server_stub.records.store import load_records_of_type
from server_stub.storage.database import Database

_LEAST_BEHIND_PROXY: Final = 10_000  # all clients come from the proxy's one address


class WizardLeft(Exception):
    """Whoever was asked did not want to go on; nothing was written."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """How to talk to whoever sits there: `line` asks and gives what was typed, `secret` the same unseen, `say` prints."""

    line: Callable[[str], str]
    secret: Callable[[str], str]
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Tools:
    """What the command line does for the wizard: `initialize` makes folder, database and certificates and gives the authority's
    fingerprint; `run` carries an administrator's command out and gives its lines."""

    initialize: Callable[[Settings], str]
    run: Callable[[Settings, str, Mapping[str, Any]], list[str]]


def ask(
    terminal: Terminal, words: Words, known: Mapping[str, Any], *, password: str | None
) -> tuple[Answers, str | None]:
    """The answers, asked for one by one with what is `known` as the default, and the administrator's password (None: make one).

    Raises:
        WizardLeft: the last question was not answered with yes.
    """
    given = dict(known)

    def take(name: str, default: str, read: Callable[[str], Any] = str.strip) -> None:
        before = given.get(name, default)
        given[name] = _asked(
            terminal, words, name, ",".join(before) if isinstance(before, tuple) else str(before), read
        )

    terminal.say(words("hello"))
    take("office", "")
    take("data", "tongban-data")
    take("tls", "office")
    take("addresses", "127.0.0.1" if given["tls"] == "proxy" else socket.gethostname().lower(), _split)
    take("port", str(Answers().port), _whole)
    if given["tls"] == "files":
        while True:
            for name in ("certificate", "key"):
                take(name, "")
            try:
                check_pair(given["certificate"], given["key"], words)
                break
            except AnswerRefused as refused:
                terminal.say(words("not_this", why=refused))
    if given["tls"] == "proxy":
        take("proxy", "127.0.0.1")
        take("public", f"https://{socket.gethostname().lower()}")
    take("backups", "")
    take("admin", "")
    take("admin_name", given["admin"])
    password = password or _asked_password(terminal, words)
    if terminal.line(f"{words('ask_go')} ").strip().lower() not in ("y", "yes", "是", "好"):
        raise WizardLeft
    return Answers(**given), password


def set_up(
    answers: Answers,
    settings_file: Path,
    tools: Tools,
    words: Words,
    *,
    password: str | None,
    say: Callable[[str], None],
) -> Settings:
    """Make what is missing and say what was done and what comes next.

    Raises:
        AnswerRefused: the answers do not go together; nothing was written.
        SettingsError, DataFolderInUse, TlsError, CommandFailed and what else the tools raise.
    """
    fresh = not settings_file.exists()
    if fresh:
        check_answers(answers, words)
        settings_file.parent.mkdir(parents=True, exist_ok=True)
        with settings_file.open("x", encoding="utf-8") as file:
            file.write(settings_text(answers))
    settings = load_settings(settings_file, {})
    say(words("settings_made" if fresh else "settings_kept", path=settings_file))
    had_data = DataLayout(settings.data).database.exists()
    fingerprint = tools.initialize(settings)
    say(words("data_kept" if had_data else "data_made", path=settings.data))
    _fill(answers, settings, tools, words, password, say)
    _say_next(answers, settings, settings_file, fingerprint, words, say)
    return settings


def settings_text(answers: Answers) -> str:
    """The settings file of these answers: TOML, whose strings are written as JSON ones are."""
    behind = answers.tls == "proxy"
    values: dict[str, object] = {
        "data": str(Path(answers.data).expanduser().resolve()),
        "host": "127.0.0.1" if behind and answers.proxy in ("127.0.0.1", "::1") else "0.0.0.0",  # noqa: S104 (the office's network is meant)
        "port": answers.port,
        "names": list(answers.addresses),
    }
    if answers.backups:
        values["backup_folder"] = str(Path(answers.backups).expanduser().resolve())
    if answers.tls == "files":
        values["tls_certificate"] = str(Path(answers.certificate).expanduser().resolve())
        values["tls_key"] = str(Path(answers.key).expanduser().resolve())
    if behind:
        values |= {"proxies": [answers.proxy], "max_connections_per_address": _LEAST_BEHIND_PROXY}
    lines = [f"# {answers.office.splitlines()[0]}: settings of tongban-server, each explained in docs/server.md"]
    lines += [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


def _fill(
    answers: Answers, settings: Settings, tools: Tools, words: Words, password: str | None, say: Callable[[str], None]
) -> None:
    database = Database.open(DataLayout(settings.data).database, clock=SystemClock())
    try:
        departments, known = database.read_now(lambda conn: _there(conn, answers.admin))
    finally:
        database.close_now()
    if departments:
        say(words("office_kept", count=departments))
    elif answers.office:
        tools.run(settings, "department.add", {"name": answers.office})
        say(words("office_made", name=answers.office))
    if not answers.admin:
        return
    if known:
        say(words("admin_kept", login=answers.admin))
        return
    asked: dict[str, Any] = {"login": answers.admin, "name": answers.admin_name or answers.admin, "roles": ["admin"]}
    if not departments and answers.office:
        asked["department"] = answers.office
    told = tools.run(settings, "user.add", asked | {"password": password})
    say(words("admin_made", login=answers.admin))
    for line in told:
        if line.startswith("password: "):
            say(words("password", password=line.removeprefix("password: ")))


def _there(conn: sa.Connection, login: str) -> tuple[int, bool]:
    known = bool(login) and find_credential(conn, login) is not None
    return len(load_records_of_type(conn, directory.DEPARTMENT)), known


def _say_next(
    answers: Answers,
    settings: Settings,
    settings_file: Path,
    fingerprint: str,
    words: Words,
    say: Callable[[str], None],
) -> None:
    ca = DataLayout(settings.data).tls.ca
    packaged = settings_file == Path("/etc/tongban/server.toml")
    start = "systemctl enable --now tongban-server" if packaged else f"tongban-server --config {settings_file} serve"
    say(words("next"))
    say(words("next_start", command=start))
    if settings.proxies:
        say(words("next_proxy", ca=ca))
        if answers.public:
            say(words("clients_after_proxy"))
            say(words("client_address", address=answers.public))
    else:
        host = (*settings.names, *answers.addresses, settings.host)[0]
        say(words("next_clients"))
        say(words("client_address", address=f"https://{f'[{host}]' if ':' in host else host}:{settings.port}"))
        if not settings.tls_certificate:
            say(words("client_print", fingerprint=fingerprint))
            say(words("client_file", ca=ca))
    say(words("next_backup", folder=settings.backup_folder or DataLayout(settings.data).backups))


def _asked(terminal: Terminal, words: Words, name: str, default: str, read: Callable[[str], Any]) -> Any:
    shown = f" [{default}]" if default else ""
    while True:
        typed = terminal.line(f"{words(f'ask_{name}')}{shown}: ").strip() or default
        try:
            value = read(typed)
        except ValueError:
            terminal.say(words("not_this", why=words(f"wrong_{name}")))
            continue
        try:
            check_answer(name, value, words)
            return value
        except AnswerRefused as refused:
            terminal.say(words("not_this", why=refused))


def _asked_password(terminal: Terminal, words: Words) -> str | None:
    least = Settings().password_min_length
    while typed := terminal.secret(f"{words('ask_password')}: "):
        if len(typed) < least:
            terminal.say(words("not_this", why=words("wrong_password", least=least)))
        elif typed != terminal.secret(f"{words('ask_password_again')}: "):
            terminal.say(words("not_this", why=words("passwords_differ")))
        else:
            return typed
    return None


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.replace("，", ",").split(",") if part.strip())


def _whole(text: str) -> int:
    return int(text)
