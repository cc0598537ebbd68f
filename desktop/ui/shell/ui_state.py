"""What the windows remember on this device for one account: geometry, pane widths, the last page, recent emoji. Nothing secret."""

import json
import logging
import os
from pathlib import Path
from typing import Any

log = logging.getLogger("tongban.ui")


class UiState:
    """Small JSON values by name. Without a path they last as long as the process; a damaged file starts empty."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._values: dict[str, Any] = {}
        if path is not None and path.exists():
            try:
                loaded = json.loads(path.read_text("utf-8"))
            except (OSError, ValueError):
                log.warning("the windows' memory can't be read; starting afresh")
            else:
                self._values = loaded if isinstance(loaded, dict) else {}

    def get(self, name: str, default: Any = None) -> Any:
        """A remembered value."""
        return self._values.get(name, default)

    def set(self, name: str, value: Any) -> None:
        """Remembers a JSON value; written at once when it changed, whole or not at all."""
        if self._values.get(name) == value:
            return
        self._values[name] = value
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft = self._path.with_suffix(".new")
            draft.write_text(json.dumps(self._values, ensure_ascii=False), "utf-8")
            os.replace(draft, self._path)
        except OSError:
            log.warning("the windows' memory can't be written")
