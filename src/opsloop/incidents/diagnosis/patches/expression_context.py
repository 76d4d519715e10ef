"""A context that an expression misspells, `matirx.python`. Never `secrets`: a patch adds no use of one."""

from __future__ import annotations

import re
from typing import Any

from opsloop.incidents.diagnosis.known import Match
from opsloop.incidents.diagnosis.patches import keys
from opsloop.incidents.diagnosis.scanning import Scan

KIND = "expression_context"
# Source: GitHub's "Contexts reference"; `secrets` is left out.
CONTEXTS = ("github", "env", "vars", "job", "jobs", "steps", "runner", "strategy", "matrix", "needs", "inputs")


def mend(document: Any, match: Match, scan: Scan) -> bool:
    wrong = match.groups.get("context", "")
    right = keys.nearest(wrong, CONTEXTS)
    if right is None or keys.nearest(wrong, (*CONTEXTS, "secrets")) == "secrets":
        return False
    return _replace(document, re.compile(rf"(\$\{{\{{[^}}]*?(?<![\w.-])){re.escape(wrong)}(?=[.\[])"), right)


def _replace(node: Any, wrong: re.Pattern[str], right: str) -> bool:
    changed = False
    for key, each in list(node.items()) if isinstance(node, dict) else list(enumerate(node)):
        if isinstance(each, dict | list):
            changed = _replace(each, wrong, right) or changed
        elif isinstance(each, str) and wrong.search(each):
            # The kind of text stays: a block or a quoted one.
            node[key] = type(each)(wrong.sub(rf"\g<1>{right}", each))
            changed = True
    return changed
