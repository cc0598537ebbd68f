"""Samples that act on cases: what may be said, and that it is done as those people, with their words."""

from pathlib import Path

import pytest

from server_stub.modules.engine.reading import MODULES_FOLDER, load_definition
from server_stub.modules.engine.samples import KnownNames, is_case_act, load_samples, sample_problems

NAMES = KnownNames(logins={"liu", "he"}, departments={"office"}, assets=set())
HEAD = '[[IncomingDocument]]\nkey = "a"\nauthor = "liu"\ntitle = "来文"\nsourceUnit = "省厅"\n'


def problems(folder: Path, steps: str) -> list[str]:
    module = load_definition(MODULES_FOLDER / "documents")
    (folder / "samples.toml").write_text(f"{HEAD}steps = [{steps}]\n", encoding="utf-8")
    return sample_problems([module], {module.id: load_samples(folder, module)}, NAMES)


def test_an_act_with_words_fields_and_people_is_right(tmp_path: Path) -> None:
    steps = (
        '{ do = "submit" }, { do = "approve", by = "he", opinion = "同意", values = { proposal = "请办", leaders = ["person:he"] } },'
        ' { do = "transfer", by = "he", to = ["person:liu"] }, { do = "read", by = "he", opinion = "已阅" }, { do = "read", by = "he" }'
    )
    assert problems(tmp_path, steps) == []


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ('{ do = "approve", remark = "x" }', "an act on a case has no remark"),
        ('{ do = "approve", values = { nothing = 1 } }', "there is no field nothing"),
        ('{ do = "approve", values = { leaders = ["nobody"] } }', 'leaders takes "person:…"'),
        ('{ do = "transfer", to = ["liu"] }', 'to takes "person:…"'),
        ('{ do = "transfer", to = "person:liu" }', "to is a list of people"),
        ('{ do = "approve", opinion = 3 }', "opinion is a text"),
        ('{ do = "dance" }', "there is no action dance"),
    ],
)
def test_mistakes_are_said(tmp_path: Path, step: str, said: str) -> None:
    assert any(said in one for one in problems(tmp_path, step))


def test_reading_is_a_mark_where_records_take_marks_and_nothing_is_said(tmp_path: Path) -> None:
    module = load_definition(MODULES_FOLDER / "documents")
    type_ = module.type("IncomingDocument")
    assert type_ is not None
    (tmp_path / "samples.toml").write_text(
        f'{HEAD}steps = [{{ do = "read" }}, {{ do = "read", opinion = "已阅" }}]\n', encoding="utf-8"
    )
    _, mark, act = load_samples(tmp_path, module)
    assert (is_case_act(mark, type_), is_case_act(act, type_)) == (False, True)
