"""The row of a delivery, from its record."""

from __future__ import annotations

import msgspec
import pytest

from retailops_sandbox import jsontext
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.contracts.contract import DIALECT
from retailops_sandbox.model import Judgement, Response, Verdict
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.rows import COLUMNS, DeliveryRow, row_of
from tests.support.contracts import ACTION, EDITION, contract_document, with_own
from tests.support.records import some_delivery


@pytest.mark.parametrize(("values", "codes"), [(1_000, ("E1",)), (jsontext.MAX_VALUES, ())])
def test_codes_are_read_of_an_answer_that_is_judged(values: int, codes: tuple[str, ...]):
    body = '{"events":[{"error_code":"E1"}],"x":[' + ",".join("1" * values) + "]}"
    delivery = msgspec.structs.replace(some_delivery(), response=Response(status=200, body=body))
    assert row_of(delivery, SHIPPED_CONTRACTS).codes == codes


PULLED = {"orders": [{"id": "A1"}, {"id": "A2"}, {"id": 7}], "told": {"list": [{"c": "E1"}, {"c": "E2"}, {}]}}


def test_ids_come_from_payload_and_answer_and_events_from_where_the_contract_says():
    items = {"type": "array", "items": {"type": "object", "properties": {"id": {}, "c": {}}}}
    told = {"type": "object", "properties": {"list": items}}
    contracts = with_own(
        contract_document(
            subject={"kind": "order", "request": ["/wanted/*/id"], "response": ["/orders/*/id"]},
            events="/told/list",
            codes=["/told/list/*/c"],
            arrays={},
            auth=None,
            secrets=None,
            request_schema={"$schema": DIALECT, "type": "object", "properties": {"wanted": items}},
            response_schema={"$schema": DIALECT, "properties": {"orders": items, "told": told}},
        )
    )
    sent = some_delivery(action=ACTION, edition=EDITION)
    payload = {"wanted": [{"id": "A2"}, {"id": "B1"}]}
    delivery = msgspec.structs.replace(
        sent,
        request=msgspec.structs.replace(sent.request, body=jsontext.compact(payload).decode()),
        response=Response(status=200, body=jsontext.compact(PULLED).decode()),
    )
    row = row_of(delivery, contracts)
    assert row.orders == ("A2", "B1", "A1", "7")
    assert row.subjects == 3  # the orders of the answer
    assert (row.codes, row.events) == (("E1", "E2"), 3)


def test_a_bounded_number_of_ids_and_codes_is_kept():
    events = [{"error_code": f"E{number}"} for number in range(1_000)]
    body = jsontext.compact({"events": events}).decode()
    row = row_of(
        msgspec.structs.replace(some_delivery(), response=Response(status=200, body=body)), SHIPPED_CONTRACTS
    )
    assert (len(row.codes), row.events) == (20, 1_000)


def test_every_column_that_is_not_the_pages_own_is_listed() -> None:
    own = {"breaks_contract"}
    assert set(DeliveryRow.__struct_fields__) - own <= set(COLUMNS)
    assert own.isdisjoint(COLUMNS)


def test_the_first_verdict_stays_beside_another_latest_one():
    delivery = some_delivery(id="run.000001")

    def was(*verdicts: Verdict) -> str:
        judged = (Judgement(delivery="run.000001", verdict=verdict, at="") for verdict in verdicts)
        return Entry(delivery, tuple(judged)).row(SHIPPED_CONTRACTS).was

    assert was() == was("failed") == was("failed", "passed", "failed") == ""
    assert was("failed", "passed") == "failed"
