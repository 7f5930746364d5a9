"""probe/sending.py: how long a receiver is left alone that says that too many requests came."""

from __future__ import annotations

import msgspec
import pytest

from retailops_sandbox.model import Headers
from retailops_sandbox.probe.observing import Answered
from retailops_sandbox.probe.sending import LONGEST_PAUSE, wanted_pause
from tests.support.probe_answers import Asking


def answered(status: int, headers: Headers) -> Answered:
    answer = Asking().answered(status=status)
    assert answer.delivery.response is not None
    response = msgspec.structs.replace(answer.delivery.response, headers=headers)
    return msgspec.structs.replace(
        answer, delivery=msgspec.structs.replace(answer.delivery, response=response)
    )


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, (("Retry-After", "1"),), 1.0),
        (429, (("retry-after", "3600"),), LONGEST_PAUSE),
        (429, (("Retry-After", "Sun, 29 Nov 2026 06:00:00 GMT"),), LONGEST_PAUSE / 2),
        (429, (), LONGEST_PAUSE / 2),
        (503, (("Retry-After", "1"),), 0.0),
        (200, (), 0.0),
    ],
)
def test_it_waits_as_long_as_the_receiver_says_within_a_limit(status: int, headers: Headers, seconds: float):
    assert wanted_pause(answered(status, headers)) == seconds


def test_it_does_not_wait_for_a_receiver_that_did_not_answer():
    assert wanted_pause(Asking().answered(fault="closed")) == 0.0
