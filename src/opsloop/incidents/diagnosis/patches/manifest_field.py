"""A field that Kubernetes does not know and that is nearly one it does, spelt as that one."""

from __future__ import annotations

import re
from typing import Any

from opsloop.incidents.diagnosis.known import Match
from opsloop.incidents.diagnosis.patches import fields, keys
from opsloop.incidents.diagnosis.scanning import Scan

KIND = "manifest_field"


def mend(document: Any, match: Match, scan: Scan) -> bool:
    path = re.sub(r"\[\d+\]", "", match.groups.get("field", ""))
    key = path.rpartition(".")[2]
    wrong = [each for each in fields.unknown(document) if each.key == key and (each.path == path or "." not in path)]
    if len(wrong) != 1:
        return False
    right = keys.nearest(key, wrong[0].known, taken=wrong[0].mapping)
    if right is None:
        return False
    keys.rename(wrong[0].mapping, key, right)
    return True
