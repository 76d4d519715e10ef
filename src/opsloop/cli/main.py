"""The `opsloop` command: its nouns, and what becomes of an error.

Nothing heavy is imported here or by `opsloop --help`; a test on what is loaded holds this.
"""

from __future__ import annotations

import os
import sys

import click

from opsloop._version import __version__
from opsloop.cli.lazy import Entry, LazyGroup

EPILOG = """\b
With no OPSLOOP_URL a command works on the project in this folder (its data is in .opsloop/),
with it on that server; OPSLOOP_TOKEN is the API key sent to it.

\b
Exit codes: 0 done, 1 failed, 2 wrong usage or bad input, 3 not found, 4 not authorised,
5 conflict or needs approval, 6 the answer is no, 7 server unreachable, 8 still pending,
130 interrupted. OPSLOOP_DEBUG=1 shows where an error comes from.

\b
Example: opsloop up"""

SECTIONS = {
    "Start": {
        "init": Entry("opsloop.cli.init:init", "Make a new project from a template."),
        "up": Entry("opsloop.cli.up:up", "The whole platform in this process."),
        "serve": Entry(
            "opsloop.cli.serve:serve",
            "Serve a project's endpoints with several processes; or, with --model, one model without a database.",
        ),
        "apply": Entry("opsloop.cli.apply:apply", "Make the platform match opsloop.yaml."),
        "doctor": Entry("opsloop.cli.doctor:doctor", "Check this installation and this project."),
    },
    "Build": {
        "data": Entry("opsloop.cli.data:data", "Datasets and their versions."),
        "migrate": Entry(
            "opsloop.cli.migrate.noun:migrate", "From Prompt flow: what runs here, and its commands and scripts."
        ),
        "flow": Entry("opsloop.cli.flow.noun:flow", "Prompt flows: run, check and draw them."),
        "connection": Entry(
            "opsloop.cli.connection:connection",
            "Where services are that flows use by name; secrets are encrypted and never shown.",
        ),
        "rag": Entry("opsloop.cli.rag:rag", "Collections of documents and answers from them."),
        "eval": Entry("opsloop.cli.evaluation:evaluation", "Evaluations of flows and models over datasets."),
        "judge": Entry("opsloop.cli.judge:judge", "Models that judge answers, and how far they agree with people."),
        "train": Entry("opsloop.cli.train:train", "Train models: pipelines and their runs."),
        "model": Entry("opsloop.cli.model:model", "Trained models: versions, aliases, and what differs between them."),
        "gate": Entry("opsloop.cli.gate:gate", "The verdict on an evaluation."),
        "ci": Entry("opsloop.cli.ci:ci", "Pipelines: evaluate, decide, write reports, comment."),
    },
    "Operate": {
        "release": Entry("opsloop.cli.release:release", "Bring flows and models to an endpoint's traffic, and back."),
        "renewal": Entry(
            "opsloop.cli.renewal:renewal", "From drift, a schedule or a wish to a better model of an endpoint."
        ),
        "diagnose": Entry("opsloop.cli.diagnose:diagnose", "Say why a CI job or a service failed, from its log."),
        "monitor": Entry("opsloop.cli.monitor:monitor", "What endpoints answer, how fast and how well."),
        "alert": Entry("opsloop.cli.alert:alert", "What is wrong now, who is told, who deals with it."),
        "incident": Entry("opsloop.cli.incident:incident", "What broke, why, who deals with it, what it was."),
        "remediation": Entry(
            "opsloop.cli.remediation:remediation", "Repairs: what is proposed, who said yes, what came of it."
        ),
        "drill": Entry(
            "opsloop.cli.drill.command:drill", "Break an endpoint on purpose, and see it named, repaired and checked."
        ),
        "feedback": Entry("opsloop.cli.feedback:feedback", "What people say about answers."),
        "guard": Entry("opsloop.cli.guard:guard", "What is looked for in requests and answers, and what happens then."),
        "support": Entry("opsloop.cli.support:support", "Conversations that a person is to answer."),
        "survey": Entry("opsloop.cli.survey:survey", "What people are asked about answers."),
        "ticket": Entry("opsloop.cli.ticket:ticket", "Support tickets about answers."),
        "audit": Entry("opsloop.cli.audit:audit", "The signed record of who did what."),
        "token": Entry("opsloop.cli.token:token", "API keys."),
    },
}


@click.group(
    cls=LazyGroup,
    sections=SECTIONS,
    epilog=EPILOG,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="opsloop %(version)s")
def opsloop() -> None:
    """Take AI applications from a dataset to production and keep them healthy there."""


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal that cannot show a letter shows a mark instead of a traceback.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; the exit code says how it went, one sentence on stderr what happened."""
    try:
        code = opsloop.main(arguments, prog_name="opsloop", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        # The reader has seen enough; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 (the rim of the process)
        from opsloop.cli import exits  # only a command that failed needs it

        return exits.report(error)


if __name__ == "__main__":
    main()
