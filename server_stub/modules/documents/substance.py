"""What of a draft is its substance: words, figures and annexes, without spaces and punctuation. What was signed must be what is printed.

What was changed since the signing is told in words, with the reason why it does or does not go back to the signer.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from server_stub.modules.documents.differences import Run, find_differences

PARTS: Final = {
    "title": "标题", "recipients": "主送机关", "body": "正文", "unitId": "发文机关", "jointUnits": "联合发文机关",
    "annexes": "附件正文", "attachments": "附件",
}  # fmt: skip
"""A change of these after signing goes back to the signer; the layout, annotation, copies and the like do not."""
MAX_SHOWN: Final = 4
MAX_EXCERPT: Final = 24
_FIGURES: Final = re.compile(r"(?<=\d)\.(?=\d)|(?<![\d\w])-(?=\d)|[%‰]")
_MARKS: Final = re.compile(r"\*\*")


class Change(Struct, frozen=True):
    """What became of a draft since it was signed. `note`: why that is so, for people; "" when nothing was changed."""

    substantive: bool
    note: str


def substance_of(data: Mapping[str, Any]) -> str:
    """A digest that differs when words or figures of the draft do."""
    digest = hashlib.sha256()
    for name in PARTS:
        digest.update(f"{name}\0{words_of(_text(data, name))}\0".encode())
    return digest.hexdigest()


def words_of(text: str) -> str:
    """Words and figures, written in one way: full width as half, no punctuation but what makes a figure another (3.5, -5, 8%)."""
    plain = unicodedata.normalize("NFKC", text).replace("−", "-")
    figures = {match.start() for match in _FIGURES.finditer(plain)}
    return "".join(one for at, one in enumerate(plain) if at in figures or unicodedata.category(one)[0] in "LNMS")


def signed_parts(data: Mapping[str, Any]) -> str:
    """The draft as it is signed, kept to compare with."""
    return msgspec.json.encode({name: _text(data, name) for name in PARTS}).decode()


def change_since(signed: str, data: Mapping[str, Any]) -> Change:
    """What was changed since `signed` was kept, and of which sort."""
    before: dict[str, str] = msgspec.json.decode(signed)
    now = {name: _text(data, name) for name in PARTS}
    changed = [name for name in PARTS if before.get(name, "") != now[name]]
    words = [name for name in changed if words_of(before.get(name, "")) != words_of(now[name])]
    if words:
        told = "；".join(_words_changed(name, before.get(name, ""), now[name]) for name in words)
        return Change(True, f"实质修改，须送签发人重新签发。{told}"[:1000])
    if changed:
        told = "；".join(f"{PARTS[name]}：{_marks_changed(before.get(name, ''), now[name])}" for name in changed)
        return Change(False, f"文字性修改，不需重新签发。{told}"[:1000])
    return Change(False, "")


def _text(data: Mapping[str, Any], name: str) -> str:
    value: Any = data.get(name) or ""
    if name == "annexes":
        return "\n".join(f"{one.get('title', '')}\n{one.get('body', '')}" for one in value)
    if name == "attachments":
        return "\n".join(f"{one['blobId']} {one['name']}" for one in value)
    return "/".join(value) if isinstance(value, list) else str(value)


def _words_changed(name: str, before: str, now: str) -> str:
    label = PARTS[name]
    if name not in ("title", "recipients", "body", "annexes"):
        return f"{label}有变动"
    found = [
        f"“{_excerpt(old)}”改为“{_excerpt(new)}”" if old and new else f"删去“{_excerpt(old)}”" if old else f"增加“{_excerpt(new)}”"
        for old, new in _replaced(find_differences(before, now))
        if words_of(old) != words_of(new)
    ]  # fmt: skip
    more = f"等 {len(found)} 处" if len(found) > MAX_SHOWN else ""
    return f"{label}：{'，'.join(found[:MAX_SHOWN]) or '语序有变动'}{more}"


def _replaced(runs: list[Run]) -> list[tuple[str, str]]:
    """(what went, what came) at each place."""
    found: list[tuple[str, str]] = []
    old = new = ""
    for run in [*runs, Run("same", "")]:
        if run.kind == "delete":
            old += run.text
        elif run.kind == "insert":
            new += run.text
        elif old or new:
            found.append((old, new))
            old = new = ""
    return found


def _excerpt(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= MAX_EXCERPT else f"{plain[:MAX_EXCERPT]}…"


def _marks_changed(before: str, now: str) -> str:
    counts = {"全半角": 0, "空格和换行": 0, "着重": 0, "标点": 0}
    for old, new in _replaced(find_differences(before, now)):
        counts[_sort_of(old, new)] += 1
    return "、".join(f"{word} {count} 处" for word, count in counts.items() if count)


def _sort_of(old: str, new: str) -> str:
    if old and new and unicodedata.normalize("NFKC", old) == unicodedata.normalize("NFKC", new):
        return "全半角"
    if not (old + new).strip(" \n\u3000"):
        return "空格和换行"
    return "着重" if not _MARKS.sub("", old + new).strip("*") else "标点"
