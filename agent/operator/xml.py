"""XML of the m2m portal, whose names come with `-`, `_` or no joiner, in any case."""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

__all__ = ["parse", "plain", "text"]


def parse(body: bytes) -> Element | None:
    """Parse a document; None where it is none, or has entities or a document type."""
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError):
        return None
    return root


def plain(name: str) -> str:
    """Give what two spellings of a name have in common."""
    return name.replace("-", "").replace("_", "").replace(" ", "").lower()


def text(element: Element, name: str) -> str:
    """Give the text of a child, "" where there is none."""
    wanted = plain(name)
    found = next((one for one in element if plain(str(one.tag)) == wanted), None)
    return "" if found is None else (found.text or "").strip()
