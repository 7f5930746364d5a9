"""What the tests of all pages share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import tour
from tests.tour import Tour


@pytest.fixture(scope="session")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    """Every place there is, to be looked at and not to be changed."""
    with tour.prepared(tmp_path_factory.mktemp("tour")) as prepared:
        yield prepared
