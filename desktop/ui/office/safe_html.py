"""HTML of records made safe a second time on the way to the screen: an allow-list, no styles, no pictures, no scripts.

The server cleans it too; a client that trusted that would show whatever a broken or hostile server sends.
"""

from __future__ import annotations

from urllib.parse import urlsplit

TAGS = frozenset(
    "p br hr b strong i em u s sub sup h1 h2 h3 h4 blockquote pre code ul ol li table thead tbody tr th td a".split()
)
ATTRIBUTES = {"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}, "ol": {"start"}}
SCHEMES = {"http", "https"}
MOST_CHARACTERS = 400_000
"""More than any notice; laying out more would hold the screen."""


def safe_html(body: str) -> str:
    """Only the allowed tags and links of `body`; everything else is dropped, text stays."""
    import nh3

    return nh3.clean(
        body[:MOST_CHARACTERS],
        tags=set(TAGS),
        clean_content_tags={"script", "style", "title", "iframe", "object", "svg", "math"},
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel=None,
        strip_comments=True,
    )


def may_open(address: str) -> bool:
    """Whether a link may be handed to the browser: http and https with a host, nothing else."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme.lower() in SCHEMES and bool(parts.hostname)
