"""The text of a file with expectations, after the decisions on one of its judged deliveries."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Any

import msgspec
from msgspec import UNSET

from retailops_sandbox import comparing, composing, jsontext, redaction
from retailops_sandbox.accepting import bodies, proposing
from retailops_sandbox.accepting.deciding import ACCEPT, KEEP, Decision, Key, key
from retailops_sandbox.accepting.proposing import ProposedRule
from retailops_sandbox.comparing import statuses
from retailops_sandbox.comparing.node import known_differences
from retailops_sandbox.comparing.rules import compile_rules
from retailops_sandbox.comparing.values import same
from retailops_sandbox.errors import SandboxError, SourceError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Delivery, Difference, Expectation, Json, Judgement, Mark
from retailops_sandbox.recording.steps import sent_again
from retailops_sandbox.scenarios import scenario

_MOST_ROUNDS = 4


class ExpectationChanged(SandboxError):
    """The error of a file that no longer expects what a delivery was judged by."""


class JudgedExpectation(msgspec.Struct, frozen=True, kw_only=True):
    """A judged delivery, and the pointer (`place`) of its expectation in the file.

    The place is empty in the file of a fixture's own expectation, which holds nothing else.
    """

    place: str
    delivery: Delivery
    judgement: Judgement
    sets: Mapping[str, tuple[str, ...]]
    """The contract's set-like arrays."""
    repeats: tuple[Json, ...] = ()
    """The answers of the same status to the other deliveries of the expectation."""
    is_written_anew: bool = False
    """Whether the expectation that judged is written in the place of what the file expects, if anything."""
    is_whole: bool = False
    """Whether a body is expected from now on where the expectation has none."""


class Accepted(msgspec.Struct, frozen=True):
    """A file's text and an expectation, after the decisions."""

    text: str
    """The file's text, changed no more than necessary."""
    expectation: Expectation
    """The new expectation, filled as that of the judgement, by which deliveries can be judged again."""
    proposals: tuple[ProposedRule, ...] = ()
    """The rules that are proposed for the accepted values, taken or not."""


def place(plan: scenario.Plan, delivery: Delivery) -> str:
    """The pointer of a delivery's expectation in its scenario; ExpectationChanged where there is none."""
    for number, step in enumerate(plan.scenario.steps):
        if step.name != delivery.step:
            continue
        if not isinstance(step.expect, list):
            return f"/steps/{number}/expect"
        position = delivery.number - (1 if step.deliver.drop_after_ms is None else 2)
        if 0 <= position < len(step.expect):
            return f"/steps/{number}/expect/{position}"
    raise _changed(plan.file, f"step {delivery.step!r}")


def accept(
    text: str,
    case: JudgedExpectation,
    decisions: Mapping[Key, Decision],
    otherwise: Decision = KEEP,
    *,
    rules: Collection[str] | None = None,
    file: str = "",
) -> Accepted:
    """The file's text after the decisions; `otherwise` is the decision on all other differences.

    `rules` are the paths of the proposed rules that are taken; None takes those that are by default.
    Raises ExpectationChanged where the file no longer expects what the delivery was judged by, and
    SourceError where the text cannot be read.
    """
    document = deepcopy(jsontext.parse(text, file=file))
    case = msgspec.structs.replace(case, judgement=redaction.listing.judged(case.judgement))
    judged = case.judgement.expectation
    if case.is_written_anew:
        if case.place and pointer.get(document, case.place, UNSET) is not UNSET:
            raise _changed(file, case.place)
        judged = judged or Expectation()
        written: Any = scenario.expectation_document(redaction.expected_again(judged))
    else:
        try:
            written = pointer.resolve(document, case.place)
        except pointer.PointerError as error:
            raise _changed(file, case.place) from error
        if judged is None or not expects(jsontext.convert(written, Expectation, text, file=file), judged):
            raise _changed(file, case.place)
    change = _Change(written, judged, rules)
    for difference in case.judgement.differences:
        decision = decisions.get(key(difference), otherwise)
        if decision.word != "keep" and difference.part != "body":
            _part(change, difference, decision, case)
    response = case.delivery.response
    if response is None or case.delivery.fault is not None:
        pass
    elif judged.body is not UNSET:
        _body(change, case, decisions, otherwise)
    elif case.is_whole:
        _whole_answer(change, case)
    text = _with_renamed_rules(text, case.place, change.renamed)
    new = jsontext.rewrite(text, pointer.set_at(document, case.place, change.written))
    if case.place:
        scenario.read(new, id="", file=file)
    else:
        scenario.expectation(new, file=file)
    return Accepted(new, change.judged, tuple(change.proposals))


