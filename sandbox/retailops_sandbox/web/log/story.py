"""The story of an order, a sku or whatever else payloads are about: its deliveries, in order of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import islice
from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox import redaction
from retailops_sandbox.comparing import compare
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Delivery, Difference
from retailops_sandbox.reporting.render import answered, lines
from retailops_sandbox.reporting.render.contract_words import ContractWords
from retailops_sandbox.reporting.render.shown import moment
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.query import Query
from retailops_sandbox.runlog.rows import DeliveryRow
from retailops_sandbox.web.shell.room import RoomPages

_MOST = 200
"""The most deliveries of a story: the newest."""
_SHOWN_CHANGES = 4
_LONG = timedelta(minutes=10)
"""The time without a delivery that is marked as a gap."""
_SHORTEST = timedelta(seconds=1)
_WIDTH = 40
"""The most characters of a value in a change."""


class Chapter(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery of the story, beside those before it."""

    row: DeliveryRow
    at: float
    """The place on the line through time, in percent."""
    gap: str
    """The time since the delivery before, in words; empty for the first, and where it is under a second."""
    is_long: bool
    """Whether that time is long."""
    overlaps: bool
    """Whether it was sent while the delivery before was under way."""
    repeats: DeliveryRow | None
    """The latest delivery before with the same payload, byte for byte."""
    became: Sequence[str]
    """What came of it otherwise than of the one that it repeats: `verdict passed → failed`."""
    changes: Sequence[str]
    """How its payload differs from that of the delivery before; the first of them."""
    more_changes: int
    """The number of further differences."""
    before: str
    """The id of the delivery before; empty for the first."""


class StoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """All deliveries about one id, the oldest first."""

    order: str
    kind: str
    """What has the id, such as `order or sku`; empty where nothing was sent."""
    names: Sequence[str]
    """The other ids that these payloads are about."""
    chapters: Sequence[Chapter]
    has_older: bool
    """Whether there are older deliveries that are not shown."""
    has_many_actions: bool
    repeated: int
    """The number of deliveries with a payload that was sent before."""
    changed: int
    """The number of these that came out otherwise than before."""


class StoryPages(RoomPages):
    """`/deliveries/story?order=ID`."""

    section = "Log"

    def routes(self) -> list[Route]:
        return [Route("/deliveries/story", self.show)]

    def show(self, request: Request) -> Response:
        """The story of the id in the address."""
        order = request.query_params.get("order", "").strip()
        if not order:
            return RedirectResponse("/deliveries")
        kept = list(islice(self._context.log.rows(Query(order=order)), _MOST + 1))
        found = (self._context.log.delivery(row.id) for row in reversed(kept[:_MOST]))
        words = self._context.words
        chapters = story([each for each in found if each is not None], words, self._context.contracts)
        rows = [each.row for each in chapters]
        names = dict.fromkeys(name for each in rows for name in each.orders if name != order)
        kinds = dict.fromkeys(words(each.action, each.edition).subject for each in rows)
        page = StoryPage(
            order=order,
            kind=" or ".join(filter(None, kinds)),
            names=list(names),
            chapters=chapters,
            has_older=len(kept) > _MOST,
            has_many_actions=len({each.action for each in rows}) > 1,
            repeated=sum(each.repeats is not None for each in chapters),
            changed=sum(bool(each.became) for each in chapters),
        )
        target = self._chosen_target(request, self._context.read_receivers())
        return self._page(request, "log/story.html", page, target=target)


class _Sent(NamedTuple):
    row: DeliveryRow
    delivery: Delivery


def story(
    entries: Sequence[Entry], words: Callable[[str, str], ContractWords], contracts: Contracts
) -> list[Chapter]:
    """The chapters of deliveries, the oldest first. `words` finds those of an action's edition."""
    sent = [_Sent(each.row(contracts), each.delivery) for each in entries]
    by_payload: dict[str, _Sent] = {}
    chapters: list[Chapter] = []
    places = _places([each.row.sent_at for each in sent])
    for number, each in enumerate(sent):
        before = sent[number - 1] if number else None
        body = each.delivery.request.body
        same = by_payload.get(body)
        by_payload[body] = each
        changes = _changes(before.delivery, each.delivery) if before is not None else []
        gap = _gap(before, each)
        chapters.append(
            Chapter(
                row=each.row,
                at=places[number],
                gap=_words(gap) if gap is not None and gap >= _SHORTEST else "",
                is_long=gap is not None and gap >= _LONG,
                overlaps=before is not None
                and gap is not None
                and gap < timedelta(milliseconds=before.row.total_ms),
                repeats=same.row if same is not None else None,
                became=_became(same, each, words(each.row.action, each.row.edition))
                if same is not None
                else (),
                changes=[_change(found) for found in changes[:_SHOWN_CHANGES]],
                more_changes=max(0, len(changes) - _SHOWN_CHANGES),
                before=before.row.id if before is not None else "",
            )
        )
    return chapters


def _places(instants: Sequence[str]) -> list[float]:
    """Where each instant is between the first and the last, in percent."""
    known = [at.timestamp() if (at := moment(each)) is not None else None for each in instants]
    dated = [each for each in known if each is not None]
    if not dated:
        return [50.0] * len(instants)
    first, span = min(dated), (max(dated) - min(dated)) or 1.0
    return [round(1 + 98 * ((first if each is None else each) - first) / span, 2) for each in known]


def _gap(before: _Sent | None, each: _Sent) -> timedelta | None:
    if before is None:
        return None
    start, end = moment(before.row.sent_at), moment(each.row.sent_at)
    return None if start is None or end is None else end - start


def _words(gap: timedelta) -> str:
    """A span of time in its two largest units."""
    seconds = gap.total_seconds()
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min {int(seconds % 60)} s"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"


def _became(before: _Sent, each: _Sent, words: ContractWords) -> list[str]:
    """What changed in the outcome of the same payload."""
    pairs = {  # By the name of what changed; what is told needs none.
        "verdict": (before.row.verdict_word, each.row.verdict_word),
        "": (answered.told(before.row, words), answered.told(each.row, words)),
        "answer": (before.row.answer, each.row.answer),
    }
    if before.row.fault or each.row.fault:
        del pairs["answer"]  # What is told says it.
    found = [f"{name} {was} → {now}".lstrip() for name, (was, now) in pairs.items() if was != now]
    if found and before.row.receiver != each.row.receiver:
        found.append(f"receiver {before.row.receiver} → {each.row.receiver}")
    return found


def _changes(before: Delivery, sent: Delivery) -> Sequence[Difference]:
    if before.request.body == sent.request.body or before.action != sent.action:
        return ()
    try:
        values = redaction.listing.payload(before), redaction.listing.payload(sent)
    except SandboxError:
        return ()  # A payload that is no JSON has no members to name.
    return compare(*values).differences


def _change(found: Difference) -> str:
    """`/data/order/id: "4897" → "4898"`."""
    was = lines.value(found.expected, _WIDTH)
    now = lines.value(found.actual, _WIDTH)
    return lines.visible(f"{lines.place(found)}: {was} → {now}")
