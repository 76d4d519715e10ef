"""Travis CI: timed commands, each ended by what it exited with."""

from __future__ import annotations

import re

from opsloop.incidents.diagnosis.provider import Provider

PROVIDER = Provider(
    name="travis",
    known_by=re.compile(r"travis_(?:time|fold):|Done\. Your build exited with|^The command .{1,200} exited with"),
    step=re.compile(r"travis_time:start|^\$ (?P<name>.+)"),
    failed=re.compile(r"^The command .{1,300} (?:exited with|failed and exited with) (?P<code>[1-9]\d*)"),
)
