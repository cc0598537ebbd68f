"""What an administrator gives as a process: a .bpmn as text, or the designer's step list; both become a file that runs, or a refusal by element."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.workflow.process_file import BpmnRefused, Problem, ProcessFile
from server_stub.workflow.reading import read_bpmn
from server_stub.workflow.step_list import StepList, StepListRefused
from server_stub.workflow.step_list_write import write_step_list

MAX_BPMN: Final = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Content:
    """A file that runs, and the .bpmn it was read from."""

    file: ProcessFile
    source: bytes


def take_content(given: Mapping[str, Any]) -> Content:
    """The content of a draft from `bpmn` or `stepList`, exactly one of them.

    Raises:
        SetError: invalidProperties, with `problems` by element where the file cannot run.
    """
    names = [name for name in ("bpmn", "stepList") if given.get(name) is not None]
    if len(names) != 1:
        raise invalid_properties("either a file or a step list", "bpmn", "stepList")
    name = names[0]
    try:
        source = _text(given[name]) if name == "bpmn" else write_step_list(msgspec.convert(given[name], StepList))
        return Content(read_bpmn(source), source)
    except msgspec.ValidationError as problem:
        raise invalid_properties(str(problem)[:300], name) from None
    except (BpmnRefused, StepListRefused) as refused:
        raise refused_file(name, "it cannot run", refused.problems) from None


def refused_file(name: str, why: str, problems: Sequence[Problem]) -> SetError:
    """What a process is refused with: `problems` name the elements."""
    return SetError(SetErrorType.INVALID_PROPERTIES, why, [name], problems=msgspec.to_builtins(list(problems)))


def _text(value: Any) -> bytes:
    if not isinstance(value, str):
        raise invalid_properties("must be the text of a .bpmn file", "bpmn")
    source = value.encode("utf-8", "surrogatepass")
    if len(source) > MAX_BPMN:
        raise invalid_properties(f"at most {MAX_BPMN} bytes", "bpmn")
    return source
