"""What the program's icon offers beside opening it: Windows' jump list, the Dock's menu, the actions of a desktop entry.

Each is a link that a second start hands over to the running client (or follows itself when none runs). The labels are in
resources/i18n/start_task.json; the .deb writes the same ones into the desktop entry.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class StartTask:
    """`key`: the label is start_task.<key>."""

    key: str
    link: str


TASKS: Final = (
    StartTask("newest", "tongban://do/newest"),
    StartTask("messages", "tongban://page/messages"),
    StartTask("workbench", "tongban://page/workbench"),
    StartTask("screenshot", "tongban://do/screenshot"),
)
