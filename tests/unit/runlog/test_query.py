"""What a query can ask."""

from __future__ import annotations

import pytest

from retailops_sandbox.errors import UsageError
from retailops_sandbox.runlog.query import Query


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"status": "7"}, "status '7' is no status"),
        ({"status": "6xx"}, "status '6xx' is no status"),
        ({"verdict": "wrong"}, "there is no verdict 'wrong'"),
        ({"fault": "xx"}, "there is no fault 'xx'"),
        ({"since": "yesterday"}, "since 'yesterday' is no time in UTC"),
        ({"until": "2024-05-01T12"}, "until '2024-05-01T12' is no time in UTC"),
        ({"until": "2024-11-31"}, "until '2024-11-31' is no time in UTC"),
        ({"since": "2024-02-30T00:00Z"}, "since '2024-02-30T00:00Z' is no time in UTC"),
    ],
)
def test_what_cannot_be_asked_is_said(asked: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Query(**asked).checked()
