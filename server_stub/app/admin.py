"""What an administrator can do: the commands behind `user`, `department` and `token`, run here or in the running server.

Only the process that holds the data folder may write to its database. So while a server runs, the command line sends the
command to it: over TLS, with a secret from a file only the server's own system user can read.
"""

from __future__ import annotations

import asyncio
import http.client
import ipaddress
import json
import logging
import os
import re
import secrets
import signal
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server_stub.accounts import directory
from server_stub.accounts.integration import GrantRefused, all_tokens, do_grant, do_revoke_token
from server_stub.accounts.logins import LoginRefused, credential_of, do_set_password, find_credential
from server_stub.accounts.passwords import Passwords, PasswordTooWeak, same_secret
from server_stub.app.posts import PostUnknown, department_path, find_department, identities_of
from server_stub.app.roles import known_roles, roles_administrators_name
from server_stub.app.settings import Settings
from server_stub.app.tls import TlsFiles
from server_stub.audit.chain import SYSTEM
from server_stub.clock import format_utc, parse_utc
from server_stub.errors import SetError
from server_stub.modules.engine.definition import DefinitionError
from server_stub.modules.engine.migrations import DataWouldBeLost
from server_stub.modules.engine.office import Office
from server_stub.modules.engine.overlays_store import do_withdraw
from server_stub.records.store import load_record, load_records_of_type
from server_stub.storage.database import Database

log = logging.getLogger("tongban.admin")

