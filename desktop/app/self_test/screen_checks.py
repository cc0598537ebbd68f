"""Checks of what draws and sounds: Qt's platform and plug-ins, a window of our own kit, texts, fonts, pictures, PDF, OFD, sound."""

import io
import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import (
    QBuffer,
    QByteArray,
    QCoreApplication,
    QDeadlineTimer,
    QIODevice,
    QLibraryInfo,
    QRect,
    QSize,
    QThread,
    QUrl,
    qVersion,
)
from PySide6.QtGui import (
    QFontDatabase,
    QFontMetricsF,
    QImage,
    QImageReader,
    QPainter,
    QPdfWriter,
    QRawFont,
    QTextLayout,
)
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from desktop.app.self_test import Check, CheckFailed
from desktop.platform.environment import prepare_application, prepare_environment
from desktop.platform.sounds import sound_file
from desktop.ui import i18n, theme

WAIT_MS = 5_000
TICK_MS = 5
SAMPLE_HAN = "通办公文"  # not a text
FORMATS = ("png", "jpeg", "gif", "webp", "svg", "ico")
INPUT_METHODS = ("ibus", "compose")
OFD_NS = 'xmlns:ofd="http://www.ofdspec.org/2016"'
MARK_BLUE, MARK_WHITE = 150, 250  # of the program's icon: its ground is blue, its sign white


@contextmanager
def screen() -> Iterator[QApplication]:
    """A QApplication as the program makes it; on a Linux machine without a screen drawn into memory."""
    bare = sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if bare:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        yield existing
        return
    prepare_environment()
    prepare_application()
    yield QApplication([sys.argv[0]])


def check_window(folder: Path) -> str:
    """A window with a button and Chinese text is shown and drawn in the colors of the theme."""
    from desktop.ui.kit import Button, Label

    application = QApplication.instance()
    assert isinstance(application, QApplication)
    i18n.set_language("zh")
    theme.apply(application, chosen="light", scale=1.0)
    window = QWidget()
    layout = QVBoxLayout(window)
    layout.addWidget(Label(key="app.name", role="header", strong=True))
    layout.addWidget(Button(key="common.ok", kind="primary"))
    window.resize(320, 160)
    window.show()
    _turn_until(lambda: window.windowHandle() is not None and window.windowHandle().isExposed())
    image = window.grab().toImage()
    window.close()
    colors = {image.pixel(x, y) for x in range(0, image.width(), 4) for y in range(0, image.height(), 4)}
    if len(colors) < 4:
        raise CheckFailed(f"the window stayed blank ({len(colors)} colors)")
    image.save(str(folder / "window.png"))
    return f"Qt {qVersion()} on {QApplication.platformName()}, {image.width()}×{image.height()} drawn"


def check_plugins(_: Path) -> str:
    """The plug-ins that nobody links against: they are found or silently missed."""
    known = {bytes(one.data()).decode() for one in QImageReader.supportedImageFormats()}
    missing = [name for name in FORMATS if name not in known]
    plugins = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath))
    if sys.platform == "linux":
        methods = {path.name for path in (plugins / "platforminputcontexts").glob("*.so")}
        missing += [name for name in INPUT_METHODS if not any(name in file for file in methods)]
        missing += [name for name in ("xcb", "wayland") if not any((plugins / "platforms").glob(f"libq{name}*.so"))]
    if missing:
        raise CheckFailed(f"missing: {', '.join(missing)}")
    return f"{len(known)} picture formats, input methods, platforms"


def check_texts(_: Path) -> str:
    """Both languages are here, and Qt's own Chinese."""
    found = i18n.catalog()
    holes = [key for key, text in found.items() if not text.get("zh") or not text.get("en")]
    if not found or holes:
        raise CheckFailed(f"texts missing: {', '.join(holes[:5]) or 'all'}")
    folder = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))
    if not (folder / "qtbase_zh_CN.qm").is_file():
        raise CheckFailed(f"Qt's Chinese texts are not in {folder}")
    return f"{len(found)} texts in zh and en"


def check_fonts(_: Path) -> str:
    """Chinese characters have glyphs in a font of this machine; the interface's icons have theirs."""
    from desktop.ui.theme import icons

    if not icons.exists("chat-circle-dots") or icons.outline("chat-circle-dots").isEmpty():
        raise CheckFailed("the icon font is missing")
    family = _han_family()
    if not family:
        raise CheckFailed("no font with Chinese characters: install one, such as fonts-noto-cjk")
    return f"Chinese in {family}, {len(QFontDatabase.families())} families; icons drawn"


def _han_family() -> str:
    """The family that draws the sample as text is really laid out, fallbacks among them; empty when a character has no glyph."""
    layout = QTextLayout(SAMPLE_HAN, QApplication.font())
    layout.beginLayout()
    layout.createLine()
    layout.endLayout()
    used: list[QRawFont] = [run.rawFont() for run in layout.glyphRuns()]
    drawn = all(any(raw.supportsCharacter(ord(sign)) for raw in used) for sign in SAMPLE_HAN)
    wide = QFontMetricsF(QApplication.font()).horizontalAdvance(SAMPLE_HAN) > 0
    return used[0].familyName() if used and drawn and wide else ""


