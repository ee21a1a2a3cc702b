"""One whole stack for the end-to-end tests that can share it: they use different days."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from whole_stack import WholeStack, started


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeStack]:
    # A file's conversions come hours after its impressions: Redis has to keep both.
    kept = {"ROAS_CACHE_WRITER_REDIS_KEPT_WINDOWS_1M": "1440"}
    with started(tmp_path_factory.mktemp("stack"), kept) as running:
        yield running
