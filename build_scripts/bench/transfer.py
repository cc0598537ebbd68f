"""A file of 1 GiB up and down over TLS 1.3: MB/s of the server, the load generator being bare sockets; with `--peers` nginx beside it.

Ours is written by tus, hashed, checked against the given digest and kept by it; nginx stores by WebDAV PUT and hashes nothing. `--mib N`.
"""

import argparse
import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from build_scripts.bench import office
from build_scripts.bench.ejabberd import free_port
from build_scripts.bench.figures import cpu_seconds, pin
from build_scripts.bench.wire import HEADER_END, loopback_tls

MIB, PIECE = 1024, 1 << 20
ROUNDS = 3
NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_max_body_size 0; client_body_temp_path {folder}/body; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols TLSv1.3;
    root {folder}/root; location / {{ dav_methods PUT; sendfile on; }}
  }}
}}
"""


def main(argv: Sequence[str]) -> dict[str, Any]:
    """MB/s (10^6 bytes) up and down, the best of three; processor seconds of the server for each GB."""
    parser = argparse.ArgumentParser(prog="bench transfer")
    parser.add_argument("--mib", type=int, default=MIB)
    parser.add_argument("--size", type=_mib, dest="mib", help="the same as text: 2.1GiB, 512MiB")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--peers", action="store_true", help="install and measure nginx too (root on Debian)")
    options = parser.parse_args(list(argv))
    pin(1)
    figures: dict[str, Any] = {"mib": options.mib}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with office.Office(folder / "office", people=1) as running:
            figures["tongban"] = _rounds(lambda number: _tongban(running, options.mib, number), options.rounds)
            certificate, key = running.certificate, running.key
        if options.peers:
            with _nginx(folder, certificate, key) as (port, pid):
                figures["peer: nginx"] = _rounds(lambda number: _plain(port, pid, options.mib, number), options.rounds)
    if options.peers:
        for way in ("up_MB_s", "down_MB_s"):
            figures[f"share of nginx, {way[:-5]}"] = round(figures["tongban"][way] / figures["peer: nginx"][way], 2)
    return figures


def _mib(text: str) -> int:
    """Whole MiB of a size such as `2.1GiB`. Raises ValueError."""
    for unit, factor in (("GiB", 1024.0), ("MiB", 1.0)):
        if text.endswith(unit):
            return int(float(text.removesuffix(unit)) * factor)
    raise ValueError(text)


def _rounds(once: Any, count: int) -> dict[str, float]:
    rounds = [once(number) for number in range(count)]
    best = {key: max(one[key] for one in rounds) for key in rounds[0] if key.endswith("MB_s")}
    return {
        **{key: round(value) for key, value in best.items()},
        "cpu_s_per_GB": round(min(one["cpu_s_per_GB"] for one in rounds), 2),
    }


def _piece(number: int, place: int) -> bytes:
    """A megabyte that is like no other, cheaply: a file known already would not be uploaded at all."""
    return number.to_bytes(8) + place.to_bytes(8) + bytes(PIECE - 16)


# ---------------------------------------------------------------- what is measured
def _tongban(running: office.Office, mib: int, number: int) -> dict[str, float]:
    person = running.people[0]
    bearer = {"Authorization": f"Bearer {person.token}"}
    digest = hashlib.sha256()
    for place in range(mib):
        digest.update(_piece(number, place))
    size, used = mib * PIECE, cpu_seconds(running.pid) or 0.0
    begun = time.monotonic()
    head, _ = _ask(running.port, "POST", "/files", bearer | {"Tus-Resumable": "1.0.0", "Upload-Length": str(size)})
    location = next(line[10:] for line in head.split("\r\n") if line.lower().startswith("location: "))
    path = "/" + location.split("/", 3)[3] if "://" in location else location
    tus = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    head, _ = _ask(running.port, "PATCH", path, bearer | tus, (_piece(number, at) for at in range(mib)), size)
    up = time.monotonic() - begun
    blob = next(line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("tongban-blob-id"))
    if blob != digest.hexdigest():
        raise RuntimeError("the server keeps another file than was sent")
    begun = time.monotonic()
    _, got = _ask(running.port, "GET", f"/jmap/download/{person.id}/{blob}/file.bin", bearer)
    down = time.monotonic() - begun
    return _figures(size, got, up, down, (cpu_seconds(running.pid) or 0.0) - used)


def _plain(port: int, pid: int, mib: int, number: int) -> dict[str, float]:
    size, used = mib * PIECE, cpu_seconds(pid) or 0.0
    begun = time.monotonic()
    _ask(port, "PUT", f"/{number}.bin", {}, (_piece(number, at) for at in range(mib)), size)
    up = time.monotonic() - begun
    begun = time.monotonic()
    _, got = _ask(port, "GET", f"/{number}.bin", {})
    down = time.monotonic() - begun
    return _figures(size, got, up, down, (cpu_seconds(pid) or 0.0) - used)


def _figures(size: int, got: int, up: float, down: float, used: float) -> dict[str, float]:
    if got != size:
        raise RuntimeError(f"{got} of {size} bytes came back")
    return {"up_MB_s": size / up / 1e6, "down_MB_s": size / down / 1e6, "cpu_s_per_GB": used / (2 * size / 1e9)}


# ---------------------------------------------------------------- the load
def _ask(
    port: int, method: str, path: str, headers: dict[str, str], body: Iterator[bytes] | None = None, size: int = 0
) -> tuple[str, int]:
    """One request on a connection of its own: head of the answer and how many bytes of content came.

    Raises:
        RuntimeError: the answer is no success.
    """
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", f"Content-Length: {size}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    with socket.create_connection(("127.0.0.1", port)) as raw, loopback_tls().wrap_socket(raw) as link:
        link.sendall("\r\n".join(lines).encode() + HEADER_END)
        for piece in body or ():
            link.sendall(piece)
        answer = b""
        while HEADER_END not in answer:
            part = link.recv(65536)
            if not part:
                break
            answer += part
        head, _, rest = answer.partition(HEADER_END)
        if not head.split(b" ")[1:2] or not head.split(b" ")[1].startswith(b"2"):
            raise RuntimeError(f"{method} {path}: {head.decode('latin-1')} {rest[:200]!r}")
        got, room = len(rest), memoryview(bytearray(PIECE))
        while count := link.recv_into(room):
            got += count
        return head.decode("latin-1"), got


@contextmanager
def _nginx(folder: Path, certificate: Path, key: Path) -> Iterator[tuple[int, int]]:
    """nginx from Debian as one process on core 0: port and process id."""
    if shutil.which("nginx") is None:
        subprocess.run(["apt-get", "install", "-y", "-qq", "nginx-core"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["service", "nginx", "stop"], capture_output=True, check=False)
    port, place = free_port(), folder / "nginx"
    (place / "root").mkdir(parents=True)
    config = place / "nginx.conf"
    text = NGINX.format(folder=place, port=port, certificate=certificate, key=key)
    config.write_text(text if os.getuid() else "user root;" + text)
    process = subprocess.Popen(["nginx", "-c", str(config), "-p", str(place)], preexec_fn=lambda: pin(0))
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(20)
