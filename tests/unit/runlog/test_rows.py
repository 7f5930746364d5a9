"""The row of a delivery, from its record."""

from __future__ import annotations

import msgspec
import pytest

from retailops_sandbox import jsontext
from retailops_sandbox.model import Judgement, Response, Verdict
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.rows import COLUMNS, DeliveryRow, row_of
from tests.support.records import some_delivery


@pytest.mark.parametrize(("values", "codes"), [(1_000, ("E1",)), (jsontext.MAX_VALUES, ())])
def test_codes_are_read_of_an_answer_that_is_judged(values: int, codes: tuple[str, ...]):
    body = '{"events":[{"error_code":"E1"}],"x":[' + ",".join("1" * values) + "]}"
    delivery = msgspec.structs.replace(some_delivery(), response=Response(status=200, body=body))
    assert row_of(delivery).codes == codes


def test_every_column_that_is_not_the_pages_own_is_listed() -> None:
    own = {"breaks_contract"}
    assert set(DeliveryRow.__struct_fields__) - own <= set(COLUMNS)
    assert own.isdisjoint(COLUMNS)


def test_the_first_verdict_stays_beside_another_latest_one():
    delivery = some_delivery(id="run.000001")

    def was(*verdicts: Verdict) -> str:
        judged = (Judgement(delivery="run.000001", verdict=verdict, at="") for verdict in verdicts)
        return Entry(delivery, tuple(judged)).row.was

    assert was() == was("failed") == was("failed", "passed", "failed") == ""
    assert was("failed", "passed") == "failed"
