"""The types that hang on every office record: read marks, alerts, comments, follows, to-dos, history, cases."""

from collections.abc import Callable, Mapping

import sqlalchemy as sa

from server_stub.modules.engine.alerts import AlertHandler
from server_stub.modules.engine.annotations import AnnotationHandler
from server_stub.modules.engine.comments import CommentHandler
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.follows import FollowHandler
from server_stub.modules.engine.handler import OfficeHandler
from server_stub.modules.engine.history import RecordChangeHandler
from server_stub.modules.engine.processes.delegations import DelegationHandler
from server_stub.modules.engine.processes.handlers import case_handlers
from server_stub.modules.engine.read_marks import ReadMarkHandler
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.titles import title_of
from server_stub.modules.engine.todos import TodoHandler
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.store import access_record


def satellite_handlers(
    context: OfficeContext, handlers: Mapping[str, OfficeHandler], rules_of: Callable[[str], Rules | None]
) -> list[RecordHandler]:
    """One handler for each of these types, for the registry. `handlers`: those of the modules; may change while the server runs."""
    return [
        ReadMarkHandler(rules_of),
        AlertHandler(),
        CommentHandler(context),
        AnnotationHandler(context),
        FollowHandler(context),
        TodoHandler(),
        RecordChangeHandler(handlers),
        *case_handlers(context, rules_of),
        DelegationHandler(context),
    ]


def card_title(context: OfficeContext, conn: sa.Connection, actor: Actor, type_name: str, record_id: str) -> str | None:
    """What a record is called on a card in a message, None when the actor does not see it."""
    definition = context.types.get(type_name)
    record = None if definition is None else access_record(conn, actor.person_id, type_name, record_id)
    return None if definition is None or record is None else title_of(conn, context.types, definition, record.data)
