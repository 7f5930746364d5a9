"""Drafts of scenarios, made of deliveries, and the scenarios of reviewed drafts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET

from retailops_sandbox import jsontext, redaction
from retailops_sandbox.comparing import volatile
from retailops_sandbox.contracts import recognition
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.model import Delivery, Expectation, Json, Judgement, Mark, Rule, Scenario, Step
from retailops_sandbox.recording import steps
from retailops_sandbox.workspace.names import free_name

_MOST_PROPOSALS = 200
"""The most rules that are proposed for one draft: nobody reviews more."""
_SHOWN = 120
"""The most characters of a value that a proposal shows."""


class Recorded(NamedTuple):
    """A delivery with its latest judgement."""

    delivery: Delivery
    judgement: Judgement | None = None
    own: bool = True
    """Whether this workspace sent it or passed it on; nothing of others' records becomes a reference."""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A change that is proposed for a draft: a rule for a volatile value, or a reference for a secret."""

    id: str
    """Unique in a draft, and the same in each draft of the same deliveries."""
    kind: Literal["rule", "secret"]
    reason: str
    shown: str
    """The recorded value, cut where it is long."""
    becomes: str
    """The matcher or the reference that takes the value's place, as the scenario file spells it."""
    taken: bool
    """Whether the proposal is taken by default."""
    step: int = 0
    """Of a rule: the number of its step, from 0."""
    pointer: str = ""
    """Of a rule: its path."""
    rule: Rule = "ignore"
    secret: str = ""
    """Of a secret: its name in the log."""
    reference: str = ""
    """Of a secret: the reference to the environment, `${env:NAME}`."""


class ScenarioDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario as recorded, with the changes that are proposed for it."""

    scenario: Scenario
    proposals: tuple[Proposal, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reviewer should know, such as which deliveries are left out."""
    step_notes: tuple[tuple[str, ...], ...] = ()
    """The notes on each step, without the step's name; `notes` has them, too."""
    deliveries: tuple[str, ...] = ()
    """The id of each step's delivery."""

    @property
    def key(self) -> str:
        """The draft's first action and edition, spelled for a file's name."""
        more = "-and-more" if len(self.scenario.contracts) > 1 else ""
        return f"{self.scenario.action}-{self.scenario.edition}{more}"


# --- making drafts -----------------------------------------------------------------------------------------


def draft(
    recorded: Iterable[Recorded],
    fixture: steps.FixtureSource,
    contracts: Contracts,
    *,
    are_recognised: bool = False,
) -> ScenarioDraft:
    """The draft with a step for each delivery that a step can repeat, of whatever action, by time.

    `are_recognised` says that the deliveries are of their contracts whatever they look like.
    It has no steps where there is no such delivery. SandboxError where the contract of a delivery does
    not exist any more, or cannot be used.
    """
    records = sorted(recorded, key=lambda each: (each.delivery.sent_at, each.delivery.id))
    known = {name: contracts.load(*name) for name in dict.fromkeys(map(_contract_name, records))}
    # In a record of format 1, a text that came from elsewhere may look like a mark.
    is_own = all(each.own and each.delivery.struck_out is not None for each in records)
    notes = []
    kept: list[Delivery] = []
    taken: list[steps.RecordedStep] = []
    names: set[str] = set()
    for record in records:
        sent = record.delivery
        agreed = known[_contract_name(record)]
        if why := _unrepeatable(sent, agreed) or ("" if are_recognised else _unknown(sent, contracts)):
            notes.append(f"{sent.request.method} {sent.request.url} is left out: {why}")
            continue
        one = steps.recorded_step(sent, record.judgement, agreed, fixture, own=record.own)
        name = _unique(one.step.name, names)
        notes += [f"step {name!r}: {note}" for note in one.notes]
        if not is_own:
            notes += [f"step {name!r}: {at} was struck out: write it anew" for at in _lost(one.step)]
        taken.append(one._replace(step=msgspec.structs.replace(one.step, name=name)))
        kept.append(sent)
    scenario = _scenario(kept, [each.step for each in taken])
    rules = list(_rules(kept, taken, known, fixture))
    if len(rules) > _MOST_PROPOSALS:
        notes.append(f"{len(rules)} values look volatile; the first {_MOST_PROPOSALS} are proposed as rules")
    return ScenarioDraft(
        scenario=scenario,
        proposals=(*(_secrets(scenario) if is_own else ()), *rules[:_MOST_PROPOSALS]),
        notes=tuple(notes),
        step_notes=tuple(each.notes for each in taken),
        deliveries=tuple(each.id for each in kept),
    )


