"""Writing accepted answers into scenario files, without overwriting anybody's work.

What cannot be accepted at all, `objections` says. Limits are never accepted along with other differences: a
limit is a demand.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from retailops_sandbox import accepting, jsontext, redaction, resources
from retailops_sandbox.accepting import ACCEPT, KEEP, Decision, JudgedExpectation, ProposedRule
from retailops_sandbox.comparing import Judge
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.engine import ScenarioResult, StepResult, worst
from retailops_sandbox.errors import FileError, SourceError, UsageError, unwritable
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Delivery, Expectation, Json, Judgement
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.workspace.files import checked, read_text, write_file
from retailops_sandbox.workspace.workspace import Workspace

_NOT_IN_CI = ("", "0", "false")
_DEMANDS = ("latency", "fault")
"""The parts of an expectation that are not accepted along with others."""


def refuse_in_ci(environment: Mapping[str, str]) -> None:
    """UsageError where `CI` is set: a job that writes what it expects proves nothing."""
    if environment.get("CI", "").lower() not in _NOT_IN_CI:
        raise UsageError(
            "--accept is refused where CI is set: a job that writes what it expects proves nothing",
            mend="run it on your own machine, and commit the files",
        )


# --- Files --------------------------------------------------------------------------------------------


class FileChange(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario file before and after accepting."""

    source: Path
    """The file that was read."""
    target: Path
    """The file that is written: the source, or for a shipped one its copy in the workspace."""
    before: str
    after: str
    left: tuple[str, ...] = ()
    """The differences that were not accepted, each with the reason in one line."""
    rules: tuple[str, ...] = ()
    """The rules that were made for values that look volatile, each with its step in one line."""

    @property
    def is_copy(self) -> bool:
        return self.source != self.target


def target(workspace: Workspace, path: Path) -> Path:
    """The file that a change of a scenario file is written to: for a shipped one a copy in the workspace."""
    known = resources.fixtures_dir() / "scenarios"
    whole = Path(os.path.abspath(path))
    return workspace.root / "scenarios" / whole.relative_to(known) if whole.is_relative_to(known) else path


def check(change: FileChange) -> None:
    """FileError where the file was changed since it was read, or a copy would replace another file."""
    now = read_text(change.source) if checked(Path.exists, change.source) else None
    if now != change.before:
        raise FileError(
            "was changed on disk since it was read: it is left as it is now",
            file=str(change.source),
            mend="run it again, and accept what comes then",
        )
    if change.is_copy and checked(Path.exists, change.target):
        raise FileError(
            "is there already, and would hide the shipped scenario that was run",
            file=str(change.target),
            mend="run it, or delete it first",
        )


def undo(change: FileChange) -> None:
    """Take a written change back; FileError where the file was changed since, or cannot be written."""
    if not checked(Path.exists, change.target) or read_text(change.target) != change.after:
        raise FileError("was changed since: nothing was taken back", file=str(change.target))
    try:
        if change.is_copy:
            change.target.unlink()
        else:
            write_file(Path(os.path.realpath(change.target)), change.before)
    except OSError as error:
        raise unwritable(change.target, error) from error


def write(change: FileChange) -> None:
    """Write a changed file, atomically; FileError where `check` raises one, or it cannot be written."""
    check(change)
    try:
        change.target.parent.mkdir(parents=True, exist_ok=True)
        # A symbolic link stays one: the file that it leads to is written.
        write_file(Path(os.path.realpath(change.target)), change.after)
    except OSError as error:
        raise unwritable(change.target, error) from error


# --- One expectation ----------------------------------------------------------------------------------


class Judged(msgspec.Struct, frozen=True):
    """A delivery and its judgement."""

    delivery: Delivery
    judgement: Judgement

    @property
    def failed(self) -> bool:
        return self.judgement.verdict in ("failed", "errored")


