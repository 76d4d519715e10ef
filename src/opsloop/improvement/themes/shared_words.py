"""Group texts by a word that they share: what is done without numpy. Coarser than clusters, for a first look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence


def group(documents: Sequence[Sequence[str]]) -> list[int | None]:
    """The number of each document's group: the term that most documents left have, but no more than half of all."""
    holders: dict[str, set[int]] = defaultdict(set)
    for at, document in enumerate(documents):
        for term in document:
            holders[term].add(at)
    most = max(2, len(documents) // 2)
    usable = {term: found for term, found in holders.items() if 2 <= len(found) <= most}
    left = set(range(len(documents)))
    labels: list[int | None] = [None] * len(documents)
    number = 0
    while usable:
        term = max(usable, key=lambda each: (len(usable[each] & left), each))
        found = usable.pop(term) & left
        if len(found) < 2:
            break
        for at in found:
            labels[at] = number
        left -= found
        number += 1
    return labels
