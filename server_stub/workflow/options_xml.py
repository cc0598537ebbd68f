"""`tongban:step` and its relatives in a file: step options, instances, end states and service names read and written."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from lxml import etree

from server_stub.workflow.bpmn_xml import TONGBAN, Element, child, extension, name_of, q
from server_stub.workflow.options import Label, StepOptions
from server_stub.workflow.process_file import Many

_LISTS: Final = frozenset({"performers", "fallback", "editable", "required", "chooses"})
_FLAGS: Final = frozenset({"attachments", "skipRepeated"})
_MAX_VALUE: Final = 5_000
MAX_LABEL: Final = 200


class BadOptions(ValueError):
    """Something in a tongban: element that cannot be meant; the text says which and why."""


def load_options(element: Element) -> StepOptions | None:
    """The options an element of the file names; None: it has no tongban:step.

    Raises:
        BadOptions: an unknown attribute, or a value that is none.
    """
    step = extension(element, "step", TONGBAN)
    if step is None:
        return None
    data: dict[str, Any] = {}
    for name, text in step.attrib.items():
        if len(text) > _MAX_VALUE:
            raise BadOptions(f"{name} is too long")
        data[name] = _value(name, text)
    data["actions"] = [_action(one) for one in step.iter(q("action", TONGBAN))]
    label = load_label(element)
    if label is not None:
        data["label"] = msgspec.to_builtins(label)
    options: StepOptions = _convert(data, StepOptions)
    return options


def _value(name: str, text: str) -> Any:
    if name in _LISTS:
        return [one.strip() for one in text.split(",") if one.strip()]
    if name in _FLAGS:
        return {"true": True, "false": False}.get(text, text)
    if name == "count" and text.isascii() and text.isdigit() and len(text) < 6:
        return int(text)
    return text


def _action(element: Element) -> dict[str, Any]:
    data: dict[str, Any] = {name: text for name, text in element.attrib.items() if name not in {"zh", "en"}}
    if "zh" in element.attrib or "en" in element.attrib:
        zh, en = element.get("zh"), element.get("en")
        data["label"] = {"zh": zh or en, "en": en or zh}
    return data


def _convert(data: Mapping[str, Any], kind: type[Any]) -> Any:
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise BadOptions(str(error)) from None


def load_label(element: Element) -> Label | None:
    """What an element is called in both languages: its tongban:label, for a step also within tongban:step; a language not given is the element's name.

    None: it has none, or a language is missing.
    """
    found = extension(element, "label", TONGBAN)
    if found is None:
        return None
    zh, en = ((str(found.get(one) or "").strip() and str(found.get(one)))[:MAX_LABEL] for one in ("zh", "en"))
    name = name_of(element)
    return Label(zh=zh or name, en=en or name) if (zh or name) and (en or name) else None


def write_label(element: Element, label: Label | None) -> None:
    """Put a label into the element's extension elements; what its name says already is left out."""
    if label is None:
        return
    found, name = renew(element, "label"), name_of(element)
    for key, words in (("zh", label.zh), ("en", label.en)):
        if words != name or key == "en":
            found.set(key, words)


def write_options(element: Element, options: StepOptions) -> None:
    """Put the options into the element's extension elements, instead of those there; defaults are not written. The label is in them."""
    holder = child(element, "extensionElements")
    for loose in () if holder is None else holder.findall(q("label", TONGBAN)):
        loose.getparent().remove(loose)
    step = renew(element, "step")
    data = msgspec.to_builtins(options)
    actions, label = data.pop("actions", ()), data.pop("label", None)
    for name, value in data.items():
        if name in _LISTS:
            step.set(name, ",".join(value))
        elif isinstance(value, bool):
            step.set(name, "true" if value else "false")
        else:
            step.set(name, str(value))
    if label:
        etree.SubElement(step, q("label", TONGBAN), label)
    for action in actions:
        words = action.pop("label", {})
        etree.SubElement(step, q("action", TONGBAN), {**action, **words})


def load_many(element: Element) -> Many | None:
    """The instances that an earlier reading wrote down; None: none.

    Raises:
        BadOptions: an unknown attribute or value.
    """
    found = extension(element, "many", TONGBAN)
    if found is None:
        return None
    data: dict[str, Any] = dict(found.attrib)
    data["sequential"] = data.get("sequential") == "true"
    many: Many = _convert(data, Many)
    if (many.collection is None) == (many.cardinality is None):
        raise BadOptions("many needs either a collection or a cardinality")
    return many


def write_many(element: Element, many: Many) -> None:
    """Put the instances into the element's extension elements."""
    found = renew(element, "many")
    for name, value in msgspec.to_builtins(many).items():
        if value is not None:
            found.set(name, ("true" if value else "false") if isinstance(value, bool) else value)


def load_word(element: Element, name: str, attribute: str) -> str | None:
    """One attribute of a tongban: element, as the name of `tongban:service` or the state of `tongban:end`."""
    found = extension(element, name, TONGBAN)
    value = None if found is None else found.get(attribute)
    return None if value is None else str(value).strip()[:200]


def renew(element: Element, name: str) -> Element:
    """An empty tongban: element of that name among the extension elements, the old ones gone."""
    holder = child(element, "extensionElements")
    if holder is None:
        holder = etree.Element(q("extensionElements"))
        element.insert(len(element.findall(q("documentation"))), holder)
    for old in list(holder.iter(q(name, TONGBAN))):
        old.getparent().remove(old)
    return etree.SubElement(holder, q(name, TONGBAN))