def check_svg(_: Path) -> str:
    """The program's own icon, drawn from its SVG by the plug-in for pictures."""
    source = i18n.folder().parent / "icons" / "tongban.svg"
    reader = QImageReader(str(source))
    reader.setScaledSize(QSize(64, 64))
    image = reader.read()
    if image.isNull():
        raise CheckFailed(f"{source.name}: {reader.errorString()}")
    ground, sign = image.pixelColor(32, 8), max(image.pixelColor(x, 40).red() for x in range(8, 56))
    if ground.blue() < MARK_BLUE or sign < MARK_WHITE:
        raise CheckFailed("drawn, but not what is in it")
    return "an SVG drawn"


def check_pdf(_: Path) -> str:
    """A page is written by Qt and read, searched and drawn by both readers of PDF."""
    from desktop.ui.reader.pdf_source import PdfSource

    data = _small_pdf()
    source = PdfSource(data)
    try:
        image = source.render(0, QSize(300, 424), QRect(0, 0, 300, 424))
        text = source.page_text(0)
    finally:
        source.close()
    if "Tongban" not in text or _blank(image):
        raise CheckFailed(f"text {text[:40]!r}, page {'blank' if _blank(image) else 'drawn'}")
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    pages = len(document)
    document.close()
    return f"{pages} page drawn and searched, {len(data)} bytes"


def _small_pdf() -> bytes:
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    painter = QPainter(writer)
    painter.drawText(QRect(0, 0, writer.width(), writer.height() // 4), 0, f"Tongban {SAMPLE_HAN}")
    painter.fillRect(QRect(0, writer.height() // 2, writer.width(), 200), 0x2F6BDE)
    painter.end()
    buffer.close()
    return bytes(data.data())


def check_ofd(_: Path) -> str:
    """A page of OFD is read and drawn by our own renderer."""
    from desktop.ui.reader.ofd_source import OfdSource

    source = OfdSource(_small_ofd())
    try:
        image = source.render(0, QSize(210, 297), QRect(0, 0, 210, 297))
        text = source.page_text(0)
    finally:
        source.close()
    if SAMPLE_HAN not in text or _blank(image):
        raise CheckFailed(f"text {text[:40]!r}, page {'blank' if _blank(image) else 'drawn'}")
    return "1 page drawn and read"


def _small_ofd() -> bytes:
    line = (
        f'<ofd:TextObject ID="5" Boundary="20 30 100 12" Font="1" Size="8"><ofd:TextCode X="0" Y="8" DeltaX="8 8 8">{SAMPLE_HAN}'
        '</ofd:TextCode></ofd:TextObject><ofd:PathObject ID="6" Boundary="20 60 100 40" Fill="true"><ofd:FillColor Value="47 107 222"/>'
        "<ofd:AbbreviatedData>M 0 0 L 100 0 L 100 40 L 0 40 C</ofd:AbbreviatedData></ofd:PathObject>"
    )
    files = {
        "OFD.xml": f"<ofd:OFD {OFD_NS} Version='1.0' DocType='OFD'><ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
        "Doc_0/Document.xml": f"<ofd:Document {OFD_NS}><ofd:CommonData><ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea>"
        "<ofd:PublicRes>Res.xml</ofd:PublicRes></ofd:CommonData><ofd:Pages><ofd:Page ID='100' BaseLoc='Page_0.xml'/></ofd:Pages></ofd:Document>",
        "Doc_0/Res.xml": f"<ofd:Res {OFD_NS} BaseLoc='Res'><ofd:Fonts><ofd:Font ID='1' FontName='宋体'/></ofd:Fonts></ofd:Res>",  # not a text
        "Doc_0/Page_0.xml": f"<ofd:Page {OFD_NS}><ofd:Content><ofd:Layer ID='9'>{line}</ofd:Layer></ofd:Content></ofd:Page>",
    }
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return data.getvalue()


def check_media(_: Path) -> str:
    """A short sound is decoded; nothing is played."""
    from PySide6.QtMultimedia import QAudioDecoder

    decoder = QAudioDecoder()
    if not decoder.isSupported():
        raise CheckFailed("no plug-in that decodes sound")
    ended: list[str] = []
    micros = [0]

    def on_buffer() -> None:
        micros[0] += decoder.read().duration()

    decoder.bufferReady.connect(on_buffer)
    decoder.finished.connect(lambda: ended.append(""))
    decoder.error.connect(lambda _code: ended.append(decoder.errorString()))
    decoder.setSource(QUrl.fromLocalFile(str(sound_file("message"))))
    decoder.start()
    _turn_until(lambda: bool(ended))
    decoder.stop()
    if any(ended) or not micros[0]:
        raise CheckFailed(ended[0] or "decoded to nothing")
    return f"{micros[0] / 1e6:.2f} s of sound decoded"


def _blank(image: QImage) -> bool:
    first = image.pixel(0, 0)
    return all(image.pixel(x, y) == first for x in range(0, image.width(), 3) for y in range(0, image.height(), 3))


def _turn_until(reached: Callable[[], bool]) -> None:
    """Turns the event loop until `reached()` is true. Raises CheckFailed after WAIT_MS."""
    limit = QDeadlineTimer(WAIT_MS)
    while not reached() and not limit.hasExpired():
        QCoreApplication.processEvents()
        QThread.msleep(TICK_MS)
    if not reached():
        raise CheckFailed(f"nothing happened within {WAIT_MS // 1000} s")


CHECKS: dict[str, Check] = {
    "window": check_window,
    "plugins": check_plugins,
    "texts": check_texts,
    "fonts": check_fonts,
    "svg": check_svg,
    "pdf": check_pdf,
    "ofd": check_ofd,
    "media": check_media,
}
