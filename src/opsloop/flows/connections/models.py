"""What a connection is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from opsloop.flows.connections.kinds import CUSTOM, ConnectionKind


@dataclass(frozen=True, slots=True)
class Connection:
    """`configs` may be shown; `secrets` never are. `module` and `custom_type` name the class of a strong type."""

    name: str
    kind: ConnectionKind = CUSTOM
    configs: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    module: str | None = None
    custom_type: str | None = None

    @property
    def values(self) -> dict[str, str]:
        return {**self.configs, **self.secrets}

    def shown(self) -> dict[str, str | None]:
        """For people: what is secret is there and is not shown."""
        about = {"name": self.name, "type": self.kind.name, "custom_type": self.custom_type}
        return {
            **{key: value for key, value in about.items() if value is not None},
            **{key: _without_password(value) for key, value in self.configs.items()},
            **dict.fromkeys(self.secrets, "***"),
        }


def _without_password(value: str) -> str:
    return re.sub(r"(?<=://)[^/@\s]+(?=@)", "***", value)
