"""Makes exchange packages. The same content gives the same bytes. Blocking: on a worker thread."""

import hashlib
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from server_stub.modules.documents.exchange.manifest import (
    FORMAT,
    MANIFEST_NAME,
    MIMETYPE,
    MIMETYPE_NAME,
    VERSION,
    Manifest,
    PackedDocument,
    PackedFile,
    Unit,
)

_EPOCH: Final = (2000, 1, 1, 0, 0, 0)
_SUFFIX: Final = re.compile(r"\.[A-Za-z0-9]{1,10}\Z")
BODY_TYPES: Final = {"application/pdf": "body.pdf", "application/ofd": "body.ofd"}


@dataclass(frozen=True, slots=True)
class Content:
    """A file to pack. name: for people."""

    name: str
    type: str
    data: bytes


def make_package(
    package_id: str,
    sent_at: str,
    sender: Unit,
    receivers: Sequence[Unit],
    document: PackedDocument,
    body: Content,
    attachments: Sequence[Content] = (),
) -> bytes:
    """A package as bytes. sent_at: UTC as on the wire.

    Raises:
        ValueError: the body is neither PDF nor OFD, or something is longer than a package may say.
    """
    if body.type not in BODY_TYPES:
        raise ValueError("a body is PDF or OFD")
    manifest = Manifest(
        format=FORMAT,
        version=VERSION,
        id=package_id,
        sent_at=sent_at,
        sender=sender,
        receivers=tuple(receivers),
        document=document,
        body=_entry(BODY_TYPES[body.type], body),
        attachments=tuple(_entry(_path(count, one.name), one) for count, one in enumerate(attachments, 1)),
    )
    written = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    try:
        msgspec.json.decode(written, type=Manifest)
    except msgspec.ValidationError as problem:
        raise ValueError(str(problem)) from problem
    return _zip(
        written, [(entry.path, one.data) for entry, one in zip(manifest.files, (body, *attachments), strict=True)]
    )


def _entry(path: str, content: Content) -> PackedFile:
    return PackedFile(
        path=path,
        name=content.name,
        type=content.type,
        size=len(content.data),
        sha256=hashlib.sha256(content.data).hexdigest(),
    )


def _path(count: int, name: str) -> str:
    suffix = _SUFFIX.search(name)
    return f"attachments/{count:03}{suffix[0] if suffix else ''}"


def _zip(manifest: bytes, files: Sequence[tuple[str, bytes]]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as package:
        # The first entry, not compressed: what kind of file this is can be read off its first bytes.
        package.writestr(_info(MIMETYPE_NAME), MIMETYPE.encode(), zipfile.ZIP_STORED)
        package.writestr(_info(MANIFEST_NAME), manifest, zipfile.ZIP_DEFLATED)
        for path, data in files:
            package.writestr(_info(path), data, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.external_attr = 0o644 << 16
    info.create_system = 3
    return info
