"""A container that is slow to start gets a startup probe like the liveness probe that killed it."""

from __future__ import annotations

import copy
from typing import Any

from opsloop.incidents.diagnosis.known import Match
from opsloop.incidents.diagnosis.scanning import Scan

KIND = "probe"
# Five minutes at the period below: what Kubernetes' documentation gives a slow start.
PERIOD_S, TRIES = 10, 30


def mend(document: Any, match: Match, scan: Scan) -> bool:
    if match.groups.get("probe") != "Liveness":
        return False
    spec = document.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    inner = template.get("spec") if isinstance(template, dict) else spec
    containers = inner.get("containers") if isinstance(inner, dict) else None
    probed = [
        each for each in containers or [] if isinstance(each, dict) and isinstance(each.get("livenessProbe"), dict)
    ]
    if len(probed) != 1 or "startupProbe" in probed[0]:
        return False
    asks = {
        key: copy.deepcopy(value)
        for key, value in probed[0]["livenessProbe"].items()
        if key in ("httpGet", "tcpSocket", "exec", "grpc")
    }
    if not asks:
        return False
    probed[0]["startupProbe"] = {**asks, "periodSeconds": PERIOD_S, "failureThreshold": TRIES}
    return True
