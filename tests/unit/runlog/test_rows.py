"""The row of a delivery, from its record."""

from __future__ import annotations

import msgspec
import pytest

from retailops_sandbox import jsontext
from retailops_sandbox.contracts import contract
from retailops_sandbox.contracts.contract import Subject
from retailops_sandbox.model import Judgement, Response, Verdict
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.rows import COLUMNS, DeliveryRow, row_of
from tests.support.records import some_delivery


@pytest.mark.parametrize(("values", "codes"), [(1_000, ("E1",)), (jsontext.MAX_VALUES, ())])
def test_codes_are_read_of_an_answer_that_is_judged(values: int, codes: tuple[str, ...]):
    body = '{"events":[{"error_code":"E1"}],"x":[' + ",".join("1" * values) + "]}"
    delivery = msgspec.structs.replace(some_delivery(), response=Response(status=200, body=body))
    assert row_of(delivery).codes == codes


PULLED = {"orders": [{"id": "A1"}, {"id": "A2"}, {"id": 7}], "told": {"list": [{"c": "E1"}, {"c": "E2"}, {}]}}


def test_ids_come_from_payload_and_answer_and_events_from_where_the_contract_says(
    monkeypatch: pytest.MonkeyPatch,
):
    draft = contract.load("order_cancel", "draft")
    subject = Subject(kind="order", request=("/wanted/*/id",), response=("/orders/*/id",))
    changes = {"subject": subject, "events": "/told/list", "codes": ("/told/list/*/c",)}
    agreed = msgspec.structs.replace(draft, **changes)
    monkeypatch.setattr(contract, "load", lambda *_: agreed)
    sent = some_delivery()
    payload = {"wanted": [{"id": "A2"}, {"id": "B1"}]}
    delivery = msgspec.structs.replace(
        sent,
        request=msgspec.structs.replace(sent.request, body=jsontext.compact(payload).decode()),
        response=Response(status=200, body=jsontext.compact(PULLED).decode()),
    )
    row = row_of(delivery)
    assert row.orders == ("A2", "B1", "A1", "7")
    assert (row.codes, row.events) == (("E1", "E2"), 3)


def test_a_bounded_number_of_ids_and_codes_is_kept():
    events = [{"error_code": f"E{number}"} for number in range(1_000)]
    body = jsontext.compact({"events": events}).decode()
    row = row_of(msgspec.structs.replace(some_delivery(), response=Response(status=200, body=body)))
    assert (len(row.codes), row.events) == (20, 1_000)


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
