"""A bureau on a real server process: departments with heads, people with posts, superiors and roles, chosen modules of the product and of a test."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from server_stub.accounts.directory import (
    Identity,
    do_create_department,
    do_create_person,
    do_update_department,
    do_update_person,
)
from server_stub.accounts.passwords import Passwords
from server_stub.app.layout import DataLayout
from server_stub.clock import SystemClock
from server_stub.modules.engine.reading import MODULES_FOLDER
from server_stub.storage.database import Database, Tx
from tests.helpers.core_server import PASSWORD
from tests.helpers.module_server import ModuleServer

DEPARTMENTS = {"office": "办公室", "flood": "防汛办", "works": "工程科"}
HEADS = {"office": "min", "flood": "feng", "works": "ding"}
STAFF: Mapping[str, tuple[str, str, tuple[str, ...], str | None]] = {
    "gao": ("office", "局长", ("leader",), None),
    "sun": ("office", "副局长", ("leader",), "gao"),
    "min": ("office", "主任", (), "gao"),
    "fang": ("office", "副主任", ("sealkeeper",), "min"),
    "he": ("office", "秘书", ("secretary",), "min"),
    "liu": ("office", "收发员", ("registrar",), "min"),
    "chen": ("office", "档案员", ("librarian",), "min"),
    "feng": ("flood", "主任", (), "sun"),
    "jiang": ("flood", "科员", (), "feng"),
    "yan": ("flood", "科员", (), "feng"),
    "ding": ("works", "科长", (), "sun"),
    "wu": ("works", "科员", (), "ding"),
}
"""login → department, post, roles, superior"""


class BureauServer(ModuleServer):
    """The bureau's server. `people`, `departments`: ids by login and by key of DEPARTMENTS."""

    def __init__(self, folder: Path, *modules: str) -> None:
        self._folder = folder / "modules"
        super().__init__(folder, self._folder)
        for one in modules:
            ignored = shutil.ignore_patterns("__pycache__", "samples.toml")
            shutil.copytree(MODULES_FOLDER / one, self._folder / one, ignore=ignored)
        self.people: dict[str, str] = {}
        self.departments: dict[str, str] = {}

    def add_module(self, name: str, **files: str) -> None:
        """A module of the test: `module_toml`, `rules_py`, `process_bpmn`… with their texts."""
        (self._folder / name).mkdir(parents=True)
        for key, text in files.items():
            stem, _, ending = key.rpartition("_")
            (self._folder / name / f"{stem}.{ending}").write_text(text, encoding="utf-8")

    def furnish(self) -> None:
        """Make the data folder and everybody in it; before the first start."""
        self.init()
        passwords = Passwords()
        database = Database.open(DataLayout(self._data).database, clock=SystemClock())
        try:
            password_hash = passwords.hash(PASSWORD)
            database.write_now(lambda tx: self._do_staff(tx, password_hash))
        finally:
            database.close_now()
            passwords.close()

    def _do_staff(self, tx: Tx, password_hash: str) -> None:
        for key, name in DEPARTMENTS.items():
            self.departments[key] = do_create_department(tx, name=name)
        for login, (department, post, roles, _) in STAFF.items():
            identity = Identity(self.departments[department], post)
            self.people[login] = do_create_person(
                tx, name=login, login=login, password_hash=password_hash, identities=[identity], roles=roles
            )
        for login, (_, _, _, superior) in STAFF.items():
            if superior is not None:
                do_update_person(tx, self.people[login], {"superiorId": self.people[superior]})
        for key, head in HEADS.items():
            do_update_department(tx, self.departments[key], {"headId": self.people[head]})
