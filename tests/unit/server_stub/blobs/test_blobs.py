"""Blobs: named by content, complete before they are known, seen through what refers to them, dropped when nothing does."""

import asyncio
import hashlib
import io
import os
import sqlite3
import warnings
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from server_stub.errors import SetError
from server_stub.records.actor import Actor
from server_stub.storage import thumbnails
from server_stub.storage.blobs import clean_type, do_link, do_unrefer, is_blob_id
from server_stub.storage.schema import MIGRATIONS
from tests.helpers.asgi_call import DISCONNECT, Answer, call
from tests.helpers.file_server import FileServer, open_files
from tests.helpers.server_parts import Parts, open_parts

HOUR_MS = 3_600_000
LI, WANG = Actor("li"), Actor("wang")


def run(folder: Path, test: Callable[[FileServer], Awaitable[None]], **options: Any) -> None:
    with open_files(folder, **options) as server:
        asyncio.run(asyncio.wait_for(test(server), 60))


def with_store(folder: Path, test: Callable[[Parts], Awaitable[None]]) -> None:
    with open_parts(folder) as parts:
        asyncio.run(asyncio.wait_for(test(parts), 60))


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def upload(server: FileServer, data: bytes, person: str = "li", **headers: str) -> Answer:
    return await call(server.app, "POST", f"/jmap/upload/{person}/", {"x-person": person} | headers, data)


async def download(server: FileServer, blob: str, name: str = "f", person: str = "li", **headers: str) -> Answer:
    sent = {"x-person": person} | {key.replace("_", "-"): value for key, value in headers.items()}
    return await call(server.app, headers.pop("method", "GET"), f"/jmap/download/{person}/{blob}/{name}", sent)


# ---------------------------------------------------------------- the store


