"""The XML of a BPMN file: parsed without entities, network or bombs, within limits; names of elements, small steps over the tree. lxml shows here."""

import math
import re
from collections.abc import Iterator
from typing import Any, Final

from lxml import etree

from server_stub.workflow.process_file import BpmnRefused, Problem

Element = Any
"""An lxml element: the library ships no types."""

BPMN: Final = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI: Final = "http://www.omg.org/spec/BPMN/20100524/DI"
DC: Final = "http://www.omg.org/spec/DD/20100524/DC"
DI: Final = "http://www.omg.org/spec/DD/20100524/DI"
TONGBAN: Final = "urn:tongban:bpmn"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
NAMESPACES: Final = {"bpmn": BPMN, "bpmndi": BPMNDI, "dc": DC, "di": DI, "tongban": TONGBAN, "xsi": XSI}
CAMUNDA: Final = "http://camunda.org/schema/1.0/bpmn"
ZEEBE: Final = "http://camunda.org/schema/zeebe/1.0"
FLOWABLE: Final = "http://flowable.org/bpmn"
ACTIVITI: Final = "http://activiti.org/bpmn"
VENDORS: Final = (CAMUNDA, FLOWABLE, ACTIVITI)
"""Engines of one family: the same words in three namespaces."""

MAX_BYTES: Final = 2 * 1024 * 1024
MAX_ELEMENTS: Final = 20_000
MAX_DEPTH: Final = 60
MAX_ATTRIBUTE: Final = 10_000
MAX_TEXT: Final = 100_000
_DECLARATION: Final = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_DECLARED: Final = re.compile(rb"""^\s*<\?xml[^>]{0,100}encoding\s*=\s*["']([A-Za-z0-9._-]{1,20})["']""")
_ENCODINGS: Final = frozenset({"gbk", "gb2312", "gb18030", "big5", "iso-8859-1", "windows-1252"})


def refuse(code: str, zh: str, en: str, element: str = "") -> BpmnRefused:
    """The exception for one reason."""
    return BpmnRefused((Problem(element, code, zh, en),))


def parse_xml(data: bytes) -> Element:
    """The root element; comments and processing instructions are gone.

    Raises:
        BpmnRefused: too large, too deep, no XML, a DTD or entities.
    """
    if len(data) > MAX_BYTES:
        raise refuse("tooLarge", "文件超过 2 MB", f"the file is larger than {MAX_BYTES} bytes")
    text = _decode(data)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise refuse("doctype", "文件含有 DTD 或实体声明，不予读取", "the file has a DTD or entities")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=True,
        encoding="utf-8",
    )
    try:
        root = etree.fromstring(_DECLARATION.sub("", text, count=1).encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise refuse("xml", f"不是有效的 XML：{error}", f"not XML: {error}") from None
    _check_limits(root)
    return root


def _decode(data: bytes) -> str:
    """UTF-8 whatever the file declares, for a text sent in JSON keeps its old declaration; else UTF-16 by its mark, else as declared."""
    declared = _DECLARED.match(data[:200])
    named = declared[1].decode().lower() if declared else "utf-8"
    tries = ["utf-16"] if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else ["utf-8-sig", *({named} & _ENCODINGS)]
    for encoding in tries:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise refuse("encoding", f"文件编码有误或不受支持：{named}", f"bytes that are no {named}, or it is not supported")


def _check_limits(root: Element) -> None:
    level, count = [root], 0
    for _depth in range(MAX_DEPTH):
        count += len(level)
        if count > MAX_ELEMENTS:
            raise refuse("tooLarge", "元素过多", f"more than {MAX_ELEMENTS} elements")
        for element in level:
            if any(len(value) > MAX_ATTRIBUTE for value in element.attrib.values()):
                raise refuse("tooLarge", "属性值过长", "an attribute is too long")
            if len(element.text or "") > MAX_TEXT:
                raise refuse("tooLarge", "文本过长", "a text is too long")
        level = [child for element in level for child in element]
        if not level:
            return
    raise refuse("tooDeep", "元素嵌套过深", f"elements are nested deeper than {MAX_DEPTH}")


def q(name: str, namespace: str = BPMN) -> str:
    """The full name of an element or attribute."""
    return f"{{{namespace}}}{name}"


def local(element: Element) -> str:
    """The name of a BPMN element without its namespace; "" for elements of others."""
    tag = element.tag
    return tag[len(BPMN) + 2 :] if isinstance(tag, str) and tag.startswith(f"{{{BPMN}}}") else ""


def bare(element: Element) -> str:
    """The name without whatever namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def id_of(element: Element) -> str:
    """The element's id; "" where it has none."""
    return str(element.get("id") or "")


def name_of(element: Element) -> str:
    """The element's name in one line, at most 200 characters; else ""."""
    return " ".join(str(element.get("name") or "").split())[:200]


def text_of(element: Element | None) -> str:
    """The text of an element, stripped; "" for none."""
    return "" if element is None else "".join(element.itertext()).strip()


def children(element: Element, *names: str) -> list[Element]:
    """The BPMN children of these names, in order."""
    return [child for child in element if local(child) in names]


def child(element: Element, name: str) -> Element | None:
    """The first of them."""
    return element.find(q(name))


def descendants(element: Element, *names: str) -> Iterator[Element]:
    """BPMN elements of these names below, in the order of the file."""
    yield from element.iter(*(q(name) for name in names))


def extension(element: Element, name: str, *namespaces: str) -> Element | None:
    """The first extension element of that name in one of the namespaces."""
    holder = child(element, "extensionElements")
    if holder is None:
        return None
    return next((found for space in namespaces for found in holder.iter(q(name, space))), None)


def vendor_attribute(element: Element, name: str) -> str | None:
    """An attribute in a namespace of the Camunda 7, Flowable, Activiti family."""
    return next((str(value) for space in VENDORS if (value := element.get(q(name, space))) is not None), None)


def float_of(value: str | None) -> float | None:
    """A finite coordinate; None: none, or out of all bounds."""
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) < 1e6 else None


def to_bytes(root: Element) -> bytes:
    """The tree as UTF-8, namespaces tidied so that equal trees give equal bytes."""
    etree.cleanup_namespaces(root, top_nsmap=NAMESPACES, keep_ns_prefixes=list(NAMESPACES))
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))
