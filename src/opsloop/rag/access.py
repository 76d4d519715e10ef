"""Who may read a collection and who may change it: by name, or by role.

A name is a caller's as it stands in the audit trail, `key:ci`; `role:operator` is everybody with that role or a higher
one. Writers may read. An admin may do both, since an admin could give the access anyway. Flows read as `system:flows`,
whoever called them: a collection that is not open to everybody is closed to flows unless it names them.
"""

from __future__ import annotations

from collections.abc import Sequence

from opsloop.core.caller import Caller, Role
from opsloop.core.errors import InvalidInput

MAX_NAMES = 200
_ROLE = "role:"


def allows(
    by: Caller, readers: Sequence[str] | None, writers: Sequence[str] | None, *, for_change: bool = False
) -> bool:
    """Whether a caller may read, or `for_change` write; None: it is open to whoever has the role for it."""
    if by.role is Role.ADMIN:
        return True
    if for_change:
        return writers is None or _is_among(by, writers)
    return readers is None or _is_among(by, readers) or (writers is not None and _is_among(by, writers))


def _is_among(by: Caller, names: Sequence[str]) -> bool:
    return any(
        by.role.includes(Role(name.removeprefix(_ROLE))) if name.startswith(_ROLE) else name == by.name
        for name in names
    )


def checked(field: str, names: Sequence[str] | None) -> list[str] | None:
    """The names, each once, sorted. Raises: InvalidInput naming the first that is none."""
    if names is None:
        return None
    if len(names) > MAX_NAMES:
        raise InvalidInput(field=field, value=len(names), wanted=f"at most {MAX_NAMES} names")
    for name in names:
        kind, _, of = name.partition(":")
        is_role = kind == "role" and of in set(Role)
        if not (is_role or (kind not in ("", "role") and of and name.isprintable() and len(name) <= MAX_NAMES)):
            roles = ", ".join(f"role:{role}" for role in Role)
            raise InvalidInput(field=field, value=name, wanted=f"a caller such as key:ci or local:maria, or {roles}")
    return sorted(set(names))
