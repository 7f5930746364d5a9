"""The pages of a review: one difference after the other, then the diff of each file, then writing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import UNSET
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox import accepting
from retailops_sandbox.accepting import Decision
from retailops_sandbox.accepting.saving import Judged
from retailops_sandbox.comparing import matchers
from retailops_sandbox.comparing.values import type_name
from retailops_sandbox.contracts import contract
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Difference, Rule
from retailops_sandbox.reporting.render import sidebyside
from retailops_sandbox.web.review.state import (
    ACCEPTED,
    KEPT,
    SKIPPED,
    Choice,
    Item,
    Review,
    Reviews,
    fingerprint,
    judged,
)
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.choices import chosen_receiver
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.pages import Pages, problems
from retailops_sandbox.web.shell.send_form import Refused

_CHOICES = {"accept": ACCEPTED, "keep": KEPT, "skip": SKIPPED}


class Rulings(msgspec.Struct, frozen=True):
    """What stands in the form that makes a rule."""

    word: str
    pattern: str
    everywhere: bool

    @classmethod
    def of(cls, form: FormData) -> Rulings:
        return cls(text(form, "rule"), text(form, "pattern"), "everywhere" in form)

    @classmethod
    def proposed(cls, item: Item) -> Rulings:
        """What is filled in where nothing was typed: the most telling rule that accepts what came."""
        words = item.ways.rules
        telling = [word for word in words if word in (*matchers.TELLING, "regex")]
        difference = item.difference
        return cls(
            [*telling, *words, ""][0],
            accepting.proposed_regex(difference.expected, difference.actual),
            bool(item.ways.wide),
        )

    def rule(self, item: Item) -> Rule:
        """The rule that this means; Refused where it can be none."""
        if self.word not in item.ways.rules:
            raise Refused("rule", "Choose what the rule is to accept.")
        if self.word == "regex":
            told = accepting.told_regex(self.pattern, item.difference)
            if told.problem:
                raise Refused("pattern", f"This cannot be used: {told.problem}.")
            if not told.actual:
                raise Refused("pattern", "It does not match what came, so the difference would stay.")
            return {"regex": self.pattern}
        if self.word == "type":
            return {"type": type_name(item.difference.actual)}
        return self.word


class AcceptPages:
    """`/runs/{id}/review` and `/deliveries/{id}/review`."""

    def __init__(self, context: AppContext, pages: Pages, reviews: Reviews) -> None:
        self._context = context
        self._pages = pages
        self._reviews = reviews

    def routes(self) -> list[Route]:
        routes = []
        for of in ("runs", "deliveries"):
            base = f"/{of}/{{id}}/review"
            routes += [
                Route(base, self.show),
                Route(base, self.decide, methods=["POST"]),
                Route(f"{base}/changes", self.changes),
                Route(f"{base}/changes", self.write, methods=["POST"]),
            ]
        return routes

    # --- one difference ---

    async def show(self, request: Request) -> Response:
        """The difference of this number, else the first that is open; the changes where none is."""
        review = await self._review(request)
        if review.written:
            return _to(request, "/changes")
        if not review.items:
            return self._page(request, review, "review/accept_empty.html")
        number = self._number(request, review)
        return await self._item(request, review, number) if number else _to(request, "/changes")

    def _number(self, request: Request, review: Review) -> int:
        asked = request.query_params.get("at", "")
        if asked.isascii() and asked.isdecimal() and 0 < int(asked[:9]) <= len(review.items):
            return int(asked)
        scenario = request.query_params.get("scenario", "")
        first = review.first_of(scenario) if scenario else 0
        return review.open_after(first - 1 if first else 0)

    async def decide(self, request: Request) -> Response:
        """Do what was pressed, and go on to the next difference."""
        form = await forms.read(request)
        do = text(form, "do") or "try"
        if do == "restart":
            await self._begin(request)
            return _to(request)
        review = await self._review(request)
        number = _whole(text(form, "at"))
        if not 0 < number <= len(review.items):
            return _to(request)
        if do == "undo":
            return _to(request, f"?at={review.undo() or number}")
        item = review.items[number - 1]
        typed = Rulings.of(form)
        if do == "try":
            part = (
                "review/told_regex.html"
                if request.headers.get("hx-target") == "told"
                else "review/accept.html"
            )
            return await self._item(request, review, number, typed, page=part)
        try:
            review.choose(number, _choice(do, item, typed))
        except Refused as refused:
            return await self._item(request, review, number, typed, refused.problems)
        following = review.open_after(number)
        return _to(request, f"?at={following}" if following else "/changes")

    async def _item(
        self,
        request: Request,
        review: Review,
        number: int,
        typed: Rulings | None = None,
        wrong: dict[str, str] | None = None,
        page: str = "review/accept.html",
    ) -> Response:
        item = review.items[number - 1]
        first = item.subject.first
        rulings = typed or Rulings.proposed(item)
        whole = await asyncio.to_thread(_whole_answer, first)
        return self._page(
            request,
            review,
            page,
            HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
            number=number,
            item=item,
            delivery=first.delivery,
            delivery_violations=first.judgement.violations,
            line=sidebyside.of_difference(item.difference),
            whole=whole,
            choice=review.choices.get(number),
            consequence=consequence(item.difference),
            rulings=rulings,
            is_typed=typed is not None,
            matchers=matchers.MATCHERS,
            is_recognised=not set(matchers.TELLING).isdisjoint(item.ways.rules),
            told=accepting.told_regex(rulings.pattern, item.difference)
            if "regex" in item.ways.rules
            else None,
            type_name="" if item.difference.actual is UNSET else type_name(item.difference.actual),
            problems=problems(wrong),
        )

    # --- the end ---

    async def changes(self, request: Request) -> Response:
        """What would be written; or, once it is, what was."""
        review = await self._review(request)
        if not review.items:
            return _to(request)
        return await self._changes(request, review)

    async def write(self, request: Request) -> Response:
        """Write the files as they were shown."""
        form = await forms.read(request)
        review = await self._review(request)
        found = await asyncio.to_thread(review.changes)
        if not found or review.written:
            return _to(request, "/changes")
        if text(form, "shown") != fingerprint(found):
            said = "Nothing was written: it would not be what the page showed. This is what it would be now."
            return await self._changes(request, review, [said])
        try:
            refused = await asyncio.to_thread(review.write)
        except SandboxError as error:
            refused = [str(error)]
        return await self._changes(request, review, refused) if refused else _to(request, "/changes")

    async def _changes(self, request: Request, review: Review, refused: Sequence[str] = ()) -> Response:
        try:
            found = [] if review.written else await asyncio.to_thread(review.changes)
        except SandboxError as error:
            found, refused = [], [*refused, str(error)]
        return self._page(
            request,
            review,
            "review/accept_changes.html",
            HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK,
            found=found,
            shown=fingerprint(found),
            refused=refused,
            again=self._again(review),
        )

    def _again(self, review: Review) -> str:
        """Where what was written can be run again, against the same receiver; empty before it was."""
        if not review.written:
            return ""
        receiver = review.items[0].subject.first.delivery.receiver
        known = {each.name for each in self._context.receivers()}
        said = [("receiver", receiver)] if receiver in known else []
        if len(review.written) == 1:
            return f"/scenarios/show?{urlencode([('id', review.written[0]), *said])}"
        return f"/scenarios?{urlencode([*(('pick', each) for each in review.written), *said])}"

    # --- which review ---

    async def _review(self, request: Request) -> Review:
        known = await asyncio.to_thread(self._reviews.known, _base(request))
        return await self._begin(request) if known is None else known

    async def _begin(self, request: Request) -> Review:
        found = await asyncio.to_thread(self._judged, request)
        return await asyncio.to_thread(self._reviews.begin, _base(request), found)

    def _judged(self, request: Request) -> list[Judged]:
        """The deliveries of a run; or the one that is meant, with those of its step, which it speaks for."""
        id: str = request.path_params["id"]
        self._context.refuse_foreign(id)
        if request.url.path.startswith("/runs/"):
            found = self._context.log.run(id)
            if found is None:
                raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no run {id} in this workspace's log.")
            return judged(found[1])
        entry = self._context.log.get(id)
        if entry is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no delivery {id} in this workspace's log.")
        sent = entry.delivery
        run = self._context.log.run(sent.run, {sent.scenario})
        of_step = [each for each in (run[1] if run else []) if each.delivery.step == sent.step]
        return judged(of_step, first=id)

    # --- showing ---

    def _page(
        self,
        request: Request,
        review: Review,
        name: str,
        status: HTTPStatus = HTTPStatus.OK,
        **context: Any,
    ) -> Response:
        action = self._context.actions()[0]
        target = self._context.target(
            chosen_receiver(request, self._context), action.name, action.editions[0]
        )
        id = request.path_params["id"]
        return self._pages.render(
            request,
            name,
            status=status,
            section="Runs" if request.url.path.startswith("/runs/") else "Log",
            target=target,
            review=review,
            base=_base(request),
            id=id,
            back=_base(request).removesuffix("/review"),
            **context,
        )


def consequence(difference: Difference) -> str:
    """What accepting does, in a line."""
    if difference.part == "status":
        return f"Accepting expects the status {difference.actual} from now on."
    if difference.part == "latency":
        limit = accepting.rounded_up(float(difference.actual))
        return f"Accepting raises max_ms to {limit:,}. It is a demand, not an answer: do you mean it?"
    if difference.part == "fault":
        return "Accepting expects what happened instead of the fault."
    if difference.actual is not UNSET and accepting.holds_redacted(difference.actual):
        return "The value was redacted. Accepting puts an any rule in its place, and writes no value."
    if difference.part == "headers":
        came = difference.actual is not UNSET
        return f"Accepting {'expects the header as it came' if came else 'no longer expects the header'}."
    if difference.kind == "type" and difference.hint.startswith("the body is not JSON"):
        return "Accepting no longer compares the body: no expectation can spell what is not JSON."
    if difference.rule is not None and difference.actual is not UNSET:
        return "Accepting lets the rule give way at this place alone."
    words = {
        "missing": "Accepting takes it out of what is expected.",
        "unexpected": "Accepting adds it to what is expected.",
        "moved": "Accepting expects it where it came.",
    }
    return words.get(difference.kind, "Accepting expects the value that came.")


def _whole_answer(judged: Judged) -> sidebyside.View | None:
    """The answer beside what was expected; None where they cannot be shown so."""
    expectation = judged.judgement.expectation
    if expectation is None:
        return None
    sets = contract.load(judged.delivery.action, judged.delivery.edition).arrays
    return sidebyside.of(judged.delivery, expectation, sets)


def _choice(do: str, item: Item, typed: Rulings) -> Choice:
    """The decision that a button means; Refused where it cannot be made."""
    if do in _CHOICES:
        return _CHOICES[do]
    if do == "ignore":
        typed = msgspec.structs.replace(typed, word="ignore")
    elif do != "rule":
        raise Refused("rule", "Choose one of the buttons.")
    return Choice("rule", Decision("rule", typed.rule(item), typed.everywhere and bool(item.ways.wide)))


def _base(request: Request) -> str:
    """The address of the review itself."""
    of = "runs" if request.url.path.startswith("/runs/") else "deliveries"
    return f"/{of}/{request.path_params['id']}/review"


def _to(request: Request, rest: str = "") -> Response:
    return RedirectResponse(_base(request) + rest, HTTPStatus.SEE_OTHER)


def _whole(typed: str) -> int:
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else 0
