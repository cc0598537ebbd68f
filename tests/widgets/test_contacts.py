"""Contacts: counting an organization with several identities and broken trees, the models' signals, the page and the card."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester, QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from desktop.core.domain import Conversation, ConversationKind, Department, Identity, Person, Presence
from desktop.core.errors import StorageUnavailable
from desktop.core.events import ChangeSet
from desktop.models.contacts import DepartmentTreeModel, Organization, PeopleModel, PersonRole, TreeRole
from desktop.models.keyed_rows import KeyedRows
from desktop.ui.contacts import ContactsPage, create_contacts
from desktop.ui.contacts.person_card import CopyValue, PersonCard
from tests.helpers.fake_session import DEPARTMENTS, PEOPLE, FakeSession
from tests.helpers.stage import RecordingNavigator, play, settle, shown, until

OFFICE = [
    Department("root", "县水利局"),
    Department("b", "财务科", "root", 2),
    Department("a", "办公室", "root", 1),
    Department("a1", "秘书组", "a", 1),
]


def person(key: str, *places: tuple[str, str, int], name: str = "") -> Person:
    identities = tuple(Identity(d, post, n == 0, order) for n, (d, post, order) in enumerate(places))
    return Person(key, name or key, pinyin=key, identities=identities)


STAFF = [
    person("zhang", ("a", "主任", 0), ("b", "副科长", 5)),
    person("he", ("a1", "秘书", 0), ("a", "联络员", 9)),
    person("wang", ("b", "科长", 0)),
]


# ------------------------------------------------------------ the organization
def test_a_person_counts_once_in_each_subtree() -> None:
    office = Organization(OFFICE, STAFF)
    assert office.totals == {"root": 3, "a": 2, "a1": 1, "b": 2}


def test_siblings_and_people_stand_in_the_office_order() -> None:
    office = Organization(OFFICE, STAFF)
    assert list(office.children("root")) == ["a", "b"]
    assert [(row.person.id, row.posts) for row in office.staff("a")] == [
        ("zhang", ("主任",)),
        ("he", ("联络员", "秘书")),
    ]
    assert [row.person.id for row in office.staff("b")] == ["wang", "zhang"]
    assert office.row(STAFF[0]).posts == ("主任", "副科长")


@pytest.mark.parametrize(
    "departments",
    [
        [Department("x", "x", "gone")],
        [Department("x", "x", "x")],
        [Department("x", "x", "y"), Department("y", "y", "x")],
        [Department("x", "x", "y"), Department("y", "y", "z"), Department("z", "z", "y")],
    ],
)
def test_broken_trees_lose_nobody(departments: list[Department]) -> None:
    office = Organization(departments, [person("p", ("x", "", 0))])
    reached = {key for root in office.children() for key in office.subtree(root)}
    assert reached == {d.id for d in departments}
    assert office.totals["x"] == 1


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_any_tree_is_walked_to_an_end(links: list[tuple[int, int]]) -> None:
    departments = [Department(str(child), str(child), str(parent)) for child, parent in links]
    office = Organization(departments, [person("p", ("3", "", 0))])
    reached = [key for root in office.children() for key in office.subtree(root)]
    assert sorted(reached) == sorted({d.id for d in departments})


# ------------------------------------------------------------ the models
def test_presence_changes_counts_up_the_tree_and_tells_only_those(qapp: QApplication) -> None:
    model = DepartmentTreeModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_presence({"wang": Presence.ONLINE}, snapshot=True)
    model.set_content(Organization(OFFICE, STAFF), [Conversation("g", ConversationKind.GROUP, "值班群")])
    assert model.counts("root") == (1, 3)
    told = QSignalSpy(model.dataChanged)
    model.set_presence({"he": Presence.BUSY})
    keys = {told.at(n)[0].data(TreeRole.KEY) for n in range(told.count())}
    assert keys == {"root", "a", "a1"}
    model.set_presence({"he": Presence.AWAY})
    assert told.count() == 3
    model.set_presence({"he": Presence.OFFLINE, "wang": Presence.OFFLINE})
    assert model.counts("root") == (0, 3)


def test_same_tree_again_keeps_its_place(qapp: QApplication) -> None:
    model = DepartmentTreeModel()
    model.set_content(Organization(OFFICE, STAFF), [])
    reset = QSignalSpy(model.modelReset)
    model.set_content(Organization(OFFICE, STAFF[:2]), [])
    assert reset.count() == 0
    assert model.counts("root")[1] == 2
    model.set_content(Organization(OFFICE[:3], STAFF), [])
    assert reset.count() == 1


def test_five_thousand_people_need_no_row_until_asked(qapp: QApplication) -> None:
    departments = [Department("root", "局")] + [Department(f"d{n}", f"科{n}", "root", n) for n in range(300)]
    people = [person(f"p{n}", (f"d{n % 300}", "科员", n)) for n in range(5000)]
    tree, rows = DepartmentTreeModel(), PeopleModel()
    tree.set_content(Organization(departments, people), [])
    told = QSignalSpy(tree.dataChanged)
    tree.set_presence({f"p{n}": Presence.ONLINE for n in range(50)})
    assert told.count() == 51
    rows.set_rows(tree.organization.staff("root"))
    assert rows.rowCount() == 5000
    assert rows.position("p4999") >= 0


def test_people_model_tells_presence_by_row(qapp: QApplication) -> None:
    model = PeopleModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_rows(Organization(OFFICE, STAFF).staff("root"))
    told = QSignalSpy(model.dataChanged)
    model.set_presence({"wang": Presence.ONLINE, "stranger": Presence.ONLINE})
    assert told.count() == 1
    assert model.data(model.index(model.position("wang")), PersonRole.PRESENCE) is Presence.ONLINE


class _Shadow(QAbstractListModel):
    """The smallest model over KeyedRows."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: KeyedRows[tuple[str, int]] = KeyedRows(self, lambda row: row[0])

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008  # Qt's default
        return 0 if parent.isValid() else len(self.kept)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = 0) -> object:
        return self.kept.rows[index.row()][0] if role == Qt.ItemDataRole.DisplayRole else None


