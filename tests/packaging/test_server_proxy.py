"""The nginx example that is shipped, in the real nginx, before the real server: sign-in, socket, large files, whose address counts."""

import asyncio
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from server_stub.app.admin import send_command
from server_stub.app.settings import Settings
from server_stub.clock import SystemClock
from server_stub.ids import uuid7
from tests.helpers.live_server import LiveDevice, LiveServer, make_server, wait_until
from tests.helpers.remote_device import RemoteServer

EXAMPLE = Path(__file__).parents[2] / "build_scripts" / "package" / "server_data" / "nginx.conf"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
ELSEWHERE = "127.0.0.2"  # loopback too, but not the address of the proxy
CONTENT = bytes(range(256)) * (20_000_000 // 256)

pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx on this machine")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def configuration(folder: Path, server: LiveServer, port: int) -> str:
    """The example with its names filled in, inside the least of a main file."""
    tls = server.data / "tls"
    text = EXAMPLE.read_text("utf-8").replace("    listen [::]:443 ssl;\n", "")
    for name, value in (
        ("127.0.0.1:8460", f"127.0.0.1:{server.port}"),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("OFFICE_NAME", "localhost"),
        ("CERTIFICATE_FILE", str(tls / "server.pem")),
        ("KEY_FILE", str(tls / "server.key")),
        ("CA_FILE", str(tls / "ca.pem")),
    ):
        assert name in text
        text = text.replace(name, value)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder / kind};\n" for kind in kinds)
    user = "user root;\n" if os.geteuid() == 0 else ""
    return f"{user}daemon off;\nworker_processes 1;\npid {folder / 'pid'};\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{text}}}\n"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, RemoteServer]]:
    """The server, and the same through the proxy."""
    folder = tmp_path_factory.mktemp("proxied")
    made = make_server(folder, "zhang")
    with LiveServer(made.data, environment={"TONGBAN_PROXIES": "127.0.0.1"}) as server:
        port = free_port()
        (folder / "nginx.conf").write_text(configuration(folder, server, port), "utf-8")
        assert NGINX is not None
        argv = [NGINX, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
        process = subprocess.Popen(argv, stderr=subprocess.PIPE)
        remote = RemoteServer(f"https://localhost:{port}", server.data / "tls" / "ca.pem")
        try:
            wait_until(lambda: (folder / "pid").exists() or process.poll() is not None, "nginx is there")
            assert process.poll() is None, process.communicate()[1]
            yield server, remote
        finally:
            remote.close()
            process.send_signal(signal.SIGQUIT if process.poll() is None else 0)
            process.communicate(timeout=20)


@pytest.fixture(scope="module")
def device(office: tuple[LiveServer, RemoteServer]) -> LiveDevice:
    return office[1].device("zhang")


def test_sign_in_and_large_files_through_it(device: LiveDevice) -> None:
    people = device.jmap(["Person/get", {"accountId": device.account, "ids": None}, "0"])
    assert len(people[0][1]["list"]) == 1
    kind = {"content-type": "application/octet-stream"}
    sent = device.request("POST", f"/jmap/upload/{device.account}/", content=CONTENT, headers=kind)
    blob = sent.raise_for_status().json()["blobId"]
    assert blob == hashlib.sha256(CONTENT).hexdigest()
    path = f"/jmap/download/{device.account}/{blob}/large.bin"
    assert device.request("GET", path).raise_for_status().content == CONTENT
    part = device.request("GET", path, headers={"Range": "bytes=19999000-"})
    assert (part.status_code, part.content) == (206, CONTENT[19_999_000:])


def test_the_socket_through_it_and_whose_address_counts(
    office: tuple[LiveServer, RemoteServer], device: LiveDevice
) -> None:
    server, remote = office
    asked = {"name": "t", "person": "zhang", "scopes": ["read"], "expires": "1d", "addresses": [ELSEWHERE]}
    told = send_command(Settings(data=server.data), "token.add", asked)
    bearer = {"Authorization": f"Bearer {next(line for line in told if line.startswith('token: '))[7:]}"}
    # the proxy tells who asks; what the client itself says of its address is dropped
    ask = {"using": ["urn:ietf:params:jmap:core"], "methodCalls": [["Core/echo", {"x": 1}, "0"]]}
    for here, forged, status in ((ELSEWHERE, "10.0.0.1", 200), ("127.0.0.1", ELSEWHERE, 403)):
        with httpx.Client(transport=httpx.HTTPTransport(verify=remote.tls(), local_address=here)) as client:
            answer = client.post(f"{remote.url}/jmap/api", json=ask, headers={**bearer, "X-Forwarded-For": forged})
            assert answer.status_code == status, answer.text

    async def talk() -> None:
        url = f"{remote.url}/jmap/ws"
        headers = device.key.headers("GET", url, device.tokens["accessToken"])
        async with connect(url.replace("https", "wss"), ssl=remote.tls(), additional_headers=headers, proxy=None,
                           subprotocols=[Subprotocol("jmap")]) as ws:  # fmt: skip
            await ws.send(json.dumps({"@type": "Request", "id": uuid7(SystemClock().now_ms()), **ask}))
            async with asyncio.timeout(20):
                answer = json.loads(await ws.recv())
            assert answer["methodResponses"] == [["Core/echo", {"x": 1}, "0"]]

    asyncio.run(talk())
