"""`opsloop rag`: collections of documents and answers from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsloop.cli import rag_evaluate, text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.client.document_files import Sent
    from opsloop.client.http import Client
    from opsloop.rag.ingests.models import Ingest
    from opsloop.rag.models import Answer, Changeover, Collection, Passage, Removed, Uploaded

PASSAGES = ".jsonl"
EXCERPT = 100
REFUSALS = 20


class _FileOrUrl(click.Path):
    """A path that is there, or the text of a URL."""

    def __init__(self) -> None:
        super().__init__(exists=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        is_url = isinstance(value, str) and value.lower().startswith(("http://", "https://"))
        return value if is_url else super().convert(value, param, ctx)


@noun("rag")
def rag() -> None:
    """Collections of documents and answers from them."""


for _command in rag_evaluate.COMMANDS:
    rag.add_command(_command)


@verb(
    rag,
    "create",
    example="""opsloop rag create handbook --store pgvector
    opsloop rag create handbook --embedder onnx:models/minilm""",
)
@click.argument("collection")
@click.option("--chunking", help="How texts are cut: sentences, sentences-200 or words-500.")
@click.option("--embedder", help="What makes vectors: lsa, onnx:FOLDER or openai:MODEL.")
@click.option("--store", help="Where passages are searched: embedded, pgvector, dynamodb or azure-search.")
def create(session: Session, collection: str, chunking: str | None, embedder: str | None, store: str | None) -> None:
    """Make COLLECTION before its first upload, which would make it as the settings say."""
    with session.client() as client:
        found = client.documents.create(collection, chunking=chunking, embedder=embedder, store=store)
    session.answer(found, f"{found.name} is made; embedder {found.embedder}, store {found.store}")


@verb(
    rag,
    "upload",
    example="""opsloop rag upload handbook leave.md dental.md
    opsloop rag upload handbook documents/ --recursive
    opsloop rag upload handbook passages.jsonl
    opsloop rag upload handbook https://example.org/leave.html""",
)
@click.argument("collection")
@click.argument("files", nargs=-1, required=True, type=_FileOrUrl())
@click.option("--recursive", is_flag=True, help="Folders in folders too.")
def upload(session: Session, collection: str, files: Sequence[Path | str], recursive: bool) -> None:
    """Put FILES, the files of folders, and what URLs name into COLLECTION, which is made when there is none.

    A folder is one ingest: a durable job stores its documents, and what cannot be read does not stop the others; then
    the exit code is 1. A .jsonl file holds ready passages, one JSON object with _id, title and text a line. URLs are
    fetched by the platform, where its setting OPSLOOP_RAG_URLS allows that, and are part of the ingest.
    """
    paths = [each for each in files if isinstance(each, Path)]
    if len(paths) < len(files) or any(each.is_dir() for each in paths):
        _upload_as_ingest(session, collection, files, recursive)
        return
    found: list[Uploaded] = []
    with session.client() as client, session.progress("uploading") as progress:
        for number, file in enumerate(paths):
            progress(number, len(paths), file.name)
            found += _sent(client, collection, file)
    new = sum(not each.duplicate for each in found)
    words = f"{new} documents are new in {collection}, {len(found) - new} were there"
    session.answer({"items": found}, words)


@verb(
    rag,
    "ingests",
    example="""opsloop rag ingests handbook
    opsloop rag ingests handbook ingest_01j… --state refused""",
)
@click.argument("collection")
@click.argument("ingest", required=False)
@click.option(
    "--state",
    type=click.Choice(["waiting", "stored", "duplicate", "refused"]),
    help="Of INGEST, documents in this state alone.",
)
def ingests(session: Session, collection: str, ingest: str | None, state: str | None) -> None:
    """List the ingests of COLLECTION, newest first; of INGEST, what became of each document."""
    if state is not None and ingest is None:
        raise click.UsageError("name an INGEST whose documents --state chooses")
    with session.client() as client:
        if ingest is None:
            found = client.documents.ingests(collection)
            session.answer({"items": found}, lambda: _ingests(found) or f"no ingest came to {collection} yet")
            return
        items = client.documents.ingested(collection, ingest, state=state)
    rows = [(each.number, each.filename, each.state, each.document_id, each.reason) for each in items]
    words = text.table(("number", "file", "state", "document", "reason"), rows)
    session.answer({"items": items}, words or "no such documents in it")


@verb(
    rag,
    "query",
    example="""opsloop rag query handbook "Is dental care covered?"
    opsloop rag query handbook "And for children?" --after "Is dental care covered?\"""",
)
@click.argument("collection")
@click.argument("question")
@click.option("--top-k", type=click.IntRange(1, 50), help="Passages to answer from.")
@click.option(
    "--generate/--quote", default=None, help="Let the model write the answer, or quote; else: as the settings say."
)
@click.option("--after", multiple=True, metavar="QUESTION", help="A question asked before, oldest first; repeatable.")
def query(
    session: Session, collection: str, question: str, top_k: int | None, generate: bool | None, after: Sequence[str]
) -> None:
    """Answer QUESTION from COLLECTION, with exact citations, or say that it cannot be answered."""
    history = [{"role": "user", "content": each} for each in after]
    with session.client() as client:
        answer = client.documents.query(collection, question, top_k=top_k, generate=generate, history=history)
    session.answer(answer, lambda: _answer_words(answer))


