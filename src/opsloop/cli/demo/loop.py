"""Turn a project's loop once: prepare, evaluate, gate, release, serve, watch, roll back, name the cause, repair.

It is told as it happens.

Everything goes through the client, as a user's own commands would. What was done before is not done again: after a
crash or at a second start the loop goes on where it was.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

import click

from opsloop.cli.demo import placing, tries, wanted
from opsloop.cli.demo.repairing import Repairing
from opsloop.cli.demo.teller import Teller
from opsloop.cli.demo.traffic import Seen, Traffic, TrafficWanted
from opsloop.cli.demo.wanted import Change, DemoWanted
from opsloop.cli.drill import wanted as drills
from opsloop.cli.progress import Progress
from opsloop.client import apply, experiments, plan
from opsloop.client.flows import digest_of
from opsloop.client.http import Client
from opsloop.client.project import Project
from opsloop.core.errors import Kind, OpsloopError
from opsloop.evaluation.models import Run
from opsloop.evaluation.verdicts import Verdict
from opsloop.flows.models import FlowVersion
from opsloop.releases.models import Release, Rollout


class Stopping(Exception):
    """The platform is going down; the loop goes on at the next start."""


def turn(project: Project, url: str, *, is_stopping: Callable[[], bool]) -> None:
    """Apply the project and turn its demo, then say where the platform is.

    It runs beside the platform: what goes wrong is told, and the platform stays up.
    """
    teller = Teller()
    try:
        with Client(url) as client:
            placing.starting(project, url)
            loop = Loop(client, project, teller, url, is_stopping)
            with loop.turn() as repairing:
                following = tries.commands(client, project, url)
                click.echo("\nThe loop has turned once, and the platform keeps running.\n")
                placing.running(project, url, tries=following)
                if repairing is not None:
                    repairing.keep_asking()
    except Stopping:
        return
    except OpsloopError as error:
        if not is_stopping():
            teller.failed(error)
            placing.running(project, url)
    except Exception:  # noqa: BLE001 (the rim of a thread: the platform goes on without the demo)
        traceback.print_exc(file=sys.stderr)


class Loop:
    def __init__(
        self, client: Client, project: Project, teller: Teller, url: str, is_stopping: Callable[[], bool]
    ) -> None:
        self._client = client
        self._project = project
        self._tell = teller
        self._url = url
        self._is_stopping = is_stopping

    @contextmanager
    def turn(self) -> Iterator[Repairing | None]:
        """Yields: the repair that the demo leaves to whoever looks; None when the project has no demo and no drill."""
        demo, drill = wanted.read(self._project), drills.read(self._project)
        self._apply()
        if demo is None:
            yield None
            return
        with ExitStack() as left:
            repairing = None
            if drill is not None:
                repairing = left.enter_context(closing(Repairing(self._client, drill, self._url, self._go_on)))
            rollouts = [self._try(demo, change) for change in demo.changes]
            if repairing is not None:
                repairing.turn(rollouts[-1] if rollouts else None)
            yield repairing

    def _apply(self) -> None:
        """Make the platform match `opsloop.yaml`."""
        steps = plan.make(self._client, self._project)
        if not steps.changes:
            self._tell.step("apply", "nothing to do: the platform matches opsloop.yaml")
        with Progress("apply") as progress:

            def tell(what: str, done: int, total: int) -> None:
                self._go_on()
                progress(done, total, what)

            for outcome in apply.perform(self._client, self._project, steps, tell=tell):
                self._tell.applied(outcome)

    def _try(self, demo: DemoWanted, change: Change) -> Rollout | None:
        """One change on its way: evaluate it, ask the gate, release it, watch it in traffic; its rollout, if any."""
        self._go_on()
        stable = self._client.endpoints.get(demo.endpoint).stable
        assert stable is not None  # apply released the project's flow
        self._tell.change(change.says, change.flow.name)
        version = self._client.flows.register(change.flow, name=stable.serves.partition("@")[0])
        rollout = self._rollout_of(demo, digest_of(change.flow))
        if rollout is None and self._is_busy(demo):
            self._tell.step("release", "not now: another rollout of this endpoint is on its way")
            return None
        if rollout is None:
            rollout = self._release(demo, version, stable)
        return None if rollout is None else self._watch(demo, rollout)

    def _rollout_of(self, demo: DemoWanted, digest: str) -> Rollout | None:
        """The rollout that brings this content to the endpoint, when there is one already."""
        releases = {each.id for each in self._client.endpoints.releases(demo.endpoint) if each.serves_digest == digest}
        return next((each for each in self._client.endpoints.rollouts(demo.endpoint) if each.release in releases), None)

    def _is_busy(self, demo: DemoWanted) -> bool:
        newest = self._client.endpoints.get(demo.endpoint).rollout
        return newest is not None and not newest.status.is_over

    def _release(self, demo: DemoWanted, version: FlowVersion, stable: Release) -> Rollout | None:
        run = self._evaluate(demo, version)
        if run.verdict is not None and run.verdict is not Verdict.PASS:  # at an earlier start
            self._tell.gate(self._client.evaluations.last_gate(run.id))
            self._tell.refused(stable)
            return None
        gate = experiments.judge(
            self._client, demo.experiment, run, stable_run=stable.evaluation, stable_flow=stable.serves
        )
        self._tell.gate(gate)
        if gate.verdict is not Verdict.PASS:
            self._refused(demo, version, run)
            return None
        made = self._client.endpoints.release(
            demo.endpoint, flow=version.ref, evaluation=run.id, strategy=demo.strategy
        )
        self._tell.released(made)
        return made.rollout

    def _refused(self, demo: DemoWanted, version: FlowVersion, run: Run) -> None:
        """Show that the gate holds the door: a release with this evaluation is asked for and refused."""
        try:
            self._client.endpoints.release(demo.endpoint, flow=version.ref, evaluation=run.id, strategy=demo.strategy)
        except OpsloopError as error:
            if error.kind is not Kind.NO:
                raise
            stable = self._client.endpoints.get(demo.endpoint).stable
            self._tell.refused(stable)

    def _evaluate(self, demo: DemoWanted, version: FlowVersion) -> Run:
        """The newest run of this version that can still be used, or a new one."""
        earlier = [run for run in self._client.evaluations.listed(flow=version.ref) if run.error is None]
        with Progress("evaluate") as progress:

            def tell(found: Run) -> None:
                self._go_on()
                progress(found.done, found.total, f"{found.done} of {found.total} rows")

            if earlier:
                run = self._client.evaluations.wait(earlier[0].id, tell=tell)
            else:
                run = experiments.run(self._client, demo.experiment, flow=version.ref, tell=tell)
        self._tell.evaluated(run)
        return run

    def _watch(self, demo: DemoWanted, rollout: Rollout) -> Rollout:
        """Send users' questions until the rollout is over."""
        if not rollout.status.is_over:
            rollout, seen = self._serve(demo, rollout)
            self._tell.served(seen)
        self._tell.ended(rollout)
        return rollout

    def _serve(self, demo: DemoWanted, rollout: Rollout) -> tuple[Rollout, Seen]:
        source = demo.traffic
        questions = [str(row[source.question]) for row in self._client.datasets.rows(source.dataset)]
        asked = TrafficWanted(
            questions=questions,
            follow_ups=source.follow_ups,
            follow_up_share=source.follow_up_share,
            users=source.users,
            requests=source.requests,
            per_second=source.per_second,
        )
        traffic = Traffic(self._url, demo.endpoint, asked, token=None)
        with Progress("serve") as progress:
            state = rollout

            def is_over() -> bool:
                nonlocal state
                if traffic.seen.asked % 10 == 0:
                    state = self._client.rollouts.get(rollout.id).rollout
                    progress(traffic.seen.asked, asked.requests, f"candidate has {100 * state.share:.0f} % of users")
                return state.status.is_over or self._is_stopping()

            seen = traffic.run(until=is_over)
        self._go_on()
        for history in self._client.rollouts.watch(rollout.id, timeout_s=5):
            state = history.rollout
        return state, seen

    def _go_on(self) -> None:
        if self._is_stopping():
            raise Stopping
