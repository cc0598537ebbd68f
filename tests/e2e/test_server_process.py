"""The real server as a process: TLS, sign-in with a device key, refresh, lock-out, revocation, commands beside it, graceful stop."""

from __future__ import annotations

import itertools
import json
import socket
import ssl
import stat
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.helpers.device_key import DeviceKey
from tests.helpers.live_server import PASSWORD, LiveDevice, LiveServer, make_server, run_cli, wait_until

JMAP = Subprotocol("jmap")
SECRET_NAME = "绝密计划-zebra.txt"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with make_server(tmp_path_factory.mktemp("server"), "root", "li", "wang") as running:
        yield running


def code_of(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    return str(body["type"]).removeprefix("urn:tongban:error:")


def test_healthz_over_tls_with_our_own_authority(server: LiveServer) -> None:
    with server.http() as http:
        assert http.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1"])
def test_the_certificate_is_good_for_loopback_names(server: LiveServer, address: str) -> None:
    with httpx.Client(verify=server.tls(), trust_env=False) as http:
        assert http.get(f"https://{address}:{server.port}/healthz").status_code == 200


def test_older_tls_is_refused(server: LiveServer) -> None:
    context = server.tls()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("localhost", server.port), 10) as raw, pytest.raises(ssl.SSLError):
        context.wrap_socket(raw, server_hostname="localhost")


def test_sign_in_gives_tokens_bound_to_the_key(server: LiveServer) -> None:
    device = LiveDevice(server, "li")
    session = device.request("GET", "/.well-known/jmap").raise_for_status().json()
    assert list(session["accounts"]) == [device.account]
    assert device.tokens["tokenType"] == "DPoP"
    assert device.tokens["expiresIn"] == 300

    url = f"{server.url}/.well-known/jmap"
    stolen = DeviceKey().headers("GET", url, device.tokens["accessToken"])
    assert code_of(device.http.get(url, headers=stolen)) == "invalidProof"
    assert (
        code_of(device.http.get(url, headers={"Authorization": f"Bearer {device.tokens['accessToken']}"}))
        == "tokenExpired"
    )
    assert code_of(device.http.get(url)) == "tokenExpired"


def test_a_proof_works_once_and_for_its_own_request(server: LiveServer) -> None:
    device = LiveDevice(server, "li")
    url = f"{server.url}/.well-known/jmap"
    headers = device.key.headers("GET", url, device.tokens["accessToken"])
    assert device.http.get(url, headers=headers).status_code == 200
    assert code_of(device.http.get(url, headers=headers)) == "invalidProof"
    for_post = device.key.headers("POST", url, device.tokens["accessToken"])
    assert code_of(device.http.get(url, headers=for_post)) == "invalidProof"


def test_the_same_key_is_the_same_device(server: LiveServer) -> None:
    first = LiveDevice(server, "li")
    again = LiveDevice(server, "li", key=first.key)
    assert again.tokens["deviceId"] == first.tokens["deviceId"]
    assert first.request("GET", "/.well-known/jmap").status_code == 401  # its session was replaced
    assert again.request("GET", "/.well-known/jmap").status_code == 200


def test_refresh_rotates_and_reuse_ends_the_session(server: LiveServer) -> None:
    device = LiveDevice(server, "li")
    old = device.tokens["refreshToken"]
    device.tokens = device.refresh().raise_for_status().json()
    fresh = device.refresh().raise_for_status().json()
    assert fresh["refreshToken"] != old
    device.tokens = fresh
    assert device.request("GET", "/.well-known/jmap").status_code == 200

    assert code_of(device.refresh(old)) == "invalidGrant"
    assert device.request("GET", "/.well-known/jmap").status_code == 401
    assert code_of(device.refresh(fresh["refreshToken"])) == "invalidGrant"


def test_a_stolen_refresh_token_is_worth_nothing_without_the_key(server: LiveServer) -> None:
    device = LiveDevice(server, "li")
    url = f"{server.url}/auth/token"
    body = {"grantType": "refresh_token", "refreshToken": device.tokens["refreshToken"]}
    assert code_of(device.http.post(url, json=body, headers=DeviceKey().headers("POST", url))) == "invalidProof"
    assert device.refresh().status_code == 200  # the thief could not even end it


