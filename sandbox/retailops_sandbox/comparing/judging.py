"""The verdict on a delivery: fault, status, latency, headers, response schema, body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from retailops_sandbox import jsontext, patterns
from retailops_sandbox.answers import coding
from retailops_sandbox.comparing import matchers, sources
from retailops_sandbox.comparing.coverage import Coverage
from retailops_sandbox.comparing.documents import compare_in
from retailops_sandbox.comparing.response_contract import AuthContract, ResponseContract
from retailops_sandbox.comparing.rules import NO_RULES, Scope, compile_headers, compile_rules, whole_scope
from retailops_sandbox.comparing.statuses import is_of_a_class
from retailops_sandbox.errors import SourceError, shortened
from retailops_sandbox.foreign_text import WHOLE
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import (
    Delivery,
    Difference,
    Expectation,
    ExpectedStatus,
    Fault,
    Headers,
    Json,
    Judgement,
    Mark,
    Number,
    Request,
    Response,
    SourceCheck,
    StruckOut,
    Verdict,
    Violation,
)

if TYPE_CHECKING:
    from retailops_sandbox.answers.content import Content

_REMEMBERED = 256
"""The number of compiled expectations, and of parsed bodies, that a judge keeps."""
_SMALL = 4_096
"""The most characters of a body whose parsed value is kept, because the same body often comes again."""
_NO_SOURCES: Mapping[str, tuple[Violation, ...]] = {}
NOT_JSON = "the body is not JSON"
"""The hint of the difference between an expected body and one that is not JSON."""
_PLACES = 3
"""The most places that a reason names."""
_SHOWN = 1_000
"""The most characters that a difference quotes of a body that is not JSON."""


class Answer(msgspec.Struct, frozen=True):
    """What came back for a delivery, to be judged."""

    delivery: Delivery
    """The delivery as it is kept. What is said of the answer in words is about this one, without secrets."""
    response: Response | None
    """The response as it was; of a delivery from the log as that has it, struck-out headers as marks."""
    struck_out: tuple[StruckOut, ...] = ()
    """What was struck out of this response's body."""

    @property
    def is_redacted(self) -> bool:
        """Whether the response is kept in another form than this one."""
        return self.response is not self.delivery.response


class _Prepared(msgspec.Struct, frozen=True):
    """An expectation with its compiled matchers."""

    expectation: Expectation
    statuses: Sequence[ExpectedStatus]
    headers: dict[str, matchers.Matcher]
    scope: Scope | None
    searches: Sequence[patterns.Search] = ()


class _Body(msgspec.Struct):
    """A response's body: its value, or why it has none."""

    value: Json = None
    trouble: Violation | None = None
    violations: tuple[Violation, ...] | None = None
    """None before they are computed."""
    sources: tuple[SourceCheck, ...] = ()
    """Where the sources of the contract part about it, computed with the violations."""
    struck_out: tuple[StruckOut, ...] = ()
    """The places of marks in the value."""
    undecided: tuple[str, ...] = ()
    """Where there is a violation, but perhaps only of a mark."""


class _Findings(msgspec.Struct):
    """The violations, differences and notes of a response."""

    violations: tuple[Violation, ...] = ()
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    """The places that cannot be judged, since they are struck out."""
    sources: tuple[SourceCheck, ...] = ()


