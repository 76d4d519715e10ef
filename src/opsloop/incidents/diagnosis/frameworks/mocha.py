"""Mocha, Karma and Jasmine: numbered failing tests."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(r"^\s{2,}\d+\) (?!\d)\S.*", 9),
    mark(r"^\s+\"(?:before|after) (?:each|all)\" hook", 9.4),
    mark(r"^\s+\d+\) \"(?:before|after) (?:each|all)\" hook", 9.5),
    mark(r"^(?:.*\))? ?.+ FAILED$", 7.5),
    mark(r"^(?:Uncaught )?(?:\w+Error)(?: \[\w+\])?: ", 7.5),
    mark(r"^\s+(?:Uncaught )?(?:AssertionError|TypeError|ReferenceError|Error)(?: \[\w+\])?: ", 6.5),
)
