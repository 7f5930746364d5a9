"""Causes that several failures share."""

from __future__ import annotations

import pytest

from retailops_sandbox.model import Delivery, Expectation, Fault, Judgement, Response, Violation
from retailops_sandbox.reporting.render import causes
from retailops_sandbox.reporting.render.causes import Cause
from tests.support.records import some_delivery

REFUSED = some_delivery(response=None, fault=Fault("refused", "nothing listens on 127.0.0.1:9"))
ANSWERED = some_delivery(response=Response(status=500, headers=()))


def failed(*violations: Violation, expectation: Expectation | None = None) -> Judgement:
    return Judgement(delivery="", verdict="failed", at="", violations=violations, expectation=expectation)


def at(pointer: str) -> Violation:
    return Violation(pointer, "type", "must be a string, not an integer")


@pytest.mark.parametrize(
    ("sent", "judgement", "key"),
    [
        (REFUSED, Judgement(delivery="", verdict="errored", at=""), ("fault", "refused")),
        (REFUSED, Judgement(delivery="", verdict="passed", at=""), None),
        (REFUSED, None, None),
        (ANSWERED, failed(Violation("", "status", "answered 500", part="status")), ("status", "500")),
        (ANSWERED, failed(at("/events/12/error_code")), ("contract", "body", "/events/*/error_code", "type")),
        (ANSWERED, failed(at("/a"), expectation=Expectation(contract=False)), None),
        (ANSWERED, failed(), None),
    ],
)
def test_a_cause_is_of_what_others_may_have_too(
    sent: Delivery, judgement: Judgement | None, key: tuple[str, ...] | None
):
    found = causes.of_delivery(sent, judgement)
    assert (found.key if found is not None else None) == key


def test_a_cause_is_common_where_more_than_half_have_it():
    one, same, other = Cause(("a",), "at 1"), Cause(("a",), "at 2"), Cause(("b",), "b")
    found = causes.common([other, one, None, same, same])
    assert found is not None
    assert (found.cause.text, found.count) == ("at 1", 3)
    assert causes.common([one]) is None
    assert causes.common([one, same, None, other]) is None
    assert causes.shared([one, same]) == one
    assert causes.shared([one, other]) is None
    assert causes.shared([one, None]) is None
