"""Personal contacts on the contacts page: groups in the tree, search, the form, files out and in, calls, what the office sets."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from PySide6.QtCore import QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QMenu

from desktop.core.domain import ConnectionState, Person
from desktop.core.domain.conditions import Facts
from desktop.core.errors import AppError, Offline, Rejected
from desktop.models.contacts import ContactBook, Organization
from desktop.models.vcards import ContactCard, parse_vcards, write_vcards
from desktop.ui.contacts import ContactsPage, create_contacts
from desktop.ui.contacts.card_export import person_card
from desktop.ui.contacts.card_import import CardImportPane, card_sheets, group_words
from desktop.ui.contacts.contact_pane import ContactPane
from desktop.ui.contacts.reach import call_url, mail_url
from desktop.ui.kit import Dialog
from desktop.ui.office.exchange.names import Names, Titles
from desktop.ui.office.exchange.parsing import Readings
from desktop.ui.office.exchange.sheet_rows import SheetReader, guess
from tests.helpers.contact_cards import CARDS
from tests.helpers.contacts_scene import ContactsScene, contact, contacts_module, group
from tests.helpers.stage import RecordingNavigator, play, shown, until

Scene = Callable[[ContactsScene, ContactsPage], Coroutine[Any, Any, None]]


def run(scene: Scene, *, admin: bool = False) -> None:
    async def whole() -> None:
        session = ContactsScene()
        if admin:
            session.me = msgspec.structs.replace(session.me, roles=(*session.me.roles, "admin"))
        page = create_contacts(session, RecordingNavigator())
        shown(page)
        await until(lambda: page.rows, "the page")
        await scene(session, page)

    play(whole())


def names(page: ContactsPage) -> list[str]:
    return [row.person.name for row in page.rows]


def entries(menu: QMenu) -> dict[str, Any]:
    """The texts of a menu, each with its action; those of submenus behind a slash."""
    found: dict[str, Any] = {}
    for action in menu.actions():
        inner = action.menu()
        if isinstance(inner, QMenu):
            found |= {f"{inner.title()}/{text}": one for text, one in entries(inner).items()}
        elif action.text():
            found[action.text()] = action
    return found


async def pane_of(page: ContactsPage, contact_id: str) -> ContactPane:
    await until(lambda: page.contact_pane is not None and page.shown_id == contact_id, contact_id)
    pane = page.contact_pane
    assert pane is not None
    await until(lambda: pane.detail.record is not None and pane.detail.record.id == contact_id, "the record")
    return pane


# ------------------------------------------------------------ the book
def test_contacts_are_found_by_name_pinyin_initials_numbers_and_organization() -> None:
    book = ContactBook(
        [
            contact("a", "顾明轩", company="设计院", mobile="138 0000 1207"),
            contact("b", "沈师傅", more=[{"kind": "work", "value": "0512-2210"}], fax="8801"),
        ]
    )

    def found(text: str) -> list[str]:
        return [row.person.id for row in book.search(text)]

    assert found("明轩") == found("gumingxuan") == found("GMX") == found("1207") == found("设计") == ["a"]
    assert found("shen shi") == found("2210") == found("801") == ["b"]
    assert found("") == found("q") == found("20") == []


def test_groups_hold_contacts_and_colleagues() -> None:
    people = [Person("p", "张敏"), Person("q", "刘洋")]
    book = ContactBook(
        [contact("a", "甲", groupIds=["g"]), contact("b", "乙")],
        [group("h", "二", order=2), group("g", "一", order=1, colleagues=["p", "gone"])],
    )
    assert [one.id for one in book.groups] == ["g", "h"]
    assert [row.person.id for row in book.members("g", Organization((), people))] == ["p", "a"]
    assert book.members("h", Organization((), people)) == []


# ------------------------------------------------------------ the page
def test_the_tree_leads_to_groups_and_a_row_to_the_contact() -> None:
    async def scene(session: ContactsScene, page: ContactsPage) -> None:
        page.tree.select("book:")
        assert names(page) == ["Emma Zhao", "顾明轩", "沈师傅"]
        assert page.header.title.text() == "个人联系人"
        page.tree.select("g-duty")
        assert names(page) == ["张敏", "刘洋", "沈师傅"]
        page.tree.select("g-out")
        page.people.select("c-gu")
        pane = await pane_of(page, "c-gu")
        assert "顾明轩" in pane.detail.title.text()
        page.tree.select("g-duty")
        page.people.select("zhangmin")
        await until(lambda: page.shown_id == "zhangmin", "the colleague's card")

    run(scene)


def test_search_finds_colleagues_and_contacts() -> None:
    async def scene(session: ContactsScene, page: ContactsPage) -> None:
        page.search.setText("gmx")
        await until(lambda: names(page) == ["顾明轩"], "by initials")
        page.search.setText("2210")
        await until(lambda: names(page) == ["Emma Zhao"], "by the end of a number")

    run(scene)


def test_a_contact_is_made_in_the_group_that_is_shown_with_no_connection() -> None:
    async def scene(session: ContactsScene, page: ContactsPage) -> None:
        session.go(ConnectionState.OFFLINE)
        page.tree.select("g-out")
        page.new_contact.click()
        await until(lambda: page.contact_pane is not None and page.contact_pane.detail.form is not None, "the form")
        pane = page.contact_pane
        assert pane is not None
        form = pane.detail.form
        assert form is not None
        assert form.state.data()["groupIds"] == ["g-out"]
        pane.detail._on_submitted({**form.state.data(), "name": "新联系人"})
        await until(lambda: "新联系人" in names(page), "the new contact")
        made = next(row for row in page.rows if row.person.name == "新联系人")
        assert made.contact is not None
        assert made.contact.pending
        await until(lambda: page.shown_id == made.person.id, "its card")

    run(scene)


def test_a_group_is_deleted_after_a_question_and_left_out_of_the_tree() -> None:
    async def scene(session: ContactsScene, page: ContactsPage) -> None:
        menu = entries(page.actions_.tree_menu("contact_group", "g-out"))
        assert list(menu) == ["新建联系人", "新建分组", "编辑分组", "删除分组"]
        menu["删除分组"].trigger()
        await until(lambda: any(one.isVisible() for one in page.findChildren(Dialog)), "the dialog")
        page.findChildren(Dialog)[0].accept()
        await until(lambda: page.book is not None and page.book.group("g-out") is None, "gone")

    run(scene)


def test_a_colleague_is_put_into_a_group_and_taken_out() -> None:
    async def scene(session: ContactsScene, page: ContactsPage) -> None:
        def inside_of(data: dict[str, Any]) -> bool:
            return "zhaolei" in data["colleagues"]

        for inside in (True, False):
            entries(page.actions_.card_menu("zhaolei"))["常用分组/防汛值班"].trigger()
            while inside_of(session.records.get("g-duty").data) is not inside:
                await asyncio.sleep(0.005)
            while page.book is None or inside_of(page.book.groups[1].data) is not inside:
                await asyncio.sleep(0.005)

    run(scene)


# ------------------------------------------------------------ calls and mails
@pytest.mark.parametrize(
    ("number", "url"),
    [
        ("0512-5550 8801", "tel:051255508801"),
        ("+86 138 0000", "tel:+861380000"),
        ("138****2046", ""),
        ("", ""),
        (None, ""),
        ("12", ""),
    ],
)
def test_numbers_to_dial(number: str | None, url: str) -> None:
    assert call_url(number).toString() == url


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("a@x.example", "mailto:a@x.example"),
        ("a+b@x.example", "mailto:a%2Bb@x.example"),
        ("a@x?bcc=b@y", "mailto:a@x%3Fbcc%3Db@y"),
        ("a@x&body=1", "mailto:a@x%26body%3D1"),
        ("a b@x", ""),
        ("a@x,b@y", ""),
        ("a@x\nBcc:b", ""),
        ("ax", ""),
        (None, ""),
    ],
)
def test_addresses_to_write_to(address: str | None, url: str) -> None:
    assert mail_url(address).toString(QUrl.ComponentFormattingOption.FullyEncoded) == url


def test_calls_are_handed_over_or_copied() -> None:
    async def scene(session: ContactsScene, page: ContactsPage) -> None:
        asked: list[str] = []

        def take(url: QUrl) -> bool:
            asked.append(url.toString())
            return True

        page.actions_.open_url = take
        page.open_person("zhangmin")
        page.card.call.click()
        page.card.mail.click()
        assert asked[0].startswith("tel:0512")
        assert asked[1] == "mailto:zhangmin@oa.example.gov"
        page.actions_.open_url = lambda _url: False
        page.card.mail.click()
        assert QGuiApplication.clipboard().text() == "zhangmin@oa.example.gov"
        assert "zhangmin@" in page.snack.text.text()

    run(scene)


# ------------------------------------------------------------ what is hidden, what the office sets
@pytest.mark.parametrize("level", ["department", "leaders", "office", "someday"])
def test_a_hidden_field_says_why(level: str) -> None:
    async def scene(session: ContactsScene, page: ContactsPage) -> None:
        person = page.organization.people["zhangmin"]
        shown_as = msgspec.structs.replace(person, room=None, hidden={"room": level, "mobile": "masked"})
        page.card.show_person(shown_as, page.organization, page._tree_model.presence("zhangmin"), "linyuan")
        texts = [one.text() for one in page.card.findChildren(QLabel)]
        assert sum(text.startswith("已隐藏") for text in texts) == 1
        assert any("仅本部门可见全号" in text for text in texts)
        page.card.copy_card()
        assert "*" not in QGuiApplication.clipboard().text()

    run(scene)


def test_people_choose_what_they_hide() -> None:
    async def scene(session: ContactsScene, page: ContactsPage) -> None:
        menu = entries(page.actions_.card_menu("linyuan"))
        menu["对其他部门隐藏我的/邮箱"].trigger()
        await until(lambda: session.called("directory.set_hides") == [(["email"],)], "hidden")
        assert not any(text.startswith(("谁能看到", "上移")) for text in menu)
        assert not any(text.startswith("对其他") for text in entries(page.actions_.card_menu("zhangmin")))

    run(scene)


def test_administrators_set_order_and_rules() -> None:
    async def scene(session: ContactsScene, page: ContactsPage) -> None:
        kind, key = page.shown
        order = page.organization.own_staff(key)
        assert kind == "department"
        menu = entries(page.actions_.people_menu(order[0]))
        assert "上移" not in menu
        menu["下移"].trigger()
        wanted = [order[1], order[0], *order[2:]]
        await until(lambda: session.called("directory.set_people_order") == [(key, wanted)], "order")
        menu["谁能看到/手机/仅领导"].trigger()
        await until(
            lambda: session.called("directory.set_visibility") == [("Person", order[0], {"mobile": "leaders"})], "rule"
        )
        siblings = list(page.organization.children(page.organization.departments[key].parent_id or ""))
        entries(page.actions_.tree_menu("department", siblings[1]))["上移"].trigger()
        swapped = [siblings[1], siblings[0], *siblings[2:]]
        await until(lambda: session.called("directory.set_departments_order") == [(swapped,)], "departments")

    run(scene, admin=True)


def test_nobody_else_sees_the_offices_menus() -> None:
    async def scene(session: ContactsScene, page: ContactsPage) -> None:
        key = page.shown[1]
        assert entries(page.actions_.tree_menu("department", key)) == {}
        page.open_person("liuyang")
        assert set(entries(page.actions_.people_menu("zhangmin"))) == {
            "导出名片",
            "常用分组/合作单位",
            "常用分组/防汛值班",
        }

    run(scene)


# ------------------------------------------------------------ out
def test_colleagues_are_written_after_the_server_logged_it(tmp_path: Path) -> None:
    async def scene(session: ContactsScene, page: ContactsPage) -> None:
        await page.actions_.write(page.rows, tmp_path / "a.xlsx")
        ids = [row.person.id for row in page.rows]
        assert session.called("directory.ask_export") == [(ids, "xlsx")]
        sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
        assert sheet is not None
        rows = list(sheet.iter_rows(values_only=True))
        assert rows[0] == ("姓名", "部门", "办公电话", "手机", "邮箱", "办公地点")
        assert [row[0] for row in rows[1:]] == names(page)
        await page.actions_.write(page.rows[:1], tmp_path / "a.vcf")
        (card,) = parse_vcards((tmp_path / "a.vcf").read_bytes())
        assert (card.data["name"], card.data.get("mobile")) == (page.rows[0].person.name, None)

    run(scene)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Offline(reason="offline"), "没有连接"),
        (Rejected(type="invalidProperties", description="", properties=["people"]), "最多 200 人"),
    ],
)
def test_a_refused_export_writes_nothing(tmp_path: Path, error: AppError, words: str) -> None:
    async def scene(session: ContactsScene, page: ContactsPage) -> None:
        async def refuse(person_ids: Sequence[str], format: str) -> None:
            raise error

        session.directory.ask_export = refuse  # type: ignore[method-assign]
        await page.actions_.write(page.rows, tmp_path / "a.xlsx")
        assert words in page.snack.text.text()
        assert list(tmp_path.iterdir()) == []

    run(scene)


def test_contacts_and_colleagues_of_a_group_go_to_files_of_their_own(tmp_path: Path) -> None:
    async def scene(session: ContactsScene, page: ContactsPage) -> None:
        page.tree.select("g-duty")
        await page.actions_.write(page.rows, tmp_path / "值班.vcf")
        read = {one.name: [c.data["name"] for c in parse_vcards(one.read_bytes())] for one in tmp_path.iterdir()}
        assert read == {"值班.vcf": ["张敏", "刘洋"], "值班-个人联系人.vcf": ["沈师傅"]}
        await page.actions_.write(page.rows[2:], tmp_path / "no-such-folder" / "a.vcf")
        assert "没有写成" in page.snack.text.text()

    run(scene)


def test_a_colleague_as_a_card_has_only_what_is_seen() -> None:
    async def scene(session: ContactsScene, page: ContactsPage) -> None:
        card = person_card(page.organization.people["zhangmin"], page.organization)
        assert (card.data["department"], card.data["post"]) == ("办公室", "办公室主任")
        assert "mobile" not in card.data
        open_one = msgspec.structs.replace(page.organization.people["zhangmin"], mobile="13800001111", hidden={})
        assert person_card(open_one, page.organization).data["mobile"] == "13800001111"

    run(scene)


# ------------------------------------------------------------ in
async def import_pane(page: ContactsPage) -> CardImportPane:
    page.actions_.open_import()
    await until(lambda: page.findChildren(CardImportPane), "the pane")
    return page.findChildren(CardImportPane)[0]


@pytest.mark.parametrize("suffix", ["vcf", "xlsx"])
def test_what_is_exported_is_imported_again(tmp_path: Path, suffix: str) -> None:
    async def scene(session: ContactsScene, page: ContactsPage) -> None:
        page.tree.select("book:")
        before = {row.person.name: row.contact.data for row in page.rows if row.contact is not None}
        path = tmp_path / f"all.{suffix}"
        await page.actions_.write(page.rows, path)
        for name in [row.person.id for row in page.rows]:
            session.records.remove(session.records.get(name))
        pane = await import_pane(page)
        pane.open_file(path)
        await until(lambda: pane.step == "fields", "the fields")
        pane.check()
        await until(lambda: pane.step == "check", "the check")
        assert not pane.model.wrong
        pane.run()
        await until(lambda: pane.step == "end", "the import")
        pane.closed.emit()
        await until(lambda: len(page.rows) == 3, "the list")
        after = {row.person.name: row.contact.data for row in page.rows if row.contact is not None}
        assert after == before

    run(scene)


def test_groups_that_cards_name_are_made(tmp_path: Path) -> None:
    async def scene(session: ContactsScene, page: ContactsPage) -> None:
        path = tmp_path / "a.vcf"
        path.write_text("BEGIN:VCARD\nFN:新人\nCATEGORIES:合作单位,记者\nPHOTO:x\nEND:VCARD\n", "utf-8")
        pane = await import_pane(page)
        pane.open_file(path)
        await until(lambda: pane.step == "fields", "the fields")
        assert "PHOTO" in pane.banner.text.text()
        pane.check()
        await until(lambda: pane.step == "check", "the check")
        (row,) = pane.rows
        held = {one.id: one.data["name"] for one in session.records.held["ContactGroup"].values()}
        assert [held[one] for one in row.data["groupIds"]] == ["合作单位", "记者"]
        assert sorted(held.values()) == ["合作单位", "记者", "防汛值班"]

    run(scene)


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"BEGIN:VCARD\nFN:a\n", "不完整"), (b"hello", "没有名片"), (b"BEGIN:VCARD\nx\nEND:VCARD", "第 2 行")],
)
def test_a_bad_file_is_refused_in_words(tmp_path: Path, data: bytes, words: str) -> None:
    async def scene(session: ContactsScene, page: ContactsPage) -> None:
        path = tmp_path / "a.vcf"
        path.write_bytes(data)
        pane = await import_pane(page)
        pane.open_file(path)
        await until(lambda: words in pane.banner.text.text(), words)
        assert pane.step == "file"
        pane.open_file(tmp_path / "gone.vcf")
        await until(lambda: "打不开" in pane.banner.text.text(), "gone")

    run(scene)


@given(cards=st.lists(CARDS, min_size=1, max_size=3))
@example([ContactCard({"name": "0"}, ("0", ","))])
@example([ContactCard({"name": "0"}, ("a b", "a", "b"))])
def test_any_cards_come_through_the_sheet_as_they_are(cards: list[ContactCard]) -> None:
    """vCard → sheet → rows of the import: what the server gets is what was in the file."""
    definition = next(one for one in contacts_module().types if one.name == "Contact")
    names_of_groups = sorted({name for card in cards for name in card.groups})
    titles = Titles({f"id-{n}": name for n, name in enumerate(names_of_groups)})
    assume(all(titles.id(name) == f"id-{n}" for n, name in enumerate(names_of_groups)))
    readings = Readings(Names(Organization()), date(2026, 10, 22), {"ContactGroup": titles})
    reader = SheetReader(definition, readings, Facts("me", (), 0, 480), label=lambda one: one.label.zh)
    words = group_words({name: f"id-{n}" for n, name in enumerate(names_of_groups)})
    sheet, *others = card_sheets(parse_vcards(write_vcards(cards)), definition, "zh", words)
    rows = reader.read(sheet, guess(definition, sheet.heads), others)
    assert [one.problems for one in rows] == [[] for _ in cards]
    for row, card in zip(rows, cards, strict=True):
        groups = {"groupIds": [titles.id(name) for name in card.groups]} if card.groups else {}
        assert row.data == {**card.data, **groups}