@verb(rag, "search", example='opsloop rag search handbook "dental care" --top-k 3')
@click.argument("collection")
@click.argument("question")
@click.option("--top-k", type=click.IntRange(1, 50), help="How many passages.")
def search(session: Session, collection: str, question: str, top_k: int | None) -> None:
    """List the passages of COLLECTION that match QUESTION best."""
    with session.client() as client:
        found = client.documents.search(collection, question, top_k=top_k)
    session.answer({"items": found}, lambda: _passages(found) or "nothing matches")


@verb(rag, "list", example="opsloop rag list handbook")
@click.argument("collection", required=False)
def listed(session: Session, collection: str | None) -> None:
    """List the documents of COLLECTION; without it, all collections."""
    with session.client() as client:
        if collection is None:
            collections = client.documents.collections()
            session.answer({"items": collections}, lambda: _collections(collections))
            return
        documents = client.documents.listed(collection)
    rows = [(each.id, each.filename, each.chunks, each.words, each.created_at) for each in documents]
    words = text.table(("document", "file", "chunks", "words", "created"), rows)
    session.answer({"items": documents}, words or f"{collection} holds no documents")


@verb(rag, "stats", example="opsloop rag stats handbook")
@click.argument("collection")
def stats(session: Session, collection: str) -> None:
    """Show what COLLECTION holds."""
    with session.client() as client:
        found = client.documents.stats(collection)
    pairs = (
        ("documents", found.documents),
        ("chunks", found.chunks),
        ("words", found.words),
        ("embedder", found.embedder),
        ("store", found.store + ("" if found.is_copied else ", being brought up to date")),
        ("vectors explain", text.percent(found.vectors_explain)),
        *((("re-indexing", _changeover(found.changeover)),) if found.changeover is not None else ()),
    )
    session.answer(found, text.fields(pairs))


@verb(
    rag,
    "reindex",
    example="""opsloop rag reindex handbook
    opsloop rag reindex handbook --embedder onnx:models/minilm
    opsloop rag reindex handbook --embedder openai:text-embedding-3-small""",
)
@click.argument("collection")
@click.option("--embedder", help="lsa, onnx:FOLDER or openai:MODEL; without it, that of the collection.")
@click.option("--timeout", "timeout_s", type=click.FloatRange(0), help="Seconds to wait; the work goes on without.")
def reindex(session: Session, collection: str, embedder: str | None, timeout_s: float | None) -> None:
    """Make all vectors of COLLECTION anew, with another embedder or its own.

    Searches go on with the old vectors until all new ones are made, and so do uploads.
    """
    with session.client() as client, session.progress("embedding") as progress:
        found = client.documents.reindex(collection, embedder=embedder, timeout_s=timeout_s, tell=progress)
    session.answer(found, f"{collection} is searched by vectors of {found.embedder or embedder}")


@verb(
    rag,
    "delete",
    example="""opsloop rag delete handbook doc_01j…
    opsloop rag delete handbook --all""",
)
@click.argument("collection")
@click.argument("document", required=False)
@click.option("--all", "everything", is_flag=True, help="The whole collection with all its documents.")
def delete(session: Session, collection: str, document: str | None, everything: bool) -> None:
    """Delete DOCUMENT from COLLECTION, or with --all the collection."""
    if (document is None) != everything:
        raise click.UsageError("name a DOCUMENT, or the whole collection with --all")
    with session.client() as client:
        if document is not None:
            removed = client.documents.delete(collection, document)
        else:
            removed = client.documents.delete_collection(collection)
    gone = f"{collection}/{document}" if document is not None else collection
    session.answer({"deleted": gone, "removed": removed}, lambda: f"{gone} is deleted: {_removed(removed)}")


@verb(
    rag,
    "access",
    example="""opsloop rag access handbook --reader key:ci --reader role:operator --writer key:people
    opsloop rag access handbook --open""",
)
@click.argument("collection")
@click.option("--reader", "readers", multiple=True, metavar="CALLER", help="May search it, such as key:ci.")
@click.option("--writer", "writers", multiple=True, metavar="CALLER", help="May change it and search it.")
@click.option("--open", "is_open", is_flag=True, help="To everybody who has the role for it, as at first.")
def access(session: Session, collection: str, readers: Sequence[str], writers: Sequence[str], is_open: bool) -> None:
    """Say who may search COLLECTION and who may change it; all others may not, admins excepted.

    CALLER is a name as the audit trail has it (key:NAME, local:USER), role:ROLE for that role and those above it, or
    system:flows for flows, whoever calls them.
    """
    if bool(readers or writers) == is_open:
        raise click.UsageError("name who may with --reader and --writer, or open it with --open")
    with session.client() as client:
        found = client.documents.give_access(
            collection, readers=None if is_open else readers, writers=None if is_open else writers
        )
    session.answer(found, lambda: _access(found))


