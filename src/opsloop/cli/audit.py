"""`opsloop audit`: the signed record of who did what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.core.audit.models import Verification


@noun("audit")
def audit() -> None:
    """The signed record of who did what."""


@verb(audit, "list", example="opsloop audit list --target endpoint/support-chat --limit 20")
@click.option("--target", metavar="TEXT", help="Only things whose name begins so, such as endpoint/support-chat.")
@click.option("--action", metavar="TEXT", help="Only actions that begin so, such as rollout.")
@click.option("--before", type=int, metavar="N", help="Only events before this number.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, newest first.")
def listed(session: Session, target: str | None, action: str | None, before: int | None, limit: int) -> None:
    """List events, newest first."""
    with session.client() as client:
        events = client.audit.listed(target=target, action=action, before=before, limit=limit)
    rows = [(event.seq, event.at[:19].replace("T", " "), event.actor, event.action, event.target) for event in events]
    words = text.table(("no", "at (utc)", "who", "did", "to"), rows) or "nothing is recorded yet"
    session.answer({"items": events}, words)


@verb(
    audit,
    "verify",
    example="""opsloop audit verify
    opsloop audit verify trail.jsonl --key audit.pub.pem""",
)
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--key", type=click.Path(path_type=Path, dir_okay=False), help="Public key (PEM) that checks FILE.")
def verify(session: Session, file: Path | None, key: Path | None) -> None:
    """Check every hash and signature of the record, or of an export in FILE.

    Exit code 6 when a link is broken; the first one is named.
    """
    from opsloop.core.errors import AnswerIsNo

    if (file is None) != (key is None):
        raise click.UsageError("an export is checked with its public key: give both FILE and --key")
    if file is not None and key is not None:
        found = _offline(file, key)
    else:
        with session.client() as client:
            found = client.audit.verify()
    words = f"(events: {found.events}, signatures: {found.checkpoints})"
    session.answer(found, f"the record holds {words}" if found.ok else f"the record does not hold {words}")
    if not found.ok:
        named = f" ({found.broken_id})" if found.broken_id else ""
        before = (found.broken_at or 1) - 1
        raise AnswerIsNo(
            f"the audit trail does not hold from event {found.broken_at}{named} on: {found.reason}; "
            f"the {before} events before it do"
        )


@verb(audit, "export", example="opsloop audit export trail.jsonl --key audit.pub.pem")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--key", type=click.Path(path_type=Path, dir_okay=False), help="Where to put the public key (PEM).")
def export(session: Session, file: Path, key: Path | None) -> None:
    """Write the record to FILE as JSON lines; `audit verify FILE --key KEY` checks it anywhere."""
    to_stdout = str(file) == "-"
    if to_stdout and session.as_json:
        raise click.UsageError("stdout takes the export or the JSON answer, not both: name a FILE")
    with session.client() as client:
        lines = client.audit.export()
        pem = client.audit.public_key() if key is not None else None
    if key is not None and pem is not None:
        key.write_text(pem)
    if to_stdout:
        session.out.write(lines.decode())
        return
    file.write_bytes(lines)
    records = lines.count(b"\n")
    answer = {"file": str(file), "records": records, "key": str(key) if key is not None else None}
    session.answer(answer, f"{records} records written to {file}")


@verb(
    audit,
    "report",
    example="""opsloop audit report --from 2027-01-01 --to 2027-02-01 > january.json
    opsloop audit report --from 2027-01-01 --to 2027-02-01 --format html --out january.html""",
)
@click.option("--from", "since", required=True, metavar="DAY", help="First day (UTC), or an instant.")
@click.option("--to", "until", required=True, metavar="DAY", help="The day after the last, or an instant.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("json", "html")),
    default="json",
    show_default=True,
    help="Form of the report.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; default: stdout.")
def report(session: Session, since: str, until: str, form: str, out: Path | None) -> None:
    """Write what ran in a period, on what data, who let it, how it did, and whether the record holds."""
    if out is None and form == "html" and session.as_json:
        raise click.UsageError("stdout takes the page or the JSON answer, not both: name a file with --out")
    with session.client() as client:
        found = client.audit.report(since, until, form=form)
    if out is None:
        session.out.write(found)
        return
    out.write_text(found)
    session.answer({"file": str(out), "format": form}, f"the report from {since} to {until} is in {out}")


def _offline(file: Path, key: Path) -> Verification:
    # No client and no server: an auditor has only the two files.
    from opsloop.core.audit import exported, keys, verification
    from opsloop.core.errors import InvalidInput

    public = keys.public_key(key)
    try:
        with file.open("rb") as lines:
            events, marks = exported.read(lines)
    except exported.NotAnExport as error:
        wanted = "an export of the audit trail, as `opsloop audit export` writes it"
        raise InvalidInput(field="FILE", value=str(file), wanted=wanted) from error
    return verification.verify(events, marks, public)
