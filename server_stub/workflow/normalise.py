"""What modellers write made into what runs: the passes over a draft, in their order. Each says what it changed; what cannot run is refused with its id."""

from server_stub.workflow.draft import Draft
from server_stub.workflow.normalise_clean import clean
from server_stub.workflow.normalise_events import normalise_events
from server_stub.workflow.normalise_flows import normalise_conditions, normalise_gateways, normalise_joints
from server_stub.workflow.normalise_ids import check_ids, check_kinds
from server_stub.workflow.normalise_many import normalise_loops, normalise_many
from server_stub.workflow.normalise_processes import choose_processes
from server_stub.workflow.normalise_reach import check_reach
from server_stub.workflow.normalise_steps import normalise_steps
from server_stub.workflow.normalise_tasks import normalise_tasks

__all__ = ["normalise"]


def normalise(draft: Draft) -> None:
    """Run all passes over the draft.

    Raises:
        BpmnRefused: something cannot run.
    """
    choose_processes(draft)
    draft.stop_if_refused()
    for step in (check_kinds, check_ids):
        step(draft)
        draft.stop_if_refused()
    for step in (normalise_events, normalise_tasks, normalise_steps, normalise_joints):
        step(draft)
    draft.stop_if_refused()
    for step in (normalise_gateways, normalise_conditions, normalise_many, normalise_loops):
        step(draft)
    draft.stop_if_refused()
    check_reach(draft)
    draft.stop_if_refused()
    clean(draft)
