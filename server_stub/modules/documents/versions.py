"""留痕: every change of a draft's title or body is kept as a version, with what came and went since the one before."""

from collections.abc import Mapping
from typing import Any, Final

from server_stub.clock import format_utc
from server_stub.modules.documents.differences import count_changes, find_differences, to_html
from server_stub.modules.engine.definition import TypeDefinition
from server_stub.modules.engine.referrers import load_referrers
from server_stub.modules.engine.rules import Rules
from server_stub.records.store import Record
from server_stub.storage.database import Tx

VERSION: Final = "BodyVersion"
MAX_HTML: Final = 300_000


def text_of(data: Mapping[str, Any]) -> str:
    """What versions compare: the title, then the body."""
    return f"{data.get('title', '')}\n{data.get('body', '')}"


def do_keep_version(rules: Rules, tx: Tx, document: Record, by: str | None) -> None:
    """Keep the draft as it is now; what one person changes at one stage is one version, however often it is saved."""
    versions = sorted(load_referrers(tx.conn, VERSION, "documentId", document.id), key=lambda one: one.data["edition"])
    text, stage = text_of(document.data), _stage(rules.definition, document)
    last = versions[-1] if versions else None
    if last is not None and last.data["content"] == text:
        return
    again = last is not None and last.author_id == by and last.data["stage"] == stage
    base = versions[-2] if again and len(versions) > 1 else (None if again else last)
    made = _version(base, text, stage, tx.now)
    if again and last is not None:
        rules.change(tx, VERSION, last.id, {**made, "edition": last.data["edition"]}, by=by)
    else:
        rules.make(tx, VERSION, {**made, "edition": len(versions) + 1, "documentId": document.id}, by)


def _version(base: Record | None, text: str, stage: str, now: int) -> dict[str, Any]:
    made: dict[str, Any] = {"content": text, "stage": stage, "at": format_utc(now)}
    if base is None:
        return made | {"added": len(text), "removed": 0, "changes": ""}
    runs = find_differences(base.data["content"], text)
    added, removed = count_changes(runs)
    html = to_html(runs, insert="u", delete="s")
    shown = html if len(html) <= MAX_HTML else "<p>改动过多，请比较两个版本的正文。</p>"
    return made | {"added": added, "removed": removed, "changes": shown}


def _stage(definition: TypeDefinition, document: Record) -> str:
    state = definition.state(document.data.get("state"))
    return "" if state is None else state.label.zh
