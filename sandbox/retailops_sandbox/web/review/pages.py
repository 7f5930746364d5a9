"""The pages of a review: one difference after the other, then the diff of each file."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import UNSET
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox import accepting
from retailops_sandbox.accepting import Decision
from retailops_sandbox.accepting.deciding import RegexPreview
from retailops_sandbox.accepting.saving import Judged
from retailops_sandbox.comparing import matchers
from retailops_sandbox.comparing.values import type_name
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.jsontext import holds_mark
from retailops_sandbox.model import Delivery, Difference, Rule
from retailops_sandbox.reporting.render import sidebyside
from retailops_sandbox.reporting.render.comparison_rows import Line, View
from retailops_sandbox.web.review.alike import Group
from retailops_sandbox.web.review.items import Item
from retailops_sandbox.web.review.state import (
    ACCEPTED,
    KEPT,
    SKIPPED,
    Change,
    Choice,
    Review,
    Reviews,
    fingerprint,
    judged,
)
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.forms import text, texts
from retailops_sandbox.web.shell.known_receivers import KnownReceivers
from retailops_sandbox.web.shell.pages import Pages, problems
from retailops_sandbox.web.shell.room import RoomPages
from retailops_sandbox.web.shell.send_form import Refused

_ROWS = 100
"""The most rows on a page of all differences."""
_FILES = 20
"""The most files whose diffs the last page shows."""
_CHOICES = {"accept": ACCEPTED, "keep": KEPT, "skip": SKIPPED}


class RuleForm(msgspec.Struct, frozen=True):
    """The form that makes a rule."""

    word: str
    pattern: str
    everywhere: bool

    @classmethod
    def of(cls, form: FormData) -> RuleForm:
        return cls(text(form, "rule"), text(form, "pattern"), "everywhere" in form)

    @classmethod
    def proposed(cls, item: Item) -> RuleForm:
        """The form before anything is typed: the narrowest rule that accepts the actual value."""
        words = item.options.rules
        narrow = [word for word in words if word in (*matchers.FORMATS, "regex")]
        difference = item.difference
        return cls(
            [*narrow, *words, ""][0],
            accepting.proposed_regex(difference.expected, difference.actual),
            bool(item.options.wide),
        )

    def rule(self, item: Item) -> Rule:
        """The rule that is typed; Refused where it cannot be used."""
        if self.word not in item.options.rules:
            raise Refused("rule", "Choose what the rule is to accept.")
        if self.word == "regex":
            tried = accepting.preview_regex(self.pattern, item.difference)
            if tried.problem:
                raise Refused("pattern", f"This cannot be used: {tried.problem}.")
            if not tried.actual:
                raise Refused("pattern", "It does not match what came, so the difference would stay.")
            return {"regex": self.pattern}
        if self.word == "type":
            return {"type": type_name(item.difference.actual)}
        return self.word


class ReviewPage(msgspec.Struct, frozen=True, kw_only=True):
    """What every page of a review shows."""

    review: Review
    base: str
    """The address of the review."""
    back: str
    """The address of what is reviewed."""


class GroupRow(msgspec.Struct, frozen=True):
    """Differences that are alike, in one row."""

    group: Group
    said: str
    """What was decided, in words; empty before anything was."""
    can_ignore: bool


class GroupsPage(ReviewPage, frozen=True, kw_only=True):
    """All differences, those that are alike in one row."""

    rows: Sequence[GroupRow]
    first: int
    """The number of rows before this page."""
    most: int
    """The most rows of a page."""
    scenarios: int
    """The number of scenarios with differences."""


class DifferencePage(ReviewPage, frozen=True, kw_only=True):
    """One difference, and what can be decided about it."""

    number: int
    """The number of the difference, from 1."""
    item: Item
    group: Group
    """The differences that are alike, with this one."""
    for_all: bool
    """Whether a decision is for all that are alike."""
    delivery: Delivery
    line: Line
    whole: View | None
    """The answer beside what was expected; None where they cannot be shown so."""
    choice: Choice | None
    """The decision; None before it is made."""
    consequence: str
    """What accepting does, in words."""
    rule_form: RuleForm
    rule_words: Sequence[tuple[str, str]]
    """The matchers that a rule at the difference can have, each with what it accepts."""
    is_rule_open: bool
    """Whether the rule's form is open: it was typed in, or a matcher of a format accepts the value."""
    regex: RegexPreview | None
    """The pattern tried on both values; None where the rule cannot be a regex."""
    problems: Mapping[str, str]
    """By field."""


