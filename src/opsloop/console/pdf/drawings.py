"""An inline SVG as a drawing that stands by itself."""

from __future__ import annotations

from typing import Any

from opsloop.console.pdf.styles import Styles

# They run, load, or hold HTML: nothing of that is drawn.
_NOT_DRAWN = "script, foreignObject, image, feImage, animate, set"


def drawing(svg: Any, styles: Styles) -> dict[str, Any]:
    """A block; its name is what the page calls the drawing."""
    for each in svg.css(_NOT_DRAWN):
        each.decompose()
    title = svg.css_first("title")
    name = svg.attributes.get("aria-label") or (title.text() if title is not None else "") or "drawing"
    attributes = {"xmlns": "http://www.w3.org/2000/svg"}
    for key, value in attributes.items():
        svg.attrs[key] = value
    opening, _, rest = svg.html.partition(">")
    style = styles.of_drawings.replace("<", "").replace("&", "")
    return {"kind": "drawing", "svg": f"{opening}><style>{style}</style>{rest}", "name": name}
