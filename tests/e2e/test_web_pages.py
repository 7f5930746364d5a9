"""Every page, in each state that looks different."""

from __future__ import annotations

from pathlib import Path

from tests.support import tour


def test_every_page_is_made_without_an_undefined_name(tmp_path: Path):
    # A template that uses one is an error of the server: see `Pages`.
    with tour.prepared(tmp_path) as visited:
        found = {place.name: visited.status(place) for place in tour.PLACES}
    assert {name: status for name, status in found.items() if status >= 500} == {}
