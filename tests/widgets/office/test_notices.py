"""公告通知 on the screen: writing with templates and ways on, approval, votes, the read report, reminding, the sheet to sign, the tabs."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from desktop.core.clock import utc_date
from desktop.core.domain import ConnectionState, LocalDocument, ReadMark
from desktop.core.domain.records import Conflict, Record
from desktop.core.errors import Offline
from desktop.core.events import EditRefused
from desktop.models.notice_report import report_of
from desktop.models.notice_vote import vote_of
from desktop.models.records import NoticeFilter
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.office import OfficePage, create_workbench
from desktop.ui.office.notice_form import NoticeForm
from desktop.ui.office.notices_page import NoticesPage
from desktop.ui.office.record.form import RecordForm
from tests.helpers.fake_session import DAY, HOUR, NOW
from tests.helpers.notice_scene import NoticeScene
from tests.helpers.stage import RecordingNavigator, play, shown, until

ME = "linyuan"
EVERYONE = {"everyone": True}


class Stage:
    """An office page with the notices module."""

    def __init__(self, *roles: str, change: Callable[[NoticeScene], object] = lambda session: None) -> None:
        self.session = NoticeScene()
        self.session.me = msgspec.structs.replace(self.session.me, roles=roles)
        change(self.session)
        self.office: OfficePage = create_workbench(self.session, RecordingNavigator(), self.session.clock.now_ms)

    async def open(self, notice_id: str = "") -> NoticesPage:
        shown(self.office)
        await until(lambda: self.office.data.ready, "records")
        self.office.open_module("notices")
        page = self.office.notices
        await until(lambda: page.context.module is not None, "the definition")
        if notice_id:
            await until(lambda: page._model.notice(notice_id), "the notice")
            page.open_notice(notice_id)
            await until(lambda: page.reader.record is not None, "its record")
        return page

    def called(self, verb: str) -> list[tuple[Any, ...]]:
        return [tuple(call) for call in self.session.called(f"records.{verb}")]


def child(widget: QWidget, name: str) -> QWidget:
    found = widget.findChild(QWidget, name)
    assert found is not None, name
    return found


def text_of(widget: QWidget, name: str) -> str:
    return str(child(widget, name).property("text"))


def all_text(widget: QWidget) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget))


def press(widget: QWidget, name: str) -> None:
    button = child(widget, name)
    assert isinstance(button, QAbstractButton)
    assert button.isEnabled(), name
    assert button.isVisibleTo(widget), name
    button.click()


async def form_of(page: NoticesPage) -> NoticeForm:
    page.new_record()
    form = page.detail.form
    assert isinstance(form, NoticeForm)
    await until(lambda: not form.tasks.running("draft") and not form.tasks.running("templates"))
    return form


def write(form: NoticeForm, **values: Any) -> None:
    for name, value in values.items():
        form.rows[name].set_value(value)
        form._on_changed(name)


# ------------------------------------------------------------ writing
def test_the_form_has_sections_and_leaves_out_what_only_actions_ask_for() -> None:
    async def scene() -> None:
        page = await Stage("publisher").open()
        form = await form_of(page)
        for name in ("title", "body", "audience", "publishAt", "hasVote"):
            assert not form.rows[name].isHidden(), name
        assert {"returnReason", "withdrawReason", "sentBack"}.isdisjoint(form.rows)
        assert form.rows["voteOptions"].isHidden()
        assert form.rows["escalateHours"].isHidden()
        write(form, hasVote=True, level="mustConfirm")
        assert not form.rows["voteOptions"].isHidden()
        assert not form.rows["escalateHours"].isHidden()

    play(scene())


def test_a_publisher_publishes_at_once() -> None:
    async def scene() -> None:
        stage = Stage("publisher")
        page = await stage.open()
        form = await form_of(page)
        assert form.submit_button.text() == "发布"
        assert set(form.ways) == {"submit", "schedule"}
        form.submit()
        assert not form.rows["title"].isHidden()
        assert stage.called("create") == []
        write(form, title="停水通知", body="<p>今晚停水。</p>", audience=EVERYONE)
        form.submit()
        await until(lambda: page.reader.notice_id.startswith("new-"), "the new notice in the reader")
        assert [call[1] for call in stage.called("act")] == ["publish"]
        assert stage.session.records.get(page.reader.notice_id).data["state"] == "published"
        assert page._right.currentWidget() is page.reader

    play(scene())


def test_who_is_no_publisher_submits_or_keeps_a_draft() -> None:
    async def scene() -> None:
        stage = Stage()
        page = await stage.open()
        form = await form_of(page)
        assert form.submit_button.text() == "提交审批"
        assert form.ways == {}
        write(form, title="清洗水箱", audience=EVERYONE)
        press(form, "formSave")
        await until(lambda: page.reader.notice_id.startswith("new-"))
        assert stage.called("act") == []
        await until(lambda: page.reader.record is not None)
        press(page.reader, "action_submit")
        await until(lambda: stage.session.records.get(page.reader.notice_id).data["state"] == "submitted")
        await until(lambda: page.reader.chip.text() == tr("office.state.submitted"))

    play(scene())


def test_with_approval_on_the_author_cannot_publish_but_another_can() -> None:
    def change(session: NoticeScene) -> None:
        session.records.put(Record("s", "NoticeSettings", {"office": "all", "approval": True}, "chenjing"))
        session.add("mine", ME, state="draft")
        session.add("other", state="submitted")

    async def scene() -> None:
        stage = Stage("publisher", change=change)
        page = await stage.open("mine")
        await until(lambda: page.reader.approval and set(page.reader.steps.bar.buttons) == {"submit"})
        form = await form_of(page)
        assert form.submit_button.text() == "提交审批"
        assert form.ways == {}
        page.open_notice("other")
        await until(lambda: page.reader.record is not None and page.reader.record.id == "other")
        assert set(page.reader.steps.bar.buttons) == {"publish", "sendBack", "schedule"}

    play(scene())


def test_publishing_later_asks_for_the_time_before_anything_is_made() -> None:
    async def scene() -> None:
        stage = Stage("publisher")
        page = await stage.open()
        form = await form_of(page)
        write(form, title="周六停电", audience=EVERYONE)
        press(form, "formThen_schedule")
        assert tr("office_record.problem.required") in all_text(form.rows["publishAt"])
        assert stage.called("create") == []
        write(form, publishAt=utc_date(NOW + DAY))
        press(form, "formThen_schedule")
        await until(lambda: page.reader.notice_id.startswith("new-"))
        await until(lambda: page.reader.chip.text() == tr("office.state.scheduled"))
        await until(lambda: "2026-10-23" in page.reader.meta.text())

    play(scene())


def test_a_template_fills_in_and_what_stood_there_comes_back() -> None:
    def change(session: NoticeScene) -> None:
        data = {"name": "会议", "title": "关于召开会议的通知", "body": "<p>时间：</p>", "level": "important"}
        session.records.put(Record("t1", "NoticeTemplate", data, "zhangmin"))

    async def scene() -> None:
        page = await Stage("publisher", change=change).open()
        form = await form_of(page)
        assert form.template_bar.isVisibleTo(form)
        write(form, title="草稿")
        form.template.setCurrentIndex(1)
        form.template.activated.emit(1)
        assert (form.state.values["title"], form.state.values["level"]) == ("关于召开会议的通知", "important")
        press(form, "noticeTemplateUndo")
        assert (form.state.values["title"], form.state.values["level"]) == ("草稿", "normal")
        assert not form.state.values.get("body")

    play(scene())


def test_a_draft_is_kept_by_itself_and_found_again() -> None:
    async def scene() -> None:
        stage = Stage("publisher")
        page = await stage.open()
        form = await form_of(page)
        form.rows["title"].set_value("半成品")
        form._on_changed("title")
        await until(lambda: "form/Notice/new" in stage.session.records.drafts)
        page.open_notice("n2")
        form = await form_of(page)
        await until(lambda: form.state.values.get("title") == "半成品")
        form.throw_draft()
        await until(lambda: "form/Notice/new" not in stage.session.records.drafts)

    play(scene())


def test_offline_a_notice_waits_in_the_outbox_and_says_so() -> None:
    async def scene() -> None:
        stage = Stage()
        page = await stage.open()
        stage.session.go(ConnectionState.OFFLINE)
        form = await form_of(page)
        write(form, title="停水通知", audience=EVERYONE)
        press(form, "formSave")
        await until(lambda: page.reader.notice_id.startswith("new-"))
        await until(lambda: page.reader.state.text.text() == tr("office_record.pending"))
        stage.session.go(ConnectionState.LIVE)
        await until(page.reader.state.isHidden)

    play(scene())


def test_a_notice_is_edited_in_the_form_and_read_again() -> None:
    async def scene() -> None:
        stage = Stage("publisher")
        page = await stage.open("n2")
        press(page.reader, "noticeEdit")
        form = page.detail.form
        assert isinstance(form, NoticeForm)
        assert not form.template_bar.isVisibleTo(form)
        write(form, title="国庆值班安排（更正）", audience=EVERYONE)
        form.submit()
        await until(lambda: page.reader.title.text() == "国庆值班安排（更正）")
        assert page._right.currentWidget() is page.reader

    play(scene())


# ------------------------------------------------------------ actions
def test_withdrawing_and_sending_back_ask_for_a_reason_in_place() -> None:
    async def scene() -> None:
        stage = Stage("publisher", change=lambda session: session.add("sub", state="submitted"))
        page = await stage.open("n2")
        press(page.reader, "action_withdraw")
        form = page.reader.steps.form
        assert form is not None
        form.submit()
        assert stage.called("act") == []
        form.rows["withdrawReason"].set_value("日期有误")
        form._on_changed("withdrawReason")
        form.submit()
        await until(lambda: "日期有误" in page.reader.state.text.text())
        await until(lambda: page.reader.steps.findChild(QWidget, "actionForm") is None)
        page.open_notice("sub")
        await until(lambda: page.reader.record is not None and page.reader.record.id == "sub")
        press(page.reader, "action_sendBack")
        asked = child(page.reader.steps, "actionForm")
        assert isinstance(asked, RecordForm)
        assert set(asked.rows) == {"returnReason"}

    play(scene())


def test_a_refused_action_says_why() -> None:
    async def scene() -> None:
        stage = Stage("publisher", change=lambda session: session.add("d", ME, state="draft"))
        page = await stage.open("d")
        stage.session.records.refuse["d"] = "forbidden"
        press(page.reader, "action_publish")
        await until(page.reader.steps.problem.isVisible)
        assert page.reader.steps.problem.text.text() == tr("office_notice.refused.forbidden")

    play(scene())


def test_what_was_sent_back_tells_its_author_why() -> None:
    def change(session: NoticeScene) -> None:
        session.add("d", ME, state="draft", sentBack=True, returnReason="缺落款")

    async def scene() -> None:
        page = await Stage(change=change).open("d")
        await until(lambda: "缺落款" in page.reader.state.text.text())

    play(scene())


def test_a_draft_is_deleted_after_a_question() -> None:
    async def scene() -> None:
        stage = Stage(change=lambda session: session.add("d", ME, state="draft"))
        page = await stage.open("d")
        assert tr("office_record.delete") in [action.text() for action in page.reader.menu().actions()]
        page.reader.ask_delete()
        page.reader.ask.yes.click()
        await until(lambda: page._right.currentWidget() is page.nothing)
        assert "d" not in stage.session.records.held["Notice"]

    play(scene())


# ------------------------------------------------------------ votes
def ballot(key: str, who: str, *places: int) -> Record:
    data = {"noticeId": "vote", "personId": who, "choices": [{"option": place} for place in places]}
    return Record(key, "NoticeBallot", data, who, NOW, NOW, 1)


def test_a_ballot_is_cast_once_and_results_follow() -> None:
    async def scene() -> None:
        stage = Stage(change=lambda session: session.add_vote())
        page = await stage.open("vote")
        card = page.reader.vote
        await until(card.isVisible)
        assert "单选" in card.terms.text()
        assert tr("office_notice.vote.after_vote") in card.said.text()
        assert not card.send.isEnabled()
        tally = [{"text": "湿地公园", "count": 2}, {"text": "博物馆", "count": 0}, {"text": "水库", "count": 3}]
        stage.session.office.counts = {"voteTally": tally, "voters": 5}  # told to those who have voted
        card.choices[1].click()
        card.choices[2].click()
        assert card.chosen() == [2]
        press(card, "voteCast")
        await until(
            lambda: stage.called("create") == [("NoticeBallot", {"noticeId": "vote", "choices": [{"option": 2}]})]
        )
        await until(lambda: "水库" in card.said.text())
        assert card.choices == []
        assert not card.send.isVisible()
        await until(lambda: card.findChild(QWidget, "voteResult_2"))
        assert child(card, "voteResult_2").accessibleName() == "水库: 3 票 · 60%"

    play(scene())


def test_no_more_is_ticked_than_may_be_chosen() -> None:
    async def scene() -> None:
        page = await Stage(change=lambda session: session.add_vote(voteMost=2)).open("vote")
        card = page.reader.vote
        await until(card.isVisible)
        card.choices[0].click()
        card.choices[1].click()
        assert not card.choices[2].isEnabled()
        card.choices[0].click()
        assert card.choices[2].isEnabled()
        assert card.chosen() == [1]

    play(scene())


def test_a_refused_ballot_can_be_cast_again_and_is_dropped() -> None:
    async def scene() -> None:
        stage = Stage(change=lambda session: session.add_vote())
        page = await stage.open("vote")
        records = stage.session.records
        created = records.create

        async def refuse(type_name: str, data: dict[str, Any]) -> str:
            key = await created(type_name, data)
            records.put(msgspec.structs.replace(records.get(key), refusal="invalidProperties"), tell=True)
            conflict = Conflict("e1", type_name, key, data, None, (), "invalidProperties")
            records.open_conflicts.append(conflict)
            stage.session.events.publish(EditRefused(type_name, key, "invalidProperties"))
            return key

        records.create = refuse  # type: ignore[method-assign]  # this server says no
        card = page.reader.vote
        await until(card.isVisible)
        card.choices[0].click()
        press(card, "voteCast")
        await until(lambda: card.problem.isVisible() and card.problem.text() == tr("office_notice.vote.refused"))
        assert stage.called("drop") == [("e1",)]
        assert len(card.choices) == 3

    play(scene())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"voteClosesAt": utc_date(NOW - HOUR), "voteClosed": True}, "office_notice.vote.too_late"),
        ({"audience": {"personIds": ["wufang"]}}, "office_notice.vote.not_yours"),
    ],
)
def test_closed_votes_and_those_of_others_take_no_ballot(fields: dict[str, Any], said: str) -> None:
    async def scene() -> None:
        page = await Stage(change=lambda session: session.add_vote(**fields)).open("vote")
        card = page.reader.vote
        await until(card.isVisible)
        assert tr(said) in card.said.text()
        assert card.choices == []
        assert not card.send.isVisible()

    play(scene())


def test_a_secret_vote_names_nobody() -> None:
    session = NoticeScene()
    notice = session.add_vote(voteSecret=True, voteClosed=True, voteTally=[{"text": "x", "count": 1}] * 3, voters=1)
    page_office = report_office()
    ballots = [ballot("b1", "wufang", 0), msgspec.structs.replace(ballot("b2", ME), data={"noticeId": "vote"})]
    vote = vote_of(notice, ballots, page_office, me=ME, now_ms=NOW)
    assert vote is not None
    assert vote.names == {}
    assert vote.mine == ()
    assert vote.counts == (1, 1, 1)
    named = session.add_vote("vote2", voteTally=[{"text": "x", "count": 1}])
    vote = vote_of(named, ballots, page_office, me="wufang", now_ms=NOW)
    assert vote is not None
    assert vote.names == {0: ("wufang",)}
    assert vote.counts is None
    assert vote.mine == (0,)
    assert vote_of(session.add("plain"), [], page_office, me=ME, now_ms=NOW) is None


def report_office() -> Any:
    from desktop.models.contacts import Organization
    from tests.helpers.fake_session import DEPARTMENTS, PEOPLE

    return Organization(DEPARTMENTS, PEOPLE)


# ------------------------------------------------------------ the report
def test_the_report_puts_each_person_into_the_main_department_once() -> None:
    office = report_office()
    session = NoticeScene()
    notice = session.office.notice_list["n1"]
    marks = [ReadMark("1", "n1", "Notice", "wufang", NOW, NOW), ReadMark("2", "n1", "Notice", "zhaolei", NOW)]
    groups = report_of(notice.audience, marks, office, without="zhangmin")
    people = [reader.person.id for group in groups for reader in group.readers]
    assert len(people) == len(set(people)) == len(office.people) - 1
    assert "zhangmin" not in people
    done = {one.person.id for group in groups for one in group.confirmed}
    read = {one.person.id for group in groups for one in group.read}
    assert (done, read) == ({"wufang"}, {"zhaolei"})
    assert sum(group.done(True) for group in groups) == 1
    assert sum(group.done(False) for group in groups) == 2


def marked(session: NoticeScene) -> None:
    for number, (who, confirmed) in enumerate((("wufang", NOW), ("zhaolei", None))):
        mark = ReadMark(f"m{number}", "n1", "Notice", who, NOW - HOUR, confirmed)
        session.office.mark_list[mark.id] = mark


def test_the_report_opens_by_department_and_reminds_once_an_hour() -> None:
    async def scene() -> None:
        stage = Stage("publisher", change=marked)
        page = await stage.open("n1")
        card = page.reader.readers
        await until(card.isVisible)
        rows = card.findChildren(QWidget, "reportNames")
        assert len(rows) > 1
        assert not any(row.isVisible() for row in rows)
        line = child(card, "report_d4")
        line.caret.click()  # type: ignore[attr-defined]  # a GroupRow
        assert "赵磊" in text_of(line, "reportNames")
        assert child(line, "reportNames").isVisible()
        press(card, "noticeRemind")
        await until(lambda: stage.session.called("office.remind") == [("n1",)])
        await until(card.reminded.isVisible)
        assert "上次提醒" in card.reminded.text()
        assert not card.remind.isEnabled()
        page.reader.remind()
        await until(card.problem.isVisible)
        assert card.problem.text() == tr("office_notice.refused.rateLimit")

    play(scene())


def test_reminding_without_a_connection_says_so() -> None:
    async def scene() -> None:
        stage = Stage("publisher", change=marked)
        page = await stage.open("n1")
        card = page.reader.readers
        await until(lambda: card.isVisible() and card.remind.isEnabled())
        stage.session.failures["office.remind"] = Offline(reason="offline")
        press(card, "noticeRemind")
        await until(card.problem.isVisible)
        assert card.problem.text()
        await until(card.remind.isEnabled)

    play(scene())


def test_whose_superior_was_told_stands_with_the_report() -> None:
    def change(session: NoticeScene) -> None:
        data = {"noticeId": "n1", "noticeTitle": "防汛", "superiorId": "zhangmin", "people": ["wufang"]}
        session.records.put(Record("e1", "NoticeEscalation", data, None, NOW, NOW, 1))

    async def scene() -> None:
        page = await Stage("publisher", change=change).open("n1")
        await until(page.reader.readers.urged.isVisible)
        assert "张敏" in page.reader.readers.urged.text()
        assert "吴芳" in page.reader.readers.urged.text()

    play(scene())


def test_the_sheet_to_sign_is_a_pdf_with_every_name() -> None:
    async def scene() -> None:
        from PySide6.QtCore import QBuffer, QByteArray, QIODevice
        from PySide6.QtPdf import QPdfDocument

        stage = Stage("publisher", change=marked)
        page = await stage.open("n1")
        opened: list[LocalDocument] = []
        page.document_opened.connect(lambda _title, document: opened.append(document))
        await until(page.reader.readers.isVisible)
        press(page.reader.readers, "noticeSheet")
        assert opened[0].name.endswith(".pdf")
        assert opened[0].data is not None
        buffer = QBuffer()
        buffer.setData(QByteArray(opened[0].data))
        buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        document = QPdfDocument()
        document.load(buffer)
        await until(lambda: document.status() is QPdfDocument.Status.Ready)
        text = "".join(document.getAllText(number).text() for number in range(document.pageCount()))
        for words in ("吴芳", "赵磊", "签字", "2026-10-22", "未读"):
            assert words in text, words
        document.close()

    play(scene())


# ------------------------------------------------------------ tabs, talk
def test_tabs_by_role() -> None:
    def change(session: NoticeScene) -> None:
        data = {"noticeId": "n1", "noticeTitle": "防汛", "superiorId": ME, "people": ["wufang"]}
        session.records.put(Record("e1", "NoticeEscalation", data, None, NOW, NOW, 1))

    async def scene() -> None:
        own = [kind.value for kind in NoticeFilter]
        page = await Stage().open()
        assert list(page.tabs.buttons) == own
        assert page.new.isVisible()
        assert page.new.text() == tr("office_notice.new")
        page = await Stage("publisher", "admin", change=change).open()
        await until(lambda: "urge" in page.tabs.buttons)
        assert list(page.tabs.buttons) == [*own, "approve", "urge", "templates", "settings"]

    play(scene())


def test_a_publisher_approves_from_the_tab() -> None:
    async def scene() -> None:
        stage = Stage("publisher", change=lambda session: session.add("sub", state="submitted"))
        page = await stage.open()
        page.show_tab("approve")
        frame = page.generic.frames["approve"]
        await until(lambda: frame.table is not None and frame.table.grid.isVisible())
        frame.view.opened.emit("sub")
        await until(lambda: page.reader.notice_id == "sub" and page.reader.record is not None)
        assert page._left.currentWidget() is frame
        assert page._right.currentWidget() is page.reader
        press(page.reader, "action_publish")
        await until(lambda: stage.session.records.get("sub").data["state"] == "published")
        page.show_tab("unread")
        assert page._left.currentWidget() is page.list or page._left.currentWidget() is page.state

    play(scene())


def test_templates_are_made_in_their_tab() -> None:
    async def scene() -> None:
        stage = Stage("publisher")
        page = await stage.open()
        page.show_tab("templates")
        assert page.new.text() == "公告模板"
        page.new.click()
        form = page.detail.form
        assert form is not None
        assert form.definition.name == "NoticeTemplate"
        form.rows["name"].set_value("会议")
        form._on_changed("name")
        form.submit()
        await until(lambda: page.detail.record is not None and page.detail.record.type == "NoticeTemplate")

    play(scene())


def test_comments_and_history_stand_below_a_notice() -> None:
    async def scene() -> None:
        stage = Stage()
        page = await stage.open("n1")
        await until(page.reader.talk.isVisible)
        talk = page.reader.talk
        talk.comments.edit.setPlainText("收到")
        talk.comments.say()
        await until(lambda: talk.comments.findChild(QWidget, "commentRow"))
        talk.tabs.setCurrentIndex(1)
        await until(lambda: stage.called("history"))
        assert page.reader.talk.history.isVisible()
        assert not page.reader.talk.comments.isVisible()

    play(scene())


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_pane_is_drawn_in_every_look(language: str, mode: str) -> None:
    def change(session: NoticeScene) -> None:
        marked(session)
        session.add_vote(voteTally=[{"text": "x", "count": n} for n in range(3)], voters=3)

    async def scene() -> None:
        page = await Stage("publisher", "admin", change=change).open("n1")
        theme.set_mode("dark" if mode == "dark" else "light")
        await until(page.reader.readers.isVisible)
        page.grab()
        page.open_notice("vote")
        await until(page.reader.vote.isVisible)
        page.grab()
        await form_of(page)
        page.grab()
        for tab in ("approve", "templates", "settings"):
            page.show_tab(tab)
            page.grab()

    play(scene(), mode="dark" if mode == "dark" else "light", language="zh" if language == "zh" else "en")


def test_a_record_asked_for_before_the_definition_waits_for_it() -> None:
    async def scene() -> None:
        stage = Stage("publisher")
        stage.session.records.put(Record("template", "NoticeTemplate", {"name": "例会"}, ME, NOW, NOW, 1))
        shown(stage.office)
        await until(lambda: stage.office.data.ready, "records")
        stage.session.failures["records.modules"] = Offline()
        page = stage.office.notices
        stage.office._stack.setCurrentWidget(page)
        await until(lambda: "records.modules" not in stage.session.failures, "the first reading, which fails")
        await until(lambda: not page.tasks.running("module"))
        assert page.context.module is None
        asked: list[tuple[str, str]] = []
        page.link_asked.connect(lambda kind, key: asked.append((kind, key)))
        page.open_record("NoticeTemplate", "template")
        assert asked == [], "nobody else is asked while nobody can know"
        assert page.detail.record is None
        stage.session.records._tell("ModuleDefinition", "notices")
        await until(lambda: page.detail.record is not None, "the record")
        assert page.detail.record_id == "template"
        page.open_record("SampleVehicle", "v1")
        assert asked == [("SampleVehicle", "v1")]

    play(scene())


def test_a_notice_is_sent_to_a_conversation() -> None:
    async def scene() -> None:
        stage = Stage()
        page = await stage.open(next(iter(NoticeScene().office.notice_list)))
        press(page.reader, "noticeShare")
        share = page.share
        assert share is not None
        await until(lambda: share.model.rows, "conversations")
        share._on_chosen(share.model.index(0))
        await until(lambda: stage.called("send_card"), "the card")
        conversation, record = stage.called("send_card")[0]
        assert conversation == share.model.rows[0].id
        assert record == page.reader.record
        await until(lambda: page._right.currentWidget() is page.reader, "the reader again")
        assert page._snack.isVisible()

    play(scene())
