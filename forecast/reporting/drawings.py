"""Inline SVG as a file or an image of its own: colours fixed, everything said that a page would have said for it."""

from __future__ import annotations

import base64
import re

LIGHT = {"ink-soft": "#59616a", "c1": "#1f6fb2", "c2": "#c2500a", "c3": "#0a7d5c", "c4": "#9c3f7c", "c5": "#6b6b6b"}
FONT = "'DejaVu Sans', Verdana, 'Segoe UI', sans-serif"
BAR_STYLES = {
    'path class="pr"': 'path fill="none" stroke="#6b6b6b" stroke-width="3" stroke-linecap="round"',
    'path class="po"': 'path fill="none" stroke="#1f6fb2" stroke-width="3" stroke-linecap="round"',
    'circle class="pr"': 'circle fill="#ffffff" stroke="#6b6b6b" stroke-width="2"',
    'circle class="po"': 'circle fill="#1f6fb2"',
}


def standalone(svg: str, paper: bool = False) -> str:
    """An inline SVG as the text of a file: namespace, size and font stated.

    Its colours are those that hold on white and on near-black alike, or on ``paper`` the darker ones of the page in its
    light scheme.

    >>> standalone('<svg viewBox="0 0 4 2"><path style="fill: var(--c1, #2f7fc1)"/></svg>')[-35:]
    '<path style="fill: #2f7fc1"/></svg>'
    """
    _, _, width, height = re.search(r'viewBox="([^"]*)"', svg)[1].split()  # type: ignore[index]
    said = f'xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="{FONT}"'
    fixed = re.sub(r"var\(--([\w-]+), (#\w+)\)", lambda m: LIGHT[m[1]] if paper else m[2], svg)
    return fixed.replace("<svg ", f"<svg {said} ", 1)


def bars_on_paper(svg: str) -> str:
    """Bars of `page.interval_bars` whose colours do not come from a style sheet."""
    for marked, styled in BAR_STYLES.items():
        svg = svg.replace(marked, styled)
    return svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" width="160" height="22" ', 1)


def data_uri(text: str, kind: str) -> str:
    """Text as an address that holds it, so that a link needs no file beside it.

    >>> data_uri("a", "text/csv")
    'data:text/csv;charset=utf-8;base64,YQ=='
    """
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"