DOOR_NAME: Final = "admin.json"
PATH: Final = "/admin/commands"
HEADER: Final = "tongban-admin"
MAX_COMMAND: Final = 64 * 1024
_TIMEOUT_S: Final = 30
_MIGRATION_S: Final = 1800  # every record may be written anew
MODULES: Final = "modules."
WITHDRAW: Final = "modules.withdraw"
"""Works where no office can be made of what there is."""
_DURATION: Final = re.compile(r"(\d{1,6})([hdw])\Z", re.ASCII)
_UNIT_MS: Final = {"h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
_WORDS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is mistaken for something else when read out


class CommandFailed(Exception):
    """The command cannot be done; the text is for the administrator."""


@dataclass(slots=True)
class Context:
    """What commands work with. `office` for those of the modules; `serving`: in a server that runs."""

    database: Database
    passwords: Passwords
    roles: frozenset[str] = field(default_factory=known_roles)
    office: Office | None = None
    serving: bool = False


Arguments = Mapping[str, Any]
Answer = list[str]  # lines to print


async def run_command(context: Context, name: str, arguments: Arguments) -> Answer:
    """Run one command. Raises CommandFailed."""
    command = COMMANDS.get(name)
    if command is None:
        raise CommandFailed(f"unknown command {name[:40]!r}")
    try:
        return await command(context, arguments)
    except (SetError, LoginRefused, GrantRefused, PasswordTooWeak, PostUnknown) as error:
        raise CommandFailed(str(error)) from error
    except DefinitionError as error:
        raise CommandFailed("\n".join(("the module folders are not sound:", *error.sentences()))) from error
    except DataWouldBeLost as error:
        raise CommandFailed("\n".join(("the data in place does not fit:", *error.refusals))) from error


# ---------------------------------------------------------------- commands


async def _add_user(context: Context, asked: Arguments) -> Answer:
    roles = await _roles(context, asked)
    password = asked.get("password") or generate_password()
    hashed = await asyncio.to_thread(context.passwords.hash, password)
    posts = list(asked.get("identities") or ())
    if asked.get("department"):
        posts.insert(0, f"{asked['department']}={asked.get('post') or ''}")

    def act(tx: Any) -> str:
        identities = identities_of(tx.conn, posts, asked.get("primary"))
        return directory.do_create_person(
            tx,
            name=asked.get("name") or asked["login"],
            login=asked["login"],
            password_hash=hashed,
            identities=identities,
            roles=roles,
            actor=SYSTEM,
        )

    person_id = await context.database.write(act)
    return [f"{asked['login']}: {person_id}", *_told(asked, password)]


async def _reset_user(context: Context, asked: Arguments) -> Answer:
    password = asked.get("password") or generate_password()
    hashed = await asyncio.to_thread(context.passwords.hash, password)
    login = asked["login"]
    await context.database.write(lambda tx: do_set_password(tx, _person(tx.conn, login), hashed, SYSTEM))
    return [f"{login}: password replaced, all devices signed out", *_told(asked, password)]


async def _disable_user(context: Context, asked: Arguments) -> Answer:
    login = asked["login"]
    await context.database.write(lambda tx: directory.do_disable_person(tx, _person(tx.conn, login)))
    return [f"{login}: disabled, all devices signed out"]


async def _enable_user(context: Context, asked: Arguments) -> Answer:
    login = asked["login"]
    await context.database.write(lambda tx: directory.do_enable_person(tx, _person(tx.conn, login)))
    return [f"{login}: enabled"]


async def _list_users(context: Context, asked: Arguments) -> Answer:
    def rows(conn: sa.Connection) -> Answer:
        lines = []
        for person in directory.load_people(conn):
            stored = credential_of(conn, person.id)
            state = "no login" if stored is None else "disabled" if stored.disabled else "active"
            login = stored.login if stored else "-"
            lines.append(f"{login}\t{person.data['name']}\t{state}\t{','.join(person.data['roles'])}\t{person.id}")
        return lines

    return await context.database.read(rows)


async def _set_roles(context: Context, asked: Arguments) -> Answer:
    login, roles = asked["login"], await _roles(context, asked)
    await context.database.write(lambda tx: directory.do_set_roles(tx, _person(tx.conn, login), roles))
    return [f"{login}: roles {', '.join(roles) or 'none'}"]


async def _set_identities(context: Context, asked: Arguments) -> Answer:
    login = asked["login"]

    def act(tx: Any) -> Answer:
        person_id = _person(tx.conn, login)
        identities = identities_of(tx.conn, asked.get("identities") or (), asked.get("primary"), person_id)
        directory.do_set_identities(tx, person_id, identities)
        return [f"{login}: {len(identities)} identities", *_shown_identities(tx.conn, person_id)]

    return await context.database.write(act)


async def _add_department(context: Context, asked: Arguments) -> Answer:
    def act(tx: Any) -> str:
        parent = find_department(tx.conn, asked["parent"]) if asked.get("parent") else None
        return directory.do_create_department(
            tx, name=asked["name"], parent_id=parent, order=int(asked.get("order") or 0)
        )

    return [f"{asked['name']}: {await context.database.write(act)}"]


async def _list_departments(context: Context, asked: Arguments) -> Answer:
    def rows(conn: sa.Connection) -> Answer:
        found = load_records_of_type(conn, directory.DEPARTMENT)
        return [f"{one.data['name']}\t{one.data['parentId'] or '-'}\t{one.id}" for one in found]

    return await context.database.read(rows)


async def _add_token(context: Context, asked: Arguments) -> Answer:
    def act(tx: Any) -> Answer:
        token, secret = do_grant(
            tx,
            name=asked.get("name") or "",
            person_id=_person(tx.conn, asked["person"]),
            scopes=asked.get("scopes") or (),
            addresses=asked.get("addresses") or (),
            expires_at=_expiry(str(asked.get("expires") or ""), tx.now),
            actor=SYSTEM,
        )
        return [f"{token.name}: {token.id}", f"expires: {format_utc(token.expires_at)}", f"token: {secret}"]

    return await context.database.write(act)


async def _list_tokens(context: Context, asked: Arguments) -> Answer:
    def rows(conn: sa.Connection) -> Answer:
        lines = []
        for token, use in all_tokens(conn):
            state = "revoked" if token.revoked_at is not None else f"until {format_utc(token.expires_at)}"
            stored = credential_of(conn, token.person_id)
            last = format_utc(use.last_minute) if use.last_minute is not None else "never"
            where = ",".join(str(network) for network in token.addresses) or "anywhere"
            who = stored.login if stored else token.person_id
            lines.append(
                f"{token.id}\t{token.name}\t{who}\t{','.join(sorted(token.scopes))}\t{where}\t{state}"
                f"\t{use.count} uses, last {last}"
            )
        return lines

    return await context.database.read(rows)


async def _revoke_token(context: Context, asked: Arguments) -> Answer:
    token_id = str(asked["id"])
    if not await context.database.write(lambda tx: do_revoke_token(tx, token_id, SYSTEM)):
        raise CommandFailed(f"there is no token {token_id[:64]!r} that could be revoked")
    return [f"{token_id}: revoked"]


async def _stop_server(context: Context, asked: Arguments) -> Answer:
    # As a service manager does it; on Windows, where no process can send this signal to another, the only way in order.
    asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGTERM)
    return ["the server stops"]


