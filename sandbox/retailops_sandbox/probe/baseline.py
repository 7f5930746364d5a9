"""The baseline of a probe: a valid request that the receiver accepts."""

from __future__ import annotations

import contextlib
import statistics
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence

import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.engine import Options, Ports
from retailops_sandbox.engine.preparation import Preparation
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Delivery, Json, Step
from retailops_sandbox.probe.generating import GenerateOptions, baselines
from retailops_sandbox.probe.observers.reading import Answered, Reading
from retailops_sandbox.probe.observers.shape import AnswerShape
from retailops_sandbox.probe.orders import OrderIds, Orders
from retailops_sandbox.probe.probes import Probe, Trial
from retailops_sandbox.probe.sending import AWAY, Sender, Sent, fault_kind, is_accepted
from retailops_sandbox.probe.trials.making import Making
from retailops_sandbox.scenarios import scenario

MOST_REQUESTS = 3
"""The number of requests that a baseline takes at most, where the first fixture is accepted."""
_PATIENCE = 2
"""So many times as long as the provider, the first valid request may take."""
_MOST_FAULTS = 2
"""After so many requests without an answer no other is tried: each may take as long as a delivery may."""

_KEEPS_METHOD = (307, 308)
"""The redirects after which the same request is sent."""


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """A valid request that the receiver accepts, and what more are made from."""

    generate: GenerateOptions
    answered: Sequence[Answered]
    """What came back for it, for the same again, and where orders of the range are accepted for another."""
    is_told_failed: bool = False
    """Whether it, and every other that was tried, was answered with a 2xx that tells of an error."""
    range_is_refused: bool = False
    """Whether it is about the order of its fixture because none of the range was accepted."""

    @property
    def seconds(self) -> float:
        """How long an answer takes: the median."""
        return statistics.median(each.delivery.timings.total for each in self.answered) / 1000


class NoBaseline(msgspec.Struct, frozen=True):
    """Why no valid request was accepted, in words."""

    reason: str


class BaselineSearch:
    """Looks for the first valid request that a receiver accepts."""

    def __init__(
        self,
        contract: Contract,
        ports: Ports,
        options: Options,
        fixtures: Sequence[str],
        wanted: GenerateOptions,
        *,
        fresh: OrderIds,
    ) -> None:
        """`fixtures` are tried in their order, each with an order of the range and then with its own.

        `wanted` says all but the fixture. `fresh` are ids that were not sent before. Raises UsageError for a
        receiver that cannot be called.
        """
        self._contract = contract
        self._preparation = Preparation(ports, options)
        self._fixtures = fixtures
        self._wanted = wanted
        self._fresh = fresh
        self._shape = AnswerShape(contract)

    async def run(self, sender: Sender) -> Baseline | NoBaseline:
        """Send one valid request after the other until one is accepted, and told as done.

        Where one is accepted and none is told as done, the first that was accepted is taken.
        """
        refusals: list[str] = []
        statuses: Counter[int] = Counter()
        faults = 0
        told_failed: Baseline | None = None
        range_is_tried = False
        for options in self._options(refusals.append):
            sent = await self._send_first(options, sender)
            if not sent.answered:
                refusals.append(f"{options.fixture} could not be sent: {sent.problem}")
                continue
            answered = sent.answered[-1]
            if is_accepted(answered):
                found = Baseline(
                    generate=options,
                    answered=[valid(each) for each in sent.answered],
                    range_is_refused=range_is_tried and options.orders is None,
                )
                if not self._tells_of_error(answered):
                    return await self._with_rest(found, sender)
                told_failed = told_failed or msgspec.structs.replace(found, is_told_failed=True)
                range_is_tried = range_is_tried or options.orders is not None
                continue
            range_is_tried = range_is_tried or options.orders is not None
            refusals.append(f"{options.fixture} {self._outcome(answered)}")
            fault = fault_kind(answered)
            faults += bool(fault)
            status = 0 if fault or answered.delivery.response is None else answered.delivery.response.status
            statuses[status] += 1
            if fault in AWAY or faults == _MOST_FAULTS or _refuses_all(status, statuses[status]):
                break
        return (
            NoBaseline(_reason(refusals))
            if told_failed is None
            else await self._with_rest(told_failed, sender)
        )

    async def _send_first(self, options: GenerateOptions, sender: Sender) -> Sent:
        # An answer that is too late for the provider is one that can be looked at.
        timeout_ms = _PATIENCE * sender.provider_ms
        return await sender.send(self._probe(options), last=1, timeout_ms=timeout_ms)

    async def _with_rest(self, found: Baseline, sender: Sender) -> Baseline:
        """A baseline with the answers to the same again, and to another order."""
        rest = await sender.send(self._probe(found.generate), first=1)
        answered = [*found.answered, *(valid(each) for each in rest.answered)]
        return msgspec.structs.replace(found, answered=answered)

    def _probe(self, options: GenerateOptions) -> Probe:
        """The first of the baselines, which has orders of the range where there are any."""
        fresh = options if options.orders is None else msgspec.structs.replace(options, orders=self._fresh)
        return baselines(self._contract, fresh)[0]

    def _tells_of_error(self, answered: Answered) -> bool:
        return Reading(answered=answered, contract=self._contract, shape=self._shape).tells_of_error

    def supposed(self) -> GenerateOptions | None:
        """What is sent if the first request is accepted; None where none can be composed."""
        return next(self._options(lambda refusal: None), None)

    def _outcome(self, answered: Answered) -> str:
        """What came instead of a 2xx, and what it may come from."""
        delivery = answered.delivery
        if delivery.fault is not None:
            return f"got no answer: {delivery.fault.kind}: {delivery.fault.message}"
        status = delivery.response.status if delivery.response is not None else 0
        hint = "; ".join(filter(None, (_redirected(delivery), self._hint(answered, status))))
        return f"was answered {status}" + (f" ({hint})" if hint else "")

    def _hint(self, answered: Answered, status: int) -> str:
        """What a refusal may come from; empty where that cannot be told."""
        if status == 401 and self._wanted.token:
            return "is the token the receiver's own? It is given by --receiver-token, or at the receiver"
        judgement = answered.judgement
        hints = (
            [hint for each in judgement.violations for hint in each.hints] if judgement is not None else []
        )
        own = [f"does the receiver speak {self._contract.edition}?"] if status == 404 else []
        return " ".join([*own, *hints[:1]])

    def _options(self, refuse: Callable[[str], None]) -> Iterator[GenerateOptions]:
        """What requests may be made from, the likeliest first; `refuse` takes why not of a fixture."""
        for fixture in self._fixtures:
            try:
                payload = self._composed(fixture)
            except SandboxError as error:
                refuse(f"{fixture} cannot be composed: {error}")
                continue
            options = msgspec.structs.replace(
                self._wanted, fixture=fixture, payload=payload, others=self._others(fixture)
            )
            if Orders(self._contract, payload, options.orders).are_own:
                yield options
            yield msgspec.structs.replace(options, orders=None)

    def _others(self, fixture: str) -> dict[str, Json]:
        """The payloads of the other fixtures, of those that can be composed."""
        found: dict[str, Json] = {}
        for each in self._fixtures:
            if each != fixture:
                with contextlib.suppress(SandboxError):  # it is told where it is tried itself
                    found[each] = self._composed(each)
        return found

    def _composed(self, fixture: str) -> Json:
        """The payload of a fixture with its placeholders filled; SandboxError where that cannot be done.

        It has marks for secrets: what is made from it is told, and kept.
        """
        step = Step(fixture=fixture, expect=None, off_contract=True)
        single = scenario.single(step, action=self._contract.action, edition=self._contract.edition)
        prepared = self._preparation.step(single, 0, self._preparation.names(single), 1)
        assert prepared.payload is not None
        return jsontext.parse(prepared.secrets.document(jsontext.compact(prepared.payload.value).decode()))


