"""Verdicts, differences and violations in words: one visible line each, the same in every report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import UnsetType

from retailops_sandbox import foreign_text, jsontext
from retailops_sandbox.comparing import NOT_JSON, coverage
from retailops_sandbox.comparing.matchers import QUANTIFIERS
from retailops_sandbox.engine import ScenarioResult, StepResult
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.foreign_text import WHOLE, quoted
from retailops_sandbox.foreign_text import in_line as in_line
from retailops_sandbox.foreign_text import visible as visible
from retailops_sandbox.model import (
    Delivery,
    Difference,
    Json,
    Judgement,
    Receiver,
    Redirect,
    Response,
    Result,
    ResultStep,
    SourceCheck,
    Step,
    Verdict,
    Violation,
)

if TYPE_CHECKING:
    from retailops_sandbox.scenarios.trend import Trend

VERDICT_ORDER: tuple[Verdict, ...] = ("failed", "errored", "skipped", "recorded", "passed")
"""The order of counts and results in reports: failures first."""
GLYPHS: dict[Verdict, str] = {"passed": "✓", "failed": "✗", "errored": "!", "recorded": "○", "skipped": "-"}

NO_PROOF = "(it proves nothing about a real receiver)"
"""The note beside the stand-in's name in every report."""


def place(found: Difference) -> str:
    """The place of a difference: a pointer into the body, `header X-Shop`, or the part of the answer."""
    path = found.expected_pointer if found.expected_pointer is not None else found.actual_pointer
    if found.part == "headers":
        return f"header {foreign_text.place((path or '')[1:])}"
    return foreign_text.place(path or WHOLE) if found.part == "body" else found.part


def difference(found: Difference, *, width: int = 400) -> str:
    """`/events/0/code: expected "A", got "B" (changed)`, with the rule and the hint where there are any."""
    if _is_of_items(found):
        # The hint says which item spoils the array, and what the rule asks for.
        return visible(f"{place(found)}: {found.hint}")
    words = f"{place(found)}: {_sides(found, width)} ({found.kind})"
    if found.rule is not None:
        path = f"{foreign_text.place(found.rule_path)} " if found.part == "body" else ""
        words += f"; rule {path}{value(found.rule, width)}"
    return visible(f"{words}; {found.hint}" if found.hint and found.hint != NOT_JSON else words)


def _sides(found: Difference, width: int) -> str:
    if found.part == "latency":
        return f"expected at most {value(found.expected, width)} ms, got {value(found.actual, width)} ms"
    if found.kind == "missing":
        expected = (
            "" if isinstance(found.expected, UnsetType) else f"expected {value(found.expected, width)}, "
        )
        return f"{expected}got nothing"
    if found.kind == "unexpected":
        return f"expected nothing, got {value(found.actual, width)}"
    if found.kind == "moved":
        at = (foreign_text.place(each or "") for each in (found.expected_pointer, found.actual_pointer))
        return f"expected at {next(at)}, found at {next(at)}"
    if found.hint == NOT_JSON:
        return f"expected {value(found.expected, width)}, got what is no JSON"
    if found.rule is not None:
        return f"got {value(found.actual, width)}, which the rule does not accept"
    return f"expected {value(found.expected, width)}, got {value(found.actual, width)}"


def violation(found: Violation) -> str:
    """`/events: is missing (required)`; of a status or an answer as a whole, the message alone."""
    if found.part in ("status", "answer"):
        return visible(found.message)
    where = f"header {found.pointer[1:]}" if found.part == "headers" else found.pointer or WHOLE
    return visible(f"{foreign_text.place(where)}: {found.message} ({found.keyword})")


def value(found: Json | UnsetType, width: int) -> str:
    """A value as compact JSON, without its middle where it is longer than `width`."""
    if isinstance(found, UnsetType):
        return "nothing"
    text = jsontext.compact(found).decode()
    return text if len(text) <= width else f"{text[: width // 2]} … {text[-width // 3 :]}"


