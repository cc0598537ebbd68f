"""The command line of the server. Parses, calls, prints; exit codes: 0 done, 1 refused or failed, 2 wrong usage or settings,
3 the data folder is in use, 4 `check` found something.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from server_stub.app import init_command, updates
from server_stub.app.admin import MODULES, WITHDRAW, CommandFailed, Context, run_command, send_command
from server_stub.app.backup import BackupFailed, make_backup, restore_backup
from server_stub.app.check import audit_head, find_problems
from server_stub.app.init_answers import AnswerRefused
from server_stub.app.init_wizard import Tools
from server_stub.app.layout import DataLayout
from server_stub.app.lock import DataFolderInUse, DataLock
from server_stub.app.logs import set_up_logs
from server_stub.app.migrate import MigrationFailed, bring_forward
from server_stub.app.serve import CannotListen, certificate_names, run_server
from server_stub.app.settings import ENV_PREFIX, Settings, SettingsError, backup_folder, load_settings
from server_stub.app.tls import TlsError, ensure_certificates
from server_stub.app.wiring import Backend, make_passwords
from server_stub.chat.messages import do_post_system
from server_stub.clock import SystemClock, format_utc
from server_stub.errors import DatabaseDamaged, DatabaseTooNew, StorageFailed
from server_stub.modules.engine.definition import DefinitionError
from server_stub.modules.engine.migrations import DataWouldBeLost
from server_stub.modules.engine.office import Office
from server_stub.modules.engine.reading import read_modules
from server_stub.storage.blobs import BlobStore
from server_stub.storage.database import Database

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
IN_USE: Final = 3
PROBLEMS: Final = 4
_IDENTITY: Final = "DEPARTMENT[=POST]"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code."""
    parser = _parser()
    asked = parser.parse_args(argv)
    try:
        settings = _settings(asked)
        set_up_logs(settings.log_level)
        return int(asked.run(settings, asked))
    except (SettingsError, AnswerRefused) as error:
        return _fail(str(error), USAGE)
    except DataFolderInUse as error:
        return _fail(str(error), IN_USE)
    except (
        CommandFailed,
        BackupFailed,
        TlsError,
        CannotListen,
        MigrationFailed,
        DatabaseTooNew,
        DatabaseDamaged,
        StorageFailed,
    ) as error:
        return _fail(str(error), FAILED)
    except DefinitionError as error:
        return _fail("\n  ".join(("the module folders are not sound:", *error.sentences())), FAILED)
    except DataWouldBeLost as error:
        return _fail("\n  ".join(("the data in place does not fit the module folders:", *error.refusals)), FAILED)
    except OSError as error:
        return _fail(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), FAILED)


# ---------------------------------------------------------------- commands


def _init(settings: Settings, asked: argparse.Namespace) -> int:
    password = _password(asked)
    if init_command.is_wanted(asked):
        return OK if init_command.run(settings, asked, Tools(initialize, _run_here), password) else FAILED
    fingerprint = initialize(settings)
    print(f"data folder: {settings.data}")
    print(f"certificate authority: {DataLayout(settings.data).tls.ca}")
    print(f"its SHA-256 fingerprint: {fingerprint}")
    if asked.admin:
        arguments = {
            "login": asked.admin,
            "name": asked.admin_name,
            "roles": ["admin"],
            "password": password,
        }
        for line in _run_here(settings, "user.add", arguments):
            print(line)
    return OK


def _serve(settings: Settings, asked: argparse.Namespace) -> int:
    _need_data(settings)
    run_server(settings, SystemClock(), port_file=asked.port_file)
    return OK


def _stop(settings: Settings, asked: argparse.Namespace) -> int:
    _need_data(settings)
    try:
        with DataLock(settings.data):
            raise CommandFailed(f"no server runs with {settings.data}")
    except DataFolderInUse:
        print(*send_command(settings, "server.stop", {}), sep="\n")
    return OK


def _demo(settings: Settings, asked: argparse.Namespace) -> int:
    from server_stub.app.demo import fill_demo_office
    from server_stub.app.demo.papers import PaperFailed
    from server_stub.app.demo.samples import SampleRefused
    from server_stub.app.demo.source import DemoFilesMissing
    from server_stub.modules.engine.samples import SamplesBroken

    layout = DataLayout(settings.data)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with DataLock(settings.data):
        if layout.demo_unfinished.exists():
            _drop_unfinished_demo(layout)
        fresh = not layout.database.exists()
        if fresh:
            layout.demo_unfinished.touch()

    async def prepare(backend: Backend) -> None:
        if fresh:
            try:
                await fill_demo_office(backend)
            except (PaperFailed, DemoFilesMissing, SampleRefused, SamplesBroken) as error:
                raise CommandFailed(f"the demo office cannot be made: {error}") from error
            layout.demo_unfinished.unlink()

    run_server(settings, SystemClock(), port_file=asked.port_file, prepare=prepare)
    return OK


