"""Where the system wants data, logs and downloads."""

from pathlib import Path

import platformdirs

APP_NAME = "tongban"


def default_data_dir() -> Path:
    """The folder for this user's data (store, preferences, logs)."""
    return Path(platformdirs.user_data_dir(APP_NAME, appauthor=False))


def downloads_dir() -> Path:
    """Where files the user saves go first."""
    return Path(platformdirs.user_downloads_dir())