class ChangesPage(ReviewPage, frozen=True, kw_only=True):
    """The files that the decisions change, before they are written and after."""

    changes: Sequence[Change]
    most_files: int
    """The most files whose diffs are shown."""
    most_groups: int
    """The most decisions that are listed."""
    shown: str
    """The `fingerprint` of the changes that the page shows."""
    refused: Sequence[str]
    """Why nothing was written, line by line."""
    run_again: str
    """Where the written files can be run; empty before they are written."""


class ReviewPages(RoomPages):
    """`/runs/{id}/review` and `/deliveries/{id}/review`."""

    def __init__(self, context: AppContext, pages: Pages, reviews: Reviews) -> None:
        super().__init__(context, pages)
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

    def show(self, request: Request) -> Response:
        """All differences; the one of the given number, of the given scenario, or the only one."""
        review = self._review(request)
        if review.written:
            return _to(request, "/changes")
        if not review.items:
            page = ReviewPage(review=review, base=_base(request), back=_back(request))
            return self._show(request, self._context.read_receivers(), "review/accept_empty.html", page)
        number = self._number(request, review)
        if number:
            return self._difference(request, review, number, for_all="alone" not in request.query_params)
        return _to(request, "/changes") if "at" in request.query_params else self._groups(request, review)

    def _number(self, request: Request, review: Review) -> int:
        """The number of the difference that the address asks for; 0 for all of them."""
        asked = request.query_params.get("at")
        if asked is not None:
            number = _whole(asked)
            return number if 0 < number <= len(review.items) else review.open_after(0)
        scenario = request.query_params.get("scenario", "")
        first = review.first_of(scenario) if scenario else 0
        return review.open_after(first - 1) if first else int(len(review.items) == 1)

    def _groups(self, request: Request, review: Review, wrong: Mapping[str, str] | None = None) -> Response:
        first = _whole(request.query_params.get("from", ""))
        page = GroupsPage(
            review=review,
            base=_base(request),
            back=_back(request),
            rows=[
                GroupRow(each, review.said_of(each), "ignore" in each.first.options.rules)
                for each in review.groups[first : first + _ROWS]
            ],
            first=first,
            most=_ROWS,
            scenarios=len({item.subject.plan.id for item in review.items}),
        )
        receivers = self._context.read_receivers()
        return self._show(request, receivers, "review/groups.html", page, refused=bool(wrong))

    async def decide(self, request: Request) -> Response:
        """Do the action of the pressed button, and go on to the next difference."""
        form = await forms.read(request)
        do = text(form, "do") or "try"
        if do == "restart":
            await asyncio.to_thread(self._begin, request)
            return _to(request)
        review = await asyncio.to_thread(self._review, request)
        number = _whole(text(form, "at"))
        if not 0 < number <= len(review.items):
            return _to(request)
        in_list = "from" in form
        if do == "undo":
            undone = review.undo() or number
            return self._to_list(request, review, undone) if in_list else _to(request, f"?at={undone}")
        group = review.group_of(number)
        numbers = group.numbers if "alike" in form else (number,)
        typed = RuleForm.of(form)
        if do == "try":
            is_part = request.headers.get("hx-target") == "regex-preview"
            part = "review/regex_preview.html" if is_part else "review/accept.html"
            return await asyncio.to_thread(self._difference, request, review, number, typed, part=part)
        try:
            review.choose({each: _choice(do, review.items[each - 1], typed) for each in numbers})
        except Refused as refused:
            return await asyncio.to_thread(self._difference, request, review, number, typed, refused.problems)
        if in_list:
            return self._to_list(request, review, number)
        following = review.open_after(number)
        return _to(request, f"?at={following}" if following else "/changes")

    def _to_list(self, request: Request, review: Review, number: int) -> Response:
        """Back to the row of an item in the list of all."""
        row = review.group_of(number).number
        first = (row - 1) // _ROWS * _ROWS
        return _to(request, f"{f'?from={first}' if first else ''}#group-{row}")

    def _difference(
        self,
        request: Request,
        review: Review,
        number: int,
        typed: RuleForm | None = None,
        wrong: Mapping[str, str] | None = None,
        part: str = "review/accept.html",
        *,
        for_all: bool = True,
    ) -> Response:
        item = review.items[number - 1]
        first = item.subject.first
        rule_form = typed or RuleForm.proposed(item)
        can_be_regex = "regex" in item.options.rules
        came = item.difference.actual
        page = DifferencePage(
            review=review,
            base=_base(request),
            back=_back(request),
            number=number,
            item=item,
            group=review.group_of(number),
            for_all=for_all,
            delivery=first.delivery,
            line=sidebyside.of_difference(item.difference),
            whole=_whole_answer(first, self._context.contracts),
            choice=review.choices.get(number),
            consequence=consequence(item.difference),
            rule_form=rule_form,
            rule_words=[(word, _meaning(word, came)) for word in item.options.rules],
            is_rule_open=typed is not None or not set(matchers.FORMATS).isdisjoint(item.options.rules),
            regex=accepting.preview_regex(rule_form.pattern, item.difference) if can_be_regex else None,
            problems=problems(wrong),
        )
        return self._show(request, self._context.read_receivers(), part, page, refused=bool(wrong))

    # --- the end ---

    def changes(self, request: Request) -> Response:
        """The changes that would be written or, once they are, the files."""
        review = self._review(request)
        return self._changes(request, review) if review.items else _to(request)

    async def write(self, request: Request) -> Response:
        """Write the files as they were shown."""
        form = await forms.read(request)
        review = await asyncio.to_thread(self._review, request)
        if text(form, "do") == "undo":
            lost = await asyncio.to_thread(review.take_back)
            if lost:
                return await asyncio.to_thread(self._changes, request, review, lost)
            return _to(request, "/changes")
        await asyncio.to_thread(review.take_rules, texts(form, "offered"), texts(form, "take"))
        if text(form, "do") == "show":
            return _to(request, "/changes")
        found = await asyncio.to_thread(review.changes)
        if not found or review.written:
            return _to(request, "/changes")
        if text(form, "shown") != fingerprint(found):
            what = "Nothing was written: it would not be what the page showed. This is what it would be now."
            return await asyncio.to_thread(self._changes, request, review, [what])
        try:
            refused = await asyncio.to_thread(review.write)
        except SandboxError as error:
            refused = [str(error)]
        if refused:
            return await asyncio.to_thread(self._changes, request, review, refused)
        return _to(request, "/changes")

    def _changes(self, request: Request, review: Review, refused: Sequence[str] = ()) -> Response:
        try:
            found = [] if review.written else review.changes()
        except SandboxError as error:
            found, refused = [], [*refused, str(error)]
        receivers = self._context.read_receivers()
        page = ChangesPage(
            review=review,
            base=_base(request),
            back=_back(request),
            changes=found,
            most_files=_FILES,
            most_groups=_ROWS,
            shown=fingerprint(found),
            refused=refused,
            run_again=self._run_again(receivers, review),
        )
        return self._show(request, receivers, "review/accept_changes.html", page, refused=bool(refused))

    def _run_again(self, receivers: KnownReceivers, review: Review) -> str:
        """Where the written files can be run against the same receiver; empty before they are written."""
        if not review.written:
            return ""
        receiver = review.items[0].subject.first.delivery.receiver
        chosen = [("receiver", receiver)] if receiver in receivers.names else []
        if len(review.written) == 1:
            return f"/scenarios/show?{urlencode([('id', review.written[0]), *chosen])}"
        return f"/scenarios?{urlencode([*(('pick', each) for each in review.written), *chosen])}"

    # --- which review ---

    def _review(self, request: Request) -> Review:
        known = self._reviews.known(_base(request))
        return self._begin(request) if known is None else known

    def _begin(self, request: Request) -> Review:
        return self._reviews.begin(_base(request), self._judged(request))

    def _judged(self, request: Request) -> list[Judged]:
        """The deliveries of a run, or a delivery with the others of its step."""
        id: str = request.path_params["id"]
        self._context.refuse_opened(id)
        if request.url.path.startswith("/runs/"):
            self._run(id)
            return judged(self._context.log.deliveries(id))
        sent = self._entry(id).delivery
        of_scenario = self._context.log.deliveries(sent.run, {sent.scenario})
        return judged([each for each in of_scenario if each.delivery.step == sent.step], first=id)

    def _show(
        self,
        request: Request,
        receivers: KnownReceivers,
        name: str,
        page: ReviewPage,
        *,
        refused: bool = False,
    ) -> Response:
        section = "Runs" if request.url.path.startswith("/runs/") else "Log"
        target = self._chosen_target(request, receivers)
        return self._page(request, name, page, target=target, section=section, refused=refused)


