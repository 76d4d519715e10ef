"""What can be wrong with a command."""

from __future__ import annotations

from opsloop.core.errors import Denied, NotFound, Unavailable


class NotAllowedCommand(Denied):
    template = "{text} is none of the commands that are allowed: {why}; the setting remediation_commands allows more"


class ProgramMissing(NotFound):
    template = "no program named {name!r} is in {path}, where allowed commands are looked for"


class CommandStopped(Unavailable):
    """It was ended before its own end, so it may have done a part."""

    template = "command {name} {how}; it may have done a part of it{said}"
