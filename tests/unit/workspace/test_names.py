"""Names of the user's files and of what is in them."""

from __future__ import annotations

import pytest

from retailops_sandbox.workspace.names import free_name


@pytest.mark.parametrize(
    ("taken", "name"),
    [(set(), "a"), ({"a"}, "a-2"), ({"a", "a-2", "a-3"}, "a-4"), ({"a", "a-3"}, "a-2")],
)
def test_the_first_name_that_is_not_taken_is_free(taken: set[str], name: str):
    assert free_name("a", taken.__contains__) == name


def test_the_number_is_set_apart_as_asked():
    assert free_name("step", {"step"}.__contains__, separator=" ") == "step 2"