@verb(
    rag,
    "retain",
    example="""opsloop rag retain handbook 365
    opsloop rag retain handbook --always""",
)
@click.argument("collection")
@click.argument("days", required=False, type=click.IntRange(1))
@click.option("--always", is_flag=True, help="Keep documents until somebody deletes them, as at first.")
def retain(session: Session, collection: str, days: int | None, always: bool) -> None:
    """Delete documents of COLLECTION by themselves once they are DAYS old."""
    if (days is None) != always:
        raise click.UsageError("name an age in DAYS, or keep documents with --always")
    with session.client() as client:
        found = client.documents.retain(collection, days)
    words = f"{collection} keeps documents " + ("until they are deleted" if always else f"for {days} days")
    session.answer(found, words)


def _changeover(found: Changeover) -> str:
    if found.error is not None:
        return f"failed, with {found.embedder}: {found.error}"
    return f"with {found.embedder}, {found.done:,} of {found.total:,} vectors are made"


def _upload_as_ingest(session: Session, collection: str, files: Sequence[Path | str], recursive: bool) -> None:
    from opsloop.client import document_files

    paths = [each for each in files if isinstance(each, Path)]
    urls = [document_files.Address(each) for each in files if isinstance(each, str)]
    found: list[document_files.Source | document_files.Address] = [
        *document_files.sources(paths, recursive=recursive),
        *urls,
    ]
    with session.client() as client, session.progress("uploading") as progress:
        sent = document_files.upload(client.documents, collection, found, tell=progress)
    session.answer({"ingest": sent.ingest, "refused": sent.refused}, lambda: _sent_words(collection, sent))
    sent.checked()


def _sent_words(collection: str, sent: Sent) -> str:
    lines = [f"refused: {each.reason}" for each in sent.refused[:REFUSALS]]
    more = len(sent.refused) - len(lines)
    if more > 0:
        lines.append(f"and {more} more")
    if sent.ingest is None:
        return "\n".join([*lines, f"nothing is new in {collection}"])
    found = sent.ingest
    counted = f"{found.stored} documents are new in {collection}, {found.duplicate} were there"
    return "\n".join([*lines, f"{counted}, {len(sent.refused)} were refused ({found.id})"])


def _ingests(found: list[Ingest]) -> str:
    rows = [
        (each.id, each.created_at, each.created_by, each.waiting, each.stored, each.duplicate, each.refused)
        for each in found
    ]
    return text.table(("ingest", "at", "by", "waiting", "stored", "duplicate", "refused"), rows)


def _removed(found: Removed) -> str:
    excerpts = [f"texts in {count} {kind.replace('_', ' ')}" for kind, count in found.excerpts.items() if count]
    return ", ".join([f"{found.documents} documents", f"{found.chunks} chunks", f"{found.windows} vectors", *excerpts])


def _access(found: Collection) -> str:
    if found.readers is None and found.writers is None:
        return f"{found.name} is open to everybody who has the role for it"
    may = (("read", found.readers), ("change", found.writers))
    said = (f"{', '.join(names) or 'admins alone'} may {verb} it" for verb, names in may if names is not None)
    return f"{found.name}: {'; '.join(said)}"


def _collections(found: list[Collection]) -> str:
    rows = [(each.name, each.chunking, each.created_at) for each in found]
    words = text.table(("collection", "chunking", "created"), rows)
    return words or "no collections yet; `opsloop rag upload` makes one"


def _sent(client: Client, collection: str, file: Path) -> list[Uploaded]:
    if file.suffix.lower() == PASSAGES:
        return client.documents.upload_passages(collection, file.read_bytes())
    return [client.documents.upload(collection, file.name, file.read_bytes())]


def _answer_words(answer: Answer) -> str:
    quotes = [
        f"  [{number}] {each.filename}{_page(each.page)}, characters {each.start} to {each.end}: “{each.quote}”"
        for number, each in enumerate(answer.citations, start=1)
    ]
    notes = [f"({answer.note})"] if answer.note is not None else []
    return "\n".join([answer.answer, *notes, *([""] if quotes else []), *quotes])


def _page(page: int | None) -> str:
    return "" if page is None else f", page {page}"


def _passages(found: list[Passage]) -> str:
    rows = [(round(each.score, 3), each.filename, each.chunk, _excerpt(each.text)) for each in found]
    return text.table(("score", "file", "chunk", "text"), rows)


def _excerpt(passage: str) -> str:
    line = " ".join(passage.split())
    return line if len(line) <= EXCERPT else f"{line[: EXCERPT - 1]}…"
