"""What pops up for which conversation and which module: one row each, the choice at its right."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtWidgets import QWidget

from desktop.core.domain import Conversation, ConversationKind, ModuleDefinition
from desktop.models.alert_rules import CONVERSATION_RULES, MODULE_RULES, Rule, conversation_key, module_key
from desktop.platform.preferences import Preferences
from desktop.ui import i18n
from desktop.ui.kit import Avatar, ElidedLabel, IconLabel, conversation_icon, conversation_name, row
from desktop.ui.settings.controls import Choice
from desktop.ui.theme import icons

MOST_TALKS: Final = 20
NO_ICON: Final = "squares-four"


def talks_to_list(conversations: Sequence[Conversation], rules: dict[str, str]) -> list[Conversation]:
    """The newest talks, and every other one that has a rule."""
    people = [one for one in conversations if one.kind is not ConversationKind.SYSTEM]
    newest = sorted(people, key=lambda one: -one.updated_at)
    return newest[:MOST_TALKS] + [one for one in newest[MOST_TALKS:] if conversation_key(one.id) in rules]


def rule_rows(
    preferences: Preferences, conversations: Sequence[Conversation], modules: Sequence[ModuleDefinition]
) -> list[QWidget]:
    """The rows, conversations first."""
    rows: list[QWidget] = []
    for one in talks_to_list(conversations, preferences.now.rules):
        face = Avatar(26)
        subject = one.peer_id if one.kind is ConversationKind.DIRECT else one.id
        face.set_subject(conversation_name(one), subject or one.id, icon=conversation_icon(one))
        rows.append(_row(preferences, face, conversation_name(one), conversation_key(one.id), CONVERSATION_RULES))
    for module in modules:
        glyph = module.icon.rpartition(".")[2]
        face_of_module = IconLabel(glyph if icons.exists(glyph) else NO_ICON, tone="accent", size=20)
        name = module.label.text(i18n.language()) or module.id
        rows.append(_row(preferences, face_of_module, name, module_key(module.id), MODULE_RULES))
    return rows


def _row(preferences: Preferences, face: QWidget, name: str, key: str, rules: Sequence[Rule]) -> QWidget:
    part = QWidget()
    choice = Choice("settings.rules", [(rule.value, f"settings.rule.{rule.value}") for rule in rules])
    choice.setObjectName(f"rule_{key}")
    choice.setAccessibleName(name)
    choice.choose(preferences.now.rules.get(key, Rule.ALL.value))

    def put(value: str) -> None:
        others = {one: rule for one, rule in preferences.now.rules.items() if one != key}
        preferences.set(rules=others if value == Rule.ALL else others | {key: value})

    choice.on_chosen(put)
    line = row(face, margins=(18, 6, 18, 6), spacing=10)
    line.addWidget(ElidedLabel(name), 1)
    line.addWidget(choice)
    part.setLayout(line)
    return part
