"""wire_words.py: every way to spell a request has words."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from retailops_sandbox.model import Wire
from retailops_sandbox.model.wire import WrongProof
from retailops_sandbox.reporting.render import wire_words

OTHERWISE: dict[str, Any] = {
    "method": "PUT",
    "path": "/x",
    "http": "1.0",
    "headers": ["a: b"],
    "lower_case": True,
    "chunked": 7,
    "compressed": "gzip",
    "charset": "utf-16",
    "twice": "/data",
    "expect_continue": True,
    "bytes_per_second": 100,
    "proof": "spaced",
    "break_off_after": 0,
}


def test_each_field_is_told():
    assert set(OTHERWISE) == set(Wire.__struct_fields__)
    told = [wire_words.spelled(Wire(**{name: value})) for name, value in OTHERWISE.items()]
    assert "in the usual way" not in told
    assert len(set(told)) == len(told)
    assert wire_words.spelled(Wire(**OTHERWISE)).count(", ") == len(told) - 1


@pytest.mark.parametrize("proof", get_args(WrongProof))
def test_each_wrong_proof_is_told(proof: Any):
    assert wire_words.WRONG_PROOFS[proof] in wire_words.spelled(Wire(proof=proof))
    assert len(set(wire_words.WRONG_PROOFS.values())) == len(wire_words.WRONG_PROOFS)
