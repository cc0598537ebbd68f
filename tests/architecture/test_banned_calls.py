"""Calls that have hurt others and that no linter rule of ours can tell apart: each with its reason."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source_tree import ROOT, Source, matches, sources

TASK_OWNERS = {"desktop/ui/tasks.py", "desktop/app/bridge.py", "desktop/core/services/tasks.py"}
REASONED_WAIVER = r"# noqa: TID251 - \w+"
TASK_MAKERS = (
    "asyncio.create_task",
    "asyncio.ensure_future",
    "loop.create_task",
    "get_running_loop.create_task",
    "asyncio.run_coroutine_threadsafe",
)
CLOCK_CALLS = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today")
COLOR = r"^#[0-9a-fA-F]{3,8}$|#[0-9a-fA-F]{6}\b|\brgba?\("
STATIC_DIALOGS = (
    *(f"QMessageBox.{name}" for name in ("about", "aboutQt", "critical", "information", "question", "warning")),
    *(f"QInputDialog.{name}" for name in ("getText", "getInt", "getDouble", "getItem", "getMultiLineText")),
    *(
        f"QFileDialog.get{name}"
        for name in ("OpenFileName", "OpenFileNames", "SaveFileName", "ExistingDirectory", "OpenFileUrl", "SaveFileUrl")
    ),
    *("QColorDialog.getColor", "QFontDialog.getFont"),
)


def ends_with(name: str, wanted: str) -> bool:
    return name == wanted or name.endswith(f".{wanted}")


def nested_loops(source: Source) -> Iterator[ast.AST]:
    """exec() spins a second event loop, which breaks qasync inside a coroutine; QDrag has nothing else."""
    for call, name in source.calls():
        last = name.rpartition(".")
        if (last[2] in {"exec", "exec_"} and last[0] and not last[0].endswith("drag")) or any(
            ends_with(name, dialog) for dialog in STATIC_DIALOGS
        ):
            yield call


def ownerless_tasks(source: Source) -> Iterator[ast.AST]:
    """A task that nobody holds can be collected while it runs, and nobody ends it."""
    if source.path in TASK_OWNERS:
        return
    lines = source.text.splitlines()
    kept = {id(node.value) for node in ast.walk(source.tree) if isinstance(node, ast.Assign | ast.AnnAssign)}
    for call, name in source.calls():
        makes_one = any(ends_with(name, maker) for maker in TASK_MAKERS) or matches(r"loop\.create_task$", name)
        if makes_one and id(call) not in kept and not matches(REASONED_WAIVER, lines[call.lineno - 1]):
            yield call


def clock_reads(source: Source) -> Iterator[ast.AST]:
    """Time comes from a Clock, so that tests can move it."""
    if source.path.endswith("/clock.py"):
        return
    for call, name in source.calls():
        if any(ends_with(name, read) for read in CLOCK_CALLS):
            yield call


def literal_colors(source: Source) -> Iterator[ast.AST]:
    """Colors are tokens of the theme; anything else is wrong in the other theme."""
    if not source.path.startswith("desktop/") or source.path.startswith("desktop/ui/theme"):
        return
    for text in source.texts():
        if matches(COLOR, str(text.value)):
            yield text
    for call, name in source.calls():
        if ends_with(name, "QColor") and any(
            isinstance(argument, ast.Constant) and isinstance(argument.value, int) for argument in call.args
        ):
            yield call


RULES = {
    "open() and await finished(dialog) instead of exec() and static dialogs": nested_loops,
    "a TaskGroup or TaskOwner.start instead of a task nobody owns": ownerless_tasks,
    "a Clock instead of the system's time": clock_reads,
    "a token of desktop.ui.theme instead of a literal color": literal_colors,
}


@pytest.mark.parametrize("rule", RULES)
def test_product_code_keeps_the_rule(rule: str) -> None:
    found = [
        f"{source.path}:{getattr(node, 'lineno', 0)}"
        for source in sources("desktop", "server_stub")
        for node in RULES[rule](source)
    ]
    assert found == [], f"use {rule}"


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (nested_loops, "dialog.exec()"),
        (nested_loops, "QMenu(self).exec(point)"),
        (nested_loops, "QtWidgets.QMessageBox.warning(self, title, text)"),
        (ownerless_tasks, "asyncio.create_task(work())"),
        (ownerless_tasks, "watch(self._loop.create_task(work()))"),
        (ownerless_tasks, "asyncio.get_running_loop().create_task(work())"),
        (ownerless_tasks, "asyncio.create_task(work())  # noqa: TID251"),
        (clock_reads, "datetime.datetime.now(tz=UTC)"),
        (clock_reads, "date.today()"),
        (literal_colors, "color = '#2f6bde'"),
        (literal_colors, "sheet = 'border: 1px solid #abc123;'"),
        (literal_colors, "QColor(12, 40, 200)"),
    ],
)
def test_the_rule_bites(rule: object, code: str) -> None:
    assert callable(rule)
    assert list(rule(Source("desktop/ui/chat/view.py", code, ast.parse(code))))


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (nested_loops, "drag.exec(actions)"),
        (nested_loops, "exec_driver_sql(text)"),
        (ownerless_tasks, "group.create_task(work())"),
        (ownerless_tasks, "self._renewal = loop.create_task(work())"),
        (ownerless_tasks, "return asyncio.ensure_future(work())  # noqa: TID251 - the caller awaits it at once"),
        (clock_reads, "clock.now()"),
        (literal_colors, '"""See issue #123456 of the design."""'),
    ],
)
def test_the_rule_lets_good_code_pass(rule: object, code: str) -> None:
    assert callable(rule)
    assert not list(rule(Source("desktop/ui/chat/view.py", code, ast.parse(code))))


def test_models_know_only_qtcore() -> None:
    """Models hold state; what needs fonts, pixmaps or widgets is a view's business."""
    found = [
        f"{source.path}:{node.lineno} {node.module}"
        for source in sources("desktop/models")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom)
        and node.module
        and node.module.startswith("PySide6")
        and node.module != "PySide6.QtCore"
    ]
    assert found == []


def test_there_is_product_code() -> None:
    assert (ROOT / "desktop" / "__init__.py").exists()
    assert len(sources("desktop", "server_stub")) > 20
