"""The server that the snippets of this folder's tests send to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.protocol.snippet_programs import answer
from tests.support.upstream import Upstream


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    """Its address."""
    server = Upstream(answer, key=None)
    yield server.url
    server.close()
