"""A peer to measure beside: ejabberd from Debian with its message archive in PostgreSQL, over TLS, and a load client that speaks just enough XMPP (RFC 6120).

Needs root on Debian: installs `ejabberd`, `erlang-p1-pgsql` and `postgresql`, and runs both in a folder of their own.
"""

import asyncio
import base64
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from build_scripts.bench.figures import pin

PACKAGES = ("ejabberd", "erlang-p1-pgsql", "postgresql")
POSTGRES = Path("/usr/lib/postgresql/15/bin")
CONFIG = """
loglevel: error
hosts: [localhost]
certfiles: ["{folder}/both.pem"]
auth_method: anonymous
anonymous_protocol: login_anon
allow_multiple_connections: true
sql_type: pgsql
sql_server: "127.0.0.1"
sql_port: {sql_port}
sql_database: bench
sql_username: ejabberd
sql_password: bench
sql_pool_size: 10
listen:
  - {{port: {port}, ip: "127.0.0.1", module: ejabberd_c2s, tls: true, shaper: none, max_stanza_size: 262144}}
shaper_rules: {{max_user_sessions: 100, max_user_offline_messages: 100, c2s_shaper: none}}
access_rules: {{muc_create: {{allow: all}}, c2s: {{allow: all}}}}
modules:
  mod_disco: {{}}
  mod_mam: {{db_type: sql, default: always, assume_mam_usage: true, clear_archive_on_room_destroy: false}}
  mod_muc:
    access_create: muc_create
    max_users: 1000
    history_size: 0
    min_presence_interval: 0
    default_room_options: {{mam: true, max_users: 1000, presence_broadcast: []}}
"""
BODY = re.compile(rb"<body>([^<]*)</body>")


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def install() -> None:
    """Installs the packages by apt where they are missing; root alone can."""
    missing = [
        name for name in PACKAGES if subprocess.run(["dpkg", "-s", name], capture_output=True, check=False).returncode
    ]
    if missing:
        subprocess.run(["apt-get", "install", "-y", "-qq", *missing], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["service", "ejabberd", "stop"], capture_output=True, check=False)


class Ejabberd:
    """A running ejabberd with its PostgreSQL, both on core 0. A context manager; `pids` for CPU figures."""

    def __init__(self, folder: Path, certificate: Path, key: Path) -> None:
        self.folder = folder
        self.port, self._sql_port = free_port(), free_port()
        (folder / "both.pem").write_bytes(certificate.read_bytes() + key.read_bytes())
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        install()
        shutil.chown(self.folder, "ejabberd", "ejabberd")
        self.folder.chmod(0o755)
        self._start_postgres()
        (self.folder / "ejabberd.yml").write_text(
            CONFIG.format(folder=self.folder, port=self.port, sql_port=self._sql_port)
        )
        (self.folder / "ejabberdctl.cfg").touch()
        (self.folder / "inetrc").write_text("{lookup, [file, native]}.\n")
        command = ["ejabberdctl", "--config-dir", str(self.folder), "--logs", str(self.folder / "logs")]
        command += ["--spool", str(self.folder / "spool"), "--node", "bench@localhost", "foreground"]
        self._run("mkdir", "-p", str(self.folder / "logs"), str(self.folder / "spool"), user="ejabberd")
        log = (self.folder / "ejabberd.out").open("wb")
        self._server = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            env=os.environ | {"ERL_OPTIONS": "+S 1:1", "HOME": str(self.folder)},
            user="ejabberd",  # by su it would begin with 1,024 open files again
            group="ejabberd",
            preexec_fn=lambda: pin(0),
        )
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            subprocess.run(["pkill", "-9", "-f", f'mnesia dir "{self.folder}'], check=False)
            self._server.wait(20)
        self._run(str(POSTGRES / "pg_ctl"), "-D", str(self.folder / "pg"), "-m", "fast", "stop", user="postgres")

    def _run(self, *command: str, user: str) -> None:
        subprocess.run(["runuser", "-u", user, "--", *command], check=True, stdout=subprocess.DEVNULL, cwd="/")

    def _start_postgres(self) -> None:
        data = self.folder / "pg"
        data.mkdir()
        shutil.chown(data, "postgres", "postgres")
        self._run(str(POSTGRES / "initdb"), "-D", str(data), "-A", "trust", "-E", "UTF8", user="postgres")
        options = f"-p {self._sql_port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data}"
        self._run(
            "taskset", "-c", "0", str(POSTGRES / "pg_ctl"), "-w", "-D", str(data), "-o", options, "-l", str(data / "log"), "start",
            user="postgres",
        )  # fmt: skip
        connect = ["psql", "-q", "-h", "127.0.0.1", "-p", str(self._sql_port)]
        self._run(*connect, "-c", "create role ejabberd superuser login", user="postgres")
        self._run(*connect, "-c", "create database bench owner ejabberd", user="postgres")
        self._run(*connect, "-U", "ejabberd", "-d", "bench", "-f", "/usr/share/ejabberd/sql/pg.sql", user="postgres")

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._server is not None and self._server.poll() is not None:
                break
            time.sleep(0.2)
        raise RuntimeError("ejabberd did not start: " + (self.folder / "ejabberd.out").read_text()[-2000:])

    def pids(self) -> list[int]:
        """The Erlang machine and every PostgreSQL process."""
        found = subprocess.run(["pgrep", "-f", str(self.folder)], capture_output=True, text=True, check=False).stdout
        postgres = subprocess.run(["pgrep", "-u", "postgres"], capture_output=True, text=True, check=False).stdout
        return sorted({int(pid) for pid in (found + postgres).split()})


