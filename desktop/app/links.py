"""tongban:// links: what they may name, and where they lead. A link only ever shows something; it changes nothing."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from desktop.ui.shell.navigator import Navigator

SCHEME = "tongban"
OBJECT_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")
TYPE_NAME = re.compile(r"[A-Z][0-9A-Za-z]{1,63}")
PAGES = frozenset({"messages", "contacts", "workbench", "transfers", "settings"})


def local_file(link: str) -> Path | None:
    """The file that was meant, where an absolute path was handed over in place of a link."""
    path = Path(link)
    return path if "://" not in link and path.is_absolute() else None


def open_link(link: str, navigator: Navigator) -> bool:
    """Follows `tongban://conversation/<id>`, person, notice, document, `tongban://<Type>/<id>` of an office record, or `tongban://page/<key>`.

    False for anything else.
    """
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    object_id = unquote(parts.path.strip("/"))
    if parts.scheme != SCHEME or not OBJECT_ID.fullmatch(object_id):
        return False
    match parts.netloc:
        case "conversation":
            navigator.open_conversation(object_id)
        case "person":
            navigator.open_person(object_id)
        case "notice":
            navigator.open_notice(object_id)
        case "document":
            navigator.open_document(object_id)
        case type_name if TYPE_NAME.fullmatch(type_name):
            navigator.open_record(type_name, object_id)
        case "page" if object_id in PAGES:
            navigator.open_page(object_id)
        case _:
            return False
    return True
