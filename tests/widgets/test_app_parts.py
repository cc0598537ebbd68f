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

from desktop.app.links import open_link
from desktop.app.local_cache import LocalCache
from desktop.app.trust import Trust, pinned_fingerprint
from desktop.core.services.blobs import safe_name
from desktop.core.services.session import Session
from desktop.platform.network import NetworkWatch, system_information
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
    asked: list[int] = []

    class Cache:
        async def size(self) -> int:
            return 400

        async def clear(self) -> int:
            return 200

        async def trim(self, limit: int) -> int:
            asked.append(limit)
            return 100

    cache = LocalCache(tmp_path, cast(Session, cast(Any, SimpleNamespace(cache=Cache()))))
    assert asyncio.run(cache.size()) == 400
    assert asyncio.run(cache.clear()) == 200
    assert asyncio.run(cache.trim(300)) == 100
    assert asked == [300]


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
