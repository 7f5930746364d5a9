"""How many values of a stranger's answer are read."""

from __future__ import annotations

import pytest

from retailops_sandbox import jsontext
from retailops_sandbox.errors import SourceError
from retailops_sandbox.jsontext import parsing

MOST = 6_000


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "MAX_VALUES", MOST)


@pytest.mark.parametrize("item", ["1", '"a,b"', '"[{\\"],["', '{"a,":2}', '  "" '])
def test_values_are_counted_and_what_is_in_strings_is_not(item: str) -> None:
    each = 2 if item.startswith("{") else 1
    many = (MOST - 1) // each

    def array(count: int) -> str:
        return f"[{','.join([item] * count)}]"

    found = jsontext.parse_answer(array(many - 1))
    assert isinstance(found, list)
    assert len(found) == many - 1
    with pytest.raises(SourceError, match="more values than the 6,000 that are judged"):
        jsontext.parse_answer(array(many + 2))


def test_a_string_of_any_length_is_one_value() -> None:
    long = '"' + ",[{" * 300_000 + '"'
    assert jsontext.parse_answer(f"[{long},{long}]") == [long[1:-1]] * 2
