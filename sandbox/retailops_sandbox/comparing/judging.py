"""The verdict on a delivery: fault, status, latency, headers, response schema, body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec
from msgspec import UNSET

from retailops_sandbox import jsontext
from retailops_sandbox.comparing import matchers
from retailops_sandbox.comparing.documents import compare_in
from retailops_sandbox.comparing.rules import NO_RULES, Scope, compile_headers, compile_rules, whole_scope
from retailops_sandbox.errors import SourceError, shortened
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import (
    Delivery,
    Difference,
    Expectation,
    Fault,
    Headers,
    Json,
    Judgement,
    Number,
    Response,
    Verdict,
    Violation,
)

_REMEMBERED = 256
"""The number of compiled expectations, and of parsed bodies, that a judge keeps."""
_SMALL = 4_096
"""The most characters of a body whose parsed value is kept, because the same body often comes again."""
_SHOWN = 1_000
"""The most characters that a difference quotes of a body that is not JSON."""
_TROUBLES = {
    "duplicate key": "duplicate key",
    "byte order mark": "byte order mark",
    "nested deeper": "depth",
    "the number": "number",
    "surrogate": "encoding",
}
"""From words in the parser's message on a body that is not strict JSON to the keyword of the violation."""


class ResponseContract(Protocol):
    """The part of a contract by which answers are judged."""

    @property
    def ok_statuses(self) -> tuple[int, ...]: ...

    @property
    def arrays(self) -> Mapping[str, tuple[str, ...]]: ...

    def check_response(self, value: Json) -> tuple[Violation, ...]: ...


class _Prepared(msgspec.Struct, frozen=True):
    """An expectation with its compiled matchers."""

    expectation: Expectation
    statuses: Sequence[int]
    headers: dict[str, matchers.Matcher]
    scope: Scope | None


class _Body(msgspec.Struct):
    """A response's body: its value, or why it has none."""

    value: Json = None
    trouble: Violation | None = None
    violations: tuple[Violation, ...] | None = None
    """None before they are computed."""


class _Findings(msgspec.Struct):
    """The violations, differences and notes of a response."""

    violations: tuple[Violation, ...] = ()
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()


class Judge:
    """Judges deliveries of one contract. Raises RuleError for an expectation whose rules cannot be used."""

    def __init__(self, contract: ResponseContract) -> None:
        self._contract = contract
        self._scope = whole_scope(NO_RULES, contract.arrays)
        self._prepared: dict[int, _Prepared] = {}
        self._bodies: dict[str, _Body] = {}

    def __call__(
        self,
        delivery: Delivery,
        expectation: Expectation | None,
        *,
        at: str,
        payload_violations: tuple[Violation, ...] = (),
    ) -> Judgement:
        """The judgement, made at the instant `at`."""
        verdict, reason, findings = self._verdict(delivery, expectation)
        return Judgement(
            delivery=delivery.id,
            verdict=verdict,
            at=at,
            reason=reason,
            payload_violations=payload_violations,
            violations=findings.violations,
            differences=findings.differences,
            notes=findings.notes,
            expectation=expectation,
        )

    def _verdict(self, delivery: Delivery, expectation: Expectation | None) -> tuple[Verdict, str, _Findings]:
        if delivery.dropped:
            return "recorded", "hung up on purpose: not judged", _Findings()
        if delivery.fault is not None:
            return _judge_fault(delivery.fault, expectation, delivery.timings.total)
        if delivery.response is None:
            return "errored", "there is neither a response nor a fault", _Findings()
        if expectation is None:
            return "recorded", "nothing was expected", self._recorded(delivery.response)
        if expectation.fault is not None:
            difference = Difference(kind="missing", part="fault", expected=expectation.fault)
            return "failed", f"expected the fault {expectation.fault}", _Findings(differences=(difference,))
        findings = self._findings(delivery.response, self._prepare(expectation), delivery.timings.total)
        broken = findings.violations if expectation.contract else ()
        verdict: Verdict = "failed" if findings.differences or broken else "passed"
        return verdict, _reason(len(findings.differences), len(broken)), findings

    def _recorded(self, response: Response) -> _Findings:
        if response.status not in self._contract.ok_statuses:
            return _Findings()
        return _Findings(violations=self._violations(self._body(response)))

    def _findings(self, response: Response, prepared: _Prepared, total_ms: float) -> _Findings:
        """How a response departs from an expectation and from the contract."""
        expectation = prepared.expectation
        findings = _Findings()
        differences: list[Difference] = []
        if response.status not in prepared.statuses:
            differences.append(_status_difference(response, prepared.statuses))
        if expectation.max_ms is not None and total_ms > expectation.max_ms:
            differences.append(_latency_difference(expectation.max_ms, total_ms))
        for name, matcher in prepared.headers.items():
            differences += _header_differences(name, matcher, response.headers)
        checked = response.status in self._contract.ok_statuses
        if checked or expectation.body is not UNSET:
            body = self._body(response)
            if checked or body.trouble is not None:
                findings.violations = self._violations(body)
            if expectation.body is UNSET:
                pass
            elif body.trouble is not None:
                differences.append(_unreadable_difference(expectation.body, response))
            else:
                comparison = compare_in(prepared.scope, expectation.body, body.value)
                differences += comparison.differences
                findings.notes = comparison.notes
        findings.differences = tuple(differences)
        return findings

    def _body(self, response: Response) -> _Body:
        known = self._bodies.get(response.body)
        if known is not None and not response.base64:
            return known
        body = _read(response)
        if len(response.body) <= _SMALL and not response.base64:
            if len(self._bodies) == _REMEMBERED:
                self._bodies.clear()
            self._bodies[response.body] = body
        return body

    def _violations(self, body: _Body) -> tuple[Violation, ...]:
        if body.violations is None:
            broken = (body.trouble,) if body.trouble is not None else None
            body.violations = broken or self._contract.check_response(body.value)
        return body.violations

    def _prepare(self, expectation: Expectation) -> _Prepared:
        status = expectation.status
        statuses: Sequence[int] = (
            self._contract.ok_statuses
            if status is None
            else (status if isinstance(status, list) else (status,))
        )
        if not expectation.rules and not expectation.headers:
            return _Prepared(expectation, statuses, {}, self._scope)
        known = self._prepared.get(id(expectation))
        if known is not None:
            return known
        if len(self._prepared) == _REMEMBERED:
            self._prepared.clear()
        rules = compile_rules(expectation.rules)
        prepared = _Prepared(
            expectation,  # kept, so that no other expectation gets its id
            statuses,
            compile_headers(expectation.headers),
            whole_scope(rules, self._contract.arrays) if rules else self._scope,
        )
        self._prepared[id(expectation)] = prepared
        return prepared


