"""Answers to requests of a probe, made by hand, as the log keeps them and judged as they are."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from retailops_sandbox import jsontext
from retailops_sandbox.comparing.judging import Answer, Judge
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import (
    Deliver,
    Delivery,
    Expectation,
    Fault,
    FaultKind,
    Judgement,
    Request,
    Response,
    Scenario,
    Step,
    StruckOut,
    Timings,
)
from retailops_sandbox.probe.observing import Answered, Observer
from retailops_sandbox.probe.probes import Area, Demand, Probe, Trial
from retailops_sandbox.probe.report import Observation

DONE: dict[str, Any] = {"status": "success", "events": []}
FIRST, SECOND = "900000001", "900000002"
JSON = "application/json"


def event(**members: Any) -> dict[str, Any]:
    """An event of edition v1, of an error unless told."""
    return {"event_type": "error", "code": "ERR1404", "message": "There is no such order", **members}


REPEATED: dict[str, Any] = {
    "status": "success",
    "events": [event(event_type="info", code="INF1", message="The order was cancelled already")],
}


class Asking:
    """Asks one receiver, whose answers are given: each call is a delivery of a probe."""

    def __init__(self, action: str = "order_cancel", edition: str = "v1") -> None:
        self.contract: Contract = SHIPPED_CONTRACTS.load(action, edition)
        self.observer = Observer(self.contract)
        self._judge = Judge(self.contract)
        self._count = 0

    def payload(self, order: str) -> Any:
        """The contract's example with this id at each place that it has for one."""
        payload = deepcopy(self.contract.examples.request)
        for path in self.contract.subject.request if self.contract.subject else ():
            for at, value in pointer.resolve_all(payload, path):
                payload = pointer.set_at(payload, at, order if isinstance(value, str) else int(order))
        if self.contract.auth and self.contract.auth.pointer:
            payload = pointer.set_at(payload, self.contract.auth.pointer, "${token}")
        return payload

    def baseline(self, first: Any = None, second: Any = None, other: Any = None) -> None:
        """Give the answers to a first and a second request about one order, and to one about another."""
        bodies = [DONE if first is None else first, REPEATED if second is None else second]
        answered = [self.answered(body=body, demand="accept") for body in bodies]
        if other is not None:
            answered.append(self.answered(body=other, demand="accept", order=SECOND))
        self.observer.baseline(answered)

    def answered(
        self,
        what: str = "as it is",
        *,
        demand: Demand = "either",
        area: Area = "contract",
        field: str = "",
        order: str = FIRST,
        status: int = 200,
        body: Any = None,
        content_type: str = JSON,
        fault: FaultKind | None = None,
        total: float = 2.0,
        method: str = "",
        payload: Any = None,
        raw: str | None = None,
        deliver: Deliver | None = None,
        probe: str = "",
        step: str = "",
        before: tuple[Trial, ...] = (),
        after: str = "",
        is_check: bool = False,
        dropped: bool = False,
        struck_out: tuple[StruckOut, ...] = (),
    ) -> Answered:
        self._count += 1
        name = step or f"{field} {what} {self._count}"
        trial = Trial(
            step=name, what=what, demand=demand, field=field, order=order, after=after, is_check=is_check
        )
        sent = self.payload(order or FIRST) if payload is None else payload
        text = raw if raw is not None else jsontext.compact(sent).decode()
        made = Step(name=name, deliver=deliver or Deliver(), off_contract=demand != "accept")
        contract = self.contract
        response = None
        if fault is None:
            answer = DONE if body is None else body
            answer = answer if isinstance(answer, str) else jsontext.compact(answer).decode()
            headers = (("Content-Type", content_type),) if content_type else ()
            response = Response(status=status, headers=headers, body=answer)
        delivery = Delivery(
            id=f"run.{self._count}",
            run="run",
            sent_at="2026-11-29T04:00:00Z",
            action=contract.action,
            edition=contract.edition,
            receiver="my-shop",
            step=name,
            off_contract=made.off_contract,
            dropped=dropped,
            request=Request(
                method=method or contract.method, url="http://127.0.0.1:5000", headers=(), body=text
            ),
            response=response,
            fault=Fault(fault, f"the {fault}") if fault else None,
            timings=Timings(total=total),
            struck_out=struck_out,
        )
        of = Probe(
            id=probe or f"{area}{field}",
            area=area,
            scenario=Scenario(name="probe", steps=[made]),
            trials=(*before, trial),
        )
        judgement = self._judged(delivery, demand, sent)
        return Answered(probe=of, trial=trial, delivery=delivery, judgement=judgement)

    def _judged(self, delivery: Delivery, demand: Demand, sent: Any) -> Judgement:
        accepted = [*self.contract.ok_statuses]
        expected = Expectation(status=accepted if demand == "accept" else [*accepted, *range(400, 500)])
        answer = Answer(delivery, delivery.response)
        broken = self.contract.check_request(sent)
        return self._judge(answer, expected, at="2026-11-29T04:00:00Z", payload_violations=broken)

    def ask(self, what: str = "as it is", **how: Any) -> list[Observation]:
        """What the observer sees in one answer."""
        return self.observer.observe(self.answered(what, **how))

    def kinds(self, what: str = "as it is", **how: Any) -> list[str]:
        """The kinds of what the observer sees in one answer."""
        return [each.kind for each in self.ask(what, **how)]
