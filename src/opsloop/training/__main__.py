"""`python -m opsloop.training`: train a pipeline from a file of rows, without a platform."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from opsloop.core.errors import InvalidInput, OpsloopError
from opsloop.core.exit_codes import CODES, INTERRUPTED
from opsloop.training import alone, naming
from opsloop.training.alone import Made
from opsloop.training.learning import Progress
from opsloop.training.outlet import outlet_of

NOTICE = "notice.json"


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    try:
        made = _made(given)
    except OpsloopError as error:
        print(f"opsloop.training: {error.sentence}", file=sys.stderr)  # noqa: T201 (a command speaks)
        return CODES[error.kind]
    except KeyboardInterrupt:
        return INTERRUPTED
    if given.as_json:
        print(json.dumps(asdict(made), indent=2, ensure_ascii=False))  # noqa: T201
    else:
        print(_words(made))  # noqa: T201
    return 0


def _made(given: argparse.Namespace) -> Made:
    what = alone.wanted(given.file, given.pipeline, given.data)
    outlet = outlet_of(given.to) if given.to else None
    if outlet is None and given.bundle is None:
        raise InvalidInput("--to or --bundle: wanted at least one of them, to know where the model goes", field="--to")
    if given.bundle is not None and given.bundle.is_dir() and any(given.bundle.iterdir()) and not given.replace:
        raise InvalidInput(field="--bundle", value=str(given.bundle), wanted="an empty or new folder, or --replace")
    now = datetime.now(UTC)
    learned, facts = alone.trained(what, _progress(quiet=given.as_json), now)
    artifacts: dict[str, str] = {}
    if given.bundle is not None:
        from opsloop.models import bundle  # brings NumPy

        bundle.write(learned.candidate, given.bundle)
        artifacts["bundle"] = str(given.bundle)
    if outlet is not None:
        keys = alone.written(learned, facts, outlet, datetime.now(UTC))
        artifacts |= {name: f"{outlet.where}/{key}" for name, key in keys.items()}
    made = alone.made(learned, facts, artifacts)
    if given.notice is not None:
        given.notice.write_text(json.dumps({"text": made.sentence}, ensure_ascii=False), encoding="utf-8")
    return made


def _progress(*, quiet: bool) -> Progress:
    def tell(done: int, total: int, message: str) -> None:
        if not quiet and sys.stderr.isatty():
            print(f"\r\x1b[2K{done} of {total}: {message}", end="", file=sys.stderr, flush=True)  # noqa: T201
            if done == total:
                print("\r\x1b[2K", end="", file=sys.stderr, flush=True)  # noqa: T201

    return tell


def _words(made: Made) -> str:
    facts = {"pipeline": made.pipeline, "data": made.data, "rows": made.rows, **made.artifacts}
    notes = "".join(f"\n{note}" for note in (made.steps[-1], *made.notes))
    return naming.metrics_text(facts, made.metrics).rstrip("\n") + ("\n" + notes if notes else "")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m opsloop.training",
        description="Train a pipeline from a file of rows and write the model with its figures.",
        epilog="Example: python -m opsloop.training opsloop.yaml iris --data data/iris.csv --to artifacts",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="an opsloop.yaml, or a file with one pipeline")
    parser.add_argument("pipeline", nargs="?", metavar="PIPELINE", help="which one of an opsloop.yaml")
    parser.add_argument("--data", type=Path, metavar="FILE", help="rows: CSV, JSON lines, JSON or Parquet")
    parser.add_argument("--to", metavar="FOLDER|URL", help="writes models/model-… and metrics/metrics-…; also s3://…")
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="writes model.onnx, baseline.npy and the rest there")
    parser.add_argument("--replace", action="store_true", help="the bundle's folder may hold an earlier one")
    parser.add_argument("--notice", type=Path, metavar="FILE", help="writes what a Slack webhook takes")
    parser.add_argument("--json", dest="as_json", action="store_true", help="one JSON document on stdout")
    return parser


if __name__ == "__main__":
    sys.exit(main())