def test_wrong_passwords_lock_the_login_and_survive_a_restart(tmp_path: Path) -> None:
    server = make_server(tmp_path, "root", "li")
    with server.start():
        device = LiveDevice(server, "root")

        def attempt(login: str, password: str) -> httpx.Response:
            return device.grant(
                grantType="password", login=login, password=password, device={"name": "x", "platform": "linux"}
            )

        answers = [attempt("li", "wrong password") for _ in range(5)]
        assert [code_of(answer) for answer in answers] == ["invalidCredentials"] * 5
        locked = attempt("li", PASSWORD)
        assert code_of(locked) == "locked"
        assert 1 <= int(locked.headers["retry-after"]) <= 30
        assert locked.json()["retryAfter"] == int(locked.headers["retry-after"])
        assert code_of(attempt("nobody", PASSWORD)) == "invalidCredentials"
        assert server.stop() == 0
    with server.start():
        device.http = server.http()
        assert code_of(attempt("li", PASSWORD)) == "locked"
        assert attempt("root", PASSWORD).status_code == 200


def test_signing_a_device_out_ends_its_session(server: LiveServer) -> None:
    desk, laptop = LiveDevice(server, "wang"), LiveDevice(server, "wang")
    ((_, listed, _),) = desk.jmap(["Device/get", {"accountId": desk.account, "ids": None}, "0"])
    current = {one["id"]: one["current"] for one in listed["list"]}
    assert current[desk.tokens["deviceId"]] is True
    assert current[laptop.tokens["deviceId"]] is False

    gone = desk.request("POST", "/auth/revoke", json={"scope": laptop.tokens["deviceId"]})
    assert gone.status_code == 204
    assert laptop.request("GET", "/.well-known/jmap").status_code == 401
    assert code_of(laptop.refresh()) == "deviceRevoked"
    ((_, changed, _),) = desk.jmap(["Device/changes", {"accountId": desk.account, "sinceState": listed["state"]}, "0"])
    assert changed["destroyed"] == [laptop.tokens["deviceId"]]

    assert code_of(desk.request("POST", "/auth/revoke", json={"scope": "no-such-device"})) == "notFound"
    assert desk.request("POST", "/auth/revoke", json={"scope": "all"}).status_code == 204
    assert code_of(desk.refresh()) == "deviceRevoked"


def test_an_open_socket_is_closed_when_its_device_is_signed_out(server: LiveServer) -> None:
    desk, laptop = LiveDevice(server, "wang"), LiveDevice(server, "wang")
    url = f"{server.url}/jmap/ws"
    headers = laptop.key.headers("GET", url, laptop.tokens["accessToken"])
    with connect(
        url.replace("https", "wss"), ssl=server.tls(), additional_headers=headers, subprotocols=[JMAP], proxy=None
    ) as socket_:
        socket_.send(
            '{"@type":"Request","id":"1","using":["urn:ietf:params:jmap:core"],"methodCalls":[["Core/echo",{},"0"]]}'
        )
        assert json.loads(socket_.recv(10))["requestId"] == "1"
        desk.request("POST", "/auth/revoke", json={"scope": laptop.tokens["deviceId"]})
        with pytest.raises(Exception, match="1008"):
            socket_.recv(10)


def test_the_login_log_tells_what_happened(server: LiveServer) -> None:
    device = LiveDevice(server, "li")
    device.grant(grantType="password", login="li", password="wrong", device={"name": "x", "platform": "linux"})
    ((_, got, _),) = device.jmap(["LoginEntry/get", {"accountId": device.account, "ids": None}, "0"])
    entries = sorted(got["list"], key=lambda one: one["id"])[-2:]
    assert {one["result"] for one in entries} == {"ok", "invalidCredentials"}
    assert {one["address"] for one in entries} <= {"127.0.0.1", "::1"}
    device.grant(grantType="password", login="li", password=PASSWORD, device={"name": "x", "platform": "linux"})


def test_commands_reach_the_running_server(server: LiveServer) -> None:
    out = run_cli(server.data, "user", "add", "sun", "--name", "孙", "--password-env", "PW", PW=PASSWORD)
    assert "password:" not in out
    device = LiveDevice(server, "sun")
    assert "sun\t孙\tactive" in run_cli(server.data, "user", "list")

    run_cli(server.data, "user", "disable", "sun")
    assert device.request("GET", "/.well-known/jmap").status_code == 401
    assert code_of(device.refresh()) == "accountDisabled"
    with pytest.raises(httpx.HTTPStatusError, match="403"):
        LiveDevice(server, "sun")

    run_cli(server.data, "user", "enable", "sun")
    told = run_cli(server.data, "user", "reset", "sun")
    fresh = next(line.removeprefix("password: ") for line in told.splitlines() if line.startswith("password: "))
    assert LiveDevice(server, "sun", fresh).request("GET", "/.well-known/jmap").status_code == 200
    assert "is taken" in run_cli(server.data, "user", "add", "SUN", code=1)
    assert "no login" in run_cli(server.data, "user", "disable", "nobody", code=1)


