"""`opsloop rag evaluate` and `tune`: how well a collection answers, and with which settings best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

if TYPE_CHECKING:
    from opsloop.evaluation.models import Run
    from opsloop.evaluation.tuning.models import Tuned, Tuning

KNOWN_BY = ("passage_id", "filename", "document_id")
known_by = click.option(
    "--by",
    type=click.Choice(KNOWN_BY),
    default=KNOWN_BY[0],
    show_default=True,
    help="What the dataset names passages by.",
)


@lone(
    "evaluate",
    example="""opsloop rag evaluate handbook golden@1 --by filename
    opsloop rag evaluate handbook questions.jsonl --generate""",
)
@click.argument("collection")
@click.argument("dataset")
@known_by
@click.option("--generate", is_flag=True, help="Let the model write the answers.")
@click.option("--timeout", "timeout_s", type=click.FloatRange(0), metavar="SECONDS", help="Stop waiting after this.")
def evaluate(session: Session, collection: str, dataset: str, by: str, generate: bool, timeout_s: float | None) -> None:
    """Ask COLLECTION every question of DATASET and measure what it retrieves, answers and refuses.

    DATASET is a version, a file, or a folder with queries.jsonl and qrels. The run is a stored evaluation.
    """
    from opsloop.client import document_evaluations
    from opsloop.core.errors import Failed
    from opsloop.evaluation.models import RunStatus

    with session.client() as client, session.progress("evaluating") as progress:
        done = document_evaluations.evaluate(
            client,
            collection,
            dataset,
            by=by,
            generate=generate,
            timeout_s=timeout_s,
            tell=lambda at: progress(at.done, at.total),
        )
    session.answer(done, lambda: _words(done))
    if done.status is RunStatus.FAILED:
        raise Failed(f"evaluation {done.id} failed: {done.error}")


def _words(run: Run) -> str:
    rows = [(name, each.value, each.low, each.high, each.rows) for name, each in run.metrics.items()]
    table = text.table(("metric", "mean", "95 % from", "to", "rows"), rows)
    return "\n\n".join([text.fields([("evaluation", run.id), ("questions", run.rows)]), table])


@lone(
    "tune",
    example="""opsloop rag tune handbook golden@1 --by filename
    opsloop rag tune handbook questions.jsonl --apply""",
)
@click.argument("collection")
@click.argument("dataset")
@known_by
@click.option("--apply", is_flag=True, help="Set what was chosen, and cut the documents so.")
@click.option("--timeout", "timeout_s", type=click.FloatRange(0), metavar="SECONDS", help="Stop waiting after this.")
def tune(session: Session, collection: str, dataset: str, by: str, apply: bool, timeout_s: float | None) -> None:
    """Choose the settings of COLLECTION on one half of DATASET's questions and report on the other half.

    A durable job tries them; it goes on when this command is ended.
    """
    from opsloop.client import document_evaluations

    with session.client() as client, session.progress("tuning") as progress:
        tuning = document_evaluations.tune(
            client,
            collection,
            dataset,
            by=by,
            apply=apply,
            timeout_s=timeout_s,
            tell=lambda at: progress(at.done, at.total, at.message),
        )
    _answer(session, tuning)


@lone(
    "tunings",
    example="""opsloop rag tunings handbook
    opsloop rag tunings handbook tuning_01j…""",
)
@click.argument("collection")
@click.argument("tuning", required=False)
def tunings(session: Session, collection: str, tuning: str | None) -> None:
    """List the tunings of COLLECTION, newest first; of TUNING, how far it is or what it chose."""
    from opsloop.client import document_evaluations

    with session.client() as client:
        if tuning is not None:
            _answer(session, document_evaluations.tuning_of(client, collection, tuning))
            return
        found = document_evaluations.tunings(client, collection)
    rows = [(each.id, each.dataset, each.status, f"{each.done}/{each.total}", _set(each)) for each in found]
    words = text.table(("tuning", "dataset", "status", "trials", "set"), rows)
    session.answer({"items": found}, words if found else f"{collection} was not tuned yet; see `opsloop rag tune`")


def _set(tuning: Tuning) -> str:
    return "yes" if tuning.tuned is not None and tuning.tuned.applied else "no"


def _answer(session: Session, tuning: Tuning) -> None:
    from opsloop.core.errors import Failed
    from opsloop.core.jobs.models import JobStatus

    session.answer(tuning, lambda: _tuning_words(tuning))
    if tuning.status in (JobStatus.FAILED, JobStatus.CANCELLED):
        raise Failed(f"tuning {tuning.id} {tuning.status}: {tuning.error or 'somebody cancelled it'}")


def _tuning_words(tuning: Tuning) -> str:
    if tuning.tuned is not None:
        return _tuned_words(tuning.tuned)
    at = f"{tuning.done} of {tuning.total} trials"
    return text.fields([("tuning", tuning.id), ("status", tuning.status), ("at", at), ("tries", tuning.message)])


def _tuned_words(tuned: Tuned) -> str:
    now, chosen = tuned.now, tuned.chosen
    settings = [
        ("chunking", now.chunking, chosen.chunking),
        ("share of vectors", _weight(now.vector_weight), _weight(chosen.vector_weight)),
        ("threshold", now.min_support, chosen.min_support),
    ]
    figures = [
        (words, getattr(tuned.dev, name), getattr(tuned.before, name), getattr(tuned.after, name))
        for name, words in _FIGURES.items()
    ]
    parts = [
        text.table(("setting", "now", "chosen"), settings),
        text.table(("figure", "dev, chosen", "other, now", "other, chosen"), figures),
        *tuned.notes,
        "set" if tuned.applied else "nothing is set; --apply sets it",
    ]
    return "\n\n".join(parts)


def _weight(share: float | None) -> object:
    return "by itself" if share is None else share


_FIGURES = {
    "questions": "questions",
    "unanswerable": "without an answer",
    "ndcg_at_10": "nDCG@10",
    "recall_at_5": "recall@5",
    "holds_gold": "gold in 1,000 words",
    "right": "right to answer or refuse",
    "auroc": "AUROC of support",
}
COMMANDS = (evaluate, tune, tunings)
