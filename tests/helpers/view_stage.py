"""A view of the sample module on the screen, read and settled."""

from typing import Any, TypeVar

import msgspec

from desktop.ui.office.views.base import RecordView, ViewContext, create_view
from tests.helpers.fake_records import RecordsScene
from tests.helpers.stage import settle, shown, until

MODULE = "sample_vehicles"
_kept: list[RecordView] = []
"""Nobody else holds them: a view without a parent is its owner's."""

Opened = TypeVar("Opened", bound=RecordView)


async def open_view(
    session: RecordsScene,
    key: str,
    kind: type[Opened],
    *,
    size: tuple[int, int] = (1000, 640),
    started: bool = True,
    **changes: Any,
) -> Opened:
    """The view of that id, `changes` made to its definition. Not `started`: nothing was read."""
    context = ViewContext(session, MODULE, session.clock.now_ms)
    await context.load()
    definition = context.module.view(key) if context.module else None
    assert definition is not None, key
    view = create_view(context, msgspec.structs.replace(definition, **changes))
    assert isinstance(view, kind)
    _kept.append(view)
    view.patch_asked.connect(lambda record, patch: view.tasks.start(session.records.update(record, patch), name="page"))
    shown(view, *size)
    if started:
        view.reload()
        stack: Any = view
        await until(lambda: stack.stack.showing, "the view")
        await settle()
    return view
