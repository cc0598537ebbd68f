"""A JMAP client that others wrote, as a process of its own, against the real server: over HTTPS and over a WebSocket with push."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.live_server import LiveDevice, make_server, run_cli

PEERS = Path(__file__).parent / "peers"


def test_a_jmap_library_reads_writes_and_is_pushed_to(tmp_path: Path) -> None:
    pytest.importorskip("jmap")
    server = make_server(tmp_path, "alice", "bob")
    granted = run_cli(server.data, "token", "add", "peer", "--person", "bob", "--scopes", "read,write")
    secret = re.search(r"tbi_\S+|\b[\w-]{43,}\b", granted)
    assert secret is not None, granted
    with server:
        alice, bob = LiveDevice(server, "alice"), LiveDevice(server, "bob")
        create = {"c": {"kind": "direct", "memberIds": [bob.account]}}
        made = alice.jmap(["Conversation/set", {"accountId": alice.account, "create": create}, "0"])
        conversation = made[0][1]["created"]["c"]["id"]
        messages = {f"k{n}": {"conversationId": conversation, "kind": "text", "text": f"第{n}条"} for n in range(4)}
        alice.jmap(["Message/set", {"accountId": alice.account, "create": messages}, "0"])
        alice.http.close()
        bob.http.close()
        ca_file = str(server.data / "tls" / "ca.pem")
        done = subprocess.run(
            [sys.executable, str(PEERS / "jmaplib_client.py"), server.url, ca_file, secret.group(), conversation],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr + server.log()[-3000:]
    assert json.loads(done.stdout) == {
        "echo": True,
        "newest": [4, 3, 2],
        "created": True,
        "refused": "invalidProperties",
        "socket_created": True,
        "pushed": True,
    }