class ValidRequests:
    """Valid requests in between, each about an order of its own as far as the range goes."""

    def __init__(self, contract: Contract, options: GenerateOptions, ids: OrderIds) -> None:
        own = msgspec.structs.replace(options, orders=ids if options.orders is not None else None)
        self._making = Making(contract, own)

    def next(self) -> Probe:
        """A probe of one valid request, as a check."""
        return self._making.probe("valid", "contract", "A valid request is accepted", [self._making.check()])

    def places(self, step: Step, trial: Trial) -> Collection[str]:
        """The pointers at which a step sets the id of its trial's order."""
        places = self._making.orders.next(again=True).places
        return [at for at in places if trial.order and str(step.set.get(at)) == trial.order]

    def renumbered(self, step: Step, trial: Trial) -> Step:
        """A step for another order, where it is for one of the range."""
        own = self.places(step, trial)
        order = self._making.orders.next(again=True).places
        return msgspec.structs.replace(step, set=step.set | {at: order[at] for at in own})


def valid(answered: Answered) -> Answered:
    """An answer to a valid request that is no check, but tried itself."""
    return msgspec.structs.replace(answered, trial=msgspec.structs.replace(answered.trial, is_check=False))


def _redirected(delivery: Delivery) -> str:
    """Where redirects that were followed led, and whether the request became another by that."""
    followed = [each for each in delivery.redirects if each.url]
    if not followed:
        return ""
    last = followed[-1]
    lost = any(each.status not in _KEEPS_METHOD for each in followed)
    became = f", and {delivery.request.method} became GET on the way" if lost else ""
    return f"after a redirect ({last.status}) to {last.url}{became}"


def _refuses_all(status: int, count: int) -> bool:
    """Whether a status says that no other payload will be accepted, after so many answers with it.

    A 404 may be about the order the first time. More requests with a wrong token might lock its owner out.
    """
    return status in (401, 403, 405) or 300 <= status < 400 or (status == 404 and count > 1)


def _reason(refusals: Sequence[str]) -> str:
    """Why there is no baseline: the refusal of the likeliest request, and how many more there were."""
    if not refusals:
        return "there is no fixture to send (save one in the workspace)"
    each = list(dict.fromkeys(refusals))
    more = f", and {len(each) - 1} more" if len(each) > 1 else ""
    return f"no valid request was accepted: {each[0]}{more}"
