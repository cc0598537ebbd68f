"""What a start loads before its first picture, and what the open talk adds: screens and libraries that only some clicks want are not in it.

A real start of the client in a process of its own, over a store of this test, with a server that does not answer. When this fails:
import at the door that opens the thing (`from … import …` in the function), not at the head of a module that every start reads.
"""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import msgspec
import pytest

from desktop.core.crypto.keychain import PassphraseKeychain
from desktop.core.crypto.keys import KEY_BYTES, subkey
from desktop.core.domain import Conversation, ConversationKind, KnownAccount, LastMessage, MessageKind, Person
from desktop.core.store.sqlite import SqliteStore
from desktop.core.sync.port import PutLocal, PutObjects
from tests.architecture.source_tree import ROOT

ME, PASSPHRASE = "0192f0c4-7a00-7000-8000-000000000001", "of this test"
RUN = """
import json, sys
from desktop.app.application import Application
enter = Application.enter
async def watched(self, session, *, hidden):
    await enter(self, session, hidden=hidden)
    self.signed_in.settled.connect(lambda: tell(self))
def modules():
    return sorted(name for name, module in sys.modules.items() if module is not None)
def tell(app):
    page = app.signed_in.window.page("messages")
    told = {"rows": page.list.model.rowCount(), "first": modules()}
    page.pane
    told["talk"] = modules()
    print(json.dumps(told), flush=True)
    app.quit()
Application.enter = watched
from desktop.__main__ import main
sys.exit(main())
"""
AFTER_ANY_CLICK = (
    "PySide6.QtMultimedia", "PySide6.QtPdf", "PySide6.QtPrintSupport", "PySide6.QtSvg", "PySide6.QtTest",
    "PIL", "pypdfium2", "openpyxl", "lxml", "docx", "pypinyin", "tufup", "keyring", "numpy", "html.entities", "plistlib",
    "desktop.app.control", "desktop.app.drive", "desktop.app.probes", "desktop.app.search_desk", "desktop.app.tour",
    "desktop.ui.capture", "desktop.ui.contacts.page", "desktop.ui.office.page", "desktop.ui.office.process",
    "desktop.ui.office.views", "desktop.ui.panel", "desktop.ui.popout", "desktop.ui.reader", "desktop.ui.search.overlay",
    "desktop.ui.search.talk_search", "desktop.ui.settings.page", "desktop.ui.shell.lock_window", "desktop.ui.shell.login",
    "desktop.ui.transfers", "desktop.ui.tray.quiet_dialog", "desktop.ui.viewer", "desktop.ui.voice",
    "desktop.ui.chat.clipboard_html", "desktop.ui.chat.emoji", "desktop.ui.chat.favorites", "desktop.ui.chat.group_panel",
    "desktop.ui.chat.merged_window", "desktop.ui.chat.poll_dialogs", "desktop.ui.chat.schedule_dialogs",
    "desktop.ui.chat.sticker_panel", "desktop.ui.chat.target_picker",
)  # fmt: skip
AFTER_THE_FIRST_PICTURE = (
    "desktop.ui.chat.pane",
    "desktop.ui.chat.view",
    "desktop.ui.chat.composer",
    "desktop.models.workbench",
    "desktop.core.net.websocket",
    *("httpx", "httpcore", "h2", "anyio", "websockets", "urllib.request", "http.client", "email.message"),
)


def keep_account(data: Path) -> None:
    """A data folder as a client leaves it that was signed in and remembered."""
    data.mkdir()
    install, key = uuid.uuid4().hex, os.urandom(KEY_BYTES)
    account = KnownAccount(ME, "https://127.0.0.1:9", "linyuan", "林远", last_used=1, remembered=True)
    (data / "accounts.json").write_bytes(msgspec.json.encode({"install": install, "accounts": [account]}))
    keychain = PassphraseKeychain(data / "keychain.sealed", PASSPHRASE, iterations=1, memory_kib=64)
    keychain.save(f"{install}/account/{ME}", key)
    path = data / "accounts" / uuid.uuid5(uuid.NAMESPACE_OID, ME).hex / "store.db"
    store = SqliteStore.open(path, subkey(key, "store"), ME)
    last = LastMessage("m1", 1, MessageKind.TEXT, "收到", 1, ME)
    talk = Conversation("c1", ConversationKind.GROUP, "工作群", last_seq=1, read_seq=1, last_message=last, updated_at=1)
    store.apply([PutLocal("auth", "refresh", b"a grant nobody asks for"), PutObjects("Person", (Person(ME, "林远"),))])
    store.apply([PutObjects("Conversation", (talk,))])
    store.close()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    data = tmp_path_factory.mktemp("start") / "data"
    keep_account(data)
    env = {**os.environ, "TONGBAN_KEYCHAIN_PASSPHRASE": PASSPHRASE, "QT_QPA_PLATFORM": "offscreen"}
    argv = [sys.executable, "-c", RUN, "--data-dir", str(data), "--lang", "zh"]
    done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert told["rows"] == 1  # the first picture is one of the list, not of an empty window
    return {moment: told[moment] for moment in ("first", "talk")}


def among(modules: list[str], unwanted: tuple[str, ...]) -> list[str]:
    return [one for one in modules if any(one == name or one.startswith(f"{name}.") for name in unwanted)]


def test_the_first_picture_loads_what_it_shows(loaded: dict[str, list[str]]) -> None:
    assert among(loaded["first"], (*AFTER_ANY_CLICK, *AFTER_THE_FIRST_PICTURE)) == []


def test_the_open_talk_loads_no_screen_that_is_opened_from_it(loaded: dict[str, list[str]]) -> None:
    assert "desktop.ui.chat.pane" in loaded["talk"]
    assert among(loaded["talk"], AFTER_ANY_CLICK) == []
