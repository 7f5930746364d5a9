"""From observations to findings: alike ones are one cause, and one delivery shows one cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

import msgspec

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import shortened
from retailops_sandbox.probe import phrases
from retailops_sandbox.probe.advice import advised
from retailops_sandbox.probe.grouping import FIXTURE, Case, Explanation, explained
from retailops_sandbox.probe.kinds import KINDS, Kind, kind_of
from retailops_sandbox.probe.probes import Probe
from retailops_sandbox.probe.report import Finding, Label, Observation, Smallest

_MOST_DELIVERIES = 100
_MOST_DETAILS = 2
"""The most different things seen that the evidence of a finding tells."""
_ORDER: dict[Label, int] = {"contract": 0, "documentation": 1, "advice": 2}

NO_PROBES: Mapping[str, Probe] = {}
NOTHING_TRIED: Collection[Case] = ()


class _Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Observations of one kind that have one cause."""

    kind: Kind
    observations: tuple[Observation, ...]
    explanation: Explanation | None = None
    mark: str = ""
    """What tells its key from those of other causes of its kind."""


def findings(
    observations: Sequence[Observation],
    contract: Contract,
    *,
    tried: Collection[Case] = NOTHING_TRIED,
    probes: Mapping[str, Probe] = NO_PROBES,
) -> tuple[Finding, ...]:
    """The causes behind observations, worst first.

    `tried` is all that was tried, `probes` those of the observations by their ids, for
    the words of the smallest request.
    """
    kept = sorted(_without_consequences(observations), key=lambda each: each.kind)
    found = [
        _finding(cause, contract, probes)
        for key, alike in groupby(kept, key=lambda each: each.kind)
        for cause in _causes(kind_of(key), list(alike), tried)
    ]
    return tuple(sorted(found, key=_badness))


def _badness(finding: Finding) -> tuple[int, bool, int, int, str]:
    known = list(KINDS)
    place = known.index(finding.kind) if finding.kind in KINDS else len(known)
    rank = 0 if finding.server else _ORDER[finding.label]
    is_valid = finding.server and FIXTURE in finding.whats
    return (rank, not is_valid, -finding.count, place, finding.key)


# --- consequences ----------------------------------------------------------------------------------------

CAUSES = {
    "accepts-missing-token": {"accepts-wrong-token"},
    "same-answer": {"accepts-anything"},
    "repeats": {"mixed-up", "same-answer", "foreign-association"},
    "races": {"repeats", "mixed-up"},
    "foreign-association": {"mixed-up"},
    "slow": {"serialised", "slows-down", "too-late"},
}
"""The kinds that are no cause of their own where one of the others was seen."""


def _without_consequences(observations: Sequence[Observation]) -> Iterator[Observation]:
    """The observations without those that only follow from others."""
    kinds = {each.kind for each in observations}
    down = {(each.probe, each.step) for each in observations if each.kind == "down"}
    crashes_anyway = any(each.kind == "crash" and each.valid for each in observations)
    for each in observations:
        if each.kind == "down":
            follows = crashes_anyway and each.print == "crash"
        else:
            follows = (each.probe, each.step) in down or bool(kinds & CAUSES.get(each.kind, set()))
        waits = each.area == "speed" and each.kind in ("hang", "too-late") and "serialised" in kinds
        is_late_anyway = each.kind == "hang" and each.valid and "too-late" in kinds
        if not (follows or waits or is_late_anyway):
            yield each


# --- causes ----------------------------------------------------------------------------------------------


def _causes(kind: Kind, alike: list[Observation], tried: Collection[Case]) -> Iterator[_Cause]:
    if kind.group_by == "print":
        alike.sort(key=lambda each: each.print)
        for print, group in groupby(alike, key=lambda each: each.print):
            yield _Cause(kind=kind, observations=tuple(group), mark=print)
    elif kind.group_by == "cells":
        for explanation in explained({_case(each): each.print for each in alike}, tried):
            chosen = tuple(each for each in alike if _case(each) in explanation.cases)
            yield _Cause(kind=kind, observations=chosen, explanation=explanation, mark=explanation.mark)
    else:
        yield _Cause(kind=kind, observations=tuple(alike))


