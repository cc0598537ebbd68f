"""Start and end of the process: environment, QApplication, one instance, the UI loop, the crash border. Only here is quit() called."""

import asyncio
import logging
import os
import sys
from collections.abc import Sequence

import qasync
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication

from desktop.app.application import Application
from desktop.app.beside import beside_folders
from desktop.app.crash import CrashBorder
from desktop.app.crash_log import Crash, CrashLog
from desktop.app.logs import start_logging
from desktop.app.options import Options, parse_options
from desktop.app.watchdog import Watchdog
from desktop.platform.environment import prepare_application, prepare_environment
from desktop.platform.open_events import make_application
from desktop.platform.preferences import Preferences
from desktop.platform.single_instance import SingleInstance
from desktop.ui import i18n, motion, theme
from desktop.ui.tasks import InternalError, present

log = logging.getLogger("tongban.app")

HANDED_OVER = 0
HUNG = 3  # exit code when something did not end within its limit; --quit: the running client did not
NOBODY = 4  # --quit: no client runs. Installers read these codes (build_scripts/package/windows/installer)
QUIT_LIMIT_MS = 30_000


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the client; its exit code."""
    options = parse_options(sys.argv[1:] if argv is None else argv)
    if options.self_test:
        from desktop.app.self_test import run_self_test

        return run_self_test(as_json=options.as_json, report=options.report)
    if options.quit:
        return quit_running(options)
    start_logging(options.data_dir, debug=options.debug)
    if options.apply_update is not None:
        from desktop.app.updating_start import run_apply

        return run_apply(options)
    prepare_environment()
    prepare_application()
    qapp = make_application([sys.argv[0]])
    qapp.setQuitOnLastWindowClosed(False)
    instance = SingleInstance(options.data_dir)
    if instance.hand_over(options.links):
        log.info("another client of this folder runs already: handed over")
        return HANDED_OVER
    if not instance.claim():
        return 1
    if getattr(sys, "frozen", False) and not begin_update(options):
        instance.release()
        return HANDED_OVER
    try:
        clean = run_application(qapp, options, instance)
    finally:
        instance.release()
    if not clean:  # a thread hangs; the interpreter would wait for it for ever
        logging.shutdown()
        os._exit(HUNG)
    return 0


def begin_update(options: Options) -> bool:
    """Of a bundle: looks how an update went that a power cut ended. False: the version before takes over as soon as this one has ended."""
    from desktop.app.application import program_version
    from desktop.app.updating_start import begin

    return begin(options, program_version())


def quit_running(options: Options) -> int:
    """`--quit`: asks the client of this data folder to end, waits for it; 0, NOBODY or HUNG. Needs no screen."""
    if not options.data_dir.is_dir():
        return NOBODY
    _application = QCoreApplication.instance() or QCoreApplication([sys.argv[0]])  # local sockets want one
    folders = [options.data_dir, *beside_folders(options.data_dir)]  # further accounts run from the same files
    outcomes = [SingleInstance(folder).end_other(QUIT_LIMIT_MS) for folder in folders]
    return HUNG if "stays" in outcomes else 0 if "ended" in outcomes else NOBODY


def run_application(qapp: QApplication, options: Options, instance: SingleInstance | None = None) -> bool:
    """Runs until the user quits. False when something had to be left hanging."""
    preferences = Preferences(options.data_dir / "preferences.json")
    dress(qapp, options, preferences)
    crash_log = CrashLog(options.data_dir)
    crash = crash_log.start()
    border = CrashBorder(lambda crash_id: present(InternalError(id=crash_id)), crash_log.note_error)
    border.install()
    watchdog = Watchdog() if options.debug else None
    if watchdog is not None:
        watchdog.start()
    try:
        with asyncio.Runner(loop_factory=lambda: ui_loop(qapp, border)) as runner:
            clean: bool = runner.run(_run(Application(qapp, options, preferences, instance), crash, crash_log))
            crash_log.end()
            return clean
    finally:
        if watchdog is not None:
            watchdog.stop()
        border.remove()


async def _run(application: Application, crash: Crash | None, crash_log: CrashLog) -> bool:
    application.help.expect_crash(crash, crash_log)
    return await application.run()


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
