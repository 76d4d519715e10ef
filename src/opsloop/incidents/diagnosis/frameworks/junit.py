"""JUnit, TestNG, Surefire and Maven."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(r"^\s*at .*(?:Test|Spec|IT)\w*\.\w+\(\w+\.(?:java|kt|kts|groovy|scala):\d+\)", 5),
    mark(r"^(?:\w+\.)*\w*(?:Test|Spec)\w*\.\S.{0,200}(?<!\.)(?:FAILED|SKIPPED|failed)?$", 3.2),
    mark(r"^(?:\[ERROR\] )?(?:  )?\S+(?:\(.*\))?.* Time elapsed: .*<<< (?:FAILURE|ERROR)!", 9.8),
    mark(r"<<< (?:FAILURE|ERROR)!\s*$", 8.5),
    mark(r"^\[ERROR\]\s+(?:\S+\.)?\w*(?:Test|IT|Spec|Tests)\w*[.:$»]\S*", 9.6),
    mark(r"^\[ERROR\] \S+\.(?:java|kt|scala):\[\d+,\d+\]", 9.6),
    mark(r"^\[ERROR\] (?:COMPILATION ERROR|Failed to execute goal)", 6.5),
    mark(r"^\[ERROR\] Failed to execute goal .*(?:[Cc]ould not (?:resolve|find)|[Ff]ailure to find)", 8.6),
    mark(r"^(?:Failed tests|Tests in error):\s*\S", 8.8),
    mark(r"^\s{2}\w+(?:\(\S+\)|\.\w+:\d+).*(?:expected|Exception|Error|»)", 9),
    mark(r"^\[ERROR\] \S", 4),
)