def judgement(
    found: Judgement, *, width: int = 400, most: int | None = None, beside: bool = False
) -> list[str]:
    """The lines of violations and differences under their headings, at most `most` under each.

    A status that breaks the contract comes first, and without a heading. `beside` leaves out the differences
    of the body, which are shown beside each other instead.
    """
    status = [each for each in found.violations if each.part == "status"]
    others = [each for each in found.violations if each.part != "status"]
    lines = [line for each in status for line in _with_hints(each)]
    for heading, violations in (
        ("the payload breaks the contract:", found.payload_violations),
        ("the response breaks the contract:", others),
    ):
        if violations:
            lines.append(heading)
            lines += [f"  {line}" for each in violations[:most] for line in _with_hints(each)]
            lines += _more(violations, most)
    for source in found.sources:
        if len(source.violations) > 1:  # else the remark beside the verdict has it
            lines.append(f"it breaks the {in_line(source.source)}:")
            lines += [f"  {violation(each)}" for each in source.violations[:most]]
    if found.differences:
        lines += [f"differs from what was {expected_by(found) or 'expected'}:"]
        listed = [each for each in found.differences if not beside or each.part != "body"]
        lines += [f"  {difference(each, width=width)}" for each in listed[:most]]
        lines += _more(listed, most)
    lines += [visible(f"note: {note}") for note in found.notes]
    return lines


def expected_by(found: Judgement) -> str:
    """`expected by FILE`, where a fixture's own expectation judged; else empty."""
    return visible(f"expected by {found.expected_by}") if found.expected_by else ""


def not_compared(unchecked: Sequence[str], verdict: Verdict) -> str:
    """`events were not compared`, beside a verdict that may be taken for more than it says; else empty."""
    if not unchecked or verdict not in ("passed", "recorded"):
        return ""
    parts = [part for part in unchecked if part != coverage.CONTRACT]
    said = ["the contract was not enforced"] if coverage.CONTRACT in unchecked else []
    if parts:
        verb = "was" if parts == [coverage.BODY] else "were"
        said.append(f"{' and '.join(map(in_line, parts))} {verb} not compared")
    return ", ".join(said)


def again(step: Step) -> str:
    """`, then again while next is not empty, 20 times at most`, of a step that repeats; else empty."""
    repetition = step.repeat_while
    if repetition is None:
        return ""
    watched = in_line(repetition.captured)
    return f", then again while {watched} is not empty, {repetition.at_most:,} times at most"


def together(step: Step) -> str:
    """`, together with the step before`, of a step that is sent at the same time; else empty."""
    return ", together with the step before" if step.together else ""


def repeated(step: StepResult | ResultStep) -> str:
    """`done 3 times`, of a step that was repeated; else empty."""
    return f"done {step.times:,} times" if step.times > 1 else ""


def steps_repeated(result: ScenarioResult) -> str:
    """`"pull" done 3 times`, for each step of a scenario that was repeated."""
    return ", ".join(f"{quoted(each.name)} {repeated(each)}" for each in result.steps if each.times > 1)


def parting(sources: Sequence[SourceCheck]) -> str:
    """`passes the SDK tool, breaks the documentation: /events is null`; empty where the sources agree."""
    passed = [f"the {in_line(each.source)}" for each in sources if not each.violations]
    said = [f"passes {' and '.join(passed)}"] if passed else []
    said += [
        f"breaks the {in_line(each.source)}: {_broken(each.violations)}"
        for each in sources
        if each.violations
    ]
    return ", ".join(said)


def _broken(found: Sequence[Violation]) -> str:
    """The first of some violations in few words: `/events is null`."""
    first = found[0]
    # A wrong type is told by what is there: the source's name says already that it wants another.
    _, is_told, there = first.message.rpartition(", not ") if first.keyword == "type" else ("", "", "")
    said = f"{foreign_text.place(first.pointer or WHOLE)} {f'is {there}' if is_told else first.message}"
    return visible(f"{said} and more" if len(found) > 1 else said)


def remarks(found: Judgement | StepResult | ResultStep) -> str:
    """What stands beside a verdict: what was not compared, and where the contract's sources part."""
    said = (not_compared(found.unchecked, found.verdict), parting(found.sources))
    return "; ".join(filter(None, said))


def steps_remarks(result: ScenarioResult | Result) -> str:
    """The remarks on a scenario, and on how many of its steps each is."""
    if len(result.steps) == 1:
        return remarks(result.steps[0])
    unchecked = [each for each in result.steps if each.unchecked]
    parts = dict.fromkeys(part for each in unchecked for part in each.unchecked)
    parted = [each for each in result.steps if each.sources]
    said = (
        (not_compared(tuple(parts), result.verdict), len(unchecked)),
        (parting(parted[0].sources) if parted else "", len(parted)),
    )
    return "; ".join(f"{words} in {count} of {len(result.steps)} steps" for words, count in said if words)


def is_told_by_rules(found: Judgement) -> bool:
    """Whether each difference of the body is of a rule that says by itself which item spoils an array."""
    of_body = [each for each in found.differences if each.part == "body"]
    return bool(of_body) and all(map(_is_of_items, of_body))


def _is_of_items(found: Difference) -> bool:
    return (
        bool(found.hint) and isinstance(found.rule, dict) and any(word in QUANTIFIERS for word in found.rule)
    )


