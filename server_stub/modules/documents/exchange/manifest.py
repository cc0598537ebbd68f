"""What an exchange package says of itself: manifest.json. Names follow the metadata of GB/T 33480 where it has one; every text and list has a limit."""

from typing import Annotated, Final

from msgspec import Meta, Struct

FORMAT: Final = "tongban-exchange"
VERSION: Final = 1
MIMETYPE: Final = "application/vnd.tongban.exchange+zip"
MIMETYPE_NAME: Final = "mimetype"
MANIFEST_NAME: Final = "manifest.json"
SUFFIX: Final = ".gwx"

Short = Annotated[str, Meta(max_length=100)]
Line = Annotated[str, Meta(max_length=500)]
Names = Annotated[str, Meta(max_length=3_000)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Size = Annotated[int, Meta(ge=0, le=200_000_000)]
Path = Annotated[str, Meta(pattern=r"^(body\.(pdf|ofd)|attachments/[0-9]{3}(\.[A-Za-z0-9]{1,10})?)$")]
MediaType = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,100}$")]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Unit(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=False):
    """A bureau. code: its unified code, by which the receiver knows it; name: in full."""

    code: Short
    name: Annotated[str, Meta(min_length=1, max_length=100)]


class PackedFile(Struct, frozen=True, kw_only=True, rename="camel"):
    """A file of the package. name: for people; path: in the package."""

    path: Path
    name: Annotated[str, Meta(min_length=1, max_length=255)]
    type: MediaType
    size: Size
    sha256: Sha256


class PackedDocument(Struct, frozen=True, kw_only=True, rename="camel"):
    """The document: 文号, 标题, 文种, 紧急程度, 密级, 成文日期, 发文机关, 签发人, 主送, 抄送, 附注, 页数, 份数, 回复期限, 所复文号."""

    number: Short
    title: Annotated[str, Meta(min_length=1, max_length=300)]
    kind: Short = ""
    urgency: Short = ""
    secrecy: Short = ""
    day: Day
    issuers: Annotated[tuple[Short, ...], Meta(min_length=1, max_length=20)]
    signers: Annotated[tuple[Short, ...], Meta(max_length=20)] = ()
    recipients: Names = ""
    cc: Names = ""
    note: Line = ""
    pages: Annotated[int, Meta(ge=0, le=10_000)] = 0
    copies: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    reply_by: Day | None = None
    reply_to: Short = ""


class Manifest(Struct, frozen=True, kw_only=True, rename="camel"):
    """The whole package. id: of this sending; the same id twice is the same package."""

    format: Annotated[str, Meta(pattern=f"^{FORMAT}$")]
    version: Annotated[int, Meta(ge=1, le=VERSION)]
    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    sent_at: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$")]
    sender: Unit
    receivers: Annotated[tuple[Unit, ...], Meta(max_length=500)] = ()
    document: PackedDocument
    body: PackedFile
    attachments: Annotated[tuple[PackedFile, ...], Meta(max_length=100)] = ()

    @property
    def files(self) -> tuple[PackedFile, ...]:
        """The body, then the attachments."""
        return (self.body, *self.attachments)
