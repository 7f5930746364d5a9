"""The form that makes a rule of a value in a comparison, for every page that shows one.

A page gives the macro `comparison` (templates/shell/sidebyside.html) the address of its own handler as
`rule_url`. That answers a GET with `pane(...)` in `shell/rule_part.html`, for a script that puts it in place,
or on a page of its own; web/log/ruling.py is the example. Of what the form posts, `do` says what to do:

    preview         `pane(...)` again, in `shell/rule_preview.html`
    rule            `RuleForm.of(form).written(text, about, is_template=True)` is the text of an expectation,
                    of a file or of an editor, with the rule; `about.with_rule(form)` judges the delivery then
    exactly,        the same, with this word as the choice, in place of what is selected
    besides

On a page that is one form already the pane is a part of it (`is_in_form`): its fields are posted along, and
each `do` begins with the pane's `prefix`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec
from msgspec import UNSET
from starlette.datastructures import FormData, QueryParams

from retailops_sandbox import jsontext, redaction
from retailops_sandbox.accepting import ruling
from retailops_sandbox.accepting.ruling import EXACTLY, Preview, RuleChoice, RulePlace
from retailops_sandbox.comparing import Judge, matchers
from retailops_sandbox.comparing.matchers import RuleError
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.jsontext.pointer import PointerError
from retailops_sandbox.model import Delivery, Expectation, Json, encoder
from retailops_sandbox.recording.steps import sent_again
from retailops_sandbox.reporting.render.items import ItemKind
from retailops_sandbox.runlog.query import Query
from retailops_sandbox.runlog.rows import EDITED
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.send_form import Refused

MOST_ANSWERS = 20
"""The answers of a case on which a rule is tried."""
_SECONDS = 1.0
"""How long they are judged."""
IGNORE_ITEMS = "besides"
"""The choice for an item that came and was not expected: it may come, as may others of its kind."""


class RuleForm(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of the form: the place, and what was chosen for it."""

    at: str
    """The pointer into the expected body: of the value or, for an item, of its array."""
    actual: str | None
    """The pointer into the answer's body; None where that has nothing there."""
    is_item: bool = False
    word: str = ""
    """Empty before anything is chosen."""
    pattern: str = ""
    everywhere: bool = True

    @classmethod
    def of(cls, form: FormData | QueryParams) -> RuleForm:
        """The form as it was posted, or as the address of a value begins it."""
        actual = str(form.get("actual", ""))
        return cls(
            at=str(form.get("at", "")),
            actual=actual or None,
            is_item="item" in form,
            word=str(form.get("word", "")),
            pattern=str(form.get("pattern", "")),
            everywhere=str(form.get("everywhere", "yes")) == "yes",
        )

    def begun(self, place: RulePlace) -> RuleForm:
        """The form with a first choice, where nothing was chosen yet."""
        if self.word:
            return self
        formats = [each for each in place.choices if each in matchers.FORMATS]
        usual = [each for each in ("type", "ignore") if each in place.choices]
        first = [*formats, *usual, *place.choices, ""][0]
        return msgspec.structs.replace(self, word=first, pattern=place.regex)

    def choice(self, place: RulePlace) -> RuleChoice:
        """What was chosen; Refused where the place does not allow it."""
        if self.word not in place.choices:
            raise Refused("rule", "Choose what is to be accepted here.")
        return RuleChoice(self.word, self.pattern, self.everywhere)

    def written(self, text: str, about: Compared, *, is_template: bool) -> str:
        """The text of an expectation with the rule; Refused where it cannot be written.

        `is_template` says whether `${` refers to something there, as it does in a file and in an editor.
        """
        try:
            if self.is_item:
                item = about.item(self)
                if self.word == IGNORE_ITEMS:
                    kind = about.kind(self)
                    if not kind:
                        raise Refused("rule", "The contract names nothing by which others are of its kind.")
                    return ruling.ignoring(text, self.at, kind, is_template=is_template)
                return ruling.expecting(
                    text,
                    self.at,
                    item,
                    sent=sent_again(about.sent),
                    sets=about.sets,
                    is_template=is_template,
                )
            place = about.place(self)
            return ruling.with_choice(text, place, self.choice(place), is_template=is_template)
        except RuleError as error:
            raise Refused("rule", f"This cannot be used: {error.what}.") from error
        except PointerError as error:
            raise Refused("rule", f"The expectation has another form than what is shown: {error}.") from error


