"""What can go wrong between a repair and a CI system."""

from __future__ import annotations

from opsloop.core.errors import Conflict, Denied, Failed, InvalidInput, NotFound, Unavailable


class NotOurWorkflow(Denied):
    template = "{name} is not among those that repairs may start; the setting {setting} has {allowed}"


class TokenMissing(InvalidInput):
    pass


class CiRefuses(Failed):
    template = "{system} answered {status} to {what}; nothing was started"


class CiHasNone(NotFound):
    template = "{system} has no {name}, or the token may not see it"


class CiAway(Unavailable):
    template = "{system} did not answer {what} well: {said}"


class NothingToRerun(Conflict):
    template = "run {run} of {repository} is {state}; only one that failed is run again"
