"""Verbs of alerts: what wants this user's eye; dismissed here, gone on all devices."""

from collections.abc import Container

from desktop.core.domain import Alert
from desktop.core.services.context import Context
from desktop.core.sync.outbox import EditKind


def asks_for(alert: Alert, object_ids: Container[str]) -> bool:
    """Whether the alert asks to confirm one of these."""
    return alert.kind in ("confirm", "urge") and alert.link is not None and alert.link.id in object_ids


class AlertService:
    """Alerts on this device."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def alerts(self) -> list[Alert]:
        """Urgent ones first, then the newest; without those whose dismissal is on its way, or the confirmation they ask for."""
        store = self._context.store

        def load() -> list[Alert]:
            edits = store.load_edits()
            gone = {e.object_id for e in edits if e.type_name == "Alert" and e.kind is EditKind.DESTROY}
            done = {e.object_id for e in edits if e.kind is EditKind.UPDATE and e.payload.get("confirmed") is True}
            held = [a for a in store.load_objects("Alert") if isinstance(a, Alert) and a.id not in gone]
            return [a for a in held if not asks_for(a, done)]

        return sorted(await self._context.db(load), key=lambda a: (not a.urgent, -a.created_at, a.id))

    async def dismiss(self, alert_id: str) -> None:
        """Gone here at once, on the other devices when the server knows."""
        await self._context.edit(EditKind.DESTROY, "Alert", alert_id, {})
