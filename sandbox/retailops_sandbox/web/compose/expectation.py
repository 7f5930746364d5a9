"""The panel of the compose page with the expected response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

import msgspec
from starlette.datastructures import FormData

from retailops_sandbox import jsontext
from retailops_sandbox.accepting import answers, objections
from retailops_sandbox.comparing.matchers import item_noun
from retailops_sandbox.comparing.rules import without_quantifiers
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import SandboxError, SourceError
from retailops_sandbox.jsontext.pointer import PointerError
from retailops_sandbox.model import Expectation, Rule
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.web.compose import expectation_cards, inputs, rule_editor, value_rules
from retailops_sandbox.web.compose.expectation_cards import Cards
from retailops_sandbox.web.compose.rule_editor import RuleEditor
from retailops_sandbox.web.shell.choices import EXPECTATION_VIEW
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.contract_examples import plainest_answer
from retailops_sandbox.web.shell.expectation_vocabulary import expectation_vocabulary
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.pages import expectation_text
from retailops_sandbox.web.shell.send_form import EDITED, Refused, SendForm
from retailops_sandbox.web.shell.vocabulary import Word

PREFIX = "expect-"
"""The prefix of the names of the cards' inputs and of the actions of their buttons."""
_SEARCHED = 2_000
"""How many of the newest deliveries are searched for the last answer."""


class Pick(msgspec.Struct, frozen=True):
    """An expectation to pick: of the contract, or of a scenario's step."""

    id: str
    label: str
    expectation: Expectation | None


class ExpectationNotice(msgspec.Struct, frozen=True):
    """What was done to the expectation, and its earlier text where the change can be undone."""

    text: str = ""
    was: str | None = None


class ExpectationPanel(msgspec.Struct, frozen=True, kw_only=True):
    """The expected response in the view that was chosen."""

    cards: Cards | None
    rule_editor: RuleEditor | None
    picks: Sequence[tuple[str, Sequence[Pick]]]
    """Title and picks of each group."""
    vocabulary: Sequence[Word]
    unreadable: Sequence[str]
    """The scenario files that could not be searched for picks."""
    placeholder: str
    """A small expectation that shows how one is written."""


def take_inputs(send_form: SendForm, form: FormData) -> str:
    """Put the cards' inputs into the expectation's text; one line with those that could not be put there."""
    written = inputs.of(form, PREFIX)
    if send_form.expectation_view != "cards" or not written:
        return ""
    try:
        send_form.expectation, refused = expectation_cards.typed(send_form.expectation, written)
    except SourceError:
        # A text that is not JSON has no cards: these inputs are of an older text.
        return ""
    return inputs.untaken(refused)


def panel(context: AppContext, send_form: SendForm, form: FormData | None) -> ExpectationPanel:
    """The panel of what is typed."""
    cards = editor = None
    wanted = context.contracts.load(send_form.action, send_form.edition)
    if send_form.expectation_view == "cards":
        cards = expectation_cards.of(send_form.expectation, wanted)
        if send_form.rule_at and not cards.unusable:
            editor = rule_editor.of(jsontext.parse(send_form.expectation), wanted, send_form.rule_at)
            if editor is not None and form is not None:
                rule_editor.fill(editor, form)
    picks, unreadable = _picks(context, send_form)
    words = expectation_vocabulary(wanted)
    return ExpectationPanel(
        cards=cards,
        rule_editor=editor,
        picks=picks,
        vocabulary=words,
        unreadable=unreadable,
        placeholder=expectation_text(plainest_answer(wanted)),
    )


def press(
    context: AppContext, word: str, argument: str, send_form: SendForm, form: FormData
) -> ExpectationNotice | None:
    """Press a button of the expectation; None for a button of something else."""
    if word == "pick":
        return _pick(context, send_form, text(form, "pick"))
    if not word.startswith(PREFIX):
        return None
    word = word.removeprefix(PREFIX)
    before = send_form.expectation
    try:
        return _do(context, word, argument, send_form, form)
    except (SandboxError, PointerError) as error:
        send_form.expectation = before
        raise Refused("expectation", f"It was left as it is: {error}") from error


def _do(
    context: AppContext, word: str, argument: str, send_form: SendForm, form: FormData
) -> ExpectationNotice:
    wanted = context.contracts.load(send_form.action, send_form.edition)
    was = send_form.expectation
    if word == "view" and argument in EXPECTATION_VIEW.words:
        send_form.expectation_view = argument
    elif word == "last":
        return _last(context, send_form, argument)
    elif word == "no-events":
        return _no_events(send_form, wanted)
    elif word == "value":
        send_form.expectation = value_rules.make(context, argument, send_form, form)
        return ExpectationNotice("The rule is made, and the answer judged by it.", was)
    elif word == "undo":
        send_form.expectation = text(form, "expectation_was")
        return ExpectationNotice("The former is back.", was)
    elif word == "add":
        send_form.expectation = expectation_cards.add(was, wanted, argument)
    elif word == "begin":
        send_form.expectation = expectation_cards.begin(was, argument)
    elif word == "member":
        field = f"{PREFIX}new:{argument}"
        name = text(form, field).strip()
        if not name:
            raise Refused(field, "It needs a name.")
        send_form.expectation = expectation_cards.member(was, wanted, argument, name)
    elif word == "remove":
        send_form.expectation = expectation_cards.remove(was, argument)
        send_form.rule_at = ""
        return ExpectationNotice(
            f"{argument.rpartition('/')[2] if argument.count('/') > 1 else argument[1:]} is taken out.", was
        )
    elif word == "open":
        send_form.rule_at = argument
    elif word == "close":
        send_form.rule_at = ""
    elif word == "rule":
        return _rule(send_form, form, wanted)
    elif word == "unrule":
        send_form.expectation = expectation_cards.unrule(was, argument)
        send_form.rule_at = ""
        return ExpectationNotice(f"The rule for {argument} is taken off.", was)
    return ExpectationNotice()


