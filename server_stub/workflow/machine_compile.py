"""Process files made into SpiffWorkflow specs with our kinds of elements, kept in memory by the hash of the files: cases are saved without them."""

from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Any, ClassVar, Final

from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser, full_tag
from SpiffWorkflow.bpmn.parser.ProcessParser import ProcessParser
from SpiffWorkflow.bpmn.parser.task_parsers import (
    CallActivityParser,
    ConditionalGatewayParser,
    GatewayParser,
    SubWorkflowParser,
)
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.specs.event_definitions import MultipleEventDefinition, NoneEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.message import MessageEventDefinition
from SpiffWorkflow.bpmn.specs.mixins.events.intermediate_event import BoundaryEvent, EventBasedGateway
from SpiffWorkflow.bpmn.specs.mixins.events.start_event import StartEvent
from SpiffWorkflow.bpmn.specs.mixins.subworkflow_task import (
    AdHocSubprocess,
    CallActivity,
    EventSubprocess,
    SubWorkflowTask,
)

from server_stub.workflow.machine_faults import ProcessRefused
from server_stub.workflow.machine_specs import (
    CaseCall,
    CaseInclusive,
    CaseLoop,
    CaseManyParallel,
    CaseManySequential,
    CaseParallel,
    CaseProcessSpec,
    CaseService,
    CaseSubProcess,
    CaseTransaction,
)
from server_stub.workflow.machine_timers import converted
from server_stub.workflow.process_file import ProcessFile

KEPT_PROCESSES: Final = 64


class _CaseProcessParser(ProcessParser):  # type: ignore[misc]
    def create_spec(self) -> CaseProcessSpec:
        return CaseProcessSpec(name=self.bpmn_id, description=self.get_name(), filename=self.filename)


class _CaseParser(BpmnParser):  # type: ignore[misc]
    PROCESS_PARSER_CLASS = _CaseProcessParser
    OVERRIDE_PARSER_CLASSES: ClassVar[dict[str, tuple[Any, Any]]] = {
        full_tag("parallelGateway"): (GatewayParser, CaseParallel),
        full_tag("inclusiveGateway"): (ConditionalGatewayParser, CaseInclusive),
        full_tag("subProcess"): (SubWorkflowParser, CaseSubProcess),
        full_tag("transaction"): (SubWorkflowParser, CaseTransaction),
        full_tag("callActivity"): (CallActivityParser, CaseCall),
        full_tag("serviceTask"): (TaskParser, CaseService),
    }


# The parsers of all tasks look these up on their common base, which is the only place SpiffWorkflow leaves to name them.
TaskParser.STANDARD_LOOP_CLASS = CaseLoop
TaskParser.PARALLEL_MI_CLASS = CaseManyParallel
TaskParser.SEQUENTIAL_MI_CLASS = CaseManySequential


class Compiled:
    """What runs a process and all it calls.

    Attributes:
        key: id and hash of the main file and of each called one; a saved state belongs to them.
        spec, inner: SpiffWorkflow's specs: of the main process, and of each process in it or called by its id.
        services: see ProcessFile.
    """

    def __init__(self, process: ProcessFile, called: Mapping[str, ProcessFile]) -> None:
        self.key: Final = files_key(process, called)
        self.services: Final = {name: to for one in (*called.values(), process) for name, to in one.services.items()}
        parser = _CaseParser()
        _add(parser, process)
        for name, file in called.items():
            if parser.get_process_parser(name) is None:
                _add(parser, file)
        self.spec, self.inner = _specs(parser, process.id)
        for one in {id(spec): spec for spec in (self.spec, *self.inner.values())}.values():
            _adapt(one)


def files_key(process: ProcessFile, called: Mapping[str, ProcessFile]) -> tuple[tuple[str, str], ...]:
    """What a saved state belongs to."""
    return ((process.id, process.sha256), *sorted((name, file.sha256) for name, file in called.items()))


class _Kept:
    """The processes compiled last, shared by all cases; a compiled process is never written to."""

    def __init__(self) -> None:
        self._lock: Final = Lock()
        self._by_key: Final[OrderedDict[tuple[tuple[str, str], ...], Compiled]] = OrderedDict()

    def get(self, process: ProcessFile, called: Mapping[str, ProcessFile]) -> Compiled:
        key = files_key(process, called)
        with self._lock:
            found = self._by_key.get(key)
            if found is None:
                found = self._by_key[key] = Compiled(process, called)
            self._by_key.move_to_end(key)
            while len(self._by_key) > KEPT_PROCESSES:
                self._by_key.popitem(last=False)
            return found


