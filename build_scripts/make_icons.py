"""Makes the program's icons from resources/icons/tongban.svg: PNG for hicolor, tongban.ico for Windows, tongban.icns for macOS.

`python -m build_scripts.make_icons` writes them anew. The macOS menu bar takes a template picture: black on nothing.
The SVG's sign is an outline, so that no font is needed; small sizes are drawn from the same outline with less margin.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

FOLDER = Path(__file__).resolve().parents[1] / "resources" / "icons"
NAME = "tongban"
PNG_SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
ICO_SIZES = (16, 20, 24, 32, 40, 48, 64, 256)
ICNS_TYPES = {
    "icp4": 16,
    "icp5": 32,
    "ic11": 32,
    "ic12": 64,
    "ic07": 128,
    "ic13": 256,
    "ic08": 256,
    "ic14": 512,
    "ic09": 512,
    "ic10": 1024,
}
TEMPLATE_SIZES = {"": 18, "@2x": 36}
MAC_MARGIN = 100 / 1024  # Apple's grid leaves this free on each side
SMALL = 32  # up to here the margin of the picture is cut off: every pixel counts


def drawn(source: Path, size: int, *, margin: float = 0.0) -> QImage:
    """The SVG in a square of `size` pixels; `margin`: the share left free on each side, negative to cut some off."""
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    edge = size * margin
    QSvgRenderer(str(source)).render(painter, QRectF(edge, edge, size - 2 * edge, size - 2 * edge))
    painter.end()
    return image


def png_bytes(image: QImage) -> bytes:
    """The picture as PNG."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stubs want a byte format, Qt a text
    return bytes(data.data())


def ico_bytes(pictures: dict[int, bytes]) -> bytes:
    """An .ico of PNG pictures by their size (Windows Vista and later read PNG at every size)."""
    header = struct.pack("<HHH", 0, 1, len(pictures))
    offset = len(header) + 16 * len(pictures)
    entries, bodies = b"", b""
    for size, body in sorted(pictures.items()):
        side = 0 if size == 256 else size
        entries += struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(body), offset + len(bodies))
        bodies += body
    return header + entries + bodies


def icns_bytes(pictures: dict[str, bytes]) -> bytes:
    """An .icns of PNG pictures by their four-letter type."""
    blocks = b"".join(kind.encode() + struct.pack(">I", len(body) + 8) + body for kind, body in pictures.items())
    return b"icns" + struct.pack(">I", len(blocks) + 8) + blocks


def main() -> None:
    """Writes all icons."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    _application = QGuiApplication([])
    source, template = FOLDER / f"{NAME}.svg", FOLDER / f"{NAME}-template.svg"

    def picture(size: int) -> bytes:
        return png_bytes(drawn(source, size, margin=-1 / 18 if size <= SMALL else 0.0))

    for size in PNG_SIZES:
        (FOLDER / f"{NAME}-{size}.png").write_bytes(picture(size))
    (FOLDER / f"{NAME}.ico").write_bytes(ico_bytes({size: picture(size) for size in ICO_SIZES}))
    mac = {kind: png_bytes(drawn(source, size, margin=MAC_MARGIN - 1 / 18)) for kind, size in ICNS_TYPES.items()}
    (FOLDER / f"{NAME}.icns").write_bytes(icns_bytes(mac))
    for suffix, size in TEMPLATE_SIZES.items():
        (FOLDER / f"{NAME}Template{suffix}.png").write_bytes(png_bytes(drawn(template, size)))


if __name__ == "__main__":
    main()
