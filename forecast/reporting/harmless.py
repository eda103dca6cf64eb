"""Sections of a report that a run file keeps, held to what this package writes before they are put into a page.

Their figures go into the page as they are and their names become names of files, so a run file from elsewhere could
bring a script, or a path. What is not as we write it counts as damaged: the section is made anew.
``tests/robustness/test_file_security.py`` pins it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree import ElementTree

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
ELEMENTS = frozenset({"svg", "g", "path", "text", "tspan", "use", "defs", "title", "clipPath", "rect"})
ATTRIBUTES = frozenset(
    {
        "style",
        "d",
        "x",
        "y",
        "width",
        "height",
        "clip-path",
        "transform",
        "href",
        "id",
        "viewBox",
        "role",
        "aria-labelledby",
    }
)
VIEW = re.compile(r'<svg viewBox="-?[\d.]+( -?[\d.]+){3}"')
INSIDE = re.compile(r"url\(#[\w-]+\)")  # the only address that a figure needs
ELSEWHERE = re.compile(r"url|script|expression|import|[\\@<]|//", re.IGNORECASE)


def harmless(sections: Iterable[Mapping[str, Any]]) -> bool:
    """Whether names are plain words and figures plain drawings."""
    for section in sections:
        figures, tables = section["figures"], section["tables"]
        inner = [one["table"] for one in figures if one.get("table")]
        names = [section["name"], *(one["name"] for one in (*figures, *tables, *inner))]
        if not all(isinstance(name, str) and NAME.fullmatch(name) for name in names):
            return False
        if not all(plain_drawing(one["svg"]) for one in figures):
            return False
    return True


def plain_drawing(svg: Any) -> bool:
    """Whether a text is an SVG of shapes and words that points at nothing outside itself.

    >>> plain_drawing('<svg viewBox="0 0 1 1"><path d="M 0 0" style="fill: none"/></svg>')
    True
    >>> plain_drawing('<svg viewBox="0 0 1 1" onload="alert(1)"/>'), plain_drawing("<svg><script>1</script></svg>")
    (False, False)
    """
    if not isinstance(svg, str) or "<!" in svg or "<?" in svg or not VIEW.match(svg):
        return False
    try:
        root = ElementTree.fromstring(svg)
    except (ElementTree.ParseError, RecursionError, ValueError):
        return False
    return all(plain_element(element) for element in root.iter())


def plain_element(element: ElementTree.Element) -> bool:
    """Whether an element and its attributes are among those that a figure needs."""
    if element.tag not in ELEMENTS or not ATTRIBUTES.issuperset(element.attrib):
        return False
    href = element.attrib.get("href", "#")
    return href.startswith("#") and not any(
        ELSEWHERE.search(INSIDE.sub("", value)) for value in element.attrib.values()
    )
