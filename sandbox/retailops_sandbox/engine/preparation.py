"""From a step to its request: compose, check and build, without a transport."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from retailops_sandbox import composing, jsontext, redaction
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.engine.ports import Options, Sources
from retailops_sandbox.engine.target import Target, Targets
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Exchange, Expectation, HttpRequest, Step, Violation, Wire
from retailops_sandbox.scenarios import checking, scenario
from retailops_sandbox.scenarios.scenario import OwnExpectation, Plan

LARGE_BODY = 64 * 1024
"""Bytes. A thread works on what is larger, so that other deliveries and pages need not wait."""
_HEADER = 1024
"""How many bytes of a body take as long to search as a header: each cookie is a secret of its own."""


def is_large(request: HttpRequest, exchange: Exchange) -> bool:
    """Whether a request or its answer is so large that a thread works on them."""
    size, response = len(request.body if request.composed is None else request.composed), exchange.response
    if response is not None:
        size += len(response.body) + _HEADER * len(response.headers)
    return size > LARGE_BODY


class Prepared(msgspec.Struct, frozen=True):
    """The request of a step, and the expectation of each of its deliveries."""

    step: Step
    contract: Contract
    target: Target
    request: HttpRequest
    payload: composing.Payload | None
    """None where the step sends raw bytes."""
    violations: tuple[Violation, ...]
    """The payload's violations of the contract; none for raw bytes."""
    secrets: redaction.Secrets
    """The secrets that are struck out of all that is kept of the request."""
    expectations: Sequence[Expectation | None]
    """One for each delivery, with placeholders filled."""
    document: Any
    """The JSON value of the request's body; UNSET where the step sends raw bytes."""
    expected_by: str = ""
    """The file of the fixture's own expectation, where the deliveries are judged by that."""
    written_wire: Wire | None = None
    """How the step spells its requests, as it may be kept once its secrets are struck out."""

    @property
    def is_refused(self) -> bool:
        """Whether the payload breaks the contract, and the step does not allow that."""
        return bool(self.violations) and not self.step.off_contract


def prepare(
    step: Step,
    *,
    contract: Contract,
    fixture: composing.Template | None,
    target: Target,
    names: composing.Names,
    own: OwnExpectation | None = None,
    placeholders: bool = True,
) -> Prepared:
    """Compose, check and build the request of a step.

    `fixture` is the one that the step names, if it names one, and `own` is its expectation where that judges
    the step; `placeholders` says whether the step itself may hold any. Raises MissingCapture for a name that
    an earlier step should have captured, and another SandboxError where the step cannot be composed.
    """
    head = target.head(contract)
    headers = _headers(step, names)
    wire, written_wire = (None, None) if step.deliver.wire is None else _wire(step, step.deliver.wire, names)
    payload = None
    document: Any = UNSET
    violations: tuple[Violation, ...] = ()
    if step.raw is not None:
        body = composing.raw_bytes(step.raw)
        request = composing.build_raw(head, body, contract, target.receiver.token, headers, wire)
    else:
        token_at = contract.auth.pointer if contract.auth else ""
        payload = composing.compose(step, fixture, names, placeholders=placeholders, token_at=token_at)
        violations = contract.check_request(payload.value, numbers=payload.numbers)
        token = target.receiver.token
        request, document = composing.build(head, payload, contract, token, headers, wire)
    expectations = (
        _expectations(step, names if placeholders else None)
        if own is None
        else _own_expectations(step, own, names)
    )
    return Prepared(
        step,
        contract,
        target,
        request,
        payload,
        violations,
        redaction.with_proof(target.secrets, contract, target.receiver.token, request.body),
        expectations,
        document,
        own.name if own is not None else "",
        written_wire,
    )


