"""Random actions by random people at several processes: nothing is ever without an owner, rewritten, done by who may not, or seen by who should not."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server_stub.errors import SetError
from server_stub.modules.engine.processes.book import decode
from server_stub.modules.engine.processes.process_store import load
from server_stub.storage.database import Tx
from server_stub.workflow.machine import Machine
from tests.modules.engine.processes.case_bench import (
    BEGIN,
    CHOICE,
    FORK,
    HOUR,
    JOIN,
    CaseBench,
    chain,
    end,
    open_cases,
    process,
    step,
)
from tests.modules.engine.processes.test_case_actions import UNITS
from tests.modules.engine.processes.test_case_people import many

EVERY = "approve refuse return transfer addSignerBefore addSignerAfter countersign circulate suspend terminate"
TIMES = {"limit": "4h", "urgeAfter": "1h", "escalateAfter": "2h", "onOverdue": "return", "overdueAfter": "3h"}
LATE = (
    '<bpmn:boundaryEvent id="late" attachedToRef="a" cancelActivity="true"><bpmn:timerEventDefinition>'
    '<bpmn:timeDuration xsi:type="bpmn:tFormalExpression">PT30H</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>'
)
MERGE = '<bpmn:exclusiveGateway id="merge"/>'
PROCESSES = {
    "chain": chain(
        step("draft", "starter"), step("review", "superior", state="review", actions=EVERY, **TIMES),
        step("check", "role:checker", actions=EVERY, skipRepeated="true"),
    ),
    "several": chain(
        step("draft", "starter"), step("sign", "role:signer", count="all", actions=EVERY),
        step("each", "role:signer,role:checker,superior", count="2", order="sequential", actions=EVERY, skipRepeated="true"),
        step("readers", "role:signer,role:leader", kind="read", actions="read circulate"),
    ),
    "instances": many(completion="numberOfCompletedInstances &gt;= 2").replace(
        '<tongban:step performers="role:checker">',
        '<tongban:step performers="role:checker">' + "".join(f'<tongban:action name="{one}"/>' for one in EVERY.split()),
    ),
    "branches": process(
        BEGIN, step("draft", "starter"), FORK, step("a", "superior", actions=EVERY), step("b", "role:signer", actions=EVERY),
        MERGE, JOIN, step("last", "role:checker", actions=EVERY), CHOICE, LATE, step("over", "role:leader"), end(), end("other", "refused"),
        flows="begin>draft draft>fork fork>a fork>b a>merge over>merge merge>join b>join late>over join>last last>choice"
        ' choice>draft[outcome_==_"refused"] choice>end*',
    ),
    "units": chain(step("draft", "starter"), UNITS, step("check", "role:checker", actions=EVERY)),
    "nobodys": chain(step("review", "role:reader", fallback="role:checker", actions=EVERY), step("check", "of:review", actions=EVERY)),
}  # fmt: skip
PEOPLE = ("zhang", "lin", "yu", "chen", "gao", "root")
ACTIONS = ("submit", "approve", "approve", "approve", "read", "refuse", "return", "withdraw", "transfer", "addSignerBefore",
           "addSignerAfter", "countersign", "circulate", "urge", "suspend", "resume", "resume", "terminate")  # fmt: skip
ITEM_ACTIONS = frozenset(ACTIONS) - {"submit", "withdraw", "urge", "suspend", "resume", "terminate"}

Throw = tuple[str, str, list[str], int, bool]
THROWS = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.sampled_from((*ACTIONS, "wait", "leave", "edit")),
        st.lists(st.sampled_from(PEOPLE), max_size=3, unique=True),
        st.integers(0, 10),
        st.booleans(),
    ),
    min_size=12,
    max_size=45,
)


class Watch:
    """One record with its case, looked at from all sides after every throw."""

    def __init__(self, bench: CaseBench) -> None:
        self.bench = bench
        signers = [bench.person(one) for one in ("zhang", "lin", "gao")]
        self.record = bench.paper(signers=signers)
        self.history: list[dict[str, Any]] = []
        self.gone: set[str] = set()
        self.since = bench.state()
        self.mirror: dict[tuple[str, str], dict[str, Any]] = {}
        for who in PEOPLE:
            for kind in ("Case", "WorkItem", "CaseEvent", "Todo"):
                self.mirror[who, kind] = {one["id"]: one for one in bench.all(who, kind)}

    def throw(self, throw: Throw) -> None:
        who, action, to, number, aimed = throw
        if action == "wait":
            self.bench.clock.advance((number + 1) * 5 * HOUR)
            while self.bench.run_due():
                pass
        elif action == "leave":
            if number == 0 and who not in ("yu", "root"):
                self.gone.add(who)
                self.bench.leave(who)
        elif who not in self.gone:
            self._act(who, action, to, number, aimed)

    def _act(self, who: str, action: str, to: list[str], number: int, aimed: bool) -> None:
        bench = self.bench
        if action == "edit":
            if (bench.get(who, "Paper", self.record) or {}).get("state") == "draft" and who == "yu":
                bench.update(who, "Paper", self.record, title=f"请示 {number}")
            return
        items = self._rows("SELECT id FROM work_item ORDER BY created_at, id")
        item = str(items[number % len(items)][0]) if aimed and items else None
        mine = self._open_of(who)
        properties: dict[str, Any] = {} if item is None else {"workItemId": item}
        before = len(self.history)
        refusal: SetError | None = None
        try:
            bench.act(who, action, self.record, to=to or None, opinion="意见" if number % 2 else None, **properties)
        except SetError as problem:
            refusal = problem
        if refusal is not None:
            known = {"forbidden", "invalidProperties", "overtaken", "suspended", "rateLimit"}
            assert refusal.type in known, (refusal.type, str(refusal))
            assert len(bench.events(self.record)) == before, "refused and yet remembered"
            return
        admin = who == "root" and action in ("transfer", "return", "terminate", "suspend", "resume", "urge")
        if action in ITEM_ACTIONS and not admin:
            assert mine if item is None else item in mine
        if action == "withdraw":
            assert any(one["personId"] == bench.person(who) for one in self.history), "took back what was not done"

    def _open_of(self, who: str) -> set[str]:
        rows = self._rows(
            "SELECT i.id FROM work_item AS i JOIN work_item_person AS p ON p.item_id = i.id WHERE i.state = 'open' AND p.person_id = ?",
            self.bench.person(who),
        )
        return {row[0] for row in rows}

    def _rows(self, statement: str, *values: Any) -> list[Any]:
        return list(self.bench.database.read_now(lambda conn: conn.exec_driver_sql(statement, values).fetchall()))

    # ------------------------------------------------------------ what always holds

    def check(self) -> None:
        cases = self._rows("SELECT id, state FROM office_case ORDER BY started_at, id")
        open_items = self._rows("SELECT id, case_id, part, step_id, kind FROM work_item WHERE state = 'open'")
        owners: dict[str, list[str]] = {}
        for item_id, person_id in self._rows(
            "SELECT item_id, person_id FROM work_item_person WHERE todo_id IS NOT NULL"
        ):
            owners.setdefault(item_id, []).append(person_id)
        active = {self.bench.person(one) for one in PEOPLE if one not in self.gone}
        assert sum(state in ("running", "suspended") for _, state in cases) <= 1
        for item in open_items:
            assert owners.get(item[0]), f"nobody has {item}"
            assert set(owners[item[0]]) <= active
        assert set(owners) == {one[0] for one in open_items}
        for case_id, state in cases:
            of_case = [one for one in open_items if one[1] == case_id]
            if state in ("running", "suspended"):
                assert [one for one in of_case if one[2] != "read"], "an open case that nobody has"
                self._check_machine(case_id, of_case)
            else:
                assert not [one for one in of_case if one[2] != "read"]
                assert state == "completed" or not of_case
        self._check_history()
        self._check_record(cases, open_items, owners)
        self._check_todos(open_items, owners)
        self._check_sync()

    def _check_machine(self, case_id: str, items: list[Any]) -> None:
        def look(tx: Tx) -> None:
            sha, state, book = tx.raw.execute(
                "SELECT sha, machine, book FROM case_state WHERE case_id = ?", (case_id,)
            ).fetchone()
            stored = load(tx, sha)
            tokens = {one.id: one.step_id for one in Machine.load(stored.file, stored.called, state).tokens}
            rounds = decode(book).rounds
            assert {token: one.step_id for token, one in rounds.items()} == tokens
            held = {
                row[0] for row in tx.raw.execute("SELECT token FROM work_item WHERE state = 'open' AND part <> 'read'")
            }
            assert held == set(tokens), "a step that nobody has"

        self.bench.database.write_now(look)
        assert items

    def _check_history(self) -> None:
        now = self.bench.events(self.record)
        assert now[: len(self.history)] == self.history, "the history was rewritten"
        numbers = [(one["caseId"], one["seq"]) for one in now]
        assert len(set(numbers)) == len(numbers)
        self.history = now

    def _check_record(self, cases: list[Any], items: list[Any], owners: dict[str, list[str]]) -> None:
        shown = self.bench.get("yu", "Paper", self.record)
        assert shown is not None
        working = {one for item in items if item[2] != "read" for one in owners[item[0]]}
        assert set(shown.get("handlerIds", [])) == working
        readers = {shown["authorId"], *working, *shown.get("participantIds", [])}
        for item in items:
            assert set(owners[item[0]]) <= readers
        total = {kind: len(self._rows(f"SELECT id FROM {table}")) for kind, table in (
            ("Case", "office_case"), ("WorkItem", "work_item"), ("CaseEvent", "case_event"))}  # fmt: skip
        for who in PEOPLE:
            sees = self.bench.person(who) in readers and who not in self.gone
            if who in self.gone:
                continue
            assert (self.bench.get(who, "Paper", self.record) is not None) == sees
            for kind, number in total.items():
                assert len(self.bench.all(who, kind)) == (number if sees else 0), (who, kind)
        if cases:
            final = shown["state"] in ("passed", "refused", "void")
            assert final or cases[-1][1] != "completed"

    def _check_todos(self, items: list[Any], owners: dict[str, list[str]]) -> None:
        kinds = {"handle": "todo", "read": "toRead"}
        wanted = Counter(
            (person_id, f"step:{item[3]}", kinds["read" if item[2] == "read" else item[4]])
            for item in items
            for person_id in owners[item[0]]
        )
        held = Counter(
            (one["personId"], one["rule"], one["kind"])
            for who in PEOPLE
            for one in self.bench.all(who, "Todo")
            if one["state"] == "open"
        )
        assert held == wanted

    def _check_sync(self) -> None:
        """A client that follows /changes holds exactly what a fresh one would be given."""
        until = self.bench.state()
        for (who, kind), mirror in self.mirror.items():
            created, updated, destroyed = self.bench.changes(who, kind, self.since)
            for gone in destroyed:
                mirror.pop(gone, None)
            for one in created | updated:
                found = self.bench.get(who, kind, one)
                if found is not None:
                    mirror[one] = found
            assert mirror == {one["id"]: one for one in self.bench.all(who, kind)}, (who, kind)
        self.since = until


@pytest.mark.parametrize("name", sorted(PROCESSES))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(throws=THROWS)
def test_whatever_people_do(name: str, throws: list[Throw]) -> None:
    with tempfile.TemporaryDirectory() as folder, open_cases(Path(folder), PROCESSES[name]) as bench:
        watch = Watch(bench)
        bench.act("yu", "submit", watch.record)
        watch.check()
        for throw in throws:
            watch.throw(throw)
            watch.check()
