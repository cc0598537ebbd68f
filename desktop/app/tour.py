"""The tour: the real client driven through every page and state against a real backend, a picture of each. See build_scripts/tour.py.

    python -m desktop.app.tour --server URL --ca FILE --out DIR --theme light|dark --lang zh|en --scale 1|2 [--only PAGE]

Signs in as the clerk; the director acts live through a second core client, the people of a flow have windows of their own. The
cable is a proxy in between, so that it can be cut. Waits on conditions with a deadline, never on the clock. Pictures:
<page>-<theme>-<lang>[-2x].png. With --reach no pictures are taken: every page is asked whether everybody can use it (`reach`), quickly, and what
is wrong is printed.
"""

import argparse
import asyncio
import faulthandler
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from desktop.app.cable import Cable
from desktop.app.options import Options
from desktop.app.tour_chat import ChatStops, Said
from desktop.app.tour_flows import FlowStops
from desktop.app.tour_hands import Hands
from desktop.app.tour_office import OfficeStops
from desktop.app.tour_people import People
from desktop.app.tour_search import SearchStops
from desktop.platform.environment import prepare_application, prepare_environment

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop.app.application import Application
    from desktop.app.signed_in import SignedIn
    from desktop.core.domain import Attachment, MessageKind, Transfer
    from desktop.core.services.session import Session
    from desktop.ui.chat.page import MessagesPage

log = logging.getLogger("tongban.tour")

CLERK, DIRECTOR, PASSWORD = "linyuan", "zhangmin", "tongban-demo"
SIZE = (1160, 748)
SLOW = frozenset(
    {"tray", "conflict", "sealing", "receiving", "sending", "offline", "registers", "message-to-task", "card"}
)
"""Stops that wait for cables and colleagues, and lead to pages that other stops show too."""
FRESH = frozenset({"workbench", "contacts", "notices", "library", "transfers", "settings", "my-work", "messages"})
"""Pictures of a page that was just opened: there the keyboard must be in a sensible place."""
LAYOUT_ROUNDS = 4
STOP_SECONDS = 120  # the modules have many views