_KEPT: Final = _Kept()


def compile_process(process: ProcessFile, called: Mapping[str, ProcessFile]) -> Compiled:
    """The specs of a process, from memory when they are there.

    Raises:
        ProcessRefused: SpiffWorkflow cannot parse it, it has something we do not run, or a called process is missing.
    """
    return _KEPT.get(process, called)


def _add(parser: Any, file: ProcessFile) -> None:
    safe = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        parser.add_bpmn_xml(etree.fromstring(file.xml, safe), file.id)
    except (etree.XMLSyntaxError, ValidationException) as error:
        raise ProcessRefused(f"{file.id}: {error}") from error


def _specs(parser: Any, process_id: str) -> tuple[Any, dict[str, Any]]:
    try:
        spec = parser.get_spec(process_id)
        inner = parser.get_subprocess_specs(process_id, require_call_activity_specs=False)
    except ValidationException as error:
        raise ProcessRefused(str(error), getattr(error, "id", "") or "") from error
    except RecursionError as error:
        raise ProcessRefused("too long a way through the process") from error
    known = {process_id: spec, **{name: one for name, one in inner.items() if one is not None}}
    for one in list(known.values()):
        _check_calls(one, known)
    return spec, known


def _check_calls(spec: Any, known: Mapping[str, Any]) -> None:
    for one in spec.task_specs.values():
        if isinstance(one, (EventSubprocess, AdHocSubprocess)):
            raise ProcessRefused("event and ad hoc sub-processes are not run", one.bpmn_id or one.name)
        if isinstance(one, (SubWorkflowTask, CallActivity)) and one.spec not in known:
            raise ProcessRefused(f"the called process {one.spec!r} is not there", one.bpmn_id or one.name)


def _adapt(spec: Any) -> None:
    """Take out what we do otherwise: predictions, copies of data, correlations, SpiffWorkflow's timers, waiting starts."""
    spec.data_objects = {}
    spec.io_specification = None
    for one in list(spec.task_specs.values()):
        one._predict = _predict_nothing
        one.data_input_associations = one.data_output_associations = []
        one.io_specification = None
        if isinstance(one, StartEvent):
            one.event_definition = NoneEventDefinition()
        elif isinstance(one, EventBasedGateway):
            pairs = zip(one.event_definition.event_definitions, one.outputs, strict=True)
            one.event_definition.event_definitions = [_event(it, to.bpmn_id) for it, to in pairs]
        elif hasattr(one, "event_definition"):
            cyclic = isinstance(one, BoundaryEvent) and not one.cancel_activity
            one.event_definition = _event(one.event_definition, one.bpmn_id, cyclic=cyclic)
        if isinstance(one, CaseInclusive):
            one.reach = {name: ways_to(spec.task_specs[name], one) for name in one._inputs}
        if isinstance(one, CaseParallel):
            back = {name for name in one._inputs if "Start" not in ways_to(spec.task_specs[name], one)}
            one.back = frozenset(back if len(back) < len(set(one._inputs)) else ())
    if len([one for one in spec.task_specs.values() if isinstance(one, StartEvent)]) > 1:
        raise ProcessRefused("more than one start", spec.name)


def _event(definition: Any, key: str, *, cyclic: bool = False) -> Any:
    if isinstance(definition, MultipleEventDefinition):
        if definition.parallel:
            raise ProcessRefused("an event that waits for several at once is not run", key)
        parts = enumerate(definition.event_definitions)
        definition.event_definitions = [converted(it, f"{key}#{n}", cyclic=False) for n, it in parts]
    if isinstance(definition, MessageEventDefinition):
        definition.correlation_properties = []
    return converted(definition, key, cyclic=cyclic)


def _predict_nothing(*_arguments: object, **_options: object) -> None:
    """In place of SpiffWorkflow's prediction, which would never end in a loop without a gateway."""


def ways_to(goal: Any, gateway: Any) -> frozenset[str]:
    """Names of the elements from which `goal` is reached without passing the gateway, its own among them."""
    found, work = {goal.name}, [goal]
    while work:
        for one in work.pop().inputs:
            if one is not gateway and one.name not in found:
                found.add(one.name)
                work.append(one)
    return frozenset(found)
