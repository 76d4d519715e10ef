"""Python: the exception under a traceback."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(r"^(?:\w+\.)*(?:ModuleNotFound|Import|Syntax|Indentation)Error: ", 8.8),
    mark(r"^(?:\w+\.)*(?:\w+(?:Error|Exception|Interrupt)|Failed)(?:: |$)", 8),
    mark(r"^[\w/.-]+ \d+/\d+ failed!", 8.4),
    mark(r"^[\w/.-]+ \d+/\d+ failed! Received signal", 9),
    mark(r"^\S+ - failed\. ", 8.6),
)
