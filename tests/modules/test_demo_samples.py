"""Samples are written through the real handlers: numbers, states, to-dos and history are those of people who did it at that time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from build_scripts.scaffold import Wanted, make_module
from server_stub.app.demo.assets import Asset, Assets
from server_stub.app.demo.moments import Moments
from server_stub.app.demo.people import People
from server_stub.app.demo.samples import SampleRefused, SampleWriter, needed_first
from server_stub.chat.messages import do_post_system
from server_stub.clock import format_utc, parse_utc
from server_stub.modules.engine.definition import ModuleDefinition
from server_stub.modules.engine.office import Office
from server_stub.modules.engine.samples import Event, in_order, load_samples
from tests.modules.engine.definition_files import definition_of
from tests.modules.office_bench import Bench, open_bench

LOGINS = {"linyuan": "lin", "zhangmin": "zhang", "wufang": "chen", "liuyang": "yu"}
MORE = """
[[Key]]
key = "with-file"
author = "linyuan"
at = "-4d 08:05"
subject = "拍照存档"
ownerId = "person:liuyang"
files = ["asset:plan"]
steps = [
  { do = "edit", at = "-4d 08:10", details = "见附件。" },
  { do = "comment", by = "liuyang", at = "-4d 09:00", text = "收到" },
  { do = "start", at = "-4d 10:00" },
]
"""


class Demo:
    """A scaffolded module in an office of its own, and its writer."""

    def __init__(self, bench: Bench, root: Path) -> None:
        make_module(Wanted(id="keys", zh="钥匙管理", en="Keys", type_name="Key"), root)
        self.folder = root / "server_stub" / "modules" / "keys"
        office = Office(bench.database, bench.clock, bench.blobs, do_post_system, folder=self.folder.parent)
        bench.handlers = {one.name: one for one in office.handlers}
        self.bench = bench
        self.modules = office.definitions
        actors = {login: bench.actors[name] for login, name in LOGINS.items()}
        people = People(ids={login: one.person_id for login, one in actors.items()}, actors=actors)
        plan = Asset(bench.blobs.store_bytes(b"plan"), "plan.pdf", "application/pdf", 4)
        self.moments = Moments(bench.clock.now_ms())
        assets = Assets({}, {"plan": plan}, {}, {}, {})
        self.writer = SampleWriter(self.modules, bench.handlers, people, assets, self.moments)

    def write(self, more: str = "") -> list[Event]:
        """Write the samples of the folder."""
        with (self.folder / "samples.toml").open("a", encoding="utf-8") as out:
            out.write(more)
        events = in_order(load_samples(self.folder, self.modules[0]))
        for event in events:
            self.bench.write(lambda tx, one=event: self.writer.do_event(tx, one))  # type: ignore[misc]
        return events


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    with open_bench(tmp_path) as bench:
        yield Demo(bench, tmp_path / "tree")


def test_samples_are_written_as_the_people_at_their_time(demo: Demo) -> None:
    demo.write(MORE)
    shown = {one["subject"]: one for one in demo.bench.all("zhang", "Key")}
    assert {subject: one["state"] for subject, one in shown.items()} == {
        "整理上半年资料": "open",
        "更新值班表": "done",
        "清点会议室设备": "draft",
        "拍照存档": "open",
    }
    first = shown["更新值班表"]
    assert first["authorId"] == demo.bench.person("zhang")
    assert first["createdAt"] == format_utc(demo.moments.day_at(9, 14, 10))
    assert first["result"] == "已更新并通知到人。"
    by_number = [one["subject"] for one in sorted(shown.values(), key=lambda one: one["number"])]
    assert by_number == ["更新值班表", "整理上半年资料", "拍照存档", "清点会议室设备"]


def test_files_comments_and_todos_are_real(demo: Demo) -> None:
    demo.write(MORE)
    (one,) = [one for one in demo.bench.all("lin", "Key") if one["subject"] == "拍照存档"]
    assert [file["name"] for file in one["files"]] == ["plan.pdf"]
    assert one["details"] == "见附件。"
    assert demo.bench.may_read_blob("yu", one["files"][0]["blobId"])
    (comment,) = demo.bench.all("lin", "Comment")
    assert (comment["text"], comment["authorId"], comment["recordId"]) == ("收到", demo.bench.person("yu"), one["id"])
    (todo,) = [todo for todo in demo.bench.all("yu", "Todo") if todo["state"] == "open"]
    assert todo["recordId"] == one["id"]
    done = [todo for todo in demo.bench.all("chen", "Todo") if todo["state"] == "done"]
    assert [parse_utc(todo["doneAt"]) for todo in done] == [demo.moments.day_at(7, 16, 40)]


def test_nothing_lies_after_now(demo: Demo) -> None:
    demo.write('[[Key]]\nkey = "later"\nauthor = "linyuan"\nat = "+3d 09:00"\nsubject = "以后"\n')
    (one,) = [one for one in demo.bench.all("lin", "Key") if one["subject"] == "以后"]
    assert one["createdAt"] == format_utc(demo.moments.now)


def test_what_the_rules_refuse_is_named(demo: Demo) -> None:
    with pytest.raises(SampleRefused, match=r"keys/samples.toml: Key third, finish: "):
        demo.write('steps = [{ do = "finish" }]\n')


def test_modules_that_are_needed_come_first() -> None:
    def module(name: str, *needs: str) -> ModuleDefinition:
        label = {"zh": "名", "en": "Name"}
        type_ = {
            "name": name.capitalize(),
            "label": label,
            "fields": [],
            "access": {key: [] for key in ("read", "create", "update", "destroy")},
        }
        rest = {
            "group": "official",
            "label": label,
            "icon": "ph.car",
            "order": 1,
            "types": [type_],
            "needs": list(needs),
        }
        return definition_of({"id": name, **rest})

    modules = [module("aa", "cc"), module("bb"), module("cc", "bb")]
    assert [one.id for one in needed_first(modules)] == ["bb", "cc", "aa"]