def test_integration_tokens_have_scopes_addresses_and_an_end(server: LiveServer) -> None:
    def grant(*options: str) -> tuple[str, str]:
        out = run_cli(server.data, "token", "add", "job", "--person", "li", *options).splitlines()
        return out[0].split(": ")[1], out[-1].removeprefix("token: ")

    read_id, read = grant("--scopes", "read")
    _, elsewhere = grant("--addresses", "192.0.2.0/24")
    with server.http() as http:

        def get(secret: str) -> httpx.Response:
            return http.get("/.well-known/jmap", headers={"Authorization": f"Bearer {secret}"})

        session = get(read).raise_for_status().json()
        (account,) = session["accounts"]
        assert session["accounts"][account]["isReadOnly"] is True
        upload = http.post(f"/jmap/upload/{account}/", content=b"x", headers={"Authorization": f"Bearer {read}"})
        assert code_of(upload) == "forbidden"
        assert code_of(get(elsewhere)) == "forbidden"
        assert code_of(get("tbi_" + "x" * 43)) == "tokenExpired"
        wait_until(lambda: "2 uses" in _token_line(server, read_id), "both uses are counted")
        run_cli(server.data, "token", "revoke", read_id)
        assert code_of(get(read)) == "tokenExpired"
    assert "could be revoked" in run_cli(server.data, "token", "revoke", read_id, code=1)
    assert "such as" in run_cli(server.data, "token", "add", "x", "--person", "li", "--addresses", "moon", code=1)


def _token_line(server: LiveServer, token_id: str) -> str:
    return next(line for line in run_cli(server.data, "token", "list").splitlines() if line.startswith(token_id))


def test_the_command_door_needs_its_secret(server: LiveServer) -> None:
    door = json.loads((server.data / "admin.json").read_text())
    with server.http() as http:
        for headers in ({}, {"tongban-admin": "x"}, {"tongban-admin": door["secret"] + "x"}):
            body = {"command": "user.list", "arguments": {}}
            assert http.post("/admin/commands", json=body, headers=headers).status_code == 404
        right = {"tongban-admin": door["secret"]}
        assert http.post("/admin/commands", content=b"{", headers=right).status_code == 400
        assert (
            "unknown command"
            in http.post("/admin/commands", json={"command": "x", "arguments": {}}, headers=right).text
        )


def test_a_second_process_on_the_same_data_folder_is_refused(server: LiveServer) -> None:
    assert "in use" in run_cli(server.data, "serve", "--port", "0", code=3)


def test_secrets_never_reach_the_log(server: LiveServer) -> None:
    device = LiveDevice(server, "li")
    device.grant(
        grantType="password", login="li", password="planted-password-zebra", device={"name": "x", "platform": "linux"}
    )
    uploaded = (
        device.request("POST", f"/jmap/upload/{device.account}/", content=b"planted-content-zebra")
        .raise_for_status()
        .json()
    )
    path = f"/jmap/download/{device.account}/{uploaded['blobId']}/{SECRET_NAME}"
    assert device.http.get(f"{server.url}{path}").status_code == 401
    signature = [
        [
            "Person/set",
            {"accountId": device.account, "update": {device.account: {"signature": "planted-text-zebra"}}},
            "0",
        ]
    ]
    assert device.jmap(*signature)[0][1]["updated"] == {device.account: None}
    device.http.post("/jmap/api", content=b'{"planted-body-zebra"')
    tokens = [device.tokens["accessToken"], device.tokens["refreshToken"], device.key.jwk["x"]]
    text = server.log()
    assert "DEBUG" in text
    assert [line for line in text.splitlines() if not line.startswith("{")] == []
    for secret in ["zebra", "绝密", PASSWORD, *tokens]:
        assert secret not in text
    LiveDevice(server, "li")  # clears the failure


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX file modes")
def test_keys_are_for_the_server_alone(server: LiveServer) -> None:
    for path in [server.data / "tls" / "ca.key", server.data / "tls" / "server.key", server.data / "admin.json"]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700


def test_graceful_stop_tells_clients_and_ends_in_time(tmp_path: Path) -> None:
    server = make_server(tmp_path, "li")
    with server.start():
        device = LiveDevice(server, "li")
        url = f"{server.url}/jmap/ws"
        headers = device.key.headers("GET", url, device.tokens["accessToken"])
        with connect(
            url.replace("https", "wss"), ssl=server.tls(), additional_headers=headers, subprotocols=[JMAP], proxy=None
        ) as socket_:
            socket_.send(json.dumps({"@type": "WebSocketPushEnable", "dataTypes": [], "signals": True}))
            assert json.loads(socket_.recv(10))["kind"] == "presence"
            server.process.terminate()
            told = json.loads(socket_.recv(10))
            while told["kind"] == "presence":
                told = json.loads(socket_.recv(10))
            assert told["kind"] == "goingAway"
            assert told["retryAfter"] > 0
            with pytest.raises(Exception, match="1001"):
                socket_.recv(10)
        assert server.process.wait(10) == 0
    assert '"stopped"' in server.log()
    assert not (server.data / "admin.json").exists()
    with server.start(server.port):  # the access token survives the restart
        device.http = server.http()
        assert device.request("GET", "/.well-known/jmap").status_code == 200