class Preparation:
    """Prepares the steps of a run from its sources, variables and receiver."""

    def __init__(self, sources: Sources, options: Options) -> None:
        """Raises UsageError for a receiver that cannot be called."""
        self._sources = sources
        self._options = options
        self.targets = Targets(options.receiver, sources.policy, sources.contracts)

    def numbered(self, plans: Sequence[Plan]) -> Iterator[tuple[Plan, int]]:
        """Each plan with the `${sequence}` number of its first step: steps are counted in file order."""
        sequence = self._options.first_sequence
        for plan in plans:
            yield plan, self._options.sequences.get(plan.id, sequence)
            sequence += len(plan.scenario.steps)

    def names(self, plan: Plan) -> composing.Names:
        """The names that placeholders of a plan may use in its first step."""
        return composing.Names(
            given={**self._options.variables, **plan.given} if plan.given else self._options.variables,
            environment=self._sources.environment,
            receiver=self._options.receiver.variables,
            scenario=plan.scenario.variables,
        )

    def unusable(self, plan: Plan) -> int | None:
        """The first step whose contract or fixture cannot be had; None where all can."""
        for number, step in enumerate(plan.scenario.steps):
            try:
                self._contract(plan, step)
                self._fixture(plan, step)
            except SandboxError:
                return number
        return None

    def is_large(self, plan: Plan, number: int) -> bool:
        """Whether a step is so large that a thread should prepare it, or of unknown size.

        Raises SandboxError where its contract is not known or its fixture cannot be read.
        """
        step = plan.scenario.steps[number]
        self._contract(plan, step)
        parts = (self._fixture(plan, step), self._own_expectation(plan, step))
        return not plan.text or len(plan.text) + sum(part.length for part in parts if part) > LARGE_BODY

    def step(self, plan: Plan, number: int, names: composing.Names, sequence: int) -> Prepared:
        """Prepare a step of a plan; raises what `prepare` raises. Sets the built-in names."""
        step, clock = plan.scenario.steps[number], self._sources.clock
        contract = self._contract(plan, step)
        fixture, own = self._fixture(plan, step), self._own_expectation(plan, step)
        of_files = any(part.placeholders for part in (fixture, own) if part)
        if plan.placeholders or self.targets.vary or of_files:
            names.begin_step({"uuid": clock.uuid(), "now": clock.now(), "sequence": sequence})
        prepared = prepare(
            step,
            contract=contract,
            fixture=fixture,
            target=self.targets.of(names),
            names=names,
            own=own,
            placeholders=plan.placeholders,
        )
        expected = _expected_headers(step, own)
        is_usual = not step.deliver.headers and step.deliver.wire is None
        if is_usual and not names.secrets and not expected:
            return prepared
        disclosed = (*self._secrets_of_headers(step, expected, plan), *names.secrets)
        return msgspec.structs.replace(prepared, secrets=prepared.secrets.and_also(disclosed))

    def _contract(self, plan: Plan, step: Step) -> Contract:
        """The contract of a step; UsageError where there is none, with the pointer if the step names it."""
        try:
            return self._sources.contracts.load(*plan.scenario.contract_of(step))
        except UsageError as error:
            error.pointer = "/action" if step.action else "/edition" if step.edition else None
            raise

    def _secrets_of_headers(
        self, step: Step, expected: Sequence[str], plan: Plan
    ) -> Iterator[tuple[str, str]]:
        variables = {**plan.scenario.variables, **self._options.receiver.variables}
        texts = [*filter(None, step.deliver.headers.values()), *expected]
        if (wire := step.deliver.wire) is not None:
            texts += [*wire.headers, wire.path or ""]
        return self._sources.policy.header_secrets(texts, variables)

    def _fixture(self, plan: Plan, step: Step) -> composing.Template | None:
        if step.fixture is None:
            return None
        return self._sources.cases.payload(*plan.scenario.contract_of(step), step.fixture)

    def _own_expectation(self, plan: Plan, step: Step) -> OwnExpectation | None:
        """The fixture's own expectation, where the step is judged by it."""
        if step.fixture is None or not scenario.judged_by_fixture(step):
            return None
        return self._sources.cases.expectation(*plan.scenario.contract_of(step), step.fixture)


def _expected_headers(step: Step, own: OwnExpectation | None) -> list[str]:
    """The texts that a step, or its fixture, expects as headers."""
    each = [own.expectation] if own is not None else step.expect or []
    each = each if isinstance(each, list) else [each]
    return [rule for one in each for rule in one.headers.values() if isinstance(rule, str)]


def _headers(step: Step, names: composing.Names) -> Mapping[str, str | None]:
    """The headers that the step adds, replaces or, by None, leaves out."""
    deliver = step.deliver
    if not deliver.headers and not deliver.content_type:
        return {}
    own = {
        name: value and composing.fill_text(value, names, f"/deliver/headers/{pointer.escape(name)}")
        for name, value in deliver.headers.items()
    }
    return {"Content-Type": deliver.content_type, **own} if deliver.content_type else own


def _wire(step: Step, said: Wire, names: composing.Names) -> tuple[Wire, Wire]:
    """How the step's requests are spelled, with placeholders filled, and the same as it may be kept."""
    from retailops_sandbox.composing import wire  # few steps say it

    return wire.filled(said, names, is_raw=step.raw is not None), wire.but_environment(said, names)


def _expectations(step: Step, names: composing.Names | None) -> Sequence[Expectation | None]:
    """The expectation of each delivery that the step says, filled with the names if there are any."""
    expect = step.expect or None
    each = expect if isinstance(expect, list) else [expect] * step.deliver.times
    if names is None:
        return each
    filled: dict[int, Expectation | None] = {}
    for one in each:
        if one is not None and id(one) not in filled:
            filled[id(one)] = _filled(one, names, "/expect")
    return [filled[id(one)] if one is not None else None for one in each]


def _own_expectations(step: Step, own: OwnExpectation, names: composing.Names) -> Sequence[Expectation]:
    """The fixture's own expectation for each delivery; an error names the place in its file."""
    if not own.placeholders:
        return [own.expectation] * step.deliver.times
    try:
        return [_filled(own.expectation, names, "")] * step.deliver.times
    except SandboxError as error:
        error.file = own.file
        error.line, error.column = jsontext.locate(own.text, error.pointer or "")
        raise


def _filled(expectation: Expectation, names: composing.Names, at: str) -> Expectation:
    """The expectation at a pointer, its placeholders filled; SandboxError where a filled rule is invalid."""
    parts = {"body": expectation.body, "rules": expectation.rules}
    filled = {
        part: composing.fill(value, names, f"{at}/{part}")
        for part, value in parts.items()
        if value is not msgspec.UNSET
    }
    filled["headers"] = {
        name: composing.fill_text(rule, names, f"{at}/headers/{pointer.escape(name)}")
        if isinstance(rule, str)
        else composing.fill(rule, names, f"{at}/headers/{pointer.escape(name)}")
        for name, rule in expectation.headers.items()
    }
    expectation = msgspec.structs.replace(expectation, **filled)
    checking.check_rules(expectation, at)
    return expectation
