"""tus 1.0 against our routes: offsets, interruptions, restarts, checksums, two writers, expiry, a full disk, hostile headers."""

import asyncio
import base64
import errno
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server_stub.api import tus
from server_stub.storage.uploads import PartWriter, Upload, UploadStore
from tests.helpers.asgi_call import DISCONNECT, Answer, call
from tests.helpers.file_server import FileServer, open_files

BASE = {"tus-resumable": "1.0.0", "x-person": "li"}
OCTETS = {"content-type": "application/offset+octet-stream"}


def run(folder: Path, test: Callable[[FileServer], Awaitable[None]], **options: Any) -> None:
    with open_files(folder, **options) as server:
        asyncio.run(asyncio.wait_for(test(server), 60))


async def create(server: FileServer, length: int, body: bytes = b"", metadata: str = "") -> str:
    headers = BASE | {"upload-length": str(length), "upload-metadata": metadata} | (OCTETS if body else {})
    answer = await call(server.app, "POST", "/files", headers, body)
    assert answer.status == 201, answer.body
    return answer.headers["location"]


async def patch(server: FileServer, url: str, offset: int, body: Any, **more: str) -> Answer:
    headers = (
        BASE | OCTETS | {"upload-offset": str(offset)} | {key.replace("_", "-"): value for key, value in more.items()}
    )
    return await call(server.app, "PATCH", url, headers, body)


