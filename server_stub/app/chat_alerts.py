"""Chat's alerts are the office's: connects what chat says to the one table of alerts."""

from collections.abc import Collection

from server_stub.chat.alerting import Notification
from server_stub.modules.engine.alerts import AlertText, do_alert, do_drop_alerts
from server_stub.storage.database import Tx


class OfficeAlerts:
    """See server_stub.chat.alerting.Alerting."""

    def do_alert(self, tx: Tx, person_ids: Collection[str], what: Notification) -> None:
        """One alert for each of these people; one of the same kind about the same object is replaced."""
        if person_ids:
            do_alert(
                tx,
                person_ids,
                AlertText(what.kind, what.title, what.text, what.urgent, what.link_type, what.link_id, what.label),
            )

    def do_drop(
        self, tx: Tx, link_type: str, link_id: str, person_ids: Collection[str] | None, kinds: Collection[str] | None
    ) -> None:
        """Take alerts about an object away (None: of everybody, of every kind)."""
        do_drop_alerts(tx, link_type, link_id, person_ids, kinds=kinds)