class Compared(NamedTuple):
    """An answer and the expectation that it is compared with."""

    sent: Delivery
    expectation: Expectation
    """As it was judged by: with marks, and without placeholders."""
    sets: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, sent: Delivery, expectation: Expectation | None, contracts: Contracts) -> Compared:
        """UsageError where no body is expected."""
        if expectation is None or expectation.body is UNSET:
            raise UsageError("no body is expected here", mend="expect one first")
        return cls(sent, expectation, contracts.load(sent.action, sent.edition).arrays)

    def place(self, form: RuleForm) -> RulePlace:
        """The place of a value; PointerError where there is none."""
        body = redaction.listing.answered(self.sent)
        return ruling.place_at(self.expectation.body, body, form.at, form.actual, self.sets)

    def item(self, form: RuleForm) -> Json:
        """The item that came and was not expected; PointerError where there is none."""
        return ruling.item_at(redaction.listing.answered(self.sent), form.actual or "")

    def kind(self, form: RuleForm) -> Mapping[str, Json]:
        """The members by which other items are of the same kind."""
        return ruling.kind_of(self.item(form), form.at, self.sets)

    def with_rule(self, form: RuleForm) -> Expectation:
        """The expectation as it would be judged by; Refused as in `RuleForm.written`."""
        text = encoder.encode(self.expectation).decode()
        made = scenario.expectation(form.written(text, self, is_template=False))
        return redaction.listing.kept_marks(made, self.expectation)


class RulePane(msgspec.Struct, frozen=True, kw_only=True):
    """The form as it is shown, in place or on a page of its own."""

    action: str
    """Where the form is posted: with `do` as `rule` to make it, as `preview` to try it."""
    back: str
    """The page that it leaves to."""
    target: str
    """The CSS selector of the part of the page that the answer to the form replaces."""
    hidden: Mapping[str, str] = {}
    """Further fields."""
    is_in_form: bool = False
    """Whether it stands within another form, whose fields are posted along."""
    prefix: str = ""
    """What the values of `do` begin with."""
    preview_address: str = ""
    """Where the preview is fetched by GET; empty where `action` answers with it."""
    form: RuleForm
    place: RulePlace | None
    """None for an item."""
    code: str = ""
    """What an item is: its text, in short."""
    kind: str = ""
    """By what other items are of its kind: `code WARN2001`; empty where they cannot be told."""
    nouns: str = "items"
    """What such items are called: `events`."""
    preview: Preview | None
    ignored: Preview | None = None
    """The preview of ignoring an item and others of its kind; None where that cannot be."""
    problem: str = ""
    note: str
    """Where it is written."""

    @property
    def choices(self) -> Sequence[tuple[str, str]]:
        """What can be chosen, and each in words."""
        if self.place is None:
            return []
        return [(each, ruling.words(self.place, each)) for each in self.place.choices]

    @property
    def chosen(self) -> str:
        """The choice in words."""
        return next((words for word, words in self.choices if word == self.form.word), "expected")

    @property
    def exactly(self) -> str:
        """The choice without a rule."""
        return EXACTLY


def previewed(context: AppContext, about: Compared, form: RuleForm) -> Preview:
    """How many of the case's last answers would pass with the rule. Blocks; bounded in time.

    Refused where the rule cannot be used.
    """
    sent = about.sent
    expectation = about.with_rule(form)
    end = time.monotonic() + _SECONDS
    judge = Judge(context.contracts.load(sent.action, sent.edition))
    paths = {form.at} if form.is_item else {form.at, about.place(form).wide} - {""}
    answers = _last_answers(context, sent)
    return ruling.preview(judge, expectation, answers, paths, has_time=lambda: time.monotonic() < end)


def _last_answers(context: AppContext, sent: Delivery) -> list[Delivery]:
    """The latest answers of a delivery's case: its own, then the others, the newest first."""
    name = sent.fixture.removesuffix(EDITED)
    found = [sent]
    if name:
        query = Query(action=sent.action, edition=sent.edition, fixture=name, receiver=sent.receiver)
        for row in islice(context.log.rows(query), MOST_ANSWERS):
            entry = context.log.delivery(row.id) if row.id != sent.id else None
            if entry is not None and entry.delivery.response is not None:
                found.append(entry.delivery)
    return found[:MOST_ANSWERS]


def pane(
    context: AppContext,
    about: Compared,
    form: RuleForm,
    *,
    action: str,
    back: str,
    target: str,
    note: str,
    hidden: Mapping[str, str] | None = None,
    is_in_form: bool = False,
    prefix: str = "",
    preview_address: str = "",
    problem: str = "",
) -> RulePane:
    """The form for a value or an item, with its preview. PointerError where there is none. Blocks."""
    place = None if form.is_item else about.place(form)
    code = ruling.shown_item(about.item(form)) if place is None else ""
    kind = about.kind(form) if place is None else {}
    form = form if place is None else form.begun(place)
    preview = ignored = None
    try:
        preview = previewed(context, about, form)
        if kind and not problem:
            ignored = previewed(context, about, msgspec.structs.replace(form, word=IGNORE_ITEMS))
    except (Refused, SandboxError) as error:
        problem = problem or str(error)
    return RulePane(
        action=action,
        back=back,
        target=target,
        hidden=hidden or {},
        is_in_form=is_in_form,
        prefix=prefix,
        preview_address=preview_address,
        form=form,
        place=place,
        code=code,
        kind=", ".join(f"{name} {jsontext.excerpt(value, 60)}" for name, value in kind.items()),
        nouns=ItemKind(pointer.parse(form.at), {}).nouns,
        preview=preview,
        ignored=ignored,
        problem=problem,
        note=note,
    )
