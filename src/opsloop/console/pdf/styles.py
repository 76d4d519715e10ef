"""The few style rules that a drawing needs to be drawn without its page: colours behind names, and rules for `svg`."""

from __future__ import annotations

import re
from collections.abc import Iterator

FONT = "Libertinus Serif"
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_VARIABLE = re.compile(r"var\(\s*(--[\w-]+)\s*\)")
_NAMED = re.compile(r"(--[\w-]+)\s*:\s*([^;}]+)")
_FONT = re.compile(r"\bfont\s*:\s*[^;}]*?(\d+(?:\.\d+)?px)[^;}]*")


class Styles:
    """Rules of a page on paper: those for print over the others, those for dark screens left out."""

    def __init__(self, css: str) -> None:
        rules = [*_rules(_COMMENT.sub("", css))]
        self._values: dict[str, str] = {}
        for selector, body in rules:
            if selector == ":root":
                self._values |= {name: value.strip() for name, value in _NAMED.findall(body)}
        drawn = [f"{selector}{{{self._filled(body)}}}" for selector, body in rules if selector.startswith("svg ")]
        self.of_drawings = "\n".join([*drawn, f'text{{font-family:"{FONT}"}}'])

    def _filled(self, body: str) -> str:
        named = _VARIABLE.sub(lambda found: self._values.get(found[1], "currentColor"), body)
        return _FONT.sub(r"font-size: \1", named)


def _rules(css: str) -> Iterator[tuple[str, str]]:
    """Selector and body of each rule; of media, those for print last."""
    plain, printed, at = [], [], 0
    while (start := css.find("{", at)) >= 0:
        selector, end = css[at:start].strip(), _end(css, start)
        body = css[start + 1 : end]
        if selector.startswith("@media"):
            printed += [*_rules(body)] if selector.removeprefix("@media").strip() == "print" else []
        elif not selector.startswith("@"):
            plain.append((selector, body))
        at = end + 1
    yield from plain
    yield from printed


def _end(css: str, start: int) -> int:
    depth = 0
    for place in range(start, len(css)):
        depth += (css[place] == "{") - (css[place] == "}")
        if depth == 0:
            return place
    return len(css)
