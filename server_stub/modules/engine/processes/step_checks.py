"""What a step asks of an act on it: words, a signature, attachments, picked people; and the entry of the history it becomes."""

from typing import Final

from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.processes.patching import public_values
from server_stub.modules.engine.processes.request import Wish
from server_stub.modules.engine.processes.rows import CASE_EVENT, EventRow, ItemRow, Offer
from server_stub.modules.engine.processes.run import CaseRun
from server_stub.records.actor import Actor
from server_stub.records.types import JsonObject

FINISHING: Final = frozenset({"submit", "approve", "addSignerAfter"})
"""After these the step's required fields must be filled."""
DECIDING: Final = FINISHING | {"refuse", "return", "read"}


def new_event(run: CaseRun, actor: Actor, event_id: str, wish: Wish, item: ItemRow | None, outcome: str) -> EventRow:
    """The entry of the history that a person's act becomes; only an act that is not refused is written."""
    extra: JsonObject = {
        "outcome": outcome if wish.action in DECIDING else None,
        "opinion": wish.opinion,
        "attachments": list(wish.attachments),
        "signature": wish.signature,
        "values": public_values(run, wish.values or {}),
        "to": list(wish.to),
        "toStepId": wish.to_step_id,
        "chosen": {step: list(people) for step, people in (wish.chosen or {}).items()},
    }
    behalf = None if item is None else item.people.get(actor.person_id)
    return run.add_event(
        wish.action,
        person_id=actor.person_id,
        item=item,
        on_behalf_of=behalf,
        event_id=event_id,
        extra={key: value for key, value in extra.items() if value},
    )


def check_words(run: CaseRun, wish: Wish, offer: Offer, action: JsonObject) -> None:
    """Opinion, signature and attachments as the step wants them. Raises SetError invalidProperties."""
    need = action.get("opinion") or offer.opinion
    missing: dict[str, str] = {}
    wanted = need == "required" or (need == "onReturn" and wish.action in ("return", "refuse"))
    if wanted and wish.action in DECIDING and not wish.opinion:
        missing["opinion"] = "is required"
    signed = offer.signature == "always" or (offer.signature == "onApprove" and wish.action in FINISHING)
    if signed and wish.action in DECIDING - {"read"} and wish.signature is None:
        missing["signature"] = "is required"
    if wish.opinion and need == "none" and wish.action in DECIDING:
        missing["opinion"] = "no opinion is given at this step"
    if wish.attachments and not offer.attachments:
        missing["attachments"] = "nothing is attached at this step"
    if missing:
        text = "; ".join(dict.fromkeys(missing.values()))
        raise SetError(SetErrorType.INVALID_PROPERTIES, text, list(missing), reasons=missing)


def take_choices(run: CaseRun, wish: Wish, offer: Offer) -> None:
    """Keep the people picked for later steps. Raises SetError invalidProperties: another step than those that are picked for here."""
    allowed = {str(one["stepId"]) for one in offer.chooses}
    run.chooses = frozenset(allowed)
    for step_id, people in (wish.chosen or {}).items():
        if step_id not in allowed:
            raise invalid_properties("people of this step are not picked here", "chosen")
        run.book.chosen[step_id] = list(people)


def do_keep_blobs(run: CaseRun, actor: Actor, event: EventRow, wish: Wish) -> None:
    """Attachments and the signature belong to the event: seen with it, kept as long as it is."""
    for entry in event.extra.get("attachments", ()):
        blob = run.context.blobs.do_refer(run.tx, entry["blobId"], event.id, CASE_EVENT, actor)
        entry["size"], entry["type"] = blob.size, blob.type
    if wish.signature is not None:
        blob = run.context.blobs.do_refer(run.tx, wish.signature, event.id, CASE_EVENT, actor)
        if not blob.type.startswith("image/"):
            raise invalid_properties("is no picture", "signature")
