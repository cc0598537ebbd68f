"""Cold start: seconds until the main window is painted with its conversations (and of the processor), memory (PSS) after it has settled.

500 conversations, 1,000,000 cached messages, a server that does not answer: what a start paints comes from the local store.
Beside it, in the same sitting and turn by turn, an empty PySide6 + qasync window. Both have their byte code, as installed programs
do. Linux only (Xvfb, /proc). `--messages N`, `--rounds N`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from build_scripts.desktop_session import DesktopSession
from build_scripts.environment import ROOT
from build_scripts.progress import Step

CONVERSATIONS, MESSAGES, ROUNDS = 500, 1_000_000, 5
BATCH = 5_000
START_S, SETTLE_S = 60.0, 20.0
SERVER = "https://127.0.0.1:9"
ME = "0192f0c4-7a00-7000-8000-000000000001"
WORDS = "关于 做好 防汛 值班 工作 的 通知 请 各科室 明天 上午 九点 前 报送 材料 收到 马上 办 ok 附件 已 更新 预算 口径".split()
EMPTY_WINDOW = """
import asyncio, sys, time
import qasync
from PySide6.QtWidgets import QApplication, QWidget
class Window(QWidget):
    def paintEvent(self, event):
        if not getattr(self, "told", False):
            self.told = True
            print(time.monotonic(), time.process_time(), flush=True)
app = QApplication([])
async def main():
    window = Window()
    window.resize(1160, 748)
    window.show()
    await asyncio.Event().wait()
def factory():
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    return loop
with asyncio.Runner(loop_factory=factory) as runner:
    runner.run(main())
"""


class Start(NamedTuple):
    """One start: until the first picture on the clock and of the processor (all threads), MiB once it has settled."""

    window_s: float
    processor_s: float
    pss_mib: float


def main(argv: Sequence[str]) -> dict[str, Any]:
    """Figures: medians of the rounds, and each round."""
    parser = argparse.ArgumentParser(prog="bench coldstart")
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args(list(argv))
    with tempfile.TemporaryDirectory(prefix="tongban-coldstart-") as folder:
        data = Path(folder) / "data"
        with DesktopSession(tray="xembed", notifications="none", keyring=True) as session:
            session.env.pop("PYTHONDONTWRITEBYTECODE", None)
            session.env["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "bytecode")
            with Step("store with its messages") as step:
                seconds = _fill(session, data, options.messages)
                step.note(f"{(data / 'size').read_text()} bytes in {seconds:.0f} s")
            ours: list[Start] = []
            empty: list[Start] = []
            with Step("starts") as step:
                for number in range(options.rounds + 1):  # the first round warms the disk cache and is not counted
                    step.note(f"round {number} of {options.rounds}")
                    empty.append(_start_empty(session, number))
                    ours.append(_start_client(session, data, number))
    client, window = _medians(ours[1:]), _medians(empty[1:])
    return {
        "conversations": CONVERSATIONS,
        "messages": options.messages,
        "client": client._asdict(),
        "empty_window": window._asdict(),
        "times_the_empty_window": round(client.window_s / window.window_s, 2),
        "times_its_processor_time": round(client.processor_s / window.processor_s, 2),
        "rounds": {
            "client_s": [round(one.window_s, 3) for one in ours[1:]],
            "empty_s": [round(one.window_s, 3) for one in empty[1:]],
        },
    }


def _medians(starts: Sequence[Start]) -> Start:
    window, processor, memory = (median(values) for values in zip(*starts, strict=True))
    return Start(round(window, 3), round(processor, 3), round(memory, 1))


# ---------------------------------------------------------------- what is started
def _start_empty(session: DesktopSession, number: int) -> Start:
    name = f"empty-{number}"
    begun = time.monotonic()
    process = session.popen(name, [sys.executable, "-c", EMPTY_WINDOW])
    session.wait_until(lambda: bool(session.log(name).strip()), "empty window", START_S)
    painted, processor = (float(word) for word in session.log(name).split()[:2])
    memory = _settled_memory(process)
    process.kill()
    process.wait()
    return Start(painted - begun, processor, memory)


def _start_client(session: DesktopSession, data: Path, number: int) -> Start:
    from tests.helpers.remote_client import RemoteClient

    client = RemoteClient(session, f"cold{number}", data.parent)
    begun = time.monotonic()
    client.start(data_dir=data)
    try:
        painted = float(client.until(lambda: client.probe("usable_at"), "conversations painted", START_S))
        processor = float(client.probe("usable_cpu"))
        client.until(lambda: client.probe("status") == "offline", "the connection was tried", START_S)
        assert client.process is not None
        memory = _settled_memory(client.process)
        client.quit()
    finally:
        client.drop()
    return Start(painted - begun, processor, memory)


def _settled_memory(process: "subprocess.Popen[bytes]") -> float:
    """PSS in MiB once it changed by less than 1 % for two seconds."""
    deadline = time.monotonic() + SETTLE_S
    seen: list[float] = []
    while time.monotonic() < deadline:
        seen.append(_pss(process.pid))
        if len(seen) >= 5 and max(seen[-5:]) - min(seen[-5:]) < 0.01 * seen[-1]:
            break
        time.sleep(0.5)
    return seen[-1]


def _pss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise ValueError("no Pss line")


# ---------------------------------------------------------------- what is stored
def _fill(session: DesktopSession, data: Path, messages: int) -> float:
    """Makes the data folder in a process on the session's bus: its keychain holds the key."""
    begun = time.monotonic()
    argv = [sys.executable, "-c", "from build_scripts.bench.coldstart import fill; fill()", str(data), str(messages)]
    subprocess.run(argv, cwd=ROOT, env=session.env, check=True)
    return time.monotonic() - begun


