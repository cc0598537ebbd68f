"""Where the templates of official documents lie: resources/ in a checkout, tongban_resources/ in an installed wheel."""

from functools import cache
from pathlib import Path


@cache
def templates_folder() -> Path:
    """The folder of the templates. Raises FileNotFoundError: they are not installed."""
    root = Path(__file__).resolve().parents[4]
    for name in ("resources", "tongban_resources"):
        folder = root / name / "templates" / "official"
        if folder.is_dir():
            return folder
    raise FileNotFoundError("the templates of official documents are not installed")
