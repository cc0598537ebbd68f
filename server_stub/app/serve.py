"""Runs the server: TLS, uvicorn, the background work, and a stop that loses nothing.

On SIGTERM or SIGINT: no new connections, clients are told to come back (each after its own delay), requests under way end,
what is acknowledged is on disk, all within `stop_seconds`.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Awaitable, Callable, Generator, Iterable
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server_stub.accounts.integration import kind_of_request
from server_stub.api.crowd import Crowd
from server_stub.api.patience import PatientHttpProtocol, ServerConfig
from server_stub.api.rawsocket import RawWebSocketProtocol
from server_stub.app.layout import DataLayout
from server_stub.app.lock import DataLock
from server_stub.app.migrate import bring_forward
from server_stub.app.settings import Settings, backup_folder, unknown_variables
from server_stub.app.tls import CertificatePair, TlsError, ensure_certificates, host_names, load_chain, server_context
from server_stub.app.wiring import Backend, open_backend
from server_stub.clock import Clock

log = logging.getLogger("tongban.app")

FLUSH_S: Final = 1.0
HOUSE_S: Final = 3600.0
PING_S: Final = 30.0
LINGER_S: Final = 0.5
HANDSHAKE_S: Final = 10.0
SPARE_FILES: Final = 500  # open files beside the connections: database, blobs, uploads, logs
_KEEP_FOR_CLOSE_S: Final = 3  # of the stop time, for the database after the connections
_LOOPBACK: Final = frozenset({"", "0.0.0.0", "::", "localhost"})  # noqa: S104

Prepare = Callable[[Backend], Awaitable[None]]


class CannotListen(Exception):
    """The address or port cannot be had."""


def run_server(
    settings: Settings, clock: Clock, *, port_file: Path | None = None, prepare: Prepare | None = None
) -> None:
    """Serve until told to stop. Blocking; the data folder must exist.

    Args:
        port_file: gets the bound port, as text, once the server answers; removed at the stop.
        prepare: work on the opened data folder before anybody can connect (the demo office).

    Raises:
        DataFolderInUse, CannotListen, TlsError, MigrationFailed, DatabaseTooNew, DatabaseDamaged.
    """
    for name in unknown_variables(os.environ):
        log.warning("no setting is called %s", name)
    raise_file_limit(settings.max_connections)
    with DataLock(settings.data):
        bring_forward(DataLayout(settings.data), clock, copies=backup_folder(settings))
        context = prepare_tls(settings, clock)
        listener = bind(settings.host, settings.port)
        with listener, asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(settings, clock, listener, context, port_file, prepare))


def raise_file_limit(connections: int) -> None:
    """Ask the system for as many open files as so many connections may need; the usual 1,024 are few."""
    if sys.platform == "win32":
        return
    import resource

    wanted = connections + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        reached = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (reached, hard))
        if reached < wanted:
            log.warning("the system allows %d open files, fewer than max_connections needs", reached)


def prepare_tls(settings: Settings, clock: Clock) -> ssl.SSLContext:
    """Make or renew the certificates as needed and load them. Raises TlsError."""
    files = DataLayout(settings.data).tls
    if ensure_certificates(files, certificate_names(settings), clock.now_ms()):
        log.info("a new server certificate was made")
    return server_context(files, own_certificate(settings))


def own_certificate(settings: Settings) -> CertificatePair | None:
    """The certificate the office brought along, if it did; the server's own authority is kept beside it all the same."""
    if not settings.tls_certificate:
        return None
    return CertificatePair(Path(settings.tls_certificate), Path(settings.tls_key))


def certificate_names(settings: Settings) -> list[str]:
    """Every name and address the server may be reached by."""
    own = () if settings.host in _LOOPBACK else (settings.host,)
    return host_names([*own, *settings.names])


def bind(host: str, port: int) -> socket.socket:
    """A bound socket. Raises CannotListen."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            if sys.platform != "win32":  # there it would let two processes share the port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise CannotListen(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
    return listener


async def _serve(
    settings: Settings,
    clock: Clock,
    listener: socket.socket,
    context: ssl.SSLContext,
    port_file: Path | None,
    prepare: Prepare | None,
) -> None:
    backend = open_backend(settings, clock)
    try:
        await asyncio.to_thread(backend.database.ready_log)
        await backend.start()
        if prepare is not None:
            await prepare(backend)
        stopping = asyncio.Event()
        port = listener.getsockname()[1]

        def on_ready() -> None:
            backend.admin.open(settings.host, port)
            if port_file is not None:
                _write_port(port_file, port)
            log.info("serving", extra={"port": port})

        server = _Server(_uvicorn_config(backend, context, settings), backend, on_ready, stopping)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_repeat(stopping, FLUSH_S, backend.accounts.flush_uses), name="token-uses")
            tasks.create_task(_repeat(stopping, HOUSE_S, lambda: _keep_house(backend, context)), name="house-keeping")
            duties = tasks.create_task(backend.office.run(), name="due-dates")
            chat = tasks.create_task(backend.chat.run(), name="chat")
            try:
                await server.serve(sockets=[listener])
            finally:
                stopping.set()
                duties.cancel()
                chat.cancel()
    finally:
        backend.admin.close()
        if port_file is not None:
            port_file.unlink(missing_ok=True)
        await backend.close()
        log.info("stopped")


async def _repeat(stopping: asyncio.Event, every_s: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do `work` now and again until the stop; one failure is logged and does not end it."""
    while not stopping.is_set():
        try:
            await work()
        except Exception:  # border: background work must not take the server along
            log.exception("background work failed")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(every_s):
                await stopping.wait()


