"""What the desktop hands over to the running client: files of this computer, links, the end of the session."""

import asyncio
import os
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from PySide6.QtWidgets import QApplication

from desktop.app import file_opener
from desktop.app.application import Application
from desktop.app.file_opener import FileWindows
from desktop.core.errors import BadFile
from desktop.ui.i18n import has
from tests.helpers.stage import RecordingNavigator


def _windows() -> FileWindows:
    session = SimpleNamespace(me=SimpleNamespace(name="林远"), records=None)
    return FileWindows(cast(Any, session), lambda: 0)


def test_a_file_of_this_computer_is_read_here(tmp_path: Path, qapp: QApplication) -> None:
    (tmp_path / "说明.txt").write_text("第一条", encoding="utf-8")

    async def scene() -> None:
        windows = _windows()
        await windows._read_local(tmp_path / "说明.txt")
        assert [reader.windowTitle() for reader in windows._readers] == ["说明.txt"]
        assert windows._readers[0]._document is not None
        assert windows._readers[0]._document.data.decode() == "第一条"
        await windows._read_local(tmp_path / "gone.pdf")
        assert windows._readers[1]._document is None, "says that it is gone"
        with pytest.raises(BadFile) as refused:
            await windows._read_local(tmp_path / "tool.exe")
        assert refused.value.data["reason"] == "notShown"
        windows.close()

    asyncio.run(scene())
    assert has("error.badFile.notShown")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_what_is_no_plain_file_or_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.pdf")
    (tmp_path / "large.pdf").write_bytes(b"%PDF-")
    monkeypatch.setattr(file_opener, "MOST_LOCAL", 4)
    for name, reason in (("pipe.pdf", "missing"), ("large.pdf", "notShown")):
        with pytest.raises(BadFile) as refused:
            file_opener._load_whole(tmp_path / name)
        assert refused.value.data["reason"] == reason


def test_links_wait_for_the_sign_in_and_each_kind_goes_its_way(tmp_path: Path) -> None:
    opened: list[object] = []
    paths = RecordingNavigator()
    program = SimpleNamespace(
        _links=["tongban://do/newest", "tongban://notice/n1", str(tmp_path / "a.ofd"), "https://x/"],
        signed_in=None,
        surroundings=SimpleNamespace(pressed=SimpleNamespace(emit=opened.append)),
    )
    follow: Any = Application._follow_links
    follow(program)
    assert len(program._links) == 4
    program.signed_in = SimpleNamespace(window=paths, files=SimpleNamespace(open_local=opened.append))
    follow(program)
    assert (opened, paths.calls, program._links) == (["newest", tmp_path / "a.ofd"], [("notice", "n1")], [])


def test_the_end_of_the_session_keeps_places_and_drafts() -> None:
    kept: list[object] = []
    done: Future[None] = Future()
    done.set_result(None)
    program = SimpleNamespace(
        help=SimpleNamespace(leave=lambda: kept.append("no crash")),
        signed_in=SimpleNamespace(remember=lambda: kept.append("places"), drafts=lambda: [("c1", "写了一半")]),
        core_session=SimpleNamespace(chat=SimpleNamespace(set_draft=lambda *draft: kept.append(draft))),
        bridge=SimpleNamespace(running=True, submit=lambda _saving: done),
    )
    program._save_now = lambda: cast(Any, Application._save_now)(program)
    cast(Any, Application._on_session_end)(program, None)
    assert kept == ["no crash", "places", ("c1", "写了一半")]
