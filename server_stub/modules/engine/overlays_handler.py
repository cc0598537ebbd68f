"""ModuleOverlay: what administrators change of a module, as a draft beside what is in force (docs/protocol.md §4)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec
import sqlalchemy as sa

from server_stub.clock import format_utc
from server_stub.errors import MethodError, MethodErrorType, SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.alerts import OFFICE
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import DefinitionError
from server_stub.modules.engine.migrations import DataWouldBeLost
from server_stub.modules.engine.overlays import Changes
from server_stub.modules.engine.overlays_store import (
    OVERLAY,
    Overlay,
    decode_changes,
    do_drop_overlay,
    do_save_draft,
    load_overlay,
    overlay_object_id,
    shown_changes,
)
from server_stub.modules.engine.processes.delegations import ADMIN_ROLES
from server_stub.modules.engine.saying import in_both
from server_stub.modules.engine.shape import shape_problems
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.types import GetResult, JsonObject
from server_stub.records.visibility import visible_ids
from server_stub.storage.database import Database, Tx

OVERLAY_REFUSED: Final = "overlayRefused"
MAX_CHANGES: Final = 512 * 1024


class Renewal(Protocol):
    """The office as far as changes of definitions go."""

    async def plan_changes(self, module_id: str, changes: Changes | None) -> list[str]:
        """What the changes would do, in sentences. Raises DefinitionError."""
        ...

    async def publish_changes(self, module_id: str, changes: Changes | None, by: str) -> list[str]:
        """Put the changes in force. Raises DefinitionError, DataWouldBeLost; then everything stays as it is."""
        ...


class ModuleOverlayHandler(RecordHandler):
    """The ModuleOverlay type: at most one of a module, id `overlay_<module>`; administrators only."""

    properties = frozenset("id module changes draft publishedAt publishedById updatedAt".split())

    def __init__(self, context: OfficeContext, database: Database, office: Renewal) -> None:
        super().__init__(OVERLAY, OFFICE)
        self._context, self._database, self._office = context, database, office
        self.own_methods = {"plan": self._plan, "publish": self._publish}

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult:
        wanted = list(dict.fromkeys(visible_ids(conn, actor.person_id, self.name, ids)))
        rows = [load_overlay(conn, one.removeprefix("overlay_")) for one in wanted]
        found = {obj["id"]: obj for row in rows if row is not None for obj in [_present(row)]}
        missing = [] if ids is None else [one for one in dict.fromkeys(ids) if one not in found]
        return GetResult([found[one] for one in wanted if one in found], missing)

    # ------------------------------------------------------------ drafts

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        _check_admin(actor)
        _refuse_unknown(obj, {"module", "draft"})
        module = obj.get("module")
        if not isinstance(module, str) or module not in self._context.modules.values():
            raise invalid_properties("there is no such module", "module")
        if load_overlay(tx.conn, module) is not None:
            raise SetError(
                SetErrorType.INVALID_PROPERTIES,
                "there is one of this module",
                ["module"],
                existingId=overlay_object_id(module),
            )
        do_save_draft(tx, module, _checked_draft(obj.get("draft")))
        shown = self.get(tx.conn, actor, [overlay_object_id(module)], None).list[0]
        return {"id": shown["id"], **{key: value for key, value in shown.items() if obj.get(key, ...) != value}}

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        held = self._access_row(tx, actor, id_)
        before = _present(held)
        changed = {key: value for key, value in patch.items() if before.get(key) != value}
        _refuse_unknown(changed, {"draft"})
        if not changed:
            return None
        do_save_draft(tx, held.id, None if changed["draft"] is None else _checked_draft(changed["draft"]))
        after = self.get(tx.conn, actor, [id_], None).list[0]
        return {key: value for key, value in after.items() if {**before, **patch}.get(key) != value} or None

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        held = self._access_row(tx, actor, id_)
        if held.changes is not None:
            raise SetError(SetErrorType.FORBIDDEN, "it is in force: publish an empty draft, which takes it back")
        do_drop_overlay(tx, held.id)

    def _access_row(self, tx: Tx, actor: Actor, id_: str) -> Overlay:
        _check_admin(actor)
        held = load_overlay(tx.conn, id_.removeprefix("overlay_")) if id_.startswith("overlay_") else None
        if held is None:
            raise SetError(SetErrorType.NOT_FOUND)
        return held

    # ------------------------------------------------------------ own methods

    async def _plan(self, actor: Actor, arguments: JsonObject) -> JsonObject:
        module, changes = await self._draft(actor, arguments)
        try:
            return {"lines": in_both(await self._office.plan_changes(module, changes)), "problems": []}
        except DefinitionError as error:
            return {"lines": [], "problems": in_both(error.sentences())}

    async def _publish(self, actor: Actor, arguments: JsonObject) -> JsonObject:
        module, changes = await self._draft(actor, arguments)
        try:
            return {"lines": in_both(await self._office.publish_changes(module, changes, actor.person_id))}
        except DefinitionError as error:
            sentences = error.sentences()
        except DataWouldBeLost as error:
            sentences = list(error.refusals)
        raise SetError(OVERLAY_REFUSED, "nothing was changed", sentences=in_both(sentences))

    async def _draft(self, actor: Actor, arguments: Mapping[str, Any]) -> tuple[str, Changes | None]:
        """The module and its draft; an empty one means no changes at all."""
        if not actor.roles & ADMIN_ROLES:
            raise MethodError(MethodErrorType.FORBIDDEN, "administrators change modules")
        id_ = arguments.get("id")
        module = str(id_).removeprefix("overlay_")
        held = await self._database.read(lambda conn: load_overlay(conn, module))
        if not isinstance(id_, str) or held is None:
            raise SetError(SetErrorType.NOT_FOUND)
        if held.draft is None:
            raise invalid_properties("there is no draft", "draft")
        changes = decode_changes(held.draft)
        return held.id, None if changes == Changes() else changes


def _checked_draft(draft: object) -> Changes:
    """The shape of a draft; whether it makes sense is asked when it is planned or published. Raises SetError."""
    problems = shape_problems(draft, Changes)
    if problems:
        raise SetError(
            SetErrorType.INVALID_PROPERTIES, "; ".join(problems)[:2000], ["draft"], sentences=in_both(problems)
        )
    made = msgspec.convert(draft, Changes)
    if len(msgspec.json.encode(made)) > MAX_CHANGES:
        raise invalid_properties(f"at most {MAX_CHANGES} bytes", "draft")
    return made


def _present(row: Overlay) -> JsonObject:
    shown = {
        "id": overlay_object_id(row.id),
        "module": row.id,
        "changes": shown_changes(row.changes),
        "draft": shown_changes(row.draft),
        "updatedAt": format_utc(row.updated_at),
    }
    if row.published_at is not None:
        shown |= {"publishedAt": format_utc(row.published_at), "publishedById": row.published_by}
    return shown


def _check_admin(actor: Actor) -> None:
    if not actor.roles & ADMIN_ROLES:
        raise SetError(SetErrorType.FORBIDDEN, "administrators change modules")


def _refuse_unknown(given: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(given.keys() - known)
    if unknown:
        raise invalid_properties("cannot be set", *unknown)
