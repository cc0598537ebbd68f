"""What the user wants of one conversation or one module beside the general switches: pop up, pop up silently, only what concerns me, nothing.

Kept with the preferences of this device under the keys `conversation:<id>` and `module:<id>`; what is not named follows the general switches.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from desktop.core.domain import Alert, Conversation, Message, ModuleDefinition

EVERYONE = "all"  # as a mention: the whole group


class Rule(StrEnum):
    """`MENTIONS` is for conversations, `URGENT` for modules. Urgent alerts come through every rule."""

    ALL = "all"
    SILENT = "silent"
    MENTIONS = "mentions"
    URGENT = "urgent"
    NONE = "none"


CONVERSATION_RULES = (Rule.ALL, Rule.SILENT, Rule.MENTIONS, Rule.NONE)
MODULE_RULES = (Rule.ALL, Rule.SILENT, Rule.URGENT, Rule.NONE)


def conversation_key(conversation_id: str) -> str:
    """Where a conversation's rule stands."""
    return f"conversation:{conversation_id}"


def module_key(module_id: str) -> str:
    """Where a module's rule stands."""
    return f"module:{module_id}"


class AlertRules:
    """Answers for one message or alert. `rules` gives what is kept now; an unknown word of a newer program counts as ALL."""

    def __init__(self, me: str, rules: Callable[[], Mapping[str, str]]) -> None:
        self._me, self._rules = me, rules
        self._module_of: dict[str, str] = {}

    def set_modules(self, modules: Iterable[ModuleDefinition]) -> None:
        """Learns which module a type of record belongs to."""
        self._module_of = {one.name: module.id for module in modules for one in module.types}

    def of_conversation(self, conversation_id: str) -> Rule:
        """The rule of a conversation."""
        return self._at(conversation_key(conversation_id))

    def of_alert(self, alert: Alert) -> Rule:
        """The rule of the module an alert comes from."""
        module = self._module_of.get(alert.link.type) if alert.link is not None else None
        return self._at(module_key(module)) if module is not None else Rule.ALL

    def wants_message(self, message: Message, conversation: Conversation) -> bool:
        """Whether a message may ask for the user's eye at all."""
        rule = self.of_conversation(conversation.id)
        mentioned = self._me in message.mentions or EVERYONE in message.mentions
        return rule is not Rule.NONE and (rule is not Rule.MENTIONS or mentioned)

    def wants_alert(self, alert: Alert) -> bool:
        """Whether an alert may pop up."""
        return alert.urgent or self.of_alert(alert) not in (Rule.NONE, Rule.URGENT)

    def _at(self, key: str) -> Rule:
        try:
            return Rule(self._rules().get(key, Rule.ALL))
        except ValueError:
            return Rule.ALL
