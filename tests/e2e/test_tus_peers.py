"""tuspy, a tus client that others wrote, as a process of its own: upload, interruption in the middle, resume. Uses an integration token."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.helpers.live_server import LiveServer, make_server, run_cli

SIZE = 6_000_000
CHUNK = 100_000

PEER = f"""
import sys
from tusclient import client
base, secret, path, url, stop_at = sys.argv[1:6]
peer = client.TusClient(base + "/files", headers={{"Authorization": "Bearer " + secret}})
uploader = peer.uploader(path, chunk_size={CHUNK}, url=url or None, metadata={{"filename": "r.bin", "filetype": "image/png"}})
if not url:
    uploader.set_url(uploader.create_url())
print("url", uploader.url, flush=True)
print("offset", uploader.get_offset(), flush=True)
while uploader.offset < uploader.get_file_size():
    uploader.upload_chunk()
    print("at", uploader.offset, flush=True)
    if stop_at and uploader.offset >= int(stop_at):
        sys.stdin.read()  # holds still until it is killed
print("done", uploader.request.response_headers.get("tongban-blob-id"), flush=True)
"""


@dataclass(frozen=True)
class Bench:
    server: LiveServer
    secret: str
    file: Path
    digest: str

    def peer(self, url: str = "", stop_at: int | None = None) -> subprocess.Popen[str]:
        arguments = [self.server.url, self.secret, str(self.file), url, str(stop_at or "")]
        environment = {**os.environ, "REQUESTS_CA_BUNDLE": str(self.server.data / "tls" / "ca.pem"), "NO_PROXY": "*"}
        return subprocess.Popen(
            [sys.executable, "-c", PEER, *arguments],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def http(self, method: str, url: str, **headers: str) -> httpx.Response:
        sent = {"Authorization": f"Bearer {self.secret}", "Tus-Resumable": "1.0.0", **headers}
        return self.server.http().request(method, url, headers=sent)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("tus")
    data = random.Random(7).randbytes(SIZE)
    file = folder / "r.bin"
    file.write_bytes(data)
    with make_server(folder, "root") as server:
        told = run_cli(server.data, "token", "add", "tus", "--person", "root", "--scopes", "read,write")
        secret = told.splitlines()[-1].removeprefix("token: ")
        yield Bench(server, secret, file, hashlib.sha256(data).hexdigest())


def read_until(process: subprocess.Popen[str], word: str) -> str:
    """The rest of the first line that begins with the word."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(word + " "):
            return line.split()[1]
    _, error = process.communicate()
    raise AssertionError(error)


def finish(process: subprocess.Popen[str]) -> None:
    _, error = process.communicate(timeout=30)
    assert process.returncode == 0, error


def test_upload_interrupted_by_a_kill_goes_on_where_it_was(bench: Bench) -> None:
    first = bench.peer(stop_at=SIZE // 2)
    url = read_until(first, "url")
    while int(read_until(first, "at")) < SIZE // 2:
        pass
    first.kill()
    first.communicate()

    second = bench.peer(url)
    assert int(read_until(second, "offset")) >= SIZE // 2
    assert read_until(second, "done") == bench.digest
    finish(second)

    again = bench.http("HEAD", url)  # a client that lost the last answer can still ask
    assert again.headers["tongban-blob-id"] == bench.digest
    assert again.headers["upload-offset"] == str(SIZE)
    account = next(iter(bench.http("GET", "/.well-known/jmap").json()["accounts"]))
    got = bench.http("GET", f"/jmap/download/{account}/{bench.digest}/r.bin?type=image/png")
    assert hashlib.sha256(got.content).hexdigest() == bench.digest


def test_upload_survives_the_death_of_the_server(bench: Bench) -> None:
    bench.file.write_bytes(bench.file.read_bytes()[::-1])
    digest = hashlib.sha256(bench.file.read_bytes()).hexdigest()
    first = bench.peer(stop_at=SIZE // 3)
    url = read_until(first, "url")
    while int(read_until(first, "at")) < SIZE // 3:
        pass
    first.kill()
    first.communicate()
    bench.server.kill()
    bench.server.start(bench.server.port)

    second = bench.peer(url)
    assert int(read_until(second, "offset")) >= SIZE // 3
    assert read_until(second, "done") == digest
    finish(second)