class Outcome(msgspec.Struct, frozen=True):
    """A file's text after the decisions on one expectation, and how its deliveries are judged then."""

    text: str
    expectation: Expectation | None = None
    """The new expectation, by which deliveries can be judged again; None where nothing was accepted."""
    proposals: tuple[ProposedRule, ...] = ()
    """The rules that are proposed for accepted values that look volatile."""
    left: tuple[str, ...] = ()
    passes: bool = False
    """Whether each delivery of the expectation passes now."""
    disagree: bool = False
    """Whether the deliveries of the expectation were answered in different ways."""


def cases(plan: Plan, judged: Iterable[Judged]) -> dict[str, list[Judged]]:
    """The deliveries of each expectation of which one failed, by the expectation's pointer."""
    found: dict[str, list[Judged]] = {}
    for each in judged:
        if each.judgement.expectation is not None:
            found.setdefault(accepting.place(plan, each.delivery), []).append(each)
    return {place: group for place, group in found.items() if any(each.failed for each in group)}


def case(place: str, judged: Judged, contracts: Contracts, group: Sequence[Judged] = ()) -> JudgedExpectation:
    """A judged delivery with the pointer of its expectation, its contract's arrays, and its repeats."""
    delivery = judged.delivery
    return JudgedExpectation(
        place=place,
        delivery=delivery,
        judgement=judged.judgement,
        sets=contracts.load(delivery.action, delivery.edition).arrays,
        repeats=tuple(_repeats(delivery, group)),
        # The step is judged by what its fixture expects, and gets an expectation of its own.
        is_written_anew=place != "" and judged.judgement.expected_by != "",
    )


def _repeats(sent: Delivery, group: Sequence[Judged]) -> Iterator[Json]:
    """The answers of the same status to the other deliveries of a group."""
    for each in group:
        other = each.delivery
        if other.id == sent.id or other.response is None or sent.response is None:
            continue
        if other.fault is None and other.response.status == sent.response.status:
            try:
                yield redaction.listing.answered(other)
            except SourceError:
                continue  # it is not JSON


def accept_for_fixture(
    text: str | None,
    judged: Judged,
    contracts: Contracts,
    *,
    rules: Collection[str] | None = None,
    file: str,
) -> accepting.Accepted:
    """What a fixture expects, after the answer to a delivery of it was accepted.

    `text` is that of the fixture's expectation, None where it has none. `rules` are those of
    `accepting.accept`. Where the file expects something else than what judged, it is written anew.
    """
    expected = judged.judgement.expectation
    is_known = (
        text is not None
        and expected is not None
        and accepting.expects(scenario.expectation(text, file=file), expected)
    )
    one = msgspec.structs.replace(case("", judged, contracts), is_written_anew=not is_known, is_whole=True)
    demands = {accepting.key(each): KEEP for each in judged.judgement.differences if each.part == "latency"}
    made = accepting.accept(text or "{}", one, demands, ACCEPT, rules=rules, file=file)
    return made if text else msgspec.structs.replace(made, text=scenario.spread(made.text))


def decide(
    text: str,
    place: str,
    group: Sequence[Judged],
    decisions: Mapping[accepting.Key, Decision],
    otherwise: Decision,
    contracts: Contracts,
    *,
    rules: Collection[str] | None = None,
    file: str,
) -> Outcome:
    """The outcome of the decisions on the first delivery of a group that failed.

    `rules` are the paths of the proposed rules that are taken, as of `accepting.accept`.
    """
    first = next(each for each in group if each.failed)
    one = case(place, first, contracts, group)
    made = accepting.accept(text, one, decisions, otherwise, rules=rules, file=file)
    judge = Judge(contracts.load(first.delivery.action, first.delivery.edition))
    now = [
        judge(redaction.listing.answer(each.delivery), made.expectation, at=each.judgement.at)
        for each in group
    ]
    unlike = sum(_is_unlike(old, new) for old, new in zip(group, now, strict=True) if old is not first)
    step = f"step {first.delivery.step!r}"
    left = _left(step, first.delivery, now[group.index(first)])
    disagree = unlike > 0 and made.text != text
    if disagree:
        which = f"{unlike} of its {len(group)} deliveries {'was' if unlike == 1 else 'were'}"
        left += (f"{step}: {which} answered in another way: {_several(text, place)}",)
    passes = all(each.verdict not in ("failed", "errored") for each in now)
    return Outcome(made.text, made.expectation, made.proposals, left, passes, disagree)


