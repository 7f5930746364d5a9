"""Every page, in each state that looks different."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.support import tour
from tests.support.readings import Readings


class Visit(NamedTuple):
    """What came of a look at a place."""

    status: int
    read: Counter[str]
    """How often each file of the workspace was opened meanwhile."""


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Visit]]:
    """A look at each place, by its name."""
    readings, folder = Readings(tmp_path_factory.mktemp("hook")), tmp_path_factory.mktemp("tour")
    with tour.prepared(folder, **readings.environment) as visited:
        found = {}
        for place in tour.PLACES:
            readings.forget()
            found[place.name] = Visit(visited.status(place), readings.below(folder / place.within))
        yield found


def test_every_page_is_made_without_an_undefined_name(visits: dict[str, Visit]):
    # A template that uses one is an error of the server: see `Pages`.
    found = {name: visit.status for name, visit in visits.items() if visit.status >= 500}
    assert found == {}


def test_no_page_reads_a_file_of_the_workspace_twice(visits: dict[str, Visit]):
    assert any(visit.read for visit in visits.values())
    found = {
        (place, name): count
        for place, visit in visits.items()
        for name, count in visit.read.items()
        if count > 1 and not name.startswith(".sandbox/")
    }
    assert found == {}