def main(argv: Sequence[str] | None = None) -> int:
    """Takes the pictures; 1 when a page could not be reached."""
    parser = argparse.ArgumentParser(prog="python -m desktop.app.tour")
    parser.add_argument("--server", required=True)
    parser.add_argument("--ca", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("--lang", choices=("zh", "en"), default="zh")
    parser.add_argument("--scale", type=int, choices=(1, 2, 3), default=1)
    parser.add_argument("--text", type=int, default=100, metavar="PERCENT", help="size of the text, 100 to 200")
    parser.add_argument("--only", default=None, metavar="PAGE", help="only pictures whose names begin so")
    parser.add_argument(
        "--reach", action="store_true", help="no pictures: print what not everybody can use, 1 when there is any"
    )
    wanted = parser.parse_args(argv)
    if wanted.scale > 1:
        os.environ["QT_SCALE_FACTOR"] = str(wanted.scale)
    faulthandler.register(signal.SIGUSR1)
    prepare_environment()
    prepare_application()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname).1s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    scratch = Path(tempfile.mkdtemp(prefix="tongban-tour-client-"))
    try:
        return _run(wanted, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _run(wanted: argparse.Namespace, scratch: Path) -> int:
    from PySide6.QtWidgets import QApplication

    from desktop.app.lifecycle import dress, ui_loop
    from desktop.platform.preferences import Preferences

    qapp = QApplication([sys.argv[0]])
    qapp.setQuitOnLastWindowClosed(False)
    preferences = Preferences(scratch / "preferences.json")
    host = urlsplit(wanted.server)
    cable = Cable(host.hostname or "127.0.0.1", host.port or 443)
    suffix = f"{wanted.theme}-{wanted.lang}" + (f"-{wanted.scale}x" if wanted.scale > 1 else "")

    async def tour() -> int:
        from desktop.app.application import Application

        port = await cable.lay()
        options = Options(
            data_dir=scratch,
            server=f"https://127.0.0.1:{port}",
            certificate=wanted.ca,
            theme=wanted.theme,
            language=wanted.lang,
        )
        preferences.set(theme=wanted.theme, language=wanted.lang, text_percent=wanted.text)
        dress(qapp, options, preferences)
        application = Application(qapp, options, preferences, None)
        camera = Walker(wanted.out, suffix) if wanted.reach else Camera(wanted.out, suffix)
        guide = Tour(application, cable, wanted.server, camera, wanted.only, quick=wanted.reach)
        logging.getLogger("tongban.ui").addHandler(Mishaps(guide.failed))
        running = asyncio.get_running_loop().create_task(application.run(), name="application")  # ended below
        try:
            return await guide.walk(running)
        finally:
            application.quit()
            await running
            await cable.close()

    with asyncio.Runner(loop_factory=lambda: ui_loop(qapp)) as runner:
        code: int = runner.run(tour())
        return code


async def act(action: Callable[..., object], *arguments: object) -> None:
    """Acts on a widget outside of any task: Qt's test events turn the event loop, and asyncio enters no task within another."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def run() -> None:
        try:
            action(*arguments)
        except (LookupError, RuntimeError, AssertionError) as error:
            done.set_exception(error)
        else:
            done.set_result(None)

    loop.call_soon(run)
    await done


class Mishaps(logging.Handler):
    """A picture can look right after an internal error; the tour has failed all the same."""

    def __init__(self, told: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._told = told

    def emit(self, record: logging.LogRecord) -> None:
        """Notes what went wrong."""
        self._told.append(record.getMessage())


class Camera:
    """Saves pictures under their page's name."""

    def __init__(self, out: Path, suffix: str) -> None:
        self._out, self._suffix = out, suffix
        self.taken: list[str] = []
        self.flaws: list[str] = []
        out.mkdir(parents=True, exist_ok=True)

    def window(self, page: str, widget: "QWidget") -> None:
        """One window, as it paints itself."""
        from desktop.app import reach

        path = self._path(page)
        self.flaws.extend(f"{page}: {flaw}" for flaw in reach.flaws(widget))
        if not widget.grab().save(str(path)):
            raise OSError(f"cannot write {path}")

    def write_flaws(self) -> None:
        """What not everybody can use of the pages that were taken (`reach`), beside them."""
        (self._out / f"reach-{self._suffix}.txt").write_text(
            "".join(f"{one}\n" for one in self.flaws), encoding="utf-8"
        )

    async def screen(self, page: str) -> None:
        """The whole screen, with what the window manager and the tray draw."""
        from desktop.ui.background import in_background

        await in_background(subprocess.run, ["import", "-window", "root", str(self._path(page))], check=True)

    def _path(self, page: str) -> Path:
        self.taken.append(page)
        return self._out / f"{page}-{self._suffix}.png"


class Walker(Camera):
    """Takes no pictures: looks at what is on the screen with the eyes of somebody who hears it, or types, or needs large letters."""

    def window(self, page: str, widget: "QWidget") -> None:
        """One window: names, roles, keys, cut texts; on a page that was just opened also where the keyboard is."""
        from PySide6.QtCore import QEvent
        from PySide6.QtWidgets import QApplication

        from desktop.app import reach

        for _ in range(LAYOUT_ROUNDS):  # what folds asks for another round
            QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)
        self.taken.append(page)
        told = [
            *reach.flaws(widget),
            *(reach.first_focus(widget) if page in FRESH or page.startswith("module-") else []),
        ]
        self.flaws.extend(f"{page}: {flaw}" for flaw in told)

    def write_flaws(self) -> None:
        """Prints them, and how many pages were seen."""
        sys.stdout.write("".join(f"{one}\n" for one in self.flaws))
        sys.stdout.write(f"{len(self.taken)} pages, {len(self.flaws)} flaws\n")

    async def screen(self, page: str) -> None:
        """Every window that is on the screen, beside the main one."""
        from PySide6.QtWidgets import QApplication, QMainWindow

        for window in QApplication.topLevelWidgets():
            if window.isVisible() and not isinstance(window, QMainWindow) and window.size().width() > 1:
                self.window(f"{page} ({window.objectName() or type(window).__name__})", window)