async def head(server: FileServer, url: str) -> Answer:
    return await call(server.app, "HEAD", url, BASE)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def checksum(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def test_upload_in_pieces_becomes_a_blob(tmp_path: Path) -> None:
    data = bytes(range(256)) * 40

    async def test(server: FileServer) -> None:
        meta = (
            f"filename {base64.b64encode('文件'.encode()).decode()},filetype {base64.b64encode(b'image/png').decode()}"
        )
        url = await create(server, len(data), metadata=meta)
        first = await patch(server, url, 0, data[:5000])
        assert (first.status, first.headers["upload-offset"]) == (204, "5000")
        assert "upload-expires" in first.headers
        state = await head(server, url)
        assert state.headers["upload-offset"] == "5000"
        assert state.headers["upload-length"] == str(len(data))
        assert state.headers["upload-metadata"] == meta
        assert state.headers["cache-control"] == "no-store"
        last = await patch(server, url, 5000, data[5000:])
        assert last.headers["tongban-blob-id"] == digest(data)
        assert (await head(server, url)).headers["tongban-blob-id"] == digest(data)
        assert server.parts.blobs.path(digest(data)).read_bytes() == data
        assert list(server.uploads.folder.glob("*.part")) == []
        again = await patch(server, url, len(data), b"")  # a repeated last request
        assert again.headers["tongban-blob-id"] == digest(data)

    run(tmp_path, test)


def test_creation_with_upload_and_an_empty_file(tmp_path: Path) -> None:
    async def test(server: FileServer) -> None:
        whole = await call(server.app, "POST", "/files", BASE | OCTETS | {"upload-length": "5"}, b"hello")
        assert whole.headers["tongban-blob-id"] == digest(b"hello")
        part = await create(server, 5, b"hel")
        assert (await head(server, part)).headers["upload-offset"] == "3"
        empty = await call(server.app, "POST", "/files", BASE | {"upload-length": "0"})
        assert empty.headers["tongban-blob-id"] == digest(b"")

    run(tmp_path, test)


def test_a_lost_connection_keeps_what_came(tmp_path: Path) -> None:
    data = b"x" * 3_000_000

    async def test(server: FileServer) -> None:
        url = await create(server, len(data))
        await patch(server, url, 0, [data[:1_700_000], DISCONNECT])
        assert (await head(server, url)).headers["upload-offset"] == "1700000"
        done = await patch(server, url, 1_700_000, [data[1_700_000:2_000_000], data[2_000_000:]])
        assert done.headers["tongban-blob-id"] == digest(data)

    run(tmp_path, test)


def test_offsets_and_content_survive_restarts(tmp_path: Path) -> None:
    data = bytes(i % 251 for i in range(10_000))
    urls: list[str] = []

    async def begin(server: FileServer) -> None:
        urls.append(await create(server, len(data)))
        await patch(server, urls[0], 0, data[:4000])
        # What a crash leaves behind: bytes that were written but never promised.
        part = server.uploads.folder / f"{urls[0].rpartition('/')[2]}.part"
        with part.open("ab") as out:
            out.write(b"torn")

    async def end(server: FileServer) -> None:
        assert (await head(server, urls[0])).headers["upload-offset"] == "4000"
        done = await patch(server, urls[0], 4000, data[4000:])
        assert done.headers["tongban-blob-id"] == digest(data)

    run(tmp_path, begin)
    run(tmp_path, end)


@pytest.mark.parametrize("point", ["seal", "put_file", "finish"])
def test_a_crash_between_the_last_byte_and_the_blob_loses_nothing(
    tmp_path: Path, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crash(BaseException):
        pass

    def crash(*args: object, **options: object) -> None:
        raise Crash

    urls: list[str] = []

    async def begin(server: FileServer) -> None:
        urls.append(await create(server, 5))
        target: object = server.parts.blobs if point == "put_file" else server.uploads
        monkeypatch.setattr(target, point, crash)
        with pytest.raises(Crash):
            await patch(server, urls[0], 0, b"hello")

    async def end(server: FileServer) -> None:
        state = await head(server, urls[0])
        assert state.headers["tongban-blob-id"] == digest(b"hello")
        assert server.parts.blobs.path(digest(b"hello")).read_bytes() == b"hello"

    run(tmp_path, begin)
    run(tmp_path, end)


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
def test_checksums(tmp_path: Path, algorithm: str) -> None:
    async def test(server: FileServer) -> None:
        url = await create(server, 10)
        assert (await patch(server, url, 0, b"hello", upload_checksum=checksum(b"hello", algorithm))).status == 204
        wrong = await patch(server, url, 5, b"world", upload_checksum=checksum(b"wORLD", algorithm))
        assert wrong.status == 460
        assert (await head(server, url)).headers["upload-offset"] == "5"
        last_wrong = await patch(server, url, 5, [b"wor", b"ld"], upload_checksum=checksum(b"x", algorithm))
        assert last_wrong.status == 460
        cut = await patch(server, url, 5, [b"wor", DISCONNECT], upload_checksum=checksum(b"world", algorithm))
        assert cut.status == 400
        assert (await head(server, url)).headers["upload-offset"] == "5"
        good = await patch(server, url, 5, b"world", upload_checksum=checksum(b"world", algorithm))
        assert good.headers["tongban-blob-id"] == digest(b"helloworld")

    run(tmp_path, test)


def test_offsets_must_fit_and_bodies_must_end_in_time(tmp_path: Path) -> None:
    async def test(server: FileServer) -> None:
        url = await create(server, 10)
        assert (await patch(server, url, 1, b"x")).status == 409
        assert (await patch(server, url, 0, b"x" * 11)).code == "tooLarge"
        assert (await patch(server, url, 0, b"x" * 11, content_length="11")).code == "tooLarge"
        assert (await head(server, url)).headers["upload-offset"] == "0"
        assert (await patch(server, url, 0, b"x", content_type="text/plain")).status == 415

    run(tmp_path, test)


def test_two_writers_never_mix(tmp_path: Path) -> None:
    data = b"a" * 2_000_000

    async def test(server: FileServer) -> None:
        url = await create(server, len(data))
        going, go_on = asyncio.Event(), asyncio.Event()

        async def slowly() -> AsyncIterator[object]:
            yield data[:1_500_000]
            going.set()
            await go_on.wait()
            yield data[1_500_000:]

        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(patch(server, url, 0, slowly()))
            await going.wait()
            assert (await patch(server, url, 0, b"b")).status == 423
            delete = await call(server.app, "DELETE", url, BASE)
            assert delete.status == 423
            go_on.set()
        assert first.result().headers["tongban-blob-id"] == digest(data)

    run(tmp_path, test)


def test_a_silent_writer_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tus, "SILENT_S", 0.0)

    async def test(server: FileServer) -> None:
        url = await create(server, 10)
        going, never = asyncio.Event(), asyncio.Event()

        async def stalls() -> AsyncIterator[object]:
            yield b"hel"
            going.set()
            await never.wait()

        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(patch(server, url, 0, stalls()))
            await going.wait()
            second = await patch(server, url, 0, b"x")
            assert second.status == 409  # it got in, and has to ask for the offset first
            never.set()
        assert first.result().status == 400
        assert (await head(server, url)).headers["upload-offset"] == "3"
        assert (await patch(server, url, 3, b"loworld")).headers["tongban-blob-id"] == digest(b"helloworld")

    run(tmp_path, test)


def test_uploads_are_their_persons_alone(tmp_path: Path) -> None:
    async def test(server: FileServer) -> None:
        url = await create(server, 5)
        for method in ("HEAD", "PATCH", "DELETE"):
            answer = await call(
                server.app, method, url, BASE | OCTETS | {"x-person": "wang", "upload-offset": "0"}, b"x"
            )
            assert answer.status == 404
        reader = BASE | {"x-scopes": "read"}
        assert (await call(server.app, "HEAD", url, reader)).status == 200
        assert (
            await call(server.app, "PATCH", url, reader | OCTETS | {"upload-offset": "0"}, b"x")
        ).code == "forbidden"
        assert (await call(server.app, "POST", "/files", reader | {"upload-length": "1"})).code == "forbidden"
        assert (
            await call(server.app, "POST", "/files", {"tus-resumable": "1.0.0", "upload-length": "1"})
        ).code == "tokenExpired"

    run(tmp_path, test)


def test_termination_and_expiry(tmp_path: Path) -> None:
    async def test(server: FileServer) -> None:
        url = await create(server, 5)
        assert (await call(server.app, "DELETE", url, BASE)).status == 204
        assert (await head(server, url)).status == 404
        old, fresh = await create(server, 5), await create(server, 5)
        server.parts.clock.advance(3_599_000)
        await patch(server, fresh, 0, b"x")
        assert (await head(server, old)).status == 200
        server.parts.clock.advance(1000)
        assert (await head(server, old)).status == 404
        assert await server.tus.drop_expired() == 1
        assert (await head(server, fresh)).status == 200
        assert len(list(server.uploads.folder.iterdir())) == 2

    run(tmp_path, test)


def test_beginning_an_upload_reads_no_other_uploads_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tus, "MAX_OPEN_UPLOADS", 12)
    urls: list[str] = []

    async def begin(server: FileServer) -> None:
        for _ in range(10):
            urls.append(await create(server, 5))

    async def go_on(server: FileServer) -> None:
        # A restart counts what lies there; from then on nothing is read for a creation.
        loaded: list[str] = []
        load = UploadStore.load

        def watched(self: UploadStore, upload_id: str) -> Upload:
            loaded.append(upload_id)
            return load(self, upload_id)

        monkeypatch.setattr(UploadStore, "load", watched)
        urls.extend([await create(server, 5), await create(server, 5)])
        assert loaded == []
        assert (await call(server.app, "POST", "/files", BASE | {"upload-length": "5"})).code == "busy"
        assert (
            await call(server.app, "POST", "/files", BASE | {"x-person": "wang", "upload-length": "5"})
        ).status == 201
        assert loaded == []
        assert (server.uploads.count_open("li"), server.uploads.open_bytes("li")) == (12, 12 * 4096)

        await patch(server, urls[0], 0, b"hello")  # a finished one is no open one any more
        assert (server.uploads.count_open("li"), server.uploads.open_bytes("li")) == (11, 12 * 4096)
        assert (await call(server.app, "DELETE", urls[1], BASE)).status == 204
        assert (server.uploads.count_open("li"), server.uploads.open_bytes("li")) == (10, 11 * 4096)
        await create(server, 1_000_000)
        assert server.uploads.open_bytes("li") == 11 * 4096 + 1_000_000
        server.parts.clock.advance(3_600_000)
        await server.tus.drop_expired()
        assert (server.uploads.count_open("li"), server.uploads.open_bytes("li")) == (0, 0)
        assert server.uploads.count_open("wang") == 0

    run(tmp_path, begin)
    run(tmp_path, go_on)


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(server: FileServer) -> None:
        url = await create(server, 3_000_000)
        await patch(server, url, 0, b"a" * 1_000_000)
        write = PartWriter.write

        def full(self: PartWriter, data: bytes) -> None:
            write(self, data[:1000])
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(PartWriter, "write", full)
        answer = await patch(server, url, 1_000_000, b"b" * 2_000_000)
        assert (answer.status, answer.code) == (507, "diskFull")
        monkeypatch.undo()
        assert (await head(server, url)).headers["upload-offset"] == "1001000"
        rest = b"b" * 1_999_000
        done = await patch(server, url, 1_001_000, rest)
        assert done.headers["tongban-blob-id"] == digest(b"a" * 1_000_000 + b"b" * 2_000_000)
        server.free[0] = 10
        refused = await call(server.app, "POST", "/files", BASE | {"upload-length": "1000"})
        assert refused.code == "diskFull"

    run(tmp_path, test)