ROWS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 2)), max_size=8, unique_by=lambda row: row[0])


@given(st.lists(ROWS, max_size=5))
def test_any_list_becomes_any_other_by_honest_signals(steps: Sequence[list[tuple[str, int]]]) -> None:
    model = _Shadow()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    for wanted in steps:
        stayed = {row[0]: QPersistentModelIndex(model.index(n)) for n, row in enumerate(model.kept.rows)}
        model.kept.replace(wanted)
        assert model.kept.rows == wanted
        for key, _ in wanted:
            index = stayed.get(key)
            assert index is None or index.data() == key


# ------------------------------------------------------------ the page
async def opened(session: FakeSession, navigator: RecordingNavigator) -> ContactsPage:
    page = create_contacts(session, navigator)
    shown(page)
    await until(lambda: page.people.model().rowCount() > 0, "people")
    return page


def names(page: ContactsPage) -> list[str]:
    model = page.people.model()
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


def labels(widget: QWidget) -> str:
    return " | ".join(label.text() for label in widget.findChildren(QLabel) if not label.isHidden())


def test_it_opens_at_ones_own_department() -> None:
    async def scene() -> None:
        page = await opened(FakeSession(), RecordingNavigator())
        assert page.header.title.text() == "办公室"
        assert page.header.detail.text() == "6 人 · 4 在线"
        assert {"林远", "张敏", "何静", "赵磊"} <= set(names(page))

    play(scene())


def test_presence_flows_into_header_list_and_card() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await opened(session, RecordingNavigator())
        session.presence.tell({"zhaolei": Presence.ONLINE, "sunqiang": Presence.AWAY})
        assert page.header.detail.text() == "6 人 · 6 在线"

    play(scene())


@pytest.mark.parametrize("needle", ["王建", "wangjian", "wjg"])
def test_search_finds_by_name_pinyin_and_initials(needle: str) -> None:
    async def scene() -> None:
        page = await opened(FakeSession(), RecordingNavigator())
        page.search.setText(needle)
        await until(lambda: names(page) == ["王建国"], needle)
        assert page.header.detail.text() == "1 人"
        page.search.clear()
        await until(lambda: "张敏" in names(page), "the department again")

    play(scene())


def test_search_that_finds_nobody_says_so_and_keyboard_goes_into_the_list() -> None:
    async def scene() -> None:
        navigator = RecordingNavigator()
        page = await opened(FakeSession(), navigator)
        page.search.setText("没有这人")
        await until(lambda: not page.state.isHidden() and page.state.isVisible(), "nobody")
        assert "没有找到" in page.state.text.text()
        page.search.setText("ly")
        await until(lambda: "刘洋" in names(page))
        page.search.setFocus()
        QTest.keyClick(page.search, Qt.Key.Key_Down)
        page.people.select("liuyang")
        QTest.keyClick(page.people, Qt.Key.Key_Return)
        await until(lambda: navigator.calls, "the talk")
        assert navigator.calls[0][0] == "conversation"

    play(scene())


