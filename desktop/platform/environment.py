"""What must be set before QApplication exists: input methods, scaling, the program's identity."""

import os
import sys
from collections.abc import MutableMapping

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QGuiApplication

from desktop.platform.folders import APP_NAME


def prepare_environment(environ: MutableMapping[str, str] | None = None) -> None:
    """Names input methods that type Chinese (the wheel's ibus plugin talks to fcitx5; QT_IM_MODULE=fcitx alone types nothing)."""
    environ = os.environ if environ is None else environ
    if sys.platform.startswith("linux"):
        environ.setdefault("QT_IM_MODULES", "fcitx;ibus")


def prepare_application() -> None:
    """Identity and fractional scaling; before the QApplication is made."""
    QCoreApplication.setApplicationName(APP_NAME)
    QCoreApplication.setOrganizationName(APP_NAME)
    QGuiApplication.setDesktopFileName(APP_NAME)
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.shell32.SetCurrentProcessExplicitAppUserModelID(APP_NAME)
