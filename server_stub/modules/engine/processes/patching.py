"""What a handler fills in on the way: fields of the record that the step lets him write, checked as any other write of them."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.access import Viewer
from server_stub.modules.engine.blobrefs import do_refer_blobs
from server_stub.modules.engine.definition import Field
from server_stub.modules.engine.fields import check_filled, check_record, is_asked, settle_record
from server_stub.modules.engine.keeping import do_keep
from server_stub.modules.engine.processes.run import CaseRun
from server_stub.modules.engine.values import Check
from server_stub.records.actor import Actor
from server_stub.records.patch import apply_patch, changed_properties

ALL: Final = "*"


def do_patch(run: CaseRun, actor: Actor, values: Mapping[str, Any], editable: Collection[str]) -> None:
    """Write a handler's fields into the record, in its history under his name.

    Args:
        editable: fields, or `lines.field`, or "*" for all that people may write.

    Raises:
        SetError: forbidden: not his to write; invalidProperties.
    """
    record, definition = run.reload(), run.definition
    data = apply_patch(record.data, values)
    changed = changed_properties(record.data, data)
    if not changed:
        return
    viewer = Viewer(run.tx.conn, actor, run.context.types)
    for name in sorted(changed):
        _check_one(run, viewer, name, editable, data.get(name))
    standpoint = run.context.standpoint(run.tx.now, actor)
    check = Check(run.tx.conn, viewer, standpoint, run.context.types)
    cleaned = check_record(check, definition, data, only=changed, before=record.data)
    settle_record(standpoint, definition, cleaned, changed=changed, before=record.data)
    stored = run.rules.before_update(run.tx, actor, record, cleaned, changed)
    do_refer_blobs(run.tx, run.context, definition, actor, record.id, stored, record.data)
    run.record = do_keep(run.tx, run.context, record, stored, actor.person_id, viewer)
    if run.record.data != record.data:
        run.rules.after_update(run.tx, actor, record, run.record)
        run.reload()
    run.retitle()


def check_required(run: CaseRun, names: Collection[str]) -> None:
    """Raises SetError invalidProperties: fields that must hold something before the step is done, and do not. One whose `when` is not met need not."""
    standpoint, data = run.context.standpoint(run.tx.now), run.record.data
    fields = {one: run.definition.field(one) for one in (name.partition(".")[0] for name in names if name != ALL)}
    asked = [name for name, field in fields.items() if field is None or is_asked(standpoint, field, data)]
    check_filled(run.definition, data, asked)


def public_values(run: CaseRun, values: Mapping[str, Any]) -> dict[str, Any]:
    """What of a patch every reader of the record may see in the history."""
    fields = {name: run.definition.field(name) for name in values}
    return {name: values[name] for name, field in fields.items() if field is not None and not field.see}


def _check_one(run: CaseRun, viewer: Viewer, name: str, editable: Collection[str], value: Any) -> None:
    definition, record = run.definition, run.record
    field = definition.field(name)
    if field is None:
        raise invalid_properties("no such property", name)
    numbered = definition.numbering is not None and definition.numbering.field == name
    if name == "state" or field.read_only or field.computed or field.formula or field.immutable or numbered:
        raise invalid_properties("set by the server", name)
    hidden = field.see and not viewer.is_one_of(field.see, definition, record.author_id, record.data)
    own = field.edit and not viewer.is_one_of(field.edit, definition, record.author_id, record.data)
    if name in editable and not hidden:
        return
    if ALL in editable and not hidden and not own:
        return
    inner = {one.partition(".")[2] for one in editable if one.partition(".")[0] == name and "." in one}
    if hidden or not inner or not _only_inside(field, record.data.get(name), value, inner):
        raise SetError(SetErrorType.FORBIDDEN, f"{name} is not written at this step", [name])


def _only_inside(field: Field, before: Any, after: Any, inner: Collection[str]) -> bool:
    """Whether rows differ in the named columns alone."""
    rows = [one if isinstance(one, list) else [one] for one in (before, after)]
    if len(rows[0]) != len(rows[1]) or not all(isinstance(one, dict) for row in rows for one in row):
        return False
    return all(changed_properties(old, new) <= set(inner) for old, new in zip(*rows, strict=True))
