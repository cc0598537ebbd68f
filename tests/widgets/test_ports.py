"""Every port that the screens declare, against what the application really hands them: names, kinds and parameters of all verbs."""

import asyncio
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast, get_type_hints

import pytest
from PySide6.QtWidgets import QApplication

import desktop.app
import desktop.models
import desktop.ui
from desktop.app.bridge import Bridge
from desktop.app.file_opener import FileWindows
from desktop.app.search_desk import SearchDesk
from desktop.app.trust import Trust
from desktop.app.ui_session import ScreenSession
from desktop.app.updating import Updating
from desktop.core.clock import SystemClock
from desktop.core.crypto.keychain import MemoryKeychain
from desktop.core.domain import Person
from desktop.core.services.client import Client
from desktop.core.services.session import Session
from desktop.core.services.tokens import Tokens
from desktop.core.services.workers import Workers
from desktop.core.store.memory import MemoryStore
from desktop.ui.contacts.page import ContactsPage
from desktop.ui.office.page import OfficePage
from desktop.ui.settings.page import SettingsPage
from desktop.ui.shell.main_window import MainWindow
from tests.helpers.backend_model import BackendModel
from tests.helpers.fake_transport import FakeNetwork, FakeTransport

NOT_OF_A_SESSION: dict[str, Callable[["Parts"], object]] = {
    "desktop.ui.shell.navigator.Navigator": lambda parts: MainWindow,
    "desktop.ui.shell.navigator.FileOpener": lambda parts: FileWindows,
    "desktop.ui.shell.login.LoginGate": lambda parts: parts.gate,
    "desktop.ui.search.overlay.SearchPlaces": lambda parts: SearchDesk,
    "desktop.app.search_desk.ModulePages": lambda parts: OfficePage,
    "desktop.app.search_desk.SettingsSections": lambda parts: SettingsPage,
    "desktop.app.search_desk.Departments": lambda parts: ContactsPage,
    "desktop.ui.transfers.view.TransferVerbs": lambda parts: parts.screen.files,
    "desktop.ui.settings.sources.TransferRuleVerbs": lambda parts: parts.screen.files,
    "desktop.ui.office.ports.LibrarianVerbs": lambda parts: parts.screen.office,
    "desktop.ui.office.notice_actions.NoticeVerbs": lambda parts: parts.screen.office,
    "desktop.models.cases_verbs.CasesVerbs": lambda parts: parts.screen.cases,
    "desktop.models.verbs.TalkVerbs": lambda parts: parts.screen.chat,
    "desktop.models.verbs.SendVerbs": lambda parts: parts.screen.chat,
    "desktop.models.verbs.MessageActs": lambda parts: parts.screen.chat,
    "desktop.models.verbs.GroupVerbs": lambda parts: parts.screen.chat,
    "desktop.models.verbs.KeepingVerbs": lambda parts: parts.screen.chat,
    "desktop.ui.updates.UpdateVerbs": lambda parts: Updating,
    "desktop.ui.reader.places.ViewStates": lambda parts: parts.screen.records,
}
"""Ports that are handed over alone. All others are sessions, or parts of sessions."""
INSIDE_THE_APPLICATION = {
    "desktop.app.probes.Probed",
    "desktop.app.bridge.HasEvents",
    "desktop.app.diagnosis.HasCheck",
    "desktop.app.help_desk.Helped",
    "desktop.ui.chat.open_talk.OpenTalk",
    "desktop.ui.chat.cards.CardSource",
    "desktop.ui.search.spotlight.MessagePlaces",
    "desktop.ui.chat.composer_menus.ComposerHands",
    "desktop.ui.chat.message_edit.KeyTaker",
    "desktop.ui.chat.message_menu.MessageActs",
    "desktop.ui.contacts.host.ContactsHost",
    "desktop.ui.office.views.timeline_canvas.Painter",
    "desktop.ui.reader.arriving_source.PartialDocument",
    "desktop.ui.reader.page_source.PageSource",
    "desktop.ui.reader.pages_view.PageLayer",
    "desktop.ui.reader.ofd.package.Element",
    "desktop.ui.reader.formats.archive.Archive",
    "desktop.ui.reader.formats.format_view.FormatView",
    "desktop.ui.chat.voice_state.VoiceState",
    "desktop.ui.voice.devices.Microphone",
    "desktop.ui.voice.devices.Player",
    "desktop.ui.diagnosis.window.DiagnosisVerbs",
}
"""No ports of a screen: the type checker sees both sides."""


class Parts:
    """What signed_in.py and application.py hand to the screens, over a session that is not connected."""

    def __init__(self, folder: Path) -> None:
        net, clock = FakeNetwork(BackendModel()), SystemClock()
        transport = FakeTransport(net, "anna")

        async def nothing(*_arguments: object) -> None:
            return None

        tokens = Tokens(transport, clock, nothing, login="anna", device_name="test", platform="other")
        self._workers = Workers()
        session = Session(
            me="anna", login="anna", store=MemoryStore("anna"), blob_folder=folder, account_key=bytes(32),
            transport=transport, tokens=tokens, clock=clock, workers=self._workers, sign_out=nothing,
        )  # fmt: skip
        self.bridge = Bridge()
        self.screen: ScreenSession = ScreenSession(self.bridge, session, Person("anna", "Anna"))
        client = asyncio.run(Client.open(folder / "data", keychain=MemoryKeychain()))
        self.gate: Any = self.bridge.wrap(client, cancellable=True, approve=Trust().approve)

    def close(self) -> None:
        self.bridge.drop_feeds()
        self._workers.close()


