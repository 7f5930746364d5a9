"""Two deliveries beside each other: what was answered, and what was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox import redaction
from retailops_sandbox.answers import content
from retailops_sandbox.comparing import NO_SETS
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Delivery, Json
from retailops_sandbox.reporting.render import answered, lines, shown, sidebyside
from retailops_sandbox.reporting.render.comparison_rows import View
from retailops_sandbox.reporting.render.contract_words import ContractWords
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.rows import DeliveryRow
from retailops_sandbox.web.log.selected import entries
from retailops_sandbox.web.shell.room import RoomPages, no_delivery


class Fact(msgspec.Struct, frozen=True):
    """A thing that both deliveries have."""

    name: str
    first: str
    second: str

    @property
    def differs(self) -> bool:
        """Whether it is worth a mark: times always differ."""
        return self.name != "time" and self.first != self.second


class Sides(msgspec.Struct, frozen=True):
    """Two bodies beside each other."""

    view: View | None
    """None where they cannot be compared."""
    why: str = ""
    """Why they cannot be compared."""


class ComparePage(msgspec.Struct, frozen=True, kw_only=True):
    """Two deliveries, the older one first."""

    first: DeliveryRow
    second: DeliveryRow
    facts: list[Fact]
    answers: Sides
    requests: Sides
    request_facts: list[Fact]
    """URL and headers of the requests that differ."""


class ComparePages(RoomPages):
    """`/deliveries/compare?a=ID&b=ID`."""

    section = "Log"

    def routes(self) -> list[Route]:
        return [Route("/deliveries/compare", self.show)]

    def show(self, request: Request) -> Response:
        """The comparison; `delivery` given twice, as a form sends it, leads to its address."""
        asked = request.query_params
        if ticked := asked.getlist("delivery"):
            if len(ticked) != 2:
                what = f"Two deliveries are compared, and {len(ticked)} are ticked. Go back, and tick two."
                raise HTTPException(HTTPStatus.BAD_REQUEST, what)
            return RedirectResponse(f"/deliveries/compare?a={ticked[0]}&b={ticked[1]}", HTTPStatus.SEE_OTHER)
        ids = [asked.get("a", ""), asked.get("b", "")]
        if not all(ids):
            return RedirectResponse("/deliveries?selected=none", HTTPStatus.SEE_OTHER)
        found = entries(self._context, ids)
        both = [_known(id, entry) for id, entry in found.items()]
        first, second = both[0], both[-1]
        words = [self._context.words(each.delivery.action, each.delivery.edition) for each in (first, second)]
        target = self._chosen_target(request, self._context.read_receivers())
        page = _compared(first, second, words, self._context.contracts)
        return self._page(request, "log/compare.html", page, target=target)


def _known(id: str, entry: Entry | None) -> Entry:
    if entry is None:
        raise no_delivery(id)
    return entry


def _compared(
    first: Entry, second: Entry, words: Sequence[ContractWords], contracts: Contracts
) -> ComparePage:
    """The page with two deliveries. `words` are those of their contracts."""
    one, other = first.delivery, second.delivery
    rows = first.row(contracts), second.row(contracts)
    return ComparePage(
        first=rows[0],
        second=rows[1],
        facts=_facts(*rows, words),
        answers=_sides(one, other, redaction.listing.answered, _answer_words, _sets(other, contracts)),
        requests=_sides(one, other, redaction.listing.payload, _payload_words, NO_SETS),
        request_facts=_request_facts(one, other),
    )


def _facts(first: DeliveryRow, second: DeliveryRow, words: Sequence[ContractWords]) -> list[Fact]:
    facts = [Fact(name, of(first), of(second)) for name, of in _FACTS.items()]
    both = [answered.told(row, each) for row, each in zip((first, second), words, strict=True)]
    if any(both):
        facts.insert(_TOLD_AT, Fact(words[0].events or words[1].events or "answer", *both))
    return facts


_TOLD_AT = 2
"""Where in the facts comes what the answers tell."""
_FACTS: Mapping[str, Callable[[DeliveryRow], str]] = {
    "verdict": lambda row: row.verdict_word,
    "status": lambda row: row.answer,
    "time": lambda row: f"{shown.milliseconds(row.total_ms)} ms",
    "case or step": lambda row: row.label,
    "receiver": lambda row: row.receiver,
    "contract": lambda row: f"{row.action} {row.edition}",
}


def _sides(
    one: Delivery,
    other: Delivery,
    value: Callable[[Delivery], Json],
    words: Callable[[Delivery], str],
    sets: Mapping[str, tuple[str, ...]],
) -> Sides:
    """The bodies that `value` reads; `words` says what a body is that is no JSON."""
    values = []
    for each, name in ((one, "first"), (other, "second")):
        try:
            values.append(value(each))
        except SandboxError:
            return Sides(None, f"Not beside each other: the {name} {words(each)}.")
    return Sides(sidebyside.view(values[0], values[1], sets=sets))


def _sets(sent: Delivery, contracts: Contracts) -> Mapping[str, tuple[str, ...]]:
    agreed = contracts.find(sent.action, sent.edition)
    return NO_SETS if agreed is None else agreed.arrays  # A log may hold deliveries of a removed contract.


def _answer_words(sent: Delivery) -> str:
    if sent.fault is not None:
        return f"got no answer ({answered.FAULTS[sent.fault.kind]})"
    return f"answered {content.of(sent.response).what}" if sent.response is not None else "got no answer"


def _payload_words(sent: Delivery) -> str:
    return "request is no JSON"


def _request_facts(one: Delivery, other: Delivery) -> list[Fact]:
    both = [{"URL": each.request.url, **_headers(each)} for each in (one, other)]
    names = dict.fromkeys([*both[0], *both[1]])
    facts = (Fact(name, both[0].get(name, ""), both[1].get(name, "")) for name in names)
    return [each for each in facts if each.differs]


def _headers(sent: Delivery) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in sent.request.headers:
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return {lines.visible(name): lines.visible(value) for name, value in found.items()}