def _judge_fault(
    fault: Fault, expectation: Expectation | None, total_ms: float
) -> tuple[Verdict, str, _Findings]:
    if expectation is None or expectation.fault is None:
        return "errored", f"{fault.kind}: {fault.message}", _Findings()
    if expectation.fault != fault.kind:
        difference = Difference(kind="changed", part="fault", expected=expectation.fault, actual=fault.kind)
        reason = f"expected the fault {expectation.fault}, got {fault.kind}: {fault.message}"
        return "errored", reason, _Findings(differences=(difference,))
    if expectation.max_ms is not None and total_ms > expectation.max_ms:
        return (
            "failed",
            _reason(1, 0),
            _Findings(differences=(_latency_difference(expectation.max_ms, total_ms),)),
        )
    return "passed", "", _Findings()


def _reason(differences: int, violations: int) -> str:
    if not differences and not violations:
        return ""
    counts = (
        (differences, "1 difference", f"{differences:,} differences", "from what was expected"),
        (violations, "1 violation", f"{violations:,} violations", "of the contract"),
    )
    return ", ".join(f"{one if count == 1 else many} {rest}" for count, one, many, rest in counts if count)


# --- The parts of a response --------------------------------------------------------------------------


def _status_difference(response: Response, statuses: Sequence[int]) -> Difference:
    hint = "redirects are not followed unless the receiver says so" if 300 <= response.status < 400 else ""
    expected = statuses[0] if len(statuses) == 1 else list(statuses)
    return Difference(kind="changed", part="status", expected=expected, actual=response.status, hint=hint)


def _latency_difference(most_ms: float, total_ms: float) -> Difference:
    return Difference(kind="changed", part="latency", expected=_number(most_ms), actual=_number(total_ms))


def _number(milliseconds: float) -> Number:
    return Number(f"{milliseconds:.3f}".rstrip("0").rstrip("."))


def _header_differences(name: str, matcher: matchers.Matcher, headers: Headers) -> list[Difference]:
    """The difference of a header, if there is one.

    Of a header that came repeatedly, one value or all of them, joined by commas, must satisfy the matcher.
    """
    if matcher.name == "ignore":
        return []
    sent = [(each, value) for each, value in headers if each.lower() == name]
    joined = ", ".join(value for _, value in sent)
    accepts = matcher.accepts
    if sent and accepts is not None and any(map(accepts, (joined, *(value for _, value in sent)))):
        return []
    literal = matcher.name == "text"
    return [
        Difference(
            kind="changed" if sent else "missing",
            part="headers",
            expected_pointer=f"/{pointer.escape(matcher.path)}",
            actual_pointer=f"/{pointer.escape(sent[0][0])}" if sent else None,
            expected=matcher.rule if literal else UNSET,
            actual=joined if sent else UNSET,
            rule=None if literal else matcher.rule,
            rule_path="" if literal else f"/{pointer.escape(matcher.path)}",
            hint=matcher.hint(joined),
        )
    ]


def _read(response: Response) -> _Body:
    if response.base64:
        return _Body(trouble=Violation("", "encoding", "the body is not UTF-8 text, so it cannot be JSON"))
    if not response.body.strip():
        return _Body(trouble=Violation("", "json", "the body is empty, so it is not JSON"))
    try:
        return _Body(jsontext.parse(response.body))
    except SourceError as error:
        keyword = next((name for words, name in _TROUBLES.items() if words in error.what), "json")
        message = f"the body is not JSON to rely on: {error.what} (line {error.line}, column {error.column})"
        return _Body(trouble=Violation(error.pointer or "", keyword, message))


def _unreadable_difference(expected: Json, response: Response) -> Difference:
    """The difference between the expected body and one that is not JSON."""
    if not response.body:
        return Difference(kind="missing", expected_pointer="", expected=expected)
    return Difference(
        kind="type",
        expected_pointer="",
        actual_pointer="",
        expected=expected,
        actual=shortened(response.body, _SHOWN),
        hint="the body is not JSON",
    )
