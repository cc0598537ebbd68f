"""Makes the folder of a new office module: a definition that passes every check, samples, a test, rules when asked. Standard library only.

`python3 build_scripts/dev.py module new vehicles --label-zh 车辆管理 --label-en Vehicles --type Vehicle`
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from build_scripts.environment import ROOT
from build_scripts.progress import StepFailed

MODULE_ID = re.compile(r"[a-z][a-z0-9_]{1,39}\Z")
TYPE_NAME = re.compile(r"[A-Z][A-Za-z0-9]{1,59}\Z")
GROUPS = ("official", "personal", "extended")


@dataclass(frozen=True)
class Wanted:
    """What the new module is to be called. `type_name` empty: made of the id."""

    id: str
    zh: str
    en: str
    type_name: str = ""
    group: str = "official"
    icon: str = "ph.folder"
    rules: bool = False


def make_module(wanted: Wanted, root: Path = ROOT) -> list[Path]:
    """Write the new folder and its test; gives the files.

    Raises:
        StepFailed: a name cannot be used, or is taken. Nothing is written then.
    """
    modules = root / "server_stub" / "modules"
    folder, tests = modules / wanted.id, root / "tests" / "modules" / wanted.id
    type_name = wanted.type_name or _type_name(wanted.id)
    _refuse(wanted, type_name, modules, [folder, tests])
    order = max((_read(path).get("order", 0) for path in modules.glob("*/module.toml")), default=0) + 10
    words = {
        "ID": wanted.id,
        "ZH": wanted.zh,
        "EN": wanted.en,
        "TYPE": type_name,
        "GROUP": wanted.group,
        "ICON": wanted.icon,
        "ORDER": str(order),
        "RULES": f'rules = "{type_name}Rules"\n' if wanted.rules else "",
        "PREFIX": "".join(one for one in type_name if one.isupper()),
        "WORDS": re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", type_name).lower(),
    }
    files = {
        folder / "__init__.py": _INIT,
        folder / "module.toml": _DEFINITION,
        folder / "samples.toml": _SAMPLES,
        tests / f"test_{wanted.id}.py": _TEST,
    }
    if wanted.rules:
        files[folder / "rules.py"] = _RULES
    for path, template in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_filled(template, words), encoding="utf-8", newline="\n")
    return list(files)


def _refuse(wanted: Wanted, type_name: str, modules: Path, folders: list[Path]) -> None:
    if not MODULE_ID.match(wanted.id):
        raise StepFailed(f"{wanted.id!r} is no module id: 2 to 40 lower-case letters, digits and _")
    if not TYPE_NAME.match(type_name):
        raise StepFailed(f"{type_name!r} is no type name: PascalCase, such as Vehicle")
    if wanted.group not in GROUPS:
        raise StepFailed(f"the group is one of {', '.join(GROUPS)}")
    for language, text in (("zh", wanted.zh), ("en", wanted.en)):
        if not text.strip() or '"' in text or "\\" in text or "\n" in text:
            raise StepFailed(f"--label-{language} needs a text without quotation marks")
    for folder in folders:
        if folder.exists():
            raise StepFailed(f"{folder} is there already")
    for path in modules.glob("*/module.toml"):
        if any(one.get("name") == type_name for one in _read(path).get("types", ())):
            raise StepFailed(f"the module {path.parent.name} has a type {type_name} already")


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _type_name(module_id: str) -> str:
    name = "".join(part.capitalize() for part in module_id.split("_"))
    return name.removesuffix("s") or name


def _filled(template: str, words: dict[str, str]) -> str:
    return re.sub(r"<([A-Z]+)>", lambda found: words[found[1]], template)


_INIT = '''"""<ZH>: <EN>."""
'''

_DEFINITION = """# <ZH> <EN>. What each key means: docs/modules.md. `python build_scripts/check_modules.py` says what is wrong.

id = "<ID>"
group = "<GROUP>"
label = { zh = "<ZH>", en = "<EN>" }
icon = "<ICON>"
order = <ORDER>

[[types]]
name = "<TYPE>"
label = { zh = "<ZH>", en = "<EN>" }
title = ["number", "subject"]
tracked = true
<RULES>access = { read = ["everyone"], create = ["everyone"], update = ["author@draft", "role:admin"], destroy = ["author@draft", "role:admin"] }
numbering = { field = "number", pattern = "<PREFIX>-{yyyy}-{n:03}", period = "year" }

states = [
  { value = "draft", label = { zh = "草稿", en = "Draft" } },
  { value = "open", label = { zh = "进行中", en = "Open" }, color = "accent" },
  { value = "done", label = { zh = "已完成", en = "Done" }, color = "green", final = true },
]

actions = [
  { name = "start", label = { zh = "开始", en = "Start" }, from = ["draft"], to = "open", who = ["author", "role:admin"], primary = true },
  { name = "finish", label = { zh = "完成", en = "Finish" }, from = ["open"], to = "done", who = ["field:ownerId"], asks = ["result"], primary = true },
]

due = [
  { field = "dueOn", label = { zh = "到期", en = "Due" }, to = ["field:ownerId"], unless = { state = "done" }, remindDays = [1] },
]

todos = [
  { id = "finish", label = { zh = "待完成", en = "To finish" }, to = ["field:ownerId"], when = { state = "open" }, due = "dueOn" },
]

sections = [
  { label = { zh = "基本信息", en = "Basics" }, fields = ["subject", "kind", "ownerId", "dueOn"] },
  { label = { zh = "说明", en = "Details" }, fields = ["details", "files", "result"] },
]

[types.paper]
title = { zh = "<ZH>", en = "<EN>" }
rows = [["number", "kind"], ["subject"], ["ownerId", "dueOn"], ["details"], ["result"]]