def _rule(send_form: SendForm, form: FormData, wanted: Contract) -> ExpectationNotice:
    was = send_form.expectation
    editor = rule_editor.of(jsontext.parse(was), wanted, send_form.rule_at)
    if editor is None:
        raise Refused("expectation", "The value of that rule is not there any more.")
    rule_editor.fill(editor, form)
    rule = editor.proved()
    if editor.has_rule and editor.before != editor.path:
        send_form.expectation = expectation_cards.unrule(send_form.expectation, editor.before)
    send_form.expectation = expectation_cards.rule(send_form.expectation, editor.path, rule)
    send_form.rule_at = ""
    return ExpectationNotice(f"{editor.label}: {expectation_cards.says(rule)}.", was)


def _picks(context: AppContext, send_form: SendForm) -> tuple[list[tuple[str, list[Pick]]], list[str]]:
    """The picks in groups, and the scenario files that could not be read for them."""
    wanted = context.contracts.load(send_form.action, send_form.edition)
    example = Expectation(status=wanted.ok_statuses[0], body=wanted.examples.response)
    of_contract = [
        Pick("nothing", "Nothing expected", None),
        Pick("example", "The documented example", example),
    ]
    groups = [("Contract", of_contract)]
    scenarios = context.scenario_index.read()
    for plan in scenarios.plans:
        steps = [
            Pick(f"{plan.id}#{number}", step.name, step.expect)
            for number, step in enumerate(plan.scenario.steps)
            if isinstance(step.expect, Expectation)
            and plan.scenario.contract_of(step) == (send_form.action, send_form.edition)
        ]
        groups += [(plan.name, steps)] if steps else []
    return groups, [str(error) for error in scenarios.unreadable]


def _pick(context: AppContext, send_form: SendForm, id: str) -> ExpectationNotice:
    found = [pick for _, group in _picks(context, send_form)[0] for pick in group if pick.id == id]
    if not found:
        return ExpectationNotice()
    was = send_form.expectation
    send_form.expectation = expectation_text(found[0].expectation)
    send_form.rule_at = ""
    return ExpectationNotice(f"Picked: {found[0].label}.", was)


def _no_events(send_form: SendForm, wanted: Contract) -> ExpectationNotice:
    """Expect the array of events to be there, and empty."""
    if not wanted.events:
        raise Refused("expectation", f"An answer to {wanted.action} has no list of what happened.")
    was = send_form.expectation
    send_form.expectation = expectation_cards.answered(was, plainest_answer(wanted))
    return ExpectationNotice(f"No {item_noun(wanted.events)} is expected.", was)


def _last(context: AppContext, send_form: SendForm, id: str) -> ExpectationNotice:
    """Expect what was answered to a delivery; without its id, to the last one of the fixture.

    An answer that is chosen by its id is accepted, and must keep the contract for that.
    """
    entry = context.log.delivery(id) if id else _last_answer(context, send_form)
    if entry is None:
        raise Refused(
            "expectation", "No answer to this fixture from this receiver is in the log yet: send it first."
        )
    if id and entry.judgement is not None and (found := objections(entry.delivery, entry.judgement)):
        raise Refused("expectation", f"This answer cannot be accepted: {'; '.join(found)}.")
    answer = answers.expected_again(entry.delivery)
    if answer is None:
        raise Refused("expectation", f"What came to {entry.delivery.id} cannot be expected: see its page.")
    was = send_form.expectation
    rules = answers.proposed_rules(entry.delivery, answer, context.contracts, _rules(was))
    send_form.expectation = expectation_cards.answered(was, answers.with_rules(answer, rules))
    send_form.rule_at = ""
    paths = [each.path for each in rules if each.taken]
    made = f" Made a rule for what looks volatile: {', '.join(paths)}." if paths else ""
    return ExpectationNotice(f"From the answer to {entry.delivery.id}; rules and limits stay.{made}", was)


def _rules(text: str) -> Mapping[str, Rule]:
    """The rules of an expectation's text; none where it cannot be read."""
    try:
        return without_quantifiers(scenario.expectation(text).rules) if text.strip() else {}
    except SandboxError:
        return {}


def _last_answer(context: AppContext, send_form: SendForm) -> Entry | None:
    """The newest delivery of this fixture to this receiver with an answer or fault; else the parent."""
    for sent in islice(context.log.rows(), _SEARCHED):
        is_own = bool(send_form.parent) and send_form.parent in (sent.id, sent.parent)
        is_same = (sent.action, sent.edition, sent.receiver) == (
            send_form.action,
            send_form.edition,
            send_form.receiver,
        )
        is_like = sent.fixture.removesuffix(EDITED) == send_form.fixture.removesuffix(EDITED)
        if (is_own or (is_same and is_like)) and (sent.status is not None or sent.fault):
            return context.log.delivery(sent.id)
    return context.log.delivery(send_form.parent) if send_form.parent else None
