"""A model's whole-file edit as a patch: brought back to the file that was given, held to the rules of all patches."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from opsloop.core.errors import InvalidInput
from opsloop.incidents.diagnosis.patches import linting, making

# A mended workflow differs in few lines; one that differs in more was written anew.
LINES = 30
# What a file has as many of afterwards: anchors, aliases and tags make bombs, and none of them mends a job.
_GROWING = re.compile(r"(?:^|[\s\[{,:-])[&*!][\w!/<]", re.MULTILINE)


def patch(before: str, shown: str, after: str, *, name: str) -> str | None:
    """The edit as a unified diff of `before`; None where it may not be shown.

    Args:
        before: the file as it was given.
        shown: as the model saw it, without secrets and personal data.
        after: the whole file as the model wrote it.
    """
    mended = _brought_back(before, shown, after if after.endswith("\n") or not before.endswith("\n") else after + "\n")
    if mended is None or len(_GROWING.findall(mended)) > len(_GROWING.findall(before)):
        return None
    try:
        if linting.grants(making.read(before)) != linting.grants(making.read(mended)):
            return None
        return making.checked(before, mended, name=name)
    except InvalidInput:  # what it wrote is no YAML, or a bomb
        return None


def _brought_back(before: str, shown: str, after: str) -> str | None:
    """The edit on the lines that were given; None when it touches a line that was redacted, or too many."""
    given, seen, made = (text.splitlines(keepends=True) for text in (before, shown, after))
    if len(given) != len(seen) or len(made) > len(seen) + LINES:
        return None
    changed = 0
    mended: list[str] = []
    for kind, start, end, new_start, new_end in SequenceMatcher(None, seen, made, autojunk=False).get_opcodes():
        if kind == "equal":
            mended += given[start:end]
            continue
        changed += max(end - start, new_end - new_start)
        if changed > LINES or given[start:end] != seen[start:end]:
            return None
        mended += made[new_start:new_end]
    return "".join(mended)
