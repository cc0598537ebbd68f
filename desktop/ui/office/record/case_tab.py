"""The case of a record in its pane. The process screens make it; they stand on this package, so it is loaded by name when first wanted."""

from __future__ import annotations

import importlib
from typing import Final, cast

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.core.domain.cases import ChosenStep
from desktop.core.domain.definition import Action, Label
from desktop.core.domain.processes import ProcessState
from desktop.core.domain.records import Record
from desktop.models.cases_verbs import CasesVerbs
from desktop.ui import i18n
from desktop.ui.office.views.base import ViewContext

PLACE: Final = "desktop.ui.office.process.case_pane"
SUBMIT: Final = "submit"


def cases_of(context: ViewContext) -> CasesVerbs | None:
    """The verbs of cases; None of a core that has not learned them: its screens show no flows."""
    session = context.session
    return cast(CasesVerbs, session.cases) if hasattr(session, "cases") else None


def submit_action() -> Action:
    """What follows a new record of a type with a process: its case starts."""
    words = i18n.catalog()["office_process.action.submit"]
    label = Label(zh=words["zh"], en=words["en"])
    return Action(name=SUBMIT, label=label, from_=(), who=(), primary=True)


async def first_choices(context: ViewContext, record_type: str) -> tuple[ChosenStep, ...]:
    """The steps whose people the starter picks with submitting: what the process in force says of the starter's own step. Raises AppError."""
    definition, cases = context.type_of(record_type), cases_of(context)
    if definition is None or definition.process is None or cases is None:
        return ()
    held = [one for one in await cases.processes() if one.process_id == definition.process]
    process = next((one for one in held if one.state == ProcessState.PUBLISHED), None)
    steps = {one.id: one for one in process.steps} if process is not None else {}
    own = next((one for one in steps.values() if "starter" in one.performers and one.kind == "handle"), None)
    wanted = own.chooses if own is not None else ()
    return tuple(
        ChosenStep(one, steps[one].name, steps[one].label) if one in steps else ChosenStep(one, one) for one in wanted
    )


class CaseTab(QWidget):
    """What the pane of a record asks of it.

    Signals:
        flow_changed: the case was read (Flow). acted: the name of an action that was taken in. diagram_asked.
        file_opened, file_saved: an Attachment.
    """

    flow_changed = Signal(object)
    acted = Signal(str)
    diagram_asked = Signal()
    file_opened = Signal(object)
    file_saved = Signal(object)
    may_submit = False
    """Whether the record waits for its case to be started by this user."""

    def show_record(self, record: Record | None) -> None:
        """Shows a record's case, or again the same one's."""
        raise NotImplementedError

    @property
    def writing(self) -> bool:
        """Whether something stands in it that is not sent."""
        raise NotImplementedError


def create_case_tab(context: ViewContext) -> CaseTab:
    """The case as it stands in the column of a record's pane."""
    made = importlib.import_module(PLACE).CasePane(context, flat=True)
    assert isinstance(made, CaseTab)
    return made
