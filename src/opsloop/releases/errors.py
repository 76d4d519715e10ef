"""What can be wrong with a release or a rollout."""

from __future__ import annotations

from opsloop.core.errors import AnswerIsNo, Conflict, Denied, Unavailable


class GateNotMet(AnswerIsNo):
    template = "{version} is not released to {endpoint}: {reason}"


class Recalled(AnswerIsNo):
    template = "{version} is released nowhere any more: it was recalled by {by}: {reason}"


class RecalledAlready(Conflict):
    template = "{version} was recalled already, by {by}: {reason}"


class NothingReleased(Unavailable):
    template = (
        "endpoint {endpoint} serves nothing yet; `opsloop renewal list {endpoint}` says how far a first model is, "
        "`opsloop release create {endpoint} …` releases a flow or a model"
    )


class KindsMixed(Conflict):
    template = (
        "endpoint {endpoint} serves {kind}s, and {version} is a {served}; what callers send and get differs between "
        "them, so release it to another endpoint"
    )


class EndpointExists(Conflict):
    template = "an endpoint named {name!r} exists already; release to it, or choose another name"


class ServedAlready(Conflict):
    template = "endpoint {endpoint} serves this very bundle already, as release {number}; there is nothing to release"


class RolloutGoesOn(Conflict):
    template = (
        "endpoint {endpoint} is in rollout {rollout} (release {number}, {status}); "
        "wait for its end, or promote it or roll it back first"
    )


class RolloutIsOver(Conflict):
    template = "rollout {rollout} is {status} already ({reason}); nothing was changed"


class NotRunning(Conflict):
    template = "rollout {rollout} is {status}; only a running one can be paused"


class NotPaused(Conflict):
    template = "rollout {rollout} is {status}; only a paused one can be resumed"


class ServesAnother(Conflict):
    template = "endpoint {endpoint} does not serve release {number} any more but {serves}; nothing was changed"


class ServesAlready(Conflict):
    template = "endpoint {endpoint} serves release {number} already; there is nothing to bring back"


class NeverServed(Conflict):
    template = (
        "release {number} of {endpoint} never served everybody, so it cannot be brought back; release it anew with "
        "`opsloop release create {endpoint} …`"
    )


class NoEarlierRelease(Conflict):
    template = "endpoint {endpoint} has no earlier release to go back to; release {number} is the first that served"


class RolloutHeld(Conflict):
    template = "release {number} of {endpoint} cannot take over now: {held}"


class NoExperiment(Conflict):
    template = (
        "rollout {rollout} is no experiment but a {strategy}; `opsloop release history` tells what happened in it"
    )


class NothingToApprove(Conflict):
    template = "rollout {rollout} waits for no approval; it is {status}"


class ApprovalExpired(Conflict):
    template = "the question for release {number} of {endpoint} expired at {at}; `opsloop release resume` asks again"


class AnotherShown(Conflict):
    template = (
        "rollout {rollout} asks for something else than what has the digest {digest}; look at it again, then decide"
    )


class FourEyes(Denied):
    template = "{caller} made release {number} of {endpoint}, and another person has to approve it"


class FrozenAlready(Conflict):
    template = "{what} is frozen already, by {by}: {reason}; end that with `opsloop release thaw` first"


class NothingFrozen(Conflict):
    template = "{what} is not frozen"
