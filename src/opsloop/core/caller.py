"""Who asks for a piece of work, and what it may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from opsloop.core.errors import Denied


class Role(StrEnum):
    """What a caller may do; each role may do what those before it may."""

    VIEWER = "viewer"
    DEVELOPER = "developer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, needed: Role) -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


class NotAllowed(Denied):
    template = "{caller} has the role {role}; this needs {needed}"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as it stands in the audit trail: `key:ci`, `local:maria`, `system:rollouts`."""

    name: str
    role: Role

    def require(self, needed: Role) -> None:
        """Raises: NotAllowed when the caller's role does not include `needed`."""
        if not self.role.includes(needed):
            raise NotAllowed(caller=self.name, role=self.role.value, needed=needed.value)


def system(part: str) -> Caller:
    """The platform itself, acting through one of its parts."""
    return Caller(f"system:{part}", Role.ADMIN)
