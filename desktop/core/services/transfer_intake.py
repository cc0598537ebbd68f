"""Takes what a user wants sent: looks at it, seals what has no file of its own, lists folders. Sends nothing."""

import mimetypes
from dataclasses import dataclass
from pathlib import Path

from desktop.core.domain import Attachment
from desktop.core.errors import BadFile
from desktop.core.services.blobs import BlobCache
from desktop.core.services.folder_zip import FolderList, FolderZip, list_folder
from desktop.core.services.outgoing_files import read_limited
from desktop.core.services.pictures import picture_size

ZIP: str = "application/zip"


@dataclass(frozen=True, slots=True)
class Taken:
    """What is to be sent, where it lies (`Record.source`), and for a folder what is in it."""

    attachment: Attachment
    source: str
    modified_ns: int = 0
    folder: FolderList | None = None


class Intake:
    """Every method blocks: `cpu` executor."""

    def __init__(self, cache: BlobCache) -> None:
        self._cache = cache

    def picture(self, picture: Path | bytes, name: str | None, limit: int) -> Taken:
        """A sealed copy of a picture, with its size in pixels. Raises BadFile."""
        data = picture if isinstance(picture, bytes) else read_limited(picture, limit)
        if len(data) > limit:
            raise BadFile(reason="tooLarge")
        kind, width, height = picture_size(data)
        shown = name or (picture.name if isinstance(picture, Path) else f"picture.{kind.split('/')[-1]}")
        blob_id = self._cache.put(data)
        return Taken(Attachment(blob_id, shown, kind, len(data), width, height), f"blob:{blob_id}")

    def data(self, data: bytes, name: str, kind: str) -> Taken:
        """A sealed copy of what has no file yet."""
        blob_id = self._cache.put(data)
        return Taken(Attachment(blob_id, name, kind, len(data)), f"blob:{blob_id}")

    def file(self, path: Path) -> Taken:
        """A file of the user, which stays where it is. Raises BadFile."""
        try:
            stat = path.stat()
            with open(path, "rb"):
                pass  # better told now than when its turn comes
        except PermissionError as error:
            raise BadFile(reason="noRights") from error
        except OSError as error:
            raise BadFile(reason="missing") from error
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return Taken(Attachment("", path.name, kind, stat.st_size), f"path:{path}", stat.st_mtime_ns)

    def folder(self, path: Path) -> Taken:
        """A folder of the user as the archive it will be (folder_zip). Raises BadFile."""
        found = list_folder(path)
        name = Path(found.root).name
        return Taken(Attachment("", f"{name}.zip", ZIP, FolderZip(found).size), f"folder:{found.root}", 0, found)