def test_options_tells_what_is_spoken(tmp_path: Path) -> None:
    async def test(server: FileServer) -> None:
        answer = await call(server.app, "OPTIONS", "/files")
        assert answer.status == 204
        assert answer.headers["tus-version"] == "1.0.0"
        assert answer.headers["tus-max-size"] == "20000000"
        assert set(answer.headers["tus-extension"].split(",")) == {
            "creation", "creation-with-upload", "checksum", "termination", "expiration"
        }  # fmt: skip
        old = await call(server.app, "POST", "/files", BASE | {"tus-resumable": "0.2.2", "upload-length": "1"})
        assert (old.status, old.headers["tus-version"]) == (412, "1.0.0")
        url = await create(server, 5)
        overridden = await call(
            server.app, "POST", url, BASE | OCTETS | {"x-http-method-override": "PATCH", "upload-offset": "0"}, b"hello"
        )
        assert overridden.headers["tongban-blob-id"] == digest(b"hello")

    run(tmp_path, test)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"upload-length": "-1"}, 400),
        ({"upload-length": "1e3"}, 400),
        ({"upload-length": "٣"}, 400),
        ({"upload-length": "9" * 30}, 400),
        ({"upload-length": "20000001"}, 413),
        ({"upload-defer-length": "1"}, 400),
        ({"upload-length": "1", "upload-metadata": "filename !!!"}, 400),
        ({"upload-length": "1", "upload-metadata": "a YQ==,a YQ=="}, 400),
        ({"upload-length": "1", "upload-metadata": "x" * 5000}, 400),
        ({"upload-length": "1", "upload-metadata": "alone"}, 201),
    ],
)
def test_creation_headers(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    async def test(server: FileServer) -> None:
        sent = BASE | {key: value.encode().decode("latin-1") for key, value in headers.items()}
        assert (await call(server.app, "POST", "/files", sent)).status == status

    run(tmp_path, test)


header_text = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=40)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["HEAD", "PATCH", "POST", "DELETE", "OPTIONS"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#"), max_size=40),
    st.dictionaries(
        st.sampled_from(["upload-offset", "upload-length", "upload-checksum", "upload-metadata", "content-length",
                         "tus-resumable", "content-type", "x-http-method-override"]),
        header_text,
    ),
    st.binary(max_size=50),
)  # fmt: skip
def test_any_headers_get_an_answer(
    tmp_path_factory: pytest.TempPathFactory, method: str, name: str, headers: dict[str, str], body: bytes
) -> None:
    async def test(server: FileServer) -> None:
        for path in ("/files", f"/files/{name}", await create(server, 20)):
            answer = await call(server.app, method, path, BASE | OCTETS | headers, body)
            assert 200 <= answer.status < 500

    run(tmp_path_factory.mktemp("any"), test)


def test_a_sync_that_failed_is_not_made_good_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = UploadStore(tmp_path)
    upload = Upload("01890000-0000-7000-8000-000000000000", "li", 100, 0, "text/plain", "", 1, 1)
    store.create(upload)
    writer = store.append(upload)
    writer.write(b"lost")

    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "I/O error")

    with monkeypatch.context() as patched:
        patched.setattr("server_stub.storage.uploads.os.fsync", broken)
        with pytest.raises(OSError, match="I/O"):
            writer.sync(2)
    with pytest.raises(OSError, match="I/O"):  # a system tells of it once only
        writer.keep(3)
    assert store.load(upload.id).offset == 0
