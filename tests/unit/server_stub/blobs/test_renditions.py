"""Office documents as PDF: made once by the office program (here one that only seems to be), within limits, for whoever may read the blob."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette

from server_stub.api.renditions import RenditionApi
from server_stub.storage.renditions import (
    NoRendition,
    RenditionLimits,
    Renditions,
    drop_orphaned_renditions,
    find_office_program,
)
from tests.helpers.asgi_call import Answer, call
from tests.helpers.file_server import open_files

DOCX = b"PK\3\4 a document"
BLOB = "ab" * 32
MAKES = """
for one in "$@"; do case $last in --outdir) out=$one;; esac; last=$one; done
echo run >> "{log}"; env > "{log}.env"; ulimit -v > "{log}.memory"
test -f "${{1#-env:UserInstallation=file://}}/user/registrymodifications.xcu" || exit 3
printf '%%PDF-1.7 of ' > "$out/document.pdf"; cat "$last" >> "$out/document.pdf"
"""


def make_program(folder: Path, body: str) -> Path:
    program = folder / "soffice"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return program


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(20):
            await test()

    asyncio.run(limited())


def test_a_document_is_made_once_for_all_who_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONGBAN_SECRET", "s3cret")
    monkeypatch.chdir(tmp_path)
    log, source = tmp_path / "log", tmp_path / "blob"
    source.write_bytes(DOCX)
    cache = tmp_path / "renditions"

    async def test() -> None:
        made = Renditions(
            make_program(tmp_path, MAKES.format(log=log)), Path("renditions")
        )  # as a data folder may be told
        found = await asyncio.gather(*(made.load(BLOB, source, "docx") for _ in range(4)))
        assert {one.read_bytes() for one in found} == {b"%PDF-1.7 of " + DOCX}
        await made.load(BLOB, source, "docx")

    run(test)
    assert log.read_text() == "run\n"
    assert "s3cret" not in (tmp_path / "log.env").read_text()
    assert int((tmp_path / "log.memory").read_text()) == 2 << 20  # KiB
    assert [path.name for path in cache.glob("??/*")] == [f"{BLOB}-docx.pdf"]
    drop_orphaned_renditions(cache, tmp_path / "blobs")
    assert list(cache.glob("??/*")) == []


@pytest.mark.parametrize(
    ("body", "content", "suffix"),
    [
        ("sleep 30 & sleep 30", DOCX, "docx"),
        ("exit 1", DOCX, "docx"),
        ("exit 0", DOCX, "docx"),
        ("exit 0", b"<html>", "docx"),
        ("exit 0", DOCX, "html"),
    ],
)
def test_what_cannot_be_made_is_refused_and_not_tried_again(
    tmp_path: Path, body: str, content: bytes, suffix: str
) -> None:
    log, source = tmp_path / "log", tmp_path / "blob"
    source.write_bytes(content)

    async def test() -> None:
        program = make_program(tmp_path, f'echo run >> "{log}"; {body}')
        made = Renditions(program, tmp_path / "renditions", RenditionLimits(seconds=0.3))
        for _ in range(2):
            with pytest.raises(NoRendition):
                await made.load(BLOB, source, suffix)

    run(test)
    assert not log.exists() or log.read_text() == "run\n"
    assert not list((tmp_path / "renditions").glob("??/rendition-*"))


def test_only_who_may_read_the_blob_may_read_its_pages(tmp_path: Path) -> None:
    with open_files(tmp_path) as server:
        program = make_program(tmp_path, MAKES.format(log=tmp_path / "log"))
        pages = RenditionApi(server.blobs, Renditions(program, tmp_path / "renditions"))
        app = Starlette(routes=pages.routes())

        async def ask(blob: str, suffix: str, person: str) -> Answer:
            return await call(app, "GET", f"/jmap/rendition/{person}/{blob}/{suffix}", {"x-person": person})

        async def test() -> None:
            blob = await server.parts.blobs.put_bytes(DOCX, type_="a/b", uploader="li")
            answer = await ask(blob.id, "docx", "li")
            assert (answer.status, answer.body) == (200, b"%PDF-1.7 of " + DOCX)
            assert answer.headers["content-type"] == "application/pdf"
            assert (await ask(blob.id, "docx", "wang")).status == 404
            assert (await ask(blob.id, "exe", "li")).status == 404
            assert (await ask(blob.id, "odt", "li")).status == 200
            assert (await ask(blob.id, "xls", "li")).status == 400
            await pages.close()

        run(test)


def test_no_program_no_pages(tmp_path: Path) -> None:
    assert find_office_program("") is None
    assert find_office_program(str(tmp_path / "soffice")) is None
    assert find_office_program(str(make_program(tmp_path, "true"))) == tmp_path / "soffice"
