"""Whether a process fits the records it moves: everybody it names can be found, every field, state and process it names is there.

A problem stops publishing; what only looks odd is a note. Both name the element of the file, in both languages.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from server_stub.modules.engine.definition import NOBODY, Field, FieldKind, TypeDefinition
from server_stub.modules.engine.soundness.findings import DEPARTMENT_KINDS, PERSON_KINDS, TIME_KINDS
from server_stub.workflow.options import StepOptions
from server_stub.workflow.process_file import Many, Note, Problem, ProcessFile, Step
from server_stub.workflow.reading import names_in_one_language

PEOPLE_KINDS: Final = PERSON_KINDS | DEPARTMENT_KINDS | {FieldKind.AUDIENCE}
ALL_FIELDS: Final = "*"


class Found:
    """What was found: problems, which stop publishing, and notes."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.notes: list[Note] = []

    def say(self, element: str, code: str, zh: str, en: str) -> None:
        """Note a problem, once."""
        problem = Problem(element, code, zh, en)
        if problem not in self.problems:
            self.problems.append(problem)

    def note(self, element: str, code: str, zh: str, en: str) -> None:
        """Note something odd, once."""
        one = Note(element, code, zh, en)
        if one not in self.notes:
            self.notes.append(one)


def check_process(
    file: ProcessFile,
    called: Iterable[ProcessFile],
    type_: TypeDefinition,
    types: Mapping[str, TypeDefinition],
    roles: Collection[str] | None = None,
) -> Found:
    """Hold a process, with those it calls, against the type whose records it moves.

    Args:
        types: every type there is, for paths through references.
        roles: every role that means something; None: not known, roles are not looked at.
    """
    files = (file, *called)
    steps = {step_id for one in files for step_id in one.steps}
    check = _Check(type_, types, steps, roles)
    for one in files:
        for step in one.steps.values():
            check.step(step)
        if one.services and type_.rules is None:
            for element in one.services:
                check.found.say(
                    element,
                    "noRules",
                    "该类型没有规则代码，不能执行服务任务",
                    "the type has no rules that a service task could ask",
                )
    for end in file.ends.values():
        check.state(end.id, end.state)
        if end.state is None and type_.states:
            check.found.note(
                end.id, "noEndState", "结束时不改变单据状态", "the record's state stays as it is at this end"
            )
    _check_chosen(check.found, files)
    for element in names_in_one_language(file)[:1]:
        zh, en = (
            "有的名称没有英文，英文界面将显示中文",
            "some names are in one language only: the other one shows them as they are",
        )
        check.found.note(element, "oneLanguage", zh, en)
    return check.found


def _check_chosen(found: Found, files: Iterable[ProcessFile]) -> None:
    """Somebody must pick the people of a step that has nobody else."""
    steps = {step.id: step for one in files for step in one.steps.values()}
    picked = {name for step in steps.values() for name in step.options.chooses}
    for step in steps.values():
        if step.options.performers == ("chosen",) and step.id not in picked:
            found.say(step.id, "nobodyChooses", "没有环节为它选择办理人", "no step chooses who has this one")


class _Check:
    def __init__(
        self,
        type_: TypeDefinition,
        types: Mapping[str, TypeDefinition],
        steps: Collection[str],
        roles: Collection[str] | None,
    ) -> None:
        self.found = Found()
        self._type, self._types, self._steps, self._roles = type_, types, steps, roles

    def step(self, step: Step) -> None:
        options = step.options
        for performer in (*options.performers, *options.fallback):
            self._performer(step.id, performer)
        for name in (*options.editable, *options.required):
            self._writable(step.id, name)
        if options.limit is not None and options.limit.startswith("field:"):
            self._field(step.id, options.limit.removeprefix("field:"), TIME_KINDS)
        for chosen in options.chooses:
            if chosen not in self._steps:
                self.found.say(step.id, "noStep", f"没有环节 {chosen}", f"there is no step {chosen}")
        self.state(step.id, options.state)
        self._count(step.id, options, step.many)

    def state(self, element: str, value: str | None) -> None:
        """Complain about a state the type does not have."""
        if value is not None and self._type.state(value) is None:
            self.found.say(
                element,
                "noState",
                f"“{self._type.label.zh}”没有状态 {value}",
                f"{self._type.name} has no state {value}",
            )

    def _count(self, element: str, options: StepOptions, many: Many | None) -> None:
        if not options.performers and many is None and options.fallback == ("role:admin",):
            self.found.note(
                element, "nobody", "没有写明办理人，由管理员办理", "nobody is named: administrators have it"
            )

    # ------------------------------------------------------------ people

    def _performer(self, element: str, performer: str) -> None:
        word, _, rest = performer.partition(":")
        if word == "field":
            self._field(element, rest, PEOPLE_KINDS)
        elif word == "head":
            self._field(element, rest, DEPARTMENT_KINDS)
        elif word == "of" and rest not in self._steps:
            self.found.say(element, "noStep", f"没有环节 {rest}", f"there is no step {rest}")
        elif word == "rule" and self._type.rules is None:
            self.found.say(
                element, "noRules", f"该类型没有规则代码，不能找 {rest}", f"the type has no rules to ask for {rest}"
            )
        elif word == "role" and self._roles is not None and rest not in self._roles:
            self.found.note(
                element,
                "newRole",
                f"角色 {rest} 还没有人用过",
                f"no module names the role {rest}: grant it to somebody",
            )

    # ------------------------------------------------------------ fields

    def _writable(self, element: str, path: str) -> None:
        if path == ALL_FIELDS:
            return
        fields = self._field(element, path, frozenset(FieldKind), through_references=False)
        if any(one.see == (NOBODY,) for one in fields):
            self.found.say(
                element, "hidden", f"字段 {path} 已被隐藏，不能填写", f"{path} is hidden: nobody can fill it in"
            )
        if any(one.computed or one.formula for one in fields):
            self.found.say(
                element,
                "notWritable",
                f"字段 {path} 由系统计算，不能填写",
                f"{path} is computed: nobody can fill it in",
            )

    def _field(
        self, element: str, path: str, kinds: Collection[FieldKind], *, through_references: bool = True
    ) -> list[Field]:
        """The fields along a path; complains when one is missing or the last has another kind."""
        along = list(_follow(self._type, path.split("."), self._types, through_references))
        if len(along) < len(path.split(".")):
            self.found.say(
                element, "noField", f"“{self._type.label.zh}”没有字段 {path}", f"{self._type.name} has no field {path}"
            )
            return []
        if along[-1].kind not in kinds:
            self.found.say(
                element,
                "wrongField",
                f"字段 {path} 是 {along[-1].kind}，不能用在这里",
                f"{path} is a {along[-1].kind}, which cannot be used here",
            )
        return along


def _follow(
    type_: TypeDefinition, path: list[str], types: Mapping[str, TypeDefinition], through_references: bool
) -> Iterator[Field]:
    """The fields along a path, as far as they are there."""
    fields = {one.name: one for one in type_.every_field}
    for name in path:
        field = fields.get(name)
        if field is None:
            return
        yield field
        fields = {one.name: one for one in field.fields}
        target = types.get(field.target or "")
        if not fields and target is not None and through_references:
            fields = {one.name: one for one in target.every_field}
