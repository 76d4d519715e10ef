"""`opsloop rag`: collections of documents and answers from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsloop.cli import rag_evaluate, text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.client.http import Client
    from opsloop.rag.models import Answer, Collection, Passage, Uploaded

PASSAGES = ".jsonl"
EXCERPT = 100


@noun("rag")
def rag() -> None:
    """Collections of documents and answers from them."""


for _command in rag_evaluate.COMMANDS:
    rag.add_command(_command)


@verb(
    rag,
    "upload",
    example="""opsloop rag upload handbook leave.md dental.md
    opsloop rag upload handbook passages.jsonl""",
)
@click.argument("collection")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def upload(session: Session, collection: str, files: Sequence[Path]) -> None:
    """Put FILES into COLLECTION, which is made when there is none.

    A .jsonl file holds ready passages, one JSON object with _id, title and text a line.
    """
    found: list[Uploaded] = []
    with session.client() as client, session.progress("uploading") as progress:
        for number, file in enumerate(files):
            progress(number, len(files), file.name)
            found += _sent(client, collection, file)
    new = sum(not each.duplicate for each in found)
    words = f"{new} documents are new in {collection}, {len(found) - new} were there"
    session.answer({"items": found}, words)


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
        ("vectors explain", text.percent(found.vectors_explain)),
    )
    session.answer(found, text.fields(pairs))


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
            client.documents.delete(collection, document)
        else:
            client.documents.delete_collection(collection)
    gone = f"{collection}/{document}" if document is not None else collection
    session.answer({"deleted": gone}, f"{gone} is deleted")


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