async def _keep_house(backend: Backend, context: ssl.SSLContext) -> None:
    files = backend.layout.tls
    names = certificate_names(backend.settings)
    brought = own_certificate(backend.settings)
    if await asyncio.to_thread(ensure_certificates, files, names, backend.clock.now_ms()):
        log.info("the server certificate was renewed")
    try:
        load_chain(context, files, brought)  # also one that was exchanged beneath us
    except TlsError as problem:  # new connections go on with the one loaded before
        log.warning("the certificate could not be loaded anew: %s", problem)
    await backend.keep_house()


def _uvicorn_config(backend: Backend, context: ssl.SSLContext, settings: Settings) -> ServerConfig:
    config = ServerConfig(
        RequestLog(backend.application()),
        ws=RawWebSocketProtocol,
        http=PatientHttpProtocol,
        loop="none",
        ssl_context_factory=lambda config, default: context,
        ws_max_size=backend.services.dispatcher.limits.max_size_request,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        ws_per_message_deflate=False,  # a frame encoded once goes to all as the same bytes
        timeout_graceful_shutdown=max(1, settings.stop_seconds - _KEEP_FOR_CLOSE_S),
        timeout_keep_alive=75,
        access_log=False,
        log_config=None,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=list(settings.proxies) or "",
        server_header=False,
        lifespan="on",
        backlog=1024,
    )
    config.crowd = Crowd(most=settings.max_connections, most_of_address=settings.max_connections_per_address)
    config.stall_s = settings.stalled_reader_seconds
    return config


class _Server(uvicorn.Server):
    """uvicorn's server with our own signals, readiness and order of leaving."""

    def __init__(
        self, config: uvicorn.Config, backend: Backend, on_ready: Callable[[], None], stopping: asyncio.Event
    ) -> None:
        super().__init__(config)
        self._backend = backend
        self._on_ready = on_ready
        self._stopping = stopping

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """uvicorn's would raise the signal again at the end: a graceful stop shall be exit code 0."""
        with _signals(asyncio.get_running_loop(), self._on_signal):
            yield

    def _on_signal(self) -> None:
        if self.should_exit:
            self.force_exit = True  # the second one: stop waiting for clients
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell that we are ready once we accept."""
        with _short_handshakes(asyncio.get_running_loop()):
            await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the door first, then tell everybody inside."""
        self._stopping.set()
        for server in self.servers:
            server.close()
        hub = self._backend.hub
        hub.go_away()
        # uvicorn closes what is still open with 1012: give our own 1001 the time to be answered first.
        deadline = asyncio.get_running_loop().time() + self._backend.settings.stop_seconds / 4
        while hub.connections() and not self.force_exit and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 (the hub tells nobody when the last one left; this runs once, at the stop)
            await asyncio.sleep(0.02)
        async with asyncio.TaskGroup() as tasks:
            lingering = tasks.create_task(self._drop_lingering(), name="lingering")
            await super().shutdown(sockets)
            lingering.cancel()

    async def _drop_lingering(self) -> None:
        """End idle connections whose peer does not answer the TLS goodbye: they would use up the whole stop time."""
        idle_since = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(0.05)
            now = asyncio.get_running_loop().time()
            if self.server_state.tasks:
                idle_since = now
            elif now - idle_since > LINGER_S:
                for connection in list(self.server_state.connections):
                    transport = connection.transport
                    if transport is not None and transport.get_write_buffer_size() == 0:
                        transport.abort()


@contextlib.contextmanager
def _short_handshakes(loop: asyncio.AbstractEventLoop) -> Generator[None, None, None]:
    """Servers made in this block give a TLS handshake HANDSHAKE_S: uvicorn hands no such setting on, and a minute is long for strangers."""
    vars(loop)["create_server"] = functools.partial(loop.create_server, ssl_handshake_timeout=HANDSHAKE_S)
    try:
        yield
    finally:
        del vars(loop)["create_server"]


@contextlib.contextmanager
def _signals(loop: asyncio.AbstractEventLoop, on_signal: Callable[[], None]) -> Generator[None, None, None]:
    wanted: Iterable[signal.Signals] = (signal.SIGINT, signal.SIGTERM)
    if sys.platform == "win32":
        before = {one: signal.signal(one, lambda *_: loop.call_soon_threadsafe(on_signal)) for one in wanted}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)
        return
    for one in wanted:
        loop.add_signal_handler(one, on_signal)
    try:
        yield
    finally:
        for one in wanted:
            loop.remove_signal_handler(one)


class RequestLog:
    """ASGI middleware: one debug line per request, with its kind (never its path: that holds file names) and its result."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not log.isEnabledFor(logging.DEBUG):
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status: list[int] = []

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            what = kind_of_request(scope["method"], scope["path"])
            took = round((time.perf_counter() - began) * 1000, 1)
            log.debug("request", extra={"what": what, "status": status[0] if status else None, "ms": took})


def _write_port(path: Path, port: int) -> None:
    # In one step, so that whoever waits for the file never reads half of it.
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(f"{port}\n", "ascii")
    temporary.replace(path)


def _has(module: str) -> bool:
    try:
        __import__(module)
    except ImportError:
        return False
    return True


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if not _has("uvloop"):
        return None
    import uvloop

    factory: Any = uvloop.new_event_loop
    return factory  # type: ignore[no-any-return]  # uvloop's own type is wider
