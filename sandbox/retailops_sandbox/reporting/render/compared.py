"""A delivery's answer beside its expectation: what is known of status, contract and time, and both bodies.

Browser and HTML report show it by the macro `comparison` of templates/shell/sidebyside.html.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET

from retailops_sandbox.answers import content
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.model import Delivery, Difference, Expectation, Judgement, Response
from retailops_sandbox.reporting.render import lines, shown, sidebyside
from retailops_sandbox.reporting.render.comparison_rows import View

MOST_TEXT = 4_000
"""The most characters that are shown of an answer that is no JSON."""

FactState = Literal["kept", "broken", "open"]


class Fact(msgspec.Struct, frozen=True):
    """One thing about an answer besides its body: status, contract, time, a header."""

    name: str
    expected: str
    """Empty where nothing is expected of it."""
    actual: str
    state: FactState
    """`open` where it was not judged."""
    words: str
    """Both in few words: `status 200`, `42 ms of 2,000`."""


class NotJson(msgspec.Struct, frozen=True):
    """An answer that is no JSON, beside the body that was expected."""

    words: str
    """`answered 500 with an HTML page`."""
    text: str
    """What a person would read of it."""
    expected: str
    """The expected body; empty where none is expected."""


class ComparedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer compares with its expectation."""

    count: int
    """The number of all differences."""
    facts: tuple[Fact, ...]
    """Empty after a fault."""
    others: tuple[str, ...]
    """The differences that neither facts nor bodies show."""
    view: View | None
    """The bodies beside each other; None where there are no two."""
    not_json: NotJson | None
    notes: tuple[str, ...]

    @property
    def is_kept(self) -> bool:
        """Whether all facts are as they should be."""
        return all(each.state != "broken" for each in self.facts)


def compared(delivery: Delivery, judgement: Judgement, agreed: Contract) -> ComparedAnswer:
    """The comparison of an answer. Raises NotTriedAgain as `sidebyside.of`."""
    return of(delivery, judgement, agreed.ok_statuses, sidebyside.of(delivery, judgement, agreed.arrays))


def of(
    delivery: Delivery,
    judgement: Judgement,
    ok_statuses: tuple[int, ...],
    view: View | None,
    *notes: str,
) -> ComparedAnswer:
    """The comparison of an answer whose bodies are `view`, with further notes."""
    not_json = _not_json(delivery, judgement) if view is None else None
    facts = _facts(delivery, judgement, ok_statuses)
    told = {"status", "latency", "headers"} if facts else set()
    if view is not None or not_json is not None:
        told.add("body")
    return ComparedAnswer(
        count=len(judgement.differences),
        facts=facts,
        others=tuple(lines.difference(each) for each in judgement.differences if each.part not in told),
        view=view,
        not_json=not_json,
        notes=(*judgement.notes, *notes),
    )


def _facts(delivery: Delivery, judgement: Judgement, ok_statuses: tuple[int, ...]) -> tuple[Fact, ...]:
    response = delivery.response
    if response is None:
        return ()
    expectation = judgement.expectation or Expectation()
    differing = {each.part: each for each in judgement.differences}
    headers = [_header(each) for each in judgement.differences if each.part == "headers"]
    if expectation.headers and not headers:
        count = len(expectation.headers)
        word = "header" if count == 1 else "headers"
        headers = [Fact(word, ", ".join(expectation.headers), "as expected", "kept", f"{count} {word}")]
    return (
        _status(response, expectation, ok_statuses, differing.get("status")),
        _contract(response, judgement, expectation, ok_statuses),
        _time(delivery, expectation),
        *headers,
    )


def _status(
    response: Response, expectation: Expectation, ok: tuple[int, ...], found: Difference | None
) -> Fact:
    wanted = expectation.status if found is None else found.expected
    if wanted is None:
        wanted = list(ok)
    expected = " or ".join(map(str, wanted)) if isinstance(wanted, (list, tuple)) else str(wanted)
    if found is None:
        return Fact("status", expected, str(response.status), "kept", f"status {response.status}")
    words = f"status {response.status} instead of {expected}"
    return Fact("status", expected, str(response.status), "broken", words)


def _contract(
    response: Response, judgement: Judgement, expectation: Expectation, ok: tuple[int, ...]
) -> Fact:
    count = len(judgement.violations)
    if count:
        actual = f"{count} {'violation' if count == 1 else 'violations'}"
        state: FactState = "broken" if expectation.contract else "open"
        return Fact("contract", "kept" if expectation.contract else "", actual, state, f"contract: {actual}")
    if response.status not in ok:
        return Fact("contract", "", "not checked", "open", "contract not checked")
    return Fact("contract", "kept", "kept", "kept", "contract kept")


def _time(delivery: Delivery, expectation: Expectation) -> Fact:
    actual = shown.milliseconds(delivery.timings.total)
    most = expectation.max_ms
    if most is None:
        return Fact("time", "", f"{actual} ms", "open", f"{actual} ms")
    is_kept = delivery.timings.total <= most
    limit = f"{int(most) if most == int(most) else most:,}"
    return Fact(
        "time",
        f"at most {limit} ms",
        f"{actual} ms",
        "kept" if is_kept else "broken",
        f"{actual} ms of {limit}" if is_kept else f"{actual} ms instead of at most {limit}",
    )


def _header(found: Difference) -> Fact:
    name = lines.place(found)
    expected = lines.value(found.expected if found.rule is None else found.rule, MOST_TEXT)
    return Fact(name, expected, lines.value(found.actual, MOST_TEXT), "broken", f"{name} differs")


def _not_json(delivery: Delivery, judgement: Judgement) -> NotJson | None:
    response, expectation = delivery.response, judgement.expectation
    if response is None:
        return None
    found = content.of(response)
    if found.is_json:
        return None
    body = UNSET if expectation is None else expectation.body
    return NotJson(
        f"answered {response.status} with {found.what}",
        (found.text if response.base64 or found.kind == "html" else response.body[:MOST_TEXT]) or found.text,
        "" if body is UNSET else sidebyside.value_text(body),
    )
