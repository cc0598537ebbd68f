"""Large files for tests of reading what is still on its way, and a transport over an application in this process."""

import io
import os
import ssl
from pathlib import Path
from typing import Any

import httpx

from desktop.core.clock import SystemClock
from desktop.core.crypto.device_key import DeviceKey
from desktop.core.net.https import HttpsTransport
from desktop.core.net.trust import TrustStore
from desktop.core.protocol.answers import SessionAnswer
from tests.helpers.ofd_files import document_files, line_of, packed

PERSON = "li"
SERVER = "https://files.example"


def pdf_of_pictures(pages: int, picture: int, sizes: tuple[tuple[int, int], ...] = ((595, 842),)) -> bytes:
    """A PDF as scanners make them: its table of contents at the end, each page a picture of so many random bytes (nothing compresses it)."""
    out, places = io.BytesIO(), dict[int, int]()
    out.write(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")

    def write(number: int, body: bytes) -> None:
        places[number] = out.tell()
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))

    side = int((picture / 3) ** 0.5)
    for page in range(pages):
        first, (width, height) = 10 + 3 * page, sizes[page % len(sizes)]
        words = b"BT /F1 24 Tf 72 700 Td (Page %d) Tj ET q 200 0 0 200 72 400 cm /Im Do Q" % (page + 1)
        head = b"<</Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceRGB/Length %d>>stream\n"
        write(first + 2, head % (side, side, side * side * 3) + os.urandom(side * side * 3) + b"\nendstream")
        write(first + 1, b"<</Length %d>>stream\n%s\nendstream" % (len(words), words))
        resources = b"<</Font<</F1 3 0 R>>/XObject<</Im %d 0 R>>>>" % (first + 2)
        box = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents %d 0 R/Resources%s>>"
        write(first, box % (width, height, first + 1, resources))
    write(3, b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    kids = b" ".join(b"%d 0 R" % (10 + 3 * page) for page in range(pages))
    write(2, b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids))
    write(1, b"<</Type/Catalog/Pages 2 0 R>>")
    start, top = out.tell(), max(places) + 1
    out.write(b"xref\n0 %d\n" % top)
    for number in range(top):
        free = number not in places
        out.write(b"%010d %05d %c \n" % (places.get(number, 0), 65535 if free else 0, ord("f" if free else "n")))
    out.write(b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (top, start))
    return out.getvalue()


def ofd_of_ballast(pages: int, ballast: int) -> bytes:
    """An OFD with this many pages of text, and random bytes between their files."""
    files = document_files(*(line_of(f"第{page + 1}页关于防汛值班的通知") for page in range(pages)))
    mixed: dict[str, str | bytes] = {}
    for number, (name, content) in enumerate(files.items()):
        mixed[name] = content
        mixed[f"Doc_0/Res/{number}.bin"] = os.urandom(ballast)
    return packed(mixed)


async def _key() -> DeviceKey:
    return DeviceKey.generate()


def transport_over(application: Any, folder: Path) -> HttpsTransport:
    """The client's own transport, its requests handed to an httpx transport or an ASGI application."""
    made = HttpsTransport(SERVER, _key, TrustStore(folder / "trust.json"), SystemClock())
    direct = application if isinstance(application, httpx.AsyncBaseTransport) else httpx.ASGITransport(application)
    made._http = httpx.AsyncClient(transport=direct, headers={"x-person": PERSON})
    made._context = ssl.create_default_context()
    made._session = SessionAnswer(
        {}, {PERSON: {}}, "/jmap/api", "/jmap/download/{accountId}/{blobId}/{name}", "/jmap/upload/{accountId}/"
    )
    return made