async def _plan_modules(context: Context, asked: Arguments) -> Answer:
    return await _office(context).plan()


async def _migrate_modules(context: Context, asked: Arguments) -> Answer:
    if context.serving:
        raise CommandFailed("the server runs: have it take the folders with: tongban-server modules reload")
    plan = await context.database.write(_office(context).do_bring_in_line)
    return plan.lines()


async def _reload_modules(context: Context, asked: Arguments) -> Answer:
    if not context.serving:
        raise CommandFailed("no server runs with this data folder: it takes the folders when it starts")
    lines = [str(line) for line in await _office(context).reload()]  # some are more than their text
    context.roles = known_roles()
    return lines


async def _withdraw_changes(context: Context, asked: Arguments) -> Answer:
    module = str(asked["module"])
    if context.serving:
        raise CommandFailed("the server runs: an administrator publishes an empty draft, or stop the server first")
    if not await context.database.write(lambda tx: do_withdraw(tx, module)):
        raise CommandFailed(f"nothing of {module[:64]!r} is changed")
    return [f"{module}: what was changed is a draft again; the next start takes the folder as it is"]


def _office(context: Context) -> Office:
    if context.office is None:
        raise CommandFailed("there are no modules here")
    return context.office


COMMANDS: Final[Mapping[str, Callable[[Context, Arguments], Awaitable[Answer]]]] = {
    "user.add": _add_user,
    "user.reset": _reset_user,
    "user.disable": _disable_user,
    "user.enable": _enable_user,
    "user.list": _list_users,
    "user.roles": _set_roles,
    "user.identities": _set_identities,
    "department.add": _add_department,
    "department.list": _list_departments,
    "token.add": _add_token,
    "token.list": _list_tokens,
    "token.revoke": _revoke_token,
    "server.stop": _stop_server,
    "modules.plan": _plan_modules,
    "modules.migrate": _migrate_modules,
    "modules.reload": _reload_modules,
    WITHDRAW: _withdraw_changes,
}


def generate_password() -> str:
    """A password to be read out once: 4 × 4 characters, 78 bits."""
    return "-".join("".join(secrets.choice(_WORDS) for _ in range(4)) for _ in range(4))


def _told(asked: Arguments, password: str) -> Answer:
    return [] if asked.get("password") else [f"password: {password}"]


def _person(conn: sa.Connection, login: str) -> str:
    stored = find_credential(conn, login)
    if stored is None:
        raise CommandFailed(f"there is no login {login[:64]!r}")
    return stored.person_id


async def _roles(context: Context, asked: Arguments) -> list[str]:
    wanted = [str(role) for role in asked.get("roles") or ()]
    known = context.roles | await context.database.read(roles_administrators_name)
    unknown = sorted(set(wanted) - known)
    if unknown:
        raise CommandFailed(f"there is no role {unknown[0][:64]!r}; there are {', '.join(sorted(known))}")
    return wanted


