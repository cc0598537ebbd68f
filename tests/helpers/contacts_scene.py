"""A signed-in 林远 with personal contacts, over the definition that the server's folder has."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from desktop.core.domain.definition import ModuleDefinition
from desktop.core.domain.records import Record
from tests.helpers.fake_records import RecordsScene

FOLDER = Path(__file__).parents[2] / "server_stub" / "modules" / "contacts"


def contacts_module() -> ModuleDefinition:
    """The module of the folder, as a client takes it."""
    content = tomllib.loads((FOLDER / "module.toml").read_text("utf-8"))
    return msgspec.convert(content, ModuleDefinition)


def contact(key: str, name: str, **data: Any) -> Record:
    """A contact of 林远."""
    return Record(key, "Contact", {"name": name, **data}, "linyuan", 1, 1, 1)


def group(key: str, name: str, **data: Any) -> Record:
    """A group of 林远."""
    return Record(key, "ContactGroup", {"name": name, **data}, "linyuan", 1, 1, 1)


class ContactsScene(RecordsScene):
    """Two groups, three contacts."""

    def __init__(self) -> None:
        super().__init__()
        self.records.definitions.append(contacts_module())
        self.records.put(
            group("g-out", "合作单位", order=1),
            group("g-duty", "防汛值班", order=2, colleagues=["zhangmin", "liuyang"]),
            contact(
                "c-gu",
                "顾明轩",
                company="省水利勘测设计院",
                department="规划二所",
                post="高级工程师",
                mobile="13800001207",
                officePhone="025-00001188",
                email="gumx@survey.example",
                groupIds=["g-out"],
                note="堤防加固项目联系人",
            ),
            contact("c-shen", "沈师傅", company="新华印务", wechat="xinhua-print", groupIds=["g-out", "g-duty"]),
            contact("c-emma", "Emma Zhao", more=[{"kind": "work", "value": "0512-00002210"}]),
        )
