"""Exchange packages: what goes in comes out, and nothing hostile is taken, in bounded time and memory."""

import hashlib
import io
import json
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server_stub.modules.documents.exchange.manifest import MIMETYPE, PackedDocument, Unit
from server_stub.modules.documents.exchange.opening import PackageRefused, open_package
from server_stub.modules.documents.exchange.packing import Content, make_package

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 20
DOCUMENT = PackedDocument(
    number="云水防〔2026〕18号",
    title="关于做好防汛值班工作的通知",
    kind="通知",
    urgency="特急",
    day="2026-10-20",
    issuers=("云溪县水利局",),
)
SENDER = Unit(code="11320000", name="云溪县水利局")


def package(document: PackedDocument = DOCUMENT, attachments: tuple[Content, ...] = ()) -> bytes:
    return make_package(
        "0193c0de-18", "2026-10-20T08:00:00Z", SENDER, (Unit(code="1", name="云溪县气象局"),), document,
        Content("正文.pdf", "application/pdf", PDF), attachments,
    )  # fmt: skip


def parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as held:
        return {one: held.read(one) for one in held.namelist()}


def rebuilt(files: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as held:
        for name, data in files.items():
            held.writestr(name, data)
    return made.getvalue()


def with_manifest(change: Callable[[dict[str, Any]], None]) -> bytes:
    files = parts(package())
    manifest = json.loads(files["manifest.json"])
    change(manifest)
    return rebuilt({**files, "manifest.json": json.dumps(manifest).encode()})


def opened(folder: Path, data: bytes) -> dict[str, bytes]:
    path = folder / "package.gwx"
    path.write_bytes(data)
    with open_package(path) as found:
        return {one.name: found.read(one) for one in found.manifest.files}


def refused(folder: Path, data: bytes) -> str:
    with pytest.raises(PackageRefused) as why:
        opened(folder, data)
    assert len(str(why.value)) < 400
    return why.value.code


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    data = package(
        attachments=(
            Content("值班表.xlsx", "application/vnd.ms-excel", b"x" * 5000),
            Content("无后缀", "text/plain", b""),
        )
    )
    assert opened(tmp_path, data) == {"正文.pdf": PDF, "值班表.xlsx": b"x" * 5000, "无后缀": b""}
    path = tmp_path / "package.gwx"
    with open_package(path) as found:
        assert found.manifest.document == DOCUMENT
        assert found.manifest.sender == SENDER


def test_the_same_content_gives_the_same_bytes() -> None:
    assert package() == package()
    assert package()[30:46] == b"mimetypeapplicat"


def test_an_ofd_body_is_taken(tmp_path: Path) -> None:
    ofd = rebuilt({"OFD.xml": b"<OFD/>"})
    data = make_package(
        "0193c0de-19", "2026-10-20T08:00:00Z", SENDER, (), DOCUMENT, Content("正文.ofd", "application/ofd", ofd)
    )
    assert opened(tmp_path, data) == {"正文.ofd": ofd}


def test_a_body_of_another_kind_is_not_packed() -> None:
    with pytest.raises(ValueError, match="PDF or OFD"):
        make_package("0193c0de", "2026-10-20T08:00:00Z", SENDER, (), DOCUMENT, Content("a", "text/html", b"<p>"))


def _put(section: str, key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(manifest: dict[str, Any]) -> None:
        manifest[section][key] = value

    return change


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_put("body", "sha256", "0" * 64), "digest"),
        (_put("body", "size", 3), "size"),
        (_put("body", "size", 10**12), "manifest"),
        (_put("body", "path", "../../etc/passwd"), "manifest"),
        (_put("body", "path", "attachments/001"), "manifest"),
        (_put("document", "secrecy", "机密"), "secrecy"),
        (_put("document", "title", "长" * 301), "manifest"),
        (_put("document", "issuers", []), "manifest"),
        (_put("document", "issuers", ["a"] * 1000), "manifest"),
        (_put("document", "day", "today"), "manifest"),
        (_put("sender", "name", ""), "manifest"),
    ],
)
def test_a_manifest_that_lies_is_refused(tmp_path: Path, change: Callable[[dict[str, Any]], None], code: str) -> None:
    assert refused(tmp_path, with_manifest(change)) == code