[[types.fields]]
name = "number"
kind = "text"
label = { zh = "编号", en = "Number" }
readOnly = true

[[types.fields]]
name = "subject"
kind = "text"
label = { zh = "事项", en = "Subject" }
required = true
max = 100

[[types.fields]]
name = "kind"
kind = "choice"
label = { zh = "类别", en = "Kind" }
default = "normal"
choices = [
  { value = "normal", label = { zh = "一般", en = "Normal" } },
  { value = "urgent", label = { zh = "紧急", en = "Urgent" }, color = "red" },
]

[[types.fields]]
name = "ownerId"
kind = "person"
label = { zh = "负责人", en = "Owner" }
required = true
default = "@me"

[[types.fields]]
name = "dueOn"
kind = "date"
label = { zh = "到期日", en = "Due on" }

[[types.fields]]
name = "details"
kind = "longText"
label = { zh = "说明", en = "Details" }
max = 2000

[[types.fields]]
name = "files"
kind = "files"
label = { zh = "附件", en = "Files" }
max = 10

[[types.fields]]
name = "result"
kind = "longText"
label = { zh = "结果", en = "Result" }
max = 2000

[[views]]
id = "all"
type = "<TYPE>"
kind = "table"
label = { zh = "全部", en = "All" }
sort = ["-createdAt"]
columns = ["number", "subject", "kind", "ownerId", "dueOn", "state"]

[[views]]
id = "mine"
type = "<TYPE>"
kind = "table"
label = { zh = "我负责的", en = "Mine" }
filter = { ownerId = "@me", state = ["draft", "open"] }
sort = ["dueOn"]
columns = ["number", "subject", "dueOn", "state"]

[[views]]
id = "board"
type = "<TYPE>"
kind = "board"
label = { zh = "看板", en = "Board" }
group = "state"
columns = ["subject", "ownerId", "dueOn"]

[[views]]
id = "figures"
type = "<TYPE>"
kind = "chart"
label = { zh = "统计", en = "Figures" }
reports = ["byKind"]

[[reports]]
id = "byKind"
type = "<TYPE>"
label = { zh = "按类别", en = "By kind" }
group = ["kind"]
measures = [{ label = { zh = "件数", en = "Count" }, op = "count" }]
"""

_SAMPLES = """# What the demo office begins with. Values: "person:login", "department:key", "ref:key", "date:+3d", "time:-1d 14:00", "asset:name".

[[<TYPE>]]
key = "first"
author = "linyuan"
at = "-6d 09:20"
subject = "整理上半年资料"
ownerId = "person:linyuan"
dueOn = "date:+4d"
details = "按季度归类，缺的补齐。"
steps = [{ do = "start", at = "-6d 09:30" }]

[[<TYPE>]]
key = "second"
author = "zhangmin"
at = "-9d 14:10"
subject = "更新值班表"
kind = "urgent"
ownerId = "person:wufang"
dueOn = "date:-7d"
steps = [
  { do = "start", at = "-9d 14:12" },
  { do = "finish", by = "wufang", at = "-7d 16:40", result = "已更新并通知到人。" },
]

[[<TYPE>]]
key = "third"
author = "wufang"
at = "-1d 10:00"
subject = "清点会议室设备"
ownerId = "person:liuyang"
dueOn = "date:+10d"
"""

_RULES = '''"""Rules of <ID>: what is true of a <WORDS> beyond its definition."""

from server_stub.errors import invalid_properties
from server_stub.modules.engine.rules import Rules
from server_stub.records.actor import Actor
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx


class <TYPE>Rules(Rules):
    """<ZH>. A subject is more than blanks."""

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        """Tidy the subject."""
        data["subject"] = " ".join(str(data["subject"]).split())
        if not data["subject"]:
            raise invalid_properties("is required", "subject")
        return data
'''

_TEST = '''"""<EN>: who may do what, and the way from the first state to the last."""

import re

from tests.modules.office_bench import Bench, refusal


def test_a_new_one_has_a_number_an_owner_and_the_first_state(bench: Bench) -> None:
    made = bench.get("lin", "<TYPE>", bench.create("lin", "<TYPE>", subject="first"))
    assert made is not None
    assert re.fullmatch(r"<PREFIX>-\\d{4}-001", made["number"])
    assert (made["state"], made["kind"], made["ownerId"]) == ("draft", "normal", bench.person("lin"))


def test_the_owner_finishes_what_the_author_started(bench: Bench) -> None:
    one = bench.create("lin", "<TYPE>", subject="first", ownerId=bench.person("yu"))
    assert refusal(lambda: bench.update("yu", "<TYPE>", one, state="open")).type == "forbidden"
    bench.update("lin", "<TYPE>", one, state="open")
    assert refusal(lambda: bench.update("zhang", "<TYPE>", one, state="done", result="no")).type == "forbidden"
    bench.update("yu", "<TYPE>", one, state="done", result="good")
    done = bench.get("zhang", "<TYPE>", one)
    assert done is not None
    assert (done["state"], done["result"]) == ("done", "good")


def test_what_is_under_way_is_nobodys_to_destroy(bench: Bench) -> None:
    one = bench.create("lin", "<TYPE>", subject="first")
    bench.update("lin", "<TYPE>", one, state="open")
    assert refusal(lambda: bench.destroy("lin", "<TYPE>", one)).type == "forbidden"
    assert bench.get("lin", "<TYPE>", one) is not None


def test_a_subject_is_needed(bench: Bench) -> None:
    refused = refusal(lambda: bench.create("lin", "<TYPE>", details="nothing else"))
    assert refused.properties == ["subject"]
'''
