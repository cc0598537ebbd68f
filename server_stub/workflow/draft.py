"""A BPMN file on its way to a process that runs: the tree, what was changed so far, what is wrong with it. The passes of normalise*.py work on it in turn."""

from typing import Final

from lxml import etree

from server_stub.workflow.bpmn_xml import Element, children, descendants, id_of, local, q
from server_stub.workflow.process_file import BpmnRefused, Note, Problem

CONTAINERS: Final = ("process", "subProcess", "transaction")
PEOPLE_TASKS: Final = ("userTask", "manualTask")
GATEWAYS: Final = ("exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway")
EVENTS: Final = ("startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent")
ACTIVITIES: Final = (
    *PEOPLE_TASKS,
    "scriptTask",
    "serviceTask",
    "sendTask",
    "receiveTask",
    "callActivity",
    "subProcess",
    "transaction",
)
FLOW_NODES: Final = (*ACTIVITIES, *GATEWAYS, *EVENTS)
MAX_PROBLEMS: Final = 50


class Draft:
    """A file being normalised. `main` and `processes` are set by the first pass."""

    def __init__(self, root: Element) -> None:
        self.root = root
        self.main: Element = None
        self.processes: list[Element] = []
        self.notes: list[Note] = []
        self.problems: list[Problem] = []
        self._ids = {id_of(one) for one in root.iter() if one.get("id")}

    def note(self, element: Element | str, code: str, zh: str, en: str) -> None:
        """Something was changed or guessed."""
        self.notes.append(Note(element if isinstance(element, str) else id_of(element), code, zh, en))

    def refuse(self, element: Element | str, code: str, zh: str, en: str) -> None:
        """Something cannot run; reading goes on to find the rest."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(element if isinstance(element, str) else id_of(element), code, zh, en))

    def stop_if_refused(self) -> None:
        """Between passes that stand on each other.

        Raises:
            BpmnRefused: with all problems found so far.
        """
        if self.problems:
            raise BpmnRefused(self.problems)

    def new_id(self, wish: str) -> str:
        """An id nothing in the file has."""
        found, number = wish, 1
        while found in self._ids:
            number += 1
            found = f"{wish}_{number}"
        self._ids.add(found)
        return found

    def containers(self) -> list[Element]:
        """The processes and the sub-processes in them, outer ones first."""
        return [one for process in self.processes for one in process.iter(*(q(name) for name in CONTAINERS))]

    def nodes(self, *names: str) -> list[Element]:
        """Flow nodes of these kinds (all kinds without names), in the order of the file."""
        return [one for process in self.processes for one in descendants(process, *(names or FLOW_NODES))]

    def flows(self, container: Element) -> list[Element]:
        """The sequence flows directly in a container."""
        return children(container, "sequenceFlow")

    def outgoing(self, container: Element) -> dict[str, list[Element]]:
        """Flows by the id of the node they leave."""
        found: dict[str, list[Element]] = {}
        for flow in self.flows(container):
            found.setdefault(str(flow.get("sourceRef")), []).append(flow)
        return found

    def add(self, container: Element, kind: str, wish: str, **attributes: str) -> Element:
        """A new element of a container, with an id of its own."""
        return etree.SubElement(container, q(kind), {"id": self.new_id(wish), **attributes})


def container_of(element: Element) -> Element:
    """The process or sub-process directly around a flow node."""
    around = element.getparent()
    while local(around) not in CONTAINERS:
        around = around.getparent()
    return around


def title_of(element: Element) -> str:
    """What a sentence calls an element: its name, else its id."""
    return " ".join(str(element.get("name") or element.get("id") or "?").split())[:60]


def swap_kind(element: Element, kind: str) -> None:
    """Make an element another kind of flow node; its children stay."""
    element.tag = q(kind)
