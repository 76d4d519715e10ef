"""Training in the process of the tests, for tests of what comes before and after it.

The platform trains in a process of its own (`opsloop.training.apart`, which has tests of its own); that one imports for
three seconds what is in memory here.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from opsloop.training.answer import answer_to


@pytest.fixture(scope="module")
def training_here() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("opsloop.training.apart.run_apart", answer_to)
        yield
