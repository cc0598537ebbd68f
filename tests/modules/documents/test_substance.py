"""Which changes of a signed draft are its words and which its writing, and what is said about them."""

from typing import Any

import pytest

from server_stub.modules.documents.substance import change_since, signed_parts, substance_of

SIGNED: dict[str, Any] = {
    "title": "关于３项工作的通知",
    "body": "一、增长3.5%，共120人。\n二、三日内报送。\n| 名称 | 数量 |\n|---|---|\n| 水泵 | 12 |",
    "annexes": [{"title": "名单", "body": "甲、乙"}],
    "attachments": [{"blobId": "B1", "name": "表.pdf"}],
    "note": "附注",
}


@pytest.mark.parametrize(
    ("field", "old", "new", "told"),
    [
        ("body", "3.5%", "35%", "正文：“3.5”改为“35”"),
        ("body", "3.5%", "3.5", "正文：删去“%”"),
        ("body", "三日内", "五日内", "正文：“三”改为“五”"),
        ("body", "| 12 |", "| 1 | 2 |", "增加“2 |”"),
        ("body", "报送。", "报送县政府。", "正文：增加“县政府”"),
        ("title", "工作", "重点工作", "标题：增加“重点”"),
    ],
)
def test_words_and_figures_are_substance_and_the_change_is_quoted(field: str, old: str, new: str, told: str) -> None:
    change = change_since(signed_parts(SIGNED), {**SIGNED, field: SIGNED[field].replace(old, new)})
    assert change.substantive
    assert told in change.note
    assert substance_of({**SIGNED, field: SIGNED[field].replace(old, new)}) != substance_of(SIGNED)


@pytest.mark.parametrize(
    ("field", "old", "new", "told"),
    [
        ("body", "3.5%，共", "3.5％,共", "全半角 1 处"),
        ("body", "人。\n", "人；\n", "标点 1 处"),
        ("body", "人。\n", "人。\n\n", "空格和换行 1 处"),
        ("body", "120人", "**120人**", "着重 2 处"),
        ("title", "３项", "3项", "全半角 1 处"),
    ],
)
def test_punctuation_spaces_widths_and_emphasis_are_writing(field: str, old: str, new: str, told: str) -> None:
    changed = {**SIGNED, field: SIGNED[field].replace(old, new)}
    change = change_since(signed_parts(SIGNED), changed)
    assert not change.substantive
    assert told in change.note
    assert substance_of(changed) == substance_of(SIGNED)


def test_annexes_are_substance_and_the_annotation_is_not() -> None:
    signed = signed_parts(SIGNED)
    other = change_since(signed, {**SIGNED, "annexes": [{"title": "名单", "body": "甲、丙"}]})
    assert (other.substantive, "附件正文：“乙”改为“丙”" in other.note) == (True, True)
    assert change_since(signed, {**SIGNED, "attachments": []}).note.endswith("附件有变动")
    assert change_since(signed, {**SIGNED, "note": "此件公开发布"}).note == ""