def _admin(settings: Settings, asked: argparse.Namespace) -> int:
    _need_data(settings)
    arguments = {key: getattr(asked, key) for key in asked.sends if getattr(asked, key, None) not in (None, [])}
    if "password" in asked.sends:
        arguments["password"] = _password(asked)
    try:
        lines = _run_here(settings, asked.command, arguments)
    except DataFolderInUse:
        lines = send_command(settings, asked.command, arguments)
    for line in lines:
        print(line)
    return OK


def _check(settings: Settings, asked: argparse.Namespace) -> int:
    _need_data(settings)
    layout = DataLayout(settings.data)
    count = 0
    for line in find_problems(layout):
        count += 1
        print(line)
    if count:
        return _fail(f"{count} problems", PROBLEMS)
    report = audit_head(layout)
    print(f"all is well; audit chain: {report.entries} entries, head {report.head}")
    return OK


def _check_modules(settings: Settings, asked: argparse.Namespace) -> int:
    _, problems = read_modules()
    for line in problems:
        print(line)
    return _fail(f"{len(problems)} problems", PROBLEMS) if problems else OK


def _backup(settings: Settings, asked: argparse.Namespace) -> int:
    _need_data(settings)
    layout, clock = DataLayout(settings.data), SystemClock()
    target = asked.file
    if target is None:
        folder = backup_folder(settings) or layout.backups
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = folder / f"tongban-{format_utc(clock.now_ms())[:19].replace(':', '')}Z.tar"
    count = make_backup(layout, target, clock)
    print(f"{target}: {count} files, {target.stat().st_size} bytes")
    return OK


def _migrate(settings: Settings, asked: argparse.Namespace) -> int:
    _need_data(settings)
    with DataLock(settings.data):
        moved = bring_forward(
            DataLayout(settings.data), SystemClock(), copies=backup_folder(settings), always_copy=asked.always_copy
        )
    if moved is None:
        print("the database has the schema of this program; nothing was to do")
        return OK
    done = "needed no migration" if moved.found == moved.now else f"went from schema {moved.found} to {moved.now}"
    print(f"the database {done}; as it was before: {moved.copy}")
    return OK


def _restore(settings: Settings, asked: argparse.Namespace) -> int:
    live = DataLayout(asked.live) if asked.live is not None else None
    if live is not None and not live.database.exists():
        raise CommandFailed(f"{asked.live} holds no database")
    done = restore_backup(asked.file, settings.data, clock=SystemClock(), live=live)
    print(f"{settings.data}: {done.files} files")
    print(
        f"everybody signs in anew: {done.ended.sessions} sessions ended, {done.ended.tokens} integration tokens revoked"
    )
    if live is None:
        print(
            "logins, passwords and roles are those of the backup; --live FOLDER keeps what was disabled or changed since"
        )
    else:
        print(f"as in {asked.live}: {done.ended.devices} devices revoked, {done.ended.logins} logins changed")
    return OK


# ---------------------------------------------------------------- parts


def initialize(settings: Settings) -> str:
    """Make the data folder with an empty database and certificates; keeps what is there. Gives the CA's fingerprint.

    Raises:
        DataFolderInUse, TlsError, MigrationFailed, DatabaseTooNew, DatabaseDamaged.
    """
    layout = DataLayout(settings.data)
    clock = SystemClock()
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with DataLock(settings.data):
        ensure_certificates(layout.tls, certificate_names(settings), clock.now_ms())
        bring_forward(layout, clock, copies=backup_folder(settings))
        Database.open(layout.database, clock=clock).close_now()
    authority = x509.load_pem_x509_certificate(layout.tls.ca.read_bytes())
    return authority.fingerprint(hashes.SHA256()).hex(":").upper()


def _run_here(settings: Settings, command: str, arguments: Mapping[str, Any]) -> list[str]:
    with DataLock(settings.data):
        bring_forward(DataLayout(settings.data), SystemClock(), copies=backup_folder(settings))
        passwords = make_passwords(settings)
        database = Database.open(DataLayout(settings.data).database, clock=SystemClock())
        try:
            context = Context(database, passwords)
            if command.startswith(MODULES) and command != WITHDRAW:
                blobs = BlobStore(DataLayout(settings.data).blobs, database)
                context.office = Office(database, SystemClock(), blobs, do_post_system)
            return asyncio.run(run_command(context, command, arguments))
        finally:
            database.close_now()
            passwords.close()