def consequence(difference: Difference) -> str:
    """What accepting does, in a line."""
    if difference.part == "status":
        return f"Accepting expects the status {difference.actual} from now on."
    if difference.part == "latency":
        limit = accepting.rounded_up(float(difference.actual))
        return f"Accepting raises max_ms to {limit:,}. It is a demand, not an answer: do you mean it?"
    if difference.part == "fault":
        return "Accepting expects what happened instead of the fault."
    if difference.actual is not UNSET and holds_mark(difference.actual):
        return "The value was redacted. Accepting puts an any rule in its place, and writes no value."
    if difference.part == "headers":
        came = difference.actual is not UNSET
        return f"Accepting {'expects the header as it came' if came else 'no longer expects the header'}."
    if difference.rule is not None and difference.actual is not UNSET:
        return "Accepting lets the rule give way at this place alone."
    words = {
        "missing": "Accepting takes it out of what is expected.",
        "unexpected": "Accepting adds it to what is expected.",
        "moved": "Accepting expects it where it came.",
    }
    return words.get(difference.kind, "Accepting expects the value that came.")


def _meaning(word: str, came: Any) -> str:
    """What a matcher accepts, in words for the actual value."""
    return f"any {type_name(came)}" if word == "type" else matchers.MATCHERS[word].words