def fill() -> None:
    """`fill DATA MESSAGES` as a process of its own: an account that signed in once, its key, its store, its pin."""
    import msgspec

    from desktop.core.crypto.keychain import system_keychain
    from desktop.core.crypto.keys import KEY_BYTES, subkey
    from desktop.core.domain import KnownAccount
    from desktop.core.store.sqlite import SqliteStore
    from desktop.core.sync.port import PutLocal

    data, count = Path(sys.argv[1]), int(sys.argv[2])
    data.mkdir(parents=True)
    install, key = uuid.uuid4().hex, os.urandom(KEY_BYTES)
    account = KnownAccount(ME, SERVER, "linyuan", "林远", last_used=1, remembered=True)
    (data / "accounts.json").write_bytes(msgspec.json.encode({"install": install, "accounts": [account]}))
    keychain = system_keychain()
    assert keychain is not None
    keychain.save(f"{install}/account/{ME}", key)
    path = data / "accounts" / uuid.uuid5(uuid.NAMESPACE_OID, ME).hex / "store.db"
    store = SqliteStore.open(path, subkey(key, "store"), ME)
    store.apply([PutLocal("auth", "refresh", b"a grant nobody asks for")])
    _put_all(store, count)
    store.close()
    _pin(data)
    (data / "size").write_text(str(path.stat().st_size))


def _pin(data: Path) -> None:
    """The server was seen before: its own CA, as the backend makes one, is pinned."""
    import ssl

    import msgspec

    from desktop.core.net.trust import Pin, fingerprint
    from server_stub.app.tls import TlsFiles, ensure_certificates

    files = TlsFiles(data.parent / "tls")
    ensure_certificates(files, ["127.0.0.1"], time.time_ns() // 1_000_000)
    anchor = ssl.PEM_cert_to_DER_cert(files.ca.read_text(encoding="ascii"))
    (data / "trust.json").write_bytes(msgspec.json.encode({SERVER: Pin(fingerprint(anchor), anchor)}))


def _put_all(store: Any, count: int) -> None:
    from desktop.core.domain import Conversation, ConversationKind, LastMessage, Message, MessageKind, Person
    from desktop.core.sync.port import PutObjects

    now = time.time_ns() // 1_000_000
    each = max(1, count // CONVERSATIONS)
    people = tuple(Person(f"p{number}", f"同事{number}", login=f"p{number}") for number in range(200))
    store.apply([PutObjects("Person", (Person(ME, "林远", login="linyuan"), *people))])
    conversations = []
    for number in range(CONVERSATIONS):
        last = LastMessage(f"m{number}-{each}", each, MessageKind.TEXT, text_of(number), now - number * 60_000, "p1")
        conversations.append(
            Conversation(
                f"c{number}", ConversationKind.GROUP, f"工作群 {number}", member_count=20, last_seq=each, read_seq=each,
                last_message=last, updated_at=now - number * 60_000,
            )
        )  # fmt: skip
    store.apply([PutObjects("Conversation", tuple(conversations))])
    batch: list[Message] = []
    for number in range(CONVERSATIONS):
        for seq in range(1, each + 1):
            sent = now - number * 60_000 - (each - seq) * 30_000
            batch.append(
                Message(
                    f"m{number}-{seq}",
                    f"c{number}",
                    MessageKind.TEXT,
                    text_of(number * 31 + seq),
                    seq,
                    f"p{seq % 200}",
                    sent,
                )
            )
            if len(batch) == BATCH:
                store.apply([PutObjects("Message", tuple(batch))])
                batch.clear()
    store.apply([PutObjects("Message", tuple(batch))])


def text_of(number: int) -> str:
    """Words of an office, another row of them for each number."""
    return "".join(WORDS[(number * 7 + place * 3) % len(WORDS)] for place in range(4 + number % 24))