def test_the_same_content_is_one_file_for_all_uploaders(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        one = await parts.blobs.put_bytes(b"same", type_="text/plain", uploader="li")
        other = await parts.blobs.put_bytes(b"same", type_="image/png", uploader="wang")
        assert one.id == other.id == digest(b"same")
        assert (one.type, other.type) == ("text/plain", "image/png")  # each says for himself what it is
        assert parts.blobs.path(one.id).read_bytes() == b"same"
        files = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
        assert len(files) == 1

    with_store(tmp_path, test)


def test_many_uploads_of_the_same_content_at_once(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        async def put(number: int) -> None:
            source = parts.blobs.new_temporary()
            source.write_bytes(b"same" * 1000)
            await parts.blobs.put_file(source, type_="a/b", uploader=f"p{number}")

        await asyncio.gather(*(put(number) for number in range(20)))
        assert parts.blobs.path(digest(b"same" * 1000)).stat().st_size == 4000
        assert list((tmp_path / "blobs" / "tmp").iterdir()) == []

    with_store(tmp_path, test)


def test_access_is_by_upload_or_through_what_refers_to_it(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        seen_by_wang: set[str] = set()

        def sees(conn: sa.Connection, actor: Any, type_name: str, ids: Sequence[str]) -> bool:
            return actor is WANG and type_name == "Message" and bool(seen_by_wang & set(ids))

        parts.blobs.set_visibility(sees)
        blob = await parts.blobs.put_bytes(b"x", type_="a/b", uploader="li")

        async def may(actor: Actor) -> bool:
            return await parts.database.read(lambda conn: parts.blobs.access_blob(conn, actor, blob.id)) is not None

        assert (await may(LI), await may(WANG)) == (True, False)
        with pytest.raises(SetError, match="no such blob") as caught:
            await parts.database.write(lambda tx: parts.blobs.do_refer(tx, blob.id, "m0", "Message", WANG))
        assert caught.value.type == "blobNotFound"
        await parts.database.write(lambda tx: parts.blobs.do_refer(tx, blob.id, "m1", "Message", LI))
        assert not await may(WANG)
        seen_by_wang.add("m1")
        assert await may(WANG)
        await parts.database.write(lambda tx: parts.blobs.do_refer(tx, blob.id, "m2", "Message", WANG))  # forwarding
        await parts.database.write(lambda tx: do_unrefer(tx, "m1", "Message"))
        assert not await may(WANG)

    with_store(tmp_path, test)


@pytest.mark.parametrize("blob_id", ["", "x", "../../etc", "A" * 64, "0" * 63, "0" * 64 + "\n", "0" * 64])
def test_unknown_and_malformed_ids(tmp_path: Path, blob_id: str) -> None:
    async def test(parts: Parts) -> None:
        with pytest.raises(SetError, match="no such blob"):
            await parts.database.write(lambda tx: parts.blobs.do_refer(tx, blob_id, "m", "Message", LI))

    with_store(tmp_path, test)
    assert is_blob_id(blob_id) == (blob_id == "0" * 64)


def test_orphans_are_dropped_after_a_day_and_not_before(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        lone = await parts.blobs.put_bytes(b"lone", type_="a/b", uploader="li")
        used = await parts.blobs.put_bytes(b"used", type_="a/b", uploader="li")
        twice = await parts.blobs.put_bytes(b"twice", type_="a/b", uploader="li")
        await parts.database.write(lambda tx: do_link(tx, used.id, "m", "Message"))

        async def drop() -> int:
            return await parts.blobs.drop_orphans(parts.clock.now - 24 * HOUR_MS)

        parts.clock.advance(24 * HOUR_MS)
        assert await drop() == 0
        await parts.blobs.put_bytes(b"twice", type_="a/b", uploader="wang")  # wanted again: lives another day
        parts.clock.advance(1)
        assert await drop() == 1
        assert not parts.blobs.path(lone.id).exists()
        assert parts.blobs.path(used.id).exists()
        assert parts.blobs.path(twice.id).exists()
        await parts.database.write(lambda tx: do_unrefer(tx, "m", "Message"))
        parts.clock.advance(25 * HOUR_MS)
        assert await drop() == 2
        back = await parts.blobs.put_bytes(b"lone", type_="a/b", uploader="li")
        assert parts.blobs.path(back.id).read_bytes() == b"lone"

    with_store(tmp_path, test)


def test_uploads_and_the_clean_up_never_lose_a_file_between_them(tmp_path: Path) -> None:
    async def test(parts: Parts) -> None:
        for _ in range(15):
            await parts.blobs.put_bytes(b"race", type_="a/b", uploader="li")
            parts.clock.advance(48 * HOUR_MS)
            await asyncio.gather(
                parts.blobs.drop_orphans(parts.clock.now - 24 * HOUR_MS),
                parts.blobs.put_bytes(b"race", type_="a/b", uploader="wang"),
            )
            row = await parts.database.read(lambda conn: parts.blobs.access_blob(conn, WANG, digest(b"race")))
            assert row is not None
            assert parts.blobs.path(row.id).read_bytes() == b"race"
            parts.clock.advance(48 * HOUR_MS)

    with_store(tmp_path, test)


@given(st.text(max_size=60))
def test_any_text_as_type(text: str) -> None:
    kind, _, rest = clean_type(text).partition("/")
    assert kind
    assert rest
    assert not set("\r\n;, ") & set(clean_type(text))


def test_a_database_of_version_1_keeps_its_types_and_learns_those_of_each_uploader(tmp_path: Path) -> None:
    async def first(parts: Parts) -> None:
        await parts.blobs.put_bytes(b"old", type_="text/plain", uploader="li")
        await parts.database.write(lambda tx: do_link(tx, digest(b"old"), "m", "Message"))

    async def then(parts: Parts) -> None:
        parts.blobs.set_visibility(lambda conn, actor, type_name, ids: actor is WANG)
        for actor in (LI, WANG):
            found = await parts.database.read(lambda conn, a=actor: parts.blobs.access_blob(conn, a, digest(b"old")))  # type: ignore[misc]
            assert found is not None
            assert found.type == "text/plain"
        await parts.blobs.put_bytes(b"old", type_="image/png", uploader="wang")
        mine = await parts.database.read(lambda conn: parts.blobs.access_blob(conn, WANG, digest(b"old")))
        assert mine is not None
        assert mine.type == "image/png"
        plan = await parts.database.read(
            lambda conn: conn.exec_driver_sql(
                "EXPLAIN QUERY PLAN SELECT 1 FROM blob_uploader WHERE person_id = 'li'"
            ).fetchall()
        )
        assert "blob_uploader_person" in str(plan)

    with_store(tmp_path, first)
    with closing(sqlite3.connect(tmp_path / "test.db")) as old:  # as version 1 left it
        old.execute("DROP INDEX blob_uploader_person")
        old.execute("ALTER TABLE blob_uploader DROP COLUMN type")
        old.execute("ALTER TABLE blob_ref DROP COLUMN type")
        old.commit()
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'test.db'}", poolclass=sa.NullPool)
    with engine.begin() as conn:
        MIGRATIONS[2](conn)
    with_store(tmp_path, then)


# ---------------------------------------------------------------- upload and download


def test_upload_then_download(tmp_path: Path) -> None:
    data = os.urandom(300_000)

    async def test(server: FileServer) -> None:
        made = await upload(server, data, **{"content-type": "image/png; x=y"})
        assert made.status == 201
        assert made.body.decode().replace(" ", "") == (
            f'{{"accountId":"li","blobId":"{digest(data)}","type":"image/png","size":300000}}'
        )
        got = await download(server, digest(data), "图.png")
        assert (got.status, got.body) == (200, data)
        assert got.headers["content-type"] == "image/png"
        assert got.headers["etag"] == f'"{digest(data)}"'
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["content-disposition"].startswith("attachment;")
        assert got.headers["accept-ranges"] == "bytes"
        assert "no-store" not in got.headers["cache-control"]
        assert "private" in got.headers["cache-control"]

    run(tmp_path, test)


def test_ranges_over_http(tmp_path: Path) -> None:
    data = bytes(range(256)) * 16_384  # 4 MiB: several reads

    async def test(server: FileServer) -> None:
        await server.parts.blobs.put_bytes(data, type_="a/b", uploader="li")
        blob = digest(data)
        middle = await download(server, blob, range="bytes=1000000-3000000")
        assert (middle.status, middle.body) == (206, data[1_000_000:3_000_001])
        assert middle.headers["content-range"] == f"bytes 1000000-3000000/{len(data)}"
        assert middle.headers["content-length"] == "2000001"
        outside = await download(server, blob, range=f"bytes={len(data)}-")
        assert (outside.status, outside.headers["content-range"]) == (416, f"bytes */{len(data)}")
        fits = await download(server, blob, range="bytes=0-1", if_range=f'"{blob}"')
        changed = await download(server, blob, range="bytes=0-1", if_range='"old"')
        assert (fits.status, changed.status, len(changed.body)) == (206, 200, len(data))
        held = await download(server, blob, if_none_match=f'"{blob}"')
        assert (held.status, held.body) == (304, b"")
        head = await call(server.app, "HEAD", f"/jmap/download/li/{blob}/f", {"x-person": "li", "range": "bytes=0-9"})
        assert (head.status, head.body, head.headers["content-length"]) == (206, b"", "10")

    run(tmp_path, test)


def test_downloads_of_strangers_and_strange_paths(tmp_path: Path) -> None:
    async def test(server: FileServer) -> None:
        await upload(server, b"secret")
        blob = digest(b"secret")
        assert (await download(server, blob, person="wang")).code == "notFound"
        foreign = await call(server.app, "GET", f"/jmap/download/li/{blob}/f", {"x-person": "wang"})
        assert foreign.code == "notFound"
        assert (await call(server.app, "GET", f"/jmap/download/li/{blob}/f")).code == "tokenExpired"
        assert (await download(server, "0" * 64)).code == "notFound"
        assert (await download(server, "..%2f..")).status == 404
        assert (await download(server, blob, "a/b/../c")).status == 200
        writer = await call(server.app, "GET", f"/jmap/download/li/{blob}/f", {"x-person": "li", "x-scopes": "write"})
        assert writer.code == "forbidden"
        server.parts.blobs.path(blob).unlink()
        assert (await download(server, blob)).code == "notFound"

    run(tmp_path, test)


def test_uploads_that_are_too_large_or_break_off_leave_nothing(tmp_path: Path) -> None:
    async def test(server: FileServer) -> None:
        announced = await upload(server, b"x", **{"content-length": "1000001"})
        assert announced.code == "tooLarge"
        lied = await call(server.app, "POST", "/jmap/upload/li/", {"x-person": "li"}, [b"x" * 600_000, b"x" * 600_000])
        assert lied.code == "tooLarge"
        cut = await call(server.app, "POST", "/jmap/upload/li/", {"x-person": "li"}, [b"x" * 10, DISCONNECT])
        assert cut.status == 400
        assert (await upload(server, b"x", **{"content-length": "1e9"})).code == "tooLarge"
        assert (await upload(server, b"", person="li")).status == 201  # an empty file is a file
        files = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
        assert [path.name for path in files] == [digest(b"")]

    run(tmp_path, test)


def test_at_most_four_uploads_at_a_time(tmp_path: Path) -> None:
    async def test(server: FileServer) -> None:
        begun, go_on = asyncio.Semaphore(0), asyncio.Event()

        async def slowly() -> Any:
            yield b"x"
            begun.release()
            await go_on.wait()

        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(call(server.app, "POST", "/jmap/upload/li/", {"x-person": "li"}, slowly()))
                for _ in range(4)
            ]
            for _ in running:
                await begun.acquire()
            fifth = await upload(server, b"y")
            assert (fifth.status, b"maxConcurrentUpload" in fifth.body) == (429, True)
            assert (await upload(server, b"y", person="wang")).status == 201
            go_on.set()
        assert [one.result().status for one in running] == [201] * 4
        assert (await upload(server, b"y")).status == 201

    run(tmp_path, test)


# ---------------------------------------------------------------- thumbnails


def picture(size: tuple[int, int], kind: str, mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, (200, 30, 30, 128)[: len(mode)]).save(out, kind, **options)
    return out.getvalue()


async def thumbnail(server: FileServer, data: bytes, edge: object = 96, accept: str = "*/*") -> Answer:
    await server.parts.blobs.put_bytes(data, type_="image/x", uploader="li")
    path = f"/jmap/thumbnail/li/{digest(data)}/{edge}"
    return await call(server.app, "GET", path, {"x-person": "li", "accept": accept})


@pytest.mark.parametrize(
    ("kind", "mode", "accept", "type_"),
    [
        ("JPEG", "RGB", "*/*", "image/jpeg"),
        ("PNG", "RGB", "*/*", "image/jpeg"),
        ("PNG", "RGBA", "*/*", "image/png"),
        ("WEBP", "RGB", "image/webp,*/*", "image/webp"),
        ("GIF", "RGB", "*/*", "image/jpeg"),
        ("BMP", "RGB", "image/webp", "image/webp"),
    ],
)
def test_thumbnails_of_every_format(tmp_path: Path, kind: str, mode: str, accept: str, type_: str) -> None:
    async def test(server: FileServer) -> None:
        data = picture((800, 400), kind, mode)
        for _ in range(2):  # made, then from the cache
            answer = await thumbnail(server, data, 256, accept)
            assert (answer.status, answer.headers["content-type"]) == (200, type_)
            with Image.open(io.BytesIO(answer.body)) as small:
                assert small.size == (256, 128)

    run(tmp_path, test)


def test_small_pictures_stay_small_and_sideways_ones_are_turned(tmp_path: Path) -> None:
    async def test(server: FileServer) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6  # the camera was held sideways
        data = picture((60, 30), "JPEG", exif=exif)
        answer = await thumbnail(server, data)
        with Image.open(io.BytesIO(answer.body)) as small:
            assert small.size == (30, 60)

    run(tmp_path, test)


def test_what_is_no_picture_or_a_bomb_is_refused(tmp_path: Path) -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
    bomb = picture((20_000, 20_000), "PNG", "1")  # 400 million pixels in 49 kB
    cut = picture((400, 400), "PNG")[:200]
    tiff = picture((10, 10), "TIFF")
    pdf = picture((10, 10), "PDF")

    async def test(server: FileServer) -> None:
        for data in (b"", b"text", svg, bomb, cut, tiff, pdf, b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"):
            assert (await thumbnail(server, data)).code == "badRequest"
        for edge in ("95", "0", "-1", "99999", "x"):
            assert (await thumbnail(server, picture((10, 10), "PNG"), edge)).code == "notFound"

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(tmp_path, test)
    assert list((tmp_path / "thumbnails").rglob("*-*")) == []


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "BMP"]),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=12),
    st.floats(0, 1),
)
def test_broken_pictures_are_no_pictures_and_nothing_worse(
    tmp_path_factory: pytest.TempPathFactory, kind: str, changes: list[tuple[float, int]], keep: float
) -> None:
    data = bytearray(picture((40, 30), kind))
    for where, value in changes:
        data[int(where * (len(data) - 1))] = value
    folder = tmp_path_factory.mktemp("broken")
    path = folder / "blob"
    path.write_bytes(bytes(data[: max(1, int(len(data) * keep))]) if keep < 0.5 else bytes(data))
    try:
        body, type_ = thumbnails.load_thumbnail(path, folder / "cache", 96, webp=False)
    except thumbnails.NotAPicture:
        return
    assert body
    assert type_ in {"image/jpeg", "image/png"}