class Judge:
    """Judges deliveries of one contract. Raises RuleError for an expectation whose rules cannot be used."""

    def __init__(self, contract: ResponseContract, *, sends_tokens: bool = True) -> None:
        """`sends_tokens` is false where somebody else sends, whose token may be wrong on purpose."""
        self._contract = contract
        refusals = () if sends_tokens or contract.auth is None else (contract.auth.status,)
        self._allowed = frozenset((*contract.ok_statuses, *refusals))
        self._scope = whole_scope(NO_RULES, contract.arrays)
        self._coverage = Coverage(contract.arrays, contract.ok_statuses)
        self._prepared: dict[int, _Prepared] = {}
        self._bodies: dict[tuple[int, str], _Body] = {}

    def __call__(
        self,
        answer: Answer,
        expectation: Expectation | None,
        *,
        at: str,
        payload_violations: tuple[Violation, ...] = (),
        expected_by: str = "",
    ) -> Judgement:
        """The judgement, made at the instant `at`; `expected_by` is the fixture's file that expects this."""
        verdict, reason, findings = self._verdict(answer, expectation)
        return Judgement(
            delivery=answer.delivery.id,
            verdict=verdict,
            at=at,
            reason=reason,
            payload_violations=payload_violations,
            violations=findings.violations,
            differences=findings.differences,
            notes=findings.notes,
            expectation=expectation,
            expected_by=expected_by,
            unchecked=self._unchecked(answer, expectation),
            sources=findings.sources,
        )

    def _unchecked(self, answer: Answer, expectation: Expectation | None) -> tuple[str, ...]:
        """The parts of an answer that are not compared; none where there is no answer to judge."""
        response, delivery = answer.response, answer.delivery
        if response is None or delivery.dropped or delivery.fault is not None:
            return ()
        if expectation is None or expectation.fault is not None:
            return self._coverage.unchecked(None, None, response)
        return self._coverage.unchecked(expectation, self._prepare(expectation).scope, response)

    def _verdict(self, answer: Answer, expectation: Expectation | None) -> tuple[Verdict, str, _Findings]:
        delivery, response = answer.delivery, answer.response
        if delivery.dropped:
            if expectation is not None and expectation.fault == "cancelled":
                return "passed", "", _Findings()
            return "recorded", "hung up on purpose: not judged", _Findings()
        if delivery.fault is not None:
            return _judge_fault(delivery.fault, expectation, delivery.timings.total)
        if response is None:
            return "errored", "there is neither a response nor a fault", _Findings()
        if expectation is None:
            findings = self._unexpected(answer, response)
            if not findings.violations:
                return "recorded", "nothing was expected", findings
            return "failed", _reason((), findings.violations), findings
        if expectation.fault is not None:
            difference = Difference(kind="missing", part="fault", expected=expectation.fault)
            return "failed", f"expected the fault {expectation.fault}", _Findings(differences=(difference,))
        findings = self._findings(answer, response, self._prepare(expectation))
        broken = findings.violations if expectation.contract else ()
        if findings.differences or broken:
            return "failed", _reason(findings.differences, broken), findings
        if findings.undecided:
            return "recorded", _undecided(findings.undecided), findings
        return "passed", "", findings

    def _unexpected(self, answer: Answer, response: Response) -> _Findings:
        """How a response of which nothing is expected keeps the contract."""
        unasked = coding.violations(answer.delivery.request.headers, response.headers)
        if response.status in self._contract.ok_statuses:
            body = self._body(answer, response)
            return _Findings(_merged(unasked, self._violations(body)), sources=body.sources)
        return _Findings((*self._status_violations(answer.delivery), *unasked))

    def _status_violations(self, delivery: Delivery) -> tuple[Violation, ...]:
        """The violation of a status that the contract does not allow for this request."""
        response = delivery.response
        if response is None or response.status in self._allowed:
            return ()
        if delivery.off_contract and 400 <= response.status < 500:
            return ()
        from retailops_sandbox.answers import content, status

        has_own_path = delivery.wire is not None and delivery.wire.path is not None
        sent = status.Sent(
            request=delivery.request,
            action=delivery.action,
            path="" if has_own_path else self._contract.path,
            **_proof(delivery.request, self._contract.auth),
        )
        return (status.violation(sent, response, content.of(response), self._contract.ok_statuses),)

    def _findings(self, answer: Answer, response: Response, prepared: _Prepared) -> _Findings:
        """How a response departs from an expectation and from the contract."""
        delivery, expectation = answer.delivery, prepared.expectation
        total_ms = delivery.timings.total
        findings = _Findings()
        differences: list[Difference] = []
        statuses = prepared.statuses
        if response.status not in statuses and not is_of_a_class(response.status, statuses):
            differences.append(_status_difference(response, statuses))
            findings.violations = self._status_violations(delivery)
        if expectation.max_ms is not None and total_ms > expectation.max_ms:
            differences.append(_latency_difference(expectation.max_ms, total_ms))
        for name, matcher in prepared.headers.items():
            if _is_undecided(name, matcher, response.headers):
                findings.undecided += (f"the header {matcher.path}",)
            else:
                differences += _header_differences(name, matcher, response.headers)
        checked = response.status in self._contract.ok_statuses
        if checked or expectation.body is not UNSET:
            body = self._body(answer, response)
            unasked = coding.violations(delivery.request.headers, response.headers)
            if checked or (body.trouble is not None and not findings.violations):
                # A status that breaks the contract has told already what the answer is.
                unasked = _merged(unasked, self._violations(body))
                findings.sources = body.sources
                findings.undecided += body.undecided if expectation.contract else ()
            findings.violations += unasked
            if expectation.body is UNSET:
                pass
            elif body.trouble is not None:
                differences.append(_unreadable_difference(expectation.body, delivery.response or response))
            else:
                actual = jsontext.with_marks(body.value, body.struck_out)
                comparison = compare_in(prepared.scope, expectation.body, actual)
                differences += comparison.differences
                findings.notes = comparison.notes
                findings.undecided += comparison.undecided
        findings.differences = tuple(differences)
        return findings

    def _body(self, answer: Answer, response: Response) -> _Body:
        if answer.struck_out or answer.is_redacted:
            body = _read(response, answer.delivery.response or response)
            body.struck_out = answer.struck_out
            return body
        key = (response.status, response.body)
        known = self._bodies.get(key)
        if known is not None and not response.base64:
            return known
        body = _read(response, response)
        if len(response.body) <= _SMALL and not response.base64:
            if len(self._bodies) == _REMEMBERED:
                self._bodies.clear()
            self._bodies[key] = body
        return body

    def _violations(self, body: _Body) -> tuple[Violation, ...]:
        if body.violations is None:
            found: tuple[Violation, ...]
            if body.trouble is not None:
                found, by_source = (body.trouble,), _NO_SOURCES
            else:
                broken, by_source = self._contract.check_answer(body.value)
                found = (*_of_string(body.value), *broken)
            body.violations, unsure = _certain(found, body.struck_out)
            body.undecided = tuple(f"{each.pointer or WHOLE} by the contract" for each in unsure)
            if by_source:
                certain = {source: _certain(each, body.struck_out)[0] for source, each in by_source.items()}
                body.sources = sources.parting(certain, body.violations)
        return body.violations

    def _prepare(self, expectation: Expectation) -> _Prepared:
        wanted = expectation.status
        statuses: Sequence[ExpectedStatus] = (
            self._contract.ok_statuses
            if wanted is None
            else (wanted if isinstance(wanted, list) else (wanted,))
        )
        if not expectation.rules and not expectation.headers:
            return _Prepared(expectation, statuses, {}, self._scope)
        known = self._prepared.get(id(expectation))
        if known is not None:
            for search in known.searches:
                search.renew()
            return known
        if len(self._prepared) == _REMEMBERED:
            self._prepared.clear()
        rules, headers = compile_rules(expectation.rules), compile_headers(expectation.headers)
        compiled = (*headers.values(), *(matcher for _, matcher in rules))
        prepared = _Prepared(
            expectation,  # kept, so that no other expectation gets its id
            statuses,
            headers,
            whole_scope(rules, self._contract.arrays) if rules else self._scope,
            [search for each in compiled for search in each.searches],
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
            _counted(1, 0),
            _Findings(differences=(_latency_difference(expectation.max_ms, total_ms),)),
        )
    return "passed", "", _Findings()


