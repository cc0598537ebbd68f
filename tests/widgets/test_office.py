"""The office pages: hostile HTML, figures and lists, reading and confirming, publishing with a draft kept, the library."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QTextDocument
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QWidget

from desktop.core.domain import (
    Alert,
    Attachment,
    Audience,
    ConnectionState,
    Document,
    Folder,
    Link,
    Notice,
    NoticeLevel,
    OfflinePolicy,
    ReadMark,
)
from desktop.core.errors import LeaseExpired, Offline, StorageUnavailable
from desktop.core.events import EditRefused
from desktop.core.ids import read_mark_id
from desktop.models.audience import audience_people
from desktop.models.contacts import Organization
from desktop.models.documents import KEPT_DOCUMENTS, Column, DocumentTableModel, FolderRole, FolderTreeModel
from desktop.models.records import NoticeFilter, NoticeListModel, ReceiptTally
from desktop.models.workbench import Part
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.office import OfficePage, create_workbench
from desktop.ui.office.audience_picker import AudiencePicker
from desktop.ui.office.html_view import HtmlView
from desktop.ui.office.rich_text import document_html
from desktop.ui.office.safe_html import MOST_CHARACTERS, may_open, safe_html
from desktop.ui.reader.kinds import Kind
from tests.helpers.fake_records import RecordsScene
from tests.helpers.fake_session import DAY, DEPARTMENTS, NOW, PEOPLE, FakeSession, make_png
from tests.helpers.stage import RecordingNavigator, play, shown, until

ME = "linyuan"


# ------------------------------------------------------------ HTML
@pytest.mark.parametrize(
    "hostile",
    [
        "<script>steal()</script>",
        '<img src="https://spy.example/p.png">',
        '<img src=x onerror="steal()">',
        '<a href="javascript:steal()">x</a>',
        '<a href="file:///etc/passwd">x</a>',
        '<p style="background:url(https://spy.example)">x</p>',
        '<iframe src="https://spy.example"></iframe>',
        '<svg onload="steal()"></svg>',
        '<link rel="stylesheet" href="https://spy.example/a.css">',
        "<style>@import url(https://spy.example)</style>",
        '<object data="x"></object><embed src="x">',
        '<form action="https://spy.example"><input name="p"></form>',
    ],
)
def test_hostile_html_loses_its_teeth(hostile: str) -> None:
    clean = safe_html(f"<p>正文</p>{hostile}")
    assert "<p>正文</p>" in clean
    for word in ("script", "src", "javascript", "file:", "style", "on", "spy", "iframe", "form", "steal"):
        assert word not in clean


def test_what_a_notice_needs_stays() -> None:
    body = '<h3>一</h3><p><strong>粗</strong><em>斜</em><u>线</u></p><ul><li>甲</li></ul><a href="https://oa.example/x">附</a>'
    assert safe_html(body) == body
    assert len(safe_html("字" * (MOST_CHARACTERS + 9))) == MOST_CHARACTERS


@given(st.text())
def test_any_text_is_cleaned_to_a_fixed_point(text: str) -> None:
    assert safe_html(safe_html(text)) == safe_html(text)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://oa.example.gov/a", True),
        ("HTTP://oa.example.gov", True),
        ("https://", False),
        ("file:///etc/passwd", False),
        ("javascript:alert(1)", False),
        ("smb://host/share", False),
        ("http://[::1", False),
        ("relative", False),
    ],
)
def test_only_web_addresses_are_opened(address: str, allowed: bool) -> None:
    assert may_open(address) is allowed


def test_the_view_loads_nothing_and_asks_before_a_link() -> None:
    async def scene() -> None:
        view = HtmlView()
        shown(view, 400, 300)
        view.show_body('<p>看<a href="https://oa.example.gov/a">附表</a></p><img src="file:///etc/hostname">')
        assert view.loadResource(2, QUrl("https://spy.example/x.png")) is None
        assert view.toPlainText().strip() == "看附表"
        view.anchorClicked.emit(QUrl("https://oa.example.gov/a"))
        await until(lambda: any(one.isVisible() for one in view.findChildren(QDialog)))
        dialog = view.findChildren(QDialog)[0]
        assert any("https://oa.example.gov/a" in label.text() for label in dialog.findChildren(QLabel))
        dialog.reject()
        await until(lambda: not view.tasks.running("link"))

    play(scene())


def test_what_is_written_becomes_plain_tags(qapp: QApplication) -> None:
    document = QTextDocument()
    body = "<h3>一、责任</h3><p>严格<strong>落实</strong>，<em>尽快</em> &lt;b&gt;</p><ol><li>甲</li><li>乙</li></ol><p>完</p>"
    document.setHtml(body)
    assert document_html(document) == body
    assert safe_html(body) == body


# ------------------------------------------------------------ lists and numbers
def notice(key: str, **fields: object) -> Notice:
    return msgspec.structs.replace(Notice(key, f"通知 {key}", published_at=NOW, author_id="zhangmin"), **fields)


NOTICES = [
    notice("old", published_at=NOW - DAY),
    notice("new"),
    notice("pin", pinned=True, published_at=NOW - 9 * DAY, my_read_at=NOW),
    notice("must", level=NoticeLevel.MUST_CONFIRM, my_read_at=NOW),
    notice("done", level=NoticeLevel.MUST_CONFIRM, my_read_at=NOW, my_confirmed_at=NOW),
    notice("gone", state="withdrawn", level=NoticeLevel.MUST_CONFIRM),
    notice("own", author_id=ME),
]


def ids(model: NoticeListModel) -> list[str]:
    return [str(model.index(row).data()).removeprefix("通知 ") for row in range(model.rowCount())]


def test_pinned_on_top_newest_first_and_tabs(qapp: QApplication) -> None:
    model = NoticeListModel(ME)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_notices(NOTICES)
    assert ids(model)[0] == "pin"
    assert ids(model)[-1] == "old"
    for kind, wanted in (("unread", {"old", "new"}), ("toConfirm", {"must"}), ("mine", {"own"})):
        model.set_filter(NoticeFilter(kind))
        assert set(ids(model)) == wanted
        assert model.count(NoticeFilter(kind)) == len(wanted)
    model.set_names({"zhangmin": "张敏"})
    model.set_filter(NoticeFilter.ALL, "张敏")
    assert set(ids(model)) == {n.id for n in NOTICES} - {"own"}


def test_a_held_notice_stays_under_unread_while_it_is_read(qapp: QApplication) -> None:
    model = NoticeListModel(ME)
    model.set_notices(NOTICES)
    model.set_filter(NoticeFilter.UNREAD)
    model.hold("new")
    model.set_notices([notice("new", my_read_at=NOW), NOTICES[0]])
    assert ids(model) == ["new", "old"]
    model.set_filter(NoticeFilter.UNREAD)
    assert ids(model) == ["old"]


def test_audience_is_everyone_meant_once() -> None:
    office = Organization(DEPARTMENTS, PEOPLE)
    assert audience_people(Audience(everyone=True), office) == {p.id for p in PEOPLE}
    assert audience_people(Audience(department_ids=("d4",)), office) == {"zhaolei", "sunqiang"}
    assert "hejing" in audience_people(Audience(department_ids=("d2",)), office)
    assert audience_people(Audience(roles=("librarian",), person_ids=("wufang",)), office) == {"chenjing", "wufang"}
    assert audience_people(Audience(), office) == frozenset()


def test_tally_puts_each_person_in_one_place() -> None:
    tally = ReceiptTally(["a", "b"], ["b"], ["a", "b", "c"])
    assert (tally.confirmed, tally.read, tally.unread) == (["b"], ["a"], ["c"])


def test_folder_tree_counts_and_survives_rings(qapp: QApplication) -> None:
    model = FolderTreeModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    folders = [Folder("f", "规章"), Folder("g", "防汛", "f"), Folder("x", "x", "y"), Folder("y", "y", "x")]
    documents = [Document("1", "甲", "g", "b", "a"), Document("2", "乙", "f", "b", "a", kept=True)]
    model.set_content(folders, documents)
    counts = {key: model.index_of(key).data(FolderRole.COUNT) for key in ("", KEPT_DOCUMENTS, "f", "g", "x", "y")}
    assert counts == {"": 2, KEPT_DOCUMENTS: 1, "f": 2, "g": 1, "x": 0, "y": 0}
    assert model.subtree("f") == {"f", "g"}
    assert model.path_names("g") == ["规章", "防汛"]


def test_documents_sort_filter_and_search(qapp: QApplication) -> None:
    model = DocumentTableModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_documents(
        [
            Document("1", "预案", "f", "b", "a.pdf", size=5, number="水汛〔2026〕3号", updated_at=1),
            Document("2", "手册", "g", "b", "b.pdf", size=9, updated_at=3, kept=True),
            Document("3", "办法", "f", "b", "c.pdf", size=7, updated_at=2),
        ]
    )

    def order() -> list[str]:
        return [found.id for row in range(model.rowCount()) if (found := model.at(row))]

    assert order() == ["2", "3", "1"]
    model.sort(Column.SIZE, Qt.SortOrder.AscendingOrder)
    assert order() == ["1", "3", "2"]
    model.set_filter({"f"}, needle="水汛")
    assert order() == ["1"]
    model.set_filter(None, kept_only=True)
    assert order() == ["2"]


# ------------------------------------------------------------ the page
class Scene:
    """An office page over a session in memory."""

    def __init__(self, *roles: str, change: Callable[[FakeSession], None] = lambda session: None) -> None:
        self.session = RecordsScene()
        self.session.me = msgspec.structs.replace(self.session.me, roles=roles)
        change(self.session)
        self.navigator = RecordingNavigator()
        self.page: OfficePage = create_workbench(self.session, self.navigator, self.session.clock.now_ms)

    async def open(self) -> OfficePage:
        shown(self.page)
        await until(lambda: self.page.data.ready, "records")
        return self.page

    @property
    def read_calls(self) -> list[object]:
        return [call[0] for call in self.session.called("office.mark_read")]


def child(widget: QWidget, name: str) -> QWidget:
    found = widget.findChild(QWidget, name)
    assert found is not None, name
    return found


def text_of(widget: QWidget, name: str) -> str:
    return str(child(widget, name).property("text"))


def test_workbench_shows_real_figures_and_leads_on() -> None:
    async def scene() -> None:
        play_ = Scene()
        page = await play_.open()
        bench = page.workbench
        await until(lambda: page.work.ready and bench.figures[Part.TODO].number, "figures")
        assert (bench.figures[Part.TODO].number, bench.figures[Part.TO_READ].number) == (1, 1)
        assert page.badge == 2
        QTest.mouseClick(bench.figures[Part.TO_READ], Qt.MouseButton.LeftButton)
        assert page.my_work.isVisible()
        assert page.my_work.part is Part.TO_READ
        page.show_workbench()
        QTest.mouseClick(child(bench, "module_library"), Qt.MouseButton.LeftButton)
        assert page.library.isVisible()
        page.show_workbench()
        QTest.mouseClick(child(bench, "todo_n1"), Qt.MouseButton.LeftButton)
        assert page.notices.reader.notice_id == "n1"

    play(scene())


def test_confirming_in_the_todo_list_takes_it_off() -> None:
    async def scene() -> None:
        stage = Scene()
        page = await stage.open()
        await until(lambda: page.workbench.findChild(QWidget, "confirm_n1"))
        QTest.mouseClick(child(page.workbench, "confirm_n1"), Qt.MouseButton.LeftButton)
        await until(lambda: page.workbench.figures[Part.TODO].number == 0)
        assert (
            page.workbench.findChild(QWidget, "confirm_n1") is None
            or not child(page.workbench, "confirm_n1").isVisible()
        )
        assert stage.session.called("office.confirm") == [("n1",)]

    play(scene())


def test_alerts_are_opened_and_dismissed() -> None:
    async def scene() -> None:
        stage = Scene()
        page = await stage.open()
        stage.session.alerts.arrive(Alert("a9", "system", "请更新客户端", link=Link("Conversation", "c-duty")))
        await until(lambda: page.workbench.findChild(QWidget, "todo_a9"))
        QTest.mouseClick(
            child(page.workbench, "todo_a9"),
            Qt.MouseButton.LeftButton,
            pos=child(page.workbench, "todo_a9").rect().topLeft(),
        )
        assert stage.navigator.calls == [("conversation", "c-duty")]
        dismiss = [
            b
            for b in child(page.workbench, "todo_a9").findChildren(QWidget)
            if b.accessibleName() == tr("common.dismiss")
        ]
        QTest.mouseClick(dismiss[0], Qt.MouseButton.LeftButton)
        await until(lambda: stage.session.called("alerts.dismiss") == [("a9",)])

    play(scene())


def test_an_unknown_module_is_the_windows_business() -> None:
    async def scene() -> None:
        stage = Scene()
        page = await stage.open()
        page.open_module("vehicles")
        assert stage.navigator.calls == [("page", "vehicles")]

    play(scene())


def test_reading_marks_read_once_and_only_what_is_seen() -> None:
    async def scene() -> None:
        stage = Scene()
        page = await stage.open()
        notices = page.notices  # made, but not in front
        notices.list.select("n3")
        assert stage.read_calls == []
        page.open_module("notices")
        await until(lambda: stage.read_calls == ["n3"])
        page.open_notice("n2")
        page.open_notice("n3")
        await until(lambda: page.notices._model.count(NoticeFilter.UNREAD) == 1)
        assert stage.read_calls == ["n3"]

    play(scene())


@pytest.mark.parametrize("online", [True, False])
def test_confirming_answers_at_once(online: bool) -> None:
    async def scene() -> None:
        stage = Scene()
        page = await stage.open()
        if not online:
            stage.session.go(ConnectionState.OFFLINE)
        page.open_notice("n1")
        assert text_of(page, "noticeConfirmText") == tr("office.confirm_hint")
        QTest.mouseClick(child(page, "noticeConfirm"), Qt.MouseButton.LeftButton)
        said = tr("office.confirmed_now") if online else tr("office.confirmed_offline")
        assert text_of(page, "noticeConfirmText") == said  # before any await
        assert not child(page, "noticeConfirm").isVisible()
        await until(lambda: page.data.notices[0].my_confirmed_at)
        assert tr("office.confirmed_now") in text_of(page, "noticeConfirmText")

    play(scene())


def test_a_refused_confirmation_comes_back() -> None:
    async def scene() -> None:
        stage = Scene()
        page = await stage.open()
        page.open_notice("n1")
        page.notices.reader.show_confirmed("n1", True)
        assert not child(page, "noticeConfirm").isVisible()
        stage.session.events.publish(EditRefused("ReadMark", read_mark_id("n1", ME), "notFound"))
        assert child(page, "noticeConfirm").isVisible()

    play(scene())


def test_readers_are_for_publishers_alone() -> None:
    def change(session: FakeSession) -> None:
        mark = ReadMark("n1_wufang", "n1", "Notice", "wufang", NOW, NOW)
        session.office.mark_list[mark.id] = mark

    async def scene() -> None:
        plain, publisher = Scene(change=change), Scene("publisher", change=change)
        for stage in (plain, publisher):
            page = await stage.open()
            page.open_notice("n1")
        assert not child(plain.page, "readersCard").isVisible()
        await until(lambda: child(publisher.page, "readersCard").isVisible())
        assert text_of(publisher.page, "readersCounts") == tr(
            "office.readers_confirm", confirmed=1, read=0, unread=11, total=12
        )
        assert "已确认：吴芳" in " ".join(
            str(label.property("text")) for label in publisher.page.findChildren(QWidget, "reportNames")
        )

    play(scene())


def test_attachment_opens_in_the_reader_and_back() -> None:
    def change(session: FakeSession) -> None:
        blob = session.files.keep(make_png(40, 30, (9, 9, 9)))
        paper = Attachment(blob, "照片.png", "image/png", 900)
        session.office.notice_list["n3"] = msgspec.structs.replace(
            session.office.notice_list["n3"], attachments=(paper,)
        )

    async def scene() -> None:
        stage = Scene(change=change)
        page = await stage.open()
        page.open_notice("n3")
        assert "已在本机" in child(page, "attachmentCard").findChildren(QLabel)[1].text()
        QTest.mouseClick(child(page, "attachmentOpen"), Qt.MouseButton.LeftButton)
        await until(lambda: page.reader.kind is Kind.PICTURE)
        QTest.mouseClick(child(page, "readerBack"), Qt.MouseButton.LeftButton)
        assert page.notices.isVisible()
        assert page.reader.kind is None

    play(scene())


def test_attachment_that_is_not_here_offline_says_so_and_is_tried_again() -> None:
    async def scene() -> None:
        stage = Scene()
        page = await stage.open()
        stage.session.go(ConnectionState.OFFLINE)
        page.open_notice("n1")
        QTest.mouseClick(child(page, "attachmentOpen"), Qt.MouseButton.LeftButton)
        await until(lambda: text_of(page, "readerProblemText") == tr("reader.problem.notKept"))
        before = len(stage.session.called("files.open_bytes"))
        page.reader.retry.emit()
        await until(lambda: len(stage.session.called("files.open_bytes")) == before + 1)

    play(scene())


def test_a_notice_asked_for_before_loading_and_one_that_is_gone() -> None:
    async def scene() -> None:
        stage = Scene()
        stage.page.open_notice("n2")
        shown(stage.page)
        await until(lambda: stage.page.notices.reader.notice_id == "n2")
        stage.page.open_notice("never")
        assert stage.page.notices._snack.isVisible()
        assert stage.page.notices.reader.notice_id == "n2"

    play(scene())


def test_records_that_cannot_be_read_say_so() -> None:
    async def scene() -> None:
        stage = Scene(
            change=lambda session: session.failures.update({"office.notices": StorageUnavailable(reason="x")})
        )
        shown(stage.page)
        await until(stage.page.workbench.problem.isVisible)
        stage.page.workbench.problem.action.click()
        await until(lambda: stage.page.data.ready)
        assert not stage.page.workbench.problem.isVisible()

    play(scene())


# ------------------------------------------------------------ the audience
def test_audience_picker_counts_and_drops(qapp: QApplication) -> None:
    theme.apply(qapp)
    i18n.set_language("zh")
    picker = AudiencePicker(Organization(DEPARTMENTS, PEOPLE))
    assert picker.is_empty()
    picker.set_audience(Audience(department_ids=("d4",)))
    assert text_of(picker, "audienceCount") == tr("office.audience.count", n=2)
    picker.search.setText("wf")
    picker._on_hit(picker._hits.item(0))
    assert picker.audience() == Audience(department_ids=("d4",), person_ids=("wufang",))
    picker._drop("wufang")
    assert picker.audience() == Audience(department_ids=("d4",))
    picker.everyone.setChecked(True)
    assert picker.audience() == Audience(everyone=True)


# ------------------------------------------------------------ the library
def test_library_folders_search_and_details() -> None:
    async def scene() -> None:
        stage = Scene()
        page = await stage.open()
        page.open_module("library")
        library = page.library
        library.tree.select("f2")
        assert library.table.model().rowCount() == 1
        library.search.setText("没有")
        assert library.state.isVisible()
        library.search.clear()
        library.table.select("doc2")
        assert "水汛〔2026〕3号" in " ".join(label.text() for label in library.details.findChildren(QLabel))
        assert not child(page, "libraryAdd").isVisible()
        assert not child(page, "documentNewVersion").isVisible()

    play(scene())


def test_keeping_offline_shows_the_lease() -> None:
    async def scene() -> None:
        stage = Scene()
        page = await stage.open()
        page.open_module("library")
        page.library.table.select("doc2")
        assert text_of(page, "documentLease") == tr("office.keep_hint", n=30)
        QTest.mouseClick(child(page, "documentKeep"), Qt.MouseButton.LeftButton)
        await until(lambda: "2026-11-21" in text_of(page, "documentLease"))
        stage.session.failures["office.keep_offline"] = Offline()
        page.library.keep("doc1", True)
        await until(
            lambda: page.library._snack.isVisible() and page.library._snack.text.text() == tr("office.keep_later")
        )

    play(scene())


def test_policy_and_expired_lease_have_their_words() -> None:
    def change(session: FakeSession) -> None:
        for key, fields in (
            ("doc1", {"lease_until": NOW - DAY}),
            ("doc2", {"offline": OfflinePolicy(policy="none")}),
        ):
            session.office.document_list[key] = msgspec.structs.replace(session.office.document_list[key], **fields)
        session.failures["office.document_path"] = LeaseExpired(until=NOW - DAY)

    async def scene() -> None:
        stage = Scene(change=change)
        page = await stage.open()
        page.open_module("library")
        page.library.table.select("doc1")
        assert "到期" in text_of(page, "documentLease")
        page.library.table.select("doc2")
        assert text_of(page, "documentLease") == tr("office.keep_forbidden")
        assert not child(page, "documentKeep").isEnabled()
        page.open_document("doc1")
        await until(lambda: "2026-10-21" in text_of(page, "readerProblemText"))

    play(scene())


def test_a_document_opens_in_the_reader_with_its_lease() -> None:
    def change(session: FakeSession) -> None:
        session.office.document_bytes["doc1"] = "第一条".encode()
        session.office.document_list["doc1"] = msgspec.structs.replace(
            session.office.document_list["doc1"], name="办法.txt", type="text/plain"
        )

    async def scene() -> None:
        stage = Scene(change=change)
        stage.page.open_document("doc1")
        shown(stage.page)
        await until(lambda: stage.page.reader.kind is Kind.TEXT)
        assert stage.page.reader._note.isVisible()
        stage.page.close_reader()
        assert stage.page.library.isVisible()

    play(scene())


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_room_is_drawn_in_every_look(language: str, mode: str) -> None:
    async def scene() -> None:
        stage = Scene("publisher", "librarian")
        page = await stage.open()
        theme.set_mode("dark" if mode == "dark" else "light")
        theme.set_text_scale(2.0)
        try:
            for room in ("notices", "library"):
                page.open_module(room)
                page.grab()
            page.open_notice("n1")
            body = page.notices.reader.body
            await until(lambda: body.height() >= body.document().size().height() - 1, "the whole text")
            page.grab()
        finally:
            theme.set_text_scale(1.0)

    play(scene(), language="zh" if language == "zh" else "en")


def test_person_names_are_never_read_as_markup() -> None:
    def change(session: FakeSession) -> None:
        session.office.notice_list["n3"] = msgspec.structs.replace(
            session.office.notice_list["n3"], title="<b>粗</b><img src=x>"
        )

    async def scene() -> None:
        stage = Scene(change=change)
        page = await stage.open()
        page.open_notice("n3")
        title = page.notices.reader.title
        assert title.text() == "<b>粗</b><img src=x>"
        assert title.textFormat() is Qt.TextFormat.PlainText

    play(scene())
