"""An image that GitHub and Azure no longer offer, as the oldest of its kind that they do."""

from __future__ import annotations

from typing import Any

from opsloop.incidents.diagnosis.known import Match
from opsloop.incidents.diagnosis.scanning import Scan

KIND = "runner_image"
# Source: the lists of images of actions/runner-images and of Microsoft-hosted agents. The smallest step is taken.
RUNS = {
    **dict.fromkeys(("ubuntu-16.04", "ubuntu-18.04", "ubuntu-20.04"), "ubuntu-22.04"),
    **dict.fromkeys(("windows-2016", "vs2017-win2016", "windows-2019"), "windows-2022"),
    **dict.fromkeys(("macos-10.15", "macos-11", "macos-12", "macos-13"), "macos-14"),
}
NAMES = ("runs-on", "vmImage")


def mend(document: Any, match: Match, scan: Scan) -> bool:
    told = match.groups.get("image", "").lower()
    gone = {told} if told in RUNS else set(RUNS)
    return _replace(document, gone)


def _replace(node: Any, gone: set[str]) -> bool:
    changed = False
    for key, each in list(node.items()) if isinstance(node, dict) else list(enumerate(node)):
        if key in NAMES and isinstance(each, str) and each.lower() in gone:
            node[key] = type(each)(RUNS[each.lower()])
            changed = True
        elif isinstance(each, dict | list):
            changed = _replace(each, gone) or changed
    return changed
