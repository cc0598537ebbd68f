"""Tells when the system's network changes: a cable, another Wi-Fi, a gateway that comes or goes. Silent where the system tells nothing."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QNetworkInformation


def system_information() -> QObject | None:
    """Qt's view of the system's network; None where there is no backend for it."""
    if not QNetworkInformation.loadBackendByFeatures(QNetworkInformation.Feature.Reachability):
        return None
    return QNetworkInformation.instance()


class NetworkWatch(QObject):
    """`changed` whenever the system says that the way out is another one."""

    changed = Signal()

    def __init__(
        self, parent: QObject | None = None, *, load: Callable[[], QObject | None] = system_information
    ) -> None:
        super().__init__(parent)
        self._load = load
        self._information: QObject | None = None

    def start(self) -> None:
        """Begins to listen; once is enough, more does no harm."""
        if self._information is not None:
            return
        self._information = self._load()
        for name in ("reachabilityChanged", "transportMediumChanged"):
            told = getattr(self._information, name, None)
            if told is not None:
                told.connect(self._on_told)

    def _on_told(self, _now: object) -> None:
        self.changed.emit()
