"""Processes drawn in a few words: `Draw("p").put("userTask", "a b").flow("s a b e")`, without a layout."""

import hashlib
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from server_stub.workflow.process_file import ProcessFile

MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"


class Draw:
    """One process, or what is inside a sub-process. `s` is a start event and `e` an end event unless told otherwise."""

    def __init__(self, process_id: str = "p", start: str = "s", end: str = "e") -> None:
        self.id = process_id
        self._parts: list[str] = []
        self._flows = 0
        self._defaults: dict[str, str] = {}
        self._placed: list[tuple[str, str, str, dict[str, str]]] = []
        self.services: dict[str, str] = {}
        self.extra = ""
        if start:
            self.put("startEvent", start)
        if end:
            self.put("endEvent", end)

    def put(self, tag: str, ids: str, inner: str = "", **attributes: str) -> "Draw":
        """Elements of a kind, ids apart by blanks."""
        self._placed += [(tag, one, inner, attributes) for one in ids.split()]
        return self

    def flow(self, way: str, condition: str | None = None) -> "Draw":
        """Arrows along a row of ids; with a condition, on the first. `!` before the second id: the default way of a gateway."""
        ids = way.split()
        for number, (source, target) in enumerate(pairwise(ids)):
            self._flows += 1
            flow_id = f"f_{self.id}_{self._flows}"
            if target.startswith("!"):
                self._defaults[source] = flow_id
            asked = condition if number == 0 else None
            inner = "" if asked is None else f"<bpmn:conditionExpression>{escape(asked)}</bpmn:conditionExpression>"
            ends = f"sourceRef={quoteattr(source.lstrip('!'))} targetRef={quoteattr(target.lstrip('!'))}"
            self._parts.append(f'<bpmn:sequenceFlow id="{flow_id}" {ends}>{inner}</bpmn:sequenceFlow>')
        return self

    def body(self) -> str:
        """The elements and arrows as XML."""
        made = []
        for tag, one, inner, attributes in self._placed:
            more = {**attributes, **({"default": self._defaults[one]} if one in self._defaults else {})}
            written = "".join(f" {name}={quoteattr(value)}" for name, value in more.items())
            named = "" if "name" in more else f" name={quoteattr(one.upper())}"
            made.append(f'<bpmn:{tag} id="{one}"{named}{written}>{inner}</bpmn:{tag}>')
        return "".join(made + self._parts)

    def xml(self) -> bytes:
        """The whole file."""
        return (
            f'<bpmn:definitions xmlns:bpmn="{MODEL}" id="d" targetNamespace="t">{self.extra}'
            f'<bpmn:process id="{self.id}" name="{self.id}" isExecutable="true">{self.body()}</bpmn:process></bpmn:definitions>'
        ).encode()

    def file(self) -> ProcessFile:
        """As a process file, unread: what is tested with it is the machine alone."""
        xml = self.xml()
        return ProcessFile(
            id=self.id, name=self.id, xml=xml, sha256=hashlib.sha256(xml).hexdigest(), services=self.services
        )


def timer(kind: str, expression: str) -> str:
    """The inside of an event: `timer("duration", "PT1H")`; texts are quoted as the reader does."""
    tag = "time" + kind.capitalize()
    return f"<bpmn:timerEventDefinition><bpmn:{tag}>{escape(expression)}</bpmn:{tag}></bpmn:timerEventDefinition>"


def script(text: str) -> str:
    """The inside of a script task."""
    return f"<bpmn:script>{escape(text)}</bpmn:script>"


def many(collection: str, *, sequential: bool = False, condition: str | None = None) -> str:
    """Instances of an activity: each knows its entry as `item` and gives `result` to `results`."""
    ends = "" if condition is None else f"<bpmn:completionCondition>{escape(condition)}</bpmn:completionCondition>"
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}">'
        f"<bpmn:loopDataInputRef>{escape(collection)}</bpmn:loopDataInputRef><bpmn:loopDataOutputRef>results</bpmn:loopDataOutputRef>"
        '<bpmn:inputDataItem id="item" name="item"/><bpmn:outputDataItem id="result" name="result"/>'
        f"{ends}</bpmn:multiInstanceLoopCharacteristics>"
    )
