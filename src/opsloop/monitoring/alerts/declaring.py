"""Rules and channels that are declared, and the defaults beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.alerts import channels as channels_module
from opsloop.monitoring.alerts import rules as rules_module
from opsloop.monitoring.alerts._tables import DeclaredRow
from opsloop.monitoring.alerts.channels import Channel
from opsloop.monitoring.alerts.models import Declared
from opsloop.monitoring.alerts.rules import Rule

Kind = Literal["rules", "channels"]
OFF: dict[str, Any] = {"off": True}
"""How it is kept that a default does not hold."""
MOST = 200
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def declare(uow: UnitOfWork, kind: Kind, name: str, declared: Mapping[str, Any] | Literal[False]) -> Declared:
    """Set a rule or a channel, in the place of what had the name. Raises: InvalidInput.

    Args:
        declared: False: the default of that name does not hold.
    """
    uow.by.require(Role.DEVELOPER if kind == "rules" else Role.OPERATOR)
    if not _NAME.fullmatch(name):
        raise InvalidInput(field="name", value=name, wanted="1 to 100 letters, digits, '.', '_' or '-'")
    kept = check(kind, name, declared)
    row = uow.session.get(DeclaredRow, (kind, name))
    if row is None:
        if len(uow.session.scalars(select(DeclaredRow.name).where(DeclaredRow.kind == kind)).all()) >= MOST:
            raise InvalidInput(f"{kind}: there are {MOST} already, and no more are taken", field=kind)
        row = DeclaredRow(kind=kind, name=name)
        uow.session.add(row)
    elif row.declared == kept:
        return Declared(name, kept)
    row.declared, row.declared_at, row.declared_by = kept, uow.clock.now(), uow.by.name
    uow.session.flush()
    uow.audit(f"alert_{kind.removesuffix('s')}.declared", f"alert-{kind.removesuffix('s')}/{name}")
    return Declared(name, kept)


def check(kind: Kind, name: str, declared: object) -> dict[str, Any]:
    """What is kept of a declaration. Raises: InvalidInput."""
    if declared is False and kind == "rules":
        return dict(OFF)
    if kind == "rules":
        rules_module.parse(name, declared)
    else:
        channels_module.parse(name, declared)
    assert isinstance(declared, Mapping)
    return dict(declared)


def withdraw(uow: UnitOfWork, kind: Kind, name: str) -> None:
    """Forget what was declared; a default of the name holds again."""
    uow.by.require(Role.DEVELOPER if kind == "rules" else Role.OPERATOR)
    row = uow.session.get(DeclaredRow, (kind, name)) if "\0" not in name else None
    if row is not None:
        uow.session.delete(row)
        uow.audit(f"alert_{kind.removesuffix('s')}.withdrawn", f"alert-{kind.removesuffix('s')}/{name}")


def declared_rules(uow: UnitOfWork) -> list[Declared]:
    """Every rule, those that are off too."""
    uow.by.require(Role.VIEWER)
    own = _own(uow, "rules")
    defaults = {name: Declared(name, each, is_default=True) for name, each in rules_module.DEFAULTS.items()}
    return [each for _, each in sorted({**defaults, **own}.items())]


def rules(uow: UnitOfWork) -> list[Rule]:
    """Rules that hold."""
    return [rules_module.parse(each.name, each.declared) for each in declared_rules(uow) if each.declared != OFF]


def channels(uow: UnitOfWork) -> list[Channel]:
    uow.by.require(Role.VIEWER)
    return [channels_module.parse(each.name, each.declared) for _, each in sorted(_own(uow, "channels").items())]


def channels_with_digests(uow: UnitOfWork) -> list[tuple[Channel, str]]:
    """Each channel with the digest of what was declared."""
    own = _own(uow, "channels")
    return [(each, channels_module.digest_of(own[each.name].declared)) for each in channels(uow)]


def _own(uow: UnitOfWork, kind: Kind) -> dict[str, Declared]:
    query = select(DeclaredRow).where(DeclaredRow.kind == kind)
    return {row.name: Declared(row.name, row.declared) for row in uow.session.scalars(query)}