def _need_data(settings: Settings) -> None:
    if not DataLayout(settings.data).database.exists():
        raise CommandFailed(f"{settings.data} holds no server yet; make one with: tongban-server init --data FOLDER")


def _drop_unfinished_demo(layout: DataLayout) -> None:
    for path in (layout.blobs, layout.uploads, layout.thumbnails):
        shutil.rmtree(path, ignore_errors=True)
    for suffix in ("", "-wal", "-shm"):
        layout.database.with_name(layout.database.name + suffix).unlink(missing_ok=True)


def _password(asked: argparse.Namespace) -> str | None:
    if asked.password_env:
        if asked.password_env not in os.environ:
            raise CommandFailed(f"the environment has no variable {asked.password_env}")
        return os.environ[asked.password_env]
    if asked.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return None


def _settings(asked: argparse.Namespace) -> Settings:
    file = getattr(asked, "config", None) or os.environ.get(f"{ENV_PREFIX}CONFIG")
    overrides = {
        name: getattr(asked, name, None) for name in ("data", "host", "port", "log_level") if hasattr(asked, name)
    }
    environment = {key: value for key, value in os.environ.items() if key != f"{ENV_PREFIX}CONFIG"}
    return load_settings(Path(file) if file else None, environment, overrides)


def _fail(text: str, code: int) -> int:
    print(f"tongban-server: {text}", file=sys.stderr)
    return code


# ---------------------------------------------------------------- parser


def _parser() -> argparse.ArgumentParser:
    # On the main parser and on each command, so that `--data` may stand before or after it; the later one wins.
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--config", type=Path, metavar="FILE", help="settings, TOML (also TONGBAN_CONFIG)")
    common.add_argument("--data", type=Path, metavar="DIR", help="data folder (also TONGBAN_DATA)")
    common.add_argument("--log-level", metavar="LEVEL", help="DEBUG, INFO, WARNING or ERROR")
    parser = argparse.ArgumentParser("tongban-server", description="The backend of Tongban.", parents=[common])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, about: str, run: Any, where: Any = commands, **defaults: Any) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = where.add_parser(name, help=about, description=about, parents=[common])
        made.set_defaults(run=run, **defaults)
        return made

    init = command("init", "make a data folder with certificates and an empty database", _init)
    init.add_argument("--admin", metavar="LOGIN", help="also make an administrator")
    init.add_argument("--admin-name", metavar="NAME", help="the administrator's name")
    _password_options(init)
    init_command.add_options(init)
    for name, about, run in (
        ("serve", "run the server", _serve),
        ("demo", "fill the demo office in if the data folder is new, then serve", _demo),
    ):
        one = command(name, about, run)
        one.add_argument("--host", default=argparse.SUPPRESS, help="address to listen on")
        one.add_argument("--port", type=int, default=argparse.SUPPRESS, help="port; 0 takes a free one")
        one.add_argument("--port-file", type=Path, metavar="FILE", help="gets the port once the server answers")
    command("stop", "stop the running server in order, as SIGTERM does", _stop)
    _user_commands(commands.add_parser("user", help="people who may sign in"), command)
    _department_commands(commands.add_parser("department", help="departments"), command)
    _token_commands(commands.add_parser("token", help="integration tokens for programs"), command)
    _module_commands(commands.add_parser("modules", help="the office modules and the data they describe"), command)
    updates.add_commands(commands.add_parser("updates", help="the clients' updates"), command)
    command("check", "verify database, blobs, references and the audit chain", _check)
    backup = command("backup", "write everything into one file; the server may go on", _backup)
    backup.add_argument("file", type=Path, nargs="?", help="missing: a new one in the folder of backups")
    migrate = command(
        "migrate", "take the database to this program's schema, after a copy (a start does it too)", _migrate
    )
    migrate.add_argument("--always-copy", action="store_true", help="copy it also where no migration is needed")
    restore = command("restore", "put a backup back into a new data folder", _restore)
    restore.add_argument("file", type=Path)
    restore.add_argument(
        "--live", type=Path, metavar="DIR", help="the data folder used until now: what was revoked in it stays revoked"
    )
    return parser


