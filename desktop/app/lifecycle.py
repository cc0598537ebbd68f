"""Start and end of the process: environment, QApplication, one instance, the UI loop, the crash border. Only here is quit() called."""

import asyncio
import logging
import os
import sys
from collections.abc import Sequence

import qasync
from PySide6.QtWidgets import QApplication

from desktop.app.application import Application
from desktop.app.crash import CrashBorder
from desktop.app.logs import start_logging
from desktop.app.options import Options, parse_options
from desktop.app.watchdog import Watchdog
from desktop.platform.environment import prepare_application, prepare_environment
from desktop.platform.preferences import Preferences
from desktop.platform.single_instance import SingleInstance
from desktop.ui import i18n, motion, theme
from desktop.ui.tasks import InternalError, present

log = logging.getLogger("tongban.app")

HANDED_OVER = 0
HUNG = 3  # exit code when something did not end within its limit


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the client; its exit code."""
    options = parse_options(sys.argv[1:] if argv is None else argv)
    start_logging(options.data_dir, debug=options.debug)
    prepare_environment()
    prepare_application()
    qapp = QApplication([sys.argv[0]])
    qapp.setQuitOnLastWindowClosed(False)
    instance = SingleInstance(options.data_dir)
    if instance.hand_over(options.links):
        log.info("another client of this folder runs already: handed over")
        return HANDED_OVER
    if not instance.claim():
        return 1
    try:
        clean = run_application(qapp, options, instance)
    finally:
        instance.release()
    if not clean:  # a thread hangs; the interpreter would wait for it for ever
        logging.shutdown()
        os._exit(HUNG)
    return 0


def run_application(qapp: QApplication, options: Options, instance: SingleInstance | None = None) -> bool:
    """Runs until the user quits. False when something had to be left hanging."""
    preferences = Preferences(options.data_dir / "preferences.json")
    dress(qapp, options, preferences)
    border = CrashBorder(lambda crash_id: present(InternalError(id=crash_id)))
    border.install()
    watchdog = Watchdog() if options.debug else None
    if watchdog is not None:
        watchdog.start()
    try:
        with asyncio.Runner(loop_factory=lambda: ui_loop(qapp, border)) as runner:
            clean: bool = runner.run(Application(qapp, options, preferences, instance).run())
            return clean
    finally:
        if watchdog is not None:
            watchdog.stop()
        border.remove()


def ui_loop(qapp: QApplication, border: CrashBorder | None = None) -> asyncio.AbstractEventLoop:
    """qasync's loop, set as the current one."""
    loop: asyncio.AbstractEventLoop = qasync.QEventLoop(qapp)
    asyncio.set_event_loop(loop)  # Python 3.11's Runner leaves that to the factory
    if border is not None:
        loop.set_exception_handler(border.on_loop_exception)
    return loop


def dress(qapp: QApplication, options: Options, preferences: Preferences) -> None:
    """Language and theme before the first window. The command line wins over what is kept, and is not kept."""
    chosen = preferences.now
    language = options.language or chosen.language or i18n.system_language()
    i18n.set_language("zh" if language == "zh" else "en")
    theme.apply(qapp, chosen=theme_mode(options.theme or chosen.theme), scale=chosen.text_percent / 100)
    motion.set_reduced(chosen.reduce_motion)


def theme_mode(text: str) -> theme.Mode:
    """A theme's mode by its name; anything unknown follows the system."""
    return "light" if text == "light" else "dark" if text == "dark" else "system"
