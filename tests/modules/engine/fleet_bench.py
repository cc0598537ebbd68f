"""A small office with one made-up module that uses everything a definition can say. For tests of the engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from server_stub.accounts.directory import (
    Identity,
    do_create_person,
    do_update_department,
    do_update_person,
    load_rights,
)
from server_stub.clock import format_utc
from server_stub.records.actor import Actor
from server_stub.storage.database import Tx
from tests.modules.office_bench import START, Bench

HOUR = 3_600_000

FLEET = (Path(__file__).parent / "fleet.toml").read_text(encoding="utf-8")


class FleetBench(Bench):
    """The office of office_bench, with the module above instead of the product's; `fang` keeps the cars, gao heads flood and is above yu."""

    def __init__(self, folder: Path, text: str = FLEET) -> None:
        modules = folder / "modules"
        (modules / "fleet").mkdir(parents=True)
        (modules / "fleet" / "module.toml").write_text(text, encoding="utf-8")
        super().__init__(folder, modules)
        self.write(self._do_more)

    def _do_more(self, tx: Tx) -> None:
        identity = Identity(self.departments["archive"], "车管")
        person_id = do_create_person(tx, name="fang", identities=[identity], roles=("fleet",))
        rights = load_rights(tx.conn, person_id)
        self.actors["fang"] = Actor(person_id, rights.roles, rights.department_ids)
        do_update_person(tx, self.person("yu"), {"superiorId": self.person("gao")})
        do_update_department(tx, self.departments["flood"], {"headId": self.person("gao")})

    def car(self, plate: str = "A 1", **properties: Any) -> str:
        """A car."""
        return self.create("fang", "Car", key=f"car{plate}", plate=plate, **properties)

    def trip(self, who: str = "yu", **properties: Any) -> str:
        """A draft."""
        given = {"purpose": "巡堤", "span": hours(8, 12), **properties}
        return self.create(who, "Trip", **given)

    def sent(self, who: str = "yu", **properties: Any) -> str:
        """A trip that waits for approval."""
        return self.trip(who, state="sent", **properties)

    def change_as(self, who: str, tx: Tx, type_name: str, id_: str, **values: Any) -> None:
        """What a module's own code writes on somebody's behalf."""
        rules = self.office.rules_of(type_name)
        assert rules is not None
        rules.change(tx, type_name, id_, values, by=self.person(who))

    def alerts(self, who: str) -> list[tuple[str, str]]:
        """(kind, title) of a person's alerts."""
        return sorted((one["kind"], one["title"]) for one in self.all(who, "Alert"))

    def todos(self, who: str, state: str = "open") -> list[str]:
        """The rules of a person's to-dos."""
        return sorted(one["rule"] for one in self.all(who, "Todo") if one["state"] == state)

    def history(self, who: str, record_id: str) -> list[dict[str, Any]]:
        """What a person sees of a record's history."""
        ids = self.query(who, "RecordChange", {"recordId": record_id}, "at")
        handler, actor = self.handlers["RecordChange"], self.actors[who]
        return self.database.read_now(lambda conn: handler.get(conn, actor, ids, None).list)


def hours(start: float, end: float, day: int = 1) -> dict[str, str]:
    """A span on a day after START."""
    base = START - START % 86_400_000 + day * 86_400_000
    return {"start": format_utc(int(base + start * HOUR)), "end": format_utc(int(base + end * HOUR))}


@contextmanager
def open_fleet(folder: Path, text: str = FLEET) -> Iterator[FleetBench]:
    """A fleet bench that closes its database."""
    bench = FleetBench(folder, text)
    try:
        yield bench
    finally:
        bench.database.close_now()
