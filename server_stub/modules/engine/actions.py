"""Finds the action a change stands for: on the wire an action is an ordinary update."""

from collections.abc import Mapping
from typing import Any, Final

from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.access import Viewer
from server_stub.modules.engine.conditions import Standpoint, is_empty, matches
from server_stub.modules.engine.definition import Action, TypeDefinition
from server_stub.records.store import Record

ACTION: Final = "action"
"""A patch may name the action it means; it has to where several fit, or nothing else is in it."""


def take_action_name(definition: TypeDefinition, patch: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The name of an action in a patch, and the rest of the patch."""
    if ACTION not in patch or definition.field(ACTION) is not None:
        return None, dict(patch)
    name = patch[ACTION]
    if not isinstance(name, str):
        raise invalid_properties("names an action", ACTION)
    return name, {key: value for key, value in patch.items() if key != ACTION}


def covered_fields(action: Action) -> frozenset[str]:
    """What a person may fill in on the way, whatever the fields themselves say."""
    return frozenset((*action.requires, *action.asks))


def was_done(definition: TypeDefinition, record: Record, name: str) -> bool:
    """Whether the record is where an action leads: then it was sent again because the answer was lost."""
    return any(
        one.name == name and one.to is not None and one.to == record.data.get("state") for one in definition.actions
    )


def find_action(
    definition: TypeDefinition,
    viewer: Viewer,
    standpoint: Standpoint,
    record: Record,
    data: dict[str, Any],
    changed: set[str],
    name: str | None,
) -> Action | None:
    """The action that takes the record to `data` (its new state is written there); None: an ordinary edit.

    Raises:
        SetError: forbidden; invalidProperties: no action goes there.
    """
    was, wanted = record.data.get("state"), data.get("state")
    if name is None and (was == wanted or not definition.states):
        fitting = [
            one
            for one in definition.actions
            if was in one.from_ and one.to in (None, was) and changed and changed <= covered_fields(one)
        ]
        return _best([one for one in fitting if _permitted(one, definition, viewer, standpoint, record)], data, changed)
    leading = [one for one in definition.actions if was in one.from_ and _leads(one, name, was, wanted)]
    if not leading:
        what = f"{name} is not possible now" if name else f"a {definition.name} does not go from {was} to {wanted}"
        raise invalid_properties(what[:200], "state")
    permitted = [one for one in leading if _permitted(one, definition, viewer, standpoint, record)]
    if not permitted:
        raise SetError(SetErrorType.FORBIDDEN, f"you may not do this with this {definition.name}")
    action = _best(permitted, data, changed - {"state"})
    assert action is not None
    if action.to is not None:
        data["state"] = action.to
    return action


def _leads(action: Action, name: str | None, was: Any, wanted: Any) -> bool:
    if name is not None and (action.name != name or wanted not in (was, action.to)):
        return False
    return name is not None or action.to == wanted


def _permitted(
    action: Action, definition: TypeDefinition, viewer: Viewer, standpoint: Standpoint, record: Record
) -> bool:
    if not viewer.is_one_of(action.who, definition, record.author_id, record.data):
        return False
    return action.when is None or matches(action.when, record.to_object(), standpoint)


def _best(actions: list[Action], data: Mapping[str, Any], changed: set[str]) -> Action | None:
    """One that covers what was written and has what it requires, else the first."""

    def fits(action: Action) -> tuple[bool, bool]:
        covers = changed <= covered_fields(action)
        return covers, not any(is_empty(data.get(name)) for name in action.requires)

    return max(actions, key=fits, default=None)