@pytest.fixture
def parts(qapp: QApplication, tmp_path: Path) -> Iterator[Parts]:
    made = Parts(tmp_path)
    yield made
    made.close()


def is_port(value: object) -> bool:
    return inspect.isclass(value) and bool(getattr(value, "_is_protocol", False))


def ports() -> dict[str, type[Any]]:
    """Every Protocol below desktop.ui, desktop.models and desktop.app."""
    found: dict[str, type[Any]] = {}
    for package in (desktop.ui, desktop.models, desktop.app):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(info.name)
            for name, value in vars(module).items():
                if is_port(value) and value.__module__ == module.__name__:
                    found[f"{module.__name__}.{name}"] = value
    return found


def members(port: type[Any]) -> dict[str, Any]:
    """What a port declares, in itself and in the ports it extends."""
    found: dict[str, Any] = {}
    for base in reversed(port.__mro__):
        if is_port(base):
            found |= {name: value for name, value in vars(base).items() if not name.startswith("_")}
    return found


def differences(port: type[Any], real: object, where: str) -> Iterator[str]:
    """What `real` lacks of `port`, and of the ports that its attributes are."""
    for name, declared in members(port).items():
        if not hasattr(real, name):
            yield f"{where}.{name}: missing"
        elif isinstance(declared, property):
            part = get_type_hints(declared.fget)["return"]
            if is_port(part):
                yield from differences(part, getattr(real, name), f"{where}.{name}")
        else:
            yield from call_differences(declared, getattr(real, name), f"{where}.{name}")


def call_differences(declared: Any, real: Any, where: str) -> Iterator[str]:
    """Whether every call that `declared` allows is one that `real` takes."""
    if inspect.iscoroutinefunction(declared) != inspect.iscoroutinefunction(real):
        yield f"{where}: one of the two is async"
    wanted = list(inspect.signature(declared).parameters.values())[1:]
    offered = [p for p in inspect.signature(real).parameters.values() if p.name != "self"]
    by_name = {parameter.name: parameter for parameter in offered}
    for place, parameter in enumerate(wanted):
        found = by_name.pop(parameter.name, None)
        if found is None:
            yield f"{where}: takes no {parameter.name}"
        elif parameter.kind is not parameter.KEYWORD_ONLY and (
            found.kind is found.KEYWORD_ONLY or offered.index(found) != place
        ):
            yield f"{where}: {parameter.name} stands elsewhere"
        elif parameter.default is not parameter.empty and found.default is found.empty:
            yield f"{where}: {parameter.name} may not be left out"
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    for name, parameter in by_name.items():
        if parameter.default is parameter.empty and parameter.kind not in variadic:
            yield f"{where}: wants {name}, which nobody gives"


def reached(port: type[Any]) -> Iterator[type[Any]]:
    """The port and those its attributes are."""
    yield port
    for declared in members(port).values():
        part = get_type_hints(declared.fget)["return"] if isinstance(declared, property) else None
        if is_port(part):
            yield from reached(cast(type[Any], part))


def test_the_session_on_the_screen_satisfies_every_port(parts: Parts) -> None:
    everything = ports()
    sessions = {name: port for name, port in everything.items() if name.endswith("Session")}
    alone = {name: make(parts) for name, make in NOT_OF_A_SESSION.items()}
    checked = {f"{p.__module__}.{p.__qualname__}" for port in sessions.values() for p in reached(port)} | alone.keys()
    assert everything.keys() - checked - INSIDE_THE_APPLICATION == set()  # a new port is looked at, or named above
    assert alone.keys() <= everything.keys()
    assert len(sessions) >= 5
    found = [line for name, port in sessions.items() for line in differences(port, parts.screen, name)]
    found += [line for name, real in alone.items() for line in differences(everything[name], real, name)]
    assert found == []


def test_differences_are_seen() -> None:
    """The comparison itself: each way in which a verb may drift."""

    class Port:
        _is_protocol = True

        async def same(self, one: str, two: int = 1) -> None: ...
        async def gone(self) -> None: ...
        async def renamed(self, one: str) -> None: ...
        async def stricter(self, one: str = "") -> None: ...
        async def swapped(self, one: str, two: str) -> None: ...
        async def hungry(self) -> None: ...
        async def waited(self) -> None: ...
        async def keyword(self, one: str) -> None: ...

    class Real:
        async def same(self, one: str, two: int = 2, three: int = 3) -> None: ...
        async def renamed(self, first: str) -> None: ...
        async def stricter(self, one: str) -> None: ...
        async def swapped(self, two: str, one: str) -> None: ...
        async def hungry(self, more: str) -> None: ...
        def waited(self) -> None: ...
        async def keyword(self, *, one: str) -> None: ...

    assert list(differences(Port, Real(), "x")) == [
        "x.gone: missing",
        "x.renamed: takes no one",
        "x.renamed: wants first, which nobody gives",
        "x.stricter: one may not be left out",
        "x.swapped: one stands elsewhere",
        "x.swapped: two stands elsewhere",
        "x.hungry: wants more, which nobody gives",
        "x.waited: one of the two is async",
        "x.keyword: one stands elsewhere",
    ]
