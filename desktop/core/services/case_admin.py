"""Verbs around cases: the user's common phrases, and who acts for him while he is away."""

from collections.abc import Sequence
from typing import Any, Final

from desktop.core.clock import utc_date
from desktop.core.domain.processes import Delegation
from desktop.core.services.process_admin import ProcessAdmin

DELEGATION: Final = "Delegation"
MAX_PHRASES: Final = 50
_SETTINGS: Final = "settings"
_PHRASES: Final = "opinionPhrases"


class CaseAdmin(ProcessAdmin):
    """Phrases and delegations."""

    # ------------------------------------------------------------ phrases
    async def phrases(self, defaults: Sequence[str] = ()) -> list[str]:
        """The user's common phrases in his order, kept on this device; `defaults` until he kept his own."""
        kept = (await self._context.load_local(_SETTINGS, object)).get(_PHRASES)
        return [one for one in kept if isinstance(one, str)] if isinstance(kept, list) else list(defaults)

    async def set_phrases(self, phrases: Sequence[str]) -> None:
        """Keeps them; blank and double ones are left out."""
        texts = dict.fromkeys(text for one in phrases if (text := one.strip()))
        await self._context.put_local(_SETTINGS, _PHRASES, list(texts)[:MAX_PHRASES])

    # ------------------------------------------------------------ absence
    async def delegations(self) -> list[Delegation]:
        """Delegations this user gave or was given (administrators: all), the latest first."""
        found = await self._context.db(self._context.store.load_objects, DELEGATION)
        return sorted((d for d in found if isinstance(d, Delegation)), key=lambda d: (-d.from_at, d.id))

    async def delegate(
        self,
        delegate_id: str,
        from_at: int,
        to_at: int,
        *,
        modules: Sequence[str] = (),
        reason: str = "",
        person_id: str | None = None,
    ) -> str:
        """Lets another one act for this user (administrators: for `person_id`) from one moment until another (ms); its id.

        Raises:
            Offline, Rejected: invalidProperties: who stands in already, circles, times that are over.
        """
        key = self._context.new_id()
        made: dict[str, Any] = {"delegateId": delegate_id, "from": utc_date(from_at), "to": utc_date(to_at)}
        made |= {"personId": person_id} if person_id is not None else {}
        made |= {"modules": list(modules)} if modules else {}
        made |= {"reason": reason.strip()} if reason.strip() else {}
        await self._context.call_set(DELEGATION, create={key: made})
        return key

    async def change_delegation(
        self, delegation_id: str, from_at: int, to_at: int, *, modules: Sequence[str] = (), reason: str = ""
    ) -> None:
        """Other times, modules (none: all) or reason of a delegation that was not ended. Raises Offline, Rejected."""
        patch = {"from": utc_date(from_at), "to": utc_date(to_at), "modules": list(modules), "reason": reason.strip()}
        await self._context.call_set(DELEGATION, update={delegation_id: patch})

    async def end_delegation(self, delegation_id: str) -> None:
        """Ends it now; who acted for whom stays known. Raises Offline, Rejected."""
        await self._context.call_set(DELEGATION, update={delegation_id: {"state": "revoked"}})
