"""The contract of the delivery log's ports (`runlog/ports.py`): each test here holds for every backend.

Nothing here knows how a backend keeps its log. What only one of them has is tested in the folder above.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.backends import BACKENDS, Backend, OpenBackend


@pytest.fixture(scope="session", params=BACKENDS)
def open_backend(request: pytest.FixtureRequest) -> OpenBackend:
    return BACKENDS[request.param]


@pytest.fixture
def backend(open_backend: OpenBackend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """An empty log."""
    with open_backend(tmp_path_factory.mktemp("log")) as opened:
        yield opened


@pytest.fixture
def elsewhere(open_backend: OpenBackend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """Another empty log, such as that of a CI job."""
    with open_backend(tmp_path_factory.mktemp("elsewhere")) as opened:
        yield opened