def test_card_shows_identities_masked_phone_superior_and_groups() -> None:
    async def scene() -> None:
        navigator = RecordingNavigator()
        page = await opened(FakeSession(), navigator)
        page.open_person("zhangmin")
        await until(lambda: page.card._groups, "common groups")
        text = labels(page.card)
        assert "办公室 · 办公室主任" in text
        assert "防汛办 · 副主任（兼）" in text
        assert "138****" in text
        copied = [value._text for value in page.card.findChildren(CopyValue)]
        assert all("*" not in value for value in copied)
        page.card.findChildren(CopyValue)[0].copy()
        assert QGuiApplication.clipboard().text() == copied[0]
        superior = page.card.findChild(QWidget, "personSuperior")
        assert superior is not None
        QTest.mouseClick(superior, Qt.MouseButton.LeftButton)
        assert page.card.person_id == "zhouhai"
        assert page.header.title.text() == "局领导"
        page.card.message.click()
        await until(lambda: navigator.calls)
        assert navigator.calls[0][0] == "conversation"

    play(scene())


def test_nobody_writes_to_oneself() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await opened(session, RecordingNavigator())
        page.open_person("linyuan")
        assert page.card.message.isHidden()
        page.send_message("linyuan")
        assert not session.called("chat.open_direct")

    play(scene())


def test_a_group_shows_its_members_and_opens() -> None:
    async def scene() -> None:
        navigator = RecordingNavigator()
        page = await opened(FakeSession(), navigator)
        page.tree.select("c-duty")
        await until(lambda: page.header.title.text() == "信息中心值班群")
        await until(lambda: len(names(page)) == 5)
        page.group_message.click()
        assert navigator.calls == [("conversation", "c-duty")]

    play(scene())


def test_tree_walks_by_keyboard() -> None:
    async def scene() -> None:
        page = await opened(FakeSession(), RecordingNavigator())
        page.tree.setFocus()
        QTest.keyClick(page.tree, Qt.Key.Key_Right)
        QTest.keyClick(page.tree, Qt.Key.Key_Right)
        assert page.header.title.text() == "秘书组"
        QTest.keyClick(page.tree, Qt.Key.Key_Left)
        QTest.keyClick(page.tree, Qt.Key.Key_Left)
        assert not page.tree.isExpanded(page.tree.currentIndex())
        assert page.header.title.text() == "办公室"

    play(scene())


def test_a_failure_is_shown_and_tried_again() -> None:
    async def scene() -> None:
        session = FakeSession()
        session.failures["directory.people"] = StorageUnavailable(reason="full")
        page = create_contacts(session, RecordingNavigator())
        shown(page)
        await until(page.state.action.isVisible, "the retry button")
        page.state.action.click()
        await until(lambda: "张敏" in names(page))

    play(scene())


def test_a_person_asked_for_early_is_shown_when_loaded() -> None:
    async def scene() -> None:
        page = create_contacts(FakeSession(), RecordingNavigator())
        page.open_person("wangjianguo")
        shown(page)
        await until(lambda: page.card.person_id == "wangjianguo")
        assert page.header.title.text() == "财务科"

    play(scene())


def test_a_changed_directory_flows_in(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await opened(session, RecordingNavigator())
        people = await session.directory.people()
        renamed = [msgspec.structs.replace(p, name="张敏敏") if p.id == "zhangmin" else p for p in people]

        async def changed() -> list[Person]:
            return renamed

        monkeypatch.setattr(session.directory, "people", changed)
        session.events.publish(ChangeSet("Person", ("zhangmin",)))
        await until(lambda: "张敏敏" in names(page))
        assert page.header.title.text() == "办公室"

    play(scene())


def test_a_card_with_large_letters_fits_a_narrow_window() -> None:
    async def scene() -> None:
        session = FakeSession()
        card = PersonCard()
        address = "wangjianguo.office@shuili.example.gov.cn"
        person = msgspec.structs.replace(next(one for one in PEOPLE if one.id == "wufang"), email=address)
        card.show_person(person, Organization(DEPARTMENTS, PEOPLE), Presence.ONLINE, "linyuan")
        card.show_groups(await session.chat.conversations())
        for width in (400, 900, 400):
            shown(card, width, 700)
            await settle()
            assert card.horizontalScrollBar().maximum() == 0, "nothing is cut off at the right"
            assert card._narrow is (width == 400)
        values = [one for one in card.findChildren(CopyValue) if one.isVisibleTo(card)]
        values[-1].copy()
        assert QApplication.clipboard().text() == address, "without the places to break it at"

    play(scene(), scale=2.0)
