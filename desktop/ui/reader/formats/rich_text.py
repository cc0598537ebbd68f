"""Text with form, ready for Qt's own rich text: HTML made safe, with the pictures that came inside the file. No widgets."""

from __future__ import annotations

import msgspec


class RichText(msgspec.Struct, frozen=True):
    """HTML of the few elements below; `pictures` by the names its `img` elements use. `markdown`: the text is Markdown instead."""

    text: str
    pictures: dict[str, bytes] = {}
    markdown: bool = False


TAGS = frozenset(
    {"p", "br", "h1", "h2", "h3", "h4", "h5", "h6", "b", "strong", "i", "em", "u", "s", "sub", "sup", "a", "img", "hr"}
    | {"ul", "ol", "li", "table", "thead", "tbody", "tr", "td", "th", "blockquote", "pre", "code"}
)
ATTRIBUTES = {"a": {"href", "id"}, "img": {"src", "alt"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}


def clean_html(html: str) -> str:
    """The HTML with nothing but the elements we draw; pictures only from inside (`part:`), links kept as text to see."""
    import nh3

    return nh3.clean(
        html, tags=set(TAGS), attributes=ATTRIBUTES, url_schemes={"http", "https", "mailto", "part"}, link_rel=None
    )
