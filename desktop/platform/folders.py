"""Where the system wants data, logs and downloads."""

from pathlib import Path

import platformdirs

APP_NAME = "tongban"


def default_data_dir() -> Path:
    """The folder for this user's data (store, preferences, logs)."""
    return Path(platformdirs.user_data_dir(APP_NAME, appauthor=False))


_chosen: Path | None = None


def choose_downloads_dir(folder: str) -> None:
    """The user's own choice from now on; empty: as the system has it. One for the program, as the preferences are."""
    global _chosen  # noqa: PLW0603 - what the system answers is one for the program, too
    _chosen = Path(folder) if folder else None


def downloads_dir() -> Path:
    """Where files the user saves go first: the folder that was chosen while it is there, else the system's."""
    if _chosen is not None and _chosen.is_dir():
        return _chosen
    return Path(platformdirs.user_downloads_dir())
