"""The tree: order, paths and rings without Qt; lazy branches, what is kept open, searches, moving below another record by hand and keys."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication

from desktop.core.domain.records import Placed, Record
from desktop.core.errors import StorageUnavailable
from desktop.models.record_tree import Tree, tree_of
from desktop.ui.office.views.tree import TreeView
from desktop.ui.office.views.tree_model import RecordTreeModel
from tests.helpers.fake_records import VEHICLE, RecordsScene
from tests.helpers.fake_session import NOW
from tests.helpers.stage import play, press, settle, until
from tests.helpers.view_stage import open_view


def node(key: str, parent: str | None = None) -> Record:
    return Record(
        key, VEHICLE, {"plate": key.upper(), **({"parentId": parent} if parent else {})}, "zhaolei", NOW, NOW, 1
    )


def family() -> list[Record]:
    return [node("a"), node("b", "a"), node("c", "b"), node("d", "a"), node("e"), node("lost", "gone")]


def placed(records: list[Record]) -> list[Placed]:
    return [Placed(one.id, one.data.get("parentId")) for one in records]


# ------------------------------------------------------------ without Qt
def test_siblings_keep_their_order_and_whose_parent_is_not_here_stands_at_the_top() -> None:
    tree = tree_of(placed(family()))
    assert list(tree.below("")) == ["a", "e", "lost"]
    assert list(tree.below("a")) == ["b", "d"]
    assert tree.path("c") == ["a", "b"]
    assert tree.is_below("c", "a")
    assert not tree.is_below("a", "c")
    assert tree.before("d") == "b"
    assert tree.before("a") == ""


def test_a_search_keeps_the_way_to_what_it_found() -> None:
    tree = tree_of(placed(family()), frozenset({"c"}))
    assert list(tree.parents) == ["a", "b", "c"]
    assert list(tree.below("a")) == ["b"]


@given(st.lists(st.integers(0, 14), min_size=1, max_size=15))
def test_rings_are_broken_and_nobody_is_lost(parents: list[int]) -> None:
    records = [node(f"r{n}", f"r{parent}") for n, parent in enumerate(parents)]
    tree = tree_of(placed(records))
    reached: list[str] = []
    queue = list(tree.below(""))
    while queue:
        reached.append(queue.pop())
        queue += tree.below(reached[-1])
        assert len(reached) <= len(records)
    assert sorted(reached) == sorted(one.id for one in records)


# ------------------------------------------------------------ the model
@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(0, 14), min_size=1, max_size=15), min_size=1, max_size=4))
def test_the_model_is_sound_whatever_is_shown(qapp: QApplication, steps: list[list[int]]) -> None:
    model = RecordTreeModel(node, lambda record, name: f"{name}{record.id}", str)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    tester.setUseFetchMore(False)  # it would fetch inside of the reset it watches; index_of fetches below
    for parents in steps:
        model.show_tree(tree_of(placed([node(f"r{n}", f"r{p}") for n, p in enumerate(parents)])), ("", "plate"))
        for key in model.tree.parents:
            index = model.index_of(key)
            assert model.id_of(index) == key
            assert model.id_of(model.parent(index)) == model.tree.parents[key]
    assert tester is not None


def test_children_are_handed_out_when_they_are_asked_for(qapp: QApplication) -> None:
    model = RecordTreeModel(node, lambda record, name: record.id, str)
    model.show_tree(tree_of(placed(family())), ("",))
    a = model.index(0, 0, QModelIndex())
    assert model.hasChildren(a)
    assert model.rowCount(a) == 0
    assert model.canFetchMore(a)
    model.fetchMore(a)
    assert model.rowCount(a) == 2
    assert not model.hasChildren(model.index(1, 0, QModelIndex()))


def test_a_change_of_values_loses_no_index(qapp: QApplication) -> None:
    held = {one.id: one for one in family()}
    model = RecordTreeModel(held.get, lambda record, name: str(record.data["plate"]), str)
    model.show_tree(tree_of(placed(family())), ("",))
    e = model.index_of("e")
    told: list[tuple[str, str]] = []
    model.dataChanged.connect(lambda first, last: told.append((model.id_of(first), model.id_of(last))))
    held["e"] = Record("e", VEHICLE, {"plate": "new"})
    assert model.show_tree(tree_of(placed(family())), ("",)) is False
    assert told == [("a", "lost")]
    assert e.data() == "new"


def test_a_drop_tells_and_removes_nothing(qapp: QApplication) -> None:
    model = RecordTreeModel(node, lambda record, name: record.id, str)
    model.show_tree(tree_of(placed(family())), ("",))
    told: list[Any] = []
    model.dropped.connect(lambda keys, parent: told.append((keys, parent)))
    data = model.mimeData([model.index_of("e")])
    target = model.index_of("b")
    assert model.canDropMimeData(data, Qt.DropAction.MoveAction, -1, -1, target)
    assert model.dropMimeData(data, Qt.DropAction.MoveAction, -1, -1, target) is False
    assert told == [(["e"], "b")]
    assert Tree().path("x") == []


# ------------------------------------------------------------ on the screen
async def opened(session: RecordsScene, *, started: bool = True) -> TreeView:
    return await open_view(session, "tree", TreeView, size=(900, 500), started=started)


def seen(view: TreeView) -> list[str]:
    """Ids of the rows as they stand."""
    found = []
    index = view.model.index(0, 0, QModelIndex())
    while index.isValid():
        found.append(view.model.id_of(index))
        index = view.tree.indexBelow(index)
    return found


def patches(session: RecordsScene) -> list[Any]:
    return [call[1] for call in session.called("records.update")]


def test_branches_open_and_are_kept() -> None:
    async def scene() -> None:
        session = RecordsScene()
        view = await opened(session)
        assert seen(view) == ["v1", "v2", "v3"]
        view.tree.expand(view.model.index_of("v1"))
        assert seen(view) == ["v1", "v4", "v2", "v3"]
        await until(lambda: session.records.states.get("sample_vehicles/tree/tree") == {"open": ["v1"]})
        again = await opened(session)
        assert seen(again) == ["v1", "v4", "v2", "v3"]
        assert [again.model.index(0, n).data() for n in range(3)] == ["苏A・12345", "别克 GL8", "7 座"]

    play(scene())


def test_a_search_opens_the_way_and_leaves_what_was_open() -> None:
    async def scene() -> None:
        view = await opened(RecordsScene())
        view.set_text("汉兰达")
        await until(lambda: seen(view) == ["v1", "v4"])
        view.set_text("")
        await until(lambda: seen(view) == ["v1", "v2", "v3"])
        view.set_text("nothing like that")
        await until(lambda: not view.stack.showing)

    play(scene())


def test_a_record_is_put_below_another_and_beside_its_parent_by_keys() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        view = await opened(session)
        view.tree.setCurrentIndex(view.model.index_of("v2"))
        press(view.tree, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: seen(view) == ["v1", "v2", "v4", "v3"])
        assert view.model.id_of(view.tree.currentIndex()) == "v2"
        press(view.tree, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: patches(session) == [{"parentId": "v1"}, {"parentId": None}])
        await until(lambda: seen(view) == ["v1", "v4", "v2", "v3"])

    play(scene())


def test_nothing_goes_below_itself_or_without_the_right() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        view = await opened(session)
        view.move_below(["v1"], "v4")
        assert view.notice.text.text() == "不能放到自己的下级里"
        view.move_below(["v1"], "v1")
        assert patches(session) == []
        other = RecordsScene()
        plain = await opened(other)
        plain.move_below(["v2"], "v1")
        assert plain.notice.isVisible()
        assert patches(other) == []

    play(scene())


def test_presses_and_the_menu_open_and_make_records() -> None:
    async def scene() -> None:
        view = await opened(RecordsScene(fleet=True))
        opened_ids: list[str] = []
        asked: list[Any] = []
        view.opened.connect(opened_ids.append)
        view.new_asked.connect(asked.append)
        view.tree.setCurrentIndex(view.model.index_of("v3"))
        press(view.tree, Qt.Key.Key_Return)
        assert opened_ids == ["v3"]
        menu = view.menu()
        menu.actions()[1].trigger()
        assert asked == [{"parentId": "v3"}]
        menu.close()

    play(scene())


def test_a_failure_is_said() -> None:
    async def scene() -> None:
        session = RecordsScene()
        view = await opened(session, started=False)
        session.failures["records.outline"] = StorageUnavailable()
        view.reload()
        await until(view.stack.state.action.isVisible)
        view.stack.state.action.click()
        await until(lambda: view.stack.showing)

    play(scene())


def test_changes_keep_the_place_and_the_choice() -> None:
    async def scene() -> None:
        session = RecordsScene()
        session.records.put(*(node(f"n{number:04d}") for number in range(400)))
        view = await opened(session)
        view.tree.setCurrentIndex(view.model.index_of("n0200"))
        bar = view.tree.verticalScrollBar()
        bar.setValue(bar.maximum() // 2)
        top = view._anchor()
        session.records.put(node("n0000a"), tell=True)
        await until(lambda: "n0000a" in view.model.tree)
        await settle()
        assert view._anchor() == top
        assert view.model.id_of(view.tree.currentIndex()) == "n0200"

    play(scene())


def test_of_ten_thousand_records_those_on_the_screen_are_read() -> None:
    async def scene() -> None:
        session = RecordsScene()
        session.records.put(*(node(f"n{n:05}", f"n{n // 9:05}" if n else None) for n in range(10_000)))
        view = await opened(session)
        assert len(view.model.tree.parents) == 10_004
        assert not session.called("records.page")
        assert session.records.read_singly() < 200
        index = view.model.index_of("n09999")
        view.tree.scrollTo(index)
        await until(lambda: view.pool.peek("n09999") is not None)
        assert index.data() == "N09999"

    play(scene())


@pytest.mark.parametrize(("mode", "language", "size"), [("light", "zh", 1.0), ("dark", "en", 2.0)])
def test_it_is_painted(mode: Any, language: Any, size: float) -> None:
    async def scene() -> None:
        view = await opened(RecordsScene())
        view.expand_all()
        await settle()
        assert len(seen(view)) == 4
        image = view.grab().toImage()
        assert len({image.pixel(x, y) for x in range(0, 400, 3) for y in range(0, 200, 3)}) > 4

    play(scene(), mode=mode, language=language, scale=size)