def _whole_answer(judged: Judged, contracts: Contracts) -> View | None:
    """The answer beside what was expected; None where they cannot be shown so."""
    sets = contracts.load(judged.delivery.action, judged.delivery.edition).arrays
    try:
        return sidebyside.of(judged.delivery, judged.judgement, sets)
    except sidebyside.NotTriedAgain:
        return None  # the differences are shown one by one, as they were judged


def _choice(do: str, item: Item, typed: RuleForm) -> Choice:
    """The decision of a button; Refused where it cannot be made."""
    if do == "accept" and not item.options.accept:
        raise Refused("accept", "This answer cannot be accepted.")
    if do in _CHOICES:
        return _CHOICES[do]
    if do == "ignore":
        typed = msgspec.structs.replace(typed, word="ignore")
    elif do != "rule":
        raise Refused("rule", "Choose one of the buttons.")
    return Choice("rule", Decision("rule", typed.rule(item), typed.everywhere and bool(item.options.wide)))


def _base(request: Request) -> str:
    """The address of the review itself."""
    of = "runs" if request.url.path.startswith("/runs/") else "deliveries"
    return f"/{of}/{request.path_params['id']}/review"


def _back(request: Request) -> str:
    """The address of what is reviewed."""
    return _base(request).removesuffix("/review")


def _to(request: Request, rest: str = "") -> Response:
    return RedirectResponse(_base(request) + rest, HTTPStatus.SEE_OTHER)


def _whole(typed: str) -> int:
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else 0
