"""A probe and its findings in words, the same in every face."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.foreign_text import place
from retailops_sandbox.model import Receiver, Verdict
from retailops_sandbox.probe.kinds import kind_of
from retailops_sandbox.probe.probes import SENT_AREAS, Area
from retailops_sandbox.probe.probing import ProbeOutline
from retailops_sandbox.probe.report import AreaScore, Finding, Label, Observation, Outcome, ProbeReport
from retailops_sandbox.reporting.render.lines import GLYPHS, NO_PROOF

AREA_NAMES: dict[Area, str] = {
    "contract": "Contract",
    "repetition": "Repetition",
    "transport": "Transport",
    "auth": "Auth",
    "speed": "Speed",
    "answers": "Answers",
}
OUTCOMES: tuple[Outcome, ...] = ("held", "did not", "to see")
OUTCOME_VERDICTS: dict[Outcome, Verdict] = {"held": "passed", "did not": "failed", "to see": "recorded"}
"""The verdict that has an outcome's glyph and colour."""
OUTCOME_GLYPHS: dict[Outcome, str] = {each: GLYPHS[OUTCOME_VERDICTS[each]] for each in OUTCOMES}
LABEL_WORDS: dict[Label, str] = {
    "contract": "the contract demands it",
    "documentation": "a published source beside the contract says so",
    "advice": "our advice, and no rule of RetailOPS",
}
_ONLY_ANSWERS = (
    "Side effects are judged by the answers alone: what a receiver did without telling cannot be seen."
)
NOT_COMPARED = "There is no earlier probe of this receiver to compare with."

_TO_SEE = "fit by the contract"
"""The verdict where only a published source or our advice objects."""
_DOUBTED = "not enough seen"
"""The verdict where nothing was found, and too little was tried or told for that to mean anything."""


class ProbeVerdict(NamedTuple):
    """What a probe comes to, in a word and a sentence."""

    word: str
    """Such as `not yet fit`."""
    verdict: Verdict
    """The verdict that has its glyph and colour."""
    sentence: str
    """Why, without a full stop."""

    @property
    def glyph(self) -> str:
        return GLYPHS[self.verdict]


def verdict(report: ProbeReport) -> ProbeVerdict:
    """The verdict of a probe. It is fit only where all that was to be tried was tried."""
    breaking = [each for each in report.findings if outcome(each) == "did not"]
    to_see = len(report.findings) - len(breaking)
    if breaking:
        return ProbeVerdict("not yet fit", "failed", _breaks(report, breaking))
    if report.baseline:
        return ProbeVerdict("not judged", "errored", report.baseline)
    if report.stopped:
        return ProbeVerdict("not finished", "errored", f"{report.stopped}; nothing broke the contract so far")
    sentence = "; ".join([*report.doubts, "nothing broke the contract"])
    if to_see:
        sentence += f"; {counted(to_see, 'cause')} to see"
    if left := sum(report.left_out.values()):
        sentence += f"; {left:,} left out"
    wanted = [AREA_NAMES[each] for each in report.areas_wanted if each in SENT_AREAS]
    if wanted and len(wanted) < len(SENT_AREAS):
        sentence += f"; only {enumerated(wanted)} tried"
    if report.doubts:
        return ProbeVerdict(_DOUBTED, "errored", sentence)
    return (
        ProbeVerdict("fit", "passed", sentence) if not to_see else ProbeVerdict(_TO_SEE, "recorded", sentence)
    )


def outline(planned: ProbeOutline, contract: Contract, receiver: Receiver) -> list[str]:
    """What a probe will send, in lines: where, how many requests of which kinds, which order ids."""
    where = f"the stand-in {NO_PROOF}" if receiver.stand_in else planned.url
    lines = [f"probes {where} with {contract.action} {contract.edition}"]
    counts = ((AREA_NAMES[area], planned.areas.get(area, 0)) for area in SENT_AREAS)
    areas = [f"{count:,} {name}" for name, count in counts if count]
    requests = counted(planned.requests, "request")
    lines.append(f"sends about {requests} within {planned.max_seconds:g} s: {', '.join(areas)}")
    if planned.scenarios:
        lines.append(f"sends {counted(planned.scenarios, 'scenario')} before")
    lines.append(f"orders {planned.orders}, seed {planned.seed}")
    if left := _left_out(planned.left_out):
        lines.append(left)
    return lines