def _contract_name(record: Recorded) -> tuple[str, str]:
    return record.delivery.action, record.delivery.edition


def _scenario(sent: Sequence[Delivery], made: Sequence[Step]) -> Scenario:
    """The scenario of the steps that were made of some deliveries; its contract is that of the first."""
    if not sent:
        return Scenario(name="Recorded", tags=["recorded"], steps=[])
    action, edition = sent[0].action, sent[0].edition
    placed = [
        msgspec.structs.replace(
            step,
            action=each.action if each.action != action else None,
            edition=each.edition if each.edition != edition else None,
        )
        for each, step in zip(sent, made, strict=True)
    ]
    scenario = Scenario(tags=["recorded"], action=action, edition=edition, steps=placed)
    return msgspec.structs.replace(scenario, name=f"Recorded {contract_words(scenario.contracts)}")


def contract_words(contracts: Sequence[tuple[str, str]]) -> str:
    """The first of some actions and editions in words, and how many more there are."""
    (action, edition), *others = contracts
    return f"{action} {edition}" + (f" and {len(others)} more" if others else "")


def _unrepeatable(sent: Delivery, agreed: Contract) -> str:
    """Why no step can repeat a delivery; empty where one can."""
    if sent.wire is None and sent.request.method != agreed.method:
        return f"a step sends {agreed.method} only"
    is_broken_off = sent.wire is not None and sent.wire.break_off_after is not None
    return "it was hung up on purpose" if sent.dropped and not is_broken_off else ""


def _unknown(sent: Delivery, contracts: Contracts) -> str:
    """Why a delivery that passed through is of no contract; empty for one that is."""
    if sent.step:
        return ""  # It was sent from here, as what it is.
    body = steps.json_of(sent.request)
    payload = None if body is UNSET else body
    if recognition.is_foreign(sent.request.url, payload, contracts):
        return "no contract knows it, neither by its path nor by its payload"
    return ""


def _unique(name: str, names: set[str]) -> str:
    chosen = free_name(name, names.__contains__, separator=" ")
    names.add(chosen)
    return chosen


# --- proposals ---------------------------------------------------------------------------------------------


def _rules(
    sent: Sequence[Delivery],
    taken: Sequence[steps.RecordedStep],
    contracts: Mapping[tuple[str, str], Contract],
    fixture: steps.FixtureSource,
) -> Iterator[Proposal]:
    """A rule for each value of an answer that looks volatile."""
    repeats: dict[tuple[str, ...], list[int]] = {}
    for number, each in enumerate(sent):
        repeats.setdefault(_request_key(each), []).append(number)
    for number, (delivery, one) in enumerate(zip(sent, taken, strict=True)):
        expected = one.step.expect
        if one.answer is UNSET or not isinstance(expected, Expectation):
            continue
        others = [
            taken[other].answer
            for other in repeats[_request_key(delivery)]
            if other != number and taken[other].answer is not UNSET and _same_status(sent[other], delivery)
        ]
        known = _sent_again(one.step, delivery, fixture)
        arrays = contracts[delivery.action, delivery.edition].arrays
        found = volatile.find(one.answer, others, sent=known, arrays=arrays)
        for path, value in found.items():
            if path in expected.rules:
                continue
            yield Proposal(
                id=f"{delivery.id}{path}",
                kind="rule",
                reason=value.reason,
                shown=jsontext.excerpt(value.shown, _SHOWN),
                becomes=jsontext.compact(value.rule).decode(),
                taken=value.sure,
                step=number,
                pointer=path,
                rule=value.rule,
            )


def _request_key(sent: Delivery) -> tuple[str, ...]:
    return sent.receiver, sent.request.url, sent.composed or sent.request.body


def _same_status(one: Delivery, other: Delivery) -> bool:
    return (
        one.response is not None
        and other.response is not None
        and (one.response.status == other.response.status)
    )


def _sent_again(step: Step, sent: Delivery, fixture: steps.FixtureSource) -> set[Json]:
    """The strings and numbers that a step sends each time: an answer's copies of them are not volatile."""
    parts: list[Any] = [step.set]
    if step.payload is not UNSET:
        parts.append(step.payload)
    if step.fixture is not None:
        parts.append(fixture(sent.action, sent.edition, step.fixture))
    return set(volatile.leaves(parts))


