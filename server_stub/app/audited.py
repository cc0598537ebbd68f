"""Lets every destroyed office record leave an entry in the audit chain, in the same transaction, whatever its module does."""

from __future__ import annotations

from typing import Any

from server_stub.audit.chain import do_record
from server_stub.records.actor import Actor
from server_stub.records.types import TypeHandler
from server_stub.storage.database import Tx


def audited(handler: TypeHandler) -> TypeHandler:
    """The handler, with its destroys on record."""
    wrapped: Any = _Audited(handler)  # everything but destroy is the handler's own, looked up by __getattr__
    checked: TypeHandler = wrapped
    return checked


class _Audited:
    def __init__(self, handler: TypeHandler) -> None:
        self._handler = handler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handler, name)

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        self._handler.destroy(tx, actor, id_)
        do_record(tx, actor.person_id, "record.destroy", id_, {"type": self._handler.name})
