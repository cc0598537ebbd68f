"""Small parts of the composition: links from outside, trust in servers, the local cache, names of plain copies."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from desktop.app import file_opener
from desktop.app.application import Application
from desktop.app.file_opener import FileWindows
from desktop.app.links import open_link
from desktop.app.local_cache import LocalCache
from desktop.app.options import Options
from desktop.app.trust import Trust, pinned_fingerprint
from desktop.core.domain import Attachment, Direction, KnownAccount, Transfer, TransferState
from desktop.core.errors import BadFile, Rejected
from desktop.core.services.client import Client
from desktop.core.services.file_names import safe_name
from desktop.core.services.session import Session
from desktop.platform import opening
from desktop.platform.network import NetworkWatch, system_information
from desktop.platform.policy import NO_POLICY, Policy
from desktop.ui.i18n import has
from tests.helpers.stage import RecordingNavigator


@pytest.mark.parametrize("kind", ["conversation", "person", "notice", "document"])
def test_link_leads_to_what_it_names(kind: str) -> None:
    paths = RecordingNavigator()
    assert open_link(f"tongban://{kind}/0192f0c4-7a00-7000-8000-000000000001", paths)
    assert paths.calls == [(kind, "0192f0c4-7a00-7000-8000-000000000001")]


@pytest.mark.parametrize(
    "link",
    ["", "https://x/conversation/1", "tongban://quit/1", "tongban://notice/", "tongban://page/admin", "tongban://[x",
     "tongban://notice/../../etc", "tongban://notice/a b", "tongban://notice/%2e%2e%2f", "file:///etc/passwd"],
)  # fmt: skip
def test_anything_else_leads_nowhere(link: str) -> None:
    paths = RecordingNavigator()
    assert not open_link(link, paths)
    assert paths.calls == []


@given(st.text(max_size=60))
def test_no_link_crashes(link: str) -> None:
    open_link(link, RecordingNavigator())
    open_link(f"tongban://notice/{link}", RecordingNavigator())


@given(st.text(max_size=300))
def test_plain_copy_stays_in_its_folder(name: str) -> None:
    safe = safe_name(name)
    assert safe == Path(safe).name
    assert safe not in ("", ".", "..")
    assert not set(safe) & set('/\\<>:"|?*\0')


def test_first_key_is_pinned_a_changed_one_needs_the_users_word() -> None:
    async def scene() -> None:
        trust = Trust()
        assert await trust("https://oa:8460", "aa", None)
        assert not await trust("https://oa:8460", "bb", "aa")
        trust.approve("https://OA:8460", "bb")
        assert await trust("https://oa:8460", "bb", "aa")
        assert not await trust("https://oa:8460", "cc", "aa")
        assert not await trust("https://other:8460", "bb", "aa")

    asyncio.run(scene())


def test_named_certificate_is_the_only_one_believed(tmp_path: Path) -> None:
    async def scene() -> None:
        broken = tmp_path / "ca.pem"
        broken.write_text("no certificate", encoding="utf-8")
        assert not await Trust(broken)("https://oa", "aa", None)
        assert not await Trust(tmp_path / "missing.pem")("https://oa", "aa", None)

    asyncio.run(scene())


def test_no_pin_is_an_empty_fingerprint(tmp_path: Path) -> None:
    assert pinned_fingerprint(tmp_path, "https://oa") == ""
    (tmp_path / "trust.json").write_bytes(b"broken")
    assert pinned_fingerprint(tmp_path, "https://oa") == ""


def test_the_local_cache_asks_the_core(tmp_path: Path) -> None:
    asked: list[tuple[int, int | None]] = []

    class Cache:
        async def size(self) -> int:
            return 400

        async def clear(self) -> int:
            return 200

        async def trim(self, limit: int, *, unused_since_ms: int | None = None) -> int:
            asked.append((limit, unused_since_ms))
            return 100

    cache = LocalCache(tmp_path, cast(Session, cast(Any, SimpleNamespace(cache=Cache()))))
    assert asyncio.run(cache.size()) == 400
    assert asyncio.run(cache.clear()) == 200
    assert asyncio.run(cache.trim(300)) == 100
    assert asyncio.run(cache.trim(300, unused_since_ms=7)) == 100
    assert asked == [(300, None), (300, 7)]


class SystemNetwork(QObject):
    """The system's network as Qt tells of it."""

    reachabilityChanged = Signal(int)  # noqa: N815 - Qt's name
    transportMediumChanged = Signal(int)  # noqa: N815 - Qt's name