def _undecided(places: Sequence[str]) -> str:
    shown = ", ".join(places[:_PLACES])
    more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
    return f"struck out of the log, so it cannot be judged again: {shown}{more}"


def _reason(differences: Sequence[Difference], violations: Sequence[Violation]) -> str:
    """Why a response failed: in words where the answer as a whole is wrong, else by counts."""
    if violations and violations[0].part != "body":
        return violations[0].message
    return _counted(len(differences), len(violations))


def _counted(differences: int, violations: int) -> str:
    if not differences and not violations:
        return ""
    counts = (
        (differences, "1 difference", f"{differences:,} differences", "from what was expected"),
        (violations, "1 violation", f"{violations:,} violations", "of the contract"),
    )
    return ", ".join(f"{one if count == 1 else many} {rest}" for count, one, many, rest in counts if count)


# --- The parts of a response --------------------------------------------------------------------------


def _status_difference(response: Response, statuses: Sequence[ExpectedStatus]) -> Difference:
    expected = statuses[0] if len(statuses) == 1 else list(statuses)
    return Difference(kind="changed", part="status", expected=expected, actual=response.status)


def _proof(request: Request, auth: AuthContract | None) -> dict[str, str]:
    """The proof of the sender in a request as it is kept, a mark, for the hints on its status."""
    if auth is None:
        return {}
    held: Json
    if auth.header:
        held = next((value for name, value in request.headers if name.lower() == auth.header.lower()), "")
    else:
        try:
            held = pointer.get(jsontext.parse(request.body), auth.pointer, "")
        except SourceError:
            held = ""
    return {"proof": held if isinstance(held, str) else "", "proof_at": auth.place, "proof_kind": auth.kind}


