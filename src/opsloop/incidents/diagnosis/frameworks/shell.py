"""What the shell, git and the network say."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(
        r"^(?:\S+: )?(?:(?:line )?\d+: )?\S+: (?:(?:command )?not found|Permission denied|No such file or directory)$",
        8,
    ),
    mark(r"^fatal: \S", 8.2),
    mark(r"^(?:curl: \(\d+\)|wget: ) ?\S", 7.5),
    mark(
        r"Could not resolve host|Connection (?:refused|timed out|reset by peer)|Temporary failure in name resolution",
        6.5,
    ),
    mark(r"No space left on device|Out of memory|Cannot allocate memory|[Ss]egmentation fault|core dumped", 8.6),
    mark(r"^Killed$|^Terminated$", 7.5),
    mark(r"x509: |certificate verify failed|SSL certificate problem", 8),
    mark(r"\b(?:AccessDenied|AccessDeniedException|UnauthorizedOperation|InvalidClientTokenId|ExpiredToken)\b", 8.6),
    mark(r"^(?:\w+ )?(?:Caused by: )(?:\w+\.)+\w+(?:Exception|Error)", 6.8),
    mark(r"^(?:Exception in thread .* )?(?:[a-z]\w*\.)+\w+(?:Exception|Error)(?:: |$)", 7),
    mark(r"^(?:FATAL|CRITICAL|PANIC)\b", 7.5),
    mark(r"^(?:Error|ERROR|error)(?:\[\w+\])?: \S", 5.5),
    mark(r"\b[Tt]imed? ?out\b", 4),
    mark(r"\b(?:failed|FAILED|failure|cannot|could not|unable to|Cannot|Could not|Unable to)\b", 2.5),
    mark(r"\b(?:error|ERROR|Error|exception|Exception|abort(?:ed|ing))\b", 2),
)
