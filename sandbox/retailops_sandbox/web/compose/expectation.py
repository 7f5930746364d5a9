"""What the compose page does with the expected response, and what it says about it."""

from __future__ import annotations

from itertools import islice
from typing import Any

import msgspec
from starlette.datastructures import FormData

from retailops_sandbox import jsontext
from retailops_sandbox.accepting.answers import expected_again
from retailops_sandbox.contracts import contract
from retailops_sandbox.errors import SandboxError, SourceError
from retailops_sandbox.jsontext.pointer import PointerError
from retailops_sandbox.model import Expectation
from retailops_sandbox.runlog.log import Entry
from retailops_sandbox.web.compose import expectation_cards, rule_editor
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.pages import expectation_text
from retailops_sandbox.web.shell.send_form import EDITED, EXPECTATION_VIEWS, Refused, SendForm

PREFIX = "expect-"
"""What the names of the cards' inputs, and the words of their buttons, begin with."""
_SEARCHED = 2_000
"""How many of the newest deliveries are searched for the last answer."""


class Pick(msgspec.Struct, frozen=True):
    """An expectation that can be picked."""

    id: str
    label: str
    expectation: Expectation | None


class ExpectationNotice(msgspec.Struct, frozen=True):
    """What was done to the expectation as a whole, and its text before."""

    text: str = ""
    was: str | None = None


def take_inputs(draft: SendForm, form: FormData) -> str:
    """Put what was typed into the cards into the expectation's text; what could not be, in one line."""
    names = (f"{PREFIX}text:", f"{PREFIX}json:")
    inputs = {name.removeprefix(PREFIX): text(form, name) for name in form if name.startswith(names)}
    if draft.expectation_view != "cards" or not inputs:
        return ""
    try:
        draft.expectation, refused = expectation_cards.typed(draft.expectation, inputs)
    except SourceError:
        # There are no cards of a text that is not JSON: these inputs are older than it.
        return ""
    return f"Not taken over: {'; '.join(refused)}" if refused else ""


def shown(draft: SendForm, form: FormData | None) -> dict[str, Any]:
    """What the panel needs beside the draft."""
    if draft.expectation_view != "cards":
        return {
            "cards": None,
            "ruling": None,
            "rule_words": rule_editor.WORDS,
            "rule_types": rule_editor.TYPES,
        }
    wanted = contract.load(draft.action, draft.edition)
    cards = expectation_cards.of(draft.expectation, wanted)
    made = None
    if draft.rule_at and not cards.unusable:
        made = rule_editor.begun(jsontext.parse(draft.expectation), wanted, draft.rule_at)
        if made is not None and form is not None:
            rule_editor.fill(made, form)
    return {"cards": cards, "ruling": made, "rule_words": rule_editor.WORDS, "rule_types": rule_editor.TYPES}


def press(
    context: AppContext, word: str, argument: str, draft: SendForm, form: FormData, picks: list[Pick]
) -> ExpectationNotice | None:
    """Do what a button of the expectation says; None for a button of something else."""
    if word == "pick":
        return _pick(draft, text(form, "pick"), picks)
    if not word.startswith(PREFIX):
        return None
    word = word.removeprefix(PREFIX)
    before = draft.expectation
    try:
        return _do(context, word, argument, draft, form)
    except (SandboxError, PointerError) as error:
        draft.expectation = before
        raise Refused("expectation", f"It was left as it is: {error}") from error


def _do(context: AppContext, word: str, argument: str, draft: SendForm, form: FormData) -> ExpectationNotice:
    wanted = contract.load(draft.action, draft.edition)
    was = draft.expectation
    if word == "view" and argument in EXPECTATION_VIEWS:
        draft.expectation_view = argument
    elif word == "last":
        return _last(context, draft)
    elif word == "undo":
        draft.expectation = text(form, "expectation_was")
        return ExpectationNotice("The former is back.", was)
    elif word == "add":
        draft.expectation = expectation_cards.add(was, wanted, argument)
    elif word == "begin":
        draft.expectation = expectation_cards.begin(was, argument)
    elif word == "member":
        field = f"{PREFIX}new:{argument}"
        name = text(form, field).strip()
        if not name:
            raise Refused(field, "It needs a name.")
        draft.expectation = expectation_cards.member(was, wanted, argument, name)
    elif word == "remove":
        draft.expectation = expectation_cards.remove(was, argument)
        draft.rule_at = ""
        return ExpectationNotice(
            f"{argument.rpartition('/')[2] if argument.count('/') > 1 else argument[1:]} is taken out.", was
        )
    elif word == "open":
        draft.rule_at = argument
    elif word == "close":
        draft.rule_at = ""
    elif word == "rule":
        return _rule(draft, form, wanted)
    elif word == "unrule":
        draft.expectation = expectation_cards.unrule(was, argument)
        draft.rule_at = ""
        return ExpectationNotice(f"The rule for {argument} is taken off.", was)
    return ExpectationNotice()


def _rule(draft: SendForm, form: FormData, wanted: contract.Contract) -> ExpectationNotice:
    was = draft.expectation
    made = rule_editor.begun(jsontext.parse(was), wanted, draft.rule_at)
    if made is None:
        raise Refused("rule", "The value is not there any more.")
    rule_editor.fill(made, form)
    rule = made.made()
    if made.has_rule and made.before != made.path:
        draft.expectation = expectation_cards.unrule(draft.expectation, made.before)
    draft.expectation = expectation_cards.rule(draft.expectation, made.path, rule)
    draft.rule_at = ""
    return ExpectationNotice(f"{made.label}: {expectation_cards.says(rule)}.", was)


def _pick(draft: SendForm, id: str, picks: list[Pick]) -> ExpectationNotice:
    found = [pick for pick in picks if pick.id == id]
    if not found:
        return ExpectationNotice()
    was = draft.expectation
    draft.expectation = expectation_text(found[0].expectation)
    draft.rule_at = ""
    return ExpectationNotice(f"Picked: {found[0].label}.", was)


def _last(context: AppContext, draft: SendForm) -> ExpectationNotice:
    entry = _last_answer(context, draft)
    if entry is None:
        raise Refused(
            "expectation", "No answer to this fixture from this receiver is in the log yet: send it first."
        )
    answer = expected_again(entry.delivery)
    if answer is None:
        raise Refused("expectation", f"What came to {entry.delivery.id} cannot be expected: see its page.")
    was = draft.expectation
    draft.expectation = expectation_cards.answered(was, answer)
    draft.rule_at = ""
    return ExpectationNotice(f"From the answer to {entry.delivery.id}; rules and limits stay.", was)


def _last_answer(context: AppContext, draft: SendForm) -> Entry | None:
    """The newest delivery of this fixture to this receiver that something came of; else the page's parent."""
    for sent in islice(context.log.summaries(), _SEARCHED):
        is_own = bool(draft.parent) and draft.parent in (sent.id, sent.parent)
        is_same = (sent.action, sent.edition, sent.receiver) == (draft.action, draft.edition, draft.receiver)
        is_like = sent.fixture.removesuffix(EDITED) == draft.fixture.removesuffix(EDITED)
        if (is_own or (is_same and is_like)) and (sent.status is not None or sent.fault):
            return context.log.get(sent.id)
    return context.log.get(draft.parent) if draft.parent else None