def _changed(file: str, what: str) -> ExpectationChanged:
    return ExpectationChanged(
        f"{what} does not expect what this delivery was judged by: the file was changed since",
        mend="run it again, and accept what comes then",
        file=file,
    )


class _Change:
    """An expectation in two forms that get the same changes: the file's, and that of the judgement."""

    def __init__(self, written: dict[str, Json], judged: Expectation, wanted: Collection[str] | None) -> None:
        self.written = written
        self.judged = judged
        self.proposals: list[ProposedRule] = []
        self._wanted = wanted
        self.renamed: dict[str, str] = {}
        """The new paths of the rules that stay, by their old paths; empty where no rule changed."""

    def put(self, field: str, written: Any, judged: Any) -> None:
        self.written[field] = written
        self._judge_by(field, judged)

    def take(self, field: str) -> None:
        self.written.pop(field, None)
        self._judge_by(field, getattr(Expectation(), field))

    def put_or_take(self, field: str, written: dict[str, Any], judged: dict[str, Any]) -> None:
        """Set a field, or remove it where the new value is empty."""
        if written:
            self.put(field, written, judged)
        else:
            self.take(field)

    def with_proposals(self, found: bodies.Decided, answer: Json, case: JudgedExpectation) -> bodies.Decided:
        """The decided body with the proposed rules for its accepted values that are taken."""
        self.proposals = proposing.proposed(
            found, answer, case.repeats, sent=sent_again(case.delivery), arrays=case.sets
        )
        taken = [
            each
            for each in self.proposals
            if (each.taken if self._wanted is None else each.path in self._wanted)
        ]
        return proposing.with_rules(found, taken)

    def _judge_by(self, field: str, value: Any) -> None:
        self.judged = msgspec.structs.replace(self.judged, **{field: value})


# --- Parts other than the body ------------------------------------------------------------------------


def _part(change: _Change, difference: Difference, decision: Decision, case: JudgedExpectation) -> None:
    delivery = case.delivery
    if difference.part == "headers":
        _header(change, difference, decision)
    elif difference.part == "status":
        change.put("status", difference.actual, difference.actual)
    elif difference.part == "latency":
        limit = rounded_up(float(difference.actual))
        change.put("max_ms", limit, float(limit))
    elif delivery.fault is None and delivery.response is not None:
        _whole_answer(change, case)


def rounded_up(milliseconds: float) -> int:
    """The number, rounded up to two significant digits, as a limit in milliseconds."""
    unit: int = 10 ** max(0, len(str(int(milliseconds))) - 2)
    return math.ceil(milliseconds / unit) * unit


def _header(change: _Change, difference: Difference, decision: Decision) -> None:
    name = pointer.parse(difference.expected_pointer or "/")[0]
    written: Any = change.written.get("headers", {})
    judged: Any = dict(change.judged.headers)
    if decision.word == "rule":
        written[name], judged[name] = composing.escaped(decision.rule), decision.rule
    elif difference.actual is UNSET:
        written.pop(name, None)
        judged.pop(name, None)
    else:
        judged[name] = redaction.literals.expected_header(difference.actual)
        written[name] = composing.escaped(judged[name])
    change.put_or_take("headers", written, judged)


def _whole_answer(change: _Change, case: JudgedExpectation) -> None:
    """Expect an answer's status and body, in the place of a fault if one was expected."""
    delivery = case.delivery
    assert delivery.response is not None
    change.take("fault")
    status = delivery.response.status
    if not statuses.accepts(change.judged.status, status):
        change.put("status", status, status)
    actual = _read(delivery)
    if actual is not UNSET:
        written_rules: Any = change.written.get("rules", {})
        found = bodies.decide(
            None,
            None,
            actual,
            rules=change.judged.rules,
            template_rules=written_rules,
            sets={},
            decisions={},
            otherwise=ACCEPT,
        )
        found = change.with_proposals(found, actual, case)
        change.put("body", found.template, found.body)
        change.put_or_take("rules", found.template_rules, found.rules)