def _several(text: str, place: str) -> str:
    """How the expectation at a place can be that of answers that differ."""
    step = place.removesuffix("/expect")
    if step and pointer.get(jsontext.parse(text), f"{step}/repeat_while", None) is not None:
        return "a rule can stand for what differs each time"
    return "expect can be a list, one for each delivery"


def _is_unlike(before: Judged, now: Judgement) -> bool:
    """Whether a delivery does not fulfil the expectation that another delivery's answer was accepted into."""
    if not before.failed:
        return now.verdict in ("failed", "errored")
    return any(each.part not in _DEMANDS for each in now.differences)


def _left(step: str, sent: Delivery, judgement: Judgement) -> tuple[str, ...]:
    """Why a delivery still fails, one line for each reason."""
    found = [f"{step}: {each}" for each in accepting.objections(sent, judgement)]
    if any(each.part == "latency" for each in judgement.differences):
        found.append(f"{step}: it took longer than max_ms, which is a demand and not an answer")
    if any(each.part == "fault" for each in judgement.differences):
        found.append(f"{step}: the fault that is expected did not happen, and is not given up by the way")
    return tuple(found)


# --- A run --------------------------------------------------------------------------------------------


class AcceptedScenario(msgspec.Struct, frozen=True):
    """A scenario that failed, after `run --accept`."""

    result: ScenarioResult
    """Its result as it would be judged now."""
    change: FileChange


def accept_all(
    workspace: Workspace, result: ScenarioResult, judged: Sequence[Judged], *, exact: bool = False
) -> AcceptedScenario:
    """Accept the differences of a scenario that failed, all but limits, faults and violations.

    Values that look volatile get rules, unless it is to be `exact`.
    """
    plan = result.plan
    text = plan.text
    left: list[str] = []
    made: list[str] = []
    passing: set[str] = set()
    failing: set[str] = set()
    for place, group in cases(plan, judged).items():
        step = group[0].delivery.step
        done = _all_of(text, place, group, workspace.contracts, plan.file, exact=exact)
        left += done.left
        made += (f"step {step!r}: {each.says}" for each in done.proposals if each.taken and not exact)
        text = done.text
        (passing if done.passes else failing).add(step)
    for each in judged:
        if each.failed and (objections := accepting.objections(each.delivery, each.judgement)):
            failing.add(each.delivery.step)
            left += (f"step {each.delivery.step!r}: {objection}" for objection in objections)
    steps = tuple(_after(step, passing - failing) for step in result.steps)
    path = Path(plan.file)
    change = FileChange(
        source=path,
        target=target(workspace, path),
        before=plan.text,
        after=text,
        left=tuple(dict.fromkeys(left)),
        rules=tuple(made),
    )
    now = msgspec.structs.replace(result, steps=steps, verdict=worst([step.verdict for step in steps]))
    return AcceptedScenario(now, change)


def _all_of(
    text: str, place: str, group: Sequence[Judged], contracts: Contracts, file: str, *, exact: bool
) -> Outcome:
    """The text with all differences of one expectation accepted.

    It is unchanged where the answers disagree, and where the first that failed cannot be accepted.
    """
    first = next(each for each in group if each.failed)
    if accepting.objections(first.delivery, first.judgement):
        return Outcome(text)
    decisions = {
        accepting.key(each): KEEP if each.part in _DEMANDS else ACCEPT for each in first.judgement.differences
    }
    try:
        rules = () if exact else None
        done = decide(text, place, group, decisions, ACCEPT, contracts, rules=rules, file=file)
    except accepting.ExpectationChanged as error:
        return Outcome(text, left=(str(error),))
    return Outcome(text, left=done.left) if done.disagree else done


def _after(step: StepResult, passing: set[str]) -> StepResult:
    """A step's result after accepting: passed where its deliveries pass now and nothing else failed."""
    own = {each.reason for each in step.judgements}
    if step.name not in passing or step.verdict not in ("failed", "errored") or step.reason not in own:
        return step
    return msgspec.structs.replace(step, verdict="passed", reason="")
