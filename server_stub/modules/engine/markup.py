"""Rich text made safe, and the plain words of it."""

import html
import re
from collections import Counter
from typing import Final

import nh3

HTML_TAGS: Final = frozenset(
    {"p", "br", "hr", "h1", "h2", "h3", "h4", "blockquote", "pre", "code", "div", "span", "a"}
    | {"strong", "b", "em", "i", "u", "s", "sub", "sup", "ul", "ol", "li"}
    | {"table", "thead", "tbody", "tr", "th", "td"}
)
HTML_ATTRIBUTES: Final = {"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}, "ol": {"start"}}
URL_SCHEMES: Final = frozenset({"http", "https", "mailto"})
MAX_HTML_DEPTH: Final = 100
_TAG: Final = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_NEVER_NESTED: Final = frozenset({"p", "br", "hr", "li", "tr", "td", "th", "thead", "tbody", "img"})
_ABSOLUTE: Final = re.compile(r"\s*(?:https?://|mailto:)", re.IGNORECASE)
_SMALL_NUMBER: Final = re.compile(r"\d{1,3}\Z", re.ASCII)
_BLOCK_END: Final = re.compile(r"</(?:p|li|h[1-4]|tr|td|div)>|<br\s*/?>", re.IGNORECASE)


class UnsafeMarkup(ValueError):
    """HTML that cannot be taken; the text is a sentence for developers."""


def clean_html(text: str) -> str:
    """HTML with nothing in it that acts: no scripts, styles, frames, pictures from elsewhere; links open nothing by themselves.

    Raises:
        UnsafeMarkup: nested deeper than any notice needs (a parser, here or in a client, takes time or stack for each level).
    """
    _refuse_deep(text)
    return nh3.clean(
        text,
        attribute_filter=_safe_attribute,
        tags=set(HTML_TAGS),
        attributes=HTML_ATTRIBUTES,
        url_schemes=set(URL_SCHEMES),
        link_rel="noopener noreferrer",
    )


def _refuse_deep(text: str) -> None:
    opened: Counter[str] = Counter()
    closed_by_the_next = _NEVER_NESTED
    depth = 0
    for closing, name in _TAG.findall(text):
        tag = name.lower()
        if tag in ("svg", "math"):
            closed_by_the_next = frozenset()  # in foreign content any tag nests
        if tag in closed_by_the_next or (closing and not opened[tag]):
            continue
        step = -1 if closing else 1
        opened[tag] += step
        depth += step
        if depth > MAX_HTML_DEPTH:
            raise UnsafeMarkup(f"tags are nested at most {MAX_HTML_DEPTH} deep")


def _safe_attribute(tag: str, name: str, value: str) -> str | None:
    """Links without a scheme lead to shares and files of the reader's own machine; a cell over a million columns stops a client."""
    if name == "href":
        return value if _ABSOLUTE.match(value) else None
    return value if name == "rel" or _SMALL_NUMBER.match(value) else None


def plain_text(markup: str, longest: int) -> str:
    """The words of some HTML in one line, cut to `longest` characters: for alerts and previews."""
    return one_line(html.unescape(nh3.clean(_BLOCK_END.sub(" ", markup), tags=set())), longest)


def one_line(text: str, longest: int) -> str:
    """A text without line breaks, cut to `longest` characters."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"