def _breaks(report: ProbeReport, breaking: Sequence[Finding]) -> str:
    """`1 cause breaks the contract, 2 do harm; mending ... turns 27 of 34 requests green`."""
    most = max(breaking, key=lambda each: each.count)
    spoiled = {
        (each.probe, each.step) for each in report.observations if kind_of(each.kind).outcome == "did not"
    }
    total = max(most.count, len(spoiled))
    of_contract = sum(each.label == "contract" for each in breaking)
    of_server = sum(each.server and each.label != "contract" for each in breaking)
    said = [
        f"{counted(count, 'cause')} {one if count == 1 else several}"
        for count, one, several in (
            (of_contract, "breaks the contract", "break the contract"),
            (of_server, "makes the server fail", "make the server fail"),
            (len(breaking) - of_contract - of_server, "does harm", "do harm"),
        )
        if count
    ]
    which = "it" if len(breaking) == 1 else f'"{most.title}"'
    green = counted(most.count, "request") if total == most.count else f"{most.count:,} of {total:,} requests"
    return f"{', '.join(said)}; mending {which} turns {green} green"


def outcome(finding: Finding) -> Outcome:
    """How the requests of a finding came out: it breaks the contract or does harm, or it is to see."""
    breaks = finding.label == "contract" or finding.server
    return "did not" if breaks else kind_of(finding.kind).outcome


def counts(score: AreaScore) -> list[tuple[Outcome, int]]:
    """The counts of an area by outcome, without those that are none; what held is always there."""
    of: dict[Outcome, int] = {"held": score.held, "did not": score.did_not, "to see": score.to_see}
    return [(each, count) for each, count in of.items() if count or each == "held"]


def counts_line(score: AreaScore) -> str:
    """`96 held, 3 did not, 5 to see`."""
    return ", ".join(f"{count:,} {word}" for word, count in counts(score))


def worst_first(areas: Sequence[AreaScore]) -> list[AreaScore]:
    """The areas with what did not hold first."""
    return sorted(areas, key=lambda each: (-each.did_not, -each.to_see))


def tried(report: ProbeReport) -> str:
    """`211 requests in 6.2 s`, and what changed since the probe that it is compared with."""
    words = [f"{counted(report.requests, 'request')} in {report.seconds:.1f} s", *changes(report)]
    return " · ".join(words)


def changes(report: ProbeReport) -> list[str]:
    """`2 new, 1 gone, 3 not tried before`, where the probe is compared with another; else nothing."""
    if not report.compared_with:
        return []
    states = Counter(each.state for each in report.findings)
    words = [
        f"{count:,} {word}"
        for count, word in (
            (states["new"], "new"),
            (len(report.gone), "gone"),
            (states["still there"], "still there"),
            (states["not tried before"], "not tried before"),
        )
        if count
    ]
    return [", ".join(words) or "nothing changed"]


def notes(report: ProbeReport) -> list[str]:
    """What the probe could not see, and why, if it could see anything."""
    return [*report.notes] if report.baseline else [*report.notes, _ONLY_ANSWERS]


def left_out(report: ProbeReport) -> str:
    """`left out: 120 of Contract, 4 of Speed`; empty where nothing was."""
    return _left_out(report.left_out)


def _left_out(areas: Mapping[Area, int]) -> str:
    words = [f"{areas[area]:,} of {name}" for area, name in AREA_NAMES.items() if areas.get(area)]
    return f"left out: {', '.join(words)}" if words else ""


def label(finding: Finding) -> str:
    """What a finding rests on, such as `contract` or `advice, server`."""
    return f"{finding.label}, server" if finding.server and finding.label != "contract" else finding.label


def details(finding: Finding) -> list[tuple[str, str]]:
    """What a finding says beneath its title, each with its heading: what was seen, why it matters."""
    smallest = finding.smallest
    shown = f"{smallest.shown} (delivery {smallest.delivery})" if smallest.delivery else smallest.shown
    said = (
        ("seen", finding.evidence),
        ("smallest", shown),
        ("why", finding.why),
        ("mend", finding.mend),
        ("source", own_source(finding)),
    )
    return [(heading, text) for heading, text in said if text]


def own_source(finding: Finding) -> str:
    """Where the demand of a finding comes from; empty for the contract's, which is the same for all."""
    return "" if finding.label == "contract" else finding.source


def contract_source(report: ProbeReport) -> str:
    """Where the contract comes from; empty where no finding rests on it."""
    return next((each.source for each in report.findings if each.label == "contract"), "")


def is_shown_by(finding: Finding, observation: Observation) -> bool:
    """Whether an observation is one of those that a finding is the cause of."""
    if finding.kind != observation.kind:
        return False
    if observation.delivery and observation.delivery in finding.deliveries:
        return True
    is_of_field = not finding.fields or observation.field in finding.fields
    return is_of_field and observation.what in finding.whats


def heading(what: str) -> str:
    """What was tried, as the heading of a column: `null`, `unknown member`."""
    return what.replace("-", " ")


def field_name(pointer: str) -> str:
    """A field's pointer as it is shown; the empty one is the request as a whole."""
    return place(pointer) or "the request"


def counted(count: int, noun: str) -> str:
    """`1 cause`, `27 requests`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def enumerated(names: Sequence[str]) -> str:
    """`Contract, Auth and Speed`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