@pytest.mark.parametrize("graceful", [True, False])
def test_no_acknowledged_message_is_lost_when_the_server_ends(tmp_path: Path, graceful: bool) -> None:
    server = make_server(tmp_path, "li", "wang")
    acknowledged: list[str] = []
    enough = threading.Event()
    with server.start():
        device, other = LiveDevice(server, "li"), LiveDevice(server, "wang")
        made = {"kind": "direct", "memberIds": [other.account]}
        ((_, answer, _),) = device.jmap(["Conversation/set", {"accountId": device.account, "create": {"c": made}}, "0"])
        conversation = answer["created"]["c"]["id"]
        url = f"{server.url}/jmap/ws"
        headers = device.key.headers("GET", url, device.tokens["accessToken"])

        def send() -> None:
            with connect(
                url.replace("https", "wss"),
                ssl=server.tls(),
                additional_headers=headers,
                subprotocols=[JMAP],
                proxy=None,
            ) as socket_:
                for number in itertools.count():
                    message = {"conversationId": conversation, "kind": "text", "text": f"n{number}"}
                    call = ["Message/set", {"accountId": device.account, "create": {"m": message}}, "0"]
                    using = ["urn:ietf:params:jmap:core", "urn:tongban:chat"]
                    socket_.send(json.dumps({"@type": "Request", "id": "1", "using": using, "methodCalls": [call]}))
                    answer = json.loads(socket_.recv(10))
                    while answer["@type"] == "Signal":  # goingAway may come before the answer
                        answer = json.loads(socket_.recv(10))
                    acknowledged.append(answer["methodResponses"][0][1]["created"]["m"]["id"])
                    if len(acknowledged) == 200:
                        enough.set()

        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(send)
            assert enough.wait(30)
            server.stop() if graceful else server.kill()
            with pytest.raises((ConnectionClosed, OSError)):
                sending.result(20)
    with server.start():
        again = LiveDevice(server, "li", key=device.key)
        query = {"accountId": again.account, "filter": {"conversationId": conversation}, "limit": 5000}
        ((_, found, _),) = again.jmap(["Message/query", query, "0"])
        assert len(acknowledged) >= 200
        assert set(acknowledged) <= set(found["ids"])
        assert len(found["ids"]) - len(acknowledged) <= 1  # at most the one whose answer was under way


def test_backup_while_serving_restores_to_the_same_server(tmp_path: Path) -> None:
    server = make_server(tmp_path, "li")
    archive = tmp_path / "backup.tar"
    with server.start():
        device = LiveDevice(server, "li")
        path = f"/jmap/upload/{device.account}/"
        blob = device.request("POST", path, content=b"kept" * 1000).raise_for_status().json()["blobId"]
        run_cli(server.data, "backup", str(archive))
        assert "exists" in run_cli(server.data, "backup", str(archive), code=1)
        assert "not empty" in run_cli(server.data, "restore", str(archive), code=1)
    restored = LiveServer(tmp_path / "restored")
    run_cli(restored.data, "restore", str(archive))
    assert "all is well" in run_cli(restored.data, "check")
    assert (restored.data / "tls" / "ca.pem").read_bytes() == (server.data / "tls" / "ca.pem").read_bytes()
    with restored.start():
        again = LiveDevice(restored, "li", key=device.key)
        got = again.request("GET", f"/jmap/download/{again.account}/{blob}/file.txt")
        assert got.content == b"kept" * 1000
    damaged = bytearray(archive.read_bytes())
    damaged[damaged.index(b"keptkept") + 2] ^= 1
    archive.write_bytes(damaged)
    assert "damaged" in run_cli(tmp_path / "third", "restore", str(archive), code=1)
    assert not (tmp_path / "third").exists()


def test_check_finds_damage(tmp_path: Path) -> None:
    server = make_server(tmp_path, "li")
    with server.start():
        device = LiveDevice(server, "li")
        blob = device.request("POST", f"/jmap/upload/{device.account}/", content=b"whole").json()["blobId"]
    path = server.data / "blobs" / blob[:2] / blob[2:4] / blob
    path.write_bytes(b"whale")
    assert f"blob {blob}: the file's content was changed" in run_cli(server.data, "check", code=4)
    path.unlink()
    assert f"blob {blob}: the file is missing" in run_cli(server.data, "check", code=4)
