"""Differences of body versions: nothing lost, nothing invented, safe as HTML, bounded."""

import random
from itertools import pairwise

import pytest

from server_stub.modules.documents.differences import Run, count_changes, find_differences, to_html


def before_of(runs: list[Run]) -> str:
    return "".join(one.text for one in runs if one.kind != "insert")


def after_of(runs: list[Run]) -> str:
    return "".join(one.text for one in runs if one.kind != "delete")


def test_a_changed_word_is_shown_alone() -> None:
    runs = find_differences("今天 17:00 前报送值班表。", "明天 12:00 前报送值班表。")
    assert runs == [
        Run("delete", "今"), Run("insert", "明"), Run("same", "天 "), Run("delete", "17"), Run("insert", "12"), Run("same", ":00 前报送值班表。"),
    ]  # fmt: skip
    assert count_changes(runs) == (3, 3)


def test_equal_texts_have_no_difference() -> None:
    assert find_differences("一\n二", "一\n二") == [Run("same", "一\n二")]
    assert find_differences("", "") == []


def test_marks_end_with_their_paragraph_and_text_is_escaped() -> None:
    html = to_html(find_differences("<b>一</b>\n二", "<b>一</b>\n二\n三<script>\n四"))
    assert html == "<p>&lt;b&gt;一&lt;/b&gt;</p><p>二</p><p><ins>三&lt;script&gt;</ins></p><p><ins>四</ins></p>"


@pytest.mark.parametrize("seed", range(60))
def test_runs_always_lead_from_one_text_to_the_other(seed: int) -> None:
    dice = random.Random(seed)
    old = "".join(dice.choice("一二三四五，。\nab 1") for _ in range(dice.randrange(300)))
    new = list(old)
    for _ in range(dice.randrange(20)):
        at = dice.randrange(len(new) + 1)
        new[at : at + dice.randrange(4)] = dice.choice(["", "新", "增加\n", "x y"])
    runs = find_differences(old, "".join(new))
    assert before_of(runs) == old
    assert after_of(runs) == "".join(new)
    assert all(a.kind != b.kind for a, b in pairwise(runs))


def test_huge_texts_are_shown_as_replaced_instead_of_compared_for_ever() -> None:
    old, new = "甲" * 50_000, "乙" * 50_000
    assert find_differences(old, new) == [Run("delete", old), Run("insert", new)]
    many = find_differences("甲\n" * 5_000, "甲\n" * 5_001)
    assert after_of(many) == "甲\n" * 5_001
