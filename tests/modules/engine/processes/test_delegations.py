"""Delegations: who stands in for whom, when, for which modules; chains, circles, and what stays known."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server_stub.clock import format_utc
from server_stub.modules.engine.processes.delegations import stand_in
from tests.modules.engine.processes.forms_bench import FormsBench, open_forms
from tests.modules.office_bench import DAY, refusal


@pytest.fixture
def forms(tmp_path: Path) -> Iterator[FormsBench]:
    with open_forms(tmp_path) as made:
        yield made


def give(
    forms: FormsBench, who: str, to: str, /, *, days: tuple[float, float] = (-1, 3), key: str = "", **more: Any
) -> str:
    """A delegation of so many days around now."""
    now = forms.clock.now_ms()
    begin, end = (format_utc(int(now + day * DAY)) for day in days)
    given = {"delegateId": forms.person(to), "from": begin, "to": end, **more}
    return forms.create(who, "Delegation", key=key or f"{who}{to}{days}", **given)


def acting(forms: FormsBench, who: str, module: str = "forms") -> str:
    return forms.name(forms.write(lambda tx: stand_in(tx, forms.person(who), module)))


def test_new_work_goes_to_the_delegate_and_both_names_stay(forms: FormsBench) -> None:
    give(forms, "gao", "lin")
    found = forms.resolved(["superior"])
    assert (found.person_ids, dict(found.on_behalf), found.delegated) == (("lin",), {"lin": "gao"}, (("gao", "lin"),))


def test_only_within_its_time(forms: FormsBench) -> None:
    give(forms, "gao", "lin", days=(1, 2))
    assert acting(forms, "gao") == "gao"
    forms.clock.advance(DAY + 60_000)
    assert acting(forms, "gao") == "lin"
    forms.clock.advance(DAY)
    assert acting(forms, "gao") == "gao"


def test_a_delegation_for_a_module_goes_before_one_for_all(forms: FormsBench) -> None:
    give(forms, "gao", "lin")
    give(forms, "gao", "chen", modules=["forms"])
    assert (acting(forms, "gao"), acting(forms, "gao", "vehicles")) == ("chen", "lin")


def test_revoked_is_over_at_once_and_stays_known(forms: FormsBench) -> None:
    held = give(forms, "gao", "lin")
    forms.update("gao", "Delegation", held, state="revoked")
    assert acting(forms, "gao") == "gao"
    shown = forms.get("lin", "Delegation", held)
    assert shown is not None
    assert shown["state"] == "revoked"
    assert refusal(lambda: forms.update("gao", "Delegation", held, state="active")).type == "forbidden"
    assert refusal(lambda: forms.destroy("gao", "Delegation", held)).type == "forbidden"


def test_one_that_has_not_begun_can_be_destroyed(forms: FormsBench) -> None:
    held = give(forms, "gao", "lin", days=(1, 2))
    forms.destroy("gao", "Delegation", held)
    assert forms.all("gao", "Delegation") == []


def test_a_chain_goes_to_its_end_on_behalf_of_the_first(forms: FormsBench) -> None:
    give(forms, "gao", "lin")
    give(forms, "lin", "chen")
    found = forms.resolved(["superior"])
    assert (found.person_ids, dict(found.on_behalf)) == (("chen",), {"chen": "gao"})


def test_a_chain_stops_before_who_has_left(forms: FormsBench) -> None:
    give(forms, "gao", "lin")
    give(forms, "lin", "chen")
    forms.disable("chen")
    assert acting(forms, "gao") == "lin"
    forms.disable("lin")
    assert acting(forms, "gao") == "gao"


def test_circles_are_refused_directly_and_through_others(forms: FormsBench) -> None:
    give(forms, "gao", "lin")
    assert refusal(lambda: give(forms, "lin", "gao")).properties == ["delegateId"]
    give(forms, "lin", "chen")
    assert refusal(lambda: give(forms, "chen", "gao")).properties == ["delegateId"]
    assert refusal(lambda: give(forms, "chen", "chen")).properties == ["delegateId"]


def test_no_circle_at_different_times_or_in_different_modules(forms: FormsBench) -> None:
    give(forms, "gao", "lin", days=(-1, 1))
    give(forms, "lin", "gao", days=(2, 3))
    give(forms, "chen", "yu", modules=["forms"])
    module = forms.office.context.modules["Form"]
    assert module == "forms"
    assert refusal(lambda: give(forms, "yu", "chen")).properties == ["delegateId"]


def test_extending_one_into_a_circle_is_refused_and_leaves_it(forms: FormsBench) -> None:
    first = give(forms, "gao", "lin", days=(-1, 1))
    give(forms, "lin", "gao", days=(2, 3))
    later = format_utc(forms.clock.now_ms() + 5 * DAY)
    assert refusal(lambda: forms.update("gao", "Delegation", first, to=later)).properties == ["delegateId"]
    forms.update("gao", "Delegation", first, to=format_utc(forms.clock.now_ms() + DAY), reason="出差")
    shown = forms.get("gao", "Delegation", first)
    assert shown is not None
    assert shown["reason"] == "出差"


def test_two_for_the_same_time_are_refused(forms: FormsBench) -> None:
    give(forms, "gao", "lin")
    assert refusal(lambda: give(forms, "gao", "chen", days=(1, 9))).properties == ["from", "to"]
    give(forms, "gao", "chen", days=(4, 9))


@pytest.mark.parametrize(
    ("wrong", "property_"),
    [
        ({"from": "soon"}, "from"),
        ({"to": "2020-01-01T00:00:00Z"}, "to"),
        ({"to": "2099-01-01T00:00:00Z"}, "to"),
        ({"modules": ["nothing"]}, "modules"),
        ({"modules": "forms"}, "modules"),
        ({"delegateId": "nobody"}, "delegateId"),
        ({"reason": "x" * 501}, "reason"),
        ({"state": "revoked"}, "state"),
    ],
)
def test_what_makes_no_sense_is_refused(forms: FormsBench, wrong: dict[str, Any], property_: str) -> None:
    error = refusal(lambda: give(forms, "gao", "lin", **wrong))
    assert (error.type, error.properties) == ("invalidProperties", [property_])
    assert forms.all("gao", "Delegation") == []


def test_seen_by_both_and_the_administrators_and_changed_by_its_owner(forms: FormsBench) -> None:
    held = give(forms, "gao", "lin")
    assert [one["id"] for who in ("gao", "lin", "hu") for one in forms.all(who, "Delegation")] == [held] * 3
    assert forms.all("yu", "Delegation") == []
    assert refusal(lambda: forms.update("lin", "Delegation", held, state="revoked")).type == "forbidden"
    assert refusal(lambda: forms.update("yu", "Delegation", held, state="revoked")).type == "notFound"


def test_an_administrator_may_give_one_for_somebody_who_cannot(forms: FormsBench) -> None:
    assert refusal(lambda: give(forms, "lin", "yu", personId=forms.person("gao"))).type == "forbidden"
    give(forms, "hu", "lin", personId=forms.person("gao"))
    assert acting(forms, "gao") == "lin"


def test_nobody_stands_in_for_the_starter_nor_decides_on_the_own_matter(forms: FormsBench) -> None:
    give(forms, "yu", "lin")
    assert forms.resolved(["starter"]).person_ids == ("yu",)
    give(forms, "gao", "yu")
    found = forms.resolved(["superior"])
    assert (found.person_ids, found.delegated) == (("lin",), (("gao", "lin"),))


def test_the_starter_gets_no_own_matter_by_delegation(forms: FormsBench) -> None:
    give(forms, "gao", "yu")
    assert forms.resolved(["superior"]).person_ids == ("gao",)


def test_a_delegate_who_has_it_anyway_has_it_once(forms: FormsBench) -> None:
    give(forms, "gao", "zhang")
    found = forms.resolved(["superiorChain:2"])
    assert (found.person_ids, dict(found.on_behalf), found.delegated) == (("zhang",), {}, (("gao", "zhang"),))


def test_two_who_are_away_share_a_delegate(forms: FormsBench) -> None:
    give(forms, "gao", "lin")
    give(forms, "zhang", "lin")
    found = forms.resolved(["superiorChain:2"])
    assert (found.person_ids, dict(found.on_behalf)) == (("lin",), {"lin": "gao"})
    assert found.delegated == (("gao", "lin"), ("zhang", "lin"))
