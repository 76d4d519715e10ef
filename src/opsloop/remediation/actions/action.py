"""What every kind of action is.

Those on what Opsloop keeps itself work inside a transaction: they are done together with the note that they were, or
not at all. Those on other systems work outside of one; a process that is killed there leaves it open whether they were
done, and only those that may be done twice are done again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.remediation.models import Done, Finding, Preview


class Parameters(BaseModel):
    """What an action is told; plain values."""

    model_config = ConfigDict(extra="forbid", frozen=True)


P = TypeVar("P", bound=Parameters)


class _Action(ABC, Generic[P]):
    kind: ClassVar[str]
    """Its name, such as `release.rollback`."""
    form: type[P]
    destroys: ClassVar[bool] = False
    """Whether it deletes what cannot be had again; such an action never goes without a person."""
    can_undo: ClassVar[bool] = False

    def parse(self, given: dict[str, Any]) -> P:
        """Raises: InvalidInput naming the parameter."""
        try:
            return self.form.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = ".".join(str(part) for part in first["loc"]) or "parameters"
            wanted = first["msg"][:1].lower() + first["msg"][1:]
            raise InvalidInput(field=f"{self.kind}: {name}", value=first.get("input"), wanted=wanted) from None

    def commands(self, parameters: P) -> tuple[tuple[str, ...], ...]:
        """What a person would type to do the same, each command as its words."""
        return ()

    def undo_commands(self, parameters: P) -> tuple[tuple[str, ...], ...]:
        """What a person would type to undo it."""
        return ()


class Inside(_Action[P]):
    """An action on what Opsloop keeps; all three are called in a transaction of the caller's."""

    @abstractmethod
    def preview(self, uow: UnitOfWork, parameters: P) -> Preview:
        """What it would do; changes nothing. Raises: NotFound, Conflict."""

    @abstractmethod
    def act(self, uow: UnitOfWork, parameters: P, *, why: str) -> Done:
        """Raises: OpsloopError when it cannot; nothing is changed then."""

    def undo(self, uow: UnitOfWork, parameters: P, known: dict[str, Any], *, why: str) -> str:
        """Take it back. Args: known: `Done.undo`. Returns: a sentence. Raises: OpsloopError."""
        raise NotImplementedError


class Outside(_Action[P]):
    """An action on another system; none is called in a transaction."""

    can_repeat: ClassVar[bool] = False
    """Whether doing it twice is as doing it once."""

    @abstractmethod
    def preview(self, workspace: Workspace, parameters: P) -> Preview:
        """What it would do, as the other system itself says where it can; changes nothing.

        Raises: OpsloopError, such as Unavailable.
        """

    @abstractmethod
    def act(self, workspace: Workspace, parameters: P, *, key: str, why: str) -> Done:
        """Args: key: the same for every try of one repair.

        Raises: Unavailable when it may have worked, any other OpsloopError when it did not.
        """

    def undo(self, workspace: Workspace, parameters: P, known: dict[str, Any], *, why: str) -> str:
        """Take it back. Args: known: `Done.undo`. Returns: a sentence. Raises: OpsloopError."""
        raise NotImplementedError

    def look(self, workspace: Workspace, parameters: P) -> Finding | None:
        """What the other system says of it since, asked again and again; None when it has nothing to say.

        Raises: OpsloopError while it cannot be told.
        """
        return None


Action = Inside[Any] | Outside[Any]