def _user_commands(parser: argparse.ArgumentParser, command: Any) -> None:
    users = parser.add_subparsers(required=True, metavar="WHAT")
    add = command("add", "make a person with a login", _admin, users, command="user.add",
                  sends=("login", "name", "department", "post", "identities", "primary", "roles", "password"))  # fmt: skip
    add.add_argument("login")
    add.add_argument("--name", help="the person's name; the login when missing")
    add.add_argument("--department", metavar="NAME|PATH|ID")
    add.add_argument("--post", help="the post in that department")
    add.add_argument(
        "--identity",
        dest="identities",
        action="append",
        default=[],
        metavar=_IDENTITY,
        help="another one; may be repeated",
    )
    add.add_argument(
        "--primary", type=int, metavar="N", help="which identity is the primary one, counted from 1 (default: 1)"
    )
    add.add_argument(
        "--role", dest="roles", action="append", default=[], help="admin or a role of a module; may be repeated"
    )
    _password_options(add)
    reset = command("reset", "give a new password; signs all devices out", _admin, users, command="user.reset",
                    sends=("login", "password"))  # fmt: skip
    reset.add_argument("login")
    _password_options(reset)
    for name, about in (("disable", "nobody signs in by this login any more"), ("enable", "undo disable")):
        one = command(name, about, _admin, users, command=f"user.{name}", sends=("login",))
        one.add_argument("login")
    roles = command("roles", "replace a person's roles", _admin, users, command="user.roles", sends=("login", "roles"))
    roles.add_argument("login")
    roles.add_argument("roles", nargs="*")
    identities = command("identities", "replace a person's identities", _admin, users, command="user.identities",
                         sends=("login", "identities", "primary"))  # fmt: skip
    identities.add_argument("login")
    identities.add_argument(
        "identities",
        nargs="*",
        metavar=_IDENTITY,
        help="a department by name, path (局/办公室) or id, and the post in it",
    )
    identities.add_argument(
        "--primary", type=int, metavar="N", help="which is the primary one, counted from 1 (default: 1)"
    )
    command("list", "everybody: login, name, state, roles, id", _admin, users, command="user.list", sends=())


def _department_commands(parser: argparse.ArgumentParser, command: Any) -> None:
    departments = parser.add_subparsers(required=True, metavar="WHAT")
    add = command("add", "make a department", _admin, departments, command="department.add",
                  sends=("name", "parent", "order"))  # fmt: skip
    add.add_argument("name")
    add.add_argument("--parent", metavar="NAME|PATH|ID")
    add.add_argument("--order", type=int)
    command("list", "every department: name, parent, id", _admin, departments, command="department.list", sends=())


def _module_commands(parser: argparse.ArgumentParser, command: Any) -> None:
    modules = parser.add_subparsers(required=True, metavar="WHAT")
    command("check", "find mistakes in the module folders", _check_modules, modules)
    for name, about in (
        ("plan", "say what the folders would do with the data in place; changes nothing"),
        ("migrate", "bring the data in line with the folders now (a start does it too)"),
        ("reload", "have the running server take new and changed folders"),
    ):
        command(name, about, _admin, modules, command=f"{MODULES}{name}", sends=())
    withdraw = command("withdraw", "take back what administrators changed of a module (it stays as a draft)", _admin, modules,
                       command=WITHDRAW, sends=("module",))  # fmt: skip
    withdraw.add_argument("module")


def _token_commands(parser: argparse.ArgumentParser, command: Any) -> None:
    tokens = parser.add_subparsers(required=True, metavar="WHAT")
    add = command("add", "grant a token; it is shown once", _admin, tokens, command="token.add",
                  sends=("name", "person", "scopes", "expires", "addresses"))  # fmt: skip
    add.add_argument("name", help="what it is for")
    add.add_argument("--person", required=True, metavar="LOGIN", help="acts as this person")
    add.add_argument("--scopes", type=_words, default=["read"], help="read,write (default: read)")
    add.add_argument("--expires", default="90d", help="12h, 90d, 52w or a date (default: 90d)")
    add.add_argument("--addresses", type=_words, default=[], metavar="CIDR,…", help="where it may be used from")
    command("list", "every token with its uses", _admin, tokens, command="token.list", sends=())
    revoke = command("revoke", "end a token at once", _admin, tokens, command="token.revoke", sends=("id",))
    revoke.add_argument("id")


def _password_options(parser: argparse.ArgumentParser) -> None:
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--password-env", metavar="VAR", help="take the password from this environment variable")
    one.add_argument("--password-stdin", action="store_true", help="take it from the first line of the input")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
