"""Documents that come by URL: fetched as the settings allow, then taken in like those that were sent."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from opsloop.core.caller import Caller, Role
from opsloop.core.errors import InvalidInput, OpsloopError
from opsloop.core.fetching import fetch
from opsloop.core.fetching.network import REAL, Network
from opsloop.core.fetching.rules import Rules, hosts, shown
from opsloop.core.workspace import Workspace
from opsloop.rag._rows import collection_row
from opsloop.rag.ingests import service
from opsloop.rag.ingests.models import Given, Ingest, Named
from opsloop.rag.models import CollectionMissing
from opsloop.rag.parsing import naming
from opsloop.rag.settings import RagSettings

MAX_URLS = 20
AT_ONCE = 4


def take_in(
    workspace: Workspace,
    by: Caller,
    collection: str,
    sent: Sequence[Given | Named],
    *,
    into: str | None = None,
    network: Network = REAL,
) -> Ingest:
    """As `service.take_in`; a document that cannot be fetched is refused with its reason and stops no other.

    Raises: InvalidInput, also when documents are not fetched here or too many are named; CollectionClosed before
        anything is asked for; IngestMissing.
    """
    named = {number: each for number, each in enumerate(sent) if isinstance(each, Named)}
    if not named:
        return service.take_in(workspace, by, collection, [each for each in sent if isinstance(each, Given)], into=into)
    rules = _rules(workspace.section(RagSettings), next(iter(named)))
    if len(named) > MAX_URLS:
        raise InvalidInput(field="documents", value=f"{len(named)} URLs", wanted=f"at most {MAX_URLS} URLs a request")
    _check_right(workspace, by, collection, into)
    with ThreadPoolExecutor(min(AT_ONCE, len(named)), thread_name_prefix="documents-by-url") as pool:
        found = dict(zip(named, pool.map(lambda each: fetched(each, rules, network), named.values()), strict=True))
    documents = [each if isinstance(each, Given) else found[number] for number, each in enumerate(sent)]
    return service.take_in(workspace, by, collection, documents, into=into)


def fetched(named: Named, rules: Rules, network: Network = REAL) -> Given:
    """The document, or why there is none; its metadata `url` says where it came from."""
    url = shown(named.url)
    nothing = Given(named.filename or _name_of(url), b"", named.metadata, url=url)
    try:
        found = fetch.fetch(named.url, rules, network=network)
    except OpsloopError as error:
        return replace(nothing, refused=error.sentence)
    name = named.filename or naming.filename_of(found.url, found.media_type, said=found.filename)
    return Given(name, found.data, {"url": found.url, **named.metadata}, url=url)


def _name_of(url: str) -> str:
    try:
        return naming.filename_of(url, "") or "a document without a name"
    except ValueError:
        return "a document without a name"


def _rules(settings: RagSettings, first: int) -> Rules:
    """Raises: InvalidInput."""
    if settings.rag_urls == "off":
        wanted = "the file's bytes: fetching documents is off here (OPSLOOP_RAG_URLS=public allows the public web)"
        raise InvalidInput(field=f"documents.{first}.url", wanted=wanted)
    allowed = hosts(settings.rag_url_hosts, field="setting rag_url_hosts")
    is_named = settings.rag_urls == "named"
    if is_named and not allowed:
        wanted = "the hosts that OPSLOOP_RAG_URLS=named allows, with commas between them"
        raise InvalidInput(field="setting rag_url_hosts", value=settings.rag_url_hosts, wanted=wanted)
    return Rules(
        limit_bytes=settings.rag_document_limit_bytes,
        timeout_s=settings.rag_url_timeout_s,
        hosts=allowed or None,
        is_public_only=not is_named,
        hint=" (OPSLOOP_RAG_URL_HOSTS)" if allowed else "",
    )


def _check_right(workspace: Workspace, by: Caller, collection: str, into: str | None) -> None:
    """Who may not change the collection makes this machine ask nobody."""
    by.require(Role.DEVELOPER)
    with workspace.reading(by) as uow:
        try:
            collection_row(uow, collection, for_change=True, is_locked=False)
        except CollectionMissing:  # an ingest makes it
            if into is not None:
                raise
        if into is not None:
            service.get(uow, collection, into)