class Tour:
    """Leads through the pages. Each stop leaves the client as the next one expects it."""

    def __init__(
        self,
        application: "Application",
        cable: Cable,
        server: str,
        camera: Camera,
        only: str | None,
        *,
        quick: bool = False,
    ) -> None:
        """`quick`: without the stops that show no other page, and without waiting for each picture to be painted."""
        self._app, self._cable, self._server, self._camera, self._only = application, cable, server, camera, only
        self._quick = quick
        self._director: Session | None = None
        self._people = People(application, server, PASSWORD)
        self.failed: list[str] = []

    # ------------------------------------------------------------ the way
    async def walk(self, running: asyncio.Task[bool]) -> int:
        """All stops in order; a stop that fails is told, with the screen then, and the next one is tried."""
        await self._until(lambda: self._app.login is not None or running.done(), "login window")
        await self._stop("login", self._login)
        await self._sign_in()
        for name, stop in self._stops():
            await self._stop(name, stop)
        await self._people.close()
        self._camera.write_flaws()
        for name in self.failed:
            log.error("%s could not be reached", name)
        return 1 if self.failed or (self._quick and self._camera.flaws) else 0

    def _stops(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        return [
            ("messages", self._messages),
            ("direct", self._direct),
            ("composer", self._composer),
            ("viewer", self._viewer),
            *self._talking().stops(),
            ("contacts", self._contacts),
            *self._searching().stops(),
            ("workbench", self._workbench),
            ("toasts", self._toasts),  # before the notices: there the urgent one is confirmed
            ("tray", self._tray),
            ("panel", self._panel),
            ("notices", self._notices),
            ("library", self._library),
            ("reader", self._reader),
            ("transfers", self._transfers),
            ("settings", self._settings),
            *self._office().stops(),
            *self._flows().stops(),
            ("offline", self._offline),
        ]

    def _hands(self) -> Hands:
        call = self._app.bridge.call
        return Hands(
            lambda: self._in, self._until, act, self._shoot, self._open, self._colleague, call, self._cable, self._quick
        )

    def _talking(self) -> ChatStops:
        """The stops in the talk."""
        said = Said(
            group="办公室工作群",
            plan="## 值班安排\n\n1. **白班** 8:00–20:00\n2. **夜班** 20:00–次日 8:00\n\n> 每两小时报一次水情",
            question="值班表周几开始执行？",
            answers=("周一", "周三", "下月初"),
            chain="周五防汛演练报名",
            example="张三 信息中心",
            order="请各科室确认收到本次值班安排。",
            later="明天例会前请把材料放到群文件。",
        )
        return ChatStops(self._hands(), self._camera.window, said)

    def _office(self) -> OfficeStops:
        """The stops in the modules."""
        return OfficeStops(self._hands())

    def _searching(self) -> SearchStops:
        """The stops of the search."""
        return SearchStops(self._hands())

    def _flows(self) -> FlowStops:
        """The stops at several people's desks."""
        camera = self._camera
        return FlowStops(
            self._people, lambda: self._in, self._until, act, camera.window, camera.screen, self._app.data_dir
        )

    async def _stop(self, name: str, stop: Callable[[], Awaitable[None]]) -> None:
        if self._only is not None and not self._only.startswith(name) and not name.startswith(self._only):
            return
        if self._quick and name in SLOW:
            return
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await stop()
        except Exception:  # a border: the other pages are worth their pictures all the same
            log.exception("stop %s", name)
            self.failed.append(name)
            await self._camera.screen(f"failed-{name}")

    async def _until(self, condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
        from desktop.app.drive import until

        await until(condition, what, seconds)
        await self._painted()

    async def _painted(self) -> None:
        """Until the event queue has run dry some times over: what was asked for is laid out and painted."""
        for _ in range(3 if self._quick else 6):
            await asyncio.sleep(0.005 if self._quick else 0.03)

    @property
    def _in(self) -> "SignedIn":
        entered = self._app.signed_in
        assert entered is not None
        return entered

    @property
    def _page(self) -> "MessagesPage":
        from desktop.ui.chat.page import MessagesPage

        page = self._in.window.page("messages")
        assert isinstance(page, MessagesPage)
        return page

    def _shoot(self, page: str) -> None:
        self._camera.window(page, self._in.window)

    # ------------------------------------------------------------ signing in
    async def _login(self) -> None:
        from desktop.app import drive

        login = self._app.login
        assert login is not None
        await act(drive.type_text, "login.account", CLERK)
        await self._painted()
        self._camera.window("login", login)
        await act(drive.type_text, "login.password", "wrong")
        await act(drive.click, "login.submit")
        await self._until(lambda: drive.find("login.problem"), "refusal")
        self._camera.window("login-wrong-password", login)
        before = drive.text_of(drive.find("login.problem"))
        await act(drive.press, "login.password", "Ctrl+A")
        await act(drive.type_text, "login.password", PASSWORD)
        await self._cable.cut()
        try:
            await act(drive.click, "login.submit")
            await self._until(lambda: drive.text_of(drive.find("login.problem")) != before, "unreachable")
            self._camera.window("login-unreachable", login)
        finally:
            await self._cable.mend()
        await self._until(lambda: drive.find("login.submit").isEnabled(), "ready again")

    async def _sign_in(self) -> None:
        from desktop.app import drive

        login = self._app.login
        assert login is not None
        await act(drive.press, "login.account", "Ctrl+A")
        await act(drive.type_text, "login.account", CLERK)
        await act(drive.press, "login.password", "Ctrl+A")
        await act(drive.type_text, "login.password", PASSWORD)
        await act(drive.click, "login.submit")
        await self._until(lambda: self._app.signed_in is not None, "main window", 40)
        window = self._in.window
        window.resize(*SIZE)
        await self._until(lambda: self._page.list.model.rowCount() > 5, "conversations")
        await self._until(lambda: not self._in.session.status.syncing, "history", 60)
        await self._until(
            lambda: self._in.desk.people.name(self._in.session.me.id) == self._in.session.me.name, "names"
        )
        self._in.desk.toasts.clear()

    async def _colleague(self) -> "Session":
        """The director's client, made when first wanted."""
        if self._director is None:
            from desktop.app.trust import Trust
            from desktop.core.crypto.keychain import MemoryKeychain
            from desktop.core.services.client import Client

            bridge = self._app.bridge
            folder = self._app.data_dir / "colleague"
            client = await bridge.call(
                Client.open(folder, keychain=MemoryKeychain(), trust=Trust(self._app.certificate))
            )
            self._director = await bridge.call(client.sign_in(self._server, DIRECTOR, PASSWORD, remember=False))
            await bridge.call(self._director.wait_until(synced=True))
        return self._director

    async def _say(self, conversation_id: str, text: str) -> None:
        colleague = await self._colleague()
        await self._app.bridge.call(colleague.chat.send_text(conversation_id, text))

    def _conversation(self, name: str) -> str:
        model = self._page.list.model
        return next(c.id for row in range(model.rowCount()) if name in (c := model.at(row)).name)

    async def _open(self, name: str) -> str:
        conversation_id = self._conversation(name)
        self._in.window.open_conversation(conversation_id)
        pane = self._page.pane
        await self._until(
            lambda: self._page.shown_conversation == conversation_id and len(pane.window_model) > 0, f"talk {name}"
        )
        await self._until(lambda: self._has_read(conversation_id), f"read marks of {name}")
        return conversation_id

    def _has_read(self, conversation_id: str) -> bool:
        """What is in sight of an active window counts as read, a moment later."""
        window = self._in.window
        if not window.isActiveWindow():
            window.come_forward()
        found = self._page.list.model.find(conversation_id)
        return found is not None and not found.unread_count

    # ------------------------------------------------------------ pages
    async def _messages(self) -> None:
        conversation_id = await self._open("办公室工作群")
        colleague = await self._colleague()
        await self._app.bridge.call(colleague.chat.typing(conversation_id))
        await self._painted()
        self._shoot("messages")

    async def _direct(self) -> None:
        await self._open("张敏")
        self._shoot("direct")

    async def _composer(self) -> None:
        from desktop.app import drive
        from desktop.ui.i18n import tr

        await self._open("办公室工作群")
        await act(drive.type_text, tr("chat.compose.name"), "收到，下午三点前报送")
        await act(drive.click, tr("chat.compose.emoji"))
        await self._until(self._page.pane.composer.picker.isVisible, "emoji picker")
        await self._camera.screen("composer")
        self._page.pane.composer.picker.hide()
        self._page.pane.composer.edit.clear()

    async def _viewer(self) -> None:
        from desktop.app import drive
        from desktop.core.domain import MessageKind
        from desktop.ui.viewer.viewer import PictureViewer

        picture = await self._find_message(MessageKind.PICTURE)
        self._in.files.view_picture(picture)

        def shown() -> bool:
            viewer = drive.find("pictureViewer")
            return isinstance(viewer, PictureViewer) and viewer.canvas.isVisible() and viewer.canvas.scale > 0

        await self._until(shown, "picture")
        viewer = drive.find("pictureViewer")
        self._camera.window("viewer", viewer)
        viewer.close()

    async def _find_message(self, kind: "MessageKind") -> "Attachment":
        for row in range(self._page.list.model.rowCount()):
            conversation = self._page.list.model.at(row)
            window = await self._in.session.chat.window(conversation.id, limit=100)
            for message in reversed(window.messages):
                if message.kind is kind and message.attachment is not None:
                    return message.attachment
        raise LookupError(f"no {kind} in any conversation")

    async def _contacts(self) -> None:
        from desktop.app import drive

        person = next(p for p in self._in.desk.people.all() if p.login == DIRECTOR)
        await act(drive.click, "rail.contacts")
        await self._until(partial(drive.find, "departmentTree"), "contacts")
        await self._until(lambda: drive.rows_of(drive.find("departmentTree").model()), "departments")  # type: ignore[attr-defined]  # an item view
        self._in.window.open_person(person.id)
        await self._until(lambda: drive.text_of(drive.find("personName")) == person.name, "card")
        self._shoot("contacts")

    async def _workbench(self) -> None:
        from desktop.app import drive
        from desktop.ui.office.page import OfficePage

        await act(drive.click, "rail.workbench")
        await self._until(lambda: drive.find("module_notices"), "modules")
        page = self._in.window.page("workbench")
        assert isinstance(page, OfficePage)
        await self._until(lambda: page.work.ready and not page.work.tasks.busy, "what waits")
        self._shoot("workbench")

    async def _notices(self) -> None:
        from desktop.app import drive
        from desktop.core.domain import NoticeLevel

        await act(drive.click, "rail.workbench")
        await self._until(lambda: drive.find("module_notices") or drive.find("noticeList"), "modules")
        notices = await self._in.session.office.notices()
        must = next(n for n in notices if n.level is NoticeLevel.MUST_CONFIRM and n.my_confirmed_at is None)
        other = next(n for n in notices if n.level is not NoticeLevel.MUST_CONFIRM)
        self._in.window.open_notice(other.id)
        await self._until(lambda: drive.text_of(drive.find("noticeTitle")) == other.title, "notice")
        self._shoot("notices")
        self._in.window.open_notice(must.id)
        await self._until(partial(drive.find, "noticeConfirm"), "confirm button")
        self._shoot("notice-confirm-before")
        await act(drive.click, "noticeConfirm")
        await self._until(lambda: not drive.find_all("noticeConfirm"), "confirmed")
        self._shoot("notice-confirm-after")

    async def _library(self) -> None:
        from desktop.app import drive

        await act(drive.click, "rail.workbench")
        if drive.find_all("noticesBack"):
            await act(drive.click, "noticesBack")
        await self._until(lambda: drive.find("module_library"), "modules")
        await act(drive.click, "module_library")
        await self._until(lambda: drive.find("documentsTable"), "documents")
        documents = await self._in.session.office.documents()
        view = drive.find("documentsTable")
        await self._until(lambda: view.model().rowCount() > 0, "rows")  # type: ignore[attr-defined]  # an item view
        title = next(d.title for d in documents if d.name.endswith(".pdf"))
        try:
            await act(drive.click_row, "documentsTable", title)
        except drive.NotFound:
            await act(drive.click_row, "documentsTable", "")
        await self._until(lambda: drive.find("documentDetails"), "details")
        self._shoot("library")

    async def _reader(self) -> None:
        from desktop.app import drive

        documents = await self._in.session.office.documents()
        best = max((d for d in documents if d.name.endswith(".pdf")), key=lambda d: d.size)
        await act(drive.click, "rail.workbench")
        self._in.window.open_document(best.id)
        await self._until(lambda: drive.find_all("readerPages") or drive.find_all("documentOpen"), "document")
        if not drive.find_all("readerPages"):
            await act(drive.click, "documentOpen")
        await self._until(lambda: drive.find("readerPages"), "pages")
        await act(drive.click, "reader_search_button")
        await self._until(lambda: drive.find("readerFindBox"), "search")
        await act(drive.type_text, "readerFindBox", "防汛" if "汛" in best.title else best.title[-2:])
        await self._until(
            lambda: any(c.isdigit() and c != "0" for c in drive.text_of(drive.find("readerFindCount"))), "hits"
        )
        self._shoot("reader")
        await act(drive.click, "readerBack")

    async def _transfers(self) -> None:
        from desktop.app import drive
        from desktop.core.domain import MessageKind
        from desktop.ui.background import in_background

        attachment = await self._find_message(MessageKind.FILE)
        await self._in.session.files.download(attachment)
        large = self._app.data_dir / "航拍视频（第三段）.mp4"
        await in_background(large.write_bytes, os.urandom(1 << 20) * (4 if self._quick else 128))
        conversation_id = self._conversation("张敏")
        await self._in.session.chat.send_file(conversation_id, large)
        await act(drive.click, "rail.transfers")
        model = self._in.desk.transfers
        await self._until(lambda: model.rowCount() >= 2 and any(row.moved for row in self._moving()), "transfers")
        self._shoot("transfers")

    def _moving(self) -> list["Transfer"]:
        from desktop.models.transfers import TransferRole

        model = self._in.desk.transfers
        rows = (model.index(row).data(TransferRole.TRANSFER) for row in range(model.rowCount()))
        return [row for row in rows if row.name.endswith(".mp4")]

    async def _settings(self) -> None:
        from desktop.app import drive
        from desktop.ui.kit import Label
        from desktop.ui.settings.page import SettingsPage

        await act(drive.click, "rail.settings")
        page = self._in.window.page("settings")
        assert isinstance(page, SettingsPage)
        page.open_section("notifications")
        await self._painted()
        self._shoot("settings")
        for section in ("general", "appearance", "files", "network", "about") if self._quick else ():
            page.open_section(section)
            await self._painted()
            self._shoot(f"settings-{section}")
        page.open_section("shortcuts")
        await self._painted()
        self._shoot("settings-shortcuts")
        page.open_section("security")
        await self._until(lambda: any("127.0.0.1" in label.text() for label in page.findChildren(Label)), "devices")
        self._shoot("settings-security")

    async def _toasts(self) -> None:
        from desktop.models.alerts import BACKLOG, NoticeItem

        entered = self._in
        entered.window.show_page("workbench")
        desk = entered.desk
        desk.toasts.clear()
        desk.attention.closed(BACKLOG)
        await self._say(self._conversation("办公室工作群"), "@林远 会议材料已上传，请先看第三部分的数据口径。")
        await self._until(lambda: len(desk.toasts.shown) == 1, "message pop-up")
        for alert in await entered.session.alerts.alerts():
            if alert.urgent:
                desk.attention.offer(NoticeItem(alert.id, alert))
                break
        await self._painted()
        await self._camera.screen("toasts")
        desk.toasts.clear()

    async def _tray(self) -> None:
        from PySide6.QtCore import QPoint, QRect
        from PySide6.QtGui import QGuiApplication

        tray = self._app.tray
        await self._until(lambda: tray.available and tray.unread > 0, "tray")
        await self._say(self._conversation("张敏"), "预算草案再核一遍。")
        await self._until(lambda: tray.flashing, "flashing")
        self._in.window.close()
        area = QGuiApplication.primaryScreen().availableGeometry()
        tray.menu.popup(QPoint(area.right() - 200, area.bottom() - tray.menu.sizeHint().height() - 40))
        await self._until(tray.menu.isVisible, "menu")
        await self._camera.screen("tray")
        tray.menu.close()
        await self._until(lambda: not tray.menu.isVisible(), "no menu")
        tray.show_card(QRect(area.right() - 24, area.bottom() - 24, 22, 22))
        await self._until(lambda: tray.card is not None and tray.card.isVisible(), "hover card")
        await self._camera.screen("tray-hover")
        tray.hide_card()
        self._in.desk.toasts.clear()
        self._in.window.come_forward()

    async def _panel(self) -> None:
        entered = self._in
        entered.show_panel()
        await self._until(lambda: entered.panel is not None and entered.panel.roster.rowCount() > 0, "panel")
        await self._painted()
        await self._camera.screen("panel")
        entered.show_panel()

    async def _offline(self) -> None:
        from desktop.app import drive
        from desktop.core.domain import ConnectionState
        from desktop.ui.i18n import tr

        await self._open("张敏")
        await self._cable.cut()
        await self._until(lambda: self._in.session.status.state is not ConnectionState.LIVE, "no connection", 30)
        await act(drive.type_text, tr("chat.compose.name"), "网络断了也能写，恢复后自动发送。")
        await act(drive.press, tr("chat.compose.name"), "Return")
        model = self._page.pane.window_model
        await self._until(lambda: model.at(len(model) - 1).seq == 0, "pending message")
        await self._until(self._in.window.banner.isVisible, "banner", 30)
        self._shoot("offline")
        await self._cable.mend()
        await self._until(lambda: self._in.session.status.state is ConnectionState.LIVE, "live again", 40)


if __name__ == "__main__":
    sys.exit(main())