def _case(each: Observation) -> Case:
    return Case(each.area, each.field, each.what)


# --- findings --------------------------------------------------------------------------------------------


def _finding(cause: _Cause, contract: Contract, probes: Mapping[str, Probe]) -> Finding:
    kind, seen = advised(cause.kind, cause.explanation, cause.observations), cause.observations
    smallest = min(seen, key=lambda each: _size(each, cause, probes))
    label = kind.label_of(valid=smallest.valid)
    noun = contract.subject.kind if contract.subject else "request"
    words = {
        "noun": noun,
        "proof": contract.auth.kind if contract.auth else "token",
        "where": phrases.where(cause.explanation, seen),
    }
    trials = dict.fromkeys((each.probe, each.step) for each in seen)
    deliveries = dict.fromkeys(each.delivery for each in (smallest, *seen) if each.delivery)
    return Finding(
        key=f"{kind.key} {cause.mark}".strip(),
        kind=kind.key,
        area=Counter(each.area for each in seen).most_common(1)[0][0],
        label=label,
        server=kind.server,
        title=phrases.filled(kind.title, words),
        evidence=_evidence(kind, len(trials), seen),
        why=phrases.filled(kind.why, words),
        mend=phrases.filled(kind.mend, words),
        source=kind.source or ("" if label == "advice" else contract.source),
        count=len(trials),
        smallest=Smallest(
            probe=smallest.probe,
            step=smallest.step,
            delivery=smallest.delivery,
            shown=_shown(smallest, probes),
        ),
        deliveries=tuple(deliveries)[:_MOST_DELIVERIES],
        fields=tuple(dict.fromkeys(each.field for each in seen if each.field)),
        whats=tuple(dict.fromkeys(each.what for each in seen)),
    )


def _evidence(kind: Kind, count: int, seen: Sequence[Observation]) -> str:
    """`27 requests, one cause: answered 500`."""
    details = Counter(each.detail for each in seen if each.detail)
    told = "; ".join(shortened(detail, 200) for detail, _ in details.most_common(_MOST_DETAILS))
    if kind.is_of_many and told:
        return told
    more = len(details) - _MOST_DETAILS
    counted = "1 request" if count == 1 else f"{count:,} requests, one cause"
    return f"{counted}: {told}{f'; and {more:,} more' if more > 0 else ''}" if told else counted


_Size: TypeAlias = tuple[bool, bool, bool, int, int, int, int, str]


def _size(each: Observation, cause: _Cause, probes: Mapping[str, Probe]) -> _Size:
    """How small a request is: what the title names, valid, of the simplest mutation, of the shortest value.

    Of a kind that has nothing to do with what was done to a request, a valid one as it is is the smallest.
    """
    kind, explanation = cause.kind, cause.explanation
    is_outside, is_other = False, bool(each.field) and each.area != "auth"
    if explanation is not None:
        is_outside = bool(explanation.whats) and each.what not in explanation.whats
        is_anything = explanation.is_everything or explanation.is_sporadic
        is_other = is_anything != (not each.field)
    shown = _shown(each, probes)
    rank = phrases.simplicity(each.what)
    is_broken = kind.server and not each.valid
    return (
        is_outside,
        is_other,
        is_broken,
        rank,
        len(shown),
        each.field.count("/"),
        len(each.probe),
        each.probe,
    )


def _shown(each: Observation, probes: Mapping[str, Probe]) -> str:
    probe = probes.get(each.probe)
    steps = probe.scenario.steps if probe is not None else ()
    step = next((step for step in steps if step.name == each.step), None)
    return phrases.shown(each.field, each.what, step)
