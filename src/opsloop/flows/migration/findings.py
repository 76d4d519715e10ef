"""What is found out about a flow before it is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Whether a flow runs here: as it is, once what it needs is there, or not at all."""

    RUNS = "runs"
    NEEDS = "needs"
    CANNOT = "cannot"


@dataclass(frozen=True, slots=True)
class PackageNeed:
    """A package that is not installed. `module` is what is imported; `where` names the files or nodes that do.

    `package` is None where neither the requirements nor a known name says which it is: a name that is only guessed may
    be anybody's package.
    """

    package: str | None
    module: str
    where: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConnectionNeed:
    """A connection that nobody knows here. `type` is what its nodes take, None when nothing says it."""

    name: str
    type: str | None
    nodes: tuple[str, ...]
    is_for_model: bool = True


@dataclass(frozen=True, slots=True)
class FlowFinding:
    """`path` is relative to where the search began; `reasons` say why it cannot run, `notes` what else is to know."""

    path: str
    format: str
    packages: tuple[PackageNeed, ...] = ()
    connections: tuple[ConnectionNeed, ...] = ()
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        if self.reasons:
            return Verdict.CANNOT
        return Verdict.NEEDS if self.packages or self.connections else Verdict.RUNS


def counted(findings: Sequence[FlowFinding]) -> dict[Verdict, int]:
    return {verdict: sum(each.verdict is verdict for each in findings) for verdict in Verdict}
