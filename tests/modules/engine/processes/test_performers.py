"""Every word that says who acts at a step, what happens when it finds nobody, and who stands in."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random

import pytest

from server_stub.accounts.directory import Identity, do_set_identities, do_update_department, do_update_person
from tests.modules.engine.processes.forms_bench import FormsBench, open_forms


@pytest.fixture
def forms(tmp_path: Path) -> Iterator[FormsBench]:
    with open_forms(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("word", "people"),
    [
        ("starter", ("yu",)),
        ("superior", ("gao",)),
        ("superiorChain:1", ("gao",)),
        ("superiorChain:2", ("gao", "zhang")),
        ("superiorChain:9", ("gao", "zhang")),
        ("departmentHead", ("gao",)),
        ("post:主任", ("luo",)),
        ("post:office/主任", ("luo",)),
        ("role:librarian", ("chen",)),
        ("person:luo", ("luo",)),
        ("of:check", ("lin", "chen")),
        ("previous", ("chen",)),
        ("chosen", ("zhang", "lin")),
    ],
)
def test_each_word_finds_its_people(forms: FormsBench, word: str, people: tuple[str, ...]) -> None:
    found = forms.resolved([word], previous=["chen"], handled={"check": ("lin", "chen")}, chosen=["zhang", "lin"])
    assert (found.person_ids, found.fallback_used) == (people, False)


@pytest.mark.parametrize(
    "word",
    (
        "post:保安 post:archive/主任 role:nobody person:nobody of:sign previous chosen rule:keepers field:signerId field:nothing"
        " field:deskId.clerks field:lines.keeperId head:unitId field:subject.x"
    ).split(),
)
def test_words_that_find_nobody_go_to_the_fallback_with_a_flag(forms: FormsBench, word: str) -> None:
    found = forms.resolved([word], fallback=["role:librarian"])
    assert (found.person_ids, found.fallback_used) == (("chen",), True)


def test_no_fallback_either_goes_to_the_administrators(forms: FormsBench) -> None:
    found = forms.resolved(["role:nobody"], fallback=["role:nobody-else"])
    assert (found.person_ids, found.fallback_used) == (("hu",), True)


def test_a_step_without_words_uses_its_fallback(forms: FormsBench) -> None:
    found = forms.resolved([])
    assert (found.person_ids, found.fallback_used) == (("hu",), True)


def test_never_nobody_even_without_administrators(forms: FormsBench) -> None:
    form = forms.form()
    forms.disable("hu")
    assert forms.resolved(["role:nobody"], form=form).person_ids == ("yu",)
    forms.disable("yu")
    found = forms.resolved(["role:nobody"], form=form)
    assert found.fallback_used
    assert found.person_ids[0] in ("zhang", "lin", "chen", "gao", "luo")


def test_a_person_by_id(forms: FormsBench) -> None:
    assert forms.resolved([f"person:{forms.person('lin')}"]).person_ids == ("lin",)


def test_fields_of_people_departments_and_audiences(forms: FormsBench) -> None:
    form = forms.form(
        signerId=forms.person("zhang"),
        readers=[forms.person("lin"), forms.person("chen")],
        unitId=forms.departments["archive"],
        circle={"departmentIds": [forms.departments["secretaries"]], "roles": ["cashier"]},
    )
    assert forms.resolved(["field:signerId"], form=form).person_ids == ("zhang",)
    assert forms.resolved(["field:readers"], form=form).person_ids == ("lin", "chen")
    assert forms.resolved(["field:unitId"], form=form).person_ids == ("chen",)
    assert set(forms.resolved(["field:circle"], form=form).person_ids) == {"lin", "luo"}


def test_field_paths_lead_through_references_and_lines(forms: FormsBench) -> None:
    first = forms.create("hu", "Desk", key="a", name="一号", clerks=[forms.person("lin")])
    second = forms.create("hu", "Desk", key="b", name="二号", clerks=[forms.person("chen"), forms.person("lin")])
    lines = [{"keeperId": forms.person("zhang"), "deskId": first}, {"deskId": second}]
    form = forms.form(deskId=second, lines=lines)
    assert forms.resolved(["field:deskId.clerks"], form=form).person_ids == ("chen", "lin")
    assert forms.resolved(["field:lines.keeperId"], form=form).person_ids == ("zhang",)
    assert forms.resolved(["field:lines.deskId.clerks"], form=form).person_ids == ("lin", "chen")


def test_heads_of_the_departments_in_a_field(forms: FormsBench) -> None:
    assert forms.resolved(["head:unitId"], form=forms.form(unitId=forms.departments["flood"])).person_ids == ("gao",)


def test_a_rule_is_asked_by_its_name(forms: FormsBench) -> None:
    asked: list[str] = []

    def keepers(name: str) -> list[str]:
        asked.append(name)
        return [forms.person("lin"), forms.person("chen")]

    assert forms.resolved(["rule:sealKeepers"], rule=keepers).person_ids == ("lin", "chen")
    assert asked == ["sealKeepers"]


def test_several_words_are_united_and_nobody_is_there_twice(forms: FormsBench) -> None:
    found = forms.resolved(["superior", "departmentHead", "role:leader", "person:luo", "starter"])
    assert found.person_ids == ("gao", "luo", "yu")


def test_the_deactivated_are_passed_over(forms: FormsBench) -> None:
    form = forms.form()
    forms.disable("gao")
    assert forms.resolved(["superiorChain:2"], form=form).person_ids == ("zhang",)
    assert forms.resolved(["superior"], form=form).fallback_used
    assert forms.resolved(["departmentHead"], form=form).person_ids == ("hu",)


def test_a_circle_of_superiors_ends(forms: FormsBench) -> None:
    forms.write(lambda tx: do_update_person(tx, forms.person("zhang"), {"superiorId": forms.person("gao")}))
    assert forms.resolved(["superiorChain:9"]).person_ids == ("gao", "zhang")


def test_the_department_is_that_of_the_start_whatever_became_of_the_starter(forms: FormsBench) -> None:
    form = forms.form()
    moved = [Identity(forms.departments["archive"], "档案员")]
    forms.write(lambda tx: do_set_identities(tx, forms.person("yu"), moved))
    assert forms.resolved(["departmentHead"], form=form).person_ids == ("gao",)
    assert forms.resolved(["departmentHead"], form=form, department=None).fallback_used


def test_a_head_s_own_matter_goes_to_the_head_above(forms: FormsBench) -> None:
    assert forms.resolved(["departmentHead"], starter="gao").person_ids == ("zhang",)
    assert forms.resolved(["departmentHead"], starter="zhang", department="bureau").fallback_used


def test_a_department_without_head_goes_to_the_fallback(forms: FormsBench) -> None:
    assert forms.resolved(["departmentHead"], department="archive").fallback_used


def test_of_several_identities_each_counts(forms: FormsBench) -> None:
    both = [Identity(forms.departments["flood"], "科员", primary=True), Identity(forms.departments["archive"], "主任")]
    forms.write(lambda tx: do_set_identities(tx, forms.person("yu"), both))
    assert set(forms.resolved(["post:主任"]).person_ids) == {"yu", "luo"}
    assert forms.resolved(["post:archive/主任"]).person_ids == ("yu",)


def test_post_holders_come_by_their_order_in_the_department(forms: FormsBench) -> None:
    forms.write(
        lambda tx: do_set_identities(tx, forms.person("gao"), [Identity(forms.departments["flood"], "科员", order=1)])
    )
    forms.write(
        lambda tx: do_set_identities(tx, forms.person("yu"), [Identity(forms.departments["flood"], "科员", order=2)])
    )
    assert forms.resolved(["post:flood/科员"]).person_ids == ("gao", "yu")


def test_a_new_head_has_it_from_then_on(forms: FormsBench) -> None:
    form = forms.form()
    forms.write(lambda tx: do_update_department(tx, forms.departments["flood"], {"headId": forms.person("lin")}))
    assert forms.resolved(["departmentHead"], form=form).person_ids == ("lin",)


WORDS = (
    "starter superior superiorChain:3 departmentHead head:unitId post:主任 role:librarian role:nobody person:luo field:signerId"
    " field:readers field:lines.keeperId previous chosen rule:keepers of:check of:nothing"
).split()


def test_whatever_is_asked_for_active_people_have_it_each_once(forms: FormsBench) -> None:
    """Random words, fields and leavers: a step always has somebody, as long as anybody is there."""
    random = Random(20261122)
    names = [*forms.actors]
    for left in range(len(names)):
        for _ in range(12):
            pick = partial(random.choices, names)
            found = forms.resolved(
                random.sample(WORDS, random.randint(0, 4)),
                fallback=random.sample(WORDS, random.randint(0, 2)),
                form=_form(forms, random),
                previous=pick(k=random.randint(0, 2)),
                chosen=pick(k=random.randint(0, 2)),
                handled={"check": tuple(pick(k=random.randint(0, 2)))},
                starter=random.choice(names),
                department=random.choice([*forms.departments, None]),
                rule=lambda name, pick=pick: [forms.person(one) for one in pick(k=1)],  # type: ignore[misc]
            )
            assert found.person_ids
            assert len(set(found.person_ids)) == len(found.person_ids)
            assert not set(found.person_ids) & set(names[:left])
        forms.disable(names[left])


def _form(forms: FormsBench, random: Random) -> str:
    """A form full of whoever is there."""
    active = [one for one in forms.actors if forms.is_active(one)]
    return forms.form(
        random.choice(active),
        signerId=forms.person(random.choice(active)),
        readers=[forms.person(one) for one in random.sample(active, min(2, len(active)))],
        unitId=random.choice([*forms.departments.values()]),
    )