def test_other_files_are_no_packages(tmp_path: Path) -> None:
    for data in (
        b"",
        b"hello",
        PDF,
        rebuilt({"a": b"b"}),
        rebuilt({"mimetype": MIMETYPE.encode()}),
        package()[:-30],
        package()[40:],
    ):
        assert refused(tmp_path, data) in ("zip", "kind")


def test_files_beside_the_manifest_and_missing_ones_are_refused(tmp_path: Path) -> None:
    files = parts(package())
    assert refused(tmp_path, rebuilt({**files, "attachments/009.exe": b"MZ"})) == "entries"
    assert refused(tmp_path, rebuilt({**files, "../evil": b"MZ"})) == "entries"
    del files["body.pdf"]
    assert refused(tmp_path, rebuilt(files)) == "entries"


def test_a_body_that_is_no_pdf_is_refused(tmp_path: Path) -> None:
    files = parts(package())
    fake = b"<html>" + b"x" * 100
    manifest = json.loads(files["manifest.json"])
    manifest["body"] |= {"size": len(fake), "sha256": hashlib.sha256(fake).hexdigest()}
    assert (
        refused(tmp_path, rebuilt({**files, "body.pdf": fake, "manifest.json": json.dumps(manifest).encode()}))
        == "body"
    )


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    files = parts(package())
    bomb = rebuilt({**files, "body.pdf": b"%PDF-" + bytes(90_000_000)})
    tracemalloc.start()
    assert refused(tmp_path, bomb) == "size"
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_a_directory_that_lies_about_sizes_is_not_believed(tmp_path: Path) -> None:
    files = parts(package())
    files["manifest.json"] += b" " * 3_000_000  # more than a manifest may have
    data = bytearray(rebuilt(files))
    at = data.rindex(b"manifest.json") - 46
    struct.pack_into("<L", data, at + 24, 1_000)
    assert refused(tmp_path, bytes(data)) in ("zip", "size", "manifest")


def test_overlapping_files_are_refused(tmp_path: Path) -> None:
    data = bytearray(rebuilt({**parts(package()), "attachments/001": b"y" * 500}))
    end = len(data) - 22
    start = struct.unpack_from("<L", data, end + 16)[0]
    first = data.index(b"PK\x01\x02", start)
    last = data.rindex(b"PK\x01\x02")
    data[last + 42 : last + 46] = data[first + 42 : first + 46]
    assert refused(tmp_path, bytes(data)) in ("zip", "entries", "manifest")


def test_a_million_entries_are_refused_by_their_number(tmp_path: Path) -> None:
    data = bytearray(package())
    struct.pack_into("<2H", data, len(data) - 14, 65_000, 65_000)
    assert refused(tmp_path, bytes(data)) in ("entries", "zip")


def test_an_encrypted_package_is_refused(tmp_path: Path) -> None:
    data = bytearray(package())
    at = data.rindex(b"body.pdf") - 46
    struct.pack_into("<H", data, at + 8, 1)
    assert refused(tmp_path, bytes(data)) == "zip"


@pytest.mark.parametrize("seed", range(120))
def test_broken_bytes_are_refused_or_the_content_is_whole(tmp_path: Path, seed: int) -> None:
    data = bytearray(package())
    for step in range(3):
        data[(seed * 7919 + step * 104_729) % len(data)] ^= 1 << (seed % 8)
    try:
        taken: dict[str, bytes] | None = opened(tmp_path, bytes(data))
    except PackageRefused:
        taken = None
    assert taken in (None, {"正文.pdf": PDF})