def _with_hints(found: Violation) -> list[str]:
    return [violation(found), *(visible(f"  {hint}") for hint in found.hints)]


def _more(found: Sequence[object], most: int | None) -> list[str]:
    left = len(found) - most if most is not None else 0
    return [f"  … {and_more(left)}"] if left > 0 else []


def step(
    result: StepResult, *, width: int = 400, most: int | None = None, beside: Collection[str] = ()
) -> list[str]:
    """The reason of a step and the lines of its failed deliveries, at most `most` under each heading.

    `beside` are the deliveries whose bodies are shown beside what was expected.
    """
    told = {each.message for found in result.judgements for each in found.violations}
    # The lines beneath say more than a reason that only counts them.
    told |= {found.reason for found in result.judgements if found.differences or found.violations}
    lines = [visible(result.reason)] if result.reason and result.reason not in told else []
    several = len(result.judgements) > 1
    for number, found in enumerate(result.judgements, 1):
        if found.verdict in ("failed", "errored"):
            heading = [f"delivery {number} of {len(result.judgements)}: {found.verdict}"] if several else []
            is_beside = found.delivery in beside
            lines += [*heading, *judgement(found, width=width, most=most, beside=is_beside)]
    return lines


def headline(result: StepResult) -> str:
    """The first violation or difference that failed a step, else its reason."""
    for found in result.judgements:
        if found.verdict not in ("failed", "errored"):
            continue
        matters = found.expectation is None or found.expectation.contract
        if found.violations and matters:
            first = found.violations[0]
            hint = f"; {first.hints[0]}" if first.part == "status" and first.hints else ""
            return violation(first) + visible(hint)
        if found.differences:
            return difference(found.differences[0])
    return visible(result.reason) or result.verdict


_NAMED = 5
"""The most scenarios that are named as regressed."""


def change(results: Sequence[ScenarioResult], trends: Mapping[str, Trend]) -> str:
    """One line about what regressed and what was fixed; empty where nothing changed."""
    worse = [result.plan.name for result in results if trends.get(result.plan.id) == "regressed"]
    better = sum(trends.get(result.plan.id) == "fixed" for result in results)
    if not worse and not better:
        return ""
    named = ", ".join(in_line(name) for name in worse[:_NAMED])
    more = f" {and_more(len(worse) - _NAMED)}" if len(worse) > _NAMED else ""
    which = f" ({named}{more})" if worse else ""
    return f"{len(worse):,} regressed{which}, {better:,} fixed since the last finished run on this receiver"


def cut(lines: Sequence[str], most: int) -> list[str]:
    """The first `most` lines, and a line with the number of the others."""
    left = len(lines) - most
    return [*lines[:most], f"… {and_more(left)} lines"] if left > 0 else list(lines)


def and_more(count: int) -> str:
    """`and 1,234 more`."""
    return f"and {count:,} more"


def counts(of: Mapping[Verdict, int], *, always: Sequence[Verdict] = ()) -> list[str]:
    """`3 passed` for each verdict that has a count or is among `always`, in the order of GLYPHS."""
    return [f"{of.get(each, 0)} {each}" for each in GLYPHS if of.get(each) or each in always]


def scenario_counts(
    results: Sequence[ScenarioResult],
    unreadable: Sequence[SandboxError],
    incomplete: Sequence[SandboxError] = (),
    *,
    always: Sequence[Verdict] = (),
) -> list[str]:
    """The counts of scenarios by verdict, of files that could not be read, and of what a merged run lacks."""
    words = counts(Counter(result.verdict for result in results), always=always)
    words += [f"{len(unreadable)} unreadable"] if unreadable else []
    return [*words, f"{len(incomplete)} incomplete"] if incomplete else words


def receiver(found: Receiver) -> str:
    """The receiver's name; the stand-in with its note."""
    return f"the stand-in {NO_PROOF}" if found.stand_in else in_line(found.name)


def outcome(delivery: Delivery) -> str:
    """The status or the fault, in a word."""
    if delivery.fault is not None:
        return delivery.fault.kind
    return str(delivery.response.status) if delivery.response is not None else "no answer"


def redirect(found: Redirect) -> str:
    """A redirect on the way to the answer: where it went, or why it was not followed."""
    if found.url:
        return f"{found.status}, then asked {found.url}"
    return f"{found.status} to {found.location}, not followed: {found.not_followed}"


def start_line(response: Response) -> str:
    """The status line of a response, without its words."""
    if not response.status:
        return "(no status line)"
    return f"HTTP/{response.http_version} {response.status}"