def _shown_identities(conn: sa.Connection, person_id: str) -> Answer:
    person = load_record(conn, person_id, type_name=directory.PERSON)
    assert person is not None  # its login was just found
    return [
        f"{department_path(conn, one['departmentId'])}\t{one['post'] or '-'}\t{'primary' if one['primary'] else '-'}"
        for one in person.data["identities"]
    ]


def _expiry(text: str, now_ms: int) -> int:
    relative = _DURATION.match(text)
    if relative is not None:
        return now_ms + int(relative[1]) * _UNIT_MS[relative[2]]
    try:
        return parse_utc(text if "T" in text else f"{text}T00:00:00Z")
    except ValueError:
        raise CommandFailed("--expires takes 12h, 30d, 52w or a date such as 2027-01-31") from None


# ---------------------------------------------------------------- the door of a running server


class AdminDoor:
    """The server's side: a route and the file that tells the command line how to knock."""

    def __init__(self, context: Context, data: Path) -> None:
        self._context = context
        self._file = data / DOOR_NAME
        self._secret = secrets.token_urlsafe(32)

    def route(self) -> Route:
        """To be mounted beside the other routes."""
        return Route(PATH, self._answer, methods=["POST"])

    def open(self, host: str, port: int) -> None:
        """Write the file, once the port is bound."""
        self._file.unlink(missing_ok=True)
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            json.dump({"url": f"https://{_reachable(host)}:{port}{PATH}", "secret": self._secret}, out)

    def close(self) -> None:
        """Take the file away."""
        self._file.unlink(missing_ok=True)

    async def _answer(self, request: Request) -> Response:
        if not same_secret(request.headers.get(HEADER, ""), self._secret):
            return Response(status_code=404)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_COMMAND:
                return Response(status_code=413)
        try:
            asked = msgspec.json.decode(bytes(body), type=_Command)
        except msgspec.MsgspecError:
            return Response(status_code=400)
        log.info("command %s", asked.command if asked.command in COMMANDS else "?")
        try:
            answer: dict[str, object] = {"lines": await run_command(self._context, asked.command, asked.arguments)}
        except CommandFailed as error:
            answer = {"failed": str(error)}
        return Response(msgspec.json.encode(answer), media_type="application/json")


class _Command(msgspec.Struct):
    command: str
    arguments: dict[str, Any]


def send_command(settings: Settings, name: str, arguments: Arguments) -> Answer:
    """Have the running server of this data folder run a command. Blocking. Raises CommandFailed."""
    try:
        door = json.loads((settings.data / DOOR_NAME).read_text("utf-8"))
        url, secret = urlsplit(door["url"]), str(door["secret"])
    except (OSError, ValueError, KeyError) as error:
        raise CommandFailed("the data folder is in use, but its server cannot be asked") from error
    context = ssl.create_default_context(cafile=str(TlsFiles(settings.data / "tls").ca))
    if settings.tls_certificate:
        # A certificate the office brought along, for a name that is not the loopback's: this very one is trusted, under any name.
        context = ssl.create_default_context(cafile=settings.tls_certificate)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.check_hostname = False
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    patience = _MIGRATION_S if name.startswith(MODULES) else _TIMEOUT_S
    connection = http.client.HTTPSConnection(url.hostname or "", url.port, timeout=patience, context=context)
    try:
        body = json.dumps({"command": name, "arguments": dict(arguments)})
        connection.request("POST", url.path, body, {HEADER: secret, "Content-Type": "application/json"})
        response = connection.getresponse()
        data = response.read()
        if response.status != 200:
            raise CommandFailed(f"the running server answered {response.status}")
        answer = json.loads(data)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise CommandFailed(f"the running server cannot be reached: {error}") from error
    finally:
        connection.close()
    if "failed" in answer:
        raise CommandFailed(str(answer["failed"]))
    return [str(line) for line in answer["lines"]]


def _reachable(host: str) -> str:
    if host in ("", "0.0.0.0"):  # noqa: S104
        return "127.0.0.1"
    if host == "::":
        return "[::1]"
    try:
        return f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    except ValueError:
        return host