# --- The body -----------------------------------------------------------------------------------------


def _body(
    change: _Change,
    case: JudgedExpectation,
    decisions: Mapping[Key, Decision],
    otherwise: Decision,
) -> None:
    actual = _read(case.delivery)
    if actual is UNSET:
        return  # no expected body can be what is not JSON
    written_rules: Any = change.written.get("rules", {})
    found = bodies.decide(
        change.judged.body,
        change.written["body"],
        actual,
        rules=change.judged.rules,
        template_rules=written_rules,
        sets=case.sets,
        decisions=decisions,
        otherwise=otherwise,
        known=known_differences(case.judgement.differences),
    )
    differences = [each for each in case.judgement.differences if each.part == "body"]
    if all(decisions.get(key(each), otherwise).word != "keep" for each in differences):
        found = _until_it_passes(found, actual, case.sets)
    found = change.with_proposals(found, actual, case)
    change.put("body", found.template, found.body)
    if found.template_rules != written_rules:
        change.renamed = found.renamed
        change.put_or_take("rules", found.template_rules, found.rules)


def _until_it_passes(
    found: bodies.Decided, actual: Json, sets: Mapping[str, tuple[str, ...]]
) -> bodies.Decided:
    """The decided body and rules, after accepting the further differences that the decisions caused.

    Where an item was added or removed, a rule by position may reach another item. Where each round
    causes new differences, the answer is accepted as a whole.
    """
    for left in reversed(range(_MOST_ROUNDS)):
        if not comparing.compare(found.body, actual, compile_rules(found.rules), sets).differences:
            break
        whole = left == 0
        more = bodies.decide(
            None if whole else found.body,
            None if whole else found.template,
            actual,
            rules=found.rules,
            template_rules=found.template_rules,
            sets=sets,
            decisions={},
            otherwise=ACCEPT,
        )
        renamed = {old: more.renamed[new] for old, new in found.renamed.items() if new in more.renamed}
        found = msgspec.structs.replace(
            more,
            renamed=renamed,
            accepted={**found.accepted, **more.accepted},
            gave_way=(found.gave_way | more.gave_way) & more.rules.keys(),
        )
    return found


def _with_renamed_rules(text: str, place: str, renamed: Mapping[str, str]) -> str:
    """The text with the rules under their new paths, in their order; rules without a new path are removed."""
    if all(old == new for old, new in renamed.items()):
        return text
    at = f"{place}/rules"
    rules: Any = pointer.resolve(jsontext.parse(text), at)
    text = jsontext.replace(text, at, {path: rule for path, rule in rules.items() if path in renamed})
    return jsontext.rename(text, at, renamed)


def _read(sent: Delivery) -> Any:
    """The JSON value of an answer, with marks; UNSET where its body is not JSON."""
    try:
        return redaction.listing.answered(sent)
    except SourceError:
        return UNSET


def expects(written: Expectation, judged: Expectation) -> bool:
    """Whether a file's expectation, filled and redacted, may be the one of a judgement."""
    plain = ("status", "max_ms", "contract", "fault")
    parts: list[tuple[Any, Any]] = [
        (written.body, judged.body),
        (written.rules, judged.rules),
        (written.headers, judged.headers),
    ]
    return all(getattr(written, each) == getattr(judged, each) for each in plain) and all(
        _may_be(*both) for both in parts
    )


def _may_be(written: Any, judged: Any) -> bool:
    if written is UNSET or judged is UNSET:
        return written is judged
    if isinstance(judged, Mark) or (isinstance(written, str) and "${" in written):
        return True
    if isinstance(written, dict) and isinstance(judged, dict):
        return written.keys() == judged.keys() and all(
            _may_be(written[name], judged[name]) for name in judged
        )
    if isinstance(written, list) and isinstance(judged, list):
        return len(written) == len(judged) and all(map(_may_be, written, judged))
    return same(written, judged)