class XmppClient(asyncio.Protocol):
    """One signed-in XMPP stream. `on_body` gets the text of each message body, in order."""

    def __init__(self, name: str, on_body: Callable[[bytes], None]) -> None:
        self.name, self.on_body = name, on_body
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._waiting: tuple[bytes, asyncio.Future[None]] | None = None

    @classmethod
    async def sign_in(cls, port: int, name: str, tls: ssl.SSLContext, on_body: Callable[[bytes], None]) -> Self:
        """Opens the stream, authenticates, binds the resource `b`, sends presence."""
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(lambda: cls(name, on_body), "127.0.0.1", port, ssl=tls)
        opening = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>"
        plain = base64.b64encode(f"\0{name}\0x".encode()).decode()
        await client.ask(opening, b"</stream:features>")
        await client.ask(
            f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>", b"<success"
        )
        await client.ask(opening, b"</stream:features>")
        bind = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>b</resource></bind></iq>"
        await client.ask(bind, b"</iq>")
        client.send("<presence/>")
        return client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._waiting is not None:
            if self._waiting[0] in self._buffer:
                self._waiting[1].set_result(None)
                self._waiting, self._buffer = None, b""
            return
        end = self._buffer.rfind(b"</message>")
        if end >= 0:
            whole, self._buffer = self._buffer[: end + 10], self._buffer[end + 10 :]
            for body in BODY.findall(whole):
                self.on_body(body)

    def send(self, stanza: str) -> None:
        """Writes a stanza."""
        if self._transport is None:
            raise ConnectionError("not connected")
        self._transport.write(stanza.encode())

    def line(self, to: str, kind: str) -> Callable[[bytes], None]:
        """A sender of message bodies to one address."""
        return lambda token: self.send(f"<message to='{to}' type='{kind}'><body>{token.decode()}</body></message>")

    async def ask(self, stanza: str, answer: bytes) -> None:
        """Writes a stanza and waits until `answer` stands in the reply."""
        self._waiting = (answer, asyncio.get_running_loop().create_future())
        waiting = self._waiting[1]
        self.send(stanza)
        async with asyncio.timeout(20):
            await waiting

    async def join(self, room: str) -> None:
        """Enters a room under its own name."""
        await self.ask(
            f"<presence to='{room}/{self.name}'><x xmlns='http://jabber.org/protocol/muc'/></presence>", b"<subject"
        )

    def close(self) -> None:
        """Drops the connection."""
        if self._transport is not None:
            self._transport.abort()