def _secrets(scenario: Scenario) -> Iterator[Proposal]:
    """A reference to the environment for each secret that was struck out of the payloads."""
    places: dict[str, list[str]] = {}
    for step in scenario.steps:
        for where, part in (("payload", step.payload), ("set", step.set)):
            for mark in _marks(None if part is UNSET else part):
                places.setdefault(mark.name, []).append(f"{step.name!r} {where}")
    for name, found in places.items():
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        reference = f"${{env:{env_variable(name)}}}"
        yield Proposal(
            id=f"secret:{name}",
            kind="secret",
            reason=f"a secret, struck out of the log: {found[0]}{more}",
            shown=redaction.mark(name),
            becomes=jsontext.compact(reference).decode(),
            taken=True,
            secret=name,
            reference=reference,
        )


def _lost(step: Step) -> Iterator[str]:
    """The places of the payload that were struck out."""
    if step.payload is not UNSET:
        yield from redaction.literals.marked(step.payload)
    for path, value in step.set.items():
        yield from redaction.literals.marked(value, path)


def _marks(value: Json) -> Iterator[Mark]:
    return (each for each in volatile.leaves(value) if isinstance(each, Mark))


def env_variable(name: str) -> str:
    """The environment variable for a secret: the one that it came from, or one named like the secret."""
    words = re.sub(r"[^0-9A-Za-z]+", "_", name).strip("_").upper()
    if name.isidentifier() and name.isascii() and name == name.upper():
        return name
    return words if words and not words[0].isdigit() else f"SECRET_{words}".rstrip("_")


# --- a reviewed draft ---------------------------------------------------------------------------------------


def taken_by_default(draft: ScenarioDraft, *, exact: bool) -> list[Proposal]:
    """The proposals that are marked `taken`; where it is to be `exact`, without the rules."""
    return [each for each in draft.proposals if each.taken and not (exact and each.kind == "rule")]


def finished(
    draft: ScenarioDraft,
    taken: Collection[str] | None = None,
    *,
    exact: bool = False,
    name: str | None = None,
    tags: Sequence[str] | None = None,
    step_names: Mapping[int, str] | None = None,
    left_out: Collection[int] = (),
) -> Scenario:
    """The scenario of a draft. `taken` are ids of proposals; None takes those of `taken_by_default`.

    `step_names` and `left_out` go by the number of a step, from 0.
    """
    ids = {each.id for each in taken_by_default(draft, exact=exact)} if taken is None else taken
    wanted = [each for each in draft.proposals if each.id in ids]
    references = {each.secret: each.reference for each in wanted if each.kind == "secret"}
    made = []
    for number, step in enumerate(draft.scenario.steps):
        if number in left_out:
            continue
        rules = {each.pointer: each.rule for each in wanted if each.kind == "rule" and each.step == number}
        step = _ruled(_referring(step, references), rules)
        made.append(msgspec.structs.replace(step, name=(step_names or {}).get(number, step.name)))
    given = {"name": name, "tags": None if tags is None else list(tags)}
    over = {field: value for field, value in given.items() if value is not None}
    return msgspec.structs.replace(draft.scenario, steps=made, **over)


def _ruled(step: Step, rules: Mapping[str, Rule]) -> Step:
    if not rules or not isinstance(step.expect, Expectation):
        return step
    expected = msgspec.structs.replace(step.expect, rules={**step.expect.rules, **rules})
    return msgspec.structs.replace(step, expect=expected)


def _referring(step: Step, references: Mapping[str, str]) -> Step:
    """The step with references to the environment in the places of these secrets.

    Other marks become ordinary text.
    """
    over: dict[str, Any] = {"set": _referred(step.set, references)}
    if step.payload is not UNSET:
        over["payload"] = _referred(step.payload, references)
    return msgspec.structs.replace(step, **over)


def _referred(value: Json, references: Mapping[str, str]) -> Json:
    if isinstance(value, Mark):
        return references.get(value.name) or redaction.as_literal(value)
    if isinstance(value, dict):
        return {key: _referred(child, references) for key, child in value.items()}
    return [_referred(item, references) for item in value] if isinstance(value, list) else value