def _merged(unasked: tuple[Violation, ...], others: tuple[Violation, ...]) -> tuple[Violation, ...]:
    """The violations of the coding and of the body, without bytes that are nothing but so coded."""
    if unasked:
        others = tuple(each for each in others if each.keyword != "compressed")
    return unasked + others


def _told(content: Content) -> Violation:
    """The violation of an answer that is something else than the JSON that it should be."""
    hints = (content.mend,) if content.mend else ()
    return Violation(content.pointer, content.kind, content.words, part="answer", hints=hints)


def _latency_difference(most_ms: float, total_ms: float) -> Difference:
    return Difference(kind="changed", part="latency", expected=_number(most_ms), actual=_number(total_ms))


def _number(milliseconds: float) -> Number:
    return Number(f"{milliseconds:.3f}".rstrip("0").rstrip("."))


def _is_undecided(name: str, matcher: matchers.Matcher, headers: Headers) -> bool:
    """Whether a header cannot be judged, as its value or what is expected of it is struck out."""
    if matcher.name in ("ignore", "any"):
        return False
    return matcher.is_struck_out or any(
        isinstance(value, Mark) for each, value in headers if each.lower() == name
    )


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
    literal = matcher.name == "equal"
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


def _of_string(value: Json) -> tuple[Violation, ...]:
    """The violation of an answer that is one JSON string, where that tells what it should have been."""
    if not isinstance(value, str):
        return ()
    from retailops_sandbox.answers import content

    told = content.of_string(value)
    return () if told is None else (_told(told),)


def _certain(
    found: tuple[Violation, ...], struck_out: tuple[StruckOut, ...]
) -> tuple[tuple[Violation, ...], list[Violation]]:
    """The violations of values that are known, and those that are perhaps only of a mark."""
    unsure = [each for each in found if _may_be_of_a_mark(each, struck_out)] if struck_out else []
    return (tuple(each for each in found if each not in unsure) if unsure else found), unsure


def _may_be_of_a_mark(violation: Violation, struck_out: tuple[StruckOut, ...]) -> bool:
    """Whether a violation is at a struck-out value, or at an object with a struck-out key."""
    for place in struck_out:
        at = place.pointer or ""
        if violation.pointer in (at, at.rpartition("/")[0] if place.key else at):
            return True
    return False


def _read(response: Response, kept: Response) -> _Body:
    """The body of a response. Why it is no JSON is told of the response as it is kept."""
    if response.base64 or not response.body.strip():
        return _unreadable(kept, None)
    try:
        return _Body(jsontext.parse_answer(response.body))
    except SourceError as error:
        return _unreadable(kept, error if kept is response else None)


def _unreadable(response: Response, error: SourceError | None) -> _Body:
    from retailops_sandbox.answers import content  # only an answer that is no JSON needs it

    return _Body(trouble=_told(content.of(response, error)))


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
        hint=NOT_JSON,
    )
