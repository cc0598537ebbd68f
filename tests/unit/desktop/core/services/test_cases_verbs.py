"""The screens' protocol of cases, the real service and the tests' own one say the same."""

import asyncio
import inspect

import pytest

from desktop.core.domain import ConnectionState
from desktop.core.domain.cases import Flow, Refusal, WorkQuery, WorkTab
from desktop.core.services.cases import CasesService
from desktop.models.cases_verbs import CasesVerbs
from tests.helpers.fake_cases import CasesScene, FakeCases

VERBS = sorted(name for name, _ in inspect.getmembers(CasesVerbs, inspect.isfunction) if not name.startswith("_"))


@pytest.mark.parametrize("service", [CasesService, FakeCases])
@pytest.mark.parametrize("name", VERBS)
def test_a_verb_is_the_same_everywhere(service: type, name: str) -> None:
    wanted, held = inspect.signature(getattr(CasesVerbs, name)), inspect.signature(getattr(service, name))
    assert [(p.name, p.kind, p.default) for p in held.parameters.values()] == [
        (p.name, p.kind, p.default) for p in wanted.parameters.values()
    ]
    assert inspect.iscoroutinefunction(getattr(service, name)) == inspect.iscoroutinefunction(getattr(CasesVerbs, name))


def test_the_scene_acts_offline_and_settles() -> None:
    async def scenario() -> None:
        session = CasesScene()
        cases: CasesVerbs = session.cases
        assert (await cases.counts()).todo == 6
        flow = await cases.flow("SampleIncoming", "d1")
        session.go(ConnectionState.OFFLINE)
        await cases.act(session.records.get("d1"), flow.actions[0], flow.item, opinion="同意")
        waiting: Flow = await cases.flow("SampleIncoming", "d1")
        assert (waiting.pending, waiting.actions, waiting.events[-1].pending) == (True, (), True)
        assert (await cases.counts()).todo == 5
        session.go(ConnectionState.LIVE)
        settled = await cases.flow("SampleIncoming", "d1")
        assert (settled.pending, settled.item, settled.events[-1].opinion) == (False, None, "同意")

    asyncio.run(scenario())


def test_the_scene_lets_others_be_faster() -> None:
    async def scenario() -> None:
        session = CasesScene()
        shared = session.cases.items["w-d7-shared"]
        session.go(ConnectionState.OFFLINE)
        await session.cases.act(session.records.get("d7"), shared.actions[0], shared, opinion="我来办")
        session.cases.by_others(shared.id, "wufang")
        session.go(ConnectionState.LIVE)
        (lost,) = await session.cases.refused("d7")
        assert lost.opinion == "我来办"
        assert isinstance(lost.refusal, Refusal)
        assert (lost.refusal.code, lost.refusal.by) == ("overtaken", "wufang")
        rows = (await session.cases.work(WorkQuery(WorkTab.TODO))).rows
        assert "d7" not in {row.item.record_id for row in rows if row.item is not None}

    asyncio.run(scenario())