def test_a_change_of_the_network_is_told(qapp: QApplication) -> None:
    system, told = SystemNetwork(), list[bool]()
    watch = NetworkWatch(load=lambda: system)
    watch.changed.connect(lambda: told.append(True))
    system.reachabilityChanged.emit(1)
    assert told == []
    watch.start()
    watch.start()
    system.reachabilityChanged.emit(4)
    system.transportMediumChanged.emit(2)
    assert told == [True, True]


def test_a_system_that_tells_nothing_is_no_harm(qapp: QApplication) -> None:
    watch = NetworkWatch(load=lambda: None)
    watch.start()
    real = system_information()
    assert real is None or hasattr(real, "reachabilityChanged")


class _Archives:
    """The files of a session: one archive that is a folder, one that is none, one the server let go."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.unpacked, self.path = folder, 0, None

    async def ensure(self, blob_id: str, name: str, *, quiet: bool) -> None:
        if name == "旧.zip":
            raise Rejected(type="notFound")

    async def is_folder(self, blob_id: str, name: str) -> bool:
        return name == "材料.zip"

    async def download(self, attachment: Attachment) -> Transfer:
        size = attachment.size
        return Transfer("t", Direction.DOWN, attachment.name, size, size, TransferState.DONE, path=self.path)

    async def save_into(self, transfer_id: str, folder: Path) -> Path | None:
        self.unpacked += 1
        made = self.folder / "材料"
        made.mkdir()
        self.path = str(made)
        return made


def test_a_received_folder_is_opened_as_a_folder(
    tmp_path: Path, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unpacked once, shown then and later; another archive is read; one that has run out says why."""
    shown: list[Path] = []
    read: list[str] = []
    monkeypatch.setattr(opening, "show_in_folder", lambda path: shown.append(path) or True)
    monkeypatch.setattr(file_opener, "downloads_dir", lambda: tmp_path)

    async def note(_self: FileWindows, attachment: Attachment) -> None:
        read.append(attachment.name)

    monkeypatch.setattr(FileWindows, "_read", note)
    files = _Archives(tmp_path)

    async def scene() -> None:
        windows = FileWindows(cast(Any, SimpleNamespace(files=files)), lambda: 0)
        for _ in range(2):
            await windows._open_archive(Attachment("ab", "材料.zip"))
        await windows._open_archive(Attachment("cd", "程序.zip"))
        for told, reason in (
            (Attachment("ef", "旧.zip", expired=True), "expired"),
            (Attachment("ef", "旧.zip", direct=True), "direct"),
        ):
            with pytest.raises(BadFile) as refused:
                await windows._open_archive(told)
            assert refused.value.data["reason"] == reason
            assert has(f"error.badFile.{reason}")
        windows.close()

    asyncio.run(scene())
    assert (files.unpacked, shown, read) == (1, [tmp_path / "材料"] * 2, ["程序.zip"])


def test_an_account_of_another_office_is_not_entered_by_itself(tmp_path: Path) -> None:
    """The administrator named the server: neither a remembered account of another one nor --server leads elsewhere."""
    away, here = "https://elsewhere.example.gov:8460", "https://oa.example.gov:8460"
    asked: list[tuple[str, ...]] = []

    class Core:
        known = (away,)

        def accounts(self) -> list[KnownAccount]:
            return [KnownAccount(server, server, "linyuan", "", remembered=True) for server in self.known]

        async def resume(self, account: KnownAccount, **_: object) -> str:
            asked.append(("resume", account.server))
            return "session"

        async def sign_in(self, server: str, login: str, _password: str, **_: object) -> str:
            asked.append(("sign in", server, login))
            return "session"

    core = Core()
    options = Options(tmp_path, server=away)
    application = SimpleNamespace(_options=options, policy=Policy(server="https://oa.example.gov"), _may_connect=None)
    application._set_server = lambda: Application._set_server(cast(Application, application))

    def begin() -> object:
        return asyncio.run(Application._sign_in_unasked(cast(Application, application), cast(Client, core)))

    assert begin() is None
    core.known = (away, here)
    assert begin() == "session"
    application.policy = NO_POLICY
    assert begin() == "session"
    assert asked == [("resume", here), ("resume", away)]
