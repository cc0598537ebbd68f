"""Small OFD documents made by hand, for tests of the reader."""

import io
import zipfile
from collections.abc import Mapping

NS = 'xmlns:ofd="http://www.ofdspec.org/2016"'
PAGE_BOX = "<ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox>"


def packed(files: Mapping[str, str | bytes]) -> bytes:
    """A zip of these entries."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def document_files(
    *pages: str, resources: str = "", annotations: Mapping[int, str] | None = None, extra: str = "", body: str = ""
) -> dict[str, str | bytes]:
    """The entries of a document with these pages (the objects of one layer each)."""
    listed = "".join(f'<ofd:Page ID="{100 + n}" BaseLoc="Pages/Page_{n}/Content.xml"/>' for n in range(len(pages)))
    files: dict[str, str | bytes] = {
        "OFD.xml": f"<ofd:OFD {NS} Version='1.0' DocType='OFD'><ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>{body}</ofd:DocBody></ofd:OFD>",
        "Doc_0/Document.xml": f"<ofd:Document {NS}><ofd:CommonData><ofd:PageArea>{PAGE_BOX}</ofd:PageArea>"
        f"<ofd:PublicRes>PublicRes.xml</ofd:PublicRes></ofd:CommonData><ofd:Pages>{listed}</ofd:Pages>{extra}"
        f"<ofd:Annotations>Annotations.xml</ofd:Annotations></ofd:Document>",
        "Doc_0/PublicRes.xml": f"<ofd:Res {NS} BaseLoc='Res'><ofd:Fonts><ofd:Font ID='1' FontName='宋体'/></ofd:Fonts>{resources}</ofd:Res>",
    }
    for number, objects in enumerate(pages):
        files[f"Doc_0/Pages/Page_{number}/Content.xml"] = (
            f"<ofd:Page {NS}><ofd:Content><ofd:Layer ID='9'>{objects}</ofd:Layer></ofd:Content></ofd:Page>"
        )
    listed = ""
    for number, objects in (annotations or {}).items():
        listed += f"<ofd:Page PageID='{100 + number}'><ofd:FileLoc>Annot_{number}.xml</ofd:FileLoc></ofd:Page>"
        files[f"Doc_0/Annot_{number}.xml"] = (
            f"<ofd:PageAnnot {NS}><ofd:Annot ID='7' Type='Stamp'><ofd:Appearance Boundary='10 10 50 50'>{objects}</ofd:Appearance></ofd:Annot></ofd:PageAnnot>"
        )
    files["Doc_0/Annotations.xml"] = f"<ofd:Annotations {NS}>{listed}</ofd:Annotations>"
    return files


def ofd(*pages: str, **parts: object) -> bytes:
    """A document with these pages; `parts` as in document_files."""
    return packed(document_files(*pages, **parts))  # type: ignore[arg-type]


def line_of(text: str, x: float = 20, y: float = 30, size: float = 5, **attributes: str) -> str:
    """A TextObject with one line whose characters stand `size` apart."""
    more = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return (
        f'<ofd:TextObject ID="5" Boundary="{x} {y} 180 {size * 1.5}" Font="1" Size="{size}"{more}>'
        f'<ofd:TextCode X="0" Y="{size}" DeltaX="g {max(1, len(text) - 1)} {size}">{text}</ofd:TextCode></ofd:TextObject>'
    )


def path_of(data: str, boundary: str = "0 0 210 297", inner: str = "", **attributes: str) -> str:
    """A PathObject."""
    more = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f'<ofd:PathObject ID="6" Boundary="{boundary}"{more}>{inner}<ofd:AbbreviatedData>{data}</ofd:AbbreviatedData></ofd:PathObject>'
