"""Rules of contacts: only the author sees them, group names are one's own, a deleted group leaves its contacts, exports are limited and logged."""

import json

import pytest

from server_stub.modules.contacts.rules import MOST_ROWS, MOST_ROWS_A_DAY
from server_stub.records.types import JsonObject
from tests.modules.office_bench import DAY, Bench, refusal


def contact(bench: Bench, who: str, key: str = "c", **values: object) -> str:
    return bench.create(who, "Contact", key=key, **{"name": "沈师傅", **values})


def held(bench: Bench, who: str, id_: str) -> JsonObject:
    found = bench.get(who, "Contact", id_)
    assert found is not None
    return found


@pytest.mark.parametrize("stranger", ["lin", "gao", "chen"])
def test_nobody_else_sees_or_touches_a_contact(bench: Bench, stranger: str) -> None:
    bench.grant("gao", "admin")
    one = contact(bench, "zhang", mobile="13800003366")
    group = bench.create("zhang", "ContactGroup", key="g", name="合作单位")
    assert bench.all(stranger, "Contact") == bench.all(stranger, "ContactGroup") == []
    assert refusal(lambda: bench.update(stranger, "Contact", one, name="x")).type == "notFound"
    assert refusal(lambda: bench.destroy(stranger, "ContactGroup", group)).type == "notFound"
    assert held(bench, "zhang", one)["mobile"] == "13800003366"


def test_a_group_of_another_cannot_be_used(bench: Bench) -> None:
    group = bench.create("zhang", "ContactGroup", key="g", name="合作单位")
    assert "groupIds" in (refusal(lambda: contact(bench, "lin", groupIds=[group])).properties or [])


def test_group_names_are_unique_for_each_author_only(bench: Bench) -> None:
    first = bench.create("zhang", "ContactGroup", key="a", name="Partners")
    second = bench.create("zhang", "ContactGroup", key="b", name="Friends")
    bench.create("lin", "ContactGroup", key="a", name="Partners")
    assert refusal(lambda: bench.create("zhang", "ContactGroup", key="c", name=" partners ")).properties == ["name"]
    assert refusal(lambda: bench.update("zhang", "ContactGroup", second, name="PARTNERS")).properties == ["name"]
    bench.update("zhang", "ContactGroup", first, name="partners")  # its own name, written otherwise


def test_a_deleted_group_leaves_its_contacts(bench: Bench) -> None:
    groups = [bench.create("zhang", "ContactGroup", key=name, name=name) for name in ("一", "二")]
    both, one = contact(bench, "zhang", "both", groupIds=groups), contact(bench, "zhang", "one", groupIds=groups[:1])
    before = bench.state()
    bench.destroy("zhang", "ContactGroup", groups[0])
    assert held(bench, "zhang", both)["groupIds"] == groups[1:]
    assert not held(bench, "zhang", one).get("groupIds")
    assert bench.changes("zhang", "Contact", before)[1] == {both, one}
    bench.update("zhang", "Contact", one, note="仍可修改")


def test_a_group_of_colleagues_holds_people_of_the_office(bench: Bench) -> None:
    people = [bench.person("lin"), bench.person("yu")]
    group = bench.create("zhang", "ContactGroup", key="g", name="值班", colleagues=people)
    found = bench.get("zhang", "ContactGroup", group)
    assert found is not None
    assert found["colleagues"] == people
    wrong = refusal(lambda: bench.update("zhang", "ContactGroup", group, colleagues=[group]))
    assert wrong.properties == ["colleagues"]


def test_an_export_is_logged_and_seen_by_the_administrators(bench: Bench) -> None:
    bench.grant("gao", "admin")
    people = [bench.person("lin"), bench.person("yu")]
    made = bench.create("zhang", "DirectoryExport", key="e", people=people, format="xlsx")
    seen = bench.get("gao", "DirectoryExport", made)
    own = bench.get("zhang", "DirectoryExport", made)
    assert seen is not None
    assert own is not None
    assert (seen["rows"], seen["people"], own["rows"], own.get("people")) == (2, people, 2, None)
    assert bench.all("lin", "DirectoryExport") == []
    acts = bench.database.read_now(
        lambda conn: conn.exec_driver_sql(
            "SELECT actor, details FROM audit_entry WHERE act = 'directory.export'"
        ).fetchall()
    )
    assert [(actor, json.loads(details)) for actor, details in acts] == [
        (bench.person("zhang"), {"format": "xlsx", "rows": 2})
    ]
    assert refusal(lambda: bench.destroy("zhang", "DirectoryExport", made)).type == "forbidden"


def test_exports_are_limited_but_for_administrators(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server_stub.modules.contacts.rules.MOST_ROWS", 2)
    monkeypatch.setattr("server_stub.modules.contacts.rules.MOST_ROWS_A_DAY", 3)
    assert MOST_ROWS < MOST_ROWS_A_DAY
    people = [bench.person(name) for name in ("lin", "yu", "gao")]

    def export(who: str, key: str, number: int) -> str:
        return bench.create(who, "DirectoryExport", key=key, people=people[:number], format="vcf")

    assert refusal(lambda: export("zhang", "a", 3)).properties == ["people"]
    export("zhang", "b", 2)
    assert refusal(lambda: export("zhang", "c", 2)).properties == ["people"]
    export("zhang", "d", 1)
    bench.clock.advance(DAY)
    export("zhang", "e", 2)
    bench.grant("gao", "admin")
    export("gao", "f", 3)
    assert refusal(lambda: bench.create("gao", "DirectoryExport", key="g", people=people, rows=1, format="vcf"))
