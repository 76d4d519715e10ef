"""`opsloop diagnose`: why a CI job or a service failed, from its log."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

if TYPE_CHECKING:
    from opsloop.incidents.diagnosis.models import Diagnosis

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@lone(
    "diagnose",
    example="""opsloop diagnose job.log
    opsloop diagnose job.log --healthy passed.log --workflow .github/workflows/test.yml
    kubectl logs web-1 --previous | opsloop diagnose - --json""",
    on_project=False,
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--provider", metavar="NAME", help="Who wrote the log, such as github; default: what it looks like.")
@click.option("--workflow", type=_FILE, help="The workflow or manifest that ran; a patch is made only of one.")
@click.option("--healthy", multiple=True, type=_FILE, help="The log of a run that passed; may be given again.")
@click.option(
    "--signatures",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="OPSLOOP_DIAGNOSIS_SIGNATURES",
    help="A folder with causes of your own, as YAML; may be given again.",
)
@click.option("--job", metavar="NAME", help="What ran, such as shop/test.yml; default: what the CI around says.")
@click.option("--commit", metavar="SHA", help="The commit that it ran on; default: what the CI around says.")
@click.option("--comment", is_flag=True, help="Write the answer as a comment on the pull request this job is for.")
def diagnose(
    session: Session,
    file: Path,
    provider: str | None,
    workflow: Path | None,
    healthy: tuple[Path, ...],
    signatures: tuple[Path, ...],
    job: str | None,
    commit: str | None,
    comment: bool,
) -> None:
    """Say why a CI job or a service failed, from its log.

    The answer: cause, steps to take, a patch, and the lines of FILE that show it. FILE may be gzip; - reads stdin. The
    log is read on this machine, whatever its size, and sent nowhere. Only where OPSLOOP_LLM_BASE_URL names a model
    server the lines that matter go there, without secrets and personal data, and the model words the answer as far as
    they prove it; OPSLOOP_DIAGNOSIS_GENERATE=false keeps them here. Where OPSLOOP_URL names a server it is told the
    cause, without these, and fingerprints of lines; it says what was like it. Exit code 6 when nothing in the log says
    that something failed.
    """
    from opsloop.client import diagnosis
    from opsloop.core.errors import AnswerIsNo
    from opsloop.incidents.diagnosis.models import Verdict
    from opsloop.incidents.diagnosis.wording import words

    given = {"provider": provider, "workflow": workflow, "passed": healthy, "signatures": signatures}
    if str(file) == "-":
        found = diagnosis.diagnose(sys.stdin.buffer, **given)  # type: ignore[arg-type]  # each by its own name
    else:
        with diagnosis.opened(file) as log:
            found = diagnosis.diagnose(log, **given)  # type: ignore[arg-type]
    found = _with_past(session, found, job, commit)
    session.answer(found, lambda: words(found))
    if found.verdict is Verdict.NOT_A_FAILURE:
        raise AnswerIsNo(f"{file}: nothing in it says that something failed")
    if comment:
        _comment(session, found)


def _with_past(session: Session, found: Diagnosis, job: str | None, commit: str | None) -> Diagnosis:
    """With what the server of OPSLOOP_URL remembers; without one as it is. A server that is away costs a note."""
    if not os.environ.get("OPSLOOP_URL"):
        return found
    from opsloop.client.diagnoses import commit_around, job_around
    from opsloop.core.errors import OpsloopError
    from opsloop.incidents.diagnosis.history.telling import told, with_past

    one = told(
        found,
        job=job_around(os.environ) if job is None else job,
        commit=commit_around(os.environ) if commit is None else commit,
    )
    try:
        with session.client() as client:
            return with_past(found, client.diagnoses.tell(one))
    except OpsloopError as error:
        session.note(f"past diagnoses are not shown: {error.sentence}")
        return found


def _comment(session: Session, found: Diagnosis) -> None:
    from opsloop.client.ci import comments
    from opsloop.client.ci.hosts.around import host_around
    from opsloop.guardrails.redaction import redacted
    from opsloop.incidents.diagnosis.wording import markdown

    done = comments.put(host_around(os.environ), "diagnosis", redacted(markdown(found)))
    session.note(f"comment {'written' if done.is_new else 'brought up to date'}: {done.url}")
